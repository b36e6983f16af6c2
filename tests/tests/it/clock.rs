//! The wall clock leaps under a whole shop: people go on buying, and the books hold.

use std::time::Duration;

use bytes::Bytes;
use chassis::Options;
use contract::souk::order::v1::OrderState;
use http::Request;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tests::{Browser, Page, World};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;
/// A new setting of the clock is believed after a minute.
const BELIEVED: Duration = Duration::from_secs(70);

async fn post(browser: &Browser, path: &str, key: &str, body: &Value) -> Page {
    let request = Request::post(path).header(CONTENT_TYPE, "application/json").header("idempotency-key", key);
    browser.send(request, Bytes::from(body.to_string())).await
}

/// Buys one unit as a guest in a browser of its own. The answer of the order.
async fn buys_in_a_browser(world: &World, name: &str) -> Page {
    let browser = world.browser();
    let account = json!({"email": format!("{name}@example.com"), "password": "correct horse battery"});
    let signed_up = post(&browser, "/api/v1/accounts", &format!("up-{name}"), &account).await;
    assert_eq!(signed_up.status, 201, "{name}: {}", signed_up.text());
    let line = json!({"sku": "bowl", "quantity": 1});
    let added = post(&browser, "/api/v1/cart/lines", &format!("add-{name}"), &line).await;
    assert_eq!(added.status, 201, "{name}: {}", added.text());
    let destination = json!({
        "recipient": "Ada Lovelace", "lines": ["12 St James Square"], "city": "London", "postal_code": "SW1Y 4JH",
        "country_code": "GB",
    });
    let ask = json!({"currency_code": "GBP", "destination": destination, "contact_email": "ada@example.com"});
    let quote = post(&browser, "/api/v1/quotes", &format!("quote-{name}"), &ask).await;
    let token = quote.value()["quote_token"]
        .as_str()
        .unwrap_or_else(|| panic!("{name}: {}", quote.text()))
        .to_owned();
    let order = json!({"quote_token": token, "payment_method": "pm_card_visa"});
    let placed = post(&browser, "/api/v1/orders", &format!("order-{name}"), &order).await;
    assert_eq!(placed.status, 201, "{name}: {}", placed.text());
    let again = post(&browser, "/api/v1/orders", &format!("order-{name}"), &order).await;
    assert_eq!(again.header("idempotency-replayed"), "true", "{name}: {}", again.text());
    placed
}

/// Where the units are: received, sold, on hand, held.
async fn units(world: &World) -> (i64, i64, i64, i64) {
    let units = world.units().await;
    (units.received, units.sold - units.returned, units.on_hand, units.held)
}

#[tokio::test(start_paused = true)]
async fn people_buy_while_the_clock_goes_back_leaps_ahead_and_back() {
    for (seed, ahead) in [(801, -HOUR), (802, YEAR), (803, 30 * DAY)] {
        let world = World::start(seed).await;
        world.sells("bowl", 1250, 50).await;
        buys_in_a_browser(&world, "before").await;
        world.sets_clock_ahead(ahead);
        buys_in_a_browser(&world, "at-once").await;
        world.passes(BELIEVED).await;
        buys_in_a_browser(&world, "believed").await;
        world.sets_clock_ahead(0);
        buys_in_a_browser(&world, "back").await;
        world.passes(BELIEVED).await;
        buys_in_a_browser(&world, "after").await;
        world.passes(Duration::from_secs(600)).await;
        assert_eq!(units(&world).await, (50, 5, 45, 0), "{ahead}: nothing is held, five are sold");
    }
}

#[tokio::test(start_paused = true)]
async fn a_month_ahead_for_six_seconds_expires_nothing() {
    let world = World::start(804).await;
    world.sells("bowl", 1250, 5).await;
    let buyer = world.customer(1);
    buyer.adds("bowl", 1).await.expect("added");
    let quote = buyer.quotes().await.expect("quoted");
    let browser = world.browser();
    let account = json!({"email": "ada@example.com", "password": "correct horse battery"});
    assert_eq!(post(&browser, "/api/v1/accounts", "up", &account).await.status, 201);
    // It waits for the buyer's bank, with a hold of 15 minutes.
    let waits = world.guest(2).buys("bowl", 1, "pm_card_authenticationRequired").await.expect("placed");
    assert_eq!(waits.state(), OrderState::ActionRequired);

    world.sets_clock_ahead(30 * DAY);
    let order = buyer.places("k", &quote.quote_token, "pm_card_visa").await.expect("the quote is good");
    for _ in 0..6 {
        assert_eq!(browser.get("/api/v1/account").await.status, 200);
        world.passes(Duration::from_secs(1)).await;
    }
    assert_eq!(buyer.places("k", &quote.quote_token, "pm_card_visa").await.expect("replayed").id, order.id);
    assert_eq!(world.guest(2).sees(&waits.id).await.expect("seen").state(), OrderState::ActionRequired);
    world.sets_clock_ahead(0);
    world.passes(Duration::from_secs(6)).await;
    assert_eq!(world.guest(2).sees(&waits.id).await.expect("seen").state(), OrderState::ActionRequired);
    assert_eq!(browser.get("/api/v1/account").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn what_was_put_aside_by_a_clock_a_year_ahead_is_taken_up() {
    let world = World::start(805).await;
    world.sells("bowl", 1250, 5).await;
    world.sets_clock_ahead(YEAR);
    world.passes(BELIEVED).await;
    let waits = world.guest(2).buys("bowl", 1, "pm_card_authenticationRequired").await.expect("placed");
    let quote = {
        let buyer = world.customer(3);
        buyer.adds("bowl", 1).await.expect("added");
        buyer.quotes().await.expect("quoted")
    };
    let keyed = world.customer(1).buys("bowl", 1, "pm_card_visa").await.expect("placed");
    assert_eq!(keyed.state(), OrderState::Confirmed);
    world.sets_clock_ahead(0);
    world.passes(BELIEVED).await;
    // A quote of the future is no quote of today.
    let late =
        world.customer(3).places("k", &quote.quote_token, "pm_card_visa").await.expect_err("of a year ahead");
    assert!(matches!(late.reason(), "QUOTE_EXPIRED" | "QUOTE_TOKEN_INVALID"), "{late:?}");
    // The order that waits is asked about, and ends with its limit; its units come back.
    world.passes(Duration::from_secs(3 * 3_600)).await;
    let ended = world.guest(2).sees(&waits.id).await.expect("seen");
    assert_eq!(ended.state(), OrderState::Failed, "{ended:?}");
    assert_eq!(units(&world).await, (5, 1, 4, 0));
}

/// One directory under clocks that are wrong in turn, each time for a whole purchase.
#[tokio::test]
async fn starts_under_other_clocks_on_the_same_directory_go_on() {
    let scratch = tempfile::tempdir().expect("a directory");
    let data = format!("dir:{}", scratch.path().display());
    for (at, ahead) in [YEAR, 0, -HOUR, 30 * DAY, 0].into_iter().enumerate() {
        let world = World::start_ahead(Options::new(&data), 810 + at as u64, ahead).await;
        if at == 0 {
            world.sells("bowl", 1250, 50).await;
        }
        let placed = buys_in_a_browser(&world, &format!("visitor{at}")).await;
        assert!(placed.value()["order_id"].is_string(), "{}", placed.text());
        world.running().stop(Duration::from_secs(5)).await;
    }
}
