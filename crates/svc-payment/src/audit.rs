//! What an audit proves of payments from their own rows. Pure functions of the rows.

pub mod events;

use contract::souk::r#type::v1::AuditFinding;
use kernel::Money;

use crate::domain::payment::payment_id;
use crate::domain::{AttemptState, Operation, OperationKind, OperationState, PaymentState};
use crate::store::{Seals, Stray, Whole, attempt_name};

/// Rows are what was written.
pub const SEALED: &str = "payments.sealed";
/// Payments, their attempts and their operations fit each other.
pub const STATES: &str = "payments.states";

/// Why a void is sent that nobody asked for.
pub const STRAY_REASON: &str = "authorized after it was given up";

struct Findings<'a> {
    whole: &'a Whole,
    list: Vec<AuditFinding>,
}

impl Findings<'_> {
    fn note(
        &mut self,
        check: &str,
        part: &str,
        expected: impl std::fmt::Display,
        found: impl std::fmt::Display,
    ) {
        let payment = &self.whole.payment;
        let open = self.whole.attempts.iter().any(|attempt| attempt.state.is_open())
            || self.whole.operations.iter().any(|operation| operation.state.is_open());
        self.list.push(AuditFinding {
            check: check.to_owned(),
            row: format!("{part} of {} of {}", payment.id, payment.order),
            expected: expected.to_string(),
            found: format!("{found} (version {})", payment.version),
            in_flight: open,
        });
    }

    fn same<T: PartialEq + std::fmt::Display>(&mut self, part: &str, expected: T, found: T) {
        if expected != found {
            self.note(STATES, part, expected, found);
        }
    }

    fn holds(&mut self, holds: bool, part: &str, expected: &str, found: impl std::fmt::Display) {
        if !holds {
            self.note(STATES, part, expected, found);
        }
    }
}

/// Everything that is wrong with a payment and what belongs to it.
#[must_use]
pub fn examine(whole: &Whole, seals: &Seals) -> Vec<AuditFinding> {
    let mut findings = Findings { whole, list: Vec::new() };
    sealed(&mut findings, seals);
    attempts(&mut findings);
    operations(&mut findings);
    sums(&mut findings);
    findings.list
}

/// A row that belongs to nothing.
#[must_use]
pub fn stray(stray: &Stray) -> AuditFinding {
    finding(stray.row.clone(), format!("a row with {}", stray.lacks), "none".to_owned())
}

/// A provider event that was changed.
#[must_use]
pub fn altered_webhook(row: String) -> AuditFinding {
    finding(row, "what was sealed".to_owned(), "another content".to_owned())
}

fn finding(row: String, expected: String, found: String) -> AuditFinding {
    AuditFinding { check: SEALED.to_owned(), row, expected, found, in_flight: false }
}

fn sealed(findings: &mut Findings<'_>, seals: &Seals) {
    let whole = findings.whole;
    let mut told = |part: &str, stored: &[u8], expected: Vec<u8>| {
        if stored != expected {
            let found = if stored.is_empty() { "no seal" } else { "another content" };
            findings.note(SEALED, part, "what was sealed", found);
        }
    };
    told("row", &whole.seals.payment, seals.payment(&whole.payment));
    for (attempt, stored) in whole.attempts.iter().zip(&whole.seals.attempts) {
        told(&format!("attempt {}", attempt.number), stored, seals.attempt(attempt));
    }
    for (operation, stored) in whole.operations.iter().zip(&whole.seals.operations) {
        told(&operation.id, stored, seals.operation(operation));
    }
}

