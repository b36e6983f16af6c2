//! The one writer of a database: turns waiting batches into one transaction.

use std::sync::Arc;

use kernel::{Clock, Error};
use rusqlite::Connection;
use tokio::sync::watch;

use super::apply;
use super::errors::serving;
use super::files::Present;
use crate::batch::{Batch, Committed, Position};
use crate::chain::{ChainHead, EventChain};
use crate::error::CommitError;
use crate::retention::Retention;

/// For how many groups savepoints are used after they were needed.
const CAREFUL_FOR: u32 = 16;

/// The connection that writes, and the numbering of events, which only it continues.
pub(super) struct Writer {
    conn: Connection,
    clock: Arc<dyn Clock>,
    retention: Arc<Retention>,
    present: Arc<Present>,
    chain: EventChain,
    /// The present epoch.
    epoch: i64,
    /// The newest durable event.
    head: ChainHead,
    newest: watch::Sender<Position>,
    /// Groups that are still to be written with savepoints.
    careful: u32,
}

/// How the batches of a group are kept apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Apart {
    /// Not at all: one that failed may have written nothing.
    Trusting,
    /// Each in a savepoint, which keeps a copy of every page that it changes.
    Savepoints,
}

/// How each batch of a group ended, in the group's order.
pub(super) type Outcomes = Vec<Result<Committed, CommitError>>;

impl Writer {
    pub(super) fn new(
        conn: Connection,
        clock: Arc<dyn Clock>,
        retention: Arc<Retention>,
        (chain, epoch, head): (EventChain, i64, ChainHead),
    ) -> Self {
        let position = Position { epoch, sequence: head.sequence };
        let (present, newest) = (Arc::new(Present::nothing()), watch::Sender::new(position));
        Self { conn, clock, retention, present, chain, epoch, head, newest, careful: 0 }
    }

    /// Writes only while these files stand where they stood.
    pub(super) fn watching(self, present: Present) -> Self {
        Self { present: Arc::new(present), ..self }
    }

    /// The files that it writes.
    pub(super) fn present(&self) -> Arc<Present> {
        Arc::clone(&self.present)
    }

    pub(super) fn conn(&self) -> &Connection {
        &self.conn
    }

    pub(super) fn watch(&self) -> watch::Receiver<Position> {
        self.newest.subscribe()
    }

    /// Commits the batches of a group together: each alone if it fails, all with one sync. Nobody may be answered before
    /// this returns.
    pub(super) fn commit(&mut self, group: &[&Batch]) -> Outcomes {
        // Looked at on both sides of the write: nobody may be told of a commit into a file that is gone.
        let written = self.present.check().and_then(|()| self.write(group));
        let written = written.and_then(|written| self.present.check().map(|()| written));
        let (outcomes, head) = match written {
            Ok(written) => written,
            Err(error) => {
                self.undo();
                let mut failed: Outcomes =
                    group.iter().skip(1).map(|_| Err(CommitError::Failed(copy(&error)))).collect();
                failed.push(Err(CommitError::Failed(error)));
                return failed;
            }
        };
        if head != self.head {
            self.head = head;
            self.newest.send_replace(self.position(head));
        }
        outcomes
    }

    fn position(&self, head: ChainHead) -> Position {
        Position { epoch: self.epoch, sequence: head.sequence }
    }

    /// The group in one transaction; an error is about all of it.
    ///
    /// Batches seldom fail, and most that do fail at their first statement. So a group is tried without savepoints first; when
    /// one has failed after it had written something, all is undone and written again with them.
    fn write(&mut self, group: &[&Batch]) -> Result<(Outcomes, ChainHead), Error> {
        if group.len() > 1 && self.careful > 0 {
            self.careful -= 1;
        } else if let Some(written) = self.try_write(group, Apart::Trusting)? {
            return Ok(written);
        } else {
            self.careful = CAREFUL_FOR;
        }
        let written = self.try_write(group, Apart::Savepoints)?;
        written.ok_or_else(|| Error::internal("a savepoint keeps batches apart"))
    }

    /// `None`, and nothing written, when the batches have to be kept apart better.
    fn try_write(&self, group: &[&Batch], apart: Apart) -> Result<Option<(Outcomes, ChainHead)>, Error> {
        let times = apply::Times { now: self.clock.now(), expired: self.retention.now() };
        let mut head = self.head;
        let mut outcomes = Vec::with_capacity(group.len());
        // A batch that is alone is undone with the transaction.
        let alone = group.len() == 1;
        let savepoints = apart == Apart::Savepoints && !alone;
        self.step("BEGIN IMMEDIATE")?;
        for batch in group {
            if savepoints {
                self.step("SAVEPOINT batch")?;
            }
            let before = self.conn.total_changes();
            match apply::batch(&self.conn, batch, times, (&self.chain, head)) {
                Ok(after) => {
                    head = after;
                    outcomes.push(Ok(Committed { head: self.position(head) }));
                }
                // A full disk may have ended the transaction, and with it what the others of the group wrote.
                Err(error) if self.conn.is_autocommit() => return Err(error.into()),
                Err(error) => {
                    outcomes.push(Err(error));
                    if savepoints {
                        self.step("ROLLBACK TO batch")?;
                    } else if !alone && self.conn.total_changes() != before {
                        self.step("ROLLBACK")?;
                        return Ok(None);
                    }
                }
            }
            if savepoints {
                self.step("RELEASE batch")?;
            }
        }
        if head != self.head {
            apply::write_head(&self.conn, &self.chain, head)?;
        }
        let any = outcomes.iter().any(Result::is_ok);
        self.step(if any { "COMMIT" } else { "ROLLBACK" })?;
        Ok(Some((outcomes, head)))
    }

