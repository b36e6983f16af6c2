//! Shared words to and from protobuf.
//!
//! `parse_…` takes the JSON pointer of the field, so that an error names it: `parse_money("/price", &request.price)`.
//! What is absent is an error; wrap it in [`optional`] where it may be.

mod address;

use std::str::FromStr;
use std::time::Duration;

use kernel::{Currency, Error, Money, Rate, Result, Rounding, RoundingLevel, Timestamp, UnitPrice};

pub use self::address::{deliverable_address, parse_address, parse_country, parse_frozen_address};
use crate::souk::r#type::v1;

/// Seconds of 0001-01-01T00:00:00Z, the first that `google.protobuf.Timestamp` allows.
const SECONDS_MIN: i64 = -62_135_596_800;
/// Seconds of 9999-12-31T23:59:59Z, the last that it allows.
const SECONDS_MAX: i64 = 253_402_300_799;
/// The longest `google.protobuf.Duration`, about 10,000 years.
const DURATION_SECONDS_MAX: u64 = 315_576_000_000;

fn required(pointer: &str) -> Error {
    Error::field(pointer, "INVALID_ARGUMENT", "is required")
}

/// Parses what may be absent: `optional(&request.price, |price| parse_money("/price", price))`.
///
/// # Errors
/// Those of `parse`.
pub fn optional<T, U>(value: &Option<T>, parse: impl FnOnce(&Option<T>) -> Result<U>) -> Result<Option<U>> {
    if value.is_some() { parse(value).map(Some) } else { Ok(None) }
}

/// An amount for the wire.
#[must_use]
pub fn money(money: Money) -> v1::Money {
    v1::Money { currency_code: money.currency.code().to_owned(), minor_units: money.minor }
}

/// An amount from the wire; any sign.
///
/// # Errors
/// `INVALID_ARGUMENT` when absent, `INVALID_CURRENCY`.
pub fn parse_money(pointer: &str, value: &Option<v1::Money>) -> Result<Money> {
    let value = value.as_ref().ok_or_else(|| required(pointer))?;
    Ok(Money::new(
        value.minor_units,
        parse_currency(&format!("{pointer}/currency_code"), &value.currency_code)?,
    ))
}

/// A unit price for the wire.
#[must_use]
pub fn unit_price(price: UnitPrice) -> v1::UnitPrice {
    v1::UnitPrice { currency_code: price.currency.code().to_owned(), micros: price.micros }
}

/// A unit price from the wire; any sign.
///
/// # Errors
/// `INVALID_ARGUMENT` when absent, `INVALID_CURRENCY`.
pub fn parse_unit_price(pointer: &str, value: &Option<v1::UnitPrice>) -> Result<UnitPrice> {
    let value = value.as_ref().ok_or_else(|| required(pointer))?;
    Ok(UnitPrice::new(
        value.micros,
        parse_currency(&format!("{pointer}/currency_code"), &value.currency_code)?,
    ))
}

/// A currency code.
///
/// # Errors
/// `INVALID_CURRENCY`.
pub fn parse_currency(pointer: &str, code: &str) -> Result<Currency> {
    Currency::parse(code).map_err(|error| error.at(pointer))
}

/// A point in time for the wire.
#[must_use]
pub fn timestamp(time: Timestamp) -> prost_types::Timestamp {
    let nanos = i32::try_from(time.micros().rem_euclid(1_000_000) * 1000).expect("below 10⁹");
    prost_types::Timestamp { seconds: time.secs(), nanos }
}

/// A point in time from the wire, of the years 1 to 9999; what is below a microsecond is dropped.
///
/// # Errors
/// `INVALID_ARGUMENT` when absent or out of range.
pub fn parse_timestamp(pointer: &str, value: &Option<prost_types::Timestamp>) -> Result<Timestamp> {
    let value = value.as_ref().ok_or_else(|| required(pointer))?;
    let good =
        (SECONDS_MIN..=SECONDS_MAX).contains(&value.seconds) && (0..1_000_000_000).contains(&value.nanos);
    if !good {
        return Err(Error::field(pointer, "INVALID_ARGUMENT", "is not a time of the years 1 to 9999"));
    }
    Ok(Timestamp::from_micros(value.seconds * 1_000_000 + i64::from(value.nanos) / 1000))
}

