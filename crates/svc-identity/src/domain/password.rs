//! Passwords: what is accepted, and how they are kept out of sight.

use kernel::{Email, Error, Result};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// Fewest characters (NIST SP 800-63B, 5.1.1.2).
const CHARS_MIN: usize = 8;
/// Most characters.
const CHARS_MAX: usize = 256;
/// Most bytes that are looked at: four for each character.
const BYTES_MAX: usize = 4 * CHARS_MAX;
/// The commonest passwords of at least eight characters in published breaches, in lower case, a line each.
const COMMONEST: &str = include_str!("common_passwords.txt");

/// A password as it was given, in Unicode's form NFKC. Wiped when dropped, and shown by nothing.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes a password that is to be compared; no rule but its size.
    ///
    /// # Errors
    /// Names `pointer`: `PASSWORD_REQUIRED` when empty, `PASSWORD_TOO_LONG`.
    pub fn given(pointer: &str, text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::field(pointer, "PASSWORD_REQUIRED", "is required"));
        }
        let too_long =
            || Error::field(pointer, "PASSWORD_TOO_LONG", format!("has more than {CHARS_MAX} characters"));
        if text.len() > BYTES_MAX {
            return Err(too_long());
        }
        // Room for what normalization may make of it, so that no part is left behind by a growing string.
        let mut normal = Zeroizing::new(String::with_capacity(18 * text.len()));
        normal.extend(text.nfkc());
        if normal.chars().count() > CHARS_MAX {
            return Err(too_long());
        }
        Ok(Self(normal))
    }

    /// Takes a password that is to be set: 8 to 256 characters of any kind, not one of the commonest, not the address.
    /// There are no rules of composition (NIST SP 800-63B, 5.1.1.2).
    ///
    /// # Errors
    /// Names `pointer`: `PASSWORD_REQUIRED`, `PASSWORD_TOO_SHORT`, `PASSWORD_TOO_LONG`, `PASSWORD_TOO_COMMON`.
    pub fn chosen(pointer: &str, text: &str, email: Option<&Email>) -> Result<Self> {
        let password = Self::given(pointer, text)?;
        if password.0.chars().count() < CHARS_MIN {
            let what = format!("has fewer than {CHARS_MIN} characters");
            return Err(Error::field(pointer, "PASSWORD_TOO_SHORT", what));
        }
        let lower = Zeroizing::new(password.0.to_lowercase());
        let is_email = email.is_some_and(|email| email.key() == *lower);
        if is_email || COMMONEST.lines().any(|common| common == lower.as_str()) {
            return Err(Error::field(
                pointer,
                "PASSWORD_TOO_COMMON",
                "is one of the passwords that are guessed first",
            ));
        }
        Ok(password)
    }

    /// What is hashed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &str) -> String {
        let email = Email::parse("/email", "ada.lovelace@example.com").expect("an address");
        match Password::chosen("/password", text, Some(&email)) {
            Ok(_) => String::new(),
            Err(error) => {
                assert_eq!(error.violations()[0].field, "/password");
                assert!(!error.message().contains("qwerty"), "the password is not repeated");
                error.reason().to_owned()
            }
        }
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert_eq!(reason(""), "PASSWORD_REQUIRED");
        assert_eq!(reason("seven77"), "PASSWORD_TOO_SHORT");
        assert_eq!(reason("éèêëàâäù"), "");
        assert_eq!(reason(&"é".repeat(256)), "");
        assert_eq!(reason(&"x".repeat(257)), "PASSWORD_TOO_LONG");
        assert_eq!(reason(&"x".repeat(1_000_000)), "PASSWORD_TOO_LONG");
    }

    #[test]
    fn what_is_tried_first_is_refused() {
        for text in ["password", "PassWord1", "12345678", "qwertyuiop", "ADA.Lovelace@example.com"] {
            assert_eq!(reason(text), "PASSWORD_TOO_COMMON", "{text}");
        }
    }

    #[test]
    fn there_are_no_rules_of_composition() {
        for text in ["correct horse battery staple", "        ¡        ", "aaaaaaaaaaab", "пароль-длинный"]
        {
            assert_eq!(reason(text), "", "{text}");
        }
    }

    #[test]
    fn one_password_whatever_keyboard_composed_it() {
        let one = Password::given("/password", "caf\u{e9} \u{fb01}ne").expect("a password");
        let other = Password::given("/password", "cafe\u{301} fine").expect("a password");
        assert_eq!(one.bytes(), other.bytes());
    }

    #[test]
    fn the_list_is_lower_case_and_long_enough_to_matter() {
        for line in COMMONEST.lines() {
            assert!(line.chars().count() >= CHARS_MIN && line == line.to_lowercase(), "{line}");
        }
        assert!(COMMONEST.lines().count() >= 100);
    }
}
