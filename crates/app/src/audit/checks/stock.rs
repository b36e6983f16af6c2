//! Stock: counters, the movements that made them, holds, and what orders sold.

use std::collections::HashMap;

use contract::souk::inventory::v1::{HoldState, MovementKind};
use contract::souk::order::v1::OrderState;
use kernel::OrderId;

use super::Check;
use crate::audit::books::{Books, Counter, Hold, Movement, Order, Shelf, word};

/// Units moved, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Arrived.
    pub received: i64,
    /// Put on hold.
    pub held: i64,
    /// A hold was released.
    pub released: i64,
    /// A hold expired.
    pub expired: i64,
    /// A hold was committed.
    pub sold: i64,
    /// Came back after it was sold.
    pub returned: i64,
    /// Broken, lost or thrown away.
    pub written_off: i64,
    /// Corrected after a count; signed.
    pub adjusted: i64,
}

impl Moved {
    /// Adds a movement. Sums beyond 64 bits stay at the limit, and then equal no counter.
    pub fn add(&mut self, movement: &Movement) {
        let sum = match movement.kind {
            MovementKind::Received => &mut self.received,
            MovementKind::Held => &mut self.held,
            MovementKind::Released => &mut self.released,
            MovementKind::Expired => &mut self.expired,
            MovementKind::Sold => &mut self.sold,
            MovementKind::Returned => &mut self.returned,
            MovementKind::WrittenOff => &mut self.written_off,
            MovementKind::Adjusted => &mut self.adjusted,
            MovementKind::Unspecified => return,
        };
        *sum = sum.saturating_add(movement.quantity);
    }

    /// What movements leave on the shelf and on hold together.
    #[must_use]
    pub fn left(&self) -> i64 {
        let parts = [self.received, -self.sold, self.returned, -self.written_off, self.adjusted];
        parts.into_iter().fold(0, i64::saturating_add)
    }
}

/// The movements that a counter has seen: up to its version. Later ones came while the books were read.
pub fn seen(shelf: &Shelf) -> impl Iterator<Item = &Movement> {
    let version = shelf.counter.map_or(i64::MAX, |counter| counter.version);
    shelf.movements.iter().filter(move |movement| movement.number <= version)
}

/// `stock.balanced`: what came in less what went out is on hand or held, per SKU and location. (Before the first movement there
/// is nothing, so what a shop opens with is received.)
pub fn balanced(books: &Books) -> Check {
    let mut check = Check::new("stock.balanced");
    for shelf in &books.shelves {
        check.examined += 1;
        let mut moved = Moved::default();
        seen(shelf).for_each(|movement| moved.add(movement));
        let Counter { on_hand, held, .. } = shelf.counter.unwrap_or(NOTHING);
        if moved.left() != on_hand.saturating_add(held) {
            let expected = format!(
                "{} (received {} - sold {} + returned {} - written off {} + adjusted {})",
                moved.left(),
                moved.received,
                moved.sold,
                moved.returned,
                moved.written_off,
                moved.adjusted
            );
            check.violated(at(shelf), expected, format!("{on_hand} on hand + {held} held"));
        }
    }
    check
}

const NOTHING: Counter = Counter { on_hand: 0, held: 0, version: 0 };

/// `stock.counters`: each counter is the fold of its movements, which are numbered 1, 2, 3, … and tell what each left.
pub fn counters(books: &Books) -> Check {
    let mut check = Check::new("stock.counters");
    for shelf in &books.shelves {
        check.examined += 1;
        let Some(counter) = shelf.counter else {
            check.violated(at(shelf), "a counter", format!("only {} movements", shelf.movements.len()));
            continue;
        };
        let mut now = NOTHING;
        for movement in seen(shelf) {
            check.examined += 1;
            now = step(&mut check, shelf, now, movement);
        }
        if now != counter {
            check.violated(at(shelf), counted(now), counted(counter));
        }
        if let Some(last) = shelf.movements.last().filter(|last| last.number > counter.version) {
            let found = format!("movement {}", last.number);
            check.violated(at(shelf), format!("{} movements, as the counter says", counter.version), found);
        }
    }
    check
}

