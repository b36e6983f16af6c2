//! Reading orders.

use kernel::{Currency, Error, Money, OrderId, Page, Result, Timestamp};
use store::{Row, Statement, sql};

use super::Orders;
use crate::domain::{
    Approval, Cart, Challenge, Ending, InvoiceKind, InvoiceName, MadeShipment, Order, Payment, Policy,
    Shipment, State, Stock, longest_pause,
};

/// Columns of an order with the number of its invoice.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT o.id, o.version, o.state, o.owner, o.placed_by, o.external_reference, o.external_time, o.currency, \
             o.total_minor, o.tax_minor, o.line_count, o.first_product, o.units, o.payment_method, o.stock, o.payment, o.shipment, o.cart, o.approval, \
             o.attempt, o.payment_id, o.tries, o.hold_until, o.limit_at, o.due_at, o.challenge_url, o.challenge_id, o.ending, \
             o.created_at, o.updated_at, o.confirmed_at, o.lease_owner, o.lease_epoch, o.history_seal, o.seal, i.legal_entity, i.number \
             FROM orders o LEFT JOIN invoices i ON i.order_id = o.id AND i.kind = 1",
            $rest
        )
    };
}

/// Orders after an id, by id, at most so many.
pub(super) fn select_after() -> Statement {
    sql(select!(" WHERE o.id > ? ORDER BY o.id LIMIT ?"))
}

/// An order that the worker must look at, and under which lease it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The order.
    pub id: OrderId,
    /// Who holds it; empty when nobody does.
    pub lease_owner: String,
    /// The lease's epoch.
    pub epoch: i64,
    /// The order's version.
    pub version: i64,
}

/// What happened to an order at one version.
#[derive(Clone, Debug)]
pub struct History {
    /// Version after it.
    pub version: i64,
    /// When.
    pub at: Timestamp,
    /// Who caused it.
    pub actor: String,
    /// State after it.
    pub state: State,
    /// What.
    pub what: String,
    /// More about it.
    pub note: String,
}

/// An invoice or a credit note.
#[derive(Clone, Debug)]
pub struct Invoice {
    /// Its name.
    pub name: InvoiceName,
    /// Its order.
    pub order_id: OrderId,
    /// What it asks for or gives back.
    pub total: Money,
    /// The tax in it.
    pub tax: Money,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// Its seal; empty until the sealer has come by.
    pub seal: Vec<u8>,
}

/// Which orders to list.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    /// Only this owner's.
    pub owner: Option<String>,
    /// Only in this state.
    pub state: Option<State>,
    /// Leave out those that failed; without a state.
    pub without_failed: bool,
    /// Only older than this one.
    pub before: Option<OrderId>,
    /// At most so many.
    pub limit: u32,
}

/// Counts.
#[derive(Clone, Debug)]
pub struct Totals {
    /// Orders by state.
    pub states: Vec<(State, i64)>,
    /// Orders with something left to do.
    pub open: i64,
}

impl Orders {
    /// An order with its lease.
    ///
    /// # Errors
    /// The store's.
    pub async fn get(&self, id: OrderId) -> Result<Option<(Order, Due)>> {
        let row = self.sql.fetch_one(sql(select!(" WHERE o.id = ?")).bind(id)).await?;
        row.map(|row| Ok((order(&row)?, due(&row)?))).transpose()
    }

    /// The frozen quote of an order, encoded.
    ///
    /// # Errors
    /// Internal when it is missing: every order has one.
    pub async fn quote(&self, id: OrderId) -> Result<Vec<u8>> {
        let row =
            self.sql.fetch_one(sql("SELECT quote FROM order_quotes WHERE order_id = ?").bind(id)).await?;
        row.ok_or_else(|| Error::internal(format!("{id} has no quote")))?.blob("quote")
    }

    /// The order that holds an external reference.
    ///
    /// # Errors
    /// The store's.
    pub async fn with_reference(&self, reference: &str) -> Result<Option<OrderId>> {
        let row = self
            .sql
            .fetch_one(sql("SELECT id FROM orders WHERE external_reference = ?").bind(reference))
            .await?;
        row.map(|row| row.id("id")).transpose()
    }

