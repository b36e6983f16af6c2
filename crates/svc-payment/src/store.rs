//! What is kept, and how: payments, attempts, operations, provider events, the ledger.
//!
//! Every change of a payment, its attempts or its operations goes through one conditional update of the payment's row on
//! the version that was read. So whatever was decided from a row is written only if the row still is what it was, and
//! two refunds at once cannot pass together.

mod examine;
mod ledger;
mod rows;
mod seal;

use std::time::Duration;

use kernel::{OrderId, PaymentId, Result, Timestamp};
use store::{Batch, CommitError, Database, Migration, NewEvent, RequestKey, Row, Sql, Statement, Value, sql};

#[cfg(test)]
pub use self::examine::Leftovers;
pub use self::examine::Place;
pub use self::ledger::{Link, SealedEntry};
pub use self::seal::{Seals, StoredSeals, Stray, attempt_name};
use crate::domain::ledger::Entry;
use crate::domain::payment::payment_id;
use crate::domain::{Attempt, Operation, OperationKind, Payment, TENDERS_MAX};

/// The tables, in the order they were added.
pub const MIGRATIONS: &[Migration] = &[
    Migration { name: "0001_payments", sql: include_str!("../migrations/0001_payments.sql") },
    Migration { name: "0002_seals", sql: include_str!("../migrations/0002_seals.sql") },
];

/// Nothing is put off for longer than this: the longest pause of [`crate::steps::backoff`], and a minute for clocks that differ.
const CHECK_AHEAD_MAX: Duration = Duration::from_secs(360);
/// The most rows asked for at once about parts of payments.
const CHUNK: usize = 90;

/// The books of payment.
#[derive(Clone)]
pub struct Books {
    sql: Sql,
    seals: Seals,
}

/// What belongs to one payment.
#[derive(Clone, Debug)]
pub struct Whole {
    /// The payment.
    pub payment: Payment,
    /// Its attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// Its operations, oldest first.
    pub operations: Vec<Operation>,
    /// Their seals.
    pub seals: StoredSeals,
}

/// One commit, put together.
#[must_use]
pub struct Change {
    batch: Batch,
    seals: Seals,
}

/// Label of the statement that fails when the payment is not what it was.
const PAYMENT: &str = "payment";

impl Change {
    /// A new payment.
    pub fn new_payment(mut self, payment: &Payment) -> Self {
        self.batch.push_insert(rows::insert_payment(payment, &self.seals), PAYMENT);
        self
    }

    /// A payment that was read at `before`'s version.
    pub fn payment(mut self, before: &Payment, after: &Payment) -> Self {
        self.batch.push_expect(rows::update_payment(before, after, &self.seals), 1, PAYMENT);
        self
    }

    /// A new attempt; `check_at`: when to ask the provider, should nobody else have.
    pub fn new_attempt(mut self, attempt: &Attempt, check_at: Option<Timestamp>) -> Self {
        self.batch.push_insert(rows::insert_attempt(attempt, check_at, &self.seals), "attempt");
        self
    }

    /// An attempt that was read as `before`. The payment's row guards it.
    pub fn attempt(mut self, before: &Attempt, after: &Attempt, check_at: Option<Timestamp>) -> Self {
        self.batch.push_expect(rows::update_attempt(before, after, check_at, &self.seals), 1, "attempt");
        self
    }

    /// A new operation.
    pub fn new_operation(mut self, operation: &Operation, check_at: Option<Timestamp>) -> Self {
        self.batch.push_insert(rows::insert_operation(operation, check_at, &self.seals), "operation");
        self
    }

    /// An operation that was read as `before`. The payment's row guards it.
    pub fn operation(mut self, before: &Operation, after: &Operation, check_at: Option<Timestamp>) -> Self {
        self.batch.push_expect(rows::update_operation(before, after, check_at, &self.seals), 1, "operation");
        self
    }

    /// A movement of money.
    pub fn entry(mut self, entry: &Entry) -> Self {
        ledger::push_entry(&mut self.batch, entry);
        self
    }

    /// A provider's event, which counts once for ever.
    pub fn webhook(mut self, provider: &str, event_id: &str, now: Timestamp) -> Self {
        let text = "INSERT INTO webhook_events (provider, event_id, received_at, seal) VALUES (?, ?, ?, ?)";
        let insert = sql(text).bind(provider).bind(event_id).bind(now);
        self.batch.push_insert(insert.bind(self.seals.webhook(provider, event_id, now)), "webhook");
        self
    }

    /// What to publish.
    pub fn event(mut self, event: Option<NewEvent>) -> Self {
        if let Some(event) = event {
            self.batch.push_event(event);
        }
        self
    }

