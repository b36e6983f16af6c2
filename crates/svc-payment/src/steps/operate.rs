//! Capturing and refunding, and working on any operation.

use std::sync::Arc;

use kernel::{Error, Money, PaymentId, Result};
use sha2::{Digest, Sha256};
use store::{CommitError, RequestKey};

use super::conclude::{Heard, Origin, not_found};
use super::{RETRIES_MAX, Steps, contended};
use crate::domain::{Operation, OperationKind, OperationState, Payment};
use crate::provider::Operate;
use crate::store::is_stale;

/// Asks to capture or refund.
pub struct AskOperate {
    /// The payment.
    pub payment: PaymentId,
    /// Which of the two.
    pub kind: OperationKind,
    /// How much; all that is left when `None`.
    pub amount: Option<Money>,
    /// Why; may be empty.
    pub reason: String,
}

/// How it stands.
pub struct Operated {
    /// The payment.
    pub payment: Payment,
    /// The operation.
    pub operation: Operation,
    /// The request had been made before.
    pub replayed: bool,
}

/// The id of an operation, from its payment and the request's key: the payment's time, then a hash. Never random, so that
/// the same request is the same operation for ever, and whoever repeats it gives the provider the same key.
#[must_use]
pub fn operation_id(kind: OperationKind, payment: PaymentId, request: &str) -> String {
    let digest = Sha256::new()
        .chain_update(payment.to_string())
        .chain_update([0])
        .chain_update(kind.as_str())
        .chain_update([0])
        .chain_update(request)
        .finalize();
    let hash = digest.iter().take(10).fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte));
    let id = PaymentId::from_bits((payment.bits() >> 80 << 80) | hash).to_string();
    let tail = id.split_once('_').map_or("", |(_, tail)| tail);
    format!("{}_{tail}", kind.prefix())
}