fn attempts(findings: &mut Findings<'_>) {
    let whole = findings.whole;
    let payment = &whole.payment;
    findings.same("id", payment_id(payment.order, payment.tender).to_string(), payment.id.to_string());
    for (number, attempt) in (1..).zip(&whole.attempts) {
        let name = attempt_name(payment.id, attempt.number);
        findings.same("attempts", number, attempt.number);
        findings.same(&format!("{name}, amount"), payment.amount, attempt.amount);
        findings.same(&format!("{name}, provider"), payment.provider.as_str(), attempt.provider.as_str());
        let latest = attempt.number == payment.attempt;
        let ended = matches!(attempt.state, AttemptState::Failed | AttemptState::Voided);
        findings.holds(latest || ended, &name, "an end, as another followed", attempt.state.as_str());
        let named = attempt.state != AttemptState::Authorized || !attempt.reference.is_empty();
        findings.holds(named, &name, "the provider's name of what is authorized", "none");
    }
    findings.same("attempts, count", payment.attempt as usize, whole.attempts.len());
    let latest = whole.attempts.last().map(|attempt| attempt.state);
    let fits = match payment.state {
        PaymentState::Authorizing => latest == Some(AttemptState::Authorizing),
        PaymentState::Unknown => latest == Some(AttemptState::Unknown),
        PaymentState::ActionRequired => latest == Some(AttemptState::ActionRequired),
        PaymentState::Authorized | PaymentState::Captured => latest == Some(AttemptState::Authorized),
        PaymentState::Failed => latest == Some(AttemptState::Failed),
        PaymentState::Voiding => latest.is_some(),
        PaymentState::Voided => {
            matches!(latest, None | Some(AttemptState::Failed | AttemptState::Voided))
        }
    };
    let found = latest.map_or("no attempt", AttemptState::as_str);
    findings.holds(fits, "state", &format!("an attempt that fits {}", payment.state.as_str()), found);
}

fn operations(findings: &mut Findings<'_>) {
    let whole = findings.whole;
    let payment = &whole.payment;
    for operation in &whole.operations {
        let name = operation.id.as_str();
        let prefix = operation.id.split_once('_').map_or("", |(prefix, _)| prefix);
        findings.same(&format!("{name}, kind"), operation.kind.prefix(), prefix);
        findings.same(&format!("{name}, currency"), payment.amount.currency, operation.amount.currency);
        findings.same(&format!("{name}, provider"), payment.provider.as_str(), operation.provider.as_str());
        let attempt = whole.attempts.iter().find(|attempt| attempt.number == operation.attempt);
        let target = attempt.map_or("an attempt", |attempt| attempt.reference.as_str());
        findings.same(&format!("{name}, target"), target, operation.target.as_str());
        let done = operation.state == OperationState::Succeeded;
        findings.holds(!done || !operation.reference.is_empty(), name, "the provider's name of it", "none");
    }
    // A void of an authorization that turned up late is counted nowhere.
    let counted = |operation: &&Operation| operation.reason != STRAY_REASON;
    let count = whole.operations.iter().filter(counted).count();
    findings.same("operations, count", payment.operations as usize, count);
}

fn sums(findings: &mut Findings<'_>) {
    let whole = findings.whole;
    let payment = &whole.payment;
    let sum = |kind: OperationKind, counts: fn(OperationState) -> bool| {
        let parts = whole.operations.iter().filter(|part| part.kind == kind && counts(part.state));
        parts.fold(0_i64, |sum, part| sum.saturating_add(part.amount.minor))
    };
    let done = |state| state == OperationState::Succeeded;
    let claimed = |state| state != OperationState::Failed;
    let money = |minor| Money::new(minor, payment.amount.currency);
    for (part, expected, found) in [
        ("captured", sum(OperationKind::Capture, done), payment.captured),
        ("capture_claimed", sum(OperationKind::Capture, claimed), payment.capture_claimed),
        ("refunded", sum(OperationKind::Refund, done), payment.refunded),
        ("refund_claimed", sum(OperationKind::Refund, claimed), payment.refund_claimed),
    ] {
        findings.same(part, money(expected), money(found));
    }
    let reserved = match payment.state {
        PaymentState::Authorized | PaymentState::Captured => Some(payment.amount.minor),
        PaymentState::Voiding => None,
        _ => Some(0),
    };
    if let Some(reserved) = reserved {
        findings.same("authorized", money(reserved), money(payment.authorized));
    }
    let taken = payment.captured > 0;
    findings.same("state, captured", taken, payment.state == PaymentState::Captured);
}
