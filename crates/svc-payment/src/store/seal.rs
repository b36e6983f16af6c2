//! What the seals of rows are made of. A seal covers every column but those that the sweeper claims its questions with.

use chassis::RecordKey;
use kernel::{PaymentId, Timestamp};

use crate::domain::{Attempt, Challenge, Failure, Operation, Payment};

use super::Link;

/// Seals rows.
#[derive(Clone)]
pub struct Seals(RecordKey);

fn reason(failure: Option<&Failure>) -> (&str, &str) {
    failure.map_or(("", ""), |Failure { code, message }| (code, message))
}

impl Seals {
    /// Seals under a key.
    #[must_use]
    pub const fn new(key: RecordKey) -> Self {
        Self(key)
    }

    /// The seal of a payment. What its latest attempt says is sealed there.
    #[must_use]
    pub fn payment(&self, payment: &Payment) -> Vec<u8> {
        // Every field is named, so that a new one is sealed, or left out on purpose.
        let Payment {
            id,
            order,
            tender,
            owner,
            state,
            amount,
            authorized,
            capture_claimed,
            captured,
            refund_claimed,
            refunded,
            attempt,
            operations,
            provider,
            challenge: _,
            failure: _,
            reference: _,
            version,
            created,
            updated,
        } = payment;
        self.0
            .record("payment")
            .text(&id.to_string())
            .text(&order.to_string())
            .int((*tender).into())
            .text(owner)
            .text(state.as_str())
            .text(amount.currency.code())
            .int(amount.minor)
            .int(*authorized)
            .int(*capture_claimed)
            .int(*captured)
            .int(*refund_claimed)
            .int(*refunded)
            .int((*attempt).into())
            .int((*operations).into())
            .text(provider)
            .int(*version)
            .int(created.micros())
            .int(updated.micros())
            .seal()
            .to_vec()
    }

    /// The seal of an attempt.
    #[must_use]
    pub fn attempt(&self, attempt: &Attempt) -> Vec<u8> {
        let Attempt {
            payment,
            number,
            state,
            amount,
            provider,
            reference,
            challenge,
            failure,
            asked: _,
            created,
            updated,
        } = attempt;
        let (url, token) = challenge.as_ref().map_or(("", ""), |Challenge { url, token }| (url, token));
        let (code, message) = reason(failure.as_ref());
        self.0
            .record("attempt")
            .text(&payment.to_string())
            .int((*number).into())
            .text(state.as_str())
            .text(amount.currency.code())
            .int(amount.minor)
            .text(provider)
            .text(reference)
            // Without a token there is no challenge, whatever its address.
            .text(if token.is_empty() { "" } else { url })
            .text(token)
            .text(code)
            .text(if code.is_empty() { "" } else { message })
            .int(created.micros())
            .int(updated.micros())
            .seal()
            .to_vec()
    }

    /// The seal of a capture, a void or a refund.
    #[must_use]
    pub fn operation(&self, operation: &Operation) -> Vec<u8> {
        let Operation {
            id,
            payment,
            attempt,
            kind,
            amount,
            state,
            provider,
            target,
            reference,
            failure,
            reason: why,
            asked: _,
            created,
            updated,
        } = operation;
        let (code, message) = reason(failure.as_ref());
        self.0
            .record("operation")
            .text(id)
            .text(&payment.to_string())
            .int((*attempt).into())
            .text(kind.as_str())
            .text(amount.currency.code())
            .int(amount.minor)
            .text(state.as_str())
            .text(provider)
            .text(target)
            .text(reference)
            .text(code)
            .text(if code.is_empty() { "" } else { message })
            .text(why)
            .int(created.micros())
            .int(updated.micros())
            .seal()
            .to_vec()
    }

    /// The seal of a provider's event that had an effect.
    #[must_use]
    pub fn webhook(&self, provider: &str, event_id: &str, received: Timestamp) -> Vec<u8> {
        let record = self.0.record("webhook event").text(provider).text(event_id);
        record.int(received.micros()).seal().to_vec()
    }

    /// The keyed hash of a link that follows the link with this keyed hash; none before the first.
    #[must_use]
    pub fn link(&self, previous: &[u8], link: &Link, sealed: Timestamp) -> Vec<u8> {
        let Link { position, entry, previous: plain, hash, keyed: _ } = link;
        let record = self.0.record("ledger link").bytes(previous).int(*position).text(entry);
        record.bytes(plain).bytes(hash).int(sealed.micros()).seal().to_vec()
    }
}

/// The seals that are stored with a payment and what belongs to it, in the order of its rows; empty where there is none.
#[derive(Clone, Debug, Default)]
pub struct StoredSeals {
    /// Of the payment.
    pub payment: Vec<u8>,
    /// Of its attempts.
    pub attempts: Vec<Vec<u8>>,
    /// Of its operations.
    pub operations: Vec<Vec<u8>>,
}

/// A row that no other row vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stray {
    /// Which row.
    pub row: String,
    /// What it lacks.
    pub lacks: &'static str,
}

/// Names an attempt in messages.
#[must_use]
pub fn attempt_name(payment: PaymentId, number: u32) -> String {
    format!("attempt {number} of {payment}")
}
