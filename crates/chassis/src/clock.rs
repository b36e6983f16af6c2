//! The two clocks: the system's, and one that tests move.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kernel::{Clock, Timestamp};

/// The system's clock.
#[derive(Debug)]
pub struct SystemClock(Instant);

impl Default for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the door to the system's clock")]
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the door to the system's clock")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A clock that goes with the runtime's: with tokio's time paused it stands still until every task waits, and then jumps
/// to the next timer. A day passes in microseconds, and the same way each time.
#[derive(Debug)]
pub struct VirtualClock {
    start: Timestamp,
    origin: tokio::time::Instant,
    /// By how many seconds the wall clock was set ahead.
    ahead: AtomicI64,
}

impl VirtualClock {
    /// Starts at a time, now.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self { start, origin: tokio::time::Instant::now(), ahead: AtomicI64::new(0) }
    }

    /// Sets the wall clock this many seconds ahead of where it would be, or behind when negative; the monotonic clock goes on as
    /// if nothing had happened.
    pub fn set_ahead(&self, seconds: i64) {
        self.ahead.store(seconds, Ordering::Relaxed);
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        let ahead = self.ahead.load(Ordering::Relaxed).saturating_mul(1_000_000);
        Timestamp::from_micros(self.start.plus(self.origin.elapsed()).micros().saturating_add(ahead))
    }

    fn monotonic(&self) -> Duration {
        self.origin.elapsed()
    }
}
