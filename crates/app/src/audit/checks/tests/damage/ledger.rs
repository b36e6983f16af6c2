//! Damage to the ledger and to payments.

use contract::souk::order::v1::OrderState;
use contract::souk::payment::v1::{LedgerEntryKind, OperationState};
use kernel::{Currency, Money, OrderId, Timestamp};

use super::super::maker::books;
use super::{Kind, entry, finds, order, payment};
use crate::audit::books::{Books, Entry, Seal};

#[test]
fn a_posting_that_was_changed() {
    finds(
        |books| books.ledger.entries[0].postings[0].1.minor += 1,
        &[
            ("ledger.balanced", "ledger entry led_00000000000000000000000000"),
            ("ledger.balanced", "all postings in GBP"),
            ("ledger.sealed", "ledger entry led_00000000000000000000000000 (ledger position 1)"),
            ("ledger.operations", "led_00000000000000000000000000"),
            ("ledger.orders", &order(Kind::Paid)),
        ],
    );
}

#[test]
fn a_posting_that_was_removed() {
    finds(
        |books| _ = books.ledger.entries[0].postings.pop(),
        &[
            ("ledger.balanced", "led_00000000000000000000000000"),
            ("ledger.balanced", "led_00000000000000000000000000"),
            ("ledger.balanced", "all postings in GBP"),
            ("ledger.sealed", "led_00000000000000000000000000"),
        ],
    );
}

#[test]
fn an_entry_rewritten_after_it_was_sealed() {
    finds(
        |books| books.ledger.entries[1].postings[1].0 = "somewhere".into(),
        &[("ledger.sealed", "led_00000000000000000000000001")],
    );
    finds(
        |books| books.ledger.entries[1].time = Timestamp::from_secs(5),
        &[("ledger.sealed", "led_00000000000000000000000001 (ledger position 2)")],
    );
}

#[test]
fn an_entry_that_was_removed() {
    let cancelled = order(Kind::RefundedTwice);
    finds(
        |books| _ = books.ledger.entries.remove(3),
        &[
            ("ledger.sealed", "ledger position 4"),
            ("ledger.operations", "cap_"),
            ("ledger.orders", &cancelled),
        ],
    );
}

#[test]
fn a_link_that_was_changed_or_removed() {
    let link = |books: &mut Books, n: usize, f: fn(&mut Seal)| {
        f(books.ledger.entries[n].seal.as_mut().expect("sealed"));
    };
    finds(
        |books| link(books, 2, |seal| seal.previous = [7; 32]),
        &[("ledger.sealed", "ledger position 3 (led_"), ("ledger.sealed", "ledger entry led_")],
    );
    finds(
        |books| link(books, 2, |seal| seal.hash = [7; 32]),
        &[
            ("ledger.sealed", "ledger entry led_00000000000000000000000002"),
            ("ledger.sealed", "ledger position 4"),
        ],
    );
    finds(
        |books| books.ledger.entries[2].seal = None,
        &[("ledger.sealed", "ledger position 3"), ("ledger.sealed", "unsealed tail")],
    );
    finds(
        |books| link(books, 2, |seal| seal.position = 2),
        &[
            ("ledger.sealed", "ledger position 2"),
            ("ledger.sealed", "ledger position 2 (led_00000000000000000000000002)"),
            ("ledger.sealed", "ledger position 3"),
        ],
    );
    finds(|books| books.ledger.sealed += 2, &[("ledger.sealed", "ledger positions 8 to 9")]);
    finds(|books| books.ledger.unsealed += 1, &[("ledger.sealed", "ledger, unsealed tail")]);
}

#[test]
fn a_movement_of_money_booked_wrong() {
    finds(
        |books| {
            let again = entry(books, LedgerEntryKind::Capture).clone();
            books.ledger.entries.push(Entry { id: "led_again".into(), seal: None, ..again });
            books.ledger.unsealed += 1;
        },
        &[("ledger.operations", "cap_"), ("ledger.orders", &order(Kind::Paid))],
    );
    finds(
        |books| {
            let again = entry(books, LedgerEntryKind::Capture).clone();
            let stray = Entry {
                id: "led_stray".into(),
                operation: "cap_none".into(),
                order: OrderId::from_bits(5),
                seal: None,
                ..again
            };
            books.ledger.entries.push(stray);
            books.ledger.unsealed += 1;
        },
        &[
            ("ledger.operations", "ledger entry led_stray of cap_none"),
            ("ledger.orders", &OrderId::from_bits(5).to_string()),
        ],
    );
    finds(|books| books.payments[0].captured.minor -= 1, &[("ledger.operations", "captured")]);
    finds(|books| payment(books, Kind::Refunded).refunded.minor = 0, &[("ledger.operations", "refunded")]);
    finds(
        |books| books.payments[0].captures[0].state = OperationState::Failed,
        &[
            ("ledger.operations", "cap_"),
            ("ledger.operations", "captured"),
            ("provider.agrees", "capture cap_"),
        ],
    );
}

#[test]
fn an_order_whose_money_is_not_what_its_lines_say() {
    let paid = order(Kind::Paid);
    finds(
        |books| books.orders[0].lines_total = Some(Money::new(7, Currency::GBP)),
        &[("ledger.orders", &paid)],
    );
    finds(|books| books.orders[0].lines_total = None, &[("ledger.orders", &paid)]);
    finds(
        |books| {
            books.orders[0].total.minor += 1;
            books.orders[0].expected_net.minor += 1;
        },
        &[
            ("ledger.orders", &format!("{paid}, captured less refunded")),
            ("ledger.orders", &format!("{paid}, total")),
            ("orders.invoices", "invoice souk-0000000001"),
            ("client.remembers", &paid),
        ],
    );
}

#[test]
fn a_cancelled_order_owes_what_was_captured_until_it_is_given_back() {
    let mut books = books(&[Kind::Paid]);
    books.orders[0].expected_net.minor = 0;
    books.orders[0].state = OrderState::Cancelling;
    assert_eq!(crate::audit::checks::ledger::orders(&books).violations, []);
    books.orders[0].state = OrderState::Cancelled;
    assert_eq!(crate::audit::checks::ledger::orders(&books).violations.len(), 1);
}
