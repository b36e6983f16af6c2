//! A guest's lines become a customer's, in three writes of one cart each.
//!
//! 1. The guest's cart is closed: `Merging`. Its lines stay where they are.
//! 2. The customer's cart takes the lines in and notes the guest's cart, so that doing it again does nothing.
//! 3. The guest's cart is emptied: `Merged`.
//!
//! Whoever is killed in between is continued by a repeated call or by the sweeper; no unit is lost or counted twice.

use kernel::{CartId, Error, Result, Timestamp};

use super::{Cart, CartLine, CartState, Limits};

/// How many merged carts a cart remembers; the oldest are forgotten first. One is only asked for while that cart is `Merging`.
pub const MERGED_MAX: usize = 16;

/// What comes next in a merge, seen from the guest's cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergeStep {
    /// Close it.
    Close,
    /// It is closed: take its lines in.
    TakeIn,
    /// It is merged.
    Done,
}

/// Units that did not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The SKU.
    pub sku: String,
    /// Units.
    pub quantity: i64,
}

impl Cart {
    /// What comes next in merging this guest's cart into another.
    ///
    /// # Errors
    /// `CART_NOT_FOUND` when it is, or was, merged into somebody else's.
    pub fn merge_step(&self, into: CartId) -> Result<MergeStep> {
        match self.state {
            CartState::Open => Ok(MergeStep::Close),
            CartState::Merging { into: other } if other == into => Ok(MergeStep::TakeIn),
            CartState::Merged { into: other } if other == into => Ok(MergeStep::Done),
            CartState::Merging { .. } | CartState::Merged { .. } => {
                Err(Error::not_found("CART_NOT_FOUND", "the guest's cart was merged into another cart"))
            }
        }
    }

    /// Closes it: nothing goes in or out until its lines are in the other cart.
    pub fn close(&mut self, into: CartId, now: Timestamp) {
        self.state = CartState::Merging { into };
        self.updated = now;
    }

    /// Empties it after its lines were taken in.
    pub fn end_merge(&mut self, into: CartId, now: Timestamp) {
        self.state = CartState::Merged { into };
        self.lines.clear();
        self.updated = now;
    }

    /// Takes a guest's lines in, up to the limits; says what did not fit. `None` when they are in already.
    pub fn take_in(
        &mut self,
        guest: CartId,
        lines: &[CartLine],
        limits: &Limits,
        now: Timestamp,
    ) -> Option<Vec<Dropped>> {
        if self.merged.contains(&guest) {
            return None;
        }
        let mut dropped = Vec::new();
        for line in lines {
            let fits = self.fits(line, limits);
            if fits > 0 {
                self.join(line, fits);
            }
            if fits < line.quantity {
                dropped.push(Dropped { sku: line.sku.clone(), quantity: line.quantity - fits });
            }
        }
        if self.merged.len() >= MERGED_MAX {
            self.merged.remove(0);
        }
        self.merged.push(guest);
        self.touch(limits, now);
        Some(dropped)
    }

    /// How many units of a line there is room for.
    fn fits(&self, line: &CartLine, limits: &Limits) -> i64 {
        let room = limits.quantity - self.quantity();
        let own = match self.lines.iter().find(|own| own.sku == line.sku) {
            Some(own) => limits.line_quantity - own.quantity,
            None if self.lines.len() < limits.lines => limits.line_quantity,
            None => 0,
        };
        line.quantity.min(own).min(room).max(0)
    }

    fn join(&mut self, line: &CartLine, quantity: i64) {
        match self.lines.iter_mut().find(|own| own.sku == line.sku) {
            Some(own) => own.quantity += quantity,
            None => self.lines.push(CartLine { quantity, ..line.clone() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::cart::tests::{LIMITS, NOW, cart};
    use super::*;

    const GUEST: CartId = CartId::from_bits(50);
    const MINE: CartId = CartId::from_bits(1);

    #[test]
    fn quantities_add_up_to_the_limits_and_the_rest_is_named() {
        let mut mine = cart(&[("a", 8), ("b", 1)]);
        let dropped = mine
            .take_in(GUEST, &cart(&[("a", 5), ("c", 2), ("d", 3)]).lines, &LIMITS, NOW)
            .expect("first time");
        let told: Vec<_> = mine.lines.iter().map(|line| (line.sku.as_str(), line.quantity)).collect();
        assert_eq!(told, [("a", 10), ("b", 1), ("c", 2)]);
        let told: Vec<_> = dropped.iter().map(|line| (line.sku.as_str(), line.quantity)).collect();
        assert_eq!(told, [("a", 3), ("d", 3)]);
    }

    #[test]
    fn taking_in_again_does_nothing() {
        let mut mine = cart(&[("a", 1)]);
        let guest = cart(&[("a", 2)]);
        assert!(mine.take_in(GUEST, &guest.lines, &LIMITS, NOW).is_some());
        let before = mine.clone();
        assert!(mine.take_in(GUEST, &guest.lines, &LIMITS, NOW).is_none());
        assert_eq!(mine, before);
    }

    #[test]
    fn a_merge_goes_through_its_steps_and_to_one_cart_only() {
        let mut guest = cart(&[("a", 1)]);
        assert_eq!(guest.merge_step(MINE).expect("open"), MergeStep::Close);
        guest.close(MINE, NOW);
        assert_eq!(guest.merge_step(MINE).expect("closed"), MergeStep::TakeIn);
        assert_eq!(guest.merge_step(GUEST).expect_err("another's").reason(), "CART_NOT_FOUND");
        guest.end_merge(MINE, NOW);
        assert_eq!(guest.merge_step(MINE).expect("merged"), MergeStep::Done);
        assert_eq!(guest.merge_step(GUEST).expect_err("another's").reason(), "CART_NOT_FOUND");
        assert!(guest.lines.is_empty());
    }

    proptest! {
        /// No unit is lost without being named, none is made, and no limit is passed.
        #[test]
        fn units_are_conserved(mine in proptest::collection::vec((0_usize..5, 1_i64..11), 0..3), theirs in proptest::collection::vec((0_usize..5, 1_i64..11), 0..3)) {
            let names = ["a", "b", "c", "d", "e"];
            let make = |lines: &[(usize, i64)]| {
                let mut made = cart(&[]);
                for (at, (sku, quantity)) in (1_u128..).zip(lines) {
                    let _ = made.add(names[*sku], *quantity, kernel::LineId::from_bits(at), &LIMITS, NOW);
                }
                made
            };
            let (mut mine, theirs) = (make(&mine), make(&theirs));
            let before = mine.quantity() + theirs.quantity();
            let dropped = mine.take_in(GUEST, &theirs.lines, &LIMITS, NOW).expect("first time");
            prop_assert_eq!(mine.quantity() + dropped.iter().map(|d| d.quantity).sum::<i64>(), before);
            prop_assert!(mine.lines.len() <= LIMITS.lines && mine.quantity() <= LIMITS.quantity);
            prop_assert!(mine.lines.iter().all(|line| (1..=LIMITS.line_quantity).contains(&line.quantity)));
        }
    }
}
