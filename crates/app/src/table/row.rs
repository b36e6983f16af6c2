//! Takes the bytes of one row apart: quotes, separators and ends of lines.

use super::Encoding;
use super::record::Record;
use super::records::{COLUMNS_MAX, Fault, Limits};

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

/// A row that is being read.
pub(super) struct Row {
    record: Record,
    separator: u8,
    at: At,
    /// Where the field begins.
    start: usize,
    /// The line that the last quotation mark opened on.
    opened: u64,
    bytes: usize,
    /// What is wrong with it. What follows is not kept, but its quotes are followed: a text in quotes may go on over lines that
    /// are not rows.
    bad: Option<Fault>,
    /// Fields before what is wrong.
    good_fields: Option<usize>,
    /// The column that the last quotation mark opened in, when it goes over lines.
    opened_column: usize,
    /// The line in hand as it is written, when it begins within quotes.
    written: Option<Vec<u8>>,
    /// Whether the line where these quotes open is a row by itself, its quotation mark taken for a letter.
    opens_in_a_row: bool,
    /// Whether its fields begin with blanks.
    is_spaced: bool,
}

/// Whether every field behind the first begins with a blank, where it is not empty.
fn is_spaced(record: &Record) -> bool {
    let mut fields = (1..record.len()).map(|n| record.field(n)).filter(|field| !field.is_empty()).peekable();
    fields.peek().is_some() && fields.all(|field| field.starts_with(b" "))
}

/// Tells whether fields are those of a row, for certain enough to doubt quotes that go over them.
pub(super) type IsRow = dyn Fn(&Record) -> bool + Send;

impl Row {
    pub(super) fn new(separator: u8, line: u64) -> Self {
        let record = Record { line, ..Record::default() };
        Self {
            record,
            separator,
            at: At::Start,
            start: 0,
            opened: line,
            bytes: 0,
            bad: None,
            good_fields: None,
            opened_column: 0,
            written: None,
            opens_in_a_row: false,
            is_spaced: false,
        }
    }

    /// The line that it begins on.
    pub(super) fn line(&self) -> u64 {
        self.record.line
    }

    /// The row, in the encoding that its file turned out to have.
    pub(super) fn into_record(self, encoding: Option<Encoding>) -> Record {
        Record { encoding, ..self.record }
    }

    /// What was read before a fault.
    pub(super) fn into_fields_before_fault(self, encoding: Option<Encoding>) -> Record {
        let fields = self.good_fields.unwrap_or(self.record.ends.len());
        let mut record = self.into_record(encoding);
        record.ends.truncate(fields);
        record.bytes.truncate(record.ends.last().copied().unwrap_or_default());
        record
    }

