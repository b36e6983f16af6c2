//! What the index knows of a product.

use kernel::{Currency, ProductId, Timestamp};

/// A product as it is indexed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// Its version in the catalogue.
    pub version: i64,
    /// Whether it is in the shop; others are taken out of the index.
    pub is_active: bool,
    /// What it is called.
    pub name: String,
    /// Its story.
    pub description: String,
    /// Other words for it.
    pub synonyms: Vec<String>,
    /// SKUs of its variants.
    pub skus: Vec<String>,
    /// Facts and options, each name with a value, without repeats.
    pub attributes: Vec<(String, String)>,
    /// Categories it stands in and all above them.
    pub trail: Vec<String>,
    /// Price of its cheapest variant in each currency, in micros.
    pub lowest: Vec<(Currency, i64)>,
    /// When it was made.
    pub created: Timestamp,
    /// What is answered when it is found, encoded.
    pub hit: Vec<u8>,
}

impl Product {
    /// What breaks ties between products, the same for ever.
    #[must_use]
    pub fn tie(id: ProductId) -> u64 {
        let bits = id.bits();
        u64::try_from(bits >> 64).unwrap_or(0) ^ u64::try_from(bits & u128::from(u64::MAX)).unwrap_or(0)
    }
}
