//! Lines, quantities and their limits.

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::{CartId, Error, LineId, OrderId, Result, Timestamp, Violations, sku};
use serde::{Deserialize, Serialize};

use super::Owner;

/// How many orders a cart remembers to have taken out; the oldest are forgotten first. The request keys remember the rest, for as
/// long as a saga may take.
pub const BOUGHT_MAX: usize = 16;

/// What a cart may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Units of a line.
    pub line_quantity: i64,
    /// Lines of a cart.
    pub lines: usize,
    /// Units of a cart, which is to say of a customer.
    pub quantity: i64,
    /// How long a guest's cart is kept after its last change.
    pub guest_keep: Duration,
}

/// One SKU in a cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartLine {
    /// Its id.
    pub id: LineId,
    /// The SKU.
    pub sku: String,
    /// Units, from 1.
    pub quantity: i64,
    /// When it was first added.
    pub created: Timestamp,
}

/// Where a cart stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum CartState {
    /// It takes lines.
    Open,
    /// Its lines are on their way into another cart; nothing changes it but the end of that.
    Merging {
        /// The other cart.
        into: CartId,
    },
    /// Its lines are in another cart.
    Merged {
        /// The other cart.
        into: CartId,
    },
}

/// A cart, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    /// Whose it is.
    pub owner: Owner,
    /// Where it stands.
    pub state: CartState,
    /// What is in it, oldest first; one line of each SKU.
    pub lines: Vec<CartLine>,
    /// The orders whose lines the order service last took out, at most 16.
    pub bought: Vec<OrderId>,
    /// The orders whose lines the owner last took out, at most 16. Nothing says that there are such orders.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claimed: Vec<OrderId>,
    /// The carts that were last merged into it, at most 16.
    pub merged: Vec<CartId>,
    /// When it last changed.
    pub updated: Timestamp,
    /// When it is dropped; `None` for customers.
    pub expires: Option<Timestamp>,
}

/// What an order bought, to be taken out of the cart that it came from.
#[derive(Clone, Debug)]
pub struct Purchase {
    /// The order.
    pub order: OrderId,
    /// Units by SKU.
    pub units: BTreeMap<String, i64>,
    /// The owner who asks, which opens their own cart alone; `None` for the order service, which knows its orders.
    pub claimed_by: Option<Owner>,
}

/// What an addition did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Added {
    /// The line.
    pub line: LineId,
    /// Units that it has now.
    pub quantity: i64,
}

/// Checks a SKU of which something may be stored; whether it is sold, the catalogue says.
pub fn check_sku(violations: &mut Violations, pointer: &str, sku: &str) {
    violations.check(sku::may_be_stored(sku), pointer, sku::STORED_RULE);
}

impl Limits {
    /// Checks the units that a request names.
    pub fn check_quantity(&self, violations: &mut Violations, pointer: &str, quantity: i64) {
        let message = format!("must be between 1 and {}", self.line_quantity);
        violations.check((1..=self.line_quantity).contains(&quantity), pointer, message);
    }
}

impl Cart {
    /// The empty cart of an owner.
    #[must_use]
    pub fn new(owner: Owner) -> Self {
        Self {
            owner,
            state: CartState::Open,
            lines: Vec::new(),
            bought: Vec::new(),
            claimed: Vec::new(),
            merged: Vec::new(),
            updated: Timestamp::default(),
            expires: None,
        }
    }

    /// Units over all lines.
    #[must_use]
    pub fn quantity(&self) -> i64 {
        self.lines.iter().map(|line| line.quantity).sum()
    }

    /// Notes a change: its time, and for a guest how long the cart is kept from now.
    pub(super) fn touch(&mut self, limits: &Limits, now: Timestamp) {
        self.updated = now;
        self.expires = self.owner.is_guest().then(|| now.plus(limits.guest_keep));
    }

