//! Carts: what guests and customers mean to buy.
//!
//! **Owns** one cart per guest session and per customer, whose id is derived from theirs.
//!
//! **Promises** that additions count, however many come at once, and that none counts twice; that no limit on lines and
//! units is passed; that an edit needs the version it was made from; that a guest's lines reach the customer's cart once,
//! even if the process dies in the middle of the merge; that another's cart looks like none.
//!
//! **Publishes** `CartChanged`. **Calls** product: for whether a SKU is sold when it is added, for names and prices when a
//! cart is shown.

mod api;
mod audit;
mod catalogue;
mod domain;
mod jobs;
mod store;

use std::time::Duration;

use contract::souk::cart::v1::cart_service_server::CartServiceServer;
use kernel::Currency;
use serde::{Deserialize, Serialize};

/// The role `cart`.
pub const SERVICE: chassis::Service = chassis::Service::new("cart", start)
    .calls(&["product"])
    .about("carts of guests and customers")
    .settings::<Settings>();

/// The longest time that a setting may name, in seconds: ten years.
const SECONDS_MAX: u64 = 10 * 365 * 86_400;
/// How often old guests' carts are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(600);
/// How often merges that were left half done are looked for.
const RESUME_EVERY: Duration = Duration::from_secs(30);

/// The section `[cart]` of `souk.toml`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Units of a line at most, 1 to 1,000,000. 999.
    pub line_quantity_max: u32,
    /// Lines of a cart at most, 1 to 1,000. 100.
    pub lines_max: u32,
    /// Units of a cart, which is to say of a customer, at most, 1 to 1,000,000,000. 9999.
    pub quantity_max: u32,
    /// Seconds without a change after which a guest's cart is dropped, 60 to ten years. 2592000 (30 days).
    pub guest_seconds: u64,
    /// Currency of prices when a caller does not name one, an ISO 4217 code. GBP.
    pub currency: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            line_quantity_max: 999,
            lines_max: 100,
            quantity_max: 9_999,
            guest_seconds: 2_592_000,
            currency: "GBP".to_owned(),
        }
    }
}

impl chassis::Settings for Settings {
    fn check(&self, section: &str) -> kernel::Result<()> {
        chassis::check_ranges(
            section,
            [
                ("line_quantity_max", self.line_quantity_max.into(), 1..=1_000_000),
                ("lines_max", self.lines_max.into(), 1..=1_000),
                ("quantity_max", self.quantity_max.into(), 1..=1_000_000_000),
                ("guest_seconds", self.guest_seconds, 60..=SECONDS_MAX),
            ],
        )?;
        if Currency::parse(&self.currency).is_err() {
            let what = format!("is `{}`, which is not an ISO 4217 code in capitals", self.currency);
            return Err(chassis::invalid_setting(section, "currency", what));
        }
        Ok(())
    }
}

impl Settings {
    fn limits(&self) -> domain::Limits {
        domain::Limits {
            line_quantity: self.line_quantity_max.into(),
            lines: self.lines_max as usize,
            quantity: self.quantity_max.into(),
            guest_keep: Duration::from_secs(self.guest_seconds),
        }
    }
}

fn start(ctx: chassis::Context) -> chassis::Starting {
    Box::pin(async move {
        let settings: Settings = ctx.config()?;
        let currency = Currency::parse(&settings.currency)?;
        let database = ctx.database(&[]).await?;
        let carts = store::Carts::new(&database, settings.limits(), api::announce);
        audit::tables(&database).into_iter().for_each(|table| ctx.examine(table));
        ctx.describe_events(audit::describe);
        let catalogue = catalogue::Catalogue::new(&ctx)?;
        let jobs = jobs::Jobs::new(carts.clone(), ctx.clone(), database.clone());
        let sweeper = jobs.clone();
        ctx.every("drop old guests' carts", SWEEP_EVERY, move || sweeper.clone().drop_expired());
        ctx.every("finish merges", RESUME_EVERY, move || jobs.clone().finish_merges());
        Ok(chassis::Role::new().grpc(CartServiceServer::new(api::Api::new(ctx, carts, catalogue, currency))))
    })
}
