//! What an audit checks of the stored accounts, sessions, secrets, signing keys and revocations. Secrets themselves, and what is
//! personal, are told to nobody.

mod events;
mod keys;

use std::sync::Arc;

use chassis::audit::{Examine, Examined, Fact, last_of_full_page};
use kernel::{CustomerId, GuestId, Result, SessionId, Timestamp};
use store::Row;
use tonic::async_trait;

use crate::derive::Derive;
use crate::domain::{
    AccountKind, OPERATOR, Permissions, SessionEnd, is_key_of, revocation_ends, void_before,
};
use crate::store::accounts::EMAIL_RULE;
use crate::store::seals::is_sealed;
use crate::store::{Store, accounts, secrets, sessions};

pub(crate) use events::describe;

/// Bytes that refresh tokens are derived from.
const SEED_BYTES: usize = 16;
/// What is expected of a row that does not fit its seal.
const SEALED: &str = "the row that was sealed";
/// Hexadecimal digits of a SHA-256.
const HASH_CHARS: usize = 64;

/// The tables of identity.
pub(crate) fn tables(store: &Store, derive: &Derive) -> [Arc<dyn Examine>; 6] {
    [
        Arc::new(AccountRows(store.clone())),
        Arc::new(SessionRows(store.clone())),
        Arc::new(SecretRows(store.clone())),
        Arc::new(CounterRows(store.clone())),
        // After what they revoke, so that what was ended in between is told, and no revocation is missing.
        Arc::new(keys::RevocationRows(store.clone())),
        Arc::new(keys::KeyRows(store.clone(), derive.clone())),
    ]
}

struct AccountRows(Store);
struct SessionRows(Store);
struct SecretRows(Store);
struct CounterRows(Store);

fn examined(rows: &[Row], limit: u32) -> Result<Examined> {
    let last = last_of_full_page(rows, limit);
    let next = last.map(|row| row.text("id")).transpose()?;
    Ok(Examined { rows: rows.len(), next, ..Examined::default() })
}

/// What an account may do, for comparison with the event that gave it.
fn permissions_content(fact: Fact, permissions: &Permissions) -> Fact {
    let stored = permissions.stored();
    let about = if stored.is_empty() { "no permissions" } else { stored.trim() };
    fact.content(stored.as_bytes()).about(about)
}

/// Notes that the tokens of somebody or something that were issued until a time are revoked, unless that is over and swept.
fn must_be_revoked(
    row: &Row,
    id: &str,
    at: Timestamp,
    ends: Timestamp,
    examined: &mut Examined,
) -> Result<()> {
    if row.opt_timestamp("swept")?.is_some_and(|swept| ends >= swept) {
        examined.facts.push(Fact::new("must be revoked", id).version(at.micros()).state("at least"));
    }
    Ok(())
}

#[async_trait]
impl Examine for AccountRows {
    fn table(&self) -> &'static str {
        "accounts"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let query = "SELECT id, kind, email, email_key, password, permissions, staff, tokens_from, version, created_at, updated_at, \
             (SELECT amount FROM counters WHERE name = 'revocations_swept') AS swept FROM accounts WHERE id > ? ORDER BY id LIMIT ?";
        let rows = self.0.stored(query, after, limit).await?;
        let mut examined = examined(&rows, limit)?;
        for row in &rows {
            let at = format!("account {}", row.str("id")?);
            let account = match accounts::read(row) {
                Ok(read) => read.account,
                Err(error) => {
                    examined.finds(&at, "an account that reads", format!("{error:?}"));
                    continue;
                }
            };
            let permissions = Permissions::from_stored(row.str("permissions")?);
            let same = permissions.stored() == row.str("permissions")?;
            examined.expects(same, &at, "permissions as they are written", row.str("permissions")?);
            let staff = i64::from(permissions.is_staff());
            examined.expects(row.int("staff")? == staff, &at, format!("staff {staff}"), row.int("staff")?);
            let operator = row.str("email_key")? == OPERATOR;
            let named = operator == (row.str("kind")? == "operator")
                && (operator || (row.opt_text("email")?.is_some() && !row.str("email_key")?.is_empty()));
            examined.expects(named, &at, "an address, or the operator's name", "another one");
            let email = row.opt_text("email")?.unwrap_or_default();
            let found = operator || is_key_of(row.str("email_key")?, &email);
            examined.expects(found, &at, "the key of its address to sign in with", "another one");
            let bare = !operator || (row.opt_text("email")?.is_none() && row.opt_text("password")?.is_none());
            examined.expects(bare, &at, "no address and no password, as it is the operator's", "one of them");
            let phc = row.opt_text("password")?.is_none_or(|password| password.starts_with("$argon2id$"));
            examined.expects(phc, &at, "a password as a hash of argon2id, or none", "something else");
            examined.expects(row.int("version")? > 0, &at, "a version from 1", row.int("version")?);
            let made =
                row.int("created_at")? > 0 && row.int("updated_at")? > 0 && row.int("tokens_from")? > 0;
            examined.expects(made, &at, "times of its making and its last change", row.int("created_at")?);
            let id = row.str("id")?;
            examined.facts.push(Fact::new("row", id).version(account.version).at(account.updated_at));
            let begun = match account.kind {
                AccountKind::Person => permissions == Permissions::default(),
                AccountKind::Operator => permissions == Permissions::admin(),
            };
            let held = permissions_content(Fact::new("permissions held", id), &permissions);
            examined.facts.push(if begun { held.state("begun") } else { held });
            if account.tokens_from > Timestamp::from_secs(account.created_at.secs()) {
                let from = account.tokens_from;
                must_be_revoked(row, id, from, revocation_ends(from), &mut examined)?;
            }
        }
        Ok(examined)
    }
}

