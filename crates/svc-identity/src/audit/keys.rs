//! Signing keys and revocations as they are stored.

use chassis::audit::{Examine, Examined, Fact};
use kernel::{CustomerId, GuestId, Result, SessionId, Timestamp};
use tonic::async_trait;

use super::examined;
use crate::derive::Derive;
use crate::domain::{KeyTimes, revocation_ends};
use crate::store::{Store, keys};

/// Hexadecimal digits of a key's id.
const KEY_ID_CHARS: usize = 16;
/// Hexadecimal digits of a revocation's row.
const ROW_ID_CHARS: usize = 32;

pub(super) struct KeyRows(pub(super) Store, pub(super) Derive);
pub(super) struct RevocationRows(pub(super) Store);

#[async_trait]
impl Examine for KeyRows {
    fn table(&self) -> &'static str {
        "signing keys"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let query = "SELECT id, seed, public_key, predecessor, signs_from, signs_until, verifies_until FROM signing_keys \
             WHERE id > ? ORDER BY id LIMIT ?";
        let rows = self.0.stored(query, after, limit).await?;
        let mut examined = examined(&rows, limit)?;
        for row in &rows {
            let at = format!("signing key {}", row.str("id")?);
            let key = keys::read(row)?;
            examined.expects(is_hex(&key.id, KEY_ID_CHARS), &at, "an id of 16 hexadecimal digits", &key.id);
            let public = self.1.signing_key(&key.seed).verifying_key().to_bytes();
            let fits = key.fits && public == key.public;
            examined.expects(
                fits,
                &at,
                "the public half that follows from its seed and our secret",
                "another",
            );
            let chained = key.predecessor.is_empty() || is_hex(&key.predecessor, KEY_ID_CHARS);
            examined.expects(chained, &at, "the id of the key before, or none", &key.predecessor);
            let nothing = Timestamp::default();
            let ended = key.signs_until == nothing && key.verifies_until == nothing;
            let lasts = key.signs_from <= key.signs_until
                && key.verifies_until == KeyTimes::verifies_until(key.signs_until);
            let found = format!("{}, {}, {}", key.signs_from, key.signs_until, key.verifies_until);
            let expected = "an end after its beginning, and of its last token's life after that";
            examined.expects(ended || lasts, &at, expected, found);
        }
        Ok(examined)
    }
}

#[async_trait]
impl Examine for RevocationRows {
    fn table(&self) -> &'static str {
        "revocations"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let query = "SELECT r.row_id AS id, r.revoked AS revoked, r.void_before AS void_before, r.ends_at AS ends_at, \
             a.tokens_from AS tokens_from FROM revocations r LEFT JOIN accounts a ON a.id = r.revoked WHERE r.row_id > ? \
             ORDER BY r.row_id LIMIT ?";
        let rows = self.0.stored(query, after, limit).await?;
        let mut examined = examined(&rows, limit)?;
        for row in &rows {
            let (id, revoked) = (row.str("id")?, row.str("revoked")?);
            let at = format!("revocation {id}");
            examined.expects(is_hex(id, ROW_ID_CHARS), &at, "an id of 32 hexadecimal digits", id);
            let known = SessionId::parse(revoked).is_ok()
                || CustomerId::parse(revoked).is_ok()
                || GuestId::parse(revoked).is_ok();
            examined.expects(known, &at, "a session, an account or a guest", revoked);
            let before = row.timestamp("void_before")?;
            examined.expects(before.micros() > 0, &at, "a time from which on tokens are good", before);
            let (expected, found) = (revocation_ends(before), row.timestamp("ends_at")?);
            examined.expects(expected == found, &at, format!("over at {expected}"), found);
            if let Some(from) = row.opt_timestamp("tokens_from")? {
                let expected = format!("tokens from {before} at the earliest, as they were revoked");
                examined.expects(from >= before, &format!("account {revoked}"), expected, from);
            }
            examined.facts.push(Fact::new("revocation", revoked).version(before.micros()));
        }
        Ok(examined)
    }
}

fn is_hex(text: &str, chars: usize) -> bool {
    text.len() == chars && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
