//! What an audit can prove of identity's rows: that they can be read, and that they fit each other. Nobody else keeps a copy of
//! an account, so a content that is plausible is all there is.

use kernel::Result;
use store::sql;

use super::Store;
use crate::domain::{Email, Permissions};

/// Rows of a kind that are told at most.
const TOLD_MAX: u32 = 100;
/// Accounts read at once.
const PAGE: u32 = 500;

/// A row that does not fit.
pub(crate) struct Defect {
    /// Which row.
    pub(crate) row: String,
    /// What is expected of it.
    pub(crate) expected: &'static str,
    /// What is there; never a secret.
    pub(crate) found: String,
}

/// Each kind of defect that one statement finds: the row, what is expected, and the statement.
const DEFECTS: &[(&str, &str, &str)] = &[
    (
        "account",
        "the mark of staff exactly with permissions",
        "SELECT id FROM accounts WHERE staff <> CASE WHEN permissions = '' THEN 0 ELSE 1 END ORDER BY id LIMIT ?",
    ),
    (
        "account",
        "a kind, and an address exactly for a person",
        "SELECT id FROM accounts WHERE kind NOT IN ('person', 'operator') OR (kind = 'operator') <> (email_key = 'operator') \
         OR (kind = 'person' AND email IS NULL) ORDER BY id LIMIT ?",
    ),
    (
        "account",
        "a version from 1 and a password as argon2id writes it",
        "SELECT id FROM accounts WHERE version < 1 OR (password IS NOT NULL AND password NOT LIKE '$argon2id$%') ORDER BY id LIMIT ?",
    ),
    (
        "session",
        "its account",
        "SELECT s.id AS id FROM sessions s LEFT JOIN accounts a ON a.id = s.subject \
         WHERE s.subject LIKE 'cus%' AND a.id IS NULL ORDER BY s.id LIMIT ?",
    ),
    (
        "session",
        "a customer or a guest, a seed of 16 bytes, a generation, an end with its reason",
        "SELECT id FROM sessions WHERE (subject NOT LIKE 'cus%' AND subject NOT LIKE 'gst%') OR LENGTH(seed) <> 16 \
         OR generation < 0 OR (ended_at IS NULL) <> (end_reason IS NULL) OR expires_at < created_at ORDER BY id LIMIT ?",
    ),
    (
        "secret",
        "its account",
        "SELECT s.id AS id FROM secrets s LEFT JOIN accounts a ON a.id = s.account_id WHERE a.id IS NULL ORDER BY s.id LIMIT ?",
    ),
    ("secret", "a hash of 64 digits", "SELECT id FROM secrets WHERE LENGTH(hash) <> 64 ORDER BY id LIMIT ?"),
    (
        "signing key",
        "a beginning, an end of signing and an end of verifying in this order",
        "SELECT id FROM signing_keys WHERE signs_from > signs_until OR signs_until > verifies_until ORDER BY id LIMIT ?",
    ),
    (
        "revocation",
        "a session, a customer or a guest",
        "SELECT row_id AS id FROM revocations WHERE revoked NOT LIKE 'ses%' AND revoked NOT LIKE 'cus%' AND revoked NOT LIKE 'gst%' \
         ORDER BY row_id LIMIT ?",
    ),
];

impl Store {
    /// Every row that does not fit, and how many were looked at. `exists` knows the permissions there are.
    pub(crate) async fn defects(&self, exists: impl Fn(&str) -> bool) -> Result<(u64, Vec<Defect>)> {
        let mut defects = Vec::new();
        for (kind, expected, text) in DEFECTS {
            for row in self.sql.fetch(sql(*text).bind(TOLD_MAX)).await? {
                let row = format!("{kind} {}", row.str("id")?);
                defects.push(Defect { row, expected, found: "another content".to_owned() });
            }
        }
        let accounts = self.account_defects(exists, &mut defects).await?;
        self.admin_defects(&mut defects).await?;
        let counted =
            sql("SELECT (SELECT COUNT(*) FROM sessions) + (SELECT COUNT(*) FROM secrets) AS rows_seen");
        let others = self.sql.fetch_one(counted).await?.map_or(Ok(0), |row| row.int("rows_seen"))?;
        Ok((accounts + others.unsigned_abs(), defects))
    }

    /// What of accounts takes more than a statement: the key of the address, the names of permissions.
    async fn account_defects(&self, exists: impl Fn(&str) -> bool, defects: &mut Vec<Defect>) -> Result<u64> {
        let (mut after, mut examined) = (String::new(), 0);
        loop {
            let text =
                "SELECT id, email, email_key, permissions FROM accounts WHERE id > ? ORDER BY id LIMIT ?";
            let rows = self.sql.fetch(sql(text).bind(&after).bind(PAGE)).await?;
            for row in &rows {
                examined += 1;
                after = row.text("id")?;
                let (key, stored) = (row.text("email_key")?, row.text("permissions")?);
                let of_address = row.opt_text("email")?.map(|email| Email::stored(email).key());
                if of_address.is_some_and(|expected| expected != key) {
                    let (row, found) = (format!("account {after}"), "another key".to_owned());
                    defects.push(Defect { row, expected: "the key of its address", found });
                }
                let permissions = Permissions::from_stored(&stored);
                let known = permissions.names().all(|name| name == crate::domain::ADMIN || exists(name));
                if !known || permissions.stored() != stored {
                    let row = format!("account {after}");
                    defects.push(Defect { row, expected: "permissions that exist", found: stored });
                }
            }
            if rows.len() < PAGE as usize {
                return Ok(examined);
            }
        }
    }

    /// The counter that keeps the last admin.
    async fn admin_defects(&self, defects: &mut Vec<Defect>) -> Result<()> {
        // One statement, so that both are of the same moment.
        let text = "SELECT (SELECT amount FROM counters WHERE name = 'admins') AS counted, \
            (SELECT COUNT(*) FROM accounts WHERE permissions LIKE '% admin %') AS admins";
        let Some(row) = self.sql.fetch_one(sql(text)).await? else { return Ok(()) };
        let (counted, admins) = (row.opt_int("counted")?, row.int("admins")?);
        if counted != Some(admins) {
            let found = format!("{} counted, {admins} accounts", counted.unwrap_or(0));
            defects.push(Defect {
                row: "counter admins".to_owned(),
                expected: "the number of admins",
                found,
            });
        }
        Ok(())
    }
}
