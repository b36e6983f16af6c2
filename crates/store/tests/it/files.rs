//! What becomes of a database whose files are deleted, replaced, damaged, or readable for everybody.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use kernel::Error;
use store::conformance::{MIGRATIONS, TestClock};
use store::{Batch, CommitError, Database, OpenOptions, RequestKey, sql};

async fn try_open(directory: &Path, name: &str) -> Result<Database, Error> {
    let url = format!("dir:{}", directory.display());
    store::open(&url, name, MIGRATIONS, OpenOptions::new(TestClock::new())).await
}

async fn open(directory: &Path, name: &str) -> Database {
    try_open(directory, name).await.expect("the database opens")
}

fn row(id: i64) -> Batch {
    Batch::new()
        .insert(sql("INSERT INTO anything (id, n, t) VALUES (?, ?, ?)").bind(id).bind(id).bind("text"), "row")
}

fn refused(outcome: Result<store::Committed, CommitError>) -> Error {
    match outcome {
        Err(CommitError::Failed(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("there").permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("owned");
}

#[tokio::test]
async fn a_database_whose_directory_is_gone_is_not_begun_anew_in_silence() {
    let scratch = tempfile::tempdir().expect("a directory");
    let (order, cart) = (open(scratch.path(), "order").await, open(scratch.path(), "cart").await);
    order.sql().commit(row(1)).await.expect("written");
    drop((order, cart));
    std::fs::remove_dir_all(scratch.path().join("order")).expect("lost");
    for _ in 0..2 {
        let error = try_open(scratch.path(), "order").await.err().expect("it was here before");
        assert_eq!(error.reason(), "DATA_MISSING");
        assert!(error.message().contains("order.db") && error.message().contains("backup"), "{error}");
        assert!(!scratch.path().join("order").exists(), "nothing is made");
    }
    drop(open(scratch.path(), "cart").await);
    // Somebody decides that it begins anew.
    let list = scratch.path().join("databases");
    let names = std::fs::read_to_string(&list).expect("a list");
    assert!(names.contains("order\n") && names.contains("cart\n"), "{names}");
    std::fs::write(&list, names.replace("order\n", "")).expect("written");
    drop(open(scratch.path(), "order").await);
    drop(open(scratch.path(), "order").await);
    let names = std::fs::read_to_string(&list).expect("a list");
    assert_eq!(names.matches("order\n").count(), 1, "{names}");
}

#[tokio::test]
async fn a_name_that_was_half_written_names_nothing() {
    let scratch = tempfile::tempdir().expect("a directory");
    std::fs::write(scratch.path().join("databases"), "cart\nord").expect("written");
    drop(open(scratch.path(), "order").await);
    let names = std::fs::read_to_string(scratch.path().join("databases")).expect("a list");
    assert_eq!(names, "cart\nord\norder\n");
    assert_eq!(try_open(scratch.path(), "cart").await.err().expect("gone").reason(), "DATA_MISSING");
}

#[tokio::test]
async fn nothing_is_confirmed_into_files_that_are_gone_or_others() {
    for lost in ["order.db", "order.db-wal"] {
        let scratch = tempfile::tempdir().expect("a directory");
        let database = open(scratch.path(), "order").await;
        database.sql().commit(row(1)).await.expect("written");
        database.check_files().expect("they are there");
        let path = scratch.path().join("order").join(lost);
        let bytes = std::fs::read(&path).expect("there");
        std::fs::remove_file(&path).expect("deleted");
        assert_eq!(database.check_files().expect_err("gone").reason(), "DATA_REPLACED");
        let error = refused(database.sql().commit(row(2)).await);
        assert!(error.reason() == "DATA_REPLACED" && !error.retryable(), "{lost}: {error:?}");
        // Another file under the same name is no better.
        std::fs::write(&path, bytes).expect("put back");
        assert_eq!(refused(database.sql().commit(row(3)).await).reason(), "DATA_REPLACED", "{lost}");
    }
}

#[tokio::test]
async fn files_that_come_back_are_not_written_before_a_restart() {
    let scratch = tempfile::tempdir().expect("a directory");
    let database = open(scratch.path(), "order").await;
    database.sql().commit(row(1)).await.expect("written");
    let (path, away) = (scratch.path().join("order/order.db"), scratch.path().join("away"));
    std::fs::rename(&path, &away).expect("moved away");
    assert_eq!(refused(database.sql().commit(row(2)).await).reason(), "DATA_REPLACED");
    std::fs::rename(&away, &path).expect("moved back");
    assert_eq!(refused(database.sql().commit(row(3)).await).reason(), "DATA_REPLACED");
    assert_eq!(database.check_files().expect_err("told").reason(), "DATA_REPLACED");
    drop(database);
    open(scratch.path(), "order").await.sql().commit(row(3)).await.expect("written after a restart");
}

#[tokio::test]
async fn files_are_for_their_owner_alone_also_where_they_were_for_everybody() {
    let scratch = tempfile::tempdir().expect("a directory");
    let data = scratch.path().join("data");
    std::fs::create_dir(&data).expect("made");
    set_mode(&data, 0o755);
    let files = ["order.db", "order.db-wal", "order.db-shm", "lock", "order.run"];
    let check = |what: &str| {
        assert_eq!((mode(&data), mode(&data.join("order"))), (0o700, 0o700), "{what}");
        assert_eq!(mode(&data.join("databases")), 0o600, "{what}");
        for file in files {
            assert_eq!(mode(&data.join("order").join(file)) & 0o077, 0, "{what}: {file}");
        }
    };
    let database = open(&data, "order").await;
    database.sql().commit(row(1)).await.expect("written");
    check("made");
    drop(database);
    for path in [data.clone(), data.join("order")] {
        set_mode(&path, 0o755);
    }
    set_mode(&data.join("databases"), 0o644);
    set_mode(&data.join("order/order.db"), 0o644);
    set_mode(&data.join("order/order.run"), 0o644);
    let database = open(&data, "order").await;
    database.sql().commit(row(2)).await.expect("written");
    check("tightened");
}

#[tokio::test]
async fn a_directory_of_other_things_keeps_its_permissions() {
    let scratch = tempfile::tempdir().expect("a directory");
    let shared = scratch.path().join("shared");
    std::fs::create_dir(&shared).expect("made");
    std::fs::write(shared.join("somebody-elses"), "").expect("written");
    set_mode(&shared, 0o755);
    for _ in 0..2 {
        drop(open(&shared, "order").await);
    }
    assert_eq!((mode(&shared), mode(&shared.join("order"))), (0o755, 0o700));
}

#[tokio::test]
async fn a_bit_that_flipped_in_a_page_is_found() {
    let scratch = tempfile::tempdir().expect("a directory");
    let database = open(scratch.path(), "order").await;
    for id in 0..300 {
        database.sql().commit(row(id)).await.expect("written");
    }
    assert_eq!(database.problems().await.expect("checked"), Vec::<String>::new());
    drop(database);
    let path = scratch.path().join("order/order.db");
    let mut bytes = std::fs::read(&path).expect("there");
    // The count of cells of the last page of rows (13 begins one), and where the first of them is.
    let is_rows = |page: &usize| bytes[*page] == 13 && bytes[page + 3..page + 5] != [0, 0];
    let page = (0..bytes.len()).step_by(4096).rfind(is_rows).expect("a page of rows");
    bytes[page + 3] ^= 0x01;
    bytes[page + 8] ^= 0x10;
    std::fs::write(&path, bytes).expect("damaged");
    match try_open(scratch.path(), "order").await {
        Ok(database) => assert!(!database.problems().await.expect("checked").is_empty()),
        Err(error) => assert_eq!(error.reason(), "DATA_CORRUPT"),
    }
}

/// A leap of a clock ahead makes no key forgotten: the request is not done twice.
#[tokio::test]
async fn keys_and_events_survive_a_clock_that_is_ahead() {
    let scratch = tempfile::tempdir().expect("a directory");
    let key = || RequestKey {
        principal: "cus_1".into(),
        method: "test.Pay",
        id: "k".into(),
        fingerprint: [1; 32],
        keep: Duration::from_secs(72 * 3_600),
    };
    let event = || store::NewEvent {
        aggregate_id: "a".into(),
        aggregate_version: 1,
        type_name: "souk.test.v1.Happened".into(),
        payload: vec![],
    };
    let database = open(scratch.path(), "order").await;
    for _ in 0..3 {
        database.sql().commit(Batch::new().event(event())).await.expect("written");
    }
    database.sql().commit(row(1).remember(key(), vec![1])).await.expect("done");
    drop(database);

    let clock = TestClock::new();
    clock.set_ahead(Duration::from_secs(365 * 86_400));
    let url = format!("dir:{}", scratch.path().display());
    let database =
        store::open(&url, "order", MIGRATIONS, OpenOptions::new(clock.clone())).await.expect("opens");
    let again = |database: &Database| {
        let sql = database.sql();
        async move { sql.commit(row(2).remember(key(), vec![2])).await }
    };
    assert_eq!(database.sql().answer(&key()).await.expect("read"), Some(vec![1]));
    assert!(matches!(again(&database).await, Err(CommitError::Replayed(answer)) if answer == [1]));
    assert_eq!(database.sweep(100).await.expect("swept"), 0);
    let week = Duration::from_secs(7 * 86_400);
    assert_eq!(database.prune(database.retention_now().minus(week), 100).await.expect("pruned"), 0);
    // When it has been so for an hour, it is believed.
    clock.advance(Duration::from_secs(3_601));
    assert_eq!(database.sweep(100).await.expect("swept"), 1);
    assert!(database.prune(database.retention_now().minus(week), 100).await.expect("pruned") >= 2);
}
