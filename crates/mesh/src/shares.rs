//! Counts by owner, so that one of many cannot take all of something that is limited.

use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use parking_lot::Mutex;

/// What each owner has of something. An owner who has nothing is not remembered.
#[derive(Debug)]
pub struct Shares<K: Eq + Hash>(Mutex<HashMap<K, usize>>);

impl<K: Eq + Hash> Default for Shares<K> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

impl<K: Clone + Debug + Eq + Hash> Shares<K> {
    /// Takes `units` for an owner, unless he would then have more than `units_max`. Dropping the share gives them back.
    #[must_use]
    pub fn take(self: &Arc<Self>, owner: K, units: usize, units_max: usize) -> Option<Share<K>> {
        let mut shares = self.0.lock();
        let has = shares.get(&owner).copied().unwrap_or(0);
        let units_after = has.checked_add(units).filter(|after| *after <= units_max)?;
        shares.insert(owner.clone(), units_after);
        drop(shares);
        Some(Share { shares: self.clone(), owner, units })
    }

    /// What an owner has.
    #[must_use]
    pub fn of(&self, owner: &K) -> usize {
        self.0.lock().get(owner).copied().unwrap_or(0)
    }
}

/// What one owner has taken; given back when it is dropped.
#[derive(Debug)]
pub struct Share<K: Clone + Debug + Eq + Hash> {
    shares: Arc<Shares<K>>,
    owner: K,
    units: usize,
}

impl<K: Clone + Debug + Eq + Hash> Share<K> {
    /// Whose it is.
    #[must_use]
    pub fn owner(&self) -> &K {
        &self.owner
    }

    /// Takes more for the same owner; whether there was room.
    pub fn grow(&mut self, units: usize, units_max: usize) -> bool {
        let mut shares = self.shares.0.lock();
        let Some(has) = shares.get_mut(&self.owner) else { return false };
        match has.checked_add(units).filter(|after| *after <= units_max) {
            Some(after) => {
                *has = after;
                self.units += units;
                true
            }
            None => false,
        }
    }
}

impl<K: Clone + Debug + Eq + Hash> Drop for Share<K> {
    fn drop(&mut self) {
        let mut shares = self.shares.0.lock();
        if let Some(has) = shares.get_mut(&self.owner) {
            *has -= self.units;
            if *has == 0 {
                shares.remove(&self.owner);
            }
        }
    }
}

/// So much of something, in all and for one address.
#[derive(Debug)]
pub struct Budget {
    /// By address; `None` for what all have together.
    shares: Arc<Shares<Option<IpAddr>>>,
    units_max: usize,
    per_address_max: usize,
}

/// What was taken of a [`Budget`]; given back when it is dropped.
#[derive(Debug)]
pub struct Spent {
    _of_all: Share<Option<IpAddr>>,
    _own: Share<Option<IpAddr>>,
}

impl Budget {
    /// So many units in all, and so many of one address.
    #[must_use]
    pub fn new(units_max: usize, per_address_max: usize) -> Self {
        Self { shares: Arc::default(), units_max, per_address_max }
    }

    /// Takes units for an address; `None` when it, or all together, would have too many. What is larger than all that one
    /// address may have is let through alone.
    #[must_use]
    pub fn take(&self, address: IpAddr, units: usize) -> Option<Spent> {
        let own = self.shares.take(Some(network(address)), units, self.per_address_max.max(units))?;
        let of_all = self.shares.take(None, units, self.units_max.max(units))?;
        Some(Spent { _of_all: of_all, _own: own })
    }

    /// The units that are taken.
    #[must_use]
    pub fn spent(&self) -> usize {
        self.shares.of(&None)
    }
}

/// What one customer of a network provider has: an IPv4 address, or 64 bits of IPv6. Limits by address count by it.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_has_no_more_than_his_share_and_gives_it_back() {
        let shares = Arc::new(Shares::default());
        let mut first = shares.take("ada", 2, 3).expect("room");
        assert!(shares.take("ada", 2, 3).is_none(), "four of three");
        assert!(shares.take("eve", 3, 3).is_some(), "another's share is his own");
        assert!(first.grow(1, 3) && !first.grow(1, 3));
        assert_eq!(shares.of(&"ada"), 3);
        drop(first);
        assert!(shares.0.lock().is_empty(), "who has nothing is forgotten");
    }

    #[test]
    fn a_budget_is_for_all_and_for_each() {
        let budget = Budget::new(5, 3);
        let address = |last| IpAddr::from([192, 0, 2, last]);
        let first = budget.take(address(1), 3).expect("room");
        assert!(budget.take(address(1), 1).is_none(), "its share");
        let _second = budget.take(address(2), 2).expect("room");
        assert!(budget.take(address(3), 1).is_none(), "all together");
        assert_eq!(budget.spent(), 5, "what was refused took nothing");
        drop(first);
        assert!(budget.take(address(3), 3).is_some());
        assert!(Budget::new(5, 3).take(address(1), 9).is_some(), "alone");
    }

    #[test]
    fn a_provider_gives_a_customer_64_bits() {
        let of = |text: &str| network(text.parse().expect("an address")).to_string();
        assert_eq!(of("2001:db8::1:2:3:4"), of("2001:db8::"));
        assert_ne!(of("2001:db8:0:1::"), of("2001:db8::"));
        assert_eq!(of("2001:db8:1:2:aaaa::1"), of("2001:db8:1:2:bbbb::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), "192.0.2.1");
        assert_ne!(of("192.0.2.7"), of("192.0.2.8"));
    }
}
