//! Opening a database, and the handles on it.

use std::path::PathBuf;
use std::sync::Arc;

use kernel::{Clock, Error, Result, Timestamp};

use crate::batch::Position;
use crate::chain::EventChain;
use crate::docs::{Docs, Document};
use crate::engine::{DocsEngine, Engine, SqlEngine};
use crate::faulty::{Faults, Faulty};
use crate::inspect::{InspectEngine, Inspector};
use crate::lease::Leases;
use crate::migration::Migration;
use crate::outbox::Outbox;
use crate::parked::Parked;
use crate::sql::Sql;
use crate::sqlite::Sqlite;
use crate::timings::Timings;

/// How to open a database.
#[derive(Clone)]
pub struct OpenOptions {
    /// The store's clock: times of events, expiry of answers, leases.
    pub clock: Arc<dyn Clock>,
    /// The key of the chain of events; without one anybody can make links.
    pub chain_key: Vec<u8>,
    /// Whether this database was opened with a key before: then one whose events have no links is not of an earlier release.
    pub chain_begun: bool,
    /// Faults to inject between the shapes and the engine.
    pub faults: Option<Faults>,
}

impl OpenOptions {
    /// Without faults and without a key.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, chain_key: Vec::new(), chain_begun: false, faults: None }
    }

    /// With a key for the chain of events: the same at each opening, and kept outside the database.
    #[must_use]
    pub fn with_chain_key(mut self, key: &[u8]) -> Self {
        self.chain_key = key.to_vec();
        self
    }

    /// Says whether the database was opened with a key before, as its opener noted outside of it.
    #[must_use]
    pub fn with_chain_begun(mut self, begun: bool) -> Self {
        self.chain_begun = begun;
        self
    }

    /// With faults.
    #[must_use]
    pub fn with_faults(mut self, faults: Faults) -> Self {
        self.faults = Some(faults);
        self
    }
}

/// One service's database. Everything in it commits together: rows, documents, events, answers, positions, leases. Cheap
/// to clone; it is closed when the last handle is dropped.
#[derive(Clone)]
pub struct Database {
    engine: Arc<dyn Engine>,
    sql: Arc<dyn SqlEngine>,
    docs: Arc<crate::docs::Shared>,
    inspect: Arc<dyn InspectEngine>,
    leases: Leases,
    timings: Arc<Timings>,
}

impl Database {
    fn new<E: SqlEngine + DocsEngine + InspectEngine>(engine: E, options: OpenOptions) -> Self {
        match options.faults {
            Some(faults) => Self::over(Arc::new(Faulty::new(engine, faults)), options.clock),
            None => Self::over(Arc::new(engine), options.clock),
        }
    }

    fn over<E: SqlEngine + DocsEngine + InspectEngine>(engine: Arc<E>, clock: Arc<dyn Clock>) -> Self {
        let timings = Arc::new(Timings::new(Arc::clone(&clock)));
        let leases = Leases::new(Arc::clone(&engine) as _, clock);
        let docs = Arc::new(crate::docs::Shared::new(Arc::clone(&engine) as _, Arc::clone(&timings)));
        let inspect = Arc::clone(&engine) as _;
        Self { engine: Arc::clone(&engine) as _, sql: engine, docs, inspect, leases, timings }
    }

    /// Its rows.
    #[must_use]
    pub fn sql(&self) -> Sql {
        Sql::new(Arc::clone(&self.sql), Arc::clone(&self.timings))
    }

    /// How long it takes to answer.
    #[must_use]
    pub fn timings(&self) -> &Timings {
        &self.timings
    }

    /// Its documents of one kind.
    #[must_use]
    pub fn docs<T: Document>(&self) -> Docs<T> {
        self.docs.declare::<T>();
        Docs::new(Arc::clone(&self.docs))
    }

    /// Its events.
    #[must_use]
    pub fn outbox(&self) -> Outbox {
        Outbox::new(Arc::clone(&self.engine))
    }

    /// Its leases.
    #[must_use]
    pub fn leases(&self) -> Leases {
        self.leases.clone()
    }

