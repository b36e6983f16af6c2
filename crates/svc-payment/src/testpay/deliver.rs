//! Delivering webhooks: many events in one body, again until they are taken.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kernel::Result;

use super::books::Delivery;
use super::news::{self, EVENTS_MAX};
use super::{NAME, Testpay};
use crate::signature;

/// Takes a webhook, as the shop's endpoint does.
#[async_trait]
pub trait Sink: Send + Sync + 'static {
    /// Takes a body with its signature.
    ///
    /// # Errors
    /// It was not taken, and is sent again.
    async fn deliver(&self, body: &[u8], signature: &str) -> Result<()>;
}

/// How often the queue is looked at.
const EVERY: Duration = Duration::from_millis(250);
/// The most bytes of one body; the shop takes 64 KiB.
const BODY_BYTES_MAX: usize = 60 * 1024;
/// The first pause before a delivery is tried again, doubled each time.
const RETRY_FIRST: Duration = Duration::from_secs(1);
/// The longest pause before a delivery is tried again.
const RETRY_MAX: Duration = Duration::from_secs(3600);
/// How often a delivery is tried: over three days.
const TRIES_MAX: u32 = 80;

/// Delivers what is due.
pub struct Deliver {
    testpay: Testpay,
    sink: Arc<dyn Sink>,
}

impl Deliver {
    /// Deliveries of testpay to a shop.
    #[must_use]
    pub fn new(testpay: Testpay, sink: Arc<dyn Sink>) -> Self {
        Self { testpay, sink }
    }

    /// Delivers for ever.
    pub async fn run(self) {
        loop {
            tokio::select! {
                () = self.testpay.ctx.sleep(EVERY) => {}
                () = self.testpay.wake.notified() => {}
            }
            if let Err(error) = self.pass().await {
                tracing::warn!(error = ?error, "webhooks of testpay could not be delivered");
            }
        }
    }

    /// Delivers until nothing is due.
    async fn pass(&self) -> Result<()> {
        loop {
            let due = self.testpay.books.due(self.testpay.ctx.now(), EVENTS_MAX as u32).await?;
            if due.is_empty() {
                return Ok(());
            }
            for batch in batches(&due) {
                self.send(batch).await?;
            }
        }
    }

    async fn send(&self, batch: &[Delivery]) -> Result<()> {
        let now = self.testpay.ctx.now();
        let body = news::body(batch.iter().map(|delivery| delivery.event.as_str()));
        let signature = signature::sign(self.testpay.secret.bytes(), now, &body);
        let Err(error) = self.sink.deliver(&body, &signature).await else {
            return self.testpay.books.delivered(batch, &[]).await;
        };
        tracing::warn!(error = ?error, events = batch.len(), provider = NAME, "a webhook was not taken; it is sent again");
        let again = |delivery: &Delivery| {
            let pause =
                RETRY_FIRST.saturating_mul(2_u32.saturating_pow(delivery.tries.min(16))).min(RETRY_MAX);
            Delivery::new(now.plus(pause), delivery.unique(), delivery.event.clone(), delivery.tries + 1)
        };
        let again: Vec<_> = batch.iter().filter(|delivery| delivery.tries < TRIES_MAX).map(again).collect();
        self.testpay.books.delivered(batch, &again).await
    }
}

/// Parts of the queue that fit one body each. What was refused before goes alone, so that it holds up nothing else.
fn batches(due: &[Delivery]) -> Vec<&[Delivery]> {
    let mut batches = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (at, delivery) in due.iter().enumerate() {
        let alone = delivery.tries > 0 || (at > 0 && due[at - 1].tries > 0);
        let full = bytes + delivery.event.len() + 1 > BODY_BYTES_MAX || at - start >= EVENTS_MAX;
        if at > start && (alone || full) {
            batches.push(&due[start..at]);
            (start, bytes) = (at, 0);
        }
        bytes += delivery.event.len() + 1;
    }
    if start < due.len() {
        batches.push(&due[start..]);
    }
    batches
}

#[cfg(test)]
mod tests {
    use kernel::Timestamp;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_delivery_is_in_one_batch_that_fits(sizes in prop::collection::vec((1_usize..4000, 0_u32..2), 0..120)) {
            let due: Vec<_> = sizes.iter().map(|(size, tries)| Delivery::new(Timestamp::from_secs(1), "x", "e".repeat(*size), *tries)).collect();
            let batches = batches(&due);
            prop_assert_eq!(&batches.concat(), &due);
            for batch in batches {
                prop_assert!(news::body(batch.iter().map(|d| d.event.as_str())).len() <= 64 * 1024);
                prop_assert!(batch.len() == 1 || batch.iter().all(|delivery| delivery.tries == 0));
            }
        }
    }
}
