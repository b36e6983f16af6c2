//! Prices and what they were.

use kernel::{Currency, Timestamp, UnitPrice};
use serde::{Deserialize, Serialize};

/// The highest unit price: a thousand million units of the currency, so that sums of many stay far from overflow.
pub const PRICE_MICROS_MAX: i64 = 1_000_000_000_000_000;

/// The price in force, with everything its history entry will need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Per unit.
    pub unit: UnitPrice,
    /// From when it is in force.
    pub since: Timestamp,
    /// Who set it: an account's id, or "import".
    pub actor: String,
    /// Why; may be empty.
    pub reason: String,
}

/// A price that changes now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceChange {
    /// Of which variant.
    pub sku: String,
    /// In which currency.
    pub currency: Currency,
    /// What it was, if there was one.
    pub before: Option<Price>,
    /// What it is, unless the variant is no longer sold in this currency.
    pub after: Option<Price>,
}

/// A price of the past: it never changes again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceRecord {
    /// Of which variant.
    pub sku: String,
    /// The price as it was.
    pub price: Price,
}

impl PriceChange {
    /// What goes to the history before this change may be written.
    #[must_use]
    pub fn record(&self) -> Option<PriceRecord> {
        self.before.clone().map(|price| PriceRecord { sku: self.sku.clone(), price })
    }
}
