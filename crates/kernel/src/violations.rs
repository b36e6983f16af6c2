//! Every wrong field of a request, told at once.

use crate::text::{self, Lines};
use crate::{Error, FieldViolation, Result};

/// The longest id or reference of any kind that a request may name, in bytes. Ids of the shop have 30; references of other
/// systems at most 200. What is longer is refused before it is looked up or remembered.
pub const ID_BYTES_MAX: usize = 256;

/// The longest name of an option or an attribute of a product, in characters. What a product may have, a search may ask for.
pub const OPTION_NAME_CHARS_MAX: usize = 100;
/// The longest value of an option or an attribute of a product, in characters.
pub const OPTION_VALUE_CHARS_MAX: usize = 255;

/// The most violations that one error carries.
const VIOLATIONS_MAX: usize = 50;
/// Bytes per character that a text may have before it is looked at: letters of four bytes, each decomposed into three
/// characters, with room for what is removed.
const BYTES_PER_CHAR_MAX: usize = 16;

/// Checks that a text can be an id or a reference by its length.
///
/// # Errors
/// `INVALID_ARGUMENT` naming `pointer`.
pub fn check_id_length(pointer: &str, id: &str) -> Result<()> {
    if id.len() <= ID_BYTES_MAX {
        return Ok(());
    }
    Err(Error::field(pointer, "INVALID_ARGUMENT", format!("has more than {ID_BYTES_MAX} bytes")))
}

/// Collects every wrong field of a request, so that a caller learns of all at once.
#[derive(Debug, Default)]
pub struct Violations(Vec<FieldViolation>);

impl Violations {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a wrong field.
    pub fn add(&mut self, pointer: impl Into<String>, description: impl Into<String>) {
        if self.0.len() < VIOLATIONS_MAX {
            self.0.push(FieldViolation { field: pointer.into(), description: description.into() });
        }
    }

    /// Notes a wrong field unless `good`.
    pub fn check(&mut self, good: bool, pointer: impl Into<String>, description: impl Into<String>) {
        if !good {
            self.add(pointer, description);
        }
    }

    /// The value, or a violation at `pointer` with the error's message.
    pub fn take<T>(&mut self, pointer: &str, value: Result<T>) -> Option<T> {
        match value {
            Ok(value) => Some(value),
            Err(error) if error.violations().is_empty() => {
                self.add(pointer, error.message());
                None
            }
            Err(error) => {
                for violation in error.at(pointer).violations() {
                    self.add(violation.field.clone(), violation.description.clone());
                }
                None
            }
        }
    }

    /// Text of one line that is required, of at most `chars_max` characters, as [`text::clean`] makes it.
    pub fn text(&mut self, pointer: &str, value: &str, chars_max: usize) -> String {
        let (clean, is_good) = self.clean(pointer, value, chars_max, Lines::One);
        self.check(!is_good || !clean.is_empty(), pointer, "is required");
        clean
    }

    /// Text of one line that may be empty, of at most `chars_max` characters, as [`text::clean`] makes it.
    pub fn optional_text(&mut self, pointer: &str, value: &str, chars_max: usize) -> String {
        self.clean(pointer, value, chars_max, Lines::One).0
    }

    /// Text of any number of lines that may be empty, of at most `chars_max` characters, as [`text::clean`] makes it.
    pub fn optional_lines(&mut self, pointer: &str, value: &str, chars_max: usize) -> String {
        self.clean(pointer, value, chars_max, Lines::Many).0
    }

    fn clean(&mut self, pointer: &str, value: &str, chars_max: usize, lines: Lines) -> (String, bool) {
        let long = || format!("has more than {chars_max} characters");
        if value.len() > BYTES_PER_CHAR_MAX * chars_max.max(ID_BYTES_MAX) {
            self.add(pointer, long());
            return (String::new(), false);
        }
        match text::clean(value, lines) {
            Ok(clean) => {
                let is_good = clean.chars().count() <= chars_max;
                self.check(is_good, pointer, long());
                (clean, is_good)
            }
            Err(what) => {
                self.add(pointer, what);
                (String::new(), false)
            }
        }
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Ends the check.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` naming every wrong field.
    pub fn finish(self) -> Result<()> {
        self.finish_as("INVALID_ARGUMENT")
    }

    /// Ends the check of what is well-formed and may still not hold.
    ///
    /// # Errors
    /// Of the code `INVALID_ARGUMENT` and of this reason, naming every wrong field.
    pub fn finish_as(self, reason: &'static str) -> Result<()> {
        let Some(first) = self.0.first() else { return Ok(()) };
        let error = Error::invalid(reason, format!("{} {}", first.field, first.description));
        Err(self.0.into_iter().fold(error, |error, wrong| error.with_field(wrong.field, wrong.description)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_wrong_fields_are_told_at_once() {
        let mut violations = Violations::new();
        violations.text("/name", " ", 10);
        violations.text("/note", "0123456789a", 10);
        violations.take("/id", crate::OrderId::parse("x"));
        let error = violations.finish().expect_err("three wrong fields");
        let fields: Vec<_> = error.violations().iter().map(|v| v.field.as_str()).collect();
        assert_eq!(fields, ["/name", "/note", "/id"]);
    }

    #[test]
    fn texts_are_made_clean_before_they_are_counted() {
        let mut violations = Violations::new();
        assert_eq!(violations.text("/name", "e\u{301}\u{301}\r\n\u{200b}b", 4), "é\u{301} b");
        assert_eq!(violations.optional_lines("/note", "a\r\nb\tc", 5), "a\nb c");
        assert_eq!(violations.optional_text("/label", " \t", 5), "");
        assert!(violations.is_empty());
        violations.text("/shown", "\u{200b}", 4);
        violations.optional_text("/optional", "\u{3164}", 4);
        violations.text("/long", &"x".repeat(1_000_000), 4);
        let error = violations.finish().expect_err("three wrong fields");
        let told: Vec<_> =
            error.violations().iter().map(|v| (v.field.as_str(), v.description.as_str())).collect();
        assert_eq!(
            told,
            [
                ("/shown", "shows nothing"),
                ("/optional", "shows nothing"),
                ("/long", "has more than 4 characters")
            ]
        );
    }

    #[test]
    fn an_id_of_any_size_is_refused_by_its_length() {
        assert!(check_id_length("/id", &"x".repeat(ID_BYTES_MAX)).is_ok());
        let error = check_id_length("/category_ids/3", &"x".repeat(4_000_000)).expect_err("too long");
        assert_eq!(
            (error.violations()[0].field.as_str(), error.reason()),
            ("/category_ids/3", "INVALID_ARGUMENT")
        );
        assert!(error.message().len() < 100);
    }
}