    /// Adds units of a SKU: to its line, or as a new line with the id `fresh`.
    ///
    /// # Errors
    /// `LINE_QUANTITY_LIMIT`, `CART_LINES_LIMIT`, `CART_QUANTITY_LIMIT`, `CART_MERGED`.
    pub fn add(
        &mut self,
        sku: &str,
        quantity: i64,
        fresh: LineId,
        limits: &Limits,
        now: Timestamp,
    ) -> Result<Added> {
        self.open()?;
        self.room(quantity, limits)?;
        let added = match self.lines.iter_mut().find(|line| line.sku == sku) {
            Some(line) => {
                let sum = line.quantity.saturating_add(quantity);
                within(sum, limits)?;
                line.quantity = sum;
                Added { line: line.id, quantity: sum }
            }
            None => {
                if self.lines.len() >= limits.lines {
                    let message = format!("a cart holds at most {} lines", limits.lines);
                    return Err(Error::precondition("CART_LINES_LIMIT", message)
                        .with("limit", limits.lines.to_string()));
                }
                within(quantity, limits)?;
                self.lines.push(CartLine { id: fresh, sku: sku.to_owned(), quantity, created: now });
                Added { line: fresh, quantity }
            }
        };
        self.touch(limits, now);
        Ok(added)
    }

    /// Sets a line's units.
    ///
    /// # Errors
    /// `LINE_NOT_FOUND`, `LINE_QUANTITY_LIMIT`, `CART_QUANTITY_LIMIT`, `CART_MERGED`.
    pub fn set_quantity(
        &mut self,
        line: LineId,
        quantity: i64,
        limits: &Limits,
        now: Timestamp,
    ) -> Result<()> {
        self.open()?;
        within(quantity, limits)?;
        let at = self.find(line)?;
        self.room(quantity - self.lines[at].quantity, limits)?;
        self.lines[at].quantity = quantity;
        self.touch(limits, now);
        Ok(())
    }

    /// Takes a line out.
    ///
    /// # Errors
    /// `LINE_NOT_FOUND`, `CART_MERGED`.
    pub fn remove(&mut self, line: LineId, limits: &Limits, now: Timestamp) -> Result<()> {
        self.open()?;
        let at = self.find(line)?;
        self.lines.remove(at);
        self.touch(limits, now);
        Ok(())
    }

    /// Takes all lines out.
    ///
    /// # Errors
    /// `CART_MERGED`.
    pub fn clear(&mut self, limits: &Limits, now: Timestamp) -> Result<()> {
        self.open()?;
        self.lines.clear();
        self.touch(limits, now);
        Ok(())
    }

    /// Takes out what an order bought, once per order; says whether anything changed.
    pub fn remove_bought(&mut self, purchase: &Purchase, limits: &Limits, now: Timestamp) -> bool {
        if self.bought.contains(&purchase.order) || self.claimed.contains(&purchase.order) {
            return false;
        }
        for line in &mut self.lines {
            line.quantity -= purchase.units.get(&line.sku).copied().unwrap_or(0);
        }
        self.lines.retain(|line| line.quantity > 0);
        let done = if purchase.claimed_by.is_some() { &mut self.claimed } else { &mut self.bought };
        if done.len() >= BOUGHT_MAX {
            done.remove(0);
        }
        done.push(purchase.order);
        self.touch(limits, now);
        true
    }

    /// Whether lines may change.
    pub(super) fn open(&self) -> Result<()> {
        match self.state {
            CartState::Open => Ok(()),
            CartState::Merging { .. } | CartState::Merged { .. } => {
                Err(Error::precondition("CART_MERGED", "the cart was merged into a customer's at sign-in"))
            }
        }
    }

    fn room(&self, more: i64, limits: &Limits) -> Result<()> {
        if self.quantity().saturating_add(more) <= limits.quantity {
            return Ok(());
        }
        let message = format!("a cart holds at most {} units", limits.quantity);
        Err(Error::precondition("CART_QUANTITY_LIMIT", message).with("limit", limits.quantity.to_string()))
    }

