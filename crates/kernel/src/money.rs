//! Exact money.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Currency, Error, Rounding};

/// An exact amount in the minor unit of its currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Amount in minor units: pence, yen, fils.
    pub minor: i64,
    /// Its currency.
    pub currency: Currency,
}

/// The price of one unit, in millionths of the major unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UnitPrice {
    /// Millionths of the major unit: 2.55 GBP is 2 550 000.
    pub micros: i64,
    /// Its currency.
    pub currency: Currency,
}

/// Why an amount could not be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoneyError {
    /// Two currencies met.
    CurrencyMismatch {
        /// Currency of the left side.
        left: Currency,
        /// Currency of the right side.
        right: Currency,
    },
    /// The result does not fit 64 bits.
    Overflow,
}

impl fmt::Display for MoneyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CurrencyMismatch { left, right } => write!(f, "{left} and {right} cannot be combined"),
            Self::Overflow => f.write_str("the amount is too large"),
        }
    }
}

impl std::error::Error for MoneyError {}

impl From<MoneyError> for Error {
    fn from(error: MoneyError) -> Self {
        let reason = match error {
            MoneyError::CurrencyMismatch { .. } => "CURRENCY_MISMATCH",
            MoneyError::Overflow => "AMOUNT_OVERFLOW",
        };
        Error::invalid(reason, error.to_string())
    }
}

impl Money {
    /// An amount of minor units.
    #[must_use]
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in a currency.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// Whether it is exactly nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// Sum.
    ///
    /// # Errors
    /// Different currencies, or more than 64 bits.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.same(other)?;
        self.minor.checked_add(other.minor).map(|minor| Self { minor, ..self }).ok_or(MoneyError::Overflow)
    }

    /// Difference.
    ///
    /// # Errors
    /// Different currencies, or more than 64 bits.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.same(other)?;
        self.minor.checked_sub(other.minor).map(|minor| Self { minor, ..self }).ok_or(MoneyError::Overflow)
    }

    /// Product with a whole number.
    ///
    /// # Errors
    /// More than 64 bits.
    pub fn times(self, factor: i64) -> Result<Self, MoneyError> {
        self.minor.checked_mul(factor).map(|minor| Self { minor, ..self }).ok_or(MoneyError::Overflow)
    }

    /// The opposite amount.
    ///
    /// # Errors
    /// The smallest amount has no opposite.
    pub fn negated(self) -> Result<Self, MoneyError> {
        self.minor.checked_neg().map(|minor| Self { minor, ..self }).ok_or(MoneyError::Overflow)
    }

    /// Sum of many; zero of `currency` when there are none.
    ///
    /// # Errors
    /// Different currencies, or more than 64 bits.
    pub fn sum(currency: Currency, parts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        parts.into_iter().try_fold(Self::zero(currency), Self::plus)
    }

    /// Splits into parts in proportion to `weights` that sum to exactly this amount (largest remainder).
    ///
    /// # Errors
    /// More than 64 bits. Weights that sum to zero count as equal.
    pub fn split(self, weights: &[u64]) -> Result<Vec<Self>, MoneyError> {
        Ok(allocate(self.minor, weights)?.into_iter().map(|minor| Self { minor, ..self }).collect())
    }

    fn same(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            return Ok(());
        }
        Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency })
    }
}

impl fmt::Display for Money {
    /// `-12.05 GBP`, `700 JPY`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exponent = self.currency.exponent();
        let scale = 10_u64.pow(exponent);
        let (sign, value) = (if self.minor < 0 { "-" } else { "" }, self.minor.unsigned_abs());
        if exponent == 0 {
            return write!(f, "{sign}{value} {}", self.currency);
        }
        let width = exponent as usize;
        write!(f, "{sign}{}.{:0width$} {}", value / scale, value % scale, self.currency)
    }
}

impl UnitPrice {
    /// Millionths of the major unit.
    #[must_use]
    pub const fn new(micros: i64, currency: Currency) -> Self {
        Self { micros, currency }
    }

    /// The amount of `quantity` units, rounded once to the minor unit.
    ///
    /// # Errors
    /// More than 64 bits.
    pub fn times(self, quantity: i64, rounding: Rounding) -> Result<Money, MoneyError> {
        let exact = i128::from(self.micros) * i128::from(quantity);
        let scale = 10_i128.pow(self.currency.exponent());
        let minor = rounding.divide(exact.checked_mul(scale).ok_or(MoneyError::Overflow)?, 1_000_000);
        i64::try_from(minor).map(|minor| Money::new(minor, self.currency)).map_err(|_| MoneyError::Overflow)
    }
}

