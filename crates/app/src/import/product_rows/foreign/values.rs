//! Values of an export's cells as the catalogue takes them.

use std::collections::HashSet;

use kernel::text::{self, Lines};
use kernel::{Currency, OPTION_VALUE_CHARS_MAX};
use svc_product::domain::limits::{CATEGORY_NAME_CHARS_MAX, DEPTH_MAX, DESCRIPTION_CHARS_MAX};
use svc_product::domain::slug_is_good;

use super::{Cells, html, note, problem};
use crate::import::product_rows::{ImageRow, Item, Problem, cells};

/// The first characters of a text.
pub fn cut(text: &str, chars_max: usize) -> String {
    text.chars().take(chars_max).collect::<String>().trim().to_owned()
}

/// The first characters of a text without those that nobody sees, by which it would differ from another. What cannot be stored
/// is left for the catalogue to refuse.
pub fn tidy(text: &str, chars_max: usize) -> String {
    match text::clean(text, Lines::One) {
        Ok(text) => cut(&text, chars_max),
        Err(_) => cut(text, chars_max),
    }
}

/// The first characters of a text; it is told where others are left out.
pub fn fit(line: u64, column: &str, text: &str, chars_max: usize, notes: &mut Vec<Item>) -> String {
    if text.chars().count() > chars_max {
        let seen = crate::table::excerpt(text);
        let reason = format!("has {seen}, longer than {chars_max} characters; the rest of it is left out");
        notes.push(note(line, column, reason));
    }
    cut(text, chars_max)
}

/// The value of an option.
pub fn option_value(line: u64, column: &str, text: &str, notes: &mut Vec<Item>) -> String {
    fit(line, column, &tidy(text, usize::MAX), OPTION_VALUE_CHARS_MAX, notes)
}

/// A category's path as the catalogue writes it, of names that may have entities of HTML. A slash in a name would be another
/// level, so it becomes a hyphen; levels below the deepest are left out.
pub fn category_path<'a>(names: impl Iterator<Item = &'a str>) -> Option<String> {
    let names = names
        .map(|name| tidy(&html::to_text(name, false).replace('/', "-"), CATEGORY_NAME_CHARS_MAX))
        .filter(|name| !name.is_empty());
    let names: Vec<String> = names.take(DEPTH_MAX).collect();
    (!names.is_empty()).then(|| names.join("/"))
}

/// A name in addresses that may be taken over as it is; empty where the catalogue is to make one from the name.
pub fn slug(text: &str) -> String {
    if slug_is_good(text) { text.to_owned() } else { String::new() }
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

/// A price; `None` where the cell is empty.
pub fn price(cells: &Cells, id: &str, column: &str, currency: Currency) -> Result<Option<String>, Problem> {
    match cells.get(id) {
        "" => Ok(None),
        text => cells::amount(text, currency).map(Some).map_err(|what| problem(cells.line, column, what)),
    }
}

/// The text of a product's story.
pub fn description(line: u64, column: &str, text: &str, keeps_lines: bool, notes: &mut Vec<Item>) -> String {
    fit(line, column, &html::to_text(text, keeps_lines), DESCRIPTION_CHARS_MAX, notes)
}

/// The status of a product that is kept back, with the reason why.
pub fn keep_back(line: u64, column: &str, why: &str, notes: &mut Vec<Item>) -> &'static str {
    notes.push(note(line, column, format!("{why}: the product goes in as a draft")));
    "draft"
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
    if let Some(number) = cells::decimal(digits).filter(|number| !number.is_sure) {
        let seen = crate::table::excerpt(text);
        return Err(problem(line, column, format!("is {seen}, {}", cells::two_meanings(number.separator))));
    }
    let units =
        whole.parse::<i64>().ok().filter(|units| *units >= 0 && part.bytes().all(|b| b.is_ascii_digit()));
    let Some(units) = units.map(|units| sign * units) else {
        return Err(problem(line, column, cells::whole::<i64>(text).err().unwrap_or_default()));
    };
    if units < 0 {
        notes.push(note(line, column, format!("is {text}: stock below zero goes in as 0")));
    } else if part.bytes().any(|b| b != b'0') {
        notes.push(note(line, column, format!("is {text}: {units} whole units go in")));
    }
    Ok(Some(units.max(0)))
}

/// Why pictures that stand at an address are skipped, told of the first of them: a clause.
pub fn stand_elsewhere(first: &str, count: u64) -> String {
    let seen = crate::table::excerpt(first);
    match count {
        1 => format!("is a picture that stands elsewhere, {seen}; it is skipped"),
        n => format!("has {n} pictures that stand elsewhere, {seen} the first; they are skipped"),
    }
}

/// Pictures of an export: those that stand at an address are not fetched, which is told; others are files beside the export.
pub fn pictures<'a>(
    sources: impl Iterator<Item = (u64, &'a str, &'a str)>,
    column: &str,
    notes: &mut Vec<Item>,
) -> Vec<ImageRow> {
    let mut files: Vec<ImageRow> = Vec::new();
    let mut seen: HashSet<&str> = HashSet::new();
    let (mut first, mut elsewhere) = (None, 0_u64);
    for (line, source, alt) in sources {
        if source.contains("://") || source.starts_with("//") {
            first.get_or_insert((line, source));
            elsewhere += 1;
        } else if seen.insert(source) {
            files.push(ImageRow { file: source.to_owned(), alt: alt.to_owned(), ..ImageRow::default() });
        }
    }
    if let Some((line, first)) = first {
        let reason = stand_elsewhere(first, elsewhere);
        notes.push(note(line, column, reason));
    }
    files
}
