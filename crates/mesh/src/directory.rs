//! Where the roles are. Static for now: what is in this process, and addresses from the configuration. A control plane will
//! feed it snapshots.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::Endpoint;
use crate::transport::http2::Connection;

/// Where one role is.
#[derive(Clone)]
pub enum Target {
    /// In this process, behind its inbound stack.
    Local(Arc<dyn Endpoint>),
    /// In another process.
    Remote(Arc<Connection>),
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Local(_) => "Local",
            Self::Remote(_) => "Remote",
        })
    }
}

/// The roles that this process can reach.
#[derive(Clone, Debug, Default)]
pub struct Directory(Arc<ArcSwap<HashMap<String, Target>>>);

impl Directory {
    /// Adds a role of this process.
    pub fn add_local(&self, role: &str, endpoint: Arc<dyn Endpoint>) {
        self.put(role, Target::Local(endpoint));
    }

    /// Adds a role of another process, reached over HTTP/2.
    pub fn add_remote(&self, role: &str, address: SocketAddr) {
        self.put(role, Target::Remote(Arc::new(Connection::new(address))));
    }

    fn put(&self, role: &str, target: Target) {
        self.0.rcu(|roles| {
            let mut roles = HashMap::clone(roles);
            roles.insert(role.to_owned(), target.clone());
            roles
        });
    }

    /// Forgets a role.
    pub fn remove(&self, role: &str) {
        self.0.rcu(|roles| {
            let mut roles = HashMap::clone(roles);
            roles.remove(role);
            roles
        });
    }

    /// Forgets all of them. Roles hold clients of each other through this directory, so this lets go of them.
    pub fn clear(&self) {
        self.0.store(Arc::default());
    }

    /// Where a role is.
    #[must_use]
    pub fn find(&self, role: &str) -> Option<Target> {
        self.0.load().get(role).cloned()
    }
}
