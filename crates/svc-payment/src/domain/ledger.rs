//! The double-entry ledger: what is booked for a movement, and the bytes that are sealed.
//!
//! Money moves at a capture and at a refund, and only then is anything booked: an authorization reserves money that is
//! still the payer's, so it is a memo on the payment and no posting. Debits are positive, credits negative.

use std::collections::BTreeMap;

use kernel::{Currency, Money, OrderId, PaymentId, Timestamp};

use super::operation::Effect;
use super::{Operation, OperationKind, words};

words! {
    /// Why money moved.
    EntryKind {
        /// Money was captured.
        Capture = "capture",
        /// Money was given back.
        Refund = "refund",
        /// A refund came back after it had succeeded.
        RefundReversal = "refund_reversal",
    }
}

/// Account of what is sold.
pub const SALES: &str = "sales";
/// Account of what is given back.
pub const REFUNDS: &str = "refunds";

/// Account of what a provider owes us.
#[must_use]
pub fn clearing(provider: &str) -> String {
    format!("provider:{provider}:clearing")
}

/// One side of a movement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// The account.
    pub account: String,
    /// Debits are positive, credits negative.
    pub amount: Money,
}

/// One movement; its postings sum to zero per currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `led_…`, from the operation's id; with an `r` behind it for what came back.
    pub id: String,
    /// Why money moved.
    pub kind: EntryKind,
    /// The payment.
    pub payment: PaymentId,
    /// The order.
    pub order: OrderId,
    /// The capture or refund.
    pub operation: String,
    /// When it was booked.
    pub time: Timestamp,
    /// Two or more.
    pub postings: Vec<Posting>,
}

impl Entry {
    /// What is booked when an operation had an effect; nothing when no money moved.
    #[must_use]
    pub fn of(operation: &Operation, effect: Effect, order: OrderId) -> Option<Self> {
        let clearing = clearing(&operation.provider);
        let (kind, debit, credit) = match (operation.kind, effect) {
            (OperationKind::Capture, Effect::Moved) => (EntryKind::Capture, clearing, SALES.to_owned()),
            (OperationKind::Refund, Effect::Moved) => (EntryKind::Refund, REFUNDS.to_owned(), clearing),
            (OperationKind::Refund, Effect::Reversed) => {
                (EntryKind::RefundReversal, clearing, REFUNDS.to_owned())
            }
            (_, _) => return None,
        };
        let tail = operation.id.split_once('_').map_or(operation.id.as_str(), |(_, tail)| tail);
        let suffix = if effect == Effect::Reversed { "r" } else { "" };
        let amount = operation.amount;
        Some(Self {
            id: format!("led_{tail}{suffix}"),
            kind,
            payment: operation.payment,
            order,
            operation: operation.id.clone(),
            time: operation.updated,
            postings: vec![
                Posting { account: debit, amount },
                Posting { account: credit, amount: Money::new(-amount.minor, amount.currency) },
            ],
        })
    }

    /// The entry as bytes, the same for ever: every field as its length (8 bytes, big endian) and its UTF-8 text, numbers
    /// in decimal, postings in their order. This is what the chain of hashes seals.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256);
        let mut field = |text: &str| {
            bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        };
        field(&self.id);
        field(self.kind.as_str());
        field(&self.payment.to_string());
        field(&self.order.to_string());
        field(&self.operation);
        field(&self.time.micros().to_string());
        for posting in &self.postings {
            field(&posting.account);
            field(posting.amount.currency.code());
            field(&posting.amount.minor.to_string());
        }
        bytes
    }
}

/// Sums of postings per currency. All zero, or the books are damaged.
pub fn sums<'a>(postings: impl IntoIterator<Item = &'a Posting>) -> BTreeMap<Currency, i128> {
    let mut sums = BTreeMap::new();
    for posting in postings {
        *sums.entry(posting.amount.currency).or_insert(0) += i128::from(posting.amount.minor);
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::super::OperationState;
    use super::super::operation::tests::operation;
    use super::*;

    #[test]
    fn each_movement_is_booked_on_both_sides() {
        let order = OrderId::from_bits(7);
        let capture = operation(OperationKind::Capture, OperationState::Succeeded, 250);
        let entry = Entry::of(&capture, Effect::Moved, order).expect("booked");
        assert_eq!(entry.postings[0].account, "provider:testpay:clearing");
        assert_eq!((entry.postings[0].amount.minor, entry.postings[1].amount.minor), (250, -250));
        let refund = operation(OperationKind::Refund, OperationState::Failed, 250);
        let back = Entry::of(&refund, Effect::Reversed, order).expect("booked");
        assert_eq!((back.kind, back.id.as_str()), (EntryKind::RefundReversal, "led_1r"));
        for nothing in [Effect::None, Effect::Released] {
            assert_eq!(Entry::of(&capture, nothing, order), None);
        }
        assert_eq!(
            Entry::of(&operation(OperationKind::Void, OperationState::Succeeded, 250), Effect::Moved, order),
            None
        );
    }

    #[test]
    fn no_two_entries_have_the_same_bytes() {
        let capture = operation(OperationKind::Capture, OperationState::Succeeded, 250);
        let entry = Entry::of(&capture, Effect::Moved, OrderId::from_bits(7)).expect("booked");
        let mut other = entry.clone();
        other.postings[0].account = "provider:testpay:clearingG".to_owned();
        assert_ne!(entry.canonical(), other.canonical());
        let mut other = entry.clone();
        other.postings.swap(0, 1);
        assert_ne!(entry.canonical(), other.canonical());
        assert_eq!(entry.canonical(), entry.clone().canonical());
    }
}
