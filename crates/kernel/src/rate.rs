//! Exact ratios and named rounding.

use serde::{Deserialize, Serialize};

use crate::{Error, Money, MoneyError};

/// How an exact value becomes a whole number of minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// To nearest, ties to even.
    #[default]
    HalfEven,
    /// To nearest, ties away from zero.
    HalfUp,
    /// Toward zero.
    Down,
    /// Away from zero.
    Up,
}

/// Where rounding happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoundingLevel {
    /// Once on each line.
    #[default]
    Line,
    /// Once on the total, then split over the lines.
    Total,
}

impl Rounding {
    /// `numerator / denominator`, rounded. The denominator is positive.
    ///
    /// # Panics
    /// On a denominator of zero.
    #[must_use]
    pub fn divide(self, numerator: i128, denominator: i128) -> i128 {
        let (quotient, rest) = (numerator / denominator, numerator % denominator);
        if rest == 0 {
            return quotient;
        }
        let away = if numerator < 0 { -1 } else { 1 };
        let twice = rest.unsigned_abs().saturating_mul(2);
        let half = denominator.unsigned_abs();
        let up = match self {
            Self::Down => false,
            Self::Up => true,
            Self::HalfUp => twice >= half,
            Self::HalfEven => twice > half || (twice == half && quotient % 2 != 0),
        };
        if up { quotient + away } else { quotient }
    }
}

/// An exact ratio: a tax rate of 20 % is 1/5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rate {
    numerator: i64,
    denominator: i64,
}

impl Rate {
    /// Nothing.
    pub const ZERO: Self = Self { numerator: 0, denominator: 1 };

    /// A ratio.
    ///
    /// # Errors
    /// `INVALID_RATE` on a denominator below one or a negative numerator.
    pub fn new(numerator: i64, denominator: i64) -> Result<Self, Error> {
        if numerator < 0 {
            return Err(Error::invalid("INVALID_RATE", "must not be negative"));
        }
        if denominator < 1 {
            return Err(Error::invalid("INVALID_RATE", "must have a positive denominator"));
        }
        Ok(Self { numerator, denominator })
    }

    /// Millionths: 200 000 is 20 %. This is how rates travel.
    ///
    /// # Errors
    /// `INVALID_RATE` when negative.
    pub fn from_micros(micros: i64) -> Result<Self, Error> {
        Self::new(micros, 1_000_000)
    }

    /// Numerator.
    #[must_use]
    pub const fn numerator(self) -> i64 {
        self.numerator
    }

    /// Denominator, positive.
    #[must_use]
    pub const fn denominator(self) -> i64 {
        self.denominator
    }

    /// This share of an amount: tax on a net amount.
    ///
    /// # Errors
    /// More than 64 bits.
    pub fn of(self, amount: Money, rounding: Rounding) -> Result<Money, MoneyError> {
        let exact = i128::from(amount.minor) * i128::from(self.numerator);
        Self::fit(rounding.divide(exact, i128::from(self.denominator)), amount)
    }

    /// The share contained in an amount that already includes it: tax in a gross amount, `gross × r / (1 + r)`.
    ///
    /// # Errors
    /// More than 64 bits.
    pub fn within(self, gross: Money, rounding: Rounding) -> Result<Money, MoneyError> {
        let exact = i128::from(gross.minor) * i128::from(self.numerator);
        let whole = i128::from(self.denominator) + i128::from(self.numerator);
        Self::fit(rounding.divide(exact, whole), gross)
    }

    fn fit(minor: i128, like: Money) -> Result<Money, MoneyError> {
        i64::try_from(minor).map(|minor| Money::new(minor, like.currency)).map_err(|_| MoneyError::Overflow)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Currency;

    #[test]
    fn modes_differ_only_where_they_should() {
        for (value, even, up, down, away) in [
            (25, 2, 3, 2, 3),
            (35, 4, 4, 3, 4),
            (-25, -2, -3, -2, -3),
            (24, 2, 2, 2, 3),
            (26, 3, 3, 2, 3),
            (20, 2, 2, 2, 2),
        ] {
            assert_eq!(Rounding::HalfEven.divide(value, 10), even);
            assert_eq!(Rounding::HalfUp.divide(value, 10), up);
            assert_eq!(Rounding::Down.divide(value, 10), down);
            assert_eq!(Rounding::Up.divide(value, 10), away);
        }
    }

    #[test]
    fn vat_within_and_on_top() {
        let vat = Rate::from_micros(200_000).expect("20 %");
        assert_eq!(
            vat.within(Money::new(1200, Currency::GBP), Rounding::HalfEven),
            Ok(Money::new(200, Currency::GBP))
        );
        assert_eq!(
            vat.of(Money::new(1000, Currency::GBP), Rounding::HalfEven),
            Ok(Money::new(200, Currency::GBP))
        );
    }

    proptest! {
        #[test]
        fn rounding_is_within_one(numerator in any::<i64>(), denominator in 1_i64..1_000_000) {
            for mode in [Rounding::HalfEven, Rounding::HalfUp, Rounding::Down, Rounding::Up] {
                let rounded = mode.divide(numerator.into(), denominator.into());
                prop_assert!((rounded * i128::from(denominator) - i128::from(numerator)).abs() < i128::from(denominator));
            }
        }
    }
}
