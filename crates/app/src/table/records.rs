//! Splits a stream of UTF-8 into rows of bounded size, with the line of the file that each begins on.
//!
//! The rules are those of RFC 4180, read with patience: lines end with LF, CRLF or CR; blanks around quotes do not matter; a
//! quotation mark inside a field without quotes is a letter like others. What has no one meaning is refused.

use std::fmt;
use std::io::{self, BufRead};

/// The most columns of a table.
pub const COLUMNS_MAX: usize = 1_000;
/// What may stand between the fields of a row, where no line says what does.
pub const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

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
    fn last(line: u64, column: Option<usize>, what: String) -> Self {
        Self { line, column, what, is_last: true, source: None }
    }

    /// A row that is wrong, in a file that goes on.
    #[must_use]
    pub fn of_row(line: u64, column: Option<usize>, what: String) -> Self {
        Self { line, column, what, is_last: false, source: None }
    }
}

/// A row: its fields without their quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The line that it begins on, from 1.
    pub line: u64,
    /// The line that it ends on.
    pub last_line: u64,
    bytes: Vec<u8>,
    ends: Vec<usize>,
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
    /// A clause about the bytes that are no text.
    pub fn text(&self, n: usize) -> Result<&str, String> {
        let field = self.field(n);
        let text = std::str::from_utf8(field).map_err(|error| {
            let at = error.valid_up_to();
            format!("is not UTF-8: byte {} is 0x{:02x}", at + 1, field[at])
        })?;
        match text.find('\0') {
            Some(at) => Err(format!("has a NUL at byte {}; is the file a text?", at + 1)),
            None => Ok(text.trim()),
        }
    }

    /// Whether a field has nothing but blanks.
    #[must_use]
    pub fn is_blank_at(&self, n: usize) -> bool {
        self.field(n).iter().all(u8::is_ascii_whitespace)
    }

    /// Whether it has nothing but blanks and separators.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.bytes.iter().all(u8::is_ascii_whitespace)
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

/// Where a reader stands in a row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// Before the first letter of a field, perhaps behind blanks.
    Start,
    Plain,
    Quoted,
    /// Behind a quotation mark that closes a field, or is the first half of one inside it.
    Closing,
    /// Behind a field in quotes, on blanks.
    Closed,
}

/// A stream that is read row by row.
pub struct Records<R> {
    input: R,
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
}

impl<R: BufRead> Iterator for Records<R> {
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

impl<R: BufRead> Records<R> {
    /// Reads rows. Finds what separates their fields: a first line `sep=X` says it; else of comma, semicolon, tab and bar the
    /// one by which most names of the first line are columns that `is_column` knows, the most frequent where none is.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn open(input: R, limits: Limits, is_column: &dyn Fn(&str) -> bool) -> Result<Self, Fault> {
        let mut records = Self {
            input,
            limits,
            separator: b',',
            ahead: Vec::new(),
            ahead_at: 0,
            line: 1,
            after_cr: false,
            is_over: false,
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
        while from < records.ahead.len() && records.ahead[from..].iter().all(u8::is_ascii_whitespace) {
            from = records.peek_line(records.ahead.len())?;
        }
        records.separator = likely_separator(&records.ahead[from..], is_column);
        Ok(records)
    }

    /// What separates fields.
    #[must_use]
    pub fn separator(&self) -> char {
        char::from(self.separator)
    }

    /// The stream below; what was read ahead of it is lost.
    pub fn into_inner(self) -> R {
        self.input
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
                    Err(error) => return Some(Err(unreadable(row.record.line, error))),
                }
            };
            if ready.is_empty() {
                return row.end_of_file(self.line).transpose();
            }
            let (taken, done) = row.take(ready, &mut self.line, &mut self.after_cr, self.limits);
            if from_ahead {
                self.ahead_at += taken;
            } else {
                self.input.consume(taken);
            }
            if let Some(done) = done {
                return Some(done.map(|()| row.record));
            }
        }
    }
}

/// A row that is being read.
struct Row {
    record: Record,
    separator: u8,
    at: At,
    /// Where the field begins.
    start: usize,
    /// The line that the last quotation mark opened on.
    opened: u64,
    bytes: usize,
    /// What is wrong with it; the rest of its line is passed over.
    bad: Option<Fault>,
}

impl Row {
    fn new(separator: u8, line: u64) -> Self {
        let record = Record { line, ..Record::default() };
        Self { record, separator, at: At::Start, start: 0, opened: line, bytes: 0, bad: None }
    }

    /// Takes bytes up to the end of the row. Answers how many, and what the row came to if it ended.
    fn take(
        &mut self,
        ready: &[u8],
        line: &mut u64,
        after_cr: &mut bool,
        limits: Limits,
    ) -> (usize, Option<Result<(), Fault>>) {
        for (n, &byte) in ready.iter().enumerate() {
            if std::mem::take(after_cr) && byte == b'\n' {
                continue;
            }
            self.bytes += 1;
            if self.bytes > limits.row_bytes_max {
                return (n, Some(Err(self.too_long(*line, limits))));
            }
            let ends_line = matches!(byte, b'\n' | b'\r');
            if ends_line {
                *line += 1;
                *after_cr = byte == b'\r';
                if self.at != At::Quoted {
                    self.record.last_line = *line - 1;
                    self.end_field();
                    return (n + 1, Some(self.bad.take().map_or(Ok(()), Err)));
                }
                if *line - self.opened > limits.row_lines_max {
                    let what =
                        format!("a quotation mark is not closed within {} lines", limits.row_lines_max);
                    return (n + 1, Some(Err(Fault::last(self.opened, Some(self.record.len()), what))));
                }
            }
            if self.bad.is_none()
                && let Err(fault) = self.step(byte, *line)
            {
                if fault.is_last {
                    return (n + 1, Some(Err(fault)));
                }
                self.at = At::Plain;
                self.bad = Some(fault);
            }
        }
        (ready.len(), None)
    }

