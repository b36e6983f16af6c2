//! Whether a database is kept as it was written: SQLite's own check of pages, rows and indexes.

use kernel::{Error, Result};
use rusqlite::Connection;

use super::errors::serving;
use super::{Backend, Sqlite, readers};

/// The most problems that are told.
const PROBLEMS_MAX: usize = 100;

impl Sqlite {
    /// What is wrong; empty for a database that is intact. On a thread and a connection of its own, since all of it is read.
    pub(super) async fn check_integrity(&self) -> Result<Vec<String>> {
        let directory = match &self.backend {
            Backend::Memory(writer) => return problems(writer.lock().conn()),
            Backend::Directory(directory) => directory,
        };
        let path = directory.files.database.clone();
        let check = move || problems(&readers::connect(&path).map_err(serving)?);
        tokio::task::spawn_blocking(check).await.map_err(Error::internal)?
    }
}

fn problems(conn: &Connection) -> Result<Vec<String>> {
    let text = format!("PRAGMA integrity_check({PROBLEMS_MAX})");
    let mut problems = Vec::new();
    let mut check = conn.prepare(&text).map_err(serving)?;
    let mut rows = check.query([]).map_err(serving)?;
    loop {
        match rows.next() {
            Ok(Some(row)) => problems.push(row.get::<_, String>(0).map_err(serving)?),
            Ok(None) => break,
            // A page so broken that even the check ends at it.
            Err(error) if damaged(&error) => {
                problems.push(error.to_string());
                break;
            }
            Err(error) => return Err(serving(error)),
        }
    }
    if problems == ["ok"] {
        problems.clear();
    }
    Ok(problems)
}

fn damaged(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}
