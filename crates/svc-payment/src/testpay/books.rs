//! testpay's books: each request once, by its key.

mod stored;

use std::time::Duration;

use kernel::{Currency, Error, Money, Result, Timestamp};
use store::{Batch, CommitError, Database, Row, Sql, Statement, sql};

use super::{AuthorizationId, CaptureId, TestRefundId};

/// An authorization.
#[derive(Clone, Debug)]
pub struct AuthorizationRow {
    /// Its id, which has its card in it.
    pub id: AuthorizationId,
    /// The key it came with.
    pub key: String,
    /// What the shop said it is for.
    pub payment: String,
    /// The token.
    pub method: String,
    /// How much.
    pub amount: Money,
    /// How much of it was captured.
    pub captured: i64,
    /// How much of that was refunded.
    pub refunded: i64,
    /// `authorized`, `requires_action`, `declined` or `voided`.
    pub state: String,
    /// Why it was declined.
    pub decline_code: String,
    /// Token of its challenge; empty without one.
    pub challenge: String,
    /// When it was made.
    pub created: Timestamp,
}

/// A capture or a refund.
#[derive(Clone, Debug)]
pub struct MovementRow {
    /// Its id.
    pub id: String,
    /// The key it came with.
    pub key: String,
    /// Its authorization.
    pub authorization: String,
    /// How much.
    pub amount: Money,
    /// For refunds: what it is from `settle_at` on, `succeeded` or `failed`.
    pub state: String,
    /// For refunds: until when it is pending.
    pub settle_at: Timestamp,
    /// When it was made.
    pub created: Timestamp,
}

/// No delivery is put off for longer: the longest pause of a retry, an hour, and a minute for clocks that differ.
const DUE_AHEAD_MAX: Duration = Duration::from_secs(3_660);

/// A webhook to deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// When it is due, then what makes it unique.
    pub id: String,
    /// The event, encoded.
    pub event: String,
    /// How often it was tried.
    pub tries: u32,
}

impl Delivery {
    /// A delivery of an event that is due at a time; `unique` tells it from others due in the same microsecond.
    #[must_use]
    pub fn new(due: Timestamp, unique: &str, event: String, tries: u32) -> Self {
        Self { id: format!("{:020}-{unique}", due.micros().max(0)), event, tries }
    }

    /// What makes it unique.
    #[must_use]
    pub fn unique(&self) -> &str {
        self.id.split_once('-').map_or("", |(_, unique)| unique)
    }
}

/// The books.
#[derive(Clone)]
pub struct Books {
    sql: Sql,
}

/// How a write came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrote {
    /// It is done.
    Done,
    /// The key was there: it was done before.
    Before,
    /// The authorization does not allow it.
    Refused,
}

impl Books {
    /// The books in a database.
    #[must_use]
    pub fn new(database: &Database) -> Self {
        Self { sql: database.sql() }
    }

    async fn write(&self, batch: Batch) -> Result<Wrote> {
        match self.sql.commit(batch).await {
            Ok(_) => Ok(Wrote::Done),
            Err(CommitError::Duplicate { .. }) => Ok(Wrote::Before),
            Err(CommitError::Unexpected { .. }) => Ok(Wrote::Refused),
            Err(error) => Err(error.into()),
        }
    }

    /// Books an authorization with its challenge, if it has one, and its webhooks.
    pub async fn authorize(&self, row: &AuthorizationRow, deliveries: &[Delivery]) -> Result<Wrote> {
        let text = "INSERT INTO authorizations (id, idempotency_key, payment_id, method, currency, amount, captured, refunded, \
                    state, decline_code, challenge, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let insert = sql(text)
            .bind(row.id)
            .bind(&row.key)
            .bind(&row.payment)
            .bind(&row.method)
            .bind(row.amount.currency.code())
            .bind(row.amount.minor)
            .bind(row.captured)
            .bind(row.refunded)
            .bind(&row.state)
            .bind(&row.decline_code)
            .bind(&row.challenge)
            .bind(row.created);
        let mut batch = Batch::new().insert(insert, "key");
        if !row.challenge.is_empty() {
            let text =
                "INSERT INTO challenges (token, authorization_id, outcome, created_at) VALUES (?, ?, '', ?)";
            batch.push_insert(sql(text).bind(&row.challenge).bind(row.id).bind(row.created), "challenge");
        }
        push_deliveries(&mut batch, deliveries);
        self.write(batch).await
    }

    /// Books a capture, if the authorization has so much left.
    pub async fn capture(&self, row: &MovementRow, deliveries: &[Delivery]) -> Result<Wrote> {
        let text = "INSERT INTO captures (id, idempotency_key, authorization_id, currency, amount, created_at) \
                    VALUES (?, ?, ?, ?, ?, ?)";
        let insert = sql(text)
            .bind(&row.id)
            .bind(&row.key)
            .bind(&row.authorization)
            .bind(row.amount.currency.code())
            .bind(row.amount.minor)
            .bind(row.created);
        let text = "UPDATE authorizations SET captured = captured + ? \
                    WHERE id = ? AND state = 'authorized' AND currency = ? AND amount - captured >= ?";
        let take = moved(text, row);
        let mut batch = Batch::new().insert(insert, "key").expect(take, 1, "authorization");
        push_deliveries(&mut batch, deliveries);
        self.write(batch).await
    }