/// A length of time for the wire, at most about 10,000 years.
#[must_use]
pub fn duration(duration: Duration) -> prost_types::Duration {
    let seconds = i64::try_from(duration.as_secs().min(DURATION_SECONDS_MAX)).expect("bounded above");
    let nanos = i32::try_from(duration.subsec_nanos()).expect("below 10⁹");
    prost_types::Duration { seconds, nanos }
}

/// A length of time from the wire, not negative.
///
/// # Errors
/// `INVALID_ARGUMENT` when absent, negative or out of range.
pub fn parse_duration(pointer: &str, value: &Option<prost_types::Duration>) -> Result<Duration> {
    let value = value.as_ref().ok_or_else(|| required(pointer))?;
    match (u64::try_from(value.seconds), u32::try_from(value.nanos)) {
        (Ok(seconds), Ok(nanos)) if seconds <= DURATION_SECONDS_MAX && nanos < 1_000_000_000 => {
            Ok(Duration::new(seconds, nanos))
        }
        _ => Err(Error::field(pointer, "INVALID_ARGUMENT", "is not a length of time from zero up")),
    }
}

/// A checked page request; absent means the first page of the default size. It stands at `/page` in every request.
///
/// # Errors
/// `INVALID_LIMIT`, `INVALID_CURSOR`.
pub fn page(value: &Option<v1::PageRequest>) -> Result<kernel::PageRequest> {
    match value {
        Some(page) => kernel::PageRequest::new(page.limit, page.cursor.clone()),
        None => kernel::PageRequest::new(0, String::new()),
    }
}

/// How a list goes on, for the wire; `None` when this was the last page.
#[must_use]
pub fn page_info(next: Option<String>) -> v1::PageInfo {
    v1::PageInfo { next_cursor: next.unwrap_or_default() }
}

/// An id: `parse_id::<OrderId>("/order_id", &request.order_id)`.
///
/// # Errors
/// `INVALID_ARGUMENT` when empty, `INVALID_ID` when it is none of its kind.
pub fn parse_id<T: FromStr<Err = Error>>(pointer: &str, text: &str) -> Result<T> {
    if text.is_empty() {
        return Err(required(pointer));
    }
    text.parse().map_err(|error: Error| error.at(pointer))
}

/// An id that may be left empty.
///
/// # Errors
/// `INVALID_ID`.
pub fn parse_optional_id<T: FromStr<Err = Error>>(pointer: &str, text: &str) -> Result<Option<T>> {
    if text.is_empty() { Ok(None) } else { parse_id(pointer, text).map(Some) }
}

/// A value of an enum of a contract; neither the unspecified one nor one that this release does not know.
///
/// # Errors
/// `INVALID_ARGUMENT`.
pub fn parse_enum<E: TryFrom<i32> + Default + PartialEq>(pointer: &str, value: i32) -> Result<E> {
    match E::try_from(value) {
        Ok(value) if value != E::default() => Ok(value),
        Ok(_) => Err(required(pointer)),
        Err(_) => {
            Err(Error::field(pointer, "INVALID_ARGUMENT", format!("must be a known value, not {value}")))
        }
    }
}

/// A rounding mode for the wire.
#[must_use]
pub fn rounding(rounding: Rounding) -> v1::RoundingMode {
    match rounding {
        Rounding::HalfEven => v1::RoundingMode::HalfEven,
        Rounding::HalfUp => v1::RoundingMode::HalfUp,
        Rounding::Down => v1::RoundingMode::Down,
        Rounding::Up => v1::RoundingMode::Up,
    }
}

/// A rounding mode from the wire.
///
/// # Errors
/// `INVALID_ARGUMENT` when unspecified or unknown.
pub fn parse_rounding(pointer: &str, value: i32) -> Result<Rounding> {
    match parse_enum(pointer, value)? {
        v1::RoundingMode::HalfEven => Ok(Rounding::HalfEven),
        v1::RoundingMode::HalfUp => Ok(Rounding::HalfUp),
        v1::RoundingMode::Down => Ok(Rounding::Down),
        v1::RoundingMode::Up => Ok(Rounding::Up),
        v1::RoundingMode::Unspecified => Err(required(pointer)),
    }
}

