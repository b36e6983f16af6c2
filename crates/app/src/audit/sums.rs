//! Money added up.

use std::collections::BTreeMap;

use kernel::{Currency, Money};

/// Sums of money per currency; wide enough for any number of rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums(BTreeMap<Currency, i128>);

impl Sums {
    /// Adds an amount.
    pub fn add(&mut self, amount: Money) {
        *self.0.entry(amount.currency).or_insert(0) += i128::from(amount.minor);
    }

    /// Takes an amount.
    pub fn take(&mut self, amount: Money) {
        *self.0.entry(amount.currency).or_insert(0) -= i128::from(amount.minor);
    }

    /// The sums that are not zero; those beyond 64 bits stand at the limit.
    pub fn not_zero(&self) -> impl Iterator<Item = Money> + '_ {
        let clamp = |sum: i128| i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX });
        self.0
            .iter()
            .filter(|(_, sum)| **sum != 0)
            .map(move |(currency, sum)| Money::new(clamp(*sum), *currency))
    }
}
