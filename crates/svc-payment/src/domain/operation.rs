//! Captures, voids and refunds: one row each, written down before the provider is called.

use kernel::{Money, PaymentId, Timestamp};

use super::{Failure, words};

words! {
    /// What an operation does.
    OperationKind {
        /// Takes reserved money.
        Capture = "capture",
        /// Gives up an authorization.
        Void = "void",
        /// Gives captured money back.
        Refund = "refund",
    }
}

words! {
    /// Where an operation stands.
    OperationState {
        /// Written down; the provider is being asked.
        Sending = "sending",
        /// The provider did not answer.
        Unknown = "unknown",
        /// The provider has it and takes its time.
        Pending = "pending",
        /// Done.
        Succeeded = "succeeded",
        /// Refused; nothing moved.
        Failed = "failed",
    }
}

impl OperationState {
    /// Whether the provider still has to say how it ends.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Sending | Self::Unknown | Self::Pending)
    }
}

impl OperationKind {
    /// Prefix of its ids.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Capture => "cap",
            Self::Void => "voi",
            Self::Refund => "ref",
        }
    }
}

/// What a provider says about an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationOutcome {
    /// Done.
    Succeeded {
        /// The provider's own name for it.
        reference: String,
    },
    /// It has it and takes its time; a webhook follows.
    Pending {
        /// The provider's own name for it.
        reference: String,
    },
    /// No.
    Failed {
        /// The provider's own name for it; empty when it has none.
        reference: String,
        /// Why.
        failure: Failure,
    },
}

/// One capture, void or refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// `cap_…`, `voi_…` or `ref_…`: derived from the payment and the request, and the provider's idempotency key.
    pub id: String,
    /// Its payment.
    pub payment: PaymentId,
    /// The attempt whose authorization it works on.
    pub attempt: u32,
    /// What it does.
    pub kind: OperationKind,
    /// How much; for a void what was authorized.
    pub amount: Money,
    /// Where it stands.
    pub state: OperationState,
    /// The provider.
    pub provider: String,
    /// The provider's name of the authorization that it works on.
    pub target: String,
    /// The provider's own name for it; empty until it answered.
    pub reference: String,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// Why it was asked for; may be empty.
    pub reason: String,
    /// How often the provider was asked about it.
    pub asked: u32,
    /// When it was written down.
    pub created: Timestamp,
    /// When it changed last.
    pub updated: Timestamp,
}

/// What an outcome does to the money of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing moved.
    None,
    /// The amount that was claimed has moved.
    Moved,
    /// The claim is given back; nothing moved.
    Released,
    /// What had moved came back.
    Reversed,
}

impl Operation {
    /// The operation after what a provider said about it, and what that does to the money; `None` when it changes
    /// nothing. Ends are final but for one: a refund that succeeded may still be failed by the payer's bank.
    #[must_use]
    pub fn after(&self, outcome: &OperationOutcome, now: Timestamp) -> Option<(Self, Effect)> {
        let (state, told) = match outcome {
            OperationOutcome::Succeeded { reference } => (OperationState::Succeeded, reference),
            OperationOutcome::Pending { reference } => (OperationState::Pending, reference),
            OperationOutcome::Failed { reference, .. } => (OperationState::Failed, reference),
        };
        let effect = match (self.state, state) {
            (from, to) if from == to => return None,
            (from, OperationState::Succeeded) if from.is_open() => Effect::Moved,
            (from, OperationState::Failed) if from.is_open() => Effect::Released,
            (OperationState::Sending | OperationState::Unknown, OperationState::Pending) => Effect::None,
            (OperationState::Succeeded, OperationState::Failed) if self.kind == OperationKind::Refund => {
                Effect::Reversed
            }
            _ => return None,
        };
        let mut after = Self { state, updated: now, asked: 0, ..self.clone() };
        if !told.is_empty() {
            told.clone_into(&mut after.reference);
        }
        if let OperationOutcome::Failed { failure, .. } = outcome {
            after.failure = Some(failure.clone());
        }
        Some((after, effect))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use kernel::Currency;

    use super::*;

    pub(crate) fn operation(kind: OperationKind, state: OperationState, minor: i64) -> Operation {
        Operation {
            id: format!("{}_1", kind.prefix()),
            payment: PaymentId::from_bits(7),
            attempt: 1,
            kind,
            amount: Money::new(minor, Currency::GBP),
            state,
            provider: "testpay".to_owned(),
            target: "tpa_1".to_owned(),
            reference: String::new(),
            failure: None,
            reason: String::new(),
            asked: 0,
            created: Timestamp::from_secs(1),
            updated: Timestamp::from_secs(1),
        }
    }

    fn told(state: OperationState) -> OperationOutcome {
        let reference = "x_1".to_owned();
        match state {
            OperationState::Succeeded => OperationOutcome::Succeeded { reference },
            OperationState::Pending => OperationOutcome::Pending { reference },
            _ => OperationOutcome::Failed { reference, failure: Failure::new("refused", "no") },
        }
    }

    #[test]
    fn only_a_refund_may_come_back() {
        use OperationState::{Failed, Pending, Sending, Succeeded, Unknown};
        let table = [
            (OperationKind::Capture, Sending, Succeeded, Some(Effect::Moved)),
            (OperationKind::Capture, Unknown, Failed, Some(Effect::Released)),
            (OperationKind::Capture, Succeeded, Failed, None),
            (OperationKind::Capture, Succeeded, Pending, None),
            (OperationKind::Refund, Sending, Pending, Some(Effect::None)),
            (OperationKind::Refund, Pending, Succeeded, Some(Effect::Moved)),
            (OperationKind::Refund, Pending, Pending, None),
            (OperationKind::Refund, Succeeded, Failed, Some(Effect::Reversed)),
            (OperationKind::Refund, Failed, Succeeded, None),
            (OperationKind::Void, Succeeded, Failed, None),
        ];
        for (kind, from, to, effect) in table {
            let after = operation(kind, from, 5).after(&told(to), Timestamp::from_secs(2));
            assert_eq!(after.map(|(_, effect)| effect), effect, "{kind:?} {from:?} -> {to:?}");
        }
    }
}
