//! Checkout: from a cart, or a draft by staff, to a signed quote.
//!
//! Owns: tax tables by country of destination, rounding rules, and the keys that sign quotes. Keeps no quotes.
//!
//! Promises: no price comes from a client; every sum in a quote is exactly its parts; a quote that verifies with a published
//! key was computed here, and holds for 15 minutes; what it was computed by (tax, rounding mode and level, overrides with their
//! reasons) stands in it.
//!
//! Calls: cart for the caller's lines, product for variants and prices, shipping for rates, inventory for what is in stock (to
//! tell, never to hold), user for the customer of a draft.
//!
//! Taxes: a country's table says whether its prices include tax, and the rates by tax class in force. A country that was never
//! set is delivered to untaxed, as an export; a destination that is unknown ("ZZ") has the taxes of the home country, so that
//! leaving out the country saves nobody tax. Staff may give one rate for a whole draft, with a reason.

mod api;
mod audit;
pub mod domain;
mod keys;
mod quote;
mod store;
pub mod token;

use std::sync::Arc;

use chassis::{Context, Role, Service, Starting};
use contract::souk::checkout::v1::checkout_service_server::CheckoutServiceServer;

/// The role.
pub const SERVICE: Service = Service::new("checkout", start)
    .calls(&["cart", "inventory", "product", "shipping", "user"])
    .about("signed quotes: lines, tax and shipping; tax tables and rounding");

/// Name of the secret that quote keys are derived from.
const SECRET: &str = "checkout.quote";

fn start(ctx: Context) -> Starting {
    Box::pin(async move {
        let database = ctx.database(store::MIGRATIONS).await?;
        audit::tables(&database).into_iter().for_each(|table| ctx.examine(table));
        ctx.describe_events(audit::describe);
        let taxes = store::Taxes::new(&database, ctx.clock().clone());
        let keys = Arc::new(keys::Keys::new(ctx.secret(SECRET).await?));
        let quoter = quote::Quoter::new(ctx.clone(), taxes.clone(), keys.clone())?;
        Ok(Role::new().grpc(CheckoutServiceServer::new(api::Api { ctx, quoter, taxes, keys })))
    })
}
