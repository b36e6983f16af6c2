//! What the roles of one process share.

use std::path::PathBuf;
use std::sync::Arc;

use kernel::{Clock, Error, Result};
use mesh::inbound::Guards;
use mesh::outbound::Routes;
use mesh::peer::Peers;
use mesh::{Admission, Directory, Faults, Telemetry, Verifier};
use parking_lot::Mutex;
use prometheus_client::registry::Registry;

use crate::audit::AuditHub;
use crate::events::EventHub;
use crate::secrets::Secrets;
use crate::{Config, Cursors, Drain, Entropy};

/// One process's share of the house.
#[derive(Clone)]
pub(crate) struct House {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Entropy,
    pub(crate) data: Data,
    pub(crate) config: Arc<Config>,
    pub(crate) secrets: Secrets,
    pub(crate) cursors: Cursors,
    pub(crate) directory: Directory,
    pub(crate) routes: Routes,
    pub(crate) guards: Guards,
    pub(crate) faults: Faults,
    pub(crate) drain: Drain,
    pub(crate) events: EventHub,
    pub(crate) audit: AuditHub,
    pub(crate) registry: Arc<Mutex<Registry>>,
}

/// Where the data is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    Memory,
    Directory(PathBuf),
}

impl Data {
    /// Reads `mem:` or `dir:PATH`.
    pub(crate) fn parse(url: &str) -> Result<Self> {
        match url.split_once(':') {
            Some(("mem", "")) => Ok(Self::Memory),
            Some(("dir", path)) if !path.is_empty() => Ok(Self::Directory(PathBuf::from(path))),
            _ => Err(Error::invalid(
                "INVALID_CONFIG",
                format!("data must be `mem:` or `dir:PATH`, not `{url}`"),
            )),
        }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Memory => "mem:".to_owned(),
            Self::Directory(path) => format!("dir:{}", path.display()),
        }
    }

    pub(crate) fn path(&self) -> Option<&PathBuf> {
        match self {
            Self::Memory => None,
            Self::Directory(path) => Some(path),
        }
    }
}

impl House {
    pub(crate) fn new(
        data: Data,
        config: Config,
        clock: Arc<dyn Clock>,
        entropy: Entropy,
        faults: Faults,
    ) -> Result<Self> {
        let secrets = Secrets::new(data.path().map(PathBuf::as_path), entropy.clone());
        let peers = Peers::new(*secrets.get("peer")?.bytes(), clock.clone());
        let guards = Guards {
            telemetry: Arc::new(Telemetry::served()),
            verifier: Arc::new(Verifier::new(clock.clone())),
            peers: peers.clone(),
            admission: Arc::new(Admission::default()),
        };
        let directory = Directory::default();
        let routes = Routes {
            directory: directory.clone(),
            faults: faults.clone(),
            peers,
            telemetry: Arc::new(Telemetry::made()),
        };
        let mut registry = Registry::default();
        registry.register_collector(Box::new(guards.telemetry.clone()));
        registry.register_collector(Box::new(routes.telemetry.clone()));
        Ok(Self {
            cursors: Cursors::new(secrets.get("cursor")?),
            clock,
            entropy,
            data,
            config: Arc::new(config),
            secrets,
            directory,
            routes,
            guards,
            faults,
            drain: Drain::default(),
            events: EventHub::default(),
            audit: AuditHub::default(),
            registry: Arc::new(Mutex::new(registry)),
        })
    }
}
