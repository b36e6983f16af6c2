//! Documents: one JSON value per id, with a version and declared indexes.

mod cursor;
mod handle;
mod ready;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use handle::Docs;
pub(crate) use handle::{Shared, keys as index_values};
use ready::Ready;

use crate::batch::{Consumed, Effects, NewEvent, RequestKey};
use crate::lease::Lease;
use crate::parked::ParkedEvent;
use crate::value::Value;

/// The most documents that are read by id or by value at once.
pub const DOCS_GET_MAX: usize = 1_000;
/// The most documents in a page of [`Docs::list`].
pub const DOCS_LIST_MAX: u32 = 1_000;
/// The most bytes of a document's JSON.
pub const DOC_BYTES_MAX: usize = 4 << 20;
/// How often [`Docs::update`] starts over before it gives up.
pub const UPDATE_TRIES_MAX: u32 = 16;

/// A kind of documents.
pub trait Document: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// Its name: `[a-z][a-z0-9_]*`, at most 40 characters; a table or collection of this name holds the kind.
    const KIND: &'static str;
    /// Its indexes. An index that is added later is filled in when the kind is first used.
    const INDEXES: &'static [Index];
    /// The value for each declared index that has one; absent and `Null` are not indexed (and not unique).
    fn keys(&self) -> Vec<(&'static str, Value)>;
}

/// A declared index of a kind of documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Index {
    /// Its name: `[a-z][a-z0-9_]*`, at most 40 characters.
    pub name: &'static str,
    /// Whether a value may be there only once.
    pub unique: bool,
}

impl Index {
    /// An index over values that repeat.
    #[must_use]
    pub const fn plain(name: &'static str) -> Self {
        Self { name, unique: false }
    }

    /// An index over values that are there once.
    #[must_use]
    pub const fn unique(name: &'static str) -> Self {
        Self { name, unique: true }
    }
}

/// A kind of documents as this process has it.
#[derive(Clone, Copy, Debug)]
pub struct DeclaredKind {
    /// Its name.
    pub kind: &'static str,
    /// Its indexes.
    pub indexes: &'static [Index],
    /// Whether its table and indexes were made, or found, since the database was opened.
    pub ready: bool,
}

/// A document as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned<T> {
    /// Its id.
    pub id: String,
    /// Its version, from 1; goes up by one with each write.
    pub version: i64,
    /// Its value.
    pub value: T,
}

/// Which documents to list, in the order of (index value, id), or of id without an index.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// A declared index: documents without a value in it are left out.
    pub index: Option<&'static str>,
    /// Only documents with this value in the index.
    pub equals: Option<Value>,
    /// `next` of the page before.
    pub after: Option<String>,
    /// At most so many, 1 to [`DOCS_LIST_MAX`].
    pub limit: u32,
}

#[derive(Clone, Debug)]
enum Change<T> {
    Create(T),
    Replace(i64, T),
    Delete(i64),
}

/// One document's change under its precondition, with what goes along in the same commit.
#[derive(Clone, Debug)]
#[must_use]
pub struct Put<T> {
    id: String,
    change: Change<T>,
    effects: Effects,
}

impl<T> Put<T> {
    fn new(id: impl Into<String>, change: Change<T>) -> Self {
        Self { id: id.into(), change, effects: Effects::default() }
    }

    /// A document that must not be there yet; gets version 1.
    pub fn create(id: impl Into<String>, value: T) -> Self {
        Self::new(id, Change::Create(value))
    }

    /// Another value for the document that has version `seen`; gets the next version.
    pub fn replace(id: impl Into<String>, seen: i64, value: T) -> Self {
        Self::new(id, Change::Replace(seen, value))
    }

    /// Removes the document that has version `seen`. Its id may be created again.
    pub fn delete(id: impl Into<String>, seen: i64) -> Self {
        Self::new(id, Change::Delete(seen))
    }

    /// An event to publish; events keep their order.
    pub fn event(mut self, event: NewEvent) -> Self {
        self.effects.events.push(event);
        self
    }

    /// Several events in order.
    pub fn events(mut self, events: impl IntoIterator<Item = NewEvent>) -> Self {
        self.effects.events.extend(events);
        self
    }

    /// The request key with the answer to give when it comes again.
    pub fn remember(mut self, key: RequestKey, answer: Vec<u8>) -> Self {
        self.effects.remember = Some((key, answer));
        self
    }

    /// A consumer's step, together with its effect.
    pub fn position(mut self, consumed: Consumed) -> Self {
        self.effects.positions.push(consumed);
        self
    }

    /// Writes only while the lease is held; see [`crate::Batch::fence`].
    pub fn fence(mut self, lease: &Lease) -> Self {
        self.effects.fences.push(lease.clone());
        self
    }

    /// Sets an event aside; see [`crate::Batch::park`].
    pub fn park(mut self, event: ParkedEvent) -> Self {
        self.effects.parks.push(event);
        self
    }

    /// The version that the document will have; 0 when it is removed.
    #[must_use]
    pub fn version(&self) -> i64 {
        match self.change {
            Change::Create(_) => 1,
            Change::Replace(seen, _) => seen + 1,
            Change::Delete(_) => 0,
        }
    }
}

/// How an update ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Updated<R> {
    /// Decided and, where there was something to write, written: what the decision returned, and the document's version
    /// now (0 when it is not there).
    Done(R, i64),
    /// The request was done before: this was its answer.
    Replayed(Vec<u8>),
}
