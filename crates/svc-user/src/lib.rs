//! User: who a customer is to the shop.
//!
//! Owns profiles with their address books. Promises that a customer sees and changes its own only, that somebody else's
//! profile is as good as absent, that an external reference names one profile for ever, and that no event tells who a
//! person is. Calls nobody.

mod api;
mod audit;
mod domain;
mod store;

use chassis::{Context, Role, Service, Starting};
use contract::souk::user::v1::user_service_server::UserServiceServer;

use crate::api::Api;
use crate::store::Profiles;

/// The role.
pub const SERVICE: Service = Service::new("user", start).about("profiles and address books");

fn start(ctx: Context) -> Starting {
    Box::pin(async move {
        let database = ctx.database(&[]).await?;
        audit::tables(&database).into_iter().for_each(|table| ctx.examine(table));
        ctx.describe_events(audit::describe);
        let profiles = Profiles::new(database.docs());
        Ok(Role::new().grpc(UserServiceServer::new(Api { ctx, profiles })))
    })
}
