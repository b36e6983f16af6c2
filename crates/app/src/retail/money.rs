//! Money as the command line's JSON has it.

use kernel::{Currency, Money};
use serde::Serialize;

/// `{"currency_code": "GBP", "minor_units": 82374614}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WireMoney {
    /// ISO 4217.
    pub currency_code: String,
    /// In the currency's minor unit.
    pub minor_units: i64,
}

impl Default for WireMoney {
    /// Nothing, in pounds.
    fn default() -> Self {
        Money::zero(Currency::GBP).into()
    }
}

impl std::fmt::Display for WireMoney {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match Currency::parse(&self.currency_code) {
            Ok(currency) => Money::new(self.minor_units, currency).fmt(f),
            Err(_) => write!(f, "{} {:?}", self.minor_units, self.currency_code),
        }
    }
}

impl From<Money> for WireMoney {
    fn from(money: Money) -> Self {
        Self { currency_code: money.currency.code().to_owned(), minor_units: money.minor }
    }
}
