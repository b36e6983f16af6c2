//! What a quote costs, decided from prices, rates and rules alone.

mod pricing;
mod tax;

pub use pricing::{Amounts, Item, Priced, Rules, TaxSum, goods, subtotals, total};
pub use tax::{AppliedTax, RATES_MAX, STANDARD_CLASS, Settings, TaxMode, TaxRate, TaxTable, check_rates};

use std::time::Duration;

/// For how long a quote's prices hold.
pub const QUOTE_TTL: Duration = Duration::from_secs(15 * 60);
/// Lines that a quote may have.
pub const LINES_MAX: usize = 2000;
/// Units that a line may have.
pub const QUANTITY_MAX: i64 = 1_000_000;
/// The highest unit price that staff may give, in millionths of the major unit: a million.
pub const UNIT_PRICE_MICROS_MAX: i64 = 1_000_000_000_000;
/// Characters that a reason given by staff may have.
pub const REASON_CHARS_MAX: usize = 200;

/// How many units of each SKU all lines want together, in the order in which SKUs first appear.
#[must_use]
pub fn wanted<'a>(lines: impl IntoIterator<Item = (&'a str, i64)>) -> Vec<(&'a str, i64)> {
    let mut order: Vec<(&str, i64)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for (sku, quantity) in lines {
        let place = *places.entry(sku).or_insert_with(|| {
            order.push((sku, 0));
            order.len() - 1
        });
        order[place].1 = order[place].1.saturating_add(quantity);
    }
    order
}

/// Which of the SKUs are short: more is wanted than could be had.
#[must_use]
pub fn is_short(wanted: i64, available: i64) -> bool {
    wanted > available
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sku_that_repeats_is_wanted_once_with_the_sum() {
        let lines = [("15056BL", 2), ("15056bl", 1), ("15056BL", 3)];
        assert_eq!(wanted(lines), [("15056BL", 5), ("15056bl", 1)]);
    }
}
