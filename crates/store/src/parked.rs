//! Events that could not be applied.
//!
//! An event that fails for good parks its aggregate: it and all later events of the same aggregate are set aside by the
//! consumer, in the commit that steps over them ([`crate::Batch::park`]), and the rest goes on. Someone looks, mends the
//! cause, and retries (applies them in order, forgetting each when it is applied) or drops them.

use std::sync::Arc;

use kernel::{Result, Timestamp};

use crate::batch::Position;
use crate::engine::Engine;

/// The most parked events that are listed at once.
pub const PARKED_LIST_MAX: u32 = 1_000;

/// An event that a consumer set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedEvent {
    /// Whose event.
    pub source: String,
    /// Who could not apply it.
    pub consumer: String,
    /// The aggregate that is parked.
    pub aggregate_id: String,
    /// The event's place in the source's outbox.
    pub position: Position,
    /// Why, for whoever looks.
    pub reason: String,
    /// The event as the consumer encodes it, so that a retry does not need the source's retention.
    pub event: Vec<u8>,
    /// When, by the clock of whoever parked it.
    pub parked_at: Timestamp,
}

/// The events that the consumers of this database set aside.
#[derive(Clone)]
pub struct Parked {
    engine: Arc<dyn Engine>,
}

impl Parked {
    pub(crate) fn new(engine: Arc<dyn Engine>) -> Self {
        Self { engine }
    }

    /// What is set aside, oldest first per source and consumer; at most `limit`, capped at [`PARKED_LIST_MAX`].
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(&self, limit: u32) -> Result<Vec<ParkedEvent>> {
        self.engine.parked(limit.min(PARKED_LIST_MAX)).await
    }

    /// Whether an aggregate is parked, so that its next event must be set aside too.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn contains(&self, source: &str, consumer: &str, aggregate_id: &str) -> Result<bool> {
        self.engine.is_parked(source, consumer, aggregate_id).await
    }

    /// Forgets an event: after it was applied at last, or to drop it. Whether it was there.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove(&self, event: &ParkedEvent) -> Result<bool> {
        self.engine.unpark(&event.source, &event.consumer, event.position).await
    }
}
