//! What has no way back is asked first, and only what can be done is offered.

use contract::souk::shipping::v1::shipping_service_client::ShippingServiceClient;
use contract::souk::shipping::v1::{GetRatesRequest, SetRatesRequest};
use serde_json::json;
use tests::{Browser, World};

use super::forms::sells_in_euros;
use super::{ADA, add, pay, quote, shop, sign_up};

/// The page's offer to pay.
fn offers_to_pay(text: &str) -> bool {
    text.contains("formaction=\"/checkout/pay\"") || text.contains(">Pay \u{a3}")
}

/// The id of the only address in a book.
async fn only_address(browser: &Browser) -> String {
    let book = browser.get("/api/v1/addresses").await.value();
    book["addresses"][0]["address_id"].as_str().expect("an address").to_owned()
}

#[tokio::test(start_paused = true)]
async fn deleting_an_address_asks_first() {
    let world = shop(801).await;
    let ada = world.browser();
    sign_up(&ada, "ada@example.com").await;
    assert!(ada.submit("/account/addresses/new", &ADA[1..]).await.location().is_some());
    let path = format!("/account/addresses/{}", only_address(&ada).await);
    let edit = ada.get(&path).await.text();
    let link = format!("href=\"{path}/delete\" data-opens=\"delete\"");
    assert!(edit.contains(&link) && edit.contains("<dialog id=\"delete\""), "{edit}");
    assert!(!edit.contains("name=\"delete\""), "no button of the form itself deletes: {edit}");
    let asked = ada.get(&format!("{path}/delete")).await;
    let text = asked.text();
    assert!(text.contains("Delete this address?") && text.contains("12 St James"), "{text}");
    assert_eq!(
        only_address(&ada).await,
        path.trim_start_matches("/account/addresses/"),
        "looking does nothing"
    );
    // It changed meanwhile: nothing is deleted, and the page shows how it is now.
    let stale = ada.submit(&format!("{path}/delete"), &[("version", "99")]).await;
    assert_eq!(stale.status, 409);
    assert!(stale.text().contains("changed in another window"), "{}", stale.text());
    let done = ada.submit(&format!("{path}/delete"), &[("version", &asked.field("version"))]).await;
    assert_eq!(done.location().as_deref(), Some("/account"), "{}", done.text());
    assert_eq!(ada.get("/api/v1/addresses").await.value()["addresses"], json!([]));
    // Pressed again, it is what was wanted; its page is gone.
    let again = ada.submit(&format!("{path}/delete"), &[("version", "1")]).await;
    assert_eq!(again.location().as_deref(), Some("/account"), "{}", again.text());
    assert_eq!(ada.get(&format!("{path}/delete")).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn ending_sessions_asks_first() {
    let world = shop(802).await;
    let (here, there) = (world.browser(), world.browser());
    sign_up(&here, "ada@example.com").await;
    let fields = [("email", "ada@example.com"), ("password", "a long enough secret")];
    assert!(there.submit("/sign-in", &fields).await.location().is_some());
    let page = here.get("/account").await.text();
    assert!(page.contains("href=\"/account/sessions/end\" data-opens=\"everywhere\""), "{page}");
    assert!(page.contains("<dialog id=\"everywhere\""), "{page}");
    let one = page.split("href=\"/account/sessions/end?session_id=").nth(1).expect("another session");
    let session = one.split('"').next().unwrap_or_default().to_owned();
    let asked = here.get(&format!("/account/sessions/end?session_id={session}")).await;
    assert!(asked.text().contains("End this session?"), "{}", asked.text());
    let asked_for_all = here.get("/account/sessions/end").await.text();
    assert!(asked_for_all.contains("Sign out everywhere?"), "{asked_for_all}");
    assert!(asked_for_all.contains("You need your password"), "{asked_for_all}");
    assert_eq!(there.get("/api/v1/account").await.status, 200, "looking does nothing");
    let fields = [("session_id", asked.field("session_id"))];
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(here.submit("/account/sessions/end", &fields).await.location().as_deref(), Some("/account"));
    let unknown = here.get("/account/sessions/end?session_id=ses_01m893q5ksf7yvrtycgb6t65j8").await;
    assert_eq!(unknown.status, 404);
    assert_eq!(world.browser().get("/account/sessions/end").await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_bought_is_not_offered_to_be_paid() {
    let world = World::start(803).await;
    world.sells("bowl", 1800, 3).await;
    let guest = world.browser();
    add(&guest, "bowl", "3").await;
    let cart = guest.get("/cart").await.text();
    assert!(cart.contains("href=\"/checkout\""), "{cart}");
    assert!(offers_to_pay(&quote(&guest).await.text()));
    let other = world.browser();
    add(&other, "bowl", "2").await;
    assert!(pay(&other, &quote(&other).await, "pm_card_visa").await.location().is_some());
    // The cart and the checkout say what is the matter and offer to mend it, and nothing else.
    let cart = guest.get("/cart").await.text();
    assert!(cart.contains("Only 1 left") && cart.contains("cannot be bought as it stands"), "{cart}");
    assert!(!cart.contains("href=\"/checkout\""), "{cart}");
    for page in [guest.get("/checkout").await, quote(&guest).await] {
        let text = page.text();
        assert!(
            text.contains("nly 1 of Product bowl is left") || text.contains("Product bowl: only 1 left"),
            "{text}"
        );
        assert!(!offers_to_pay(&text) && !text.contains("See delivery and total"), "{text}");
        assert!(text.contains("<a class=\"button\" href=\"/cart\">Change your cart</a>"), "{text}");
    }
    let line = guest.get("/api/v1/cart").await.value();
    let path = format!("/cart/lines/{}", line["lines"][0]["line_id"].as_str().expect("a line"));
    let version = guest.get("/cart").await.field("version");
    assert!(guest.submit(&path, &[("version", &version), ("quantity", "1")]).await.location().is_some());
    assert!(offers_to_pay(&quote(&guest).await.text()));
}

#[tokio::test(start_paused = true)]
async fn a_card_that_is_declined_with_an_empty_cart_is_said_to_be_declined() {
    let world = shop(804).await;
    let guest = world.browser();
    add(&guest, "bowl", "1").await;
    let page = quote(&guest).await;
    let line = guest.get("/api/v1/cart").await.value()["lines"][0]["line_id"].clone();
    let path = format!("/cart/lines/{}", line.as_str().expect("a line"));
    let version = guest.get("/cart").await.field("version");
    let fields = [("version", version.as_str()), ("remove", "1")];
    assert!(guest.submit(&path, &fields).await.location().is_some());
    let declined = pay(&guest, &page, "pm_card_chargeDeclined").await;
    let text = declined.text();
    assert_eq!(declined.status, 402, "{text}");
    assert!(text.contains("declined") && text.contains("Nothing was charged"), "{text}");
    assert!(text.contains("Your cart is empty now") && !text.contains("sold out"), "{text}");
    assert!(!offers_to_pay(&text), "{text}");
    // A change of the currency leads back to a page that is there.
    assert_eq!(declined.field("back"), "/cart");
}

/// Takes the rates of a currency away.
async fn delivers_without(world: &World, currency: &str) {
    let mut shipping = world.operator().client("shipping", ShippingServiceClient::new);
    let rates = shipping.get_rates(GetRatesRequest {}).await.expect("rates").into_inner().rates;
    let mut rates = rates.expect("rates");
    for method in &mut rates.methods {
        method.rates.retain(|rate| rate.currency_code != currency);
    }
    rates.methods.retain(|method| method.free || !method.rates.is_empty());
    let request = SetRatesRequest { request_id: world.request_id(), rates: Some(rates) };
    shipping.set_rates(request).await.expect("set");
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_delivered_it_is_said_whether_that_is_for_the_currency() {
    let world = shop(805).await;
    sells_in_euros(&world, "plate").await;
    let guest = world.browser();
    add(&guest, "plate", "1").await;
    delivers_without(&world, "GBP").await;
    let refused = guest.submit("/checkout", ADA).await;
    assert_eq!(refused.status, 422);
    let words = "We deliver there only for prices in EUR.";
    assert!(refused.text().contains(words), "{}", refused.text());
    // The bowl has no price in euros, so nobody can know.
    add(&guest, "bowl", "1").await;
    let text = guest.submit("/checkout", ADA).await.text();
    assert!(text.contains("We do not deliver this there for prices in GBP."), "{text}");
    let other = world.browser();
    add(&other, "plate", "1").await;
    delivers_without(&world, "EUR").await;
    let text = other.submit("/checkout", ADA).await.text();
    assert!(text.contains("We do not deliver there yet."), "{text}");
}
