//! Domain words to the wire, and the events.

use chassis::event;
use contract::souk::payment::v1;
use contract::wire;
use kernel::{Error, Money};
use store::NewEvent;

use crate::domain::ledger::EntryKind;
use crate::domain::operation::Effect;
use crate::domain::{
    Attempt, AttemptState, Challenge, Failure, Operation, OperationKind, OperationState, Payment,
    PaymentState,
};
use crate::store::{SealedEntry, Whole};

/// A payment.
pub fn payment(payment: &Payment) -> v1::Payment {
    let money = |minor| Some(wire::money(Money::new(minor, payment.amount.currency)));
    v1::Payment {
        id: payment.id.to_string(),
        order_id: payment.order.to_string(),
        tender_index: i32::try_from(payment.tender).unwrap_or(i32::MAX),
        owner_subject: payment.owner.clone(),
        state: payment_state(payment.state).into(),
        amount: money(payment.amount.minor),
        authorized: money(payment.authorized),
        captured: money(payment.captured),
        refunded: money(payment.refunded),
        attempt: i32::try_from(payment.attempt).unwrap_or(i32::MAX),
        provider: payment.provider.clone(),
        challenge: payment.challenge.as_ref().map(challenge),
        failure: payment.failure.as_ref().map(failure),
        version: payment.version,
        create_time: Some(wire::timestamp(payment.created)),
        update_time: Some(wire::timestamp(payment.updated)),
    }
}

fn payment_state(state: PaymentState) -> v1::PaymentState {
    match state {
        PaymentState::Authorizing => v1::PaymentState::Authorizing,
        PaymentState::Unknown => v1::PaymentState::Unknown,
        PaymentState::ActionRequired => v1::PaymentState::ActionRequired,
        PaymentState::Authorized => v1::PaymentState::Authorized,
        PaymentState::Captured => v1::PaymentState::Captured,
        PaymentState::Failed => v1::PaymentState::Failed,
        PaymentState::Voiding => v1::PaymentState::Voiding,
        PaymentState::Voided => v1::PaymentState::Voided,
    }
}

/// What the payer has to pass.
pub fn challenge(challenge: &Challenge) -> v1::Challenge {
    v1::Challenge { url: challenge.url.clone(), token: challenge.token.clone() }
}

/// Why a provider said no.
pub fn failure(failure: &Failure) -> v1::Failure {
    v1::Failure { code: failure.code.clone(), message: failure.message.clone() }
}

/// An attempt.
pub fn attempt(attempt: &Attempt) -> v1::Attempt {
    let state = match attempt.state {
        AttemptState::Authorizing => v1::AttemptState::Authorizing,
        AttemptState::Unknown => v1::AttemptState::Unknown,
        AttemptState::ActionRequired => v1::AttemptState::ActionRequired,
        AttemptState::Authorized => v1::AttemptState::Authorized,
        AttemptState::Failed => v1::AttemptState::Failed,
        AttemptState::Voided => v1::AttemptState::Voided,
    };
    v1::Attempt {
        payment_id: attempt.payment.to_string(),
        number: i32::try_from(attempt.number).unwrap_or(i32::MAX),
        state: state.into(),
        amount: Some(wire::money(attempt.amount)),
        provider: attempt.provider.clone(),
        provider_key: attempt.key(),
        provider_reference: attempt.reference.clone(),
        failure: attempt.failure.as_ref().map(failure),
        create_time: Some(wire::timestamp(attempt.created)),
        update_time: Some(wire::timestamp(attempt.updated)),
    }
}

/// How a call to authorize came out, from where its attempt stands.
pub fn authorization_status(attempt: Option<&Attempt>) -> v1::AuthorizationStatus {
    match attempt.map(|attempt| attempt.state) {
        Some(AttemptState::Authorizing | AttemptState::Unknown) => v1::AuthorizationStatus::Pending,
        Some(AttemptState::ActionRequired) => v1::AuthorizationStatus::ActionRequired,
        Some(AttemptState::Authorized) => v1::AuthorizationStatus::Authorized,
        Some(AttemptState::Failed) => v1::AuthorizationStatus::Declined,
        Some(AttemptState::Voided) | None => v1::AuthorizationStatus::Voided,
    }
}

/// Where an operation stands.
pub fn operation_state(state: OperationState) -> v1::OperationState {
    match state {
        OperationState::Sending | OperationState::Unknown | OperationState::Pending => {
            v1::OperationState::Pending
        }
        OperationState::Succeeded => v1::OperationState::Succeeded,
        OperationState::Failed => v1::OperationState::Failed,
    }
}

/// A capture.
pub fn capture(operation: &Operation) -> v1::Capture {
    v1::Capture {
        id: operation.id.clone(),
        amount: Some(wire::money(operation.amount)),
        state: operation_state(operation.state).into(),
        provider_reference: operation.reference.clone(),
        failure: operation.failure.as_ref().map(failure),
        create_time: Some(wire::timestamp(operation.created)),
        update_time: Some(wire::timestamp(operation.updated)),
    }
}

/// A refund.
pub fn refund(operation: &Operation) -> v1::Refund {
    v1::Refund {
        id: operation.id.clone(),
        amount: Some(wire::money(operation.amount)),
        state: operation_state(operation.state).into(),
        provider_reference: operation.reference.clone(),
        failure: operation.failure.as_ref().map(failure),
        reason: operation.reason.clone(),
        create_time: Some(wire::timestamp(operation.created)),
        update_time: Some(wire::timestamp(operation.updated)),
    }
}

/// The captures among operations.
pub fn captures(operations: &[Operation]) -> Vec<v1::Capture> {
    operations.iter().filter(|operation| operation.kind == OperationKind::Capture).map(capture).collect()
}

