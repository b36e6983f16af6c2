//! Opens a database: settings, tables, migrations, epoch.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kernel::{Clock, Code, Error, Result, Timestamp};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::errors::{emptied, opening};
use super::files::{Files, Present};
use super::identity::{self, Note};
use super::writer::Writer;
use super::{BUSY_TIMEOUT, schema};
use crate::chain::{ChainHead, EventChain};
use crate::migration::{Applied, Migration, newer, pending};
use crate::retention::Retention;

/// Statements that the writer keeps prepared.
const STATEMENTS_KEPT: usize = 256;
/// Page cache of the writer, in KiB.
const CACHE_KIB: i64 = 4096;

/// What an opened database is known by.
#[derive(Clone)]
pub(super) struct Opened {
    pub(super) run: String,
    /// The epochs with the sequence that each began with; the last is the present one.
    pub(super) epochs: Vec<(i64, i64)>,
    pub(super) chain: EventChain,
    /// The newest event.
    pub(super) head: ChainHead,
    /// What may be deleted by its age.
    pub(super) retention: Arc<Retention>,
}

/// Opens the database in these files.
pub(super) fn directory(
    files: &Files,
    migrations: &[Migration],
    clock: Arc<dyn Clock>,
    chain: EventChain,
) -> Result<(Writer, Opened)> {
    let path = &files.database;
    let conn = connect(path).map_err(|error| opening(path, error))?;
    let note = Note::read(path);
    // The note is written when the tables are on disk. Going on with a new database would hide a loss.
    if note.is_some() && schema_version(&conn).map_err(|error| opening(path, error))?.is_none() {
        return Err(emptied(path));
    }
    let known = |run: &str, head: i64| note.as_ref().is_some_and(|note| note.is_of(run, files.inode, head));
    let opened = prepare(&conn, path, migrations, (&identity::new_run(), known), &clock, chain)?;
    let note = Note { run: opened.run.clone(), inode: files.inode, head: 0 };
    if let Err(error) = note.write(path) {
        tracing::warn!(%error, database = %path.display(), "the note beside the database cannot be written; its events will begin a new epoch");
    }
    Ok((writer(conn, clock, &opened).watching(Present::of(path)), opened))
}

/// Opens a database in memory.
pub(super) fn memory(
    name: &str,
    migrations: &[Migration],
    clock: Arc<dyn Clock>,
    chain: EventChain,
) -> Result<(Writer, Opened)> {
    let place = PathBuf::from(format!("mem:{name}"));
    let conn = Connection::open_in_memory()
        .and_then(|conn| settings(&conn).map(|()| conn))
        .map_err(|error| opening(&place, error))?;
    let opened = prepare(&conn, &place, migrations, ("mem", |_, _| false), &clock, chain)?;
    Ok((writer(conn, clock, &opened), opened))
}

fn writer(conn: Connection, clock: Arc<dyn Clock>, opened: &Opened) -> Writer {
    let epoch = opened.epochs.last().map_or(1, |(epoch, _)| *epoch);
    Writer::new(conn, clock, Arc::clone(&opened.retention), (opened.chain.clone(), epoch, opened.head))
}

pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    // FULL: the log is synced at each commit, so an answer means that it is on disk.
    conn.pragma_update(None, "synchronous", "FULL")?;
    // Done by the writer thread when everybody is answered.
    conn.pragma_update(None, "wal_autocheckpoint", 0)?;
    conn.pragma_update(None, "cache_size", -CACHE_KIB)?;
    settings(&conn)?;
    Ok(conn)
}

/// Keeps a statement's plan whatever is bound to it: without this some are planned anew each time that they are used.
pub(super) fn stable_plans(conn: &Connection) -> rusqlite::Result<()> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(|_| ())
}

fn settings(conn: &Connection) -> rusqlite::Result<()> {
    stable_plans(conn)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    conn.pragma_update(None, "foreign_keys", true)?;
    // What undoes a failed batch stays in memory.
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.pragma_update(None, "trusted_schema", false)
}

