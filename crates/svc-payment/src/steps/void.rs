//! Giving an authorization up.

use std::sync::Arc;

use kernel::Result;
use store::{CommitError, RequestKey};

use super::operate::{new_operation, operation_id};
use super::{RETRIES_MAX, Steps, contended};
use crate::domain::payment::{Begin, payment_id};
use crate::domain::{Failure, Operation, OperationKind, OperationState, Payment, PaymentState};
use crate::store::is_stale;

/// Asks to give an authorization up.
pub struct AskVoid {
    /// Of which order and tender; owner and amount are for the mark that is left when there is no payment yet.
    pub begin: Begin,
}

/// How it stands.
pub struct Voided {
    /// The payment.
    pub payment: Payment,
    /// Whether it is done.
    pub state: OperationState,
    /// Why the provider refused.
    pub failure: Option<Failure>,
    /// The request had been made before.
    pub replayed: bool,
}

impl Voided {
    fn so_far(payment: Payment, state: OperationState, replayed: bool) -> Self {
        Self { payment, state, failure: None, replayed }
    }

    fn by(payment: Payment, void: Operation, replayed: bool) -> Self {
        Self { payment, state: void.state, failure: void.failure, replayed }
    }
}

impl Steps {
    /// Gives an authorization up, whatever became of it so far; or leaves a mark that none may be made.
    ///
    /// # Errors
    /// `PAYMENT_STATE` when something is captured or on its way to be, `PAYMENT_EXISTS`, `IDEMPOTENCY_KEY_REUSED`; when the
    /// store fails.
    pub async fn void(self: &Arc<Self>, ask: AskVoid, key: RequestKey) -> Result<Voided> {
        let id = payment_id(ask.begin.order, ask.begin.tender);
        let replayed = self.books.remembered(&key).await?;
        for _ in 0..RETRIES_MAX {
            let found = self.books.payment(id).await?;
            let change = match &found {
                None => self.books.change().new_payment(&Payment::voided_before_it_began(ask.begin.clone())),
                Some(payment) => {
                    payment.same(ask.begin.order, &ask.begin.owner, ask.begin.amount)?;
                    match payment.state {
                        PaymentState::Voided => {
                            return Ok(Voided::so_far(payment.clone(), OperationState::Succeeded, replayed));
                        }
                        PaymentState::Voiding => return self.resume_void(payment.clone(), replayed).await,
                        PaymentState::Authorizing | PaymentState::Unknown => {
                            let (now, _) = self.learn(payment.clone()).await?;
                            if matches!(now.state, PaymentState::Authorizing | PaymentState::Unknown) {
                                return Ok(Voided::so_far(now, OperationState::Unknown, replayed));
                            }
                            continue;
                        }
                        PaymentState::Failed => {
                            self.books.change().payment(payment, &payment.close(self.now())?)
                        }
                        _ => return self.void_authorization(payment.clone(), key, replayed).await,
                    }
                }
            };
            let change = if replayed { change } else { change.remember(key.clone(), id.to_string()) };
            match self.books.write(change).await {
                Ok(()) | Err(CommitError::Duplicate { .. } | CommitError::Replayed(_)) => {}
                Err(error) if is_stale(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(contended())
    }

    /// Asks the provider what became of the latest attempt.
    async fn learn(self: &Arc<Self>, payment: Payment) -> Result<(Payment, crate::domain::Attempt)> {
        let (payment, attempt) = self.attempt_now(payment.id, payment.attempt).await?;
        self.resume_attempt(payment, attempt, None).await
    }

    async fn void_authorization(
        self: &Arc<Self>,
        payment: Payment,
        key: RequestKey,
        replayed: bool,
    ) -> Result<Voided> {
        let after = payment.claim_void(self.now())?;
        let id = operation_id(OperationKind::Void, payment.id, &format!("{}:{}", payment.operations, key.id));
        let void = new_operation(id.clone(), OperationKind::Void, &after, after.amount);
        let change =
            self.books.change().payment(&payment, &after).new_operation(&void, Some(self.guard_until()));
        let change = if replayed { change } else { change.remember(key, id) };
        match self.books.write(change).await {
            Ok(()) => {
                let (payment, void) = self.work_on_operation(after, void, true).await?;
                Ok(Voided::by(payment, void, replayed))
            }
            Err(CommitError::KeyReused) => Err(CommitError::KeyReused.into()),
            Err(CommitError::Failed(error)) => Err(error),
            // Somebody else was faster: the caller sees how it stands, and repeats the call.
            Err(_) => {
                let now = self.books.payment(payment.id).await?.ok_or_else(super::conclude::not_found)?;
                match now.state {
                    PaymentState::Voided => Ok(Voided::so_far(now, OperationState::Succeeded, replayed)),
                    PaymentState::Voiding => self.resume_void(now, replayed).await,
                    _ => Err(contended()),
                }
            }
        }
    }

    async fn resume_void(self: &Arc<Self>, payment: Payment, replayed: bool) -> Result<Voided> {
        let Some(void) = self.books.latest_void(&payment).await? else { return Err(contended()) };
        let (payment, void) = self.resume_operation(payment, void).await?;
        Ok(Voided::by(payment, void, replayed))
    }
}
