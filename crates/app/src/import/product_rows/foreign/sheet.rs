//! Reads the table of an export row by row, by the columns that are used of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::BufRead;
use std::sync::Arc;

use super::{note, problem};
use crate::import::product_rows::unread::Unread;
use crate::import::product_rows::{Item, Problem, ROW_LIMITS, encoding_note, unreadable};
use crate::table::{Columns, Encoding, Fault, Known, Records, Remains, Utf8, encoding, excerpt, header};

/// Columns that one note lists.
const NAMES_MAX: usize = 20;

/// Gives the cell of a column, by the name that is used here.
pub type Get<'a> = dyn Fn(&str) -> String + 'a;

/// What an export's columns are.
pub struct Spec {
    /// What a file of this kind is called, without an article.
    pub name: &'static str,
    /// Columns that must be there, by the names that are used here and those that are told.
    pub required: &'static [(&'static str, &'static str)],
    /// The name that a column is used by here; `None` where it is not used.
    pub used_as: fn(&str) -> Option<String>,
    /// What helps where one of them is not: a clause behind a semicolon, or nothing.
    pub hint: &'static str,
    /// Whether cells, by the names that are used here, are those of a row for certain.
    pub is_row: fn(&Get<'_>) -> bool,
    /// Whether a column belongs to an export, although it is not used.
    pub is_known: fn(&str) -> bool,
    /// The column of each field of a product, as it is told.
    pub columns: &'static [(&'static str, &'static str)],
}

impl Spec {
    /// The column of a field of a product; the field where no column has it.
    pub fn column<'a>(&self, field: &'a str) -> &'a str {
        self.columns.iter().find(|(known, _)| *known == field).map_or(field, |(_, column)| column)
    }
}

/// A cell as the other shop has it. Exports write an apostrophe before what a spreadsheet would take for a formula, and imports of
/// the same shops take it away again.
fn unescaped(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(own) if own.starts_with(['=', '+', '-', '@', '\t', '\r']) => own,
        _ => text,
    }
}

/// A row of an export: what is not blank, by the name of its column.
#[derive(Clone, Debug, Default)]
pub struct Cells {
    /// The line it begins on.
    pub line: u64,
    values: BTreeMap<String, String>,
    /// The columns that the file has.
    columns: Arc<BTreeSet<String>>,
}

impl Cells {
    /// A cell; empty where there is none.
    pub fn get(&self, column: &str) -> &str {
        self.values.get(column).map_or("", String::as_str)
    }

    /// Whether the file has a column.
    pub fn has(&self, column: &str) -> bool {
        self.columns.contains(column)
    }

    /// Bytes that it holds.
    pub fn size(&self) -> usize {
        let values = self.values.iter().map(|(name, value)| name.len() + value.len() + 64);
        size_of::<Self>() + values.sum::<usize>()
    }
}

/// A row that is refused.
pub struct BadRow {
    /// What is wrong with it.
    pub problem: Problem,
    remains: Remains,
}

/// An export that is read row by row.
pub struct Sheet {
    records: Records<Box<dyn BufRead + Send>>,
    found: encoding::Found,
    known: Option<Encoding>,
    columns: Columns,
    used: Vec<(usize, String)>,
    names: Arc<BTreeSet<String>>,
}

impl Sheet {
    /// Reads the header: the rows behind it, unless it is not one of the shop's, and what is told first.
    pub fn begin(
        reader: Box<dyn BufRead + Send>,
        known: Option<Encoding>,
        spec: &Spec,
    ) -> (Option<Self>, VecDeque<Item>) {
        match Self::open(reader, known, spec) {
            Ok((sheet, notes)) => (Some(sheet), notes.into()),
            Err(problem) => (None, VecDeque::from([Item::Refused(vec![problem])])),
        }
    }

