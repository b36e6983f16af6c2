//! What is kept: the versions of the rates, and shipments with their history.

mod stored;

pub use stored::{StoredShipment, StoredStep};

use kernel::{Error, OrderId, Result, ShipmentGroupId, ShipmentId, Timestamp};
use store::{Batch, CommitError, Database, Migration, NewEvent, RequestKey, Row, Sql, sql};

use crate::domain::shipment::HISTORY_MAX;
use crate::domain::{RateTable, Shipment, ShipmentState, Step};

/// The tables, in the order they were added.
pub const MIGRATIONS: &[Migration] = &[
    Migration { name: "0001_shipping", sql: include_str!("../migrations/0001_shipping.sql") },
    Migration { name: "0002_list_by_state", sql: include_str!("../migrations/0002_list_by_state.sql") },
];

/// A version of the rates.
#[derive(Clone, Debug)]
pub struct Rates {
    /// 1, 2, 3, …
    pub version: i64,
    /// The rates.
    pub table: RateTable,
}

/// A shipment with what is frozen in it.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The shipment.
    pub shipment: Shipment,
    /// Destination and lines, as the api encoded them.
    pub contents: Vec<u8>,
}

/// Which shipments are listed.
#[derive(Clone, Copy, Debug)]
pub struct Listed {
    /// Those of this order; `None`: of all.
    pub order: Option<OrderId>,
    /// Those in this state; `None`: in any.
    pub state: Option<ShipmentState>,
}

impl Listed {
    /// Where a page that ends with this shipment goes on.
    #[must_use]
    pub fn position(&self, last: &Shipment) -> String {
        if self.order.is_some() { last.group.to_string() } else { last.id.to_string() }
    }
}

/// The repository.
#[derive(Clone)]
pub struct Books {
    sql: Sql,
}

impl Books {
    /// The repository in a database.
    #[must_use]
    pub fn new(database: &Database) -> Self {
        Self { sql: database.sql() }
    }

    /// Whether a request was made before, and what was answered or begun.
    ///
    /// # Errors
    /// `IDEMPOTENCY_KEY_REUSED` when its key was used for another; when the store fails.
    pub async fn answer(&self, key: &RequestKey) -> Result<Option<Vec<u8>>> {
        self.sql.answer(key).await
    }

