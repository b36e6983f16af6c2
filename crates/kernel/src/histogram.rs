//! How long things took, counted without a lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the buckets, in microseconds; the last bucket has none.
const BOUNDS_US: [u64; 15] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    5_000_000,
];

/// Counts durations in 16 buckets from 50 µs to above 5 s. Recording takes two additions.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; BOUNDS_US.len() + 1],
    micros: AtomicU64,
}

/// What a histogram has counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Counts {
    /// Upper bound in seconds ([`f64::MAX`] for the last), and how many took at most that and longer than the bound before.
    pub buckets: Vec<(f64, u64)>,
    /// How many there were.
    pub count: u64,
    /// The sum of all, in seconds.
    pub sum: f64,
}

impl Histogram {
    /// Counts one duration.
    pub fn record(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_US.iter().position(|bound| micros <= *bound).unwrap_or(BOUNDS_US.len());
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// What was counted so far; `None` when nothing was.
    #[must_use]
    pub fn counts(&self) -> Option<Counts> {
        let bounds = BOUNDS_US.iter().map(|bound| seconds(*bound)).chain([f64::MAX]);
        let buckets: Vec<(f64, u64)> =
            bounds.zip(self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed))).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        (count > 0).then(|| Counts { buckets, count, sum: seconds(self.micros.load(Ordering::Relaxed)) })
    }
}

fn seconds(micros: u64) -> f64 {
    Duration::from_micros(micros).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_duration_is_in_the_bucket_that_holds_it() {
        let histogram = Histogram::default();
        assert_eq!(histogram.counts(), None);
        for micros in [1, 50, 51, 4_000_000, 6_000_000] {
            histogram.record(Duration::from_micros(micros));
        }
        let counts = histogram.counts().expect("five");
        let filled: Vec<_> = counts.buckets.iter().copied().filter(|(_, count)| *count > 0).collect();
        assert_eq!(filled, [(0.000_05, 2), (0.000_1, 1), (5.0, 1), (f64::MAX, 1)]);
        assert_eq!((counts.count, counts.sum), (5, 10.000_102));
    }
}
