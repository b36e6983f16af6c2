//! The seam: what an engine must do so that the shapes can stand on it.
//!
//! An engine is written once per shape; the shapes ([`crate::Sql`], [`crate::Docs`], [`crate::Outbox`], …) are thin typed
//! handles over these traits, so that a MySQL engine (`SqlEngine`) or a MongoDB engine (`DocsEngine`) joins by
//! implementing them and passing `store::conformance`; no caller changes. [`Engine`] is what every database keeps
//! beside its rows, whatever its shape: events, remembered answers, positions, parked events, leases.

use std::time::Duration;

use async_trait::async_trait;
use kernel::{Result, Timestamp};
use tokio::sync::watch;

use crate::batch::{Batch, Committed, Effects, Position, StoredEvent};
use crate::docs::{DeclaredKind, Index};
use crate::error::CommitError;
use crate::parked::ParkedEvent;
use crate::row::Row;
use crate::value::{Statement, Value};

/// What every engine keeps beside rows or documents.
#[async_trait]
pub trait Engine: Send + Sync + 'static {
    /// Whether the database belongs to this process alone, so that whatever a former process left may be taken over.
    fn exclusive(&self) -> bool;

    /// Name of this opening of the database: leases that bear another one were left by a former process.
    fn run(&self) -> &str;

    /// The time by which data are old enough to be deleted: see [`crate::Database::retention_now`].
    fn retention_now(&self) -> Timestamp;
    /// Whether the wall clock may be wrong: see [`crate::Sql::doubts_clock`].
    fn doubts_clock(&self) -> bool;

    /// Whether the files that were opened are still there: see [`crate::Database::check_files`].
    fn check_files(&self) -> Result<()>;

    /// What is wrong with how the data are kept, given the kinds of documents that this process has: see
    /// [`crate::Database::problems`].
    async fn problems(&self, kinds: &[DeclaredKind]) -> Result<Vec<String>>;

    /// The newest position; changes after each commit that published.
    fn watch(&self) -> watch::Receiver<Position>;

    /// What is remembered under a request key; expired answers are not.
    async fn remembered(&self, principal: &str, method: &str, id: &str) -> Result<Option<Remembered>>;

    /// Where a consumer stands.
    async fn position(&self, source: &str, consumer: &str) -> Result<Option<Position>>;

    /// What the outbox holds.
    async fn extent(&self) -> Result<Extent>;

    /// Events with a greater sequence, in order, at most `limit`.
    async fn events(&self, after: i64, limit: u32) -> Result<Vec<StoredEvent>>;

    /// Missing sequences between the oldest and the newest event, at most `limit` runs of them.
    async fn gaps(&self, limit: u32) -> Result<Vec<Gap>>;

    /// Removes the oldest events that were published before a time, at most `rows_max`, never the newest one.
    async fn prune(&self, before: Timestamp, rows_max: u32) -> Result<u64>;

    /// Removes expired answers, at most `rows_max`.
    async fn sweep(&self, rows_max: u32) -> Result<u64>;

    /// Events set aside, oldest first per source and consumer, at most `limit`.
    async fn parked(&self, limit: u32) -> Result<Vec<ParkedEvent>>;

    /// Whether an aggregate has events set aside by this consumer.
    async fn is_parked(&self, source: &str, consumer: &str, aggregate_id: &str) -> Result<bool>;

    /// Forgets an event that was set aside; whether it was there.
    async fn unpark(&self, source: &str, consumer: &str, position: Position) -> Result<bool>;

    /// The row of a lease.
    async fn lease(&self, name: &str) -> Result<Option<LeaseRow>>;

    /// Writes the row of a lease if it still is `from`; whether it was.
    async fn set_lease(&self, from: Option<&LeaseRow>, to: &LeaseRow) -> Result<bool>;
}

/// Rows under the portable SQL text.
#[async_trait]
pub trait SqlEngine: Engine {
    /// Rows of a query; fails when there are more than `rows_max`.
    async fn fetch(&self, statement: Statement, rows_max: usize) -> Result<Vec<Row>>;

    /// All of a batch, durably, or nothing.
    async fn commit(&self, batch: Batch) -> Result<Committed, CommitError>;
}

