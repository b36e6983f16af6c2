//! Rows as they are stored, for the audit: one that does not read is told, and the others are read.

use kernel::{Result, Timestamp};
use store::{Row, Value, sql};

use super::{Books, Kept, kept};

/// A shipment's row.
#[derive(Clone, Debug)]
pub struct StoredShipment {
    /// Its id as it stands there.
    pub id: String,
    /// The shipment, or why it does not read.
    pub kept: std::result::Result<Kept, String>,
}

/// A row of a shipment's history.
#[derive(Clone, Debug)]
pub struct StoredStep {
    /// The shipment's id.
    pub shipment: String,
    /// The version that the shipment had after it.
    pub version: i64,
    /// The state as it stands there.
    pub state: String,
    /// A remark.
    pub note: String,
    /// When.
    pub time: Timestamp,
}

impl Books {
    /// Versions of the rates after one, with their times and bodies.
    ///
    /// # Errors
    /// When the store fails, or a column holds something of another type.
    pub async fn stored_rates(&self, after: i64, limit: u32) -> Result<Vec<(i64, Timestamp, Vec<u8>)>> {
        let text = "SELECT version, created_at, body FROM rates WHERE version > ? ORDER BY version LIMIT ?";
        let rows = self.sql.fetch(sql(text).bind(after).bind(limit)).await?;
        rows.iter()
            .map(|row| Ok((row.int("version")?, row.timestamp("created_at")?, row.blob("body")?)))
            .collect()
    }

    /// Shipments after an id, by id.
    ///
    /// # Errors
    /// When the store fails, or a column holds something of another type.
    pub async fn stored_shipments(&self, after: &str, limit: u32) -> Result<Vec<StoredShipment>> {
        let text = "SELECT * FROM shipments WHERE id > ? ORDER BY id LIMIT ?";
        let rows = self.sql.fetch(sql(text).bind(after).bind(limit)).await?;
        rows.iter()
            .map(|row| {
                let kept = kept(row).map_err(|error| format!("{error:?}"));
                Ok(StoredShipment { id: row.text("id")?, kept })
            })
            .collect()
    }

    /// The histories of these shipments, each in the order of its versions.
    ///
    /// # Errors
    /// When the store fails, or a column holds something of another type.
    pub async fn stored_steps_of(&self, ids: &[&str]) -> Result<Vec<StoredStep>> {
        let Some(last) = ids.last() else { return Ok(Vec::new()) };
        // The last id fills the places up to a power of two, so that few statements differ.
        let places = ids.len().next_power_of_two();
        let marks = vec!["?"; places].join(", ");
        let text = format!(
            "SELECT shipment_id, version, state, note, at FROM shipment_steps WHERE shipment_id IN ({marks}) \
             ORDER BY shipment_id, version"
        );
        let ids = ids.iter().chain(std::iter::repeat(last)).take(places).map(|id| Value::from(*id));
        self.sql.fetch(sql(text).bind_all(ids)).await?.iter().map(step).collect()
    }

    /// Steps after one, by shipment and version; each with whether its shipment is there.
    ///
    /// # Errors
    /// When the store fails, or a column holds something of another type.
    pub async fn stored_steps(&self, after: (&str, i64), limit: u32) -> Result<Vec<(StoredStep, bool)>> {
        let text = "SELECT t.shipment_id, t.version, t.state, t.note, t.at, s.id FROM shipment_steps t \
             LEFT JOIN shipments s ON s.id = t.shipment_id \
             WHERE t.shipment_id >= ? AND (t.shipment_id > ? OR t.version > ?) \
             ORDER BY t.shipment_id, t.version LIMIT ?";
        let query = sql(text).bind(after.0).bind(after.0).bind(after.1).bind(limit);
        let rows = self.sql.fetch(query).await?;
        rows.iter().map(|row| Ok((step(row)?, row.opt_text("id")?.is_some()))).collect()
    }
}

fn step(row: &Row) -> Result<StoredStep> {
    Ok(StoredStep {
        shipment: row.text("shipment_id")?,
        version: row.int("version")?,
        state: row.text("state")?,
        note: row.text("note")?,
        time: row.timestamp("at")?,
    })
}
