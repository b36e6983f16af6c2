//! What a browser prefers: its currency.

use std::sync::Arc;

use edge::{Answer, Route};
use http::Method;
use kernel::{Error, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{NoParams, page};
use crate::shop::{CURRENCY, Shop, Visit};

/// What is chosen, and where to go back to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Choice {
    currency: String,
    #[serde(default)]
    back: String,
}

/// Its route.
pub fn routes(shop: &Arc<Shop>) -> Vec<Route> {
    vec![page(shop, Method::POST, "/preferences", choose)]
}

async fn choose(visit: Visit, _: NoParams, choice: Choice) -> Result<Answer> {
    if !visit.shop.currencies.contains(&choice.currency) {
        return Err(Error::field("/currency", "INVALID_CURRENCY", "is not offered here"));
    }
    if !visit.shop.offered(&visit).await.contains(&choice.currency) {
        return Err(Error::field("/currency", "INVALID_CURRENCY", "has no prices here"));
    }
    visit.prefer(CURRENCY, &choice.currency);
    Answer::see(local(&choice.back))
}

/// An address of this gateway to go back to; the hall for anything else.
pub fn local(back: &str) -> &str {
    let good = back.starts_with('/') && Answer::see(back).is_ok() && back.is_ascii() && back.len() <= 2_000;
    if good { back } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_stays_here() {
        assert_eq!(local("/search?q=bowl"), "/search?q=bowl");
        for elsewhere in
            ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""]
        {
            assert_eq!(local(elsewhere), "/", "{elsewhere:?}");
        }
    }
}
