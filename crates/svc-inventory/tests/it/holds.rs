//! Holds from the first to the last state.

use std::time::Duration;

use contract::souk::inventory::v1::*;
use contract::souk::r#type::v1::PageRequest;

use crate::shop::{Shop, fields, hold, hold_id, order_id, refused, replayed};

#[tokio::test(start_paused = true)]
async fn a_hold_is_made_committed_and_returned() {
    let shop = Shop::with(&[("a", 5), ("b", 5)]).await;
    let hold = shop.hold(1, &[("a", 2), ("b", 1), ("a", 1)]).await.expect("held");
    assert_eq!(
        (hold.hold_id.as_str(), hold.order_id.as_str(), hold.state()),
        (&*hold_id(1), &*order_id(1), HoldState::Held)
    );
    assert_eq!((shop.counter("a").await, shop.counter("b").await), ((2, 3), (4, 1)));
    assert_eq!(shop.commit(1).await.expect("committed").state(), HoldState::Committed);
    assert_eq!((shop.counter("a").await, shop.counter("b").await), ((2, 0), (4, 0)));
    assert_eq!(shop.give_back(1).await.expect("returned").state(), HoldState::Returned);
    assert_eq!((shop.counter("a").await, shop.counter("b").await), ((5, 0), (5, 0)));
}

#[tokio::test(start_paused = true)]
async fn each_step_is_taken_once() {
    let shop = Shop::with(&[("a", 5)]).await;
    let mut order = shop.order.clone();
    let first = order.create_hold(hold(1, &[("a", 2)])).await.expect("held");
    let again = order
        .create_hold(CreateHoldRequest { request_id: "another".into(), ..hold(1, &[("a", 2)]) })
        .await
        .expect("found");
    assert_eq!((replayed(&first), replayed(&again)), (false, true));
    assert_eq!(first.into_inner(), again.into_inner());
    for (n, expected) in [(0, false), (1, true), (2, true)] {
        let commit = CommitHoldRequest { request_id: n.to_string(), hold_id: hold_id(1) };
        assert_eq!(replayed(&order.commit_hold(commit).await.expect("committed")), expected);
    }
    for expected in [false, true] {
        let back = ReturnHoldRequest { request_id: "b".into(), hold_id: hold_id(1) };
        assert_eq!(replayed(&order.return_hold(back).await.expect("returned")), expected);
    }
    assert_eq!(shop.counter("a").await, (5, 0));
    let found = shop.hold(1, &[("a", 2)]).await.expect("as it stands");
    assert_eq!(found.state(), HoldState::Returned);
}

#[tokio::test(start_paused = true)]
async fn an_order_has_one_hold() {
    let shop = Shop::with(&[("a", 5)]).await;
    shop.hold(1, &[("a", 2)]).await.expect("held");
    let other = shop.hold(1, &[("a", 3)]).await.expect_err("other lines");
    assert_eq!((other.reason(), fields(&other)), ("HOLD_LINES_DIFFER", vec!["/lines"]));
    // The hold is found even when the stock would not do any more.
    shop.hold(2, &[("a", 3)]).await.expect("held");
    assert_eq!(shop.hold(1, &[("a", 2)]).await.expect("found").state(), HoldState::Held);
    assert_eq!(shop.counter("a").await, (0, 5));
}

#[tokio::test(start_paused = true)]
async fn what_is_short_is_named_and_nothing_is_held() {
    let shop = Shop::with(&[("a", 5), ("b", 1)]).await;
    let error = shop.hold(1, &[("a", 1), ("b", 1), ("b", 1), ("never", 2)]).await.expect_err("short");
    assert_eq!((error.reason(), error.code()), ("OUT_OF_STOCK", kernel::Code::FailedPrecondition));
    let expected = r#"[{"line_id":"lin_1","sku":"b","wanted":1,"available":1},{"line_id":"lin_2","sku":"b","wanted":1,"available":1},{"line_id":"lin_3","sku":"never","wanted":2,"available":0}]"#;
    assert_eq!(error.metadata()["shortages"], expected);
    assert_eq!(error.metadata()["shortages_total"], "3");
    assert_eq!((shop.counter("a").await, shop.counter("b").await), ((5, 0), (1, 0)));
    // A refused order may ask again with less.
    shop.hold(1, &[("a", 1), ("b", 1)]).await.expect("held");
}

