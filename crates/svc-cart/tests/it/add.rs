//! Additions: all count, none twice, up to the limits.

use std::time::Duration;

use chassis::testing::staff;
use contract::souk::cart::v1::*;
use contract::souk::event::v1::SubscribeRequest;
use contract::souk::event::v1::event_service_client::EventServiceClient;
use tokio::task::JoinSet;

use crate::shop::{Shop, add, customers_cart, fields, guests_cart, lines, refused, replayed};

#[tokio::test(start_paused = true)]
async fn the_first_addition_makes_the_cart() {
    let shop = Shop::open().await;
    let ada = shop.customer(1);
    let empty = ada.cart().await;
    assert_eq!((empty.cart_id.as_str(), empty.version, empty.lines.len()), (&*customers_cart(1), 0, 0));
    let added = ada.add("1", "a", 2).await.expect("added");
    let head = added.cart.expect("a cart");
    assert_eq!((head.cart_id, head.version, head.line_count, head.quantity), (customers_cart(1), 1, 1, 2));
    let again = ada.add("2", "a", 3).await.expect("added");
    assert_eq!((again.line_id, again.quantity), (added.line_id, 5));
    ada.add("3", "A", 1).await.expect("another SKU");
    assert_eq!(ada.lines().await, lines(&[("a", 5), ("A", 1)]));
}

#[tokio::test(start_paused = true)]
async fn two_at_once_both_count() {
    let shop = Shop::open().await;
    let ada = shop.customer(1);
    let mut crowd = JoinSet::new();
    for n in 0..200 {
        let mut client = ada.client.clone();
        let sku = if n % 2 == 0 { "a" } else { "b" };
        crowd.spawn(async move { client.add_line(add(&n.to_string(), sku, 3)).await.expect("added") });
    }
    crowd.join_all().await;
    let cart = ada.cart().await;
    assert_eq!((cart.quantity, cart.version), (600, 200));
}

#[tokio::test(start_paused = true)]
async fn the_same_request_adds_once() {
    let shop = Shop::open().await;
    let ada = shop.customer(1);
    let mut client = ada.client.clone();
    let first = client.add_line(add("1", "a", 999)).await.expect("added");
    // The line is full: a second addition would be refused, but this is the first one again.
    let again = client.add_line(add("1", "a", 999)).await.expect("answered");
    assert_eq!((replayed(&first), replayed(&again)), (false, true));
    assert_eq!(first.into_inner(), again.into_inner());
    for other in [add("1", "a", 998), add("1", "b", 999)] {
        let error = refused(client.add_line(other).await);
        assert_eq!((error.reason(), fields(&error)), ("IDEMPOTENCY_KEY_REUSED", vec!["/request_id"]));
    }
    // Another person's key is another key.
    shop.customer(2).add("1", "b", 1).await.expect("added");
    assert_eq!(ada.lines().await, lines(&[("a", 999)]));
}

#[tokio::test(start_paused = true)]
async fn the_same_request_many_times_at_once_adds_once() {
    let shop = Shop::open().await;
    let ada = shop.customer(1);
    let mut crowd = JoinSet::new();
    for _ in 0..50 {
        let mut client = ada.client.clone();
        crowd.spawn(async move { client.add_line(add("1", "a", 2)).await.expect("answered").into_inner() });
    }
    let answers = crowd.join_all().await;
    assert!(answers.iter().all(|answer| answer == &answers[0]));
    assert_eq!(ada.lines().await, lines(&[("a", 2)]));
}

#[tokio::test(start_paused = true)]
async fn limits_have_reasons() {
    let shop = Shop::open().await;
    let ada = shop.customer(1);
    ada.add("1", "a", 990).await.expect("added");
    assert_eq!(ada.add("2", "a", 10).await.expect_err("1000").reason(), "LINE_QUANTITY_LIMIT");
    for n in 0..99 {
        ada.add(&format!("n{n}"), &format!("s{n}"), 1).await.expect("added");
    }
    assert_eq!(ada.add("3", "s100", 1).await.expect_err("the 101st").reason(), "CART_LINES_LIMIT");
    ada.add("4", "s0", 1).await.expect("a line that is there");
    let bea = shop.customer(2);
    for n in 0..10 {
        bea.add(&format!("n{n}"), &format!("s{n}"), 999).await.expect("added");
    }
    assert_eq!(bea.add("x", "s20", 10).await.expect_err("10,000").reason(), "CART_QUANTITY_LIMIT");
    bea.add("y", "s20", 9).await.expect("9,999");
}

#[tokio::test(start_paused = true)]
async fn limits_are_settings() {
    let shop = Shop::with(&[("line_quantity_max", 3), ("lines_max", 1), ("quantity_max", 2)]).await;
    let ada = shop.customer(1);
    assert_eq!(fields(&ada.add("1", "a", 4).await.expect_err("too many")), ["/quantity"]);
    assert_eq!(ada.add("1", "a", 3).await.expect_err("too many").reason(), "CART_QUANTITY_LIMIT");
    ada.add("1", "a", 1).await.expect("added");
    assert_eq!(ada.add("2", "b", 1).await.expect_err("one line").reason(), "CART_LINES_LIMIT");
}

