//! One attempt to authorize, and what a provider may answer to it.

use kernel::{Money, PaymentId, Timestamp};

use super::words;

words! {
    /// Where an attempt stands.
    AttemptState {
        /// Written down; the provider is being asked.
        Authorizing = "authorizing",
        /// The provider did not answer.
        Unknown = "unknown",
        /// The payer must pass a challenge.
        ActionRequired = "action_required",
        /// The provider reserved the amount.
        Authorized = "authorized",
        /// The provider declined, or never received the request.
        Failed = "failed",
        /// Given up.
        Voided = "voided",
    }
}

impl AttemptState {
    /// Whether the provider still has to say how it ends.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Authorizing | Self::Unknown | Self::ActionRequired)
    }
}

/// What the payer has to pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Where to send the payer's browser.
    pub url: String,
    /// Names it to the provider.
    pub token: String,
}

/// Why a provider said no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Stable code in snake_case, as Stripe has them.
    pub code: String,
    /// A sentence that may be shown to the payer.
    pub message: String,
}

impl Failure {
    /// A failure.
    #[must_use]
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }

    /// The request never reached the provider; it says so itself.
    #[must_use]
    pub fn never_received() -> Self {
        Self::new(NEVER_RECEIVED, "The payment provider could not be reached.")
    }
}

/// Code of a failure that the provider did not decide: it knows nothing of the request.
pub const NEVER_RECEIVED: &str = "provider_never_received";

/// What a provider says about an authorization, in an answer, to a question, or by webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorizationOutcome {
    /// The amount is reserved.
    Authorized {
        /// The provider's own name for it.
        reference: String,
    },
    /// The payer must pass a challenge.
    ActionRequired {
        /// The provider's own name for it.
        reference: String,
        /// What to pass.
        challenge: Challenge,
    },
    /// No.
    Declined {
        /// The provider's own name for it; empty when it has none.
        reference: String,
        /// Why.
        failure: Failure,
    },
    /// It was given up.
    Voided {
        /// The provider's own name for it.
        reference: String,
    },
}

impl AuthorizationOutcome {
    /// The provider's own name for the authorization; empty when it has none.
    #[must_use]
    pub fn reference(&self) -> &str {
        match self {
            Self::Authorized { reference }
            | Self::ActionRequired { reference, .. }
            | Self::Declined { reference, .. }
            | Self::Voided { reference } => reference,
        }
    }

    /// The state that it puts an open attempt in.
    #[must_use]
    pub const fn state(&self) -> AttemptState {
        match self {
            Self::Authorized { .. } => AttemptState::Authorized,
            Self::ActionRequired { .. } => AttemptState::ActionRequired,
            Self::Declined { .. } => AttemptState::Failed,
            Self::Voided { .. } => AttemptState::Voided,
        }
    }
}

/// One attempt to authorize; unique by payment and number, and so by order, tender and number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its payment.
    pub payment: PaymentId,
    /// 1, 2, 3, …
    pub number: u32,
    /// Where it stands.
    pub state: AttemptState,
    /// What is to be reserved.
    pub amount: Money,
    /// The provider.
    pub provider: String,
    /// The provider's own name for it; empty until it answered.
    pub reference: String,
    /// What the payer has to pass.
    pub challenge: Option<Challenge>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// How often the provider was asked about it.
    pub asked: u32,
    /// When it was written down.
    pub created: Timestamp,
    /// When it changed last.
    pub updated: Timestamp,
}

impl Attempt {
    /// The idempotency key for the provider: never random, so that whoever repeats the step sends the same.
    #[must_use]
    pub fn key(&self) -> String {
        provider_key(self.payment, self.number)
    }