    fn step(&mut self, byte: u8, line: u64) -> Result<(), Fault> {
        match (self.at, byte) {
            (At::Quoted, b'"') => self.at = At::Closing,
            // Line breaks of a text are LF, however the lines of its file end.
            (At::Quoted, b'\r') => self.record.bytes.push(b'\n'),
            (At::Quoted, other) => self.record.bytes.push(other),
            (At::Closing, b'"') => {
                self.record.bytes.push(b'"');
                self.at = At::Quoted;
            }
            (_, byte) if byte == self.separator => {
                self.end_field();
                if self.record.len() >= COLUMNS_MAX {
                    let what = format!("the line has more than {COLUMNS_MAX} columns");
                    return Err(Fault::last(self.record.line, None, what));
                }
            }
            (At::Closing | At::Closed, b' ' | b'\t') => self.at = At::Closed,
            (At::Closing | At::Closed, other) => return Err(self.text_behind_quotes(other, line)),
            (At::Start, b'"') => {
                self.record.bytes.truncate(self.start);
                self.opened = line;
                self.at = At::Quoted;
            }
            (At::Start, b' ' | b'\t') => self.record.bytes.push(byte),
            (At::Start | At::Plain, other) => {
                self.record.bytes.push(other);
                self.at = At::Plain;
            }
        }
        Ok(())
    }

    fn end_field(&mut self) {
        self.start = self.record.bytes.len();
        self.record.ends.push(self.start);
        self.at = At::Start;
    }

    /// A mark that closes on another line than its own may have swallowed the rows between: nothing after it is sure.
    fn text_behind_quotes(&self, byte: u8, line: u64) -> Fault {
        let seen =
            if byte.is_ascii_graphic() { format!("{:?}", char::from(byte)) } else { "a letter".to_owned() };
        let column = Some(self.record.len());
        if line == self.opened {
            let what = format!(
                "{seen} stands behind the quotation mark that closes the field; one inside a field is written twice"
            );
            return Fault::of_row(self.opened, column, what);
        }
        let what = format!(
            "a quotation mark that is opened here is closed on line {line}, where {seen} stands behind it; \
             close it on its own line, or write one inside a field twice"
        );
        Fault::last(self.opened, column, what)
    }

    fn too_long(&self, line: u64, limits: Limits) -> Fault {
        if self.at == At::Quoted && line > self.opened {
            let what = format!("a quotation mark is not closed within {} bytes", limits.row_bytes_max);
            return Fault::last(self.opened, Some(self.record.len()), what);
        }
        let what = format!("the line has more than {} bytes", limits.row_bytes_max);
        Fault::last(self.record.line, None, what)
    }

    fn end_of_file(&mut self, line: u64) -> Result<Option<Record>, Fault> {
        if self.at == At::Quoted {
            let what = "a quotation mark is opened and never closed".to_owned();
            return Err(Fault::last(self.opened, Some(self.record.len()), what));
        }
        if self.bytes == 0 {
            return Ok(None);
        }
        self.record.last_line = line;
        self.end_field();
        self.bad.take().map_or_else(|| Ok(Some(std::mem::take(&mut self.record))), Err)
    }
}

fn unreadable(line: u64, error: io::Error) -> Fault {
    let what = format!("cannot be read: {error}");
    Fault { source: Some(error), ..Fault::last(line, None, what) }
}

/// The separator of a line `sep=X`, which spreadsheets write and obey.
fn said_separator(line: &[u8]) -> Option<u8> {
    let line = line.trim_ascii_end().strip_prefix(b"\"").map_or(line, |line| line);
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = line.strip_suffix(b"\"").unwrap_or(line);
    let (word, separator) = line.split_at_checked(4)?;
    match separator {
        [one] if word.eq_ignore_ascii_case(b"sep=") && one.is_ascii() && !matches!(one, b'"' | b' ') => {
            Some(*one)
        }
        _ => None,
    }
}

fn likely_separator(header: &[u8], is_column: &dyn Fn(&str) -> bool) -> u8 {
    let score = |separator: u8| {
        let (mut known, mut count) = (0_usize, 0_usize);
        for name in split_outside_quotes(header, separator) {
            count += 1;
            known += usize::from(is_column(&String::from_utf8_lossy(name)));
        }
        (known, count)
    };
    // The first of equals: comma before the others.
    SEPARATORS.into_iter().rev().max_by_key(|separator| score(*separator)).unwrap_or(b',')
}

fn split_outside_quotes(line: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut is_quoted = false;
    line.split(move |byte| {
        is_quoted ^= *byte == b'"';
        *byte == separator && !is_quoted
    })
    .map(|name| {
        let name = name.trim_ascii();
        name.strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\"")).unwrap_or(name)
    })
}
