//! Every call that a screen declares is made to fail in turn: what is required makes it a 503 that names the part, what is
//! optional is absent and said so.

use std::collections::HashSet;
use std::time::Duration;

use chassis::Options;
use chassis::testing::Harness;
use edge::Absence;
use http::Method;
use mesh::{Effect, FaultRule};
use tests::World;
use tokio::time::Instant;

use super::{ADA, add, pay, quote, sign_up};

/// The screens that can be read, with the addresses to try.
async fn screens(world: &World) -> (tests::Browser, Vec<String>) {
    let picture = super::pictures::give(world, "bowl", "A bowl").await;
    let browser = world.browser();
    sign_up(&browser, "ada@example.com").await;
    add(&browser, "bowl", "1").await;
    let page = quote(&browser).await;
    let order = pay(&browser, &page, "pm_card_visa").await.location().expect("an order");
    add(&browser, "mug", "1").await;
    // With an address in the book, checkout quotes at once.
    assert!(browser.submit("/account/addresses/new", &ADA[1..]).await.location().is_some());
    let api = format!("/api/v1{order}");
    let paths = [
        "/",
        "/search?q=bowl",
        "/products/product-bowl",
        "/cart",
        "/checkout",
        "/orders",
        "/account",
        &order,
        &api,
        &format!("/pictures/{picture}-480.jpg"),
        "/api/v1/home",
        "/api/v1/search?q=bowl",
        "/api/v1/suggestions?q=bo",
        "/api/v1/products/product-bowl",
        "/api/v1/cart",
        "/api/v1/payment-methods",
        "/api/v1/orders",
        "/api/v1/account",
        "/api/v1/sessions",
        "/api/v1/addresses",
        "/api/v1/categories",
    ];
    (browser, paths.iter().map(|path| (*path).to_owned()).collect())
}

#[tokio::test(start_paused = true)]
async fn each_call_fails_in_turn() {
    // Nothing is kept here, so that every call is made.
    let mut options = Options::new("mem:");
    options.config.set("bff-web", "cache", false);
    let world = World::start_with(options, 301).await;
    world.sells("bowl", 1800, 20).await;
    world.sells("mug", 950, 20).await;
    let (browser, paths) = screens(&world).await;
    let harness = Harness::start(&bff_web::SERVICE, 1).await.expect("the role starts alone");
    let declared = bff_web::declared(harness.context()).expect("the routes");
    let mut seen = HashSet::new();
    for path in &paths {
        let bare = path.split('?').next().unwrap_or(path);
        let needs =
            declared.iter().find(|(method, route, _)| *method == Method::GET && matches_route(route, bare));
        let (_, _, needs) = needs.unwrap_or_else(|| panic!("no route for {path}"));
        for need in needs.iter() {
            // The categories that are remembered are asked for anew.
            world.passes(Duration::from_secs(31)).await;
            let rule = FaultRule {
                method: need.method.to_owned(),
                caller: Some("bff-web".to_owned()),
                per_million: 1_000_000,
                effect: Effect::Abort,
                until: Instant::now() + Duration::from_secs(60),
                times: None,
            };
            world.faults().add(rule).expect("a rule");
            let page = browser.get(path).await;
            world.faults().clear();
            // Several needs may call one method: the strictest of them decides.
            let strict =
                needs.iter().any(|other| other.method == need.method && other.absence == Absence::Required);
            let told = page.header("souk-absent").split(", ").any(|part| part == need.part);
            if strict {
                assert_eq!(page.status, 503, "{path} without {}: {}", need.part, page.text());
                assert_eq!(page.header("retry-after"), "1", "{path}");
                let named = page.text().contains("part\":") || page.text().contains("We cannot reach");
                assert!(named, "{path} without {}: {}", need.part, page.text());
            } else {
                assert!(
                    page.status == 200 && told,
                    "{path} without {}: {} {:?}",
                    need.part,
                    page.status,
                    page.headers
                );
            }
            seen.insert((need.part, need.absence == Absence::Optional));
        }
    }
    assert!(seen.iter().filter(|(_, optional)| *optional).count() >= 5 && seen.len() >= 15, "{seen:?}");
}

/// Whether a path is one that a route such as `/orders/{order_id}` takes.
fn matches_route(route: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (route.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given || wanted.starts_with('{') => {}
            _ => return false,
        }
    }
}
