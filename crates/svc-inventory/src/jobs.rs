//! Gives back what expired holds keep.

use std::time::Duration;

use chassis::Context;
use kernel::{HoldId, Result, Timestamp};

use crate::domain::Ask;
use crate::store::Stock;

/// Holds looked at in one query.
const PAGE: u32 = 200;
/// Queries of one run; what is left is found by the next.
const PAGES_MAX: usize = 50;
/// How long after a start the holds wait that had expired before it. Their orders may be in the middle of being placed, and could
/// not renew them while nobody was there.
const RENEWABLE_AFTER_START: Duration = Duration::from_secs(30);

/// Expires holds whose time is over. Any number of instances may run it: each hold expires once, by condition.
#[derive(Clone)]
pub struct Sweeper {
    stock: Stock,
    ctx: Context,
    started: Timestamp,
    /// Until when, on the monotonic clock, what expired before the start may still be renewed.
    renewable_until: Duration,
}

impl Sweeper {
    /// A sweeper on the context's clock, of a role that starts now.
    pub fn new(stock: Stock, ctx: Context) -> Self {
        let renewable_until = ctx.clock().monotonic().saturating_add(RENEWABLE_AFTER_START);
        Self { stock, started: ctx.now(), renewable_until, ctx }
    }

    /// Looks once. A hold that cannot be expired is logged and passed over, so that it does not keep the others.
    pub async fn run(self) {
        match self.sweep().await {
            Ok(0) => {}
            Ok(expired) => tracing::info!(expired, "holds expired"),
            Err(error) => {
                tracing::warn!(error = ?error, "expired holds could not be read; the next run tries again")
            }
        }
    }

    async fn sweep(&self) -> Result<u64> {
        if self.stock.doubts_clock() {
            return Ok(0);
        }
        let is_starting = self.ctx.clock().monotonic() < self.renewable_until;
        let mut after = is_starting.then(|| (self.started, HoldId::from_bits(u128::MAX)));
        let mut expired = 0;
        for _ in 0..PAGES_MAX {
            let due = self.stock.expired(self.ctx.now(), after, PAGE).await?;
            let Some(last) = due.last().copied() else { break };
            for (_, id) in due {
                match self.stock.step(id, Ask::Expire, self.ctx.now()).await {
                    Ok((_, done)) => expired += u64::from(done),
                    Err(error) => tracing::error!(hold = %id, error = ?error, "a hold could not be expired"),
                }
            }
            after = Some(last);
        }
        for id in self.stock.astray(self.ctx.now(), PAGE).await? {
            match self.stock.step(id, Ask::Expire, self.ctx.now()).await {
                Ok((_, done)) => expired += u64::from(done),
                Err(error) => tracing::error!(hold = %id, error = ?error, "a hold could not be expired"),
            }
        }
        Ok(expired)
    }
}
