//! What a role is: a name, what it calls and consumes, and how it starts.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use kernel::Result;
use mesh::{Endpoint, Endpoints};
use tonic::body::Body;
use tonic::server::NamedService;

use crate::{Config, Context, Settings};

/// A role that is starting.
pub type Starting = Pin<Box<dyn Future<Output = Result<Role>> + Send>>;

/// A role of the house. Each service's crate has one as the constant `SERVICE`.
#[derive(Clone, Copy)]
pub struct Service {
    /// What it is called: lower-case letters.
    pub name: &'static str,
    /// The roles that it may call.
    pub calls: &'static [&'static str],
    /// The roles whose events it reads.
    pub consumes: &'static [&'static str],
    /// One sentence: what it owns.
    pub about: &'static str,
    pub(crate) start: fn(Context) -> Starting,
    pub(crate) settings: Option<fn(&Config, &'static str) -> Result<serde_json::Value>>,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Service {
    /// A role that starts with this function.
    #[must_use]
    pub const fn new(name: &'static str, start: fn(Context) -> Starting) -> Self {
        Self { name, calls: &[], consumes: &[], about: "", start, settings: None }
    }

    /// Says whom it calls. [`Context::call`] refuses everybody else.
    #[must_use]
    pub const fn calls(mut self, roles: &'static [&'static str]) -> Self {
        self.calls = roles;
        self
    }

    /// Says whose events it reads.
    #[must_use]
    pub const fn consumes(mut self, roles: &'static [&'static str]) -> Self {
        self.consumes = roles;
        self
    }

    /// Says what it owns, in one sentence.
    #[must_use]
    pub const fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// Says which settings it has: the section of its name in `souk.toml`.
    #[must_use]
    pub const fn settings<T: Settings>(mut self) -> Self {
        self.settings = Some(|config, name| {
            serde_json::to_value(config.settings::<T>(name)?).map_err(kernel::Error::internal)
        });
        self
    }

    /// Its settings as they are in force; empty for a role without any.
    ///
    /// # Errors
    /// `INVALID_CONFIG` naming the key.
    pub fn check_settings(&self, config: &Config) -> Result<serde_json::Value> {
        match self.settings {
            Some(read) => read(config, self.name),
            None => {
                config.section::<NoSettings>(self.name)?;
                Ok(serde_json::Value::Object(serde_json::Map::new()))
            }
        }
    }
}

#[derive(Default, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct NoSettings {}

/// A role that has started: the gRPC services it serves, and, for a gateway, what it serves over HTTP.
#[derive(Clone, Default)]
pub struct Role {
    pub(crate) endpoints: Endpoints,
    pub(crate) http: Option<Arc<dyn Endpoint>>,
}

impl Role {
    /// Serves nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Serves a generated gRPC server.
    #[must_use]
    pub fn grpc<S>(mut self, server: S) -> Self
    where
        S: tower::Service<
                http::Request<Body>,
                Response = http::Response<Body>,
                Error = Infallible,
                Future = mesh::Response,
            > + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
    {
        let (name, endpoint) = mesh::grpc(server);
        self.endpoints.add(name, endpoint);
        self
    }

    /// Serves HTTP, on a listener of its own ([`crate::Options::http`]).
    #[must_use]
    pub fn http(mut self, endpoint: Arc<dyn Endpoint>) -> Self {
        self.http = Some(endpoint);
        self
    }

    pub(crate) fn add(&mut self, service: &str, endpoint: Arc<dyn Endpoint>) {
        self.endpoints.add(service, endpoint);
    }
}
