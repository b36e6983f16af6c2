//! Tables as text files have them (CSV and its relatives), and text files line by line: the one reader of every import.
//!
//! Reading streams: memory is bounded by one row, whatever the file holds. [`source`] opens a file, [`encoding`] makes
//! UTF-8 of it, [`records`] splits it into rows with true line numbers, [`header`] finds the columns.

pub mod encoding;
pub mod header;
pub mod record;
pub mod records;
mod row;
mod separator;
pub mod source;

pub use encoding::{Encoding, Utf8};
pub use header::{Columns, Known};
pub use record::{Record, Remains, is_blank};
pub use records::{Fault, Limits, Records};

/// What was seen, short enough for a sentence.
#[must_use]
pub fn excerpt(text: &str) -> String {
    const CHARS_MAX: usize = 40;
    if text.chars().count() <= CHARS_MAX {
        return format!("{text:?}");
    }
    let short: String = text.chars().take(CHARS_MAX).collect();
    format!("{:?}", format!("{short}…"))
}

#[cfg(test)]
mod tests;
