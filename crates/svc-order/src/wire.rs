//! Orders as the contract shows them, and the events about them.

use contract::souk::checkout::v1::Quote;
use contract::souk::order::v1 as wire;
use contract::wire::{money, timestamp};
use kernel::{Error, Result, Timestamp};
use prost::Message;
use store::NewEvent;

use crate::domain::{
    Cart, Decision, Ending, Event, InvoiceKind, MadeShipment, Order, Payment, Shipment, State,
};
use crate::store::{History, Invoice};

/// Reads a frozen quote.
///
/// # Errors
/// Internal when it is damaged.
pub fn quote(bytes: &[u8]) -> Result<Quote> {
    Quote::decode(bytes).map_err(Error::internal)
}

/// The state's name on the wire; the numbers agree.
#[must_use]
pub fn state(state: State) -> i32 {
    i32::try_from(state.code()).expect("state codes are small")
}

/// An order with its quote and its shipments.
#[must_use]
pub fn order(order: &Order, quote: &Quote, shipments: &[MadeShipment]) -> wire::Order {
    let (customer_id, guest_id) = owner(order);
    let ended = matches!(order.state, State::Cancelling | State::Cancelled | State::Failed);
    wire::Order {
        id: order.id.to_string(),
        version: order.version,
        state: state(order.state),
        customer_id,
        guest_id,
        quote: Some(quote.clone()),
        total: Some(money(order.total)),
        tenders: tenders(order),
        fulfilments: quote
            .shipment_groups
            .iter()
            .map(|group| fulfilment(order, &group.shipment_group_id, shipments))
            .collect(),
        next_action: next_action(order),
        ending: order.ending.as_ref().filter(|_| ended).map(ending),
        invoice_number: order.invoice.as_ref().map(ToString::to_string).unwrap_or_default(),
        external_reference: order.external_reference.clone().unwrap_or_default(),
        external_time: order.external_time.map(timestamp),
        placed_by: order.placed_by.clone(),
        created_at: Some(timestamp(order.created_at)),
        updated_at: Some(timestamp(order.updated_at)),
        confirmed_at: order.confirmed_at.map(timestamp),
        cart_pending: order.state == State::Confirmed && order.cart == Cart::Asked,
    }
}

/// An order in a list.
#[must_use]
pub fn summary(order: &Order) -> wire::OrderSummary {
    let (customer_id, guest_id) = owner(order);
    wire::OrderSummary {
        id: order.id.to_string(),
        version: order.version,
        state: state(order.state),
        customer_id,
        guest_id,
        total: Some(money(order.total)),
        line_count: i32::try_from(order.line_count).unwrap_or(i32::MAX),
        invoice_number: order.invoice.as_ref().map(ToString::to_string).unwrap_or_default(),
        external_reference: order.external_reference.clone().unwrap_or_default(),
        created_at: Some(timestamp(order.created_at)),
        updated_at: Some(timestamp(order.updated_at)),
        first_product_name: order.first_product.clone(),
    }
}

/// The owner as the contract has it: a customer or a guest session.
fn owner(order: &Order) -> (String, String) {
    if order.owner.starts_with("gst_") {
        (String::new(), order.owner.clone())
    } else {
        (order.owner.clone(), String::new())
    }
}

/// Where the money of an order stands; unspecified when nothing is to be paid.
pub(crate) fn tender_state(payment: Payment) -> wire::TenderState {
    match payment {
        Payment::NotNeeded => wire::TenderState::Unspecified,
        Payment::Later | Payment::Asked | Payment::Challenged => wire::TenderState::Pending,
        Payment::Authorized | Payment::CaptureAsked => wire::TenderState::Authorized,
        Payment::Captured => wire::TenderState::Captured,
        Payment::Voided => wire::TenderState::Voided,
        Payment::Refunded => wire::TenderState::Refunded,
        Payment::Declined => wire::TenderState::Declined,
    }
}

fn tenders(order: &Order) -> Vec<wire::Tender> {
    if order.payment == Payment::NotNeeded {
        return Vec::new();
    }
    vec![wire::Tender {
        number: 1,
        payment_method: order.payment_method.clone(),
        amount: Some(money(order.total)),
        payment_id: order.payment_id.map(|id| id.to_string()).unwrap_or_default(),
        state: tender_state(order.payment).into(),
    }]
}

fn fulfilment(order: &Order, group: &str, shipments: &[MadeShipment]) -> wire::Fulfilment {
    let made = shipments.iter().find(|made| made.group_id == group);
    let state = match order.shipment {
        Shipment::Later | Shipment::Asked => wire::FulfilmentState::Pending,
        Shipment::Requested => wire::FulfilmentState::Requested,
        Shipment::Recalled => wire::FulfilmentState::Recalled,
        Shipment::Left => wire::FulfilmentState::Left,
    };
    wire::Fulfilment {
        shipment_group_id: group.to_owned(),
        state: state.into(),
        shipment_id: made.map(|made| made.shipment_id.clone()).unwrap_or_default(),
    }
}

