//! Starts roles and returns their addresses and the handle to stop them. The binary, development and tests call this.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use contract::souk::audit::v1::audit_service_server::{AuditServiceServer, SERVICE_NAME as AUDIT_SERVICE};
use contract::souk::event::v1::event_service_server::{EventServiceServer, SERVICE_NAME as EVENT_SERVICE};
use kernel::{Clock, Error, Result};
use mesh::{Channel, Endpoint, Endpoints, Faults, Principal, inbound};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tonic_health::pb::health_server::HealthServer;

use crate::audit::AuditApi;
use crate::connections::ListenerMetrics;
use crate::events::EventApi;
use crate::health::HealthApi;
use crate::house::{Data, House, HouseGuard};
use crate::listener::Table;
use crate::listeners::{Kind, LISTENERS, ListenerSettings};
use crate::{
    Build, Config, Context, Drain, Entropy, Role, Service, SystemClock, databases, descriptors, keys,
    metrics, reflection, serve, web,
};

/// How long identity may take to tell its keys at the start.
const KEYS_TIMEOUT: Duration = Duration::from_secs(10);
/// How long events are kept.
pub(crate) const EVENTS_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
const PRUNE_EVERY: Duration = Duration::from_secs(300);
const PRUNE_ROWS: u32 = 10_000;

/// How to run.
pub struct Options {
    /// `mem:` or `dir:PATH`.
    pub data: String,
    /// Where gRPC listens; `None` for nowhere (tests call in process).
    pub grpc: Option<SocketAddr>,
    /// Where Prometheus text is served; `None` for nowhere.
    pub metrics: Option<SocketAddr>,
    /// Where gateways listen, by role.
    pub http: Vec<HttpAddress>,
    /// Roles that run elsewhere.
    pub remote: Vec<(String, SocketAddr)>,
    /// Settings.
    pub config: Config,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Entropy,
    /// Faults on purpose.
    pub faults: Faults,
    /// Which build this is, for the metrics.
    pub build: Build,
}

impl Options {
    /// The system's clock and randomness, no listeners.
    #[must_use]
    pub fn new(data: impl Into<String>) -> Self {
        Self {
            data: data.into(),
            grpc: None,
            metrics: None,
            http: Vec::new(),
            remote: Vec::new(),
            config: Config::default(),
            clock: Arc::new(SystemClock::default()),
            entropy: Entropy::System,
            faults: Faults::default(),
            build: Build::default(),
        }
    }
}

/// Where a gateway shall listen.
#[derive(Clone, Debug)]
pub struct HttpAddress {
    /// The role.
    pub role: &'static str,
    /// The flag that says so, for messages.
    pub flag: &'static str,
    /// The address; port 0 picks a free one.
    pub address: SocketAddr,
}

/// Where a running process listens.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    /// gRPC.
    pub grpc: Option<SocketAddr>,
    /// Prometheus text.
    pub metrics: Option<SocketAddr>,
    /// The gateways, by role.
    pub http: HashMap<&'static str, SocketAddr>,
}

/// A running process.
pub struct Running {
    /// Where it listens.
    pub addresses: Addresses,
    house: HouseGuard,
    roles: HashMap<&'static str, Arc<dyn Endpoint>>,
    gateways: Gateways,
    outside: Arc<dyn Endpoint>,
    listeners: Arc<ListenerMetrics>,
    services: Vec<String>,
}

/// Starts these roles in this process.
///
/// # Errors
/// A sentence that says what and what to do: a port in use, a data directory in use, damaged, newer or unwritable, a
/// setting that is not understood.
pub async fn run(services: &[Service], options: Options) -> Result<Running> {
    run_with_fakes(services, Vec::new(), options).await
}

