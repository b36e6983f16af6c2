//! What only a directory can do: be in use, damaged, newer, unwritable, restored, copied.

use std::path::Path;
use std::time::Duration;

use kernel::Error;
use store::conformance::{MIGRATIONS, TestClock};
use store::faulty::FaultRates;
use store::{Batch, Database, Faults, Migration, NewEvent, OpenOptions, Position, sql};

async fn try_open(directory: &Path, migrations: &'static [Migration]) -> Result<Database, Error> {
    let clock = TestClock::new();
    // Each opening is at another time.
    clock.advance(Duration::from_millis(1));
    store::open(&format!("dir:{}", directory.display()), "shop", migrations, OpenOptions::new(clock)).await
}

async fn open(directory: &Path) -> Database {
    try_open(directory, MIGRATIONS).await.expect("the database opens")
}

async fn refused(directory: &Path, migrations: &'static [Migration]) -> Error {
    match try_open(directory, migrations).await {
        Ok(_) => panic!("the directory should be refused"),
        Err(error) => error,
    }
}

async fn publish(database: &Database, count: i64) {
    for version in 0..count {
        let event = NewEvent {
            aggregate_id: "a".to_owned(),
            aggregate_version: version,
            type_name: "souk.test.v1.Happened".to_owned(),
            payload: vec![],
        };
        database.sql().commit(Batch::new().event(event)).await.expect("published");
    }
}

async fn head(database: &Database) -> Position {
    database.outbox().head().await.expect("a head")
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for file in std::fs::read_dir(from).expect("files") {
        let file = file.expect("a file");
        std::fs::copy(file.path(), to.join(file.file_name())).expect("copied");
    }
}

#[tokio::test]
async fn a_second_opening_is_refused_by_name() {
    let directory = tempfile::tempdir().expect("a directory");
    let first = open(directory.path()).await;
    let error = refused(directory.path(), MIGRATIONS).await;
    assert_eq!(error.reason(), "DATA_DIR_IN_USE");
    assert!(error.message().contains(&directory.path().join("shop").display().to_string()), "{error}");
    publish(&first, 1).await;
    drop(first);
    assert_eq!(head(&open(directory.path()).await).await.sequence, 1);
}

#[tokio::test]
async fn databases_in_one_directory_are_apart() {
    let directory = tempfile::tempdir().expect("a directory");
    let url = format!("dir:{}", directory.path().display());
    let order =
        store::open(&url, "order", MIGRATIONS, OpenOptions::new(TestClock::new())).await.expect("opens");
    let payment =
        store::open(&url, "payment", MIGRATIONS, OpenOptions::new(TestClock::new())).await.expect("opens");
    publish(&order, 3).await;
    assert_eq!((head(&order).await.sequence, head(&payment).await.sequence), (3, 0));
    assert!(directory.path().join("order/order.db").exists());
}

#[tokio::test]
async fn rubbish_is_told_and_left_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    drop(open(directory.path()).await);
    let file = directory.path().join("shop/shop.db");
    let rubbish = vec![0x5a; 8192];
    std::fs::write(&file, &rubbish).expect("written");
    let error = refused(directory.path(), MIGRATIONS).await;
    assert_eq!(error.reason(), "DATA_CORRUPT");
    assert!(error.message().contains("shop.db") && error.message().contains("backup"), "{error}");
    assert_eq!(std::fs::read(&file).expect("there"), rubbish, "nothing was changed");
}

#[tokio::test]
async fn a_file_cut_short_is_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let database = open(directory.path()).await;
    publish(&database, 50).await;
    drop(database);
    let file = directory.path().join("shop/shop.db");
    let whole = std::fs::read(&file).expect("there");
    std::fs::write(&file, &whole[..whole.len() / 2]).expect("cut");
    let error = refused(directory.path(), MIGRATIONS).await;
    assert_eq!(error.reason(), "DATA_CORRUPT", "{error:?}");
}

