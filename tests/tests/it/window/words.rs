//! What pages and problems say to who reads them: sentences for people, true in the currency of the page, and anchors for programs.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use http::{Method, Request};
use serde_json::json;

use super::forms::sells_in_euros;
use super::{ADA, add, pay, quote, shop, sign_up};

#[tokio::test(start_paused = true)]
async fn a_page_has_one_currency() {
    let world = shop(911).await;
    sells_in_euros(&world, "plate").await;
    let browser = world.browser();
    let product = browser.get("/products/product-bowl?currency_code=EUR").await.text();
    assert!(product.contains("Not in EUR") || product.contains("no price in EUR"), "{product}");
    assert!(!product.contains("price in GBP") && product.contains("<option selected>EUR</option>"));
    // Nothing has a price in yen, so a page does not ask for one.
    let product = browser.get("/products/product-bowl?currency_code=JPY").await.text();
    assert!(product.contains("£18.00") && !product.contains("JPY"), "{product}");
    for path in ["/?currency_code=EUR", "/search?q=plate&currency_code=EUR", "/c/things?currency_code=EUR"] {
        let page = browser.get(path).await;
        let text = page.text();
        assert!(text.contains("€10.00") && !text.contains('£'), "{path}: {text}");
        assert!(
            !page.field("back").contains("currency"),
            "another choice is not undone by the way back: {path}"
        );
    }
    let search = browser.get("/search?q=plate&currency_code=EUR").await.text();
    assert!(search.contains("name=\"currency_code\" value=\"EUR\""), "the list stays in it: {search}");
}

