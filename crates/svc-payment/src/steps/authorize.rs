//! Authorizing a tender.

use std::sync::Arc;

use kernel::{Error, Result};
use store::{CommitError, RequestKey};

use super::conclude::{Heard, Origin, not_found};
use super::{RETRIES_MAX, Steps, contended};
use crate::domain::payment::{Begin, payment_id};
use crate::domain::{
    Attempt, AttemptState, AuthorizationOutcome, Failure, Payment, PaymentMethod, PaymentState,
};
use crate::provider::{Authorize, NoAnswer};
use crate::store::is_stale;

/// Asks to authorize.
pub struct AskAuthorize {
    /// What for.
    pub begin: Begin,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// The payer's method.
    pub method: PaymentMethod,
}

/// How it stands.
pub struct Authorized {
    /// The payment.
    pub payment: Payment,
    /// The attempt that was asked for; `None` when the payment was voided before it.
    pub attempt: Option<Attempt>,
    /// The request had been made before.
    pub replayed: bool,
}

impl Steps {
    /// Authorizes, or shows how it stands when that was asked for before.
    ///
    /// # Errors
    /// `PAYMENT_EXISTS`, `ATTEMPT_OUT_OF_ORDER`, `PAYMENT_STATE`, `TOO_MANY_ATTEMPTS`, `IDEMPOTENCY_KEY_REUSED`; when the
    /// store fails.
    pub async fn authorize(self: &Arc<Self>, ask: AskAuthorize, key: RequestKey) -> Result<Authorized> {
        if ask.attempt > 1 {
            return self.authorize_known(ask, key).await;
        }
        let (payment, attempt) = Payment::begin(ask.begin.clone());
        let change =
            self.books.change().new_payment(&payment).new_attempt(&attempt, Some(self.guard_until()));
        match self.books.write(change.remember(key.clone(), payment.id.to_string())).await {
            Ok(()) => {
                let (payment, attempt) =
                    self.work_on_attempt(payment, attempt, Some(ask.method), true).await?;
                Ok(Authorized { payment, attempt: Some(attempt), replayed: false })
            }
            Err(CommitError::Replayed(_) | CommitError::Duplicate { .. }) => {
                self.authorize_known(ask, key).await
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Authorizes a payment that is there already: its next attempt, or one that was begun before.
    async fn authorize_known(self: &Arc<Self>, ask: AskAuthorize, key: RequestKey) -> Result<Authorized> {
        let id = payment_id(ask.begin.order, ask.begin.tender);
        self.books.remembered(&key).await?;
        for _ in 0..RETRIES_MAX {
            let Some(payment) = self.books.payment(id).await? else {
                return Err(Error::precondition("ATTEMPT_OUT_OF_ORDER", "the first attempt is 1"));
            };
            payment.same(ask.begin.order, &ask.begin.owner, ask.begin.amount)?;
            let given_up = matches!(payment.state, PaymentState::Voided | PaymentState::Voiding);
            if ask.attempt > payment.attempt && given_up {
                return Ok(Authorized { payment, attempt: None, replayed: true });
            }
            if ask.attempt <= payment.attempt {
                let attempt = self.books.attempt(id, ask.attempt).await?.ok_or_else(not_found)?;
                let (payment, attempt) = self.resume_attempt(payment, attempt, Some(ask.method)).await?;
                return Ok(Authorized { payment, attempt: Some(attempt), replayed: true });
            }
            let (after, attempt) = payment.attempt_again(ask.attempt, self.now())?;
            let change =
                self.books.change().payment(&payment, &after).new_attempt(&attempt, Some(self.guard_until()));
            match self.books.write(change.remember(key.clone(), payment.id.to_string())).await {
                Ok(()) => {
                    let (payment, attempt) =
                        self.work_on_attempt(after, attempt, Some(ask.method), true).await?;
                    return Ok(Authorized { payment, attempt: Some(attempt), replayed: false });
                }
                Err(CommitError::Replayed(_) | CommitError::Duplicate { .. }) => {}
                Err(error) if is_stale(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(contended())
    }

    /// Goes on with an attempt that was begun before; shows it when it has ended or waits for its payer.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn resume_attempt(
        self: &Arc<Self>,
        payment: Payment,
        attempt: Attempt,
        method: Option<PaymentMethod>,
    ) -> Result<(Payment, Attempt)> {
        match attempt.state {
            AttemptState::Authorizing | AttemptState::Unknown => {
                self.work_on_attempt(payment, attempt, method, false).await
            }
            _ => Ok((payment, attempt)),
        }
    }

    /// Works on an attempt, unless this process does already: then waits for that. `first`: nobody can have sent it.
    async fn work_on_attempt(
        self: &Arc<Self>,
        payment: Payment,
        attempt: Attempt,
        method: Option<PaymentMethod>,
        first: bool,
    ) -> Result<(Payment, Attempt)> {
        let working = match self.in_flight.enter(&attempt.key()) {
            Ok(working) => working,
            Err(waiting) => {
                waiting.done().await;
                return self.attempt_now(payment.id, attempt.number).await;
            }
        };
        let steps = Arc::clone(self);
        self.run(working, move |origin| async move {
            if first {
                let method = method.ok_or_else(|| Error::internal("a first attempt has a method"))?;
                return steps.send_attempt(payment, attempt, method, origin).await;
            }
            steps.settle_attempt(payment.id, attempt.number, method, origin).await
        })
        .await
    }

    /// Asks the provider what became of an attempt. When it never received it: sends it, if it was never sent and the
    /// method is at hand; else it has failed, as soon as it can no longer be on its way.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn settle_attempt(
        self: &Arc<Self>,
        payment: kernel::PaymentId,
        number: u32,
        method: Option<PaymentMethod>,
        origin: Origin,
    ) -> Result<(Payment, Attempt)> {
        let (payment, attempt) = self.attempt_now(payment, number).await?;
        if !attempt.state.is_open() {
            return Ok((payment, attempt));
        }
        let provider = self.provider_of(&attempt.provider)?;
        let found = self.within(provider.find_authorization(&attempt.key())).await;
        match (found, method) {
            (Ok(Some(outcome)), _) => {
                // What a call finds by asking is its answer all the same, if the call before it was not answered either.
                let heard = if attempt.state == AttemptState::Authorizing {
                    Heard::Answer(origin)
                } else {
                    Heard::Late
                };
                Ok(self.conclude_attempt((payment, attempt), &outcome, &heard).await?.into_inner())
            }
            (Ok(None), Some(method)) if attempt.state == AttemptState::Authorizing => {
                self.send_attempt(payment, attempt, method, origin).await
            }
            (Ok(None), _)
                if attempt.state == AttemptState::Authorizing || self.is_settled(attempt.updated) =>
            {
                let outcome = AuthorizationOutcome::Declined {
                    reference: String::new(),
                    failure: Failure::never_received(),
                };
                Ok(self.conclude_attempt((payment, attempt), &outcome, &Heard::Late).await?.into_inner())
            }
            (Ok(None), _) => Ok((payment, attempt)),
            (Err(no_answer), _) => {
                self.log_no_answer("authorization", &attempt.key(), &no_answer);
                Ok((payment, attempt))
            }
        }
    }

    async fn send_attempt(
        self: &Arc<Self>,
        payment: Payment,
        attempt: Attempt,
        method: PaymentMethod,
        origin: Origin,
    ) -> Result<(Payment, Attempt)> {
        self.fault_point("payment.authorize.before_call")?;
        let provider = self.provider_of(&attempt.provider)?;
        let authorize = Authorize { key: attempt.key(), payment: payment.id, amount: attempt.amount, method };
        let answer = self.within(provider.authorize(authorize)).await;
        self.fault_point("payment.authorize.after_call")?;
        match answer {
            Ok(outcome) => Ok(self
                .conclude_attempt((payment, attempt), &outcome, &Heard::Answer(origin))
                .await?
                .into_inner()),
            Err(no_answer) => {
                self.log_no_answer("authorization", &attempt.key(), &no_answer);
                self.attempt_unanswered((payment, attempt)).await
            }
        }
    }

    pub(super) fn log_no_answer(&self, what: &str, key: &str, no_answer: &NoAnswer) {
        tracing::warn!(
            key,
            seen = no_answer.seen,
            "the provider did not answer about an {what}; it will be asked"
        );
    }

    pub(super) fn provider_of(&self, name: &str) -> Result<&Arc<dyn crate::provider::Provider>> {
        self.providers
            .get(name)
            .ok_or_else(|| Error::internal(format!("there is no payment provider {name:?}")))
    }
}
