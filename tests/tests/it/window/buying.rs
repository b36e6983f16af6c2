//! Buying without JavaScript: forms, and what goes wrong on the way.

use std::time::Duration;

use contract::souk::order::v1::GetTotalsRequest;
use contract::souk::order::v1::order_service_client::OrderServiceClient;
use contract::souk::product::v1::product_service_client::ProductServiceClient;
use contract::souk::product::v1::{BatchGetVariantsRequest, SetPriceRequest};
use contract::souk::r#type::v1::UnitPrice;
use http::Method;
use mesh::{Effect, FaultRule};
use serde_json::json;
use tests::{Browser, World};
use tokio::time::Instant;

use super::{ADA, add, pay, quote, shop};

/// Orders in any state.
async fn orders(world: &World) -> i64 {
    let mut orders = world.operator().client("order", OrderServiceClient::new);
    let totals = orders.get_totals(GetTotalsRequest {}).await.expect("totals").into_inner();
    totals.states.iter().map(|count| count.orders).sum()
}

#[tokio::test(start_paused = true)]
async fn a_guest_buys_without_javascript() {
    let world = shop(101).await;
    let guest = world.browser();
    let home = guest.get("/").await;
    assert_eq!(home.status, 200);
    let product = guest.get("/products/product-bowl").await;
    assert!(
        product.text().contains("£18.00") && product.text().contains("Add to cart"),
        "{}",
        product.text()
    );
    assert!(guest.cookie("souk_access").is_none(), "looking begins no session");
    add(&guest, "bowl", "2").await;
    let cart = guest.get("/cart").await;
    assert!(cart.text().contains("£36.00"), "{}", cart.text());
    let page = guest.get("/checkout").await;
    assert!(page.text().contains("See delivery and total"), "{}", page.text());
    let page = quote(&guest).await;
    assert!(page.text().contains(">Pay £"), "{}", page.text());
    let paid = pay(&guest, &page, "pm_card_visa").await;
    let order = paid.location().expect("an order");
    let shown = guest.get(&order).await;
    assert!(shown.text().contains("Thank you, it is yours"), "{}", shown.text());
    assert!(guest.get("/cart").await.text().contains("Nothing in it yet"), "the cart is empty");
    assert_eq!(world.units().await.sold, 2);
}

