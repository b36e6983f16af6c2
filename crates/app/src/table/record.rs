//! A row: its fields, and what can still be told of one that is refused.

use super::Encoding;
use super::encoding;
use super::records::Fault;

/// A row: its fields without their quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The line that it begins on, from 1.
    pub line: u64,
    /// The line that it ends on.
    pub last_line: u64,
    pub(super) bytes: Vec<u8>,
    /// Where each field ends among the bytes.
    pub(super) ends: Vec<usize>,
    /// What its file was read as, once that is known.
    pub(super) encoding: Option<Encoding>,
}

impl Record {
    /// How many fields it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether it has no fields.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The bytes of a field; none beyond the last.
    #[must_use]
    pub fn field(&self, n: usize) -> &[u8] {
        let Some(&end) = self.ends.get(n) else { return &[] };
        let start = n.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..end]
    }

    /// The text of a field without blanks around it. It may have line breaks, which are LF.
    ///
    /// # Errors
    /// A clause about the bytes that are not text.
    pub fn text(&self, n: usize) -> Result<&str, String> {
        let field = self.field(n);
        let text = std::str::from_utf8(field)
            .map_err(|error| encoding::explain(field, error.valid_up_to(), self.encoding))?;
        match text.find('\0') {
            Some(at) => {
                let before = encoding::bytes_of(&text[..at], self.encoding);
                Err(format!("has a NUL at byte {}; is the file a text?", before + 1))
            }
            None => Ok(text.trim()),
        }
    }

    /// Whether a field has nothing but blanks.
    #[must_use]
    pub fn is_blank_at(&self, n: usize) -> bool {
        is_blank(self.field(n))
    }

    /// Whether it has nothing but blanks and separators.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        is_blank(&self.bytes)
    }

    /// Refuses a row with fields beyond the last column, unless these are blank.
    ///
    /// # Errors
    /// The row's fault.
    pub fn check_width(&self, columns: usize) -> Result<(), Fault> {
        let Some(extra) = (columns..self.len()).find(|n| !self.is_blank_at(*n)) else { return Ok(()) };
        let seen = super::excerpt(&String::from_utf8_lossy(self.field(extra)));
        let mut what = format!(
            "the line has {} columns, the first line has {columns}; column {} is {seen}",
            self.len(),
            extra + 1
        );
        if self.last_line > self.line {
            what.push_str(&format!(
                "; the row goes on to line {}: a quotation mark that opens in it may not be closed where it should be",
                self.last_line
            ));
        }
        Err(Fault::of_row(self.line, None, what))
    }
}

/// Whether bytes are blanks only: of any script, and characters that show nothing.
#[must_use]
pub fn is_blank(bytes: &[u8]) -> bool {
    let is_blank = |c: char| c.is_whitespace() || kernel::text::is_format(c);
    let Some(first) = bytes.iter().position(|byte| !byte.is_ascii_whitespace()) else { return true };
    // Nearly every row that is not blank begins with a letter of ASCII.
    let rest = &bytes[first..];
    !rest[0].is_ascii() && std::str::from_utf8(rest).is_ok_and(|text| text.chars().all(is_blank))
}

/// A row that is refused, as far as it was read: by some of its fields it can still be told which product it belongs to.
#[derive(Clone, Debug, Default)]
pub struct Remains {
    record: Record,
    /// Fields that the row has too many, by which those behind some place are shifted.
    extra: usize,
    /// Fields that it lacks.
    missing: usize,
}

impl Remains {
    /// A row that is known up to a fault in it.
    pub(super) fn before_fault(record: Record) -> Self {
        Self { record, extra: 0, missing: 0 }
    }

    /// A row that was read, below a header of so many columns.
    #[must_use]
    pub fn whole(record: Record, columns: usize) -> Self {
        let fields = (0..record.len()).rev().find(|n| !record.is_blank_at(*n)).map_or(0, |n| n + 1);
        let (extra, missing) = (fields.saturating_sub(columns), columns.saturating_sub(record.len()));
        Self { record, extra, missing }
    }

    /// What a column of the row may be: several texts where its fields may be shifted, `None` where nothing is known of it.
    #[must_use]
    pub fn candidates(&self, place: usize) -> Option<Vec<&str>> {
        if place >= self.record.len() {
            return None;
        }
        (place.saturating_sub(self.missing)..=place + self.extra).map(|n| self.record.text(n).ok()).collect()
    }
}
