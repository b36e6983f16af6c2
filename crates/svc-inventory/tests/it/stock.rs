//! What arrives, what is corrected, what is left.

use contract::souk::inventory::v1::*;
use contract::souk::r#type::v1::PageRequest;

use crate::shop::{Shop, fields, receipt, refused, replayed};

fn receive(id: &str, lines: Vec<ReceiptLine>) -> ReceiveStockRequest {
    ReceiveStockRequest { request_id: id.into(), lines }
}

#[tokio::test(start_paused = true)]
async fn a_reference_counts_once_for_ever() {
    let shop = Shop::open().await;
    let mut staff = shop.staff.clone();
    let first = staff
        .receive_stock(receive("1", vec![receipt("a", 5, "r1"), receipt("A", 2, "r2")]))
        .await
        .expect("received")
        .into_inner();
    assert_eq!((first.outcomes, first.units_received), (vec![1, 1], 7));
    let again = staff
        .receive_stock(receive("2", vec![receipt("a", 5, "r1"), receipt("a", 1, "r3")]))
        .await
        .expect("received")
        .into_inner();
    assert_eq!((again.outcomes, again.units_received), (vec![2, 1], 1));
    assert_eq!((shop.counter("a").await, shop.counter("A").await), ((6, 0), (2, 0)));
}

