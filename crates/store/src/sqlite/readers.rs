//! Connections that read a `dir:` database.
//!
//! A read runs inline on the task that asks. It is short and bounded (a point read takes some 10 µs from the page cache,
//! and no query returns more than [`crate::ROWS_MAX`] rows), while handing it to a blocking thread and back costs two
//! thread switches, more than the read itself, and on few cores takes the time from the writers. Since a task holds a
//! connection only while it runs, there are never more of them than threads; some are kept.

use std::path::{Path, PathBuf};

use kernel::{Error, Result};
use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};

use super::errors::serving;

/// Idle connections that are kept.
const IDLE_MAX: usize = 4;
/// Statements that a connection keeps prepared.
const STATEMENTS_KEPT: usize = 128;
/// Page cache of a connection, in KiB.
const CACHE_KIB: i64 = 1024;

pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Idle>,
}

struct Idle {
    connections: Vec<Connection>,
    closed: bool,
}

impl Readers {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), idle: Mutex::new(Idle { connections: Vec::new(), closed: false }) }
    }

    /// Opens as many as there are threads that read, so that serving needs no file descriptor that it does not have yet.
    pub(super) fn prepare(&self) -> Result<()> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let open = (0..threads.min(IDLE_MAX)).map(|_| {
            let connection = open(&self.path).map_err(serving)?;
            // The first read opens the log beside the database.
            let tables =
                connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0));
            tables.map_err(serving)?;
            Ok(connection)
        });
        let connections = open.collect::<Result<Vec<_>>>()?;
        self.idle.lock().connections.extend(connections);
        Ok(())
    }

    pub(super) fn read<R>(&self, work: impl FnOnce(&Connection) -> Result<R>) -> Result<R> {
        let taken = {
            let mut idle = self.idle.lock();
            if idle.closed {
                return Err(Error::unavailable("STORE_CLOSED", "the store is closed"));
            }
            idle.connections.pop()
        };
        let connection = match taken {
            Some(connection) => connection,
            None => open(&self.path).map_err(serving)?,
        };
        let outcome = work(&connection);
        let mut idle = self.idle.lock();
        if !idle.closed && idle.connections.len() < IDLE_MAX {
            idle.connections.push(connection);
        }
        outcome
    }

    /// Closes them, so that the writer's connection is the last one and tidies up.
    pub(super) fn close(&self) {
        let mut idle = self.idle.lock();
        idle.closed = true;
        idle.connections.clear();
    }
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    super::open::stable_plans(&connection)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    connection.busy_timeout(super::BUSY_TIMEOUT)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}
