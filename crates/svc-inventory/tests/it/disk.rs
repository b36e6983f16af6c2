//! The same on disk, with real threads and real time: races that virtual time does not have.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chassis::testing::staff;
use chassis::{Options, Running, VirtualClock, run};
use contract::souk::inventory::v1::HoldState;
use contract::souk::inventory::v1::inventory_service_client::InventoryServiceClient;
use kernel::Timestamp;
use mesh::Principal;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::audit::{afternoon, chained, movements};
use crate::crowd::rush;
use crate::shop::Desk;

async fn open(dir: &TempDir) -> (Running, Desk) {
    open_with(Options::new(format!("dir:{}", dir.path().display()))).await
}

/// Opens under a clock that has gone on for so many seconds since the first start. Holds last a second here.
async fn open_later(dir: &TempDir, seconds: i64) -> (Running, Desk) {
    let clock = VirtualClock::new(Timestamp::from_secs(1_700_000_000));
    clock.set_ahead(seconds);
    let mut options = Options::new(format!("dir:{}", dir.path().display()));
    options.clock = Arc::new(clock);
    options.config.set("inventory", "hold_seconds", 1);
    options.config.set("inventory", "sweep_every_ms", 100);
    open_with(options).await
}

async fn open_with(options: Options) -> (Running, Desk) {
    let running = run(&[svc_inventory::SERVICE], options).await.expect("inventory starts");
    let staff = running
        .client("inventory", None, staff(1, &["stock.write"]), InventoryServiceClient::new)
        .expect("here");
    let order = running
        .client("inventory", Some("order"), Principal::Anonymous, InventoryServiceClient::new)
        .expect("here");
    (running, Desk { staff, order })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_of_buyers_gets_what_is_there() {
    let dir = TempDir::new().expect("a directory");
    let (_running, desk) = open(&dir).await;
    desk.receive(&[("a", 30)]).await;
    let ends = rush(&desk, 400).await;
    assert_eq!(ends, BTreeMap::from([("held".to_owned(), 30), ("OUT_OF_STOCK".to_owned(), 370)]));
    assert_eq!(desk.counter("a").await, (0, 30));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn after_a_busy_afternoon_the_ledger_adds_up() {
    let dir = TempDir::new().expect("a directory");
    let (_running, desk) = open(&dir).await;
    desk.receive(&[("a", 30), ("A", 7), ("b", 20), ("c d", 40)]).await;
    let mut crowd = JoinSet::new();
    for buyer in 0..24 {
        crowd.spawn(afternoon(desk.clone(), buyer));
    }
    crowd.join_all().await;
    chained(&movements(&desk, "", 1000).await, &desk.balances().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hold_ends_once_and_outlives_a_restart() {
    let dir = TempDir::new().expect("a directory");
    let (running, desk) = open(&dir).await;
    desk.receive(&[("a", 100)]).await;
    let mut crowd = JoinSet::new();
    for order in 1..=30 {
        let desk = desk.clone();
        crowd.spawn(async move {
            desk.hold(order, &[("a", 1)]).await.expect("held");
            let (commit, release) = tokio::join!(desk.commit(order), desk.release(order));
            assert!(commit.is_ok() != release.is_ok(), "{commit:?} {release:?}");
        });
    }
    crowd.join_all().await;
    desk.hold(31, &[("a", 1)]).await.expect("held");
    running.stop(Duration::from_secs(5)).await;
    drop((running, desk));
    let (_running, desk) = open(&dir).await;
    assert_eq!(desk.state(31).await, HoldState::Held);
    assert_eq!(desk.commit(31).await.expect("committed").state(), HoldState::Committed);
    let balances = desk.balances().await;
    assert_eq!((balances[0].held, balances[0].placed, balances[0].sold + balances[0].released), (0, 31, 31));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hold_that_expired_while_nobody_was_there_is_renewed_after_the_start() {
    let dir = TempDir::new().expect("a directory");
    let (running, desk) = open_later(&dir, 0).await;
    desk.receive(&[("a", 1), ("b", 1)]).await;
    desk.hold(1, &[("a", 1)]).await.expect("held");
    running.stop(Duration::from_secs(5)).await;
    drop((running, desk));
    let (_running, desk) = open_later(&dir, 1_000).await;
    // A hold of after the start is swept when it is over: so the sweeper has looked, and left the other one alone.
    desk.hold(3, &[("b", 1)]).await.expect("held");
    let swept = async {
        while desk.state(3).await != HoldState::Expired {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), swept).await.expect("swept");
    assert_eq!(desk.commit(1).await.expect_err("over").reason(), "HOLD_EXPIRED");
    assert_eq!(desk.hold(2, &[("a", 1)]).await.expect_err("still kept").reason(), "OUT_OF_STOCK");
    desk.renew(1, 900).await.expect("renewed");
    assert_eq!(desk.commit(1).await.expect("committed").state(), HoldState::Committed);
    assert_eq!(desk.counter("a").await, (0, 0));
}
