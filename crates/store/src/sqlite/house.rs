//! `Engine` on SQLite: events, answers, positions, parked events, leases.

use std::time::Duration;

use async_trait::async_trait;
use kernel::{Error, EventId, Result, Timestamp};
use rusqlite::{Connection, OptionalExtension};
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use super::errors::serving;
use super::{Backend, Sqlite, schema};
use crate::batch::{Batch, NewEvent, Position, StoredEvent};
use crate::docs::DeclaredKind;
use crate::engine::{Engine, Extent, Gap, LeaseRow, Remembered};
use crate::error::CommitError;
use crate::parked::ParkedEvent;
use crate::value::Statement;

const OLDEST: &str = "SELECT min(sequence) FROM souk_outbox";
const NEWEST: &str = "SELECT max(sequence) FROM souk_outbox";
/// The most bytes of payloads that one read of events returns, unless the first event alone has more.
const EVENTS_BYTES_MAX: usize = 4 << 20;

/// Sequence, time and link of an event that may be pruned.
type PrunedRow = (i64, i64, Option<Vec<u8>>);

#[async_trait]
impl Engine for Sqlite {
    fn exclusive(&self) -> bool {
        true
    }

    fn run(&self) -> &str {
        &self.opened.run
    }

    fn retention_now(&self) -> Timestamp {
        self.opened.retention.now()
    }

    fn doubts_clock(&self) -> bool {
        self.opened.retention.is_doubted()
    }

    fn check_files(&self) -> Result<()> {
        match &self.backend {
            Backend::Memory(_) => Ok(()),
            Backend::Directory(directory) => directory.present.check(),
        }
    }

    async fn problems(&self, kinds: &[DeclaredKind]) -> Result<Vec<String>> {
        self.check_integrity(kinds).await
    }

    fn watch(&self) -> watch::Receiver<Position> {
        self.newest.clone()
    }

