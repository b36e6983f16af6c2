//! What happens by itself: taking up orders that nobody works on, and hearing of payments.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chassis::{Applied, Consume, Context};
use contract::souk::event::v1::Event;
use contract::souk::payment::v1 as payment;
use kernel::{Error, OrderId, Result};
use prost::{Message, Name};
use store::{Consumed, Database};

use crate::saga::{SWEEP_EVERY, Worker};
use crate::store::Orders;

/// How often documents are sealed.
const SEAL_EVERY: Duration = Duration::from_millis(500);

/// Starts the sweep, at once and then again and again, the sealer of documents, and the consumer of payment's events.
///
/// # Errors
/// Internal when the role does not declare that it reads payment's events.
pub fn start(ctx: &Context, database: &Database, orders: &Orders, worker: &Worker) -> Result<()> {
    ctx.spawn("order sagas", sweep(ctx.clone(), worker.clone()));
    ctx.spawn("document sealer", seal(ctx.clone(), orders.clone()));
    let news = PaymentNews { ctx: ctx.clone(), orders: orders.clone(), worker: worker.clone() };
    ctx.consume("payment", "order.placing", database, Arc::new(news))
}

async fn sweep(ctx: Context, worker: Worker) {
    loop {
        if let Err(error) = worker.sweep().await {
            tracing::warn!(error = ?error, "due orders could not be read");
        }
        ctx.sleep(SWEEP_EVERY).await;
    }
}

/// Chains documents soon after they are issued.
async fn seal(ctx: Context, orders: Orders) {
    let mut sealed = orders.seal_all_documents().await;
    loop {
        if let Err(error) = sealed {
            tracing::warn!(error = ?error, "documents could not be sealed");
        }
        ctx.sleep(SEAL_EVERY).await;
        sealed = orders.seal_documents().await;
    }
}

/// Payments whose outcome came after the answer to their call.
struct PaymentNews {
    ctx: Context,
    orders: Orders,
    worker: Worker,
}

#[async_trait]
impl Consume for PaymentNews {
    async fn apply(&self, event: &Event, at: Consumed) -> Result<Applied> {
        let Some(payment) = outcome(event)? else { return Ok(Applied::Ignored) };
        let Ok(id) = OrderId::parse(&payment.order_id) else { return Ok(Applied::Ignored) };
        self.orders.payment_news(id, self.ctx.now(), at).await?;
        self.worker.wake(id).await?;
        Ok(Applied::Committed)
    }
}

/// The payment that an event is about, when an order may wait for it.
fn outcome(event: &Event) -> Result<Option<payment::Payment>> {
    let Some(payload) = &event.payload else { return Ok(None) };
    let name = payload.type_url.rsplit('/').next().unwrap_or_default();
    let body = payload.value.as_slice();
    let payment = if name == payment::PaymentAuthorized::full_name() {
        payment::PaymentAuthorized::decode(body).map(|event| event.payment)
    } else if name == payment::PaymentFailed::full_name() {
        payment::PaymentFailed::decode(body).map(|event| event.payment)
    } else if name == payment::PaymentActionRequired::full_name() {
        payment::PaymentActionRequired::decode(body).map(|event| event.payment)
    } else if name == payment::PaymentCaptured::full_name() {
        payment::PaymentCaptured::decode(body).map(|event| event.payment)
    } else {
        return Ok(None);
    };
    payment.map_err(Error::internal)
}
