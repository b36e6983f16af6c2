//! Ledger entries beside the operations that they book.

use std::collections::HashMap;

use contract::souk::payment::v1::{LedgerEntryKind, OperationState};

use super::Check;
use crate::audit::books::{Books, Entry, Operation, Payment};

/// `ledger.accounts`: an entry is named after its operation, stands on the two accounts of its kind, and was booked when its
/// operation was done.
pub fn accounts(books: &Books) -> Check {
    let mut check = Check::new("ledger.accounts");
    let mut operations: HashMap<&str, (&Payment, &Operation)> =
        HashMap::with_capacity(books.ledger.entries.len());
    for payment in &books.payments {
        for operation in payment.captures.iter().chain(&payment.refunds) {
            operations.insert(&operation.id, (payment, operation));
        }
    }
    for entry in &books.ledger.entries {
        check.examined += 1;
        // An entry without its operation is another check's.
        let Some((payment, operation)) = operations.get(&*entry.operation) else { continue };
        let at = || format!("ledger entry {} of {}", entry.id, entry.order);
        let id = entry_id(entry);
        if *entry.id != *id {
            check.violated(at(), format!("the id {id}"), entry.id.to_string());
        }
        let expected = sides(entry.kind, &payment.provider);
        let found: Vec<String> =
            entry.postings.iter().map(|(account, amount)| side(account, amount.minor)).collect();
        if found.len() > 1 && found != expected {
            check.violated(at(), expected.join(", "), found.join(", "));
        }
        // A refund that came back has moved on since it was booked.
        let last =
            operation.state == OperationState::Succeeded || entry.kind == LedgerEntryKind::RefundReversal;
        if last && entry.time != operation.updated {
            let micros = |time: kernel::Timestamp| format!("booked at {} µs", time.micros());
            check.violated(at(), micros(operation.updated), micros(entry.time));
        }
    }
    check
}

fn entry_id(entry: &Entry) -> String {
    let tail = entry.operation.split_once('_').map_or(&*entry.operation, |(_, tail)| tail);
    let suffix = if entry.kind == LedgerEntryKind::RefundReversal { "r" } else { "" };
    format!("led_{tail}{suffix}")
}

/// The accounts of a kind of entry, the debit first.
fn sides(kind: LedgerEntryKind, provider: &str) -> [String; 2] {
    let clearing = format!("provider:{provider}:clearing");
    match kind {
        LedgerEntryKind::Capture => [side(&clearing, 1), side("sales", -1)],
        LedgerEntryKind::Refund => [side("refunds", 1), side(&clearing, -1)],
        _ => [side(&clearing, 1), side("refunds", -1)],
    }
}

fn side(account: &str, minor: i64) -> String {
    format!("{} {account}", if minor < 0 { "credit" } else { "debit" })
}
