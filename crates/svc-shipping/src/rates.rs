//! The rates in memory: quoting reads nothing else.

use std::sync::Arc;

use arc_swap::ArcSwap;
use chassis::Context;
use kernel::Result;
use store::CommitError;

use crate::domain::defaults::defaults;
use crate::domain::rates::Quoter;
use crate::store::{Books, Rates};

/// The rates in force, and their version.
pub struct InForce {
    /// Their version.
    pub version: i64,
    /// Ready to be asked.
    pub quoter: Quoter,
}

/// The rates that this instance quotes from. Cheap to clone.
#[derive(Clone)]
pub struct RateCache {
    books: Books,
    current: Arc<ArcSwap<InForce>>,
}

impl RateCache {
    /// Reads the rates; a new shop gets the usual ones.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn open(ctx: &Context, books: Books) -> Result<Self> {
        let rates = match books.rates().await? {
            Some(rates) => rates,
            None => {
                let rates = Rates { version: 1, table: defaults() };
                match books.add_rates(&rates, ctx.now(), None).await {
                    Ok(()) => rates,
                    Err(CommitError::Duplicate { .. }) => books.rates().await?.unwrap_or(rates),
                    Err(error) => return Err(error.into()),
                }
            }
        };
        Ok(Self { books, current: Arc::new(ArcSwap::from_pointee(in_force(rates))) })
    }

    /// The rates in force.
    #[must_use]
    pub fn current(&self) -> Arc<InForce> {
        self.current.load_full()
    }

    /// Puts rates in force here, unless newer ones are.
    pub fn put(&self, rates: Rates) {
        let new = Arc::new(in_force(rates));
        self.current.rcu(|old| if old.version < new.version { Arc::clone(&new) } else { Arc::clone(old) });
    }

    /// Looks whether another instance set new rates.
    pub async fn refresh(&self) {
        let refreshed = async {
            if self.books.rates_version().await? > self.current().version
                && let Some(rates) = self.books.rates().await?
            {
                self.put(rates);
            }
            Ok::<_, kernel::Error>(())
        };
        if let Err(error) = refreshed.await {
            tracing::warn!(error = ?error, "the shipping rates could not be refreshed; the last ones stay in force");
        }
    }
}

fn in_force(rates: Rates) -> InForce {
    InForce { version: rates.version, quoter: Quoter::new(rates.table) }
}