/// A session as its owner's: sealed, and not longer than a session lasts.
fn check_session(store: &Store, row: &Row, at: &str, examined: &mut Examined) -> Result<()> {
    let Ok(session) = sessions::read(row) else {
        examined.finds(at, "a session that reads", "another row");
        return Ok(());
    };
    examined.expects(is_sealed(store.seals().session(&session), row)?, at, SEALED, "another row");
    let latest = session.ends_at_the_latest();
    examined.expects(session.expires_at <= latest, at, format!("an end by {latest}"), session.expires_at);
    Ok(())
}

#[async_trait]
impl Examine for SessionRows {
    fn table(&self) -> &'static str {
        "sessions"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let query = "SELECT s.id, s.subject, s.device, s.seed, s.generation, s.created_at, s.refreshed_at, s.expires_at, \
             s.ended_at, s.end_reason, s.seal, a.id AS account, (SELECT amount FROM counters WHERE name = 'revocations_swept') AS swept FROM sessions s LEFT JOIN accounts a ON a.id = s.subject \
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
            check_session(&self.0, row, &at, &mut examined)?;
            let (ended, why) = (row.opt_timestamp("ended_at")?, row.opt_text("end_reason")?);
            examined.expects(
                ended.is_some() == why.is_some(),
                &at,
                "an end with its reason, or neither",
                "one of them",
            );
            let reason = why.as_deref().is_none_or(|why| SessionEnd::ALL.iter().any(|end| end.name() == why));
            examined.expects(
                reason,
                &at,
                "a reason to end that there is",
                why.as_deref().unwrap_or_default(),
            );
            let everywhere = why.as_deref() == Some(SessionEnd::Everywhere.name());
            let revoked = if guest || everywhere { subject } else { row.str("id")? };
            match ended {
                // One that was over was ended for the case that the clock was wrong: it had no tokens any more.
                Some(ended) if row.timestamp("expires_at")? > ended => {
                    let ends = revocation_ends(void_before(ended));
                    must_be_revoked(row, revoked, ended, ends, &mut examined)?;
                }
                Some(_) => {}
                None => examined.facts.push(Fact::new("not revoked", revoked)),
            }
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
        let query = "SELECT s.id, s.account_id, s.label, s.hash, s.session_id, s.created_at, s.expires_at, s.revoked_at, s.seal, a.id AS account, \
             (SELECT amount FROM counters WHERE name = 'revocations_swept') AS swept FROM secrets s LEFT JOIN accounts a ON a.id = s.account_id WHERE s.id > ? ORDER BY s.id LIMIT ?";
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
            let session = row.str("session_id")?;
            examined.expects(SessionId::parse(session).is_ok(), &at, "the id of a session", session);
            let made = row.timestamp("created_at")?;
            examined.expects(made.micros() > 0, &at, "the time of its making", made);
            let sealed = match secrets::read(row) {
                Ok(secret) => is_sealed(self.0.seals().secret(&secret), row)?,
                Err(_) => false,
            };
            examined.expects(sealed, &at, SEALED, "another row");
            examined.facts.push(Fact::new("secret", row.str("id")?).at(made).about(row.str("account_id")?));
            match row.opt_timestamp("revoked_at")? {
                Some(at) => {
                    must_be_revoked(row, session, at, revocation_ends(void_before(at)), &mut examined)?;
                }
                None => examined.facts.push(Fact::new("not revoked", session).about(&at)),
            }
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
        let query = "SELECT c.name, c.amount, c.seal, (SELECT COUNT(*) FROM accounts WHERE staff = 1 AND permissions LIKE ?) AS admins \
             FROM counters c LIMIT ?";
        let rows = self.0.stored(query, Some("% admin %"), 100).await?;
        let mut examined = Examined { rows: rows.len(), ..Examined::default() };
        examined.expects(
            rows.len() == 3,
            "counters",
            "those of admins, of the e-mail rule and of what was swept",
            rows.len(),
        );
        for row in &rows {
            let (name, found) = (row.str("name")?, row.int("amount")?);
            let expected = match name {
                "admins" => row.int("admins")?,
                "email_rule" => EMAIL_RULE,
                // It rises; a clock may have been ahead.
                "revocations_swept" => {
                    let sealed = is_sealed(self.0.seals().swept(row.timestamp("amount")?), row)?;
                    examined.expects(sealed, "counter revocations_swept", SEALED, found);
                    continue;
                }
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
