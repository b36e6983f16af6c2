//! The audit service of this process: what each local role proves about its own rows.
//!
//! A role names its tables ([`Examine`]) and how its events describe their aggregates ([`Context::describe_events`]). What every
//! database has is here: the outbox, remembered answers, positions, events set aside. A table's page answers what is wrong
//! in itself ([`Finding`]) and facts ([`Fact`]) that whoever asks compares with other rows, other roles, and events.
//!
//! [`Context::describe_events`]: crate::Context::describe_events

mod notes;
mod outbox;
mod stored;

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use contract::souk::audit::v1 as wire;
use contract::souk::audit::v1::audit_service_server::AuditService;
use kernel::{Clock, Error, Result, Timestamp};
use parking_lot::RwLock;
use sha2::{Digest, Sha256};
use store::{Database, StoredEvent};
use tonic::{Request, Response, Status};

use crate::Cursors;

pub use stored::check_document;

/// The most rows of a page.
pub const PAGE_MAX: u32 = 1_000;
/// The most characters of [`Fact::about`].
const ABOUT_CHARS_MAX: usize = 120;
/// The most characters of what a finding tells about a value.
const TOLD_CHARS_MAX: usize = 300;

/// A table of a role, or something like one, that can be checked page by page.
#[async_trait]
pub trait Examine: Send + Sync + 'static {
    /// Its name, for people.
    fn table(&self) -> &'static str;

    /// Checks rows after a place that an earlier page answered; from the first without one.
    ///
    /// # Errors
    /// When rows cannot be read at all: that is told as a finding, and the rest of the table is not looked at.
    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined>;
}

/// What a page of rows came to.
#[derive(Clone, Debug, Default)]
pub struct Examined {
    /// Rows that were looked at.
    pub rows: usize,
    /// What is wrong with them.
    pub findings: Vec<Finding>,
    /// What they say.
    pub facts: Vec<Fact>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<String>,
}

/// A row that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which row.
    pub row: String,
    /// What must be there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

/// What a row or an event says about a thing; see the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What kind of fact.
    pub set: &'static str,
    /// The thing.
    pub key: String,
    /// Its version; 0 where it has none.
    pub version: i64,
    /// Digest of what is said; empty where only the version is.
    pub digest: Vec<u8>,
    /// Which rule of the set applies.
    pub state: &'static str,
    /// What is said, for people.
    pub about: String,
    /// When the thing last changed, or when the event was committed; 0 where that is not known.
    pub at: Timestamp,
}

/// The last row of a page that is full: the next page begins after it. `None` of the last page.
#[must_use]
pub fn last_of_full_page<T>(rows: &[T], limit: u32) -> Option<&T> {
    rows.last().filter(|_| rows.len() == limit as usize)
}

impl Examined {
    /// Notes a row that is not as it must be.
    pub fn finds(&mut self, row: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) {
        let found: String = found.into();
        let found = found.chars().take(TOLD_CHARS_MAX).collect();
        self.findings.push(Finding { row: row.into(), expected: expected.into(), found });
    }

    /// Notes a row unless `good`.
    pub fn expects(
        &mut self,
        good: bool,
        row: &str,
        expected: impl Into<String>,
        found: impl std::fmt::Display,
    ) {
        if !good {
            self.finds(row, expected, found.to_string());
        }
    }
}

impl Fact {
    /// That a thing is there.
    pub fn new(set: &'static str, key: impl Into<String>) -> Self {
        Self {
            set,
            key: key.into(),
            version: 0,
            digest: Vec::new(),
            state: "",
            about: String::new(),
            at: Timestamp::default(),
        }
    }

    /// At this version.
    #[must_use]
    pub fn version(mut self, version: i64) -> Self {
        self.version = version;
        self
    }

    /// With this content.
    #[must_use]
    pub fn content(mut self, content: &[u8]) -> Self {
        self.digest = Sha256::digest(content)[..16].to_vec();
        self
    }

    /// In this state.
    #[must_use]
    pub fn state(mut self, state: &'static str) -> Self {
        self.state = state;
        self
    }

    /// When the thing last changed.
    #[must_use]
    pub fn at(mut self, at: Timestamp) -> Self {
        self.at = at;
        self
    }

    /// In words.
    #[must_use]
    pub fn about(mut self, about: &str) -> Self {
        self.about = about.chars().take(ABOUT_CHARS_MAX).collect();
        self
    }
}

/// What an event says about its aggregate: facts of the set `event` (the aggregate at the version after it) and others.
///
/// # Errors
/// A sentence when it contradicts itself.
pub type DescribeEvent = fn(&StoredEvent) -> std::result::Result<Vec<Fact>, String>;

#[derive(Clone, Default)]
struct Tables {
    tables: Vec<Arc<dyn Examine>>,
    database: Option<Database>,
    describe: Option<DescribeEvent>,
    consumers: Vec<stored::ConsumerName>,
}

