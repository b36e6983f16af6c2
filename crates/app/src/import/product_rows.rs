//! Products as files have them: JSON lines (a product each) and CSV (a variant each).
//!
//! A JSON line is a [`ProductRow`]. In CSV the columns are those of `csv::COLUMNS`; lines that follow each other with
//! the same `external_reference` are variants of one product, and the first of them says what the product is. Exports of
//! other shops become the same rows (`foreign`). Reading goes on after a bad row: it is answered with its line and column.

mod cells;
mod csv;
mod foreign;
mod json;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::io::BufRead;
use std::path::Path;

use contract::souk::product::v1 as pb;
use contract::souk::r#type::v1::UnitPrice;
use kernel::Currency;
use serde::{Deserialize, Serialize};

use crate::table::{Encoding, Limits, encoding};

pub use csv::COLUMNS;

/// The most bytes of one line of a file, or of one row where a field has line breaks, and the lines that such a row goes over:
/// a long story has hundreds, and a quotation mark that is not closed by then never will be.
pub const ROW_LIMITS: Limits = Limits { row_bytes_max: 1 << 20, row_lines_max: 5_000 };

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
    /// A product or a row that is none, with all that is wrong with it.
    Refused(Vec<Problem>),
    /// Something to know, by which nothing is refused.
    Note(Problem),
}

/// A product as a file has it. Prices are decimal texts, so that nothing is lost on the way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(expecting = "a product, an object with name and variants")]
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
#[serde(expecting = "a variant, an object with a sku")]
pub struct VariantRow {
    /// Its SKU.
    pub sku: String,
    /// The value of each option.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// Decimal prices by currency code: "GBP": "24.50".
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub prices: BTreeMap<String, String>,
    /// Prices that it is compared with, higher ones, by currency code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub compare_at_prices: BTreeMap<String, String>,
    /// Weight of one unit in grams.
    #[serde(default)]
    pub weight_grams: i32,
    /// Units to receive at the location "main"; once per SKU, however often the file is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stock: Option<i64>,
}

/// A picture as a file has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(expecting = "a picture, an object with file, content_hash or url")]
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
    /// What is seen; the product's name when absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub alt: String,
    /// In pixels; known of an uploaded one, 0 where nobody knows it.
    #[serde(default)]
    pub width: i32,
    /// In pixels, as width.
    #[serde(default)]
    pub height: i32,
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
    fn check(&mut self, located: Located) -> Item {
        let mut problems = Vec::new();
        for (n, variant) in located.row.variants.iter().enumerate() {
            if let Some(line) = self.skus.get(&variant.sku) {
                let reason = format!("is {:?}, which line {line} has already", variant.sku);
                problems.push(located.problem(&format!("/variants/{n}/sku"), &reason));
            }
        }
        // A product that comes again would replace itself, or lose its variants.
        if problems.is_empty() && !self.references.insert(located.row.reference().to_owned()) {
            let reason = "repeats a product of this file; variants of one product must follow each other";
            problems.push(located.problem("/external_reference", reason));
        }
        if !problems.is_empty() {
            return Item::Refused(problems);
        }
        for (n, variant) in located.row.variants.iter().enumerate() {
            self.skus.entry(variant.sku.clone()).or_insert_with(|| located.line(Some(n)));
        }
        Item::Product(located)
    }
}

/// A field that a row cannot be divided at, as a clause that follows its name.
fn unreadable(problem: Problem) -> Problem {
    if problem.column.is_empty() {
        return problem;
    }
    Problem { reason: format!("cannot be read: {}", problem.reason), ..problem }
}

/// Tells the encoding of a file that is not UTF-8.
fn encoding_note(found: &encoding::Found) -> Option<Item> {
    let encoding = found.get().filter(|encoding| !encoding.is_utf8())?;
    let reason = format!("the file was read as {}; say --encoding where that is wrong", encoding.name());
    Some(Item::Note(Problem { line: 1, column: String::new(), reason, is_last: false }))
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
        let tax_class = match self.tax_class.to_ascii_lowercase().as_str() {
            "" | "standard" => pb::TaxClass::Standard,
            "reduced" => pb::TaxClass::Reduced,
            "zero" => pb::TaxClass::Zero,
            _ => {
                wrong.push(("/tax_class".to_owned(), "must be standard, reduced or zero".to_owned()));
                pb::TaxClass::Unspecified
            }
        };
        let status = match self.status.to_ascii_lowercase().as_str() {
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
        let prices = unit_prices(&self.prices, &format!("/variants/{n}/prices"), wrong);
        let compare_at_prices =
            unit_prices(&self.compare_at_prices, &format!("/variants/{n}/compare_at_prices"), wrong);
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
            compare_at_prices,
        }
    }
}

fn unit_prices(
    texts: &BTreeMap<String, String>,
    pointer: &str,
    wrong: &mut Vec<(String, String)>,
) -> Vec<UnitPrice> {
    let mut prices = Vec::new();
    for (code, text) in texts {
        let pointer = format!("{pointer}/{code}");
        match (Currency::parse(code), micros(text)) {
            (Ok(currency), Some(micros)) => {
                prices.push(UnitPrice { currency_code: currency.code().to_owned(), micros });
            }
            (Err(error), _) => wrong.push((pointer, error.message().to_owned())),
            (_, None) if text.contains(',') => {
                let what =
                    "must be a decimal number with a point, such as 24.50, without a sign for thousands";
                wrong.push((pointer, what.to_owned()));
            }
            (_, None) => wrong.push((pointer, "must be a decimal number, at most 6 decimals".to_owned())),
        }
    }
    prices
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
        let line = self.line(variant);
        Problem { line, column: self.column(pointer), reason: reason.to_owned(), is_last: false }
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
            Source::Csv => csv::column(&own),
            Source::JsonLines => own,
            Source::Shopify => foreign::shopify::column(&csv::column(&own)),
            Source::WooCommerce => foreign::woocommerce::column(&csv::column(&own)),
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
