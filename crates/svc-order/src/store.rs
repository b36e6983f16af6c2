//! The repository: orders, their frozen quotes, histories and invoices. Each write is one commit, conditional on the version of the
//! order that was read, and, when the worker writes, on its lease.
//!
//! Invoices are numbered in the commit that confirms: it moves a counter row and takes the number before, so that numbers have no
//! gaps whatever is undone. On an engine with one writer that costs nothing. On InnoDB the row is locked only for the statements
//! of one batch, since no caller's code runs within a transaction; a leased numberer would add a commit and a delay to every order.

mod adopt;
mod documents;
mod examine;
mod read;
mod seal;

use kernel::{Error, OrderId, Result, Timestamp};
use prometheus_client::metrics::counter::Counter;
use store::{Batch, CommitError, Consumed, Database, Migration, NewEvent, RequestKey, Sql, Statement, sql};

use crate::domain::{Decision, InvoiceKind, Order, Payment, WORKER};

pub use documents::{DocumentSeries, SeriesState};
pub use examine::{AuditRow, Orphan};
#[cfg(test)]
pub use examine::{LeftOut, SealedLine, SealedShipment};
pub use read::{Due, History, Invoice, Listed};
pub use seal::Seals;

/// The tables.
pub const MIGRATIONS: &[Migration] = &[
    Migration { name: "0001_orders", sql: include_str!("../migrations/0001_orders.sql") },
    Migration { name: "0002_first_product", sql: include_str!("../migrations/0002_first_product.sql") },
    Migration { name: "0003_seals", sql: include_str!("../migrations/0003_seals.sql") },
    Migration {
        name: "0004_longer_first_product",
        sql: include_str!("../migrations/0004_longer_first_product.sql"),
    },
];

/// Label of the statement that a stale version or a lost lease makes fail.
const ORDER: &str = "order";
/// Label of the insert that a placed quote or a taken external reference makes fail.
const CREATE: &str = "create";
/// Characters of a note that are kept.
const NOTE_CHARS_MAX: usize = 500;

const INSERT: &str = "INSERT INTO orders (id, version, state, owner, placed_by, external_reference, external_time, currency, \
    total_minor, tax_minor, line_count, units, payment_method, stock, payment, shipment, cart, approval, attempt, tries, hold_until, \
    limit_at, due_at, created_at, updated_at, first_product, lease_owner, seal, history_seal, lease_epoch) \
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)";

/// An update on the version that was seen: the columns that every change sets, more of them, more conditions. A row that does not fit
/// its seal keeps it: the seal of the new row would hide from an audit that somebody changed the old one.
macro_rules! update {
    ($columns:literal, $conditions:literal) => {
        concat!(
            "UPDATE orders SET version = ?, stock = ?, payment = ?, shipment = ?, cart = ?, approval = ?, payment_id = ?, tries = ?, \
             hold_until = ?, limit_at = ?, updated_at = ?, history_seal = ?, seal = CASE WHEN seal = ? THEN ? ELSE seal END",
            $columns,
            " WHERE id = ? AND version = ?",
            $conditions
        )
    };
    ($conditions:literal) => {
        update!(
            ", state = ?, external_reference = ?, due_at = ?, challenge_url = ?, challenge_id = ?, ending = ?, confirmed_at = ?",
            $conditions
        )
    };
}

/// Who may write: the worker under its lease, or anybody who saw the version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fence {
    /// The worker, while nobody took the order over.
    Lease(i64),
    /// A caller.
    Version,
}

/// The orders of this shop.
#[derive(Clone)]
pub struct Orders {
    sql: Sql,
    seals: Seals,
    instance: String,
    legal_entity: String,
    numbering_repairs: Counter,
}

impl Orders {
    /// Whether the wall clock may be wrong: see [`store::Sql::doubts_clock`].
    #[must_use]
    pub fn doubts_clock(&self) -> bool {
        self.sql.doubts_clock()
    }

    /// The orders in a database, as seen by one instance, which invoices for one legal entity.
    ///
    /// # Errors
    /// The store's.
    pub async fn open(
        database: &Database,
        seals: Seals,
        instance: String,
        legal_entity: String,
    ) -> Result<Self> {
        let numbering_repairs = Counter::default();
        let orders = Self { sql: database.sql(), seals, instance, legal_entity, numbering_repairs };
        orders.begin_series().await?;
        Ok(orders)
    }

    /// The seals of rows.
    #[must_use]
    pub const fn seals(&self) -> &Seals {
        &self.seals
    }

    /// The name under which this instance holds leases.
    #[must_use]
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// The legal entity that invoices are issued by.
    #[must_use]
    pub fn legal_entity(&self) -> &str {
        &self.legal_entity
    }

