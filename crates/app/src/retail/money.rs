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

impl From<Money> for WireMoney {
    fn from(money: Money) -> Self {
        Self { currency_code: money.currency.code().to_owned(), minor_units: money.minor }
    }
}
