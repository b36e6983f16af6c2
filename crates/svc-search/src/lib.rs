//! Finding products.
//!
//! Owns the full-text index of the shop's active products, its facets and suggestions. Promises that facets are counted
//! over exactly what is found, that exact names come first, that typing errors are forgiven, and that whatever anybody
//! types is only words. Fed by product's events alone, as a replica: the position stands in the index, so a restart goes
//! on where it was, and an index that cannot go on is built anew from product's list while the old one serves. Calls
//! product.

pub mod domain;
pub mod index;

mod api;
mod audit;
mod categories;
mod feed;
mod state;

use std::sync::Arc;

use chassis::{Context, Role, Service, Starting};
use contract::souk::product::v1::product_service_client::ProductServiceClient;
use contract::souk::search::v1::search_service_server::SearchServiceServer;

/// The role `search`.
pub const SERVICE: Service = Service::new("search", start)
    .calls(&["product"])
    .consumes(&["product"])
    .about("the full-text index of products, facets and suggestions");

fn start(ctx: Context) -> Starting {
    Box::pin(async move {
        let products = ctx.call("product", ProductServiceClient::new)?;
        let state = Arc::new(state::State::default());
        let feed = feed::Feed::open(ctx.clone(), products, Arc::clone(&state))?;
        ctx.examine(Arc::new(audit::IndexRows(Arc::clone(&state))));
        ctx.spawn("index", feed.run());
        Ok(Role::new().grpc(SearchServiceServer::new(api::Api::new(ctx, state))))
    })
}
