//! What payments and their events say alike, for an audit that compares them.

use std::sync::Arc;

use chassis::audit::{Examine, Examined, Fact, last_of_full_page};
use contract::souk::payment::v1;
use contract::wire::parse_id;
use kernel::{OrderId, Result};
use prost::{DecodeError, Message, Name};
use store::StoredEvent;
use tonic::async_trait;

use crate::domain::payment::payment_id;
use crate::domain::{OperationKind, OperationState, PaymentState};
use crate::store::{Books, Whole};
use crate::wire;

/// The payments of a database.
pub fn tables(books: &Books) -> [Arc<dyn Examine>; 1] {
    [Arc::new(PaymentRows(books.clone()))]
}

struct PaymentRows(Books);

#[async_trait]
impl Examine for PaymentRows {
    fn table(&self) -> &'static str {
        "payments"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let rows = self.0.audit(after.unwrap_or_default(), limit).await?;
        let mut examined = Examined { rows: rows.len(), ..Examined::default() };
        for whole in &rows {
            examined.facts.extend(facts(whole));
        }
        let last = last_of_full_page(&rows, limit);
        examined.next = last.map(|whole| whole.payment.id.to_string());
        Ok(examined)
    }
}

/// What a payment and its operations say. Most of their versions have no event: those whose caller was told by the answer.
fn facts(whole: &Whole) -> Vec<Fact> {
    let payment = &whole.payment;
    let message = wire::payment(payment);
    let (id, updated) = (message.id.clone(), payment.updated);
    let row = Fact::new("row", id.clone()).version(payment.version).state("unpublished").at(updated);
    let at = Fact::new("payment at", format!("{id} {}", message.version)).content(&state_content(&message));
    let mut facts = vec![row, Fact::new("payment", id.clone()).content(&identity_content(&message)), at];
    if payment.state == PaymentState::Voided {
        let void = whole.operations.iter().find(|operation| {
            let by_call = operation.reason != super::STRAY_REASON && operation.attempt == payment.attempt;
            by_call && operation.kind == OperationKind::Void && operation.state == OperationState::Succeeded
        });
        // One that never had money to give back, or whose provider gave it back, was voided without an operation.
        let state = if void.is_some() { "" } else { "unpublished" };
        let fact = Fact::new("voided", id).state(state).about(&payment.order.to_string());
        facts.push(fact.at(void.map_or(updated, |void| void.updated)));
    }
    for operation in &whole.operations {
        let ended = !operation.state.is_open();
        facts.push(match operation.kind {
            OperationKind::Capture => {
                capture_fact(&message.id, &wire::capture(operation), "capture").state("unpublished")
            }
            OperationKind::Refund => {
                let state = if ended { "" } else { "unpublished" };
                refund_fact(&message.id, &wire::refund(operation), "refund")
                    .state(state)
                    .at(operation.updated)
            }
            OperationKind::Void => continue,
        });
    }
    facts
}

/// What never changes of a payment. Named field by field here and below, so that a field that is added later does not make older
/// events differ.
fn identity_content(payment: &v1::Payment) -> Vec<u8> {
    v1::Payment {
        id: payment.id.clone(),
        order_id: payment.order_id.clone(),
        tender_index: payment.tender_index,
        owner_subject: payment.owner_subject.clone(),
        amount: payment.amount.clone(),
        create_time: payment.create_time,
        ..v1::Payment::default()
    }
    .encode_to_vec()
}

/// The state of a payment at a version, beside what never changes. What its attempt says (failure, challenge) is left out: attempts are sealed.
fn state_content(payment: &v1::Payment) -> Vec<u8> {
    let state = v1::Payment {
        state: payment.state,
        authorized: payment.authorized.clone(),
        captured: payment.captured.clone(),
        refunded: payment.refunded.clone(),
        attempt: payment.attempt,
        provider: payment.provider.clone(),
        version: payment.version,
        update_time: payment.update_time,
        ..v1::Payment::default()
    };
    [identity_content(payment), state.encode_to_vec()].concat()
}

fn refund_fact(payment_id: &str, refund: &v1::Refund, set: &'static str) -> Fact {
    let content = v1::Refund {
        id: refund.id.clone(),
        amount: refund.amount.clone(),
        state: refund.state,
        provider_reference: refund.provider_reference.clone(),
        failure: refund.failure.clone(),
        reason: refund.reason.clone(),
        create_time: refund.create_time,
        update_time: refund.update_time,
    };
    part(payment_id, &refund.id, &content.encode_to_vec(), set)
}

fn capture_fact(payment_id: &str, capture: &v1::Capture, set: &'static str) -> Fact {
    let content = v1::Capture {
        id: capture.id.clone(),
        amount: capture.amount.clone(),
        state: capture.state,
        provider_reference: capture.provider_reference.clone(),
        failure: capture.failure.clone(),
        create_time: capture.create_time,
        update_time: capture.update_time,
    };
    part(payment_id, &capture.id, &content.encode_to_vec(), set)
}

fn part(payment_id: &str, id: &str, content: &[u8], set: &'static str) -> Fact {
    let fact = Fact::new(set, id).content(&[payment_id.as_bytes(), b"|", content].concat());
    fact.about(&format!("of {payment_id}"))
}

