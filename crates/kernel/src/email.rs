//! E-mail addresses: one rule for whoever signs in, is written to, or is named on an order.

use std::borrow::Cow;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use unicode_normalization::UnicodeNormalization;

use crate::text::{is_hidden, is_mark};
use crate::{Error, Result};

/// Longest address in bytes (RFC 5321, 4.5.3.1.3, less the angle brackets).
const BYTES_MAX: usize = 254;
/// Longest local part in bytes (RFC 5321, 4.5.3.1.1).
const LOCAL_BYTES_MAX: usize = 64;

/// An e-mail address: trimmed, its local part in Unicode's form NFC, its domain as DNS knows it (IDNA A-labels in lower
/// case, UTS #46).
#[derive(Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Reads an address. Quoted local parts and address literals are refused: nobody who has one signs up with it. So is an
    /// address with a character that shows nothing, since two addresses that look alike must be one.
    ///
    /// # Errors
    /// `INVALID_EMAIL` naming `pointer`.
    pub fn parse(pointer: &str, text: &str) -> Result<Self> {
        Self::read(text).map_err(|what| Error::field(pointer, "INVALID_EMAIL", what))
    }

    fn read(text: &str) -> Result<Self, &'static str> {
        const NONE: &str = "is not an e-mail address";
        const LONG: &str = "has more than 254 bytes";
        let text = text.trim();
        if text.is_empty() {
            return Err("is required");
        }
        if text.len() > 4 * BYTES_MAX {
            return Err(LONG);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(NONE)?;
        // Blanks and controls of ASCII are no letters of an address, which is said below.
        let unseen = |c: char| !c.is_ascii() && is_hidden(c);
        // A joiner is a part of some domains; whether it may stand where it stands, IDNA knows.
        let joins = |c: char| matches!(c, '\u{200c}' | '\u{200d}');
        if local.chars().any(unseen) || domain.chars().any(|c| unseen(c) && !joins(c)) {
            return Err("has characters that show nothing");
        }
        let local: String = local.nfc().collect();
        let domain = ascii_domain(domain).ok_or(NONE)?;
        if local.len() + 1 + domain.len() > BYTES_MAX {
            return Err(LONG);
        }
        if !is_local(&local) || !has_top_level(&domain) {
            return Err(NONE);
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

    /// As it is compared: two addresses that differ only in case, in the width of their letters or in how their domain is
    /// written are one.
    #[must_use]
    pub fn key(&self) -> String {
        let (local, domain) = self.0.rsplit_once('@').unwrap_or((&self.0, ""));
        let lowered = local.nfkc().collect::<String>().to_lowercase();
        format!("{}@{domain}", lowered.nfkc().collect::<String>())
    }
}

/// Whether a domain ends in the name of a top-level domain. One of digits alone is none: it would be an address of IPv4
/// (RFC 1123, 2.1).
fn has_top_level(domain: &str) -> bool {
    domain.rsplit_once('.').is_some_and(|(_, last)| !last.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A domain as A-labels; `None` when it is none.
fn ascii_domain(domain: &str) -> Option<Cow<'_, str>> {
    let (deny, hyphens) = (AsciiDenyList::STD3, Hyphens::CheckFirstLast);
    Uts46::new().to_ascii(domain.as_bytes(), deny, hyphens, DnsLength::Verify).ok()
}

/// Atoms joined by single dots (RFC 5322, 3.2.3, with the letters of RFC 6532).
fn is_local(local: &str) -> bool {
    let printable = |c: char| !c.is_ascii() && !c.is_control() && !c.is_whitespace();
    let atom = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || printable(c);
    // What another form of the same letters would make a separator is none here either.
    let plain = local.nfkc().all(|c| atom(c) || c == '.');
    local.len() <= LOCAL_BYTES_MAX
        && plain
        && local
            .split('.')
            .all(|part| !part.starts_with(is_mark) && !part.is_empty() && part.chars().all(atom))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> String {
        Email::parse("/email", text).unwrap_or_else(|error| panic!("{text:?}: {error}")).key()
    }

    #[test]
    fn the_domain_is_lowered_and_the_rest_kept() {
        let email = Email::parse("/email", "  Ada.Lovelace@Example.COM ").expect("an address");
        assert_eq!(email.as_str(), "Ada.Lovelace@example.com");
        assert_eq!(email.key(), "ada.lovelace@example.com");
    }

    #[test]
    fn the_same_address_written_in_another_way_is_the_same() {
        for (one, other) in [
            ("zo\u{e9}@example.com", "ZOE\u{301}@example.com"),
            ("ida@bücher.example", "ida@xn--bcher-kva.example"),
            ("ida@bücher.example", "IDA@BU\u{308}CHER.EXAMPLE"),
            ("ada@example.com", "ada@ＥＸＡＭＰＬＥ．com"),
            ("ada@例子。公司", "ada@例子.公司"),
            ("ada@example.com", "ａｄａ@example.com"),
        ] {
            assert_eq!(key(one), key(other), "{one} {other}");
        }
        assert_eq!(
            Email::parse("/email", "ida@bücher.example").map(|email| email.0).ok().as_deref(),
            Some("ida@xn--bcher-kva.example")
        );
        assert_ne!(key("ida@faß.de"), key("ida@fass.de"), "two registered domains");
    }

    #[test]
    fn characters_that_show_nothing_are_refused() {
        for text in [
            "ada.one@example.com\u{200b}",
            "\u{200b}ada.one@example.com",
            "ada.one\u{200d}@example.com",
            "ada.one@exam\u{ad}ple.com",
            "\u{202a}ada.one@example.com\u{202c}",
            "\u{feff}ada.one@example.com",
            "ada\u{fe0f}@example.com",
            "ada@example.com\u{e0041}",
            "ada@exa\u{200d}mple.com",
            "ada\u{3164}@example.com",
            "ada\u{2800}@example.com",
            "ada\u{115f}@example.com",
            "ada\u{1160}@example.com",
            "ada\u{e000}@example.com",
            "ada\u{3000}@example.com",
            "ada@exa\u{2800}mple.com",
            "\u{301}@example.com",
            "ada.\u{301}@example.com",
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
            "a＠b@c.d",
            "a\n@b.c",
            "a@b.c,d@e.f",
            "a@xn--a.com",
            "ada@1.2.3.4",
            "ada@123.456",
            "ada@example.123",
            "ada@example.１２３",
            "ada @example.com",
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
        for text in [
            "a@b.co",
            "a+b@c.example",
            "o'neil@x.org",
            "用户@例子.公司",
            "a_b-c@xn--bcher-kva.example",
            "x@r3---sn.example",
            "ada@163.com",
            "ada@123.4chan",
        ] {
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
