//! Counters, the movements that change them, and the condition under which a planned change may be written.

use kernel::{Error, Result};

use super::Place;

/// The most units that a counter reaches; far below where 64 bits end, so that sums over counters fit too.
pub const COUNTER_MAX: i64 = 1_000_000_000_000_000;

/// What a counter says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counter {
    /// Units on the shelf that nobody holds; from 0 to [`COUNTER_MAX`].
    pub on_hand: i64,
    /// Units that holds keep; from 0.
    pub held: i64,
    /// Number of the last movement; 0 before the first.
    pub version: i64,
}

/// What moved stock. The numbers are stored and sent; they never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MovementKind {
    /// Arrived.
    Received = 1,
    /// Put on hold.
    Held = 2,
    /// A hold was given up.
    Released = 3,
    /// A hold's time was over.
    Expired = 4,
    /// A hold was committed.
    Sold = 5,
    /// Came back after it was sold.
    Returned = 6,
    /// Broken, lost or thrown away.
    WrittenOff = 7,
    /// Corrected after a count; the quantity is signed.
    Adjusted = 8,
}

impl MovementKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Received,
        Self::Held,
        Self::Released,
        Self::Expired,
        Self::Sold,
        Self::Returned,
        Self::WrittenOff,
        Self::Adjusted,
    ];

    /// The number it is stored as.
    #[must_use]
    pub const fn number(self) -> i64 {
        self as i64
    }

    /// The kind with this number.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// What `quantity` units do to (`on_hand`, `held`).
    #[must_use]
    pub const fn change(self, quantity: i64) -> (i64, i64) {
        match self {
            Self::Received | Self::Returned | Self::Adjusted => (quantity, 0),
            Self::Held => (-quantity, quantity),
            Self::Released | Self::Expired => (quantity, -quantity),
            Self::Sold => (0, -quantity),
            Self::WrittenOff => (-quantity, 0),
        }
    }
}

/// How much is left, roughly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Band {
    /// Nothing.
    None = 1,
    /// 1 to 5.
    Few = 2,
    /// 6 to 20.
    Some = 3,
    /// 21 and more.
    Many = 4,
}

impl Band {
    /// The band of a number of units.
    #[must_use]
    pub const fn of(units: i64) -> Self {
        match units {
            ..=0 => Self::None,
            1..=5 => Self::Few,
            6..=20 => Self::Some,
            _ => Self::Many,
        }
    }

    /// Fewest and most units in it.
    const fn range(self) -> (i64, i64) {
        match self {
            Self::None => (0, 0),
            Self::Few => (1, 5),
            Self::Some => (6, 20),
            Self::Many => (21, COUNTER_MAX),
        }
    }
}

/// What a counter must say at the moment of writing, so that the change and its event are true whoever wrote in between.
///
/// The range is as wide as the decision allows: a counter may move within it without disturbing anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    /// Fewest units on hand.
    pub on_hand_min: i64,
    /// Most units on hand.
    pub on_hand_max: i64,
    /// Fewest units held.
    pub held_min: i64,
    /// The exact version, where an event says it.
    pub version: Option<i64>,
}

/// A change of band, which is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// The band before.
    pub before: Band,
    /// The band after.
    pub after: Band,
    /// Units on hand after.
    pub available: i64,
    /// Number of the movement that crosses.
    pub version: i64,
}

/// One planned change of one counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which counter.
    pub place: Place,
    /// What happens.
    pub kind: MovementKind,
    /// Units; signed for [`MovementKind::Adjusted`].
    pub quantity: i64,
    /// When it may be written.
    pub guard: Guard,
    /// The event that goes with it.
    pub crossing: Option<Crossing>,
    /// The counter after it, if nobody else writes.
    pub after: Counter,
}

