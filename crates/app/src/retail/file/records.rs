//! Splits a stream into records of bounded size (RFC 4180), and hashes it on the way.

use std::io::{BufRead, Read as _};

use sha2::{Digest as _, Sha256};

use super::{COLUMNS, FileError, bad};

/// Bytes that one record may have.
const RECORD_BYTES_MAX: usize = 64 * 1024;
/// Lines of text that one record may go over, in quotes.
const RECORD_TEXT_LINES_MAX: u64 = 100;

/// One record: its fields without their quotes.
pub(super) struct Record {
    /// Line of the file it begins on.
    pub number: u64,
    /// Its fields.
    pub fields: Vec<Vec<u8>>,
}

/// A stream that is read record by record.
pub(super) struct Records<R> {
    input: R,
    hash: Sha256,
    number: u64,
    buffer: Vec<u8>,
}

impl<R: BufRead> Records<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, hash: Sha256::new(), number: 0, buffer: Vec::new() }
    }

    /// The next record; a quoted field may go over the end of a line.
    pub(super) fn next(&mut self) -> Result<Option<Record>, FileError> {
        self.buffer.clear();
        let number = self.number + 1;
        loop {
            let before = self.buffer.len();
            self.physical_line(number)?;
            if self.buffer.len() == before {
                if before == 0 {
                    return Ok(None);
                }
                return Err(bad(number, "a quotation mark is opened and never closed".to_owned()));
            }
            self.number += 1;
            if let Some(fields) = split(&self.buffer) {
                return Ok(Some(Record { number, fields }));
            }
            if self.number - number >= RECORD_TEXT_LINES_MAX {
                let what = format!("a quotation mark is not closed within {RECORD_TEXT_LINES_MAX} lines");
                return Err(bad(number, what));
            }
        }
    }

    /// SHA-256 of all that was read.
    pub(super) fn sha256(self) -> [u8; 32] {
        self.hash.finalize().into()
    }

    fn physical_line(&mut self, number: u64) -> Result<(), FileError> {
        let room = RECORD_BYTES_MAX + 1 - self.buffer.len();
        let from = self.buffer.len();
        (&mut self.input)
            .take(room as u64)
            .read_until(b'\n', &mut self.buffer)
            .map_err(|source| FileError::Read { line: number, source })?;
        self.hash.update(&self.buffer[from..]);
        if self.buffer.len() > RECORD_BYTES_MAX {
            return Err(bad(number, format!("the line has more than {RECORD_BYTES_MAX} bytes")));
        }
        Ok(())
    }
}

/// The fields of a record; `None` when a quotation mark is still open at its end.
fn split(record: &[u8]) -> Option<Vec<Vec<u8>>> {
    let record = record.strip_suffix(b"\n").unwrap_or(record);
    let record = record.strip_suffix(b"\r").unwrap_or(record);
    let mut fields = Vec::with_capacity(COLUMNS.len());
    let mut field = Vec::new();
    let mut quoted = false;
    let mut bytes = record.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' if quoted && bytes.peek() == Some(&b'"') => {
                bytes.next();
                field.push(b'"');
            }
            b'"' if quoted => quoted = false,
            b'"' if field.is_empty() => quoted = true,
            b',' if !quoted => fields.push(std::mem::take(&mut field)),
            other => field.push(other),
        }
    }
    if quoted {
        return None;
    }
    fields.push(field);
    Some(fields)
}
