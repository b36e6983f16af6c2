//! Profiles and address books, decided without I/O. What tells who a person is has no `Debug`.

mod address_book;

pub use address_book::{AddressUse, BookAddress, NewAddress, PostalAddress};

use kernel::{Email, Error, Result, Timestamp, Violations};
use serde::{Deserialize, Serialize};

/// The country of whom we do not know one.
pub const COUNTRY_UNKNOWN: &str = "ZZ";
/// Longest name in characters.
const NAME_CHARS_MAX: usize = 200;
/// Longest language tag in characters that implementations have to bear (RFC 5646, 4.4.1).
const LOCALE_CHARS_MAX: usize = 35;
/// Longest external reference in bytes.
const REFERENCE_BYTES_MAX: usize = 200;

/// What a profile says of its owner.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// What to call the customer; may be empty.
    pub name: String,
    /// Where to write to; may be empty.
    pub email: String,
    /// Language as a BCP 47 tag; may be empty.
    pub locale: String,
    /// ISO 3166-1 alpha-2, [`COUNTRY_UNKNOWN`] when unknown.
    pub country: String,
}

/// A profile with its address book.
#[derive(Clone, Serialize, Deserialize)]
pub struct Profile {
    /// What it says of its owner.
    pub details: Details,
    /// Its name in the system it came from; unique for ever.
    pub external_reference: Option<String>,
    /// The address book, in the order the addresses were added.
    pub addresses: Vec<BookAddress>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it was deleted. What is left then keeps its reference taken and its version rising; it says nothing of a person.
    pub deleted_at: Option<Timestamp>,
}

impl Details {
    /// Of whom nothing is known.
    #[must_use]
    pub fn unknown() -> Self {
        Self { country: COUNTRY_UNKNOWN.to_owned(), ..Self::default() }
    }

    /// Checks what was given; the country was checked where its codes are known.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` naming every wrong field.
    pub fn parse(name: &str, email: &str, locale: &str, country: String) -> Result<Self> {
        let mut violations = Violations::new();
        let name = violations.optional_text("/name", name, NAME_CHARS_MAX);
        let email = if email.trim().is_empty() {
            String::new()
        } else {
            let email = violations.take("", Email::parse("/email", email));
            email.map(|email| email.as_str().to_owned()).unwrap_or_default()
        };
        let locale = locale.trim();
        violations.check(locale.is_empty() || is_locale(locale), "/locale", "is not a BCP 47 language tag");
        violations.finish()?;
        Ok(Self { name, email, locale: locale.to_owned(), country })
    }
}

/// Subtags of letters and digits, the first of letters alone (RFC 5646, 2.1, without the registry).
fn is_locale(text: &str) -> bool {
    let subtag =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let language = text.split('-').next().unwrap_or_default();
    text.len() <= LOCALE_CHARS_MAX
        && text.split('-').all(subtag)
        && language.len() >= 2
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// Checks an external reference.
///
/// # Errors
/// `INVALID_ARGUMENT` naming `/external_reference`.
pub fn reference(text: &str) -> Result<String> {
    if text.is_empty() {
        return Err(Error::field("/external_reference", "INVALID_ARGUMENT", "is required"));
    }
    if text.len() > REFERENCE_BYTES_MAX || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        let what = format!("must have at most {REFERENCE_BYTES_MAX} visible ASCII characters");
        return Err(Error::field("/external_reference", "INVALID_ARGUMENT", what));
    }
    Ok(text.to_owned())
}

/// Checks the version that an editor saw.
///
/// # Errors
/// `INVALID_ARGUMENT` naming `/version` below 1; `VERSION_CONFLICT` when it is another.
pub fn seen(what: &str, is: i64, version: i64) -> Result<()> {
    if version < 1 {
        return Err(Error::field("/version", "INVALID_ARGUMENT", "must be the version that was read"));
    }
    if version != is {
        let error = Error::conflict("VERSION_CONFLICT", format!("the {what} has changed since it was read"));
        return Err(error.retry(false).with("version", is.to_string()));
    }
    Ok(())
}

impl Profile {
    /// A new profile.
    #[must_use]
    pub fn new(details: Details, external_reference: Option<String>, now: Timestamp) -> Self {
        Self {
            details,
            external_reference,
            addresses: Vec::new(),
            created_at: now,
            updated_at: now,
            deleted_at: None,
        }
    }

