//! The document of a product.

use serde::{Deserialize, Serialize};
use store::{Document, Index, Value};

use super::Outbound;
use crate::domain::{Product, Status};

/// A product's document. Without a product the id is spent: a maker that came too late may not use it any more.
#[derive(Clone, Serialize, Deserialize)]
pub struct Held {
    /// The product.
    pub product: Option<Product>,
    /// How its version came about; `None` in a document of an earlier release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
}

/// How the version of a product came about: it is the sum of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The version that its newest event tells.
    pub version: i64,
    /// How often it rose since without an event, as another product took over a SKU that was left.
    pub silent: i64,
}

impl Held {
    /// The same product at the next version, which no event tells.
    pub(super) fn silently(mut self) -> Self {
        self.told = self.told.map(|told| Told { silent: told.silent + 1, ..told });
        self
    }
}

impl Document for Held {
    const KIND: &'static str = "product";
    const INDEXES: &'static [Index] =
        &[Index::plain("status"), Index::unique("slug"), Index::unique("external_reference")];

    fn keys(&self) -> Vec<(&'static str, Value)> {
        let product = self.product.as_ref();
        vec![
            ("status", product.map(|product| status_key(product.status)).into()),
            ("slug", product.map(|product| product.slug.clone()).into()),
            ("external_reference", product.and_then(|product| product.external_reference.clone()).into()),
        ]
    }
}

pub(super) fn status_key(status: Status) -> &'static str {
    match status {
        Status::Draft => "draft",
        Status::Active => "active",
        Status::Archived => "archived",
    }
}

pub(super) fn held(product: &Product, version: i64, outbound: &Outbound) -> Held {
    let told = (!outbound.events.is_empty()).then_some(Told { version, silent: 0 });
    Held { product: Some(product.clone()), told }
}
