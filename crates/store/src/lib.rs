//! Storage: three shapes, and the engines behind them.
//!
//! [`Sql`] holds rows, [`Docs`] documents, [`Kv`] what may be lost. No caller's code runs inside a transaction: a
//! [`Batch`] is statements with the rows that they must touch, the events to publish, the request key with its answer, and
//! the consumer's position, and all of it is written or nothing. Read, decide purely, commit on what was read, retry on
//! conflict. A [`Database`] is one service's; one commit covers everything in it.
//!
//! The engines are in `sqlite`: `mem:` and `dir:PATH`. Another one implements the traits in [`engine`] and passes
//! `store::conformance`.

mod batch;
mod chain;
#[cfg(feature = "conformance")]
pub mod conformance;
mod database;
mod docs;
pub mod engine;
mod error;
pub mod faulty;
#[cfg(feature = "conformance")]
pub mod floor;
mod inspect;
mod kv;
mod lease;
mod migration;
mod outbox;
mod parked;
pub mod portable;
mod retention;
mod row;
mod sql;
mod sqlite;
mod timings;
mod value;

pub use batch::{
    BATCH_BYTES_MAX, Batch, Committed, Consumed, EVENTS_MAX, NAME_CHARS_MAX, NewEvent, Position, RequestKey,
    STATEMENTS_MAX, StoredEvent,
};
pub use chain::{ChainCheck, ChainHead, EventChain, Link, LinkedEvent, parse_link};
pub use database::{Database, OpenOptions, open};
pub use docs::{
    DOC_BYTES_MAX, DOCS_GET_MAX, DOCS_LIST_MAX, Docs, Document, Index, List, Put, UPDATE_TRIES_MAX, Updated,
    Versioned,
};
pub use engine::Gap;
pub use error::CommitError;
pub use faulty::Faults;
pub use inspect::{
    INSPECT_MAX, InspectEngine, Inspector, NOTE_HEAD, NOTE_PRUNED, NOTE_PRUNED_BEFORE, NOTE_PRUNED_LINK,
    NOTES_MAX, NOTES_OTHER, RequestId, StoredDocument, StoredEpoch, StoredNotes, StoredPosition,
    StoredRequest,
};
pub use kv::{KV_ENTRIES_MAX, KV_KEY_BYTES_MAX, KV_VALUE_BYTES_MAX, Kv, KvEngine, Quota, Taken};
pub use lease::{Lease, Leases};
pub use migration::Migration;
pub use outbox::{EVENTS_READ_MAX, Outbox};
pub use parked::{PARKED_LIST_MAX, Parked, ParkedEvent};
pub use row::Row;
pub use sql::{ROWS_MAX, Sql};
pub use sqlite::files::{add_to_list, is_listed, prepare_directory, tighten_directory, tighten_path};
pub use sqlite::readers::readers_kept;
pub use timings::{Operation, Timings};
pub use value::{Statement, Value, sql};
