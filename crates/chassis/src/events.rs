//! The event service of this process: each local role's outbox as a stream.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use contract::souk::event::v1 as wire;
use contract::souk::event::v1::event_service_server::EventService;
use futures_util::Stream;
use futures_util::stream;
use kernel::{Error, Result};
use parking_lot::RwLock;
use store::{Database, Position, StoredEvent};
use tonic::{Request, Response, Status};

use crate::databases::Databases;

/// Events read from an outbox at once.
const PAGE: u32 = 200;
/// How often a quiet stream says where its head is.
const HEARTBEAT: Duration = Duration::from_secs(15);

#[derive(Clone)]
struct Consumer {
    source: &'static str,
    name: &'static str,
    database: Database,
}

#[derive(Default)]
struct Source {
    database: Option<Database>,
    consumers: Vec<Consumer>,
}

/// The outboxes and consumers of the roles in this process.
#[derive(Clone, Default)]
pub(crate) struct EventHub(Arc<RwLock<HashMap<&'static str, Source>>>);

impl EventHub {
    pub(crate) fn add_outbox(&self, role: &'static str, database: Database) {
        self.0.write().entry(role).or_default().database = Some(database);
    }

    pub(crate) fn add_consumer(
        &self,
        role: &'static str,
        source: &'static str,
        name: &'static str,
        database: Database,
    ) {
        self.0.write().entry(role).or_default().consumers.push(Consumer { source, name, database });
    }

    fn source(&self, role: &str) -> Result<(Database, Vec<Consumer>)> {
        let sources = self.0.read();
        let source = sources.get(role);
        let database = source.and_then(|source| source.database.clone());
        let unknown =
            || Error::field("/source", "UNKNOWN_SOURCE", "is not a role whose events are served here");
        Ok((database.ok_or_else(unknown)?, source.map(|source| source.consumers.clone()).unwrap_or_default()))
    }

    /// Deletes events that are older than `kept`, at most `rows_max` a role. One that fails is logged and keeps no other.
    pub(crate) async fn prune(&self, kept: Duration, rows_max: u32) {
        let with_database =
            |(role, source): (&&'static str, &Source)| Some((*role, source.database.clone()?));
        let databases: Vec<(&'static str, Database)> =
            self.0.read().iter().filter_map(with_database).collect();
        for (role, database) in databases {
            let pruned = database.outbox().prune(database.retention_now().minus(kept), rows_max).await;
            if let Err(error) = pruned {
                tracing::warn!(role, error = ?error, "old events could not be deleted");
            }
        }
    }
}

/// The gRPC face of a hub, and of the databases beside it.
pub(crate) struct EventApi(pub(crate) EventHub, pub(crate) Databases);

type Answers = Pin<Box<dyn Stream<Item = Result<wire::SubscribeResponse, Status>> + Send>>;

#[tonic::async_trait]
impl EventService for EventApi {
    type SubscribeStream = Answers;

    async fn subscribe(&self, request: Request<wire::SubscribeRequest>) -> Result<Response<Answers>, Status> {
        let report = mesh::Report::of_stream("/souk.event.v1.EventService/Subscribe", mesh::caller(&request));
        let request = request.into_inner();
        let reader = Reader::open(&self.0, request).await.map_err(contract::status)?;
        let answers = stream::unfold(Some((reader, report)), |reading| async move {
            let (mut reader, report) = reading?;
            match reader.next().await {
                Ok(answer) => Some((Ok(answer), Some((reader, report)))),
                Err(error) => Some((Err(report.ends_with(error)), None)),
            }
        });
        Ok(Response::new(Box::pin(answers)))
    }

    async fn get_status(
        &self,
        request: Request<wire::GetStatusRequest>,
    ) -> Result<Response<wire::GetStatusResponse>, Status> {
        let request = request.into_inner();
        let status = if request.positions_only {
            positions(&self.0, &request.source).await
        } else {
            status(&self.0, &request.source).await
        };
        Ok(Response::new(status.map_err(contract::status)?))
    }

    async fn check_storage(
        &self,
        request: Request<wire::CheckStorageRequest>,
    ) -> Result<Response<wire::CheckStorageResponse>, Status> {
        let answer = self.1.check(&request.into_inner().source).await;
        Ok(Response::new(answer.map_err(contract::status)?))
    }
}

/// One subscription: reads pages as its reader takes them, so that a slow reader costs nothing but its own lag.
struct Reader {
    source: String,
    database: Database,
    types: Vec<String>,
    after: Position,
    heads: tokio::sync::watch::Receiver<Position>,
    told_head: bool,
}

impl Reader {
    async fn open(hub: &EventHub, request: wire::SubscribeRequest) -> Result<Self> {
        if request.types.len() > 100 {
            return Err(Error::field("/types", "INVALID_ARGUMENT", "has more than 100 names"));
        }
        for (n, name) in request.types.iter().enumerate() {
            // They are held for as long as the stream lives.
            kernel::check_id_length(&format!("/types/{n}"), name)?;
        }
        let (database, _) = hub.source(&request.source)?;
        let heads = database.outbox().watch();
        let after = match request.after {
            Some(at) => Position { epoch: at.epoch, sequence: at.sequence },
            None => before_oldest(&database).await?,
        };
        Ok(Self { source: request.source, database, types: request.types, after, heads, told_head: false })
    }

    async fn next(&mut self) -> Result<wire::SubscribeResponse> {
        loop {
            self.heads.mark_unchanged();
            let page = self.database.outbox().read(self.after, PAGE).await?;
            let head = *self.heads.borrow();
            if let Some(last) = page.last() {
                self.after = last.position;
                self.told_head = false;
                let wanted = page.into_iter().filter(|event| self.wants(event));
                let events: Vec<_> = wanted.map(|event| to_wire(&self.source, event)).collect();
                // Where nothing matched the reader still learns how far it is.
                return Ok(wire::SubscribeResponse {
                    events,
                    head: Some(position_to_wire(head.max(self.after))),
                });
            }
            if !self.told_head {
                self.told_head = true;
                return Ok(wire::SubscribeResponse {
                    events: Vec::new(),
                    head: Some(position_to_wire(self.after)),
                });
            }
            if tokio::time::timeout(HEARTBEAT, self.heads.changed()).await.is_err() {
                self.told_head = false;
            }
        }
    }

    fn wants(&self, event: &StoredEvent) -> bool {
        self.types.is_empty() || self.types.contains(&event.event.type_name)
    }
}

pub(crate) fn position_to_wire(position: Position) -> wire::Position {
    wire::Position { epoch: position.epoch, sequence: position.sequence }
}

fn to_wire(source: &str, stored: StoredEvent) -> wire::Event {
    wire::Event {
        position: Some(position_to_wire(stored.position)),
        id: stored.id.to_string(),
        source: source.to_owned(),
        aggregate_id: stored.event.aggregate_id,
        aggregate_version: stored.event.aggregate_version,
        time: Some(contract::wire::timestamp(stored.time)),
        payload: Some(prost_types::Any {
            type_url: format!("type.googleapis.com/{}", stored.event.type_name),
            value: stored.event.payload,
        }),
    }
}

/// The position before the oldest kept event.
async fn before_oldest(database: &Database) -> Result<Position> {
    let oldest = database.outbox().oldest().await?;
    if oldest <= 1 {
        return Ok(Position::START);
    }
    Ok(Position { epoch: database.outbox().head().await?.epoch, sequence: oldest - 1 })
}

/// Missing sequence numbers that are named at most.
const GAPS_NAMED_MAX: usize = 100;
/// Parked events that are named at most.
const PARKED_NAMED_MAX: u32 = 100;

async fn positions(hub: &EventHub, role: &str) -> Result<wire::GetStatusResponse> {
    let (database, _) = hub.source(role)?;
    let head = database.outbox().head().await?;
    let oldest = wire::Position { epoch: head.epoch, sequence: database.outbox().oldest().await? };
    let head = Some(position_to_wire(head));
    Ok(wire::GetStatusResponse { oldest: Some(oldest), head, ..wire::GetStatusResponse::default() })
}

async fn status(hub: &EventHub, role: &str) -> Result<wire::GetStatusResponse> {
    let ends = positions(hub, role).await?;
    let (database, consumers) = hub.source(role)?;
    let gaps = database.outbox().gaps().await?;
    let mut statuses = Vec::with_capacity(consumers.len());
    for consumer in consumers {
        let position = consumer.database.sql().position(consumer.source, consumer.name).await?;
        let mut parked = consumer.database.parked().list(PARKED_NAMED_MAX).await?;
        parked.retain(|event| event.source == consumer.source && event.consumer == consumer.name);
        statuses.push(wire::ConsumerStatus {
            source: consumer.source.to_owned(),
            name: consumer.name.to_owned(),
            position: position.map(position_to_wire),
            parked: parked.into_iter().map(|event| event.aggregate_id).collect(),
        });
    }
    let missing: i64 = gaps.iter().map(|gap| gap.to - gap.from + 1).sum();
    let sequence = |end: &Option<wire::Position>| end.as_ref().map_or(0, |end| end.sequence);
    Ok(wire::GetStatusResponse {
        count: sequence(&ends.head) - sequence(&ends.oldest) + 1 - missing,
        gaps: gaps.iter().flat_map(|gap| gap.from..=gap.to).take(GAPS_NAMED_MAX).collect(),
        consumers: statuses,
        ..ends
    })
}

#[cfg(test)]
mod tests {
    use kernel::Timestamp;
    use store::faulty::FaultRates;
    use store::{Batch, Faults, NewEvent, OpenOptions};

    use super::*;
    use crate::VirtualClock;

    async fn outbox(clock: &Arc<VirtualClock>, faults: &Faults) -> Database {
        let options = OpenOptions::new(clock.clone()).with_faults(faults.clone());
        let database = store::open("mem:", "test", &[], options).await.expect("opens");
        let event = NewEvent {
            aggregate_id: "1".to_owned(),
            aggregate_version: 1,
            type_name: "souk.test.v1.Written".to_owned(),
            payload: Vec::new(),
        };
        // The newest one stays.
        database.sql().commit(Batch::new().event(event.clone()).event(event)).await.expect("written");
        database
    }

    #[tokio::test(start_paused = true)]
    async fn an_outbox_that_fails_keeps_no_other_from_being_pruned() {
        let clock = Arc::new(VirtualClock::new(Timestamp::from_secs(1_000_000)));
        let hub = EventHub::default();
        let mut intact = Vec::new();
        let failing = Faults::seeded(1, FaultRates::default());
        for role in ["a", "b", "c", "d", "e", "f"] {
            let is_failing = role == "c";
            let faults = if is_failing { failing.clone() } else { Faults::seeded(1, FaultRates::default()) };
            let database = outbox(&clock, &faults).await;
            hub.add_outbox(role, database.clone());
            if !is_failing {
                intact.push(database);
            }
        }
        failing.set_rates(FaultRates { fail_ppm: 1_000_000, ..FaultRates::default() });
        tokio::time::advance(Duration::from_secs(100)).await;
        hub.prune(Duration::from_secs(10), 10).await;
        for database in intact {
            assert_eq!(database.outbox().oldest().await.expect("read"), 2, "pruned");
        }
    }
}
