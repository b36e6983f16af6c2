//! Rows as they are stored, for whoever proves them: damaged ones are told, not refused.
//!
//! The typed handles stop at a row that does not read. An audit wants all of them, so it reads here.

use std::sync::Arc;

use async_trait::async_trait;
use kernel::{Result, Timestamp};

use crate::batch::{Position, StoredEvent};
use crate::chain::{ChainHead, EventChain, LinkedEvent};
use crate::docs::{Document, Shared, index_values};
use crate::engine::{DocRow, Engine, Extent};
use crate::outbox::EVENTS_READ_MAX;
use crate::parked::{PARKED_LIST_MAX, ParkedEvent};
use crate::value::Value;

/// The most rows that are inspected at once.
pub const INSPECT_MAX: u32 = 1_000;
/// The most notes and epochs of a database that are inspected.
pub const NOTES_MAX: u32 = 1_000;
/// Name of the note of the last sequence that was pruned.
pub const NOTE_PRUNED: &str = "pruned";
/// Name of the note of a time in microseconds that every pruned event was committed before; 0 when none was ever pruned. A
/// database whose events an earlier release pruned has it from the next time on.
pub const NOTE_PRUNED_BEFORE: &str = "pruned_before";
/// Name of the note of the last pruned event's link, as hexadecimal digits; empty when it had none.
pub const NOTE_PRUNED_LINK: &str = "pruned_link";
/// Name of the note of the newest event; see [`EventChain::sign_head`].
pub const NOTE_HEAD: &str = "head";
/// Names of the other notes: the version of the tables, and the opening of the database.
pub const NOTES_OTHER: [&str; 2] = ["schema", "run"];

/// What an engine shows of its stored rows.
#[async_trait]
pub trait InspectEngine: Engine {
    /// The chain of its events.
    fn chain(&self) -> &EventChain;

    /// As [`Engine::events`], with the link of each.
    async fn linked_events(&self, after: i64, limit: u32) -> Result<Vec<LinkedEvent>>;

    /// Remembered answers after a key, in the order of their keys, expired ones too; at most `limit`.
    async fn stored_requests(&self, after: &RequestId, limit: u32) -> Result<Vec<StoredRequest>>;

    /// Every consumer's position.
    async fn stored_positions(&self) -> Result<Vec<StoredPosition>>;

    /// What the database notes about itself.
    async fn stored_notes(&self) -> Result<StoredNotes>;

    /// Documents of a prepared kind after an id, by id, each with the values that its index columns hold.
    async fn stored_documents(
        &self,
        kind: &'static str,
        indexes: &[&'static str],
        after: &str,
        limit: u32,
    ) -> Result<Vec<(DocRow, Vec<Value>)>>;
}

/// The key of a remembered answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestId {
    /// Who asked.
    pub principal: String,
    /// For what.
    pub method: String,
    /// The idempotency key.
    pub id: String,
}

/// A remembered answer as it is stored, without the answer itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRequest {
    /// Its key.
    pub key: RequestId,
    /// SHA-256 of the request, 32 bytes unless it is damaged.
    pub fingerprint: Vec<u8>,
    /// Until when it is remembered.
    pub expires_at: Timestamp,
}

/// How far a consumer is, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPosition {
    /// Whose events.
    pub source: String,
    /// Who reads them.
    pub consumer: String,
    /// How far.
    pub position: Position,
}

/// What a database notes about itself, as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredNotes {
    /// Its epochs, the oldest first.
    pub epochs: Vec<StoredEpoch>,
    /// Names and values: at most [`NOTES_MAX`].
    pub notes: Vec<(String, String)>,
    /// The version of the tables that this release writes.
    pub schema: i64,
}

/// An epoch of an outbox, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredEpoch {
    /// Its number: the time of its beginning in milliseconds, or one more than that of the epoch before.
    pub epoch: i64,
    /// The first sequence in it.
    pub first: i64,
    /// When it began.
    pub began_at: Timestamp,
}

