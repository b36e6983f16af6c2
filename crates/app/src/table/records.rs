//! Splits a stream of UTF-8 into rows of bounded size, with the line of the file that each begins on.
//!
//! The rules are those of RFC 4180, read with patience: lines end with LF, CRLF or CR; blanks around quotes do not matter; a
//! quotation mark inside a field without quotes is a letter like others. What has no one meaning is refused.

use std::fmt;
use std::io::{self, BufRead, Read};

use super::Utf8;
use super::encoding::Found;
use super::record::{self, Record, Remains};
use super::row::{IsRow, Row};
use super::separator::{SEPARATORS, likely_separator, said_separator};

/// The most columns of a table.
pub const COLUMNS_MAX: usize = 1_000;

/// How large a row may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a row, its quotes and separators included.
    pub row_bytes_max: usize,
    /// Lines of the file that a row may go over, in quotes.
    pub row_lines_max: u64,
}

/// Something that is wrong in a file.
#[derive(Debug)]
pub struct Fault {
    /// The line that it is wrong on, from 1.
    pub line: u64,
    /// The place of its column from 0, when it is one column.
    pub column: Option<usize>,
    /// What is wrong, a clause.
    pub what: String,
    /// Whether nothing after it can be read.
    pub is_last: bool,
    /// What the system says, when the file could not be read.
    pub source: Option<io::Error>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Fault {
    pub(super) fn last(line: u64, column: Option<usize>, what: String) -> Self {
        Self { line, column, what, is_last: true, source: None }
    }

    /// A row that is wrong, in a file that goes on.
    #[must_use]
    pub fn of_row(line: u64, column: Option<usize>, what: String) -> Self {
        Self { line, column, what, is_last: false, source: None }
    }
}

/// A stream that is read row by row.
pub struct Records<R> {
    input: Utf8<R>,
    found: Found,
    limits: Limits,
    separator: u8,
    /// The first lines, read ahead to see what separates.
    ahead: Vec<u8>,
    ahead_at: usize,
    /// The line that the next byte is on.
    line: u64,
    /// Whether the last byte was a CR: a LF behind it ends no other line.
    after_cr: bool,
    is_over: bool,
    /// The fields before the last fault.
    remains: Record,
    is_row: Option<Box<IsRow>>,
}

impl<R: Read> Iterator for Records<R> {
    type Item = Result<Record, Fault>;

    /// The next row, blank ones included; `None` at the end. After a fault that is the last one there is none either.
    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let row = self.read_row();
        self.is_over = matches!(&row, None | Some(Err(Fault { is_last: true, .. })));
        row
    }
}

impl<R: Read> Records<R> {
    /// Reads rows. Finds what separates their fields: a first line `sep=X` says it; else of comma, semicolon, tab and bar the
    /// one by which most names of the first line are columns that `is_column` knows, the most frequent where none is.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn open(input: Utf8<R>, limits: Limits, is_column: &dyn Fn(&str) -> bool) -> Result<Self, Fault> {
        let mut records = Self {
            found: input.found(),
            input,
            limits,
            separator: b',',
            ahead: Vec::new(),
            ahead_at: 0,
            line: 1,
            after_cr: false,
            is_over: false,
            remains: Record::default(),
            is_row: None,
        };
        let mut from = records.peek_line(0)?;
        if let Some(separator) = said_separator(&records.ahead) {
            records.separator = separator;
            records.ahead_at = records.ahead.len();
            records.line = 2;
            records.after_cr = records.ahead.ends_with(b"\r");
            return Ok(records);
        }
        // Blank lines before the header tell nothing.
        while from < records.ahead.len() && is_blank_line(&records.ahead[from..]) {
            from = records.peek_line(records.ahead.len())?;
        }
        records.separator = likely_separator(&records.ahead[from..], is_column);
        Ok(records)
    }

    /// From here on, quotes that go over a line which is a row by itself are doubted, and end the file. What is told to be a
    /// row must be one for certain: a story has lines with as many commas as the table has columns.
    pub fn doubt_quotes_over(&mut self, is_row: impl Fn(&Record) -> bool + Send + 'static) {
        self.is_row = Some(Box::new(is_row));
    }

    /// What separates fields.
    #[must_use]
    pub fn separator(&self) -> char {
        char::from(self.separator)
    }

    /// The stream below; what was read ahead of it is lost.
    pub fn into_inner(self) -> Utf8<R> {
        self.input
    }

    /// What was read of the row that the last fault is about.
    pub fn take_remains(&mut self) -> Remains {
        Remains::before_fault(std::mem::take(&mut self.remains))
    }

    /// Adds a line to what was read ahead; answers where it begins.
    fn peek_line(&mut self, from: usize) -> Result<usize, Fault> {
        loop {
            let room = (self.limits.row_bytes_max + 1).saturating_sub(self.ahead.len());
            let ready = self.input.fill_buf().map_err(|error| unreadable(1, error))?;
            let ready = &ready[..ready.len().min(room)];
            if ready.is_empty() {
                return Ok(from);
            }
            let end = ready.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let taken = end.map_or(ready.len(), |end| end + 1);
            self.ahead.extend_from_slice(&ready[..taken]);
            self.input.consume(taken);
            if end.is_some() {
                return Ok(from);
            }
        }
    }

    fn read_row(&mut self) -> Option<Result<Record, Fault>> {
        let mut row = Row::new(self.separator, self.line);
        loop {
            let from_ahead = self.ahead_at < self.ahead.len();
            let ready = if from_ahead {
                &self.ahead[self.ahead_at..]
            } else {
                match self.input.fill_buf() {
                    Ok(ready) => ready,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => {
                        let fault = unreadable(row.line(), error);
                        return Some(self.refuse(row, fault));
                    }
                }
            };
            if ready.is_empty() {
                return match row.end_of_file(self.line, self.is_row.as_deref()) {
                    Ok(true) => Some(Ok(self.complete(row))),
                    Ok(false) => None,
                    Err(fault) => Some(self.refuse(row, fault)),
                };
            }
            let (taken, done) =
                row.take(ready, &mut self.line, &mut self.after_cr, self.limits, self.is_row.as_deref());
            if from_ahead {
                self.ahead_at += taken;
            } else {
                self.input.consume(taken);
            }
            match done {
                Some(Ok(())) => return Some(Ok(self.complete(row))),
                Some(Err(fault)) => return Some(self.refuse(row, fault)),
                None => {}
            }
        }
    }

    fn complete(&self, row: Row) -> Record {
        row.into_record(self.found.get().copied())
    }

    fn refuse(&mut self, row: Row, fault: Fault) -> Result<Record, Fault> {
        self.remains = row.into_fields_before_fault(self.found.get().copied());
        Err(fault)
    }
}

/// Whether a line before the header says nothing; separators alone do not, either.
fn is_blank_line(line: &[u8]) -> bool {
    line.split(|byte| SEPARATORS.contains(byte)).all(record::is_blank)
}

fn unreadable(line: u64, error: io::Error) -> Fault {
    let what = format!("cannot be read: {error}");
    Fault { source: Some(error), ..Fault::last(line, None, what) }
}
