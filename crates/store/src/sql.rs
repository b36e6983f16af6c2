//! Rows under portable SQL text.

use std::sync::Arc;

use kernel::{Error, Result};

use crate::batch::{Batch, Committed, Position, RequestKey};
use crate::engine::{Engine, SqlEngine};
use crate::error::{CommitError, key_reused};
use crate::row::Row;
use crate::timings::{Operation, Timings};
use crate::value::Statement;

/// The most rows that a query returns.
pub const ROWS_MAX: usize = 10_000;

/// The rows of a database.
#[derive(Clone)]
pub struct Sql {
    engine: Arc<dyn SqlEngine>,
    timings: Arc<Timings>,
}

impl Sql {
    pub(crate) fn new(engine: Arc<dyn SqlEngine>, timings: Arc<Timings>) -> Self {
        Self { engine, timings }
    }

    /// Whether the wall clock may be wrong: this process began more than a day ahead of what was written last, in the last
    /// minute. What ends by time alone, such as a hold, is not ended meanwhile: it could not be begun again.
    #[must_use]
    pub fn doubts_clock(&self) -> bool {
        self.engine.doubts_clock()
    }

    /// Rows of a query, at most [`ROWS_MAX`].
    ///
    /// # Errors
    /// `INTERNAL` when the statement is wrong, writes, or has more rows; when the store fails.
    pub async fn fetch(&self, statement: Statement) -> Result<Vec<Row>> {
        self.timings.measure(Operation::Read, self.engine.fetch(statement, ROWS_MAX)).await
    }

    /// The one row of a query, if there is one.
    ///
    /// # Errors
    /// `INTERNAL` when the statement is wrong, writes, or has more than one row; when the store fails.
    pub async fn fetch_one(&self, statement: Statement) -> Result<Option<Row>> {
        let rows = self.timings.measure(Operation::Read, self.engine.fetch(statement, 1)).await;
        Ok(rows?.pop())
    }

    /// Writes all of a batch or nothing; durable when it returns.
    ///
    /// # Errors
    /// Why it was not written; see [`CommitError`].
    pub async fn commit(&self, batch: Batch) -> Result<Committed, CommitError> {
        self.timings.measure(Operation::Commit, self.engine.commit(batch)).await
    }

    /// The remembered answer of a request.
    ///
    /// # Errors
    /// `IDEMPOTENCY_KEY_REUSED` when the key was used for another request; when the store fails.
    pub async fn answer(&self, key: &RequestKey) -> Result<Option<Vec<u8>>> {
        answer(&*self.engine, key).await
    }

    /// Where a consumer of this database stands in a source's events; `None` when it has not begun.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn position(&self, source: &str, consumer: &str) -> Result<Option<Position>> {
        self.engine.position(source, consumer).await
    }
}

pub(crate) async fn answer<E: Engine + ?Sized>(
    engine: &E,
    key: &RequestKey,
) -> Result<Option<Vec<u8>>, Error> {
    match engine.remembered(&key.principal, key.method, &key.id).await? {
        Some(remembered) if remembered.fingerprint != key.fingerprint => Err(key_reused()),
        remembered => Ok(remembered.map(|remembered| remembered.answer)),
    }
}
