//! Exports of other shops: their tables become the same rows as those of this shop.
//!
//! A product goes in with all that it can: what costs itself only (a picture that stands elsewhere, stock below zero, a SKU
//! that is missing) is told, a row that cannot be sold is refused, and the rest of its product goes in.

pub mod html;
pub mod shopify;
pub mod woocommerce;

use std::collections::{BTreeMap, HashMap};
use std::io::BufRead;

use super::{Item, Problem, ROW_LIMITS, VariantRow};
use crate::table::{Columns, Encoding, Fault, Known, Records, Utf8, encoding, header};

/// Characters of a text that the catalogue takes.
pub const DESCRIPTION_CHARS_MAX: usize = 20_000;
/// Characters of a name.
pub const NAME_CHARS_MAX: usize = 255;
/// Bytes of a SKU.
const SKU_BYTES_MAX: usize = 64;
const SLUG_CHARS_MAX: usize = 120;
/// Names of a category's path, and characters of one.
const DEPTH_MAX: usize = 8;
const CATEGORY_CHARS_MAX: usize = 100;
/// Facts of a product that are made of its tags and its maker.
pub const FACTS_MAX: usize = 40;

/// What an export's columns are.
pub struct Spec {
    /// What a file of this kind is called.
    pub file: &'static str,
    /// Columns that must be there, by the names that are used here and those that are told.
    pub required: &'static [(&'static str, &'static str)],
    /// The name that a column is used by here; `None` where it is not used.
    pub used_as: fn(&str) -> Option<String>,
    /// Whether a column belongs to an export, although it is not used.
    pub is_known: fn(&str) -> bool,
}

/// A row of an export: what is not blank, by the name of its column.
#[derive(Clone, Debug, Default)]
pub struct Cells {
    /// The line it begins on.
    pub line: u64,
    values: BTreeMap<String, String>,
}

impl Cells {
    /// A cell; empty where there is none.
    pub fn get(&self, column: &str) -> &str {
        self.values.get(column).map_or("", String::as_str)
    }

    /// Bytes that it holds.
    pub fn size(&self) -> usize {
        self.values.iter().map(|(name, value)| name.len() + value.len() + 64).sum()
    }
}

/// An export that is read row by row.
pub struct Sheet {
    records: Records<Box<dyn BufRead + Send>>,
    found: encoding::Found,
    columns: Columns,
    used: Vec<(usize, String)>,
}

impl Sheet {
    /// Reads the header; notes tell of columns that mean nothing.
    pub fn open(
        reader: Box<dyn BufRead + Send>,
        known: Option<Encoding>,
        spec: &Spec,
    ) -> Result<(Self, Vec<Item>), Problem> {
        let whole = |fault: Fault| told(&fault, String::new());
        let reader = Utf8::new(reader, known);
        let found = reader.found();
        let is_column = |name: &str| (spec.used_as)(&header::normal(name)).is_some();
        let mut records = Records::open(reader, ROW_LIMITS, &is_column).map_err(whole)?;
        let record = loop {
            match records.next() {
                Some(Ok(record)) if record.is_blank() => {}
                Some(Ok(record)) => break record,
                Some(Err(fault)) => return Err(Problem { is_last: true, ..whole(fault) }),
                None => {
                    return Err(last(
                        1,
                        "",
                        "the file is empty; its first line names the columns".to_owned(),
                    ));
                }
            }
        };
        // A name that comes twice is taken from where it stands first, as the shops themselves do.
        let columns = Columns::of(&record, &Known { names: &[], file: spec.file })
            .map_err(|fault| Problem { is_last: true, ..whole(fault) })?;
        let (mut used, mut unknown): (Vec<(usize, String)>, Vec<&str>) = (Vec::new(), Vec::new());
        for (place, name) in columns.written.iter().enumerate() {
            let name_here = header::normal(name);
            match (spec.used_as)(&name_here) {
                Some(id) if !used.iter().any(|(_, other)| *other == id) => used.push((place, id)),
                Some(_) => {}
                None if (spec.is_known)(&name_here) || name.is_empty() => {}
                None => unknown.push(name),
            }
        }
        for (id, shown) in spec.required {
            if !used.iter().any(|(_, other)| other == id) {
                let separator = records.separator();
                let seen = columns.seen(separator);
                let reason = format!("is missing from the header of {}, which is {seen}", spec.file);
                return Err(last(record.line, shown, reason));
            }
        }
        let mut notes = Vec::new();
        if !unknown.is_empty() {
            let reason = format!("columns of no {} are ignored: {}", &spec.file[2..], unknown.join(", "));
            notes.push(note(record.line, "", reason));
        }
        Ok((Self { records, found, columns, used }, notes))
    }

