//! Accounts and their passwords.

use kernel::{CustomerId, Email, Error, Page, Result, Timestamp};
use store::{Batch, Row, sql};

use super::Store;
use crate::domain::{Account, AccountKind, AdminChange, OPERATOR, Permissions};

const COLUMNS: &str = "id, kind, email, password, permissions, tokens_from, version, created_at, updated_at";

/// The rule of addresses by which the keys are made: 2 since domains are compared as DNS does.
pub(crate) const EMAIL_RULE: i64 = 2;

/// An account with the hash of its password.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) account: Account,
    /// PHC string; `None` for an account without a password.
    pub(crate) password: Option<String>,
}

/// Which accounts to list.
pub(crate) struct AccountFilter {
    /// Only those under one of these keys, where there are any.
    pub(crate) email_keys: Vec<String>,
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

    /// The accounts under these keys, in the order of the keys.
    pub(crate) async fn accounts_by_email(&self, email_keys: &[String]) -> Result<Vec<Credentials>> {
        let mut found = Vec::new();
        for key in email_keys {
            found.extend(self.account_by_email(key).await?);
        }
        Ok(found)
    }

    /// Gives every account the form of its address that is the rule now, once for each directory. An account whose new form
    /// another account has already, or whose address is not valid any more, keeps what it has and is found by it.
    pub(crate) async fn renew_emails(&self) -> Result<()> {
        let rule = self.sql.fetch_one(sql("SELECT amount FROM counters WHERE name = 'email_rule'")).await?;
        if rule.is_none_or(|rule| rule.int("amount").is_ok_and(|rule| rule >= EMAIL_RULE)) {
            return Ok(());
        }
        let mut after = String::new();
        loop {
            let text = "SELECT id, email, email_key FROM accounts WHERE id > ? AND kind = 'person' ORDER BY id LIMIT 500";
            let rows = self.sql.fetch(sql(text).bind(after)).await?;
            let Some(last) = rows.last() else { break };
            after = last.text("id")?;
            for row in &rows {
                self.renew_email(row).await?;
            }
        }
        let done = sql("UPDATE counters SET amount = ? WHERE name = 'email_rule'").bind(EMAIL_RULE);
        Ok(self.sql.commit(Batch::new().run(done)).await.map(|_| ())?)
    }

    async fn renew_email(&self, row: &Row) -> Result<()> {
        let (id, before) = (row.text("id")?, row.text("email_key")?);
        let Some(email) = row.opt_text("email")?.and_then(|email| Email::parse("/email", &email).ok()) else {
            tracing::warn!(
                account = id,
                "the account's address is not valid by the present rule; it is kept as it is"
            );
            return Ok(());
        };
        let key = email.key();
        if key == before {
            return Ok(());
        }
        if self.account_by_email(&key).await?.is_some() {
            tracing::warn!(account = id, "another account has this account's address in another spelling");
            return Ok(());
        }
        let text = "UPDATE accounts SET email = ?, email_key = ? WHERE id = ? AND email_key = ?";
        let update = sql(text).bind(email.as_str()).bind(key).bind(id).bind(before);
        Ok(self.sql.commit(Batch::new().run(update)).await.map(|_| ())?)
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
        match filter.email_keys.as_slice() {
            [] => {}
            [key] => {
                conditions.push("email_key = ?");
                values.push(key.clone());
            }
            [key, former, ..] => {
                conditions.push("email_key IN (?, ?)");
                values.extend([key.clone(), former.clone()]);
            }
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use kernel::Clock;
    use store::OpenOptions;

    use super::super::{MIGRATIONS, Seals};
    use super::*;

    struct Still;
    impl Clock for Still {
        fn now(&self) -> Timestamp {
            Timestamp::from_secs(1_700_000_000)
        }
        fn monotonic(&self) -> Duration {
            Duration::ZERO
        }
    }

    async fn key_of(store: &Store, id: u128) -> (String, String) {
        let query = sql("SELECT email, email_key FROM accounts WHERE id = ?").bind(CustomerId::from_bits(id));
        let row = store.sql.fetch_one(query).await.expect("read").expect("there");
        (row.text("email").expect("text"), row.text("email_key").expect("text"))
    }

    #[tokio::test]
    async fn addresses_of_the_former_rule_get_the_form_of_today_once() {
        let options = OpenOptions::new(Arc::new(Still));
        let database = store::open("mem:", "identity", MIGRATIONS, options).await.expect("opened");
        let store = Store::new(database.sql(), Seals::new(chassis::testing::record_key(1)));
        for (id, email, key) in [
            (1, "Ida@b\u{fc}cher.example", "ida@b\u{fc}cher.example"),
            (2, "ida@xn--fcher-fx.example", "ida@xn--fcher-fx.example"),
            (3, "zoe\u{200b}@example.com", "zoe\u{200b}@example.com"),
            (4, "kai@m\u{fc}ller.example", "kai@m\u{fc}ller.example"),
            (5, "kai@xn--mller-kva.example", "kai@xn--mller-kva.example"),
            (6, "ada@example.com", "ada@example.com"),
        ] {
            let account =
                Account::person(CustomerId::from_bits(id), Email::stored(email.to_owned()), Still.now());
            let mut batch = insert(Batch::new(), &account, None);
            batch =
                batch.run(sql("UPDATE accounts SET email_key = ? WHERE id = ?").bind(key).bind(account.id));
            store.commit(batch).await.map_err(Error::from).map(|_| ()).expect("written");
        }
        store.renew_emails().await.expect("renewed");
        let pair = |email: &str, key: &str| (email.to_owned(), key.to_owned());
        assert_eq!(key_of(&store, 1).await, pair("Ida@xn--bcher-kva.example", "ida@xn--bcher-kva.example"));
        assert_eq!(key_of(&store, 3).await.1, "zoe\u{200b}@example.com", "none by today's rule: kept");
        assert_eq!(key_of(&store, 4).await.1, "kai@m\u{fc}ller.example", "the other spelling is taken: kept");
        assert_eq!(key_of(&store, 5).await.1, "kai@xn--mller-kva.example");
        assert_eq!(key_of(&store, 6).await, pair("ada@example.com", "ada@example.com"));
        let back = sql("UPDATE accounts SET email_key = 'x' WHERE id = ?").bind(CustomerId::from_bits(6));
        store.sql.commit(Batch::new().run(back)).await.expect("written");
        store.renew_emails().await.expect("nothing to do");
        assert_eq!(key_of(&store, 6).await.1, "x", "a directory is gone through once");
    }
}
