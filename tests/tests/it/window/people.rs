//! Sessions, and things of other people.

use std::time::Duration;

use http::{Method, Request};
use serde_json::json;

use super::{ADA, add, pay, quote, shop, sign_up};

#[tokio::test(start_paused = true)]
async fn a_session_is_renewed_behind_the_scenes() {
    let world = shop(501).await;
    let browser = world.browser();
    sign_up(&browser, "ada@example.com").await;
    let (first, refresh) = (browser.cookie("souk_access"), browser.cookie("souk_refresh"));
    world.passes(Duration::from_secs(11 * 60)).await;
    // Two requests of one browser renew at once: that is one renewal, and no theft.
    let other = browser.copy();
    let (one, two) = tokio::join!(browser.get("/api/v1/account"), other.get("/api/v1/account"));
    assert_eq!((one.status.as_u16(), two.status.as_u16()), (200, 200), "{} {}", one.text(), two.text());
    assert_ne!(browser.cookie("souk_access"), first);
    assert_eq!(browser.cookie("souk_refresh"), other.cookie("souk_refresh"));
    for cookie in one.headers.get_all("set-cookie") {
        let text = cookie.to_str().expect("text");
        assert!(
            text.contains("HttpOnly") && text.contains("SameSite=Lax") && text.contains("Path=/"),
            "{text}"
        );
    }
    // A spent token under the same key after the session moved on was stolen: everybody is out.
    world.passes(Duration::from_secs(11 * 60)).await;
    assert_eq!(browser.get("/api/v1/account").await.status, 200);
    let thief = world.browser();
    thief.set_cookie("souk_refresh", &refresh.expect("a token"));
    assert_eq!(thief.get("/api/v1/account").await.status, 401);
    world.passes(Duration::from_secs(6)).await;
    let out = browser.get("/account").await;
    assert_eq!(out.status, 401);
    assert!(out.text().contains("You were signed out") && out.text().contains("Sign in"), "{}", out.text());
}

#[tokio::test(start_paused = true)]
async fn made_up_cookies_are_nobody() {
    let world = shop(502).await;
    for (access, refresh) in [
        ("x", "y"),
        ("eyJhbGciOiJub25lIn0.eyJzdWIiOiJjdXNfMDEifQ.", ""),
        (&"a".repeat(5_000), &"b".repeat(5_000)),
        ("a.b.c", "ses_01m893q5ksf7yvrtycgb6t65j8.1.AAAA"),
    ] {
        let browser = world.browser();
        browser.set_cookie("souk_access", access);
        browser.set_cookie("souk_refresh", refresh);
        let page = browser.get("/api/v1/session").await;
        assert_eq!(page.value()["kind"], "none", "{access}");
        assert_eq!(browser.get("/products/product-bowl").await.status, 200);
        assert_eq!(browser.get("/api/v1/orders").await.status, 401);
    }
    let bearer = Request::get("/api/v1/session").header("authorization", "Bearer nothing");
    assert_eq!(world.browser().send(bearer, "").await.code(), "TOKEN_INVALID");
}

#[tokio::test(start_paused = true)]
async fn a_guests_cart_comes_along_at_sign_in() {
    let world = shop(503).await;
    let browser = world.browser();
    sign_up(&browser, "ada@example.com").await;
    add(&browser, "bowl", "1").await;
    assert_eq!(browser.submit("/sign-out", &[]).await.location().as_deref(), Some("/"));
    assert!(browser.cookie("souk_access").is_none() && browser.cookie("souk_refresh").is_none());
    add(&browser, "bowl", "2").await;
    let fields = [("email", "ADA@example.com"), ("password", "a long enough secret"), ("back", "/cart")];
    assert_eq!(browser.submit("/sign-in", &fields).await.location().as_deref(), Some("/cart"));
    let cart = browser.get("/api/v1/cart").await.value();
    assert_eq!((&cart["quantity"], &cart["pending"]), (&json!(3), &json!(false)));
    let wrong = [("email", "ada@example.com"), ("password", "something else")];
    let refused = world.browser().submit("/sign-in", &wrong).await;
    assert!(refused.status == 422 && refused.text().contains("We do not know"), "{}", refused.text());
}