    /// The version of the rates in force; 0 when there are none.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn rates_version(&self) -> Result<i64> {
        let row = self.sql.fetch_one(sql("SELECT MAX(version) AS version FROM rates")).await?;
        row.map_or(Ok(0), |row| Ok(row.opt_int("version")?.unwrap_or(0)))
    }

    /// The rates in force.
    ///
    /// # Errors
    /// When the store fails, or the row is damaged.
    pub async fn rates(&self) -> Result<Option<Rates>> {
        let row =
            self.sql.fetch_one(sql("SELECT version, body FROM rates ORDER BY version DESC LIMIT 1")).await?;
        let read = |row: Row| {
            let table = serde_json::from_slice(&row.blob("body")?).map_err(Error::internal)?;
            Ok(Rates { version: row.int("version")?, table })
        };
        row.map(read).transpose()
    }

    /// Adds a version of the rates; `Duplicate` when there is one already.
    ///
    /// # Errors
    /// As [`Sql::commit`].
    pub async fn add_rates(
        &self,
        rates: &Rates,
        now: Timestamp,
        remember: Option<(RequestKey, Vec<u8>)>,
    ) -> Result<(), CommitError> {
        let body = serde_json::to_vec(&rates.table).map_err(Error::internal)?;
        let text = "INSERT INTO rates (version, body, created_at) VALUES (?, ?, ?)";
        let mut batch = Batch::new().insert(sql(text).bind(rates.version).bind(body).bind(now), "version");
        if let Some((key, answer)) = remember {
            batch.push_remember(key, answer);
        }
        self.sql.commit(batch).await.map(|_| ())
    }

    /// Adds a shipment: one commit.
    ///
    /// # Errors
    /// As [`Sql::commit`]; `Duplicate` when the group has one.
    pub async fn create(&self, kept: &Kept, key: RequestKey, event: NewEvent) -> Result<(), CommitError> {
        let shipment = &kept.shipment;
        let text = "INSERT INTO shipments (id, order_id, group_id, owner, method, carrier, tracking, state, version, contents, \
                    created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let insert = sql(text)
            .bind(shipment.id)
            .bind(shipment.order)
            .bind(shipment.group)
            .bind(&shipment.owner)
            .bind(&shipment.method)
            .bind(&shipment.carrier)
            .bind(&shipment.tracking)
            .bind(shipment.state.as_str())
            .bind(shipment.version)
            .bind(kept.contents.as_slice())
            .bind(shipment.created)
            .bind(shipment.updated);
        let batch = Batch::new()
            .insert(insert, "group")
            .event(event)
            .remember(key, shipment.id.to_string().into_bytes());
        self.sql.commit(batch).await.map(|_| ())
    }

    /// Writes a shipment that was read at the version before, with the step that it took.
    ///
    /// # Errors
    /// As [`Sql::commit`]; `Unexpected` when it changed since.
    pub async fn step(
        &self,
        after: &Shipment,
        step: &Step,
        (key, answer): (RequestKey, Vec<u8>),
        event: NewEvent,
    ) -> Result<(), CommitError> {
        let text = "UPDATE shipments SET carrier = ?, tracking = ?, state = ?, version = ?, updated_at = ? \
                    WHERE id = ? AND version = ?";
        let update = sql(text)
            .bind(&after.carrier)
            .bind(&after.tracking)
            .bind(after.state.as_str())
            .bind(after.version)
            .bind(after.updated)
            .bind(after.id)
            .bind(after.version - 1);
        let text =
            "INSERT INTO shipment_steps (shipment_id, version, state, note, at) VALUES (?, ?, ?, ?, ?)";
        let insert = sql(text)
            .bind(after.id)
            .bind(after.version)
            .bind(step.state.as_str())
            .bind(&step.note)
            .bind(step.time);
        let batch = Batch::new()
            .expect(update, 1, "version")
            .insert(insert, "step")
            .event(event)
            .remember(key, answer);
        self.sql.commit(batch).await.map(|_| ())
    }

    /// A shipment.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn shipment(&self, id: ShipmentId) -> Result<Option<Kept>> {
        let statement = sql("SELECT * FROM shipments WHERE id = ?").bind(id);
        self.sql.fetch_one(statement).await?.as_ref().map(kept).transpose()
    }

    /// A page of shipments after a position: those of one order by group, those of all orders by id, which is the order in
    /// which they were ordered; at most `limit`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(&self, wanted: &Listed, after: &str, limit: u32) -> Result<Vec<Kept>> {
        let statement = match (wanted.order, wanted.state) {
            (Some(order), None) => {
                sql("SELECT * FROM shipments WHERE order_id = ? AND group_id > ? ORDER BY group_id LIMIT ?")
                    .bind(order)
            }
            (Some(order), Some(state)) => sql("SELECT * FROM shipments WHERE order_id = ? AND state = ? \
                 AND group_id > ? ORDER BY group_id LIMIT ?")
            .bind(order)
            .bind(state.as_str()),
            (None, Some(state)) => {
                sql("SELECT * FROM shipments WHERE state = ? AND id > ? ORDER BY id LIMIT ?")
                    .bind(state.as_str())
            }
            (None, None) => sql("SELECT * FROM shipments WHERE id > ? ORDER BY id LIMIT ?"),
        };
        self.sql.fetch(statement.bind(after).bind(limit)).await?.iter().map(kept).collect()
    }

    /// What happened to a shipment, oldest first, beginning with its making.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn history(&self, shipment: &Shipment) -> Result<Vec<Step>> {
        let made = Step { state: ShipmentState::Pending, time: shipment.created, note: String::new() };
        let text =
            "SELECT state, note, at FROM shipment_steps WHERE shipment_id = ? ORDER BY version LIMIT ?";
        let mut history = vec![made];
        for row in self.sql.fetch(sql(text).bind(shipment.id).bind(HISTORY_MAX)).await? {
            let state = ShipmentState::parse(row.str("state")?)?;
            history.push(Step { state, time: row.timestamp("at")?, note: row.text("note")? });
        }
        Ok(history)
    }
}

fn kept(row: &Row) -> Result<Kept> {
    let shipment = Shipment {
        id: row.id("id")?,
        order: row.id("order_id")?,
        group: row.id::<kernel::ShipmentGroup>("group_id").map(|group: ShipmentGroupId| group)?,
        owner: row.text("owner")?,
        method: row.text("method")?,
        carrier: row.text("carrier")?,
        tracking: row.text("tracking")?,
        state: ShipmentState::parse(row.str("state")?)?,
        version: row.int("version")?,
        created: row.timestamp("created_at")?,
        updated: row.timestamp("updated_at")?,
    };
    Ok(Kept { shipment, contents: row.blob("contents")? })
}
