//! What an audit checks of the stored accounts, sessions and secrets. Secrets themselves, and what is personal, are told to nobody.

use std::sync::Arc;

use chassis::audit::{Examine, Examined};
use kernel::{CustomerId, GuestId, Result, SessionId};
use store::Row;
use tonic::async_trait;

use crate::domain::{OPERATOR, Permissions};
use crate::store::accounts::EMAIL_RULE;
use crate::store::{Store, accounts};

/// Bytes that refresh tokens are derived from.
const SEED_BYTES: usize = 16;
/// Hexadecimal digits of a SHA-256.
const HASH_CHARS: usize = 64;

/// The tables of identity.
pub(crate) fn tables(store: &Store) -> [Arc<dyn Examine>; 4] {
    [
        Arc::new(AccountRows(store.clone())),
        Arc::new(SessionRows(store.clone())),
        Arc::new(SecretRows(store.clone())),
        Arc::new(CounterRows(store.clone())),
    ]
}

struct AccountRows(Store);
struct SessionRows(Store);
struct SecretRows(Store);
struct CounterRows(Store);

fn examined(rows: &[Row], limit: u32) -> Result<Examined> {
    let last = rows.last().filter(|_| rows.len() == limit as usize);
    let next = last.map(|row| row.text("id")).transpose()?;
    Ok(Examined { rows: rows.len(), next, ..Examined::default() })
}

#[async_trait]
impl Examine for AccountRows {
    fn table(&self) -> &'static str {
        "accounts"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let query = "SELECT id, kind, email, email_key, password, permissions, staff, tokens_from, version, created_at, updated_at \
             FROM accounts WHERE id > ? ORDER BY id LIMIT ?";
        let rows = self.0.stored(query, after, limit).await?;
        let mut examined = examined(&rows, limit)?;
        for row in &rows {
            let at = format!("account {}", row.str("id")?);
            if let Err(error) = accounts::read(row) {
                examined.finds(&at, "an account that reads", format!("{error:?}"));
                continue;
            }
            let permissions = Permissions::from_stored(row.str("permissions")?);
            let same = permissions.stored() == row.str("permissions")?;
            examined.expects(same, &at, "permissions as they are written", row.str("permissions")?);
            let staff = i64::from(permissions.is_staff());
            examined.expects(row.int("staff")? == staff, &at, format!("staff {staff}"), row.int("staff")?);
            let operator = row.str("email_key")? == OPERATOR;
            let named = operator == (row.str("kind")? == "operator")
                && (operator || (row.opt_text("email")?.is_some() && !row.str("email_key")?.is_empty()));
            examined.expects(named, &at, "an address, or the operator's name", "another one");
            let phc = row.opt_text("password")?.is_none_or(|password| password.starts_with("$argon2id$"));
            examined.expects(phc, &at, "a password as a hash of argon2id, or none", "something else");
            examined.expects(row.int("version")? > 0, &at, "a version from 1", row.int("version")?);
            let made =
                row.int("created_at")? > 0 && row.int("updated_at")? > 0 && row.int("tokens_from")? >= 0;
            examined.expects(made, &at, "times of its making and its last change", row.int("created_at")?);
        }
        Ok(examined)
    }
}

#[async_trait]
impl Examine for SessionRows {
    fn table(&self) -> &'static str {
        "sessions"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let query = "SELECT s.id, s.subject, s.seed, s.generation, s.created_at, s.refreshed_at, s.expires_at, s.ended_at, \
             s.end_reason, a.id AS account FROM sessions s LEFT JOIN accounts a ON a.id = s.subject \
             WHERE s.id > ? ORDER BY s.id LIMIT ?";
        let rows = self.0.stored(query, after, limit).await?;
        let mut examined = examined(&rows, limit)?;
        for row in &rows {
            let at = format!("session {}", row.str("id")?);
            examined.expects(
                SessionId::parse(row.str("id")?).is_ok(),
                &at,
                "the id of a session",
                "another text",
            );
            let subject = row.str("subject")?;
            let guest = GuestId::parse(subject).is_ok();
            let known = guest || row.opt_text("account")?.is_some();
            examined.expects(known, &at, "a guest, or an account that there is", subject);
            let seed = row.blob("seed")?.len();
            examined.expects(seed == SEED_BYTES, &at, "16 bytes for its tokens", format!("{seed} bytes"));
            examined.expects(row.int("generation")? >= 0, &at, "a generation from 0", row.int("generation")?);
            let lasts = row.int("created_at")? > 0 && row.int("expires_at")? > row.int("created_at")?;
            examined.expects(lasts, &at, "an end after its beginning", row.int("expires_at")?);
            let ended = row.opt_int("ended_at")?.is_some();
            let why = row.opt_text("end_reason")?.is_some();
            examined.expects(ended == why, &at, "an end with its reason, or neither", "one of them");
        }
        Ok(examined)
    }
}

#[async_trait]
impl Examine for SecretRows {
    fn table(&self) -> &'static str {
        "secrets"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let query = "SELECT s.id, s.account_id, s.hash, s.session_id, s.created_at, a.id AS account FROM secrets s \
             LEFT JOIN accounts a ON a.id = s.account_id WHERE s.id > ? ORDER BY s.id LIMIT ?";
        let rows = self.0.stored(query, after, limit).await?;
        let mut examined = examined(&rows, limit)?;
        for row in &rows {
            let at = format!("secret {}", row.str("id")?);
            let known =
                CustomerId::parse(row.str("account_id")?).is_ok() && row.opt_text("account")?.is_some();
            examined.expects(known, &at, "an account that there is", row.str("account_id")?);
            let hash = row.str("hash")?;
            let whole = hash.len() == HASH_CHARS && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
            examined.expects(whole, &at, "a SHA-256", format!("{} characters", hash.len()));
            let session = SessionId::parse(row.str("session_id")?).is_ok();
            examined.expects(session, &at, "the id of a session", row.str("session_id")?);
        }
        Ok(examined)
    }
}

#[async_trait]
impl Examine for CounterRows {
    fn table(&self) -> &'static str {
        "counters"
    }

    async fn page(&self, _: Option<&str>, _: u32) -> Result<Examined> {
        // Counter and accounts in one query, so that they are of one moment.
        let query = "SELECT c.name, c.amount, (SELECT COUNT(*) FROM accounts WHERE staff = 1 AND permissions LIKE ?) AS admins \
             FROM counters c LIMIT ?";
        let rows = self.0.stored(query, Some("% admin %"), 100).await?;
        let mut examined = Examined { rows: rows.len(), ..Examined::default() };
        examined.expects(rows.len() == 2, "counters", "those of admins and of the e-mail rule", rows.len());
        for row in &rows {
            let (name, found) = (row.str("name")?, row.int("amount")?);
            let expected = match name {
                "admins" => row.int("admins")?,
                "email_rule" => EMAIL_RULE,
                _ => {
                    examined.finds(format!("counter {name}"), "no such counter", found.to_string());
                    continue;
                }
            };
            examined.expects(expected == found, &format!("counter {name}"), expected.to_string(), found);
        }
        Ok(examined)
    }
}