fn next_action(order: &Order) -> Option<wire::NextAction> {
    let challenge = order.challenge.as_ref().filter(|_| order.state == State::ActionRequired)?;
    Some(wire::NextAction {
        url: challenge.url.clone(),
        challenge_id: challenge.id.clone(),
        expires_at: Some(timestamp(order.limit_at)),
    })
}

fn ending(ending: &Ending) -> wire::Ending {
    wire::Ending {
        reason: ending.reason.to_string(),
        message: ending.message.clone(),
        metadata: ending.metadata.clone(),
    }
}

/// A line of history.
#[must_use]
pub fn history(entry: History) -> wire::HistoryEntry {
    wire::HistoryEntry {
        version: entry.version,
        time: Some(timestamp(entry.at)),
        actor: entry.actor,
        state: state(entry.state),
        what: entry.what,
        note: entry.note,
    }
}

/// An invoice; with its quote where that is wanted.
#[must_use]
pub fn invoice(invoice: &Invoice, quote: Option<Quote>) -> wire::Invoice {
    let kind = match invoice.name.kind {
        InvoiceKind::Invoice => wire::InvoiceKind::Invoice,
        InvoiceKind::CreditNote => wire::InvoiceKind::CreditNote,
    };
    wire::Invoice {
        legal_entity: invoice.name.legal_entity.clone(),
        number: invoice.name.number,
        display_number: invoice.name.to_string(),
        kind: kind.into(),
        order_id: invoice.order_id.to_string(),
        total: Some(money(invoice.total)),
        tax: Some(money(invoice.tax)),
        issued_at: Some(timestamp(invoice.issued_at)),
        seal: if quote.is_none() { invoice.seal.clone() } else { Vec::new() },
        quote,
    }
}

/// The events of a decision, encoded.
#[must_use]
pub fn events(decision: &Decision, quote: &Quote) -> Vec<NewEvent> {
    decision.events.iter().map(|event| encode(event, &decision.order, quote)).collect()
}

fn encode(event: &Event, order: &Order, quote: &Quote) -> NewEvent {
    let order_id = order.id.to_string();
    let (customer_id, guest_id) = owner(order);
    let version = order.version;
    match event {
        Event::Created => {
            let quote_id = order.quote_id().to_string();
            let total = Some(money(order.total));
            chassis::event(
                order.id,
                version,
                &wire::OrderCreated { order_id, customer_id, guest_id, quote_id, total },
            )
        }
        Event::ActionRequired => {
            let next_action = next_action(order);
            chassis::event(
                order.id,
                version,
                &wire::OrderActionRequired { order_id, customer_id, guest_id, next_action },
            )
        }
        Event::ApprovalRequested => {
            let (total, expires_at) = (Some(money(order.total)), Some(timestamp(order.limit_at)));
            chassis::event(order.id, version, &wire::OrderApprovalRequested { order_id, total, expires_at })
        }
        Event::Approved { by } => {
            chassis::event(order.id, version, &wire::OrderApproved { order_id, approved_by: by.clone() })
        }
        Event::Confirmed => chassis::event(order.id, version, &confirmed(order, quote)),
        Event::Failed => {
            let ending = order.ending.as_ref().map(ending);
            chassis::event(order.id, version, &wire::OrderFailed { order_id, customer_id, guest_id, ending })
        }
        Event::CancellationRequested { by } => chassis::event(
            order.id,
            version,
            &wire::OrderCancellationRequested { order_id, requested_by: by.clone() },
        ),
        Event::Cancelled => {
            let was_confirmed = order.confirmed_at.is_some();
            chassis::event(
                order.id,
                version,
                &wire::OrderCancelled { order_id, customer_id, guest_id, was_confirmed },
            )
        }
        Event::CancellationRefused => {
            let late = Ending::of(&crate::domain::too_late());
            chassis::event(
                order.id,
                version,
                &wire::OrderCancellationRefused { order_id, ending: Some(ending(&late)) },
            )
        }
    }
}

/// The event of a confirmation.
#[must_use]
pub fn confirmed(order: &Order, quote: &Quote) -> wire::OrderConfirmed {
    let (customer_id, guest_id) = owner(order);
    let lines = quote.lines.iter().map(|line| wire::BoughtLine {
        line_id: line.line_id.clone(),
        sku: line.sku.clone(),
        quantity: line.quantity,
        total: line.gross.clone(),
    });
    wire::OrderConfirmed {
        order_id: order.id.to_string(),
        customer_id,
        guest_id,
        total: Some(money(order.total)),
        lines: lines.collect(),
        external_reference: order.external_reference.clone().unwrap_or_default(),
        confirmed_at: Some(timestamp(order.confirmed_at.unwrap_or_else(|| Timestamp::from_micros(0)))),
    }
}
