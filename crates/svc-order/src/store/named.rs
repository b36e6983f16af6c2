//! The shipments that orders name, for the audit.

use std::collections::HashMap;

use kernel::Result;
use store::sql;

use super::Orders;
use crate::domain::MadeShipment;

impl Orders {
    /// The shipments of the orders after one id up to another, by order. An order has as many as it has shipment groups, so
    /// they are read in the order of both, some at a time.
    ///
    /// # Errors
    /// The store's.
    pub async fn named_shipments(
        &self,
        after: &str,
        last: &str,
    ) -> Result<HashMap<String, Vec<MadeShipment>>> {
        let text = "SELECT order_id, group_id, shipment_id FROM order_shipments \
            WHERE order_id >= ? AND (order_id > ? OR group_id > ?) AND order_id <= ? ORDER BY order_id, group_id LIMIT ?";
        let mut found: HashMap<String, Vec<MadeShipment>> = HashMap::new();
        // After the last group of the order that the page before ended with.
        let mut place = (after.to_owned(), "sgr_z".to_owned());
        loop {
            let query = sql(text).bind(&place.0).bind(&place.0).bind(&place.1).bind(last);
            let rows = self.sql.fetch(query.bind(ROWS_IN_QUERY)).await?;
            for row in &rows {
                let (order, group) = (row.text("order_id")?, row.text("group_id")?);
                place = (order.clone(), group.clone());
                let shipment_id = row.text("shipment_id")?;
                found.entry(order).or_default().push(MadeShipment { group_id: group, shipment_id });
            }
            if rows.len() < ROWS_IN_QUERY as usize {
                return Ok(found);
            }
        }
    }
}

/// Rows read at once.
const ROWS_IN_QUERY: u32 = 5_000;
