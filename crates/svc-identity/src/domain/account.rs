//! Accounts.

use kernel::{CustomerId, Email, Error, Result, Timestamp};

use super::Permissions;

/// Name of the operator's account, and of its place among the addresses: no address lacks an `@`.
pub const OPERATOR: &str = "operator";

/// What an account is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountKind {
    /// A person with an e-mail address.
    Person,
    /// The operator of the shop.
    Operator,
}

/// An account, without its password.
#[derive(Clone)]
pub struct Account {
    /// The account's id, which is its customer's.
    pub id: CustomerId,
    /// Rises with every change.
    pub version: i64,
    /// What it is for.
    pub kind: AccountKind,
    /// The address it signs in with; none for the operator.
    pub email: Option<Email>,
    /// What it may do.
    pub permissions: Permissions,
    /// Its tokens carry no earlier `iat`: a whole second, after all that was revoked.
    pub tokens_from: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Account {
    /// A person's new account.
    #[must_use]
    pub fn person(id: CustomerId, email: Email, now: Timestamp) -> Self {
        Self::new(id, AccountKind::Person, Some(email), Permissions::default(), now)
    }

    /// The operator's new account.
    #[must_use]
    pub fn operator(id: CustomerId, now: Timestamp) -> Self {
        Self::new(id, AccountKind::Operator, None, Permissions::admin(), now)
    }

    fn new(
        id: CustomerId,
        kind: AccountKind,
        email: Option<Email>,
        permissions: Permissions,
        now: Timestamp,
    ) -> Self {
        let tokens_from = Timestamp::from_secs(now.secs());
        Self { id, version: 1, kind, email, permissions, tokens_from, created_at: now, updated_at: now }
    }

    /// What is unique among accounts.
    #[must_use]
    pub fn email_key(&self) -> String {
        self.email.as_ref().map_or_else(|| OPERATOR.to_owned(), Email::key)
    }

    /// A name for lists; empty for persons, whom their address names.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.kind {
            AccountKind::Person => "",
            AccountKind::Operator => OPERATOR,
        }
    }

    /// Checks the version an editor saw.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` naming `/version` below 1; `VERSION_CONFLICT` when it is another.
    pub fn seen(&self, version: i64) -> Result<()> {
        if version < 1 {
            return Err(Error::field("/version", "INVALID_ARGUMENT", "must be the version that was read"));
        }
        if version != self.version {
            let error = Error::conflict("VERSION_CONFLICT", "the account has changed since it was read");
            return Err(error.retry(false).with("version", self.version.to_string()));
        }
        Ok(())
    }

    /// The account after a change that leaves its tokens good.
    #[must_use]
    pub fn changed(&self, now: Timestamp) -> Self {
        Self { version: self.version + 1, updated_at: now, ..self.clone() }
    }

    /// The account after a change that voids its tokens issued before a time.
    #[must_use]
    pub fn revoked(&self, now: Timestamp, tokens_from: Timestamp) -> Self {
        Self { tokens_from, ..self.changed(now) }
    }

    /// Checks that it may be deleted. The last admin is told apart by the store, which counts.
    ///
    /// # Errors
    /// `OPERATOR_STAYS`.
    pub fn deletable(&self) -> Result<()> {
        match self.kind {
            AccountKind::Person => Ok(()),
            AccountKind::Operator => Err(Error::precondition(
                "OPERATOR_STAYS",
                "the operator's account cannot be deleted; revoke its secrets or take its permissions",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::void_before;
    use super::*;

    #[test]
    fn an_edit_names_the_version_it_saw() {
        let account = Account::operator(CustomerId::from_bits(1), Timestamp::from_millis(1_500));
        assert_eq!(account.seen(0).expect_err("none").violations()[0].field, "/version");
        assert_eq!(account.seen(2).expect_err("another").reason(), "VERSION_CONFLICT");
        assert!(account.seen(1).is_ok());
    }

    #[test]
    fn tokens_after_a_revocation_are_told_apart_from_those_before() {
        let now = Timestamp::from_millis(10_500);
        let account = Account::operator(CustomerId::from_bits(1), now);
        assert_eq!(account.tokens_from.secs(), 10);
        let revoked = account.revoked(now, void_before(now));
        assert_eq!((revoked.version, revoked.tokens_from), (2, void_before(now)));
    }

    #[test]
    fn the_operator_stays() {
        let account = Account::operator(CustomerId::from_bits(1), Timestamp::default());
        assert_eq!(account.deletable().expect_err("stays").reason(), "OPERATOR_STAYS");
        assert_eq!((account.email_key().as_str(), account.name()), (OPERATOR, OPERATOR));
    }
}
