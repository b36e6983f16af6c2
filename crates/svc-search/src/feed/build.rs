//! A new index, from product's list and the events since.

use std::sync::atomic::Ordering;

use contract::souk::product::v1 as product;
use contract::souk::r#type::v1::PageRequest;
use kernel::{Error, LIMIT_MAX, Result};
use store::Position;
use tokio::time::Instant;

use super::convert::{Change, change};
use super::{Built, Feed, PAUSE, WRITER_BYTES};
use crate::categories::Categories;
use crate::domain::Product;
use crate::feed::convert;
use crate::index::{Index, Writer};

/// Events taken in at once while catching up.
const EVENTS_AT_ONCE: usize = 500;

impl Feed {
    /// Builds an index that shows everything up to some moment after the last page was read. Removed when it fails.
    pub(super) async fn build(&self) -> Result<Built> {
        let started = Instant::now();
        let index = Index::create(self.directory.as_deref())?;
        // The categories are read after the position is known: read before it, one that was made in between would be in
        // neither the list nor the events that follow.
        let filled = async {
            let position = self.fill(&index).await?;
            self.read_categories().await?;
            Ok(position)
        };
        match filled.await {
            Ok(position) => Ok(Built { index, position, started }),
            Err(error) => {
                index.remove();
                Err(error)
            }
        }
    }

    async fn fill(&self, index: &Index) -> Result<Position> {
        let mut writer = index.writer(WRITER_BYTES)?;
        let (mut first, mut last, mut cursor) = (None, Position::START, String::new());
        loop {
            let page = PageRequest { limit: i32::try_from(LIMIT_MAX).unwrap_or(i32::MAX), cursor };
            let status = product::ProductStatus::Active.into();
            let request = product::ListProductsRequest { page: Some(page), status };
            let response =
                self.products.clone().list_products(request).await.map_err(contract::error)?.into_inner();
            last = response
                .as_of
                .map_or(last, |as_of| Position { epoch: as_of.epoch, sequence: as_of.sequence });
            first.get_or_insert(last);
            let products = response.products.iter().map(convert::product).collect::<Result<Vec<_>>>()?;
            self.state.building.fetch_add(products.len() as u64, Ordering::AcqRel);
            writer = put(writer, products).await?;
            cursor = response.page.map(|page| page.next_cursor).unwrap_or_default();
            if cursor.is_empty() {
                break;
            }
        }
        let from = first.unwrap_or(last);
        let (writer, position) = self.catch_up(writer, from, last).await?;
        let close = move || {
            let mut writer = writer;
            writer.commit(Some(position))?;
            writer.close()
        };
        tokio::task::spawn_blocking(close).await.map_err(Error::internal)??;
        Ok(position)
    }

    /// Takes in what happened while the list was read: pages read earlier may not show it.
    async fn catch_up(&self, mut writer: Writer, from: Position, to: Position) -> Result<(Writer, Position)> {
        let mut position = from;
        if position >= to {
            return Ok((writer, position));
        }
        let mut subscription = self.ctx.subscribe("product", Some(from))?;
        let mut products: Vec<Product> = Vec::new();
        while position < to {
            let Some(event) = subscription.next_or_head().await? else {
                position = subscription.position().unwrap_or(to).max(position);
                continue;
            };
            position =
                event.position.map_or(position, |at| Position { epoch: at.epoch, sequence: at.sequence });
            if let Ok(Change::Product(product)) = change(&event) {
                products.push(*product);
            }
            if products.len() >= EVENTS_AT_ONCE {
                writer = put(writer, std::mem::take(&mut products)).await?;
            }
        }
        Ok((put(writer, products).await?, position))
    }

    async fn read_categories(&self) -> Result<()> {
        let request = product::ListCategoriesRequest::default();
        let response =
            self.products.clone().list_categories(request).await.map_err(contract::error)?.into_inner();
        self.state.categories.store(std::sync::Arc::new(Categories::new(response.categories)));
        Ok(())
    }

    pub(super) async fn read_categories_until_done(&self) {
        while let Err(error) = self.read_categories().await {
            tracing::warn!(error = ?error, "the categories cannot be read yet; trying again");
            self.ctx.sleep(PAUSE).await;
        }
    }
}

async fn put(writer: Writer, products: Vec<Product>) -> Result<Writer> {
    let put = move || -> Result<Writer> {
        let mut writer = writer;
        for product in &products {
            writer.put(product)?;
        }
        Ok(writer)
    };
    tokio::task::spawn_blocking(put).await.map_err(Error::internal)?
}
