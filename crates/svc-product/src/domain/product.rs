//! The product and its changes.

use std::time::Duration;

use kernel::{CategoryId, Currency, Error, ProductId, Result, Timestamp, UnitPrice, sku};
use serde::{Deserialize, Serialize};

use super::draft::{Draft, InputVariant};
use super::price::{PRICE_MICROS_MAX, Price, PriceChange};

/// Whether a product is in the shop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Being prepared.
    Draft,
    /// In the shop.
    #[default]
    Active,
    /// Taken out.
    Archived,
}

/// How a product is taxed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxClass {
    /// The usual rate.
    #[default]
    Standard,
    /// The lower rate.
    Reduced,
    /// None.
    Zero,
}

/// Where a picture is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageSource {
    /// An https address.
    Url(String),
    /// SHA-256 of its bytes in hexadecimal.
    ContentHash(String),
}

/// A picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Where it is.
    pub source: ImageSource,
    /// What is seen.
    pub alt: String,
    /// In pixels.
    pub width: i32,
    /// In pixels.
    pub height: i32,
    /// Widths in which an uploaded picture is kept, the narrowest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub widths: Vec<i32>,
}

/// A fact about a product.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// What it is about.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A variant's value of one option.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionValue {
    /// The option.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// One thing that is sold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// Unique over the catalogue, compared by bytes.
    pub sku: String,
    /// In the order of the product's option names.
    pub options: Vec<OptionValue>,
    /// By currency.
    pub prices: Vec<Price>,
    /// In grams.
    pub weight_grams: i32,
    /// Prices that it is compared with, by currency; what is not above the price is not shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compare_at: Vec<UnitPrice>,
}

/// A product. Its version stands with the document that holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// Whether it is in the shop.
    pub status: Status,
    /// What it is called.
    pub name: String,
    /// Its name in addresses.
    pub slug: String,
    /// Its story.
    pub description: String,
    /// The main one first.
    pub categories: Vec<CategoryId>,
    /// Those and all above them.
    pub trail: Vec<CategoryId>,
    /// How it is taxed.
    pub tax_class: TaxClass,
    /// What its variants differ by.
    pub option_names: Vec<String>,
    /// At least one.
    pub variants: Vec<Variant>,
    /// Facts.
    pub attributes: Vec<Attribute>,
    /// The main one first.
    pub images: Vec<Image>,
    /// Other words for it.
    pub synonyms: Vec<String>,
    /// Name in the system it came from.
    pub external_reference: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
}

/// Who changes something, when and why.
#[derive(Clone, Debug)]
pub struct Why {
    /// An account's id, or "import".
    pub actor: String,
    /// Why prices change; may be empty.
    pub reason: String,
    /// Now.
    pub now: Timestamp,
}

/// What a change makes of a product.
#[derive(Clone, Debug)]
pub struct Revision {
    /// The product after it.
    pub product: Product,
    /// Prices that changed.
    pub prices: Vec<PriceChange>,
    /// Whether anything but prices changed.
    pub details: bool,
    /// Whether it left the shop.
    pub archived: bool,
}

impl Revision {
    /// Whether nothing changed, so that nothing needs to be written.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.prices.is_empty() && !self.details && !self.archived
    }
}

impl Product {
    /// A new product from a checked draft. `trail` is the categories' trail in the tree.
    #[must_use]
    pub fn create(id: ProductId, draft: Draft, trail: Vec<CategoryId>, why: &Why) -> Self {
        let input = draft.input;
        let variants = input.variants.into_iter().map(|variant| Variant::new(variant, None, why)).collect();
        Self {
            id,
            status: input.status.unwrap_or_default(),
            name: input.name,
            slug: input.slug,
            description: input.description,
            categories: input.categories,
            trail,
            tax_class: input.tax_class,
            option_names: input.option_names,
            variants,
            attributes: input.attributes,
            images: input.images,
            synonyms: input.synonyms,
            external_reference: Some(input.external_reference).filter(|reference| !reference.is_empty()),
            created: why.now,
            updated: why.now,
        }
    }

    /// The product as a draft describes it: prices that stay keep their beginning, others begin now. A slug that was
    /// only made from the name does not replace the one it has.
    #[must_use]
    pub fn revise(&self, draft: Draft, trail: Vec<CategoryId>, why: &Why) -> Revision {
        let keeps_slug = draft.slug_is_made;
        let mut input = draft.input;
        input.status = input.status.or(Some(self.status));
        let variants: Vec<_> = std::mem::take(&mut input.variants)
            .into_iter()
            .map(|variant| {
                // What earlier releases stored in another spelling keeps it, as its stock and its orders do.
                let same = |before: &&Variant| sku::normal(&before.sku) == variant.sku;
                let before = self.variant(&variant.sku).or_else(|| self.variants.iter().find(same));
                let sku = before.map_or_else(|| variant.sku.clone(), |before| before.sku.clone());
                Variant::new(InputVariant { sku, ..variant }, before, why)
            })
            .collect();
        let draft = Draft { input, slug_is_made: keeps_slug };
        let mut product = Self::create(self.id, draft, trail, why);
        product.variants = variants;
        product.created = self.created;
        if keeps_slug {
            product.slug.clone_from(&self.slug);
        }
        self.revision(product, false)
    }

