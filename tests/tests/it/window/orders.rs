//! Orders after they were placed: what their pages say and offer, how they are cancelled, and what was chosen.

use std::time::Duration;

use contract::souk::product::v1::product_service_client::ProductServiceClient;
use contract::souk::product::v1::{OptionValue, VariantInput};
use contract::souk::shipping::v1::shipping_service_client::ShippingServiceClient;
use contract::souk::shipping::v1::{
    GetShipmentRequest, ListShipmentsRequest, Shipment, ShipmentState, UpdateShipmentRequest,
};
use contract::souk::r#type::v1::UnitPrice;
use http::Request;
use serde_json::{Value, json};
use tests::{Browser, Page, World};

use super::{add, pay, quote, shop};

/// Buys one, and waits until shipping has its parcel; the order's path.
async fn bought(world: &World, browser: &Browser, sku: &str) -> String {
    add(browser, sku, "1").await;
    let page = quote(browser).await;
    let order = pay(browser, &page, "pm_card_visa").await.location().expect("an order");
    world.passes(Duration::from_secs(5)).await;
    order
}

async fn parcel(world: &World, order: &str) -> Shipment {
    let order_id = order.trim_start_matches("/orders/").to_owned();
    let mut shipping = world.operator().client("shipping", ShippingServiceClient::new);
    let request = ListShipmentsRequest { order_id, ..ListShipmentsRequest::default() };
    shipping.list_shipments(request).await.expect("listed").into_inner().shipments.remove(0)
}

/// Moves the parcel of an order through states.
async fn moves(world: &World, order: &str, states: &[ShipmentState]) {
    let mut shipping = world.operator().client("shipping", ShippingServiceClient::new);
    for state in states {
        let parcel = parcel(world, order).await;
        let request = UpdateShipmentRequest {
            request_id: world.request_id(),
            shipment_id: parcel.id,
            version: parcel.version,
            state: (*state).into(),
            carrier: "Post".to_owned(),
            tracking_number: if parcel.tracking_number.is_empty() { "T-1".to_owned() } else { String::new() },
            note: String::new(),
        };
        shipping.update_shipment(request).await.expect("moved on");
    }
}

async fn cancel_by_json(browser: &Browser, order: &str, key: &str) -> Page {
    let request = Request::post(format!("/api/v1{order}/cancellation"))
        .header("content-type", "application/json")
        .header("idempotency-key", key);
    browser.send(request, "").await
}

