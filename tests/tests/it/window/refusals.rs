//! What a program is told that asks wrongly: which field it is, and what to send instead.

use http::{Method, Request};
use serde_json::{Value, json};

use super::{add, shop, sign_up};

/// An address with these street lines.
fn with_lines(lines: &[&str]) -> Value {
    json!({ "recipient": "Ada", "lines": lines, "city": "London", "postal_code": "SW1Y 4JH", "country_code": "GB" })
}

#[tokio::test(start_paused = true)]
async fn no_line_of_an_address_is_blank() {
    let world = shop(931).await;
    let ada = world.browser();
    sign_up(&ada, "ada@example.com").await;
    add(&ada, "bowl", "1").await;
    for (path, name) in [("/api/v1/quotes", "destination"), ("/api/v1/addresses", "address")] {
        for (lines, status, wrong) in [
            (&["", "Flat 3", "1 Mill Lane"][..], 400, "lines/0"),
            (&["Flat 3", " "], 400, "lines/1"),
            (&["", ""], 400, "lines/0"),
            (&[""], 422, "lines"),
        ] {
            let page = ada.json(Method::POST, path, &json!({ name: with_lines(lines) })).await;
            let told = (page.status.as_u16(), page.pointer());
            assert_eq!(told, (status, format!("/{name}/{wrong}")), "{path} {lines:?}: {}", page.text());
        }
        let good =
            ada.json(Method::POST, path, &json!({ name: with_lines(&["Flat 3", "1 Mill Lane"]) })).await;
        assert!(good.status.is_success(), "{path}: {}", good.text());
    }
}

#[tokio::test(start_paused = true)]
async fn a_currency_that_the_shop_does_not_sell_in_is_refused() {
    let world = shop(932).await;
    let browser = world.browser();
    add(&browser, "bowl", "1").await;
    for path in [
        "/api/v1/search?q=bowl&",
        "/api/v1/products/product-bowl?",
        "/api/v1/products/product-bowl/others?",
        "/api/v1/home?",
        "/api/v1/cart?",
    ] {
        let page = browser.get(&format!("{path}currency_code=USD")).await;
        assert_eq!((page.status.as_u16(), page.code().as_str()), (400, "INVALID_CURRENCY"), "{path}");
        assert_eq!(page.pointer(), "/currency_code", "{path}");
        assert!(page.text().contains("this shop sells in GBP, EUR"), "{path}: {}", page.text());
        for good in ["GBP", "EUR"] {
            let page = browser.get(&format!("{path}currency_code={good}")).await;
            assert_eq!(page.status, 200, "{path}: {}", page.text());
        }
    }
    let wanted = json!({ "destination": with_lines(&["1 Mill Lane"]), "currency_code": "USD" });
    let page = browser.json(Method::POST, "/api/v1/quotes", &wanted).await;
    assert_eq!((page.status.as_u16(), page.pointer().as_str()), (400, "/currency_code"), "{}", page.text());
    let spec = browser.get("/openapi.json").await.value();
    assert_eq!(spec["components"]["schemas"]["CurrencyCode"]["enum"], json!(["GBP", "EUR"]));
}

#[tokio::test(start_paused = true)]
async fn a_key_of_another_request_is_called_as_the_program_sent_it() {
    let world = shop(933).await;
    let browser = world.browser();
    add(&browser, "mug", "1").await;
    let add = |quantity: i32| {
        let request = Request::post("/api/v1/cart/lines").header("content-type", "application/json");
        let body = json!({ "sku": "bowl", "quantity": quantity }).to_string();
        browser.send(request.header("idempotency-key", "one"), body)
    };
    assert_eq!(add(1).await.status, 201);
    let reused = add(2).await;
    assert_eq!((reused.status.as_u16(), reused.code().as_str()), (422, "IDEMPOTENCY_KEY_REUSED"));
    assert_eq!(reused.pointer(), "/idempotency_key");
    assert!(!reused.text().contains("/request_id"), "{}", reused.text());
}

