//! The shop window: a whole shop, seen by browsers without a network.

mod asking;
mod asks_first;
mod buying;
mod forms;
mod keeping;
mod kept;
mod missing;
mod orders;
mod people;
mod pictures;
mod profile;
mod public;
mod refusals;
mod sockets;
mod wire;
mod words;

use tests::{Browser, Page, World};

/// A shop that sells a bowl and a mug.
async fn shop(seed: u64) -> World {
    let world = World::start(seed).await;
    world.sells("bowl", 1800, 20).await;
    world.sells("mug", 950, 20).await;
    world
}

/// What the checkout form says.
pub(crate) const ADA: &[(&str, &str)] = &[
    ("email", "ada@example.com"),
    ("recipient", "Ada Lovelace"),
    ("line1", "12 St James's Square"),
    ("city", "London"),
    ("postal_code", "SW1Y 4JH"),
    ("country", "GB"),
];

/// Puts units into the cart by the form of a product page.
pub(crate) async fn add(browser: &Browser, sku: &str, quantity: &str) {
    let page = browser.submit("/cart/lines", &[("sku", sku), ("quantity", quantity)]).await;
    assert_eq!(page.location().as_deref(), Some("/cart"), "{}", page.text());
}

/// Fills in the checkout page: the page with the total.
async fn quote(browser: &Browser) -> Page {
    let page = browser.submit("/checkout", ADA).await;
    assert_eq!(page.status, 200, "{}", page.text());
    page
}

/// Presses the button of a page with a total.
async fn pay(browser: &Browser, page: &Page, card: &str) -> Page {
    let (token, quoted, key) = (page.field("quote_token"), page.field("quoted"), page.field("key"));
    let method = page.field("method");
    let mut fields = ADA.to_vec();
    fields.extend([
        ("quote_token", token.as_str()),
        ("quoted", &quoted),
        ("key", &key),
        ("method", &method),
        ("payment_method", card),
    ]);
    browser.submit("/checkout/pay", &fields).await
}

/// Makes an account and signs it in.
async fn sign_up(browser: &Browser, email: &str) {
    let fields = [("email", email), ("password", "a long enough secret"), ("back", "/account")];
    let page = browser.submit("/sign-up", &fields).await;
    assert_eq!(page.location().as_deref(), Some("/account"), "{}", page.text());
}