    /// The next row that is not blank.
    pub fn next(&mut self) -> Option<Result<Cells, Problem>> {
        loop {
            let record = match self.records.next()? {
                Ok(record) if record.is_blank() => continue,
                Ok(record) => record,
                Err(fault) => {
                    let column = fault.column.map(|place| self.columns.name(place)).unwrap_or_default();
                    return Some(Err(super::unreadable(told(&fault, column))));
                }
            };
            if let Err(fault) = record.check_width(self.columns.width()) {
                return Some(Err(told(&fault, String::new())));
            }
            let mut cells = Cells { line: record.line, ..Cells::default() };
            for (place, id) in &self.used {
                match record.text(*place) {
                    Ok("") => {}
                    Ok(text) => drop(cells.values.insert(id.clone(), text.to_owned())),
                    Err(what) => return Some(Err(problem(record.line, &self.columns.name(*place), what))),
                }
            }
            return Some(Ok(cells));
        }
    }

    /// Tells the encoding, once the file was read.
    pub fn encoding_note(&self) -> Option<Item> {
        super::encoding_note(&self.found)
    }
}

fn told(fault: &Fault, column: String) -> Problem {
    Problem { line: fault.line, column, reason: fault.what.clone(), is_last: fault.is_last }
}

fn last(line: u64, column: &str, reason: String) -> Problem {
    Problem { is_last: true, ..problem(line, column, reason) }
}

/// What is wrong with a row.
pub fn problem(line: u64, column: &str, reason: String) -> Problem {
    Problem { line, column: column.to_owned(), reason, is_last: false }
}

/// What is to be known of a row.
pub fn note(line: u64, column: &str, reason: String) -> Item {
    Item::Note(problem(line, column, reason))
}

/// SKUs of a whole file: a second use is refused by row, and what has none gets one.
#[derive(Default)]
pub struct Skus(HashMap<String, u64>);

impl Skus {
    /// Takes a SKU for a line, unless another line has it.
    pub fn take(&mut self, sku: &str, line: u64) -> Result<(), String> {
        if sku.len() > SKU_BYTES_MAX || sku.chars().any(char::is_control) {
            let seen = crate::table::excerpt(sku);
            return Err(format!(
                "is {seen}; a SKU has at most {SKU_BYTES_MAX} bytes, all of them letters and signs"
            ));
        }
        match self.0.get(sku) {
            Some(other) => Err(format!("is {sku:?}, which line {other} has already")),
            None => {
                self.0.insert(sku.to_owned(), line);
                Ok(())
            }
        }
    }

    /// Makes a SKU of words: the product's and the values of its options.
    pub fn make<'a>(&mut self, words: impl Iterator<Item = &'a str>, line: u64) -> String {
        let words: Vec<String> = words.map(sku_word).filter(|word| !word.is_empty()).collect();
        let whole = words.join("-");
        let whole = if whole.is_empty() { "sku".to_owned() } else { whole };
        for n in 1_u32.. {
            let tail = if n == 1 { String::new() } else { format!("-{n}") };
            let made = format!("{}{tail}", cut_bytes(&whole, SKU_BYTES_MAX - tail.len()));
            if self.take(&made, line).is_ok() {
                return made;
            }
        }
        whole
    }
}

