//! The events of a database, in one gap-free order.
//!
//! Sequences are given by the single writer when it commits, so that a batch that is undone burns none and readers never
//! see a later number before an earlier one. Readers are told when their position cannot be continued without a hole,
//! instead of being given what is there.

use std::sync::Arc;

use kernel::{Code, Error, Result, Timestamp};
use tokio::sync::watch;

use crate::batch::{Position, StoredEvent};
use crate::engine::{Engine, Extent, Gap};

/// The most events that are read at once.
pub const EVENTS_READ_MAX: u32 = 1_000;
/// The most gaps that are reported.
const GAPS_MAX: u32 = 100;

/// The outbox of a database.
#[derive(Clone)]
pub struct Outbox {
    engine: Arc<dyn Engine>,
}

impl Outbox {
    pub(crate) fn new(engine: Arc<dyn Engine>) -> Self {
        Self { engine }
    }

    /// Events after a position, in order; at most `limit`, capped at [`EVENTS_READ_MAX`]. Empty when there is none yet.
    ///
    /// # Errors
    /// `POSITION_TOO_OLD` when events between the position and what is kept were pruned: begin from a snapshot.
    /// `POSITION_UNKNOWN` when this database never had that position, since it was made anew or restored from before:
    /// reconcile with a snapshot, what was read may not be true any more. `DATA_CORRUPT` when an event is missing.
    pub async fn read(&self, after: Position, limit: u32) -> Result<Vec<StoredEvent>> {
        if self.engine.watch().borrow().eq(&after) {
            return Ok(Vec::new());
        }
        check(after, &self.engine.extent().await?)?;
        let events = self.engine.events(after.sequence, limit.min(EVENTS_READ_MAX)).await?;
        for (event, expected) in events.iter().zip(after.sequence + 1..) {
            let found = event.position.sequence;
            if found != expected && expected == after.sequence + 1 {
                // Pruned between the check and the read.
                return Err(too_old(after, found));
            }
            if found != expected {
                let message = "events are missing in the outbox of this service; its data are damaged";
                let cause = format!("after sequence {} comes {found}", expected - 1);
                return Err(Error::new(Code::Internal, "DATA_CORRUPT", message).because(cause));
            }
        }
        Ok(events)
    }

    /// The newest position; sequence 0 of the present epoch before the first event.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn head(&self) -> Result<Position> {
        Ok(*self.engine.watch().borrow())
    }

    /// Sequence of the oldest event that is kept; one above the head's when none is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn oldest(&self) -> Result<i64> {
        Ok(self.engine.extent().await?.oldest)
    }

    /// Sequences that are missing between the oldest and the newest: none, or the database is damaged.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn gaps(&self) -> Result<Vec<Gap>> {
        self.engine.gaps(GAPS_MAX).await
    }

    /// The newest position, changing after each commit that published.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Position> {
        self.engine.watch()
    }

    /// Removes the oldest events, those published before a time, at most `rows_max`; the newest event always stays. How
    /// many were removed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn prune(&self, before: Timestamp, rows_max: u32) -> Result<u64> {
        self.engine.prune(before, rows_max).await
    }
}

/// Whether reading on from a position leaves nothing out.
fn check(after: Position, extent: &Extent) -> Result<()> {
    if after != Position::START {
        let at = extent.epochs.iter().position(|(epoch, _)| *epoch == after.epoch);
        let last = match at.and_then(|at| extent.epochs.get(at + 1)) {
            Some((_, next_first)) => next_first - 1,
            None => extent.head.sequence,
        };
        if at.is_none() || after.sequence > last || after.sequence < 0 {
            return Err(outside(
                after,
                "POSITION_UNKNOWN",
                "the position is of another history of this service; start over from a snapshot",
            )
            .with("oldest_sequence", extent.oldest.to_string())
            .with("head_sequence", extent.head.sequence.to_string()));
        }
    }
    if after.sequence + 1 < extent.oldest {
        return Err(too_old(after, extent.oldest).with("head_sequence", extent.head.sequence.to_string()));
    }
    Ok(())
}

fn too_old(after: Position, oldest: i64) -> Error {
    outside(
        after,
        "POSITION_TOO_OLD",
        "events after the position are no longer kept; start over from a snapshot",
    )
    .with("oldest_sequence", oldest.to_string())
}

fn outside(after: Position, reason: &'static str, message: &'static str) -> Error {
    Error::new(Code::FailedPrecondition, reason, message)
        .with("epoch", after.epoch.to_string())
        .with("sequence", after.sequence.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent() -> Extent {
        // Restored once: epoch 10 had 1..=8, epoch 20 goes on from 9; 1..=3 are pruned.
        Extent { epochs: vec![(10, 1), (20, 9)], oldest: 4, head: Position { epoch: 20, sequence: 12 } }
    }

    fn at(epoch: i64, sequence: i64) -> Position {
        Position { epoch, sequence }
    }

    #[test]
    fn a_position_of_this_history_goes_on() {
        for position in [at(10, 3), at(10, 8), at(20, 8), at(20, 9), at(20, 12)] {
            assert!(check(position, &extent()).is_ok(), "{position:?}");
        }
    }

    #[test]
    fn a_position_of_another_history_is_told_so() {
        for position in [at(10, 9), at(10, 4000), at(20, 13), at(15, 5), at(30, 1), at(0, 5)] {
            assert_eq!(
                check(position, &extent()).expect_err("unknown").reason(),
                "POSITION_UNKNOWN",
                "{position:?}"
            );
        }
    }

    #[test]
    fn a_position_before_retention_is_told_so() {
        for position in [Position::START, at(10, 0), at(10, 2)] {
            assert_eq!(
                check(position, &extent()).expect_err("too old").reason(),
                "POSITION_TOO_OLD",
                "{position:?}"
            );
        }
    }
}
