//! The test tokens, named as Stripe's are, and what each does.

use std::time::Duration;

use super::AuthorizationId;

/// How an authorization comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The amount is reserved.
    Approve,
    /// Declined with a code and a message.
    Decline(&'static str, &'static str),
    /// The payer must pass a challenge.
    Challenge,
}

/// What happens to answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// They arrive.
    Usual,
    /// They arrive after a while.
    After(Duration),
    /// It is done, but nobody hears of it.
    Lost,
    /// What comes within so long after the authorization never arrives; later, all is as usual.
    NotReached(Duration),
}

/// What happens to webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hooks {
    /// Each once, soon.
    Usual,
    /// Each once, after this long.
    After(Duration),
    /// Each so many times.
    Times(u32),
}

/// What happens to refunds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refunds {
    /// Done at once.
    Usual,
    /// Pending, then done.
    Pending,
    /// Pending, then refused by the payer's bank.
    Fail,
}

/// A test token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Card {
    /// The token.
    pub token: &'static str,
    /// What to show.
    pub label: &'static str,
    /// What it does.
    pub behaviour: &'static str,
    /// How an authorization comes out.
    pub verdict: Verdict,
    /// What happens to answers.
    pub answer: Answer,
    /// What happens to webhooks.
    pub hooks: Hooks,
    /// What happens to refunds.
    pub refunds: Refunds,
}

/// The decline code of an authorization whose payer fails the challenge.
pub const CHALLENGE_FAILED: &str = "authentication_failed";
/// How long `pm_card_slow` takes to answer.
pub const SLOW: Duration = Duration::from_secs(3);
/// For how long after the authorization `pm_card_lostRequest` receives nothing: longer than a request can be on its way.
pub const NOT_REACHED: Duration = Duration::from_secs(120);
/// How late the webhooks of `pm_card_lateWebhook` are.
pub const LATE: Duration = Duration::from_secs(30);
/// How long a pending refund stays pending.
pub const REFUND_PENDING: Duration = Duration::from_secs(5);

const fn card(token: &'static str, label: &'static str, behaviour: &'static str) -> Card {
    Card {
        token,
        label,
        behaviour,
        verdict: Verdict::Approve,
        answer: Answer::Usual,
        hooks: Hooks::Usual,
        refunds: Refunds::Usual,
    }
}

const fn declining(
    token: &'static str,
    label: &'static str,
    code: &'static str,
    message: &'static str,
) -> Card {
    Card { verdict: Verdict::Decline(code, message), ..card(token, label, message) }
}

/// The tokens, in the order to show them. A card's place is part of the ids of its authorizations: add at the end only.
pub const CARDS: &[Card] = &[
    card("pm_card_visa", "Visa ending 4242", "Authorizes, captures and refunds at once."),
    card("pm_card_mastercard", "Mastercard ending 4444", "Authorizes, captures and refunds at once."),
    Card {
        verdict: Verdict::Challenge,
        ..card(
            "pm_card_authenticationRequired",
            "Visa ending 3184 (3-D Secure)",
            "The bank asks the payer first: a challenge, which they pass or fail.",
        )
    },
    declining(
        "pm_card_chargeDeclined",
        "Visa ending 0002 (declined)",
        "card_declined",
        "The card was declined.",
    ),
    declining(
        "pm_card_chargeDeclinedInsufficientFunds",
        "Visa ending 9995 (insufficient funds)",
        "insufficient_funds",
        "The card has insufficient funds.",
    ),
    declining(
        "pm_card_chargeDeclinedExpiredCard",
        "Visa ending 0069 (expired)",
        "expired_card",
        "The card has expired.",
    ),
    declining(
        "pm_card_chargeDeclinedIncorrectCvc",
        "Visa ending 0127 (incorrect CVC)",
        "incorrect_cvc",
        "The card's security code is incorrect.",
    ),
    declining(
        "pm_card_chargeDeclinedProcessingError",
        "Visa ending 0119 (processing error)",
        "processing_error",
        "An error occurred while processing the card. Try again.",
    ),
    Card {
        answer: Answer::After(SLOW),
        ..card(
            "pm_card_slow",
            "Visa ending 0003 (slow)",
            "Does everything at once, but answers after 3 seconds.",
        )
    },
    Card {
        answer: Answer::Lost,
        ..card(
            "pm_card_lostAnswer",
            "Visa ending 0004 (lost answer)",
            "Does everything, but its answers are lost: only asking, or a webhook, tells.",
        )
    },
    Card {
        hooks: Hooks::After(LATE),
        ..card(
            "pm_card_lateWebhook",
            "Visa ending 0005 (late webhooks)",
            "Works, and sends each webhook after 30 seconds.",
        )
    },
    Card {
        hooks: Hooks::Times(3),
        ..card(
            "pm_card_repeatedWebhook",
            "Visa ending 0006 (repeated webhooks)",
            "Works, and sends each webhook three times.",
        )
    },
    Card {
        refunds: Refunds::Pending,
        ..card(
            "pm_card_pendingRefund",
            "Visa ending 7726 (pending refund)",
            "Works; refunds are pending for 5 seconds, then succeed.",
        )
    },
    Card {
        refunds: Refunds::Fail,
        ..card(
            "pm_card_refundFail",
            "Visa ending 5126 (failing refund)",
            "Works; refunds are pending for 5 seconds, then fail.",
        )
    },
    Card {
        answer: Answer::NotReached(NOT_REACHED),
        ..card(
            "pm_card_lostRequest",
            "Visa ending 0007 (lost requests)",
            "Authorizes at once; what is asked within two minutes after that never arrives.",
        )
    },
];

/// What an unknown token is.
const UNKNOWN: Card =
    declining("", "", "payment_method_unknown", "The payment method is not known to the payment provider.");

/// The card of a token and its place; an unknown token is declined.
#[must_use]
pub fn find(token: &str) -> (u8, Card) {
    let place = CARDS.iter().position(|card| card.token == token);
    place.and_then(|place| Some((u8::try_from(place).ok()?, CARDS[place]))).unwrap_or((u8::MAX, UNKNOWN))
}

/// Puts a card's place into the id of its authorization, so that whoever has the id need not look it up.
#[must_use]
pub fn mark(id: AuthorizationId, place: u8) -> AuthorizationId {
    AuthorizationId::from_bits((id.bits() & !0xff) | u128::from(place))
}

/// The card of an authorization.
#[must_use]
pub fn of(id: AuthorizationId) -> Card {
    CARDS.get(usize::try_from(id.bits() & 0xff).unwrap_or(usize::MAX)).copied().unwrap_or(UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::PaymentMethod;

    #[test]
    fn every_token_is_a_payment_method_and_finds_its_card_again() {
        for card in CARDS {
            assert!(PaymentMethod::parse(card.token).is_ok(), "{}", card.token);
            let (place, found) = find(card.token);
            assert_eq!(found, *card);
            assert_eq!(of(mark(AuthorizationId::from_bits(u128::MAX >> 3), place)), *card);
        }
        assert!(matches!(find("pm_nobody").1.verdict, Verdict::Decline("payment_method_unknown", _)));
        assert_eq!(
            CARDS.iter().map(|card| card.token).collect::<std::collections::BTreeSet<_>>().len(),
            CARDS.len()
        );
    }
}