/// A rounding level for the wire.
#[must_use]
pub fn rounding_level(level: RoundingLevel) -> v1::RoundingLevel {
    match level {
        RoundingLevel::Line => v1::RoundingLevel::Line,
        RoundingLevel::Total => v1::RoundingLevel::Total,
    }
}

/// A rounding level from the wire.
///
/// # Errors
/// `INVALID_ARGUMENT` when unspecified or unknown.
pub fn parse_rounding_level(pointer: &str, value: i32) -> Result<RoundingLevel> {
    match parse_enum(pointer, value)? {
        v1::RoundingLevel::Line => Ok(RoundingLevel::Line),
        v1::RoundingLevel::Total => Ok(RoundingLevel::Total),
        v1::RoundingLevel::Unspecified => Err(required(pointer)),
    }
}

/// A rate in millionths, for the wire: 20 % is 200,000. Rates are made from millionths; another ratio is rounded to
/// the nearest, and one above 9 × 10¹² is cut there.
#[must_use]
pub fn rate_micros(rate: Rate) -> i64 {
    let exact = i128::from(rate.numerator()) * 1_000_000;
    i64::try_from(Rounding::HalfEven.divide(exact, i128::from(rate.denominator()))).unwrap_or(i64::MAX)
}

/// A rate from millionths, not negative.
///
/// # Errors
/// `INVALID_RATE`.
pub fn parse_rate(pointer: &str, micros: i64) -> Result<Rate> {
    Rate::from_micros(micros).map_err(|error| error.at(pointer))
}

#[cfg(test)]
mod tests {
    use kernel::{OrderId, QuoteId};
    use proptest::prelude::*;

    use super::*;

    fn field_of<T: std::fmt::Debug>(result: Result<T>) -> String {
        result.expect_err("refused").violations()[0].field.clone()
    }

    #[test]
    fn what_is_absent_is_named() {
        assert_eq!(field_of(parse_money("/price", &None)), "/price");
        assert_eq!(field_of(parse_unit_price("/lines/2/price", &None)), "/lines/2/price");
        assert_eq!(field_of(parse_timestamp("/at", &None)), "/at");
        assert_eq!(field_of(parse_id::<OrderId>("/order_id", "")), "/order_id");
        assert_eq!(field_of(parse_rounding("/rounding", 0)), "/rounding");
        assert_eq!(optional(&None, |money| parse_money("/price", money)).expect("may be absent"), None);
    }

    #[test]
    fn a_wrong_currency_is_named_inside() {
        let price = Some(v1::Money { currency_code: "gbp".into(), minor_units: 1 });
        let error = parse_money("/price", &price).expect_err("small letters");
        assert_eq!(
            (error.reason(), error.violations()[0].field.as_str()),
            ("INVALID_CURRENCY", "/price/currency_code")
        );
    }

