//! Writes one batch into the open transaction.

use kernel::{Error, Timestamp};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ToSql};

use super::errors::{is_duplicate, serving, violated_column};
use super::schema;
use crate::batch::{Batch, Consumed, Effects, Label, NewEvent, Op, RequestKey, Rows};
use crate::chain::{ChainHead, EventChain};
use crate::error::{CommitError, FENCE};
use crate::lease::Lease;
use crate::parked::ParkedEvent;
use crate::value::{Statement, Value};

type Applied<T = ()> = Result<T, CommitError>;

/// The times of a write.
#[derive(Clone, Copy)]
pub(super) struct Times {
    /// Wall time: of events, and from which on answers are kept.
    pub(super) now: Timestamp,
    /// Answers whose time ended before this are forgotten.
    pub(super) expired: Timestamp,
}

/// Writes everything of a batch after the newest event `head`; returns the newest after it. What it wrote before it failed stays in
/// the transaction: the caller undoes it.
pub(super) fn batch(
    conn: &Connection,
    batch: &Batch,
    times: Times,
    (chain, head): (&EventChain, ChainHead),
) -> Applied<ChainHead> {
    let Batch { ops, effects } = batch;
    let Effects { events, remember, positions, fences, parks } = effects;
    // The request key comes first: a batch that was done before must not fail on its own traces.
    if let Some((key, answer)) = remember {
        request(conn, key, answer, times)?;
    }
    for lease in fences {
        fence(conn, lease)?;
    }
    for consumed in positions {
        position(conn, consumed)?;
    }
    for op in ops {
        statement(conn, op)?;
    }
    let after = publish(conn, events, times.now, (chain, head))?;
    for event in parks {
        park(conn, event)?;
    }
    Ok(after)
}

fn statement(conn: &Connection, op: &Op) -> Applied {
    let Op { statement, rows, label } = op;
    let mut prepared = prepare(conn, statement)?;
    if *rows == Rows::Some {
        let found = prepared.raw_query().next().map_err(failed)?.is_some();
        return if found { Ok(()) } else { Err(unexpected(label, 0)) };
    }
    let touched = match prepared.raw_execute() {
        Ok(touched) => touched as u64,
        Err(error) if is_duplicate(&error) => return Err(duplicate(label, &error)),
        Err(error) => return Err(failed(error)),
    };
    match rows {
        Rows::Exactly(wanted) if touched != *wanted => Err(unexpected(label, touched)),
        _ => Ok(()),
    }
}

fn unexpected(label: &Label, rows: u64) -> CommitError {
    let label = match label {
        Label::Text(text) => text.clone().into_owned(),
        Label::Document => "version".to_owned(),
    };
    CommitError::Unexpected { label, rows }
}

fn duplicate(label: &Label, error: &rusqlite::Error) -> CommitError {
    let label = match label {
        Label::Text(text) => text.clone().into_owned(),
        Label::Document => {
            let column = violated_column(error).unwrap_or("id");
            column.strip_prefix("k_").unwrap_or(column).to_owned()
        }
    };
    CommitError::Duplicate { label }
}

fn request(conn: &Connection, key: &RequestKey, answer: &[u8], times: Times) -> Applied {
    let (expires_at, fingerprint) = (times.now.plus(key.keep).micros(), key.fingerprint.as_slice());
    let mut insert = conn.prepare_cached(schema::INSERT_REQUEST).map_err(failed)?;
    match insert.execute((&key.principal, key.method, &key.id, fingerprint, expires_at, answer)) {
        Ok(_) => return Ok(()),
        Err(error) if is_duplicate(&error) => {}
        Err(error) => return Err(failed(error)),
    }
    let mut select = conn.prepare_cached(schema::SELECT_REQUEST).map_err(failed)?;
    let known = select.query_row((&key.principal, key.method, &key.id), |row| {
        Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, i64>(1)?, row.get::<_, Vec<u8>>(2)?))
    });
    let (known_fingerprint, known_expires_at, known_answer) = known.map_err(failed)?;
    if known_expires_at > times.expired.micros() {
        let same = known_fingerprint == fingerprint;
        return Err(if same { CommitError::Replayed(known_answer) } else { CommitError::KeyReused });
    }
    // Its time is over but nobody swept it yet.
    let mut update = conn.prepare_cached(schema::UPDATE_REQUEST).map_err(failed)?;
    update.execute((fingerprint, expires_at, answer, &key.principal, key.method, &key.id)).map_err(failed)?;
    Ok(())
}

