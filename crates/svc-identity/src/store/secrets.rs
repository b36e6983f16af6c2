//! Secrets of programs.

use kernel::{CustomerId, Result, SessionId, Timestamp};
use store::{Batch, Row, sql};

use super::seals::is_sealed;
use super::{Seals, Store};
use crate::domain::{SECRETS_MAX, SecretId};

const COLUMNS: &str = "id, account_id, label, hash, session_id, created_at, expires_at, revoked_at";

/// What is kept of a secret.
#[derive(Clone)]
pub(crate) struct SecretRow {
    pub(crate) id: SecretId,
    pub(crate) account: CustomerId,
    pub(crate) label: String,
    /// See [`crate::derive::secret_hash`].
    pub(crate) hash: String,
    /// The session that its access tokens name.
    pub(crate) session: SessionId,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) revoked_at: Option<Timestamp>,
}

impl SecretRow {
    /// Whether it is neither revoked nor expired.
    pub(crate) fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

impl Store {
    pub(crate) async fn secret(&self, id: SecretId) -> Result<Option<SecretRow>> {
        let query = sql(format!("SELECT {COLUMNS} FROM secrets WHERE id = ?")).bind(id);
        self.sql.fetch_one(query).await?.as_ref().map(read).transpose()
    }

    /// The secret with this hash; none when its seal does not fit, since somebody else wrote it.
    pub(crate) async fn secret_by_hash(&self, hash: &str) -> Result<Option<SecretRow>> {
        let query = sql(format!("SELECT {COLUMNS}, seal FROM secrets WHERE hash = ?")).bind(hash);
        let Some(row) = self.sql.fetch_one(query).await? else { return Ok(None) };
        let secret = read(&row)?;
        if is_sealed(self.seals.secret(&secret), &row)? {
            return Ok(Some(secret));
        }
        tracing::error!(secret = %secret.id, "the stored secret does not fit its seal; it is refused");
        Ok(None)
    }

    /// The secrets of an account, newest first.
    pub(crate) async fn secrets(&self, account: CustomerId) -> Result<Vec<SecretRow>> {
        let query =
            sql(format!("SELECT {COLUMNS} FROM secrets WHERE account_id = ? ORDER BY id DESC LIMIT ?"));
        let rows = self.sql.fetch(query.bind(account).bind(SECRETS_MAX as i64)).await?;
        rows.iter().map(read).collect()
    }

    /// The secrets of an account that are good now.
    pub(crate) async fn live_secrets(&self, account: CustomerId, now: Timestamp) -> Result<Vec<SecretRow>> {
        let query = sql(format!(
            "SELECT {COLUMNS} FROM secrets WHERE account_id = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > \
             ?) ORDER BY id DESC LIMIT ?"
        ));
        let rows = self.sql.fetch(query.bind(account).bind(now).bind(2 * SECRETS_MAX as i64)).await?;
        rows.iter().map(read).collect()
    }
}

pub(crate) fn read(row: &Row) -> Result<SecretRow> {
    Ok(SecretRow {
        id: row.id("id")?,
        account: row.id("account_id")?,
        label: row.text("label")?,
        hash: row.text("hash")?,
        session: row.id("session_id")?,
        created_at: row.timestamp("created_at")?,
        expires_at: row.opt_timestamp("expires_at")?,
        revoked_at: row.opt_timestamp("revoked_at")?,
    })
}

/// Adds a secret.
pub(crate) fn insert(batch: Batch, seals: &Seals, secret: &SecretRow) -> Batch {
    let insert =
        sql("INSERT INTO secrets (id, account_id, label, hash, session_id, created_at, expires_at, seal) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(secret.id)
        .bind(secret.account)
        .bind(secret.label.clone())
        .bind(secret.hash.clone())
        .bind(secret.session)
        .bind(secret.created_at)
        .bind(secret.expires_at)
        .bind(seals.secret(secret).seal().to_vec());
    batch.insert(insert, "secret")
}

/// Revokes a secret, if it is not revoked. Its tokens are voided by the revocation of its session.
pub(crate) fn revoke(batch: Batch, seals: &Seals, secret: &SecretRow, now: Timestamp) -> Batch {
    let update = sql("UPDATE secrets SET revoked_at = ?, seal = ? WHERE id = ? AND revoked_at IS NULL");
    let revoked = SecretRow { revoked_at: Some(now), ..secret.clone() };
    batch.run(update.bind(now).bind(seals.secret(&revoked).seal().to_vec()).bind(secret.id))
}
