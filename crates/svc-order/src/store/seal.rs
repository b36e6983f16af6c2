//! What the seals of rows are made of. A seal covers every column that only a decision changes: not the version, the due time, the
//! tries and the lease, which the worker moves without one.

use chassis::RecordKey;
use kernel::{OrderId, Timestamp};

use super::read::{History, Invoice, write_ending};
use crate::domain::{InvoiceName, MadeShipment, Order};

/// Seals rows.
#[derive(Clone)]
pub struct Seals(RecordKey);

impl Seals {
    /// Seals under a key.
    #[must_use]
    pub const fn new(key: RecordKey) -> Self {
        Self(key)
    }

    /// The seal of an order, and with it of its history: `order.history_seal` is that of its last line.
    #[must_use]
    pub fn order(&self, order: &Order) -> Vec<u8> {
        // Every field is named, so that a new one is sealed, or left out on purpose.
        let Order {
            id,
            version: _,
            state,
            owner,
            placed_by,
            external_reference,
            external_time,
            total,
            tax,
            line_count,
            first_product,
            units,
            payment_method,
            stock,
            payment,
            shipment,
            cart,
            approval,
            attempt,
            payment_id,
            tries: _,
            hold_until,
            limit_at,
            due_at: _,
            challenge,
            ending,
            created_at,
            updated_at,
            confirmed_at,
            // A document has a seal of its own.
            invoice: _,
            history_seal,
        } = order;
        let time = |time: Timestamp| time.micros();
        self.0
            .record("order")
            .text(&id.to_string())
            .bytes(history_seal)
            .int(state.code())
            .text(owner)
            .text(placed_by)
            .optional_text(external_reference.as_deref())
            .optional_int(external_time.map(time))
            .text(total.currency.code())
            .int(total.minor)
            .int(tax.minor)
            .int(*line_count)
            .int(*units)
            .text(first_product)
            .text(payment_method)
            .int(stock.code())
            .int(payment.code())
            .int(shipment.code())
            .int(cart.code())
            .int(approval.code())
            .int(*attempt)
            .optional_text(payment_id.map(|id| id.to_string()).as_deref())
            .int(hold_until.micros())
            .int(limit_at.micros())
            .optional_text(challenge.as_ref().map(|challenge| challenge.url.as_str()))
            .optional_text(challenge.as_ref().map(|challenge| challenge.id.as_str()))
            .bytes(&ending.as_ref().map(write_ending).unwrap_or_default())
            .int(created_at.micros())
            .int(updated_at.micros())
            .optional_int(confirmed_at.map(time))
            .seal()
            .to_vec()
    }

    /// The seal of a frozen quote.
    #[must_use]
    pub fn quote(&self, id: OrderId, quote: &[u8]) -> Vec<u8> {
        self.0.record("order quote").text(&id.to_string()).bytes(quote).seal().to_vec()
    }

    /// The seal of a line of history that follows the line with this seal; none before the first.
    #[must_use]
    pub fn history(&self, previous: &[u8], id: OrderId, line: &History) -> Vec<u8> {
        let History { version, at, actor, state, what, note } = line;
        let record = self.0.record("order history").bytes(previous).text(&id.to_string());
        record
            .int(*version)
            .int(at.micros())
            .text(actor)
            .int(state.code())
            .text(what)
            .text(note)
            .seal()
            .to_vec()
    }

    /// The seal of a shipment that an order asked for.
    #[must_use]
    pub fn shipment(&self, id: OrderId, made: &MadeShipment) -> Vec<u8> {
        let MadeShipment { group_id, shipment_id } = made;
        let record = self.0.record("order shipment").text(&id.to_string());
        record.text(group_id).text(shipment_id).seal().to_vec()
    }

    /// The seal of a document that follows the one with this seal; none before the first.
    #[must_use]
    pub fn invoice(&self, previous: &[u8], invoice: &Invoice) -> Vec<u8> {
        let Invoice { name, order_id, total, tax, issued_at, seal: _ } = invoice;
        let InvoiceName { legal_entity, kind, number } = name;
        self.0
            .record("invoice")
            .bytes(previous)
            .text(legal_entity)
            .int(kind.code())
            .int(*number)
            .text(&order_id.to_string())
            .text(total.currency.code())
            .int(total.minor)
            .int(tax.minor)
            .int(issued_at.micros())
            .seal()
            .to_vec()
    }
}