impl Steps {
    /// Captures or refunds, or shows how it stands when that was asked for before.
    ///
    /// # Errors
    /// `PAYMENT_NOT_FOUND`, `PAYMENT_STATE`, the caps, `IDEMPOTENCY_KEY_REUSED`; when the store fails.
    pub async fn operate(self: &Arc<Self>, ask: AskOperate, key: RequestKey) -> Result<Operated> {
        let id = operation_id(ask.kind, ask.payment, &key.id);
        for _ in 0..RETRIES_MAX {
            let payment = self.books.payment(ask.payment).await?.ok_or_else(not_found)?;
            let now = self.now();
            let claimed = match ask.kind {
                OperationKind::Refund => payment.claim_refund(ask.amount, now),
                _ => payment.claim_capture(ask.amount, now),
            };
            let (after, amount) = match claimed {
                Ok(claimed) => claimed,
                Err(refused) => return self.operated_before(&ask, &id, &key, Some(refused)).await,
            };
            let operation = Operation {
                reason: ask.reason.clone(),
                ..new_operation(id.clone(), ask.kind, &after, amount)
            };
            let change = self
                .books
                .change()
                .payment(&payment, &after)
                .new_operation(&operation, Some(self.guard_until()));
            match self.books.write(change.remember(key.clone(), id.clone())).await {
                Ok(()) => {
                    let (payment, operation) = self.work_on_operation(after, operation, true).await?;
                    return Ok(Operated { payment, operation, replayed: false });
                }
                Err(CommitError::Replayed(_) | CommitError::Duplicate { .. }) => {
                    return self.operated_before(&ask, &id, &key, None).await;
                }
                Err(error) if is_stale(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(contended())
    }

    /// Shows an operation that was asked for before, and goes on with it; `refused`: what to say when it was not.
    async fn operated_before(
        self: &Arc<Self>,
        ask: &AskOperate,
        id: &str,
        key: &RequestKey,
        refused: Option<Error>,
    ) -> Result<Operated> {
        self.books.remembered(key).await?;
        let Some(operation) = self.books.operation(id).await? else {
            return Err(refused.unwrap_or_else(not_found));
        };
        if ask.amount.is_some_and(|amount| amount != operation.amount) {
            return Err(CommitError::KeyReused.into());
        }
        let payment = self.books.payment(operation.payment).await?.ok_or_else(not_found)?;
        let (payment, operation) = self.resume_operation(payment, operation).await?;
        Ok(Operated { payment, operation, replayed: true })
    }

    /// Goes on with an operation that was begun before; shows it when it has ended or the provider takes its time.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn resume_operation(
        self: &Arc<Self>,
        payment: Payment,
        operation: Operation,
    ) -> Result<(Payment, Operation)> {
        match operation.state {
            OperationState::Sending | OperationState::Unknown => {
                self.work_on_operation(payment, operation, false).await
            }
            _ => Ok((payment, operation)),
        }
    }

    /// Works on an operation, unless this process does already: then waits for that. `first`: nobody can have sent it.
    pub(super) async fn work_on_operation(
        self: &Arc<Self>,
        payment: Payment,
        operation: Operation,
        first: bool,
    ) -> Result<(Payment, Operation)> {
        let working = match self.in_flight.enter(&operation.id) {
            Ok(working) => working,
            Err(waiting) => {
                waiting.done().await;
                return self.operation_now(payment.id, &operation.id).await;
            }
        };
        let steps = Arc::clone(self);
        self.run(working, move |origin| async move {
            if first {
                return steps.send_operation(payment, operation, origin).await;
            }
            steps.settle_operation(payment.id, &operation.id, origin).await
        })
        .await
    }

    /// Asks the provider what became of an operation. When it never received it: sends it, as soon as what was sent before can
    /// no longer be on its way. Whoever asked for it wants it still, and nothing of it has happened.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn settle_operation(
        self: &Arc<Self>,
        payment: PaymentId,
        id: &str,
        origin: Origin,
    ) -> Result<(Payment, Operation)> {
        let (payment, operation) = self.operation_now(payment, id).await?;
        if !operation.state.is_open() {
            return Ok((payment, operation));
        }
        let provider = self.provider_of(&operation.provider)?;
        match self.within(provider.find_operation(&to_provider(&operation))).await {
            Ok(Some(outcome)) => {
                let heard = if operation.state == OperationState::Sending {
                    Heard::Answer(origin)
                } else {
                    Heard::Late
                };
                Ok(self.conclude_operation((payment, operation), &outcome, &heard).await?.into_inner())
            }
            Ok(None) if operation.state == OperationState::Sending => {
                self.send_operation(payment, operation, origin).await
            }
            Ok(None) if operation.state == OperationState::Unknown && self.is_settled(operation.updated) => {
                let (payment, operation) = self.operation_unsent((payment, operation)).await?;
                if operation.state != OperationState::Sending {
                    return Ok((payment, operation));
                }
                self.send_operation(payment, operation, origin).await
            }
            Ok(None) => Ok((payment, operation)),
            Err(no_answer) => {
                self.log_no_answer("operation", &operation.id, &no_answer);
                Ok((payment, operation))
            }
        }
    }

    async fn send_operation(
        self: &Arc<Self>,
        payment: Payment,
        operation: Operation,
        origin: Origin,
    ) -> Result<(Payment, Operation)> {
        let (before, after) = match operation.kind {
            OperationKind::Capture => ("payment.capture.before_call", "payment.capture.after_call"),
            OperationKind::Void => ("payment.void.before_call", "payment.void.after_call"),
            OperationKind::Refund => ("payment.refund.before_call", "payment.refund.after_call"),
        };
        self.fault_point(before)?;
        let provider = self.provider_of(&operation.provider)?;
        let answer = self.within(provider.operate(to_provider(&operation))).await;
        self.fault_point(after)?;
        match answer {
            Ok(outcome) => {
                let heard = Heard::Answer(origin);
                Ok(self.conclude_operation((payment, operation), &outcome, &heard).await?.into_inner())
            }
            Err(no_answer) => {
                self.log_no_answer("operation", &operation.id, &no_answer);
                self.operation_unanswered((payment, operation)).await
            }
        }
    }
}

/// An operation on a payment's latest authorization, about to be sent.
pub(super) fn new_operation(id: String, kind: OperationKind, payment: &Payment, amount: Money) -> Operation {
    Operation {
        id,
        payment: payment.id,
        attempt: payment.attempt,
        kind,
        amount,
        state: OperationState::Sending,
        provider: payment.provider.clone(),
        target: payment.reference.clone(),
        reference: String::new(),
        failure: None,
        reason: String::new(),
        asked: 0,
        created: payment.updated,
        updated: payment.updated,
    }
}

fn to_provider(operation: &Operation) -> Operate {
    Operate {
        kind: operation.kind,
        key: operation.id.clone(),
        payment: operation.payment,
        target: operation.target.clone(),
        amount: operation.amount,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_request_is_the_same_operation() {
        let payment = PaymentId::from_parts(kernel::Timestamp::from_secs(1_700_000_000), [3; 10]);
        let id = operation_id(OperationKind::Refund, payment, "k-1");
        assert_eq!(id, operation_id(OperationKind::Refund, payment, "k-1"));
        assert!(kernel::RefundId::parse(&id).is_ok(), "{id}");
        assert_ne!(id[4..], operation_id(OperationKind::Capture, payment, "k-1")[4..]);
        assert_ne!(id, operation_id(OperationKind::Refund, payment, "k-2"));
        assert_eq!(id[4..12], payment.to_string()[4..12], "rows lie by the time of their payment");
    }
}