    /// The product with another price of one variant from now on. The same price changes nothing.
    ///
    /// # Errors
    /// `SKU_NOT_FOUND` when the product has no such variant, `INVALID_ARGUMENT` at `/unit_price/micros` out of range.
    pub fn with_price(&self, sku: &str, unit: UnitPrice, why: &Why) -> Result<Revision> {
        if !(0..=PRICE_MICROS_MAX).contains(&unit.micros) {
            let wrong = "must be between 0 and 1000000000000000";
            return Err(Error::field("/unit_price/micros", "INVALID_ARGUMENT", wrong));
        }
        let mut product = self.clone();
        let variant =
            product.variants.iter_mut().find(|variant| variant.sku == sku).ok_or_else(|| {
                Error::not_found("SKU_NOT_FOUND", "is not a SKU of this product").at("/sku")
            })?;
        let before = std::mem::take(&mut variant.prices);
        let mut units: Vec<_> =
            before.iter().map(|price| price.unit).filter(|old| old.currency != unit.currency).collect();
        units.push(unit);
        variant.prices = prices(units, &before, why);
        product.updated = why.now;
        Ok(self.revision(product, false))
    }

    /// The product out of the shop. Archiving again changes nothing.
    #[must_use]
    pub fn archive(&self, why: &Why) -> Revision {
        let product = Self { status: Status::Archived, updated: why.now, ..self.clone() };
        let archived = self.status != Status::Archived;
        self.revision(product, archived)
    }

    /// Its SKUs, in the order of its variants.
    pub fn skus(&self) -> impl Iterator<Item = &str> {
        self.variants.iter().map(|variant| variant.sku.as_str())
    }

    /// The variant of a SKU.
    #[must_use]
    pub fn variant(&self, sku: &str) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.sku == sku)
    }

    fn revision(&self, product: Self, archived: bool) -> Revision {
        let mut prices = Vec::new();
        for after in &product.variants {
            prices.extend(price_changes(&after.sku, self.variant(&after.sku), Some(after)));
        }
        for before in self.variants.iter().filter(|before| product.variant(&before.sku).is_none()) {
            prices.extend(price_changes(&before.sku, Some(before), None));
        }
        let details = self.without_prices() != product.without_prices() && !archived;
        Revision { product, prices, details, archived }
    }

    /// What is compared to tell whether anything but prices changed.
    fn without_prices(&self) -> Self {
        let mut product = self.clone();
        product.updated = product.created;
        product.variants.iter_mut().for_each(|variant| variant.prices.clear());
        product
    }
}

impl Variant {
    fn new(input: InputVariant, before: Option<&Self>, why: &Why) -> Self {
        let old = before.map_or(&[][..], |variant| &variant.prices);
        Self {
            prices: prices(input.prices, old, why),
            sku: input.sku,
            options: input.options,
            weight_grams: input.weight_grams,
            compare_at: input.compare_at,
        }
    }

    /// The prices that it is compared with: those above its own price in their currency.
    pub fn compared(&self) -> impl Iterator<Item = UnitPrice> {
        let is_above = |compare: &&UnitPrice| {
            self.price(compare.currency).is_some_and(|price| compare.micros > price.unit.micros)
        };
        self.compare_at.iter().filter(is_above).copied()
    }

    /// Its price in a currency.
    #[must_use]
    pub fn price(&self, currency: Currency) -> Option<&Price> {
        self.prices.iter().find(|price| price.unit.currency == currency)
    }
}

fn prices(units: Vec<UnitPrice>, before: &[Price], why: &Why) -> Vec<Price> {
    let mut prices: Vec<_> = units
        .into_iter()
        .map(|unit| match before.iter().find(|price| price.unit == unit) {
            Some(same) => same.clone(),
            None => {
                // The history is in the order of these times, also when the clock was set back in between.
                let ended = before.iter().find(|price| price.unit.currency == unit.currency);
                let after = ended.map(|price| price.since.plus(Duration::from_micros(1)));
                let since = why.now.max(after.unwrap_or(why.now));
                Price { unit, since, actor: why.actor.clone(), reason: why.reason.clone() }
            }
        })
        .collect();
    prices.sort_by_key(|price| price.unit.currency);
    prices
}

fn price_changes(sku: &str, before: Option<&Variant>, after: Option<&Variant>) -> Vec<PriceChange> {
    let all = |variant: Option<&Variant>| variant.map_or(Vec::new(), |variant| variant.prices.clone());
    let mut currencies: Vec<_> =
        all(before).iter().chain(&all(after)).map(|price| price.unit.currency).collect();
    currencies.sort();
    currencies.dedup();
    let change = |currency: Currency| {
        let before = before.and_then(|variant| variant.price(currency)).cloned();
        let after = after.and_then(|variant| variant.price(currency)).cloned();
        let same = before.as_ref().map(|price| price.unit) == after.as_ref().map(|price| price.unit);
        (!same).then(|| PriceChange { sku: sku.to_owned(), currency, before, after })
    };
    currencies.into_iter().filter_map(change).collect()
}

#[cfg(test)]
#[path = "product_tests.rs"]
mod tests;
