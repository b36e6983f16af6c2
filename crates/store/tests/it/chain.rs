//! The chain of events: it goes on whoever commits, and what was changed, removed or added does not fit.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use store::conformance::{MIGRATIONS, TestClock};
use store::{Batch, ChainCheck, Database, Document, Index, NewEvent, OpenOptions, Put, sql};

#[derive(Clone, Serialize, Deserialize)]
struct Thing {}

impl Document for Thing {
    const KIND: &'static str = "thing";
    const INDEXES: &'static [Index] = &[];

    fn keys(&self) -> Vec<(&'static str, store::Value)> {
        vec![]
    }
}

fn event(version: i64) -> NewEvent {
    NewEvent {
        aggregate_id: "a".into(),
        aggregate_version: version,
        type_name: "souk.test.v1.Happened".into(),
        payload: vec![7; 9],
    }
}

async fn open(url: &str, key: &[u8], clock: &Arc<TestClock>) -> Database {
    let options = OpenOptions::new(Arc::clone(clock) as _).with_chain_key(key);
    store::open(url, "shop", MIGRATIONS, options).await.expect("opens")
}

async fn publish(database: &Database, versions: std::ops::RangeInclusive<i64>) {
    for version in versions {
        database.sql().commit(Batch::new().event(event(version))).await.expect("published");
    }
}

/// Sequences whose link does not fit, and whether the chain ends where it is noted.
async fn judged(database: &Database) -> (Vec<i64>, bool) {
    let rows = database.inspect();
    let (mut check, mut wrong) = (ChainCheck::default(), Vec::new());
    loop {
        let notes = rows.notes().await.expect("notes");
        // Short pages, so that links go on across them.
        let events = rows.linked_events(check.sequence, 2).await.expect("events");
        for linked in &events {
            if !check.follow(rows.chain(), linked, [&notes, &notes]) {
                wrong.push(linked.event.position.sequence);
            }
        }
        if events.is_empty() {
            let end = notes.head(rows.chain());
            return (wrong, end.is_some_and(|end| check.is_head(rows.chain(), &end)));
        }
    }
}

/// Runs a statement behind the engine's back.
fn damage(directory: &Path, statement: &str) {
    let conn = rusqlite::Connection::open(directory.join("shop/shop.db")).expect("opens");
    conn.execute_batch(statement).expect(statement);
}

#[tokio::test]
async fn events_of_rows_and_of_documents_are_in_one_chain() {
    let directory = tempfile::tempdir().expect("a directory");
    for url in ["mem:".to_owned(), format!("dir:{}", directory.path().display())] {
        let clock = TestClock::new();
        let database = open(&url, b"key", &clock).await;
        assert_eq!(judged(&database).await, (vec![], true), "before the first event");
        publish(&database, 1..=3).await;
        database.docs().put(Put::create("x", Thing {}).event(event(4))).await.expect("written");
        let failing = Batch::new().event(event(5)).expect(sql("DELETE FROM anything"), 1, "nothing");
        database.sql().commit(failing).await.expect_err("undone");
        let group: Vec<_> = (5..=12)
            .map(|version| {
                let database = database.clone();
                let mut batch = Batch::new().event(event(version)).event(event(version));
                if version % 3 == 0 {
                    batch = batch.expect(sql("DELETE FROM anything"), 1, "nothing");
                }
                tokio::spawn(async move { drop(database.sql().commit(batch).await) })
            })
            .collect();
        for commit in group {
            commit.await.expect("ends");
        }
        assert_eq!(judged(&database).await, (vec![], true), "{url}");
        clock.advance(Duration::from_secs(60));
        let later = kernel::Clock::now(&*clock);
        publish(&database, 20..=22).await;
        for rows in [1, 3, 100] {
            database.prune(later, rows).await.expect("pruned");
            assert_eq!(judged(&database).await, (vec![], true), "pruned {rows}, {url}");
        }
        drop(database);
        if url != "mem:" {
            let database = open(&url, b"key", &clock).await;
            assert_eq!(judged(&database).await, (vec![], true), "opened again");
            publish(&database, 23..=24).await;
            assert_eq!(judged(&database).await, (vec![], true), "goes on");
        }
    }
}

