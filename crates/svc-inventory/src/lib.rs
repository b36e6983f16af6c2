//! Stock: what is there, what is held for orders, and how it came to be so.
//!
//! **Owns** a counter per (SKU, location), the ledger of its movements, receipts by their references, and holds: one per
//! order, `held → committed | released | expired`, `committed → returned`.
//!
//! **Promises** that nothing is sold twice: a hold takes all it asks for in one commit of conditional updates, or
//! nothing; that the counter equals the fold of its ledger, always; that a hold ends once, by commit, release or expiry,
//! whoever comes first; that what comes again (a receipt's reference, an order's hold, a step of a hold) changes nothing.
//!
//! **Publishes** `StockBandChanged` when what is left crosses a band. **Calls** nobody.

mod api;
mod audit;
mod domain;
mod jobs;
mod store;

use std::time::Duration;

use contract::souk::inventory::v1::inventory_service_server::InventoryServiceServer;
use serde::{Deserialize, Serialize};

/// The role `inventory`.
pub const SERVICE: chassis::Service = chassis::Service::new("inventory", start)
    .about("stock per SKU and location, holds, the movement ledger")
    .settings::<Settings>();

/// The longest time that a setting may name, in seconds: ten years.
const SECONDS_MAX: u64 = 10 * 365 * 86_400;

/// The section `[inventory]` of `souk.toml`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long a hold lasts when its order does not say, in seconds, from 1. 900 (15 minutes).
    pub hold_seconds: u64,
    /// How long a hold lasts at most with all renewals, in seconds, from `hold_seconds`. 604800 (7 days).
    pub hold_seconds_max: u64,
    /// How often expired holds are looked for, in milliseconds, 10 to 3,600,000. 1000.
    pub sweep_every_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { hold_seconds: 900, hold_seconds_max: 604_800, sweep_every_ms: 1_000 }
    }
}

impl chassis::Settings for Settings {
    fn check(&self, section: &str) -> kernel::Result<()> {
        chassis::check_ranges(
            section,
            [
                ("hold_seconds", self.hold_seconds, 1..=SECONDS_MAX),
                ("hold_seconds_max", self.hold_seconds_max, 1..=SECONDS_MAX),
                ("sweep_every_ms", self.sweep_every_ms, 10..=3_600_000),
            ],
        )?;
        if self.hold_seconds > self.hold_seconds_max {
            let (usual, longest) = (self.hold_seconds, self.hold_seconds_max);
            let what =
                format!("is {usual}; it must not be above {section}.hold_seconds_max, which is {longest}");
            return Err(chassis::invalid_setting(section, "hold_seconds", what));
        }
        Ok(())
    }
}

fn start(ctx: chassis::Context) -> chassis::Starting {
    Box::pin(async move {
        let settings: Settings = ctx.config()?;
        let database = ctx.database(store::MIGRATIONS).await?;
        let stock = store::Stock::new(&database, api::announce);
        audit::tables(&stock).into_iter().for_each(|table| ctx.examine(table));
        ctx.describe_events(audit::describe);
        let sweeper = jobs::Sweeper::new(stock.clone(), ctx.clone());
        ctx.every("expire holds", Duration::from_millis(settings.sweep_every_ms), move || {
            sweeper.clone().run()
        });
        let terms = domain::Terms {
            usual: Duration::from_secs(settings.hold_seconds),
            longest: Duration::from_secs(settings.hold_seconds_max),
        };
        Ok(chassis::Role::new().grpc(InventoryServiceServer::new(api::Api::new(&ctx, stock, terms))))
    })
}

#[cfg(test)]
mod tests {
    use chassis::Settings as _;

    use super::*;

    #[test]
    fn a_hold_that_outlasts_the_longest_is_refused_with_both_keys() {
        let wrong = Settings { hold_seconds: 700_000, ..Settings::default() };
        let error = wrong.check("inventory").expect_err("longer than the longest");
        assert_eq!(
            error.message(),
            "inventory.hold_seconds is 700000; it must not be above inventory.hold_seconds_max, which is 604800"
        );
        let longest = Settings { hold_seconds: 604_800, ..Settings::default() };
        assert!(longest.check("inventory").is_ok());
    }
}
