//! Placing: what becomes an order, what does not, and what is told.

use std::time::Duration;

use chassis::testing::{START, guest};
use contract::souk::checkout::v1 as checkout;
use contract::souk::order::v1::*;
use contract::souk::r#type::v1::UnitPrice;
use kernel::Code;

use super::fakes::Books;
use super::shop::{Shop, Wanted, buyer, operator};

/// The books after one usual order.
fn sold(shop: &Shop) -> Books {
    Books {
        on_hand: [("red".to_owned(), 998), ("blue".to_owned(), 999)].into(),
        sold: 3,
        captured_net: 1000,
        shipments: 1,
        carts_cleared: vec![1],
        ..shop.world.books()
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_is_confirmed_captured_shipped_and_numbered() {
    let shop = Shop::open(1).await;
    let order = shop.place("pm_card_visa").await.expect("placed");
    assert_eq!((order.state(), order.invoice_number.as_str()), (OrderState::Confirmed, "souk-0000000001"));
    assert_eq!(order.total.as_ref().map(|total| total.minor_units), Some(1000));
    let rows = shop.quiet().await;
    assert_eq!(shop.world.books(), sold(&shop));
    assert_eq!((rows[0].captured, rows[0].invoice_number, rows[0].live_saga), (true, 1, false));
    assert_eq!(rows[0].total, rows[0].lines_total);
    assert_eq!(rows[0].expected_net, rows[0].total);
    let shown = shop.get(&order.id).await;
    assert_eq!(shown.tenders[0].state(), TenderState::Captured);
    assert_eq!(shown.fulfilments[0].state(), FulfilmentState::Requested);
    assert!(shown.fulfilments[0].shipment_id.starts_with("shp_"));
    assert_eq!(
        shop.what(&order.id).await,
        ["CREATED", "STOCK_HELD", "PAYMENT_AUTHORIZED", "CONFIRMED", "COMPLETED"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_counts_once_whatever_is_repeated() {
    let shop = Shop::open(2).await;
    let request = shop.request(&Wanted::default(), "pm_card_visa");
    let (mut one, mut two) = (shop.client(buyer()), shop.client(buyer()));
    let (first, second) = tokio::join!(one.place_order(request.clone()), two.place_order(request.clone()));
    let (first, second) = (first.expect("placed"), second.expect("the same"));
    let marked =
        [&first, &second].iter().filter(|answer| answer.metadata().contains_key("souk-replayed")).count();
    assert_eq!(marked, 1);
    let order_id = first.into_inner().order.expect("an order").id;
    assert_eq!(second.into_inner().order.expect("an order").id, order_id);

    let other = PlaceOrderRequest { requires_approval: true, ..request.clone() };
    let error = shop
        .send(operator(), PlaceOrderRequest { request_id: shop.name(), ..other.clone() })
        .await
        .expect_err("placed before");
    assert_eq!((error.reason(), error.metadata().get("order_id")), ("QUOTE_ALREADY_PLACED", Some(&order_id)));
    let error = shop
        .client(buyer())
        .place_order(PlaceOrderRequest { tenders: Vec::new(), ..request.clone() })
        .await
        .expect_err("reused");
    assert_eq!(contract::error(error).reason(), "IDEMPOTENCY_KEY_REUSED");
    // Long after the quote has expired, the replay still shows the order.
    shop.harness.advance(Duration::from_secs(2000)).await;
    let again = shop.client(buyer()).place_order(request).await.expect("a replay");
    assert!(again.metadata().contains_key("souk-replayed"));
    assert_eq!(shop.world.books(), sold(&shop));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_tells_why_and_leaves_nothing_behind() {
    let shop = Shop::open(3).await;
    let empty = shop.world.books();
    let error = shop.place("pm_card_chargeDeclined").await.expect_err("declined");
    assert_eq!((error.code(), error.reason()), (Code::FailedPrecondition, "PAYMENT_DECLINED"));
    assert_eq!(error.metadata().get("decline_code").map(String::as_str), Some("card_declined"));
    let failed = shop.get(&error.metadata()["order_id"]).await;
    assert_eq!(
        (failed.state(), failed.ending.expect("why").reason),
        (OrderState::Failed, "PAYMENT_DECLINED".to_owned())
    );

    let wanted = Wanted { lines: vec![("red", 1001, 1)], ..Wanted::default() };
    let request = shop.request(&wanted, "pm_card_visa");
    let error = shop.send(buyer(), request.clone()).await.expect_err("too many");
    assert_eq!(
        (error.reason(), error.metadata().get("shortages").map(String::as_str)),
        ("OUT_OF_STOCK", Some("[]"))
    );
    let again = shop.send(buyer(), request).await.expect_err("the same order");
    assert_eq!(again.metadata()["order_id"], error.metadata()["order_id"]);
    shop.quiet().await;
    assert_eq!(shop.world.books().on_hand, empty.on_hand);
    assert_eq!((shop.world.books().held, shop.world.books().authorized), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_external_reference_is_used_once_and_given_back_by_a_failure() {
    let shop = Shop::open(4).await;
    let wanted = Wanted { owner: String::new(), cart: false, ..Wanted::default() };
    let request = |method| PlaceOrderRequest {
        external_reference: "import:1".to_owned(),
        external_time: Some(contract::wire::timestamp(START)),
        ..shop.request(&wanted, method)
    };
    let error = shop.send(operator(), request("pm_card_chargeDeclined")).await.expect_err("declined");
    assert_eq!(error.reason(), "PAYMENT_DECLINED");
    let order = shop.send(operator(), request("pm_card_visa")).await.expect("the reference is free again");
    assert_eq!((order.external_reference.as_str(), order.customer_id.as_str()), ("import:1", ""));
    assert_eq!(
        (order.placed_by, order.external_time),
        (operator().subject(), Some(contract::wire::timestamp(START)))
    );
    let error = shop.send(operator(), request("pm_card_visa")).await.expect_err("taken");
    assert_eq!(
        (error.reason(), error.metadata().get("order_id")),
        ("EXTERNAL_REFERENCE_TAKEN", Some(&order.id))
    );
    let found = FindOrderRequest { external_reference: "import:1".to_owned() };
    assert_eq!(
        shop.client(operator()).find_order(found).await.expect("found").into_inner().order.expect("it").id,
        order.id
    );
}

#[tokio::test(start_paused = true)]
async fn a_zero_total_needs_no_payment() {
    let shop = Shop::open(5).await;
    let wanted = Wanted { lines: vec![("red", 1, 0)], ..Wanted::default() };
    let error = shop.send(buyer(), shop.request(&wanted, "pm_card_visa")).await.expect_err("nothing to pay");
    assert_eq!(error.violations()[0].field, "/tenders");
    let request = PlaceOrderRequest { tenders: Vec::new(), ..shop.request(&wanted, "") };
    let order = shop.send(buyer(), request).await.expect("placed");
    assert_eq!((order.state(), order.tenders.len()), (OrderState::Confirmed, 0));
    shop.quiet().await;
    assert_eq!((shop.world.books().captured_net, shop.world.books().sold), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn an_expired_quote_is_refused_with_what_has_changed() {
    let shop = Shop::open(6).await;
    let price = |micros| Some(UnitPrice { currency_code: "GBP".into(), micros });
    let same =
        checkout::LineDifference { sku: "blue".into(), quantity: 1, available: 9, ..Default::default() };
    let dearer = checkout::LineDifference {
        sku: "red".into(),
        quantity: 2,
        price_before: price(2_500_000),
        price_after: price(3_000_000),
        available: 9,
        ..Default::default()
    };
    shop.world
        .requote(checkout::RequoteQuoteResponse { differences: vec![same, dearer], ..Default::default() });
    let wanted = Wanted { expires: START, ..Wanted::default() };
    let error = shop.send(buyer(), shop.request(&wanted, "pm_card_visa")).await.expect_err("expired");
    assert_eq!((error.code(), error.reason()), (Code::FailedPrecondition, "QUOTE_EXPIRED"));
    let told = &error.metadata()["differences"];
    assert!(told.contains("\"red\"") && told.contains("3000000") && !told.contains("\"blue\""), "{told}");
    assert!(shop.audit().await.is_empty(), "no order was written");
}

#[tokio::test(start_paused = true)]
async fn wrong_requests_name_their_field() {
    let shop = Shop::open(7).await;
    let good = || shop.request(&Wanted::default(), "pm_card_visa");
    let tender = |method: &str| TenderRequest { payment_method: method.to_owned(), amount: None };
    let pence =
        |minor_units| Some(contract::souk::r#type::v1::Money { currency_code: "GBP".into(), minor_units });
    let cases = [
        ("/request_id", PlaceOrderRequest { request_id: String::new(), ..good() }),
        ("/quote_token", PlaceOrderRequest { quote_token: String::new(), ..good() }),
        ("/quote_token", PlaceOrderRequest { quote_token: "abc".into(), ..good() }),
        ("/quote_token", PlaceOrderRequest { quote_token: "A".repeat(1_048_577), ..good() }),
        ("/tenders", PlaceOrderRequest { tenders: Vec::new(), ..good() }),
        ("/tenders/1", PlaceOrderRequest { tenders: vec![tender("pm_a"), tender("pm_b")], ..good() }),
        ("/tenders/0/payment_method", PlaceOrderRequest { tenders: vec![tender("visa")], ..good() }),
        (
            "/tenders/0/payment_method",
            PlaceOrderRequest { tenders: vec![tender("pm_4242424242424242")], ..good() },
        ),
        (
            "/tenders/0/amount",
            PlaceOrderRequest {
                tenders: vec![TenderRequest { amount: pence(999), ..tender("pm_a") }],
                ..good()
            },
        ),
        ("/external_reference", PlaceOrderRequest { external_reference: "mine".into(), ..good() }),
        ("/requires_approval", PlaceOrderRequest { requires_approval: true, ..good() }),
        (
            "/external_time",
            PlaceOrderRequest { external_time: Some(contract::wire::timestamp(START)), ..good() },
        ),
    ];
    for (field, request) in cases {
        let error = shop.send(buyer(), request).await.expect_err(field);
        assert_eq!(
            (error.code(), error.violations()[0].field.as_str()),
            (Code::InvalidArgument, field),
            "{error:?}"
        );
        let staffs = matches!(field, "/external_reference" | "/requires_approval" | "/external_time");
        assert_eq!(
            error.metadata().get("permission").is_some_and(|it| it == "orders.write"),
            staffs,
            "{field}"
        );
    }
    assert!(shop.audit().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn of_many_buyers_of_one_unit_one_buys() {
    let shop = Shop::open_with(8, |builder| builder.set("in_flight_max", 16)).await;
    shop.world.stock("last", 1);
    let wanted = Wanted { lines: vec![("last", 1, 700)], cart: false, ..Wanted::default() };
    let mut buyers = tokio::task::JoinSet::new();
    for _ in 0..300 {
        let (mut client, request) = (shop.client(buyer()), shop.request(&wanted, "pm_card_visa"));
        buyers.spawn(async move { client.place_order(request).await.map_err(contract::error) });
    }
    let answers = buyers.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert!(
        answers
            .iter()
            .filter_map(|answer| answer.as_ref().err())
            .all(|error| error.reason() == "OUT_OF_STOCK"),
        "{answers:?}"
    );
    shop.quiet().await;
    assert_eq!((shop.world.books().on_hand["last"], shop.world.books().captured_net), (0, 700));
}

#[tokio::test(start_paused = true)]
async fn invoice_numbers_have_no_gaps() {
    let shop = Shop::open(9).await;
    let mut placing = tokio::task::JoinSet::new();
    for index in 0..60 {
        let method = if index % 3 == 0 { "pm_card_chargeDeclined" } else { "pm_card_visa" };
        let (mut client, request) = (shop.client(buyer()), shop.request(&Wanted::default(), method));
        placing.spawn(async move { client.place_order(request).await.is_ok() });
    }
    assert_eq!(placing.join_all().await.into_iter().filter(|placed| *placed).count(), 40);
    let rows = shop.quiet().await;
    let mut numbers: Vec<_> =
        rows.iter().map(|row| row.invoice_number).filter(|number| *number > 0).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=40).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn too_many_orders_at_once_are_told_to_come_again() {
    let shop = Shop::open_with(10, |builder| builder.set("in_flight_max", 1).set("waiting_max", 0)).await;
    let (mut one, mut two) = (shop.client(buyer()), shop.client(guest(5)));
    let first = shop.request(&Wanted::default(), "pm_card_visa");
    let second = shop.request(&Wanted { owner: guest(5).subject(), ..Wanted::default() }, "pm_card_visa");
    let (first, second) = tokio::join!(one.place_order(first), two.place_order(second));
    let refused = [first, second]
        .into_iter()
        .filter_map(Result::err)
        .map(contract::error)
        .next()
        .expect("one is refused");
    assert_eq!((refused.code(), refused.reason()), (Code::ResourceExhausted, "TOO_MANY_ORDERS_IN_FLIGHT"));
}