/// Plans a change of a counter from what was read of it.
///
/// # Errors
/// `NOT_ENOUGH_STOCK` when it would take more than is there, `STOCK_TOO_LARGE` above [`COUNTER_MAX`].
pub fn plan(place: &Place, before: Counter, kind: MovementKind, quantity: i64) -> Result<Step> {
    let (on_hand_change, held_change) = kind.change(quantity);
    let after = before.moved(on_hand_change, held_change)?;
    let (band_before, band_after) = (Band::of(before.on_hand), Band::of(after.on_hand));
    let crossing = (band_before != band_after).then_some(Crossing {
        before: band_before,
        after: band_after,
        available: after.on_hand,
        version: after.version,
    });
    let (before_min, before_max) = band_before.range();
    let (after_min, after_max) = band_after.range();
    // What the event says is exact: the plan may come from a hint whose version is right and whose units are not.
    let (on_hand_min, on_hand_max) = match (on_hand_change, crossing) {
        (0, _) => (0, COUNTER_MAX),
        (_, Some(_)) => (before.on_hand, before.on_hand),
        (change, None) => (before_min.max(after_min - change), before_max.min(after_max - change)),
    };
    let held_min = (-held_change).max(0);
    let guard = Guard { on_hand_min, on_hand_max, held_min, version: crossing.map(|_| before.version) };
    Ok(Step { place: place.clone(), kind, quantity, guard, crossing, after })
}

impl Counter {
    /// The counter after one movement of these changes.
    fn moved(self, on_hand_change: i64, held_change: i64) -> Result<Self> {
        let too_large = || Error::precondition("STOCK_TOO_LARGE", "a counter would pass 10^15 units");
        let on_hand = self.on_hand.checked_add(on_hand_change).ok_or_else(too_large)?;
        let held = self.held.checked_add(held_change).ok_or_else(too_large)?;
        if on_hand > COUNTER_MAX || held > COUNTER_MAX {
            return Err(too_large());
        }
        if on_hand < 0 || held < 0 {
            return Err(Error::precondition("NOT_ENOUGH_STOCK", "there is less than this would take")
                .with("available", self.on_hand.to_string()));
        }
        Ok(Self { on_hand, held, version: self.version + 1 })
    }

    /// The counter after one movement: what the ledger's fold does with each row.
    ///
    /// # Errors
    /// As [`plan`].
    pub fn apply(self, kind: MovementKind, quantity: i64) -> Result<Self> {
        let (on_hand, held) = kind.change(quantity);
        self.moved(on_hand, held)
    }
}