#[tokio::test(start_paused = true)]
async fn a_list_of_orders_says_what_stays_true() {
    let world = shop(912).await;
    let ada = world.browser();
    sign_up(&ada, "ada@example.com").await;
    add(&ada, "bowl", "1").await;
    assert!(pay(&ada, &quote(&ada).await, "pm_card_visa").await.location().is_some());
    for path in ["/orders", "/account"] {
        let text = ada.get(path).await.text();
        assert!(text.contains("<td>Placed</td>") && !text.contains("Confirmed"), "{path}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_person_reads_sentences() {
    let world = shop(913).await;
    let guest = world.browser();
    for (path, words) in [
        ("/search?price=cheap", "Price is not a range that this list knows."),
        ("/search?attribute=red", "Choice is not one that this list knows."),
        ("/search?cursor=xx", "Page is not one of this list; begin with its first."),
        ("/search?q=%00", "What you search for has control characters."),
    ] {
        let page = guest.get(path).await;
        assert!(page.status.is_client_error() && page.text().contains(words), "{path}: {}", page.text());
    }
    let unknown = guest.submit("/cart/lines", &[("sku", "bowl"), ("foo", "1")]).await;
    assert!(unknown.text().contains("that this page does not know."), "{}", unknown.text());
    let none = guest.submit("/preferences", &[("currency", "XXX")]).await;
    assert!(none.text().contains("Currency is not offered here."), "{}", none.text());
    add(&guest, "bowl", "1").await;
    let gone = guest.submit("/cart/lines", &[("sku", "NOPE")]).await;
    assert_eq!(gone.status, 404);
    assert!(gone.text().contains("We do not sell this any more."), "{}", gone.text());
    let paid = pay(&guest, &quote(&guest).await, "nope").await;
    assert!(paid.text().contains("We do not know that way to pay."), "{}", paid.text());
    let mut flat: Vec<_> = ADA.iter().filter(|(name, _)| *name != "line1").copied().collect();
    flat.push(("line2", "Flat 3"));
    let page = guest.submit("/checkout", &flat).await;
    assert!(page.status == 422 && page.text().contains("id=\"e-line1\""), "{}", page.text());
    let mut code: Vec<_> = ADA.iter().filter(|(name, _)| *name != "postal_code").copied().collect();
    code.push(("postal_code", "75001"));
    let page = guest.submit("/checkout", &code).await.text();
    assert!(page.contains("This is not a postcode of the United Kingdom; one looks like"), "{page}");
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_a_sign_up_stands_beside_its_field() {
    let world = shop(914).await;
    let browser = world.browser();
    let page = browser.submit("/sign-up", &[("email", "ada"), ("password", "a long enough secret")]).await;
    assert!(page.status == 422 && page.text().contains("id=\"e-email\">This is not"), "{}", page.text());
    let page = browser.submit("/sign-up", &[("email", "ada@example.com"), ("password", "short")]).await;
    assert!(page.text().contains("id=\"e-password\">Use at least 8"), "{}", page.text());
    sign_up(&browser, "ada@example.com").await;
    for (current, new, at) in
        [("not it at all", "another long secret", "current"), ("a long enough secret", "short", "new")]
    {
        let fields = [("current_password", current), ("new_password", new)];
        let page = browser.submit("/account/password", &fields).await;
        let beside = format!("id=\"e-{at}_password\">");
        assert!(page.status == 422 && page.text().contains(&beside), "{}", page.text());
    }
}

#[tokio::test(start_paused = true)]
async fn a_bank_knows_its_challenges() {
    let world = shop(915).await;
    let guest = world.browser();
    assert_eq!(guest.get("/bank/xx").await.status, 404);
    add(&guest, "bowl", "1").await;
    let paid = pay(&guest, &quote(&guest).await, "pm_card_authenticationRequired").await;
    let bank = paid.location().expect("the bank");
    assert_eq!(guest.get(&bank).await.status, 200);
    let order = bank.split("order=").nth(1).expect("the order");
    let other = guest.get(&format!("/bank/xx?order={order}")).await;
    assert_eq!(other.location(), Some(format!("/orders/{order}")));
    let elsewhere = world.browser().get(&bank).await;
    assert_eq!(elsewhere.status, 200, "a bank knows no session of the shop");
    assert!(!elsewhere.text().contains('£'), "and tells nobody else what is paid");
}

#[tokio::test(start_paused = true)]
async fn a_program_is_told_by_its_own_names() {
    let world = shop(916).await;
    let ada = world.browser();
    sign_up(&ada, "ada@example.com").await;
    let told = |page: &tests::Page| {
        (page.pointer(), page.value()["errors"][0]["detail"].as_str().unwrap_or_default().to_owned())
    };
    for (path, pointer, words) in [
        (format!("/api/v1/suggestions?q={}", "a".repeat(3_000)), "/q", "has more than 200 characters"),
        ("/api/v1/search?q=a&q=b".to_owned(), "/q", "is given twice"),
        ("/api/v1/search?limit=1&limit=2".to_owned(), "/limit", "is given twice"),
        ("/api/v1/search?q=%00".to_owned(), "/q", "has control characters"),
        (
            "/api/v1/search?currency_code=gbp".to_owned(),
            "/currency_code",
            "must be an ISO 4217 code in capitals",
        ),
    ] {
        let page = ada.get(&path).await;
        assert_eq!(told(&page), (pointer.to_owned(), words.to_owned()), "{path}: {}", page.text());
    }
    let body = ada.json(Method::POST, "/api/v1/cart/lines", &json!(null)).await;
    assert_eq!(told(&body), (String::new(), "must be an object".to_owned()), "{}", body.text());
    add(&ada, "bowl", "1").await;
    let token = quote(&ada).await.field("quote_token");
    let order = Request::post("/api/v1/orders").header("content-type", "application/json");
    let body = json!({ "quote_token": token, "payment_method": "nope" }).to_string();
    let nope = ada.send(order.header("idempotency-key", "one"), body).await;
    assert_eq!((nope.status.as_u16(), nope.pointer().as_str()), (422, "/payment_method"));
    let long = format!("/api/v1/challenges/{}", "x".repeat(65));
    assert_eq!(
        ada.json(Method::POST, &long, &json!({ "outcome": "approve" })).await.pointer(),
        "/challenge_id"
    );
    let tag = ada.get("/api/v1/profile").await.header("etag").to_owned();
    let put = Request::put("/api/v1/profile").header("content-type", "application/json");
    let unknown = ada.send(put.header("if-match", tag), json!({ "country_code": "ZZ" }).to_string()).await;
    assert_eq!((unknown.status.as_u16(), unknown.pointer().as_str()), (400, "/country_code"));
    let version = ada.get("/account").await.field("version");
    let fields = [
        ("version", version.as_str()),
        ("name", ""),
        ("contact_email", ""),
        ("locale", ""),
        ("country", "gb"),
    ];
    let page = ada.submit("/account/profile", &fields).await.text();
    assert!(page.contains("id=\"e-country\">Choose a country from the list."), "{page}");
}

/// Reasons that no visitor is told: of starting, of the setup, and of calls that the gateway does not make.
const NOT_TOLD: &[&str] = &[
    "ALREADY_EXISTS",
    "BATCH_TOO_LARGE",
    "CURRENCY_MISMATCH",
    "DATA_DIR_IN_USE",
    "DATA_DIR_UNWRITABLE",
    "DATA_MISSING",
    "DATA_NEWER",
    "DATA_REPLACED",
    "DOCUMENT_TOO_LARGE",
    "INDEX_NOT_UNIQUE",
    "INVALID_RATE",
    "INVALID_STORE_NAME",
    "INVALID_STORE_URL",
    "INVALID_TIMEOUT",
    "INVALID_TIMESTAMP",
    "KV_TOO_LARGE",
    "LEASE_LOST",
    "MIGRATION_CHANGED",
    "MIGRATION_FAILED",
    "NO_THREAD",
    "PEER_INVALID",
    "POSITION_MOVED",
    "STORE_FAULT",
    "TOO_MANY_FAULTS",
];

/// The reasons in the sources of a folder, outside their tests: capitals in quotes in a line that makes an error.
fn reasons_in(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() && !entry.ends_with("conformance") {
            reasons_in(&entry, found);
        }
        if entry.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = std::fs::read_to_string(&entry).expect("text");
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for made in text.split("Error::").skip(1) {
            let made = made.split(';').next().unwrap_or_default();
            let mut quoted = made.split('"').skip(1).step_by(2);
            let is_reason = |text: &&str| {
                text.contains('_') && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
            };
            found.extend(quoted.find(is_reason).map(str::to_owned));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_reason_has_its_place_in_the_documentation() {
    let world = shop(917).await;
    let docs = world.browser().get("/docs").await.text();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut reasons = BTreeSet::new();
    for folder in
        ["bff-web", "crates/contract", "crates/edge", "crates/kernel", "crates/mesh", "crates/store"]
    {
        reasons_in(&sources.join(folder).join("src"), &mut reasons);
    }
    assert!(reasons.len() > 40 && reasons.contains("INVALID_ID"), "{reasons:?}");
    let has_place = |reason: &str| docs.contains(&format!("<dt id=\"{reason}\">"));
    let missing: Vec<_> = reasons
        .iter()
        .filter(|reason| !has_place(reason.as_str()) && !NOT_TOLD.contains(&reason.as_str()))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[tokio::test(start_paused = true)]
async fn an_id_that_is_none_is_explained() {
    let world = shop(918).await;
    let browser = world.browser();
    sign_up(&browser, "ada@example.com").await;
    let docs = browser.get("/docs").await.text();
    for path in ["/api/v1/orders/nonsense", "/api/v1/search?price=5-1", "/api/v1/search?category=nowhere"] {
        world.passes(Duration::from_secs(3)).await;
        let problem = browser.get(path).await.value();
        let anchor = problem["type"].as_str().expect("a type").trim_start_matches("/docs#").to_owned();
        assert!(docs.contains(&format!("id=\"{anchor}\"")), "{path}: {anchor}");
    }
}
