//! A SKU at a location, and the limits of what may be said about one.

use kernel::{Violations, sku};

/// The location that is there from the start, and is meant where none is named.
pub(super) const MAIN: &str = "main";
/// The most characters of a location's code.
const LOCATION_CODE_MAX: usize = 32;
/// The most units that one line of anything moves.
pub const QUANTITY_MAX: i64 = 1_000_000_000;

/// Where a counter stands: a SKU at a location. Ordered by bytes, SKU first: the order in which batches touch counters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The SKU; compared by bytes, so that "a1" and "A1" are two.
    pub sku: String,
    /// Code of the location.
    pub location: String,
}

impl Place {
    /// A SKU at a location.
    pub fn new(sku: impl Into<String>, location: impl Into<String>) -> Self {
        Self { sku: sku.into(), location: location.into() }
    }
}

/// Checks a SKU of which something may be stored.
pub fn check_sku(violations: &mut Violations, pointer: &str, sku: &str) {
    violations.check(sku::may_be_stored(sku), pointer, sku::STORED_RULE);
}

/// Checks a SKU of which something is to be stored: the form in which it is.
pub(super) fn take_sku(violations: &mut Violations, pointer: &str, sku: &str) -> String {
    sku::clean(sku).unwrap_or_else(|what| {
        violations.check(false, pointer, what);
        String::new()
    })
}

/// Checks a location's code, 1 to 32 of a-z, 0-9 and `-`; an empty one means [`MAIN`].
pub fn check_location(violations: &mut Violations, pointer: &str, code: &str) -> String {
    if code.is_empty() {
        return MAIN.to_owned();
    }
    let good = code.len() <= LOCATION_CODE_MAX
        && code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    violations.check(good, pointer, "must have 1 to 32 characters of a-z, 0-9 and -");
    code.to_owned()
}

/// Checks units of a line: 1 to [`QUANTITY_MAX`].
pub fn check_quantity(violations: &mut Violations, pointer: &str, quantity: i64) {
    violations.check((1..=QUANTITY_MAX).contains(&quantity), pointer, "must be between 1 and 1000000000");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(check: impl FnOnce(&mut Violations)) -> bool {
        let mut violations = Violations::new();
        check(&mut violations);
        violations.finish().is_err()
    }

    #[test]
    fn skus_of_real_shops_pass() {
        for sku in ["85123A", "85123a", "POST", "BANK CHARGES", "gift_0001_80", "ÄÖ-1", &"x".repeat(64)] {
            assert!(!refused(|v| check_sku(v, "/sku", sku)), "{sku}");
        }
        for sku in ["", " 85123A", "85123A ", "a\nb", &"x".repeat(65)] {
            assert!(refused(|v| check_sku(v, "/sku", sku)), "{sku:?}");
        }
    }

    #[test]
    fn a_missing_location_is_main() {
        let mut violations = Violations::new();
        assert_eq!(check_location(&mut violations, "/location", ""), MAIN);
        assert!(violations.is_empty());
        for code in ["Main", "a b", "é", &"a".repeat(33)] {
            assert!(refused(|v| drop(check_location(v, "/location", code))), "{code}");
        }
    }

    #[test]
    fn quantities_have_two_ends() {
        for quantity in [i64::MIN, -1, 0, QUANTITY_MAX + 1, i64::MAX] {
            assert!(refused(|v| check_quantity(v, "/quantity", quantity)), "{quantity}");
        }
        assert!(!refused(|v| check_quantity(v, "/quantity", QUANTITY_MAX)));
    }
}
