//! What a list of products tells.

use contract::souk::search::v1::{AttributeFacetValue, SearchFacets};
use schemars::JsonSchema;
use serde::Serialize;

use crate::view::{Card, CategoryView};

/// A list of products.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ListingView {
    /// The products of this page.
    pub products: Vec<Card>,
    /// How many there are in all.
    pub total: i64,
    /// How the words were understood.
    pub matching: Matching,
    /// From the top to the category that was asked for.
    pub trail: Vec<CategoryView>,
    /// What the list can be narrowed by.
    pub facets: Facets,
    /// The cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub next_cursor: String,
}

/// How words were understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Matching {
    /// Every word as it was typed.
    Exact,
    /// With typing errors corrected.
    Corrected,
    /// Nothing has every word: these have some.
    Nearest,
}

/// What a list can be narrowed by.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Facets {
    /// Categories that have results.
    pub categories: Vec<CategoryFacet>,
    /// Facts of the results.
    pub attributes: Vec<AttributeFacet>,
    /// Prices of the results.
    pub prices: Vec<PriceFacet>,
}

/// A category among the results.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CategoryFacet {
    /// The category.
    #[serde(flatten)]
    pub category: CategoryView,
    /// Results when this is the category that is chosen.
    pub count: i64,
    /// Whether it is chosen.
    pub selected: bool,
}

/// A fact of the results.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AttributeFacet {
    /// What it is about.
    pub name: String,
    /// Its values.
    pub values: Vec<FacetValue>,
}

/// A value of a fact.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FacetValue {
    /// The value.
    pub value: String,
    /// Results when this is the value that is chosen.
    pub count: i64,
    /// Whether it is chosen.
    pub selected: bool,
}

/// A band of prices.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PriceFacet {
    /// From this many micros.
    pub min_micros: i64,
    /// Below this many; 0 for no limit.
    pub below_micros: i64,
    /// Results when this is the band that is chosen.
    pub count: i64,
    /// Whether it is chosen.
    pub selected: bool,
}

pub fn facets_view(facets: SearchFacets) -> Facets {
    let categories = facets.categories.into_iter().map(|facet| CategoryFacet {
        category: CategoryView { category_id: facet.category_id, name: facet.name, path: facet.path },
        count: facet.count,
        selected: facet.selected,
    });
    let values = |values: Vec<AttributeFacetValue>| {
        let values = values.into_iter();
        values.map(|v| FacetValue { value: v.value, count: v.count, selected: v.selected }).collect()
    };
    let attributes = facets.attributes.into_iter();
    let attributes =
        attributes.map(|facet| AttributeFacet { name: facet.name, values: values(facet.values) });
    let prices = facets.price_bands.into_iter().map(|band| PriceFacet {
        min_micros: band.min_micros,
        below_micros: band.below_micros,
        count: band.count,
        selected: band.selected,
    });
    Facets { categories: categories.collect(), attributes: attributes.collect(), prices: prices.collect() }
}