    fn step(&self, text: &'static str) -> Result<(), Error> {
        let mut step = self.conn.prepare_cached(text).map_err(serving)?;
        step.raw_execute().map_err(serving)?;
        Ok(())
    }

    /// Leaves no transaction open after a failure, so that the next group finds a clean connection.
    fn undo(&self) {
        if !self.conn.is_autocommit()
            && let Err(error) = self.step("ROLLBACK")
        {
            tracing::error!(%error, "a failed transaction could not be rolled back");
        }
    }
}

/// The same failure for another one of the group; one of them has the cause.
fn copy(error: &Error) -> Error {
    Error::new(error.code(), error.reason().to_owned(), error.message().to_owned()).retry(error.retryable())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::NewEvent;
    use crate::conformance::{MIGRATIONS, TestClock};
    use crate::value::sql;

    fn writer() -> Writer {
        let chain = EventChain::new(b"", "test");
        super::super::open::memory("test", MIGRATIONS, TestClock::new(), chain).expect("opens").0
    }

    fn batch(id: i64, bytes: usize) -> Batch {
        let insert = sql("INSERT INTO anything (id, b) VALUES (?, ?)").bind(id).bind(vec![1_u8; bytes]);
        let event = NewEvent {
            aggregate_id: id.to_string(),
            aggregate_version: 1,
            type_name: "souk.test.v1.Written".to_owned(),
            payload: vec![],
        };
        Batch::new().insert(insert, "row").event(event)
    }

    fn numbers(writer: &Writer, query: &str) -> Vec<i64> {
        let mut select = writer.conn.prepare(query).expect("a query");
        let rows = select.query_map([], |row| row.get(0)).expect("rows");
        rows.collect::<Result<_, _>>().expect("numbers")
    }

    /// Leaves room for so many pages.
    fn room(writer: &Writer, pages: i64) {
        let used = numbers(writer, "PRAGMA page_count")[0];
        writer.conn.pragma_update(None, "max_page_count", used + pages).expect("a limit");
    }

    #[test]
    fn a_full_disk_is_told_and_loses_nothing() {
        let mut writer = writer();
        assert!(writer.commit(&[&batch(1, 10)])[0].is_ok());
        room(&writer, 2);
        let outcome = writer.commit(&[&batch(2, 1 << 20)]).remove(0);
        let Err(CommitError::Failed(error)) = outcome else { panic!("{outcome:?}") };
        assert!(error.reason() == "STORAGE_FULL" && error.retryable(), "{error:?}");
        assert_eq!(writer.head.sequence, 1);
        room(&writer, 1000);
        assert!(writer.commit(&[&batch(2, 1 << 20)])[0].is_ok(), "it goes on when there is space");
        assert_eq!(numbers(&writer, "SELECT id FROM anything ORDER BY id"), [1, 2]);
        assert_eq!(numbers(&writer, "SELECT sequence FROM souk_outbox"), [1, 2]);
    }

    #[test]
    fn a_disk_that_fills_within_a_group_answers_nobody_wrongly() {
        let mut writer = writer();
        room(&writer, 8);
        let batches: Vec<Batch> =
            (0..20).map(|id| batch(id, if id % 5 == 4 { 1 << 20 } else { 3000 })).collect();
        let outcomes = writer.commit(&batches.iter().collect::<Vec<_>>());
        let written: Vec<i64> =
            (0..20).zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()).map(|(id, _)| id).collect();
        assert!(outcomes.iter().any(Result::is_err));
        assert_eq!(numbers(&writer, "SELECT id FROM anything ORDER BY id"), written);
        let sequences: Vec<i64> = (1..).take(written.len()).collect();
        assert_eq!(numbers(&writer, "SELECT sequence FROM souk_outbox"), sequences);
        assert!(writer.conn.is_autocommit(), "no transaction is left open");
    }

    #[test]
    fn a_group_whose_commit_fails_is_answered_as_failed() {
        let mut writer = writer();
        // A deferred foreign key fails at COMMIT, when every batch has been written.
        let tables = "CREATE TABLE parent (id INTEGER PRIMARY KEY);
            CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)";
        writer.conn.execute_batch(tables).expect("tables");
        let orphan = Batch::new().run(sql("INSERT INTO child (id, parent) VALUES (1, 2)"));
        let outcomes = writer.commit(&[&batch(1, 10), &orphan, &batch(2, 10)]);
        assert!(
            outcomes.iter().all(|outcome| matches!(outcome, Err(CommitError::Failed(_)))),
            "{outcomes:?}"
        );
        assert!(numbers(&writer, "SELECT id FROM anything").is_empty());
        assert!(
            writer.commit(&[&batch(1, 10)])[0].as_ref().is_ok_and(|committed| committed.head.sequence == 1)
        );
    }
}
