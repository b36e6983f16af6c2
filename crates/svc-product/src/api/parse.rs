//! From the wire to the domain.

use contract::souk::product::v1 as pb;
use contract::souk::r#type::v1::UnitPrice as WirePrice;
use contract::wire;
use kernel::{CategoryId, Error, Result, Timestamp, UnitPrice, Violations};

use crate::domain::{
    Attribute, Image, ImageSource, Input, InputVariant, OptionValue, PRICE_MICROS_MAX, Price, PriceRecord,
    Status, TaxClass,
};

/// How many entries of one list are parsed at all; the domain then says which of them are too many.
const ENTRIES_MAX: usize = 1_000;

/// A product's description; pointers are relative to it. `first_category` is a category that stands before the others.
pub fn input(message: Option<&pb::ProductInput>) -> Result<Input> {
    let Some(message) = message else {
        return Err(Error::field("", "INVALID_ARGUMENT", "is required"));
    };
    let mut v = Violations::new();
    let categories = message.category_ids.iter().take(ENTRIES_MAX).enumerate().filter_map(|(n, id)| {
        let pointer = format!("/category_ids/{n}");
        take(&mut v, wire::parse_id::<CategoryId>(&pointer, id))
    });
    let categories = categories.collect();
    let tax_class = take(&mut v, tax_class(message.tax_class)).unwrap_or_default();
    let status = take(&mut v, status("/status", message.status)).flatten();
    let variants = message.variants.iter().take(ENTRIES_MAX).enumerate();
    let variants = variants.map(|(n, variant)| self::variant(&mut v, n, variant)).collect();
    let images = message.images.iter().take(ENTRIES_MAX).enumerate();
    let images = images.filter_map(|(n, image)| self::image(&mut v, n, image)).collect();
    v.finish()?;
    let attribute = |attribute: &pb::ProductAttribute| Attribute {
        name: attribute.name.clone(),
        value: attribute.value.clone(),
    };
    Ok(Input {
        name: message.name.clone(),
        slug: message.slug.clone(),
        description: message.description.clone(),
        categories,
        tax_class,
        option_names: message.option_names.clone(),
        variants,
        attributes: message.attributes.iter().map(attribute).collect(),
        images,
        synonyms: message.synonyms.clone(),
        external_reference: message.external_reference.clone(),
        status,
    })
}

fn variant(v: &mut Violations, n: usize, variant: &pb::VariantInput) -> InputVariant {
    let prices = variant
        .prices
        .iter()
        .take(ENTRIES_MAX)
        .enumerate()
        .filter_map(|(m, price)| take(v, unit_price(&format!("/variants/{n}/prices/{m}"), price)));
    let prices = prices.collect();
    let compare_at =
        variant.compare_at_prices.iter().take(ENTRIES_MAX).enumerate().filter_map(|(m, price)| {
            take(v, unit_price(&format!("/variants/{n}/compare_at_prices/{m}"), price))
        });
    InputVariant {
        sku: variant.sku.clone(),
        prices,
        compare_at: compare_at.collect(),
        options: variant.options.iter().map(option).collect(),
        weight_grams: variant.weight_grams,
    }
}

fn option(option: &pb::OptionValue) -> OptionValue {
    OptionValue { name: option.name.clone(), value: option.value.clone() }
}

fn unit_price(pointer: &str, price: &WirePrice) -> Result<UnitPrice> {
    let currency = wire::parse_currency(&format!("{pointer}/currency_code"), &price.currency_code)?;
    Ok(UnitPrice::new(price.micros, currency))
}

fn image(v: &mut Violations, n: usize, image: &pb::ProductImage) -> Option<Image> {
    let source = match image.source.clone() {
        Some(pb::product_image::Source::Url(url)) => ImageSource::Url(url),
        Some(pb::product_image::Source::ContentHash(hash)) => ImageSource::ContentHash(hash),
        None => {
            v.add(format!("/images/{n}/url"), "is required unless content_hash is given");
            return None;
        }
    };
    Some(Image {
        source,
        alt: image.alt.clone(),
        width: image.width,
        height: image.height,
        widths: Vec::new(),
    })
}

fn tax_class(value: i32) -> Result<TaxClass> {
    match pb::TaxClass::try_from(value) {
        Ok(pb::TaxClass::Unspecified | pb::TaxClass::Standard) => Ok(TaxClass::Standard),
        Ok(pb::TaxClass::Reduced) => Ok(TaxClass::Reduced),
        Ok(pb::TaxClass::Zero) => Ok(TaxClass::Zero),
        Err(_) => {
            Err(Error::field("/tax_class", "INVALID_ARGUMENT", format!("must be a known value, not {value}")))
        }
    }
}

/// A status, if one is said.
pub fn status(pointer: &str, value: i32) -> Result<Option<Status>> {
    match pb::ProductStatus::try_from(value) {
        Ok(pb::ProductStatus::Unspecified) => Ok(None),
        Ok(pb::ProductStatus::Draft) => Ok(Some(Status::Draft)),
        Ok(pb::ProductStatus::Active) => Ok(Some(Status::Active)),
        Ok(pb::ProductStatus::Archived) => Ok(Some(Status::Archived)),
        Err(_) => {
            Err(Error::field(pointer, "INVALID_ARGUMENT", format!("must be a known value, not {value}")))
        }
    }
}

/// The version an edit is based on.
pub fn version(version: i64) -> Result<i64> {
    if version < 1 {
        return Err(Error::field(
            "/version",
            "INVALID_ARGUMENT",
            "must be the version that the change is based on",
        ));
    }
    Ok(version)
}

/// Why prices change.
pub fn reason(pointer: &str, text: &str) -> Result<String> {
    let mut v = Violations::new();
    let reason = v.optional_lines(pointer, text, 200);
    v.finish()?;
    Ok(reason)
}

/// A price of the past; pointers are relative to it.
pub fn historic(message: &pb::HistoricPrice, actor: &str, now: Timestamp) -> Result<PriceRecord> {
    let mut v = Violations::new();
    let unit = take(&mut v, wire::parse_unit_price("/unit_price", &message.unit_price));
    if let Some(unit) = unit {
        let good = (0..=PRICE_MICROS_MAX).contains(&unit.micros);
        v.check(good, "/unit_price/micros", "must be between 0 and 1000000000000000");
    }
    let since = take(&mut v, wire::parse_timestamp("/from", &message.from));
    v.check(since.is_none_or(|since| since <= now), "/from", "is in the future");
    let reason = v.optional_lines("/reason", &message.reason, 200);
    v.finish()?;
    match (unit, since) {
        (Some(unit), Some(since)) => Ok(PriceRecord {
            sku: message.sku.clone(),
            price: Price { unit, since, actor: actor.to_owned(), reason },
        }),
        _ => Err(Error::internal("a field without a violation is there")),
    }
}

/// The value, or its violations noted where they are.
fn take<T>(v: &mut Violations, value: Result<T>) -> Option<T> {
    v.take("", value)
}
