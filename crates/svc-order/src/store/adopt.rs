//! Seals the rows of before there were seals, once.

use kernel::Result;
use store::{Batch, sql};

use super::Orders;
use super::examine::AuditRow;

/// Orders that are read at once.
const PAGE: u32 = 100;
/// Statements in one commit.
const STATEMENTS_MAX: usize = 200;

impl Orders {
    /// Seals every row that has no seal. Only for a database of before there were seals: later, a row without one was damaged,
    /// and this would hide it. May be interrupted and done again.
    ///
    /// # Errors
    /// The store's.
    pub async fn adopt_unsealed(&self) -> Result<u64> {
        let (mut after, mut adopted) = (String::new(), 0);
        loop {
            let page = self.audit(&after, PAGE).await?;
            let mut batch = Batch::new();
            for row in &page.rows {
                if row.seal.is_empty() {
                    adopted += 1;
                    batch = self.adopt(batch, row);
                }
                if batch.len() >= STATEMENTS_MAX {
                    self.sql.commit(std::mem::take(&mut batch)).await?;
                }
            }
            if !batch.is_empty() {
                self.sql.commit(batch).await?;
            }
            match page.rows.last() {
                Some(last) if page.rows.len() == PAGE as usize => after = last.order.id.to_string(),
                _ => break,
            }
        }
        self.seal_all_documents().await?;
        Ok(adopted)
    }

    fn adopt(&self, mut batch: Batch, row: &AuditRow) -> Batch {
        let (mut order, id) = (row.order.clone(), row.order.id);
        order.history_seal.clear();
        for line in &row.history {
            order.history_seal = self.seals.history(&order.history_seal, id, &line.line);
            let text = "UPDATE order_history SET seal = ? WHERE order_id = ? AND version = ?";
            batch.push_run(sql(text).bind(order.history_seal.as_slice()).bind(id).bind(line.line.version));
        }
        for shipment in &row.shipments {
            let text = "UPDATE order_shipments SET seal = ? WHERE order_id = ? AND group_id = ?";
            let seal = self.seals.shipment(id, &shipment.made);
            batch.push_run(sql(text).bind(seal).bind(id).bind(&shipment.made.group_id));
        }
        let seal = self.seals.quote(id, &row.quote);
        batch.push_run(sql("UPDATE order_quotes SET seal = ? WHERE order_id = ?").bind(seal).bind(id));
        let text = "UPDATE orders SET seal = ?, history_seal = ? WHERE id = ? AND version = ?";
        let seal = sql(text).bind(self.seals.order(&order)).bind(order.history_seal.as_slice());
        batch.push_run(seal.bind(id).bind(order.version));
        batch
    }
}
