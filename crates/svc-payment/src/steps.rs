//! The steps that move money, each in three commits: ours that it begins, the provider's own, ours how it came out.
//!
//! A step runs as work of its own: who asked for it may leave, and it goes on. What was begun and not finished, because
//! the process died or the provider did not answer, is found by [`sweep`](crate::sweep) or by the repeated call, and is
//! settled by asking the provider by the step's key. Only a step of which the provider says that it never received it is
//! sent, and one that was sent before only when nothing of it can still be on its way. An authorization of that kind is given
//! up instead: its payer may have left.

mod authorize;
mod conclude;
mod operate;
mod void;

use std::sync::Arc;
use std::time::Duration;

use chassis::Context;
use kernel::{Error, Result, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

pub use self::authorize::AskAuthorize;
pub use self::conclude::{Heard, Origin, Written};
pub use self::operate::AskOperate;
pub use self::void::AskVoid;
use crate::in_flight::{InFlight, Working};
use crate::provider::{NoAnswer, Providers};
use crate::store::Books;

/// Settings of payment: section `[payment]`. Each is between 1 and 3,600,000 (an hour).
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long a provider may take to answer, in milliseconds.
    pub provider_timeout_ms: u64,
    /// How long after it was sent a request may still arrive at the provider, in milliseconds: until then "never received"
    /// is not believed of what was sent.
    pub provider_settle_ms: u64,
    /// How often what is not settled is looked at, in milliseconds.
    pub sweep_every_ms: u64,
    /// How often the ledger is sealed, in milliseconds.
    pub seal_every_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            provider_timeout_ms: 10_000,
            provider_settle_ms: 60_000,
            sweep_every_ms: 1_000,
            seal_every_ms: 1_000,
        }
    }
}

impl chassis::Settings for Settings {
    fn check(&self, section: &str) -> Result<()> {
        let hour = 1..=3_600_000;
        chassis::check_ranges(
            section,
            [
                ("provider_timeout_ms", self.provider_timeout_ms, hour.clone()),
                ("provider_settle_ms", self.provider_settle_ms, hour.clone()),
                ("sweep_every_ms", self.sweep_every_ms, hour.clone()),
                ("seal_every_ms", self.seal_every_ms, hour),
            ],
        )
    }
}

/// How long a step is left to whoever began it before the sweeper looks at it.
pub const GUARD: Duration = Duration::from_secs(30);
/// How often at most the provider is asked about what waits for the payer or the payer's bank, should a webhook be lost.
pub const WAITING_EVERY: Duration = Duration::from_secs(60);
/// The first pause before asking again, doubled each time.
const BACKOFF_FIRST: Duration = Duration::from_secs(1);
/// The longest pause before asking again.
const BACKOFF_MAX: Duration = Duration::from_secs(300);
/// How often a decision is made anew because the row changed meanwhile.
const RETRIES_MAX: u32 = 128;

/// Does the steps.
pub struct Steps {
    ctx: Context,
    books: Books,
    providers: Providers,
    in_flight: InFlight,
    settings: Settings,
}

impl Steps {
    /// Steps on these books through these providers.
    #[must_use]
    pub fn new(ctx: Context, books: Books, providers: Providers, settings: Settings) -> Arc<Self> {
        Arc::new(Self { ctx, books, providers, in_flight: InFlight::default(), settings })
    }

    /// The books.
    #[must_use]
    pub fn books(&self) -> &Books {
        &self.books
    }

    /// The providers.
    #[must_use]
    pub fn providers(&self) -> &Providers {
        &self.providers
    }

    /// The outside.
    #[must_use]
    pub fn ctx(&self) -> &Context {
        &self.ctx
    }

    /// What this process works on.
    pub(crate) fn in_flight(&self) -> &InFlight {
        &self.in_flight
    }

    fn now(&self) -> Timestamp {
        self.ctx.now()
    }

    fn guard_until(&self) -> Timestamp {
        self.now().plus(GUARD)
    }

    /// A provider's answer, or that there was none in time.
    async fn within<T>(&self, call: impl Future<Output = Result<T, NoAnswer>>) -> Result<T, NoAnswer> {
        let timeout = Duration::from_millis(self.settings.provider_timeout_ms);
        tokio::select! {
            answer = call => answer,
            () = self.ctx.sleep(timeout) => Err(NoAnswer::new(format!("no answer in {} ms", timeout.as_millis()))),
        }
    }

    /// Whether a request that was sent at a time, and asked about so often since, can no longer be on its way to the provider.
    /// A time that is ahead says nothing; then the pauses between the questions do.
    fn is_settled(&self, sent: Timestamp, asked: u32) -> bool {
        let (now, settle) = (self.now(), Duration::from_millis(self.settings.provider_settle_ms));
        if sent <= now { now.since(sent) >= settle } else { waited(asked) >= settle }
    }

    /// A place where tests kill.
    fn fault_point(&self, point: &'static str) -> Result<()> {
        self.ctx.fault_point(point).map_err(|_| Error::unavailable("KILLED", "the step was killed by a test"))
    }

    /// Runs a step as work of its own and waits for it; `work` is told whether its caller still waits.
    async fn run<T, F>(&self, working: Working, work: impl FnOnce(Origin) -> F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let (told, outcome) = oneshot::channel();
        let told = Arc::new(parking_lot::Mutex::new(Some(told)));
        let origin = Origin::call({
            let told = Arc::downgrade(&told);
            move || {
                told.upgrade().is_some_and(|told| {
                    told.lock().as_ref().is_some_and(|told: &oneshot::Sender<_>| !told.is_closed())
                })
            }
        });
        let work = work(origin);
        self.ctx.spawn_work(async move {
            let done = work.await;
            drop(working);
            if let Some(told) = told.lock().take()
                && let Err(Err(error)) = told.send(done)
            {
                tracing::warn!(error = ?error, "a step failed after its caller had left");
            }
        });
        outcome.await.map_err(|_| {
            Error::unavailable("INTERRUPTED", "the step was interrupted; repeat the call under the same key")
        })?
    }
}

/// When to ask again after asking so often without an answer.
#[must_use]
pub fn backoff(asked: u32) -> Duration {
    BACKOFF_FIRST.saturating_mul(2_u32.saturating_pow(asked.min(16))).min(BACKOFF_MAX)
}

/// How long was waited at least when a question was asked so often. The last two pauses do not count: they may have been cut
/// short when the clock was set back.
fn waited(asked: u32) -> Duration {
    (1..asked.saturating_sub(2)).map(backoff).fold(Duration::ZERO, Duration::saturating_add)
}

/// Every try to change a payment met another change.
fn contended() -> Error {
    Error::conflict("PAYMENT_BUSY", "the payment is being changed by many at once; try again")
        .retry_after_ms(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_prove_how_long_was_waited() {
        assert_eq!(waited(0), Duration::ZERO);
        assert_eq!(waited(4), Duration::from_secs(2));
        // 2 + 4 + 8 + 16 + 32 + 64 s.
        assert_eq!(waited(9), Duration::from_secs(126));
    }
}
