//! Leases: work that should run once.
//!
//! A lease is a row with an owner and an epoch that goes up with each new owner. Nobody's wall clock is compared with
//! another's: a waiting instance may take over when it has seen the same (owner, epoch, beat) for the lease's whole
//! time on its own monotonic clock. Whoever lost a lease without knowing is stopped by the fence: what it writes is
//! conditional on the epoch ([`crate::Batch::fence`]).
//!
//! In a database that belongs to this process alone, a lease that a former process left is taken over at once, and a
//! renewal is kept in memory only: nobody else could see it on disk.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kernel::{Clock, Error, Result};
use parking_lot::Mutex;

use crate::engine::{Engine, LeaseRow};

/// A lease that was acquired. Holding the value is no proof: [`crate::Batch::fence`] is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    name: String,
    owner: String,
    epoch: i64,
    ttl: Duration,
}

impl Lease {
    /// What is leased.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who holds it.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Goes up with each new holder, from 1.
    #[must_use]
    pub fn epoch(&self) -> i64 {
        self.epoch
    }

    /// How long it lasts after it was acquired or renewed; renew well before, for example at a third.
    #[must_use]
    pub fn ttl(&self) -> Duration {
        self.ttl
    }
}

/// What this process saw of a lease, and since when by its monotonic clock.
struct Seen {
    owner: String,
    epoch: i64,
    beat: i64,
    since: Duration,
}

/// The leases of a database.
#[derive(Clone)]
pub struct Leases {
    engine: Arc<dyn Engine>,
    clock: Arc<dyn Clock>,
    seen: Arc<Mutex<HashMap<String, Seen>>>,
}

impl Leases {
    pub(crate) fn new(engine: Arc<dyn Engine>, clock: Arc<dyn Clock>) -> Self {
        Self { engine, clock, seen: Arc::default() }
    }

    /// Takes a lease for `owner` (unique per instance), if it is free, given back, left by a former process, not renewed
    /// for its time, or the owner's already. `None` when somebody else holds it: try again later, about each third of
    /// `ttl`, since waiting time counts only from when this instance first looked.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn acquire(&self, name: &str, owner: &str, ttl: Duration) -> Result<Option<Lease>> {
        if name.is_empty() || owner.is_empty() {
            return Err(Error::internal("a lease needs a name and an owner"));
        }
        let found = self.engine.lease(name).await?;
        let epoch = match &found {
            None => 1,
            Some(row) if self.is_own(row, owner) => row.epoch,
            Some(row) if self.is_free(row) => row.epoch + 1,
            Some(_) => return Ok(None),
        };
        let row = LeaseRow {
            name: name.to_owned(),
            owner: owner.to_owned(),
            epoch,
            beat: found.as_ref().map_or(1, |row| row.beat + 1),
            ttl,
            run: self.engine.run().to_owned(),
        };
        if !self.engine.set_lease(found.as_ref(), &row).await? {
            return Ok(None);
        }
        self.note(&row);
        Ok(Some(Lease { name: row.name, owner: row.owner, epoch, ttl }))
    }

    /// Keeps a lease for another `ttl`. `false` when it is lost: stop the work.
    ///
    /// # Errors
    /// When the store fails; whether the lease is held is not known then.
    pub async fn renew(&self, lease: &Lease) -> Result<bool> {
        let Some(row) = self.engine.lease(&lease.name).await? else { return Ok(false) };
        if row.owner != lease.owner || row.epoch != lease.epoch {
            return Ok(false);
        }
        let renewed = LeaseRow { beat: row.beat + 1, ..row.clone() };
        if self.engine.exclusive() {
            self.note(&row);
            return Ok(true);
        }
        let kept = self.engine.set_lease(Some(&row), &renewed).await?;
        if kept {
            self.note(&renewed);
        }
        Ok(kept)
    }

    /// Gives a lease back, so that the next one need not wait. Whether it was still held.
    ///
    /// # Errors
    /// When the store fails; the lease then runs out by itself.
    pub async fn release(&self, lease: &Lease) -> Result<bool> {
        let Some(row) = self.engine.lease(&lease.name).await? else { return Ok(false) };
        if row.owner != lease.owner || row.epoch != lease.epoch {
            return Ok(false);
        }
        let free = LeaseRow { owner: String::new(), beat: row.beat + 1, ..row.clone() };
        self.engine.set_lease(Some(&row), &free).await
    }

    /// Who holds a lease now, as the row says; `None` when nobody does.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn holder(&self, name: &str) -> Result<Option<String>> {
        Ok(self.engine.lease(name).await?.map(|row| row.owner).filter(|owner| !owner.is_empty()))
    }

    fn is_own(&self, row: &LeaseRow, owner: &str) -> bool {
        row.owner == owner && row.run == self.engine.run()
    }

    fn is_free(&self, row: &LeaseRow) -> bool {
        if row.owner.is_empty() || (self.engine.exclusive() && row.run != self.engine.run()) {
            return true;
        }
        let now = self.clock.monotonic();
        let mut seen = self.seen.lock();
        match seen.get(&row.name) {
            Some(known) if known.owner == row.owner && known.epoch == row.epoch && known.beat == row.beat => {
                now.saturating_sub(known.since) >= row.ttl
            }
            _ => {
                seen.insert(
                    row.name.clone(),
                    Seen { owner: row.owner.clone(), epoch: row.epoch, beat: row.beat, since: now },
                );
                false
            }
        }
    }

    fn note(&self, row: &LeaseRow) {
        let since = self.clock.monotonic();
        let seen = Seen { owner: row.owner.clone(), epoch: row.epoch, beat: row.beat, since };
        self.seen.lock().insert(row.name.clone(), seen);
    }
}
