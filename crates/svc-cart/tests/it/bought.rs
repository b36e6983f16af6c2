//! An order takes its lines out.

use contract::souk::cart::v1::*;

use crate::shop::{Shop, customers_cart, fields, guests_cart, lines, order_id, refused, replayed};

fn bought(order: u128, cart_id: String, lines: &[(&str, i64)]) -> RemoveBoughtLinesRequest {
    let line = |(sku, quantity): &(&str, i64)| SkuQuantity { sku: (*sku).into(), quantity: *quantity };
    RemoveBoughtLinesRequest {
        request_id: format!("o{order}"),
        order_id: order_id(order),
        cart_id,
        lines: lines.iter().map(line).collect(),
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_takes_out_what_it_bought_and_leaves_what_came_later() {
    let shop = Shop::open().await;
    let ada = shop.customer(1);
    ada.add("1", "a", 5).await.expect("added");
    ada.add("2", "b", 1).await.expect("added");
    let mut order = shop.order_for(1);
    let request = bought(7, customers_cart(1), &[("a", 2), ("a", 1), ("b", 1), ("never", 1)]);
    let done = order.remove_bought_lines(request.clone()).await.expect("removed");
    assert!(!replayed(&done));
    assert_eq!(done.into_inner().cart.expect("a cart").quantity, 2);
    ada.add("3", "b", 4).await.expect("added again");
    assert!(replayed(&order.remove_bought_lines(request.clone()).await.expect("answered")));
    // The order is remembered, not only the key.
    let another_key = RemoveBoughtLinesRequest { request_id: "another".into(), ..request };
    assert!(replayed(&order.remove_bought_lines(another_key).await.expect("answered")));
    assert_eq!(ada.lines().await, lines(&[("a", 2), ("b", 4)]));
}

#[tokio::test(start_paused = true)]
async fn an_order_without_a_cart_is_answered_too() {
    let shop = Shop::open().await;
    let done = shop
        .order_for(1)
        .remove_bought_lines(bought(7, customers_cart(1), &[("a", 2)]))
        .await
        .expect("answered");
    assert_eq!(done.into_inner().cart, None);
}

#[tokio::test(start_paused = true)]
async fn an_order_follows_a_cart_that_was_merged_meanwhile() {
    let shop = Shop::open().await;
    let (gus, ada) = (shop.guest(50), shop.customer(1));
    gus.add("1", "a", 3).await.expect("added");
    ada.merge("1", shop.guest_token(50)).await.expect("merged");
    let done = shop
        .order_for(1)
        .remove_bought_lines(bought(7, guests_cart(50), &[("a", 2)]))
        .await
        .expect("removed");
    assert_eq!(done.into_inner().cart.expect("a cart").cart_id, customers_cart(1));
    assert_eq!(ada.lines().await, lines(&[("a", 1)]));
}

#[tokio::test(start_paused = true)]
async fn wrong_fields_are_named() {
    let shop = Shop::open().await;
    let mut order = shop.order_for(1);
    let good = bought(7, customers_cart(1), &[("a", 2)]);
    let cases = [
        (RemoveBoughtLinesRequest { request_id: String::new(), ..good.clone() }, vec!["/request_id"]),
        (RemoveBoughtLinesRequest { order_id: "x".into(), ..good.clone() }, vec!["/order_id"]),
        (RemoveBoughtLinesRequest { cart_id: String::new(), ..good.clone() }, vec!["/cart_id"]),
        (bought(7, customers_cart(1), &[]), vec!["/lines"]),
        (bought(7, customers_cart(1), &[("", 1), ("a", 0)]), vec!["/lines/0/sku", "/lines/1/quantity"]),
    ];
    for (request, expected) in cases {
        assert_eq!(fields(&refused(order.remove_bought_lines(request).await)), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_shopper_takes_out_of_their_own_cart_and_order_does_not_do_it_again() {
    let shop = Shop::open().await;
    let (ada, gus) = (shop.customer(1), shop.guest(50));
    ada.add("1", "a", 5).await.expect("added");
    let saga = bought(7, customers_cart(1), &[("a", 2)]);
    let own = RemoveOrderedLinesRequest {
        request_id: "o7/cart".into(),
        cart_id: saga.cart_id.clone(),
        order_id: saga.order_id.clone(),
        lines: saga.lines.clone(),
    };
    let done = ada.client.clone().remove_ordered_lines(own.clone()).await.expect("removed");
    assert_eq!(done.into_inner().cart.expect("a cart").quantity, 3);
    let again = shop.order_for(1).remove_bought_lines(saga).await.expect("answered");
    assert!(replayed(&again), "the order is done");
    let again =
        RemoveOrderedLinesRequest { request_id: "another".into(), cart_id: String::new(), ..own.clone() };
    assert!(replayed(&ada.client.clone().remove_ordered_lines(again).await.expect("answered")));
    assert_eq!(ada.lines().await, lines(&[("a", 3)]));
    // Another's cart is not there, and what says nothing is named.
    let strange = RemoveOrderedLinesRequest { request_id: "strange".into(), ..own.clone() };
    assert_eq!(refused(gus.client.clone().remove_ordered_lines(strange).await).reason(), "CART_NOT_FOUND");
    let nameless =
        RemoveOrderedLinesRequest { request_id: "nameless".into(), order_id: String::new(), ..own };
    assert_eq!(fields(&refused(ada.client.clone().remove_ordered_lines(nameless).await)), ["/order_id"]);
    assert_eq!(ada.lines().await, lines(&[("a", 3)]));
}

#[tokio::test(start_paused = true)]
async fn a_guests_token_takes_nothing_out_of_the_cart_that_theirs_was_merged_into() {
    let shop = Shop::open().await;
    let (gus, ada) = (shop.guest(50), shop.customer(1));
    gus.add("1", "a", 3).await.expect("added");
    ada.add("1", "b", 2).await.expect("added");
    ada.merge("1", shop.guest_token(50)).await.expect("merged");
    let saga = bought(7, guests_cart(50), &[("a", 2), ("b", 2)]);
    for cart_id in [String::new(), guests_cart(50), customers_cart(1)] {
        let own = RemoveOrderedLinesRequest {
            request_id: format!("own {}", cart_id.len()).replace(' ', "-"),
            cart_id,
            order_id: saga.order_id.clone(),
            lines: saga.lines.clone(),
        };
        let refused = refused(gus.client.clone().remove_ordered_lines(own).await);
        assert_eq!(refused.reason(), "CART_NOT_FOUND");
    }
    let mut before = ada.lines().await;
    before.sort();
    assert_eq!(before, lines(&[("a", 3), ("b", 2)]));
    let done = shop.order_for(1).remove_bought_lines(saga).await.expect("the order service follows it");
    assert_eq!(done.into_inner().cart.expect("a cart").quantity, 1);
}