    /// The request that it answers.
    pub fn remember(mut self, key: RequestKey, answer: impl Into<Vec<u8>>) -> Self {
        self.batch.push_remember(key, answer.into());
        self
    }
}

/// Whether a commit failed because somebody else was faster: read again and decide again.
#[must_use]
pub fn is_stale(error: &CommitError) -> bool {
    matches!(error, CommitError::Unexpected { label, .. } if label == PAYMENT)
}

impl Books {
    /// The books in a database, whose rows are sealed.
    #[must_use]
    pub fn new(database: &Database, seals: Seals) -> Self {
        Self { sql: database.sql(), seals }
    }

    /// A commit with nothing in it yet.
    pub fn change(&self) -> Change {
        Change { batch: Batch::new(), seals: self.seals.clone() }
    }

    /// The seals of rows.
    #[must_use]
    pub const fn seals(&self) -> &Seals {
        &self.seals
    }

    /// Writes a change: all of it, durably, or nothing.
    ///
    /// # Errors
    /// As [`Sql::commit`]; see [`is_stale`].
    pub async fn write(&self, change: Change) -> Result<(), CommitError> {
        self.sql.commit(change.batch).await.map(|_| ())
    }

    /// Whether a request was made before.
    ///
    /// # Errors
    /// `IDEMPOTENCY_KEY_REUSED` when its key was used for another; when the store fails.
    pub async fn remembered(&self, key: &RequestKey) -> Result<bool> {
        Ok(self.sql.answer(key).await?.is_some())
    }