    /// Books a refund, if so much is captured and not refunded. One that will fail leaves the sums as they are.
    pub async fn refund(&self, row: &MovementRow, deliveries: &[Delivery]) -> Result<Wrote> {
        let text = "INSERT INTO refunds (id, idempotency_key, authorization_id, currency, amount, state, settle_at, created_at) \
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
        let insert = sql(text)
            .bind(&row.id)
            .bind(&row.key)
            .bind(&row.authorization)
            .bind(row.amount.currency.code())
            .bind(row.amount.minor)
            .bind(&row.state)
            .bind(row.settle_at)
            .bind(row.created);
        let text = "UPDATE authorizations SET refunded = refunded + ? \
                    WHERE id = ? AND state = 'authorized' AND currency = ? AND captured - refunded >= ?";
        let mut batch = Batch::new().insert(insert, "key");
        if row.state == "succeeded" {
            batch.push_expect(moved(text, row), 1, "authorization");
        } else {
            let text =
                "SELECT id FROM authorizations WHERE id = ? AND currency = ? AND captured - refunded >= ?";
            let guard =
                sql(text).bind(&row.authorization).bind(row.amount.currency.code()).bind(row.amount.minor);
            batch.push_guard(guard, "authorization");
        }
        push_deliveries(&mut batch, deliveries);
        self.write(batch).await
    }

    /// Gives an authorization up of which nothing was captured.
    pub async fn void(&self, authorization: AuthorizationId, deliveries: &[Delivery]) -> Result<Wrote> {
        let text = "UPDATE authorizations SET state = 'voided' \
                    WHERE id = ? AND (state = 'authorized' OR state = 'requires_action') AND captured = 0";
        let mut batch = Batch::new().expect(sql(text).bind(authorization), 1, "authorization");
        push_deliveries(&mut batch, deliveries);
        self.write(batch).await
    }

    /// Ends a challenge with an outcome and its authorization with a state.
    pub async fn end_challenge(
        &self,
        row: &AuthorizationRow,
        outcome: &str,
        state: &str,
        decline_code: &str,
        deliveries: &[Delivery],
    ) -> Result<Wrote> {
        let text = "UPDATE challenges SET outcome = ? WHERE token = ? AND outcome = ''";
        let challenge = sql(text).bind(outcome).bind(&row.challenge);
        let text = "UPDATE authorizations SET state = ?, decline_code = ? WHERE id = ? AND state = 'requires_action'";
        let authorization = sql(text).bind(state).bind(decline_code).bind(row.id);
        let mut batch =
            Batch::new().expect(challenge, 1, "challenge").expect(authorization, 1, "authorization");
        push_deliveries(&mut batch, deliveries);
        self.write(batch).await
    }

    /// A challenge's outcome, empty while it is open, and its authorization.
    pub async fn challenge(&self, token: &str) -> Result<Option<(String, AuthorizationRow)>> {
        let statement = sql("SELECT authorization_id, outcome FROM challenges WHERE token = ?").bind(token);
        let Some(row) = self.sql.fetch_one(statement).await? else { return Ok(None) };
        let authorization = self.authorization("id = ?", row.text("authorization_id")?).await?;
        let authorization =
            authorization.ok_or_else(|| Error::internal("a challenge without its authorization"))?;
        Ok(Some((row.text("outcome")?, authorization)))
    }

    /// The authorization with a key.
    pub async fn authorization_by_key(&self, key: &str) -> Result<Option<AuthorizationRow>> {
        self.authorization("idempotency_key = ?", key.to_owned()).await
    }

    /// The authorization with an id.
    pub async fn authorization_by_id(&self, id: AuthorizationId) -> Result<Option<AuthorizationRow>> {
        self.authorization("id = ?", id.to_string()).await
    }

    async fn authorization(&self, condition: &str, value: String) -> Result<Option<AuthorizationRow>> {
        let statement = sql(format!("SELECT * FROM authorizations WHERE {condition}")).bind(value);
        self.sql.fetch_one(statement).await?.as_ref().map(authorization).transpose()
    }

    /// The capture with a key.
    pub async fn capture_by_key(&self, key: &str) -> Result<Option<MovementRow>> {
        let statement = sql("SELECT * FROM captures WHERE idempotency_key = ?").bind(key);
        self.sql.fetch_one(statement).await?.as_ref().map(capture).transpose()
    }

    /// The refund with a key.
    pub async fn refund_by_key(&self, key: &str) -> Result<Option<MovementRow>> {
        let statement = sql("SELECT * FROM refunds WHERE idempotency_key = ?").bind(key);
        self.sql.fetch_one(statement).await?.as_ref().map(refund).transpose()
    }