#[tokio::test]
async fn a_database_that_lost_all_it_held_is_told_and_not_begun_anew() {
    let directory = tempfile::tempdir().expect("a directory");
    let database = open(directory.path()).await;
    publish(&database, 5).await;
    drop(database);
    let file = directory.path().join("shop/shop.db");
    let whole = std::fs::read(&file).expect("there");
    std::fs::write(&file, b"").expect("emptied");
    for _ in 0..2 {
        let error = refused(directory.path(), MIGRATIONS).await;
        assert_eq!(error.reason(), "DATA_CORRUPT", "{error:?}");
        assert!(error.message().contains("shop.db") && error.message().contains("backup"), "{error}");
    }
    std::fs::remove_file(&file).expect("lost");
    assert_eq!(refused(directory.path(), MIGRATIONS).await.reason(), "DATA_CORRUPT");
    std::fs::write(&file, whole).expect("restored");
    assert_eq!(head(&open(directory.path()).await).await.sequence, 5);
}

#[tokio::test]
async fn newer_data_are_refused() {
    const LATER: &[Migration] = &[
        MIGRATIONS[0],
        Migration { name: "0002_more", sql: "CREATE TABLE more (id VARCHAR(9) PRIMARY KEY)" },
    ];
    let directory = tempfile::tempdir().expect("a directory");
    drop(open(directory.path()).await);
    drop(try_open(directory.path(), LATER).await.expect("a later release adds a table"));
    let error = refused(directory.path(), MIGRATIONS).await;
    assert_eq!(error.reason(), "DATA_NEWER");
    assert!(error.message().contains("0002_more"), "{error}");
    drop(try_open(directory.path(), LATER).await.expect("the later release still opens it"));
}

#[tokio::test]
async fn a_changed_or_broken_migration_is_refused() {
    const EDITED: &[Migration] =
        &[Migration { name: MIGRATIONS[0].name, sql: "CREATE TABLE other (id VARCHAR(9))" }];
    const BROKEN: &[Migration] = &[
        MIGRATIONS[0],
        Migration {
            name: "0002_broken",
            sql: "CREATE TABLE half (id VARCHAR(9)); CREATE TABLE stock (id VARCHAR(9))",
        },
    ];
    let directory = tempfile::tempdir().expect("a directory");
    drop(open(directory.path()).await);
    assert_eq!(refused(directory.path(), EDITED).await.reason(), "MIGRATION_CHANGED");
    let error = refused(directory.path(), BROKEN).await;
    assert_eq!(error.reason(), "MIGRATION_FAILED");
    assert!(error.message().contains("0002_broken"), "{error}");
    let database = open(directory.path()).await;
    assert!(database.sql().fetch(sql("SELECT id FROM half")).await.is_err(), "nothing of it was applied");
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_told() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("shop"), b"a file, not a directory").expect("written");
    let error = refused(directory.path(), MIGRATIONS).await;
    assert_eq!(error.reason(), "DATA_DIR_UNWRITABLE");
    assert!(error.message().contains(&directory.path().join("shop").display().to_string()), "{error}");
}

#[tokio::test]
async fn what_is_no_store_is_refused() {
    for url in ["", "mem", "mem:x", "dir:", "postgres://x", "/tmp"] {
        let error = store::open(url, "shop", &[], OpenOptions::new(TestClock::new())).await;
        assert_eq!(error.map(|_| ()).expect_err(url).reason(), "INVALID_STORE_URL", "{url:?}");
    }
    for name in ["", "../x", "A", "a/b"] {
        let error = store::open("mem:", name, &[], OpenOptions::new(TestClock::new())).await;
        assert_eq!(error.map(|_| ()).expect_err(name).reason(), "INVALID_STORE_NAME", "{name:?}");
    }
}

#[tokio::test]
async fn a_restored_database_begins_a_new_epoch() {
    let scratch = tempfile::tempdir().expect("a directory");
    let (directory, backup) = (scratch.path().join("data"), scratch.path().join("backup"));
    let database = open(&directory).await;
    publish(&database, 5).await;
    let early = head(&database).await;
    drop(database);
    copy(&directory.join("shop"), &backup);
    let database = open(&directory).await;
    assert_eq!(head(&database).await, early, "a stop begins no epoch");
    publish(&database, 5).await;
    let late = head(&database).await;
    assert_eq!(late.epoch, early.epoch);
    drop(database);

    // Restored in place, over the same file.
    std::fs::copy(backup.join("shop.db"), directory.join("shop/shop.db")).expect("restored");
    let database = open(&directory).await;
    let restored = head(&database).await;
    assert_eq!(restored.sequence, 5);
    assert!(restored.epoch > late.epoch);
    publish(&database, 10).await;
    let outbox = database.outbox();
    assert_eq!(outbox.read(early, 100).await.expect("what it knows goes on").len(), 10);
    assert_eq!(outbox.read(late, 100).await.expect_err("it never had that").reason(), "POSITION_UNKNOWN");
    assert_eq!(outbox.gaps().await.expect("gaps"), []);
}

