//! What is kept for others, and how much a client may ask for.

use std::time::Duration;

use chassis::Options;
use contract::souk::inventory::v1::inventory_service_client::InventoryServiceClient;
use contract::souk::inventory::v1::{AdjustStockRequest, AdjustmentReason};
use contract::souk::product::v1::product_service_client::ProductServiceClient;
use contract::souk::product::v1::{BatchGetVariantsRequest, SetPriceRequest};
use contract::souk::r#type::v1::UnitPrice;
use tests::World;

use super::{add, pay, quote, shop, sign_up};

const PRODUCT: &str = "/products/product-bowl";

#[tokio::test(start_paused = true)]
async fn a_product_is_kept_until_it_changes() {
    let world = shop(401).await;
    let browser = world.browser();
    let status = async || browser.get(PRODUCT).await.header("cache-status").to_owned();
    world.passes(Duration::from_secs(5)).await;
    assert_eq!(status().await, "souk; fwd=miss; stored");
    assert!(status().await.starts_with("souk; hit; ttl="));
    // A sale that crosses no band changes nothing of what is shown.
    let buyer = world.browser();
    add(&buyer, "bowl", "1").await;
    assert!(pay(&buyer, &quote(&buyer).await, "pm_card_visa").await.location().is_some());
    world.passes(Duration::from_secs(2)).await;
    assert!(status().await.starts_with("souk; hit"), "dropped at every sale");
    // From some (19) to few.
    let mut inventory = world.operator().client("inventory", InventoryServiceClient::new);
    let request = AdjustStockRequest {
        request_id: world.request_id(),
        sku: "bowl".into(),
        change: -16,
        reason: AdjustmentReason::WriteOff.into(),
        note: "a test".into(),
        ..AdjustStockRequest::default()
    };
    inventory.adjust_stock(request).await.expect("adjusted");
    world.passes(Duration::from_secs(2)).await;
    let page = browser.get(PRODUCT).await;
    assert!(
        page.header("cache-status").contains("miss") && page.text().contains("Only 3 left"),
        "{}",
        page.text()
    );
    // A price.
    let mut products = world.operator().client("product", ProductServiceClient::new);
    let request = BatchGetVariantsRequest { skus: vec!["bowl".into()] };
    let variant = products.batch_get_variants(request).await.expect("known").into_inner().variants.remove(0);
    let request = SetPriceRequest {
        request_id: world.request_id(),
        product_id: variant.product_id,
        version: variant.product_version,
        sku: "bowl".into(),
        unit_price: Some(UnitPrice { currency_code: "GBP".into(), micros: 19_500_000 }),
        reason: "a test's".into(),
    };
    products.set_price(request).await.expect("priced");
    world.passes(Duration::from_secs(2)).await;
    assert!(browser.get(PRODUCT).await.text().contains("£19.50"));
}

#[tokio::test(start_paused = true)]
async fn stale_screens_are_served_while_they_are_made_anew() {
    let world = shop(402).await;
    let browser = world.browser();
    world.passes(Duration::from_secs(5)).await;
    browser.get(PRODUCT).await;
    world.passes(Duration::from_secs(90)).await;
    assert_eq!(browser.get(PRODUCT).await.header("cache-status"), "souk; hit; ttl=0; detail=stale");
    world.passes(Duration::from_secs(1)).await;
    assert!(browser.get(PRODUCT).await.header("cache-status").starts_with("souk; hit; ttl=5"));
}

#[tokio::test(start_paused = true)]
async fn nothing_personal_is_kept() {
    let world = shop(403).await;
    let (ada, stranger) = (world.browser(), world.browser());
    sign_up(&ada, "ada@example.com").await;
    add(&ada, "mug", "7").await;
    world.passes(Duration::from_secs(700)).await;
    // Ada is the first who asks: what is kept is made for nobody.
    let own = ada.get(PRODUCT).await.text();
    assert!(own.contains("href=\"/account\"") && own.contains("data-count>7<"), "{own}");
    let page = stranger.get(PRODUCT).await;
    assert!(page.header("cache-status").contains("hit"));
    assert!(page.text().contains("Sign in") && !page.text().contains("/account\""), "{}", page.text());
    assert!(ada.get(PRODUCT).await.text().contains("data-count>7<"));
    assert!(!page.headers.contains_key("set-cookie"));
}

