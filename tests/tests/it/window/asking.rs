//! What is asked wrongly: unknown fields, wrong types, forged origins, other media, overlong things, other people's text.

use std::time::Duration;

use contract::souk::product::v1::product_service_client::ProductServiceClient;
use contract::souk::product::v1::{
    ImportProduct, ImportProductsRequest, OptionValue, ProductAttribute, ProductInput, VariantInput,
};
use contract::souk::r#type::v1::UnitPrice;
use http::header::CONTENT_TYPE;
use http::{Method, Request};
use serde_json::{Value, json};
use tests::{Browser, World};

use super::{ADA, add, pay, quote, shop, sign_up};

/// An address with its parameters filled in.
fn filled(path: &str) -> String {
    let known = [
        ("{slug}", "product-bowl"),
        ("{order_id}", "ord_01m893q5ksf7yvrtycgb6t65j8"),
        ("{line_id}", "lin_01m893q5ksf7yvrtycgb6t65j8"),
        ("{address_id}", "adr_01m893q5ksf7yvrtycgb6t65j8"),
        ("{session_id}", "ses_01m893q5ksf7yvrtycgb6t65j8"),
        ("{challenge_id}", "nobody"),
    ];
    known.iter().fold(path.to_owned(), |path, (name, value)| path.replace(name, value))
}

/// Every operation of the description: method, path, and what it says.
async fn operations(browser: &Browser) -> Vec<(Method, String, Value)> {
    let spec = browser.get("/openapi.json").await.value();
    let paths = spec["paths"].as_object().expect("paths").clone();
    let all = paths.into_iter().flat_map(|(path, item)| {
        let item = item.as_object().expect("an item").clone();
        item.into_iter().map(move |(method, operation)| {
            (method.to_uppercase().parse().expect("a method"), path.clone(), operation)
        })
    });
    all.collect()
}

/// Sends an operation as somebody who may, with a key and a version.
async fn ask(browser: &Browser, method: &Method, path: &str, body: &str) -> tests::Page {
    let mut request = Request::builder().method(method).uri(path).header("idempotency-key", "a-key");
    if *method != Method::GET {
        request = request.header(CONTENT_TYPE, "application/json").header("if-match", "\"v1\"");
    }
    browser.send(request, body.to_owned()).await
}