#[tokio::test(start_paused = true)]
async fn the_same_request_gets_the_same_answer_and_another_is_refused() {
    let shop = Shop::open().await;
    let mut staff = shop.staff.clone();
    let request = receive("1", vec![receipt("a", 5, "r1")]);
    let first = staff.receive_stock(request.clone()).await.expect("received");
    let again = staff.receive_stock(request).await.expect("answered");
    assert_eq!((replayed(&first), replayed(&again)), (false, true));
    assert_eq!(first.into_inner(), again.into_inner());
    let other = refused(staff.receive_stock(receive("1", vec![receipt("a", 6, "r9")])).await);
    assert_eq!(other.reason(), "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(shop.counter("a").await, (5, 0));
}

#[tokio::test(start_paused = true)]
async fn spellings_that_look_the_same_are_one_counter() {
    let shop = Shop::open().await;
    let mut staff = shop.staff.clone();
    for (n, sku) in ["N-e\u{301}", "N-é"].into_iter().enumerate() {
        let lines = vec![receipt(sku, 5, &format!("r{n}"))];
        staff.receive_stock(receive(&n.to_string(), lines)).await.expect("received");
    }
    assert_eq!((shop.counter("N-é").await, shop.balances().await.len()), ((10, 0), 1));
    let hidden = refused(staff.receive_stock(receive("x", vec![receipt("\u{3164}", 5, "x")])).await);
    assert_eq!(fields(&hidden), ["/lines/0/sku"]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_half_received() {
    let shop = Shop::with(&[("a", 5)]).await;
    let mut staff = shop.staff.clone();
    let reused = refused(
        staff.receive_stock(receive("1", vec![receipt("b", 1, "new"), receipt("a", 6, "first-a")])).await,
    );
    assert_eq!((reused.reason(), fields(&reused)), ("REFERENCE_REUSED", vec!["/lines/1/reference"]));
    let nowhere = ReceiptLine { location: "mars".into(), ..receipt("b", 1, "new") };
    let missing = refused(staff.receive_stock(receive("2", vec![receipt("b", 1, "other"), nowhere])).await);
    assert_eq!((missing.reason(), fields(&missing)), ("LOCATION_NOT_FOUND", vec!["/lines/1/location"]));
    assert_eq!(shop.balances().await.len(), 1);
    for n in 0..3 {
        let full = vec![receipt("b", 1_000_000_000, &format!("x{n}"))];
        staff.receive_stock(receive(&format!("x{n}"), full)).await.expect("received");
    }
    assert_eq!(shop.counter("b").await, (3_000_000_000, 0));
}

#[tokio::test(start_paused = true)]
async fn wrong_lines_are_named() {
    let shop = Shop::open().await;
    let mut staff = shop.staff.clone();
    let bad = refused(
        staff
            .receive_stock(receive(
                "1",
                vec![receipt("", 0, ""), receipt("a", -1, "r"), receipt("a", 1, "r")],
            ))
            .await,
    );
    let expected = [
        "/lines/0/sku",
        "/lines/0/quantity",
        "/lines/0/reference",
        "/lines/1/quantity",
        "/lines/2/reference",
    ];
    assert_eq!(fields(&bad), expected);
    assert_eq!(fields(&refused(staff.receive_stock(receive("1", Vec::new())).await)), ["/lines"]);
    assert_eq!(
        fields(&refused(staff.receive_stock(receive("", vec![receipt("a", 1, "r")])).await)),
        ["/request_id"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_thousand_lines_arrive_at_once() {
    let shop = Shop::open().await;
    let lines = (0..1000).map(|n| receipt(&format!("sku-{}", n % 700), 3, &format!("r{n}"))).collect();
    let response =
        shop.staff.clone().receive_stock(receive("1", lines)).await.expect("received").into_inner();
    assert_eq!(response.units_received, 3000);
    assert_eq!(shop.balances().await.len(), 700);
}

#[tokio::test(start_paused = true)]
async fn stock_is_written_off_and_counted() {
    let shop = Shop::with(&[("a", 10)]).await;
    let mut staff = shop.staff.clone();
    let adjust = |id: &str, change, reason: AdjustmentReason| AdjustStockRequest {
        request_id: id.into(),
        sku: "a".into(),
        change,
        reason: reason.into(),
        note: "shelf 4".into(),
        ..Default::default()
    };
    let off =
        staff.adjust_stock(adjust("1", -3, AdjustmentReason::WriteOff)).await.expect("adjusted").into_inner();
    assert_eq!(off.counter.expect("a counter").on_hand, 7);
    let more =
        staff.adjust_stock(adjust("2", 2, AdjustmentReason::Count)).await.expect("adjusted").into_inner();
    assert_eq!(more.counter.expect("a counter").on_hand, 9);
    assert!(replayed(&staff.adjust_stock(adjust("2", 2, AdjustmentReason::Count)).await.expect("answered")));
    assert_eq!(
        refused(staff.adjust_stock(adjust("3", -10, AdjustmentReason::Count)).await).reason(),
        "NOT_ENOUGH_STOCK"
    );
    assert_eq!(
        fields(&refused(staff.adjust_stock(adjust("4", 1, AdjustmentReason::WriteOff)).await)),
        ["/change"]
    );
    assert_eq!(
        fields(&refused(staff.adjust_stock(adjust("4", 1, AdjustmentReason::Unspecified)).await)),
        ["/reason"]
    );
    let elsewhere = AdjustStockRequest { sku: "b".into(), ..adjust("5", -1, AdjustmentReason::WriteOff) };
    assert_eq!(refused(staff.adjust_stock(elsewhere).await).reason(), "STOCK_NOT_FOUND");
    let totals =
        staff.get_totals(GetTotalsRequest {}).await.expect("added up").into_inner().totals.expect("totals");
    assert_eq!(
        (totals.received, totals.written_off, totals.adjusted, totals.on_hand, totals.movements),
        (10, 3, 2, 9, 3)
    );
}

#[tokio::test(start_paused = true)]
async fn everybody_sees_what_is_left() {
    let shop = Shop::with(&[("a", 4), ("A", 30)]).await;
    let mut nobody = shop
        .harness
        .client(inventory_service_client::InventoryServiceClient::new, mesh::Principal::Anonymous);
    let one = nobody
        .get_stock(GetStockRequest { sku: "a".into() })
        .await
        .expect("shown")
        .into_inner()
        .stock
        .expect("stock");
    assert_eq!((one.available, one.band()), (4, StockBand::Few));
    let skus = ["a", "zz", "A", "a"].map(String::from).to_vec();
    let many =
        nobody.batch_get_stock(BatchGetStockRequest { skus }).await.expect("shown").into_inner().stocks;
    let told: Vec<_> = many.iter().map(|stock| (stock.sku.as_str(), stock.available, stock.band())).collect();
    assert_eq!(told, [("A", 30, StockBand::Many), ("a", 4, StockBand::Few), ("zz", 0, StockBand::None)]);
    assert_eq!(fields(&refused(nobody.get_stock(GetStockRequest { sku: String::new() }).await)), ["/sku"]);
    assert_eq!(
        fields(&refused(nobody.batch_get_stock(BatchGetStockRequest { skus: Vec::new() }).await)),
        ["/skus"]
    );
    let too_many = (0..1001).map(|n| n.to_string()).collect();
    assert_eq!(
        fields(&refused(nobody.batch_get_stock(BatchGetStockRequest { skus: too_many }).await)),
        ["/skus"]
    );
}

#[tokio::test(start_paused = true)]
async fn locations_count_apart() {
    let shop = Shop::with(&[("a", 4)]).await;
    let mut staff = shop.staff.clone();
    let create = |id: &str, code: &str| CreateLocationRequest {
        request_id: id.into(),
        code: code.into(),
        display_name: "Paris".into(),
    };
    let made = staff.create_location(create("1", "paris")).await.expect("made");
    let again = staff.create_location(create("1", "paris")).await.expect("answered");
    assert!(!replayed(&made) && replayed(&again));
    assert_eq!(refused(staff.create_location(create("2", "paris")).await).reason(), "LOCATION_EXISTS");
    assert_eq!(fields(&refused(staff.create_location(create("3", "Paris!")).await)), ["/code"]);
    let there = ReceiptLine { location: "paris".into(), ..receipt("a", 6, "p") };
    staff.receive_stock(receive("4", vec![there])).await.expect("received");
    let stock = staff
        .get_stock(GetStockRequest { sku: "a".into() })
        .await
        .expect("shown")
        .into_inner()
        .stock
        .expect("stock");
    let told: Vec<_> = stock.locations.iter().map(|at| (at.location.as_str(), at.available)).collect();
    assert_eq!((stock.available, told), (10, vec![("main", 4), ("paris", 6)]));
    assert_eq!(shop.hold(1, &[("a", 5)]).await.expect_err("main has 4").reason(), "OUT_OF_STOCK");
    let codes: Vec<_> =
        staff.list_locations(ListLocationsRequest {}).await.expect("listed").into_inner().locations;
    assert_eq!(codes.iter().map(|location| location.code.as_str()).collect::<Vec<_>>(), ["main", "paris"]);
    for n in 0..98 {
        staff.create_location(create(&format!("n{n}"), &format!("n{n}"))).await.expect("room");
    }
    assert_eq!(refused(staff.create_location(create("n98", "n98")).await).reason(), "LOCATIONS_LIMIT");
}

#[tokio::test(start_paused = true)]
async fn lists_go_on_where_they_stopped_and_only_for_their_own_query() {
    let shop = Shop::with(&[("a", 4), ("b", 4), ("c", 4)]).await;
    let mut staff = shop.staff.clone();
    let page = |limit, cursor: &str| Some(PageRequest { limit, cursor: cursor.into() });
    let first = staff
        .list_stock(ListStockRequest { page: page(2, ""), limit: 0 })
        .await
        .expect("listed")
        .into_inner();
    let cursor = first.page.expect("a page").next_cursor;
    assert_eq!(first.counters.iter().map(|c| c.sku.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    let rest = staff
        .list_stock(ListStockRequest { page: page(2, &cursor), limit: 0 })
        .await
        .expect("listed")
        .into_inner();
    assert_eq!(rest.counters.iter().map(|c| c.sku.as_str()).collect::<Vec<_>>(), ["c"]);
    assert_eq!(rest.page.expect("a page").next_cursor, "");
    let foreign = staff
        .list_movements(ListMovementsRequest { page: page(2, &cursor), limit: 0, sku: String::new() })
        .await;
    assert_eq!(refused(foreign).reason(), "INVALID_CURSOR");
    let foreign = staff.list_sku_balances(ListSkuBalancesRequest { page: page(2, &cursor), limit: 0 }).await;
    assert_eq!(refused(foreign).reason(), "INVALID_CURSOR");
    for (own, of_page) in [(1001, 0), (-1, 0), (0, 101)] {
        let wrong = staff.list_stock(ListStockRequest { page: page(of_page, ""), limit: own }).await;
        assert_eq!(refused(wrong).reason(), "INVALID_LIMIT");
    }
}

#[tokio::test(start_paused = true)]
async fn bands_are_published_when_they_are_crossed() {
    let shop = Shop::with(&[("a", 22)]).await;
    shop.hold(1, &[("a", 1)]).await.expect("held");
    shop.hold(2, &[("a", 1)]).await.expect("held");
    shop.hold(3, &[("a", 20)]).await.expect("held");
    shop.commit(1).await.expect("committed");
    shop.release(3).await.expect("released");
    let crossings = shop.crossings().await;
    let told: Vec<_> = crossings.iter().map(|c| (c.before(), c.after(), c.available, c.version)).collect();
    use StockBand as B;
    assert_eq!(
        told,
        [
            (B::None, B::Many, 22, 1),
            (B::Many, B::Some, 20, 3),
            (B::Some, B::None, 0, 4),
            (B::None, B::Some, 20, 6)
        ]
    );
}
