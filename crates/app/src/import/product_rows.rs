//! Products as files have them: JSON lines (a product each) and CSV (a variant each).
//!
//! A JSON line is a [`ProductRow`]. In CSV the columns are those of `csv::COLUMNS`; lines that follow each other with
//! the same `external_reference` are variants of one product, and the first of them says what the product is. Exports of
//! other shops become the same rows (`foreign`). Reading goes on after a bad row: it is answered with its line and column.

mod cells;
mod csv;
mod foreign;
mod json;
mod json_faults;
mod row;
mod unread;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io::BufRead;
use std::path::Path;

use contract::souk::product::v1::ProductInput;
use kernel::Currency;
use kernel::sku::{self, SKU_BYTES_MAX};
use kernel::text::{Lines, clean};
use serde::Serialize;
use svc_product::domain::limits::REFERENCE_CHARS_MAX;

use crate::table::{Encoding, Limits, encoding, excerpt};

pub use csv::COLUMNS;
pub use foreign::stand_elsewhere;
pub use row::{ImageRow, ProductRow, Values, VariantRow, micros};

/// The most bytes of one line of a file, or of one row where a field has line breaks, and the lines that such a row goes over:
/// a long story has hundreds, and a quotation mark that is not closed by then never will be.
pub const ROW_LIMITS: Limits = Limits { row_bytes_max: 1 << 20, row_lines_max: 5_000 };
/// Bytes of one product that are gathered of its rows, with what is wrong with them: far more than the catalogue takes.
const PRODUCT_BYTES_MAX: usize = 32 << 20;
/// What is listed of one product or row that is refused.
const PROBLEMS_MAX: usize = 100;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The table of this shop, with a header.
    Csv,
    /// One JSON object a line.
    JsonLines,
    /// The table that Shopify exports, with prices in a currency that it does not name.
    Shopify(Currency),
    /// The table that WooCommerce exports, with prices in a currency that it does not name.
    WooCommerce(Currency),
}

/// What a row was read from: it decides how its columns are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A table of this shop.
    Csv,
    /// JSON lines.
    JsonLines,
    /// An export of Shopify.
    Shopify,
    /// An export of WooCommerce.
    WooCommerce,
}

/// What reading comes upon.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly every item is a product, and one is held at a time")]
pub enum Item {
    /// A product.
    Product(Located),
    /// A product or a row that does not go in, with all that is wrong with it.
    Refused(Vec<Problem>),
    /// Something to know, by which nothing is refused.
    Note(Problem),
}

/// Something wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The line it begins on, from 1.
    pub line: u64,
    /// The column's name in a table, a JSON pointer in JSON lines; empty when it is about the whole row.
    pub column: String,
    /// What is wrong, a clause that follows the column's name.
    pub reason: String,
    /// Whether nothing after it can be read.
    #[serde(skip)]
    pub is_last: bool,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column.as_str() {
            "" => write!(f, "line {}: {}", self.line, self.reason),
            column => write!(f, "line {}: {column} {}", self.line, self.reason),
        }
    }
}

/// A product that was read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The product.
    pub row: ProductRow,
    /// The line of each variant in a table; the one line in JSON lines.
    pub lines: Vec<u64>,
    /// What it was read from.
    pub source: Source,
}

/// What a file holds, one after the other; a bad row does not end it, except where its problem says so.
pub type Rows = Box<dyn Iterator<Item = Item> + Send>;

impl Format {
    /// The format of a file by its name: `.csv`, `.tsv`, `.txt`, `.jsonl` or `.ndjson`; a `.gz` behind does not matter.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        match name.rsplit_once('.')?.1 {
            "csv" | "tsv" | "txt" => Some(Self::Csv),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            _ => None,
        }
    }

    /// Reads products from text in an encoding that is to be found unless it is known.
    #[must_use]
    pub fn read(self, reader: Box<dyn BufRead + Send>, encoding: Option<Encoding>) -> Rows {
        let items: Rows = match self {
            Self::Csv => Box::new(csv::read(reader, encoding)),
            Self::JsonLines => Box::new(json::read(reader, encoding)),
            Self::Shopify(currency) => Box::new(foreign::shopify::read(reader, encoding, currency)),
            Self::WooCommerce(currency) => Box::new(foreign::woocommerce::read(reader, encoding, currency)),
        };
        let mut seen = Seen::default();
        Box::new(items.map(move |item| match item {
            Item::Product(located) => seen.check(located),
            other => other,
        }))
    }
}

/// Names that must not come twice in one file.
#[derive(Default)]
struct Seen {
    references: HashSet<String>,
    /// The line of each SKU.
    skus: HashMap<String, u64>,
}

