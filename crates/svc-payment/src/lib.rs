//! Payments: takes money for orders through a provider, and keeps the books of it.
//!
//! Owns intents, attempts, captures, voids, refunds, and the double-entry ledger. Calls no other role. Runs `testpay`, a
//! provider for trying things out, on a database of its own.
//!
//! What it promises:
//! - Every step is written down before the provider is called, and is known to the provider by a key that follows from
//!   the order and the attempt. An outcome that was lost is found by asking ([`sweep`]), never by sending again.
//! - `refunded ≤ captured ≤ authorized`, whoever asks at once: an amount is claimed by a conditional update of the
//!   payment's row before the provider hears of it.
//! - A provider's event counts once, whenever and however often it comes ([`webhook`]).
//! - Every movement of money is two or more postings that sum to zero ([`domain::ledger`]), and is sealed into a chain
//!   of hashes within seconds ([`seal`]).
//! - Card numbers never get further than the check that refuses them ([`domain::method`]).
//!
//! An authorization costs three durable commits in sequence, a capture three: ours that it begins, the provider's, ours
//! how it came out. Webhooks that tell what is known cost none here.

mod api;
mod audit;
pub mod domain;
mod in_flight;
pub mod provider;
pub mod seal;
pub mod signature;
mod steps;
mod store;
pub mod sweep;
pub mod testpay;
pub mod webhook;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chassis::{Context, RecordKey, Role, Service, Starting};
use contract::souk::payment::v1::payment_service_server::PaymentServiceServer;
use contract::souk::testpay::v1::testpay_service_server::TestpayServiceServer;
use kernel::Result;

use crate::api::Api;
use crate::provider::Providers;
use crate::seal::Sealer;
pub use crate::steps::{Settings, Steps};
use crate::store::{Books, Seals};
use crate::sweep::Sweep;
use crate::testpay::{Deliver, Sink, Testpay};

/// The role.
pub const SERVICE: Service = Service::new("payment", start)
    .about("payments through providers, their attempts, captures and refunds, and the double-entry ledger")
    .settings::<Settings>();

/// The secret under which rows and the chain are sealed.
const SEAL_KEY: &str = "payment-records";
/// The mark that rows of before there were seals have been sealed; it lies with the secrets, where no database can change it.
const ADOPTED: &str = "payment-records-adopted";

/// Seals the rows of before there were seals, the first time.
async fn adopt(ctx: &Context, books: &Books) -> Result<()> {
    if ctx.has_secret(ADOPTED).await? {
        return Ok(());
    }
    let adopted = books.adopt_unsealed().await?;
    ctx.secret(ADOPTED).await?;
    if adopted > 0 {
        tracing::info!(payments = adopted, "payments of before there were seals are sealed");
    }
    Ok(())
}

fn start(ctx: Context) -> Starting {
    Box::pin(async move {
        let settings: Settings = ctx.config()?;
        let database = ctx.database(store::MIGRATIONS).await?;
        let own = ctx.database_named(testpay::NAME, testpay::MIGRATIONS).await?;
        let testpay = Testpay::new(ctx.clone(), &own, ctx.secret("testpay-webhook").await?);
        let providers = Providers::new(Arc::new(testpay.clone()));
        let seals = Seals::new(RecordKey::new(ctx.secret(SEAL_KEY).await?));
        let books = Books::new(&database, seals);
        adopt(&ctx, &books).await?;
        for table in audit::events::tables(&books) {
            ctx.examine(table);
        }
        ctx.describe_events(audit::events::describe);
        let steps = Steps::new(ctx.clone(), books, providers, settings);

        let sink = Arc::new(Webhooks(Arc::clone(&steps)));
        ctx.spawn("testpay webhooks", Deliver::new(testpay.clone(), sink).run());
        let sweep = Arc::new(Sweep::new(Arc::clone(&steps)));
        ctx.every("payment sweep", Duration::from_millis(settings.sweep_every_ms), move || {
            let sweep = Arc::clone(&sweep);
            async move { sweep.pass().await }
        });
        let owner = hex::encode(ctx.random::<8>());
        let sealer = Arc::new(Sealer::new(Arc::clone(&steps), &database, owner));
        ctx.every("ledger sealer", Duration::from_millis(settings.seal_every_ms), move || {
            let sealer = Arc::clone(&sealer);
            async move { sealer.pass().await }
        });

        Ok(Role::new()
            .grpc(PaymentServiceServer::new(Api::new(steps)))
            .grpc(TestpayServiceServer::new(testpay)))
    })
}

/// Where testpay's webhooks arrive: what `ReceiveWebhook` calls.
struct Webhooks(Arc<Steps>);

#[async_trait]
impl Sink for Webhooks {
    async fn deliver(&self, body: &[u8], signature: &str) -> Result<()> {
        self.0.receive_webhook(testpay::NAME, body, signature).await.map(|_| ())
    }
}
