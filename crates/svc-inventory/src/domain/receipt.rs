//! What arrives, and what is corrected.

use std::collections::BTreeSet;

use kernel::{Error, Result, Violations, sku};

use super::place::take_sku;
use super::{MovementKind, Place, QUANTITY_MAX, check_location, check_quantity, check_sku};

/// The most lines that one call receives.
const LINES_MAX: usize = 1000;
/// The most characters of a receipt's reference.
const REFERENCE_CHARS_MAX: usize = 200;
/// The most characters of an adjustment's note.
const NOTE_CHARS_MAX: usize = 200;

/// One line of what arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Which counter it adds to.
    pub place: Place,
    /// Units, from 1.
    pub quantity: i64,
    /// Its name, unique for ever.
    pub reference: String,
}

/// Why a counter is corrected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdjustmentReason {
    /// Broken, lost or thrown away.
    WriteOff,
    /// A count found another number.
    Count,
}

/// A correction of a counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjustment {
    /// Which counter.
    pub place: Place,
    /// What moves.
    pub kind: MovementKind,
    /// Units as the ledger has them: positive when written off, signed after a count.
    pub quantity: i64,
    /// What it was.
    pub note: String,
}

/// Checks what arrived; every line has a reference of its own.
///
/// # Errors
/// `INVALID_ARGUMENT` naming every wrong field below `/lines`.
pub fn check_references(lines: Vec<(String, String, i64, String)>) -> Result<Vec<Receipt>> {
    let mut violations = Violations::new();
    violations.check((1..=LINES_MAX).contains(&lines.len()), "/lines", "must have 1 to 1000 lines");
    let mut seen = BTreeSet::new();
    let mut receipts = Vec::with_capacity(lines.len().min(LINES_MAX));
    for (index, (sku, location, quantity, reference)) in lines.into_iter().take(LINES_MAX).enumerate() {
        let pointer = |field: &str| format!("/lines/{index}/{field}");
        let sku = take_sku(&mut violations, &pointer("sku"), &sku);
        check_quantity(&mut violations, &pointer("quantity"), quantity);
        let location = check_location(&mut violations, &pointer("location"), &location);
        let reference = violations.text(&pointer("reference"), &reference, REFERENCE_CHARS_MAX);
        violations.check(seen.insert(reference.clone()), pointer("reference"), "repeats a line before it");
        receipts.push(Receipt { place: Place::new(sku, location), quantity, reference });
    }
    violations.finish()?;
    Ok(receipts)
}

impl Receipt {
    /// Checks that what was received under this reference is what this line says.
    ///
    /// # Errors
    /// `REFERENCE_REUSED` when it was something else.
    pub fn same_as(&self, place: &Place, quantity: i64) -> Result<()> {
        let is_of_sku = sku::normal(&self.place.sku) == sku::normal(&place.sku);
        if is_of_sku && (&self.place.location, self.quantity) == (&place.location, quantity) {
            return Ok(());
        }
        let message = "was received before, with another SKU, location or quantity";
        Err(Error::field("/reference", "REFERENCE_REUSED", message))
    }
}

impl Adjustment {
    /// Checks a correction.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` naming every wrong field.
    pub fn new(sku: &str, location: &str, change: i64, reason: AdjustmentReason, note: &str) -> Result<Self> {
        let mut violations = Violations::new();
        check_sku(&mut violations, "/sku", sku);
        let location = check_location(&mut violations, "/location", location);
        let possible = change != 0 && (-QUANTITY_MAX..=QUANTITY_MAX).contains(&change);
        violations.check(possible, "/change", "must be between -1000000000 and 1000000000, and not 0");
        let (kind, quantity) = match reason {
            AdjustmentReason::WriteOff => {
                violations.check(change <= 0, "/change", "must be negative for a write-off");
                (MovementKind::WrittenOff, change.saturating_neg())
            }
            AdjustmentReason::Count => (MovementKind::Adjusted, change),
        };
        let note = violations.optional_lines("/note", note, NOTE_CHARS_MAX);
        violations.finish()?;
        Ok(Self { place: Place::new(sku, location), kind, quantity, note })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(sku: &str, quantity: i64, reference: &str) -> (String, String, i64, String) {
        (sku.to_owned(), String::new(), quantity, reference.to_owned())
    }

    #[test]
    fn every_wrong_line_is_named() {
        let error =
            check_references(vec![row("", 0, ""), row("a", 1, "r"), row("b", 1, "r")]).expect_err("wrong");
        let fields: Vec<_> = error.violations().iter().map(|v| v.field.as_str()).collect();
        assert_eq!(fields, ["/lines/0/sku", "/lines/0/quantity", "/lines/0/reference", "/lines/2/reference"]);
        assert!(check_references(Vec::new()).is_err());
        assert!(check_references((0..1001).map(|n| row("a", 1, &n.to_string())).collect()).is_err());
    }

    #[test]
    fn a_reference_means_one_thing() {
        let receipt = check_references(vec![row("a", 2, "r")]).expect("good").remove(0);
        assert!(receipt.same_as(&Place::new("a", "main"), 2).is_ok());
        for (place, quantity) in
            [(Place::new("A", "main"), 2), (Place::new("a", "main"), 3), (Place::new("a", "paris"), 2)]
        {
            assert_eq!(receipt.same_as(&place, quantity).expect_err("other").reason(), "REFERENCE_REUSED");
        }
    }

    #[test]
    fn a_sku_is_received_in_the_form_in_which_it_is_stored() {
        let receipt = check_references(vec![row("N-e\u{301}", 2, "r")]).expect("good").remove(0);
        assert_eq!(receipt.place.sku, "N-é");
        assert!(
            receipt.same_as(&Place::new("N-e\u{301}", "main"), 2).is_ok(),
            "received by an earlier release"
        );
        for sku in ["\u{200b}", "\u{202e}a\u{202c}", "\u{3164}", "a\u{378}b", &"é".repeat(33)] {
            let error = check_references(vec![row(sku, 2, "r")]).expect_err(sku);
            assert_eq!(error.violations()[0].field, "/lines/0/sku");
        }
    }

    #[test]
    fn a_write_off_takes_and_a_count_goes_both_ways() {
        let off = Adjustment::new("a", "", -3, AdjustmentReason::WriteOff, "broken").expect("good");
        assert_eq!((off.kind, off.quantity), (MovementKind::WrittenOff, 3));
        let count = Adjustment::new("a", "", -3, AdjustmentReason::Count, "").expect("good");
        assert_eq!((count.kind, count.quantity), (MovementKind::Adjusted, -3));
        for (change, reason) in [
            (3, AdjustmentReason::WriteOff),
            (0, AdjustmentReason::Count),
            (i64::MIN, AdjustmentReason::WriteOff),
        ] {
            assert_eq!(
                Adjustment::new("a", "", change, reason, "").expect_err("wrong").violations()[0].field,
                "/change"
            );
        }
    }
}
