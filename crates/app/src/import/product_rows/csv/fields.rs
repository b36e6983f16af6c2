//! The fields of a row as a variant, and as its product.

use std::collections::BTreeMap;

use kernel::sku::SKU_BYTES_MAX;

use super::{COLUMNS, REFERENCE, REQUIRED, problem};
use crate::import::product_rows::{ImageRow, PROBLEMS_MAX, Problem, ProductRow, Values, VariantRow, cells};
use crate::table::{Columns, Record, excerpt};

/// The fields of a row by the names of their columns.
pub(super) struct Fields<'a> {
    line: u64,
    fields: BTreeMap<&'static str, &'a str>,
    /// Whether prices may have a comma before their decimals.
    takes_comma: bool,
}

impl<'a> Fields<'a> {
    pub(super) fn of(record: &'a Record, columns: &Columns, takes_comma: bool) -> Result<Self, Problem> {
        let line = record.line;
        // Spreadsheets leave out blank cells at the end of a row.
        let places = REQUIRED.iter().filter_map(|name| {
            let known = COLUMNS.iter().position(|column| column == name)?;
            Some((columns.place(known).filter(|place| *place >= record.len())?, name))
        });
        if let Some((_, name)) = places.min() {
            let reason = format!("is missing: the line has {} of {} columns", record.len(), columns.width());
            return Err(problem(line, name, reason));
        }
        record.check_width(columns.width()).map_err(|fault| problem(line, "", fault.what))?;
        let mut fields = BTreeMap::new();
        for (n, name) in COLUMNS.iter().enumerate() {
            let Some(place) = columns.place(n) else { continue };
            fields.insert(*name, record.text(place).map_err(|what| problem(line, name, what))?);
        }
        Ok(Self { line, fields, takes_comma })
    }
}

impl Fields<'_> {
    pub(super) fn get(&self, column: &str) -> &str {
        self.fields.get(column).copied().unwrap_or_default()
    }

    fn list(&self, column: &str) -> impl Iterator<Item = &str> {
        self.get(column).split(';').map(str::trim).filter(|part| !part.is_empty())
    }

    fn pairs(&self, column: &str, problems: &mut Vec<Problem>) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        for text in self.list(column) {
            match text.split_once('=') {
                Some((name, value)) => pairs.push((name.trim().to_owned(), value.trim().to_owned())),
                None => {
                    let reason = format!("has {} where name=value is expected", excerpt(text));
                    note_problem(problems, problem(self.line, column, reason));
                }
            }
        }
        pairs
    }

    fn number<T: std::str::FromStr>(&self, column: &str, problems: &mut Vec<Problem>) -> Option<T> {
        match self.get(column) {
            "" => None,
            text => cells::whole(text)
                .map_err(|what| note_problem(problems, problem(self.line, column, what)))
                .ok(),
        }
    }

    pub(super) fn variant(&self, problems: &mut Vec<Problem>) -> VariantRow {
        let mut prices = BTreeMap::new();
        for text in self.list("prices") {
            match cells::price_with_code(text, self.takes_comma) {
                Ok((code, price)) => {
                    if prices.insert(code, price).is_some() {
                        let reason = format!("has {} whose currency repeats", excerpt(text));
                        note_problem(problems, problem(self.line, "prices", reason));
                    }
                }
                Err(what) => note_problem(problems, problem(self.line, "prices", what)),
            }
        }
        VariantRow {
            sku: self.get("sku").to_owned(),
            options: self.pairs("options", problems).into_iter().collect(),
            prices,
            weight_grams: self.number("weight_grams", problems).unwrap_or_default(),
            stock: self.number("stock", problems),
            ..VariantRow::default()
        }
    }

    pub(super) fn product(&self, variant: VariantRow, problems: &mut Vec<Problem>) -> ProductRow {
        let mut attributes: BTreeMap<String, Values> = BTreeMap::new();
        for (name, value) in self.pairs("attributes", problems) {
            let values = attributes.entry(name).or_insert_with(|| Values::Many(Vec::new()));
            if let Values::Many(values) = values {
                values.push(value);
            }
        }
        // What is wrong with a pair was told with the variant.
        let options = self.pairs("options", &mut Vec::new()).into_iter().map(|(name, _)| name).collect();
        ProductRow {
            external_reference: self.get(REFERENCE).to_owned(),
            name: self.get("name").to_owned(),
            slug: self.get("slug").to_owned(),
            description: self.get("description").to_owned(),
            categories: self.list("categories").map(str::to_owned).collect(),
            tax_class: self.get("tax_class").to_owned(),
            status: self.get("status").to_owned(),
            options,
            synonyms: self.list("synonyms").map(str::to_owned).collect(),
            attributes,
            images: self.list("images").map(image).collect(),
            variants: vec![variant],
        }
    }
}

