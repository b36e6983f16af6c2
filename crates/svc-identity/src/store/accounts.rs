//! Accounts and their passwords.

use kernel::{CustomerId, Error, Page, Result, Timestamp};
use store::{Batch, Row, sql};

use super::Store;
use crate::domain::{Account, AccountKind, AdminChange, Email, OPERATOR, Permissions};

const COLUMNS: &str = "id, kind, email, password, permissions, tokens_from, version, created_at, updated_at";

/// An account with the hash of its password.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) account: Account,
    /// PHC string; `None` for an account without a password.
    pub(crate) password: Option<String>,
}

/// Which accounts to list.
pub(crate) struct AccountFilter {
    /// Only the one of this address, as [`Email::key`] writes it.
    pub(crate) email_key: Option<String>,
    /// Only those with this permission.
    pub(crate) permission: Option<String>,
}

impl Store {
    pub(crate) async fn account(&self, id: CustomerId) -> Result<Option<Credentials>> {
        let query = sql(format!("SELECT {COLUMNS} FROM accounts WHERE id = ?")).bind(id);
        self.sql.fetch_one(query).await?.as_ref().map(read).transpose()
    }

    pub(crate) async fn account_by_email(&self, email_key: &str) -> Result<Option<Credentials>> {
        let query = sql(format!("SELECT {COLUMNS} FROM accounts WHERE email_key = ?")).bind(email_key);
        self.sql.fetch_one(query).await?.as_ref().map(read).transpose()
    }

    pub(crate) async fn operator(&self) -> Result<Option<Account>> {
        Ok(self.account_by_email(OPERATOR).await?.map(|found| found.account))
    }

    /// Accounts after an id, in the order they were made.
    pub(crate) async fn accounts(
        &self,
        filter: &AccountFilter,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<Account>> {
        let mut conditions = vec!["id > ?"];
        let mut values = vec![after.unwrap_or_default()];
        if let Some(key) = &filter.email_key {
            conditions.push("email_key = ?");
            values.push(key.clone());
        }
        if let Some(permission) = &filter.permission {
            conditions.push("staff = 1 AND permissions LIKE ?");
            values.push(format!("% {permission} %"));
        }
        let conditions = conditions.join(" AND ");
        let query = sql(format!("SELECT {COLUMNS} FROM accounts WHERE {conditions} ORDER BY id LIMIT ?"));
        let rows = self.sql.fetch(query.bind_all(values).bind(limit + 1)).await?;
        let mut items = rows.iter().map(|row| Ok(read(row)?.account)).collect::<Result<Vec<_>>>()?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next = items.last().filter(|_| more).map(|account| account.id.to_string());
        Ok(Page { items, next })
    }
}

pub(crate) fn read(row: &Row) -> Result<Credentials> {
    let kind = match row.str("kind")? {
        "person" => AccountKind::Person,
        "operator" => AccountKind::Operator,
        other => return Err(Error::internal(format!("an account of the kind {other:?}"))),
    };
    let account = Account {
        id: row.id("id")?,
        version: row.int("version")?,
        kind,
        email: row.opt_text("email")?.map(Email::stored),
        permissions: Permissions::from_stored(row.str("permissions")?),
        tokens_from: row.timestamp("tokens_from")?,
        created_at: row.timestamp("created_at")?,
        updated_at: row.timestamp("updated_at")?,
    };
    Ok(Credentials { account, password: row.opt_text("password")? })
}

/// Adds a new account; `EmailTaken` when there is one with its address.
pub(crate) fn insert(batch: Batch, account: &Account, password: Option<String>) -> Batch {
    let kind = match account.kind {
        AccountKind::Person => "person",
        AccountKind::Operator => "operator",
    };
    let insert = sql(
        "INSERT INTO accounts (id, kind, email, email_key, password, permissions, staff, tokens_from, version, created_at, \
         updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(account.id)
    .bind(kind)
    .bind(account.email.as_ref().map(|email| email.as_str().to_owned()))
    .bind(account.email_key())
    .bind(password)
    .bind(account.permissions.stored())
    .bind(account.permissions.is_staff())
    .bind(account.tokens_from)
    .bind(account.version)
    .bind(account.created_at)
    .bind(account.updated_at);
    batch.insert(insert, "email")
}

/// Writes a changed account over the version before it; `Stale` when that is not there any more.
pub(crate) fn save(batch: Batch, account: &Account) -> Batch {
    let update = sql(
        "UPDATE accounts SET permissions = ?, staff = ?, tokens_from = ?, version = ?, updated_at = ? WHERE id = ? AND \
         version = ?",
    )
    .bind(account.permissions.stored())
    .bind(account.permissions.is_staff())
    .bind(account.tokens_from)
    .bind(account.version)
    .bind(account.updated_at)
    .bind(account.id)
    .bind(account.version - 1);
    batch.expect(update, 1, "account")
}

/// Sets the password of an account.
pub(crate) fn set_password(batch: Batch, id: CustomerId, password: String) -> Batch {
    batch.expect(sql("UPDATE accounts SET password = ? WHERE id = ?").bind(password).bind(id), 1, "account")
}

/// Notes that an account signed in; `Stale` when it has changed since it was read, so that no session begins with a
/// password that was changed in between.
pub(crate) fn signed_in(batch: Batch, account: &Account, now: Timestamp) -> Batch {
    let update = sql("UPDATE accounts SET signed_in_at = ? WHERE id = ? AND version = ?");
    batch.expect(update.bind(now).bind(account.id).bind(account.version), 1, "account")
}

/// Deletes an account in the version that was read, with its sessions and secrets.
pub(crate) fn delete(batch: Batch, account: &Account) -> Batch {
    let delete =
        sql("DELETE FROM accounts WHERE id = ? AND version = ?").bind(account.id).bind(account.version);
    batch
        .expect(delete, 1, "account")
        .run(sql("DELETE FROM sessions WHERE subject = ?").bind(account.id))
        .run(sql("DELETE FROM secrets WHERE account_id = ?").bind(account.id))
}

/// Counts the admins; `LastAdmin` when none would be left.
pub(crate) fn count_admins(batch: Batch, change: AdminChange) -> Batch {
    let more = "UPDATE counters SET amount = amount + 1 WHERE name = 'admins'";
    let less = "UPDATE counters SET amount = amount - 1 WHERE name = 'admins' AND amount > 1";
    match change {
        AdminChange::None => batch,
        AdminChange::Gained => batch.expect(sql(more), 1, "admins"),
        AdminChange::Lost => batch.expect(sql(less), 1, "last_admin"),
    }
}
