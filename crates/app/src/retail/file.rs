//! Reads a file of the shape of the UCI "Online Retail" data set, line by line, from plain text or gzip.
//!
//! The reader never holds more than one record, so a hostile file (ten gigabytes without an end of line in a small gzip) costs
//! no memory. Whatever cannot be read is an error with its line, and with its column when it is one column.

mod parse;

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::io::{self, BufRead, Read};
use std::path::Path;
use std::sync::Arc;

use kernel::sku::{self, SKU_BYTES_MAX};
use kernel::text::{self, Lines};
use kernel::{Currency, Money, Rounding, Timestamp, UnitPrice};
use sha2::{Digest as _, Sha256};

use crate::table::{Columns, Encoding, Fault, Known, Limits, Record, Records, Utf8, excerpt, source};
use parse::{parse_customer, parse_price, parse_quantity, parse_time};

/// Lines that one file may have; more do not fit the memory of a small machine.
const LINES_MAX: u64 = 20_000_000;
/// How large a line may be.
const LIMITS: Limits = Limits { row_bytes_max: 64 * 1024, row_lines_max: 100 };
/// Units that a line may have, in either direction.
const QUANTITY_MAX: i64 = 1_000_000_000;
/// The currency of the data set.
pub const CURRENCY: Currency = Currency::GBP;
/// The columns, by the names in the first line; others are passed over.
pub const COLUMNS: [&str; 8] = [
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
];

/// One line of an invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Line of the file it begins on; the header is line 1.
    pub number: u64,
    /// Invoice; `C…` is a cancellation, `A…` an adjustment.
    pub invoice: Arc<str>,
    /// What was sold, as the catalogue stores it: codes differ in case alone.
    pub sku: Arc<str>,
    /// As spelt on this line; may be empty.
    pub description: Arc<str>,
    /// Units; negative ones came back or were written off.
    pub quantity: i64,
    /// When, taken as UTC.
    pub time: Timestamp,
    /// Price of one unit in millionths of a pound; may be negative on an adjustment.
    pub price_micros: i64,
    /// Number of the customer; `None`: a guest.
    pub customer: Option<Arc<str>>,
    /// Name of the country; may be empty.
    pub country: Arc<str>,
}

/// Why a line cannot be an order's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// The invoice cancels another.
    Cancellation,
    /// No units are sold.
    NoQuantity,
    /// There is no price.
    NoPrice,
    /// The shop had none left.
    OutOfStock,
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Lines without the header.
    pub lines: u64,
    /// SHA-256 of the unpacked bytes.
    pub sha256: [u8; 32],
    /// What is to be known of the file: columns that are ignored, the encoding that was found.
    pub notes: Vec<String>,
}

/// Why a file cannot be read.
#[derive(Debug)]
pub enum FileError {
    /// It cannot be opened.
    Open(io::Error),
    /// It ends, or cannot be unpacked, at a line.
    Read {
        /// Line of the file.
        line: u64,
        /// What the system says.
        source: io::Error,
    },
    /// A line is wrong.
    Bad {
        /// Line of the file; the header is line 1.
        line: u64,
        /// Its column from 1, and the column's name (empty where it has none), when it is one column.
        column: Option<(usize, String)>,
        /// What is wrong, as a clause.
        what: String,
    },
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(source) => write!(f, "cannot be opened: {source}"),
            Self::Read { line, source } => write!(f, "line {line}: cannot be read: {source}"),
            Self::Bad { line, column: Some((number, name)), what } if name.is_empty() => {
                write!(f, "line {line}, column {number}: {what}")
            }
            Self::Bad { line, column: Some((number, name)), what } => {
                write!(f, "line {line}, column {number} ({name}): {what}")
            }
            Self::Bad { line, column: None, what } => write!(f, "line {line}: {what}"),
        }
    }
}

impl std::error::Error for FileError {}

impl Refusal {
    /// The reason as reports have it.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Cancellation => "CANCELLATION",
            Self::NoQuantity => "NO_QUANTITY",
            Self::NoPrice => "NO_PRICE",
            Self::OutOfStock => "OUT_OF_STOCK",
        }
    }
}