/// Splits `total` in proportion to `weights`; parts sum to `total`, and differ from the exact share by less than one.
///
/// Largest remainder (Hamilton's method); ties go to the earlier part. Weights that sum to zero count as equal.
///
/// # Errors
/// More than 64 bits.
pub fn allocate(total: i64, weights: &[u64]) -> Result<Vec<i64>, MoneyError> {
    if weights.is_empty() {
        return Ok(Vec::new());
    }
    let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    let equal = vec![1_u64; weights.len()];
    let (weights, sum) = if sum == 0 { (equal.as_slice(), equal.len() as u128) } else { (weights, sum) };
    let amount = u128::from(total.unsigned_abs());
    let mut parts = Vec::with_capacity(weights.len());
    let mut remainders = Vec::with_capacity(weights.len());
    let mut left = amount;
    for (index, weight) in weights.iter().enumerate() {
        let exact = amount * u128::from(*weight);
        parts.push(exact / sum);
        left -= exact / sum;
        remainders.push((exact % sum, index));
    }
    remainders.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    for (_, index) in remainders.into_iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
        parts[index] += 1;
    }
    let sign = if total < 0 { -1_i128 } else { 1 };
    parts
        .into_iter()
        .map(|part| {
            let part = i128::try_from(part).map_err(|_| MoneyError::Overflow)?;
            i64::try_from(sign * part).map_err(|_| MoneyError::Overflow)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_of_a_real_price_list_rounds_once() {
        let price = UnitPrice::new(2_555_000, Currency::GBP);
        assert_eq!(price.times(3, Rounding::HalfEven), Ok(Money::new(766, Currency::GBP)));
        assert_eq!(price.times(1, Rounding::HalfEven), Ok(Money::new(256, Currency::GBP)));
        assert_eq!(
            UnitPrice::new(1_500_000, Currency::JPY).times(1, Rounding::HalfEven),
            Ok(Money::new(2, Currency::JPY))
        );
    }

    #[test]
    fn display_has_the_decimals_of_the_currency() {
        assert_eq!(Money::new(-1205, Currency::GBP).to_string(), "-12.05 GBP");
        assert_eq!(Money::new(700, Currency::JPY).to_string(), "700 JPY");
        assert_eq!(Money::new(5, Currency::KWD).to_string(), "0.005 KWD");
    }

    #[test]
    fn currencies_do_not_mix_and_nothing_overflows() {
        let gbp = Money::new(1, Currency::GBP);
        assert!(matches!(gbp.plus(Money::new(1, Currency::EUR)), Err(MoneyError::CurrencyMismatch { .. })));
        assert_eq!(Money::new(i64::MAX, Currency::GBP).plus(gbp), Err(MoneyError::Overflow));
        assert_eq!(Money::new(i64::MIN, Currency::GBP).negated(), Err(MoneyError::Overflow));
        assert_eq!(
            UnitPrice::new(i64::MAX, Currency::KWD).times(i64::MAX, Rounding::Down),
            Err(MoneyError::Overflow)
        );
    }

    proptest! {
        #[test]
        fn parts_sum_to_the_whole(total in any::<i64>(), weights in prop::collection::vec(any::<u64>(), 1..40)) {
            let parts = allocate(total, &weights).expect("fits");
            prop_assert_eq!(parts.iter().map(|p| i128::from(*p)).sum::<i128>(), i128::from(total));
        }

        #[test]
        fn a_part_is_within_one_of_its_exact_share(total in -1_000_000_i64..1_000_000, weights in prop::collection::vec(0_u64..1000, 1..20)) {
            let sum: i128 = weights.iter().map(|w| i128::from(*w)).sum();
            prop_assume!(sum > 0);
            for (part, weight) in allocate(total, &weights).expect("fits").iter().zip(&weights) {
                let off = i128::from(*part) * sum - i128::from(total) * i128::from(*weight);
                prop_assert!(off.abs() < sum);
            }
        }

        #[test]
        fn adding_and_taking_away_is_nothing(a in any::<i32>(), b in any::<i32>()) {
            let (a, b) = (Money::new(a.into(), Currency::EUR), Money::new(b.into(), Currency::EUR));
            prop_assert_eq!(a.plus(b).and_then(|c| c.minus(b)), Ok(a));
        }
    }
}