/// The refunds among operations.
pub fn refunds(operations: &[Operation]) -> Vec<v1::Refund> {
    operations.iter().filter(|operation| operation.kind == OperationKind::Refund).map(refund).collect()
}

/// A payment as the audit wants it.
pub fn audited(whole: &Whole) -> v1::AuditedPayment {
    v1::AuditedPayment {
        payment: Some(payment(&whole.payment)),
        attempts: whole.attempts.iter().map(attempt).collect(),
        captures: captures(&whole.operations),
        refunds: refunds(&whole.operations),
    }
}

/// A ledger entry with its seal; `computed` is what its hash comes out as now.
pub fn entry(sealed: &SealedEntry, computed: Option<[u8; 32]>) -> v1::LedgerEntry {
    let entry = &sealed.entry;
    let kind = match entry.kind {
        EntryKind::Capture => v1::LedgerEntryKind::Capture,
        EntryKind::Refund => v1::LedgerEntryKind::Refund,
        EntryKind::RefundReversal => v1::LedgerEntryKind::RefundReversal,
    };
    let posting = |posting: &crate::domain::ledger::Posting| v1::LedgerPosting {
        account: posting.account.clone(),
        amount: Some(wire::money(posting.amount)),
    };
    v1::LedgerEntry {
        id: entry.id.clone(),
        kind: kind.into(),
        payment_id: entry.payment.to_string(),
        order_id: entry.order.to_string(),
        operation_id: entry.operation.clone(),
        time: Some(wire::timestamp(entry.time)),
        postings: entry.postings.iter().map(posting).collect(),
        seal: sealed.link.as_ref().map(|link| v1::LedgerSeal {
            position: link.position,
            previous_hash: link.previous.clone(),
            hash: link.hash.clone(),
            computed_hash: computed.map(Vec::from).unwrap_or_default(),
            keyed_hash: link.keyed.as_ref().map(|keyed| keyed.hash.clone()).unwrap_or_default(),
            keyed_holds: link.keyed.as_ref().is_some_and(|keyed| keyed.holds),
        }),
    }
}

/// What to publish when an attempt changed behind its caller's back; nothing while the payment is being given up.
pub fn attempt_event(after: &Payment, attempt: &Attempt) -> Option<NewEvent> {
    if attempt.number != after.attempt {
        return None;
    }
    let message = Some(payment(after));
    let (id, version) = (after.id, after.version);
    match after.state {
        PaymentState::Authorized => Some(event(id, version, &v1::PaymentAuthorized { payment: message })),
        PaymentState::ActionRequired => {
            Some(event(id, version, &v1::PaymentActionRequired { payment: message }))
        }
        PaymentState::Failed => Some(event(id, version, &v1::PaymentFailed { payment: message })),
        PaymentState::Voided => Some(event(id, version, &v1::PaymentVoided { payment: message })),
        _ => None,
    }
}

/// What to publish when an operation had an effect. `late`: its caller was not told by the call itself.
pub fn operation_event(
    after: &Payment,
    operation: &Operation,
    effect: Effect,
    late: bool,
) -> Option<NewEvent> {
    let message = Some(payment(after));
    let (id, version) = (after.id, after.version);
    match (operation.kind, effect) {
        (OperationKind::Capture, Effect::Moved) if late => Some(event(
            id,
            version,
            &v1::PaymentCaptured { payment: message, capture: Some(capture(operation)) },
        )),
        (OperationKind::Capture, Effect::Released) if late => Some(event(
            id,
            version,
            &v1::PaymentCaptureFailed { payment: message, capture: Some(capture(operation)) },
        )),
        (OperationKind::Void, Effect::Moved) if after.state == PaymentState::Voided => {
            Some(event(id, version, &v1::PaymentVoided { payment: message }))
        }
        (OperationKind::Refund, Effect::Moved) => Some(event(
            id,
            version,
            &v1::PaymentRefunded { payment: message, refund: Some(refund(operation)) },
        )),
        (OperationKind::Refund, Effect::Released | Effect::Reversed) => Some(event(
            id,
            version,
            &v1::PaymentRefundFailed { payment: message, refund: Some(refund(operation)) },
        )),
        (_, _) => None,
    }
}

/// The limit of a list for the audit: 1 to 1000; 0 means 1000.
///
/// # Errors
/// `INVALID_LIMIT` at `/limit`.
pub fn audit_limit(limit: i32) -> kernel::Result<u32> {
    match u32::try_from(limit) {
        Ok(0) => Ok(1000),
        Ok(limit) if limit <= 1000 => Ok(limit),
        _ => Err(Error::field("/limit", "INVALID_LIMIT", "must be between 1 and 1000")),
    }
}

/// The position after which a list goes on; empty for its beginning.
///
/// # Errors
/// `INVALID_CURSOR` at `/cursor` for a cursor of another list.
pub fn open_cursor(ctx: &chassis::Context, query: &str, cursor: &str) -> kernel::Result<String> {
    let bad = |_| Error::field("/cursor", "INVALID_CURSOR", "is not a cursor of this list");
    if cursor.len() > CURSOR_BYTES_MAX {
        return Err(bad(()));
    }
    Ok(ctx.cursors().open(query, cursor).map_err(|_| bad(()))?.unwrap_or_default())
}

/// Longest cursor, in bytes.
const CURSOR_BYTES_MAX: usize = 1024;

/// Checks the name of a request whose repetition is safe by other means.
///
/// # Errors
/// `INVALID_REQUEST_ID` at `/request_id` unless it has 1 to 128 visible ASCII characters.
pub fn check_request_id(request_id: &str) -> kernel::Result<()> {
    if (1..=128).contains(&request_id.len()) && request_id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(Error::field("/request_id", "INVALID_REQUEST_ID", "must have 1 to 128 visible ASCII characters"))
}
