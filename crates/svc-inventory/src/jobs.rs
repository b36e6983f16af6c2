//! Gives back what expired holds keep.

use chassis::Context;
use kernel::Result;

use crate::domain::Ask;
use crate::store::Stock;

/// Holds looked at in one query.
const PAGE: u32 = 200;
/// Queries of one run; what is left is found by the next.
const PAGES_MAX: usize = 50;

/// Expires holds whose time is over. Any number of instances may run it: each hold expires once, by condition.
#[derive(Clone)]
pub struct Sweeper {
    stock: Stock,
    ctx: Context,
}

impl Sweeper {
    /// A sweeper on the context's clock.
    pub fn new(stock: Stock, ctx: Context) -> Self {
        Self { stock, ctx }
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
        let (mut after, mut expired) = (None, 0);
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
