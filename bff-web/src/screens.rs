//! The screens, and the list of their routes.

pub mod account;
pub mod addresses;
pub mod assets;
pub mod bank;
pub mod cart;
pub mod checkout;
pub mod home;
pub mod listing;
pub mod orders;
pub mod preferences;
pub mod product;
pub mod sessions;

use std::sync::Arc;

use edge::{About, Answer, Kind, Nothing, Route, docs, openapi};
use http::Method;
use kernel::{Error, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::shop::{Shop, Visit, route};

/// No parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoParams {}

const ABOUT: About = About {
    title: "Souk, the shop window",
    version: "1",
    description: "Every screen of the shop window as JSON. Sessions are cookies that the answers of sign-in, sign-up, `POST /api/v1/session/guest` and the first addition to a cart set; programs may send an access token as a bearer instead.\n\nA change may carry an `Idempotency-Key`: sent again under the same key it happens once. Edits name the version that they change in `If-Match`. Lists are paged by cursors. A problem (RFC 9457) has a stable code, the fields that are wrong, and says whether to try again. Parts that could not be had just now are named in `absent`.",
};

/// Every route of the gateway.
///
/// # Errors
/// INTERNAL when the description contradicts itself.
pub fn routes(shop: &Arc<Shop>) -> Result<Vec<Route>> {
    let mut routes = Vec::new();
    routes.extend(home::routes(shop));
    routes.extend(listing::routes(shop));
    routes.extend(product::routes(shop));
    routes.extend(cart::routes(shop));
    routes.extend(checkout::routes(shop));
    routes.extend(orders::routes(shop));
    routes.extend(bank::routes(shop));
    routes.extend(sessions::routes(shop));
    routes.extend(account::routes(shop));
    routes.extend(addresses::routes(shop));
    routes.extend(preferences::routes(shop));
    routes.extend(assets::routes(shop));
    let mut spec = openapi(&ABOUT, &routes)?;
    // Every other code is refused.
    let currency = &mut spec["components"]["schemas"]["CurrencyCode"];
    currency["enum"] = shop.currencies.clone().into();
    currency["description"] = "A currency that this shop sells in: an ISO 4217 code in capitals.".into();
    let page = docs(&spec, &routes, assets::css(), Some("/"));
    let json = serde_json::to_vec_pretty(&spec).map_err(kernel::Error::internal)?;
    routes.extend(edge::health());
    routes.push(document("/openapi.json", "application/json", json));
    routes.push(document("/docs", "text/html; charset=utf-8", page.into_bytes()));
    Ok(routes)
}

/// A route that answers the same bytes as long as the gateway runs.
fn document(path: &'static str, content_type: &'static str, bytes: Vec<u8>) -> Route {
    let bytes = edge::Bytes::from(bytes);
    Route::new(Kind::Page, Method::GET, path, move |_, _: NoParams, _: Nothing| {
        std::future::ready(Ok(Answer::raw(content_type, bytes.clone())))
    })
    .kept(assets::FOR_EVER, &[])
    .public()
}

/// Makes a page route.
fn page<P, B, F>(shop: &Arc<Shop>, method: Method, path: &'static str, screen: fn(Visit, P, B) -> F) -> Route
where
    P: serde::de::DeserializeOwned + JsonSchema + Send + 'static,
    B: edge::Input,
    F: Future<Output = Result<Answer>> + Send + 'static,
{
    route(shop, Kind::Page, method, path, screen)
}

/// Makes an API route.
fn api<P, B, F>(shop: &Arc<Shop>, method: Method, path: &'static str, screen: fn(Visit, P, B) -> F) -> Route
where
    P: serde::de::DeserializeOwned + JsonSchema + Send + 'static,
    B: edge::Input,
    F: Future<Output = Result<Answer>> + Send + 'static,
{
    route(shop, Kind::Api, method, path, screen)
}

/// Entries on a page of a list: as many as are asked for, or the usual.
fn page_limit(asked: Option<i32>, usual: i32) -> Result<i32> {
    let limit = asked.unwrap_or(usual);
    let what = "must be between 1 and 100";
    if (1..=100).contains(&limit) { Ok(limit) } else { Err(Error::field("/limit", "INVALID_LIMIT", what)) }
}

/// A page of a template.
fn shown(template: &impl askama::Template) -> Result<Answer> {
    template.render().map(Answer::page).map_err(kernel::Error::internal)
}

/// How soon a picture is fetched: those that are seen first at once.
fn loading(index: usize) -> &'static str {
    if index < 6 { "eager" } else { "lazy" }
}

/// How soon a picture of a product's own page is fetched: the main one before all else.
fn turn(index: usize) -> &'static str {
    if index == 0 { "first" } else { "lazy" }
}

/// The first of two texts that says something.
fn or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.is_empty() { otherwise } else { text }
}

/// How many things there are, in words.
fn things(count: &i64) -> String {
    let number = crate::money::grouped(count.unsigned_abs());
    if *count == 1 { "1 thing".to_owned() } else { format!("{number} things") }
}
