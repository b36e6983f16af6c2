//! Forms are as wide as what they fill: addresses of four lines and of every country, and currencies that have prices.

use std::time::Duration;

use contract::souk::product::v1::product_service_client::ProductServiceClient;
use contract::souk::search::v1::SearchRequest;
use contract::souk::search::v1::search_service_client::SearchServiceClient;
use contract::souk::r#type::v1::UnitPrice;
use http::Method;
use serde_json::json;
use tests::{Page, World, product_of};

use super::{ADA, add, quote, shop, sign_up};

/// Sells a product in pounds and euros, and waits until it is found in euros.
pub(super) async fn sells_in_euros(world: &World, sku: &str) {
    let mut request = product_of(world.request_id(), sku, 900);
    let product = request.products[0].product.as_mut().expect("a product");
    product.variants[0].prices.push(UnitPrice { currency_code: "EUR".into(), micros: 10_000_000 });
    let operator = world.operator();
    operator.client("product", ProductServiceClient::new).import_products(request).await.expect("good");
    world.receives(sku, 5).await;
    found_in(world, "EUR").await;
}

/// Waits until something is found that has a price in this currency.
async fn found_in(world: &World, currency: &str) {
    loop {
        let request = SearchRequest { currency_code: currency.into(), ..SearchRequest::default() };
        let mut search = world.operator().client("search", SearchServiceClient::new);
        if search.search(request).await.is_ok_and(|answer| answer.into_inner().total > 0) {
            return;
        }
        world.passes(Duration::from_millis(10)).await;
    }
}

const LINES: [&str; 4] = ["Flat 3", "The Old Mill", "12 Mill Lane", "Lower End"];

fn four_lines() -> Vec<(&'static str, &'static str)> {
    let mut fields: Vec<_> = ADA[1..].iter().filter(|(name, _)| *name != "line1").copied().collect();
    fields.extend(["line1", "line2", "line3", "line4"].into_iter().zip(LINES));
    fields
}

