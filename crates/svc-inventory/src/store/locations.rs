//! Places where stock lies.

use kernel::{Error, Result, Timestamp};
use store::{Batch, CommitError, RequestKey, sql};

use super::Stock;

/// Locations of a shop at most.
pub(super) const LOCATIONS_MAX: usize = 100;
/// Label of a location's row.
const LOCATION: &str = "location";

/// A place where stock lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// Its code.
    pub code: String,
    /// Its name.
    pub display_name: String,
    /// When it was added.
    pub created: Timestamp,
}

impl Stock {
    /// All locations, by code.
    pub async fn locations(&self) -> Result<Vec<Location>> {
        let rows =
            self.sql.fetch(sql("SELECT code, display_name, created_at FROM locations ORDER BY code")).await?;
        let location = |row: &store::Row| {
            Ok(Location {
                code: row.text("code")?,
                display_name: row.text("display_name")?,
                created: row.timestamp("created_at")?,
            })
        };
        rows.iter().map(location).collect()
    }

    /// Adds a location; the answer of a request that was done before comes back.
    ///
    /// # Errors
    /// `LOCATION_EXISTS`, `LOCATIONS_LIMIT`, `IDEMPOTENCY_KEY_REUSED`.
    pub async fn add_location(
        &self,
        location: &Location,
        key: &RequestKey,
        answer: Vec<u8>,
    ) -> Result<Option<Vec<u8>>> {
        if let Some(answer) = self.sql.answer(key).await? {
            return Ok(Some(answer));
        }
        let insert = sql("INSERT INTO locations (code, display_name, created_at) VALUES (?, ?, ?)")
            .bind(&location.code)
            .bind(&location.display_name)
            .bind(location.created);
        // Counted after the insert, in the same commit.
        let room = sql("SELECT COUNT(*) AS n FROM locations HAVING COUNT(*) <= ?")
            .bind(i64::try_from(LOCATIONS_MAX).map_err(Error::internal)?);
        let batch = Batch::new().insert(insert, LOCATION).guard(room, "room").remember(key.clone(), answer);
        match self.sql.commit(batch).await {
            Ok(_) => Ok(None),
            Err(CommitError::Replayed(answer)) => Ok(Some(answer)),
            Err(CommitError::Duplicate { label }) if label == LOCATION => {
                Err(Error::exists("LOCATION_EXISTS", "there is a location with this code")
                    .with_field("/code", "is taken by another location"))
            }
            Err(CommitError::Unexpected { .. }) => Err(Error::precondition(
                "LOCATIONS_LIMIT",
                format!("a shop has at most {LOCATIONS_MAX} locations"),
            )),
            Err(error) => Err(error.into()),
        }
    }
}
