//! The floor beneath the benchmarks: commits by bare rusqlite writers and nothing else.
//!
//! A commit is what a service writes for one request: the request key with its answer, a conditional update, an insert and
//! an event. One thread a database commits them in groups of what is in flight divided by the databases, which is the best
//! that group commit can do for so many callers.

use std::path::Path;

use rusqlite::Connection;

/// What is written.
#[derive(Clone, Copy, Debug)]
pub struct Floor {
    /// Databases, each with a thread that writes; at least 1.
    pub databases: usize,
    /// Commits over all databases.
    pub commits: usize,
    /// Callers that wait for a commit at any time.
    pub in_flight: usize,
}

/// The update of a commit.
pub const STOCK: &str = "UPDATE stock SET on_hand = on_hand - ? WHERE sku = ? AND on_hand >= ?";
/// The insert of a commit.
pub const SALE: &str = "INSERT INTO sale (id, sku, quantity) VALUES (?, ?, ?)";

/// The id of a sale; unique per run and number.
#[must_use]
pub fn sale_id(run: u64, at: usize) -> String {
    format!("sal_{run:08}{at:014}")
}

impl Floor {
    /// Writes all commits into databases in this directory, made when they are missing. A `run` of the same number may be done
    /// once in a directory.
    ///
    /// # Panics
    /// When the directory cannot be written.
    pub fn run(self, directory: &Path, run: u64) {
        let writers = self.databases.min(self.in_flight);
        let group = self.in_flight.div_ceil(self.databases);
        std::thread::scope(|scope| {
            for at in 0..writers {
                let path = directory.join(format!("floor{at}.db"));
                scope.spawn(move || writer(&path, run, self.commits / writers, group));
            }
        });
    }
}

fn open(path: &Path) -> Connection {
    let conn = Connection::open(path).expect("a directory that can be written");
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

fn writer(path: &Path, run: u64, commits: usize, group: usize) {
    let conn = open(path);
    let execute = |text: &str, values: &[&dyn rusqlite::ToSql]| {
        conn.prepare_cached(text).and_then(|mut statement| statement.execute(values)).expect("written")
    };
    for at in 0..commits {
        if at % group == 0 {
            execute("BEGIN IMMEDIATE", &[]);
        }
        let id = sale_id(run, at);
        let time = i64::try_from(at).unwrap_or(0);
        execute(
            "INSERT INTO request VALUES (?, ?, ?, ?, ?, ?)",
            &[&"cus_00000000000000000000000000", &"bench.Sell", &id, &[7_u8; 32], &time, &[7_u8; 200]],
        );
        execute(STOCK, &[&1, &"sku", &1]);
        execute(SALE, &[&id, &"sku", &1]);
        execute(
            "INSERT INTO outbox (time, aggregate, version, type, payload) VALUES (?, ?, ?, ?, ?)",
            &[&time, &id, &1, &"souk.bench.v1.Sold", &[7_u8; 200]],
        );
        if at % group == group - 1 || at + 1 == commits {
            execute("COMMIT", &[]);
        }
    }
}
