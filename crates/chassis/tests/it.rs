//! Two toy roles: one publishes, the other consumes.
#![expect(clippy::disallowed_methods, reason = "a test gives up by the clock on the wall")]

#[path = "it/listeners.rs"]
mod listeners;
#[path = "it/protocols.rs"]
mod protocols;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chassis::testing::{customer, staff};
use chassis::{Applied, Consume, Context, Options, Role, Running, Service, Starting, VirtualClock, run};
use contract::souk::event::v1::event_service_client::EventServiceClient;
use contract::souk::event::v1::{
    CheckStorageRequest, Event, GetStatusRequest, GetStatusResponse, SubscribeRequest,
};
use contract::souk::r#type::v1::Money;
use kernel::{Code, Error, Result};
use mesh::Principal;
use store::{Batch, Consumed, Database, Migration, ParkedEvent, sql};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

const EVENTS: i64 = 1000;

const PUBLISHER: Service = Service::new("publisher", start_publisher).about("a thousand events");
const READER: Service =
    Service::new("reader", start_reader).consumes(&["publisher"]).about("what it saw of them");

fn start_publisher(ctx: Context) -> Starting {
    Box::pin(async move {
        let database = ctx.database(&[]).await?;
        for number in 1..=EVENTS {
            let money = Money { currency_code: "GBP".into(), minor_units: number };
            let event = chassis::event(format!("aggregate-{}", number % 10), number, &money);
            database.sql().commit(Batch::new().event(event)).await?;
        }
        Ok(Role::new())
    })
}

const MIGRATIONS: &[Migration] =
    &[Migration { name: "0001_seen", sql: "CREATE TABLE seen (number BIGINT NOT NULL PRIMARY KEY)" }];

fn start_reader(ctx: Context) -> Starting {
    Box::pin(async move {
        let database = ctx.database(MIGRATIONS).await?;
        ctx.consume("publisher", "reader.seen", &database, Arc::new(Reader(database.clone())))?;
        Ok(Role::new())
    })
}

struct Reader(Database);

#[async_trait]
impl Consume for Reader {
    async fn apply(&self, event: &Event, at: Consumed) -> Result<Applied> {
        match event.aggregate_id.as_str() {
            "aggregate-3" => return Ok(Applied::Ignored),
            "aggregate-7" => return Err(Error::precondition("CANNOT", "this one cannot be applied")),
            _ => {}
        }
        let insert = sql("INSERT INTO seen (number) VALUES (?)").bind(event.aggregate_version);
        self.0.sql().commit(Batch::new().insert(insert, "seen").position(at)).await?;
        Ok(Applied::Committed)
    }
}

async fn start(data: &str) -> Running {
    let mut options = Options::new(data);
    options.clock = Arc::new(VirtualClock::new(chassis::testing::START));
    run(&[PUBLISHER, READER], options).await.expect("starts")
}

fn events(running: &Running, role: &str, who: Principal) -> EventServiceClient<mesh::Channel> {
    running.client(role, None, who, EventServiceClient::new).expect("runs here")
}

async fn status(running: &Running, role: &str) -> GetStatusResponse {
    let request = GetStatusRequest { source: role.to_owned(), ..GetStatusRequest::default() };
    events(running, role, staff(1, &["events.read"]))
        .get_status(request)
        .await
        .expect("a status")
        .into_inner()
}

/// Waits until the reader has read everything.
async fn caught_up(running: &Running) -> GetStatusResponse {
    let head = status(running, "publisher").await.head;
    let patience = std::time::Instant::now() + Duration::from_secs(60);
    while std::time::Instant::now() < patience {
        let status = status(running, "reader").await;
        if status.consumers[0].position == head {
            return status;
        }
        tokio::task::yield_now().await;
    }
    panic!("the reader never caught up");
}

