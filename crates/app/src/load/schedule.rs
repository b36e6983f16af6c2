//! When journeys are due: evenly, whatever the shop does.

use std::time::Duration;

/// A constant rate of arrivals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    per_second: u32,
    seconds: u32,
}

impl Schedule {
    /// So many a second, for so many seconds.
    #[must_use]
    pub fn new(per_second: u32, seconds: u32) -> Self {
        Self { per_second: per_second.max(1), seconds }
    }

    /// How many are due in all.
    #[must_use]
    pub fn count(&self) -> u64 {
        u64::from(self.per_second) * u64::from(self.seconds)
    }

    /// How many are due in a second.
    #[must_use]
    pub fn per_second(&self) -> u32 {
        self.per_second
    }

    /// When one is due, counted from the first, which is number 0. Computed for each anew, so that nothing adds up.
    #[must_use]
    pub fn due(&self, number: u64) -> Duration {
        let rate = u64::from(self.per_second);
        let nanos = (number % rate) * 1_000_000_000 / rate;
        Duration::from_secs(number / rate) + Duration::from_nanos(nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_are_even_and_do_not_drift() {
        let schedule = Schedule::new(300, 20);
        assert_eq!(schedule.count(), 6_000);
        assert_eq!(schedule.due(0), Duration::ZERO);
        assert_eq!(schedule.due(1), Duration::from_nanos(3_333_333));
        assert_eq!(schedule.due(300), Duration::from_secs(1));
        assert_eq!(schedule.due(5_999), Duration::from_nanos(19_996_666_666));
        let day = Schedule::new(7, 86_400);
        assert_eq!(day.due(7 * 86_399), Duration::from_secs(86_399));
        assert_eq!(day.count(), 604_800);
    }
}
