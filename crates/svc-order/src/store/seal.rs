//! What the seals of rows are made of. A seal covers every column that only a decision changes: not the version, the due time, the
//! tries and the lease, which the worker moves without one.

use chassis::RecordKey;
use kernel::{OrderId, Timestamp};

use super::read::{History, Invoice, write_ending};
use crate::domain::{MadeShipment, Order};

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
        let time = |time: Timestamp| time.micros();
        self.0
            .record("order")
            .text(&order.id.to_string())
            .bytes(&order.history_seal)
            .int(order.state.code())
            .text(&order.owner)
            .text(&order.placed_by)
            .optional_text(order.external_reference.as_deref())
            .optional_int(order.external_time.map(time))
            .text(order.total.currency.code())
            .int(order.total.minor)
            .int(order.tax.minor)
            .int(order.line_count)
            .int(order.units)
            .text(&order.first_product)
            .text(&order.payment_method)
            .int(order.stock.code())
            .int(order.payment.code())
            .int(order.shipment.code())
            .int(order.cart.code())
            .int(order.approval.code())
            .int(order.attempt)
            .optional_text(order.payment_id.map(|id| id.to_string()).as_deref())
            .int(order.hold_until.micros())
            .int(order.limit_at.micros())
            .optional_text(order.challenge.as_ref().map(|challenge| challenge.url.as_str()))
            .optional_text(order.challenge.as_ref().map(|challenge| challenge.id.as_str()))
            .bytes(&order.ending.as_ref().map(write_ending).unwrap_or_default())
            .int(order.created_at.micros())
            .int(order.updated_at.micros())
            .optional_int(order.confirmed_at.map(time))
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
        let record = self.0.record("order history").bytes(previous).text(&id.to_string());
        record
            .int(line.version)
            .int(line.at.micros())
            .text(&line.actor)
            .int(line.state.code())
            .text(&line.what)
            .text(&line.note)
            .seal()
            .to_vec()
    }

    /// The seal of a shipment that an order asked for.
    #[must_use]
    pub fn shipment(&self, id: OrderId, made: &MadeShipment) -> Vec<u8> {
        let record = self.0.record("order shipment").text(&id.to_string());
        record.text(&made.group_id).text(&made.shipment_id).seal().to_vec()
    }

    /// The seal of a document that follows the one with this seal; none before the first.
    #[must_use]
    pub fn invoice(&self, previous: &[u8], invoice: &Invoice) -> Vec<u8> {
        let record = self.0.record("invoice").bytes(previous).text(&invoice.name.legal_entity);
        record
            .int(invoice.name.kind.code())
            .int(invoice.name.number)
            .text(&invoice.order_id.to_string())
            .text(invoice.total.currency.code())
            .int(invoice.total.minor)
            .int(invoice.tax.minor)
            .int(invoice.issued_at.micros())
            .seal()
            .to_vec()
    }
}
