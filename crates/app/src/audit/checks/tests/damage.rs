//! Every kind of damage, one at a time.

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

/// Damages good books: these checks, and no others, name these rows, and nothing else.
fn finds(damage: impl FnOnce(&mut Books), expected: &[(&str, &str)]) {
    let mut books = good();
    damage(&mut books);
    let mut found: Vec<(&str, String)> = Vec::new();
    for check in all(&books) {
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
