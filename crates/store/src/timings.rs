//! How long a database takes to answer, by what is asked of it.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Clock, Histogram};

/// What is asked of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Rows or documents are read.
    Read,
    /// Rows or documents are written, durably.
    Commit,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 2] = [Self::Read, Self::Commit];

    /// Its name in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Commit => "commit",
        }
    }
}

/// The times of one database, from asking to having the answer; waiting for a turn is a part of it.
pub struct Timings {
    clock: Arc<dyn Clock>,
    reads: Histogram,
    commits: Histogram,
}

impl Timings {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, reads: Histogram::default(), commits: Histogram::default() }
    }

    /// The times of an operation.
    #[must_use]
    pub fn of(&self, operation: Operation) -> &Histogram {
        match operation {
            Operation::Read => &self.reads,
            Operation::Commit => &self.commits,
        }
    }

    /// Runs an operation and counts how long it took, whatever became of it.
    pub(crate) async fn measure<T>(&self, operation: Operation, running: impl Future<Output = T>) -> T {
        let began: Duration = self.clock.monotonic();
        let outcome = running.await;
        self.of(operation).record(self.clock.monotonic().saturating_sub(began));
        outcome
    }
}
