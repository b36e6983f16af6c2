//! The time by which data are old enough to be deleted.
//!
//! What is deleted cannot be brought back, so a wall clock that leaps must not make everything old. The time here follows the
//! wall clock only when that agrees with the monotonic clock, and with what the database was told last; otherwise it goes on
//! from there by itself until the wall clock has kept its setting for [`TRUST_AFTER`]. It is never ahead of the wall clock, so
//! data live at most that much longer than they were promised to.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Clock, Timestamp};
use parking_lot::Mutex;

/// How long a wall clock has to keep its setting before anything is deleted by it: somebody has seen by then that it is wrong.
const TRUST_AFTER: Duration = Duration::from_secs(3_600);
/// A start that is further ahead of the last write than this is doubted: the clock may be wrong, or nobody was there.
const DOUBTED_AHEAD: Duration = Duration::from_secs(24 * 3_600);
/// How long a start is doubted: a clock that is wrong is set right within the first minute, or stays.
const DOUBTED_FOR: Duration = Duration::from_secs(60);
/// A smaller difference from the monotonic clock, in microseconds, is the slewing of a time server.
const SLEWING_US: i64 = 2_000_000;

/// The clock of deletions.
pub(crate) struct Retention {
    clock: Arc<dyn Clock>,
    offsets: Mutex<Offsets>,
    /// Until when, on the monotonic clock, the start is doubted.
    doubted_until: Option<Duration>,
}

/// Wall time minus monotonic time, in microseconds.
struct Offsets {
    trusted: i64,
    /// Another one that the wall clock shows, and since when.
    other: Option<(i64, Duration)>,
}

impl Retention {
    /// Of a database that was written last at `last`, if it ever was.
    pub(crate) fn new(clock: Arc<dyn Clock>, last: Option<Timestamp>) -> Self {
        let (wall, mono) = (clock.now(), clock.monotonic());
        let shown = wall.micros().saturating_sub(micros(mono));
        let offsets = match last.filter(|last| *last < wall) {
            // Nobody knows whether so much time has passed since, or the clock is wrong.
            Some(last) => {
                Offsets { trusted: last.micros().saturating_sub(micros(mono)), other: Some((shown, mono)) }
            }
            None => Offsets { trusted: shown, other: None },
        };
        let is_far = last.is_some_and(|last| last.plus(DOUBTED_AHEAD) < wall);
        let doubted_until = is_far.then(|| mono.saturating_add(DOUBTED_FOR));
        Self { clock, offsets: Mutex::new(offsets), doubted_until }
    }

    /// Whether the clock may be wrong, since this process began far ahead of what was written last, just now: what ends by
    /// time alone is not ended yet.
    pub(crate) fn is_doubted(&self) -> bool {
        self.doubted_until.is_some_and(|until| self.clock.monotonic() < until)
    }

    /// What ended before this may be deleted.
    pub(crate) fn now(&self) -> Timestamp {
        let mut offsets = self.offsets.lock();
        let (wall, mono) = (self.clock.now(), self.clock.monotonic());
        let shown = wall.micros().saturating_sub(micros(mono));
        if near(shown, offsets.trusted) {
            *offsets = Offsets { trusted: shown, other: None };
            return wall;
        }
        match offsets.other {
            Some((other, since)) if near(shown, other) => {
                if mono.saturating_sub(since) >= TRUST_AFTER {
                    *offsets = Offsets { trusted: shown, other: None };
                    return wall;
                }
                offsets.other = Some((shown, since));
            }
            _ => offsets.other = Some((shown, mono)),
        }
        wall.min(Timestamp::from_micros(offsets.trusted.saturating_add(micros(mono))))
    }
}

fn near(one: i64, other: i64) -> bool {
    one.saturating_sub(other).saturating_abs() <= SLEWING_US
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds of wall time and of monotonic time.
    struct Hands(Mutex<(i64, u64)>);

    impl Hands {
        fn at(wall: i64) -> Arc<Self> {
            Arc::new(Self(Mutex::new((wall, 0))))
        }

        fn pass(&self, seconds: u32) {
            let mut hands = self.0.lock();
            *hands = (hands.0 + i64::from(seconds), hands.1 + u64::from(seconds));
        }

        fn leap(&self, seconds: i64) {
            self.0.lock().0 += seconds;
        }
    }

    impl Clock for Hands {
        fn now(&self) -> Timestamp {
            Timestamp::from_secs(self.0.lock().0)
        }

        fn monotonic(&self) -> Duration {
            Duration::from_secs(self.0.lock().1)
        }
    }

    #[test]
    fn a_leap_ahead_makes_nothing_old_for_an_hour() {
        let hands = Hands::at(1_000);
        let retention = Retention::new(hands.clone(), None);
        hands.pass(10);
        assert_eq!(retention.now().secs(), 1_010);
        hands.leap(31_536_000);
        assert_eq!(retention.now().secs(), 1_010);
        hands.pass(3_599);
        assert_eq!(retention.now().secs(), 4_609);
        hands.pass(1);
        assert_eq!(retention.now().secs(), 31_536_000 + 4_610, "it has kept its setting for an hour");
    }

    #[test]
    fn a_leap_back_is_followed_at_once_since_it_deletes_less() {
        let hands = Hands::at(100_000);
        let retention = Retention::new(hands.clone(), None);
        hands.leap(-3_600);
        assert_eq!(retention.now().secs(), 96_400);
        hands.leap(3_600);
        assert_eq!(retention.now().secs(), 100_000);
    }

    #[test]
    fn a_start_far_ahead_is_doubted_for_a_minute() {
        let hands = Hands::at(1_000_000);
        let started = |last: i64| Retention::new(hands.clone(), Some(Timestamp::from_secs(last)));
        assert!(!started(1_000_000 - 86_400).is_doubted(), "a night");
        assert!(!started(2_000_000).is_doubted(), "the clock is behind");
        assert!(!Retention::new(hands.clone(), None).is_doubted(), "new");
        let far = started(1_000_000 - 86_401);
        hands.pass(59);
        assert!(far.is_doubted());
        hands.pass(1);
        assert!(!far.is_doubted());
    }

    #[test]
    fn a_start_goes_on_from_what_was_written_last() {
        let hands = Hands::at(1_000_000);
        let retention = Retention::new(hands.clone(), Some(Timestamp::from_secs(5_000)));
        assert_eq!(retention.now().secs(), 5_000);
        hands.pass(1_800);
        assert_eq!(retention.now().secs(), 6_800);
        hands.pass(1_800);
        assert_eq!(retention.now().secs(), 1_003_600);
        let behind = Retention::new(Hands::at(1_000), Some(Timestamp::from_secs(5_000)));
        assert_eq!(behind.now().secs(), 1_000);
    }
}