fn fence(conn: &Connection, lease: &Lease) -> Applied {
    let mut select = conn.prepare_cached(schema::SELECT_FENCE).map_err(failed)?;
    if select.exists((lease.name(), lease.owner(), lease.epoch())).map_err(failed)? {
        return Ok(());
    }
    Err(CommitError::Unexpected { label: format!("{FENCE}{}", lease.name()), rows: 0 })
}

fn position(conn: &Connection, consumed: &Consumed) -> Applied {
    let Consumed { source, consumer, from, to } = consumed;
    let touched = match from {
        Some(from) => {
            let mut update = conn.prepare_cached(schema::UPDATE_POSITION).map_err(failed)?;
            update.execute((to.epoch, to.sequence, source, consumer, from.epoch, from.sequence))
        }
        None => {
            let mut insert = conn.prepare_cached(schema::INSERT_POSITION).map_err(failed)?;
            insert.execute((source, consumer, to.epoch, to.sequence))
        }
    };
    match touched {
        Ok(1) => Ok(()),
        Ok(_) => Err(CommitError::PositionMoved),
        Err(error) if is_duplicate(&error) => Err(CommitError::PositionMoved),
        Err(error) => Err(failed(error)),
    }
}

fn publish(
    conn: &Connection,
    events: &[NewEvent],
    now: Timestamp,
    (chain, mut head): (&EventChain, ChainHead),
) -> Applied<ChainHead> {
    if events.is_empty() {
        return Ok(head);
    }
    let mut insert = conn.prepare_cached(schema::INSERT_EVENT).map_err(failed)?;
    for event in events {
        let NewEvent { aggregate_id, aggregate_version, type_name, payload } = event;
        let sequence = head.sequence + 1;
        head = ChainHead { sequence, link: chain.link(&head.link, sequence, now.micros(), event) };
        insert
            .execute((sequence, now.micros(), aggregate_id, aggregate_version, type_name, payload, head.link))
            .map_err(failed)?;
    }
    Ok(head)
}

/// Notes the newest event, once for all batches of a transaction.
pub(super) fn write_head(conn: &Connection, chain: &EventChain, head: ChainHead) -> Result<(), Error> {
    let mut set = conn.prepare_cached(schema::SET_META).map_err(serving)?;
    set.execute((schema::HEAD, chain.sign_head(head))).map_err(serving)?;
    Ok(())
}

fn park(conn: &Connection, parked: &ParkedEvent) -> Applied {
    let ParkedEvent { source, consumer, aggregate_id, position, reason, event, parked_at } = parked;
    let mut insert = conn.prepare_cached(schema::INSERT_PARKED).map_err(failed)?;
    let row = (
        source,
        consumer,
        position.epoch,
        position.sequence,
        aggregate_id,
        reason,
        event,
        parked_at.micros(),
    );
    match insert.execute(row) {
        Ok(_) => Ok(()),
        Err(error) if is_duplicate(&error) => Err(CommitError::Duplicate { label: "parked".to_owned() }),
        Err(error) => Err(failed(error)),
    }
}

/// A statement from the connection's cache with its values bound.
pub(super) fn prepare<'conn>(
    conn: &'conn Connection,
    statement: &Statement,
) -> Result<CachedStatement<'conn>, Error> {
    let mut prepared =
        conn.prepare_cached(statement.text()).map_err(|error| in_statement(error, statement))?;
    let (wanted, given) = (prepared.parameter_count(), statement.values.len());
    if wanted != given {
        return Err(Error::internal(format!(
            "{given} values for {wanted} placeholders in: {}",
            statement.text()
        )));
    }
    for (at, value) in statement.values.iter().enumerate() {
        prepared.raw_bind_parameter(at + 1, Bound(value)).map_err(serving)?;
    }
    Ok(prepared)
}

fn in_statement(error: rusqlite::Error, statement: &Statement) -> Error {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::Unknown) => Error::internal(format!("{error} in: {}", statement.text())),
        _ => serving(error),
    }
}

fn failed(error: rusqlite::Error) -> CommitError {
    CommitError::Failed(serving(error))
}

/// A value on its way into a statement, not copied.
struct Bound<'a>(&'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Int(int) => ValueRef::Integer(*int),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