#[tokio::test(start_paused = true)]
async fn a_currency_has_its_own_screens() {
    let world = shop(404).await;
    super::forms::sells_in_euros(&world, "plate").await;
    let browser = world.browser();
    browser.get(PRODUCT).await;
    let chosen = browser.submit("/preferences", &[("currency", "EUR"), ("back", PRODUCT)]).await;
    assert_eq!(chosen.location().as_deref(), Some(PRODUCT));
    assert!(browser.get(PRODUCT).await.text().contains("Not sold in this currency"));
    assert!(world.browser().get(PRODUCT).await.text().contains("£18.00"));
    assert_eq!(browser.submit("/preferences", &[("currency", "XXX")]).await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn an_address_has_one_response_however_it_is_written() {
    let world = shop(406).await;
    world.passes(Duration::from_secs(5)).await;
    let browser = world.browser();
    let status = async |path: &str| browser.get(path).await.header("cache-status").to_owned();
    let json = "/api/v1/products/product-bowl";
    assert_eq!(status(&format!("{json}?currency_code=GBP")).await, "souk; fwd=miss; stored");
    for query in [
        "&&&&currency_code=GBP&",
        "%63urrency_code=GBP",
        "c%75rrency_cod%65=%47B%50",
        &format!("{}currency_code=GBP", "&".repeat(8_000)),
    ] {
        assert!(status(&format!("{json}?{query}")).await.starts_with("souk; hit"), "{query}");
    }
    assert!(status("/api/v1/products/product%2Dbowl?currency_code=GBP").await.starts_with("souk; hit"));
    // A page is made from no spelling of its path, and ignores what is not its own.
    let page = browser.get("/products/%70roduct-bowl?utm_source=%70&&&").await;
    assert_eq!(page.header("cache-status"), "souk; fwd=miss; stored");
    assert!(page.text().contains("name=\"back\" value=\"/products/product-bowl\""), "{}", page.text());
    assert!(status(&format!("{PRODUCT}?fbclid=1&x={}", "y".repeat(5_000))).await.starts_with("souk; hit"));
    // A currency that the shop does not have is the usual one.
    for (number, code) in ["GBP", "gbp", "XXX", "", "GBP-0001", "\"GBP\""].into_iter().enumerate() {
        browser.set_cookie("souk_currency", code);
        let page = browser.get(PRODUCT).await;
        assert!(page.header("cache-status").starts_with("souk; hit"), "{number}: {code}");
        assert!(page.text().contains("£18.00"), "{number}: {code}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_not_kept() {
    let world = shop(407).await;
    world.passes(Duration::from_secs(5)).await;
    let browser = world.browser();
    for _ in 0..2 {
        let page = browser.get("/api/v1/products/product-bowl?souk=1&currency_code=GBP").await;
        assert_eq!((page.status.as_u16(), page.code().as_str()), (400, "UNKNOWN_FIELD"));
        assert_eq!((page.pointer().as_str(), page.header("cache-status")), ("/souk", ""));
        let long = format!("/api/v1/products/product-bowl?{}", "&".repeat(9_000));
        let page = browser.get(&long).await;
        assert_eq!((page.status.as_u16(), page.code().as_str()), (414, "QUERY_TOO_LONG"));
        let page = browser.get(&format!("{PRODUCT}?{}", "&".repeat(9_000))).await;
        assert_eq!((page.status.as_u16(), page.header("cache-status")), (414, ""));
        assert!(page.text().contains("That is too long"), "{}", page.text());
    }
    let twice = browser.get("/api/v1/products/product-bowl?currency_code=GBP&currency_code=EUR").await;
    assert_eq!((twice.status.as_u16(), twice.pointer().as_str()), (400, "/currency_code"));
}

#[tokio::test(start_paused = true)]
async fn somebody_whose_session_ended_leaves_nothing_for_others() {
    let world = shop(408).await;
    world.passes(Duration::from_secs(5)).await;
    for path in [PRODUCT, "/", "/c/things"] {
        let ended = world.browser();
        ended.set_cookie("souk_access", "none");
        ended.set_cookie("souk_refresh", "none");
        // The first who asks, in each encoding.
        for encoding in ["identity", "br", "gzip", "zstd"] {
            let copy = ended.copy();
            let request = http::Request::get(path).header("accept-encoding", encoding);
            let page = copy.send(request, bytes::Bytes::new()).await;
            assert_eq!(page.status, 200, "{path}");
            assert!(page.header("cache-control").contains("private"), "{path}: {:?}", page.headers);
            if encoding == "identity" {
                assert!(page.text().contains("You were signed out."), "{path}: {}", page.text());
            }
        }
        let page = world.browser().get(path).await;
        assert!(page.header("cache-status").starts_with("souk; hit"), "{path}: {:?}", page.headers);
        assert!(!page.text().contains("signed out") && !page.headers.contains_key("set-cookie"), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_too_much_waits() {
    let mut options = Options::new("mem:");
    options.config.set("bff-web", "units_per_minute_address", 60);
    options.config.set("bff-web", "sign_ins_per_minute_address", 3);
    let world = World::start_with(options, 405).await;
    world.sells("bowl", 1800, 5).await;
    let browser = world.browser();
    let first = browser.get("/api/v1/session").await;
    assert_eq!(first.header("ratelimit-policy"), "\"address\";q=60;w=60");
    assert_eq!(first.header("ratelimit"), "\"address\";r=59;t=1");
    for _ in 0..3 {
        let fields = [("email", "eve@example.com"), ("password", "not the password")];
        assert_eq!(browser.submit("/sign-in", &fields).await.status, 422);
    }
    let fields = [("email", "eve@example.com"), ("password", "not the password")];
    let page = browser.submit("/sign-in", &fields).await;
    assert!(page.status == 429 && page.text().contains("A little slower"), "{}", page.text());
    assert_eq!(browser.get("/api/v1/session").await.status, 200, "a login has its own quota");
    let mut last = browser.get("/api/v1/session").await;
    for _ in 0..60 {
        last = browser.get("/api/v1/session").await;
    }
    assert_eq!((last.status.as_u16(), last.code().as_str()), (429, "QUOTA_EXCEEDED"));
    assert_eq!(last.header("retry-after"), "1");
    assert_eq!(
        world.browser().at([198, 51, 100, 7]).get("/api/v1/session").await.status,
        200,
        "somebody else"
    );
    world.passes(Duration::from_secs(2)).await;
    assert_eq!(browser.get("/api/v1/session").await.status, 200);
}
