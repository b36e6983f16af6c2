//! The catalogue.
//!
//! Owns products with their variants, categories, prices and the history of prices, and their pictures. Promises that a SKU belongs to one
//! product at a time, that no price is lost when another takes its place, and that every change is published with the
//! whole product as it is after it, so that a reader of the events needs nothing else. Calls nobody.
//!
//! A merchant's own pictures are kept here too: read and written anew when they are uploaded, named by their content.
//!
//! `BatchGetVariants` is what carts and quotes are made from: it is answered from memory.

pub mod domain;

mod api;
mod audit;
mod rendition;
mod store;

use chassis::{Context, Role, Service, Starting};
use contract::souk::product::v1::product_service_server::ProductServiceServer;

/// The role `product`.
pub const SERVICE: Service =
    Service::new("product", start).about("products, variants, categories, prices and their history");

/// The largest message taken: an import of 500 products with their stories and histories.
const MESSAGE_BYTES_MAX: usize = 16 << 20;

/// The mark that categories which an earlier release removed have been noted; it lies with the secrets, where no database can
/// change it.
const ADOPTED: &str = "product-categories-adopted";

fn start(ctx: Context) -> Starting {
    Box::pin(async move {
        let database = ctx.database(&[]).await?;
        let catalogue = store::Catalogue::open(database, ctx.clock().clone()).await?;
        if !ctx.has_secret(ADOPTED).await? {
            catalogue.adopt_removed().await?;
            ctx.secret(ADOPTED).await?;
        }
        audit::tables(&catalogue).into_iter().for_each(|table| ctx.examine(table));
        ctx.describe_events(audit::describe);
        let server = ProductServiceServer::new(api::Api::new(ctx, catalogue))
            .max_decoding_message_size(MESSAGE_BYTES_MAX);
        Ok(Role::new().grpc(server))
    })
}
