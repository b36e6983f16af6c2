//! Edits: from the version that was seen, or not at all.

use contract::souk::cart::v1::*;

use crate::shop::{Shop, fields, lines, replayed};

#[tokio::test(start_paused = true)]
async fn an_edit_needs_the_version_that_was_seen() {
    let shop = Shop::open().await;
    let ada = shop.customer(1);
    let a = ada.add("1", "a", 1).await.expect("added").line_id;
    let b = ada.add("2", "b", 1).await.expect("added").line_id;
    let stale = ada.set("3", &a, 5, 1).await.expect_err("stale");
    assert_eq!(
        (stale.reason(), stale.code(), stale.retryable()),
        ("VERSION_CONFLICT", kernel::Code::Conflict, true)
    );
    assert_eq!(stale.metadata()["version"], "2");
    assert_eq!(ada.set("4", &a, 5, 2).await.expect("set").version, 3);
    assert_eq!(ada.remove("5", &b, 2).await.expect_err("stale").reason(), "VERSION_CONFLICT");
    assert_eq!(ada.remove("6", &b, 3).await.expect("removed").version, 4);
    assert_eq!(ada.lines().await, lines(&[("a", 5)]));
    assert_eq!(ada.clear("7", 3).await.expect_err("stale").reason(), "VERSION_CONFLICT");
    let cleared = ada.clear("8", 4).await.expect("cleared");
    assert_eq!((cleared.version, cleared.line_count, cleared.quantity), (5, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_edit_that_comes_again_gets_its_answer() {
    let shop = Shop::open().await;
    let ada = shop.customer(1);
    let line_id = ada.add("1", "a", 1).await.expect("added").line_id;
    let mut client = ada.client.clone();
    let set = SetLineQuantityRequest {
        request_id: "2".into(),
        line_id: line_id.clone(),
        quantity: 7,
        version: 1,
        ..Default::default()
    };
    for expected in [false, true] {
        assert_eq!(replayed(&client.set_line_quantity(set.clone()).await.expect("set")), expected);
    }
    let remove = RemoveLineRequest { request_id: "3".into(), line_id, version: 2, ..Default::default() };
    for expected in [false, true] {
        assert_eq!(replayed(&client.remove_line(remove.clone()).await.expect("removed")), expected);
    }
    let clear = ClearCartRequest { request_id: "4".into(), version: 3, ..Default::default() };
    for expected in [false, true] {
        assert_eq!(replayed(&client.clear_cart(clear.clone()).await.expect("cleared")), expected);
    }
    let reused = ada.set("2", &set.line_id, 8, 1).await.expect_err("another request");
    assert_eq!(reused.reason(), "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(ada.cart().await.version, 4);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_cannot_be_edited() {
    let shop = Shop::open().await;
    let ada = shop.customer(1);
    let line = ada.add("1", "a", 1).await.expect("added").line_id;
    let bea = shop.customer(2);
    bea.add("1", "a", 1).await.expect("added");
    assert_eq!(bea.set("2", &line, 2, 1).await.expect_err("hers not").reason(), "LINE_NOT_FOUND");
    assert_eq!(bea.remove("3", &line, 1).await.expect_err("hers not").reason(), "LINE_NOT_FOUND");
    assert_eq!(ada.set("4", &line, 998, 1).await.expect("set").quantity, 998);
}

#[tokio::test(start_paused = true)]
async fn wrong_fields_are_named() {
    let shop = Shop::open().await;
    let ada = shop.customer(1);
    let line = ada.add("1", "a", 1).await.expect("added").line_id;
    for (line, quantity, version, expected) in [
        (line.as_str(), 1, 0, vec!["/version"]),
        (&line, 1, -1, vec!["/version"]),
        (&line, 0, 1, vec!["/quantity"]),
        (&line, 1000, 0, vec!["/version", "/quantity"]),
        ("", 1, 1, vec!["/line_id"]),
        ("lin_x", 1, 1, vec!["/line_id"]),
    ] {
        assert_eq!(fields(&ada.set("2", line, quantity, version).await.expect_err("wrong")), expected);
    }
    assert_eq!(fields(&ada.remove("2", &line, 0).await.expect_err("wrong")), ["/version"]);
    assert_eq!(fields(&ada.remove("2", "crt_x", 1).await.expect_err("wrong")), ["/line_id"]);
    assert_eq!(fields(&ada.clear("2", 0).await.expect_err("wrong")), ["/version"]);
    assert_eq!(fields(&ada.clear("", 1).await.expect_err("wrong")), ["/request_id"]);
    assert_eq!(ada.cart().await.version, 1);
}
