//! Finds columns by their names.

use super::record::Record;
use super::records::Fault;

/// How alike a name must be to a column's to be taken for it, of 1 (Jaro-Winkler).
const LIKENESS_MIN: f64 = 0.8;
/// Names that one note lists.
const NAMES_MAX: usize = 20;

/// The columns that an import knows.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// Their names, as they are told.
    pub names: &'a [&'a str],
    /// What a file of this kind is called.
    pub file: &'a str,
}

/// Where the columns of a file stand.
#[derive(Clone, Debug)]
pub struct Columns {
    /// The place of each known column, in the order of [`Known::names`].
    places: Vec<Option<usize>>,
    /// The names as the file has them, without empty ones at the end.
    pub written: Vec<String>,
    /// Names that mean nothing here, each with its place.
    pub unknown: Vec<(usize, String)>,
    /// The line of the header.
    pub line: u64,
}

/// A name as it is compared: case, blanks around it, and whether blanks, hyphens or low lines join its words do not matter.
#[must_use]
pub fn normal(name: &str) -> String {
    let words =
        name.trim().trim_start_matches('\u{feff}').split(|c: char| c.is_whitespace() || c == '_' || c == '-');
    let words: Vec<String> = words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
    words.join("_")
}

impl Known<'_> {
    /// The place of a name among the known ones.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        let name = normal(name);
        self.names.iter().position(|known| normal(known) == name)
    }

    /// The known name that was probably meant.
    #[must_use]
    pub fn meant(&self, name: &str) -> Option<&str> {
        let name = normal(name);
        let likeness = self.names.iter().map(|known| (strsim::jaro_winkler(&normal(known), &name), *known));
        let best = likeness.max_by(|a, b| a.0.total_cmp(&b.0))?;
        (best.0 >= LIKENESS_MIN).then_some(best.1)
    }
}

impl Columns {
    /// Reads a header.
    ///
    /// # Errors
    /// Names that are not text, known ones that are there twice.
    pub fn of(header: &Record, known: &Known<'_>) -> Result<Self, Fault> {
        let line = header.line;
        let last = |column, what: String| Fault { is_last: true, ..Fault::of_row(line, Some(column), what) };
        let mut columns =
            Self { places: vec![None; known.names.len()], written: Vec::new(), unknown: Vec::new(), line };
        let width = (0..header.len()).rev().find(|n| !header.is_blank_at(*n)).map_or(0, |n| n + 1);
        for n in 0..width {
            let name = header.text(n).map_err(|what| last(n, what))?.trim_start_matches('\u{feff}').trim();
            columns.written.push(name.to_owned());
            match known.find(name) {
                Some(found) if columns.places[found].is_some() => {
                    return Err(last(n, "is there twice".to_owned()));
                }
                Some(found) => columns.places[found] = Some(n),
                None => columns.unknown.push((n, name.to_owned())),
            }
        }
        Ok(columns)
    }

    /// The place of a known column, by its place among the known ones.
    #[must_use]
    pub fn place(&self, known: usize) -> Option<usize> {
        self.places.get(known).copied().flatten()
    }

    /// How many columns the file has.
    #[must_use]
    pub fn width(&self) -> usize {
        self.written.len()
    }

    /// The name of a place, as the file has it; its number where it has none.
    #[must_use]
    pub fn name(&self, place: usize) -> String {
        match self.written.get(place).map(String::as_str) {
            Some("") | None => format!("column {}", place + 1),
            Some(name) => name.to_owned(),
        }
    }

    /// What the header looks like, for whoever misses a column in it.
    #[must_use]
    pub fn seen(&self, separator: char) -> String {
        let names: Vec<_> = self.written.iter().take(NAMES_MAX).map(String::as_str).collect();
        super::excerpt(&names.join(&separator.to_string()))
    }

    /// What is told of an unknown column.
    #[must_use]
    pub fn told(&self, place: usize, known: &Known<'_>) -> String {
        let name = self.written.get(place).map_or("", String::as_str);
        match known.meant(name) {
            _ if name.is_empty() => "has no name and is ignored".to_owned(),
            Some(meant) => format!("is not a column of {} and is ignored; is {meant} meant?", known.file),
            None => format!(
                "is not a column of {} and is ignored; the columns are {}",
                known.file,
                known.names.join(", ")
            ),
        }
    }
}
