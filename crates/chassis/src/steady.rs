//! The clock of a process: the system's wall clock without its leaps.
//!
//! A wall clock is set by hand, by a virtual machine that was resumed, or by a time server that was wrong. The wall time that
//! roles see goes on along the monotonic clock when that happens, and follows the system's clock only when it has kept its new
//! setting for [`SETTLE`]. So a setting that is taken back within that time changes nothing. Each leap is logged and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use kernel::{Clock, Timestamp};
use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// A difference from the monotonic clock of more than this, in microseconds, is a leap; less is the slewing of a time server.
const TOLERANCE_US: i64 = 2_000_000;
/// How long the system's clock has to keep a new setting before it is followed.
pub(crate) const SETTLE: Duration = Duration::from_secs(60);
/// How often the clocks are compared when nobody asks for the time.
const WATCH_EVERY: Duration = Duration::from_secs(1);
/// Two readings of the monotonic clock that are further apart say nothing about the wall clock read between them.
const READING_MAX: Duration = Duration::from_millis(100);
/// How often the clocks are read again because a reading was interrupted.
const READINGS_MAX: usize = 5;

/// A leap that is not followed yet.
struct Leap {
    /// Wall time minus monotonic time since it, in microseconds.
    offset: i64,
    /// Monotonic time at which it was first seen.
    since: Duration,
}

/// A wall clock that follows another one, but not its leaps unless they last.
pub(crate) struct SteadyClock {
    system: Arc<dyn Clock>,
    /// Wall time minus monotonic time, in microseconds, as it is told.
    offset: AtomicI64,
    /// Whether `leap` is set; spares readers the lock.
    leaping: AtomicBool,
    leap: Mutex<Option<Leap>>,
    leaps: Counter,
    ahead: Gauge<f64, std::sync::atomic::AtomicU64>,
}

impl SteadyClock {
    /// Follows `system` from its present setting on.
    pub(crate) fn new(system: Arc<dyn Clock>) -> Self {
        let (offset, _) = read(&*system);
        Self {
            system,
            offset: AtomicI64::new(offset),
            leaping: AtomicBool::new(false),
            leap: Mutex::new(None),
            leaps: Counter::default(),
            ahead: Gauge::default(),
        }
    }

    /// Adds its metrics.
    pub(crate) fn register(&self, registry: &mut Registry) {
        let help = "Times the system's clock leapt by more than two seconds against the monotonic clock";
        registry.register("souk_clock_leaps", help, self.leaps.clone());
        let help = "Seconds by which the system's clock is ahead of the time in use; not 0 after a leap that is not followed yet";
        registry.register("souk_clock_offset_seconds", help, self.ahead.clone());
    }

    /// Compares the clocks for ever, so that leaps are told although nobody asks for the time.
    pub(crate) async fn watch(self: Arc<Self>) {
        loop {
            tokio::time::sleep(WATCH_EVERY).await;
            let now = self.now();
            let ahead = self.system.now().micros().saturating_sub(now.micros());
            // A metric, no decision: the precision of a double is plenty.
            #[expect(clippy::cast_precision_loss, reason = "microseconds shown as seconds")]
            self.ahead.set(ahead as f64 / 1e6);
        }
    }

    /// The time when the system's clock is not where it was: the old setting goes on until the new one has settled.
    fn apart(&self) -> Timestamp {
        let mut leap = self.leap.lock();
        let (offset, mono) = read(&*self.system);
        let known = self.offset.load(Ordering::Relaxed);
        if near(offset, known) {
            self.back(&mut leap, offset);
            return at(offset, mono);
        }
        match &mut *leap {
            Some(leapt) if near(leapt.offset, offset) => {
                leapt.offset = offset;
                if mono.saturating_sub(leapt.since) >= SETTLE {
                    tracing::warn!(
                        by_seconds = seconds(offset - known),
                        "the system's clock keeps its new setting and is followed from now on"
                    );
                    self.offset.store(offset, Ordering::Relaxed);
                    *leap = None;
                    self.leaping.store(false, Ordering::Relaxed);
                    return at(offset, mono);
                }
            }
            _ => {
                self.leaps.inc();
                tracing::warn!(
                    by_seconds = seconds(offset - known),
                    "the system's clock leapt; it is followed when it keeps this setting for a minute"
                );
                *leap = Some(Leap { offset, since: mono });
                self.leaping.store(true, Ordering::Relaxed);
            }
        }
        at(known, mono)
    }