    /// The events that its consumers set aside.
    #[must_use]
    pub fn parked(&self) -> Parked {
        Parked::new(Arc::clone(&self.engine))
    }

    /// Its rows as they are stored, for an audit.
    #[must_use]
    pub fn inspect(&self) -> Inspector {
        Inspector::new(Arc::clone(&self.inspect), Arc::clone(&self.docs))
    }

    /// Where a consumer stands in a source's events; `None` when it has not begun. It moves with
    /// [`crate::Batch::position`] and [`crate::Put::position`].
    ///
    /// # Errors
    /// When the store fails.
    pub async fn position(&self, source: &str, consumer: &str) -> Result<Option<Position>> {
        self.engine.position(source, consumer).await
    }

    /// The time by which what is over may be deleted. It is the clock's, unless that leapt or the database was not written
    /// for long: then it goes on from where it was until the clock has kept its setting for an hour. Never ahead of the clock.
    #[must_use]
    pub fn retention_now(&self) -> Timestamp {
        self.engine.retention_now()
    }

    /// Whether its files are still those that were opened. Two questions to the file system; every commit asks them too.
    ///
    /// # Errors
    /// `DATA_REPLACED` when they were deleted or replaced; nothing is written any more until the process is started again.
    pub fn check_files(&self) -> Result<()> {
        self.engine.check_files()
    }

    /// Reads all of the database and compares its structure: pages, rows, and indexes with their rows; and its tables, columns,
    /// indexes and triggers with those that the migrations and the kinds of documents make. What is wrong, at most 100 sentences;
    /// empty for a database that is intact. Takes about a second for a gigabyte, beside other work.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn problems(&self) -> Result<Vec<String>> {
        self.engine.problems(&self.docs.declared()).await
    }

    /// Whether it belongs to this process alone.
    #[must_use]
    pub fn exclusive(&self) -> bool {
        self.engine.exclusive()
    }

    /// Removes remembered answers whose time is over, at most `rows_max`. How many were removed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sweep(&self, rows_max: u32) -> Result<u64> {
        self.engine.sweep(rows_max).await
    }

    /// Removes events that were published before a time; see [`Outbox::prune`].
    ///
    /// # Errors
    /// When the store fails.
    pub async fn prune(&self, before: Timestamp, rows_max: u32) -> Result<u64> {
        self.engine.prune(before, rows_max).await
    }
}

/// Opens the database `name` at `mem:` (in memory, gone with the last handle) or `dir:PATH` (`PATH/NAME/NAME.db`, made if
/// it is not there), and applies the migrations that it lacks.
///
/// # Errors
/// A sentence that says what and what to do. `DATA_DIR_IN_USE` when another process has it, `DATA_DIR_UNWRITABLE`,
/// `STORAGE_FULL`, `DATA_CORRUPT`, `DATA_MISSING` when a database that was made in this directory is gone, `DATA_NEWER` when a later release wrote it, `MIGRATION_CHANGED`, `MIGRATION_FAILED`,
/// `INVALID_STORE_URL`, `INVALID_STORE_NAME`.
pub async fn open(
    url: &str,
    name: &str,
    migrations: &'static [Migration],
    options: OpenOptions,
) -> Result<Database> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
        return Err(Error::invalid(
            "INVALID_STORE_NAME",
            format!("{name:?} is not a name for a database; use a-z, 0-9, - and _"),
        ));
    }
    let clock = Arc::clone(&options.clock);
    let chain = EventChain::new(&options.chain_key, name).begun_before(options.chain_begun);
    let engine = match url.split_once(':') {
        Some(("mem", "")) => Sqlite::memory(name, migrations, clock, chain)?,
        Some(("dir", path)) if !path.is_empty() => {
            Sqlite::directory(&PathBuf::from(path), name, migrations, clock, chain).await?
        }
        _ => {
            let message = format!(
                "{url:?} is not a store; use mem: to keep data in memory, or dir:PATH to keep it in a directory"
            );
            return Err(Error::invalid("INVALID_STORE_URL", message));
        }
    };
    Ok(Database::new(engine, options))
}
