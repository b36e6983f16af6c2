//! Forms that a browser kept: what the Back button brings is sent again with something changed.

use serde_json::json;

use super::{ADA, add, pay, quote, shop, sign_up};

#[tokio::test(start_paused = true)]
async fn who_has_paid_is_led_to_the_order_whatever_the_card() {
    let world = shop(901).await;
    let guest = world.browser();
    add(&guest, "bowl", "1").await;
    let page = quote(&guest).await;
    let order = pay(&guest, &page, "pm_card_visa").await.location().expect("an order");
    let again = pay(&guest, &page, "pm_card_mastercard").await;
    assert_eq!(again.location(), Some(order), "{}", again.text());
    assert_eq!(world.units().await.sold, 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_of_another_quote_does_not_stand_in_the_way() {
    let world = shop(902).await;
    let guest = world.browser();
    add(&guest, "bowl", "1").await;
    let page = quote(&guest).await;
    let first = pay(&guest, &page, "pm_card_visa").await.location().expect("an order");
    add(&guest, "mug", "1").await;
    let other = quote(&guest).await;
    let mut fields = ADA.to_vec();
    let (token, quoted, key) = (other.field("quote_token"), other.field("quoted"), page.field("key"));
    let method = other.field("method");
    fields.extend([
        ("quote_token", token.as_str()),
        ("quoted", &quoted),
        ("key", &key),
        ("method", &method),
        ("payment_method", "pm_card_visa"),
    ]);
    let second = guest.submit("/checkout/pay", &fields).await.location().expect("another order");
    assert_ne!(first, second);
    // Sent twice, it is one order all the same.
    assert_eq!(guest.submit("/checkout/pay", &fields).await.location(), Some(second));
    assert_eq!(world.units().await.sold, 2);
}

#[tokio::test(start_paused = true)]
async fn an_address_form_that_was_saved_can_be_saved_again() {
    let world = shop(903).await;
    let ada = world.browser();
    sign_up(&ada, "ada@example.com").await;
    let page = ada.get("/account/addresses/new").await;
    assert!(page.text().contains("type=\"hidden\" autocomplete=\"off\" name=\"key\""), "{}", page.text());
    let key = page.field("key");
    let named = |name: &'static str, key: &'static str| {
        let mut fields: Vec<_> = ADA[2..].to_vec();
        fields.extend([("recipient", name), ("key", key)]);
        fields
    };
    let key: &'static str = key.leak();
    assert!(ada.submit("/account/addresses/new", &named("Ada", key)).await.location().is_some());
    let kept = ada.submit("/account/addresses/new", &named("Grace", key)).await;
    let text = kept.text();
    assert_eq!(kept.status, 422, "{text}");
    assert!(text.contains("You have saved this form before.") && text.contains("value=\"Grace\""), "{text}");
    assert_ne!(kept.field("key"), key);
    let fresh: &'static str = kept.field("key").leak();
    assert!(ada.submit("/account/addresses/new", &named("Grace", fresh)).await.location().is_some());
    let book = ada.get("/api/v1/addresses").await.value();
    assert_eq!(book["addresses"][1]["address"]["recipient"], json!("Grace"));
}

#[tokio::test(start_paused = true)]
async fn a_form_that_cancelled_says_that_it_is_done() {
    let world = shop(904).await;
    let guest = world.browser();
    add(&guest, "bowl", "1").await;
    let order = pay(&guest, &quote(&guest).await, "pm_card_visa").await.location().expect("an order");
    let key = guest.get(&format!("{order}/cancel")).await.field("key");
    let path = format!("{order}/cancel");
    let done = guest.submit(&path, &[("key", &key), ("note", "Two by mistake")]).await;
    assert_eq!(done.location(), Some(order));
    let again = guest.submit(&path, &[("key", &key), ("note", "Too large")]).await;
    assert_eq!(again.status, 422);
    assert!(again.text().contains("This order cannot be cancelled"), "{}", again.text());
}