    fn find(&self, line: LineId) -> Result<usize> {
        let found = self.lines.iter().position(|own| own.id == line);
        found.ok_or_else(|| {
            Error::not_found("LINE_NOT_FOUND", "the cart has no such line").with("line_id", line.to_string())
        })
    }
}

fn within(quantity: i64, limits: &Limits) -> Result<()> {
    if quantity <= limits.line_quantity {
        return Ok(());
    }
    let message = format!("a line holds at most {} units", limits.line_quantity);
    Err(Error::precondition("LINE_QUANTITY_LIMIT", message).with("limit", limits.line_quantity.to_string()))
}

#[cfg(test)]
pub(super) mod tests {
    use kernel::{CustomerId, GuestId};
    use proptest::prelude::*;

    use super::*;

    pub(in super::super) const LIMITS: Limits =
        Limits { line_quantity: 10, lines: 3, quantity: 25, guest_keep: Duration::from_secs(100) };
    pub(in super::super) const NOW: Timestamp = Timestamp::from_secs(1_000);

    pub(in super::super) fn cart(lines: &[(&str, i64)]) -> Cart {
        let mut cart = Cart::new(Owner::Customer(CustomerId::from_bits(1)));
        for (at, (sku, quantity)) in (1..).zip(lines) {
            cart.add(sku, *quantity, LineId::from_bits(at), &LIMITS, NOW).expect("fits");
        }
        cart
    }

    fn told(cart: &Cart) -> Vec<(&str, i64)> {
        cart.lines.iter().map(|line| (line.sku.as_str(), line.quantity)).collect()
    }

    fn reason<T: std::fmt::Debug>(result: Result<T>) -> String {
        result.expect_err("refused").reason().to_owned()
    }

    #[test]
    fn adding_counts_up_in_one_line_of_each_sku() {
        let mut cart = cart(&[("a", 2), ("A", 1)]);
        let added = cart.add("a", 3, LineId::from_bits(9), &LIMITS, NOW).expect("fits");
        assert_eq!(added, Added { line: LineId::from_bits(1), quantity: 5 });
        assert_eq!(told(&cart), [("a", 5), ("A", 1)]);
    }

    #[test]
    fn every_limit_has_its_reason() {
        let fresh = LineId::from_bits(9);
        assert_eq!(reason(cart(&[("a", 8)]).add("a", 3, fresh, &LIMITS, NOW)), "LINE_QUANTITY_LIMIT");
        assert_eq!(
            reason(cart(&[("a", 1), ("b", 1), ("c", 1)]).add("d", 1, fresh, &LIMITS, NOW)),
            "CART_LINES_LIMIT"
        );
        assert_eq!(
            reason(cart(&[("a", 10), ("b", 10)]).add("c", 6, fresh, &LIMITS, NOW)),
            "CART_QUANTITY_LIMIT"
        );
        assert_eq!(
            reason(cart(&[("a", 1)]).set_quantity(LineId::from_bits(1), 11, &LIMITS, NOW)),
            "LINE_QUANTITY_LIMIT"
        );
        assert_eq!(
            reason(cart(&[("a", 10), ("b", 10), ("c", 1)]).set_quantity(
                LineId::from_bits(3),
                6,
                &LIMITS,
                NOW
            )),
            "CART_QUANTITY_LIMIT"
        );
        assert_eq!(reason(cart(&[("a", 1)]).remove(fresh, &LIMITS, NOW)), "LINE_NOT_FOUND");
        assert_eq!(reason(cart(&[("a", 1)]).set_quantity(fresh, 1, &LIMITS, NOW)), "LINE_NOT_FOUND");
    }

    #[test]
    fn a_merged_cart_takes_nothing_more() {
        let mut cart = cart(&[("a", 1)]);
        cart.state = CartState::Merged { into: CartId::from_bits(7) };
        assert_eq!(reason(cart.add("a", 1, LineId::from_bits(9), &LIMITS, NOW)), "CART_MERGED");
        assert_eq!(reason(cart.clear(&LIMITS, NOW)), "CART_MERGED");
    }

