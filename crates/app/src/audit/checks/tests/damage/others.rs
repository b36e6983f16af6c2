//! Damage to outboxes, to the provider's books, and to what a client remembers.

use contract::souk::payment::v1::AttemptState;
use contract::souk::testpay::v1::{AuthorizationState, RefundState};
use kernel::OrderId;

use super::{Kind, at, finds, good, order};
use crate::audit::books::{Books, Remembered, Unreadable};
use crate::audit::checks::all;

#[test]
fn events_that_are_missing_unread_or_set_aside() {
    finds(
        |books| {
            books.streams[0].gaps = vec![17];
            books.streams[0].count -= 1;
        },
        &[("events.gap_free", "outbox of order, sequence 17")],
    );
    finds(|books| books.streams[0].count -= 1, &[("events.gap_free", "outbox of order")]);
    let consumer = "consumer order-payments of order, reading payment";
    finds(|books| books.consumers[0].position.sequence = 4, &[("events.caught_up", consumer)]);
    finds(|books| books.consumers[0].position.sequence = 10, &[("events.caught_up", consumer)]);
    finds(|books| books.consumers[0].position.epoch = 3, &[("events.caught_up", consumer)]);
    finds(|books| books.consumers[0].source = "nobody".into(), &[("events.caught_up", "reading nobody")]);
    finds(
        |books| books.consumers[0].parked = vec!["pay_1".into()],
        &[("events.parked", "pay_1 at consumer order-payments of order")],
    );
}

#[test]
fn a_provider_that_does_not_agree() {
    let paid = order(Kind::Paid);
    finds(|books| _ = books.provider.authorizations.remove(0), &[("provider.agrees", &format!("of {paid}"))]);
    finds(|books| _ = books.provider.captures.remove(0), &[("provider.agrees", &format!("of {paid}"))]);
    finds(|books| _ = books.provider.refunds.remove(0), &[("provider.agrees", "refund ref_")]);
    finds(|books| books.provider.authorizations[0].amount.minor += 1, &[("provider.agrees", &paid)]);
    finds(|books| books.provider.captures[0].amount.minor += 1, &[("provider.agrees", &paid)]);
    finds(
        |books| books.provider.authorizations[0].state = AuthorizationState::Voided,
        &[("provider.agrees", &paid)],
    );
    finds(|books| books.provider.authorizations[0].payment = "pay_x".into(), &[("provider.agrees", &paid)]);
    finds(|books| books.provider.captures[0].authorization = "tpa_x".into(), &[("provider.agrees", &paid)]);
    finds(
        |books| books.payments[0].attempts[0].reference = "tpa_x".into(),
        &[("provider.agrees", &paid), ("provider.agrees", &paid)],
    );
    finds(
        |books| books.provider.refunds[0].state = RefundState::Failed,
        &[("provider.agrees", "refund ref_")],
    );
    finds(|books| books.payments[0].attempts[0].state = AttemptState::Unknown, &[("provider.agrees", &paid)]);
    finds(
        |books| {
            let mut stray = books.provider.authorizations[0].clone();
            stray.key = "pay_unknown:1".into();
            books.provider.authorizations.push(stray);
        },
        &[("provider.agrees", "pay_unknown:1")],
    );
    finds(
        |books| {
            let again = books.provider.captures[0].clone();
            books.provider.captures.push(again);
        },
        &[("provider.agrees", "capture cap_")],
    );
}

#[test]
fn an_order_that_the_client_remembers_otherwise() {
    let remembered = |books: &mut Books, minor: i64, of: OrderId| {
        let told = Remembered { order: of, minor_units: minor };
        books.remembered = Some(vec![told]);
    };
    let (paid, gone) = (good().orders[0].id, OrderId::from_bits(77));
    finds(|books| remembered(books, 1, paid), &[("client.remembers", &paid.to_string())]);
    finds(|books| remembered(books, 1, gone), &[("client.remembers", &gone.to_string())]);
    let cancelled = good().orders[at(Kind::Refunded)].clone();
    finds(
        |books| remembered(books, cancelled.total.minor, cancelled.id),
        &[("client.remembers", &cancelled.id.to_string())],
    );
}

#[test]
fn rows_that_a_service_cannot_read() {
    finds(
        |books| {
            books.orders.clear();
            books.unreadable = vec![Unreadable { check: "orders.readable", told: "list_for_audit".into() }];
        },
        &[("orders.readable", "list_for_audit")],
    );
}

#[test]
fn what_belongs_to_an_open_order_may_settle() {
    let mut books = good();
    let paid = &mut books.orders[0];
    (paid.open, paid.live, paid.captured) = (true, true, false);
    books.ledger.entries[0].order = OrderId::from_bits(1);
    let found: Vec<_> = all(&books).into_iter().filter(|check| check.name == "ledger.orders").collect();
    let at = good().orders[0].id.to_string();
    let own =
        found[0].violations.iter().find(|violation| violation.at.contains(&at)).expect("not captured yet");
    assert!(own.in_flight, "{own:?}");
    assert!(
        all(&books).iter().all(|check| check.name != "orders.captured" || check.holds()),
        "it is running"
    );
}
