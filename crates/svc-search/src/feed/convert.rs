//! From product's words to the index's.

use contract::souk::event::v1::Event;
use contract::souk::product::v1 as pb;
use contract::souk::search::v1::SearchHit;
use contract::wire;
use kernel::{Error, Result, UnitPrice};
use prost::{Message, Name};

use crate::domain::Product;

/// SKUs that a hit names.
const SKUS_SHOWN_MAX: usize = 20;

/// What an event means for the index.
pub(super) enum Change {
    /// A product is so now.
    Product(Box<Product>),
    /// A category is so now.
    Category(pb::Category),
    /// A category is gone.
    CategoryGone(String),
    /// Nothing.
    Nothing,
}

/// What an event of product means.
///
/// # Errors
/// When the payload does not read as what it says it is.
pub(super) fn change(event: &Event) -> Result<Change> {
    let Some(payload) = &event.payload else { return Ok(Change::Nothing) };
    let name = payload.type_url.rsplit('/').next().unwrap_or_default();
    let value = payload.value.as_slice();
    let after = if name == pb::ProductCreated::full_name() {
        read::<pb::ProductCreated>(value)?.product
    } else if name == pb::ProductUpdated::full_name() {
        read::<pb::ProductUpdated>(value)?.product
    } else if name == pb::ProductArchived::full_name() {
        read::<pb::ProductArchived>(value)?.product
    } else if name == pb::PriceChanged::full_name() {
        read::<pb::PriceChanged>(value)?.product
    } else {
        let category = if name == pb::CategoryCreated::full_name() {
            read::<pb::CategoryCreated>(value)?.category
        } else if name == pb::CategoryUpdated::full_name() {
            read::<pb::CategoryUpdated>(value)?.category
        } else if name == pb::CategoryDeleted::full_name() {
            let gone = read::<pb::CategoryDeleted>(value)?.category.unwrap_or_default();
            return Ok(Change::CategoryGone(gone.category_id));
        } else {
            None
        };
        return Ok(category.map_or(Change::Nothing, Change::Category));
    };
    after.map_or(Ok(Change::Nothing), |after| Ok(Change::Product(Box::new(product(&after)?))))
}

fn read<M: Message + Default>(bytes: &[u8]) -> Result<M> {
    M::decode(bytes).map_err(Error::internal)
}

/// A product as it is indexed.
///
/// # Errors
/// When an id or a price does not read.
pub(super) fn product(message: &pb::Product) -> Result<Product> {
    let mut lowest: Vec<UnitPrice> = Vec::new();
    let mut highest: Vec<UnitPrice> = Vec::new();
    for price in message.variants.iter().flat_map(|variant| &variant.prices) {
        let price = wire::parse_unit_price("/unit_price", &price.unit_price)?;
        keep(&mut lowest, price, |new, known| new < known);
        keep(&mut highest, price, |new, known| new > known);
    }
    lowest.sort_by_key(|price| price.currency);
    highest.sort_by_key(|price| price.currency);
    let mut attributes: Vec<(String, String)> = message
        .attributes
        .iter()
        .map(|attribute| (attribute.name.clone(), attribute.value.clone()))
        .chain(
            message
                .variants
                .iter()
                .flat_map(|v| &v.options)
                .map(|option| (option.name.clone(), option.value.clone())),
        )
        .collect();
    attributes.sort();
    attributes.dedup();
    let skus: Vec<String> = message.variants.iter().map(|variant| variant.sku.clone()).collect();
    let hit = SearchHit {
        product_id: message.product_id.clone(),
        version: message.version,
        name: message.name.clone(),
        slug: message.slug.clone(),
        image: message.images.first().cloned(),
        lowest_prices: lowest.iter().copied().map(wire::unit_price).collect(),
        highest_prices: highest.into_iter().map(wire::unit_price).collect(),
        variant_count: i32::try_from(message.variants.len()).unwrap_or(i32::MAX),
        skus: skus.iter().take(SKUS_SHOWN_MAX).cloned().collect(),
        category_ids: message.category_ids.clone(),
    };
    Ok(Product {
        id: wire::parse_id("/product_id", &message.product_id)?,
        version: message.version,
        is_active: message.status() == pb::ProductStatus::Active,
        name: message.name.clone(),
        description: message.description.clone(),
        synonyms: message.synonyms.clone(),
        skus,
        attributes,
        trail: message.category_trail_ids.clone(),
        lowest: lowest.into_iter().map(|price| (price.currency, price.micros)).collect(),
        created: wire::parse_timestamp("/create_time", &message.create_time)?,
        hit: hit.encode_to_vec(),
    })
}

/// Keeps the better price of each currency.
fn keep(prices: &mut Vec<UnitPrice>, new: UnitPrice, better: impl Fn(i64, i64) -> bool) {
    match prices.iter_mut().find(|known| known.currency == new.currency) {
        Some(known) if better(new.micros, known.micros) => *known = new,
        Some(_) => {}
        None => prices.push(new),
    }
}