#[tokio::test]
async fn what_was_changed_removed_or_added_does_not_fit() {
    let last = "(SELECT max(o.sequence) FROM souk_outbox o)";
    let copy = |columns: &str| {
        format!(
            "INSERT INTO souk_outbox (sequence, time, aggregate_id, aggregate_version, type_name, payload{columns}) \
             SELECT sequence + 1, time, aggregate_id, aggregate_version, type_name, payload{columns} FROM souk_outbox \
             WHERE sequence = {last}"
        )
    };
    // The newest is gone, and the note is of the event before it, as far as one knows without the key.
    let cut = "DELETE FROM souk_outbox WHERE sequence = 6; UPDATE souk_meta SET value = \
        (SELECT '5 ' || lower(hex(link)) || substr(value, 35) FROM souk_outbox WHERE sequence = 5) WHERE name = 'head'";
    for (statement, wrong, ends) in [
        (String::new(), vec![], true),
        ("UPDATE souk_outbox SET payload = X'08' WHERE sequence = 3".to_owned(), vec![3], true),
        ("UPDATE souk_outbox SET time = time + 1 WHERE sequence = 1".to_owned(), vec![1], true),
        ("UPDATE souk_outbox SET aggregate_version = 9 WHERE sequence = 6".to_owned(), vec![6], true),
        ("UPDATE souk_outbox SET link = NULL WHERE sequence = 2".to_owned(), vec![2], true),
        ("UPDATE souk_outbox SET link = NULL WHERE sequence <= 2".to_owned(), vec![3], true),
        ("UPDATE souk_outbox SET link = NULL".to_owned(), vec![], false),
        (
            "UPDATE souk_outbox SET link = NULL, payload = X'08'; DELETE FROM souk_meta WHERE name = 'head'".to_owned(),
            vec![],
            false,
        ),
        (
            "UPDATE souk_meta SET value = '9223372036854775806 00000000000000000000000000000000 00' WHERE name = 'head'"
                .to_owned(),
            vec![],
            false,
        ),
        ("DELETE FROM souk_outbox WHERE sequence = 3".to_owned(), vec![4], true),
        (format!("DELETE FROM souk_outbox WHERE sequence = {last}"), vec![], false),
        ("DELETE FROM souk_outbox".to_owned(), vec![], false),
        (copy(""), vec![7], false),
        (copy(", link"), vec![7], false),
        ("UPDATE souk_meta SET value = '5 00' WHERE name = 'head'".to_owned(), vec![], false),
        (
            "UPDATE souk_meta SET value = replace(value, '6 ', '5 ') WHERE name = 'head'".to_owned(),
            vec![],
            false,
        ),
        (cut.to_owned(), vec![], false),
        ("DELETE FROM souk_meta WHERE name = 'head'".to_owned(), vec![], false),
    ] {
        let (directory, clock) = (tempfile::tempdir().expect("a directory"), TestClock::new());
        let url = format!("dir:{}", directory.path().display());
        let database = open(&url, b"key", &clock).await;
        publish(&database, 1..=6).await;
        drop(database);
        damage(directory.path(), &statement);
        let database = open(&url, b"key", &clock).await;
        assert_eq!(judged(&database).await, (wrong.clone(), ends), "{statement}");
        // It stays to be seen when the shop goes on.
        publish(&database, 10..=11).await;
        let (later, _) = judged(&database).await;
        assert_eq!(statement.is_empty(), later.is_empty(), "{statement}: {later:?}");
    }
}

