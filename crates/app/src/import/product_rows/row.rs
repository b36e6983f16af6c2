//! A product as a file has it, and how it becomes what the catalogue takes.

use std::collections::{BTreeMap, HashMap};

use contract::souk::product::v1 as pb;
use contract::souk::r#type::v1::UnitPrice;
use kernel::Currency;
use serde::{Deserialize, Serialize};
use svc_product::domain::limits::VARIANTS_MAX;

use crate::table::excerpt;

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
    /// Whether the shop that it comes from sells it although it counts no units of it.
    #[serde(skip)]
    pub is_unlimited: bool,
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
    /// In pixels; known of an uploaded one, 0 where it is unknown.
    #[serde(default)]
    pub width: i32,
    /// In pixels, as width.
    #[serde(default)]
    pub height: i32,
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
                let what = format!("is {}, not standard, reduced or zero", excerpt(&self.tax_class));
                wrong.push(("/tax_class".to_owned(), what));
                pb::TaxClass::Unspecified
            }
        };
        let status = match self.status.to_ascii_lowercase().as_str() {
            "" => pb::ProductStatus::Unspecified,
            "active" => pb::ProductStatus::Active,
            "draft" => pb::ProductStatus::Draft,
            _ => {
                let what = format!("is {}, not active or draft", excerpt(&self.status));
                wrong.push(("/status".to_owned(), what));
                pb::ProductStatus::Unspecified
            }
        };
        if self.variants.is_empty() {
            // Its name would be that of the first.
            wrong.push(("/variants".to_owned(), "must have at least one variant".to_owned()));
        }
        let variants = self.variants.len();
        if variants > VARIANTS_MAX {
            let what =
                format!("is of a product of {variants} variants; one has at most {VARIANTS_MAX}: divide it");
            return Err(vec![("/variants".to_owned(), what)]);
        }
        let names = self.options.iter().enumerate().rev();
        let places: HashMap<&str, usize> = names.map(|(n, name)| (name.as_str(), n)).collect();
        let variants = self.variants.iter().enumerate().map(|(n, row)| row.to_input(n, &places, &mut wrong));
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

/// Bytes of a text that is held among others.
fn held(text: &str) -> usize {
    size_of::<String>() + text.len()
}

fn held_pairs(pairs: &BTreeMap<String, String>) -> usize {
    pairs.iter().map(|(name, value)| held(name) + held(value)).sum()
}

impl ProductRow {
    /// Bytes that it holds, those of its variants included.
    pub fn size(&self) -> usize {
        let texts = [&self.external_reference, &self.name, &self.slug, &self.description];
        let lists = [&self.categories, &self.options, &self.synonyms];
        let attributes = self.attributes.iter().map(|(name, values)| held(name) + values.size());
        let images = self.images.iter().map(ImageRow::size);
        size_of::<Self>()
            + texts.into_iter().map(|text| text.len()).sum::<usize>()
            + lists.into_iter().flatten().map(|text| held(text)).sum::<usize>()
            + attributes.sum::<usize>()
            + images.sum::<usize>()
            + self.variants.iter().map(VariantRow::size).sum::<usize>()
    }
}

impl Values {
    fn size(&self) -> usize {
        match self {
            Self::One(value) => held(value),
            Self::Many(values) => size_of::<Self>() + values.iter().map(|value| held(value)).sum::<usize>(),
        }
    }

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
    /// Bytes that it holds.
    pub fn size(&self) -> usize {
        let pairs = [&self.options, &self.prices, &self.compare_at_prices];
        size_of::<Self>() + self.sku.len() + pairs.into_iter().map(held_pairs).sum::<usize>()
    }

    fn to_input(
        &self,
        n: usize,
        places: &HashMap<&str, usize>,
        wrong: &mut Vec<(String, String)>,
    ) -> pb::VariantInput {
        let prices = unit_prices(&self.prices, &format!("/variants/{n}/prices"), wrong);
        let compare_at_prices =
            unit_prices(&self.compare_at_prices, &format!("/variants/{n}/compare_at_prices"), wrong);
        if self.sku.is_empty() {
            wrong.push((format!("/variants/{n}/sku"), "is empty".to_owned()));
        }
        if let Some(stock) = self.stock.filter(|stock| !(0..=1_000_000_000).contains(stock)) {
            wrong.push((
                format!("/variants/{n}/stock"),
                format!("is {stock}, which is not between 0 and 1000000000"),
            ));
        }
        // In the product's order; what is not among its options comes last and is refused by name.
        let mut values: Vec<_> = self.options.iter().collect();
        values.sort_by_key(|(name, _)| places.get(name.as_str()).copied().unwrap_or(usize::MAX));
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
            (Err(_), _) => wrong.push((pointer, unknown_currency(code))),
            (_, None) if text.contains(',') => {
                let what =
                    "must be a decimal number with a point, such as 24.50, without a sign for thousands";
                wrong.push((pointer, what.to_owned()));
            }
            (_, None) => {
                let what = "which is not a decimal number from 0 on with at most 6 decimals";
                wrong.push((pointer, format!("is {}, {what}", excerpt(text))));
            }
        }
    }
    prices
}

fn unknown_currency(code: &str) -> String {
    let capitals = code.to_ascii_uppercase();
    match Currency::parse(&capitals) {
        Ok(_) => format!("is in {}; write {capitals}", excerpt(code)),
        Err(_) => format!("is in {}, which is not an ISO 4217 currency code", excerpt(code)),
    }
}

impl ImageRow {
    fn size(&self) -> usize {
        size_of::<Self>() + self.file.len() + self.content_hash.len() + self.url.len() + self.alt.len()
    }

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
