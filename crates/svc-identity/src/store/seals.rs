//! What the seals of rows are made of, and the rows of before there were seals.
//!
//! A seal covers what makes a row worth something to somebody: whose a session or a secret is, and what it is opened with.
//! Times that a corrected clock brings back to now are left out, and so is the end of a session, which many get at once.

use chassis::{Record, RecordKey};
use kernel::{Result, Timestamp};
use store::{Batch, RequestKey, Row, Sql, sql};

use super::{SecretRow, Store, secrets, sessions};
use crate::domain::Session;

/// Rows that are sealed in one commit when there were no seals before.
const ADOPTED_AT_ONCE: u32 = 200;

/// Seals rows.
#[derive(Clone)]
pub(crate) struct Seals(RecordKey);

impl Seals {
    /// Seals under a key.
    pub(crate) const fn new(key: RecordKey) -> Self {
        Self(key)
    }

    /// A session: whose it is, and what its refresh tokens are derived from.
    pub(crate) fn session(&self, session: &Session) -> Record {
        // Every field is named, so that a new one is sealed, or left out on purpose.
        let Session {
            id,
            subject,
            device,
            seed,
            generation,
            created_at: _,
            refreshed_at: _,
            expires_at: _,
            ended_at: _,
        } = session;
        let record = self.0.record("session").text(&id.to_string()).text(&subject.to_string());
        record.text(device).bytes(seed).int(*generation)
    }

    /// A secret: whose it is, what it is, until when, and whether it is revoked.
    pub(crate) fn secret(&self, secret: &SecretRow) -> Record {
        let SecretRow { id, account, label, hash, session, created_at, expires_at, revoked_at } = secret;
        let record = self.0.record("secret").text(&id.to_string()).text(&account.to_string());
        record
            .text(label)
            .text(hash)
            .text(&session.to_string())
            .int(created_at.micros())
            .optional_int(expires_at.map(Timestamp::micros))
            .int(revoked_at.is_some().into())
    }

    /// Up to when revocations may be deleted.
    pub(crate) fn swept(&self, until: Timestamp) -> Record {
        self.0.record("revocations swept").int(until.micros())
    }

    /// What is remembered of the answer to a request.
    pub(crate) fn answer(&self, key: &RequestKey, answer: &[u8]) -> Record {
        let record = self.0.record("answer").text(&key.principal).text(key.method).text(&key.id);
        record.bytes(answer)
    }
}

impl Store {
    /// Seals every row that has no seal. Only for a database of before there were seals: later, a row without one was damaged,
    /// and this would hide it. May be interrupted and done again.
    pub(crate) async fn adopt_unsealed(&self) -> Result<()> {
        adopt(&self.sql, "sessions", |row| Ok(self.seals.session(&sessions::read(row)?))).await?;
        adopt(&self.sql, "secrets", |row| Ok(self.seals.secret(&secrets::read(row)?))).await?;
        let swept = sql("SELECT amount FROM counters WHERE name = 'revocations_swept' AND seal IS NULL");
        let Some(row) = self.sql.fetch_one(swept).await? else { return Ok(()) };
        let amount = row.timestamp("amount")?;
        let seal = sql("UPDATE counters SET seal = ? WHERE name = 'revocations_swept' AND amount = ?");
        let seal = seal.bind(self.seals.swept(amount).seal().to_vec()).bind(amount);
        Ok(self.sql.commit(Batch::new().run(seal)).await.map(|_| ())?)
    }
}

async fn adopt(sql_of: &Sql, table: &str, record: impl Fn(&Row) -> Result<Record>) -> Result<()> {
    let mut after = String::new();
    loop {
        let text = format!("SELECT * FROM {table} WHERE id > ? AND seal IS NULL ORDER BY id LIMIT ?");
        let rows = sql_of.fetch(sql(text).bind(after).bind(ADOPTED_AT_ONCE)).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.text("id")?;
        let mut batch = Batch::new();
        for row in &rows {
            // What cannot be read is worth nothing, and is named by the audit.
            if let Ok(record) = record(row) {
                let text = format!("UPDATE {table} SET seal = ? WHERE id = ? AND seal IS NULL");
                batch.push_run(sql(text).bind(record.seal().to_vec()).bind(row.text("id")?));
            }
        }
        if !batch.is_empty() {
            sql_of.commit(batch).await?;
        }
    }
}

/// Whether a row has this seal.
pub(crate) fn is_sealed(record: Record, row: &Row) -> Result<bool> {
    Ok(row.opt_blob("seal")?.is_some_and(|seal| record.fits(&seal)))
}
