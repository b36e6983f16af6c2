//! SKUs: the one rule for the names of what is sold, in every service.
//!
//! A SKU is compared by bytes, so two that look the same have to be the same: letters are composed (NFC), every blank inside is an
//! ordinary one, and what nobody sees is refused. Case is kept: shops have `85123A` beside `85123a`.

use unicode_normalization::UnicodeNormalization;

use crate::text::{is_hidden, shows};

/// The most bytes of a SKU.
pub const SKU_BYTES_MAX: usize = 64;
/// The rule, a clause that follows the field's name.
pub const RULE: &str = "must be 1 to 64 bytes without hidden characters or space at either end";

/// What may be stored, a clause that follows the field's name.
pub const STORED_RULE: &str = "must have 1 to 64 characters, no control characters and no space at its ends";

/// A SKU as it is stored.
///
/// # Errors
/// [`RULE`], for what names nothing that could be told from something else.
pub fn clean(text: &str) -> Result<String, &'static str> {
    let sku = normal(text);
    let is_hidden = |c: char| c.is_control() || (c != ' ' && is_hidden(c));
    let good = (1..=SKU_BYTES_MAX).contains(&sku.len())
        && sku.trim() == sku
        && !sku.chars().any(is_hidden)
        && shows(&sku);
    if good { Ok(sku) } else { Err(RULE) }
}

/// The form by which two SKUs are one. Texts of earlier releases, which were stored as they were written, have one as well.
#[must_use]
pub fn normal(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    text.nfc().map(|c| if c.is_whitespace() && !c.is_control() { ' ' } else { c }).collect()
}

/// The form with letters decomposed, in which earlier releases may have stored it.
#[must_use]
pub fn decomposed(text: &str) -> String {
    text.nfd().collect()
}

/// Whether something may be stored under a text as its SKU. This asks for less than [`clean`]: what earlier releases let in is
/// still found by it.
#[must_use]
pub fn may_be_stored(text: &str) -> bool {
    (1..=SKU_BYTES_MAX).contains(&text.chars().count())
        && text.trim() == text
        && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skus_of_real_shops_are_stored_as_they_are() {
        for sku in [
            "85123A",
            "85123a",
            "POST",
            "BANK CHARGES",
            "gift_0001_80",
            "ÄÖ-1",
            "м-12",
            "茶",
            &"x".repeat(64),
        ] {
            assert_eq!(clean(sku).as_deref(), Ok(sku));
            assert!(may_be_stored(sku));
        }
    }

    #[test]
    fn skus_that_look_the_same_are_one() {
        for text in ["N-cafe\u{301} 1", "N-café\u{a0}1", "N-café\u{2009}1"] {
            assert_eq!(clean(text).as_deref(), Ok("N-café 1"), "{text:?}");
        }
    }

    #[test]
    fn what_nobody_could_tell_apart_is_refused() {
        for text in [
            "",
            " a",
            "a ",
            "a\u{a0}",
            "a\nb",
            "\u{200b}",
            "a\u{200b}b",
            "\u{202e}a\u{202c}",
            "\u{3164}",
            "a\u{378}b",
            "\u{301}",
            "a\u{fe0f}",
            "\u{e000}",
            "a\u{2800}",
            "é\u{feff}",
        ] {
            assert_eq!(clean(text), Err(RULE), "{text:?}");
        }
        assert!(clean(&"x".repeat(65)).is_err());
        assert!(clean(&"é".repeat(33)).is_err(), "bytes are counted");
        assert!(clean(&"e\u{301}".repeat(32)).is_ok(), "as they are stored");
    }

    #[test]
    fn what_earlier_releases_stored_may_be_asked_for() {
        for text in ["N-cafe\u{301}", "\u{200b}", "a\u{378}b", &"é".repeat(64)] {
            assert!(may_be_stored(text), "{text:?}");
        }
        for text in ["", " a", "a\nb", &"é".repeat(65)] {
            assert!(!may_be_stored(text), "{text:?}");
        }
    }
}
