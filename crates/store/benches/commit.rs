//! Durable commits per second over six `dir:` databases, and the floor beneath them: the same statements and syncs by
//! bare rusqlite writers and nothing else.
//!
//! A commit is what a service writes for one request: a conditional update, an insert, an event and the request key with
//! its answer. `store/64` has 64 callers in flight; `floor/64` has six threads that write as many commits in groups of
//! 64 / 6, which is the best that group commit can do for them.

use std::path::Path;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rusqlite::Connection;
use store::conformance::TestClock;
use store::{Batch, Database, Migration, NewEvent, OpenOptions, RequestKey, sql};

const DATABASES: usize = 6;
const IN_FLIGHT: [usize; 3] = [1, 16, 64];
const STOCK: &str = "UPDATE stock SET on_hand = on_hand - ? WHERE sku = ? AND on_hand >= ?";
const SALE: &str = "INSERT INTO sale (id, sku, quantity) VALUES (?, ?, ?)";
const MIGRATIONS: &[Migration] = &[Migration {
    name: "0001_bench",
    sql:
        "CREATE TABLE stock (sku VARCHAR(40) PRIMARY KEY, on_hand BIGINT NOT NULL);
          CREATE TABLE sale (id VARCHAR(40) PRIMARY KEY, sku VARCHAR(40) NOT NULL, quantity BIGINT NOT NULL);",
}];

fn sale_id(run: u64, at: usize) -> String {
    format!("sal_{run:08}{at:014}")
}

fn batch(id: &str) -> Batch {
    let event = NewEvent {
        aggregate_id: id.to_owned(),
        aggregate_version: 1,
        type_name: "souk.bench.v1.Sold".to_owned(),
        payload: vec![7; 200],
    };
    let key = RequestKey {
        principal: "cus_00000000000000000000000000".to_owned(),
        method: "bench.Sell",
        id: id.to_owned(),
        fingerprint: [7; 32],
        keep: Duration::from_secs(259_200),
    };
    Batch::new()
        .expect(sql(STOCK).bind(1).bind("sku").bind(1), 1, "stock")
        .insert(sql(SALE).bind(id).bind("sku").bind(1), "sale")
        .event(event)
        .remember(key, vec![7; 200])
}

async fn open(directory: &Path) -> Vec<Database> {
    let url = format!("dir:{}", directory.display());
    let mut databases = Vec::new();
    for at in 0..DATABASES {
        let database = store::open(&url, &format!("db{at}"), MIGRATIONS, OpenOptions::new(TestClock::new()))
            .await
            .expect("opens");
        let stock = sql("INSERT INTO stock (sku, on_hand) VALUES (?, ?)").bind("sku").bind(i64::MAX);
        database.sql().commit(Batch::new().run(stock)).await.expect("stocked");
        databases.push(database);
    }
    databases
}

/// `commits` commits by `in_flight` callers.
async fn by_store(databases: &[Database], run: u64, commits: usize, in_flight: usize) {
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..in_flight {
        let databases = databases.to_vec();
        callers.spawn(async move {
            for at in (caller..commits).step_by(in_flight) {
                // A caller goes from database to database, as an order does; callers begin at different ones.
                let store = databases[(at / in_flight + caller) % DATABASES].sql();
                store.commit(batch(&sale_id(run, at))).await.expect("committed");
            }
        });
    }
    callers.join_all().await;
}

/// The same by one thread a database that commits groups of `in_flight / 6`.
fn by_floor(directory: &Path, run: u64, commits: usize, in_flight: usize) {
    let group = in_flight.div_ceil(DATABASES);
    std::thread::scope(|scope| {
        for at in 0..DATABASES.min(in_flight) {
            let path = directory.join(format!("floor{at}.db"));
            let share = commits / DATABASES.min(in_flight);
            scope.spawn(move || floor_writer(&path, run, share, group));
        }
    });
}

fn floor_open(path: &Path) -> Connection {
    let conn = Connection::open(path).expect("opens");
    conn.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;
         CREATE TABLE IF NOT EXISTS stock (sku VARCHAR(40) PRIMARY KEY, on_hand BIGINT NOT NULL);
         CREATE TABLE IF NOT EXISTS sale (id VARCHAR(40) PRIMARY KEY, sku VARCHAR(40) NOT NULL, quantity BIGINT NOT NULL);
         CREATE TABLE IF NOT EXISTS outbox (sequence INTEGER PRIMARY KEY, time INTEGER, aggregate TEXT, version INTEGER, type TEXT, payload BLOB);
         CREATE TABLE IF NOT EXISTS request (principal TEXT, method TEXT, id TEXT, fingerprint BLOB, expires_at INTEGER, answer BLOB,
           PRIMARY KEY (principal, method, id)) WITHOUT ROWID;
         CREATE INDEX IF NOT EXISTS request_expires ON request (expires_at);
         INSERT INTO stock VALUES ('sku', 9223372036854775807) ON CONFLICT DO NOTHING;",
    )
    .expect("tables");
    conn
}

fn floor_writer(path: &Path, run: u64, commits: usize, group: usize) {
    let conn = floor_open(path);
    let run_cached = |text: &str, values: &[&dyn rusqlite::ToSql]| {
        conn.prepare_cached(text).and_then(|mut statement| statement.execute(values)).expect("written")
    };
    for at in 0..commits {
        if at % group == 0 {
            run_cached("BEGIN IMMEDIATE", &[]);
        }
        let id = sale_id(run, at);
        let time = i64::try_from(at).unwrap_or(0);
        run_cached(
            "INSERT INTO request VALUES (?, ?, ?, ?, ?, ?)",
            &[&"cus_00000000000000000000000000", &"bench.Sell", &id, &[7_u8; 32], &time, &[7_u8; 200]],
        );
        run_cached(STOCK, &[&1, &"sku", &1]);
        run_cached(SALE, &[&id, &"sku", &1]);
        run_cached(
            "INSERT INTO outbox (time, aggregate, version, type, payload) VALUES (?, ?, ?, ?, ?)",
            &[&time, &id, &1, &"souk.bench.v1.Sold", &[7_u8; 200]],
        );
        if at % group == group - 1 || at + 1 == commits {
            run_cached("COMMIT", &[]);
        }
    }
}

fn commits(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let scratch = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory on a real disk");
    let databases = runtime.block_on(open(scratch.path()));
    let mut group = criterion.benchmark_group("commit");
    group.sample_size(10).measurement_time(Duration::from_secs(4));
    let mut run = 0;
    for in_flight in IN_FLIGHT {
        let commits = (in_flight * 60).max(300);
        group.throughput(Throughput::Elements(commits as u64));
        group.bench_function(BenchmarkId::new("store", in_flight), |bencher| {
            bencher.iter(|| {
                run += 1;
                runtime.block_on(by_store(&databases, run, commits, in_flight));
            });
        });
        group.bench_function(BenchmarkId::new("floor", in_flight), |bencher| {
            bencher.iter(|| {
                run += 1;
                by_floor(scratch.path(), run, commits, in_flight);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, commits);
criterion_main!(benches);
