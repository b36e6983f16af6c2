//! A product as somebody describes it, and the checks that make it one.

use std::collections::HashSet;

use kernel::text::{Lines, clean};
use kernel::{CategoryId, OPTION_NAME_CHARS_MAX, OPTION_VALUE_CHARS_MAX, Result, UnitPrice, Violations, sku};

use super::limits::{
    ALT_CHARS_MAX, ATTRIBUTE_NAME_CHARS_MAX, ATTRIBUTES_MAX, DESCRIPTION_CHARS_MAX, IMAGES_MAX,
    NAME_CHARS_MAX, OPTIONS_MAX, PIXELS_MAX, PRICES_MAX, PRODUCT_CATEGORIES_MAX, REFERENCE_CHARS_MAX,
    SLUG_CHARS_MAX, SYNONYMS_MAX, VARIANTS_MAX, WEIGHT_GRAMS_MAX,
};
use super::picture::{address_is_good, content_hash_is_good};
use super::price::PRICE_MICROS_MAX;
use super::product::{Attribute, Image, ImageSource, OptionValue, Status, TaxClass};
use super::slug::{slug_is_good, slugify};

/// A product as a caller describes it, unchecked. The pointers of errors are from this message.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// Name.
    pub name: String,
    /// Slug; empty to make it from the name.
    pub slug: String,
    /// Story.
    pub description: String,
    /// Categories, the main one first.
    pub categories: Vec<CategoryId>,
    /// How it is taxed.
    pub tax_class: TaxClass,
    /// Options that its variants differ by.
    pub option_names: Vec<String>,
    /// Variants.
    pub variants: Vec<InputVariant>,
    /// Facts.
    pub attributes: Vec<Attribute>,
    /// Pictures.
    pub images: Vec<Image>,
    /// Other words for it.
    pub synonyms: Vec<String>,
    /// Name in the system it came from; empty for none.
    pub external_reference: String,
    /// Draft or active; when not said, a new product is active and another stays what it is.
    pub status: Option<Status>,
}

/// A variant as a caller describes it, unchecked.
#[derive(Clone, Debug, Default)]
pub struct InputVariant {
    /// SKU.
    pub sku: String,
    /// A value for each option, in any order.
    pub options: Vec<OptionValue>,
    /// Prices, one a currency.
    pub prices: Vec<UnitPrice>,
    /// Weight in grams.
    pub weight_grams: i32,
    /// Prices that it is compared with, one a currency.
    pub compare_at: Vec<UnitPrice>,
}

/// A product that passed every check but those of the whole catalogue (SKUs, slug, reference and categories).
#[derive(Clone, Debug)]
pub struct Draft {
    pub(super) input: Input,
    /// Whether the slug was made from the name, and may be changed where it is taken.
    pub slug_is_made: bool,
}

impl Input {
    /// Checks everything that can be checked without the catalogue, and tidies: texts trimmed, options in the order of
    /// their names, prices by currency, repeated synonyms dropped.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` naming every wrong field.
    pub fn check(mut self) -> Result<Draft> {
        let mut v = Violations::new();
        self.name = v.text("/name", &self.name, NAME_CHARS_MAX);
        self.description = v.optional_lines("/description", &self.description, DESCRIPTION_CHARS_MAX);
        let reference = v.optional_text("/external_reference", &self.external_reference, REFERENCE_CHARS_MAX);
        self.external_reference = reference;
        v.check(self.status != Some(Status::Archived), "/status", "must be draft or active");
        self.check_lists(&mut v);
        self.check_images(&mut v);
        self.check_variants(&mut v);
        let slug_is_made = self.slug.is_empty();
        if slug_is_made {
            let fallback = self.variants.first().map_or("product", |variant| variant.sku.as_str());
            self.slug = slugify(&self.name, fallback);
            if self.slug.is_empty() {
                "product".clone_into(&mut self.slug);
            }
        }
        v.check(
            slug_is_good(&self.slug),
            "/slug",
            "must be lower-case letters, digits and single hyphens, at most 120",
        );
        v.finish()?;
        Ok(Draft { input: self, slug_is_made })
    }

    fn check_lists(&mut self, v: &mut Violations) {
        limit(v, "/category_ids", self.categories.len(), PRODUCT_CATEGORIES_MAX);
        let mut seen = HashSet::new();
        self.categories.retain(|id| seen.insert(*id));

        limit(v, "/attributes", self.attributes.len(), ATTRIBUTES_MAX);
        let mut seen = HashSet::new();
        for (n, attribute) in self.attributes.iter_mut().enumerate().take(ATTRIBUTES_MAX) {
            attribute.name =
                v.text(&format!("/attributes/{n}/name"), &attribute.name, ATTRIBUTE_NAME_CHARS_MAX);
            attribute.value =
                v.text(&format!("/attributes/{n}/value"), &attribute.value, OPTION_VALUE_CHARS_MAX);
            let new = seen.insert((attribute.name.clone(), attribute.value.clone()));
            v.check(new, format!("/attributes/{n}"), "repeats an attribute with its value");
        }

        limit(v, "/synonyms", self.synonyms.len(), SYNONYMS_MAX);
        for (n, synonym) in self.synonyms.iter_mut().enumerate().take(SYNONYMS_MAX) {
            *synonym = v.text(&format!("/synonyms/{n}"), synonym, 200);
        }
        let mut seen = HashSet::new();
        self.synonyms.retain(|synonym| seen.insert(synonym.clone()));

        limit(v, "/option_names", self.option_names.len(), OPTIONS_MAX);
        let mut seen = HashSet::new();
        for (n, name) in self.option_names.iter_mut().enumerate().take(OPTIONS_MAX) {
            *name = v.text(&format!("/option_names/{n}"), name, OPTION_NAME_CHARS_MAX);
            v.check(seen.insert(name.clone()), format!("/option_names/{n}"), "repeats an option");
        }
    }