/// Starts roles, with others standing in for those that they call.
pub(crate) async fn run_with_fakes(
    services: &[Service],
    fakes: Vec<(&'static str, Role)>,
    options: Options,
) -> Result<Running> {
    let sockets = bind(&options).await?;
    let data =
        Data::parse(&options.data).map_err(|error| crate::invalid_setting("data", "url", error.message()))?;
    let house = HouseGuard::new(House::new(
        data,
        options.config,
        options.clock,
        options.entropy,
        options.faults,
        options.build,
    )?);
    for (role, address) in options.remote {
        house.directory.add_remote(&role, address);
    }
    for (role, fake) in fakes {
        house.directory.add_local(role, inbound::stack(&house.guards, Arc::new(fake.endpoints)));
    }
    match start(&house, services, sockets).await {
        Ok(started) => {
            let Started { addresses, roles, gateways, outside, listeners, services } = started;
            Ok(Running { addresses, house, roles, gateways, outside, listeners, services })
        }
        Err(error) => {
            house.drain.finish(Duration::from_secs(1)).await;
            Err(error)
        }
    }
}

/// Everything that a process has once it serves.
struct Started {
    addresses: Addresses,
    roles: HashMap<&'static str, Arc<dyn Endpoint>>,
    gateways: Gateways,
    outside: Arc<dyn Endpoint>,
    listeners: Arc<ListenerMetrics>,
    services: Vec<String>,
}

/// Starts the roles, and serves them on what is bound.
async fn start(house: &Arc<House>, services: &[Service], sockets: Sockets) -> Result<Started> {
    let granted = descriptors::raise();
    let settings: ListenerSettings = house.config.settings(LISTENERS)?;
    for service in services {
        service.check_settings(&house.config)?;
    }
    let Roles { roles, gateways, mut outside } = start_roles(house, services).await?;
    let names = outside.services();
    let health = HealthServer::new(HealthApi::new(&names, house.serving.subscribe()));
    let (health_name, health_endpoint) = mesh::grpc(health);
    outside.add(health_name, inbound::stack(&house.guards, health_endpoint));
    let mut reflected = names.clone();
    reflected.push(health_name.to_owned());
    for (name, endpoint) in reflection::endpoints(&reflected) {
        outside.add(name, inbound::stack(&house.guards, endpoint));
    }
    let outside: Arc<dyn Endpoint> = Arc::new(outside);
    background(house);
    house.drain.spawn_loop(databases::watch(house.clone()));
    if services.iter().any(|service| service.name == "identity") {
        await_keys(house).await?;
    }
    let listeners = Arc::new(ListenerMetrics::default());
    house.registry.lock().register_collector(Box::new(listeners.clone()));
    listeners.descriptors(granted);
    let room = descriptors::divide(granted, services.len(), store::readers_kept(), sockets.web.len());
    house.serving.send_replace(house.databases.are_present());
    let addresses = listen(house, &settings, room, sockets, &outside, &gateways, &listeners)?;
    Ok(Started { addresses, roles, gateways, outside, listeners, services: names })
}

/// What is bound.
struct Sockets {
    grpc: Option<TcpListener>,
    metrics: Option<TcpListener>,
    web: Vec<(&'static str, TcpListener)>,
}

async fn bind(options: &Options) -> Result<Sockets> {
    let grpc = match options.grpc {
        Some(address) => Some(serve::bind("gRPC", "--grpc", address).await?),
        None => None,
    };
    let metrics = match options.metrics {
        Some(address) => Some(serve::bind("metrics", "--metrics", address).await?),
        None => None,
    };
    let mut web = Vec::with_capacity(options.http.len());
    for wanted in &options.http {
        web.push((wanted.role, serve::bind("web", wanted.flag, wanted.address).await?));
    }
    Ok(Sockets { grpc, metrics, web })
}

/// The setting of a gateway that says how many proxies stand before it.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Proxies {
    trusted_proxies: u8,
}

/// Begins to accept on everything that is bound.
fn listen(
    house: &Arc<House>,
    settings: &ListenerSettings,
    room: descriptors::Room,
    sockets: Sockets,
    outside: &Arc<dyn Endpoint>,
    gateways: &Gateways,
    numbers: &Arc<ListenerMetrics>,
) -> Result<Addresses> {
    let table =
        |name, kind, connections| Table::new(name, settings.limits(kind, connections), numbers.clone());
    let mut addresses = Addresses::default();
    if let Some(listener) = sockets.metrics {
        addresses.metrics = listener.local_addr().ok();
        let table = table("metrics", Kind::Metrics, room.metrics);
        house.drain.spawn_loop(metrics::serve(house.clone(), listener, table));
    }
    if let Some(listener) = sockets.grpc {
        addresses.grpc = listener.local_addr().ok();
        let table = table("grpc", Kind::Grpc, room.grpc);
        house.drain.spawn_work(serve::serve(listener, table, outside.clone(), house.drain.clone()));
    }
    for (role, listener) in sockets.web {
        let Some(gateway) = gateways.get(role) else {
            return Err(Error::internal(format!("{role} serves no HTTP in this process")));
        };
        addresses.http.extend(listener.local_addr().ok().map(|address| (role, address)));
        let proxied = house.config.section::<Proxies>(role)?.trusted_proxies > 0;
        let table = table(role, Kind::Web { proxied }, room.web);
        house.drain.spawn_work(web::serve(listener, table, gateway.clone(), house.drain.clone()));
    }
    Ok(addresses)
}

type Gateways = HashMap<&'static str, Arc<dyn Endpoint>>;

struct Roles {
    roles: HashMap<&'static str, Arc<dyn Endpoint>>,
    gateways: Gateways,
    outside: Endpoints,
}

async fn start_roles(house: &Arc<House>, services: &[Service]) -> Result<Roles> {
    let events =
        || mesh::grpc(EventServiceServer::new(EventApi(house.events.clone(), house.databases.clone()))).1;
    let audit = || {
        let (hub, cursors) = (house.audit.clone(), house.cursors.clone());
        mesh::grpc(AuditServiceServer::new(AuditApi { hub, cursors, clock: house.clock.clone() })).1
    };
    let mut roles = HashMap::new();
    let mut gateways = HashMap::new();
    let mut outside = Endpoints::default();
    for service in services {
        let role = (service.start)(Context::new(house.clone(), *service)).await?;
        let names = role.endpoints.services();
        let mut role = role;
        gateways.extend(role.http.take().map(|http| (service.name, http)));
        role.add(EVENT_SERVICE, events());
        role.add(AUDIT_SERVICE, audit());
        let endpoint = inbound::stack(&house.guards, Arc::new(role.endpoints));
        house.directory.add_local(service.name, endpoint.clone());
        for name in names {
            outside.add(name, endpoint.clone());
        }
        roles.insert(service.name, endpoint);
    }
    outside.add(EVENT_SERVICE, inbound::stack(&house.guards, events()));
    outside.add(AUDIT_SERVICE, inbound::stack(&house.guards, audit()));
    Ok(Roles { roles, gateways, outside })
}

fn background(house: &Arc<House>) {
    house.drain.spawn_loop(house.guards.admission.clone().watch());
    house.drain.spawn_loop(house.steady.clone().watch());
    house.drain.spawn_loop(keys::follow(house.clone()));
    let pruned = house.clone();
    house.drain.spawn_loop(async move {
        loop {
            tokio::time::sleep(PRUNE_EVERY).await;
            pruned.events.prune(EVENTS_KEPT, PRUNE_ROWS).await;
        }
    });
    house.drain.started();
}

/// A process with identity waits for its keys, so that it never refuses a good token because it is young.
async fn await_keys(house: &House) -> Result<()> {
    let late = |_| Error::unavailable("UNAVAILABLE", "identity did not tell its keys within 10 s");
    tokio::time::timeout(KEYS_TIMEOUT, house.guards.verifier.ready()).await.map_err(late)
}

impl Running {
    /// A client of a role, as a role of the house or as somebody outside whom the caller has verified.
    ///
    /// # Errors
    /// INTERNAL for a role that does not run here.
    pub fn client<C>(
        &self,
        role: &str,
        as_role: Option<&str>,
        principal: Principal,
        new: impl FnOnce(Channel) -> C,
    ) -> Result<C> {
        let unknown = || Error::internal(format!("{role} does not run in this process"));
        let endpoint = self.roles.get(role).ok_or_else(unknown)?;
        Ok(new(Channel::on_behalf_of(endpoint.clone(), as_role, principal)))
    }

    /// A channel as a stranger from outside has it: what its requests carry is all that is known.
    #[must_use]
    pub fn outside(&self) -> Channel {
        Channel::anonymous(self.outside.clone())
    }

    /// What a gateway serves, without a network between.
    #[must_use]
    pub fn gateway(&self, role: &str) -> Option<Arc<dyn Endpoint>> {
        self.gateways.get(role).cloned()
    }

    pub(crate) fn context(&self, service: Service) -> Context {
        Context::new(self.house.clone(), service)
    }

    /// The drain of the process.
    #[must_use]
    pub fn drain(&self) -> &Drain {
        &self.house.drain
    }

    /// The faults of the process.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.house.faults
    }

    /// The clock of the process.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.house.clock
    }

    /// The names of the gRPC services that it serves.
    #[must_use]
    pub fn services(&self) -> &[String] {
        &self.services
    }

    /// Calls that a method has answered so far.
    #[must_use]
    pub fn answered(&self, path: &str) -> u64 {
        self.house.guards.telemetry.answered(path)
    }

    /// Open connections of a listener: `grpc`, `metrics`, or the name of a gateway's role.
    #[must_use]
    pub fn connections(&self, listener: &str) -> i64 {
        self.listeners.connections(listener)
    }

    /// What is admitted at this moment: calls, streams, bytes of requests.
    #[must_use]
    pub fn admission(&self) -> &mesh::Admission {
        &self.house.guards.admission
    }

    /// Leaves: says so, finishes what is in flight within the grace, stops. Returns whether all ended by itself.
    pub async fn stop(&self, grace: Duration) -> bool {
        self.house.serving.send_replace(false);
        self.house.drain.finish(grace).await
    }
}
