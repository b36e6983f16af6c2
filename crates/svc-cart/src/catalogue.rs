//! What cart asks product: whether a SKU is sold, what it is called and what it costs.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use contract::souk::product::v1::product_service_client::ProductServiceClient;
use contract::souk::product::v1::{BatchGetVariantsRequest, ProductStatus, SellableVariant};
use kernel::{Clock, Error, Result};
use mesh::Channel;
use quick_cache::sync::Cache;

/// How long a SKU counts as sold after product said so. Long enough that product is not asked at each addition; a SKU
/// that is taken out of the shop meanwhile is found by the quote.
const SOLD_FOR: Duration = Duration::from_secs(30);
/// SKUs remembered at most.
const SOLD_MAX: usize = 50_000;

/// The catalogue as cart sees it. Cheap to clone.
#[derive(Clone)]
pub struct Catalogue {
    product: ProductServiceClient<Channel>,
    clock: Arc<dyn Clock>,
    sold: Arc<Cache<String, Duration>>,
}

impl Catalogue {
    /// Asks the role product.
    ///
    /// # Errors
    /// As [`chassis::Context::call`].
    pub fn new(ctx: &chassis::Context) -> Result<Self> {
        let product = ctx.call("product", ProductServiceClient::new)?;
        Ok(Self { product, clock: ctx.clock().clone(), sold: Arc::new(Cache::new(SOLD_MAX)) })
    }

    /// Checks that a SKU is sold.
    ///
    /// # Errors
    /// `SKU_NOT_FOUND` at `/sku`; what product answers.
    pub async fn require(&self, sku: &str) -> Result<()> {
        let now = self.clock.monotonic();
        if self.sold.get(sku).is_some_and(|until| until > now) {
            return Ok(());
        }
        let found = self.variants(vec![sku.to_owned()]).await?;
        if !found.get(sku).is_some_and(is_sold) {
            return Err(Error::not_found("SKU_NOT_FOUND", "nothing with this SKU is sold here")
                .with_field("/sku", "is not sold here"));
        }
        self.sold.insert(sku.to_owned(), now + SOLD_FOR);
        Ok(())
    }

    /// What product knows of these SKUs, at most 1000; unknown ones are not in it.
    ///
    /// # Errors
    /// What product answers.
    pub async fn variants(&self, skus: Vec<String>) -> Result<HashMap<String, SellableVariant>> {
        if skus.is_empty() {
            return Ok(HashMap::new());
        }
        let response = self
            .product
            .clone()
            .batch_get_variants(BatchGetVariantsRequest { skus })
            .await
            .map_err(contract::error)?;
        Ok(response.into_inner().variants.into_iter().map(|variant| (variant.sku.clone(), variant)).collect())
    }
}

/// Whether it is in the shop.
pub fn is_sold(variant: &SellableVariant) -> bool {
    variant.status() == ProductStatus::Active
}