/// Whether fields are a row for certain: with a name or a reference, a SKU and a price, and what must be a number or one of some
/// words is. A row that is cut short behind these has a SKU that is not a word, as has one without a price.
pub(super) fn is_row(record: &Record, columns: &Columns, takes_comma: bool) -> bool {
    let place_of =
        |column: &str| COLUMNS.iter().position(|name| *name == column).and_then(|n| columns.place(n));
    let is_short = record.len() < columns.width();
    let is_cut = |column: &&str| place_of(column).is_none_or(|place| place >= record.len());
    if record.check_width(columns.width()).is_err() || (is_short && REQUIRED.iter().any(is_cut)) {
        return false;
    }
    let get = |column: &str| place_of(column).map_or(Some(""), |place| record.text(place).ok());
    let is = |column: &str, good: &dyn Fn(&str) -> bool| get(column).is_some_and(good);
    let is_number = |text: &str| text.is_empty() || cells::whole::<i64>(text).is_ok();
    let is_one_of = |words: &[&str], text: &str| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    let is_code =
        is("sku", &|sku| !sku.contains(char::is_whitespace) && sku.chars().any(|c| c.is_ascii_digit()));
    let is_text = |text: &str| !text.is_empty();
    (is("name", &is_text) || is(REFERENCE, &is_text))
        && (is_code || !is_short)
        && is("sku", &|sku| (1..=SKU_BYTES_MAX).contains(&sku.len()))
        && is("prices", &|prices| match prices {
            "" => is_code && !is_short,
            prices => {
                prices.split(';').all(|price| cells::price_with_code(price.trim(), takes_comma).is_ok())
            }
        })
        && is("weight_grams", &is_number)
        && is("stock", &is_number)
        && is("tax_class", &|text| is_one_of(&["", "standard", "reduced", "zero"], text))
        && is("status", &|text| is_one_of(&["", "active", "draft"], text))
}

/// `bowl.jpg what is seen`, or `https://… 800x600 what is seen`; what is seen and the size may be absent. The name of a file
/// may have blanks where it ends as pictures' names do.
fn image(text: &str) -> ImageRow {
    if text.contains("://") {
        let (url, more) = text.split_once(' ').unwrap_or((text, ""));
        let sizes = |size: &str| {
            let (width, height) = size.split_once('x')?;
            Some((width.parse().ok()?, height.parse().ok()?))
        };
        let (size, alt) = more.trim().split_once(' ').unwrap_or((more.trim(), ""));
        let ((width, height), alt) = sizes(size).map_or(((0, 0), more), |sizes| (sizes, alt));
        return ImageRow {
            url: url.to_owned(),
            alt: alt.trim().to_owned(),
            width,
            height,
            ..ImageRow::default()
        };
    }
    let lower = text.to_ascii_lowercase();
    let ends = [".jpg", ".jpeg", ".png", ".webp"].iter().flat_map(|ending| {
        lower.match_indices(ending).map(|(at, ending)| at + ending.len()).collect::<Vec<_>>()
    });
    let end = ends.filter(|end| text[*end..].is_empty() || text[*end..].starts_with(' ')).min();
    let end = end.or_else(|| text.find(' ')).unwrap_or(text.len());
    ImageRow { file: text[..end].to_owned(), alt: text[end..].trim().to_owned(), ..ImageRow::default() }
}

/// Adds what is wrong with a row, which may be wrong in each of a million parts.
fn note_problem(problems: &mut Vec<Problem>, problem: Problem) {
    if problems.len() < PROBLEMS_MAX {
        problems.push(problem);
    }
}
