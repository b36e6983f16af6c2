//! What one commit writes: all of it, or nothing.

use std::borrow::Cow;
use std::time::Duration;

use kernel::{Error, Result, Timestamp};

use crate::lease::Lease;
use crate::parked::ParkedEvent;
use crate::value::Statement;

/// The most statements in a batch.
pub const STATEMENTS_MAX: usize = 20_000;
/// The most events in a batch.
pub const EVENTS_MAX: usize = 20_000;
/// The most bytes that a batch writes: texts, values, events, the answer.
pub const BATCH_BYTES_MAX: usize = 32 << 20;
/// The most characters of a principal, a method, an idempotency key, a consumer, an aggregate's id.
pub const NAME_CHARS_MAX: usize = 256;

/// A place in an outbox. Sequences are gap-free within a database; an epoch begins when a database was made, restored
/// or copied, and goes up with time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// When the numbering began: milliseconds since 1970, or one more than the epoch before. 0 is before all events.
    pub epoch: i64,
    /// Number of the event, from 1; goes on through epochs. 0 is before all events.
    pub sequence: i64,
}

impl Position {
    /// Before the first event.
    pub const START: Self = Self { epoch: 0, sequence: 0 };
}

/// An event to publish with the commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// What it happened to; order holds within an aggregate. At most [`NAME_CHARS_MAX`] characters.
    pub aggregate_id: String,
    /// The aggregate's version after it.
    pub aggregate_version: i64,
    /// Full name of the protobuf message, for example `souk.order.v1.OrderConfirmed`.
    pub type_name: String,
    /// The encoded message.
    pub payload: Vec<u8>,
}

/// An idempotency key: unique per principal and method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    /// Who asked.
    pub principal: String,
    /// For example `cart.AddLine`.
    pub method: &'static str,
    /// The key that the caller chose.
    pub id: String,
    /// SHA-256 of the request, so that the key cannot be used for another one.
    pub fingerprint: [u8; 32],
    /// How long the answer is remembered.
    pub keep: Duration,
}

/// A consumer's step over a source's events: moves only if it still stands at `from`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumed {
    /// Whose events, for example `order`.
    pub source: String,
    /// Who applies them.
    pub consumer: String,
    /// Where the consumer stood; `None` when it has not begun.
    pub from: Option<Position>,
    /// Where it stands with this commit.
    pub to: Position,
}

/// A commit that is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Position of the last event of this batch, or of the newest event before it when it has none.
    pub head: Position,
}

/// What goes with any write, in any shape.
#[derive(Clone, Debug, Default)]
pub(crate) struct Effects {
    pub(crate) events: Vec<NewEvent>,
    pub(crate) remember: Option<(RequestKey, Vec<u8>)>,
    pub(crate) positions: Vec<Consumed>,
    pub(crate) fences: Vec<Lease>,
    pub(crate) parks: Vec<ParkedEvent>,
}

/// How many rows a statement must touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    /// Any number.
    Any,
    /// Exactly so many.
    Exactly(u64),
    /// It is a query that must return at least one.
    Some,
}

/// What a violated statement is called.
#[derive(Clone, Debug)]
pub(crate) enum Label {
    Text(Cow<'static, str>),
    /// A document's row: a violation is called by the index that was violated, a missed row `version`.
    Document,
}

#[derive(Clone, Debug)]
pub(crate) struct Op {
    pub(crate) statement: Statement,
    pub(crate) rows: Rows,
    pub(crate) label: Label,
}

/// Statements with the row counts that they must touch, events, the request key with its answer, positions: one commit.
///
/// Statements run in order; the first that fails its expectation undoes the batch. What was read before must be part of
/// a condition (`WHERE version = ?`), since others may have committed in between.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Batch {
    pub(crate) ops: Vec<Op>,
    pub(crate) effects: Effects,
}

impl Batch {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A statement that may touch any number of rows.
    pub fn run(mut self, statement: Statement) -> Self {
        self.push_run(statement);
        self
    }

    /// A statement that must touch exactly `rows` rows, else the batch fails with `Unexpected` and this label.
    pub fn expect(mut self, statement: Statement, rows: u64, label: impl Into<Cow<'static, str>>) -> Self {
        self.push_expect(statement, rows, label);
        self
    }

    /// An INSERT of one row; a name that is taken fails the batch with `Duplicate` and this label.
    pub fn insert(self, statement: Statement, label: impl Into<Cow<'static, str>>) -> Self {
        self.expect(statement, 1, label)
    }

    /// A SELECT that must return at least one row. A conditional UPDATE that is there anyway costs less.
    pub fn guard(mut self, statement: Statement, label: impl Into<Cow<'static, str>>) -> Self {
        self.push_guard(statement, label);
        self
    }

    /// An event to publish; events of a batch keep their order.
    pub fn event(mut self, event: NewEvent) -> Self {
        self.push_event(event);
        self
    }

    /// Several events in order.
    pub fn events(mut self, events: impl IntoIterator<Item = NewEvent>) -> Self {
        self.effects.events.extend(events);
        self
    }