#[tokio::test(start_paused = true)]
async fn unknown_fields_are_named_everywhere() {
    let world = shop(201).await;
    let browser = world.browser();
    sign_up(&browser, "ada@example.com").await;
    let operations = operations(&browser).await;
    assert!(operations.len() >= 30, "{}", operations.len());
    for (method, path, operation) in &operations {
        let here = filled(path);
        let page = ask(&browser, method, &format!("{here}?wrong_field=1"), "{}").await;
        assert_eq!(
            (page.status.as_u16(), page.code().as_str()),
            (400, "UNKNOWN_FIELD"),
            "{method} {path}: {}",
            page.text()
        );
        assert_eq!(page.pointer(), "/wrong_field", "{method} {path}");
        if operation["requestBody"].is_object() {
            for (body, code) in [
                (r#"{"wrong_field": 1}"#, "UNKNOWN_FIELD"),
                ("{", "INVALID_JSON"),
                ("", "INVALID_JSON"),
                ("[1]", "INVALID_ARGUMENT"),
                ("null", "INVALID_ARGUMENT"),
                (r#"{"a": "\ud800"}"#, "INVALID_JSON"),
            ] {
                let page = ask(&browser, method, &here, body).await;
                assert_eq!(page.status, 400, "{method} {path} {body}: {}", page.text());
                // A field that is required may be named before one that is unknown.
                let fine = page.code() == code
                    || page.code() == "INVALID_ARGUMENT"
                    || page.code() == "UNKNOWN_FIELD";
                assert!(fine, "{method} {path} {body}: {}", page.text());
            }
            let text = Request::builder().method(method).uri(&here).header(CONTENT_TYPE, "text/plain");
            assert_eq!(browser.send(text, "{}").await.status, 415, "{method} {path}");
            let huge = format!("{{\"email\": \"{}\"}}", "x".repeat(600 << 10));
            assert_eq!(ask(&browser, method, &here, &huge).await.status, 413, "{method} {path}");
        }
    }
}

/// Words of Rust's own readers, which mean nothing to who reads an answer.
const READERS_WORDS: &[&str] = &[
    "unknown variant",
    "invalid type",
    "invalid value",
    "invalid length",
    "expected",
    "missing field",
    "duplicate field",
    "unknown field",
    "at line",
    "did not match",
    "parse",
    "cannot be deserialized",
    "i32",
    "i64",
    "u32",
    "struct",
    "string \\\"",
    "EOF",
];

/// Looks an answer over for them.
fn assert_plain(page: &tests::Page, asked: &str) {
    let value: Value = serde_json::from_slice(&page.body).unwrap_or_default();
    assert_ne!(page.status, 429, "{asked}");
    let mut said = vec![value["detail"].as_str().unwrap_or_default().to_owned()];
    said.extend(value["errors"].as_array().into_iter().flatten().map(|error| {
        let detail = error["detail"].as_str().unwrap_or_default().to_owned();
        assert!(!detail.is_empty() && !detail.ends_with('.'), "{asked}: {detail}");
        detail
    }));
    for words in said {
        for word in READERS_WORDS {
            assert!(!words.contains(word), "{asked} is told {words:?}");
        }
    }
}

/// A body in which everything is good but the field at a place, which is nonsense.
fn with_nonsense(schema: &Value, root: &Value, nonsense: &Value) -> Vec<Value> {
    let schema = match schema["$ref"].as_str() {
        Some(name) => root.pointer(name.trim_start_matches('#')).expect("a schema"),
        None => schema,
    };
    let mut bodies = vec![nonsense.clone()];
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let within = with_nonsense(field, root, nonsense);
        bodies.extend(within.into_iter().map(|value| json!({ name: value })));
    }
    if schema["items"].is_object() {
        bodies
            .extend(with_nonsense(&schema["items"], root, nonsense).into_iter().map(|value| json!([value])));
    }
    bodies
}

#[tokio::test(start_paused = true)]
async fn nonsense_is_answered_in_plain_words() {
    let world = shop(206).await;
    let browser = world.browser();
    sign_up(&browser, "ada@example.com").await;
    let spec = browser.get("/openapi.json").await.value();
    assert!(!spec.to_string().contains("\"const\""), "enumerations are plain");
    let price = browser.get("/api/v1/search?sort=price").await;
    let told = price.value()["errors"][0]["detail"].as_str().expect("words").to_owned();
    assert_eq!((price.pointer().as_str(), &told[..16]), ("/sort", "must be one of r"));
    assert!(told.contains("price_ascending"), "{told}");
    let mut asked = 0;
    for (method, path, operation) in operations(&browser).await {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().expect("a name");
            for nonsense in ["", "nonsense", "-1", "1.5", "99999999999999999999", "%00", "%ff", "null", "[]"]
            {
                let mut here = filled(&path);
                if parameter["in"] == "query" {
                    here = format!("{here}?{name}={nonsense}");
                } else if parameter["in"] == "path" {
                    here = path
                        .replace(&format!("{{{name}}}"), if nonsense.is_empty() { "%20" } else { nonsense });
                } else {
                    continue;
                }
                // Within its quota.
                world.passes(Duration::from_secs(3)).await;
                assert_plain(&ask(&browser, &method, &here, "{}").await, &format!("{method} {here}"));
                asked += 1;
            }
        }
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        if schema.is_null() {
            continue;
        }
        let here = filled(&path);
        let nonsense = [
            json!(null),
            json!(true),
            json!(-1),
            json!(1.5),
            json!(1e300),
            json!("nonsense"),
            json!([]),
            json!([7]),
            json!({}),
            json!({ "a": 1 }),
        ];
        for nonsense in nonsense {
            for body in with_nonsense(schema, &spec, &nonsense) {
                world.passes(Duration::from_secs(3)).await;
                let page = ask(&browser, &method, &here, &body.to_string()).await;
                assert_plain(&page, &format!("{method} {here} {body}"));
                asked += 1;
            }
        }
        for text in ["", "{", "[", "{\"a\": 1,}", "{} {}", "nul", "{\"a\": \"\\ud800\"}", "\u{feff}{}"] {
            world.passes(Duration::from_secs(3)).await;
            assert_plain(&ask(&browser, &method, &here, text).await, &format!("{method} {here} {text}"));
            asked += 1;
        }
    }
    assert!(asked > 500, "{asked}");
    // The forms of pages say it in the same way.
    for form in ["/cart/lines", "/checkout", "/sign-in", "/account/addresses/new"] {
        let page =
            browser.submit(form, &[("quantity", "many"), ("sku", "bowl"), ("back", "\u{1}")]).await.text();
        assert!(!page.contains("invalid digit") && !page.contains("expected"), "{form}: {page}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_sites_requests_change_nothing() {
    let world = shop(202).await;
    let browser = world.browser();
    sign_up(&browser, "ada@example.com").await;
    for (method, path, _) in operations(&browser).await.iter().filter(|(method, ..)| *method != Method::GET) {
        for (name, value) in
            [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site"), ("origin", "null")]
        {
            let request = Request::builder().method(method).uri(filled(path)).header(name, value);
            let page = browser.send(request.header(CONTENT_TYPE, "application/json"), "{}").await;
            assert_eq!(
                (page.status.as_u16(), page.code().as_str()),
                (403, "FORGED_ORIGIN"),
                "{method} {path}"
            );
        }
    }
    for form in ["/cart/lines", "/checkout/pay", "/sign-out", "/account/password", "/preferences"] {
        let request = Request::post(form).header("origin", "https://evil.example");
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let page = browser.send(request, "sku=bowl&quantity=1").await;
        assert_eq!(page.status, 403, "{form}");
        assert!(page.text().contains("another site"), "{}", page.text());
    }
    assert_eq!(browser.get("/api/v1/cart").await.value()["quantity"], 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_address_is_said_in_the_way_that_was_asked() {
    let world = shop(203).await;
    let browser = world.browser();
    let missing = browser.get("/no/such/page").await;
    assert!(missing.status == 404 && missing.text().contains("<html"), "{}", missing.text());
    assert_eq!(browser.get("/api/v1/no-such-thing").await.code(), "ROUTE_NOT_FOUND");
    for trick in [
        "/products/..%2f..%2fetc",
        "/products/%00",
        "/products/%ff",
        "/c/",
        "/products/a%0d%0aset-cookie:x=1",
        "/assets/../window.css",
    ] {
        let page = browser.get(trick).await;
        assert_eq!(page.status, 404, "{trick}");
        assert!(!page.headers.contains_key("set-cookie"), "{trick}");
    }
    assert_eq!(browser.get(&format!("/{}", "a".repeat(20_000))).await.status, 414);
    let slash = browser.get("/cart/?a=1").await;
    assert_eq!((slash.status.as_u16(), slash.header("location")), (308, "/cart?a=1"));
    let deleted = browser.send(Request::delete("/cart"), "").await;
    assert_eq!((deleted.status.as_u16(), deleted.header("allow")), (405, "GET, HEAD, OPTIONS"));
    let options = browser.send(Request::options("/api/v1/cart/lines"), "").await;
    assert_eq!((options.status.as_u16(), options.header("allow")), (204, "POST, DELETE, OPTIONS"));
    let head = browser.send(Request::head("/products/product-bowl"), "").await;
    assert_eq!(head.status, 200);
}

#[tokio::test(start_paused = true)]
async fn no_way_back_leads_elsewhere() {
    let world = shop(204).await;
    let elsewhere = ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"];
    for (number, back) in elsewhere.into_iter().enumerate() {
        let browser = world.browser();
        let email = format!("{number}@example.com");
        let fields = [("email", email.as_str()), ("password", "a long enough secret"), ("back", back)];
        assert_eq!(browser.submit("/sign-up", &fields).await.location().as_deref(), Some("/"), "{back}");
        let chosen = browser.submit("/preferences", &[("currency", "GBP"), ("back", back)]).await;
        assert_eq!(chosen.location().as_deref(), Some("/"), "{back}");
        let page =
            browser.get(&format!("/sign-in?back={}", back.replace('/', "%2F").replace('\\', "%5C"))).await;
        assert_eq!(page.field("back"), "/", "{back}");
    }
}

/// Text that is code where it is not escaped.
const CODE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";

#[tokio::test(start_paused = true)]
async fn text_of_people_stays_text() {
    let world = World::start(205).await;
    let price = UnitPrice { currency_code: "GBP".into(), micros: 1_000_000 };
    let product = ProductInput {
        name: CODE.into(),
        slug: "code".into(),
        description: format!("{CODE}\n\n{CODE}"),
        option_names: vec!["size".into()],
        variants: vec![VariantInput {
            sku: "<b>sku</b>".into(),
            prices: vec![price],
            options: vec![OptionValue { name: "size".into(), value: "<i>big</i>".into() }],
            ..VariantInput::default()
        }],
        attributes: vec![ProductAttribute { name: "<u>fact</u>".into(), value: "<u>value</u>".into() }],
        ..ProductInput::default()
    };
    let row = ImportProduct {
        external_reference: "code".into(),
        product: Some(product),
        category_paths: vec!["<h1>Aisle".into()],
        ..ImportProduct::default()
    };
    let request =
        ImportProductsRequest { request_id: world.request_id(), products: vec![row], ..Default::default() };
    let mut products = world.operator().client("product", ProductServiceClient::new);
    let answer = products.import_products(request).await.expect("imported").into_inner();
    assert!(answer.results[0].refusals.is_empty(), "{:?}", answer.results[0].refusals);
    world.receives("<b>sku</b>", 5).await;
    world.passes(std::time::Duration::from_secs(20)).await;
    let browser = world.browser();
    sign_up(&browser, "ada@example.com").await;
    add(&browser, "<b>sku</b>", "1").await;
    let mut fields = ADA.to_vec();
    fields.retain(|(name, _)| *name != "recipient" && *name != "city");
    fields.extend([("recipient", CODE), ("city", CODE)]);
    let checkout = browser.submit("/checkout", &fields).await;
    let address = [
        ("label", CODE),
        ("recipient", CODE),
        ("line1", CODE),
        ("city", CODE),
        ("postal_code", "SW1Y 4JH"),
        ("country", "GB"),
    ];
    assert!(browser.submit("/account/addresses/new", &address).await.location().is_some());
    let words = format!("/search?q={}", "%3Cscript%3Ealert(1)%3C%2Fscript%3E%22%3E");
    let mut pages = vec![checkout];
    for path in [
        "/",
        "/products/code",
        "/c/h1-aisle",
        "/cart",
        "/account",
        &words,
        "/search?q=nothing%3Cb%3E",
        "/docs",
    ] {
        pages.push(browser.get(path).await);
    }
    let forms = [("email", CODE), ("password", "x"), ("back", CODE)];
    pages.push(browser.submit("/sign-in", &forms).await);
    for page in pages {
        let text = page.text();
        assert!(text.contains("<html"), "{}: {text}", page.status);
        for code in ["<script>alert", "<img src=x", "<b>sku", "<i>big", "<u>fact", "<u>value", "<h1>Aisle"] {
            assert!(!text.contains(code), "{code} in {text}");
        }
        assert!(!page.header("content-security-policy").contains("unsafe"));
    }
}

#[tokio::test(start_paused = true)]
async fn changes_name_their_version_and_reads_are_not_sent_twice() {
    let world = shop(206).await;
    let browser = world.browser();
    add(&browser, "bowl", "1").await;
    let cart = browser.get("/api/v1/cart").await;
    let line = cart.value()["lines"][0]["line_id"].as_str().expect("a line").to_owned();
    let path = format!("/api/v1/cart/lines/{line}");
    let without = browser.json(Method::PATCH, &path, &json!({"quantity": 2})).await;
    assert_eq!((without.status.as_u16(), without.code().as_str()), (428, "PRECONDITION_REQUIRED"));
    let patch = |tag: &str| {
        let request = Request::patch(&path).header(CONTENT_TYPE, "application/json").header("if-match", tag);
        browser.send(request, r#"{"quantity": 2}"#)
    };
    let tag = cart.header("etag").to_owned();
    let changed = patch(&tag).await;
    assert_eq!((changed.status.as_u16(), &changed.value()["quantity"]), (200, &json!(2)));
    assert_eq!(patch(&tag).await.status, 412, "stale");
    assert_eq!(patch("\"other\"").await.status, 412, "not ours");
    let same = Request::get("/api/v1/cart").header("if-none-match", changed.header("etag"));
    assert_eq!(browser.send(same, "").await.status, 304);
    let page = browser.get("/products/product-bowl").await;
    let same = Request::get("/products/product-bowl").header("if-none-match", page.header("etag"));
    assert_eq!(browser.send(same, "").await.status, 304);
}

#[tokio::test(start_paused = true)]
async fn a_change_under_one_key_happens_once() {
    let world = shop(207).await;
    let browser = world.browser();
    browser.json(Method::POST, "/api/v1/session/guest", &json!(null)).await;
    let add = |key: &str, quantity: i32| {
        let request = Request::post("/api/v1/cart/lines").header(CONTENT_TYPE, "application/json");
        let body = json!({"sku": "bowl", "quantity": quantity}).to_string();
        browser.send(request.header("idempotency-key", key), body)
    };
    assert_eq!(add("k-1", 2).await.status, 201);
    let again = add("k-1", 2).await;
    assert_eq!((again.status.as_u16(), again.header("idempotency-replayed")), (201, "true"));
    assert_eq!(again.value()["quantity"], 2);
    let other = add("k-1", 3).await;
    assert_eq!((other.status.as_u16(), other.code().as_str()), (422, "IDEMPOTENCY_KEY_REUSED"));
    assert_eq!(add("a bad key", 1).await.pointer(), "/idempotency_key");
    let page = quote(&browser).await;
    let body = json!({"quote_token": page.field("quote_token"), "payment_method": "pm_card_visa"});
    let keyless = browser.json(Method::POST, "/api/v1/orders", &body).await;
    assert_eq!((keyless.status.as_u16(), keyless.pointer().as_str()), (400, "/idempotency_key"));
    assert!(pay(&browser, &page, "pm_card_visa").await.location().is_some());
}
