//! Money: the double-entry ledger, its chain of hashes, what was done to payments, and what orders say.

use std::collections::{BTreeMap, HashMap};

use contract::souk::order::v1::OrderState;
use contract::souk::payment::v1::{LedgerEntryKind, OperationState};
use kernel::{Currency, Money, OrderId};
use sha2::{Digest as _, Sha256};

use super::Check;
use crate::audit::books::{Books, Entry, Operation, Payment, Seal, word};
use crate::audit::sums::Sums;

/// `ledger.balanced`: every entry has two postings or more that sum to zero per currency, and so has the whole ledger.
pub fn balanced(books: &Books) -> Check {
    let mut check = Check::new("ledger.balanced");
    let mut all = Sums::default();
    for entry in &books.ledger.entries {
        check.examined += 1;
        let mut sums = Sums::default();
        for (_, amount) in &entry.postings {
            sums.add(*amount);
            all.add(*amount);
        }
        if entry.postings.len() < 2 {
            let found = format!("{} postings", entry.postings.len());
            check.violated(entry_at(entry), "two postings or more", found);
        }
        for sum in sums.not_zero() {
            check.violated(
                entry_at(entry),
                format!("postings that sum to 0 {}", sum.currency),
                sum.to_string(),
            );
        }
    }
    for sum in all.not_zero() {
        let at = format!("ledger, all postings in {}", sum.currency);
        check.violated(at, format!("a sum of 0 {}", sum.currency), sum.to_string());
    }
    check
}

/// `ledger.sealed`: the chain has positions 1, 2, 3, …; each hash follows from the one before and from its entry as it now
/// is; what has no link waits for the sealer.
pub fn sealed(books: &Books) -> Check {
    let mut check = Check::new("ledger.sealed");
    let mut chain: BTreeMap<i64, (&Entry, &Seal)> = BTreeMap::new();
    for entry in &books.ledger.entries {
        let Some(seal) = &entry.seal else { continue };
        check.examined += 1;
        if let Some((other, _)) = chain.insert(seal.position, (entry, seal)) {
            let found = format!("{} and {}", other.id, entry.id);
            check.violated(chain_at(seal.position), "one entry", found);
        }
    }
    let mut before = (0, [0_u8; 32]);
    for (position, (entry, seal)) in &chain {
        let (last, hash) = before;
        if *position != last + 1 {
            check.violated(chain_between(last + 1, position - 1), "an entry each", "none");
        } else if hash != seal.previous {
            let at = format!("{} ({})", chain_at(*position), entry.id);
            check.violated(at, "the hash before it as its previous hash", hex::encode(seal.previous));
        }
        let computed: [u8; 32] =
            Sha256::new().chain_update(seal.previous).chain_update(entry.canonical()).finalize().into();
        if computed != seal.hash {
            let at = format!("{} ({})", entry_at(entry), chain_at(*position));
            check.violated(
                at,
                format!("what was sealed as {}", hex::encode(seal.hash)),
                hex::encode(computed),
            );
        }
        before = (*position, seal.hash);
    }
    let (last, _) = before;
    if last < books.ledger.sealed {
        check.violated(chain_between(last + 1, books.ledger.sealed), "an entry each", "none");
    }
    let open: Vec<&Entry> = books.ledger.entries.iter().filter(|entry| entry.seal.is_none()).collect();
    if i64::try_from(open.len()) != Ok(books.ledger.unsealed) {
        let expected = format!("{} entries that wait for the sealer", books.ledger.unsealed);
        let names: Vec<&str> = open.iter().take(5).map(|entry| &*entry.id).collect();
        check.violated("ledger, unsealed tail", expected, format!("{}: {}", open.len(), names.join(", ")));
    }
    check
}

/// `ledger.operations`: what was captured and refunded is booked once each, nothing else is, and payments sum it up.
pub fn operations(books: &Books) -> Check {
    let mut check = Check::new("ledger.operations");
    let open = books.open_orders();
    let mut booked: HashMap<&str, Vec<&Entry>> = HashMap::with_capacity(books.ledger.entries.len());
    for entry in &books.ledger.entries {
        booked.entry(&entry.operation).or_default().push(entry);
    }
    for payment in &books.payments {
        check.examined += 1;
        let in_flight = open.contains(&payment.order);
        for capture in &payment.captures {
            let entries = booked.remove(&*capture.id).unwrap_or_default();
            book(&mut check, payment, capture, &entries, LedgerEntryKind::Capture, in_flight);
        }
        for refund in &payment.refunds {
            let entries = booked.remove(&*refund.id).unwrap_or_default();
            book(&mut check, payment, refund, &entries, LedgerEntryKind::Refund, in_flight);
        }
        sum_up(&mut check, payment, "captured", payment.captured, &payment.captures, in_flight);
        sum_up(&mut check, payment, "refunded", payment.refunded, &payment.refunds, in_flight);
    }
    let mut strays: Vec<&Entry> = booked.into_values().flatten().collect();
    strays.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    for entry in strays {
        let at = format!("{} of {}", entry_at(entry), entry.operation);
        check.note(at, "a capture or refund", "none", open.contains(&entry.order));
    }
    check
}