/// Documents with declared indexes.
#[async_trait]
pub trait DocsEngine: Engine {
    /// Makes a kind ready to be written; returns the indexes that old documents do not carry yet.
    async fn prepare(&self, kind: &'static str, indexes: &'static [Index]) -> Result<Vec<Index>>;

    /// Gives documents their keys, each if it still has its version; the version and what is not named stay.
    async fn set_keys(&self, kind: &'static str, documents: Vec<DocKeys>) -> Result<()>;

    /// An index that all documents carry now: enforced and used from here on.
    async fn finish(&self, kind: &'static str, index: &Index) -> Result<()>;

    /// Documents by id, in any order; those that are not there are left out.
    async fn get(&self, kind: &'static str, ids: &[String]) -> Result<Vec<DocRow>>;

    /// Documents by the values of a unique index, in any order, each with the value it was found by.
    async fn find(
        &self,
        kind: &'static str,
        index: &'static str,
        values: &[Value],
    ) -> Result<Vec<(Value, DocRow)>>;

    /// Documents in the order of (index value, id), or of id without an index.
    async fn list(&self, kind: &'static str, query: DocQuery) -> Result<Vec<(Value, DocRow)>>;

    /// Writes one document under its precondition.
    async fn put(&self, write: DocWrite) -> Result<Committed, CommitError>;
}

/// A remembered answer.
#[derive(Clone, Debug)]
pub struct Remembered {
    /// SHA-256 of the request that it answered.
    pub fingerprint: [u8; 32],
    /// The answer.
    pub answer: Vec<u8>,
}

/// What an outbox holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The epochs with the sequence that each began with, oldest first. The last one is the present one.
    pub epochs: Vec<(i64, i64)>,
    /// Sequence of the oldest event that is kept; one above the head when there is none.
    pub oldest: i64,
    /// The newest position; sequence 0 when nothing was published yet.
    pub head: Position,
}

/// Sequences that are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The first missing one.
    pub from: i64,
    /// The last missing one.
    pub to: i64,
}

/// The row of a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRow {
    /// What is leased.
    pub name: String,
    /// Who holds it; empty when it was given back.
    pub owner: String,
    /// Goes up with each new holder.
    pub epoch: i64,
    /// Goes up when the holder renews.
    pub beat: i64,
    /// How long it lasts after a renewal.
    pub ttl: Duration,
    /// [`Engine::run`] of the process that wrote it.
    pub run: String,
}

/// A document as an engine keeps it.
#[derive(Clone, Debug)]
pub struct DocRow {
    /// Its id.
    pub id: String,
    /// Its version, from 1.
    pub version: i64,
    /// JSON.
    pub body: String,
}

/// Keys for a document that is there.
#[derive(Clone, Debug)]
pub struct DocKeys {
    /// Which document.
    pub id: String,
    /// The version whose keys these are.
    pub version: i64,
    /// Values by index.
    pub keys: Vec<(&'static str, Value)>,
}

/// Which documents to list.
#[derive(Clone, Debug)]
pub struct DocQuery {
    /// The order; `None` is by id.
    pub index: Option<&'static str>,
    /// Only documents with this value in the index.
    pub equals: Option<Value>,
    /// After this index value (ignored without an index or with `equals`) and id.
    pub after: Option<(Value, String)>,
    /// At most so many.
    pub limit: u32,
}

/// What is done to a document.
#[derive(Clone, Debug)]
pub enum DocChange {
    /// It must not be there; gets version 1.
    Create {
        /// JSON.
        body: String,
        /// Values of all declared indexes, in their order.
        keys: Vec<Value>,
    },
    /// It must have version `seen`; gets the next one.
    Replace {
        /// The version that was read.
        seen: i64,
        /// JSON.
        body: String,
        /// Values of all declared indexes, in their order.
        keys: Vec<Value>,
    },
    /// It must have version `seen`.
    Delete {
        /// The version that was read.
        seen: i64,
    },
}

/// One document's change with what goes along.
#[derive(Clone, Debug)]
pub struct DocWrite {
    /// Which kind.
    pub kind: &'static str,
    /// Its declared indexes.
    pub indexes: &'static [Index],
    /// Which document.
    pub id: String,
    /// What is done.
    pub change: DocChange,
    /// Events, request key, positions, fences.
    pub(crate) effects: Effects,
}
