//! The payment provider's own list beside ours.

use std::collections::HashMap;

use contract::souk::payment::v1::{AttemptState, OperationState};
use contract::souk::testpay::v1::{AuthorizationState, RefundState};
use kernel::Money;

use super::Check;
use crate::audit::books::{
    Attempt, Authorization, Books, Operation, Payment, ProviderCapture, ProviderRefund, word,
};

/// `provider.agrees`: the provider has one authorization per attempt, the same captures and refunds, and nothing that we do not
/// know of. Examined are the rows of both sides.
pub fn agrees(books: &Books) -> Check {
    let theirs = &books.provider;
    let mut check = Check::new("provider.agrees");
    let mut authorizations = by_key(&mut check, &theirs.authorizations, |row| (&row.key, "authorization"));
    let mut captures = by_key(&mut check, &theirs.captures, |row| (&row.key, "capture"));
    let mut refunds = by_key(&mut check, &theirs.refunds, |row| (&row.key, "refund"));
    let open = books.open_orders();
    for payment in books.payments.iter().filter(|payment| *payment.provider == *theirs.name) {
        let in_flight = open.contains(&payment.order);
        let mut comparison = Comparison { check: &mut check, payment, in_flight };
        for attempt in &payment.attempts {
            comparison.attempt(attempt, authorizations.remove(&*attempt.key));
        }
        for capture in &payment.captures {
            comparison.capture(capture, captures.remove(&*capture.id));
        }
        for refund in &payment.refunds {
            comparison.refund(refund, refunds.remove(&*refund.id));
        }
    }
    let strays = authorizations
        .into_values()
        .map(|row| (format!("authorization {} ({})", row.id, row.key), row.amount));
    let strays = strays.chain(captures.into_values().map(|row| (format!("capture {}", row.key), row.amount)));
    let strays = strays.chain(refunds.into_values().map(|row| (format!("refund {}", row.key), row.amount)));
    let mut strays: Vec<(String, Money)> = strays.collect();
    strays.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    for (at, amount) in strays {
        check.violated(
            format!("{}'s {at}", theirs.name),
            "something that we know of",
            format!("{amount}, unknown"),
        );
    }
    check
}

/// The provider's rows by their key; two with the same key are told.
fn by_key<'a, T>(
    check: &mut Check,
    rows: &'a [T],
    key: impl Fn(&'a T) -> (&'a str, &'static str),
) -> HashMap<&'a str, &'a T> {
    let mut map = HashMap::with_capacity(rows.len());
    for row in rows {
        check.examined += 1;
        let (key, what) = key(row);
        if map.insert(key, row).is_some() {
            check.violated(format!("{what} {key}"), "one at the provider", "two");
        }
    }
    map
}

struct Comparison<'a> {
    check: &'a mut Check,
    payment: &'a Payment,
    in_flight: bool,
}

impl Comparison<'_> {
    fn attempt(&mut self, attempt: &Attempt, theirs: Option<&Authorization>) {
        self.check.examined += 1;
        let at = format!("authorization {}", attempt.key);
        let ours = word(attempt.state.as_str_name(), "ATTEMPT_STATE_");
        let state = theirs.map(|row| row.state);
        if !attempt_fits(attempt, state) {
            let found =
                state.map_or("none".to_owned(), |state| word(state.as_str_name(), "AUTHORIZATION_STATE_"));
            let waits = matches!(
                attempt.state,
                AttemptState::Authorizing | AttemptState::Unknown | AttemptState::ActionRequired
            );
            self.note(&at, format!("one that fits an attempt that is {ours}"), found, waits);
        }
        let Some(theirs) = theirs else { return };
        self.amount(&at, attempt.amount, theirs.amount);
        if *theirs.payment != *self.payment.id.to_string() {
            self.note(&at, format!("for {}", self.payment.id), format!("for {}", theirs.payment), false);
        }
        if !attempt.reference.is_empty() && attempt.reference != theirs.id {
            self.note(&at, format!("{}, as we were told", attempt.reference), theirs.id.to_string(), false);
        }
    }

    fn capture(&mut self, capture: &Operation, theirs: Option<&ProviderCapture>) {
        self.check.examined += 1;
        let at = format!("capture {}", capture.id);
        let fits = match capture.state {
            OperationState::Succeeded => theirs.is_some(),
            OperationState::Failed => theirs.is_none(),
            OperationState::Pending | OperationState::Unspecified => false,
        };
        if !fits {
            let found = if theirs.is_some() { "one" } else { "none" };
            self.operation(&at, capture, found.to_owned());
        }
        if let Some(theirs) = theirs {
            self.amount(&at, capture.amount, theirs.amount);
            self.belongs(&at, &theirs.authorization);
        }
    }

    fn refund(&mut self, refund: &Operation, theirs: Option<&ProviderRefund>) {
        self.check.examined += 1;
        let at = format!("refund {}", refund.id);
        let state = theirs.map(|row| row.state);
        let fits = match refund.state {
            OperationState::Succeeded => state == Some(RefundState::Succeeded),
            OperationState::Failed => matches!(state, None | Some(RefundState::Failed)),
            OperationState::Pending => state == Some(RefundState::Pending),
            OperationState::Unspecified => false,
        };
        if !fits {
            let found = state.map_or("none".to_owned(), |state| word(state.as_str_name(), "REFUND_STATE_"));
            self.operation(&at, refund, found);
        }
        if let Some(theirs) = theirs {
            self.amount(&at, refund.amount, theirs.amount);
            self.belongs(&at, &theirs.authorization);
        }
    }

    fn operation(&mut self, at: &str, operation: &Operation, found: String) {
        let state = word(operation.state.as_str_name(), "OPERATION_STATE_");
        let pending = operation.state == OperationState::Pending;
        self.note(at, format!("one that fits, as ours is {state}"), found, pending);
    }

    fn amount(&mut self, at: &str, ours: Money, theirs: Money) {
        if ours != theirs {
            self.note(at, ours.to_string(), theirs.to_string(), false);
        }
    }

    /// A capture or refund works on an authorization of its own payment.
    fn belongs(&mut self, at: &str, authorization: &str) {
        if !self.payment.attempts.iter().any(|attempt| *attempt.reference == *authorization) {
            let found = format!("of {authorization}");
            self.note(at, "of an authorization of its payment".to_owned(), found, false);
        }
    }

    fn note(&mut self, at: &str, expected: String, found: String, in_flight: bool) {
        let at = format!("{at} of {} of {}", self.payment.id, self.payment.order);
        self.check.note(at, expected, found, in_flight || self.in_flight);
    }
}

/// Whether the provider's authorization may stand so for an attempt. One that came after it was given up is voided.
fn attempt_fits(attempt: &Attempt, theirs: Option<AuthorizationState>) -> bool {
    use AuthorizationState::{Authorized, Declined, RequiresAction, Voided};
    match attempt.state {
        AttemptState::Authorized => theirs == Some(Authorized),
        AttemptState::ActionRequired => theirs == Some(RequiresAction),
        AttemptState::Failed => matches!(theirs, None | Some(Declined | Voided)),
        AttemptState::Voided => theirs == Some(Voided),
        // Nobody knows yet: it must come to be known.
        AttemptState::Authorizing | AttemptState::Unknown | AttemptState::Unspecified => false,
    }
}
