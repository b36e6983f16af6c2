//! Products as files have them: JSON lines (a product each) and CSV (a variant each).
//!
//! A JSON line is a [`ProductRow`]. In CSV the columns are those of `csv::COLUMNS`; lines that follow each other with
//! the same `external_reference` are variants of one product, and the first of them says what the product is. Reading
//! goes on after a bad row: it is answered with its line and column.

mod csv;
mod json;

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::io::Read;
use std::path::Path;

use contract::souk::product::v1 as pb;
use contract::souk::r#type::v1::UnitPrice;
use kernel::Currency;
use serde::{Deserialize, Serialize};

/// The most bytes of one line of a file, or of one row where a field has line breaks.
pub const ROW_BYTES_MAX: usize = 1 << 20;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated, with a header.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

/// A product as a file has it. Prices are decimal texts, so that nothing is lost on the way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProductRow {
    /// Its name in the system it comes from; the first SKU when absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub external_reference: String,
    /// What it is called.
    pub name: String,
    /// Its name in addresses; made from the name when absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub slug: String,
    /// Its story.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Categories from the top, "Kitchen/Mugs", the main one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// "standard" (also when absent), "reduced" or "zero".
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tax_class: String,
    /// "active" or "draft"; when absent, a new product is active and another stays what it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub status: String,
    /// Names of the options that the variants differ by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// Other words for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub synonyms: Vec<String>,
    /// Facts that it can be found by; several values of one name stand in a list.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Values>,
    /// Pictures, the main one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ImageRow>,
    /// What can be bought of it.
    pub variants: Vec<VariantRow>,
}

/// One value, or several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Values {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

/// A variant as a file has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariantRow {
    /// Its SKU.
    pub sku: String,
    /// The value of each option.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// Decimal prices by currency code: "GBP": "24.50".
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub prices: BTreeMap<String, String>,
    /// Weight of one unit in grams.
    #[serde(default)]
    pub weight_grams: i32,
    /// Units to receive at the location "main"; once per SKU, however often the file is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stock: Option<i64>,
}

/// A picture as a file has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageRow {
    /// Its file, below the folder of the file of products: it is uploaded; or
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub file: String,
    /// the SHA-256, in hexadecimal, of one that was uploaded; or
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub content_hash: String,
    /// its https address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// What is seen.
    pub alt: String,
    /// In pixels; known of an uploaded one.
    #[serde(default)]
    pub width: i32,
    /// In pixels; known of an uploaded one.
    #[serde(default)]
    pub height: i32,
}

/// Something wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The line it begins on, from 1.
    pub line: u64,
    /// The column's name in CSV, a JSON pointer in JSON lines; empty when it is about the whole row.
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
    /// The line of each variant in CSV; the one line in JSON lines.
    pub lines: Vec<u64>,
    format: Format,
}

/// Rows of a file, one after the other; a bad one does not end it, except where the problem says so.
pub type Rows = Box<dyn Iterator<Item = Result<Located, Problem>> + Send>;

impl Format {
    /// The format of a file by its name: `.csv`, `.jsonl` or `.ndjson`; a `.gz` behind does not matter.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        match name.rsplit_once('.')?.1 {
            "csv" => Some(Self::Csv),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            _ => None,
        }
    }

    /// Reads products.
    #[must_use]
    pub fn read(self, reader: impl Read + Send + 'static) -> Rows {
        let mut seen = HashSet::new();
        let rows: Rows = match self {
            Self::Csv => Box::new(csv::read(reader)),
            Self::JsonLines => Box::new(json::read(reader)),
        };
        Box::new(rows.map(move |row| {
            let located = row?;
            // A product that comes again would replace itself, or lose its variants.
            if !seen.insert(located.row.reference().to_owned()) {
                let reason = "repeats a product of this file; variants of one product must follow each other";
                return Err(Problem {
                    line: located.lines.first().copied().unwrap_or(1),
                    column: located.column("/external_reference"),
                    reason: reason.to_owned(),
                    is_last: false,
                });
            }
            Ok(located)
        }))
    }
}

impl ProductRow {
    /// Its name in the system it comes from.
    #[must_use]
    pub fn reference(&self) -> &str {
        match self.external_reference.as_str() {
            "" => self.variants.first().map_or("", |variant| variant.sku.as_str()),
            reference => reference,
        }
    }

    /// Units to receive by SKU.
    pub fn stock(&self) -> impl Iterator<Item = (&str, i64)> {
        self.variants.iter().filter_map(|variant| Some((variant.sku.as_str(), variant.stock?)))
    }