    /// The system's clock is where it was before it leapt.
    fn back(&self, leap: &mut Option<Leap>, offset: i64) {
        if leap.take().is_some() {
            self.leaps.inc();
            tracing::warn!("the system's clock leapt back to where it was");
        }
        self.leaping.store(false, Ordering::Relaxed);
        self.offset.store(offset, Ordering::Relaxed);
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> Timestamp {
        let (wall, mono) = (self.system.now(), self.system.monotonic());
        let offset = wall.micros().saturating_sub(micros(mono));
        if !near(offset, self.offset.load(Ordering::Relaxed)) || self.leaping.load(Ordering::Relaxed) {
            return self.apart();
        }
        self.offset.store(offset, Ordering::Relaxed);
        wall
    }

    fn monotonic(&self) -> Duration {
        self.system.monotonic()
    }
}

/// Wall time minus monotonic time in microseconds, and the monotonic time. A reading that was interrupted is done again.
fn read(clock: &dyn Clock) -> (i64, Duration) {
    let mut before = clock.monotonic();
    for _ in 0..READINGS_MAX {
        let wall = clock.now();
        let after = clock.monotonic();
        if after.saturating_sub(before) <= READING_MAX {
            return (wall.micros().saturating_sub(micros(after)), after);
        }
        before = after;
    }
    (clock.now().micros().saturating_sub(micros(before)), before)
}

fn near(one: i64, other: i64) -> bool {
    one.saturating_sub(other).saturating_abs() <= TOLERANCE_US
}

fn at(offset: i64, mono: Duration) -> Timestamp {
    Timestamp::from_micros(offset.saturating_add(micros(mono)))
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn seconds(micros: i64) -> i64 {
    micros / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wall clock and a monotonic clock in seconds, each set by hand.
    #[derive(Default)]
    struct Hands {
        wall: AtomicI64,
        mono: AtomicI64,
    }

    impl Hands {
        fn pass(&self, seconds: i64) {
            self.wall.fetch_add(seconds, Ordering::Relaxed);
            self.mono.fetch_add(seconds, Ordering::Relaxed);
        }

        fn leap(&self, seconds: i64) {
            self.wall.fetch_add(seconds, Ordering::Relaxed);
        }
    }

    impl Clock for Hands {
        fn now(&self) -> Timestamp {
            Timestamp::from_secs(self.wall.load(Ordering::Relaxed))
        }

        fn monotonic(&self) -> Duration {
            Duration::from_secs(self.mono.load(Ordering::Relaxed).unsigned_abs())
        }
    }

    fn clock() -> (Arc<Hands>, SteadyClock) {
        let hands = Arc::new(Hands::default());
        hands.pass(1_000_000);
        (hands.clone(), SteadyClock::new(hands))
    }

    #[test]
    fn thirty_days_ahead_for_six_seconds_change_nothing() {
        let (hands, clock) = clock();
        hands.leap(30 * 86_400);
        for second in 0..6 {
            assert_eq!(clock.now().secs(), 1_000_000 + second);
            hands.pass(1);
        }
        hands.leap(-30 * 86_400);
        assert_eq!(clock.now().secs(), 1_000_006);
        assert_eq!(clock.leaps.get(), 2, "there and back");
    }

    #[test]
    fn a_setting_that_lasts_a_minute_is_followed_either_way() {
        for by in [-3_600, 365 * 86_400] {
            let (hands, clock) = clock();
            hands.leap(by);
            assert_eq!(clock.now().secs(), 1_000_000);
            hands.pass(59);
            assert_eq!(clock.now().secs(), 1_000_059);
            hands.pass(1);
            assert_eq!(clock.now().secs(), 1_000_060 + by);
            assert_eq!(clock.leaps.get(), 1);
            hands.pass(7);
            assert_eq!(clock.now().secs(), 1_000_067 + by, "it is the clock now");
        }
    }

    #[test]
    fn each_new_setting_has_to_last() {
        let (hands, clock) = clock();
        for _ in 0..5 {
            hands.leap(3_600);
            assert!(clock.now().secs() < 1_000_000 + 3_600);
            hands.pass(40);
        }
        assert_eq!((clock.now().secs(), clock.leaps.get()), (1_000_200, 5));
    }

    #[test]
    fn slewing_is_followed_at_once() {
        let (hands, clock) = clock();
        for _ in 0..100 {
            hands.pass(10);
            hands.leap(-1);
            assert_eq!(clock.now(), hands.now());
        }
        assert_eq!(clock.leaps.get(), 0);
    }
}
