//! The repository: what identity keeps, and under which conditions it changes.

pub(crate) mod accounts;
pub(crate) mod keys;
pub(crate) mod seals;
pub(crate) mod secrets;
pub(crate) mod sessions;

use kernel::{Error, Result};
use store::{Batch, CommitError, Migration, RequestKey, Sql};

pub(crate) use accounts::{AccountFilter, Credentials};
pub(crate) use seals::Seals;
pub(crate) use secrets::SecretRow;
pub(crate) use sessions::Revoke;

/// Migrations of identity's database.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration { name: "0001_identity", sql: include_str!("../migrations/0001_identity.sql") },
    Migration { name: "0002_email_rule", sql: include_str!("../migrations/0002_email_rule.sql") },
    Migration {
        name: "0003_revocations_swept",
        sql: include_str!("../migrations/0003_revocations_swept.sql"),
    },
    Migration { name: "0004_seals", sql: include_str!("../migrations/0004_seals.sql") },
];

/// Rows that one sweep deletes of each table at most.
const SWEEP_ROWS: u32 = 1000;

/// Identity's database.
#[derive(Clone)]
pub(crate) struct Store {
    sql: Sql,
    seals: Seals,
}

/// How a commit ended.
pub(crate) enum Written {
    /// It was written now.
    Fresh,
    /// The request had been done before: what was remembered.
    Replayed(Vec<u8>),
}

/// Why a change could not be written, told by the label of the condition that failed.
pub(crate) enum Refused {
    /// The e-mail address is taken.
    EmailTaken,
    /// There would be no admin any more.
    LastAdmin,
    /// What was read has changed: read and decide again.
    Stale,
    /// Anything else.
    Failed(Error),
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::EmailTaken => {
                Error::exists("EMAIL_TAKEN", "there is an account with this e-mail address")
                    .with_field("/email", "belongs to an account already")
            }
            Refused::LastAdmin => Error::precondition(
                "LAST_ADMIN",
                "this is the last admin; give another account the permission admin first",
            ),
            Refused::Stale => Error::conflict(
                "VERSION_CONFLICT",
                "it was changed at the same time; read it again and retry",
            ),
            Refused::Failed(error) => error,
        }
    }
}

impl Store {
    /// Rows of a query that takes a text and a limit, for the audit.
    pub(crate) async fn stored(
        &self,
        query: &'static str,
        text: Option<&str>,
        limit: u32,
    ) -> Result<Vec<store::Row>> {
        self.sql.fetch(store::sql(query).bind(text.unwrap_or_default()).bind(limit)).await
    }

    pub(crate) fn new(sql: Sql, seals: Seals) -> Self {
        Self { sql, seals }
    }

    pub(crate) fn seals(&self) -> &Seals {
        &self.seals
    }

    /// What is remembered of a request.
    pub(crate) async fn answer(&self, key: &RequestKey) -> Result<Option<Vec<u8>>> {
        self.sql.answer(key).await
    }

    /// Writes all of a batch or nothing.
    pub(crate) async fn commit(&self, batch: Batch) -> Result<Written, Refused> {
        match self.sql.commit(batch).await {
            Ok(_) => Ok(Written::Fresh),
            Err(CommitError::Replayed(answer)) => Ok(Written::Replayed(answer)),
            Err(CommitError::Duplicate { label }) if label == "email" => Err(Refused::EmailTaken),
            Err(CommitError::Duplicate { label }) if label == "successor" => Err(Refused::Stale),
            Err(CommitError::Unexpected { label, .. }) if label == "last_admin" => Err(Refused::LastAdmin),
            Err(CommitError::Unexpected { .. }) => Err(Refused::Stale),
            Err(error) => Err(Refused::Failed(error.into())),
        }
    }
}
