//! The profile of an account, and what else a form may say: what an address is for, and why an order is cancelled.

use http::{Method, Request};
use serde_json::json;

use super::{ADA, add, pay, quote, shop, sign_up};

#[tokio::test(start_paused = true)]
async fn a_profile_is_changed_by_its_form() {
    let world = shop(811).await;
    let ada = world.browser();
    sign_up(&ada, "ada@example.com").await;
    let page = ada.get("/account").await;
    let text = page.text();
    for field in [
        "name=\"name\"",
        "name=\"contact_email\"",
        "name=\"locale\"",
        "maxlength=\"35\"",
        "maxlength=\"200\"",
    ] {
        assert!(text.contains(field), "{field}: {text}");
    }
    let version = page.field("version");
    let fields = |version: &str, locale: &str| {
        [
            ("version", version),
            ("name", "Ada <3"),
            ("contact_email", "post@example.com"),
            ("locale", locale),
            ("country", "GB"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
    };
    let send = |fields: [(&'static str, String); 5]| {
        let ada = &ada;
        async move {
            let fields: Vec<(&str, &str)> =
                fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            ada.submit("/account/profile", &fields).await
        }
    };
    // What is wrong stands beside its field, and what was typed stays.
    let wrong = send(fields(&version, "en_GB")).await;
    assert_eq!(wrong.status, 422);
    let text = wrong.text();
    assert!(
        text.contains("id=\"e-locale\">This is not a language tag. One looks like en-GB.")
            && text.contains("value=\"en_GB\""),
        "{text}"
    );
    assert!(text.contains("Ada &#60;3"), "{text}");
    let saved = send(fields(&version, "en-GB")).await;
    assert_eq!(
        saved.field("back"),
        "/account",
        "a change of the currency leads back to a page that is there"
    );
    assert!(saved.status == 200 && saved.text().contains("It is saved."), "{}", saved.text());
    let profile = ada.get("/api/v1/profile").await.value();
    assert_eq!(
        (&profile["name"], &profile["email"], &profile["locale"], &profile["country_code"]),
        (&json!("Ada <3"), &json!("post@example.com"), &json!("en-GB"), &json!("GB"))
    );
    // From a window that is older than the change.
    let stale = send(fields(&version, "de")).await;
    assert_eq!(stale.status, 409);
    assert!(
        stale.text().contains("changed in another window") && stale.text().contains("value=\"en-GB\""),
        "{}",
        stale.text()
    );
}

#[tokio::test(start_paused = true)]
async fn a_profile_is_changed_by_json() {
    let world = shop(815).await;
    let ada = world.browser();
    sign_up(&ada, "ada@example.com").await;
    let tag = ada.get("/api/v1/profile").await.header("etag").to_owned();
    // What is left out becomes empty.
    let put = |tag: &str| {
        Request::put("/api/v1/profile").header("content-type", "application/json").header("if-match", tag)
    };
    let changed = ada.send(put(&tag), json!({ "name": "Ada" }).to_string()).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!((&changed.value()["name"], &changed.value()["country_code"]), (&json!("Ada"), &json!("")));
    assert_eq!(ada.send(put(&tag), json!({ "name": "Eve" }).to_string()).await.status, 412);
    assert_eq!(world.browser().get("/api/v1/profile").await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn what_an_address_is_for_is_chosen_in_its_form() {
    let world = shop(812).await;
    let ada = world.browser();
    sign_up(&ada, "ada@example.com").await;
    let text = ada.get("/account/addresses/new").await.text();
    assert!(text.contains("type=\"checkbox\" name=\"default_billing\""), "{text}");
    for label in ["Home", "Work"] {
        let fields = [&[("label", label)], &ADA[1..]].concat();
        assert!(ada.submit("/account/addresses/new", &fields).await.location().is_some());
    }
    let book = ada.get("/api/v1/addresses").await.value();
    let work = &book["addresses"][1];
    assert_eq!(work["default_billing"], json!(false));
    let (id, version) = (work["address_id"].as_str().expect("an id"), work["version"].to_string());
    let fields = [&[("label", "Work"), ("version", &version), ("default_billing", "on")], &ADA[1..]].concat();
    let path = format!("/account/addresses/{id}");
    assert!(ada.submit(&path, &fields).await.location().is_some());
    let book = ada.get("/api/v1/addresses").await.value();
    let uses = |at: usize| {
        (book["addresses"][at]["default_shipping"].clone(), book["addresses"][at]["default_billing"].clone())
    };
    assert_eq!((uses(0), uses(1)), ((json!(true), json!(false)), (json!(false), json!(true))));
    let account = ada.get("/account").await.text();
    assert!(
        account.contains("On invoices") && account.contains("<span class=\"unseen\"> Work</span>"),
        "{account}"
    );
}

#[tokio::test(start_paused = true)]
async fn why_an_order_is_cancelled_may_be_said() {
    let world = shop(813).await;
    let guest = world.browser();
    add(&guest, "bowl", "1").await;
    let order = pay(&guest, &quote(&guest).await, "pm_card_visa").await.location().expect("an order");
    let asked = guest.get(&format!("{order}/cancel")).await;
    assert!(asked.text().contains("name=\"note\" rows=\"2\" maxlength=\"500\""), "{}", asked.text());
    let key = asked.field("key");
    let long = "x".repeat(501);
    let refused = guest.submit(&format!("{order}/cancel"), &[("key", &key), ("note", &long)]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("This has more than 500 characters."), "{}", refused.text());
    assert!(refused.text().contains(&long), "what was typed stays");
    let key = refused.field("key");
    let done = guest.submit(&format!("{order}/cancel"), &[("key", &key), ("note", "Two by mistake")]).await;
    assert_eq!(done.location().as_deref(), Some(order.as_str()), "{}", done.text());
    let page = guest.get(&order).await.text();
    assert!(page.contains("Your order is cancelled") && page.contains("Two by mistake."), "{page}");
}

#[tokio::test(start_paused = true)]
async fn messages_about_fields_are_sentences_about_their_names() {
    let world = shop(814).await;
    let guest = world.browser();
    for (path, fields, words) in [
        ("/cart/lines", &[("sku", "bowl"), ("quantity", "1000")][..], "Quantity must be "),
        ("/cart/lines", &[("sku", ""), ("quantity", "1")], "SKU "),
        ("/preferences", &[("currency", "XXXX"), ("back", "/")], "Currency "),
    ] {
        let page = guest.submit(path, fields).await;
        let text = page.text();
        assert_eq!(page.status, 400, "{path}: {text}");
        let lead = text
            .split("<p class=\"lead\">")
            .nth(1)
            .and_then(|rest| rest.split('<').next())
            .unwrap_or_default();
        assert!(lead.starts_with(words) && lead.ends_with('.') && !lead.contains('/'), "{path}: {lead}");
    }
    add(&guest, "bowl", "1").await;
    let cart = guest.get("/cart").await;
    let line =
        guest.json(Method::GET, "/api/v1/cart", &json!({})).await.value()["lines"][0]["line_id"].clone();
    let path = format!("/cart/lines/{}", line.as_str().expect("a line"));
    let many = guest.submit(&path, &[("version", &cart.field("version")), ("quantity", "100000")]).await;
    assert_eq!(many.status, 400);
    assert!(many.text().contains("role=\"alert\">Quantity must be "), "{}", many.text());
}