    /// The request key with the answer to give when it comes again. Checked before anything else in the batch.
    pub fn remember(mut self, key: RequestKey, answer: Vec<u8>) -> Self {
        self.push_remember(key, answer);
        self
    }

    /// A consumer's step, together with its effect.
    pub fn position(mut self, consumed: Consumed) -> Self {
        self.push_position(consumed);
        self
    }

    /// Writes only while the lease is held; else `Unexpected` with the label `lease:NAME`.
    pub fn fence(mut self, lease: &Lease) -> Self {
        self.push_fence(lease);
        self
    }

    /// Sets an event aside that could not be applied, together with the step over it.
    pub fn park(mut self, event: ParkedEvent) -> Self {
        self.push_park(event);
        self
    }

    /// See [`Batch::run`].
    pub fn push_run(&mut self, statement: Statement) {
        self.ops.push(Op { statement, rows: Rows::Any, label: Label::Text(Cow::Borrowed("")) });
    }

    /// See [`Batch::expect`].
    pub fn push_expect(&mut self, statement: Statement, rows: u64, label: impl Into<Cow<'static, str>>) {
        self.ops.push(Op { statement, rows: Rows::Exactly(rows), label: Label::Text(label.into()) });
    }

    /// See [`Batch::insert`].
    pub fn push_insert(&mut self, statement: Statement, label: impl Into<Cow<'static, str>>) {
        self.push_expect(statement, 1, label);
    }

    /// See [`Batch::guard`].
    pub fn push_guard(&mut self, statement: Statement, label: impl Into<Cow<'static, str>>) {
        self.ops.push(Op { statement, rows: Rows::Some, label: Label::Text(label.into()) });
    }

    /// See [`Batch::event`].
    pub fn push_event(&mut self, event: NewEvent) {
        self.effects.events.push(event);
    }

    /// See [`Batch::remember`].
    pub fn push_remember(&mut self, key: RequestKey, answer: Vec<u8>) {
        self.effects.remember = Some((key, answer));
    }

    /// See [`Batch::position`].
    pub fn push_position(&mut self, consumed: Consumed) {
        self.effects.positions.push(consumed);
    }

    /// See [`Batch::fence`].
    pub fn push_fence(&mut self, lease: &Lease) {
        self.effects.fences.push(lease.clone());
    }

    /// See [`Batch::park`].
    pub fn push_park(&mut self, event: ParkedEvent) {
        self.effects.parks.push(event);
    }

    /// Statements in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ops.len()
    }

    /// Whether it writes nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty() && self.effects.is_empty()
    }

    /// Checks the limits; returns the bytes it writes.
    pub(crate) fn check(&self) -> Result<usize> {
        let statements = self.ops.len();
        if statements > STATEMENTS_MAX {
            return Err(too_large(format!("{statements} statements, at most {STATEMENTS_MAX}")));
        }
        let bytes = self.ops.iter().map(|op| op.statement.len()).sum::<usize>() + self.effects.check()?;
        if bytes > BATCH_BYTES_MAX {
            return Err(too_large(format!("{bytes} bytes, at most {BATCH_BYTES_MAX}")));
        }
        Ok(bytes)
    }
}

impl Effects {
    fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.remember.is_none()
            && self.positions.is_empty()
            && self.fences.is_empty()
            && self.parks.is_empty()
    }

    fn check(&self) -> Result<usize> {
        let events = self.events.len();
        if events > EVENTS_MAX {
            return Err(too_large(format!("{events} events, at most {EVENTS_MAX}")));
        }
        let mut bytes = 0;
        for event in &self.events {
            name("an aggregate's id", &event.aggregate_id)?;
            name("an event's type", &event.type_name)?;
            bytes += event.aggregate_id.len() + event.type_name.len() + event.payload.len();
        }
        if let Some((key, answer)) = &self.remember {
            name("a principal", &key.principal)?;
            name("an idempotency key", &key.id)?;
            bytes += key.principal.len() + key.id.len() + answer.len();
        }
        for consumed in &self.positions {
            name("a source", &consumed.source)?;
            name("a consumer", &consumed.consumer)?;
        }
        for parked in &self.parks {
            name("an aggregate's id", &parked.aggregate_id)?;
            bytes += parked.event.len() + parked.reason.len();
        }
        Ok(bytes)
    }
}

fn name(what: &str, text: &str) -> Result<()> {
    if text.is_empty() || text.chars().count() > NAME_CHARS_MAX {
        return Err(Error::internal(format!(
            "{what} must have 1 to {NAME_CHARS_MAX} characters, not {text:?}"
        )));
    }
    Ok(())
}

fn too_large(what: String) -> Error {
    Error::invalid(
        "BATCH_TOO_LARGE",
        format!("the change is too large for one commit: {what}; send it in parts"),
    )
}

/// An event as it was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its place.
    pub position: Position,
    /// Its id: the same each time that it is read.
    pub id: kernel::EventId,
    /// When it was committed, by the store's clock.
    pub time: Timestamp,
    /// What happened.
    pub event: NewEvent,
}