    /// The attempt after what a provider said about it; `None` when that changes nothing. Ends are final, except that
    /// an attempt which the provider seemed never to have received may turn out to be authorized after all: it stays
    /// failed, and the caller of this has the authorization given up (see [`Attempt::is_stray`]).
    #[must_use]
    pub fn after(&self, outcome: &AuthorizationOutcome, now: Timestamp) -> Option<Self> {
        let (state, reference) = (outcome.state(), outcome.reference());
        if !self.state.is_open() || (state == self.state && reference == self.reference) {
            return None;
        }
        if state == AttemptState::ActionRequired && self.state == AttemptState::ActionRequired {
            return None;
        }
        let mut after =
            Self { state, updated: now, asked: 0, challenge: None, failure: None, ..self.clone() };
        if !reference.is_empty() {
            reference.clone_into(&mut after.reference);
        }
        match outcome {
            AuthorizationOutcome::ActionRequired { challenge, .. } => {
                after.challenge = Some(challenge.clone())
            }
            AuthorizationOutcome::Declined { failure, .. } => after.failure = Some(failure.clone()),
            AuthorizationOutcome::Authorized { .. } | AuthorizationOutcome::Voided { .. } => {}
        }
        Some(after)
    }

    /// Whether the provider holds money for an attempt that had ended here: it must be given up there too.
    #[must_use]
    pub fn is_stray(&self, outcome: &AuthorizationOutcome) -> bool {
        self.state == AttemptState::Failed
            && matches!(
                outcome,
                AuthorizationOutcome::Authorized { .. } | AuthorizationOutcome::ActionRequired { .. }
            )
    }
}

/// The idempotency key of an attempt: derived from the order and tender (which are in the payment's id) and its number.
#[must_use]
pub fn provider_key(payment: PaymentId, number: u32) -> String {
    format!("{payment}:{number}")
}

/// Reads [`provider_key`] back; `None` for any other text.
#[must_use]
pub fn read_provider_key(key: &str) -> Option<(PaymentId, u32)> {
    let (payment, number) = key.split_once(':')?;
    Some((PaymentId::parse(payment).ok()?, number.parse().ok()?))
}

#[cfg(test)]
pub(crate) mod tests {
    use kernel::Currency;
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn attempt(state: AttemptState) -> Attempt {
        Attempt {
            payment: PaymentId::from_bits(7),
            number: 1,
            state,
            amount: Money::new(1000, Currency::GBP),
            provider: "testpay".to_owned(),
            reference: String::new(),
            challenge: None,
            failure: None,
            asked: 0,
            created: Timestamp::from_secs(1),
            updated: Timestamp::from_secs(1),
        }
    }

    pub(crate) fn outcomes() -> impl Strategy<Value = AuthorizationOutcome> {
        let reference = || "tpa_1".to_owned();
        let challenge = Challenge { url: "https://bank.example".to_owned(), token: "t".to_owned() };
        prop_oneof![
            Just(AuthorizationOutcome::Authorized { reference: reference() }),
            Just(AuthorizationOutcome::ActionRequired { reference: reference(), challenge }),
            Just(AuthorizationOutcome::Declined {
                reference: reference(),
                failure: Failure::new("card_declined", "no")
            }),
            Just(AuthorizationOutcome::Voided { reference: reference() }),
        ]
    }

    #[test]
    fn a_key_reads_back() {
        let payment = PaymentId::from_bits(99);
        assert_eq!(read_provider_key(&provider_key(payment, 3)), Some((payment, 3)));
        assert_eq!(read_provider_key("pay_x:1"), None);
    }

    #[test]
    fn an_authorization_that_comes_after_the_failure_is_a_stray() {
        let failed = attempt(AttemptState::Failed);
        let outcome = AuthorizationOutcome::Authorized { reference: "tpa_1".to_owned() };
        assert_eq!(failed.after(&outcome, Timestamp::from_secs(2)), None);
        assert!(failed.is_stray(&outcome));
        assert!(!attempt(AttemptState::Authorized).is_stray(&outcome));
    }

    proptest! {
        #[test]
        fn the_first_end_is_final_in_any_order(told in prop::collection::vec(outcomes(), 1..12)) {
            let mut now = attempt(AttemptState::Authorizing);
            let mut end = None;
            for outcome in told {
                if let Some(after) = now.after(&outcome, Timestamp::from_secs(9)) {
                    prop_assert!(end.is_none(), "nothing changes after an end");
                    now = after;
                    if !now.state.is_open() {
                        end = Some(now.state);
                    }
                }
                prop_assert_eq!(now.after(&outcome, Timestamp::from_secs(10)), None, "told twice, counts once");
            }
            if let Some(end) = end {
                prop_assert_eq!(now.state, end);
            }
        }
    }
}
