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
    /// What its version is made of; `None` in a document of an earlier release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_origin: Option<VersionOrigin>,
}

/// What the version of a product is made of: it is the sum of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionOrigin {
    /// The version in the newest event of the product.
    pub published: i64,
    /// How often the version rose since without an event: each time another product took over one of its abandoned SKUs.
    pub unpublished: i64,
}

impl Held {
    /// The same product at the next version, without an event.
    pub(super) fn with_unpublished_version(mut self) -> Self {
        if let Some(origin) = &mut self.version_origin {
            origin.unpublished += 1;
        }
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

/// The document of a product at a version that is written together with `outbound`.
pub(super) fn document_of(product: &Product, version: i64, outbound: &Outbound) -> Held {
    let published = !outbound.events.is_empty();
    let version_origin = published.then_some(VersionOrigin { published: version, unpublished: 0 });
    Held { product: Some(product.clone()), version_origin }
}