#[tokio::test(start_paused = true)]
async fn six_hundred_lines_are_held_or_none() {
    let skus: Vec<String> = (0..675).map(|n| format!("sku-{n}")).collect();
    let stock: Vec<(&str, i64)> = skus.iter().map(|sku| (sku.as_str(), 2)).collect();
    let shop = Shop::with(&stock).await;
    let mut lines: Vec<(&str, i64)> = skus.iter().map(|sku| (sku.as_str(), 1)).collect();
    shop.hold(1, &lines).await.expect("held");
    shop.commit(1).await.expect("committed");
    lines[674].1 = 2;
    assert_eq!(shop.hold(2, &lines).await.expect_err("one is short").reason(), "OUT_OF_STOCK");
    for line in &mut lines {
        line.1 = 5;
    }
    let error = shop.hold(3, &lines).await.expect_err("all are short");
    assert_eq!(error.metadata()["shortages_total"], "675");
    let totals = shop
        .staff
        .clone()
        .get_totals(GetTotalsRequest {})
        .await
        .expect("added up")
        .into_inner()
        .totals
        .expect("totals");
    assert_eq!((totals.on_hand, totals.held, totals.sold), (675, 0, 675));
}

#[tokio::test(start_paused = true)]
async fn a_hold_expires_by_itself_and_gives_its_stock_back() {
    let shop = Shop::with(&[("a", 5)]).await;
    shop.hold(1, &[("a", 5)]).await.expect("held");
    shop.harness.advance(Duration::from_secs(899)).await;
    assert_eq!(shop.state(1).await, HoldState::Held);
    shop.harness.advance(Duration::from_secs(3)).await;
    assert_eq!(shop.state(1).await, HoldState::Expired);
    assert_eq!(shop.counter("a").await, (5, 0));
    assert_eq!(shop.commit(1).await.expect_err("too late").reason(), "HOLD_EXPIRED");
    assert_eq!(shop.renew(1, 60).await.expect_err("too late").reason(), "HOLD_EXPIRED");
    assert_eq!(shop.release(1).await.expect("done already").state(), HoldState::Expired);
    shop.hold(2, &[("a", 5)]).await.expect("free again");
}

#[tokio::test(start_paused = true)]
async fn commit_and_expiry_at_the_same_moment_are_one_or_the_other() {
    let shop = Shop::with(&[("a", 1)]).await;
    let brief = CreateHoldRequest {
        hold_for: Some(prost_types::Duration { seconds: 1, nanos: 0 }),
        ..hold(1, &[("a", 1)])
    };
    shop.order.clone().create_hold(brief).await.expect("held");
    // Over, but not swept yet: nobody may commit it.
    shop.harness.advance(Duration::from_millis(1000)).await;
    assert_eq!(shop.commit(1).await.expect_err("over").reason(), "HOLD_EXPIRED");
    shop.harness.advance(Duration::from_secs(2)).await;
    assert_eq!((shop.state(1).await, shop.counter("a").await), (HoldState::Expired, (1, 0)));
}

#[tokio::test(start_paused = true)]
async fn a_hold_is_renewed_up_to_its_limit() {
    let shop = Shop::with(&[("a", 5)]).await;
    let made = shop.hold(1, &[("a", 1)]).await.expect("held");
    let limit = made.limit_time.expect("a limit").seconds;
    assert_eq!(shop.renew(1, 60).await.expect("lasts already").expire_time, made.expire_time);
    shop.harness.advance(Duration::from_secs(800)).await;
    let renewed = shop.renew(1, 900).await.expect("renewed");
    assert_eq!(renewed.expire_time.expect("a time").seconds, made.expire_time.expect("a time").seconds + 800);
    assert!(renewed.version > made.version);
    shop.harness.advance(Duration::from_secs(200)).await;
    assert_eq!(
        shop.renew(1, 100 * 86_400).await.expect("renewed").expire_time.expect("a time").seconds,
        limit
    );
    assert_eq!(shop.renew(1, 100 * 86_400).await.expect_err("no further").reason(), "HOLD_LIMIT_REACHED");
    assert_eq!(shop.commit(1).await.expect("still held").state(), HoldState::Committed);
    assert_eq!(shop.renew(1, 60).await.expect_err("sold").reason(), "HOLD_COMMITTED");
}

