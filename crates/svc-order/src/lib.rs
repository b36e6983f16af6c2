//! Orders: from a signed quote to goods on their way, or to nothing at all.
//!
//! *Owns* orders, their frozen quotes, histories and invoices, and the saga that places and undoes them.
//! *Promises*: an order is durable before stock or money moves; it ends confirmed or undone, whatever is killed and whoever leaves; a
//! quote is placed once, an external reference used once; invoice numbers have no gaps.
//! *Calls* checkout for its key and to quote expired quotes again, inventory, payment, shipping, cart; reads payment's events.
//!
//! | file | what |
//! |---|---|
//! | `domain` | the states, what to do next, what an outcome makes of an order, quote tokens |
//! | `store` | the repository |
//! | `place` | what is checked before an order is written |
//! | `saga` | the worker: steps, records, recovery |
//! | `steps` | each step as a call |
//! | `jobs` | payment's events |
//! | `audit` | what orders prove by themselves |
//! | `api`, `wire`, `board` | the gRPC face, its words, and who waits for what |

mod admission;
mod api;
mod audit;
mod board;
pub mod domain;
mod jobs;
mod keys;
mod metrics;
mod place;
mod saga;
mod settings;
mod steps;
mod store;
mod wire;

use chassis::{Context, RecordKey, Role, Service, Starting};
use contract::souk::order::v1::order_service_server::OrderServiceServer;
use kernel::Result;

pub use settings::Settings;
pub use steps::FAULT_POINTS;

/// The role.
pub const SERVICE: Service = Service::new("order", start)
    .calls(&["checkout", "inventory", "payment", "shipping", "cart"])
    .consumes(&["payment"])
    .about("orders, the placing saga, history, invoices")
    .settings::<Settings>();

/// The largest request: a quote token of 1 MiB and what stands beside it.
const REQUEST_BYTES_MAX: usize = 2 << 20;

/// The secret under which rows are sealed.
const SEAL_KEY: &str = "order-records";
/// The mark that rows of before there were seals have been sealed; it lies with the secrets, where no database can change it.
const ADOPTED: &str = "order-records-adopted";

/// Seals the rows of before there were seals, the first time.
async fn adopt(ctx: &Context, orders: &store::Orders) -> Result<()> {
    if !ctx.has_secret(ADOPTED).await? {
        let adopted = orders.adopt_unsealed().await?;
        ctx.secret(ADOPTED).await?;
        if adopted > 0 {
            tracing::info!(orders = adopted, "orders of before there were seals are sealed");
        }
    }
    let repairs = orders.numbering_repairs().clone();
    ctx.register_metrics(|registry| {
        let help = "Times that a counter of documents was behind its documents and was set right";
        registry.register("souk_order_numbering_repairs", help, repairs);
    });
    Ok(())
}

fn start(ctx: Context) -> Starting {
    Box::pin(async move {
        let api = build(&ctx).await?;
        let server = OrderServiceServer::new(api).max_decoding_message_size(REQUEST_BYTES_MAX);
        Ok(Role::new().grpc(server))
    })
}

async fn build(ctx: &Context) -> Result<api::Api> {
    let settings: Settings = ctx.config()?;
    let database = ctx.database(store::MIGRATIONS).await?;
    let instance = format!("{:032x}", u128::from_be_bytes(ctx.random()));
    let seals = store::Seals::new(RecordKey::new(ctx.secret(SEAL_KEY).await?));
    let orders = store::Orders::open(&database, seals, instance, settings.legal_entity.clone()).await?;
    adopt(ctx, &orders).await?;
    audit::goods::tables(&orders).into_iter().for_each(|table| ctx.examine(table));
    ctx.examine(std::sync::Arc::new(audit::CounterRows(orders.clone())));
    ctx.describe_events(audit::goods::describe);
    let worker = saga::Worker::new(
        ctx.clone(),
        orders.clone(),
        steps::Callees::new(ctx, settings.hold_for())?,
        settings.policy(),
        metrics::Metrics::register(ctx),
        settings.bounds(),
    );
    jobs::start(ctx, &database, &orders, &worker)?;
    let placing = place::Placing {
        ctx: ctx.clone(),
        orders,
        keys: keys::QuoteKeys::new(ctx)?,
        worker,
        admission: admission::Admission::new(settings.in_flight_max, settings.waiting_max),
    };
    Ok(api::Api::new(placing))
}
