//! Amounts for people and for programs.

use contract::souk::r#type::v1 as pb;
use kernel::Currency;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

/// A currency that a program names: an ISO 4217 code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrencyCode(String);

impl CurrencyCode {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for CurrencyCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        let known = Currency::parse(&code);
        known.map(|_| Self(code)).map_err(|_| serde::de::Error::custom("is not an ISO 4217 code"))
    }
}

impl JsonSchema for CurrencyCode {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CurrencyCode".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "An ISO 4217 code in capitals.", "enum": Currency::codes().collect::<Vec<_>>() })
    }
}

/// An amount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Money {
    /// ISO 4217 code.
    pub currency_code: String,
    /// In the currency's minor unit: pence for GBP.
    pub minor_units: i64,
}

/// A price of one unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Price {
    /// ISO 4217 code.
    pub currency_code: String,
    /// In millionths of the major unit: 2.55 GBP is 2550000.
    pub micros: i64,
}

impl From<pb::Money> for Money {
    fn from(money: pb::Money) -> Self {
        Self { currency_code: money.currency_code, minor_units: money.minor_units }
    }
}

impl From<pb::UnitPrice> for Price {
    fn from(price: pb::UnitPrice) -> Self {
        Self { currency_code: price.currency_code, micros: price.micros }
    }
}

fn exponent(code: &str) -> u32 {
    Currency::parse(code).map_or(2, Currency::exponent)
}

/// The sign of a currency, where it has one that is understood by itself.
fn sign(code: &str) -> Option<&'static str> {
    match code {
        "GBP" => Some("£"),
        "EUR" => Some("€"),
        "USD" => Some("$"),
        "JPY" => Some("¥"),
        _ => None,
    }
}

/// Digits with a comma at each thousand.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// An amount in its smallest shown unit, with so many decimals.
fn written(code: &str, amount: i64, decimals: u32) -> String {
    let scale = 10_u64.saturating_pow(decimals);
    let (whole, part) = (amount.unsigned_abs() / scale, amount.unsigned_abs() % scale);
    let minus = if amount < 0 { "−" } else { "" };
    let mut number = grouped(whole);
    if decimals > 0 {
        let width = decimals as usize;
        number.push_str(&format!(".{part:0width$}"));
    }
    match sign(code) {
        Some(sign) => format!("{minus}{sign}{number}"),
        None => format!("{minus}{code}\u{a0}{number}"),
    }
}

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&written(&self.currency_code, self.minor_units, exponent(&self.currency_code)))
    }
}

impl std::fmt::Display for Price {
    /// With the currency's decimals, and more where the price has them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (mut micros, mut decimals) = (self.micros, 6);
        while decimals > exponent(&self.currency_code) && micros % 10 == 0 {
            micros /= 10;
            decimals -= 1;
        }
        f.write_str(&written(&self.currency_code, micros, decimals))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(code: &str, minor_units: i64) -> String {
        Money { currency_code: code.into(), minor_units }.to_string()
    }

    fn price(code: &str, micros: i64) -> String {
        Price { currency_code: code.into(), micros }.to_string()
    }

    #[test]
    fn amounts_read_as_people_write_them() {
        assert_eq!(money("GBP", 2450), "£24.50");
        assert_eq!(money("EUR", 5), "€0.05");
        assert_eq!(money("JPY", 1_234_567), "¥1,234,567");
        assert_eq!(money("KWD", 1_500), "KWD\u{a0}1.500");
        assert_eq!(money("GBP", -100), "−£1.00");
        assert_eq!(money("GBP", i64::MIN), "−£92,233,720,368,547,758.08");
    }

    #[test]
    fn prices_show_all_they_have() {
        assert_eq!(price("GBP", 18_000_000), "£18.00");
        assert_eq!(price("GBP", 1_255_000), "£1.255");
        assert_eq!(price("JPY", 300_000_000), "¥300");
        assert_eq!(price("GBP", 0), "£0.00");
    }
}
