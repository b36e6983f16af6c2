//! Many at once.

use std::collections::BTreeMap;

use contract::souk::inventory::v1::HoldState;
use tokio::task::JoinSet;

use crate::shop::{Desk, Shop, hold};

/// Buyers who ask at the same time.
const AT_ONCE: u128 = 500;

/// Lets so many buyers hold one unit each of `a`; says how each ended.
pub async fn rush(desk: &Desk, buyers: u128) -> BTreeMap<String, u128> {
    let mut ends: BTreeMap<String, u128> = BTreeMap::new();
    let mut next = 1;
    while next <= buyers {
        let mut crowd = JoinSet::new();
        for order in next..(next + AT_ONCE).min(buyers + 1) {
            let mut client = desk.order.clone();
            crowd.spawn(async move {
                client.create_hold(hold(order, &[("a", 1)])).await.map_err(contract::error)
            });
        }
        next += AT_ONCE;
        while let Some(end) = crowd.join_next().await {
            let end = match end.expect("no panic") {
                Ok(_) => "held".to_owned(),
                Err(error) => error.reason().to_owned(),
            };
            *ends.entry(end).or_default() += 1;
        }
    }
    ends
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_buyers_of_one_unit() {
    let shop = Shop::with(&[("a", 1)]).await;
    let ends = rush(&shop, 10_000).await;
    assert_eq!(ends, BTreeMap::from([("held".to_owned(), 1), ("OUT_OF_STOCK".to_owned(), 9_999)]));
    assert_eq!(shop.counter("a").await, (0, 1));
}

#[tokio::test(start_paused = true)]
async fn two_hundred_buyers_of_ten_units() {
    let shop = Shop::with(&[("a", 10)]).await;
    let ends = rush(&shop, 200).await;
    assert_eq!(ends, BTreeMap::from([("held".to_owned(), 10), ("OUT_OF_STOCK".to_owned(), 190)]));
    assert_eq!(shop.counter("a").await, (0, 10));
}

#[tokio::test(start_paused = true)]
async fn the_same_order_asked_for_by_many_is_held_once() {
    let shop = Shop::with(&[("a", 50)]).await;
    let mut crowd = JoinSet::new();
    for _ in 0..50 {
        let mut client = shop.order.clone();
        crowd.spawn(async move {
            client.create_hold(hold(1, &[("a", 1)])).await.expect("the same hold").into_inner().hold
        });
    }
    let holds = crowd.join_all().await;
    assert!(holds.iter().all(|hold| hold == &holds[0]));
    assert_eq!(shop.counter("a").await, (49, 1));
}

#[tokio::test(start_paused = true)]
async fn commit_release_and_release_at_once_move_stock_once() {
    let shop = std::sync::Arc::new(Shop::with(&[("a", 100)]).await);
    for order in 1..=100 {
        shop.hold(order, &[("a", 1)]).await.expect("held");
    }
    let mut crowd = JoinSet::new();
    for order in 1..=100 {
        for who in 0..3 {
            let shop = shop.clone();
            crowd.spawn(async move {
                if (order + who) % 3 == 0 { shop.commit(order).await } else { shop.release(order).await }
            });
        }
    }
    crowd.join_all().await;
    let mut sold = 0;
    for order in 1..=100 {
        match shop.state(order).await {
            HoldState::Committed => sold += 1,
            HoldState::Released => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(shop.counter("a").await, (100 - sold, 0));
}
