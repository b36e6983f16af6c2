//! From answers to the wire.

use std::collections::HashMap;
use std::sync::Arc;

use contract::souk::product::v1::Category;
use contract::souk::search::v1 as pb;
use kernel::{Error, Result};
use prost::Message;

use crate::categories::Categories;
use crate::domain::{Ask, Understanding, bands};
use crate::index::Facets;
use crate::state::signed;

/// Attributes shown.
const ATTRIBUTES_MAX: usize = 20;
/// Values shown of one attribute.
const VALUES_MAX: usize = 50;

/// A stored hit.
pub fn hit(bytes: &[u8]) -> Result<pb::SearchHit> {
    pb::SearchHit::decode(bytes).map_err(Error::internal)
}

/// How the words were understood.
pub fn understanding(understanding: Understanding) -> pb::SearchMatch {
    match understanding {
        Understanding::Exact => pb::SearchMatch::Exact,
        Understanding::Corrected => pb::SearchMatch::Corrected,
        Understanding::Nearest => pb::SearchMatch::Nearest,
    }
}

/// Counts with their names. What is chosen is shown even where it is not among the most frequent.
pub fn facets(ask: &Ask, counted: &Facets, categories: &Categories) -> pb::SearchFacets {
    let mut by_category: HashMap<&str, u64> = HashMap::new();
    let mut by_attribute: HashMap<&Arc<str>, Vec<(&str, u64)>> = HashMap::new();
    for ((dimension, value), count) in &counted.values {
        match dimension {
            None => {
                by_category.insert(value, *count);
            }
            Some(name) => by_attribute.entry(name).or_default().push((value, *count)),
        }
    }
    let mut attributes: Vec<(u64, pb::AttributeFacet)> = by_attribute
        .into_iter()
        .map(|(name, values)| {
            let all = values.iter().map(|(_, count)| count).sum();
            (all, attribute(ask, name, values))
        })
        .collect();
    attributes.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.name.cmp(&b.1.name)));
    attributes.truncate(ATTRIBUTES_MAX);
    pb::SearchFacets {
        categories: categories.iter().filter_map(|known| category(ask, known, &by_category)).collect(),
        attributes: attributes.into_iter().map(|(_, facet)| facet).collect(),
        price_bands: price_bands(ask, &counted.bands),
    }
}

fn category(ask: &Ask, known: &Category, counts: &HashMap<&str, u64>) -> Option<pb::CategoryFacet> {
    let count = *counts.get(known.category_id.as_str())?;
    Some(pb::CategoryFacet {
        category_id: known.category_id.clone(),
        parent_id: known.parent_id.clone(),
        name: known.name.clone(),
        path: known.path.clone(),
        count: signed(count),
        selected: ask.categories.contains(&known.category_id),
    })
}

fn attribute(ask: &Ask, name: &Arc<str>, mut values: Vec<(&str, u64)>) -> pb::AttributeFacet {
    let chosen = ask.attributes.iter().find(|choice| choice.name == **name);
    let is_chosen =
        |value: &str| chosen.is_some_and(|choice| choice.values.iter().any(|chosen| chosen == value));
    values.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let mut shown = 0;
    values.retain(|(value, _)| {
        shown += 1;
        shown <= VALUES_MAX || is_chosen(value)
    });
    let value = |(value, count): (&str, u64)| pb::AttributeFacetValue {
        value: value.to_owned(),
        count: signed(count),
        selected: is_chosen(value),
    };
    pb::AttributeFacet { name: name.to_string(), values: values.into_iter().map(value).collect() }
}

fn price_bands(ask: &Ask, counts: &[u64]) -> Vec<pb::PriceBand> {
    let Some(currency) = ask.currency else { return Vec::new() };
    let band = |(band, count): (crate::domain::Band, &u64)| pb::PriceBand {
        min_micros: band.min,
        below_micros: band.below.unwrap_or(0),
        count: signed(*count),
        selected: ask.price == Some(band),
    };
    bands(&ask.bounds, currency).into_iter().zip(counts).map(band).collect()
}

/// A category as a suggestion.
pub fn category_suggestion(category: &Category) -> pb::Suggestion {
    pb::Suggestion {
        kind: pb::SuggestionKind::Category.into(),
        text: category.name.clone(),
        id: category.category_id.clone(),
        slug: category.path.clone(),
    }
}

/// A product as a suggestion.
pub fn product_suggestion(hit: pb::SearchHit) -> pb::Suggestion {
    pb::Suggestion {
        kind: pb::SuggestionKind::Product.into(),
        text: hit.name,
        id: hit.product_id,
        slug: hit.slug,
    }
}