impl Line {
    /// Why this line is not a sale: the first reason that fits.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        if self.invoice.starts_with('C') {
            Some(Refusal::Cancellation)
        } else if self.quantity <= 0 {
            Some(Refusal::NoQuantity)
        } else if self.price_micros <= 0 {
            Some(Refusal::NoPrice)
        } else {
            None
        }
    }

    /// Quantity × unit price with its sign, rounded half-even to the penny.
    #[must_use]
    pub fn money(&self) -> Money {
        UnitPrice::new(self.price_micros, CURRENCY)
            .times(self.quantity, Rounding::HalfEven)
            .expect("the reader's limits keep a line within 64 bits")
    }
}

/// Reads a file and hands over each line in turn.
///
/// # Errors
/// The first thing that cannot be read; lines before it have been handed over.
pub fn read(path: &Path, encoding: Option<Encoding>, each: impl FnMut(Line)) -> Result<Summary, FileError> {
    read_as(source::open(path).map_err(FileError::Open)?, encoding, each)
}

/// Reads unpacked text and hands over each line in turn.
///
/// # Errors
/// As [`read`].
#[cfg(test)]
pub fn read_from(input: impl BufRead, each: impl FnMut(Line)) -> Result<Summary, FileError> {
    read_as(input, None, each)
}

/// Reads unpacked text in an encoding that is to be found unless it is known, and hands over each line in turn.
///
/// # Errors
/// As [`read`].
pub fn read_as(
    input: impl BufRead,
    encoding: Option<Encoding>,
    mut each: impl FnMut(Line),
) -> Result<Summary, FileError> {
    let known = Known { names: &COLUMNS, file: "the data set" };
    let hashed = Hashed { input, hash: Sha256::new() };
    let text = Utf8::new(hashed, encoding);
    let found = text.found();
    let mut notes = Vec::new();
    let mut records =
        Records::open(text, LIMITS, &|name| known.find(name).is_some()).map_err(|fault| told(fault, &[]))?;
    let mut header: Option<([usize; 8], Columns)> = None;
    let mut names = Names::default();
    let mut lines = 0;
    while let Some(record) = records.next() {
        let record = record.map_err(|fault| {
            told(fault, header.as_ref().map_or(&[], |(_, columns)| columns.written.as_slice()))
        })?;
        if record.is_blank() {
            continue;
        }
        let Some((places, columns)) = &header else {
            let columns = Columns::of(&record, &known).map_err(|fault| told_of_header(fault, &record))?;
            let found = places(&columns, records.separator())?;
            for (place, _) in &columns.unknown {
                let (name, told) = (columns.name(*place), columns.told(*place, &known));
                notes.push(format!("line {}: {name} {told}", columns.line));
            }
            let width = columns.width();
            records.doubt_quotes_over(move |record| is_row(record, &found, width));
            header = Some((found, columns));
            continue;
        };
        each(line(&record, places, columns.width(), &mut names)?);
        lines += 1;
        if lines > LINES_MAX {
            return Err(bad(record.line, format!("the file has more than {LINES_MAX} lines")));
        }
    }
    if header.is_none() {
        return Err(bad(1, "the file is empty; its first line names the columns".to_owned()));
    }
    if let Some(found) = found.get().filter(|found| encoding.is_none() && !found.is_utf8()) {
        notes.push(format!("the file was read as {}; say --encoding where that is wrong", found.name()));
    }
    Ok(Summary { lines, sha256: records.into_inner().into_inner().hash.finalize().into(), notes })
}

/// A stream that is hashed as it is read.
struct Hashed<R> {
    input: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.hash.update(&buffer[..read]);
        Ok(read)
    }
}

/// A fault of a row below columns of these names.
fn told(fault: Fault, names: &[String]) -> FileError {
    let name = |place: usize| names.get(place).cloned().unwrap_or_default();
    match fault.source {
        Some(source) => FileError::Read { line: fault.line, source },
        None => FileError::Bad {
            line: fault.line,
            column: fault.column.map(|place| (place + 1, name(place))),
            what: fault.what,
        },
    }
}

/// A fault of the header: its column has the name that is at fault, where that is a text.
fn told_of_header(fault: Fault, header: &Record) -> FileError {
    let names: Vec<String> =
        (0..header.len()).map(|n| header.text(n).unwrap_or_default().to_owned()).collect();
    told(fault, &names)
}

fn bad(line: u64, what: String) -> FileError {
    FileError::Bad { line, column: None, what }
}

fn bad_field(line: u64, place: usize, name: &str, what: String) -> FileError {
    FileError::Bad { line, column: Some((place + 1, name.to_owned())), what }
}

