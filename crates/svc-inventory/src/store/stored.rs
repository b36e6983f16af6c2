//! Rows as they are stored, for the audit.

use std::collections::{BTreeSet, HashMap};

use kernel::Result;
use store::{Row, sql};

use super::holds::{HOLD_COLUMNS, hold_of};
use super::{Stock, marks_of, pad, padded};
use crate::domain::Hold;

/// Ids in one query.
const IDS_IN_QUERY: usize = 200;

impl Stock {
    /// Every location's code, name and time.
    ///
    /// # Errors
    /// When the store fails, or a column holds something of another type.
    pub async fn stored_locations(&self) -> Result<Vec<Row>> {
        self.sql
            .fetch(sql("SELECT code, display_name, created_at FROM locations ORDER BY code LIMIT 1000"))
            .await
    }

    /// The codes of all locations.
    ///
    /// # Errors
    /// As [`Stock::stored_locations`].
    pub async fn location_codes(&self) -> Result<BTreeSet<String>> {
        self.stored_locations().await?.iter().map(|row| row.text("code")).collect()
    }

    /// Receipts after a reference, by reference.
    ///
    /// # Errors
    /// When the store fails, or a column holds something of another type.
    pub async fn stored_receipts(&self, after: &str, limit: u32) -> Result<Vec<Row>> {
        let query = sql("SELECT reference, sku, location, quantity, received_at FROM receipts \
             WHERE reference > ? ORDER BY reference LIMIT ?");
        self.sql.fetch(query.bind(after).bind(limit)).await
    }

    /// Holds after an id, by id, with when they are looked at again.
    ///
    /// # Errors
    /// When the store fails, or a column holds something of another type.
    pub async fn stored_holds(&self, after: &str, limit: u32) -> Result<Vec<Row>> {
        let query =
            sql(format!("SELECT {HOLD_COLUMNS}, sweep_at FROM holds WHERE id > ? ORDER BY id LIMIT ?"));
        self.sql.fetch(query.bind(after).bind(limit)).await
    }

    /// Holds by id, those that there are and that read.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn holds_of(&self, ids: &BTreeSet<&str>) -> Result<HashMap<String, Hold>> {
        let ids: Vec<&str> = ids.iter().copied().collect();
        let mut found = HashMap::with_capacity(ids.len());
        for some in ids.chunks(IDS_IN_QUERY) {
            let marks = padded(some.len());
            let query = format!("SELECT {HOLD_COLUMNS} FROM holds WHERE id IN ({})", marks_of(marks));
            for row in self.sql.fetch(sql(query).bind_all(pad(some, marks))).await? {
                // One that does not read is told by its own table.
                if let Ok(hold) = hold_of(&row) {
                    found.insert(hold.id.to_string(), hold);
                }
            }
        }
        Ok(found)
    }
}