/// Brings tables, migrations and epoch up to date, all in one transaction.
fn prepare(
    conn: &Connection,
    place: &Path,
    migrations: &[Migration],
    (run, is_known): (&str, impl Fn(&str, i64) -> bool),
    clock: &Arc<dyn Clock>,
    chain: EventChain,
) -> Result<Opened> {
    let bad = |error| opening(place, error);
    let now = clock.now();
    let transaction = conn.unchecked_transaction().map_err(bad)?;
    let version = schema_version(conn).map_err(bad)?;
    match version {
        None => {
            conn.execute_batch(schema::TABLES).map_err(bad)?;
            set_meta(conn, "schema", &schema::VERSION.to_string()).map_err(bad)?;
        }
        Some(version) if version > schema::VERSION => {
            return Err(newer(&place.display().to_string(), &format!("schema {version}")));
        }
        Some(version) if version < schema::VERSION => {
            conn.execute_batch(schema::TO_VERSION_2).map_err(bad)?;
            set_meta(conn, "schema", &schema::VERSION.to_string()).map_err(bad)?;
        }
        Some(_) => {}
    }
    // A database of an earlier release has no links. That it had some is known from outside, too.
    let starts_chain = version != Some(schema::VERSION) && (version.is_none() || !chain.was_begun());
    migrate(conn, place, migrations, now)?;
    let last = "SELECT time FROM souk_outbox ORDER BY sequence DESC LIMIT 1";
    let last = conn.query_row(last, [], |row| row.get(0)).optional().map_err(bad)?;
    let retention = Arc::new(Retention::new(Arc::clone(clock), last.map(Timestamp::from_micros)));
    let noted = meta(conn, schema::HEAD).map_err(bad)?.and_then(|head| chain.verify_head(&head));
    let noted = noted.filter(|_| !starts_chain);
    let (epochs, sequence) = epoch(conn, run, is_known, (noted, now)).map_err(bad)?;
    // Numbers go on after the greatest, links after the last that is noted: what was added or taken away stays to be seen.
    let head = match noted {
        Some(noted) => ChainHead { sequence, ..noted },
        None if starts_chain => chain.start_after(sequence),
        None => chain.lost_after(sequence),
    };
    if starts_chain {
        set_meta(conn, schema::HEAD, &chain.sign_head(head)).map_err(bad)?;
    }
    let opened = Opened { run: run.to_owned(), epochs, chain, head, retention };
    transaction.commit().map_err(bad)?;
    Ok(opened)
}

/// `None` in a database without tables.
fn schema_version(conn: &Connection) -> rusqlite::Result<Option<i64>> {
    let tables: i64 =
        conn.query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'souk_meta'", [], |row| row.get(0))?;
    if tables == 0 {
        return Ok(None);
    }
    let version = meta(conn, "schema")?;
    Ok(Some(version.and_then(|version| version.parse().ok()).unwrap_or(i64::MAX)))
}

fn meta(conn: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    conn.query_row(schema::SELECT_META, [name], |row| row.get(0)).optional()
}

fn set_meta(conn: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    conn.execute(schema::SET_META, [name, value]).map(|_| ())
}

fn migrate(conn: &Connection, place: &Path, migrations: &[Migration], now: Timestamp) -> Result<()> {
    let bad = |error| opening(place, error);
    let mut select = conn.prepare("SELECT name, hash FROM souk_migration ORDER BY name").map_err(bad)?;
    let rows =
        select.query_map([], |row| Ok(Applied { name: row.get(0)?, hash: row.get(1)? })).map_err(bad)?;
    let applied = rows.collect::<rusqlite::Result<Vec<_>>>().map_err(bad)?;
    for migration in pending(&place.display().to_string(), migrations, &applied)? {
        conn.execute_batch(migration.sql).map_err(|error| {
            let message =
                format!("migration {} cannot be applied to {}: {error}", migration.name, place.display());
            Error::new(Code::Internal, "MIGRATION_FAILED", message).because(error)
        })?;
        let record = "INSERT INTO souk_migration (name, hash, applied_at) VALUES (?, ?, ?)";
        conn.execute(record, (migration.name, migration.hash(), now.micros())).map_err(bad)?;
    }
    Ok(())
}

/// Goes on with the present epoch, or begins one when this is not the database that was here before.
fn epoch(
    conn: &Connection,
    run: &str,
    is_known: impl Fn(&str, i64) -> bool,
    (noted, now): (Option<ChainHead>, Timestamp),
) -> rusqlite::Result<(Vec<(i64, i64)>, i64)> {
    let head: i64 =
        conn.query_row("SELECT coalesce(max(sequence), 0) FROM souk_outbox", [], |row| row.get(0))?;
    let pruned = meta(conn, schema::PRUNED)?.and_then(|pruned| pruned.parse().ok()).unwrap_or(0);
    let mut select = conn.prepare("SELECT epoch, first FROM souk_epoch ORDER BY epoch")?;
    let mut epochs = select
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<Vec<(i64, i64)>>>()?;
    // No number is given twice, also not when somebody removed rows.
    let noted = noted.map_or(0, |noted| noted.sequence);
    let head = epochs.last().map_or(0, |(_, first)| first - 1).max(pruned).max(head).max(noted);
    let same = meta(conn, "run")?.is_some_and(|before| is_known(&before, head));
    if !same || epochs.is_empty() {
        // The time makes it differ from the epochs of a database that stood here and is gone.
        let began = epochs.last().map_or(1, |(last, _)| last + 1).max(now.millis());
        conn.execute(
            "INSERT INTO souk_epoch (epoch, first, began_at) VALUES (?, ?, ?)",
            (began, head + 1, now.micros()),
        )?;
        epochs.push((began, head + 1));
    }
    if pruned == 0 && meta(conn, schema::PRUNED_BEFORE)?.is_none() {
        set_meta(conn, schema::PRUNED_BEFORE, "0")?;
    }
    set_meta(conn, "run", run)?;
    Ok((epochs, head))
}
