//! The token of a payer's method, and the guard that keeps card numbers out.

use kernel::{Error, Result};

/// A provider's token, for example `pm_card_visa`: `pm_` and 1 to 64 letters, digits or underscores.
///
/// It stands for somebody's card, so it has no `Debug` and is written nowhere but to the provider.
#[derive(Clone, PartialEq, Eq)]
pub struct PaymentMethod(String);

impl PaymentMethod {
    /// Reads a token.
    ///
    /// # Errors
    /// `CARD_NUMBER_REFUSED` for what looks like a card number, `INVALID_ARGUMENT` for anything else that is not a token.
    /// Neither repeats what was given.
    pub fn parse(text: &str) -> Result<Self> {
        if looks_like_a_card_number(text) {
            let told = "looks like a card number; send the provider's token instead";
            return Err(Error::field("/payment_method", "CARD_NUMBER_REFUSED", told));
        }
        let good = text.strip_prefix("pm_").is_some_and(|rest| {
            (1..=64).contains(&rest.len())
                && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        });
        if !good {
            let told = "must be pm_ and 1 to 64 letters, digits or underscores";
            return Err(Error::field("/payment_method", "INVALID_ARGUMENT", told));
        }
        Ok(Self(text.to_owned()))
    }

    /// The token, for the provider.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Whether a text has a run of 13 to 19 digits (blanks, dots and dashes between them do not count) that passes Luhn's
/// check (ISO/IEC 7812-1, annex B), as every card number does.
#[must_use]
pub fn looks_like_a_card_number(text: &str) -> bool {
    let mut digits: Vec<u8> = Vec::new();
    for c in text.chars().chain(std::iter::once('\u{0}')) {
        match c.to_digit(10).and_then(|digit| u8::try_from(digit).ok()) {
            Some(digit) => digits.push(digit),
            None if matches!(c, ' ' | '-' | '.' | '\u{a0}') => {}
            None => {
                if (13..=19).contains(&digits.len()) && passes_luhn(&digits) {
                    return true;
                }
                digits.clear();
            }
        }
    }
    false
}

fn passes_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(*digit);
            match (place % 2, digit) {
                (0, _) => digit,
                (_, 5..) => digit * 2 - 9,
                (_, _) => digit * 2,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tokens_pass_and_nothing_else_does() {
        for token in ["pm_card_visa", "pm_card_chargeDeclined", "pm_1", "pm_0123456789012"] {
            assert_eq!(PaymentMethod::parse(token).expect(token).expose(), token);
        }
        let long = format!("pm_{}", "a".repeat(65));
        for text in ["", "pm_", "visa", "PM_card", "pm_card visa", "pm_cärd", "tok_visa", long.as_str()] {
            let error = PaymentMethod::parse(text).err().expect(text);
            assert_eq!(
                (error.reason(), error.violations()[0].field.as_str()),
                ("INVALID_ARGUMENT", "/payment_method")
            );
        }
    }

    #[test]
    fn a_card_number_is_refused_without_being_repeated() {
        for number in [
            "4242424242424242",
            "4242 4242 4242 4242",
            "pm_4242-4242-4242-4242",
            "378282246310005",
            "x4000002500003155y",
        ] {
            let error = PaymentMethod::parse(number).err().expect(number);
            assert_eq!(error.reason(), "CARD_NUMBER_REFUSED");
            assert!(!format!("{error:?}").contains("4242") && !format!("{error:?}").contains("0005"));
        }
        assert!(!looks_like_a_card_number("4242424242424241"), "fails Luhn's check");
        assert!(!looks_like_a_card_number("42424242"), "too short");
    }

    proptest! {
        #[test]
        fn every_number_with_its_check_digit_is_caught(body in prop::collection::vec(0_u8..10, 12..18)) {
            let mut digits = body;
            digits.push(0);
            let check = (0..10).find(|check| { *digits.last_mut().expect("one") = *check; passes_luhn(&digits) });
            prop_assert!(check.is_some());
            let text: String = digits.iter().map(|digit| char::from(b'0' + digit)).collect();
            prop_assert!(looks_like_a_card_number(&text));
            let spaced: String = text.chars().flat_map(|c| [c, ' ']).collect();
            prop_assert!(looks_like_a_card_number(&spaced));
        }
    }
}
