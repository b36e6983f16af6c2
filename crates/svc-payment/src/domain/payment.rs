//! A payment: one tender of one order, from the first attempt to the last refund.

use kernel::{Error, Money, OrderId, PaymentId, Result, Timestamp};

use super::operation::Effect;
use super::{
    ATTEMPTS_MAX, Attempt, AttemptState, Challenge, Failure, OPERATIONS_MAX, Operation, OperationKind, words,
};

words! {
    /// Where a payment stands.
    PaymentState {
        /// The provider is being asked to authorize.
        Authorizing = "authorizing",
        /// The provider did not answer.
        Unknown = "unknown",
        /// The payer must pass a challenge.
        ActionRequired = "action_required",
        /// The amount is reserved; nothing is captured.
        Authorized = "authorized",
        /// Something is captured.
        Captured = "captured",
        /// The last attempt came to nothing; another may follow.
        Failed = "failed",
        /// The authorization is being given up.
        Voiding = "voiding",
        /// Given up. Terminal.
        Voided = "voided",
    }
}

/// A payment. Amounts are in minor units of `amount`'s currency, and always
/// `refunded ≤ refund_claimed ≤ captured ≤ capture_claimed ≤ authorized ≤ amount`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Derived from the order and the tender: see [`payment_id`].
    pub id: PaymentId,
    /// Its order.
    pub order: OrderId,
    /// Which of the order's tenders, from 0.
    pub tender: u32,
    /// Who owns the order.
    pub owner: String,
    /// Where it stands.
    pub state: PaymentState,
    /// What is to be paid.
    pub amount: Money,
    /// What the provider has reserved.
    pub authorized: i64,
    /// What is captured, or on its way to be.
    pub capture_claimed: i64,
    /// What is captured.
    pub captured: i64,
    /// What is refunded, or on its way to be.
    pub refund_claimed: i64,
    /// What is refunded.
    pub refunded: i64,
    /// The latest attempt, from 1; 0 when it was voided before any.
    pub attempt: u32,
    /// Captures, voids and refunds so far, whatever became of them.
    pub operations: u32,
    /// The provider.
    pub provider: String,
    /// What the payer has to pass, of the latest attempt.
    pub challenge: Option<Challenge>,
    /// Why the latest attempt failed.
    pub failure: Option<Failure>,
    /// The provider's name of the latest attempt's authorization; empty until it answered.
    pub reference: String,
    /// Rises with every change, from 1.
    pub version: i64,
    /// When it was begun.
    pub created: Timestamp,
    /// When it changed last.
    pub updated: Timestamp,
}

/// The id of the payment of an order's tender: the order's bits, with the tender added. So whoever knows the order knows
/// its payments, and rows lie in the order of their orders.
#[must_use]
pub fn payment_id(order: OrderId, tender: u32) -> PaymentId {
    PaymentId::from_bits(order.bits().wrapping_add(u128::from(tender)))
}

/// What a payment begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begin {
    /// The order.
    pub order: OrderId,
    /// Which of its tenders.
    pub tender: u32,
    /// Who owns the order.
    pub owner: String,
    /// What is to be paid; positive.
    pub amount: Money,
    /// The provider.
    pub provider: String,
    /// Now.
    pub now: Timestamp,
}

impl Payment {
    fn new(begin: Begin, state: PaymentState, attempt: u32) -> Self {
        Self {
            id: payment_id(begin.order, begin.tender),
            order: begin.order,
            tender: begin.tender,
            owner: begin.owner,
            state,
            amount: begin.amount,
            authorized: 0,
            capture_claimed: 0,
            captured: 0,
            refund_claimed: 0,
            refunded: 0,
            attempt,
            operations: 0,
            provider: begin.provider,
            challenge: None,
            failure: None,
            reference: String::new(),
            version: 1,
            created: begin.now,
            updated: begin.now,
        }
    }

    /// A payment with its first attempt.
    #[must_use]
    pub fn begin(begin: Begin) -> (Self, Attempt) {
        let payment = Self::new(begin, PaymentState::Authorizing, 1);
        let attempt = payment.new_attempt(payment.created);
        (payment, attempt)
    }

    /// The mark of a payment that was voided before it began: no attempt is ever made for it.
    #[must_use]
    pub fn voided_before_it_began(begin: Begin) -> Self {
        Self::new(begin, PaymentState::Voided, 0)
    }

