//! The content of the provider's own rows.

use std::collections::{HashMap, HashSet};

use contract::souk::payment::v1::{AttemptState, OperationState};
use contract::souk::testpay::v1::RefundState;
use kernel::OrderId;

use super::Check;
use crate::audit::books::{Authorization, Books, Operation, Payment};

/// `provider.records`: the provider's authorizations have the method of the order and the sums of their captures and refunds, and
/// its captures and refunds have the names that we were told.
pub fn records(books: &Books) -> Check {
    let mut check = Check::new("provider.records");
    let theirs = &books.provider;
    let open = books.open_orders();
    let methods: HashMap<OrderId, &str> =
        books.orders.iter().map(|order| (order.id, &*order.method)).collect();
    let mut names: HashMap<&str, &str> = HashMap::with_capacity(theirs.captures.len());
    let mut captured: HashMap<&str, i128> = HashMap::with_capacity(theirs.captures.len());
    for capture in &theirs.captures {
        names.insert(&capture.key, &capture.id);
        *captured.entry(&capture.authorization).or_insert(0) += i128::from(capture.amount.minor);
    }
    // What is pending may already count, or will not.
    let mut refunded: HashMap<&str, (i128, i128)> = HashMap::new();
    for refund in &theirs.refunds {
        names.insert(&refund.key, &refund.id);
        let (least, most) = refunded.entry(&refund.authorization).or_insert((0, 0));
        let minor = i128::from(refund.amount.minor);
        *least += if refund.state == RefundState::Succeeded { minor } else { 0 };
        *most += if refund.state == RefundState::Failed { 0 } else { minor };
    }
    let rows: HashMap<&str, &Authorization> =
        theirs.authorizations.iter().map(|row| (&*row.key, row)).collect();
    for payment in books.payments.iter().filter(|payment| *payment.provider == *theirs.name) {
        let in_flight = open.contains(&payment.order);
        for attempt in &payment.attempts {
            check.examined += 1;
            let Some(row) = rows.get(&*attempt.key) else { continue };
            let at = |what: &str| format!("authorization {} of {}, {what}", row.id, payment.order);
            if methods.get(&payment.order).is_some_and(|method| **method != *row.method) {
                check.violated(at("method"), methods[&payment.order].to_owned(), row.method.to_string());
            }
            let declined = attempt.state == AttemptState::Failed && !row.decline.is_empty();
            if declined && row.decline != attempt.failure {
                check.note(
                    at("decline code"),
                    attempt.failure.to_string(),
                    row.decline.to_string(),
                    in_flight,
                );
            }
            let sum = captured.get(&*row.id).copied().unwrap_or(0);
            if sum != i128::from(row.captured.minor) || row.captured.currency != row.amount.currency {
                check.note(
                    at("captured"),
                    format!("{sum} in minor units"),
                    row.captured.to_string(),
                    in_flight,
                );
            }
            let (least, most) = refunded.get(&*row.id).copied().unwrap_or((0, 0));
            if !(least..=most).contains(&i128::from(row.refunded.minor)) {
                let expected = format!("{least} to {most} in minor units");
                check.note(at("refunded"), expected, row.refunded.to_string(), in_flight);
            }
        }
        let mut references = HashSet::new();
        for operation in payment.captures.iter().chain(&payment.refunds) {
            named(&mut check, &names, payment, operation, in_flight);
            if !operation.reference.is_empty() && !references.insert(&*operation.reference) {
                let at = format!("{} of {}", operation.id, payment.order);
                check.violated(at, "a name of its own at the provider", operation.reference.to_string());
            }
        }
    }
    check
}

fn named(
    check: &mut Check,
    names: &HashMap<&str, &str>,
    payment: &Payment,
    operation: &Operation,
    in_flight: bool,
) {
    check.examined += 1;
    let Some(name) = names.get(&*operation.id) else { return };
    let known = !operation.reference.is_empty() || operation.state == OperationState::Succeeded;
    if known && *operation.reference != **name {
        let at = format!("{} of {}, name at the provider", operation.id, payment.order);
        check.note(at, operation.reference.to_string(), (*name).to_owned(), in_flight);
    }
}
