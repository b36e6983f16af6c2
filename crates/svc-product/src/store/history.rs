//! Prices of the past: a document each, written once, never changed.
//!
//! The id begins with the time, so that a series (product, currency, SKU) is listed oldest first, and ends with a digest
//! of what the record says, so that the same record is kept once however often it is filed.

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use kernel::{Currency, Page, ProductId, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::{CommitError, Document, Index, List, Put, Value};

use super::{Catalogue, Found};
use crate::domain::{Price, PriceChange, PriceRecord};

/// Where a list goes on when only the price in force is left; no cursor of the store.
const ONLY_NOW: &str = "now";
/// Records filed at once.
const RECORDS_IN_FLIGHT: usize = 64;

/// A price record as it is stored.
#[derive(Clone, Serialize, Deserialize)]
pub struct Record {
    /// Product, currency and SKU.
    pub series: String,
    /// The price.
    pub price: Price,
}

impl Document for Record {
    const KIND: &'static str = "price";
    const INDEXES: &'static [Index] = &[Index::plain("series")];

    fn keys(&self) -> Vec<(&'static str, Value)> {
        vec![("series", self.series.clone().into())]
    }
}

fn series(product: ProductId, currency: Currency, sku: &str) -> String {
    format!("{product} {currency} {sku}")
}

/// The id of a record: its time, and a digest of what it says.
pub fn record_id(series: &str, price: &Price) -> String {
    let digest = Sha256::digest(format!("{series}\n{}", price.unit.micros));
    // Shifted so that times before 1970 sort first as well.
    let time = i128::from(price.since.micros()) - i128::from(i64::MIN);
    format!("{time:020}.{}", hex::encode(&digest[..12]))
}

impl Catalogue {
    /// Files the prices that end, before the product that ends them is written. Done again, it changes nothing.
    pub(super) async fn file_prices(&self, changes: &[PriceChange], product: ProductId) -> Result<()> {
        let ended = changes.iter().filter_map(PriceChange::record).collect();
        self.file(product, ended).await.map(|_| ())
    }

    /// Keeps records of a product's prices; answers how many were new.
    ///
    /// # Errors
    /// The store's.
    pub async fn file(&self, product: ProductId, records: Vec<PriceRecord>) -> Result<usize> {
        let files: Vec<BoxFuture<'_, Result<usize>>> =
            records.into_iter().map(|record| self.file_one(product, record).boxed()).collect();
        stream::iter(files)
            .buffer_unordered(RECORDS_IN_FLIGHT)
            .try_fold(0, |sum, n| async move { Ok(sum + n) })
            .await
    }

    async fn file_one(&self, product: ProductId, record: PriceRecord) -> Result<usize> {
        let series = series(product, record.price.unit.currency, &record.sku);
        let put = Put::create(record_id(&series, &record.price), Record { series, price: record.price });
        match self.0.records.put(put).await {
            Ok(_) => Ok(1),
            Err(CommitError::Duplicate { .. }) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    /// A page of the prices a SKU has had in a currency, oldest first, the one in force last.
    ///
    /// # Errors
    /// The store's; `INVALID_CURSOR`.
    pub async fn price_history(
        &self,
        found: &Found,
        sku: &str,
        currency: Currency,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<Price>> {
        let now = found.product.variant(sku).and_then(|variant| variant.price(currency));
        if after.as_deref() == Some(ONLY_NOW) {
            return Ok(Page { items: now.cloned().into_iter().collect(), next: None });
        }
        let series = series(found.product.id, currency, sku);
        let now_id = now.map(|now| record_id(&series, now));
        let list = List { index: Some("series"), equals: Some(series.into()), after, limit };
        let page = self.0.records.list(list).await?;
        // A change that was interrupted has filed the price that is still in force.
        let past = page.items.into_iter().filter(|row| Some(&row.id) != now_id.as_ref());
        let mut items: Vec<_> = past.map(|row| row.value.price).collect();
        let mut next = page.next;
        if next.is_none() && items.len() < limit as usize {
            items.extend(now.cloned());
        } else if next.is_none() && now.is_some() {
            next = Some(ONLY_NOW.to_owned());
        }
        Ok(Page { items, next })
    }
}
