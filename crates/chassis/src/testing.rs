//! One role under test: in memory, on virtual time, from a seed, with fakes for the roles it calls.
//!
//! Use it in a test with a paused runtime: `#[tokio::test(start_paused = true)]`.

use std::sync::Arc;
use std::time::Duration;

use kernel::{CustomerId, GuestId, Result, SessionId, Timestamp};
use mesh::{Channel, Faults, Principal};
use tonic::body::Body;
use tonic::server::NamedService;

use crate::{Config, Context, Entropy, Options, Role, Running, Service, VirtualClock, run};

/// Where virtual time starts: 2026-01-01T00:00:00Z.
pub const START: Timestamp = Timestamp::from_secs(1_767_225_600);

/// Prepares a role under test.
pub struct Builder {
    service: Service,
    fakes: Vec<(&'static str, Role)>,
    config: Config,
    seed: u64,
}

/// A role under test.
pub struct Harness {
    service: Service,
    running: Running,
    context: Context,
    clock: Arc<VirtualClock>,
}

impl Harness {
    /// Starts a role that calls nobody.
    ///
    /// # Errors
    /// What the role's start says.
    pub async fn start(service: &Service, seed: u64) -> Result<Self> {
        Self::builder(service, seed).start().await
    }

    /// Prepares a role.
    #[must_use]
    pub fn builder(service: &Service, seed: u64) -> Builder {
        Builder { service: *service, fakes: Vec::new(), config: Config::default(), seed }
    }

    /// A client of the role for somebody outside.
    pub fn client<C>(&self, new: impl FnOnce(Channel) -> C, principal: Principal) -> C {
        self.running.client(self.service.name, None, principal, new).expect("the role under test runs here")
    }

    /// A client of the role for another role, which acts on somebody's behalf.
    pub fn client_as_role<C>(&self, role: &str, new: impl FnOnce(Channel) -> C, principal: Principal) -> C {
        self.running
            .client(self.service.name, Some(role), principal, new)
            .expect("the role under test runs here")
    }

    /// Lets time pass: every timer that is due fires.
    pub async fn advance(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    /// A context like the role's, for its clock, ids and fault points.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The system's clock as the role's process reads it: its wall time can be set apart from the time that passes.
    #[must_use]
    pub fn system_clock(&self) -> &VirtualClock {
        &self.clock
    }

    /// Faults on purpose.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        self.running.faults()
    }

    /// The process behind it.
    #[must_use]
    pub fn running(&self) -> &Running {
        &self.running
    }
}

impl Builder {
    /// A fake for a role that it calls.
    #[must_use]
    pub fn fake<S>(mut self, role: &'static str, server: S) -> Self
    where
        S: tower::Service<
                http::Request<Body>,
                Response = http::Response<Body>,
                Error = std::convert::Infallible,
                Future = mesh::Response,
            > + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
    {
        self.fakes.push((role, Role::new().grpc(server)));
        self
    }

    /// A setting of the role.
    #[must_use]
    pub fn set(mut self, key: &str, value: impl Into<toml::Value>) -> Self {
        self.config.set(self.service.name, key, value);
        self
    }

    /// Starts the role.
    ///
    /// # Errors
    /// What the role's start says.
    pub async fn start(self) -> Result<Harness> {
        let mut options = Options::new("mem:");
        let clock = Arc::new(VirtualClock::new(START));
        options.clock = clock.clone();
        options.entropy = Entropy::seeded(self.seed);
        options.config = self.config;
        let running = run::run_with_fakes(&[self.service], self.fakes, options).await?;
        let context = running.context(self.service);
        Ok(Harness { service: self.service, running, context, clock })
    }
}

/// A customer without permissions; the same for the same number.
#[must_use]
pub fn customer(number: u128) -> Principal {
    staff(number, &[])
}

/// An account with permissions.
#[must_use]
pub fn staff(number: u128, permissions: &[&str]) -> Principal {
    let permissions: Vec<String> = permissions.iter().map(|permission| (*permission).to_owned()).collect();
    Principal::Account {
        id: CustomerId::from_bits(number),
        session: SessionId::from_bits(number),
        permissions: permissions.into(),
    }
}

/// A guest; the same for the same number.
#[must_use]
pub fn guest(number: u128) -> Principal {
    Principal::Guest { id: GuestId::from_bits(number), session: SessionId::from_bits(number) }
}

/// A key that seals records, the same for the same seed.
#[must_use]
pub fn record_key(seed: u64) -> crate::RecordKey {
    let secrets = crate::secrets::Secrets::new(None, crate::Entropy::seeded(seed));
    crate::RecordKey::new(secrets.get("records").expect("a secret in memory is made"))
}
