//! What an audit reads: orders with all rows that belong to them, and rows that belong to no order.

use std::collections::HashMap;

use kernel::Result;
use store::{Row, sql};

use super::Orders;
use super::read::{self, History};
use crate::domain::{MadeShipment, Order};

/// A line of history with its seal.
#[derive(Clone, Debug)]
pub struct SealedLine {
    /// The line.
    pub line: History,
    /// Its seal; empty when it has none.
    pub seal: Vec<u8>,
}

/// A shipment that an order asked for, with its seal.
#[derive(Clone, Debug)]
pub struct SealedShipment {
    /// The shipment.
    pub made: MadeShipment,
    /// Its seal; empty when it has none.
    pub seal: Vec<u8>,
}

/// A column of an order that holds something where nothing may stand, or nothing beside what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The column.
    pub column: &'static str,
    /// What must be there.
    pub expected: &'static str,
    /// What is there.
    pub found: String,
}

/// An order with all its rows.
#[derive(Clone, Debug)]
pub struct AuditRow {
    /// The order.
    pub order: Order,
    /// Columns that hold something which reading leaves out, so that no seal covers it.
    pub left_out: Vec<LeftOut>,
    /// Who holds it.
    pub lease_owner: String,
    /// The seal of its row; empty when it has none.
    pub seal: Vec<u8>,
    /// The encoded quote; empty when it is missing.
    pub quote: Vec<u8>,
    /// The seal of the quote.
    pub quote_seal: Vec<u8>,
    /// Its history, by version.
    pub history: Vec<SealedLine>,
    /// Its shipments, by group.
    pub shipments: Vec<SealedShipment>,
}

/// A row without its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// What it is, for example "history".
    pub kind: &'static str,
    /// The order that is missing.
    pub order_id: String,
}

/// Orders in the order of their ids, and the rows among them that belong to no order.
#[derive(Clone, Debug, Default)]
pub struct AuditPage {
    /// The orders.
    pub rows: Vec<AuditRow>,
    /// The rows without an order.
    pub orphans: Vec<Orphan>,
}

/// Rows of one query.
const PARTS_IN_QUERY: u32 = 5_000;
/// An id behind every order's.
const END: &str = "ord_~";

impl Orders {
    /// Orders after an id, by id, with all that belongs to them.
    ///
    /// # Errors
    /// The store's.
    pub async fn audit(&self, after: &str, limit: u32) -> Result<AuditPage> {
        let orders = self.sql.fetch(read::select_after().bind(after).bind(limit)).await?;
        let last = match orders.last() {
            Some(last) if orders.len() == limit as usize => last.text("id")?,
            _ => END.to_owned(),
        };
        let mut page = AuditPage::default();
        let mut places = HashMap::with_capacity(orders.len());
        for (place, row) in orders.iter().enumerate() {
            places.insert(row.text("id")?, place);
            let order = read::order(row)?;
            page.rows.push(AuditRow {
                left_out: left_out(row, &order)?,
                order,
                lease_owner: row.text("lease_owner")?,
                seal: seal(row, "seal")?,
                quote: Vec::new(),
                quote_seal: Vec::new(),
                history: Vec::new(),
                shipments: Vec::new(),
            });
        }
        let quotes = "SELECT order_id, quote, seal FROM order_quotes WHERE order_id > ? AND order_id <= ? ORDER BY order_id";
        for row in self.sql.fetch(sql(quotes).bind(after).bind(&last)).await? {
            if let Some(owner) = page.owner(&places, &row, "quote")? {
                (owner.quote, owner.quote_seal) = (row.blob("quote")?, seal(&row, "seal")?);
            }
        }
        let columns = "order_id, version, at, actor, state, what, note, seal";
        for row in self.parts("order_history", columns, "version", after, &last).await? {
            if let Some(owner) = page.owner(&places, &row, "history")? {
                owner.history.push(SealedLine { line: read::history(&row)?, seal: seal(&row, "seal")? });
            }
        }
        let columns = "order_id, group_id, shipment_id, seal";
        for row in self.parts("order_shipments", columns, "group_id", after, &last).await? {
            if let Some(owner) = page.owner(&places, &row, "shipment")? {
                let made =
                    MadeShipment { group_id: row.text("group_id")?, shipment_id: row.text("shipment_id")? };
                owner.shipments.push(SealedShipment { made, seal: seal(&row, "seal")? });
            }
        }
        Ok(page)
    }

    /// The rows of a table that belong to the orders after one id up to another, by order and by `part`, which tells the rows of
    /// one order apart. Read some at a time, since an order may have many.
    async fn parts(
        &self,
        table: &str,
        columns: &str,
        part: &str,
        after: &str,
        last: &str,
    ) -> Result<Vec<Row>> {
        let select = |place: &str| {
            format!(
                "SELECT {columns} FROM {table} WHERE {place} AND order_id <= ? ORDER BY order_id, {part} LIMIT ?"
            )
        };
        let mut query = sql(select("order_id > ?")).bind(after);
        let mut all = Vec::new();
        loop {
            let rows = self.sql.fetch(query.bind(last).bind(PARTS_IN_QUERY)).await?;
            let full = rows.len() == PARTS_IN_QUERY as usize;
            all.extend(rows);
            let Some(end) = all.last().filter(|_| full) else { return Ok(all) };
            let order = end.text("order_id")?;
            let place = format!("(order_id > ? OR (order_id = ? AND {part} > ?))");
            query = sql(select(&place)).bind(&order).bind(&order).bind(end.get(part)?.clone());
        }
    }
}

impl AuditPage {
    /// The order that a row belongs to; one that is missing is noted once for each kind of row.
    fn owner(
        &mut self,
        places: &HashMap<String, usize>,
        row: &Row,
        kind: &'static str,
    ) -> Result<Option<&mut AuditRow>> {
        let id = row.str("order_id")?;
        if let Some(place) = places.get(id) {
            return Ok(self.rows.get_mut(*place));
        }
        let orphan = Orphan { kind, order_id: id.to_owned() };
        if self.orphans.last() != Some(&orphan) {
            self.orphans.push(orphan);
        }
        Ok(None)
    }
}

/// What of a row is not in the order that it was read as.
fn left_out(row: &Row, order: &Order) -> Result<Vec<LeftOut>> {
    let mut all = Vec::new();
    match (&order.challenge, row.opt_text("challenge_id")?) {
        (None, Some(found)) => all.push(LeftOut {
            column: "challenge_id",
            expected: "none, as there is no challenge_url",
            found,
        }),
        (Some(_), None) => all.push(LeftOut {
            column: "challenge_id",
            expected: "one beside its challenge_url",
            found: "none".to_owned(),
        }),
        _ => {}
    }
    if row.opt_blob("ending")? != order.ending.as_ref().map(read::write_ending) {
        all.push(LeftOut {
            column: "ending",
            expected: "a reason and a message, as they are written",
            found: "other bytes".to_owned(),
        });
    }
    Ok(all)
}

fn seal(row: &Row, column: &str) -> Result<Vec<u8>> {
    Ok(row.opt_blob(column)?.unwrap_or_default())
}
