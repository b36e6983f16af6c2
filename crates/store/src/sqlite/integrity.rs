//! Whether a database is kept as it was written: SQLite's own check of pages, rows and indexes, and whether the schema is the one
//! that this release makes.

use std::sync::{Arc, OnceLock};

use kernel::{Error, Result};
use rusqlite::Connection;

use super::errors::serving;
use super::layout::{Layout, differences};
use super::{Backend, Sqlite, readers};
use crate::docs::DeclaredKind;
use crate::migration::Migration;

/// The most problems that are told.
const PROBLEMS_MAX: usize = 100;

/// The schema that a database must have, made when it is first compared.
pub(super) type ExpectedLayout = OnceLock<Arc<Layout>>;

impl Sqlite {
    /// What is wrong; empty for a database that is intact. On a thread and a connection of its own, since all of it is read.
    pub(super) async fn check_integrity(&self, kinds: &[DeclaredKind]) -> Result<Vec<String>> {
        let (migrations, kinds) = (self.migrations, kinds.to_vec());
        let layout = self.expected_layout()?;
        let check = move |conn: &Connection| problems(conn, &layout, migrations, &kinds);
        let directory = match &self.backend {
            Backend::Memory(writer) => return check(writer.lock().conn()),
            Backend::Directory(directory) => directory,
        };
        let path = directory.files.database.clone();
        let check = move || check(&readers::connect(&path).map_err(serving)?);
        tokio::task::spawn_blocking(check).await.map_err(Error::internal)?
    }

    fn expected_layout(&self) -> Result<Arc<Layout>> {
        if let Some(layout) = self.layout.get() {
            return Ok(Arc::clone(layout));
        }
        let layout = Arc::new(Layout::expected(self.migrations).map_err(serving)?);
        Ok(Arc::clone(self.layout.get_or_init(|| layout)))
    }
}

fn problems(
    conn: &Connection,
    layout: &Layout,
    migrations: &[Migration],
    kinds: &[DeclaredKind],
) -> Result<Vec<String>> {
    let mut problems = structure(conn)?;
    // In a transaction, so that all of the schema is of one moment.
    let compared =
        conn.unchecked_transaction().and_then(|_moment| differences(conn, layout, migrations, kinds));
    match compared {
        Ok(differences) => problems.extend(differences),
        // A schema that cannot be read, and tables of the store without their columns.
        Err(error) if damaged(&error) || is_schema_error(&error) => problems.push(error.to_string()),
        Err(error) => return Err(serving(error)),
    }
    problems.truncate(PROBLEMS_MAX);
    Ok(problems)
}

fn structure(conn: &Connection) -> Result<Vec<String>> {
    let text = format!("PRAGMA integrity_check({PROBLEMS_MAX})");
    let mut problems = Vec::new();
    let checked = conn.prepare(&text).and_then(|mut check| {
        let mut rows = check.query([])?;
        while let Some(row) = rows.next()? {
            problems.push(row.get::<_, String>(0)?);
        }
        Ok(())
    });
    match checked {
        Ok(()) => {}
        // A page so broken that even the check ends at it.
        Err(error) if damaged(&error) => problems.push(error.to_string()),
        Err(error) => return Err(serving(error)),
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

/// What a statement says that names a column which is gone, or reads one of another type.
fn is_schema_error(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{InvalidColumnType, SqlInputError};
    matches!(error, SqlInputError { .. } | InvalidColumnType(..))
        || error.sqlite_error_code() == Some(rusqlite::ErrorCode::Unknown)
}