    fn new_attempt(&self, now: Timestamp) -> Attempt {
        Attempt {
            payment: self.id,
            number: self.attempt,
            state: AttemptState::Authorizing,
            amount: self.amount,
            provider: self.provider.clone(),
            reference: String::new(),
            challenge: None,
            failure: None,
            asked: 0,
            created: now,
            updated: now,
        }
    }

    fn changed(&self, now: Timestamp) -> Self {
        Self { version: self.version + 1, updated: now, ..self.clone() }
    }

    /// Checks that a request is about this payment as it was begun.
    ///
    /// # Errors
    /// `PAYMENT_EXISTS` when the order, the owner or the amount is another.
    pub fn same(&self, order: OrderId, owner: &str, amount: Money) -> Result<()> {
        if self.order == order && self.owner == owner && self.amount == amount {
            return Ok(());
        }
        let told = "the order's tender was begun with another owner or amount";
        Err(Error::exists("PAYMENT_EXISTS", told).with("payment_id", self.id.to_string()))
    }

    /// The next attempt after one that failed.
    ///
    /// # Errors
    /// `TOO_MANY_ATTEMPTS`; `ATTEMPT_OUT_OF_ORDER` unless `number` follows the latest; `PAYMENT_STATE` unless that failed.
    pub fn attempt_again(&self, number: u32, now: Timestamp) -> Result<(Self, Attempt)> {
        if number > ATTEMPTS_MAX {
            return Err(Error::precondition("TOO_MANY_ATTEMPTS", "this payment was attempted too often"));
        }
        if number != self.attempt + 1 {
            let told = format!("the latest attempt is {}", self.attempt);
            return Err(Error::precondition("ATTEMPT_OUT_OF_ORDER", told));
        }
        if self.state != PaymentState::Failed {
            return Err(self.wrong_state("attempted again"));
        }
        let payment = Self {
            state: PaymentState::Authorizing,
            attempt: number,
            failure: None,
            challenge: None,
            reference: String::new(),
            ..self.changed(now)
        };
        let attempt = payment.new_attempt(now);
        Ok((payment, attempt))
    }

    /// The payment after its attempt changed; unchanged but for its version when the attempt is not the latest, or the
    /// payment is being given up.
    #[must_use]
    pub fn after_attempt(&self, attempt: &Attempt) -> Self {
        let mut after = self.changed(attempt.updated);
        if attempt.number != self.attempt
            || matches!(self.state, PaymentState::Voiding | PaymentState::Voided)
        {
            return after;
        }
        after.challenge.clone_from(&attempt.challenge);
        after.failure.clone_from(&attempt.failure);
        after.reference.clone_from(&attempt.reference);
        after.state = match attempt.state {
            AttemptState::Authorizing => PaymentState::Authorizing,
            AttemptState::Unknown => PaymentState::Unknown,
            AttemptState::ActionRequired => PaymentState::ActionRequired,
            AttemptState::Authorized => {
                after.authorized = self.amount.minor;
                PaymentState::Authorized
            }
            AttemptState::Failed => PaymentState::Failed,
            AttemptState::Voided => PaymentState::Voided,
        };
        after
    }

    /// Claims an amount for a capture: all that is left when `amount` is `None`.
    ///
    /// # Errors
    /// `PAYMENT_STATE`, `CURRENCY_MISMATCH`, `CAPTURE_EXCEEDS_AUTHORIZED` with what is left, `TOO_MANY_OPERATIONS`.
    pub fn claim_capture(&self, amount: Option<Money>, now: Timestamp) -> Result<(Self, Money)> {
        if !matches!(self.state, PaymentState::Authorized | PaymentState::Captured) {
            return Err(self.wrong_state("captured"));
        }
        let amount =
            self.claim(amount, self.authorized - self.capture_claimed, "CAPTURE_EXCEEDS_AUTHORIZED")?;
        let claimed = self.capture_claimed + amount.minor;
        Ok((Self { capture_claimed: claimed, operations: self.operations + 1, ..self.changed(now) }, amount))
    }

