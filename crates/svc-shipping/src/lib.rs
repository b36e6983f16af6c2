//! Shipping: what it costs to send something somewhere, and the shipments that are on their way.
//!
//! Owns rates (zones, methods, bands; versioned) and shipments with their history. Calls no other role.
//!
//! What it promises:
//! - A quote reads memory only; new rates count at once here, and within ten seconds in other instances.
//! - There is one shipment per order and shipment group, for ever: its id follows from both.
//! - A shipment's states follow [`domain::shipment::ShipmentState::may_become`]; ends are final; each step is kept.
//! - Making a shipment is one commit of one row, one event and the request's key.

mod api;
mod audit;
pub mod domain;
mod rates;
mod store;
mod wire;

use std::time::Duration;

use chassis::{Context, Role, Service, Starting};
use contract::souk::shipping::v1::shipping_service_server::ShippingServiceServer;

use crate::api::Api;
use crate::rates::RateCache;
use crate::store::Books;

/// The role.
pub const SERVICE: Service = Service::new("shipping", start)
    .about("shipping rates by destination, weight and price; shipments and their tracking");

/// How often an instance looks whether another set new rates.
const REFRESH_EVERY: Duration = Duration::from_secs(10);

fn start(ctx: Context) -> Starting {
    Box::pin(async move {
        let database = ctx.database(store::MIGRATIONS).await?;
        let books = Books::new(&database);
        audit::tables(&books).into_iter().for_each(|table| ctx.examine(table));
        ctx.describe_events(audit::describe);
        let rates = RateCache::open(&ctx, books.clone()).await?;
        let refreshed = rates.clone();
        ctx.every("shipping rates", REFRESH_EVERY, move || {
            let rates = refreshed.clone();
            async move { rates.refresh().await }
        });
        Ok(Role::new().grpc(ShippingServiceServer::new(Api::new(ctx, books, rates))))
    })
}