    fn check_images(&mut self, v: &mut Violations) {
        limit(v, "/images", self.images.len(), IMAGES_MAX);
        for (n, image) in self.images.iter_mut().enumerate().take(IMAGES_MAX) {
            let at = format!("/images/{n}");
            match &image.source {
                ImageSource::Url(url) => {
                    let good = address_is_good(url);
                    v.check(good, format!("{at}/url"), "must be an https address of at most 2000 characters");
                }
                ImageSource::ContentHash(hash) => {
                    let good = content_hash_is_good(hash);
                    v.check(good, format!("{at}/content_hash"), "must be 64 lower-case hexadecimal digits");
                }
            }
            image.alt = v.optional_text(&format!("{at}/alt"), &image.alt, ALT_CHARS_MAX);
            if image.alt.is_empty() {
                image.alt = self.name.chars().take(ALT_CHARS_MAX).collect();
            }
            if matches!(image.source, ImageSource::ContentHash(_)) {
                // Its sides are the house's to know.
                continue;
            }
            for (side, pixels) in [("width", image.width), ("height", image.height)] {
                // Zero where nobody knows it.
                let good = (0..=PIXELS_MAX).contains(&pixels);
                v.check(good, format!("{at}/{side}"), "must be between 0 and 20000");
            }
        }
    }

    fn check_variants(&mut self, v: &mut Violations) {
        v.check(!self.variants.is_empty(), "/variants", "is required");
        limit(v, "/variants", self.variants.len(), VARIANTS_MAX);
        let (mut skus, mut combinations) = (HashSet::new(), HashSet::new());
        for (n, variant) in self.variants.iter_mut().enumerate().take(VARIANTS_MAX) {
            let at = format!("/variants/{n}");
            match sku::clean(&variant.sku) {
                Ok(sku) => variant.sku = sku,
                Err(what) => v.check(false, format!("{at}/sku"), what),
            }
            v.check(skus.insert(variant.sku.clone()), format!("{at}/sku"), "repeats a SKU of this product");
            check_options(v, &at, &self.option_names, &mut variant.options);
            let combination: Vec<_> = variant.options.iter().map(|option| option.value.clone()).collect();
            v.check(
                combinations.insert(combination),
                format!("{at}/options"),
                "repeats the options of another variant",
            );
            check_prices(v, &format!("{at}/prices"), &mut variant.prices);
            check_prices(v, &format!("{at}/compare_at_prices"), &mut variant.compare_at);
            v.check(
                (0..=WEIGHT_GRAMS_MAX).contains(&variant.weight_grams),
                format!("{at}/weight_grams"),
                "must be between 0 and 1000000",
            );
        }
    }
}

fn limit(v: &mut Violations, pointer: &str, count: usize, count_max: usize) {
    v.check(count <= count_max, pointer, format!("has more than {count_max} entries"));
}

fn check_options(v: &mut Violations, at: &str, names: &[String], options: &mut Vec<OptionValue>) {
    for (n, option) in options.iter_mut().enumerate().take(OPTIONS_MAX) {
        option.name = clean(&option.name, Lines::One).unwrap_or_default();
        option.value = v.text(&format!("{at}/options/{n}/value"), &option.value, OPTION_VALUE_CHARS_MAX);
        let known = names.contains(&option.name);
        v.check(known, format!("{at}/options/{n}/name"), "must be one of the product's option names");
    }
    let ordered: Vec<_> =
        names.iter().filter_map(|name| options.iter().find(|option| option.name == *name).cloned()).collect();
    v.check(
        ordered.len() == names.len() && options.len() == names.len(),
        format!("{at}/options"),
        "must have one value for each of the product's options",
    );
    *options = ordered;
}

fn check_prices(v: &mut Violations, at: &str, prices: &mut [UnitPrice]) {
    limit(v, at, prices.len(), PRICES_MAX);
    let mut seen = HashSet::new();
    for (n, price) in prices.iter().enumerate().take(PRICES_MAX) {
        let good = (0..=PRICE_MICROS_MAX).contains(&price.micros);
        v.check(good, format!("{at}/{n}/micros"), "must be between 0 and 1000000000000000");
        v.check(seen.insert(price.currency), format!("{at}/{n}/currency_code"), "repeats a currency");
    }
    prices.sort_by_key(|price| price.currency);
}

impl Draft {
    /// Its SKUs.
    pub fn skus(&self) -> impl Iterator<Item = &str> {
        self.input.variants.iter().map(|variant| variant.sku.as_str())
    }

    /// Its categories, the main one first.
    #[must_use]
    pub fn categories(&self) -> &[CategoryId] {
        &self.input.categories
    }

    /// Its slug.
    #[must_use]
    pub fn slug(&self) -> &str {
        &self.input.slug
    }

    /// Its name in the system it came from.
    #[must_use]
    pub fn external_reference(&self) -> &str {
        &self.input.external_reference
    }

    /// The same with another slug, made from this one and a tail of lower-case letters and digits.
    #[must_use]
    pub fn with_slug_tail(mut self, tail: &str) -> Self {
        let room = SLUG_CHARS_MAX.saturating_sub(tail.len() + 1);
        let stem: String = self.input.slug.chars().take(room).collect();
        self.input.slug = format!("{}-{tail}", stem.trim_end_matches('-'));
        self
    }
}
