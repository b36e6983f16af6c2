//! Writing down how a step came out, whoever said it and however often: the answer, a question, a webhook.

use std::sync::Arc;

use kernel::{Error, PaymentId, Result, Timestamp};

use super::{RETRIES_MAX, Steps, WAITING_EVERY, backoff, contended};
use crate::domain::attempt::NEVER_RECEIVED;
use crate::domain::ledger::Entry;
use crate::domain::{
    Attempt, AttemptState, AuthorizationOutcome, Operation, OperationKind, OperationOutcome, OperationState,
    Payment,
};
use crate::store::{Change, is_stale};
use crate::wire;

/// Who asked for a step, and whether they still wait for its outcome.
#[derive(Clone)]
pub struct Origin(Option<Arc<dyn Fn() -> bool + Send + Sync>>);

impl Origin {
    /// Nobody waits: the sweeper.
    #[must_use]
    pub fn nobody() -> Self {
        Self(None)
    }

    /// A call; `waits` says whether it still does.
    #[must_use]
    pub fn call(waits: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(waits)))
    }
}

/// How an outcome was heard.
#[derive(Clone)]
pub enum Heard {
    /// As the answer to whoever asked for the step, if they still wait.
    Answer(Origin),
    /// Later, by asking; who waits for the event is told.
    Late,
    /// By a webhook: provider and event.
    Webhook {
        /// The provider.
        provider: &'static str,
        /// Its event.
        event: String,
    },
}

impl Heard {
    /// Whether who waits for the outcome has to be told by an event.
    fn is_late(&self) -> bool {
        match self {
            Self::Answer(Origin(Some(waits))) => !waits(),
            _ => true,
        }
    }

    fn note(&self, change: Change, now: Timestamp) -> Change {
        match self {
            Self::Webhook { provider, event } => change.webhook(provider, event, now),
            _ => change,
        }
    }
}

/// What came of writing an outcome down.
pub enum Written<T> {
    /// It changed something.
    Changed(T),
    /// It was known already, or is of no consequence; this is how things stand.
    Known(T),
}

impl<T> Written<T> {
    /// How things stand.
    pub fn into_inner(self) -> T {
        match self {
            Self::Changed(inner) | Self::Known(inner) => inner,
        }
    }
}

