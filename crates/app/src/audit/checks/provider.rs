//! Group `provider`: our books against the provider's own.

use std::collections::BTreeMap;

use contract::souk::payment::v1::{Attempt, AttemptState, OperationState};
use contract::souk::testpay::v1::{AuthorizationState, RefundState};
use contract::souk::r#type::v1::Money;

use super::super::facts::Facts;
use super::{Check, text};

/// The code of an attempt that turned out never to have reached the provider.
const NEVER_RECEIVED: &str = "provider_never_received";

/// One authorization per attempt, the same captures and refunds, and nothing that we do not know of.
pub(super) fn agrees(facts: &Facts) -> Check {
    let mut check = Check::new("provider.agrees");
    authorizations(&mut check, facts);
    captures(&mut check, facts);
    refunds(&mut check, facts);
    check
}

fn authorizations(check: &mut Check, facts: &Facts) {
    let mut theirs: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for authorization in &facts.authorizations {
        check.look();
        theirs.entry(&authorization.key).or_default().push(authorization);
    }
    for attempt in facts.payments.iter().flat_map(|audited| &audited.attempts) {
        check.look();
        let place = format!("{} attempt {}", attempt.payment_id, attempt.number);
        let found = theirs.remove(attempt.provider_key.as_str()).unwrap_or_default();
        match found.as_slice() {
            [] if unsent(attempt) => {}
            [] => check.broken(&place, "an authorization at the provider", "none"),
            [one] => {
                same_amount(check, &place, attempt.amount.as_ref(), one.amount.as_ref());
                if !states_agree(attempt.state(), one.state()) {
                    let ours =
                        attempt.state().as_str_name().trim_start_matches("ATTEMPT_STATE_").to_lowercase();
                    let theirs =
                        one.state().as_str_name().trim_start_matches("AUTHORIZATION_STATE_").to_lowercase();
                    check.broken(&place, format!("{theirs}, as the provider has {}", one.id), ours);
                }
            }
            several => check.broken(&place, "one authorization at the provider", several.len().to_string()),
        }
    }
    for authorization in theirs.into_values().flatten() {
        let expected = format!("an attempt of {}", authorization.payment_id);
        check.broken(&authorization.id, expected, "an authorization that we do not know of");
    }
}

/// Whether the provider need not know of an attempt.
fn unsent(attempt: &Attempt) -> bool {
    match attempt.state() {
        AttemptState::Failed => {
            attempt.failure.as_ref().is_some_and(|failure| failure.code == NEVER_RECEIVED)
        }
        AttemptState::Voided => attempt.provider_reference.is_empty(),
        AttemptState::Unspecified
        | AttemptState::Authorizing
        | AttemptState::Unknown
        | AttemptState::ActionRequired
        | AttemptState::Authorized => false,
    }
}

fn states_agree(ours: AttemptState, theirs: AuthorizationState) -> bool {
    matches!(
        (ours, theirs),
        (AttemptState::Authorized, AuthorizationState::Authorized)
            | (AttemptState::ActionRequired, AuthorizationState::RequiresAction)
            | (AttemptState::Failed, AuthorizationState::Declined | AuthorizationState::Voided)
            | (AttemptState::Voided, AuthorizationState::Voided | AuthorizationState::Declined)
    )
}

fn captures(check: &mut Check, facts: &Facts) {
    let mut theirs: BTreeMap<&str, _> = BTreeMap::new();
    for capture in &facts.captures {
        check.look();
        if let Some(other) = theirs.insert(capture.key.as_str(), capture) {
            check.broken(&capture.id, "one capture under a key", format!("{} has it too", other.id));
        }
    }
    for capture in facts.payments.iter().flat_map(|audited| &audited.captures) {
        check.look();
        match (capture.state(), theirs.remove(capture.id.as_str())) {
            (OperationState::Succeeded, Some(other)) => {
                same_amount(check, &capture.id, capture.amount.as_ref(), other.amount.as_ref());
            }
            (OperationState::Succeeded, None) => {
                check.broken(&capture.id, "a capture at the provider", "none")
            }
            (_, Some(other)) => check.broken(
                &capture.id,
                format!("captured, as the provider has {}", other.id),
                "not captured",
            ),
            (_, None) => {}
        }
    }
    for capture in theirs.into_values() {
        check.broken(
            &capture.id,
            "a capture of ours",
            format!("{} that we do not know of", text(capture.amount.as_ref())),
        );
    }
}

fn refunds(check: &mut Check, facts: &Facts) {
    let mut theirs: BTreeMap<&str, _> = BTreeMap::new();
    for refund in &facts.refunds {
        check.look();
        if let Some(other) = theirs.insert(refund.key.as_str(), refund) {
            check.broken(&refund.id, "one refund under a key", format!("{} has it too", other.id));
        }
    }
    for refund in facts.payments.iter().flat_map(|audited| &audited.refunds) {
        check.look();
        match (refund.state(), theirs.remove(refund.id.as_str())) {
            (OperationState::Succeeded, Some(other)) if other.state() == RefundState::Succeeded => {
                same_amount(check, &refund.id, refund.amount.as_ref(), other.amount.as_ref());
            }
            (OperationState::Succeeded, Some(other)) => {
                check.broken(&refund.id, format!("refunded at the provider, {}", other.id), "not there");
            }
            (OperationState::Succeeded, None) => check.broken(&refund.id, "a refund at the provider", "none"),
            (_, Some(other)) if other.state() == RefundState::Succeeded => {
                check.broken(
                    &refund.id,
                    format!("refunded, as the provider has {}", other.id),
                    "not refunded",
                );
            }
            _ => {}
        }
    }
    for refund in theirs.into_values() {
        check.broken(
            &refund.id,
            "a refund of ours",
            format!("{} that we do not know of", text(refund.amount.as_ref())),
        );
    }
}

fn same_amount(check: &mut Check, place: &str, ours: Option<&Money>, theirs: Option<&Money>) {
    if ours != theirs {
        check.broken(place, format!("{} as at the provider", text(theirs)), text(ours));
    }
}
