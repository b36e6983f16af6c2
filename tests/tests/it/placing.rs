//! Buying, and what may go wrong with it.

use contract::souk::order::v1::OrderState;
use kernel::Code;
use tests::World;

#[tokio::test(start_paused = true)]
async fn a_guest_buys_and_the_stock_is_sold() {
    let world = World::start(1).await;
    world.sells("bowl", 1250, 3).await;
    let order = world.guest(1).buys("bowl", 2, "pm_card_visa").await.expect("placed");
    assert_eq!(order.state(), OrderState::Confirmed);
    let units = world.units().await;
    assert_eq!((units.received, units.sold, units.on_hand, units.held), (3, 2, 1, 0));
    assert!(world.guest(1).sees(&order.id).await.is_ok());
    let others = world.guest(2).sees(&order.id).await.expect_err("not theirs");
    assert_eq!(others.code(), Code::NotFound);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_not_sold() {
    let world = World::start(2).await;
    world.sells("lamp", 9900, 1).await;
    let refused = world.customer(1).buys("lamp", 2, "pm_card_visa").await.expect_err("one lamp only");
    assert_eq!((refused.code(), refused.reason()), (Code::FailedPrecondition, "OUT_OF_STOCK"));
    assert!(
        refused.metadata().contains_key("order_id") && refused.metadata()["shortages"].contains("lamp"),
        "{refused:?}"
    );
    let units = world.units().await;
    assert_eq!((units.on_hand, units.held, units.sold), (1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_declined_card_leaves_nothing_behind() {
    let world = World::start(3).await;
    world.sells("mug", 900, 5).await;
    let refused = world.customer(1).buys("mug", 1, "pm_card_chargeDeclined").await.expect_err("declined");
    assert_eq!((refused.code(), refused.reason()), (Code::FailedPrecondition, "PAYMENT_DECLINED"));
    let units = world.units().await;
    assert_eq!((units.on_hand, units.held, units.sold), (5, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_quote_is_placed_once_whatever_the_keys() {
    let world = World::start(4).await;
    world.sells("tray", 2000, 10).await;
    let buyer = world.customer(1);
    buyer.adds("tray", 1).await.expect("added");
    let quote = buyer.quotes().await.expect("quoted");
    let key = world.request_id();
    let order = buyer.places(&key, &quote.quote_token, "pm_card_visa").await.expect("placed");
    let again = buyer.places(&key, &quote.quote_token, "pm_card_visa").await.expect("shown again");
    assert_eq!(order.id, again.id);
    let other = buyer
        .places(&world.request_id(), &quote.quote_token, "pm_card_visa")
        .await
        .expect_err("placed already");
    assert_eq!(
        (other.reason(), other.metadata()["order_id"].as_str()),
        ("QUOTE_ALREADY_PLACED", order.id.as_str())
    );
    let stolen = world
        .customer(2)
        .places(&world.request_id(), &quote.quote_token, "pm_card_visa")
        .await
        .expect_err("not theirs");
    assert!(matches!(stolen.code(), Code::NotFound | Code::PermissionDenied), "{stolen:?}");
    assert_eq!(world.units().await.sold, 1);
}