#[tokio::test(start_paused = true)]
async fn an_order_offers_to_be_cancelled_where_that_is_accepted() {
    use ShipmentState::{Delivered, InTransit, LabelCreated, Lost, OutForDelivery, Returned};
    let ways: [(&[ShipmentState], &str, &str, bool); 7] = [
        (&[], "packing", "We are packing it now", true),
        (&[LabelCreated], "packed", "waits for the carrier", true),
        (&[LabelCreated, InTransit], "on_its_way", "Your order is on its way", false),
        (&[LabelCreated, OutForDelivery], "arrives_today", "Your order arrives today", false),
        (&[LabelCreated, Delivered], "delivered", "Your order has arrived", false),
        (&[LabelCreated, Lost], "lost", "cannot be found", false),
        (&[LabelCreated, InTransit, Returned], "returned", "came back to us", false),
    ];
    let world = shop(701).await;
    for (states, progress, words, accepted) in ways {
        let guest = world.browser();
        let order = bought(&world, &guest, "bowl").await;
        moves(&world, &order, states).await;
        let page = guest.get(&order).await.text();
        assert!(page.contains(words), "{states:?}: {page}");
        assert_eq!(page.contains("packing"), progress == "packing", "{states:?}: {page}");
        assert_eq!(page.contains("Cancel this order"), accepted, "{states:?}: {page}");
        let screen = guest.get(&format!("/api/v1{order}")).await.value();
        assert_eq!(screen["progress"], progress);
        let actions = if accepted { json!(["cancel"]) } else { json!([]) };
        assert_eq!(screen["actions"], actions, "{states:?}");
        let asked = guest.get(&format!("{order}/cancel")).await.text();
        assert_eq!(asked.contains("Yes, cancel it"), accepted, "{states:?}: {asked}");
        // The promise is kept, either way.
        let cancelled = cancel_by_json(&guest, &order, "a").await;
        let expected = if accepted { (200, "") } else { (409, "ORDER_SHIPPED") };
        assert_eq!((cancelled.status.as_u16(), cancelled.code().as_str()), expected, "{states:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn cancelling_asks_first_and_says_what_happens_with_the_money() {
    let world = shop(702).await;
    let guest = world.browser();
    let order = bought(&world, &guest, "bowl").await;
    let page = guest.get(&order).await.text();
    let total =
        guest.get(&format!("/api/v1{order}")).await.value()["total"]["minor_units"].as_i64().expect("a sum");
    let pounds = format!("£{}.{:02}", total / 100, total % 100);
    assert!(page.contains(&format!("href=\"{order}/cancel\"")), "{page}");
    let asked = guest.get(&format!("{order}/cancel")).await;
    assert!(asked.text().contains("Cancel this order?"), "{}", asked.text());
    let promise = format!("{pounds} goes back to the card that you paid with.");
    assert!(asked.text().contains(&promise), "{}", asked.text());
    // Looking does nothing.
    assert_eq!(guest.get(&format!("/api/v1{order}")).await.value()["state"], "confirmed");
    let key = asked.field("key");
    let done = guest.submit(&format!("{order}/cancel"), &[("key", &key)]).await;
    assert_eq!(done.location().as_deref(), Some(order.as_str()), "{}", done.text());
    let page = guest.get(&order).await.text();
    assert!(page.contains("Your order is cancelled") && page.contains("has been given back"), "{page}");
    assert!(!page.contains("Cancel this order"), "{page}");
    let again = guest.get(&format!("{order}/cancel")).await.text();
    assert!(again.contains("It is cancelled already."), "{again}");
    // A stranger's browser is told of no order.
    let stranger = world.browser();
    add(&stranger, "mug", "1").await;
    assert_eq!(stranger.get(&format!("{order}/cancel")).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn an_order_that_left_meanwhile_says_so() {
    let world = shop(703).await;
    let guest = world.browser();
    let order = bought(&world, &guest, "bowl").await;
    let key = guest.get(&format!("{order}/cancel")).await.field("key");
    moves(&world, &order, &[ShipmentState::LabelCreated, ShipmentState::InTransit]).await;
    let late = guest.submit(&format!("{order}/cancel"), &[("key", &key)]).await;
    assert_eq!(late.status, 409);
    assert!(late.text().contains("It has just left us"), "{}", late.text());
    assert!(late.text().contains("Your order is on its way"), "{}", late.text());
}

#[tokio::test(start_paused = true)]
async fn attempts_that_failed_are_not_among_the_orders() {
    let world = shop(704).await;
    let guest = world.browser();
    add(&guest, "bowl", "1").await;
    let page = quote(&guest).await;
    // An order has the time of its quote in its id, by which lists are sorted; the next quote is made when this one is declined.
    world.passes(Duration::from_secs(1)).await;
    let declined = pay(&guest, &page, "pm_card_chargeDeclined").await;
    assert_eq!(declined.status, 402);
    let none = guest.get("/orders").await.text();
    assert!(none.contains("You have not bought anything yet"), "{none}");
    let order = pay(&guest, &declined, "pm_card_visa").await.location().expect("an order");
    let orders = guest.get("/orders").await.text();
    assert!(orders.contains(&order) && !orders.contains("Not placed"), "{orders}");
    assert!(orders.contains("href=\"/orders?state=failed\""), "{orders}");
    let failed = guest.get("/orders?state=failed").await.text();
    assert!(failed.contains("Not placed") && !failed.contains(&order), "{failed}");
    let listed = |query: &str| {
        let path = format!("/api/v1/orders{query}");
        let guest = &guest;
        async move { guest.get(&path).await.value()["orders"].as_array().expect("orders").clone() }
    };
    let states = |orders: Vec<Value>| -> Vec<String> {
        orders.iter().map(|order| order["state"].as_str().expect("a state").to_owned()).collect()
    };
    assert_eq!(states(listed("").await), ["confirmed", "failed"]);
    assert_eq!(states(listed("?state=failed").await), ["failed"]);
    assert_eq!(states(listed("?state=confirmed").await), ["confirmed"]);
    assert_eq!(states(listed("?state=cancelled").await), [""; 0]);
}

/// A cushion in two colours.
async fn sells_cushions(world: &World) {
    let mut request = tests::product_of(world.request_id(), "cushion-blue", 1500);
    let product = request.products[0].product.as_mut().expect("a product");
    product.option_names = vec!["Colour".to_owned(), "Size".to_owned()];
    let option = |name: &str, value: &str| OptionValue { name: name.to_owned(), value: value.to_owned() };
    product.variants = ["Blue", "Red"]
        .map(|colour| VariantInput {
            sku: format!("cushion-{}", colour.to_lowercase()),
            options: vec![option("Colour", colour), option("Size", "Large")],
            prices: vec![UnitPrice { currency_code: "GBP".into(), micros: 15_000_000 }],
            weight_grams: 400,
            ..VariantInput::default()
        })
        .to_vec();
    let mut products = world.operator().client("product", ProductServiceClient::new);
    let answer = products.import_products(request).await.expect("imported").into_inner();
    assert!(answer.results[0].refusals.is_empty(), "{:?}", answer.results[0].refusals);
    world.receives("cushion-blue", 5).await;
    world.receives("cushion-red", 5).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_chosen_is_seen_from_the_cart_to_the_parcel() {
    let world = shop(705).await;
    sells_cushions(&world).await;
    let guest = world.browser();
    add(&guest, "cushion-blue", "1").await;
    add(&guest, "cushion-red", "1").await;
    // Two variants of one product are told apart by their names, for who does not see the table too.
    let cart = guest.get("/cart").await;
    for colour in ["Blue", "Red"] {
        for control in ["Quantity of", "Update<span class=\"unseen\">", "Remove<span class=\"unseen\">"] {
            let name = format!("{control} Product cushion-blue ({colour}, Large)<");
            assert!(cart.text().contains(&name), "{name}: {}", cart.text());
        }
    }
    let red = cart.text().split("data-sku=\"cushion-red\"").nth(1).expect("a line").to_owned();
    let line = red.split("/cart/lines/").nth(1).and_then(|rest| rest.split('"').next()).expect("its form");
    let fields = [("version", cart.field("version")), ("remove", "1".to_owned())];
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert!(guest.submit(&format!("/cart/lines/{line}"), &fields).await.location().is_some());
    let page = quote(&guest).await;
    assert!(page.text().contains("Blue, Large"), "{}", page.text());
    let order = pay(&guest, &page, "pm_card_visa").await.location().expect("an order");
    world.passes(Duration::from_secs(5)).await;
    let chosen = json!([{ "name": "Colour", "value": "Blue" }, { "name": "Size", "value": "Large" }]);
    for path in [order.clone(), format!("{order}/invoice"), format!("{order}/cancel")] {
        let text = guest.get(&path).await.text();
        assert!(text.contains("Blue, Large"), "{path}: {text}");
        let screen = guest.get(&format!("/api/v1{path}")).await;
        if !path.ends_with("/cancel") {
            assert_eq!(screen.value()["lines"][0]["options"], chosen, "{path}");
        }
    }
    let screen = guest.get(&format!("/api/v1{order}")).await.value();
    assert_eq!(screen["shipments"][0]["lines"][0]["options"], chosen);
    assert_eq!(screen["shipments"][0]["lines"][0]["name"], "Product cushion-blue");
    let page = guest.get(&order).await.text();
    let parcel_words = page.split("<dt>Parcel</dt>").nth(1).and_then(|rest| rest.split("</dd>").next());
    assert!(
        parcel_words.is_some_and(|words| words.contains("1 \u{d7} Product cushion-blue, Blue, Large")),
        "the only parcel says what is in it: {page}"
    );
    // Who packs it sees it too.
    let packed = parcel(&world, &order).await;
    let mut shipping = world.operator().client("shipping", ShippingServiceClient::new);
    let request = GetShipmentRequest { shipment_id: packed.id };
    let line =
        shipping.get_shipment(request).await.expect("it").into_inner().shipment.expect("it").lines.remove(0);
    let values: Vec<&str> = line.options.iter().map(|option| option.value.as_str()).collect();
    assert_eq!((line.name.as_str(), values), ("Product cushion-blue", vec!["Blue", "Large"]));
}
