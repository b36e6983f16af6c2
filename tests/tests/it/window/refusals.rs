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