    /// Writes a new order with its quote, its first event and the key of the request, leased to this instance under epoch 1. Gives
    /// the order as written.
    ///
    /// # Errors
    /// `Duplicate` when the quote was placed before or the external reference is taken; what a request key may meet; the store's.
    pub async fn create(
        &self,
        decision: &Decision,
        quote: Vec<u8>,
        events: Vec<NewEvent>,
        key: RequestKey,
    ) -> Result<Order, CommitError> {
        let mut order = decision.order.clone();
        let line = self.sealed_line(&mut order, decision);
        let frozen = sql("INSERT INTO order_quotes (order_id, quote, seal) VALUES (?, ?, ?)").bind(order.id);
        let seal = self.seals.quote(order.id, &quote);
        let batch = Batch::new()
            .insert(insert(&order, &self.instance, self.seals.order(&order)), CREATE)
            .insert(frozen.bind(quote).bind(seal), "quote")
            .insert(line, "history")
            .events(events)
            .remember(key, order.id.to_string().into_bytes());
        self.sql.commit(batch).await?;
        Ok(order)
    }

    /// Writes a decision about an order that was at `seen`; with the key of the request that caused it, if one did. Gives the
    /// order as written, with the number of the invoice it got.
    ///
    /// # Errors
    /// `Unexpected` when the order has changed or the lease is lost: nothing is written then. What a request key may meet; the store's.
    pub async fn record(
        &self,
        seen: &Order,
        fence: Fence,
        decision: &Decision,
        events: Vec<NewEvent>,
        key: Option<RequestKey>,
    ) -> Result<Order, CommitError> {
        let mut order = decision.order.clone();
        order.history_seal.clone_from(&seen.history_seal);
        let line = self.sealed_line(&mut order, decision);
        let batch = || {
            let update = update(seen, &order, fence, [self.seals.order(seen), self.seals.order(&order)]);
            let mut batch = Batch::new()
                .expect(update, 1, ORDER)
                .insert(line.clone(), "history")
                .events(events.iter().cloned());
            for made in &decision.shipments {
                let text =
                    "INSERT INTO order_shipments (order_id, group_id, shipment_id, seal) VALUES (?, ?, ?, ?)";
                let insert = sql(text).bind(order.id).bind(&made.group_id).bind(&made.shipment_id);
                batch.push_expect(insert.bind(self.seals.shipment(order.id, made)), 1, "shipment");
            }
            if let Some(kind) = decision.document {
                batch = self.number(batch, &order, kind);
            }
            if let Some(key) = &key {
                batch.push_remember(key.clone(), order.id.to_string().into_bytes());
            }
            batch
        };
        match (self.sql.commit(batch()).await, decision.document) {
            (Err(error), Some(kind)) if documents::is_counter_off(&error) => {
                self.repair_numbers(kind, &error).await?;
                self.sql.commit(batch()).await?;
            }
            (outcome, _) => {
                outcome?;
            }
        }
        if decision.document == Some(InvoiceKind::Invoice) {
            order.invoice = self.invoice(order.id, InvoiceKind::Invoice).await?.map(|invoice| invoice.name);
        }
        Ok(order)
    }

    /// Gives an order up until `due`, so that any instance may take it then: nothing that others see changes.
    ///
    /// # Errors
    /// `Unexpected` when the order has changed or the lease is lost; the store's.
    pub async fn park(
        &self,
        order: &Order,
        epoch: i64,
        tries: i64,
        due: Timestamp,
    ) -> Result<(), CommitError> {
        let text = "UPDATE orders SET due_at = ?, tries = ?, lease_owner = ? WHERE id = ? AND version = ? AND lease_epoch = ?";
        let park = sql(text).bind(due).bind(tries).bind("").bind(order.id).bind(order.version).bind(epoch);
        self.sql.commit(Batch::new().expect(park, 1, ORDER)).await.map(|_| ())
    }