    /// Takes bytes up to the end of the row. Answers how many, and what the row came to if it ended.
    pub(super) fn take(
        &mut self,
        ready: &[u8],
        line: &mut u64,
        after_cr: &mut bool,
        limits: Limits,
        is_row: Option<&IsRow>,
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
                if let Some(ended) = self.end_line(*line, limits, is_row) {
                    return (n + 1, Some(ended));
                }
            } else if let Some(written) = &mut self.written {
                written.push(byte);
            }
            if let Err(fault) = self.step(byte, *line) {
                if fault.is_last {
                    return (n + 1, Some(Err(fault)));
                }
                self.at = At::Plain;
                self.good_fields.get_or_insert(self.record.len());
                self.bad.get_or_insert(fault);
            }
        }
        (ready.len(), None)
    }

    /// Ends a line, and the row with it unless its quotes go on; `line` is the one that begins.
    fn end_line(&mut self, line: u64, limits: Limits, is_row: Option<&IsRow>) -> Option<Result<(), Fault>> {
        let is_open = self.at == At::Quoted;
        if let Some(is_row) = is_row
            && let Some(fault) = self.doubt(line - 1, is_open, is_row)
        {
            return Some(Err(fault));
        }
        if !is_open {
            self.record.last_line = line - 1;
            self.end_field();
            return Some(self.bad.take().map_or(Ok(()), Err));
        }
        if line - self.opened > limits.row_lines_max {
            let what = format!("a quotation mark is not closed within {} lines", limits.row_lines_max);
            return Some(Err(Fault::last(self.opened, Some(self.record.len()), what)));
        }
        None
    }

    /// Doubts quotes that go over a line which is a row by itself: a mark that somebody forgot to close, or wrote for inches,
    /// takes the rows behind it into its text up to the next one, which closes it by chance. The line that it closes on is
    /// doubted only where the line that it opens on is a row by itself too.
    fn doubt(&mut self, line: u64, is_open: bool, is_row: &IsRow) -> Option<Fault> {
        let written = self.written.take();
        let alone = written.as_deref().and_then(|written| self.alone(written));
        // In a sentence blanks stand behind commas, in a row seldom.
        let is_row_like = |alone: &Record| self.is_spaced || !is_spaced(alone);
        if alone
            .is_some_and(|alone| (is_open || self.opens_in_a_row) && is_row_like(&alone) && is_row(&alone))
        {
            let seen = super::excerpt(&String::from_utf8_lossy(written.as_deref().unwrap_or_default()));
            let what = format!(
                "a quotation mark that is opened here goes on over line {line}, which is a row by itself: {seen}; close it \
                 on its own line, or write one inside a field twice"
            );
            self.good_fields.get_or_insert(self.opened_column);
            return Some(Fault::last(self.opened, Some(self.opened_column), what));
        }
        if is_open {
            if self.opened == line {
                self.opened_column = self.record.len();
                self.is_spaced = is_spaced(&self.record);
                self.opens_in_a_row = self.good_fields.is_none() && is_row(&self.as_opened());
            }
            self.written = Some(Vec::new());
        }
        None
    }

    /// A line of this row as a row of its own.
    fn alone(&self, written: &[u8]) -> Option<Record> {
        let mut row = Self::new(self.separator, self.record.line);
        for byte in written {
            row.step(*byte, self.record.line).ok()?;
        }
        if row.at == At::Quoted {
            return None;
        }
        row.end_field();
        Some(row.record)
    }

    /// The row up to the end of the line that its quotes open on, as if they did not.
    fn as_opened(&self) -> Record {
        let mut record =
            Record { line: self.record.line, ends: self.record.ends.clone(), ..Record::default() };
        let (before, text) = self.record.bytes.split_at(self.start);
        record.bytes.extend_from_slice(before);
        for field in text.split(|byte| *byte == self.separator) {
            record.bytes.extend_from_slice(field);
            record.ends.push(record.bytes.len());
        }
        record
    }

    fn step(&mut self, byte: u8, line: u64) -> Result<(), Fault> {
        match (self.at, byte) {
            (At::Quoted, b'"') => self.at = At::Closing,
            // Line breaks of a text are LF, however the lines of its file end.
            (At::Quoted, b'\r') => self.push(b'\n'),
            (At::Quoted, other) => self.push(other),
            (At::Closing, b'"') => {
                self.push(b'"');
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
            (At::Start, b' ' | b'\t') => self.push(byte),
            (At::Start | At::Plain, other) => {
                self.push(other);
                self.at = At::Plain;
            }
        }
        Ok(())
    }

    fn push(&mut self, byte: u8) {
        if self.good_fields.is_none() {
            self.record.bytes.push(byte);
        }
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

    /// Ends the row with the file; answers whether there is one.
    pub(super) fn end_of_file(&mut self, line: u64, is_row: Option<&IsRow>) -> Result<bool, Fault> {
        if self.at == At::Quoted {
            let what = "a quotation mark is opened and never closed".to_owned();
            return Err(Fault::last(self.opened, Some(self.record.len()), what));
        }
        if self.bytes == 0 {
            return Ok(false);
        }
        if let Some(is_row) = is_row
            && let Some(fault) = self.doubt(line, false, is_row)
        {
            return Err(fault);
        }
        self.record.last_line = line;
        self.end_field();
        self.bad.take().map_or(Ok(true), Err)
    }
}
