//! Many at once.

use std::sync::Arc;

use kernel::Code;
use tests::World;

/// Buyers of the one unit.
const BUYERS: u128 = 10_000;
/// Buyers at the till at once.
const AT_ONCE: usize = 256;

#[tokio::test(start_paused = true)]
async fn ten_thousand_want_one_lamp_and_one_gets_it() {
    let world = Arc::new(World::start(41).await);
    world.sells("lamp", 9900, 1).await;
    let tills = Arc::new(tokio::sync::Semaphore::new(AT_ONCE));
    let mut buyers = tokio::task::JoinSet::new();
    for number in 1..=BUYERS {
        let (world, tills) = (world.clone(), tills.clone());
        buyers.spawn(async move {
            let _till = tills.acquire().await.expect("open");
            world.guest(number).buys("lamp", 1, "pm_card_visa").await
        });
    }
    let (mut bought, mut told) = (0, 0);
    while let Some(outcome) = buyers.join_next().await {
        match outcome.expect("no buyer panics") {
            Ok(_) => bought += 1,
            Err(error) => {
                assert_eq!(
                    (error.code(), error.reason()),
                    (Code::FailedPrecondition, "OUT_OF_STOCK"),
                    "{error:?}"
                );
                told += 1;
            }
        }
    }
    assert_eq!((bought, told), (1, BUYERS - 1));
    let units = world.units().await;
    assert_eq!((units.sold, units.on_hand, units.held), (1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn the_same_final_click_twice_is_one_order() {
    let world = World::start(42).await;
    world.sells("mug", 900, 100).await;
    for number in 1..=20 {
        let buyer = world.customer(number);
        buyer.adds("mug", 1).await.expect("added");
        let quote = buyer.quotes().await.expect("quoted");
        let key = world.request_id();
        let (one, two) = tokio::join!(
            buyer.places(&key, &quote.quote_token, "pm_card_visa"),
            buyer.places(&key, &quote.quote_token, "pm_card_visa")
        );
        let ids: Vec<_> = [one, two].into_iter().filter_map(Result::ok).map(|order| order.id).collect();
        assert!(!ids.is_empty() && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    }
    assert_eq!(world.units().await.sold, 20);
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_leaves_still_gets_the_order() {
    let world = World::start(43).await;
    world.sells("tray", 2000, 5).await;
    let buyer = world.customer(1);
    buyer.adds("tray", 1).await.expect("added");
    let quote = buyer.quotes().await.expect("quoted");
    let key = world.request_id();
    let impatient = buyer.places(&key, &quote.quote_token, "pm_card_slow");
    let left = tokio::time::timeout(std::time::Duration::from_millis(500), impatient).await;
    assert!(left.is_err(), "a slow bank takes longer");
    world.passes(std::time::Duration::from_secs(10)).await;
    let order =
        buyer.places(&key, &quote.quote_token, "pm_card_slow").await.expect("it went on without them");
    assert!(!order.invoice_number.is_empty());
    assert_eq!(world.units().await.sold, 1);
}
