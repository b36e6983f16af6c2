//! Finding what was begun and not settled: after a crash, a lost answer, a lost webhook.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Result, Timestamp};

use crate::domain::{Attempt, AttemptState, Operation, OperationState};
use crate::in_flight::InFlight;
use crate::steps::{GUARD, Origin, Steps, WAITING_EVERY, backoff};

/// The most attempts, and the most operations, that one pass looks at.
const PASS_MAX: u32 = 100;

/// Looks at what is due.
pub struct Sweep {
    steps: Arc<Steps>,
    /// On the monotonic clock.
    started: Duration,
}

impl Sweep {
    /// A sweep of a process that started now.
    #[must_use]
    pub fn new(steps: Arc<Steps>) -> Self {
        let started = steps.ctx().clock().monotonic();
        Self { steps, started }
    }

    /// One pass. A failure is logged, and the rest goes on.
    pub async fn pass(&self) {
        let now = self.steps.ctx().now();
        if let Err(error) = self.attempts(now).await {
            tracing::warn!(error = ?error, "open authorizations could not be looked at");
        }
        if let Err(error) = self.operations(now).await {
            tracing::warn!(error = ?error, "open captures, voids and refunds could not be looked at");
        }
    }

    async fn attempts(&self, now: Timestamp) -> Result<()> {
        for attempt in self.steps.books().due_attempts(now, PASS_MAX).await? {
            if let Err(error) = self.attempt(&attempt, now).await {
                tracing::warn!(payment = %attempt.payment, attempt = attempt.number, error = ?error, "an authorization is still open");
            }
        }
        Ok(())
    }

    /// An attempt that nobody is known to have sent is first left to its order, which has the method and may go on with it.
    async fn attempt(&self, attempt: &Attempt, now: Timestamp) -> Result<()> {
        let fresh_start = self.steps.ctx().clock().monotonic().saturating_sub(self.started) < GUARD;
        if attempt.state == AttemptState::Authorizing && fresh_start {
            return Ok(());
        }
        let waits = attempt.state == AttemptState::ActionRequired;
        let pause = if waits { backoff(attempt.asked).max(WAITING_EVERY) } else { backoff(attempt.asked) };
        if self.steps.books().claim_attempt(attempt, now.plus(pause)).await?
            && let Ok(_working) = self.in_flight().enter(&attempt.key())
        {
            self.steps.settle_attempt(attempt.payment, attempt.number, None, Origin::nobody()).await?;
        }
        Ok(())
    }

    async fn operations(&self, now: Timestamp) -> Result<()> {
        for operation in self.steps.books().due_operations(now, PASS_MAX).await? {
            if let Err(error) = self.operation(&operation, now).await {
                tracing::warn!(operation = operation.id, error = ?error, "an operation is still open");
            }
        }
        Ok(())
    }

    async fn operation(&self, operation: &Operation, now: Timestamp) -> Result<()> {
        let waits = operation.state == OperationState::Pending;
        let pause =
            if waits { backoff(operation.asked).max(WAITING_EVERY) } else { backoff(operation.asked) };
        if self.steps.books().claim_operation(operation, now.plus(pause)).await?
            && let Ok(_working) = self.in_flight().enter(&operation.id)
        {
            self.steps.settle_operation(operation.payment, &operation.id, Origin::nobody()).await?;
        }
        Ok(())
    }

    fn in_flight(&self) -> &InFlight {
        self.steps.in_flight()
    }
}
