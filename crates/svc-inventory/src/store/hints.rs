//! What this instance last saw of counters and holds: saves a read, decides nothing.
//!
//! A plan made from a hint is written under the same conditions as any other; when it fails, fresh rows are read.

use std::collections::BTreeMap;
use std::sync::Arc;

use kernel::HoldId;
use parking_lot::Mutex;
use quick_cache::unsync::Cache;

use crate::domain::{Counter, Hold, MovementKind, Place};

/// Counters remembered at most.
const COUNTERS_MAX: usize = 50_000;
/// Holds remembered at most.
const HOLDS_MAX: usize = 2_000;
/// Lines of a hold that is remembered at most; longer ones are worth a read.
const HOLD_LINES_MAX: usize = 100;

/// The memory. Cheap to clone, shared by clones.
#[derive(Clone)]
pub(super) struct Hints {
    counters: Arc<Mutex<Cache<Place, Counter>>>,
    holds: Arc<Mutex<Cache<HoldId, Hold>>>,
}

impl Default for Hints {
    fn default() -> Self {
        let (counters, holds) = (Cache::new(COUNTERS_MAX), Cache::new(HOLDS_MAX));
        Self { counters: Arc::new(Mutex::new(counters)), holds: Arc::new(Mutex::new(holds)) }
    }
}

impl Hints {
    /// What was last seen of all these places; `None` unless it is known of each.
    pub fn counters<'a>(&self, places: impl Iterator<Item = &'a Place>) -> Option<BTreeMap<Place, Counter>> {
        let known = self.counters.lock();
        places.map(|place| known.get(place).map(|counter| (place.clone(), *counter))).collect()
    }

    /// Notes what was read.
    pub fn saw(&self, counters: &BTreeMap<Place, Counter>) {
        let mut known = self.counters.lock();
        for (place, counter) in counters {
            known.insert(place.clone(), *counter);
        }
    }

    /// Notes a movement that was written.
    pub fn moved<'a>(&self, movements: impl Iterator<Item = (&'a Place, MovementKind, i64)>) {
        let mut known = self.counters.lock();
        for (place, kind, quantity) in movements {
            let Some(counter) = known.get(place).copied() else { continue };
            match counter.apply(kind, quantity) {
                Ok(after) => known.insert(place.clone(), after),
                Err(_) => drop(known.remove(place)),
            }
        }
    }

    /// A hold that was last seen held.
    pub fn hold(&self, id: HoldId) -> Option<Hold> {
        self.holds.lock().get(&id).cloned()
    }

    /// Notes a hold that was made.
    pub fn held(&self, hold: &Hold) {
        if hold.lines.len() > HOLD_LINES_MAX {
            return;
        }
        self.holds.lock().insert(hold.id, hold.clone());
    }

    /// Forgets a hold that changed, or may have.
    pub fn forget(&self, id: HoldId) {
        self.holds.lock().remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_are_all_or_nothing_and_follow_movements() {
        let hints = Hints::default();
        let (a, b) = (Place::new("a", "main"), Place::new("b", "main"));
        hints.saw(&BTreeMap::from([(a.clone(), Counter { on_hand: 5, held: 0, version: 1 })]));
        assert_eq!(hints.counters([&a, &b].into_iter()), None);
        hints.moved([(&a, MovementKind::Held, 2), (&b, MovementKind::Held, 2)].into_iter());
        let seen = hints.counters([&a].into_iter()).expect("known");
        assert_eq!(seen[&a], Counter { on_hand: 3, held: 2, version: 2 });
        hints.moved([(&a, MovementKind::Held, 9)].into_iter());
        assert_eq!(hints.counters([&a].into_iter()), None, "what cannot be is forgotten");
    }

    #[test]
    fn memory_is_bounded() {
        let hints = Hints::default();
        for n in 0..COUNTERS_MAX + 10 {
            hints.saw(&BTreeMap::from([(Place::new(n.to_string(), "main"), Counter::default())]));
        }
        assert!(hints.counters.lock().len() <= COUNTERS_MAX);
    }
}