/// The tables of the roles in this process.
#[derive(Clone, Default)]
pub(crate) struct AuditHub(Arc<RwLock<HashMap<&'static str, Tables>>>);

impl AuditHub {
    pub(crate) fn add_table(&self, role: &'static str, table: Arc<dyn Examine>) {
        self.0.write().entry(role).or_default().tables.push(table);
    }

    pub(crate) fn add_database(&self, role: &'static str, database: Database) {
        self.0.write().entry(role).or_default().database = Some(database);
    }

    pub(crate) fn add_consumer(&self, role: &'static str, source: &'static str, name: &'static str) {
        let consumer = stored::ConsumerName { source, name };
        self.0.write().entry(role).or_default().consumers.push(consumer);
    }

    pub(crate) fn describe(&self, role: &'static str, describe: DescribeEvent) {
        self.0.write().entry(role).or_default().describe = Some(describe);
    }

    /// Everything of a role, the outbox first: rows that are read later may be newer than it, never older.
    fn tables(&self, role: &str, clock: &Arc<dyn Clock>) -> Result<Vec<Arc<dyn Examine>>> {
        let unknown = || Error::field("/source", "UNKNOWN_SOURCE", "is not a role that this process runs");
        let found = self.0.read().get(role).cloned().ok_or_else(unknown)?;
        let mut tables: Vec<Arc<dyn Examine>> = Vec::new();
        if let Some(database) = &found.database {
            tables.push(Arc::new(outbox::OutboxRows::new(role, database, found.describe, clock)));
            tables.push(Arc::new(notes::NoteRows::new(database, clock)));
            tables.push(Arc::new(stored::RequestRows::new(database, clock)));
            tables.push(Arc::new(stored::ConsumerRows::new(database, found.consumers)));
        }
        tables.extend(found.tables);
        Ok(tables)
    }
}

/// The gRPC face of a hub.
pub(crate) struct AuditApi {
    pub(crate) hub: AuditHub,
    pub(crate) cursors: Cursors,
    pub(crate) clock: Arc<dyn Clock>,
}

#[tonic::async_trait]
impl AuditService for AuditApi {
    async fn check_rows(
        &self,
        request: Request<wire::CheckRowsRequest>,
    ) -> Result<Response<wire::CheckRowsResponse>, Status> {
        let answer = self.check(&request.into_inner()).await;
        answer.map(Response::new).map_err(contract::status)
    }
}

impl AuditApi {
    async fn check(&self, request: &wire::CheckRowsRequest) -> Result<wire::CheckRowsResponse> {
        let limit = match u32::try_from(request.limit) {
            Ok(0) => PAGE_MAX,
            Ok(limit) if limit <= PAGE_MAX => limit,
            _ => return Err(Error::field("/limit", "INVALID_LIMIT", "must be between 0 and 1000")),
        };
        let tables = self.hub.tables(&request.source, &self.clock)?;
        let query = format!("audit|{}", request.source);
        let bad = || Error::field("/cursor", "INVALID_CURSOR", "is not a cursor of this list");
        let place = self.cursors.open(&query, &request.cursor).map_err(|_| bad())?;
        let (at, after) = match place.as_deref() {
            None => (0, None),
            Some(place) => {
                let (at, after) = place.split_once('|').ok_or_else(bad)?;
                (at.parse::<usize>().map_err(|_| bad())?, Some(after).filter(|after| !after.is_empty()))
            }
        };
        let table = tables.get(at).ok_or_else(bad)?;
        let examined = match table.page(after, limit).await {
            Ok(examined) => examined,
            Err(error) if error.code() == kernel::Code::Internal => unreadable(&**table, after, &error),
            Err(error) => return Err(error),
        };
        let next = match &examined.next {
            Some(next) => Some(format!("{at}|{next}")),
            None => (at + 1 < tables.len()).then(|| format!("{}|", at + 1)),
        };
        Ok(wire::CheckRowsResponse {
            table: table.table().to_owned(),
            examined: i64::try_from(examined.rows).unwrap_or(i64::MAX),
            findings: examined.findings.into_iter().map(finding).collect(),
            facts: examined.facts.into_iter().map(fact).collect(),
            next_cursor: next.map(|next| self.cursors.seal(&query, &next)).unwrap_or_default(),
        })
    }
}

/// Rows of another type than their column's cannot be read, nor what stands after them.
fn unreadable(table: &dyn Examine, after: Option<&str>, error: &Error) -> Examined {
    let mut examined = Examined { rows: 1, ..Examined::default() };
    let place = after.map_or_else(|| "the first rows".to_owned(), |after| format!("rows after {after}"));
    let row = format!("{}, {place}", table.table());
    examined.finds(row, "rows that can be read", format!("{error:?}"));
    examined
}

fn finding(finding: Finding) -> wire::Finding {
    wire::Finding { row: finding.row, expected: finding.expected, found: finding.found }
}

fn fact(fact: Fact) -> wire::Fact {
    wire::Fact {
        set: fact.set.to_owned(),
        key: fact.key,
        version: fact.version,
        digest: fact.digest,
        state: fact.state.to_owned(),
        about: fact.about,
        at: (fact.at > Timestamp::default()).then(|| contract::wire::timestamp(fact.at)),
    }
}