impl Steps {
    /// Writes down what the provider said about an attempt. `known`: how it stood when last read.
    ///
    /// # Errors
    /// When the store fails; `PAYMENT_NOT_FOUND` when there is no such attempt.
    pub async fn conclude_attempt(
        &self,
        known: (Payment, Attempt),
        outcome: &AuthorizationOutcome,
        heard: &Heard,
    ) -> Result<Written<(Payment, Attempt)>> {
        let (id, number) = (known.1.payment, known.1.number);
        let mut known = Some(known);
        for _ in 0..RETRIES_MAX {
            let (payment, attempt) = match known.take() {
                Some(known) => known,
                None => self.attempt_now(id, number).await?,
            };
            let now = self.now();
            if attempt.is_stray(outcome)
                && attempt.failure.as_ref().is_some_and(|failure| failure.code == NEVER_RECEIVED)
            {
                return self.give_up_stray(payment, attempt, outcome, heard).await;
            }
            let Some(after) = attempt.after(outcome, now) else {
                return Ok(Written::Known((payment, attempt)));
            };
            let changed = payment.after_attempt(&after);
            let event = if heard.is_late() && changed.state != payment.state {
                wire::attempt_event(&changed, &after)
            } else {
                None
            };
            let check_at = (after.state == AttemptState::ActionRequired).then(|| now.plus(WAITING_EVERY));
            let change = self
                .books
                .change()
                .payment(&payment, &changed)
                .attempt(&attempt, &after, check_at)
                .event(event);
            match self.books.write(heard.note(change, now)).await {
                Ok(()) => return Ok(Written::Changed((changed, after))),
                Err(error) if is_stale(&error) => {}
                Err(store::CommitError::Duplicate { .. }) => {
                    return Ok(Written::Known(self.attempt_now(id, number).await?));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(contended())
    }

    /// Writes down that a provider did not answer an attempt, and when to ask. Nothing when it is known meanwhile.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn attempt_unanswered(&self, known: (Payment, Attempt)) -> Result<(Payment, Attempt)> {
        let (id, number) = (known.1.payment, known.1.number);
        let decide = |payment: &Payment, attempt: &Attempt, now| {
            let open = attempt.state == AttemptState::Authorizing;
            open.then(|| {
                let after =
                    Attempt { state: AttemptState::Unknown, updated: now, asked: 0, ..attempt.clone() };
                let changed = payment.after_attempt(&after);
                let change =
                    self.books.change().payment(payment, &changed).attempt(attempt, &after, first_look(now));
                (change, (changed, after))
            })
        };
        self.unanswered(known, || self.attempt_now(id, number), decide).await
    }

    /// Writes what `decide` makes of a step that was not answered, on the rows as they were read; on newer ones, which `read`
    /// reads, when they changed meanwhile. Nothing when `decide` has nothing to write.
    async fn unanswered<T, F>(
        &self,
        known: (Payment, T),
        read: impl Fn() -> F,
        decide: impl Fn(&Payment, &T, Timestamp) -> Option<(Change, (Payment, T))>,
    ) -> Result<(Payment, T)>
    where
        F: Future<Output = Result<(Payment, T)>>,
    {
        let mut known = known;
        for _ in 0..RETRIES_MAX {
            let Some((change, after)) = decide(&known.0, &known.1, self.now()) else { return Ok(known) };
            match self.books.write(change).await {
                Ok(()) => return Ok(after),
                Err(error) if is_stale(&error) => known = read().await?,
                Err(error) => return Err(error.into()),
            }
        }
        Err(contended())
    }

    /// An attempt and its payment as they stand.
    ///
    /// # Errors
    /// When the store fails; `PAYMENT_NOT_FOUND` when there is no such attempt.
    pub async fn attempt_now(&self, id: PaymentId, number: u32) -> Result<(Payment, Attempt)> {
        let payment = self.books.payment(id).await?.ok_or_else(not_found)?;
        let attempt = self.books.attempt(id, number).await?.ok_or_else(not_found)?;
        Ok((payment, attempt))
    }

    /// The provider holds money for an attempt that it had said never to have received: a void is written down, which the
    /// sweeper sends.
    async fn give_up_stray(
        &self,
        payment: Payment,
        attempt: Attempt,
        outcome: &AuthorizationOutcome,
        heard: &Heard,
    ) -> Result<Written<(Payment, Attempt)>> {
        let now = self.now();
        let changed = Payment { version: payment.version + 1, updated: now, ..payment.clone() };
        let kept = Attempt { reference: outcome.reference().to_owned(), updated: now, ..attempt.clone() };
        let void = Operation {
            id: super::operate::operation_id(
                OperationKind::Void,
                payment.id,
                &format!("stray:{}", attempt.number),
            ),
            payment: payment.id,
            attempt: attempt.number,
            kind: OperationKind::Void,
            amount: attempt.amount,
            state: OperationState::Sending,
            provider: attempt.provider.clone(),
            target: outcome.reference().to_owned(),
            reference: String::new(),
            failure: None,
            reason: crate::audit::STRAY_REASON.to_owned(),
            asked: 0,
            created: now,
            updated: now,
        };
        tracing::warn!(payment = %payment.id, attempt = attempt.number, "an authorization turned up that was given up; it is voided");
        let change = self
            .books
            .change()
            .payment(&payment, &changed)
            .attempt(&attempt, &kept, None)
            .new_operation(&void, Some(now));
        match self.books.write(heard.note(change, now)).await {
            Ok(()) => Ok(Written::Changed((changed, kept))),
            Err(store::CommitError::Duplicate { .. }) => Ok(Written::Known((payment, attempt))),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes down what the provider said about an operation.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn conclude_operation(
        &self,
        known: (Payment, Operation),
        outcome: &OperationOutcome,
        heard: &Heard,
    ) -> Result<Written<(Payment, Operation)>> {
        let (payment, id) = (known.0.id, known.1.id.clone());
        let mut known = Some(known);
        for _ in 0..RETRIES_MAX {
            let (payment, operation) = match known.take() {
                Some(known) => known,
                None => self.operation_now(payment, &id).await?,
            };
            let now = self.now();
            let Some((after, effect)) = operation.after(outcome, now) else {
                return Ok(Written::Known((payment, operation)));
            };
            let voids = match operation.kind {
                OperationKind::Void => {
                    Some(self.books.attempt(payment.id, operation.attempt).await?.ok_or_else(not_found)?)
                }
                OperationKind::Capture | OperationKind::Refund => None,
            };
            let attempt_state = voids.as_ref().map_or(AttemptState::Authorized, |attempt| attempt.state);
            let changed = payment.after_operation(&after, effect, attempt_state);
            let check_at = (after.state == OperationState::Pending).then(|| now.plus(WAITING_EVERY));
            let mut change =
                self.books.change().payment(&payment, &changed).operation(&operation, &after, check_at);
            if let (Some(attempt), OperationState::Succeeded) = (voids, after.state) {
                let state = if attempt.state == AttemptState::Failed {
                    AttemptState::Failed
                } else {
                    AttemptState::Voided
                };
                let voided = Attempt { state, challenge: None, updated: now, ..attempt.clone() };
                change = change.attempt(&attempt, &voided, None);
            }
            if let Some(entry) = Entry::of(&after, effect, payment.order) {
                change = change.entry(&entry);
            }
            let event = wire::operation_event(&changed, &after, effect, heard.is_late());
            match self.books.write(heard.note(change.event(event), now)).await {
                Ok(()) => return Ok(Written::Changed((changed, after))),
                Err(error) if is_stale(&error) => {}
                Err(store::CommitError::Duplicate { .. }) => {
                    return Ok(Written::Known(self.operation_now(payment.id, &id).await?));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(contended())
    }

    /// Writes down that a provider did not answer an operation, and when to ask. Nothing when it is known meanwhile.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn operation_unanswered(
        &self,
        known: (Payment, Operation),
    ) -> Result<(Payment, Operation)> {
        self.operation_moved(known, (OperationState::Sending, OperationState::Unknown), first_look).await
    }

    /// Writes down that an operation never reached its provider, and is sent now. Nothing when it is known meanwhile.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn operation_unsent(&self, known: (Payment, Operation)) -> Result<(Payment, Operation)> {
        let guard = |_| Some(self.guard_until());
        self.operation_moved(known, (OperationState::Unknown, OperationState::Sending), guard).await
    }

    async fn operation_moved(
        &self,
        known: (Payment, Operation),
        (from, to): (OperationState, OperationState),
        check_at: impl Fn(Timestamp) -> Option<Timestamp>,
    ) -> Result<(Payment, Operation)> {
        let (payment, id) = (known.0.id, known.1.id.clone());
        let decide = |payment: &Payment, operation: &Operation, now| {
            (operation.state == from).then(|| {
                let after = Operation { state: to, updated: now, asked: 0, ..operation.clone() };
                let changed = Payment { version: payment.version + 1, updated: now, ..payment.clone() };
                let change = self.books.change().payment(payment, &changed).operation(
                    operation,
                    &after,
                    check_at(now),
                );
                (change, (changed, after))
            })
        };
        self.unanswered(known, || self.operation_now(payment, &id), decide).await
    }

    /// An operation and its payment as they stand.
    ///
    /// # Errors
    /// When the store fails; `PAYMENT_NOT_FOUND` when there is none.
    pub async fn operation_now(&self, payment: PaymentId, id: &str) -> Result<(Payment, Operation)> {
        let payment = self.books.payment(payment).await?.ok_or_else(not_found)?;
        let operation = self.books.operation(id).await?.ok_or_else(not_found)?;
        Ok((payment, operation))
    }
}

/// When to ask about a step that was not answered just now.
fn first_look(now: Timestamp) -> Option<Timestamp> {
    Some(now.plus(backoff(0)))
}

/// No such payment, or not for this caller.
pub fn not_found() -> Error {
    Error::not_found("PAYMENT_NOT_FOUND", "there is no such payment")
}
