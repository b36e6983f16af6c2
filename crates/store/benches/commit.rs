//! Durable commits per second over six `dir:` databases, and the floor beneath them: the same statements and syncs by
//! bare rusqlite writers and nothing else.
//!
//! A commit is what a service writes for one request: a conditional update, an insert, an event and the request key with
//! its answer. `store/64` has 64 callers in flight; `floor/64` has six threads that write as many commits in groups of
//! 64 / 6, which is the best that group commit can do for them.

use std::path::Path;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use store::conformance::TestClock;
use store::floor::{Floor, SALE, STOCK, sale_id};
use store::{Batch, Database, Migration, NewEvent, OpenOptions, RequestKey, sql};

const DATABASES: usize = 6;
const IN_FLIGHT: [usize; 3] = [1, 16, 64];
const MIGRATIONS: &[Migration] = &[Migration {
    name: "0001_bench",
    sql:
        "CREATE TABLE stock (sku VARCHAR(40) PRIMARY KEY, on_hand BIGINT NOT NULL);
          CREATE TABLE sale (id VARCHAR(40) PRIMARY KEY, sku VARCHAR(40) NOT NULL, quantity BIGINT NOT NULL);",
}];

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
                Floor { databases: DATABASES, commits, in_flight }.run(scratch.path(), run);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, commits);
criterion_main!(benches);
