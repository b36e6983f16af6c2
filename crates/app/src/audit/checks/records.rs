//! What services find wrong with their own rows: they have the keys and the rules, the audit has the list.

use super::Check;
use crate::audit::books::Books;

/// How many rows a check looks at.
type Count = fn(&Books) -> usize;

/// The checks that services answer for, with the rows that each looks at.
const NAMES: &[(&str, Count)] = &[
    ("orders.sealed", |books| books.orders.len()),
    ("orders.quotes", |books| books.orders.len()),
    ("orders.history", |books| books.orders.len()),
    ("orders.states", |books| books.orders.len()),
    ("payments.sealed", |books| books.payments.len()),
    ("payments.states", |books| books.payments.len()),
];

/// `orders.sealed`: every row of an order has the seal that its content makes, and no row is without its order.
pub fn order_seals(books: &Books) -> Check {
    told(books, 0)
}

/// `orders.quotes`: a frozen quote comes to what its prices, quantities, rates and rounding say, and its order repeats it.
pub fn order_quotes(books: &Books) -> Check {
    told(books, 1)
}

/// `orders.history`: a history begins with the creation, goes on by steps that are allowed, and ends where the order stands.
pub fn order_history(books: &Books) -> Check {
    told(books, 2)
}

/// `orders.states`: the parts of an order fit its state, and none that is not at rest is past its limit.
pub fn order_states(books: &Books) -> Check {
    told(books, 3)
}

/// `payments.sealed`: every row of a payment has the seal that its content makes, and no row is without its payment.
pub fn payment_seals(books: &Books) -> Check {
    told(books, 4)
}

/// `payments.states`: a payment, its attempts and its operations fit each other, and its sums are theirs. Findings of a check
/// that this release does not know are told here.
pub fn payment_states(books: &Books) -> Check {
    told(books, 5)
}

fn told(books: &Books, number: usize) -> Check {
    let (name, examined) = NAMES[number];
    let mut check = Check::new(name);
    check.examined = examined(books) as u64;
    let last = number + 1 == NAMES.len();
    let unknown = |finding: &str| last && !NAMES.iter().any(|(known, _)| *known == finding);
    for finding in &books.findings {
        if *finding.check == *name || unknown(&finding.check) {
            check.note(
                finding.row.clone(),
                finding.expected.clone(),
                finding.found.clone(),
                finding.in_flight,
            );
        }
    }
    check
}