    /// Claims an amount for a refund: all that is left when `amount` is `None`.
    ///
    /// # Errors
    /// `PAYMENT_STATE`, `CURRENCY_MISMATCH`, `REFUND_EXCEEDS_CAPTURED` with what is left, `TOO_MANY_OPERATIONS`.
    pub fn claim_refund(&self, amount: Option<Money>, now: Timestamp) -> Result<(Self, Money)> {
        if self.state != PaymentState::Captured {
            return Err(self.wrong_state("refunded"));
        }
        let amount = self.claim(amount, self.captured - self.refund_claimed, "REFUND_EXCEEDS_CAPTURED")?;
        let claimed = self.refund_claimed + amount.minor;
        Ok((Self { refund_claimed: claimed, operations: self.operations + 1, ..self.changed(now) }, amount))
    }

    fn claim(&self, amount: Option<Money>, left: i64, reason: &'static str) -> Result<Money> {
        let amount = amount.unwrap_or(Money::new(left, self.amount.currency));
        if amount.currency != self.amount.currency {
            let told = format!("must be in {}", self.amount.currency);
            return Err(Error::field("/amount/currency_code", "CURRENCY_MISMATCH", told));
        }
        if amount.minor > left || amount.minor <= 0 {
            let left = Money::new(left, self.amount.currency);
            return Err(Error::precondition(reason, format!("at most {left} is left"))
                .with("left_minor_units", left.minor.to_string()));
        }
        self.one_more_operation()?;
        Ok(amount)
    }

    fn one_more_operation(&self) -> Result<()> {
        if self.operations >= OPERATIONS_MAX {
            return Err(Error::precondition(
                "TOO_MANY_OPERATIONS",
                "too much was done to this payment already",
            ));
        }
        Ok(())
    }

    /// Begins to give the authorization up.
    ///
    /// # Errors
    /// `PAYMENT_STATE` unless it is authorized or waits for its challenge, and nothing is captured or on its way to be.
    pub fn claim_void(&self, now: Timestamp) -> Result<Self> {
        let open = matches!(self.state, PaymentState::Authorized | PaymentState::ActionRequired);
        if !open || self.capture_claimed > 0 {
            return Err(self.wrong_state("voided"));
        }
        Ok(Self { state: PaymentState::Voiding, operations: self.operations + 1, ..self.changed(now) })
    }

    /// Ends a payment whose last attempt failed, so that no other follows.
    ///
    /// # Errors
    /// `PAYMENT_STATE` in any other state.
    pub fn close(&self, now: Timestamp) -> Result<Self> {
        if self.state != PaymentState::Failed {
            return Err(self.wrong_state("voided"));
        }
        Ok(Self { state: PaymentState::Voided, ..self.changed(now) })
    }

    /// The payment after an operation of it had an effect. `attempt` is where the latest attempt stands, for a void that
    /// was refused.
    #[must_use]
    pub fn after_operation(&self, operation: &Operation, effect: Effect, attempt: AttemptState) -> Self {
        let mut after = self.changed(operation.updated);
        let minor = operation.amount.minor;
        match (operation.kind, effect) {
            (OperationKind::Capture, Effect::Moved) => {
                after.captured += minor;
                after.state = PaymentState::Captured;
            }
            (OperationKind::Capture, Effect::Released) => after.capture_claimed -= minor,
            (OperationKind::Refund, Effect::Moved) => after.refunded += minor,
            (OperationKind::Refund, Effect::Released) => after.refund_claimed -= minor,
            (OperationKind::Refund, Effect::Reversed) => {
                after.refunded -= minor;
                after.refund_claimed -= minor;
            }
            (OperationKind::Void, Effect::Moved) if self.is_given_up_by(operation) => {
                after.state = PaymentState::Voided;
                after.authorized = 0;
                after.challenge = None;
            }
            (OperationKind::Void, Effect::Released) if self.is_given_up_by(operation) => {
                after.state = match attempt {
                    AttemptState::ActionRequired => PaymentState::ActionRequired,
                    _ => PaymentState::Authorized,
                };
            }
            (_, _) => {}
        }
        after
    }

    fn is_given_up_by(&self, operation: &Operation) -> bool {
        self.state == PaymentState::Voiding && self.attempt == operation.attempt
    }

    /// The error of doing something in the wrong state.
    #[must_use]
    pub fn wrong_state(&self, done: &str) -> Error {
        Error::precondition(
            "PAYMENT_STATE",
            format!("a payment that is {} cannot be {done}", self.state.as_str()),
        )
        .with("state", self.state.as_str())
        .with("payment_id", self.id.to_string())
    }
}

#[cfg(test)]
#[path = "payment_tests.rs"]
mod tests;
