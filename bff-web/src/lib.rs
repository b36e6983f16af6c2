//! bff-web: the shop window.
//!
//! Pages for browsers, which work without JavaScript, and the same screens as JSON under `/api/v1`. Owns nothing: every screen
//! is made of calls to the services ([`edge::Need`]). What gateways have in common is `edge`'s; this is the list of screens.

mod chrome;
#[cfg(test)]
mod contrast;
mod frame;
mod money;
mod news;
mod pictures;
mod said;
mod screens;
mod shop;
mod view;
mod words;

use std::sync::Arc;

use chassis::{Context, Role, Service, Starting};
use edge::{Gateway, Live, Settings, follow};
use kernel::Result;

use crate::chrome::Hall;
use crate::news::{Changes, Reports};
use crate::shop::Shop;

/// The role.
pub const SERVICE: Service = Service::new("bff-web", start)
    .calls(&[
        "identity",
        "user",
        "product",
        "search",
        "inventory",
        "cart",
        "checkout",
        "order",
        "payment",
        "shipping",
    ])
    .consumes(&["product", "inventory", "cart", "order", "shipping"])
    .settings::<Settings>()
    .about("nothing: pages for browsers, and the same screens as JSON");

/// The method and path of a route, and the calls that it declares.
pub type Declared = (http::Method, &'static str, &'static [&'static edge::Need]);

/// Every route with the calls that it declares, for the tests that make each of them fail.
///
/// # Errors
/// As starting the role.
pub fn declared(ctx: &Context) -> Result<Vec<Declared>> {
    let shop = Arc::new(Shop::new(ctx, &ctx.config()?)?);
    let routes = screens::routes(&shop)?;
    Ok(routes.iter().map(|route| (route.method().clone(), route.path(), route.declared())).collect())
}

fn start(ctx: Context) -> Starting {
    Box::pin(async move {
        let settings: Settings = ctx.config()?;
        let shop = Arc::new(Shop::new(&ctx, &settings)?);
        let live = Live::start(&ctx, &settings, &["order", "cart", "shipping"], Reports::default())?;
        let routes = screens::routes(&shop)?;
        let gateway = Gateway::new(&ctx, settings, routes, Hall(shop.clone(), live.clone()), Some(live))?;
        let changes = Arc::new(Changes { gateway: gateway.clone(), shop });
        follow(&ctx, "product", changes.clone())?;
        follow(&ctx, "inventory", changes)?;
        Ok(Role::new().http(gateway.endpoint()))
    })
}