    /// As the catalogue takes it. What needs the catalogue to be known is checked there.
    ///
    /// # Errors
    /// JSON pointers into the row, each with what is wrong.
    pub fn to_import(&self) -> Result<pb::ImportProduct, Vec<(String, String)>> {
        let mut wrong = Vec::new();
        let tax_class = match self.tax_class.as_str() {
            "" | "standard" => pb::TaxClass::Standard,
            "reduced" => pb::TaxClass::Reduced,
            "zero" => pb::TaxClass::Zero,
            _ => {
                wrong.push(("/tax_class".to_owned(), "must be standard, reduced or zero".to_owned()));
                pb::TaxClass::Unspecified
            }
        };
        let status = match self.status.as_str() {
            "" => pb::ProductStatus::Unspecified,
            "active" => pb::ProductStatus::Active,
            "draft" => pb::ProductStatus::Draft,
            _ => {
                wrong.push(("/status".to_owned(), "must be active or draft".to_owned()));
                pb::ProductStatus::Unspecified
            }
        };
        let variants =
            self.variants.iter().enumerate().map(|(n, row)| row.to_input(n, &self.options, &mut wrong));
        let input = pb::ProductInput {
            name: self.name.clone(),
            slug: self.slug.clone(),
            description: self.description.clone(),
            category_ids: Vec::new(),
            tax_class: tax_class.into(),
            option_names: self.options.clone(),
            variants: variants.collect(),
            attributes: self
                .attributes
                .iter()
                .flat_map(|(name, values)| values.to_attributes(name))
                .collect(),
            images: self.images.iter().map(ImageRow::to_image).collect(),
            synonyms: self.synonyms.clone(),
            external_reference: String::new(),
            status: status.into(),
        };
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(pb::ImportProduct {
            external_reference: self.reference().to_owned(),
            product: Some(input),
            category_paths: self.categories.clone(),
            price_history: Vec::new(),
        })
    }
}

impl Values {
    fn to_attributes(&self, name: &str) -> Vec<pb::ProductAttribute> {
        let values = match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        };
        values
            .iter()
            .map(|value| pb::ProductAttribute { name: name.to_owned(), value: value.clone() })
            .collect()
    }
}

impl VariantRow {
    fn to_input(&self, n: usize, options: &[String], wrong: &mut Vec<(String, String)>) -> pb::VariantInput {
        let mut prices = Vec::new();
        for (code, text) in &self.prices {
            let pointer = format!("/variants/{n}/prices/{code}");
            match (Currency::parse(code), micros(text)) {
                (Ok(currency), Some(micros)) => {
                    prices.push(UnitPrice { currency_code: currency.code().to_owned(), micros });
                }
                (Err(error), _) => wrong.push((pointer, error.message().to_owned())),
                (_, None) => wrong.push((pointer, "must be a decimal number, at most 6 decimals".to_owned())),
            }
        }
        if self.stock.is_some_and(|stock| !(0..=1_000_000_000).contains(&stock)) {
            wrong.push((format!("/variants/{n}/stock"), "must be between 0 and 1000000000".to_owned()));
        }
        // In the product's order; what is not among its options comes last and is refused by name.
        let mut values: Vec<_> = self.options.iter().collect();
        values
            .sort_by_key(|(name, _)| options.iter().position(|option| option == *name).unwrap_or(usize::MAX));
        let value =
            |(name, value): (&String, &String)| pb::OptionValue { name: name.clone(), value: value.clone() };
        pb::VariantInput {
            sku: self.sku.clone(),
            options: values.into_iter().map(value).collect(),
            prices,
            weight_grams: self.weight_grams,
        }
    }
}

impl ImageRow {
    fn to_image(&self) -> pb::ProductImage {
        use pb::product_image::Source;
        let source = match (self.url.as_str(), self.content_hash.as_str()) {
            ("", "") => None,
            ("", hash) => Some(Source::ContentHash(hash.to_owned())),
            (url, _) => Some(Source::Url(url.to_owned())),
        };
        pb::ProductImage {
            source,
            alt: self.alt.clone(),
            width: self.width,
            height: self.height,
            widths: Vec::new(),
        }
    }
}

impl Located {
    /// The line and the column of a pointer: of the row, or of the catalogue's refusal ([`pb::RowRefusal`]).
    #[must_use]
    pub fn problem(&self, pointer: &str, reason: &str) -> Problem {
        let own = pointer.strip_prefix("/product").unwrap_or(pointer);
        let mut parts = own.split('/').skip(1);
        let variant: Option<usize> = match parts.next() {
            Some("variants") => parts.next().and_then(|n| n.parse().ok()),
            _ => None,
        };
        let line = variant.and_then(|n| self.lines.get(n)).or(self.lines.first()).copied().unwrap_or(1);
        Problem { line, column: self.column(pointer), reason: reason.to_owned(), is_last: false }
    }

    fn column(&self, pointer: &str) -> String {
        let own = pointer.strip_prefix("/product").unwrap_or(pointer);
        let own = own.replacen("/category_paths", "/categories", 1).replacen("/option_names", "/options", 1);
        let own = own.replacen("/category_ids", "/categories", 1);
        match self.format {
            Format::Csv => csv::column(&own),
            Format::JsonLines => own,
        }
    }
}

/// The millionths of a decimal text: "2.55" is 2,550,000. Digits, at most one point, at most 6 decimals, no sign.
#[must_use]
pub fn micros(text: &str) -> Option<i64> {
    let (whole, decimals) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty()
        || decimals.len() > 6
        || !digits(whole)
        || !digits(decimals)
        || text.trim().ends_with('.')
    {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let decimals: i64 = format!("{decimals:0<6}").parse().ok()?;
    whole.checked_mul(1_000_000)?.checked_add(decimals)
}

#[cfg(test)]
mod tests;