    #[test]
    fn what_is_wrong_reads_on_from_the_fields_name() {
        let far = prost_types::Timestamp { seconds: i64::MAX, nanos: 0 };
        let long = prost_types::Duration { seconds: -1, nanos: 0 };
        let errors = [
            parse_money("/a", &None).map(drop),
            parse_money("/a", &Some(v1::Money { currency_code: "gbp".into(), minor_units: 1 })).map(drop),
            parse_unit_price("/a", &Some(v1::UnitPrice { currency_code: "?".into(), micros: 1 })).map(drop),
            parse_currency("/a", "XXXX").map(drop),
            parse_timestamp("/a", &Some(far)).map(drop),
            parse_duration("/a", &Some(long)).map(drop),
            page(&Some(v1::PageRequest { limit: -1, cursor: String::new() })).map(drop),
            page(&Some(v1::PageRequest { limit: 1, cursor: "x".repeat(10_000) })).map(drop),
            parse_id::<OrderId>("/a", "").map(drop),
            parse_id::<OrderId>("/a", "ord_x").map(drop),
            parse_enum::<v1::RoundingMode>("/a", 99).map(drop),
            parse_rounding("/a", 0).map(drop),
            parse_rounding_level("/a", 0).map(drop),
            parse_rate("/a", -1).map(drop),
            parse_country("/a", "gb").map(drop),
            parse_address("/a", &None).map(drop),
        ];
        for (case, error) in errors.into_iter().enumerate() {
            let error = error.expect_err("refused");
            let wrong = &error.violations()[0];
            assert_eq!(error.message(), format!("{} {}", wrong.field, wrong.description), "{case}");
            let verb = wrong.description.split(' ').next().unwrap_or_default();
            assert!(["is", "must", "has", "names"].contains(&verb), "{case}: {wrong:?}");
        }
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let quote = QuoteId::from_bits(7).to_string();
        let error = parse_id::<OrderId>("/order_id", &quote).expect_err("a quote's id");
        assert_eq!((error.reason(), error.violations()[0].field.as_str()), ("INVALID_ID", "/order_id"));
        assert_eq!(parse_optional_id::<OrderId>("/order_id", "").expect("may be empty"), None);
        assert_eq!(parse_id::<QuoteId>("/quote_id", &quote).expect("its own kind"), QuoteId::from_bits(7));
    }

    #[test]
    fn enums_come_back_and_unknown_values_do_not() {
        for mode in [Rounding::HalfEven, Rounding::HalfUp, Rounding::Down, Rounding::Up] {
            assert_eq!(parse_rounding("/r", rounding(mode).into()).expect("own value"), mode);
        }
        for level in [RoundingLevel::Line, RoundingLevel::Total] {
            assert_eq!(parse_rounding_level("/l", rounding_level(level).into()).expect("own value"), level);
        }
        assert_eq!(field_of(parse_rounding_level("/l", 99)), "/l");
    }

    #[test]
    fn pages_have_a_default_and_a_limit() {
        assert_eq!(page(&None).expect("first page").limit, kernel::DEFAULT_LIMIT);
        assert_eq!(
            field_of(page(&Some(v1::PageRequest { limit: 101, cursor: String::new() }))),
            "/page/limit"
        );
        assert_eq!(page_info(None).next_cursor, "");
    }

    #[test]
    fn times_outside_the_calendar_are_refused() {
        for (seconds, nanos) in
            [(SECONDS_MIN - 1, 0), (SECONDS_MAX + 1, 0), (0, -1), (0, 1_000_000_000), (i64::MAX, 0)]
        {
            assert_eq!(
                field_of(parse_timestamp("/at", &Some(prost_types::Timestamp { seconds, nanos }))),
                "/at"
            );
            let long =
                prost_types::Duration { seconds: seconds.saturating_abs().saturating_neg(), nanos: -1 };
            assert_eq!(field_of(parse_duration("/for", &Some(long))), "/for");
        }
    }

    proptest! {
        #[test]
        fn amounts_come_back(minor in any::<i64>()) {
            let amount = Money::new(minor, Currency::KWD);
            prop_assert_eq!(parse_money("/a", &Some(money(amount))).expect("own value"), amount);
            let price = UnitPrice::new(minor, Currency::JPY);
            prop_assert_eq!(parse_unit_price("/p", &Some(unit_price(price))).expect("own value"), price);
        }

        #[test]
        fn times_come_back(micros in SECONDS_MIN * 1_000_000..SECONDS_MAX * 1_000_000) {
            let time = Timestamp::from_micros(micros);
            prop_assert_eq!(parse_timestamp("/t", &Some(timestamp(time))).expect("own value"), time);
        }

        #[test]
        fn lengths_of_time_come_back(seconds in 0..DURATION_SECONDS_MAX, nanos in 0..1_000_000_000_u32) {
            let length = Duration::new(seconds, nanos);
            prop_assert_eq!(parse_duration("/d", &Some(duration(length))).expect("own value"), length);
        }

        #[test]
        fn rates_come_back(micros in 0..i64::MAX) {
            prop_assert_eq!(rate_micros(parse_rate("/rate", micros).expect("not negative")), micros);
        }
    }
}