    /// Takes an order over that was seen under this lease. Gives the new epoch, or `None` when another instance was first.
    ///
    /// # Errors
    /// The store's.
    pub async fn claim(&self, due: &Due) -> Result<Option<i64>> {
        let text = "UPDATE orders SET lease_owner = ?, lease_epoch = lease_epoch + 1 \
            WHERE id = ? AND lease_epoch = ? AND lease_owner = ?";
        let claim = sql(text).bind(&self.instance).bind(due.id).bind(due.epoch).bind(&due.lease_owner);
        match self.sql.commit(Batch::new().expect(claim, 1, ORDER)).await {
            Ok(_) => Ok(Some(due.epoch + 1)),
            Err(error) if error.is_stale() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Has an order looked at now whose payment has news, together with the step over the event that says so. A worker that has it in
    /// hand meets another version, and looks again.
    ///
    /// # Errors
    /// `PositionMoved` when the event was applied before; the store's.
    pub async fn payment_news(&self, id: OrderId, now: Timestamp, at: Consumed) -> Result<(), CommitError> {
        let text = "UPDATE orders SET version = version + 1, due_at = ? WHERE id = ? AND due_at IS NOT NULL AND payment IN (?, ?, ?)";
        let news = sql(text)
            .bind(now)
            .bind(id)
            .bind(Payment::Asked.code())
            .bind(Payment::Challenged.code())
            .bind(Payment::CaptureAsked.code());
        self.sql.commit(Batch::new().run(news).position(at)).await.map(|_| ())
    }

    /// The line of history of a decision; `order` gets its seal, which follows from the one that it has.
    fn sealed_line(&self, order: &mut Order, decision: &Decision) -> Statement {
        let actor = if decision.actor.is_empty() { WORKER } else { &decision.actor };
        let line = History {
            version: order.version,
            at: order.updated_at,
            actor: actor.to_owned(),
            state: order.state,
            what: decision.what.to_owned(),
            note: decision.note.chars().take(NOTE_CHARS_MAX).collect(),
        };
        order.history_seal = self.seals.history(&order.history_seal, order.id, &line);
        let text = "INSERT INTO order_history (order_id, version, at, actor, state, what, note, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
        sql(text)
            .bind(order.id)
            .bind(line.version)
            .bind(line.at)
            .bind(line.actor)
            .bind(line.state.code())
            .bind(line.what)
            .bind(line.note)
            .bind(order.history_seal.as_slice())
    }

    /// The order that a request key began.
    ///
    /// # Errors
    /// `IDEMPOTENCY_KEY_REUSED` when the key was used for another request; the store's.
    pub async fn answer(&self, key: &RequestKey) -> Result<Option<OrderId>> {
        self.sql.answer(key).await?.map(|answer| answered(&answer)).transpose()
    }
}

/// The order that a remembered answer names.
///
/// # Errors
/// Internal when this service did not write it.
pub fn answered(answer: &[u8]) -> Result<OrderId> {
    OrderId::parse(std::str::from_utf8(answer).map_err(Error::internal)?).map_err(Error::internal)
}

fn insert(order: &Order, instance: &str, seal: Vec<u8>) -> Statement {
    sql(INSERT)
        .bind(order.id)
        .bind(order.version)
        .bind(order.state.code())
        .bind(&order.owner)
        .bind(&order.placed_by)
        .bind(order.external_reference.as_deref())
        .bind(order.external_time)
        .bind(order.total.currency.code())
        .bind(order.total.minor)
        .bind(order.tax.minor)
        .bind(order.line_count)
        .bind(order.units)
        .bind(&order.payment_method)
        .bind(order.stock.code())
        .bind(order.payment.code())
        .bind(order.shipment.code())
        .bind(order.cart.code())
        .bind(order.approval.code())
        .bind(order.attempt)
        .bind(order.tries)
        .bind(order.hold_until)
        .bind(order.limit_at)
        .bind(order.due_at)
        .bind(order.created_at)
        .bind(order.updated_at)
        .bind(&order.first_product)
        .bind(instance)
        .bind(seal)
        .bind(order.history_seal.as_slice())
}

fn update(seen: &Order, order: &Order, fence: Fence, [seal_before, seal]: [Vec<u8>; 2]) -> Statement {
    let whole = seen.state != order.state
        || seen.due_at != order.due_at
        || seen.external_reference != order.external_reference
        || seen.challenge != order.challenge
        || seen.ending != order.ending;
    // A change that leaves the indexed columns alone does not name them, which spares their indexes.
    let text = match (whole, fence) {
        (false, Fence::Version) => update!("", ""),
        (true, Fence::Version) => update!(""),
        (false, Fence::Lease(_)) => update!("", " AND lease_epoch = ?"),
        (true, Fence::Lease(_)) => update!(" AND lease_epoch = ?"),
    };
    let mut statement = sql(text)
        .bind(order.version)
        .bind(order.stock.code())
        .bind(order.payment.code())
        .bind(order.shipment.code())
        .bind(order.cart.code())
        .bind(order.approval.code())
        .bind(order.payment_id)
        .bind(order.tries)
        .bind(order.hold_until)
        .bind(order.limit_at)
        .bind(order.updated_at)
        .bind(order.history_seal.as_slice())
        .bind(seal_before)
        .bind(seal);
    if whole {
        statement = statement
            .bind(order.state.code())
            .bind(order.external_reference.as_deref())
            .bind(order.due_at)
            .bind(order.challenge.as_ref().map(|challenge| challenge.url.as_str()))
            .bind(order.challenge.as_ref().map(|challenge| challenge.id.as_str()))
            .bind(order.ending.as_ref().map(read::write_ending))
            .bind(order.confirmed_at);
    }
    statement = statement.bind(order.id).bind(seen.version);
    if let Fence::Lease(epoch) = fence { statement.bind(epoch) } else { statement }
}