    async fn remembered(&self, principal: &str, method: &str, id: &str) -> Result<Option<Remembered>> {
        let now = self.retention_now().micros();
        let found = self.read(|conn| {
            one(conn, schema::SELECT_REQUEST, (principal, method, id), |row| {
                Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, i64>(1)?, row.get::<_, Vec<u8>>(2)?))
            })
        })?;
        let Some((fingerprint, _, answer)) = found.filter(|(_, expires_at, _)| *expires_at > now) else {
            return Ok(None);
        };
        let fingerprint =
            fingerprint.try_into().map_err(|_| Error::internal("a fingerprint has 32 bytes"))?;
        Ok(Some(Remembered { fingerprint, answer }))
    }

    async fn position(&self, source: &str, consumer: &str) -> Result<Option<Position>> {
        self.read(|conn| {
            one(conn, schema::SELECT_POSITION, (source, consumer), |row| {
                Ok(Position { epoch: row.get(0)?, sequence: row.get(1)? })
            })
        })
    }

    async fn extent(&self) -> Result<Extent> {
        let oldest = self.read(|conn| one(conn, OLDEST, (), |row| row.get::<_, Option<i64>>(0)))?;
        let head = *self.newest.borrow();
        Ok(Extent {
            epochs: self.opened.epochs.clone(),
            oldest: oldest.flatten().unwrap_or(head.sequence + 1),
            head,
        })
    }

    async fn events(&self, after: i64, limit: u32) -> Result<Vec<StoredEvent>> {
        self.read(|conn| self.stored_events(conn, after, limit, |_, event| Ok(event)))
    }

    async fn gaps(&self, limit: u32) -> Result<Vec<Gap>> {
        let within = "SELECT before + 1, sequence - 1 FROM \
            (SELECT sequence, lag(sequence) OVER (ORDER BY sequence) AS before FROM souk_outbox) \
            WHERE sequence > before + 1 ORDER BY sequence LIMIT ?";
        let head = self.newest.borrow().sequence;
        self.read(|conn| {
            let pruned = one(conn, schema::SELECT_META, [schema::PRUNED], |row| row.get::<_, String>(0))?;
            let first = pruned.and_then(|pruned| pruned.parse().ok()).unwrap_or(0) + 1;
            let oldest = one(conn, OLDEST, (), |row| row.get::<_, Option<i64>>(0))?.flatten();
            let mut gaps: Vec<Gap> = oldest
                .filter(|oldest| *oldest > first)
                .map(|oldest| Gap { from: first, to: oldest - 1 })
                .into_iter()
                .collect();
            gaps.extend(all(conn, within, [limit], |row| Ok(Gap { from: row.get(0)?, to: row.get(1)? }))?);
            // Read before the newest row, so that what is committed meanwhile is no gap.
            let newest = one(conn, NEWEST, (), |row| row.get::<_, Option<i64>>(0))?.flatten();
            let last = newest.unwrap_or(first - 1);
            if last < head {
                gaps.push(Gap { from: last + 1, to: head });
            }
            gaps.truncate(limit as usize);
            Ok(gaps)
        })
    }

    async fn prune(&self, before: Timestamp, rows_max: u32) -> Result<u64> {
        // The oldest rows without a hole: up to the first that stays, whatever the clock did in between.
        let window = "SELECT sequence, time, link FROM souk_outbox \
            WHERE sequence < (SELECT max(sequence) FROM souk_outbox) ORDER BY sequence LIMIT ?";
        let (rows, former): (Vec<PrunedRow>, Option<String>) = self.read(|conn| {
            let rows = all(conn, window, [rows_max], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            Ok((rows, one(conn, schema::SELECT_META, [schema::PRUNED_BEFORE], |row| row.get(0))?))
        })?;
        let old: Vec<PrunedRow> =
            rows.into_iter().take_while(|(_, time, _)| *time < before.micros()).collect();
        let Some((last, _, link)) = old.last() else { return Ok(0) };
        let former = former.and_then(|former| former.parse::<i64>().ok()).unwrap_or(0);
        let newest = old.iter().map(|(_, time, _)| time.saturating_add(1)).fold(former, i64::max);
        let delete = Statement::native("DELETE FROM souk_outbox WHERE sequence <= ?").bind(*last);
        let note = Statement::native(schema::SET_META).bind(schema::PRUNED).bind(last.to_string());
        let by = Statement::native(schema::SET_META).bind(schema::PRUNED_BEFORE).bind(newest.to_string());
        // What is kept goes on from this link.
        let link = link.as_ref().map(hex::encode).unwrap_or_default();
        let link = Statement::native(schema::SET_META).bind(schema::PRUNED_LINK).bind(link);
        self.write(Batch::new().run(delete).run(note).run(by).run(link)).await?;
        Ok(old.len() as u64)
    }

    async fn sweep(&self, rows_max: u32) -> Result<u64> {
        let now = self.retention_now().micros();
        let expired = "SELECT count(*) FROM (SELECT 1 FROM souk_request WHERE expires_at <= ? LIMIT ?)";
        let count =
            self.read(|conn| one(conn, expired, (now, rows_max), |row| row.get::<_, i64>(0)))?.unwrap_or(0);
        if count > 0 {
            let delete = Statement::native(schema::SWEEP_REQUESTS).bind(now).bind(count);
            self.write(Batch::new().run(delete)).await?;
        }
        Ok(count.unsigned_abs())
    }

    async fn parked(&self, limit: u32) -> Result<Vec<ParkedEvent>> {
        let query = "SELECT source, consumer, epoch, sequence, aggregate_id, reason, event, parked_at FROM souk_parked \
            ORDER BY source, consumer, epoch, sequence LIMIT ?";
        self.read(|conn| {
            all(conn, query, [limit], |row| {
                Ok(ParkedEvent {
                    source: row.get(0)?,
                    consumer: row.get(1)?,
                    position: Position { epoch: row.get(2)?, sequence: row.get(3)? },
                    aggregate_id: row.get(4)?,
                    reason: row.get(5)?,
                    event: row.get(6)?,
                    parked_at: Timestamp::from_micros(row.get(7)?),
                })
            })
        })
    }

    async fn is_parked(&self, source: &str, consumer: &str, aggregate_id: &str) -> Result<bool> {
        let query =
            "SELECT 1 FROM souk_parked WHERE source = ? AND consumer = ? AND aggregate_id = ? LIMIT 1";
        self.read(|conn| Ok(one(conn, query, (source, consumer, aggregate_id), |_| Ok(()))?.is_some()))
    }

    async fn unpark(&self, source: &str, consumer: &str, position: Position) -> Result<bool> {
        let delete =
            "DELETE FROM souk_parked WHERE source = ? AND consumer = ? AND epoch = ? AND sequence = ?";
        let delete = Statement::native(delete)
            .bind(source)
            .bind(consumer)
            .bind(position.epoch)
            .bind(position.sequence);
        self.write_one(delete).await
    }

    async fn lease(&self, name: &str) -> Result<Option<LeaseRow>> {
        let query = "SELECT owner, epoch, beat, ttl_us, run FROM souk_lease WHERE name = ?";
        self.read(|conn| {
            one(conn, query, [name], |row| {
                Ok(LeaseRow {
                    name: name.to_owned(),
                    owner: row.get(0)?,
                    epoch: row.get(1)?,
                    beat: row.get(2)?,
                    ttl: Duration::from_micros(row.get::<_, i64>(3)?.unsigned_abs()),
                    run: row.get(4)?,
                })
            })
        })
    }

    async fn set_lease(&self, from: Option<&LeaseRow>, to: &LeaseRow) -> Result<bool> {
        let ttl_us = i64::try_from(to.ttl.as_micros()).unwrap_or(i64::MAX);
        let text = match from {
            Some(_) => {
                "UPDATE souk_lease SET owner = ?, epoch = ?, beat = ?, ttl_us = ?, run = ? \
                WHERE name = ? AND owner = ? AND epoch = ? AND beat = ?"
            }
            None => {
                "INSERT INTO souk_lease (owner, epoch, beat, ttl_us, run, name) VALUES (?, ?, ?, ?, ?, ?)"
            }
        };
        let mut set = Statement::native(text)
            .bind(&to.owner)
            .bind(to.epoch)
            .bind(to.beat)
            .bind(ttl_us)
            .bind(&to.run)
            .bind(&to.name);
        if let Some(from) = from {
            set = set.bind(&from.owner).bind(from.epoch).bind(from.beat);
        }
        self.write_one(set).await
    }
}