/// Finds the columns that are needed in the header.
fn places(columns: &Columns, separator: char) -> Result<[usize; 8], FileError> {
    let mut places = [0; 8];
    for (n, (place, column)) in places.iter_mut().zip(COLUMNS).enumerate() {
        let missing = || {
            let seen = columns.seen(separator);
            bad(columns.line, format!("column {column} is missing from the header, which is {seen}"))
        };
        *place = columns.place(n).ok_or_else(missing)?;
    }
    Ok(places)
}

/// Reads the fields of one line.
fn line(record: &Record, places: &[usize; 8], width: usize, names: &mut Names) -> Result<Line, FileError> {
    let number = record.line;
    let have = record.len();
    if have < width {
        let missing =
            places.iter().zip(COLUMNS).filter(|(place, _)| **place >= have).min_by_key(|(place, _)| **place);
        let what = format!("the line is cut short: it has {have} of {width} columns");
        return Err(match missing {
            Some((place, name)) => bad_field(number, *place, name, what),
            None => bad(number, what),
        });
    }
    record.check_width(width).map_err(|fault| told(fault, &[]))?;
    let text = |index: usize, bytes_max: usize, required: bool| {
        let place = places[index];
        record
            .text(place)
            .and_then(|found| text(found, bytes_max, required))
            .map_err(|what| bad_field(number, place, COLUMNS[index], what))
    };
    let parsed = |index: usize, wanted: &str, found: &str| {
        bad_field(number, places[index], COLUMNS[index], format!("{} is not {wanted}", excerpt(found)))
    };
    let sku = sku::clean(text(1, 4 * SKU_BYTES_MAX, true)?)
        .map_err(|what| bad_field(number, places[1], COLUMNS[1], what.to_owned()))?;
    let quantity = text(3, 32, true)?;
    let time = text(4, 32, true)?;
    let price = text(5, 32, true)?;
    let customer = text(6, 32, false)?;
    Ok(Line {
        number,
        invoice: names.shared(text(0, 32, true)?),
        sku: names.shared(&sku),
        description: names.shared(&described(text(2, 400, false)?)),
        quantity: parse_quantity(quantity)
            .ok_or_else(|| parsed(3, "a whole number between -1000000000 and 1000000000", quantity))?,
        time: parse_time(time).ok_or_else(|| parsed(4, "a time like 2010-12-01 08:26:00", time))?,
        price_micros: parse_price(price)
            .ok_or_else(|| parsed(5, "a price like 2.55, below a million, with at most 6 decimals", price))?,
        customer: parse_customer(customer)
            .ok_or_else(|| parsed(6, "a customer's number like 17850", customer))?
            .map(|number| names.shared(number)),
        country: names.shared(&described(text(7, 100, false)?)),
    })
}

/// Whether fields are a line for certain: what must be a number or a time is.
fn is_row(record: &Record, places: &[usize; 8], width: usize) -> bool {
    let get = |index: usize| record.text(places[index]).unwrap_or_default();
    record.len() == width
        && parse_quantity(get(3)).is_some()
        && parse_time(get(4)).is_some()
        && parse_price(get(5)).is_some()
}

/// Text of a field. Line breaks and tabs are allowed in what people read, and nowhere else.
fn text(text: &str, bytes_max: usize, required: bool) -> Result<&str, String> {
    if text.is_empty() && required {
        return Err("is empty".to_owned());
    }
    if text.len() > bytes_max {
        return Err(format!("has more than {bytes_max} bytes"));
    }
    match text.chars().find(|c| c.is_control() && (required || !is_line_break_or_tab(*c))) {
        Some(c) => Err(format!("has a control character, U+{:04X}", u32::from(c))),
        None => Ok(text),
    }
}

fn is_line_break_or_tab(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}')
}

/// A text for people as the catalogue stores it; empty when it shows nothing.
fn described(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return Cow::Borrowed(text);
    }
    match text::clean(text, Lines::One) {
        Ok(clean) => Cow::Owned(clean),
        Err(_) if !text::shows(text) => Cow::Borrowed(""),
        Err(_) => Cow::Borrowed(text),
    }
}

/// Shares equal strings: a month of lines repeats few names.
#[derive(Default)]
struct Names(HashSet<Arc<str>>);

impl Names {
    fn shared(&mut self, text: &str) -> Arc<str> {
        if let Some(name) = self.0.get(text) {
            return name.clone();
        }
        let name: Arc<str> = text.into();
        self.0.insert(name.clone());
        name
    }
}

#[cfg(test)]
mod tests;
