//! The worker is killed, and answers are lost, at every step: the books are the same as without.

use std::time::Duration;

use chassis::testing::START;
use contract::souk::order::v1::*;
use kernel::Error;
use mesh::{Effect, FaultRule};

use super::fakes::Books;
use super::shop::{Shop, Wanted, buyer, operator};

/// A shop whose people have a minute, and whose holds must be renewed within it.
async fn hasty(seed: u64) -> Shop {
    let shop = Shop::open_with(seed, |builder| builder.set("action_limit_seconds", 60)).await;
    shop.world.hold_until(START.plus(Duration::from_secs(130)));
    shop
}

/// A life of an order, up to its rest.
#[derive(Clone, Copy, Debug)]
enum Story {
    Bought,
    Declined,
    Challenged,
    Forgotten,
    Cancelled,
}

const STORIES: [Story; 5] =
    [Story::Bought, Story::Declined, Story::Challenged, Story::Forgotten, Story::Cancelled];

/// Runs in a runtime of its own, whose virtual time ends with it, so that one shop's timers do not run on beside the next one's.
fn alone<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime")
        .block_on(future)
}

/// Plays a story and gives the state the order ends in, and the books.
async fn play(shop: &Shop, story: Story) -> (OrderState, Books) {
    let method = match story {
        Story::Bought | Story::Cancelled => "pm_card_visa",
        Story::Declined => "pm_card_chargeDeclined",
        Story::Challenged | Story::Forgotten => "pm_card_authenticationRequired",
    };
    let request = shop.request(&Wanted::default(), method);
    let answer = shop.send(buyer(), request.clone()).await;
    let order_id = match answer.map_err(|error| Error::metadata(&error).get("order_id").cloned()) {
        Ok(order) => order.id,
        Err(Some(order_id)) => order_id,
        Err(None) => shop.audit().await[0].order_id.clone(),
    };
    match story {
        Story::Bought | Story::Declined => {}
        Story::Challenged => {
            shop.harness.advance(Duration::from_secs(20)).await;
            shop.world.challenge(&order_id, true);
        }
        Story::Forgotten => shop.harness.advance(Duration::from_secs(70)).await,
        Story::Cancelled => {
            shop.quiet().await;
            let request = CancelOrderRequest {
                request_id: shop.name(),
                order_id: order_id.clone(),
                note: String::new(),
            };
            // Killed on the way, it answers with the order as it stands when its time is over.
            let _ = shop.client(operator()).cancel_order(request).await;
        }
    }
    shop.quiet().await;
    (shop.get(&order_id).await.state(), shop.world.books())
}

#[test]
fn a_kill_at_any_point_changes_nothing_in_the_books() {
    let mut passed = std::collections::BTreeSet::new();
    for story in STORIES {
        let expected = alone(async { play(&hasty(40).await, story).await });
        for point in svc_order::FAULT_POINTS {
            alone(async {
                let shop = hasty(41).await;
                shop.harness.faults().kill_at(point, 2);
                assert_eq!(play(&shop, story).await, expected, "{story:?} killed at {point}");
                if shop.harness.faults().killed(point) > 0 {
                    passed.insert(*point);
                }
            });
        }
    }
    // What runs beside others is recorded under the first of them.
    let shared = ["order.saga.ship.before_record", "order.saga.cart.before_record"];
    let missed: Vec<_> = svc_order::FAULT_POINTS
        .iter()
        .filter(|point| !passed.contains(*point) && !shared.contains(point))
        .collect();
    assert!(missed.is_empty(), "no story passes {missed:?}");
}

#[test]
fn lost_and_doubled_answers_change_nothing_in_the_books() {
    for story in STORIES {
        let expected = alone(async { play(&hasty(42).await, story).await });
        for effect in [Effect::DropAnswer, Effect::Abort, Effect::Duplicate] {
            for service in
                ["inventory.v1.Inventory", "payment.v1.Payment", "shipping.v1.Shipping", "cart.v1.Cart"]
            {
                alone(async {
                    let shop = hasty(43).await;
                    let rule = FaultRule {
                        method: format!("/souk.{service}Service/"),
                        caller: None,
                        per_million: 1_000_000,
                        effect: effect.clone(),
                        until: tokio::time::Instant::now() + Duration::from_secs(24 * 3600),
                        times: Some(7),
                    };
                    shop.harness.faults().add(rule).expect("a rule");
                    assert_eq!(play(&shop, story).await, expected, "{story:?} with {effect:?} at {service}");
                });
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_leaves_does_not_stop_the_order() {
    let shop = Shop::open(44).await;
    let rule = FaultRule {
        method: "/souk.payment.v1.PaymentService/AuthorizePayment".to_owned(),
        caller: None,
        per_million: 1_000_000,
        effect: Effect::Delay(Duration::from_secs(5)),
        until: tokio::time::Instant::now() + Duration::from_secs(3600),
        times: Some(1),
    };
    shop.harness.faults().add(rule).expect("a rule");
    let request = shop.request(&Wanted::default(), "pm_card_visa");
    let left = tokio::time::timeout(Duration::from_secs(1), shop.send(buyer(), request.clone())).await;
    assert!(left.is_err(), "the caller left before the answer");
    shop.quiet().await;
    let replay = shop.send(buyer(), request).await.expect("the order as it stands");
    assert_eq!(replay.state(), OrderState::Confirmed);
    assert_eq!(shop.world.books().captured_net, 1000);
}

#[tokio::test(start_paused = true)]
async fn placing_is_given_up_when_a_service_stays_away() {
    let shop = Shop::open(45).await;
    let away = |service: &str| FaultRule {
        method: format!("/souk.{service}/"),
        caller: None,
        per_million: 1_000_000,
        effect: Effect::Abort,
        until: tokio::time::Instant::now() + Duration::from_secs(700),
        times: None,
    };
    shop.harness.faults().add(away("payment.v1.PaymentService")).expect("a rule");
    let waiting = shop.place("pm_card_visa").await.expect("the order as it stands at the deadline");
    assert_eq!(waiting.state(), OrderState::Pending);
    shop.harness.advance(Duration::from_secs(700)).await;
    shop.quiet().await;
    let failed = shop.get(&waiting.id).await;
    assert_eq!(
        (failed.state(), failed.ending.expect("why").reason.as_str()),
        (OrderState::Failed, "PLACING_TIMED_OUT")
    );
    assert_eq!((shop.world.books().held, shop.world.books().authorized), (0, 0));
}