#[tokio::test(start_paused = true)]
async fn a_program_without_a_session_is_told_how_to_begin_one() {
    let world = shop(934).await;
    let nobody = world.browser();
    let wanted = json!({ "destination": with_lines(&["1 Mill Lane"]) });
    for page in
        [nobody.get("/api/v1/orders").await, nobody.json(Method::POST, "/api/v1/quotes", &wanted).await]
    {
        assert_eq!((page.status.as_u16(), page.code().as_str()), (401, "UNAUTHENTICATED"));
        assert!(page.text().contains("POST /api/v1/session/guest"), "{}", page.text());
    }
    assert_eq!(nobody.json(Method::POST, "/api/v1/session/guest", &json!(null)).await.status, 201);
    assert_eq!(nobody.get("/api/v1/orders").await.status, 200);
    // An account is more than a session.
    let account = nobody.get("/api/v1/account").await;
    assert!(account.status == 401 && account.text().contains("sign in first"), "{}", account.text());
}

#[tokio::test(start_paused = true)]
async fn a_version_is_named_by_its_number() {
    let world = shop(935).await;
    let ada = world.browser();
    sign_up(&ada, "ada@example.com").await;
    let body = json!({ "address": with_lines(&["1 Mill Lane"]) });
    assert_eq!(ada.json(Method::POST, "/api/v1/addresses", &body).await.status, 201);
    let list = ada.get("/api/v1/addresses").await;
    let address = list.value()["addresses"][0].clone();
    let path = format!("/api/v1/addresses/{}", address["address_id"].as_str().expect("an id"));
    let put = |tag: &str| {
        let request = Request::put(&path).header("content-type", "application/json").header("if-match", tag);
        ada.send(request, body.to_string())
    };
    let of_list = put(list.header("etag")).await;
    assert_eq!((of_list.status.as_u16(), of_list.code().as_str()), (412, "VERSION_CONFLICT"));
    let told = of_list.value()["detail"].as_str().expect("words").to_owned();
    assert!(told.contains("such as \"v3\"") && told.contains("ETag of a list"), "{told}");
    let none = ada.json(Method::PUT, &path, &body).await;
    assert!(none.status == 428 && none.text().contains("such as"), "{}", none.text());
    let tag = format!("\"v{}\"", address["version"]);
    assert_eq!(put(&tag).await.status, 200);
    let stale = put(&tag).await;
    assert!(
        stale.status == 412 && stale.text().contains("has changed since it was read"),
        "{}",
        stale.text()
    );
}

#[tokio::test(start_paused = true)]
async fn a_wrong_current_password_is_a_wrong_field() {
    let world = shop(936).await;
    let ada = world.browser();
    sign_up(&ada, "ada@example.com").await;
    let change = |current: &str| {
        let body = json!({ "current_password": current, "new_password": "another long secret" });
        let ada = ada.copy();
        async move { ada.json(Method::POST, "/api/v1/account/password", &body).await }
    };
    let wrong = change("not it at all").await;
    assert_eq!((wrong.status.as_u16(), wrong.code().as_str()), (422, "CURRENT_PASSWORD_WRONG"));
    assert_eq!(wrong.pointer(), "/current_password");
    assert!(wrong.text().contains("is not your current password"), "{}", wrong.text());
    assert_eq!(change("a long enough secret").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn the_documentation_shows_no_markdown() {
    let world = shop(937).await;
    let browser = world.browser();
    let docs = browser.get("/docs").await.text();
    assert!(!docs.contains('`'), "{}", docs.split('`').nth(1).unwrap_or_default());
    assert!(docs.contains("<code>If-Match</code>") && docs.contains("<li><code>"));
    let spec = browser.get("/openapi.json").await.value();
    let schemas = spec["components"]["schemas"].as_object().expect("schemas");
    let mut described: Vec<&str> = schemas
        .iter()
        .filter(|(_, schema)| schema["properties"]["absent"].is_object())
        .map(|(_, schema)| schema["description"].as_str().expect("a sentence"))
        .collect();
    let types = described.len();
    assert!(types >= 6 && described.iter().all(|sentence| sentence.contains("absent")), "{described:?}");
    described.sort_unstable();
    described.dedup();
    assert_eq!(described.len(), types, "{described:?}");
}
