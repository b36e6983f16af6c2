//! Lines of a hold: what is wanted, summed and compared with what is left.

use std::collections::{BTreeMap, BTreeSet};

use kernel::Violations;
use serde::{Deserialize, Serialize};

use super::{Place, check_location, check_quantity, check_sku};

/// The most lines of a hold.
const LINES_MAX: usize = 2000;
/// The most characters of a line's id.
const LINE_ID_CHARS_MAX: usize = 64;

/// One line of a hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldLine {
    /// The order's line; unique within the hold.
    pub line: String,
    /// The SKU.
    pub sku: String,
    /// Code of the location.
    pub location: String,
    /// Units, from 1.
    pub quantity: i64,
}

/// A line that wants more than is left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shortage {
    /// The order's line.
    pub line_id: String,
    /// The SKU.
    pub sku: String,
    /// Units that the line wants.
    pub wanted: i64,
    /// Units that are left of the SKU at the line's location.
    pub available: i64,
}

/// Checks lines; each has an id of its own, and a location, which is `main` where none is named.
pub(super) fn check_lines(violations: &mut Violations, lines: Vec<HoldLine>) -> Vec<HoldLine> {
    violations.check((1..=LINES_MAX).contains(&lines.len()), "/lines", "must have 1 to 2000 lines");
    let mut seen = BTreeSet::new();
    let mut checked = Vec::with_capacity(lines.len().min(LINES_MAX));
    for (index, mut line) in lines.into_iter().take(LINES_MAX).enumerate() {
        let pointer = |field: &str| format!("/lines/{index}/{field}");
        let good = (1..=LINE_ID_CHARS_MAX).contains(&line.line.len())
            && line.line.bytes().all(|b| b.is_ascii_graphic());
        violations.check(good, pointer("line_id"), "must be 1 to 64 visible ASCII characters");
        violations.check(seen.insert(line.line.clone()), pointer("line_id"), "repeats a line before it");
        check_sku(violations, &pointer("sku"), &line.sku);
        check_quantity(violations, &pointer("quantity"), line.quantity);
        line.location = check_location(violations, &pointer("location"), &line.location);
        checked.push(line);
    }
    checked
}

/// Units per SKU and location, in the order in which counters are touched.
///
/// Lines are checked before, so that no sum passes 64 bits: 2000 lines of 10⁹ units.
#[must_use]
pub fn sum_by_place(lines: &[HoldLine]) -> BTreeMap<Place, i64> {
    let mut sums = BTreeMap::new();
    for line in lines {
        *sums.entry(Place::new(&line.sku, &line.location)).or_insert(0_i64) += line.quantity;
    }
    sums
}

/// The lines that cannot be held with what is left; all lines of a place whose sum is too large, in the hold's order.
#[must_use]
pub fn shortages(lines: &[HoldLine], available: impl Fn(&Place) -> i64) -> Vec<Shortage> {
    let sums = sum_by_place(lines);
    let short: BTreeMap<&Place, i64> = sums
        .iter()
        .map(|(place, wanted)| (place, wanted, available(place)))
        .filter(|(_, wanted, left)| left < wanted)
        .map(|(p, _, l)| (p, l))
        .collect();
    let shortage = |line: &HoldLine| {
        let available = *short.get(&Place::new(&line.sku, &line.location))?;
        Some(Shortage { line_id: line.line.clone(), sku: line.sku.clone(), wanted: line.quantity, available })
    };
    lines.iter().filter_map(shortage).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: &str, sku: &str, quantity: i64) -> HoldLine {
        HoldLine { line: id.to_owned(), sku: sku.to_owned(), location: "main".to_owned(), quantity }
    }

    #[test]
    fn quantities_are_summed_by_place_in_key_order() {
        let lines = [line("l1", "b", 2), line("l2", "a", 1), line("l3", "b", 3), line("l4", "A", 1)];
        let sums: Vec<_> =
            sum_by_place(&lines).into_iter().map(|(place, units)| (place.sku, units)).collect();
        assert_eq!(sums, [("A".to_owned(), 1), ("a".to_owned(), 1), ("b".to_owned(), 5)]);
    }

    #[test]
    fn all_lines_of_a_short_place_are_named() {
        let lines = [line("l1", "b", 2), line("l2", "a", 1), line("l3", "b", 3)];
        let shortages = shortages(&lines, |place| if place.sku == "b" { 4 } else { 10 });
        let told: Vec<_> = shortages.iter().map(|s| (s.line_id.as_str(), s.wanted, s.available)).collect();
        assert_eq!(told, [("l1", 2, 4), ("l3", 3, 4)]);
    }
}