#[cfg(test)]
impl Guard {
    /// Whether a counter meets it: what the conditional update asks of the row.
    fn admits(&self, counter: Counter) -> bool {
        (self.on_hand_min..=self.on_hand_max).contains(&counter.on_hand)
            && counter.held >= self.held_min
            && self.version.is_none_or(|version| version == counter.version)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place() -> Place {
        Place::new("85123A", "main")
    }

    fn counter(on_hand: i64, held: i64) -> Counter {
        Counter { on_hand, held, version: 7 }
    }

    #[test]
    fn every_kind_keeps_its_number() {
        for (number, kind) in (1..).zip(MovementKind::ALL) {
            assert_eq!((kind.number(), MovementKind::from_number(number)), (number, Some(kind)));
        }
        assert_eq!(MovementKind::from_number(0), None);
    }

    #[test]
    fn nothing_is_taken_that_is_not_there() {
        for (kind, before) in [
            (MovementKind::Held, counter(2, 9)),
            (MovementKind::WrittenOff, counter(2, 9)),
            (MovementKind::Sold, counter(9, 2)),
            (MovementKind::Released, counter(9, 2)),
        ] {
            assert_eq!(
                plan(&place(), before, kind, 3).expect_err("too many").reason(),
                "NOT_ENOUGH_STOCK",
                "{kind:?}"
            );
        }
        let full = counter(COUNTER_MAX, 0);
        assert_eq!(
            plan(&place(), full, MovementKind::Received, 1).expect_err("full").reason(),
            "STOCK_TOO_LARGE"
        );
    }

    #[test]
    fn a_crossing_is_published_with_an_exact_version() {
        let step = plan(&place(), counter(21, 0), MovementKind::Held, 1).expect("enough");
        let crossing = step.crossing.expect("from many to some");
        assert_eq!(
            (crossing.before, crossing.after, crossing.available, crossing.version),
            (Band::Many, Band::Some, 20, 8)
        );
        assert_eq!(step.guard.version, Some(7));
        assert!(step.guard.admits(counter(21, 3)) && !step.guard.admits(counter(22, 0)));
        let quiet = plan(&place(), counter(30, 0), MovementKind::Held, 1).expect("enough");
        assert_eq!((quiet.crossing, quiet.guard.version), (None, None));
        assert_eq!((quiet.guard.on_hand_min, quiet.guard.on_hand_max), (22, COUNTER_MAX));
    }

    #[test]
    fn selling_does_not_mind_who_else_buys() {
        let step = plan(&place(), counter(0, 4), MovementKind::Sold, 4).expect("held");
        assert!(step.guard.admits(counter(1_000, 4)) && !step.guard.admits(counter(1_000, 3)));
    }

    fn any_kind() -> impl Strategy<Value = MovementKind> {
        proptest::sample::select(MovementKind::ALL.to_vec())
    }

    proptest! {
        /// Whoever wrote in between: if the guard admits the row, the change is possible and its event is true.
        #[test]
        fn an_admitted_change_is_true(
            on_hand in 0_i64..40, held in 0_i64..20, kind in any_kind(), quantity in 1_i64..30,
            now_on_hand in 0_i64..60, now_held in 0_i64..30, now_version in 0_i64..3,
        ) {
            let before = Counter { on_hand, held, version: 1 };
            let Ok(step) = plan(&place(), before, kind, quantity) else { return Ok(()) };
            prop_assert!(step.guard.admits(before), "what was read must do");
            let now = Counter { on_hand: now_on_hand, held: now_held, version: now_version };
            if !step.guard.admits(now) {
                return Ok(());
            }
            let after = now.apply(kind, quantity);
            prop_assert!(after.is_ok(), "{step:?} {now:?}");
            let after = after.expect("checked");
            let crossed = (Band::of(now.on_hand) != Band::of(after.on_hand)).then_some((Band::of(now.on_hand), Band::of(after.on_hand)));
            prop_assert_eq!(step.crossing.map(|c| (c.before, c.after)).filter(|_| kind != MovementKind::Sold), crossed);
            if let Some(crossing) = step.crossing {
                prop_assert_eq!((crossing.version, crossing.available), (after.version, after.on_hand));
            }
        }

        /// The counter equals the fold of its movements, and units are neither made nor lost.
        #[test]
        fn a_counter_is_the_fold_of_its_movements(moves in proptest::collection::vec((any_kind(), 1_i64..50), 0..200)) {
            let mut counter = Counter::default();
            let mut ledger = Vec::new();
            for (kind, quantity) in moves {
                if let Ok(after) = counter.apply(kind, quantity) {
                    counter = after;
                    ledger.push((kind, quantity));
                }
            }
            let sum = |wanted: &[MovementKind]| ledger.iter().filter(|(kind, _)| wanted.contains(kind)).map(|(_, q)| q).sum::<i64>();
            use MovementKind as K;
            prop_assert_eq!(
                sum(&[K::Received, K::Returned, K::Adjusted]) - sum(&[K::Sold, K::WrittenOff]),
                counter.on_hand + counter.held
            );
            prop_assert_eq!(counter.held, sum(&[K::Held]) - sum(&[K::Released, K::Expired, K::Sold]));
            prop_assert!(counter.on_hand >= 0 && counter.held >= 0);
            prop_assert_eq!(counter.version, i64::try_from(ledger.len()).expect("few"));
        }
    }
}