    /// Orders, newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn list(&self, wanted: &Listed) -> Result<Page<Order>> {
        // One text per filter, so that each has the index that serves it.
        let text = match (wanted.owner.is_some(), wanted.state.is_some()) {
            (false, false) if wanted.without_failed => {
                select!(" WHERE o.state <> ? AND o.id < ? ORDER BY o.id DESC LIMIT ?")
            }
            (true, false) if wanted.without_failed => {
                select!(" WHERE o.owner = ? AND o.state <> ? AND o.id < ? ORDER BY o.id DESC LIMIT ?")
            }
            (false, false) => select!(" WHERE o.id < ? ORDER BY o.id DESC LIMIT ?"),
            (true, false) => select!(" WHERE o.owner = ? AND o.id < ? ORDER BY o.id DESC LIMIT ?"),
            (false, true) => select!(" WHERE o.state = ? AND o.id < ? ORDER BY o.id DESC LIMIT ?"),
            (true, true) => {
                select!(" WHERE o.owner = ? AND o.state = ? AND o.id < ? ORDER BY o.id DESC LIMIT ?")
            }
        };
        let mut statement = sql(text);
        if let Some(owner) = &wanted.owner {
            statement = statement.bind(owner);
        }
        if wanted.without_failed && wanted.state.is_none() {
            statement = statement.bind(State::Failed.code());
        }
        if let Some(state) = wanted.state {
            statement = statement.bind(state.code());
        }
        // "ord_z" is after every id.
        let before = wanted.before.map_or_else(|| "ord_z".to_owned(), |id| id.to_string());
        let rows = self.sql.fetch(statement.bind(before).bind(i64::from(wanted.limit) + 1)).await?;
        let more = rows.len() > wanted.limit as usize;
        let items = rows.iter().take(wanted.limit as usize).map(order).collect::<Result<Vec<_>>>()?;
        let next = items.last().filter(|_| more).map(|order| order.id.to_string());
        Ok(Page { items, next })
    }

    /// Orders that must be looked at by now, the longest waiting first.
    ///
    /// # Errors
    /// The store's.
    pub async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Due>> {
        let text = "SELECT id, lease_owner, lease_epoch, version FROM orders WHERE due_at <= ? ORDER BY due_at LIMIT ?";
        self.sql.fetch(sql(text).bind(now).bind(limit)).await?.iter().map(due).collect()
    }

    /// Orders that a clock put aside which was ahead: they are due later than any is put aside for.
    ///
    /// # Errors
    /// The store's.
    pub async fn astray(&self, policy: &Policy, now: Timestamp, limit: u32) -> Result<Vec<Due>> {
        let text = "SELECT id, lease_owner, lease_epoch, version FROM orders \
            WHERE due_at > ? AND (state <> ? OR due_at > ?) ORDER BY due_at LIMIT ?";
        let waiting = State::AwaitingApproval;
        let statement = sql(text)
            .bind(now.plus(longest_pause(State::Pending, policy)))
            .bind(waiting.code())
            .bind(now.plus(longest_pause(waiting, policy)))
            .bind(limit);
        self.sql.fetch(statement).await?.iter().map(due).collect()
    }

    /// What happened to an order, oldest first; at most 1000 entries.
    ///
    /// # Errors
    /// The store's.
    pub async fn history(&self, id: OrderId) -> Result<Vec<History>> {
        let text = "SELECT version, at, actor, state, what, note FROM order_history WHERE order_id = ? ORDER BY version LIMIT 1000";
        self.sql.fetch(sql(text).bind(id)).await?.iter().map(history).collect()
    }

    /// The shipments of an order.
    ///
    /// # Errors
    /// The store's.
    pub async fn shipments(&self, id: OrderId) -> Result<Vec<MadeShipment>> {
        let text = "SELECT group_id, shipment_id FROM order_shipments WHERE order_id = ? ORDER BY group_id";
        let rows = self.sql.fetch(sql(text).bind(id)).await?;
        rows.iter()
            .map(|row| {
                Ok(MadeShipment { group_id: row.text("group_id")?, shipment_id: row.text("shipment_id")? })
            })
            .collect()
    }

    /// A document of an order.
    ///
    /// # Errors
    /// The store's.
    pub async fn invoice(&self, id: OrderId, kind: InvoiceKind) -> Result<Option<Invoice>> {
        let text = "SELECT legal_entity, kind, number, order_id, currency, total_minor, tax_minor, issued_at, seal \
            FROM invoices WHERE order_id = ? AND kind = ?";
        self.sql.fetch_one(sql(text).bind(id).bind(kind.code())).await?.as_ref().map(invoice).transpose()
    }

    /// Documents of a legal entity after a number, by number.
    ///
    /// # Errors
    /// The store's.
    pub async fn invoices(
        &self,
        legal_entity: &str,
        kind: InvoiceKind,
        after: i64,
        limit: u32,
    ) -> Result<Page<Invoice>> {
        let text = "SELECT legal_entity, kind, number, order_id, currency, total_minor, tax_minor, issued_at, seal \
            FROM invoices WHERE legal_entity = ? AND kind = ? AND number > ? ORDER BY number LIMIT ?";
        let statement = sql(text).bind(legal_entity).bind(kind.code()).bind(after).bind(i64::from(limit) + 1);
        let rows = self.sql.fetch(statement).await?;
        let more = rows.len() > limit as usize;
        let items = rows.iter().take(limit as usize).map(invoice).collect::<Result<Vec<_>>>()?;
        let next = items.last().filter(|_| more).map(|invoice| invoice.name.number.to_string());
        Ok(Page { items, next })
    }

    /// Counts all orders.
    ///
    /// # Errors
    /// The store's.
    pub async fn totals(&self) -> Result<Totals> {
        let rows = self.sql.fetch(sql("SELECT state, COUNT(*) AS orders FROM orders GROUP BY state")).await?;
        let states = rows
            .iter()
            .map(|row| Ok((State::from_code(row.int("state")?)?, row.int("orders")?)))
            .collect::<Result<_>>()?;
        let open =
            self.sql.fetch_one(sql("SELECT COUNT(*) AS orders FROM orders WHERE due_at IS NOT NULL")).await?;
        Ok(Totals { states, open: open.map_or(Ok(0), |row| row.int("orders"))? })
    }
}

