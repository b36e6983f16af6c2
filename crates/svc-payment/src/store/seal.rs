//! What the seals of rows are made of. A seal covers every column but those that the sweeper claims its questions with.

use chassis::RecordKey;
use kernel::{PaymentId, Timestamp};

use crate::domain::{Attempt, Failure, Operation, Payment};

use super::Link;

/// Seals rows.
#[derive(Clone)]
pub struct Seals(RecordKey);

fn failure(failure: Option<&Failure>) -> (&str, &str) {
    failure.map_or(("", ""), |failure| (&failure.code, &failure.message))
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
        self.0
            .record("payment")
            .text(&payment.id.to_string())
            .text(&payment.order.to_string())
            .int(payment.tender.into())
            .text(&payment.owner)
            .text(payment.state.as_str())
            .text(payment.amount.currency.code())
            .int(payment.amount.minor)
            .int(payment.authorized)
            .int(payment.capture_claimed)
            .int(payment.captured)
            .int(payment.refund_claimed)
            .int(payment.refunded)
            .int(payment.attempt.into())
            .int(payment.operations.into())
            .text(&payment.provider)
            .int(payment.version)
            .int(payment.created.micros())
            .int(payment.updated.micros())
            .seal()
            .to_vec()
    }

    /// The seal of an attempt.
    #[must_use]
    pub fn attempt(&self, attempt: &Attempt) -> Vec<u8> {
        let (url, token) =
            attempt.challenge.as_ref().map_or(("", ""), |challenge| (&challenge.url, &challenge.token));
        let (code, message) = failure(attempt.failure.as_ref());
        self.0
            .record("attempt")
            .text(&attempt.payment.to_string())
            .int(attempt.number.into())
            .text(attempt.state.as_str())
            .text(attempt.amount.currency.code())
            .int(attempt.amount.minor)
            .text(&attempt.provider)
            .text(&attempt.reference)
            // A challenge without a token is none, whatever its address.
            .text(if token.is_empty() { "" } else { url })
            .text(token)
            .text(code)
            .text(if code.is_empty() { "" } else { message })
            .int(attempt.created.micros())
            .int(attempt.updated.micros())
            .seal()
            .to_vec()
    }

    /// The seal of a capture, a void or a refund.
    #[must_use]
    pub fn operation(&self, operation: &Operation) -> Vec<u8> {
        let (code, message) = failure(operation.failure.as_ref());
        self.0
            .record("operation")
            .text(&operation.id)
            .text(&operation.payment.to_string())
            .int(operation.attempt.into())
            .text(operation.kind.as_str())
            .text(operation.amount.currency.code())
            .int(operation.amount.minor)
            .text(operation.state.as_str())
            .text(&operation.provider)
            .text(&operation.target)
            .text(&operation.reference)
            .text(code)
            .text(if code.is_empty() { "" } else { message })
            .text(&operation.reason)
            .int(operation.created.micros())
            .int(operation.updated.micros())
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
        let record = self.0.record("ledger link").bytes(previous).int(link.position).text(&link.entry);
        record.bytes(&link.previous).bytes(&link.hash).int(sealed.micros()).seal().to_vec()
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

/// The payment of an attempt, for messages.
#[must_use]
pub fn attempt_name(payment: PaymentId, number: u32) -> String {
    format!("attempt {number} of {payment}")
}