    #[test]
    fn an_order_takes_out_once_what_it_bought() {
        let mut cart = cart(&[("a", 5), ("b", 2)]);
        let bought = BTreeMap::from([("a".to_owned(), 2), ("b".to_owned(), 3), ("z".to_owned(), 1)]);
        let purchase = |order, units: &BTreeMap<String, i64>, claimed_by| Purchase {
            order: OrderId::from_bits(order),
            units: units.clone(),
            claimed_by,
        };
        let owner = Some(cart.owner);
        assert!(cart.remove_bought(&purchase(1, &bought, None), &LIMITS, NOW));
        assert!(!cart.remove_bought(&purchase(1, &bought, None), &LIMITS, NOW));
        assert!(!cart.remove_bought(&purchase(1, &bought, owner), &LIMITS, NOW), "whoever asks");
        assert_eq!(told(&cart), [("a", 3)]);
        for order in 2..40 {
            for claimed_by in [None, owner] {
                cart.remove_bought(&purchase(order, &BTreeMap::new(), claimed_by), &LIMITS, NOW);
                cart.remove_bought(&purchase(order + 100, &BTreeMap::new(), owner), &LIMITS, NOW);
            }
        }
        assert_eq!((cart.bought.len(), cart.claimed.len()), (BOUGHT_MAX, BOUGHT_MAX));
    }

    #[test]
    fn only_a_guests_cart_expires() {
        let mut guest = Cart::new(Owner::Guest(GuestId::from_bits(2)));
        guest.add("a", 1, LineId::from_bits(1), &LIMITS, NOW).expect("fits");
        assert_eq!(guest.expires, Some(NOW.plus(LIMITS.guest_keep)));
        assert_eq!(cart(&[("a", 1)]).expires, None);
    }

    #[test]
    fn a_stored_cart_reads_back() {
        let mut cart = cart(&[("a", 1)]);
        cart.state = CartState::Merging { into: CartId::from_bits(7) };
        let text = serde_json::to_string(&cart).expect("JSON");
        assert_eq!(serde_json::from_str::<Cart>(&text).expect("own text"), cart);
    }

    proptest! {
        /// Whatever is done in whatever order, no limit is passed, no line is empty and no SKU stands twice.
        #[test]
        fn limits_hold(steps in proptest::collection::vec((0_u8..5, 0_usize..5, 1_i64..12), 0..60)) {
            let mut cart = cart(&[]);
            for (at, (what, sku, quantity)) in (1_u128..).zip(steps) {
                let line = cart.lines.get(sku).map_or(LineId::from_bits(0), |line| line.id);
                let sku = ["a", "b", "c", "d", "e"][sku];
                let _ = match what {
                    0 | 1 => cart.add(sku, quantity, LineId::from_bits(at), &LIMITS, NOW).map(drop),
                    2 => cart.set_quantity(line, quantity, &LIMITS, NOW),
                    3 => cart.remove(line, &LIMITS, NOW),
                    _ => {
                        let bought = BTreeMap::from([(sku.to_owned(), quantity)]);
                        let (order, claimed_by) = (OrderId::from_bits(at), (at % 2 == 0).then_some(cart.owner));
                        cart.remove_bought(&Purchase { order, units: bought, claimed_by }, &LIMITS, NOW);
                        Ok(())
                    }
                };
                prop_assert!(cart.lines.len() <= LIMITS.lines && cart.quantity() <= LIMITS.quantity);
                prop_assert!(cart.lines.iter().all(|line| (1..=LIMITS.line_quantity).contains(&line.quantity)));
                let skus: std::collections::BTreeSet<_> = cart.lines.iter().map(|line| &line.sku).collect();
                prop_assert_eq!(skus.len(), cart.lines.len());
            }
        }
    }
}
