//! One product per SKU, without a transaction over two documents.
//!
//! A claim is a document whose id is the SKU and whose value names a product. Invariant: **a product carries a SKU only
//! if the SKU's claim names it.** A writer that adds a SKU makes the claim, or renews it, before it writes the product
//! on the version that it saw. A claim whose product does not carry the SKU is left over (its writer was killed, or the
//! SKU was removed), and another product may take it, in this order: raise the version of the product that it names, or
//! spend that id if no product was ever written under it, so that a writer that is still on its way fails; then move the
//! claim, on the version of the claim that was seen, so that a writer that renewed it meanwhile wins. A claim is left
//! alone for [`CLAIM_FRESH`], for two writers would otherwise chase each other.

use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, TryFutureExt, TryStreamExt, stream};
use kernel::{Error, ProductId, Result, Timestamp};
use serde::{Deserialize, Serialize};
use store::{CommitError, Document, Index, Put, Value, Versioned};

use super::{Catalogue, Held};
use crate::domain::Product;

/// For how long a claim waits for its product. Longer than any request may take.
const CLAIM_FRESH: Duration = Duration::from_secs(120);
/// Claims made at once for one product.
const CLAIMS_IN_FLIGHT: usize = 16;
/// How often a claim is looked at again when others change it at the same time.
const TRIES: usize = 8;

/// Which product a SKU belongs to.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Claim {
    pub(super) product: ProductId,
    /// When it was made or renewed.
    time: Timestamp,
}

impl Document for Claim {
    const KIND: &'static str = "sku";
    const INDEXES: &'static [Index] = &[];

    fn keys(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }
}

impl Catalogue {
    /// Claims the SKUs that `product` has and `before` has not.
    pub(super) async fn claim_skus(&self, product: &Product, before: Option<&Product>) -> Result<()> {
        let mut claims: Vec<BoxFuture<'_, Result<()>>> = Vec::new();
        for (n, variant) in product.variants.iter().enumerate() {
            if before.is_none_or(|before| before.variant(&variant.sku).is_none()) {
                let claim = self.claim(&variant.sku, product.id);
                claims.push(claim.map_err(move |error| error.at(&format!("/variants/{n}/sku"))).boxed());
            }
        }
        stream::iter(claims).buffer_unordered(CLAIMS_IN_FLIGHT).try_collect().await
    }

    async fn claim(&self, sku: &str, id: ProductId) -> Result<()> {
        for _ in 0..TRIES {
            let claim = Claim { product: id, time: self.0.clock.now() };
            let put = match self.0.claims.get(sku).await? {
                None => Put::create(sku, claim),
                Some(seen) if seen.value.product == id => Put::replace(sku, seen.version, claim),
                Some(seen) => {
                    if !self.release(sku, &seen).await? {
                        continue;
                    }
                    Put::replace(sku, seen.version, claim)
                }
            };
            match self.0.claims.put(put).await {
                Ok(_) => return Ok(()),
                Err(CommitError::Duplicate { .. } | CommitError::Unexpected { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(busy())
    }

    /// Makes sure that nobody can use a left-over claim any more. `false`: look again.
    async fn release(&self, sku: &str, claim: &Versioned<Claim>) -> Result<bool> {
        let id = claim.value.product.to_string();
        let holder = self.0.products.get(&id).await?;
        let carried = holder.as_ref().and_then(|holder| holder.value.product.as_ref());
        if carried.is_some_and(|product| product.variant(sku).is_some()) {
            return Err(Error::exists("SKU_TAKEN", "belongs to another product").with("product_id", id));
        }
        if self.0.clock.now().since(claim.value.time) < CLAIM_FRESH {
            return Err(busy());
        }
        let fence = match holder {
            None => Put::create(id, Held { product: None }),
            Some(holder) if holder.value.product.is_none() => return Ok(true),
            Some(holder) => Put::replace(id, holder.version, holder.value),
        };
        let product = claim.value.product;
        let inner = std::sync::Arc::clone(&self.0);
        let write = async move {
            let _writing = inner.cache.begin_write(product);
            inner.products.put(fence).await
        };
        match super::finish(tokio::spawn(write).await) {
            Ok(_) => Ok(true),
            Err(CommitError::Duplicate { .. } | CommitError::Unexpected { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// Another change holds the SKU right now; if it was left over, it can be taken after a while.
fn busy() -> Error {
    let wait_ms = u64::try_from(CLAIM_FRESH.as_millis()).unwrap_or(u64::MAX);
    Error::conflict("SKU_TAKEN", "is just being given to another product").retry_after_ms(wait_ms)
}