    /// The empty profile that its owner's first call makes.
    #[must_use]
    pub fn empty(now: Timestamp) -> Self {
        Self::new(Details::unknown(), None, now)
    }

    /// Whether it was deleted.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.deleted_at.is_some()
    }

    /// The profile with other details.
    #[must_use]
    pub fn revised(&self, details: Details, now: Timestamp) -> Self {
        Self { details, updated_at: now, ..self.clone() }
    }

    /// What is left of a deleted profile.
    #[must_use]
    pub fn deleted(&self, now: Timestamp) -> Self {
        let rest = Self::new(Details::unknown(), self.external_reference.clone(), now);
        Self { created_at: self.created_at, deleted_at: Some(now), ..rest }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields(result: Result<Details>) -> Vec<String> {
        match result {
            Ok(_) => Vec::new(),
            Err(error) => error.violations().iter().map(|violation| violation.field.clone()).collect(),
        }
    }

    #[test]
    fn every_wrong_detail_is_named() {
        assert_eq!(fields(Details::parse("", "", "", "ZZ".into())), [""; 0]);
        assert_eq!(fields(Details::parse("Ada Lovelace", "ada@example.com", "en-GB", "GB".into())), [""; 0]);
        let wrong = Details::parse(&"x".repeat(201), "ada example.com", "english", "GB".into());
        assert_eq!(fields(wrong), ["/name", "/email"]);
        for email in ["a", "@b", "a@", "a b@c", "a@b\u{0}", &format!("{}@b.c", "a".repeat(260))] {
            assert_eq!(fields(Details::parse("", email, "", "GB".into())), ["/email"], "{email}");
        }
        for locale in ["e", "1n", "en_GB", "en-", "en-123456789", &"en-abcdefg-".repeat(5)] {
            assert_eq!(fields(Details::parse("", "", locale, "GB".into())), ["/locale"], "{locale}");
        }
        for locale in ["en", "en-GB", "zh-Hant-TW", "de-1996"] {
            assert_eq!(fields(Details::parse("", "", locale, "GB".into())), [""; 0], "{locale}");
        }
        assert_eq!(fields(Details::parse("a\u{0}b", "", "", "GB".into())), ["/name"]);
        assert_eq!(fields(Details::parse("\u{200b}", "", "", "GB".into())), ["/name"]);
    }

    #[test]
    fn details_are_kept_in_one_form() {
        let details = Details::parse("Ada\r\nLovelace\u{200b}", " ida@B\u{fc}cher.example", "", "GB".into());
        let details = details.expect("good");
        assert_eq!(
            (details.name.as_str(), details.email.as_str()),
            ("Ada Lovelace", "ida@xn--bcher-kva.example")
        );
    }

    #[test]
    fn references_are_visible_and_bounded() {
        assert_eq!(reference("online-retail:17850").expect("good"), "online-retail:17850");
        for text in ["", "a b", "é", "a\u{7}", &"x".repeat(201)] {
            assert_eq!(reference(text).expect_err(text).violations()[0].field, "/external_reference");
        }
    }

    #[test]
    fn an_edit_names_the_version_it_saw() {
        assert!(seen("profile", 3, 3).is_ok());
        assert_eq!(seen("profile", 3, 0).expect_err("none").violations()[0].field, "/version");
        assert_eq!(seen("profile", 3, 2).expect_err("stale").reason(), "VERSION_CONFLICT");
    }

    #[test]
    fn a_deleted_profile_says_nothing_of_a_person_and_keeps_its_reference() {
        let now = Timestamp::from_secs(5);
        let details = Details {
            name: "Ada Lovelace".into(),
            email: "ada@example.com".into(),
            locale: "en-GB".into(),
            country: "GB".into(),
        };
        let profile = Profile::new(details, Some("online-retail:17850".into()), Timestamp::from_secs(1));
        let left = profile.deleted(now);
        assert!(left.is_deleted() && left.addresses.is_empty() && left.details == Details::unknown());
        assert_eq!(left.external_reference.as_deref(), Some("online-retail:17850"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(name in "\\PC{0,300}", email in "\\PC{0,300}", locale in "\\PC{0,40}") {
            if let Ok(details) = Details::parse(&name, &email, &locale, "ZZ".into()) {
                prop_assert!(details.name.chars().count() <= NAME_CHARS_MAX && details.email.len() <= 254);
            }
        }
    }
}
