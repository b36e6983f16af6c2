//! The ledger tells the whole story of the counters, whatever happened.

use std::time::Duration;

use contract::souk::inventory::v1::*;
use contract::souk::r#type::v1::PageRequest;
use tokio::task::JoinSet;

use crate::shop::{Desk, Shop, receipt};

/// A small generator, so that the story is the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

const SKUS: [&str; 4] = ["a", "A", "b", "c d"];

/// One buyer's or worker's afternoon.
pub async fn afternoon(shop: Desk, seed: u64) {
    let mut dice = Dice(seed);
    for turn in 0..25 {
        let order = u128::from(dice.roll(60)) + 1;
        let sku = SKUS[usize::try_from(dice.roll(4)).expect("small")];
        let units = i64::try_from(dice.roll(4)).expect("small") + 1;
        match dice.roll(8) {
            0..=2 => drop(shop.hold(order, &[(sku, units), (SKUS[0], 1)]).await),
            3 => drop(shop.commit(order).await),
            4 => drop(shop.release(order).await),
            5 => drop(shop.give_back(order).await),
            6 => {
                let lines = vec![receipt(sku, units, &format!("{seed}-{turn}"))];
                let request = ReceiveStockRequest { request_id: format!("{seed}-{turn}"), lines };
                shop.staff.clone().receive_stock(request).await.expect("received");
            }
            _ => {
                let request = AdjustStockRequest {
                    request_id: format!("{seed}-{turn}"),
                    sku: sku.into(),
                    change: -1,
                    reason: AdjustmentReason::WriteOff.into(),
                    ..Default::default()
                };
                drop(shop.staff.clone().adjust_stock(request).await);
            }
        }
    }
}

pub async fn movements(shop: &Desk, sku: &str, limit: i32) -> Vec<Movement> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = Some(PageRequest { limit: 0, cursor });
        let request = ListMovementsRequest { page, limit, sku: sku.into() };
        let response = shop.staff.clone().list_movements(request).await.expect("listed").into_inner();
        all.extend(response.movements);
        cursor = response.page.expect("a page").next_cursor;
        if cursor.is_empty() {
            return all;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn after_any_afternoon_the_ledger_adds_up_to_the_counters() {
    for seed in 1..=4 {
        let shop = Shop::with(&[("a", 30), ("A", 7), ("b", 20), ("c d", 40)]).await;
        let mut crowd = JoinSet::new();
        for buyer in 0..16 {
            crowd.spawn(afternoon(shop.desk.clone(), seed * 100 + buyer));
        }
        crowd.join_all().await;
        if seed % 2 == 0 {
            shop.harness.advance(Duration::from_secs(902)).await;
        }
        let balances = shop.balances().await;
        assert_eq!(balances.len(), 4);
        let held: i64 = balances.iter().map(|balance| balance.held).sum();
        if seed % 2 == 0 {
            assert_eq!(held, 0, "everything that was not sold has expired");
        }
        chained(&movements(&shop, "", 1000).await, &balances);
        let totals = shop
            .staff
            .clone()
            .get_totals(GetTotalsRequest {})
            .await
            .expect("added up")
            .into_inner()
            .totals
            .expect("totals");
        let sum = |of: fn(&SkuBalance) -> i64| balances.iter().map(of).sum::<i64>();
        assert_eq!(
            (totals.received, totals.sold, totals.returned),
            (sum(|b| b.received), sum(|b| b.sold), sum(|b| b.returned))
        );
        assert_eq!(
            (totals.written_off, totals.on_hand, totals.held),
            (sum(|b| b.written_off), sum(|b| b.on_hand), held)
        );
        assert_eq!((totals.counters, totals.movements), (4, sum(|b| b.movements)));
    }
}

/// Every movement follows from the one before it, and the last one is the counter.
pub fn chained(movements: &[Movement], balances: &[SkuBalance]) {
    for balance in balances {
        let own = movements.iter().filter(|m| m.sku == balance.sku && m.location == balance.location);
        let (mut number, mut on_hand, mut held) = (0, 0, 0);
        for movement in own {
            number += 1;
            let units = movement.quantity;
            let (more_on_hand, more_held) = match movement.kind() {
                MovementKind::Received | MovementKind::Returned | MovementKind::Adjusted => (units, 0),
                MovementKind::Held => (-units, units),
                MovementKind::Released | MovementKind::Expired => (units, -units),
                MovementKind::Sold => (0, -units),
                MovementKind::WrittenOff => (-units, 0),
                MovementKind::Unspecified => panic!("{movement:?}"),
            };
            (on_hand, held) = (on_hand + more_on_hand, held + more_held);
            assert_eq!(
                (movement.number, movement.on_hand, movement.held),
                (number, on_hand, held),
                "{movement:?}"
            );
        }
        assert_eq!((balance.version, balance.on_hand, balance.held), (number, on_hand, held));
    }
}

#[tokio::test(start_paused = true)]
async fn the_ledger_reads_the_same_in_any_page_size() {
    let shop = Shop::with(&[("a", 30), ("A", 7), ("b", 20)]).await;
    for order in 1..=9 {
        shop.hold(order, &[("a", 1), ("b", 1)]).await.expect("held");
    }
    let whole = movements(&shop, "", 1000).await;
    assert_eq!(whole.len(), 21);
    for limit in [1, 2, 3, 7, 20, 21, 22] {
        assert_eq!(movements(&shop, "", limit).await, whole, "{limit} a page");
    }
    let own: Vec<_> = whole.iter().filter(|movement| movement.sku == "a").cloned().collect();
    for limit in [1, 4, 10, 11] {
        assert_eq!(movements(&shop, "a", limit).await, own, "{limit} a page");
    }
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = Some(PageRequest { limit: 2, cursor });
        let response = shop
            .staff
            .clone()
            .list_sku_balances(ListSkuBalancesRequest { page, limit: 0 })
            .await
            .expect("listed")
            .into_inner();
        pages.extend(response.balances);
        cursor = response.page.expect("a page").next_cursor;
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(pages, shop.balances().await);
}