/// The counter after a movement; goes on from what the movement says, so that each damaged row is told once.
fn step(check: &mut Check, shelf: &Shelf, before: Counter, movement: &Movement) -> Counter {
    let at = |number: i64| format!("movement {number} of {}", at(shelf));
    let told = Counter { on_hand: movement.on_hand, held: movement.held, version: movement.number };
    if movement.number != before.version + 1 {
        let missing = match movement.number - before.version {
            2 => at(before.version + 1),
            _ => {
                format!("movements {} to {} of {}", before.version + 1, movement.number - 1, self::at(shelf))
            }
        };
        check.violated(missing, "a movement each", "none");
        return told;
    }
    let (on_hand, held) = change(movement);
    let expected = Counter {
        on_hand: before.on_hand.saturating_add(on_hand),
        held: before.held.saturating_add(held),
        version: movement.number,
    };
    if told != expected {
        let what = word(movement.kind.as_str_name(), "MOVEMENT_KIND_");
        let found = format!("{what} {}, then {}", movement.quantity, counted(told));
        check.violated(at(movement.number), counted(expected), found);
    }
    told
}

/// What a movement does to `on_hand` and `held`.
fn change(movement: &Movement) -> (i64, i64) {
    let quantity = movement.quantity;
    match movement.kind {
        MovementKind::Received | MovementKind::Returned | MovementKind::Adjusted => (quantity, 0),
        MovementKind::Held => (-quantity, quantity),
        MovementKind::Released | MovementKind::Expired => (quantity, -quantity),
        MovementKind::Sold => (0, -quantity),
        MovementKind::WrittenOff => (-quantity, 0),
        MovementKind::Unspecified => (0, 0),
    }
}

fn counted(counter: Counter) -> String {
    format!("{} on hand, {} held, after movement {}", counter.on_hand, counter.held, counter.version)
}

fn at(shelf: &Shelf) -> String {
    format!("stock {}", shelf.place)
}

/// `stock.not_negative`: no counter is, or ever was, below zero.
pub fn not_negative(books: &Books) -> Check {
    let mut check = Check::new("stock.not_negative");
    for shelf in &books.shelves {
        check.examined += 1;
        if let Some(Counter { on_hand, held, .. }) = shelf.counter
            && on_hand.min(held) < 0
        {
            check.violated(at(shelf), "nothing below zero", format!("{on_hand} on hand, {held} held"));
        }
        for Movement { number, on_hand, held, .. } in &shelf.movements {
            if *on_hand.min(held) < 0 {
                let found = format!("{on_hand} on hand, {held} held");
                check.violated(format!("movement {number} of {}", at(shelf)), "nothing below zero", found);
            }
        }
    }
    check
}

/// Units that the movements of a hold moved at one place: held, released, expired, sold, returned.
type Tally = [i64; 5];

/// `stock.holds`: every hold took its units once, and gave them back or sold them as its state says; so what is held equals the
/// open holds, and what is sold the committed ones. No movement names a hold that is not there.
pub fn holds(books: &Books) -> Check {
    let mut check = Check::new("stock.holds");
    let index: HashMap<_, _> = books.holds.iter().enumerate().map(|(n, hold)| (hold.id, n)).collect();
    let mut tallies: Vec<Vec<Tally>> =
        books.holds.iter().map(|hold| vec![Tally::default(); hold.units.len()]).collect();
    for shelf in &books.shelves {
        for movement in &shelf.movements {
            let Some(id) = movement.hold else { continue };
            let slot = index.get(&id).and_then(|n| {
                let line = books.holds[*n].units.iter().position(|(place, _)| *place == shelf.place)?;
                tallies[*n].get_mut(line)
            });
            match (slot, column(movement.kind)) {
                (Some(tally), Some(column)) => {
                    tally[column] = tally[column].saturating_add(movement.quantity);
                }
                _ => {
                    let found = format!("movement {} of {}", movement.number, at(shelf));
                    check.violated(id.to_string(), "a hold that has this movement", found);
                }
            }
        }
    }
    let open = books.open_orders();
    for (hold, tallies) in books.holds.iter().zip(&tallies) {
        check.examined += 1;
        for ((place, units), tally) in hold.units.iter().zip(tallies) {
            let expected = expected(hold.state, *units);
            if *tally != expected {
                let at = format!("{} of {}, {place}", hold.id, hold.order);
                let state = word(hold.state.as_str_name(), "HOLD_STATE_");
                let expected = format!("as it is {state}: {}", tallied(expected));
                check.note(at, expected, tallied(*tally), open.contains(&hold.order));
            }
        }
    }
    check
}