#[tokio::test]
async fn a_copied_database_begins_a_new_epoch() {
    let scratch = tempfile::tempdir().expect("a directory");
    let (directory, other) = (scratch.path().join("data"), scratch.path().join("other"));
    let database = open(&directory).await;
    publish(&database, 5).await;
    let original = head(&database).await;
    drop(database);
    copy(&directory.join("shop"), &other.join("shop"));
    let copied = head(&open(&other).await).await;
    assert!(copied.epoch > original.epoch && copied.sequence == original.sequence);
    assert_eq!(head(&open(&directory).await).await, original, "the original goes on");
}

#[tokio::test]
async fn a_database_made_anew_is_not_taken_for_the_old_one() {
    let scratch = tempfile::tempdir().expect("a directory");
    let old = open(&scratch.path().join("data")).await;
    publish(&old, 3).await;
    let position = head(&old).await;
    drop(old);
    std::fs::remove_dir_all(scratch.path().join("data")).expect("removed");
    let clock = TestClock::new();
    clock.advance(Duration::from_secs(5));
    let url = format!("dir:{}", scratch.path().join("data").display());
    let new = store::open(&url, "shop", MIGRATIONS, OpenOptions::new(clock)).await.expect("opens");
    publish(&new, 5).await;
    assert_eq!(
        new.outbox().read(position, 10).await.expect_err("another history").reason(),
        "POSITION_UNKNOWN"
    );
}

#[tokio::test]
async fn the_log_is_copied_back_while_it_serves() {
    let directory = tempfile::tempdir().expect("a directory");
    let database = open(directory.path()).await;
    for id in 0..160_i64 {
        let insert = sql("INSERT INTO anything (id, b) VALUES (?, ?)").bind(id).bind(vec![1_u8; 256 << 10]);
        database.sql().commit(Batch::new().insert(insert, "row")).await.expect("written");
    }
    // 40 MiB were written; the log starts over about each 8 MiB.
    let log = std::fs::metadata(directory.path().join("shop/shop.db-wal")).expect("a log").len();
    assert!(log < 20 << 20, "the log has {log} bytes");
}

#[tokio::test(start_paused = true)]
async fn in_memory_all_waits_are_on_the_clock_of_the_test() {
    let rates =
        FaultRates { delay_ppm: 1_000_000, delay_max: Duration::from_secs(86_400), ..FaultRates::default() };
    let options = OpenOptions::new(TestClock::new()).with_faults(Faults::seeded(1, rates));
    let database = store::open("mem:", "shop", MIGRATIONS, options).await.expect("opens");
    let before = tokio::time::Instant::now();
    publish(&database, 10).await;
    assert!(before.elapsed() > Duration::from_secs(3600), "hours that nobody waited for");
    assert_eq!(head(&database).await.sequence, 10);
}

#[tokio::test]
async fn removed_events_are_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let database = open(directory.path()).await;
    publish(&database, 9).await;
    drop(database);
    let damaged = rusqlite::Connection::open(directory.path().join("shop/shop.db")).expect("opens");
    damaged.execute("DELETE FROM souk_outbox WHERE sequence IN (1, 5, 6)", []).expect("damaged");
    drop(damaged);
    let database = open(directory.path()).await;
    let outbox = database.outbox();
    let gaps = outbox.gaps().await.expect("gaps");
    assert_eq!(gaps.iter().map(|gap| (gap.from, gap.to)).collect::<Vec<_>>(), [(1, 1), (5, 6)]);
    let at = |sequence| Position { epoch: outbox.watch().borrow().epoch, sequence };
    assert_eq!(outbox.read(at(2), 10).await.expect_err("a hole").reason(), "DATA_CORRUPT");
    assert_eq!(outbox.read(at(6), 10).await.expect("what is there").len(), 3);
}