    /// Reads the header; notes tell of columns that mean nothing.
    fn open(
        reader: Box<dyn BufRead + Send>,
        known: Option<Encoding>,
        spec: &Spec,
    ) -> Result<(Self, Vec<Item>), Problem> {
        let file = format!("a {}", spec.name);
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
        let columns = Columns::of(&record, &Known { names: &[], file: &file })
            .map_err(|fault| Problem { is_last: true, ..whole(fault) })?;
        let (mut used, mut unknown): (Vec<(usize, String)>, Vec<String>) = (Vec::new(), Vec::new());
        for (place, name) in columns.written.iter().enumerate() {
            let name_here = header::normal(name);
            match (spec.used_as)(&name_here) {
                Some(id) if !used.iter().any(|(_, other)| *other == id) => used.push((place, id)),
                Some(_) => {}
                None if (spec.is_known)(&name_here) || name.is_empty() => {}
                None => unknown.push(excerpt(name)),
            }
        }
        let is_missing = |id: &str| !used.iter().any(|(_, other)| other == id);
        let missing = spec.required.iter().filter(|(id, _)| is_missing(id));
        let missing: Vec<&str> = missing.map(|(_, shown)| *shown).collect();
        if !missing.is_empty() {
            let are = if missing.len() == 1 { "is" } else { "are" };
            let seen = columns.seen(records.separator());
            let reason = format!("{are} missing from the header of {file}, which is {seen}{}", spec.hint);
            return Err(last(record.line, &missing.join(", "), reason));
        }
        let mut notes = Vec::new();
        if !unknown.is_empty() {
            let more = if unknown.len() > NAMES_MAX { ", …" } else { "" };
            unknown.truncate(NAMES_MAX);
            let reason =
                format!("columns that {file} does not have are ignored: {}{more}", unknown.join(", "));
            notes.push(note(record.line, "", reason));
        }
        let (width, places, is_row) = (columns.width(), used.clone(), spec.is_row);
        records.doubt_quotes_over(move |record| {
            let get = |id: &str| {
                let place = places.iter().find(|(_, other)| other == id).map(|(place, _)| *place);
                unescaped(place.and_then(|place| record.text(place).ok()).unwrap_or_default()).to_owned()
            };
            record.len() >= width && record.check_width(width).is_ok() && is_row(&get)
        });
        let names = Arc::new(used.iter().map(|(_, id)| id.clone()).collect());
        Ok((Self { records, found, known, columns, used, names }, notes))
    }

    /// The next row that is not blank.
    pub fn next(&mut self) -> Option<Result<Cells, BadRow>> {
        loop {
            let record = match self.records.next()? {
                Ok(record) if record.is_blank() => continue,
                Ok(record) => record,
                Err(fault) => {
                    let column = fault.column.map(|place| self.columns.name(place)).unwrap_or_default();
                    let (problem, remains) = (unreadable(told(&fault, column)), self.records.take_remains());
                    return Some(Err(BadRow { problem, remains }));
                }
            };
            if let Err(fault) = record.check_width(self.columns.width()) {
                let remains = Remains::whole(record, self.columns.width());
                return Some(Err(BadRow { problem: told(&fault, String::new()), remains }));
            }
            let mut cells =
                Cells { line: record.line, values: BTreeMap::new(), columns: Arc::clone(&self.names) };
            for (place, id) in &self.used {
                match record.text(*place) {
                    Ok("") => {}
                    Ok(text) => drop(cells.values.insert(id.clone(), unescaped(text).to_owned())),
                    Err(what) => {
                        let problem = problem(record.line, &self.columns.name(*place), what);
                        let remains = Remains::whole(record, self.columns.width());
                        return Some(Err(BadRow { problem, remains }));
                    }
                }
            }
            return Some(Ok(cells));
        }
    }

    /// What a column of a bad row may be; `None` where nothing is known of it.
    pub fn candidates<'a>(&self, bad: &'a BadRow, id: &str) -> Option<Vec<&'a str>> {
        let place = self.used.iter().find(|(_, other)| other == id).map(|(place, _)| *place);
        // A column that the file does not have is empty in every row.
        let found = place.map_or_else(|| Some(Vec::new()), |place| bad.remains.candidates(place));
        found.map(|texts| texts.into_iter().map(unescaped).collect())
    }

    /// The products that a bad row may belong to, by the column that names them.
    pub fn unread(&self, bad: &BadRow, id: &str) -> Unread {
        Unread::new(bad.problem.line, self.candidates(bad, id))
    }

    /// Tells the encoding, once the file was read.
    pub fn encoding_note(&self) -> Option<Item> {
        encoding_note(&self.found, self.known)
    }
}

fn told(fault: &Fault, column: String) -> Problem {
    Problem { line: fault.line, column, reason: fault.what.clone(), is_last: fault.is_last }
}

fn last(line: u64, column: &str, reason: String) -> Problem {
    Problem { is_last: true, ..problem(line, column, reason) }
}