#[tokio::test(start_paused = true)]
async fn steps_that_a_state_does_not_allow_say_where_it_stands() {
    let shop = Shop::with(&[("a", 9)]).await;
    for order in 1..=3 {
        shop.hold(order, &[("a", 1)]).await.expect("held");
    }
    assert_eq!(shop.give_back(1).await.expect_err("not sold").reason(), "HOLD_NOT_COMMITTED");
    shop.release(1).await.expect("released");
    assert_eq!(shop.commit(1).await.expect_err("released").reason(), "HOLD_RELEASED");
    shop.commit(2).await.expect("committed");
    assert_eq!(shop.release(2).await.expect_err("sold").reason(), "HOLD_COMMITTED");
    shop.give_back(2).await.expect("returned");
    assert_eq!(shop.commit(2).await.expect_err("returned").reason(), "HOLD_RETURNED");
    for unknown in
        [shop.commit(99).await, shop.release(99).await, shop.give_back(99).await, shop.renew(99, 60).await]
    {
        assert_eq!(unknown.expect_err("never made").reason(), "HOLD_NOT_FOUND");
    }
    let missing = shop.order.clone().get_hold(GetHoldRequest { hold_id: hold_id(99) }).await;
    assert_eq!(refused(missing).reason(), "HOLD_NOT_FOUND");
}

#[tokio::test(start_paused = true)]
async fn wrong_requests_are_named() {
    let shop = Shop::with(&[("a", 9)]).await;
    let mut order = shop.order.clone();
    let cases = [
        (CreateHoldRequest { request_id: "a b".into(), ..hold(1, &[("a", 1)]) }, vec!["/request_id"]),
        (CreateHoldRequest { order_id: "cus_1".into(), ..hold(1, &[("a", 1)]) }, vec!["/order_id"]),
        (CreateHoldRequest { order_id: String::new(), ..hold(1, &[("a", 1)]) }, vec!["/order_id"]),
        (
            hold(1, &[("", 1), ("a", 0), ("a", -5), ("a", i64::MAX)]),
            vec!["/lines/0/sku", "/lines/1/quantity", "/lines/2/quantity", "/lines/3/quantity"],
        ),
        (hold(1, &[]), vec!["/lines"]),
        (
            CreateHoldRequest {
                hold_for: Some(prost_types::Duration { seconds: -1, nanos: 0 }),
                ..hold(1, &[("a", 1)])
            },
            vec!["/hold_for"],
        ),
        (
            CreateHoldRequest {
                hold_for: Some(prost_types::Duration { seconds: 604_801, nanos: 0 }),
                ..hold(1, &[("a", 1)])
            },
            vec!["/hold_for"],
        ),
    ];
    for (request, expected) in cases {
        assert_eq!(fields(&refused(order.create_hold(request).await)), expected);
    }
    for bad in ["", "hld_", "ord_00000000000000000000000001", "hld_0000000000000000000000000u"] {
        let commit = CommitHoldRequest { request_id: "1".into(), hold_id: bad.into() };
        assert_eq!(fields(&refused(order.commit_hold(commit).await)), ["/hold_id"], "{bad}");
    }
    assert_eq!(shop.counter("a").await, (9, 0));
}

#[tokio::test(start_paused = true)]
async fn holds_are_listed_by_state() {
    let shop = Shop::with(&[("a", 90)]).await;
    for order in 1..=5 {
        shop.hold(order, &[("a", 1)]).await.expect("held");
    }
    shop.commit(2).await.expect("committed");
    let mut staff = shop.staff.clone();
    let list = |state: HoldState, limit, cursor: String| ListHoldsRequest {
        page: Some(PageRequest { limit, cursor }),
        limit: 0,
        state: state.into(),
    };
    let first = staff.list_holds(list(HoldState::Held, 3, String::new())).await.expect("listed").into_inner();
    let cursor = first.page.expect("a page").next_cursor;
    assert_eq!(
        first.holds.iter().map(|h| h.hold_id.clone()).collect::<Vec<_>>(),
        [hold_id(1), hold_id(3), hold_id(4)]
    );
    let rest = staff.list_holds(list(HoldState::Held, 3, cursor.clone())).await.expect("listed").into_inner();
    assert_eq!(rest.holds.iter().map(|h| h.hold_id.clone()).collect::<Vec<_>>(), [hold_id(5)]);
    assert_eq!(
        refused(staff.list_holds(list(HoldState::Committed, 3, cursor)).await).reason(),
        "INVALID_CURSOR"
    );
    let all =
        staff.list_holds(list(HoldState::Unspecified, 0, String::new())).await.expect("listed").into_inner();
    assert_eq!(all.holds.len(), 5);
    let unknown = ListHoldsRequest { state: 77, ..Default::default() };
    assert_eq!(fields(&refused(staff.list_holds(unknown).await)), ["/state"]);
}