fn column(kind: MovementKind) -> Option<usize> {
    match kind {
        MovementKind::Held => Some(0),
        MovementKind::Released => Some(1),
        MovementKind::Expired => Some(2),
        MovementKind::Sold => Some(3),
        MovementKind::Returned => Some(4),
        _ => None,
    }
}

fn expected(state: HoldState, units: i64) -> Tally {
    match state {
        HoldState::Unspecified => [0, 0, 0, 0, 0],
        HoldState::Held => [units, 0, 0, 0, 0],
        HoldState::Released => [units, units, 0, 0, 0],
        HoldState::Expired => [units, 0, units, 0, 0],
        HoldState::Committed => [units, 0, 0, units, 0],
        HoldState::Returned => [units, 0, 0, units, units],
    }
}

fn tallied([held, released, expired, sold, returned]: Tally) -> String {
    format!("held {held}, released {released}, expired {expired}, sold {sold}, returned {returned}")
}

/// `stock.orders`: a confirmed order sold its units, one that came to nothing keeps none, and no hold is without its order.
pub fn orders(books: &Books) -> Check {
    let mut check = Check::new("stock.orders");
    let mut of_order: HashMap<OrderId, &Hold> = books.holds.iter().map(|hold| (hold.order, hold)).collect();
    for order in &books.orders {
        check.examined += 1;
        let hold = of_order.remove(&order.id);
        let state = hold.map(|hold| hold.state);
        if !fits(order, state) {
            let stands = word(order.state.as_str_name(), "ORDER_STATE_");
            let found = state.map_or("none".to_owned(), |state| word(state.as_str_name(), "HOLD_STATE_"));
            check.note(
                format!("hold of {}", order.id),
                format!("one that fits an order that is {stands}"),
                found,
                order.open,
            );
        }
        let units = |hold: &Hold| hold.units.iter().map(|(_, units)| *units).fold(0, i64::saturating_add);
        if let Some(hold) = hold.filter(|hold| units(hold) != order.units) {
            let expected = format!("the {} units of {}", order.units, order.id);
            check.violated(hold.id.to_string(), expected, format!("{} units", units(hold)));
        }
    }
    let mut strays: Vec<&Hold> = of_order.into_values().collect();
    strays.sort_unstable_by_key(|hold| hold.id);
    for hold in strays {
        check.violated(hold.id.to_string(), format!("an order {}", hold.order), "none");
    }
    check
}

/// Whether a hold may stand so for its order. While an order is open its hold may be ahead of it.
fn fits(order: &Order, hold: Option<HoldState>) -> bool {
    use HoldState::{Committed, Expired, Held, Released, Returned};
    match order.state {
        OrderState::Confirmed => hold == Some(Committed),
        OrderState::Cancelled | OrderState::Failed => {
            matches!(hold, None | Some(Released | Expired | Returned))
        }
        OrderState::ActionRequired | OrderState::AwaitingApproval => {
            matches!(hold, Some(Held | Committed | Released | Expired))
        }
        OrderState::Pending | OrderState::Cancelling | OrderState::Unspecified => true,
    }
}
