//! The repository: orders, their frozen quotes, histories and invoices. Each write is one commit, conditional on the version of the
//! order that was read, and, when the worker writes, on its lease.
//!
//! Invoices are numbered in the commit that confirms: it moves a counter row and takes the number before, so that numbers have no
//! gaps whatever is undone. On an engine with one writer that costs nothing. On InnoDB the row is locked only for the statements
//! of one batch, since no caller's code runs within a transaction; a leased numberer would add a commit and a delay to every order.

mod named;
mod read;

use kernel::{Error, OrderId, Result, Timestamp};
use store::{Batch, CommitError, Consumed, Database, Migration, NewEvent, RequestKey, Sql, Statement, sql};

use crate::domain::{Decision, InvoiceKind, Order, Payment, WORKER};

pub use read::{AuditRow, Due, History, Invoice, Listed};

/// The tables.
pub const MIGRATIONS: &[Migration] = &[
    Migration { name: "0001_orders", sql: include_str!("../migrations/0001_orders.sql") },
    Migration { name: "0002_first_product", sql: include_str!("../migrations/0002_first_product.sql") },
];

/// Label of the statement that a stale version or a lost lease makes fail.
const ORDER: &str = "order";
/// Label of the insert that a placed quote or a taken external reference makes fail.
const CREATE: &str = "create";
/// Characters of a note that are kept.
const NOTE_CHARS_MAX: usize = 500;

const INSERT: &str = "INSERT INTO orders (id, version, state, owner, placed_by, external_reference, external_time, currency, \
    total_minor, tax_minor, line_count, units, payment_method, stock, payment, shipment, cart, approval, attempt, tries, hold_until, \
    limit_at, due_at, created_at, updated_at, first_product, lease_owner, lease_epoch) \
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)";

/// An update on the version that was seen: the columns that every change sets, more of them, more conditions.
macro_rules! update {
    ($columns:literal, $conditions:literal) => {
        concat!(
            "UPDATE orders SET version = ?, stock = ?, payment = ?, shipment = ?, cart = ?, approval = ?, payment_id = ?, tries = ?, \
             hold_until = ?, limit_at = ?, updated_at = ?",
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
    instance: String,
    legal_entity: String,
}

impl Orders {
    /// The orders in a database, as seen by one instance, which invoices for one legal entity.
    ///
    /// # Errors
    /// The store's.
    pub async fn open(database: &Database, instance: String, legal_entity: String) -> Result<Self> {
        let orders = Self { sql: database.sql(), instance, legal_entity };
        for kind in InvoiceKind::ALL {
            orders.begin_numbers(*kind).await?;
        }
        Ok(orders)
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

    async fn begin_numbers(&self, kind: InvoiceKind) -> Result<()> {
        let seen = sql("SELECT next FROM invoice_counters WHERE legal_entity = ? AND kind = ?");
        if self.sql.fetch_one(seen.bind(&self.legal_entity).bind(kind.code())).await?.is_some() {
            return Ok(());
        }
        let insert = sql("INSERT INTO invoice_counters (legal_entity, kind, next) VALUES (?, ?, 1)");
        match self
            .sql
            .commit(Batch::new().insert(insert.bind(&self.legal_entity).bind(kind.code()), "counter"))
            .await
        {
            Ok(_) | Err(CommitError::Duplicate { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes a new order with its quote, its first event and the key of the request, leased to this instance under epoch 1.
    ///
    /// # Errors
    /// `Duplicate` when the quote was placed before or the external reference is taken; what a request key may meet; the store's.
    pub async fn create(
        &self,
        decision: &Decision,
        quote: Vec<u8>,
        events: Vec<NewEvent>,
        key: RequestKey,
    ) -> Result<(), CommitError> {
        let order = &decision.order;
        let frozen =
            sql("INSERT INTO order_quotes (order_id, quote) VALUES (?, ?)").bind(order.id).bind(quote);
        let batch = Batch::new()
            .insert(insert(order, &self.instance), CREATE)
            .insert(frozen, "quote")
            .insert(history(decision), "history")
            .events(events)
            .remember(key, order.id.to_string().into_bytes());
        self.sql.commit(batch).await.map(|_| ())
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
        let mut batch = Batch::new()
            .expect(update(seen, &order, fence), 1, ORDER)
            .insert(history(decision), "history")
            .events(events);
        for made in &decision.shipments {
            let text = "INSERT INTO order_shipments (order_id, group_id, shipment_id) VALUES (?, ?, ?)";
            batch.push_expect(
                sql(text).bind(order.id).bind(&made.group_id).bind(&made.shipment_id),
                1,
                "shipment",
            );
        }
        if let Some(kind) = decision.document {
            batch = self.number(batch, &order, kind);
        }
        if let Some(key) = key {
            batch.push_remember(key, order.id.to_string().into_bytes());
        }
        self.sql.commit(batch).await?;
        if decision.document == Some(InvoiceKind::Invoice) {
            order.invoice = self.invoice(order.id, InvoiceKind::Invoice).await?.map(|invoice| invoice.name);
        }
        Ok(order)
    }

    fn number(&self, batch: Batch, order: &Order, kind: InvoiceKind) -> Batch {
        let count = sql("UPDATE invoice_counters SET next = next + 1 WHERE legal_entity = ? AND kind = ?");
        let text = "INSERT INTO invoices (legal_entity, kind, number, order_id, currency, total_minor, tax_minor, issued_at) \
            SELECT legal_entity, kind, next - 1, ?, ?, ?, ?, ? FROM invoice_counters WHERE legal_entity = ? AND kind = ?";
        let insert = sql(text)
            .bind(order.id)
            .bind(order.total.currency.code())
            .bind(order.total.minor)
            .bind(order.tax.minor)
            .bind(order.updated_at)
            .bind(&self.legal_entity)
            .bind(kind.code());
        batch.expect(count.bind(&self.legal_entity).bind(kind.code()), 1, "counter").insert(insert, "invoice")
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
/// Internal when it is none of ours.
pub fn answered(answer: &[u8]) -> Result<OrderId> {
    OrderId::parse(std::str::from_utf8(answer).map_err(Error::internal)?).map_err(Error::internal)
}

fn insert(order: &Order, instance: &str) -> Statement {
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
}

fn update(seen: &Order, order: &Order, fence: Fence) -> Statement {
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
        .bind(order.updated_at);
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

fn history(decision: &Decision) -> Statement {
    let order = &decision.order;
    let actor = if decision.actor.is_empty() { WORKER } else { &decision.actor };
    let note: String = decision.note.chars().take(NOTE_CHARS_MAX).collect();
    sql("INSERT INTO order_history (order_id, version, at, actor, state, what, note) VALUES (?, ?, ?, ?, ?, ?, ?)")
        .bind(order.id)
        .bind(order.version)
        .bind(order.updated_at)
        .bind(actor)
        .bind(order.state.code())
        .bind(decision.what)
        .bind(note)
}
