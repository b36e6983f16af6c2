//! Tax tables: which rate applies to what, where and when.

use kernel::{Error, Rate, Result, Rounding, RoundingLevel, Timestamp, Violations};

/// Rates that one table may have.
pub const RATES_MAX: usize = 200;
/// The class of goods that are not said to be anything else.
pub const STANDARD_CLASS: &str = "standard";
/// One, as a rate in millionths.
const ONE_MICROS: i64 = 1_000_000;
/// Characters of the name of a tax class.
const CLASS_CHARS_MAX: usize = 40;
/// Characters of the name of a tax.
const NAME_CHARS_MAX: usize = 60;

/// Whether prices include tax.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaxMode {
    /// Prices are gross: tax is the share contained in them.
    Inclusive,
    /// Prices are net: tax comes on top.
    Exclusive,
}

/// A tax as it applies to one amount.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppliedTax {
    /// Name on invoices, for example "VAT".
    pub name: String,
    /// Country whose tax it is.
    pub country: String,
    /// Millionths, 0 to 1 000 000.
    pub rate_micros: i64,
}

/// The tax on one class of goods from some time on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxRate {
    /// Tax class of variants.
    pub class: String,
    /// Name on invoices.
    pub name: String,
    /// Millionths, 0 to 1 000 000.
    pub rate_micros: i64,
    /// From when it holds; the epoch means since ever.
    pub valid_from: Timestamp,
}

/// The taxes on what is delivered to one country.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxTable {
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Whether prices for this country include tax.
    pub mode: TaxMode,
    /// By class and time.
    pub rates: Vec<TaxRate>,
    /// From 1; 0 for a country that was never set.
    pub version: i64,
}

/// How checkout computes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How amounts are rounded.
    pub rounding: Rounding,
    /// Where amounts are rounded.
    pub level: RoundingLevel,
    /// Country whose taxes apply when the destination is unknown.
    pub home_country: String,
    /// From 1.
    pub version: i64,
}

impl Settings {
    /// What a shop begins with, as its first migration has it.
    #[must_use]
    pub fn at_first() -> Self {
        let (rounding, level) = (Rounding::HalfEven, RoundingLevel::Line);
        Self { rounding, level, home_country: "GB".to_owned(), version: 1 }
    }
}

impl TaxMode {
    /// The word that is stored.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Inclusive => "inclusive",
            Self::Exclusive => "exclusive",
        }
    }

    /// Reads the stored word.
    ///
    /// # Errors
    /// Internal on any other word.
    pub fn from_word(word: &str) -> Result<Self> {
        match word {
            "inclusive" => Ok(Self::Inclusive),
            "exclusive" => Ok(Self::Exclusive),
            other => Err(Error::internal(format!("{other:?} is not a tax mode"))),
        }
    }
}

impl AppliedTax {
    /// The rate as an exact ratio.
    ///
    /// # Errors
    /// `INVALID_RATE` when negative.
    pub fn rate(&self) -> Result<Rate> {
        Rate::from_micros(self.rate_micros)
    }
}

impl TaxTable {
    /// The table of a country that was never set: delivered to untaxed, as an export, at the listed prices.
    #[must_use]
    pub fn untaxed(country: &str) -> Self {
        Self { country: country.to_owned(), mode: TaxMode::Inclusive, rates: Vec::new(), version: 0 }
    }

    /// The tax on a class of goods at a time: of the class itself, else of the standard class, else none.
    #[must_use]
    pub fn applied(&self, class: &str, at: Timestamp) -> Option<AppliedTax> {
        self.in_force(class, at).or_else(|| self.in_force(STANDARD_CLASS, at)).map(|rate| AppliedTax {
            name: rate.name.clone(),
            country: self.country.clone(),
            rate_micros: rate.rate_micros,
        })
    }

    fn in_force(&self, class: &str, at: Timestamp) -> Option<&TaxRate> {
        self.rates
            .iter()
            .filter(|rate| rate.class == class && rate.valid_from <= at)
            .max_by_key(|rate| rate.valid_from)
    }
}

/// Checks the rates of a table, naming each wrong field below `/rates`, and makes their texts clean.
pub fn check_rates(rates: &mut [TaxRate], violations: &mut Violations) {
    violations.check(rates.len() <= RATES_MAX, "/rates", format!("has more than {RATES_MAX} rates"));
    let mut seen = std::collections::BTreeSet::new();
    for (index, rate) in rates.iter_mut().take(RATES_MAX).enumerate() {
        let at = format!("/rates/{index}");
        rate.class = violations.text(&format!("{at}/tax_class"), &rate.class, CLASS_CHARS_MAX);
        rate.name = violations.text(&format!("{at}/name"), &rate.name, NAME_CHARS_MAX);
        violations.check(
            (0..=ONE_MICROS).contains(&rate.rate_micros),
            format!("{at}/rate_micros"),
            "must be between 0 and 1000000",
        );
        violations.check(
            rate.valid_from.micros() >= 0,
            format!("{at}/valid_from"),
            "must not be before 1970",
        );
        violations.check(
            seen.insert((rate.class.clone(), rate.valid_from)),
            format!("{at}/valid_from"),
            "repeats the class and time of a rate before it",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(class: &str, rate_micros: i64, from: i64) -> TaxRate {
        TaxRate {
            class: class.into(),
            name: "VAT".into(),
            rate_micros,
            valid_from: Timestamp::from_secs(from),
        }
    }

    fn table(rates: Vec<TaxRate>) -> TaxTable {
        TaxTable { country: "GB".into(), mode: TaxMode::Inclusive, rates, version: 1 }
    }

    #[test]
    fn the_latest_rate_that_has_begun_holds() {
        let table = table(vec![
            rate("standard", 175_000, 0),
            rate("standard", 200_000, 100),
            rate("standard", 250_000, 200),
        ]);
        for (at, micros) in
            [(0, 175_000), (99, 175_000), (100, 200_000), (199, 200_000), (200, 250_000), (1000, 250_000)]
        {
            let applied = table.applied("standard", Timestamp::from_secs(at)).expect("a rate");
            assert_eq!(applied.rate_micros, micros, "at {at}");
        }
    }

    #[test]
    fn a_class_without_a_rate_is_standard_and_zero_is_a_rate() {
        let table =
            table(vec![rate("standard", 200_000, 0), rate("zero", 0, 0), rate("reduced", 50_000, 500)]);
        let at = Timestamp::from_secs(100);
        assert_eq!(table.applied("books", at).map(|tax| tax.rate_micros), Some(200_000));
        assert_eq!(table.applied("zero", at).map(|tax| tax.rate_micros), Some(0));
        assert_eq!(
            table.applied("reduced", at).map(|tax| tax.rate_micros),
            Some(200_000),
            "not yet in force"
        );
        assert_eq!(TaxTable::untaxed("US").applied("standard", at), None);
    }

    #[test]
    fn wrong_rates_are_named() {
        let mut violations = Violations::new();
        check_rates(
            &mut [rate("standard", 1_000_001, 0), rate("", 0, 0), rate("a", 1, 7), rate("a", 2, 7)],
            &mut violations,
        );
        let error = violations.finish().expect_err("three wrong");
        let fields: Vec<_> = error.violations().iter().map(|v| v.field.as_str()).collect();
        assert_eq!(fields, ["/rates/0/rate_micros", "/rates/1/tax_class", "/rates/3/valid_from"]);
    }
}
