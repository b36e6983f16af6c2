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
