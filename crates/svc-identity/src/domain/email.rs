//! E-mail addresses as names of accounts.

use kernel::{Error, Result};
use unicode_normalization::UnicodeNormalization;

/// Longest address in bytes (RFC 5321, 4.5.3.1.3, less the angle brackets).
const BYTES_MAX: usize = 254;
/// Longest local part in bytes (RFC 5321, 4.5.3.1.1).
const LOCAL_BYTES_MAX: usize = 64;
/// Longest label of a domain in bytes (RFC 1035, 2.3.4).
const LABEL_BYTES_MAX: usize = 63;

/// An e-mail address: trimmed, in Unicode's form NFC, its domain in lower case.
#[derive(Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Reads an address. Quoted local parts and address literals are refused: nobody who has one signs up with it.
    ///
    /// # Errors
    /// `INVALID_EMAIL` naming `pointer`.
    pub fn parse(pointer: &str, text: &str) -> Result<Self> {
        let refuse = |what: &str| Err(Error::field(pointer, "INVALID_EMAIL", what));
        let text = text.trim();
        if text.is_empty() {
            return refuse("is required");
        }
        if text.len() > 4 * BYTES_MAX {
            return refuse("has more than 254 bytes");
        }
        let text: String = text.nfc().collect();
        let Some((local, domain)) = text.rsplit_once('@') else { return refuse("is not an e-mail address") };
        let domain: String = domain.to_lowercase().nfc().collect();
        if local.len() + 1 + domain.len() > BYTES_MAX {
            return refuse("has more than 254 bytes");
        }
        if !good_local(local) || !good_domain(&domain) {
            return refuse("is not an e-mail address");
        }
        Ok(Self(format!("{local}@{domain}")))
    }

    /// Takes an address that was checked when it was stored.
    #[must_use]
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// As it is shown and written to.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it is compared: two addresses that differ in case alone are one.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_lowercase().nfc().collect()
    }
}

/// Atoms joined by single dots (RFC 5322, 3.2.3, with the letters of RFC 6532).
fn good_local(local: &str) -> bool {
    let atom = |c: char| {
        c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || (!c.is_ascii() && is_printable(c))
    };
    local.len() <= LOCAL_BYTES_MAX && local.split('.').all(|part| !part.is_empty() && part.chars().all(atom))
}

fn is_printable(c: char) -> bool {
    !c.is_control() && !c.is_whitespace()
}

/// At least two labels of letters, digits and inner hyphens.
fn good_domain(domain: &str) -> bool {
    let label = |label: &str| {
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c == '-' || c.is_alphanumeric() || (!c.is_ascii() && is_printable(c)))
    };
    domain.contains('.') && domain.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_domain_is_lowered_and_the_rest_kept() {
        let email = Email::parse("/email", "  Ada.Lovelace@Example.COM ").expect("an address");
        assert_eq!(email.as_str(), "Ada.Lovelace@example.com");
        assert_eq!(email.key(), "ada.lovelace@example.com");
    }

    #[test]
    fn composed_and_decomposed_letters_are_one_address() {
        let composed = Email::parse("/email", "zo\u{e9}@example.com").expect("an address");
        let decomposed = Email::parse("/email", "ZOE\u{301}@example.com").expect("an address");
        assert_eq!(composed.key(), decomposed.key());
    }

    #[test]
    fn what_is_no_address_is_refused_by_name() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long_label = format!("a@{}.com", "b".repeat(64));
        let long = format!("a@{}com", "b.".repeat(130));
        let huge = "x".repeat(100_000);
        for text in [
            "",
            " ",
            "a",
            "@",
            "a@",
            "@b.c",
            "a@b",
            "a b@c.d",
            "a@b..c",
            ".a@b.c",
            "a.@b.c",
            "a..b@c.d",
            "a@-b.c",
            "a@b-.c",
            "a@b.c.",
            "a\u{0}@b.c",
            "\"a\"@b.c",
            "a@[127.0.0.1]",
            "a@b_c.d",
            "a@b@c.d",
            "a\n@b.c",
            &long_local,
            &long_label,
            &long,
            &huge,
        ] {
            let error = Email::parse("/email", text).err().unwrap_or_else(|| panic!("accepted {text:?}"));
            assert_eq!(
                (error.reason(), error.violations()[0].field.as_str()),
                ("INVALID_EMAIL", "/email"),
                "{text:?}"
            );
        }
    }

    #[test]
    fn usual_addresses_are_accepted() {
        for text in
            ["a@b.co", "a+b@c.example", "o'neil@x.org", "用户@例子.公司", "a_b-c@xn--bcher-kva.example"]
        {
            assert!(Email::parse("/email", text).is_ok(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn reading_is_stable(text in "\\PC{0,40}@[a-zA-Z0-9é-]{1,20}\\.[a-z]{2,5}") {
            if let Ok(email) = Email::parse("/email", &text) {
                let again = Email::parse("/email", email.as_str()).map_err(|error| TestCaseError::fail(error.to_string()))?;
                prop_assert_eq!(again.as_str(), email.as_str());
                let upper = text.to_uppercase();
                if let Ok(upper) = Email::parse("/email", &upper) && text.is_ascii() {
                    prop_assert_eq!(upper.key(), email.key());
                }
            }
        }
    }
}
