//! Whole numbers as JSON has them: `3.0` is `3`.

use std::fmt;

use serde::de::{Deserializer, Error, Visitor};

/// Reads a whole number, however JSON writes it.
///
/// # Errors
/// What the deserializer says; for a number that is not whole or does not fit.
pub fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    deserializer.deserialize_i32(Whole)
}

struct Whole;

impl Visitor<'_> for Whole {
    type Value = i32;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a whole number")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<i32, E> {
        i32::try_from(number).map_err(|_| E::custom(format!("{number} is too far from zero")))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<i32, E> {
        i32::try_from(number).map_err(|_| E::custom(format!("{number} is too far from zero")))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<i32, E> {
        // Within these bounds and whole, the conversion is exact.
        if number.fract() == 0.0 && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number) {
            #[expect(clippy::cast_possible_truncation, reason = "it is whole and fits")]
            return Ok(number as i32);
        }
        Err(E::custom(format!("{number} is not a whole number that fits")))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use crate::input;
    use serde_json::Value;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Line {
        #[serde(deserialize_with = "super::whole")]
        quantity: i32,
    }

    #[test]
    fn a_whole_number_may_have_a_point() {
        for text in [r#"{"quantity": 3}"#, r#"{"quantity": 3.0}"#, r#"{"quantity": 3e0}"#] {
            assert_eq!(input::json::<Line>(text.as_bytes(), &Value::Null).expect(text), Line { quantity: 3 });
        }
        for text in
            [r#"{"quantity": 3.5}"#, r#"{"quantity": 1e30}"#, r#"{"quantity": "3"}"#, r#"{"quantity": null}"#]
        {
            assert_eq!(
                input::json::<Line>(text.as_bytes(), &Value::Null).expect_err(text).violations()[0].field,
                "/quantity"
            );
        }
        assert_eq!(input::form::<Line>("quantity=3", &Value::Null).expect("a form"), Line { quantity: 3 });
        assert!(input::form::<Line>("quantity=3.5", &Value::Null).is_err());
    }
}