fn due(row: &Row) -> Result<Due> {
    Ok(Due {
        id: row.id("id")?,
        lease_owner: row.text("lease_owner")?,
        epoch: row.int("lease_epoch")?,
        version: row.int("version")?,
    })
}

pub(super) fn order(row: &Row) -> Result<Order> {
    let currency = Currency::parse(row.str("currency")?).map_err(Error::internal)?;
    let url = row.opt_text("challenge_url")?;
    let number = row.opt_int("number")?;
    Ok(Order {
        id: row.id("id")?,
        version: row.int("version")?,
        state: State::from_code(row.int("state")?)?,
        owner: row.text("owner")?,
        placed_by: row.text("placed_by")?,
        external_reference: row.opt_text("external_reference")?,
        external_time: row.opt_timestamp("external_time")?,
        total: Money::new(row.int("total_minor")?, currency),
        tax: Money::new(row.int("tax_minor")?, currency),
        line_count: row.int("line_count")?,
        first_product: row.text("first_product")?,
        units: row.int("units")?,
        payment_method: row.text("payment_method")?,
        stock: Stock::from_code(row.int("stock")?)?,
        payment: Payment::from_code(row.int("payment")?)?,
        shipment: Shipment::from_code(row.int("shipment")?)?,
        cart: Cart::from_code(row.int("cart")?)?,
        approval: Approval::from_code(row.int("approval")?)?,
        attempt: row.int("attempt")?,
        payment_id: row.opt_id("payment_id")?,
        tries: row.int("tries")?,
        hold_until: row.timestamp("hold_until")?,
        limit_at: row.timestamp("limit_at")?,
        due_at: row.opt_timestamp("due_at")?,
        challenge: match url {
            Some(url) => Some(Challenge { url, id: row.opt_text("challenge_id")?.unwrap_or_default() }),
            None => None,
        },
        ending: row.opt_blob("ending")?.map(|bytes| read_ending(&bytes)).transpose()?,
        created_at: row.timestamp("created_at")?,
        updated_at: row.timestamp("updated_at")?,
        confirmed_at: row.opt_timestamp("confirmed_at")?,
        invoice: match number {
            Some(number) => Some(InvoiceName {
                legal_entity: row.text("legal_entity")?,
                kind: InvoiceKind::Invoice,
                number,
            }),
            None => None,
        },
        history_seal: row.opt_blob("history_seal")?.unwrap_or_default(),
    })
}

pub(super) fn history(row: &Row) -> Result<History> {
    Ok(History {
        version: row.int("version")?,
        at: row.timestamp("at")?,
        actor: row.text("actor")?,
        state: State::from_code(row.int("state")?)?,
        what: row.text("what")?,
        note: row.text("note")?,
    })
}

pub(super) fn invoice(row: &Row) -> Result<Invoice> {
    let currency = Currency::parse(row.str("currency")?).map_err(Error::internal)?;
    Ok(Invoice {
        name: InvoiceName {
            legal_entity: row.text("legal_entity")?,
            kind: InvoiceKind::from_code(row.int("kind")?)?,
            number: row.int("number")?,
        },
        order_id: row.id("order_id")?,
        total: Money::new(row.int("total_minor")?, currency),
        tax: Money::new(row.int("tax_minor")?, currency),
        issued_at: row.timestamp("issued_at")?,
        seal: row.opt_blob("seal")?.unwrap_or_default(),
    })
}

/// An ending as it is kept.
pub(super) fn write_ending(ending: &Ending) -> Vec<u8> {
    serde_json::to_vec(ending).expect("texts are JSON")
}

fn read_ending(bytes: &[u8]) -> Result<Ending> {
    serde_json::from_slice(bytes).map_err(Error::internal)
}