#[tokio::test(start_paused = true)]
async fn a_consumer_applies_ignores_and_parks() {
    let running = start("mem:").await;
    let published = status(&running, "publisher").await;
    assert_eq!((published.count, published.gaps.len()), (EVENTS, 0));
    let read = caught_up(&running).await;
    assert_eq!(
        read.consumers[0].parked.len(),
        100,
        "every event of the aggregate that cannot be applied waits"
    );
    assert!(read.consumers[0].parked.iter().all(|aggregate| aggregate == "aggregate-7"));
    running.stop(Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_consumer_goes_on_where_it_was() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = format!("dir:{}", dir.path().display());
    let running = start(&data).await;
    caught_up(&running).await;
    running.stop(Duration::from_secs(5)).await;
    drop(running);
    let running = start(&data).await;
    assert_eq!(status(&running, "publisher").await.count, 2 * EVENTS);
    // Each number was inserted once already: read twice it would park the aggregate.
    let again = caught_up(&running).await;
    let parked = &again.consumers[0].parked;
    assert!(parked.len() >= 100, "{}", parked.len());
    running.stop(Duration::from_secs(5)).await;
}

const MOVED: Service =
    Service::new("reader", start_moved).consumes(&["publisher"]).about("starts again and again");

fn start_moved(ctx: Context) -> Starting {
    Box::pin(async move {
        let database = ctx.database(MIGRATIONS).await?;
        ctx.consume(
            "publisher",
            "reader.seen",
            &database,
            Arc::new(Moved(database.clone(), AtomicI64::new(0))),
        )?;
        Ok(Role::new())
    })
}

/// Finds its position moved once before each of its first events, so that the consumer starts again.
struct Moved(Database, AtomicI64);

#[async_trait]
impl Consume for Moved {
    async fn apply(&self, event: &Event, at: Consumed) -> Result<Applied> {
        let sequence = event.position.map_or(0, |position| position.sequence);
        if sequence <= 40 && self.1.swap(sequence, Ordering::Relaxed) != sequence {
            return Err(Error::conflict("POSITION_MOVED", "another reader was here"));
        }
        self.0.sql().commit(Batch::new().position(at)).await?;
        Ok(Applied::Committed)
    }
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_committed_something_does_not_pause_for_what_failed_before() {
    let mut options = Options::new("mem:");
    options.clock = Arc::new(VirtualClock::new(chassis::testing::START));
    let running = run(&[PUBLISHER, MOVED], options).await.expect("starts");
    let started = tokio::time::Instant::now();
    let head = status(&running, "publisher").await.head;
    while status(&running, "reader").await.consumers[0].position != head {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Forty failures, each before an event that was then taken: 20 ms each, not 10 s.
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    running.stop(Duration::from_secs(1)).await;
}

const STUCK: Service =
    Service::new("reader", start_stuck).consumes(&["publisher"]).about("can neither apply nor park");

/// How often an event was tried.
static TRIED: AtomicI64 = AtomicI64::new(0);

fn start_stuck(ctx: Context) -> Starting {
    Box::pin(async move {
        let database = ctx.database(&[]).await?;
        ctx.consume("publisher", "reader.stuck", &database, Arc::new(Stuck(database.clone())))?;
        Ok(Role::new())
    })
}

/// Has no interest in the first event, cannot apply the second, and sees to it that it cannot be parked.
struct Stuck(Database);

#[async_trait]
impl Consume for Stuck {
    async fn apply(&self, event: &Event, at: Consumed) -> Result<Applied> {
        if event.aggregate_version == 1 {
            return Ok(Applied::Ignored);
        }
        if TRIED.fetch_add(1, Ordering::Relaxed) == 0 {
            let in_the_way = ParkedEvent {
                source: at.source,
                consumer: at.consumer,
                aggregate_id: "another".to_owned(),
                position: at.to,
                reason: "its place is taken".to_owned(),
                event: Vec::new(),
                parked_at: chassis::testing::START,
            };
            self.0.sql().commit(Batch::new().park(in_the_way)).await?;
        }
        Err(Error::precondition("CANNOT", "this one cannot be applied"))
    }
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_commits_nothing_pauses_for_longer_each_time() {
    let mut options = Options::new("mem:");
    options.clock = Arc::new(VirtualClock::new(chassis::testing::START));
    let running = run(&[PUBLISHER, STUCK], options).await.expect("starts");
    tokio::time::sleep(Duration::from_secs(60)).await;
    let tried = TRIED.load(Ordering::Relaxed);
    assert!((5..30).contains(&tried), "{tried} times in a minute");
    running.stop(Duration::from_secs(1)).await;
}

const FAILING: Service = Service::new("failing", start_failing).about("does not start");

fn start_failing(_: Context) -> Starting {
    Box::pin(async { Err(Error::precondition("BROKEN", "this role does not start")) })
}

#[tokio::test]
async fn a_start_that_failed_leaves_nothing_behind() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = format!("dir:{}", dir.path().display());
    let failed = run(&[PUBLISHER, FAILING], Options::new(&data)).await.map(|_| ());
    assert_eq!(failed.expect_err("one role fails").reason(), "BROKEN");
    let mut options = Options::new(&data);
    options.config.set("reader", "unknown", 1);
    let refused = run(&[PUBLISHER, READER], options).await.map(|_| ());
    assert_eq!(refused.expect_err("a setting that does not exist").reason(), "INVALID_CONFIG");
    let running = run(&[PUBLISHER, READER], Options::new(&data)).await.expect("the data is free");
    running.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_process_whose_files_are_gone_says_that_it_does_not_serve() {
    let dir = tempfile::tempdir().expect("a directory");
    let running = start(&format!("dir:{}", dir.path().display())).await;
    let mut health = HealthClient::new(running.outside());
    let mut watch = health
        .watch(HealthCheckRequest { service: String::new() })
        .await
        .expect("health is told")
        .into_inner();
    let first = watch.message().await.expect("a state").expect("a state");
    assert_eq!(first.status(), ServingStatus::Serving);
    std::fs::remove_file(dir.path().join("publisher/publisher.db")).expect("deleted");
    let next = watch.message().await.expect("a state").expect("a state");
    assert_eq!(next.status(), ServingStatus::NotServing);
    running.stop(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn storage_is_checked_for_staff() {
    let running = start("mem:").await;
    let request = |source: &str| CheckStorageRequest { source: source.into() };
    let mut client = events(&running, "publisher", staff(1, &["events.read"]));
    let intact = client.check_storage(request("reader")).await.expect("checked").into_inner();
    assert_eq!((intact.databases[0].name.as_str(), intact.databases[0].problems.len()), ("reader", 0));
    let unknown = contract::error(client.check_storage(request("nobody")).await.expect_err("unknown"));
    assert_eq!((unknown.reason(), unknown.violations()[0].field.as_str()), ("UNKNOWN_SOURCE", "/source"));
}

#[tokio::test(start_paused = true)]
async fn events_are_for_staff_and_roles() {
    let running = start("mem:").await;
    for (who, code) in [
        (Principal::Anonymous, Code::Unauthenticated),
        (customer(1), Code::PermissionDenied),
        (staff(1, &["stock.write"]), Code::PermissionDenied),
    ] {
        let request = GetStatusRequest { source: "publisher".into(), ..GetStatusRequest::default() };
        let refused = events(&running, "publisher", who).get_status(request).await.expect_err("refused");
        assert_eq!(contract::error(refused).code(), code);
    }
    let mut client = events(&running, "publisher", staff(1, &["events.read"]));
    let unknown = client
        .subscribe(SubscribeRequest { source: "nobody".into(), ..SubscribeRequest::default() })
        .await
        .expect_err("unknown");
    assert_eq!(contract::error(unknown).violations()[0].field, "/source");
}
