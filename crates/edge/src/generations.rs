//! Which cached responses a change made worthless, without a list of what shows what.
//!
//! Every tag falls into one slot of a fixed table, and the slot remembers when something with such a tag last changed. A
//! response remembers when it was begun and its slots; it holds as long as none of them changed since. So a change costs one
//! store whatever it is shown by, and the table never grows. Two tags in one slot cost a response that would still have held.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

/// Slots of the table at most: 512 KiB.
const SLOTS_MAX: usize = 1 << 16;
/// Slots of the table at least.
const SLOTS_MIN: usize = 1 << 10;

/// A point in the sequence of changes. Those that follow have greater numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Generation(u64);

impl Generation {
    pub(crate) fn number(self) -> u64 {
        self.0
    }
}

/// The slot of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(u32);

/// When something with a tag last changed, for every tag.
pub(crate) struct Generations {
    changed: Box<[AtomicU64]>,
    cleared: AtomicU64,
    latest: AtomicU64,
    /// Changes are numbered one after the other; nobody who reads takes this.
    writer: Mutex<()>,
}

impl Generations {
    /// A table that suits a cache of so many bytes; it takes less than a hundredth of them.
    pub(crate) fn for_cache(bytes: usize) -> Self {
        let slots = (bytes / 1_024).next_power_of_two().clamp(SLOTS_MIN, SLOTS_MAX);
        Self {
            changed: (0..slots).map(|_| AtomicU64::new(0)).collect(),
            cleared: AtomicU64::new(0),
            latest: AtomicU64::new(0),
            writer: Mutex::new(()),
        }
    }

    /// Bytes that the table takes.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.changed)
    }

    pub(crate) fn slot(&self, tag: &str) -> Slot {
        let mut hasher = DefaultHasher::new();
        tag.hash(&mut hasher);
        // The number of slots is a power of two, and at most 65,536.
        Slot((hasher.finish() & (self.changed.len() as u64 - 1)) as u32)
    }

    /// The latest change so far: what is begun now shows it.
    pub(crate) fn now(&self) -> Generation {
        Generation(self.latest.load(Ordering::Acquire))
    }

    /// Notes that something with this tag changed.
    pub(crate) fn change(&self, tag: &str) {
        let Slot(slot) = self.slot(tag);
        self.note(&self.changed[slot as usize]);
    }

    /// Notes that everything may have changed.
    pub(crate) fn change_all(&self) {
        self.note(&self.cleared);
    }

    fn note(&self, place: &AtomicU64) {
        let _one_at_a_time = self.writer.lock();
        let next = self.latest.load(Ordering::Relaxed) + 1;
        place.store(next, Ordering::Release);
        // Last: who sees this number sees what it changed.
        self.latest.store(next, Ordering::Release);
    }

    /// Whether nothing in these slots changed since.
    pub(crate) fn holds(&self, since: Generation, slots: &[Slot]) -> bool {
        self.cleared.load(Ordering::Acquire) <= since.0
            && slots.iter().all(|Slot(slot)| self.changed[*slot as usize].load(Ordering::Acquire) <= since.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_begun_before_a_change_does_not_hold() {
        let generations = Generations::for_cache(1 << 20);
        let [bowl, mug] = ["product:bowl", "product:mug"].map(|tag| generations.slot(tag));
        assert_ne!(bowl, mug);
        let before = generations.now();
        generations.change("product:bowl");
        let after = generations.now();
        assert!(!generations.holds(before, &[mug, bowl]) && generations.holds(before, &[mug]));
        assert!(generations.holds(after, &[mug, bowl]));
        generations.change_all();
        assert!(!generations.holds(after, &[]) && generations.holds(generations.now(), &[bowl]));
    }

    #[test]
    fn the_table_is_a_small_part_of_its_cache() {
        for mebibytes in [1, 16, 64, 4_096] {
            let bytes: usize = mebibytes << 20;
            assert!(Generations::for_cache(bytes).bytes() <= bytes / 100, "{mebibytes}");
        }
    }
}
