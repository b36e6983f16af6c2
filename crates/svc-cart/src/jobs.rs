//! What goes on without a call: old guests' carts are dropped, merges that were left half done are finished.

use ::store::Database;
use chassis::Context;

use crate::store::Carts;

/// The jobs. Any number of instances may run them: versions decide.
#[derive(Clone)]
pub struct Jobs {
    carts: Carts,
    ctx: Context,
    database: Database,
}

impl Jobs {
    /// Jobs on the context's clock; what is dropped goes by the database's.
    pub fn new(carts: Carts, ctx: Context, database: Database) -> Self {
        Self { carts, ctx, database }
    }

    /// Drops guests' carts that nobody has changed for long.
    pub async fn drop_expired(self) {
        match self.carts.drop_expired(self.database.retention_now()).await {
            Ok(0) => {}
            Ok(dropped) => tracing::info!(dropped, "old guests' carts dropped"),
            Err(error) => {
                tracing::warn!(error = ?error, "old guests' carts could not be dropped; the next run tries again")
            }
        }
    }

    /// Finishes merges whose caller or process went away in the middle.
    pub async fn finish_merges(self) {
        match self.carts.finish_merges(self.ctx.now()).await {
            Ok(0) => {}
            Ok(finished) => tracing::info!(finished, "half-done merges finished"),
            Err(error) => {
                tracing::warn!(error = ?error, "half-done merges could not be finished; the next run tries again")
            }
        }
    }
}