/// Letters and digits of any script in lower case, all else as hyphens.
fn sku_word(text: &str) -> String {
    let letters =
        text.chars().flat_map(char::to_lowercase).map(|c| if c.is_alphanumeric() { c } else { '-' });
    let letters: String = letters.collect();
    letters.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

fn cut_bytes(text: &str, bytes_max: usize) -> &str {
    let mut end = bytes_max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].trim_end_matches('-')
}

/// The first characters of a text.
pub fn cut(text: &str, chars_max: usize) -> String {
    text.chars().take(chars_max).collect::<String>().trim().to_owned()
}

/// A category's path as the catalogue writes it. A slash in a name would be another level, so it becomes a hyphen; levels
/// below the deepest are left out.
pub fn category_path<'a>(names: impl Iterator<Item = &'a str>) -> Option<String> {
    let names =
        names.map(|name| cut(&name.replace('/', "-"), CATEGORY_CHARS_MAX)).filter(|name| !name.is_empty());
    let names: Vec<String> = names.take(DEPTH_MAX).collect();
    (!names.is_empty()).then(|| names.join("/"))
}

/// A name in addresses that may be taken over as it is; empty where the catalogue is to make one from the name.
pub fn slug(text: &str) -> String {
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if text.len() <= SLUG_CHARS_MAX && text.split('-').all(is_word) { text.to_owned() } else { String::new() }
}

/// Splits a list by commas; a backslash before a comma keeps it.
pub fn list(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        let part = parts.last_mut();
        match (c, part) {
            ('\\', Some(part)) if letters.peek() == Some(&',') => {
                letters.next();
                part.push(',');
            }
            (',', _) => parts.push(String::new()),
            (other, Some(part)) => part.push(other),
            (_, None) => {}
        }
    }
    parts.iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// Units in stock: below zero is none, and parts of a unit are left out; both are told.
pub fn stock(line: u64, column: &str, text: &str, notes: &mut Vec<Item>) -> Result<Option<i64>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, part) = digits.split_once(['.', ',']).unwrap_or((digits, ""));
    let units =
        whole.parse::<i64>().ok().filter(|units| *units >= 0 && part.bytes().all(|b| b.is_ascii_digit()));
    let Some(units) = units.map(|units| sign * units) else {
        return Err(problem(line, column, super::cells::whole::<i64>(text).err().unwrap_or_default()));
    };
    if units < 0 {
        notes.push(note(line, column, format!("is {text}: stock below zero goes in as 0")));
    } else if part.bytes().any(|b| b != b'0') {
        notes.push(note(line, column, format!("is {text}: {units} whole units go in")));
    }
    Ok(Some(units.max(0)))
}

/// Pictures of an export: those that stand at an address are not fetched, which is told; others are files beside the export.
pub fn pictures<'a>(
    sources: impl Iterator<Item = (u64, &'a str, &'a str)>,
    column: &str,
    notes: &mut Vec<Item>,
) -> Vec<super::ImageRow> {
    let mut files: Vec<super::ImageRow> = Vec::new();
    let mut elsewhere: Vec<(u64, &str)> = Vec::new();
    for (line, source, alt) in sources {
        if source.contains("://") || source.starts_with("//") {
            elsewhere.push((line, source));
        } else if !files.iter().any(|image| image.file == source) {
            files.push(super::ImageRow {
                file: source.to_owned(),
                alt: cut(alt, 300),
                ..super::ImageRow::default()
            });
        }
    }
    if let Some((line, first)) = elsewhere.first() {
        let seen = crate::table::excerpt(first);
        let reason = match elsewhere.len() {
            1 => format!("is a picture that stands elsewhere, {seen}; it is skipped"),
            n => format!("has {n} pictures that stand elsewhere, {seen} the first; they are skipped"),
        };
        notes.push(note(*line, column, reason));
    }
    files
}

/// Whether two variants have the same values of all options.
pub fn repeats(variants: &[VariantRow], variant: &VariantRow) -> bool {
    variants.iter().any(|other| other.options == variant.options)
}

#[cfg(test)]
mod tests;
