//! What the events of the catalogue say, for an audit that compares them with its rows.

use chassis::audit::Fact;
use contract::souk::product::v1 as pb;
use prost::{Message, Name};
use store::StoredEvent;

use super::{price_fact, set_price};
use crate::domain::Price;

/// What a product and its newest event say alike. Named field by field, so that a field that is added later does not make older
/// events differ; what depends on other rows (the tree, pictures' widths) is left out.
pub(super) fn row_content(product: &pb::Product) -> Vec<u8> {
    let image = |image: &pb::ProductImage| pb::ProductImage {
        source: image.source.clone(),
        alt: image.alt.clone(),
        width: image.width,
        height: image.height,
        ..pb::ProductImage::default()
    };
    pb::Product {
        product_id: product.product_id.clone(),
        status: product.status,
        name: product.name.clone(),
        slug: product.slug.clone(),
        description: product.description.clone(),
        tax_class: product.tax_class,
        option_names: product.option_names.clone(),
        variants: product.variants.clone(),
        attributes: product.attributes.clone(),
        images: product.images.iter().map(image).collect(),
        synonyms: product.synonyms.clone(),
        external_reference: product.external_reference.clone(),
        create_time: product.create_time,
        update_time: product.update_time,
        ..pb::Product::default()
    }
    .encode_to_vec()
}

/// What a category and its newest event say alike; its path depends on the categories above it.
pub(super) fn category_content(category: &pb::Category) -> Vec<u8> {
    pb::Category {
        category_id: category.category_id.clone(),
        version: category.version,
        parent_id: category.parent_id.clone(),
        name: category.name.clone(),
        slug: category.slug.clone(),
        position: category.position,
        ..pb::Category::default()
    }
    .encode_to_vec()
}

/// What an event of this service says of its product or category.
///
/// # Errors
/// When it is about another one than it says.
pub fn describe(event: &StoredEvent) -> std::result::Result<Vec<Fact>, String> {
    let (name, payload) = (event.event.type_name.as_str(), event.event.payload.as_slice());
    let mut facts = Vec::new();
    let category = |category: Option<pb::Category>, state: &'static str| {
        let category = category.ok_or_else(|| "no category in it".to_owned())?;
        let fact = Fact::new("event", category.category_id.clone()).version(category.version).state(state);
        Ok(fact.content(&category_content(&category)))
    };
    let product = |product: Option<pb::Product>| {
        let product = product.ok_or_else(|| "no product in it".to_owned())?;
        let fact = Fact::new("event", product.product_id.clone()).version(product.version);
        // The version rises without an event when another product takes over a SKU that was left.
        Ok(fact.state("at least").content(&row_content(&product)))
    };
    let unread = |error: prost::DecodeError| error.to_string();
    let fact: std::result::Result<Fact, String> = if name == pb::CategoryCreated::full_name() {
        category(pb::CategoryCreated::decode(payload).map_err(unread)?.category, "")
    } else if name == pb::CategoryUpdated::full_name() {
        category(pb::CategoryUpdated::decode(payload).map_err(unread)?.category, "")
    } else if name == pb::CategoryDeleted::full_name() {
        let mut deleted = category(pb::CategoryDeleted::decode(payload).map_err(unread)?.category, "gone")?;
        deleted.version = event.event.aggregate_version;
        Ok(deleted)
    } else if name == pb::ProductCreated::full_name() {
        product(pb::ProductCreated::decode(payload).map_err(unread)?.product)
    } else if name == pb::ProductUpdated::full_name() {
        product(pb::ProductUpdated::decode(payload).map_err(unread)?.product)
    } else if name == pb::ProductArchived::full_name() {
        product(pb::ProductArchived::decode(payload).map_err(unread)?.product)
    } else if name == pb::PriceChanged::full_name() {
        let changed = pb::PriceChanged::decode(payload).map_err(unread)?;
        if changed.changes.is_empty() {
            return Err("no price in it".to_owned());
        }
        facts.extend(ended_prices(&changed, &event.event.aggregate_id));
        facts.extend(begun_prices(&changed, &event.event.aggregate_id));
        product(changed.product)
    } else {
        return Ok(facts);
    };
    let fact = fact?;
    let is_first = name == pb::ProductCreated::full_name() || name == pb::CategoryCreated::full_name();
    if is_first != (fact.version == 1) {
        return Err(format!("version {} in an event of the type {name}", fact.version));
    }
    if fact.key != event.event.aggregate_id {
        return Err(format!("{} in an event of {}", fact.key, event.event.aggregate_id));
    }
    facts.push(fact);
    Ok(facts)
}

/// The prices that a change ended: each is a record of the history from then on.
fn ended_prices<'a>(changed: &'a pb::PriceChanged, product: &'a str) -> impl Iterator<Item = Fact> + 'a {
    changed.changes.iter().filter_map(move |change| {
        let before = change.before.as_ref()?;
        let series = format!("{product} {} {}", before.currency_code, change.sku);
        Some(price_fact("price ended", &series, before.micros))
    })
}

/// The prices that a change began: each is the one in force or a record of the history from then on.
fn begun_prices<'a>(changed: &'a pb::PriceChanged, product: &'a str) -> impl Iterator<Item = Fact> + 'a {
    changed.changes.iter().filter_map(move |change| {
        let after = change.after.as_ref()?;
        let currency = kernel::Currency::parse(&after.currency_code).ok()?;
        let since = contract::wire::parse_timestamp("/from", &change.from).ok()?;
        let price = Price {
            unit: kernel::UnitPrice { micros: after.micros, currency },
            since,
            actor: changed.actor.clone(),
            reason: changed.reason.clone(),
        };
        let series = format!("{product} {currency} {}", change.sku);
        Some(set_price("price set", &series, &price))
    })
}
