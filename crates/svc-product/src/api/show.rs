//! From the domain to the wire.

use chassis::event;
use contract::souk::event::v1::Position as WirePosition;
use contract::souk::product::v1 as pb;
use contract::wire;
use kernel::CategoryId;
use store::{NewEvent, Position};

use crate::domain::{
    Category, Image, ImageSource, OptionValue, Price, PriceChange, Product, Revision, Status, TaxClass, Tree,
    Why,
};
use crate::store::Found;

/// A product with its version. Categories that were removed since are left out.
pub fn product(product: &Product, version: i64, tree: &Tree) -> pb::Product {
    pb::Product {
        product_id: product.id.to_string(),
        version,
        status: status(product.status).into(),
        name: product.name.clone(),
        slug: product.slug.clone(),
        description: product.description.clone(),
        category_ids: category_ids(&product.categories, tree),
        category_trail_ids: category_ids(&product.trail, tree),
        tax_class: tax_class(product.tax_class).into(),
        option_names: product.option_names.clone(),
        variants: product.variants.iter().map(variant).collect(),
        attributes: product.attributes.iter().map(attribute).collect(),
        images: product.images.iter().map(image).collect(),
        synonyms: product.synonyms.clone(),
        external_reference: product.external_reference.clone().unwrap_or_default(),
        create_time: Some(wire::timestamp(product.created)),
        update_time: Some(wire::timestamp(product.updated)),
    }
}

/// What a seller needs to know of a SKU of this product.
pub fn sellable(found: &Found, sku: &str, tree: &Tree) -> Option<pb::SellableVariant> {
    let product = &found.product;
    let variant = product.variant(sku)?;
    Some(pb::SellableVariant {
        sku: variant.sku.clone(),
        product_id: product.id.to_string(),
        product_version: found.version,
        product_name: product.name.clone(),
        product_slug: product.slug.clone(),
        status: status(product.status).into(),
        options: variant.options.iter().map(option).collect(),
        prices: variant.prices.iter().map(price).collect(),
        tax_class: tax_class(product.tax_class).into(),
        weight_grams: variant.weight_grams,
        category_trail_ids: category_ids(&product.trail, tree),
        image: product.images.first().map(image),
    })
}

/// A category with its place in the tree.
pub fn category(category: &Category, version: i64, tree: &Tree) -> pb::Category {
    pb::Category {
        category_id: category.id.to_string(),
        version,
        parent_id: category.parent.map(|parent| parent.to_string()).unwrap_or_default(),
        name: category.name.clone(),
        slug: category.slug.clone(),
        path: tree.path(category.id),
        position: category.position,
        depth: i32::try_from(tree.line(category.id).len().saturating_sub(1)).unwrap_or(i32::MAX),
    }
}

/// A price of the history.
pub fn history_entry(price: Price) -> pb::PriceHistoryEntry {
    pb::PriceHistoryEntry {
        unit_price: Some(wire::unit_price(price.unit)),
        from: Some(wire::timestamp(price.since)),
        actor: price.actor,
        reason: price.reason,
    }
}

/// A place in the events.
pub fn position(position: Position) -> WirePosition {
    WirePosition { epoch: position.epoch, sequence: position.sequence }
}

/// What a change publishes: one event for what is not a price, one for all prices.
pub fn events(revision: &Revision, why: &Why, after: &pb::Product) -> Vec<NewEvent> {
    let (id, version) = (&after.product_id, after.version);
    let mut events = Vec::new();
    if revision.archived {
        events.push(event(id, version, &pb::ProductArchived { product: Some(after.clone()) }));
    } else if revision.details {
        events.push(event(id, version, &pb::ProductUpdated { product: Some(after.clone()) }));
    }
    if !revision.prices.is_empty() {
        let message = pb::PriceChanged {
            product: Some(after.clone()),
            changes: revision.prices.iter().map(|change| price_change(change, why)).collect(),
            actor: why.actor.clone(),
            reason: why.reason.clone(),
        };
        events.push(event(id, version, &message));
    }
    events
}

fn price_change(change: &PriceChange, why: &Why) -> pb::PriceChange {
    pb::PriceChange {
        sku: change.sku.clone(),
        before: change.before.as_ref().map(|price| wire::unit_price(price.unit)),
        after: change.after.as_ref().map(|price| wire::unit_price(price.unit)),
        from: Some(wire::timestamp(why.now)),
    }
}

fn category_ids(ids: &[CategoryId], tree: &Tree) -> Vec<String> {
    ids.iter().filter(|id| tree.get(**id).is_some()).map(ToString::to_string).collect()
}

fn variant(variant: &crate::domain::Variant) -> pb::Variant {
    pb::Variant {
        sku: variant.sku.clone(),
        options: variant.options.iter().map(option).collect(),
        prices: variant.prices.iter().map(price).collect(),
        weight_grams: variant.weight_grams,
        compare_at_prices: variant.compared().map(wire::unit_price).collect(),
    }
}

fn option(option: &OptionValue) -> pb::OptionValue {
    pb::OptionValue { name: option.name.clone(), value: option.value.clone() }
}

fn price(price: &Price) -> pb::VariantPrice {
    pb::VariantPrice {
        unit_price: Some(wire::unit_price(price.unit)),
        since: Some(wire::timestamp(price.since)),
    }
}

fn attribute(attribute: &crate::domain::Attribute) -> pb::ProductAttribute {
    pb::ProductAttribute { name: attribute.name.clone(), value: attribute.value.clone() }
}

fn image(image: &Image) -> pb::ProductImage {
    let source = match image.source.clone() {
        ImageSource::Url(url) => pb::product_image::Source::Url(url),
        ImageSource::ContentHash(hash) => pb::product_image::Source::ContentHash(hash),
    };
    pb::ProductImage {
        source: Some(source),
        alt: image.alt.clone(),
        width: image.width,
        height: image.height,
        widths: image.widths.clone(),
    }
}

fn status(status: Status) -> pb::ProductStatus {
    match status {
        Status::Draft => pb::ProductStatus::Draft,
        Status::Active => pb::ProductStatus::Active,
        Status::Archived => pb::ProductStatus::Archived,
    }
}

fn tax_class(class: TaxClass) -> pb::TaxClass {
    match class {
        TaxClass::Standard => pb::TaxClass::Standard,
        TaxClass::Reduced => pb::TaxClass::Reduced,
        TaxClass::Zero => pb::TaxClass::Zero,
    }
}