impl StoredNotes {
    /// The number under a name; `None` for what is not there or no number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i64> {
        self.note(name).and_then(|value| value.parse().ok())
    }

    /// The last sequence that was pruned; 0 when none was.
    #[must_use]
    pub fn pruned(&self) -> i64 {
        self.number(NOTE_PRUNED).unwrap_or(0)
    }

    /// Where the chain of events ends; `None` when the note is gone or was not made with the key of the chain.
    #[must_use]
    pub fn head(&self, chain: &EventChain) -> Option<ChainHead> {
        self.note(NOTE_HEAD).and_then(|note| chain.verify_head(note))
    }

    /// The value under a name.
    #[must_use]
    pub fn note(&self, name: &str) -> Option<&str> {
        self.notes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A document as it is stored.
#[derive(Clone, Debug)]
pub struct StoredDocument<T> {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: i64,
    /// Its value, or why it does not read.
    pub value: std::result::Result<T, String>,
    /// Index columns that do not hold what the value says: the index, what it should hold, what it holds.
    pub wrong_keys: Vec<(&'static str, Value, Value)>,
}

/// The stored rows of a database.
#[derive(Clone)]
pub struct Inspector {
    engine: Arc<dyn InspectEngine>,
    docs: Arc<Shared>,
}

impl Inspector {
    pub(crate) fn new(engine: Arc<dyn InspectEngine>, docs: Arc<Shared>) -> Self {
        Self { engine, docs }
    }

    /// Events after a sequence, in order; at most `limit`, capped at [`EVENTS_READ_MAX`]. Gaps are stepped over.
    ///
    /// # Errors
    /// When the store fails, or a column holds something of another type.
    pub async fn events(&self, after: i64, limit: u32) -> Result<Vec<StoredEvent>> {
        self.engine.events(after, limit.min(EVENTS_READ_MAX)).await
    }

    /// As [`Inspector::events`], with the link of each.
    ///
    /// # Errors
    /// As [`Inspector::events`].
    pub async fn linked_events(&self, after: i64, limit: u32) -> Result<Vec<LinkedEvent>> {
        self.engine.linked_events(after, limit.min(EVENTS_READ_MAX)).await
    }

    /// The chain of the events.
    #[must_use]
    pub fn chain(&self) -> &EventChain {
        self.engine.chain()
    }

    /// What the outbox holds.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn extent(&self) -> Result<Extent> {
        self.engine.extent().await
    }

    /// Remembered answers after a key, in the order of their keys; at most `limit`, capped at [`INSPECT_MAX`].
    ///
    /// # Errors
    /// When the store fails, or a column holds something of another type.
    pub async fn requests(&self, after: &RequestId, limit: u32) -> Result<Vec<StoredRequest>> {
        self.engine.stored_requests(after, limit.min(INSPECT_MAX)).await
    }

    /// Every consumer's position.
    ///
    /// # Errors
    /// When the store fails, or a column holds something of another type.
    pub async fn positions(&self) -> Result<Vec<StoredPosition>> {
        self.engine.stored_positions().await
    }

    /// What the database notes about itself.
    ///
    /// # Errors
    /// When the store fails, or a column holds something of another type.
    pub async fn notes(&self) -> Result<StoredNotes> {
        self.engine.stored_notes().await
    }

    /// Events set aside, at most [`PARKED_LIST_MAX`].
    ///
    /// # Errors
    /// When the store fails, or a column holds something of another type.
    pub async fn parked(&self) -> Result<Vec<ParkedEvent>> {
        self.engine.parked(PARKED_LIST_MAX).await
    }

    /// Documents after an id, by id; at most `limit`, capped at [`INSPECT_MAX`].
    ///
    /// # Errors
    /// When the store fails, or a column holds something of another type.
    pub async fn documents<T: Document>(&self, after: &str, limit: u32) -> Result<Vec<StoredDocument<T>>> {
        self.docs.prepare::<T>().await?;
        let names: Vec<&'static str> = T::INDEXES.iter().map(|index| index.name).collect();
        let rows = self.engine.stored_documents(T::KIND, &names, after, limit.min(INSPECT_MAX)).await?;
        Ok(rows.into_iter().map(|(row, keys)| stored(row, keys)).collect())
    }
}

fn stored<T: Document>(row: DocRow, keys: Vec<Value>) -> StoredDocument<T> {
    let value: std::result::Result<T, String> =
        serde_json::from_str(&row.body).map_err(|cause| cause.to_string());
    let mut wrong_keys = Vec::new();
    if let Ok(value) = &value {
        let expected = index_values(value);
        for ((index, expected), found) in T::INDEXES.iter().zip(expected).zip(keys) {
            if expected != found {
                wrong_keys.push((index.name, expected, found));
            }
        }
    }
    StoredDocument { id: row.id, version: row.version, value, wrong_keys }
}