#[tokio::test]
async fn a_newest_event_that_is_gone_leaves_a_gap_for_good() {
    let (directory, clock) = (tempfile::tempdir().expect("a directory"), TestClock::new());
    let url = format!("dir:{}", directory.path().display());
    let database = open(&url, b"key", &clock).await;
    publish(&database, 1..=4).await;
    let head = database.outbox().head().await.expect("a head");
    drop(database);
    damage(directory.path(), "DELETE FROM souk_outbox WHERE sequence = 4");
    let database = open(&url, b"key", &clock).await;
    assert_eq!(database.outbox().head().await.expect("a head"), head, "no number is given twice");
    publish(&database, 5..=5).await;
    let gaps = database.outbox().gaps().await.expect("gaps");
    assert_eq!(gaps.iter().map(|gap| (gap.from, gap.to)).collect::<Vec<_>>(), [(4, 4)]);
    assert_eq!(judged(&database).await, (vec![5], true));
}

#[tokio::test]
async fn events_of_an_earlier_release_have_no_links_and_the_chain_begins_after_them() {
    let (directory, clock) = (tempfile::tempdir().expect("a directory"), TestClock::new());
    let url = format!("dir:{}", directory.path().display());
    let database = open(&url, b"key", &clock).await;
    publish(&database, 1..=3).await;
    let head = database.outbox().head().await.expect("a head");
    drop(database);
    damage(directory.path(), UNLINK);
    let database = open(&url, b"key", &clock).await;
    assert_eq!(database.outbox().head().await.expect("a head"), head, "the same history");
    assert_eq!(judged(&database).await, (vec![], true), "upgraded");
    drop(database);
    damage(directory.path(), "DELETE FROM souk_outbox WHERE sequence = 3");
    let database = open(&url, b"key", &clock).await;
    assert_eq!(judged(&database).await, (vec![], false), "the newest of before is gone");
    drop(database);
    damage(
        directory.path(),
        "INSERT INTO souk_outbox (sequence, time, aggregate_id, aggregate_version, type_name, payload) \
         SELECT 3, time, aggregate_id, 3, type_name, payload FROM souk_outbox WHERE sequence = 2",
    );
    let database = open(&url, b"key", &clock).await;
    publish(&database, 4..=6).await;
    assert_eq!(judged(&database).await, (vec![], true), "goes on");
    clock.advance(Duration::from_secs(60));
    publish(&database, 7..=7).await;
    for rows in [2, 1, 1, 1] {
        database.prune(kernel::Clock::now(&*clock), rows).await.expect("pruned");
        assert_eq!(judged(&database).await, (vec![], true), "pruned");
    }
}

/// Makes a database what a release left that knew no links.
const UNLINK: &str = "ALTER TABLE souk_outbox DROP COLUMN link; DELETE FROM souk_meta WHERE name = 'head'; \
    UPDATE souk_meta SET value = '1' WHERE name = 'schema'";

#[tokio::test]
async fn a_database_that_had_links_is_not_of_an_earlier_release() {
    let (directory, clock) = (tempfile::tempdir().expect("a directory"), TestClock::new());
    let url = format!("dir:{}", directory.path().display());
    let database = open(&url, b"key", &clock).await;
    publish(&database, 1..=3).await;
    drop(database);
    damage(directory.path(), UNLINK);
    let options = OpenOptions::new(Arc::clone(&clock) as _).with_chain_key(b"key").with_chain_begun(true);
    let database = store::open(&url, "shop", MIGRATIONS, options).await.expect("opens");
    assert_eq!(judged(&database).await, (vec![], false), "no head");
    publish(&database, 4..=5).await;
    assert_eq!(judged(&database).await, (vec![4], true));
}

#[tokio::test]
async fn nobody_makes_links_without_the_key() {
    let (directory, clock) = (tempfile::tempdir().expect("a directory"), TestClock::new());
    let url = format!("dir:{}", directory.path().display());
    let database = open(&url, b"key", &clock).await;
    publish(&database, 1..=2).await;
    drop(database);
    let database = open(&url, b"", &clock).await;
    publish(&database, 3..=4).await;
    drop(database);
    assert_eq!(judged(&open(&url, b"key", &clock).await).await, (vec![3, 4], false));
}
