//! Killed at any moment: what was acknowledged is there.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use store::conformance::{MIGRATIONS, TestClock};
use store::{Batch, NewEvent, OpenOptions, Position, RequestKey, sql};

/// Where the child process writes; without it the child's test does nothing.
const CHILD_DIRECTORY: &str = "STORE_TEST_KILLED_DIRECTORY";
/// Tasks of the child that write at the same time.
const WRITERS: i64 = 16;

fn batch(id: i64) -> Batch {
    let event = NewEvent {
        aggregate_id: id.to_string(),
        aggregate_version: 1,
        type_name: "souk.test.v1.Written".to_owned(),
        payload: vec![0; 100],
    };
    let key = RequestKey {
        principal: "child".to_owned(),
        method: "test.Write",
        id: id.to_string(),
        fingerprint: [0; 32],
        keep: std::time::Duration::from_secs(3600),
    };
    let row = sql("INSERT INTO anything (id, t) VALUES (?, ?)").bind(id).bind("x".repeat(200));
    Batch::new().insert(row, "row").event(event).remember(key, vec![1])
}

async fn open(directory: &Path) -> store::Database {
    let url = format!("dir:{}", directory.display());
    store::open(&url, "killed", MIGRATIONS, OpenOptions::new(TestClock::new()))
        .await
        .expect("the database opens")
}

/// Runs in the child: writes until it is killed, and says on stdout what was acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(
    clippy::disallowed_methods,
    reason = "a test that runs itself as a child tells it so by its environment"
)]
async fn child_that_is_killed() {
    let Some(directory) = std::env::var_os(CHILD_DIRECTORY) else { return };
    let database = open(Path::new(&directory)).await;
    let first =
        database.sql().fetch_one(sql("SELECT coalesce(max(id), 0) AS n FROM anything")).await.expect("a row");
    let first = first.expect("one").int("n").expect("a number") + 1;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let store = database.sql();
        writers.spawn(async move {
            for id in (first + writer..).step_by(WRITERS as usize) {
                store.commit(batch(id)).await.expect("written");
                // One write, so that a line is whole or absent. The test harness captures println, not this.
                let line = format!("\nacknowledged {id}\n");
                std::io::Write::write_all(&mut std::io::stdout(), line.as_bytes()).expect("a parent");
            }
        });
    }
    writers.join_all().await;
}

#[expect(clippy::disallowed_methods, reason = "only a process of its own can be killed")]
fn child(directory: &Path) -> Child {
    Command::new(std::env::current_exe().expect("this test"))
        .args(["killed::child_that_is_killed", "--exact", "--nocapture"])
        .env(CHILD_DIRECTORY, directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a child")
}

/// Kills the child when it has acknowledged so many; returns all that it acknowledged.
fn run_and_kill(directory: &Path, acknowledged_min: usize) -> Vec<i64> {
    let mut child = child(directory);
    let mut acknowledged = Vec::new();
    for line in BufReader::new(child.stdout.take().expect("a pipe")).lines() {
        let Ok(line) = line else { break };
        if let Some(id) = line.strip_prefix("acknowledged ").and_then(|id| id.parse().ok()) {
            acknowledged.push(id);
        }
        if acknowledged.len() == acknowledged_min {
            // SIGKILL: no handler, no destructor, no flush. What is in the pipe is read on.
            child.kill().expect("killed");
        }
    }
    child.wait().expect("ended");
    acknowledged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kill_9() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut acknowledged = Vec::new();
    for round in 0..3 {
        let (path, count) = (directory.path().to_owned(), 150 + 97 * round);
        let more = tokio::task::spawn_blocking(move || run_and_kill(&path, count)).await.expect("a round");
        assert!(more.len() >= count, "the child was killed while it wrote: {}", more.len());
        acknowledged.extend(more);
        check(directory.path(), &acknowledged).await;
    }
}

async fn check(directory: &Path, acknowledged: &[i64]) {
    let database = open(directory).await;
    let rows = database.sql().fetch(sql("SELECT id FROM anything")).await.expect("rows");
    let ids: std::collections::HashSet<i64> =
        rows.iter().map(|row| row.int("id").expect("a number")).collect();
    for id in acknowledged {
        assert!(ids.contains(id), "{id} was acknowledged and is gone");
        let again = database.sql().commit(batch(*id)).await;
        assert!(matches!(again, Err(store::CommitError::Replayed(_))), "{again:?}");
    }
    let outbox = database.outbox();
    assert_eq!(outbox.gaps().await.expect("gaps"), []);
    assert_eq!(outbox.head().await.expect("head").sequence, ids.len() as i64, "an event for each row");
    assert_eq!(outbox.read(Position::START, 10).await.expect("events").len(), 10);
}