/// The value of an input of a form, whatever else stands in its tag.
fn value(page: &Page, name: &str) -> String {
    let text = page.text();
    let tag = text.split(&format!("name=\"{name}\"")).nth(1).unwrap_or_else(|| panic!("no {name}: {text}"));
    let tag = tag.split('>').next().unwrap_or_default();
    tag.split("value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned()
}

#[tokio::test(start_paused = true)]
async fn an_address_of_four_lines_survives_an_edit() {
    let world = shop(701).await;
    let ada = world.browser();
    sign_up(&ada, "ada@example.com").await;
    assert!(ada.submit("/account/addresses/new", &four_lines()).await.location().is_some());
    let lines = |book: &serde_json::Value| book["addresses"][0]["address"]["lines"].clone();
    let book = ada.get("/api/v1/addresses").await.value();
    assert_eq!(lines(&book), json!(LINES));
    let path = format!("/account/addresses/{}", book["addresses"][0]["address_id"].as_str().expect("an id"));
    let page = ada.get(&path).await;
    let names = [
        "label",
        "recipient",
        "line1",
        "line2",
        "line3",
        "line4",
        "city",
        "postal_code",
        "region",
        "phone",
        "version",
        "key",
        "default_billing",
    ];
    let shown: Vec<(&str, String)> = names.iter().map(|name| (*name, value(&page, name))).collect();
    let mut fields: Vec<(&str, &str)> = shown.iter().map(|(name, value)| (*name, value.as_str())).collect();
    fields.push(("country", "GB"));
    // As a browser sends a box that is ticked.
    assert!(page.text().contains("name=\"default_shipping\" value=\"on\" checked"), "{}", page.text());
    fields.push(("default_shipping", "on"));
    assert!(ada.submit(&path, &fields).await.location().is_some());
    let book = ada.get("/api/v1/addresses").await.value();
    assert_eq!(lines(&book), json!(LINES), "saved as it was");
    assert_eq!(book["addresses"][0]["default_billing"], json!(true), "still what stands on invoices");
    add(&ada, "bowl", "1").await;
    let page = ada.get("/checkout").await;
    assert_eq!(["line1", "line2", "line3", "line4"].map(|name| value(&page, name)), LINES);
    let fields = [&ADA[..1], &four_lines()].concat();
    let text = ada.submit("/checkout", &fields).await.text();
    assert!(text.contains("Flat 3, The Old Mill, 12 Mill Lane, Lower End"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn what_a_country_asks_for_is_said_beside_its_field() {
    let world = shop(702).await;
    let ada = world.browser();
    sign_up(&ada, "ada@example.com").await;
    add(&ada, "bowl", "1").await;
    let with = |country: &'static str, region: &'static str, code: &'static str| {
        let own = |name: &str| name == "country" || name == "postal_code";
        let mut fields: Vec<_> = ADA.iter().filter(|(name, _)| !own(name)).copied().collect();
        fields.extend([("country", country), ("region", region), ("postal_code", code)]);
        fields
    };
    for (country, region, code, wrong) in [
        ("GB", "", "", "postal_code"),
        ("GB", "", "75001", "postal_code"),
        ("US", "", "95014", "region"),
        ("DE", "", "1011", "postal_code"),
    ] {
        let fields = with(country, region, code);
        for page in
            [ada.submit("/checkout", &fields).await, ada.submit("/account/addresses/new", &fields[1..]).await]
        {
            let said = page.text().contains(&format!("id=\"e-{wrong}\""));
            assert!(page.status == 422 && said, "{country} {region} {code}: {}", page.text());
        }
        let destination = json!({"recipient": "Ada", "lines": ["1 Street"], "city": "Town", "region": region,
            "postal_code": code, "country_code": country});
        for (path, body, at) in [
            ("/api/v1/quotes", json!({"currency_code": "GBP", "destination": destination}), "/destination"),
            ("/api/v1/addresses", json!({"address": destination}), "/address"),
        ] {
            let page = ada.json(Method::POST, path, &body).await;
            assert_eq!(page.status, 422, "{path} {country}: {}", page.text());
            assert!(page.text().contains(&format!("{at}/{wrong}")), "{path} {country}: {}", page.text());
        }
    }
    for (country, region, code) in [("US", "CA", "95014"), ("IE", "", ""), ("FR", "", "75001")] {
        let page = ada.submit("/checkout", &with(country, region, code)).await;
        assert_eq!(page.status, 200, "{country}: {}", page.text());
    }
}

#[tokio::test(start_paused = true)]
async fn countries_stand_by_their_names() {
    let world = shop(703).await;
    let ada = world.browser();
    add(&ada, "bowl", "1").await;
    let text = ada.get("/checkout").await.text();
    let place = |name: &str| text.find(&format!(">{name}</option>")).unwrap_or_else(|| panic!("no {name}"));
    assert!(place("Austria") < place("Azerbaijan") && place("Germany") < place("Ghana"));
    assert!(place("Spain") < place("Switzerland") && place("Switzerland") < place("United Kingdom"));
    assert!(text.contains("<option value=\"GB\" selected>United Kingdom</option>"));
}

#[tokio::test(start_paused = true)]
async fn a_currency_without_prices_is_not_offered() {
    let world = shop(704).await;
    found_in(&world, "GBP").await;
    let browser = world.browser();
    let text = browser.get("/").await.text();
    assert!(text.contains("GBP</option>") && !text.contains("EUR</option>"), "{text}");
    let chosen = browser.submit("/preferences", &[("currency", "EUR"), ("back", "/")]).await;
    assert_eq!(chosen.status, 400, "{}", chosen.text());
    assert!(quote_page(&browser).await.contains("£"));
    sells_in_euros(&world, "plate").await;
    world.passes(Duration::from_secs(61)).await;
    let chosen = browser.submit("/preferences", &[("currency", "EUR"), ("back", "/")]).await;
    assert_eq!(chosen.location().as_deref(), Some("/"), "{}", chosen.text());
    let text = browser.get("/products/product-bowl").await.text();
    assert!(text.contains("<option selected>EUR</option>"), "{text}");
    assert!(text.contains("Not sold in this currency") && !text.contains("Sold out"), "{text}");
}

async fn quote_page(browser: &tests::Browser) -> String {
    add(browser, "bowl", "1").await;
    quote(browser).await.text()
}

#[tokio::test(start_paused = true)]
async fn an_empty_shop_does_not_tell_visitors_to_import() {
    let world = World::start(705).await;
    let text = world.browser().get("/").await.text();
    assert!(text.contains("nothing to buy yet") && !text.contains("souk import"), "{text}");
}