#[tokio::test(start_paused = true)]
async fn things_of_others_are_not_there() {
    let world = shop(504).await;
    let (ada, eve) = (world.browser(), world.browser());
    sign_up(&ada, "ada@example.com").await;
    sign_up(&eve, "eve@example.com").await;
    add(&ada, "bowl", "1").await;
    let page = quote(&ada).await;
    let order = pay(&ada, &page, "pm_card_visa").await.location().expect("an order");
    add(&ada, "mug", "1").await;
    let line =
        ada.get("/api/v1/cart").await.value()["lines"][0]["line_id"].as_str().expect("a line").to_owned();
    let address = [&[("label", "Home")], &ADA[1..]].concat();
    assert!(ada.submit("/account/addresses/new", &address).await.location().is_some());
    let book = ada.get("/api/v1/addresses").await.value();
    let address = book["addresses"][0]["address_id"].as_str().expect("an address").to_owned();
    let session = ada.get("/api/v1/sessions").await.value()["sessions"][0]["session_id"].clone();
    for path in [
        order.clone(),
        format!("{order}/invoice"),
        format!("/api/v1{order}"),
        format!("/api/v1{order}/history"),
        format!("/api/v1{order}/invoice"),
        format!("/account/addresses/{address}"),
    ] {
        assert_eq!(ada.get(&path).await.status, 200, "{path}");
        assert_eq!(eve.get(&path).await.status, 404, "{path}");
        assert_eq!(world.browser().get(&path).await.status, 401, "{path}");
    }
    let tag = "\"v1\"";
    for (method, path) in [
        (Method::DELETE, format!("/api/v1/cart/lines/{line}")),
        (Method::DELETE, format!("/api/v1/addresses/{address}")),
        (Method::DELETE, format!("/api/v1/sessions/{}", session.as_str().expect("an id"))),
        (Method::POST, format!("/api/v1{order}/cancellation")),
    ] {
        let request = Request::builder().method(&method).uri(&path).header("if-match", tag);
        let page = eve.send(request.header("idempotency-key", "k"), "").await;
        let refused = matches!(page.status.as_u16(), 404 | 412);
        assert!(refused, "{method} {path}: {} {}", page.status, page.text());
    }
    assert_eq!(ada.get("/api/v1/account").await.status, 200, "her session goes on");
    assert_eq!(eve.get("/api/v1/orders").await.value()["orders"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn sessions_are_listed_and_ended() {
    let world = shop(505).await;
    let (here, there) = (world.browser(), world.browser());
    sign_up(&here, "ada@example.com").await;
    let fields = [("email", "ada@example.com"), ("password", "a long enough secret")];
    assert!(there.submit("/sign-in", &fields).await.location().is_some());
    let page = here.get("/account").await;
    assert!(page.text().contains("signed in on") && page.text().contains("This one"), "{}", page.text());
    assert_eq!(here.submit("/account/sessions/end", &[]).await.location().as_deref(), Some("/"));
    world.passes(Duration::from_secs(6)).await;
    assert_eq!(there.get("/api/v1/account").await.status, 401);
    let changed = world.browser();
    assert!(changed.submit("/sign-in", &fields).await.location().is_some());
    let wrong = [("current_password", "not it at all"), ("new_password", "another long secret")];
    assert_eq!(changed.submit("/account/password", &wrong).await.status, 422);
    let right = [("current_password", "a long enough secret"), ("new_password", "another long secret")];
    let page = changed.submit("/account/password", &right).await;
    assert!(page.status == 200 && page.text().contains("is changed"), "{}", page.text());
}

#[tokio::test(start_paused = true)]
async fn who_signed_out_is_out_before_the_answer() {
    let world = shop(506).await;
    for person in 0..10 {
        let browser = world.browser();
        sign_up(&browser, &format!("ada{person}@example.com")).await;
        let access = browser.cookie("souk_access").expect("a session");
        let out = Request::delete("/api/v1/session").header("idempotency-key", "sign-out-1");
        let page = browser.send(out, "").await;
        assert_eq!(page.status, 204, "{}", page.text());
        assert_eq!(browser.cookie("souk_access"), None);
        let old = world.browser();
        old.set_cookie("souk_access", &access);
        assert_eq!(old.get("/api/v1/account").await.status, 401, "the old cookie opens nothing");
    }
}
