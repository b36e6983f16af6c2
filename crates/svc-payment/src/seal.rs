//! The sealer: chains ledger entries by SHA-256, in batches, under a lease.
//!
//! `hash(n) = SHA-256(hash(n-1) ‖ canonical bytes of entry n)`; the hash before the first is 32 zero bytes. Entries are
//! sealed in the order in which the sealer finds them, at most a few seconds after they were booked. Whoever changes,
//! adds or removes a sealed row afterwards would have to rewrite every hash behind it. So that nobody can who only writes the
//! database, the store keys each link beside its plain hash, under a key that is kept with the shop's secrets.

use std::sync::Arc;
use std::time::Duration;

use kernel::Result;
use sha2::{Digest, Sha256};
use store::{Database, Leases};

use crate::domain::ledger::Entry;
use crate::steps::Steps;
use crate::store::Link;

/// Entries in one commit of the sealer.
const BATCH_MAX: u32 = 500;
/// Batches in one pass, so that a pass ends.
const BATCHES_MAX: u32 = 200;
/// How long the sealer's lease lasts without being renewed.
const LEASE: Duration = Duration::from_secs(15);
/// What is leased.
const LEASE_NAME: &str = "ledger-sealer";

/// The hash of an entry that follows `previous`.
#[must_use]
pub fn link_hash(previous: &[u8], entry: &Entry) -> [u8; 32] {
    Sha256::new().chain_update(previous).chain_update(entry.canonical()).finalize().into()
}

/// Seals the ledger.
pub struct Sealer {
    steps: Arc<Steps>,
    leases: Leases,
    owner: String,
}

impl Sealer {
    /// A sealer; `owner` is unique per instance.
    #[must_use]
    pub fn new(steps: Arc<Steps>, database: &Database, owner: String) -> Self {
        Self { steps, leases: database.leases(), owner }
    }

    /// Seals what waits, if this instance has or gets the lease. A failure is logged; the next pass goes on.
    pub async fn pass(&self) {
        if let Err(error) = self.seal().await {
            tracing::warn!(error = ?error, "the ledger could not be sealed");
        }
    }

    async fn seal(&self) -> Result<()> {
        let books = self.steps.books();
        if books.tail().await?.count == 0 {
            return Ok(());
        }
        let Some(lease) = self.leases.acquire(LEASE_NAME, &self.owner, LEASE).await? else { return Ok(()) };
        for _ in 0..BATCHES_MAX {
            let entries = books.unsealed(BATCH_MAX).await?;
            if entries.is_empty() {
                break;
            }
            let head = books.head().await?;
            let (mut position, mut previous) = (head.position, head.hash);
            let mut links = Vec::with_capacity(entries.len());
            for entry in &entries {
                position += 1;
                let hash = link_hash(&previous, entry).to_vec();
                links.push(Link {
                    position,
                    entry: entry.id.clone(),
                    previous,
                    hash: hash.clone(),
                    keyed: None,
                });
                previous = hash;
            }
            if !books.seal(&links, &lease, self.steps.ctx().now()).await?
                || !self.leases.renew(&lease).await?
            {
                break;
            }
        }
        Ok(())
    }
}
