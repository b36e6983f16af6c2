//! ISO 4217 currencies.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Error;

/// An ISO 4217 currency in use. Three capitals; its exponent says how many decimals the minor unit has.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

/// Currencies whose minor unit is not 1/100 (ISO 4217 list one, 2024).
const EXPONENTS: &[(&[u8; 3], u32)] = &[
    (b"BHD", 3),
    (b"BIF", 0),
    (b"CLF", 4),
    (b"CLP", 0),
    (b"DJF", 0),
    (b"GNF", 0),
    (b"IQD", 3),
    (b"ISK", 0),
    (b"JOD", 3),
    (b"JPY", 0),
    (b"KMF", 0),
    (b"KRW", 0),
    (b"KWD", 3),
    (b"LYD", 3),
    (b"OMR", 3),
    (b"PYG", 0),
    (b"RWF", 0),
    (b"TND", 3),
    (b"UGX", 0),
    (b"UYI", 0),
    (b"UYW", 4),
    (b"VND", 0),
    (b"VUV", 0),
    (b"XAF", 0),
    (b"XOF", 0),
    (b"XPF", 0),
];

/// Active ISO 4217 codes with two decimals (list one, 2024, without funds, metals and test codes).
const TWO_DECIMALS: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW";

impl Currency {
    /// Pound sterling.
    pub const GBP: Self = Self(*b"GBP");
    /// Euro.
    pub const EUR: Self = Self(*b"EUR");
    /// United States dollar.
    pub const USD: Self = Self(*b"USD");
    /// Japanese yen, without decimals.
    pub const JPY: Self = Self(*b"JPY");
    /// Kuwaiti dinar, with three decimals.
    pub const KWD: Self = Self(*b"KWD");

    /// The codes of all currencies.
    pub fn codes() -> impl Iterator<Item = &'static str> {
        let others = EXPONENTS.iter().filter_map(|(code, _)| std::str::from_utf8(*code).ok());
        TWO_DECIMALS.split(' ').chain(others)
    }

    /// Reads a code in capitals.
    ///
    /// # Errors
    /// `INVALID_CURRENCY` when the code is no active ISO 4217 currency.
    pub fn parse(code: &str) -> Result<Self, Error> {
        let known = code.len() == 3
            && (TWO_DECIMALS.split(' ').any(|known| known == code)
                || EXPONENTS.iter().any(|(known, _)| known.as_slice() == code.as_bytes()));
        match (known, <[u8; 3]>::try_from(code.as_bytes())) {
            (true, Ok(bytes)) => Ok(Self(bytes)),
            _ => Err(Error::invalid("INVALID_CURRENCY", "is not an ISO 4217 currency code in capitals")),
        }
    }

    /// The code, for example `GBP`.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// Decimals of the minor unit: 2 for GBP, 0 for JPY, 3 for KWD.
    #[must_use]
    pub fn exponent(self) -> u32 {
        EXPONENTS.iter().find(|(code, _)| **code == self.0).map_or(2, |(_, exponent)| *exponent)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&code).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_follow_iso_4217() {
        for (code, exponent) in [("GBP", 2), ("JPY", 0), ("KWD", 3), ("EUR", 2), ("ISK", 0)] {
            assert_eq!(Currency::parse(code).expect(code).exponent(), exponent, "{code}");
        }
    }

    #[test]
    fn what_is_no_currency_is_refused() {
        for code in ["", "gbp", "GB", "GBPX", "ZZZ", "€", "G P"] {
            assert_eq!(Currency::parse(code).expect_err(code).reason(), "INVALID_CURRENCY");
        }
    }
}
