//! What a shared cache between may take from an answer: never a cookie, and never what depends on one without saying so.

use std::collections::HashSet;

use chassis::testing::Harness;
use http::Method;
use http::header::{CACHE_CONTROL, SET_COOKIE, VARY};
use tests::{Browser, Page};

use super::{add, shop, sign_up};

/// Addresses to try for a route: one that is there, where that takes more than any word.
fn addresses(route: &str, assets: &[String]) -> Vec<String> {
    match route {
        "/assets/{name}" | "/pictures/{name}" => {
            let stem = route.trim_end_matches("{name}");
            let found: Vec<String> = assets.iter().filter(|path| path.starts_with(stem)).cloned().collect();
            assert!(!found.is_empty(), "the page has nothing below {stem}");
            found
        }
        "/products/{slug}" | "/api/v1/products/{slug}" | "/api/v1/products/{slug}/others" => {
            vec![route.replace("{slug}", "product-bowl")]
        }
        "/c/{*path}" => vec!["/c/things".to_owned()],
        _ => {
            let parts = route.split('/').map(|part| if part.starts_with('{') { "nothing" } else { part });
            vec![parts.collect::<Vec<_>>().join("/")]
        }
    }
}

fn field(page: &Page, name: http::HeaderName) -> String {
    let values = page.headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.collect::<Vec<_>>().join(", ").to_ascii_lowercase()
}

/// What holds for every answer, whoever asks.
/// Routes that are the same for everybody.
const PUBLIC: [&str; 8] = [
    "/assets/{name}",
    "/pictures/{name}",
    "/favicon.ico",
    "/robots.txt",
    "/openapi.json",
    "/docs",
    "/healthz",
    "/readyz",
];

fn check(who: &str, path: &str, page: &Page, is_public: bool) {
    let (control, vary) = (field(page, CACHE_CONTROL), field(page, VARY));
    let cookies = page.headers.contains_key(SET_COOKIE);
    let at = format!("{who} at {path}: {:?}", page.headers);
    assert!(!(is_public && cookies), "no session work on a public route: {at}");
    assert!(!cookies || control.contains("private") || control.contains("no-store"), "{at}");
    assert!(!cookies || !control.contains("public"), "{at}");
    assert!(!cookies || vary.contains("cookie"), "{at}");
    let redirect = page.status.is_redirection();
    assert!(redirect || !control.is_empty(), "every answer says who may keep it: {at}");
    if control.contains("public") && !is_public && !path.ends_with("/categories") {
        assert!(vary.contains("cookie"), "it depends on a preference: {at}");
    }
    let text = String::from_utf8_lossy(&page.body);
    assert!(!(is_public && text.contains("signed out")), "{at}");
}

#[tokio::test(start_paused = true)]
async fn no_answer_gives_one_persons_cookies_to_another() {
    let world = shop(431).await;
    let harness = Harness::start(&bff_web::SERVICE, 1).await.expect("the role starts alone");
    let declared = bff_web::declared(harness.context()).expect("the routes");
    let home = world.browser().get("/products/product-bowl").await.text();
    let assets =
        home.split('"').filter(|part| part.starts_with("/assets/") || part.starts_with("/pictures/"));
    let assets: Vec<String> = assets.map(str::to_owned).collect::<HashSet<_>>().into_iter().collect();
    // Somebody whose session is renewed at the next request.
    let renewed = world.browser();
    sign_up(&renewed, "ada@example.com").await;
    add(&renewed, "bowl", "1").await;
    renewed.set_cookie("souk_access", "none");
    // Somebody whose session ended.
    let ended = world.browser();
    ended.set_cookie("souk_access", "none");
    ended.set_cookie("souk_refresh", "none");
    // Somebody with every other cookie.
    let noted = world.browser();
    for (name, value) in [("souk_seen", "crt_1.7"), ("souk_currency", "EUR"), ("souk_notice", "signed-out")] {
        noted.set_cookie(name, value);
    }
    let people: [(&str, &Browser); 3] = [("renewed", &renewed), ("ended", &ended), ("noted", &noted)];
    let mut set = HashSet::new();
    let gets = declared.iter().filter(|(method, ..)| *method == Method::GET).map(|(_, route, _)| *route);
    let mut public = 0;
    for route in gets {
        let is_public = PUBLIC.contains(&route);
        public += usize::from(is_public);
        for path in addresses(route, &assets) {
            for (who, browser) in people {
                let page = browser.copy().get(&path).await;
                check(who, &path, &page, is_public);
                if page.headers.contains_key(SET_COOKIE) {
                    set.insert(who);
                }
                assert!(!is_public || page.status == 200, "{path}: {}", page.status);
            }
        }
        let missing = format!("{route}/nothing-here");
        for (who, browser) in people {
            check(who, &missing, &browser.copy().get(&missing).await, false);
        }
    }
    assert_eq!(public, PUBLIC.len());
    assert_eq!(set, HashSet::from(["renewed", "ended"]), "sessions are renewed and ended elsewhere");
}