    /// A payment, with what its latest attempt says.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn payment(&self, id: PaymentId) -> Result<Option<Payment>> {
        let row = self.sql.fetch_one(rows::select_payments("p.id = ?").bind(id)).await?;
        row.as_ref().map(rows::payment).transpose()
    }

    /// The payments of an order, by tender.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn payments_of(&self, order: OrderId) -> Result<Vec<Payment>> {
        let statement = rows::select_payments("p.id >= ? AND p.id <= ? AND p.order_id = ? ORDER BY p.tender")
            .bind(payment_id(order, 0))
            .bind(payment_id(order, TENDERS_MAX - 1))
            .bind(order);
        self.sql.fetch(statement).await?.iter().map(rows::payment).collect()
    }

    /// An attempt.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn attempt(&self, payment: PaymentId, number: u32) -> Result<Option<Attempt>> {
        let statement = rows::select_attempts("payment_id = ? AND number = ?").bind(payment).bind(number);
        self.sql.fetch_one(statement).await?.as_ref().map(rows::attempt).transpose()
    }

    /// The attempts of a payment, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn attempts(&self, payment: PaymentId) -> Result<Vec<Attempt>> {
        let statement = rows::select_attempts("payment_id = ? ORDER BY number").bind(payment);
        self.sql.fetch(statement).await?.iter().map(rows::attempt).collect()
    }

    /// An operation.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn operation(&self, id: &str) -> Result<Option<Operation>> {
        let statement = rows::select_operations("id = ?").bind(id);
        self.sql.fetch_one(statement).await?.as_ref().map(rows::operation).transpose()
    }

    /// The operations of a payment, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn operations(&self, payment: PaymentId) -> Result<Vec<Operation>> {
        let statement = rows::select_operations("payment_id = ? ORDER BY created_at, id").bind(payment);
        self.sql.fetch(statement).await?.iter().map(rows::operation).collect()
    }

    /// The latest void of a payment's latest attempt.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn latest_void(&self, payment: &Payment) -> Result<Option<Operation>> {
        let operations = self.operations(payment.id).await?;
        let is_it = |operation: &Operation| {
            operation.kind == OperationKind::Void && operation.attempt == payment.attempt
        };
        Ok(operations.into_iter().rfind(is_it))
    }

    /// All attempts of several payments.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn attempts_of(&self, payments: &[PaymentId]) -> Result<Vec<Attempt>> {
        let mut found = Vec::with_capacity(payments.len());
        for chunk in payments.chunks(CHUNK) {
            let marks = marks(chunk.len());
            let statement = rows::select_attempts(&format!("payment_id IN ({marks})")).bind_all(chunk);
            for row in self.sql.fetch(statement).await? {
                found.push(rows::attempt(&row)?);
            }
        }
        Ok(found)
    }

    /// Several operations.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn operations_by_id(&self, ids: &[String]) -> Result<Vec<Operation>> {
        let mut found = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(CHUNK) {
            let marks = marks(chunk.len());
            let statement = rows::select_operations(&format!("id IN ({marks})")).bind_all(chunk);
            for row in self.sql.fetch(statement).await? {
                found.push(rows::operation(&row)?);
            }
        }
        Ok(found)
    }

    /// Attempts about which the provider is to be asked by now, the longest due first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn due_attempts(&self, now: Timestamp, limit: u32) -> Result<Vec<Attempt>> {
        self.due(rows::select_attempts, now, limit).await?.iter().map(rows::attempt).collect()
    }

    /// Operations about which the provider is to be asked by now, the longest due first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn due_operations(&self, now: Timestamp, limit: u32) -> Result<Vec<Operation>> {
        self.due(rows::select_operations, now, limit).await?.iter().map(rows::operation).collect()
    }

    /// Rows whose time has come, and those whose time is further ahead than any is set: a clock wrote it that was ahead.
    async fn due(&self, select: fn(&str) -> Statement, now: Timestamp, limit: u32) -> Result<Vec<Row>> {
        let due = select("check_at <= ? ORDER BY check_at LIMIT ?").bind(now).bind(limit);
        let mut rows = self.sql.fetch(due).await?;
        let room = limit.saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX));
        if room > 0 {
            let latest = now.plus(CHECK_AHEAD_MAX);
            let astray = select("check_at > ? ORDER BY check_at LIMIT ?").bind(latest).bind(room);
            rows.extend(self.sql.fetch(astray).await?);
        }
        Ok(rows)
    }

    /// Claims the next question about an attempt: `false` when somebody else did, or it has ended.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn claim_attempt(&self, attempt: &Attempt, check_at: Timestamp) -> Result<bool> {
        let text = "UPDATE attempts SET asked = asked + 1, check_at = ? \
                    WHERE payment_id = ? AND number = ? AND asked = ? AND check_at IS NOT NULL";
        let statement =
            sql(text).bind(check_at).bind(attempt.payment).bind(attempt.number).bind(attempt.asked);
        self.claim(statement).await
    }

    /// Claims the next question about an operation: `false` when somebody else did, or it has ended.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn claim_operation(&self, operation: &Operation, check_at: Timestamp) -> Result<bool> {
        let text = "UPDATE operations SET asked = asked + 1, check_at = ? WHERE id = ? AND asked = ? AND check_at IS NOT NULL";
        self.claim(sql(text).bind(check_at).bind(&operation.id).bind(operation.asked)).await
    }

    async fn claim(&self, statement: store::Statement) -> Result<bool> {
        match self.sql.commit(Batch::new().expect(statement, 1, "claim")).await {
            Ok(_) => Ok(true),
            Err(CommitError::Unexpected { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Payments after an id with all that belongs to them, by id; at most `limit`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn audit(&self, after: &str, limit: u32) -> Result<Vec<Whole>> {
        let statement = rows::select_payments("p.id > ? ORDER BY p.id LIMIT ?").bind(after).bind(limit);
        let mut wholes = Vec::new();
        for row in self.sql.fetch(statement).await? {
            wholes.push(Whole {
                payment: rows::payment(&row)?,
                attempts: Vec::new(),
                operations: Vec::new(),
                seals: StoredSeals { payment: rows::seal(&row)?, ..StoredSeals::default() },
            });
        }
        for chunk in wholes.chunks_mut(CHUNK) {
            self.fill(chunk).await?;
        }
        Ok(wholes)
    }

    async fn fill(&self, wholes: &mut [Whole]) -> Result<()> {
        let (Some(first), Some(last)) = (wholes.first(), wholes.last()) else { return Ok(()) };
        let range: [Value; 2] = [first.payment.id.into(), last.payment.id.into()];
        let attempts =
            rows::select_attempts("payment_id >= ? AND payment_id <= ? ORDER BY payment_id, number");
        let attempts = self.sql.fetch(attempts.bind_all(range.clone())).await?;
        let operations = rows::select_operations(
            "payment_id >= ? AND payment_id <= ? ORDER BY payment_id, created_at, id",
        );
        let operations = self.sql.fetch(operations.bind_all(range)).await?;
        let place = |wholes: &[Whole], payment: PaymentId| {
            wholes.binary_search_by_key(&payment, |whole| whole.payment.id)
        };
        for row in &attempts {
            let attempt = rows::attempt(row)?;
            if let Ok(at) = place(wholes, attempt.payment) {
                wholes[at].attempts.push(attempt);
                wholes[at].seals.attempts.push(rows::seal(row)?);
            }
        }
        for row in &operations {
            let operation = rows::operation(row)?;
            if let Ok(at) = place(wholes, operation.payment) {
                wholes[at].operations.push(operation);
                wholes[at].seals.operations.push(rows::seal(row)?);
            }
        }
        Ok(())
    }
}

/// `?, ?, ?`.
fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

#[cfg(test)]
mod ledger_tests;