    /// Authorizations after an id.
    pub async fn authorizations(&self, after: &str, limit: u32) -> Result<Vec<AuthorizationRow>> {
        self.list("authorizations", after, limit).await?.iter().map(authorization).collect()
    }

    /// Captures after an id.
    pub async fn captures(&self, after: &str, limit: u32) -> Result<Vec<MovementRow>> {
        self.list("captures", after, limit).await?.iter().map(capture).collect()
    }

    /// Refunds after an id.
    pub async fn refunds(&self, after: &str, limit: u32) -> Result<Vec<MovementRow>> {
        self.list("refunds", after, limit).await?.iter().map(refund).collect()
    }

    async fn list(&self, table: &str, after: &str, limit: u32) -> Result<Vec<Row>> {
        let text = format!("SELECT * FROM {table} WHERE id > ? ORDER BY id LIMIT ?");
        self.sql.fetch(sql(text).bind(after).bind(limit)).await
    }

    /// Webhooks that are due by a time, the longest due first.
    pub async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Delivery>> {
        let statement = sql("SELECT id, event, tries FROM deliveries WHERE id < ? ORDER BY id LIMIT ?");
        let mut rows =
            self.sql.fetch(statement.bind(format!("{:020}~", now.micros().max(0))).bind(limit)).await?;
        // What is due later than anything is put off was put there by a clock that was ahead.
        let room = i64::from(limit).saturating_sub(rows.len() as i64);
        if room > 0 {
            let latest = format!("{:020}~", now.plus(DUE_AHEAD_MAX).micros().max(0));
            let astray = sql("SELECT id, event, tries FROM deliveries WHERE id > ? ORDER BY id LIMIT ?");
            rows.extend(self.sql.fetch(astray.bind(latest).bind(room)).await?);
        }
        rows.iter().map(delivery).collect()
    }

    /// Takes deliveries off the queue, and puts others on it.
    pub async fn delivered(&self, done: &[Delivery], again: &[Delivery]) -> Result<()> {
        let marks = vec!["?"; done.len()].join(", ");
        let delete = sql(format!("DELETE FROM deliveries WHERE id IN ({marks})"));
        let mut batch = Batch::new().run(delete.bind_all(done.iter().map(|delivery| &delivery.id)));
        push_deliveries(&mut batch, again);
        self.sql.commit(batch).await?;
        Ok(())
    }
}

fn delivery(row: &Row) -> Result<Delivery> {
    let tries = u32::try_from(row.int("tries")?).map_err(Error::internal)?;
    Ok(Delivery { id: row.text("id")?, event: row.text("event")?, tries })
}

fn moved(text: &'static str, row: &MovementRow) -> Statement {
    sql(text)
        .bind(row.amount.minor)
        .bind(&row.authorization)
        .bind(row.amount.currency.code())
        .bind(row.amount.minor)
}

fn push_deliveries(batch: &mut Batch, deliveries: &[Delivery]) {
    for delivery in deliveries {
        let text = "INSERT INTO deliveries (id, event, tries) VALUES (?, ?, ?)";
        batch
            .push_insert(sql(text).bind(&delivery.id).bind(&delivery.event).bind(delivery.tries), "delivery");
    }
}

fn authorization(row: &Row) -> Result<AuthorizationRow> {
    Ok(AuthorizationRow {
        id: row.id("id")?,
        key: row.text("idempotency_key")?,
        payment: row.text("payment_id")?,
        method: row.text("method")?,
        amount: money(row)?,
        captured: row.int("captured")?,
        refunded: row.int("refunded")?,
        state: row.text("state")?,
        decline_code: row.text("decline_code")?,
        challenge: row.text("challenge")?,
        created: row.timestamp("created_at")?,
    })
}

fn capture(row: &Row) -> Result<MovementRow> {
    Ok(MovementRow {
        id: row.id::<super::Capture>("id").map(|id: CaptureId| id.to_string())?,
        key: row.text("idempotency_key")?,
        authorization: row.text("authorization_id")?,
        amount: money(row)?,
        state: "succeeded".to_owned(),
        settle_at: row.timestamp("created_at")?,
        created: row.timestamp("created_at")?,
    })
}

fn refund(row: &Row) -> Result<MovementRow> {
    Ok(MovementRow {
        id: row.id::<super::TestRefund>("id").map(|id: TestRefundId| id.to_string())?,
        key: row.text("idempotency_key")?,
        authorization: row.text("authorization_id")?,
        amount: money(row)?,
        state: row.text("state")?,
        settle_at: row.timestamp("settle_at")?,
        created: row.timestamp("created_at")?,
    })
}

fn money(row: &Row) -> Result<Money> {
    let currency = Currency::parse(row.str("currency")?)
        .map_err(|_| Error::internal("a row has an unknown currency"))?;
    Ok(Money::new(row.int("amount")?, currency))
}
