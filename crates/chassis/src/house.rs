//! What the roles of one process share.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use kernel::{Clock, Error, Result};
use mesh::inbound::Guards;
use mesh::outbound::Routes;
use mesh::peer::Peers;
use mesh::{Admission, Directory, Faults, Telemetry, Verifier};
use parking_lot::Mutex;
use prometheus_client::registry::Registry;
use tokio::sync::watch;

use crate::audit::AuditHub;
use crate::databases::Databases;
use crate::events::EventHub;
use crate::process::{Build, Process};
use crate::progress::Consumers;
use crate::secrets::Secrets;
use crate::steady::SteadyClock;
use crate::{Config, Cursors, Drain, Entropy};

/// One process's share of the house.
#[derive(Clone)]
pub(crate) struct House {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) steady: Arc<SteadyClock>,
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
    /// Whether this process is ready for calls: all its roles have started, it does not leave, and its data is there.
    pub(crate) serving: watch::Sender<bool>,
    pub(crate) events: EventHub,
    pub(crate) databases: Databases,
    pub(crate) consumers: Consumers,
    pub(crate) audit: AuditHub,
    pub(crate) registry: Arc<Mutex<Registry>>,
}

/// What a process holds its shared parts by. Dropped, also when the process could not start, it stops the tasks and lets go of
/// the roles, which hold each other through the directory, so that their databases close.
pub(crate) struct HouseGuard(Arc<House>);

impl HouseGuard {
    pub(crate) fn new(house: House) -> Self {
        Self(Arc::new(house))
    }
}

impl Deref for HouseGuard {
    type Target = Arc<House>;

    fn deref(&self) -> &Arc<House> {
        &self.0
    }
}

impl Drop for HouseGuard {
    fn drop(&mut self) {
        self.drain.abort();
        self.directory.clear();
        self.databases.clear();
    }
}

/// Where the data is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    Memory,
    Directory(PathBuf),
}

/// Checks where data is to be: `mem:` or `dir:PATH`.
///
/// # Errors
/// `INVALID_CONFIG`; the message goes on from the name of the setting.
pub fn check_data_url(url: &str) -> Result<()> {
    Data::parse(url).map(|_| ())
}

impl Data {
    /// Reads `mem:` or `dir:PATH`.
    pub(crate) fn parse(url: &str) -> Result<Self> {
        match url.split_once(':') {
            Some(("mem", "")) => Ok(Self::Memory),
            Some(("dir", path)) if !path.is_empty() => Ok(Self::Directory(PathBuf::from(path))),
            _ => Err(Error::invalid("INVALID_CONFIG", format!("must be `mem:` or `dir:PATH`, not `{url}`"))),
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
        build: Build,
    ) -> Result<Self> {
        let steady = Arc::new(SteadyClock::new(clock));
        let clock: Arc<dyn Clock> = steady.clone();
        if let Some(path) = data.path() {
            store::prepare_directory(path)?;
            let secrets = path.join("secrets");
            if secrets.exists() {
                store::tighten_directory(&secrets)?;
            }
        }
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
        steady.register(&mut registry);
        let (databases, consumers) = (Databases::default(), Consumers::default());
        registry.register_collector(Box::new(databases.clone()));
        registry.register_collector(Box::new(consumers.clone()));
        registry.register_collector(Box::new(Process::default()));
        registry.register_collector(Box::new(build));
        Ok(Self {
            cursors: Cursors::new(secrets.get("cursor")?),
            clock,
            steady,
            entropy,
            data,
            config: Arc::new(config),
            secrets,
            directory,
            routes,
            guards,
            faults,
            drain: Drain::default(),
            serving: watch::Sender::new(false),
            events: EventHub::default(),
            databases,
            consumers,
            audit: AuditHub::default(),
            registry: Arc::new(Mutex::new(registry)),
        })
    }
}
