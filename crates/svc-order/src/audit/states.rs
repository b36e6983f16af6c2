//! The parts of an order fit its state, and nothing that is not at rest is older than its limit.

use std::time::Duration;

use kernel::PaymentId;

use super::{Findings, STATES, Times};
use crate::domain::{Approval, Order, Payment, Shipment, State, Step, Stock, next};
use crate::saga::DUE_PAST_LIMIT;

/// How long past its limit an order may still be on its way to rest: the worker looks every second, and an undoing waits for
/// other services with pauses of a minute at most.
const OVERDUE: Duration = Duration::from_secs(3600);
/// The same for an order that is only to be given up.
const GIVEN_UP_WITHIN: Duration = Duration::from_secs(120);

pub(super) fn check(findings: &mut Findings<'_>, times: Times) {
    let order = &findings.row.order;
    for (fits, part, expected) in expectations(order, times) {
        if !fits {
            findings.note(STATES, part, expected, describe(order));
        }
    }
    for left_out in &findings.row.left_out {
        findings.note(STATES, left_out.column, left_out.expected, &left_out.found);
    }
    if let Some(id) = order.payment_id {
        findings.same(STATES, "payment_id", PaymentId::from_bits(order.id.bits()), id);
    }
    shipments(findings);
    let waits = if order.before_pivot() && !order.undoing() { GIVEN_UP_WITHIN } else { OVERDUE };
    if next(order, times.now) != Step::Rest && times.now > times.limit_of(order).plus(waits) {
        findings.note(STATES, "limit", "at rest, as its limit has passed", describe(order));
    }
}

fn describe(order: &Order) -> String {
    format!(
        "{:?}, stock {:?}, payment {:?}, shipment {:?}, cart {:?}, approval {:?}, {}, {}",
        order.state,
        order.stock,
        order.payment,
        order.shipment,
        order.cart,
        order.approval,
        if order.due_at.is_some() { "due" } else { "not due" },
        if order.ending.is_some() { "with an ending" } else { "without an ending" },
    )
}

/// What must hold: whether it does, of which part, and what is expected.
fn expectations(order: &Order, times: Times) -> Vec<(bool, &'static str, &'static str)> {
    let rests = next(order, order.updated_at) == Step::Rest;
    let ended = matches!(order.state, State::Cancelling | State::Cancelled | State::Failed);
    let paid = matches!(order.payment, Payment::Authorized | Payment::CaptureAsked | Payment::Captured);
    let known = paid || matches!(order.payment, Payment::Challenged | Payment::Refunded);
    let was_confirmed = order.confirmed_at.is_some();
    vec![
        (order.due_at.is_none() == rests, "due_at", "a due time exactly while something is left to do"),
        (is_due_in_time(order, times), "due_at", "a time up to its limit, as it waits for a person"),
        (order.ending.is_some() || !ended, "ending", "why it ends"),
        (
            order.ending.is_none() || ended || order.state == State::Pending,
            "ending",
            "no ending for an order that goes on",
        ),
        (
            order.total.is_zero() == (order.payment == Payment::NotNeeded),
            "payment",
            "a payment unless the total is zero",
        ),
        (
            order.total.is_zero() == order.payment_method.is_empty(),
            "payment_method",
            "one unless the total is zero",
        ),
        (!known || order.payment_id.is_some(), "payment_id", "the payment that money was asked by"),
        (
            order.challenge.is_some() == (order.state == State::ActionRequired),
            "challenge",
            "a challenge exactly while the buyer must act",
        ),
        (
            order.state != State::AwaitingApproval || order.approval == Approval::Needed,
            "approval",
            "an approval that is needed",
        ),
        (
            order.state != State::Confirmed
                || (order.stock == Stock::Committed && (paid || order.total.is_zero())),
            "state",
            "stock committed and money reserved for a confirmed order",
        ),
        (order.state != State::Confirmed || was_confirmed, "confirmed_at", "when it was confirmed"),
        (order.state != State::Failed || !was_confirmed, "confirmed_at", "none for an order that failed"),
        (was_confirmed || order.shipment == Shipment::Later, "shipment", "none before it is confirmed"),
        (
            order.state != State::Failed || order.external_reference.is_none(),
            "external_reference",
            "none, as a failed order gives it back",
        ),
        (
            !order.state.terminal()
                || !matches!(order.stock, Stock::Asked | Stock::Held | Stock::Committing | Stock::Committed),
            "stock",
            "nothing held for an order that came to nothing",
        ),
        (
            !order.state.terminal() || !known || order.payment == Payment::Refunded,
            "payment",
            "no money for an order that came to nothing",
        ),
        (
            order.version >= 1 && order.attempt >= 1 && order.tries >= 0,
            "counts",
            "a version and an attempt from 1",
        ),
    ]
}

/// An order that waits for a person is looked at when its limit comes; one whose step did not succeed then, a little later. The count
/// of tries says nothing of it: it is 0 again after a later look that had nothing to do yet.
fn is_due_in_time(order: &Order, times: Times) -> bool {
    let waits = matches!(order.state, State::ActionRequired | State::AwaitingApproval);
    !waits || order.due_at.is_none_or(|due| due <= times.limit_of(order).plus(DUE_PAST_LIMIT))
}

/// Each group of the quote has its shipment once shipping was asked, and there are no others.
fn shipments(findings: &mut Findings<'_>) {
    let row = findings.row;
    let Ok(quote) = crate::wire::quote(&row.quote) else { return };
    let asked = matches!(row.order.shipment, Shipment::Requested | Shipment::Left);
    for group in &quote.shipment_groups {
        let id = group.shipment_group_id.as_str();
        if asked && !row.shipments.iter().any(|made| made.made.group_id == id) {
            findings.note(STATES, &format!("shipment {id}"), "the shipment that was asked for", "none");
        }
    }
    for made in &row.shipments {
        if !quote.shipment_groups.iter().any(|group| group.shipment_group_id == made.made.group_id) {
            let part = format!("shipment {}", made.made.group_id);
            findings.note(STATES, &part, "a group of the quote", made.made.shipment_id.clone());
        }
    }
}