#[tokio::test(start_paused = true)]
async fn the_same_click_twice_is_one_order() {
    let world = shop(102).await;
    let guest = world.browser();
    add(&guest, "bowl", "1").await;
    let page = quote(&guest).await;
    let other = guest.copy();
    let (first, second) =
        tokio::join!(pay(&guest, &page, "pm_card_visa"), pay(&other, &page, "pm_card_visa"));
    assert_eq!(first.location(), second.location());
    assert!(first.location().is_some_and(|to| to.starts_with("/orders/ord_")), "{}", first.text());
    // The back button, and the form once more.
    let again = pay(&guest, &page, "pm_card_visa").await;
    assert_eq!(again.location(), first.location());
    // The quote was placed: another key does not place it again.
    let token = page.field("quote_token");
    let (quoted, method) = (page.field("quoted"), page.field("method"));
    let mut fields = ADA.to_vec();
    fields.extend([
        ("quote_token", token.as_str()),
        ("quoted", &quoted),
        ("key", "another-key"),
        ("method", &method),
        ("payment_method", "pm_card_visa"),
    ]);
    let resubmitted = guest.submit("/checkout/pay", &fields).await;
    assert_eq!(resubmitted.location(), first.location(), "{}", resubmitted.text());
    assert_eq!((orders(&world).await, world.units().await.sold), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_declined_card_charges_nothing_and_another_works() {
    let world = shop(103).await;
    let guest = world.browser();
    add(&guest, "bowl", "1").await;
    let page = quote(&guest).await;
    let declined = pay(&guest, &page, "pm_card_chargeDeclined").await;
    assert_eq!(declined.status, 402);
    assert!(declined.text().contains("Nothing was charged"), "{}", declined.text());
    assert_eq!(world.units().await.sold, 0);
    let paid = pay(&guest, &declined, "pm_card_visa").await;
    assert!(paid.location().is_some_and(|to| to.starts_with("/orders/")), "{}", paid.text());
    assert_eq!(world.units().await.sold, 1);
}

#[tokio::test(start_paused = true)]
async fn the_bank_is_asked_and_answers() {
    let world = shop(104).await;
    for (outcome, headline) in
        [("approve", "Thank you, it is yours"), ("refuse", "We could not place this order")]
    {
        let guest = world.browser();
        add(&guest, "bowl", "1").await;
        let page = quote(&guest).await;
        let paid = pay(&guest, &page, "pm_card_authenticationRequired").await;
        let bank = paid.location().expect("the bank");
        assert!(bank.starts_with("/bank/"), "{bank}");
        assert!(guest.get(&bank).await.text().contains("action=\"/bank/"));
        let order = bank.split("order=").nth(1).expect("the order").to_owned();
        let waiting = guest.get(&format!("/orders/{order}")).await;
        assert!(waiting.text().contains("Go to your bank"), "{}", waiting.text());
        let ended = guest.submit(&bank, &[("outcome", outcome)]).await;
        assert_eq!(ended.location(), Some(format!("/orders/{order}")));
        world.passes(Duration::from_secs(5)).await;
        let shown = guest.get(&format!("/orders/{order}")).await;
        assert!(shown.text().contains(headline), "{}", shown.text());
        // Ended once: the first outcome counts.
        let again = guest.submit(&bank, &[("outcome", "approve")]).await;
        assert_eq!(again.location(), Some(format!("/orders/{order}")));
    }
    assert_eq!(world.units().await.sold, 1);
}

async fn price(world: &World, sku: &str, pence: i64) {
    let mut products = world.operator().client("product", ProductServiceClient::new);
    let request = BatchGetVariantsRequest { skus: vec![sku.to_owned()] };
    let variant = products.batch_get_variants(request).await.expect("known").into_inner().variants.remove(0);
    let request = SetPriceRequest {
        request_id: world.request_id(),
        product_id: variant.product_id,
        version: variant.product_version,
        sku: sku.to_owned(),
        unit_price: Some(UnitPrice { currency_code: "GBP".into(), micros: pence * 10_000 }),
        reason: "a test's".into(),
    };
    products.set_price(request).await.expect("priced");
}

#[tokio::test(start_paused = true)]
async fn an_expired_quote_shows_what_changed() {
    let world = shop(105).await;
    let guest = world.browser();
    add(&guest, "bowl", "1").await;
    let page = quote(&guest).await;
    price(&world, "bowl", 2100).await;
    world.passes(Duration::from_secs(16 * 60)).await;
    let expired = pay(&guest, &page, "pm_card_visa").await;
    assert_eq!(expired.status, 409);
    let text = expired.text();
    assert!(text.contains("was £18.00, now £21.00") && text.contains("Nothing was charged"), "{text}");
    assert_eq!(world.units().await.sold, 0);
    let paid = pay(&guest, &expired, "pm_card_visa").await;
    assert!(paid.location().is_some_and(|to| to.starts_with("/orders/")), "{}", paid.text());
}

#[tokio::test(start_paused = true)]
async fn what_sold_out_meanwhile_is_said_and_nothing_is_charged() {
    let world = World::start(106).await;
    world.sells("bowl", 1800, 1).await;
    let (ada, eve) = (world.browser(), world.browser());
    for browser in [&ada, &eve] {
        add(browser, "bowl", "1").await;
    }
    let page = quote(&eve).await;
    let bought = pay(&ada, &quote(&ada).await, "pm_card_visa").await;
    assert!(bought.location().is_some());
    let late = pay(&eve, &page, "pm_card_visa").await;
    assert_eq!(late.status, 409);
    assert!(
        late.text().contains("Nothing was charged") && late.text().contains("Sold out"),
        "{}",
        late.text()
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_is_said_beside_the_field_and_on_top() {
    let world = shop(107).await;
    let guest = world.browser();
    assert_eq!(guest.get("/checkout").await.location().as_deref(), Some("/cart"), "nothing to check out");
    add(&guest, "bowl", "1").await;
    let page = guest.submit("/checkout", &[("email", "ada"), ("country", "GB")]).await;
    assert_eq!(page.status, 422);
    let text = page.text();
    for said in [
        "href=\"#email\"",
        "href=\"#recipient\"",
        "href=\"#line1\"",
        "id=\"e-city\"",
        "aria-invalid=\"true\"",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(text.contains("value=\"ada\""), "what was typed stays");
    let long = "x".repeat(30);
    let mut fields = ADA.to_vec();
    fields.retain(|(name, _)| *name != "postal_code");
    fields.push(("postal_code", &long));
    let page = guest.submit("/checkout", &fields).await;
    assert!(page.status == 422 && page.text().contains("id=\"e-postal_code\""), "{}", page.text());
}

#[tokio::test(start_paused = true)]
async fn another_address_after_the_total_is_another_total() {
    let world = shop(108).await;
    let guest = world.browser();
    add(&guest, "bowl", "1").await;
    let page = quote(&guest).await;
    let (token, quoted, key) = (page.field("quote_token"), page.field("quoted"), page.field("key"));
    let own = |name: &str| name == "country" || name == "postal_code";
    let mut fields: Vec<(&str, &str)> = ADA.iter().filter(|(name, _)| !own(name)).copied().collect();
    fields.extend([
        ("country", "FR"),
        ("postal_code", "75001"),
        ("quote_token", &token),
        ("quoted", &quoted),
        ("key", &key),
        ("payment_method", "pm_card_visa"),
    ]);
    let again = guest.submit("/checkout/pay", &fields).await;
    assert_eq!(again.status, 200);
    assert!(again.text().contains("worked out anew") && again.text().contains("France"), "{}", again.text());
    assert_eq!(orders(&world).await, 0, "what is paid is what was shown");
}

#[tokio::test(start_paused = true)]
async fn a_cart_is_edited_by_its_forms() {
    let world = shop(109).await;
    let guest: Browser = world.browser();
    add(&guest, "bowl", "1").await;
    add(&guest, "mug", "1").await;
    let cart = guest.get("/cart").await;
    let text = cart.text();
    let line =
        text.split("/cart/lines/").nth(1).and_then(|rest| rest.split('"').next()).expect("a line").to_owned();
    let version = cart.field("version");
    let path = format!("/cart/lines/{line}");
    let updated = guest.submit(&path, &[("version", &version), ("quantity", "3")]).await;
    assert_eq!(updated.location().as_deref(), Some("/cart"));
    assert!(guest.get("/cart").await.text().contains("£54.00"));
    // The other window still shows the version before.
    let stale = guest.submit(&path, &[("version", &version), ("quantity", "5")]).await;
    assert_eq!(stale.status, 409);
    assert!(
        stale.text().contains("changed in another window") && stale.text().contains("£54.00"),
        "{}",
        stale.text()
    );
    let many = guest.submit(&path, &[("version", &stale.field("version")), ("quantity", "100000")]).await;
    assert_eq!(many.status, 400, "{}", many.text());
    let version = guest.get("/cart").await.field("version");
    let removed = guest.submit(&path, &[("version", &version), ("quantity", "3"), ("remove", "1")]).await;
    assert_eq!(removed.location().as_deref(), Some("/cart"));
    assert!(!guest.get("/cart").await.text().contains("£54.00"));
}

/// Stops order from taking out of carts what was bought, as if it had not come to that yet.
fn hold_back_carts(world: &World) {
    let rule = FaultRule {
        method: "/souk.cart.v1.CartService/RemoveBoughtLines".to_owned(),
        caller: Some("order".to_owned()),
        per_million: 1_000_000,
        effect: Effect::Abort,
        until: Instant::now() + Duration::from_secs(3_600),
        times: None,
    };
    world.faults().add(rule).expect("a rule");
}

/// What the header says is in the cart.
fn count(page: &tests::Page) -> String {
    let text = page.text();
    let rest = text.split("data-count>").nth(1).expect("a count");
    rest.split('<').next().unwrap_or_default().to_owned()
}

#[tokio::test(start_paused = true)]
async fn nobody_sees_their_cart_with_what_they_have_paid_for() {
    let world = shop(111).await;
    hold_back_carts(&world);
    let guest = world.browser();
    add(&guest, "bowl", "2").await;
    add(&guest, "mug", "1").await;
    let page = quote(&guest).await;
    assert_eq!(count(&page), "3");
    // What is added after the quote was not bought.
    add(&guest, "mug", "4").await;
    let order = pay(&guest, &page, "pm_card_visa").await.location().expect("an order");
    for path in [order.as_str(), "/", "/cart", "/orders", "/search?q=bowl"] {
        assert_eq!(count(&guest.get(path).await), "4", "{path}");
    }
    let cart = guest.get("/api/v1/cart").await.value();
    assert_eq!((&cart["quantity"], &cart["pending"]), (&json!(4), &json!(false)));
    // Order does it too, later: it is done once.
    world.faults().clear();
    world.passes(Duration::from_secs(120)).await;
    assert_eq!(count(&guest.get("/").await), "4");
}

#[tokio::test(start_paused = true)]
async fn a_cart_is_right_after_the_bank_has_answered_and_for_programs() {
    let world = shop(112).await;
    hold_back_carts(&world);
    let guest = world.browser();
    add(&guest, "bowl", "1").await;
    let page = quote(&guest).await;
    let bank = pay(&guest, &page, "pm_card_authenticationRequired").await.location().expect("the bank");
    assert_eq!(count(&guest.get(&bank).await), "1", "nothing is bought yet");
    let order = guest.submit(&bank, &[("outcome", "approve")]).await.location().expect("the order");
    world.passes(Duration::from_secs(5)).await;
    let shown = guest.get(&order).await;
    assert!(shown.text().contains("Thank you"), "{}", shown.text());
    assert_eq!(count(&shown), "");
    // The same by JSON.
    let program = world.browser();
    add(&program, "mug", "1").await;
    let address = json!({
        "recipient": "Ada Lovelace", "lines": ["12 St James's Square"], "city": "London",
        "postal_code": "SW1Y 4JH", "country_code": "GB",
    });
    let quote =
        program.json(Method::POST, "/api/v1/quotes", &json!({ "destination": address })).await.value();
    let body = json!({ "quote_token": quote["quote_token"], "payment_method": "pm_card_visa" });
    let request = http::Request::post("/api/v1/orders").header("content-type", "application/json");
    let placed = program.send(request.header("idempotency-key", "one"), body.to_string()).await;
    assert_eq!(placed.status, 201, "{}", placed.text());
    assert_eq!(program.get("/api/v1/cart").await.value()["quantity"], 0);
    // A cart that cannot be reached stops no order.
    let rule = FaultRule {
        method: "/souk.cart.v1.CartService/RemoveOrderedLines".to_owned(),
        caller: None,
        per_million: 1_000_000,
        effect: Effect::Abort,
        until: Instant::now() + Duration::from_secs(3_600),
        times: None,
    };
    world.faults().add(rule).expect("a rule");
    let other = world.browser();
    add(&other, "mug", "1").await;
    let page = super::quote(&other).await;
    let paid = pay(&other, &page, "pm_card_visa").await;
    assert!(paid.location().is_some_and(|to| to.starts_with("/orders/")), "{}", paid.text());
}