impl Sqlite {
    /// Writes a statement that touches one row, or finds that another one was there first.
    async fn write_one(&self, statement: Statement) -> Result<bool> {
        match self.write(Batch::new().expect(statement, 1, "")).await {
            Ok(_) => Ok(true),
            Err(CommitError::Unexpected { .. } | CommitError::Duplicate { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Events after a sequence, each with what `take` makes of it and of its row, whose column 6 is the link.
    pub(super) fn stored_events<T>(
        &self,
        conn: &Connection,
        after: i64,
        limit: u32,
        take: impl Fn(&rusqlite::Row<'_>, StoredEvent) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let query = "SELECT sequence, time, aggregate_id, aggregate_version, type_name, payload, link FROM souk_outbox \
            WHERE sequence > ? ORDER BY sequence LIMIT ?";
        let mut prepared = conn.prepare_cached(query).map_err(serving)?;
        let mut rows = prepared.query((after, limit)).map_err(serving)?;
        let (mut events, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next().map_err(serving)? {
            let event = self.stored_event(row).map_err(serving)?;
            bytes += event.event.payload.len();
            if bytes > EVENTS_BYTES_MAX && !events.is_empty() {
                break;
            }
            events.push(take(row, event).map_err(serving)?);
        }
        Ok(events)
    }

    fn stored_event(&self, row: &rusqlite::Row<'_>) -> rusqlite::Result<StoredEvent> {
        let sequence = row.get(0)?;
        let position = Position { epoch: self.epoch_of(sequence), sequence };
        let time = Timestamp::from_micros(row.get(1)?);
        let event = NewEvent {
            aggregate_id: row.get(2)?,
            aggregate_version: row.get(3)?,
            type_name: row.get(4)?,
            payload: row.get(5)?,
        };
        Ok(StoredEvent { position, id: event_id(&self.name, position, time), time, event })
    }

    fn epoch_of(&self, sequence: i64) -> i64 {
        let epochs = &self.opened.epochs;
        epochs.iter().rev().find(|(_, first)| *first <= sequence).map_or(0, |(epoch, _)| *epoch)
    }
}

/// The id of an event follows from its place, so it need not be kept: a place in the outbox of one database is unique.
fn event_id(name: &str, position: Position, time: Timestamp) -> EventId {
    let digest = Sha256::new()
        .chain_update(name.as_bytes())
        .chain_update(position.epoch.to_be_bytes())
        .chain_update(position.sequence.to_be_bytes())
        .finalize();
    let mut random = [0_u8; 10];
    random.copy_from_slice(&digest[..10]);
    EventId::from_parts(time, random)
}

fn one<P: rusqlite::Params, R>(
    conn: &Connection,
    text: &str,
    values: P,
    read: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<R>,
) -> Result<Option<R>> {
    let mut prepared = conn.prepare_cached(text).map_err(serving)?;
    prepared.query_row(values, read).optional().map_err(serving)
}

fn all<P: rusqlite::Params, R>(
    conn: &Connection,
    text: &str,
    values: P,
    read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<R>,
) -> Result<Vec<R>> {
    let mut prepared = conn.prepare_cached(text).map_err(serving)?;
    prepared.query_map(values, read).and_then(Iterator::collect).map_err(serving)
}
