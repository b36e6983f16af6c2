//! Orders that wait for people, and people who change their minds.

use std::time::Duration;

use contract::souk::order::v1::*;
use tokio_stream::StreamExt;

use super::fakes::Books;
use super::shop::{Shop, Wanted, buyer, operator};

fn untouched() -> Books {
    Books { on_hand: [("red".to_owned(), 1000), ("blue".to_owned(), 1000)].into(), ..Books::default() }
}

#[tokio::test(start_paused = true)]
async fn a_challenge_that_is_passed_confirms_the_order() {
    let shop = Shop::open(20).await;
    let order = shop.place("pm_card_authenticationRequired").await.expect("waits");
    assert_eq!(order.state(), OrderState::ActionRequired);
    let action = order.next_action.expect("what to do");
    assert_eq!((action.url.as_str(), action.challenge_id.as_str()), ("https://bank.example", "challenge"));
    let request = WatchOrderRequest { order_id: order.id.clone() };
    let mut changes = shop.client(buyer()).watch_order(request).await.expect("a stream").into_inner();
    let first = changes.next().await.expect("at once").expect("an order").order.expect("it");
    assert_eq!(first.state(), OrderState::ActionRequired);
    // A quarter of an hour and more: the hold is renewed on the way.
    shop.harness.advance(Duration::from_secs(1200)).await;
    shop.world.challenge(&order.id, true);
    let mut last = first;
    while let Some(change) = changes.next().await {
        last = change.expect("an order").order.expect("it");
    }
    assert_eq!(last.state(), OrderState::Confirmed, "the stream ends when the order is at rest");
    shop.quiet().await;
    assert_eq!((shop.world.books().captured_net, shop.world.books().sold), (1000, 3));
}

#[tokio::test(start_paused = true)]
async fn a_challenge_that_is_failed_or_forgotten_undoes_the_order() {
    let shop = Shop::open(21).await;
    let failed = shop.place("pm_card_authenticationRequired").await.expect("waits");
    let forgotten = shop.place("pm_card_authenticationRequired").await.expect("waits");
    shop.world.challenge(&failed.id, false);
    shop.harness.advance(Duration::from_secs(1900)).await;
    shop.quiet().await;
    let (failed, forgotten) = (shop.get(&failed.id).await, shop.get(&forgotten.id).await);
    assert_eq!(
        (failed.state(), failed.ending.expect("why").reason.as_str()),
        (OrderState::Failed, "PAYMENT_DECLINED")
    );
    assert_eq!(
        (forgotten.state(), forgotten.ending.expect("why").reason.as_str()),
        (OrderState::Failed, "ACTION_TIMED_OUT")
    );
    assert_eq!(shop.world.books(), untouched());
}

#[tokio::test(start_paused = true)]
async fn staff_approve_what_is_large_or_asked_for() {
    let above: toml::Table = [("GBP".to_owned(), toml::Value::Integer(999))].into_iter().collect();
    let shop = Shop::open_with(22, |builder| {
        builder.set("approval_above", toml::Value::Table(above)).set("approval_limit_seconds", 600)
    })
    .await;
    let order = shop.place("pm_card_visa").await.expect("waits");
    assert_eq!(order.state(), OrderState::AwaitingApproval);
    assert_eq!(shop.approve(&order.id).await.expect("approved").state(), OrderState::Confirmed);
    let small = Wanted { lines: vec![("red", 1, 100)], ..Wanted::default() };
    assert_eq!(
        shop.send(buyer(), shop.request(&small, "pm_card_visa")).await.expect("placed").state(),
        OrderState::Confirmed
    );
    let asked = PlaceOrderRequest { requires_approval: true, ..shop.request(&small, "pm_card_visa") };
    let order = shop.send(operator(), asked).await.expect("waits");
    assert_eq!((order.state(), order.placed_by), (OrderState::AwaitingApproval, operator().subject()));
    shop.harness.advance(Duration::from_secs(660)).await;
    shop.quiet().await;
    let ended = shop.get(&order.id).await;
    assert_eq!(
        (ended.state(), ended.ending.expect("why").reason.as_str()),
        (OrderState::Failed, "APPROVAL_TIMED_OUT")
    );
    let error = shop.approve(&order.id).await.expect_err("too late");
    assert_eq!(error.reason(), "NOT_AWAITING_APPROVAL");
}

#[tokio::test(start_paused = true)]
async fn cancelling_before_the_pivot_undoes_everything() {
    let shop = Shop::open(23).await;
    let order = shop.place("pm_card_authenticationRequired").await.expect("waits");
    let cancelled = shop.cancel(buyer(), &order.id).await.expect("cancelled");
    assert_eq!((cancelled.state(), cancelled.invoice_number.as_str()), (OrderState::Cancelled, ""));
    assert_eq!(shop.world.books(), untouched());
    assert_eq!(shop.cancel(buyer(), &order.id).await.expect("again").state(), OrderState::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn cancelling_after_capture_refunds_returns_and_credits() {
    let shop = Shop::open(24).await;
    let order = shop.place("pm_card_visa").await.expect("placed");
    shop.quiet().await;
    let cancelled = shop.cancel(buyer(), &order.id).await.expect("cancelled");
    assert_eq!(
        (cancelled.state(), cancelled.tenders[0].state()),
        (OrderState::Cancelled, TenderState::Refunded)
    );
    let rows = shop.quiet().await;
    assert_eq!(shop.world.books(), Books { carts_cleared: vec![1], ..untouched() });
    assert_eq!(
        (rows[0].invoice_number, rows[0].expected_net.as_ref().map(|net| net.minor_units)),
        (1, Some(0))
    );
    let credit = GetInvoiceRequest { order_id: order.id.clone(), kind: InvoiceKind::CreditNote.into() };
    let credit = shop
        .client(buyer())
        .get_invoice(credit)
        .await
        .expect("a credit note")
        .into_inner()
        .invoice
        .expect("it");
    assert_eq!((credit.display_number.as_str(), credit.total), ("souk-C-0000000001", order.total));
}

#[tokio::test(start_paused = true)]
async fn goods_that_have_left_cannot_be_cancelled() {
    let shop = Shop::open(25).await;
    let order = shop.place("pm_card_visa").await.expect("placed");
    shop.quiet().await;
    shop.world.goods_leave();
    let before = shop.world.books();
    let error = shop.cancel(buyer(), &order.id).await.expect_err("too late");
    assert_eq!((error.reason(), error.metadata().get("order_id")), ("ORDER_SHIPPED", Some(&order.id)));
    shop.quiet().await;
    assert_eq!((shop.get(&order.id).await.state(), shop.world.books()), (OrderState::Confirmed, before));
}

#[tokio::test(start_paused = true)]
async fn a_failed_order_is_not_cancelled_and_a_lost_hold_fails_the_order() {
    let shop = Shop::open(26).await;
    let error = shop.place("pm_card_chargeDeclined").await.expect_err("declined");
    let error = shop.cancel(buyer(), &error.metadata()["order_id"]).await.expect_err("nothing to cancel");
    assert_eq!(error.reason(), "ORDER_FAILED");
    let order = shop.place("pm_card_authenticationRequired").await.expect("waits");
    shop.world.expire_hold(&order.id);
    shop.world.challenge(&order.id, true);
    shop.harness.advance(Duration::from_secs(60)).await;
    shop.quiet().await;
    assert_eq!(shop.get(&order.id).await.ending.expect("why").reason, "HOLD_EXPIRED");
    assert_eq!(shop.world.books(), untouched());
}