#[tokio::test(start_paused = true)]
async fn wrong_fields_are_named() {
    let shop = Shop::open().await;
    let mut client = shop.customer(1).client;
    let cases = [
        (add("", "a", 1), "/request_id"),
        (add("a b", "a", 1), "/request_id"),
        (add("1", "", 1), "/sku"),
        (add("1", " a", 1), "/sku"),
        (add("1", &"x".repeat(65), 1), "/sku"),
        (add("1", "a", 0), "/quantity"),
        (add("1", "a", -1), "/quantity"),
        (add("1", "a", 1000), "/quantity"),
        (add("1", "a", i32::MAX), "/quantity"),
        (AddLineRequest { cart_id: "ord_1".into(), ..add("1", "a", 1) }, "/cart_id"),
    ];
    for (request, field) in cases {
        let error = refused(client.add_line(request.clone()).await);
        assert_eq!(
            (error.code(), fields(&error)),
            (kernel::Code::InvalidArgument, vec![field]),
            "{request:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn only_what_is_sold_is_added() {
    let shop = Shop::open().await;
    let ada = shop.customer(1);
    for sku in ["nothing", "old", "B"] {
        let error = ada.add("1", sku, 1).await.expect_err("not sold");
        assert_eq!(
            (error.reason(), error.code(), fields(&error)),
            ("SKU_NOT_FOUND", kernel::Code::NotFound, vec!["/sku"])
        );
    }
    assert_eq!(ada.cart().await.version, 0);
}

#[tokio::test(start_paused = true)]
async fn product_is_not_asked_at_each_addition() {
    let shop = Shop::open().await;
    let ada = shop.customer(1);
    for n in 0..20 {
        ada.add(&n.to_string(), "a", 1).await.expect("added");
    }
    assert_eq!(shop.product_asked(), 1);
    shop.harness.advance(Duration::from_secs(31)).await;
    ada.add("later", "a", 1).await.expect("added");
    assert_eq!(shop.product_asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn anothers_cart_looks_like_none() {
    let shop = Shop::open().await;
    shop.customer(1).add("1", "a", 1).await.expect("added");
    let bea = shop.customer(2);
    for cart_id in [customers_cart(1), customers_cart(9), guests_cart(1)] {
        let request = AddLineRequest { cart_id: cart_id.clone(), ..add("1", "a", 1) };
        assert_eq!(refused(bea.client.clone().add_line(request).await).reason(), "CART_NOT_FOUND");
        let shown = bea.client.clone().get_cart(GetCartRequest { cart_id, ..Default::default() }).await;
        assert_eq!(refused(shown).reason(), "CART_NOT_FOUND");
    }
    let own = AddLineRequest { cart_id: customers_cart(2), ..add("1", "a", 1) };
    bea.client.clone().add_line(own).await.expect("her own, by name");
}

#[tokio::test(start_paused = true)]
async fn every_change_is_published() {
    let shop = Shop::open().await;
    let gus = shop.guest(5);
    gus.add("1", "a", 2).await.expect("added");
    gus.add("2", "b", 1).await.expect("added");
    gus.clear("3", 2).await.expect("cleared");
    let mut events = shop.harness.client(EventServiceClient::new, staff(9, &["events.read"]));
    let request = SubscribeRequest { source: "cart".into(), ..Default::default() };
    let mut stream = events.subscribe(request).await.expect("subscribed").into_inner();
    let mut seen = Vec::new();
    while seen.len() < 3 {
        for event in stream.message().await.expect("a message").expect("open").events {
            assert_eq!(event.aggregate_id, guests_cart(5));
            let changed: CartChanged = event.payload.expect("a payload").to_msg().expect("a change");
            assert_eq!((changed.cart_id.as_str(), &changed.owner[..4]), (&*guests_cart(5), "gst_"));
            seen.push((changed.version, changed.line_count, changed.quantity));
        }
    }
    assert_eq!(seen, [(1, 1, 2), (2, 2, 3), (3, 0, 0)]);
}

#[tokio::test(start_paused = true)]
async fn a_guests_cart_is_dropped_in_time_and_a_customers_stays() {
    let shop = Shop::with(&[("guest_seconds", 2_000)]).await;
    let (gus, ada) = (shop.guest(5), shop.customer(6));
    gus.add("1", "a", 1).await.expect("added");
    ada.add("1", "a", 1).await.expect("added");
    shop.harness.advance(Duration::from_secs(1_900)).await;
    gus.add("2", "a", 1).await.expect("added: again so long");
    shop.harness.advance(Duration::from_secs(1_900)).await;
    assert_eq!(gus.lines().await, lines(&[("a", 2)]));
    shop.harness.advance(Duration::from_secs(800)).await;
    assert_eq!((gus.lines().await, gus.cart().await.version), (Vec::new(), 0));
    assert_eq!(ada.lines().await, lines(&[("a", 1)]));
}