/// Compares what is booked for an operation with what became of it.
fn book(
    check: &mut Check,
    payment: &Payment,
    operation: &Operation,
    entries: &[&Entry],
    kind: LedgerEntryKind,
    in_flight: bool,
) {
    use LedgerEntryKind::{Refund, RefundReversal};
    check.examined += 1;
    let mut kinds: Vec<LedgerEntryKind> = entries.iter().map(|entry| entry.kind).collect();
    kinds.sort_unstable();
    let expected: &[&[LedgerEntryKind]] = match (operation.state, kind) {
        (OperationState::Succeeded, Refund) => &[&[Refund]],
        (OperationState::Succeeded, _) => &[&[LedgerEntryKind::Capture]],
        (OperationState::Failed, Refund) => &[&[], &[Refund, RefundReversal]],
        _ => &[&[]],
    };
    let at = || format!("{} of {} of {}", operation.id, payment.id, payment.order);
    if !expected.contains(&kinds.as_slice()) {
        let pending = operation.state == OperationState::Pending;
        let wanted: Vec<String> = expected.iter().map(|kinds| names(kinds)).collect();
        let expected = format!("booked, as it is {}: {}", state(operation.state), wanted.join(", or "));
        check.note(at(), expected, names(&kinds), in_flight || pending);
    }
    for entry in entries {
        let sign = if entry.kind == Refund { -1 } else { 1 };
        let wanted = Money::new(operation.amount.minor.saturating_mul(sign), operation.amount.currency);
        let moved: Vec<Money> = entry.net().collect();
        if moved != [wanted] {
            let found: Vec<String> = moved.iter().map(ToString::to_string).collect();
            check.violated(format!("{} of {}", entry_at(entry), at()), wanted.to_string(), found.join(", "));
        }
        if (entry.payment, entry.order) != (payment.id, payment.order) {
            let expected = format!("{} of {}", payment.id, payment.order);
            check.violated(entry_at(entry), expected, format!("{} of {}", entry.payment, entry.order));
        }
    }
}

fn names(kinds: &[LedgerEntryKind]) -> String {
    let names: Vec<String> =
        kinds.iter().map(|kind| word(kind.as_str_name(), "LEDGER_ENTRY_KIND_")).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(" and ") }
}

fn state(state: OperationState) -> String {
    word(state.as_str_name(), "OPERATION_STATE_")
}

/// Compares a payment's sum with its captures or refunds that succeeded.
fn sum_up(
    check: &mut Check,
    payment: &Payment,
    what: &str,
    sum: Money,
    parts: &[Operation],
    in_flight: bool,
) {
    let mut difference = Sums::default();
    difference.add(sum);
    let done = |part: &&Operation| part.state == OperationState::Succeeded;
    parts.iter().filter(done).for_each(|part| difference.take(part.amount));
    for off in difference.not_zero() {
        let at = format!("{} of {}, {what}", payment.id, payment.order);
        check.note(at, "the sum of what succeeded", format!("{sum}, off by {off}"), in_flight);
    }
}

/// `ledger.orders`: what the ledger says was captured less refunded for an order is what its lines say, and its total is
/// the sum of its lines.
pub fn orders(books: &Books) -> Check {
    let mut check = Check::new("ledger.orders");
    let mut nets: HashMap<(OrderId, Currency), i128> = HashMap::with_capacity(books.orders.len());
    for entry in &books.ledger.entries {
        for amount in entry.net() {
            *nets.entry((entry.order, amount.currency)).or_insert(0) += i128::from(amount.minor);
        }
    }
    for order in &books.orders {
        check.examined += 1;
        let expected = order.expected_net;
        let net = nets.remove(&(order.id, expected.currency)).unwrap_or(0);
        // What is captured of an order that is being cancelled is owed until it is given back, however long the provider refuses.
        let is_owed =
            order.state == OrderState::Cancelling && (0..=i128::from(order.total.minor)).contains(&net);
        if net != i128::from(expected.minor) && !is_owed {
            let at = format!("{}, captured less refunded", order.id);
            check.note(at, expected.to_string(), minor(net, expected.currency), order.open);
        }
        if order.lines_total != Some(order.total) {
            let lines =
                order.lines_total.map_or_else(|| "lines that do not sum".to_owned(), |sum| sum.to_string());
            check.violated(format!("{}, total", order.id), lines, order.total.to_string());
        }
    }
    let open = books.open_orders();
    let mut strays: Vec<_> = nets.into_iter().filter(|(_, net)| *net != 0).collect();
    strays.sort_unstable();
    for ((order, currency), net) in strays {
        let at = format!("{order}, captured less refunded");
        check.note(at, format!("nothing in {currency}"), minor(net, currency), open.contains(&order));
    }
    check
}

fn minor(sum: i128, currency: Currency) -> String {
    i64::try_from(sum).map_or_else(
        |_| format!("{sum} {currency} in minor units"),
        |sum| Money::new(sum, currency).to_string(),
    )
}

fn entry_at(entry: &Entry) -> String {
    format!("ledger entry {}", entry.id)
}

fn chain_at(position: i64) -> String {
    format!("ledger position {position}")
}

fn chain_between(first: i64, last: i64) -> String {
    match first.cmp(&last) {
        std::cmp::Ordering::Less => format!("ledger positions {first} to {last}"),
        _ => chain_at(first),
    }
}
