//! Connections that read a `dir:` database.
//!
//! A read runs inline on the task that asks. It is short and bounded (a point read takes some 10 µs from the page cache,
//! and no query returns more than [`crate::ROWS_MAX`] rows), while handing it to a blocking thread and back costs two
//! thread switches, more than the read itself, and on few cores takes the time from the writers. Since a task holds a
//! connection only while it runs, there is one for each thread of the runtime, opened with the database and kept, so that
//! serving opens no database and needs no descriptor that the process does not have yet.

use std::path::{Path, PathBuf};
use std::time::Duration;

use kernel::{Error, Result};
use parking_lot::{Condvar, Mutex};
use rusqlite::{Connection, OpenFlags};

use super::errors::{opening, serving};

/// Connections of a database that are kept open for reading, however many threads there are.
const KEPT_MAX: usize = 32;
/// Statements that a connection keeps prepared.
const STATEMENTS_KEPT: usize = 128;
/// Page cache of a connection, in KiB.
const CACHE_KIB: i64 = 1024;
/// How long a read waits for a connection when no other one can be opened; a read takes microseconds.
const WAIT_MAX: Duration = Duration::from_secs(5);

pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Idle>,
    /// Connections that are kept.
    kept: usize,
    /// Told when a connection comes back.
    returned: Condvar,
}

/// Connections of a database that are kept open for reading: one for each thread of the runtime, at most 32.
#[must_use]
pub fn readers_kept() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(KEPT_MAX)
}

struct Idle {
    connections: Vec<Connection>,
    /// Connections that are open, those in use included.
    open: usize,
    closed: bool,
}

impl Readers {
    /// Of the database at this path; so many connections are kept.
    pub(super) fn open(path: &Path, kept: usize) -> Result<Self> {
        let connections = (0..kept).map(|_| {
            let connection = connect(path)?;
            // The first read opens the log beside the database. This one needs no schema, which takes memory at each connection.
            connection.pragma_query_value(None, "schema_version", |row| row.get::<_, i64>(0))?;
            Ok(connection)
        });
        let connections: Vec<_> =
            connections.collect::<rusqlite::Result<_>>().map_err(|error| opening(path, error))?;
        let idle = Idle { open: kept, connections, closed: false };
        Ok(Self { path: path.to_owned(), idle: Mutex::new(idle), kept, returned: Condvar::new() })
    }

    pub(super) fn read<R>(&self, work: impl FnOnce(&Connection) -> Result<R>) -> Result<R> {
        // Comes back also when the work panics.
        let taken = Taken { readers: self, connection: Some(self.take()?) };
        match &taken.connection {
            Some(connection) => work(connection),
            None => Err(closed()),
        }
    }

    fn take(&self) -> Result<Connection> {
        {
            let mut idle = self.idle.lock();
            if idle.closed {
                return Err(closed());
            }
            if let Some(connection) = idle.connections.pop() {
                return Ok(connection);
            }
            idle.open += 1;
        }
        let error = match connect(&self.path) {
            Ok(connection) => return Ok(connection),
            Err(error) => error,
        };
        let mut idle = self.idle.lock();
        idle.open -= 1;
        while !idle.closed && idle.open > 0 {
            if let Some(connection) = idle.connections.pop() {
                return Ok(connection);
            }
            if self.returned.wait_for(&mut idle, WAIT_MAX).timed_out() {
                break;
            }
        }
        Err(serving(error))
    }

    fn give_back(&self, connection: Connection) {
        let mut idle = self.idle.lock();
        if idle.closed || idle.connections.len() >= self.kept {
            idle.open -= 1;
            return;
        }
        idle.connections.push(connection);
        drop(idle);
        self.returned.notify_one();
    }

    /// Closes them, so that the writer's connection is the last one and tidies up.
    pub(super) fn close(&self) {
        let mut idle = self.idle.lock();
        idle.closed = true;
        idle.open -= idle.connections.len();
        idle.connections.clear();
        self.returned.notify_all();
    }
}

/// A connection in use.
struct Taken<'a> {
    readers: &'a Readers,
    connection: Option<Connection>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.readers.give_back(connection);
        }
    }
}

fn closed() -> Error {
    Error::unavailable("STORE_CLOSED", "the store is closed")
}

pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads so many times at once.
    fn read(readers: &Readers, at_once: usize) {
        let read = readers.read(|_| {
            if at_once > 1 {
                read(readers, at_once - 1);
            }
            Ok(())
        });
        read.expect("read");
    }

    #[test]
    fn as_many_connections_are_kept_as_there_are_threads() {
        let scratch = tempfile::tempdir().expect("a directory");
        let path = scratch.path().join("test.db");
        drop(Connection::open(&path).expect("made"));
        let readers = Readers::open(&path, 9).expect("opens");
        // Without its file no other can be opened.
        std::fs::rename(scratch.path().join("test.db"), scratch.path().join("away")).expect("moved");
        for _ in 0..2 {
            read(&readers, 9);
            let idle = readers.idle.lock();
            assert_eq!((idle.open, idle.connections.len()), (9, 9), "none was opened, none closed");
        }
    }
}