impl Seen {
    fn check(&mut self, mut located: Located) -> Item {
        let mut problems = Vec::new();
        for variant in &mut located.row.variants {
            // As the catalogue stores it; what it refuses stays as it is.
            variant.sku = sku::clean(&variant.sku).unwrap_or_else(|_| std::mem::take(&mut variant.sku));
        }
        // An empty one is refused for that alone.
        let is_named = |variant: &VariantRow| !variant.sku.is_empty();
        for (n, variant) in located.row.variants.iter().enumerate().filter(|(_, variant)| is_named(variant)) {
            if let Some(line) = self.skus.get(&variant.sku) {
                let reason = format!("is {:?}, which line {line} has already", variant.sku);
                problems.push(located.problem(&format!("/variants/{n}/sku"), &reason));
            }
        }
        // A product that comes again would replace itself, or lose its variants. What is longer than the catalogue takes is refused
        // there.
        let reference = located.row.reference();
        let is_short = (1..=4 * REFERENCE_CHARS_MAX).contains(&reference.len());
        if problems.is_empty() && is_short && !self.references.insert(as_stored(reference)) {
            let reason = "repeats a product of this file; variants of one product must follow each other";
            problems.push(located.problem("/external_reference", reason));
        }
        if !problems.is_empty() {
            return Item::Refused(problems);
        }
        for (n, variant) in located.row.variants.iter().enumerate() {
            if variant.sku.len() > SKU_BYTES_MAX {
                continue;
            }
            self.skus.entry(variant.sku.clone()).or_insert_with(|| located.line(Some(n)));
        }
        Item::Product(located)
    }
}

/// The name of a product as the catalogue stores it, so that two that are one there are one in a file. What the catalogue refuses
/// stays as it is.
fn as_stored(reference: &str) -> String {
    clean(reference, Lines::One).unwrap_or_else(|_| reference.to_owned())
}

impl Problem {
    /// Bytes that it holds.
    fn size(&self) -> usize {
        size_of::<Self>() + self.column.len() + self.reason.len()
    }
}

/// A field that a row cannot be divided at, as a clause that follows its name.
fn unreadable(problem: Problem) -> Problem {
    if problem.column.is_empty() {
        return problem;
    }
    Problem { reason: format!("cannot be read: {}", problem.reason), ..problem }
}

/// Tells the encoding of a file that is not UTF-8, where it was found and not said.
fn encoding_note(found: &encoding::Found, known: Option<Encoding>) -> Option<Item> {
    let encoding = found.get().filter(|encoding| known.is_none() && !encoding.is_utf8())?;
    let sample = match found.sample() {
        "" => String::new(),
        sample => format!(", so that it has {}", excerpt(sample)),
    };
    let reason =
        format!("the file was read as {}{sample}; give --encoding NAME where that is wrong", encoding.name());
    Some(Item::Note(Problem { line: 1, column: String::new(), reason, is_last: false }))
}

impl Located {
    /// The line and the column of a pointer: of the row, or of the catalogue's refusal (`RowRefusal`).
    #[must_use]
    pub fn problem(&self, pointer: &str, reason: &str) -> Problem {
        let own = pointer.strip_prefix("/product").unwrap_or(pointer);
        let mut parts = own.split('/').skip(1);
        let variant: Option<usize> = match parts.next() {
            Some("variants") => parts.next().and_then(|n| n.parse().ok()),
            _ => None,
        };
        let line = self.line(variant);
        Problem { line, column: self.column(pointer), reason: reason.to_owned(), is_last: false }
    }

    /// A refusal with the value that it is about, of the product as it was sent, where that is a short text.
    #[must_use]
    pub fn with_value(sent: Option<&ProductInput>, pointer: &str, reason: &str) -> String {
        let own = pointer.strip_prefix("/product").unwrap_or(pointer);
        let parts: Vec<&str> = own.split('/').skip(1).collect();
        let of = |n: &str| n.parse::<usize>().ok();
        let variant = |n: &str| sent?.variants.get(of(n)?);
        let value = match parts.as_slice() {
            ["slug"] => sent.map(|sent| sent.slug.as_str()),
            ["option_names", n] => sent.and_then(|sent| sent.option_names.get(of(n)?)).map(String::as_str),
            ["variants", n, "sku"] => variant(n).map(|variant| variant.sku.as_str()),
            ["variants", n, "options", m, part] => variant(n)
                .and_then(|variant| variant.options.get(of(m)?))
                .map(|option| if *part == "name" { option.name.as_str() } else { option.value.as_str() }),
            _ => None,
        };
        match value.filter(|value| !value.is_empty()) {
            Some(value) => format!("{reason}; it is {}", excerpt(value)),
            None => reason.to_owned(),
        }
    }

    /// The line of a variant, or of the product.
    fn line(&self, variant: Option<usize>) -> u64 {
        variant.and_then(|n| self.lines.get(n)).or(self.lines.first()).copied().unwrap_or(1)
    }

    fn column(&self, pointer: &str) -> String {
        let own = pointer.strip_prefix("/product").unwrap_or(pointer);
        let own = own.replacen("/category_paths", "/categories", 1).replacen("/option_names", "/options", 1);
        let own = own.replacen("/category_ids", "/categories", 1);
        match self.source {
            Source::JsonLines => own,
            Source::Csv => field(&own).to_owned(),
            Source::Shopify => foreign::shopify::SPEC.column(field(&own)).to_owned(),
            Source::WooCommerce => foreign::woocommerce::SPEC.column(field(&own)).to_owned(),
        }
    }
}

/// The field that a pointer into a row leads to, by the name of its column in this shop's table.
fn field(pointer: &str) -> &str {
    let mut parts = pointer.split('/').skip(1);
    match parts.next().unwrap_or_default() {
        "variants" => parts.nth(1).unwrap_or("sku"),
        first => first,
    }
}

#[cfg(test)]
mod tests;
