//! The one writer of a database: turns waiting batches into one transaction.

use std::sync::Arc;

use kernel::{Clock, Error};
use rusqlite::Connection;
use tokio::sync::watch;

use super::apply;
use super::errors::serving;
use crate::batch::{Batch, Committed, Position};
use crate::error::CommitError;

/// The connection that writes, and the numbering of events, which only it continues.
pub(super) struct Writer {
    conn: Connection,
    clock: Arc<dyn Clock>,
    /// The newest durable position.
    head: Position,
    newest: watch::Sender<Position>,
}

/// How each batch of a group ended, in the group's order.
pub(super) type Outcomes = Vec<Result<Committed, CommitError>>;

impl Writer {
    pub(super) fn new(conn: Connection, clock: Arc<dyn Clock>, head: Position) -> Self {
        Self { conn, clock, head, newest: watch::Sender::new(head) }
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
        let (outcomes, head) = match self.write(group) {
            Ok(written) => written,
            Err(error) => {
                self.undo();
                return group.iter().map(|_| Err(CommitError::Failed(copy(&error)))).collect();
            }
        };
        if head != self.head {
            self.head = head;
            self.newest.send_replace(head);
        }
        outcomes
    }

    /// The group in one transaction; an error is about all of it.
    fn write(&self, group: &[&Batch]) -> Result<(Outcomes, Position), Error> {
        let now = self.clock.now();
        let mut head = self.head;
        let mut outcomes = Vec::with_capacity(group.len());
        // A batch that is alone is undone with the transaction; a savepoint would cost a journal.
        let alone = group.len() == 1;
        self.step("BEGIN IMMEDIATE")?;
        for batch in group {
            if !alone {
                self.step("SAVEPOINT batch")?;
            }
            match apply::batch(&self.conn, batch, now, head.sequence + 1) {
                Ok(next) => {
                    head.sequence = next - 1;
                    outcomes.push(Ok(Committed { head }));
                }
                // A full disk may have ended the transaction, and with it what the others of the group wrote.
                Err(error) if self.conn.is_autocommit() => return Err(error.into()),
                Err(error) => {
                    outcomes.push(Err(error));
                    if !alone {
                        self.step("ROLLBACK TO batch")?;
                    }
                }
            }
            if !alone {
                self.step("RELEASE batch")?;
            }
        }
        let any = outcomes.iter().any(Result::is_ok);
        self.step(if any { "COMMIT" } else { "ROLLBACK" })?;
        Ok((outcomes, head))
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

/// The same failure for each of a group; the first cause is in the log.
fn copy(error: &Error) -> Error {
    Error::new(error.code(), error.reason().to_owned(), error.message().to_owned()).retry(error.retryable()).because(format!("{error:?}"))
}