/// What an event says changed.
enum Change {
    /// The payment came into this state.
    State(v1::PaymentState),
    /// A capture ended so.
    Capture(Option<v1::Capture>, v1::OperationState),
    /// A refund ended so.
    Refund(Option<v1::Refund>, v1::OperationState),
}

/// `None` for a type that is not of this service.
fn read(name: &str, bytes: &[u8]) -> std::result::Result<Option<(Option<v1::Payment>, Change)>, DecodeError> {
    use v1::{OperationState as Part, PaymentState as State};
    let decoded = if name == v1::PaymentAuthorized::full_name() {
        (v1::PaymentAuthorized::decode(bytes)?.payment, Change::State(State::Authorized))
    } else if name == v1::PaymentActionRequired::full_name() {
        (v1::PaymentActionRequired::decode(bytes)?.payment, Change::State(State::ActionRequired))
    } else if name == v1::PaymentFailed::full_name() {
        (v1::PaymentFailed::decode(bytes)?.payment, Change::State(State::Failed))
    } else if name == v1::PaymentVoided::full_name() {
        (v1::PaymentVoided::decode(bytes)?.payment, Change::State(State::Voided))
    } else if name == v1::PaymentCaptured::full_name() {
        let event = v1::PaymentCaptured::decode(bytes)?;
        (event.payment, Change::Capture(event.capture, Part::Succeeded))
    } else if name == v1::PaymentCaptureFailed::full_name() {
        let event = v1::PaymentCaptureFailed::decode(bytes)?;
        (event.payment, Change::Capture(event.capture, Part::Failed))
    } else if name == v1::PaymentRefunded::full_name() {
        let event = v1::PaymentRefunded::decode(bytes)?;
        (event.payment, Change::Refund(event.refund, Part::Succeeded))
    } else if name == v1::PaymentRefundFailed::full_name() {
        let event = v1::PaymentRefundFailed::decode(bytes)?;
        (event.payment, Change::Refund(event.refund, Part::Failed))
    } else {
        return Ok(None);
    };
    Ok(Some(decoded))
}

/// What an event of this service says of its payment, and of the capture or refund that it is about.
///
/// # Errors
/// When it contradicts itself, or is about another payment than it says.
pub fn describe(event: &StoredEvent) -> std::result::Result<Vec<Fact>, String> {
    let stored = &event.event;
    let read = read(&stored.type_name, &stored.payload).map_err(|error| error.to_string())?;
    let Some((payment, change)) = read else { return Ok(Vec::new()) };
    let payment = payment.ok_or("no payment in it")?;
    if payment.id != stored.aggregate_id {
        return Err(format!("{} in an event of {}", payment.id, stored.aggregate_id));
    }
    check_consistent(&payment)?;
    let id = payment.id.clone();
    let at = Fact::new("payment event at", format!("{id} {}", payment.version));
    let mut facts = vec![
        Fact::new("event", id.clone()).version(payment.version).state("at least"),
        Fact::new("payment event", id.clone()).content(&identity_content(&payment)),
        at.content(&state_content(&payment)),
    ];
    match change {
        Change::State(state) => {
            expect_state(payment.state().as_str_name(), state.as_str_name())?;
            if state == v1::PaymentState::Voided {
                facts.push(Fact::new("voided event", id).about(&payment.order_id));
            }
        }
        Change::Capture(capture, state) => {
            let capture = capture.ok_or("no capture in it")?;
            expect_state(capture.state().as_str_name(), state.as_str_name())?;
            facts.push(capture_fact(&payment.id, &capture, "capture event"));
        }
        Change::Refund(refund, state) => {
            let refund = refund.ok_or("no refund in it")?;
            expect_state(refund.state().as_str_name(), state.as_str_name())?;
            facts.push(refund_fact(&payment.id, &refund, "refund event"));
        }
    }
    Ok(facts)
}

/// Checks that a state in an event is the one that events of its type are about.
fn expect_state(found: &str, expected: &str) -> std::result::Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{found} in an event of {expected}")) }
}

/// Checks that a payment in an event does not contradict itself: its id follows from order and tender, and it has no more refunded
/// than captured, no more captured than authorized, and no more authorized than its amount.
fn check_consistent(payment: &v1::Payment) -> std::result::Result<(), String> {
    let order = parse_id::<OrderId>("order_id", &payment.order_id).map_err(|_| "no order in it")?;
    let tender = u32::try_from(payment.tender_index).map_err(|_| "a tender below 0")?;
    let expected = payment_id(order, tender);
    if payment.id != expected.to_string() {
        return Err(format!("{} for tender {tender} of {order}, which is {expected}", payment.id));
    }
    let minor =
        |money: &Option<contract::souk::r#type::v1::Money>| money.as_ref().map_or(0, |m| m.minor_units);
    let sums = [&payment.refunded, &payment.captured, &payment.authorized, &payment.amount].map(minor);
    if sums[0] < 0 || !sums.is_sorted() {
        return Err(format!(
            "refunded {}, captured {}, authorized {} of {}",
            sums[0], sums[1], sums[2], sums[3]
        ));
    }
    Ok(())
}
