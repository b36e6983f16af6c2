//! A guest signs in.

use std::time::Duration;

use contract::souk::cart::v1::*;
use kernel::CustomerId;
use tokio::task::JoinSet;

use crate::fakes::token;
use crate::shop::{Shop, fields, lines, replayed};

#[tokio::test(start_paused = true)]
async fn a_guests_lines_become_the_customers() {
    let shop = Shop::open().await;
    let (gus, ada) = (shop.guest(50), shop.customer(1));
    gus.add("1", "a", 2).await.expect("added");
    gus.add("2", "b", 1).await.expect("added");
    ada.add("1", "a", 3).await.expect("added");
    let merged = ada.merge("2", shop.guest_token(50)).await.expect("merged");
    assert_eq!(merged.dropped, []);
    assert_eq!(merged.cart.expect("a cart").quantity, 6);
    assert_eq!(ada.lines().await, lines(&[("a", 5), ("b", 1)]));
    assert_eq!(gus.lines().await, []);
    assert_eq!(gus.add("3", "a", 1).await.expect_err("merged").reason(), "CART_MERGED");
    assert_eq!(gus.clear("4", 4).await.expect_err("merged").reason(), "CART_MERGED");
}

#[tokio::test(start_paused = true)]
async fn merging_again_changes_nothing() {
    let shop = Shop::open().await;
    let (gus, ada) = (shop.guest(50), shop.customer(1));
    gus.add("1", "a", 2).await.expect("added");
    let token = shop.guest_token(50);
    let first = ada.merge("1", token.clone()).await.expect("merged");
    let request = MergeGuestCartRequest { request_id: "1".into(), guest_access_token: token.clone() };
    let same = ada.client.clone().merge_guest_cart(request).await.expect("answered");
    assert!(replayed(&same));
    assert_eq!(same.into_inner(), first);
    let again = ada.merge("2", token).await.expect("nothing to do");
    assert_eq!(again.cart, first.cart);
    assert_eq!(ada.lines().await, lines(&[("a", 2)]));
}

#[tokio::test(start_paused = true)]
async fn many_merges_at_once_move_the_lines_once() {
    let shop = Shop::open().await;
    let (gus, ada) = (shop.guest(50), shop.customer(1));
    gus.add("1", "a", 2).await.expect("added");
    let mut crowd = JoinSet::new();
    for n in 0..20 {
        let (mut client, token) = (ada.client.clone(), shop.guest_token(50));
        let request = MergeGuestCartRequest { request_id: n.to_string(), guest_access_token: token };
        crowd.spawn(async move { client.merge_guest_cart(request).await.expect("merged") });
    }
    crowd.join_all().await;
    assert_eq!(ada.lines().await, lines(&[("a", 2)]));
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_is_named() {
    let shop = Shop::with(&[("line_quantity_max", 10), ("lines_max", 2)]).await;
    let (gus, ada) = (shop.guest(50), shop.customer(1));
    ada.add("1", "a", 8).await.expect("added");
    ada.add("2", "b", 1).await.expect("added");
    gus.add("1", "a", 5).await.expect("added");
    gus.add("2", "s1", 4).await.expect("added");
    let merged = ada.merge("3", shop.guest_token(50)).await.expect("merged");
    let dropped: Vec<_> = merged.dropped.iter().map(|line| (line.sku.as_str(), line.quantity)).collect();
    assert_eq!(dropped, [("a", 3), ("s1", 4)]);
    assert_eq!(ada.lines().await, lines(&[("a", 10), ("b", 1)]));
}

#[tokio::test(start_paused = true)]
async fn a_guests_cart_goes_to_one_customer_only() {
    let shop = Shop::open().await;
    shop.guest(50).add("1", "a", 2).await.expect("added");
    shop.customer(1).merge("1", shop.guest_token(50)).await.expect("merged");
    let error = shop.customer(2).merge("1", shop.guest_token(50)).await.expect_err("gone");
    assert_eq!((error.reason(), error.code()), ("CART_NOT_FOUND", kernel::Code::NotFound));
    assert_eq!(shop.customer(2).lines().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_guest_without_a_cart_brings_nothing() {
    let shop = Shop::open().await;
    let merged = shop.customer(1).merge("1", shop.guest_token(51)).await.expect("nothing to do");
    assert_eq!(merged.cart.expect("a cart").version, 0);
    // The guest may still begin one, and bring it.
    shop.guest(51).add("1", "a", 2).await.expect("added");
    shop.customer(1).merge("2", shop.guest_token(51)).await.expect("merged");
    assert_eq!(shop.customer(1).lines().await, lines(&[("a", 2)]));
}

#[tokio::test(start_paused = true)]
async fn only_a_good_token_of_a_guest_proves_the_guest() {
    let shop = Shop::open().await;
    let (gus, ada) = (shop.guest(50), shop.customer(1));
    gus.add("1", "a", 2).await.expect("added");
    let good = shop.guest_token(50);
    let now = shop.harness.context().now().secs();
    let customers = token(&CustomerId::from_bits(2).to_string(), now);
    let mut forged = good.clone();
    forged.replace_range(forged.len() - 4.., "AAAA");
    let none = "eyJhbGciOiJub25lIiwia2lkIjoiazEifQ.eyJzdWIiOiJnc3RfMSJ9.".to_owned();
    for bad in [String::new(), "x".into(), customers, forged, none, "x".repeat(100_000)] {
        let error = ada.merge("1", bad).await.expect_err("no proof");
        assert_eq!((error.reason(), fields(&error)), ("INVALID_GUEST_TOKEN", vec!["/guest_access_token"]));
    }
    shop.harness.advance(Duration::from_secs(700)).await;
    assert_eq!(ada.merge("1", good).await.expect_err("too old").reason(), "INVALID_GUEST_TOKEN");
    assert_eq!(gus.lines().await, lines(&[("a", 2)]));
}
