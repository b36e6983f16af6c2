//! Every kind of damage, one at a time.

mod contents;
mod grants;
mod ledger;
mod orders;
mod others;
mod rows;
mod stock;

use contract::souk::payment::v1::LedgerEntryKind;

use super::maker::{Kind, books};
use crate::audit::books::{Books, Entry, Payment};
use crate::audit::checks::all;

/// Where the first order of a kind stands.
fn at(kind: Kind) -> usize {
    Kind::ALL.iter().position(|other| *other == kind).expect("every kind is made")
}

/// Good books with an order of every kind, and one more that is paid.
fn good() -> Books {
    let mut kinds = Kind::ALL.to_vec();
    kinds.push(Kind::Paid);
    books(&kinds)
}

/// Checks of contents, which the damage of another check's tests may break as well. Their own tests name all of it.
const OF_CONTENTS: &[&str] = &[
    "orders.owners",
    "orders.tenders",
    "documents.orders",
    "documents.numbering",
    "documents.sealed",
    "ledger.accounts",
    "ledger.keyed",
    "provider.records",
];

/// Damages good books: these checks, and no others, name these rows, and nothing else; checks of contents that are not expected
/// may.
fn finds(damage: impl FnOnce(&mut Books), expected: &[(&str, &str)]) {
    let mut books = good();
    damage(&mut books);
    let mut found: Vec<(&str, String)> = Vec::new();
    for check in all(&books) {
        if OF_CONTENTS.contains(&check.name) && !expected.iter().any(|(name, _)| *name == check.name) {
            continue;
        }
        found.extend(check.violations.iter().map(|violation| (check.name, violation.at.clone())));
    }
    let fits = found.len() == expected.len()
        && found.iter().zip(expected).all(|((check, at), (name, part))| check == name && at.contains(part));
    assert!(fits, "expected {expected:#?}\nfound {found:#?}");
}

fn order(kind: Kind) -> String {
    good().orders[at(kind)].id.to_string()
}

fn payment(books: &mut Books, kind: Kind) -> &mut Payment {
    let of = books.orders[at(kind)].id;
    books.payments.iter_mut().find(|payment| payment.order == of).expect("a payment")
}

fn entry(books: &mut Books, kind: LedgerEntryKind) -> &mut Entry {
    books.ledger.entries.iter_mut().find(|entry| entry.kind == kind).expect("an entry")
}
