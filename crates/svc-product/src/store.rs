//! The repository: a document per product, with its variants inside.
//!
//! `Docs` writes one document at a time, and a SKU must be unique over all products, so each SKU has a claim of its own
//! that names its product ([`claims`]). The price in force stands in the product; before it is replaced it is filed as
//! a record of its own ([`history`]), so that nothing of a price is lost at whatever point a process is killed. Reads by
//! SKU come from memory ([`cache`]): the database of an embedded house belongs to one process, so own writes are all
//! writes.

mod cache;
mod categories;
mod claims;
mod held;
mod history;
mod pictures;

use std::sync::Arc;

use kernel::{Clock, Error, Page, ProductId, Result};
use parking_lot::RwLock;
use store::{
    CommitError, Database, Docs, Document, List, NewEvent, Outbox, Position, Put, RequestKey, Versioned,
};

use crate::domain::{Category, Picture, Product, Revision, Status, Tree};
use cache::Cache;
pub use claims::Claim;
pub use held::{Held, VersionOrigin};
use held::{document_of, status_key};
pub use history::{Record, record_id};
pub use pictures::{Kept, digest as file_digest, rendition_id};

pub use cache::Found;
pub use categories::SavedCategory;

/// How often a made slug is tried with another tail before the caller is told that it is taken.
const SLUG_TRIES: usize = 4;

/// Events and the remembered answer that go with a write; made from the product as it will be, and its version.
pub type Effects<'a> = &'a (dyn Fn(&Product, i64) -> Outbound + Send + Sync);

/// What goes with a write.
#[derive(Default)]
pub struct Outbound {
    /// Events in order.
    pub events: Vec<NewEvent>,
    /// The request key and the answer to give when it comes again.
    pub remember: Option<(RequestKey, Vec<u8>)>,
}

/// What became of a write.
pub enum Saved {
    /// It is durable.
    Done(Arc<Found>),
    /// The request was done before: here is its answer.
    Replayed(Vec<u8>),
}

/// The catalogue as it is stored. Clones share everything.
#[derive(Clone)]
pub struct Catalogue(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    database: Database,
    products: Docs<Held>,
    claims: Docs<Claim>,
    records: Docs<Record>,
    categories: Docs<Category>,
    pictures: Docs<Picture>,
    renditions: Docs<pictures::Kept>,
    outbox: Outbox,
    cache: Cache,
    tree: RwLock<Arc<Tree>>,
    /// Categories are changed one at a time, so that the tree in memory is the tree that is stored.
    category_writes: Arc<tokio::sync::Mutex<()>>,
}

impl Catalogue {
    /// Opens the catalogue and reads its categories.
    ///
    /// # Errors
    /// The store's.
    pub async fn open(database: Database, clock: Arc<dyn Clock>) -> Result<Self> {
        let inner = Inner {
            clock,
            products: database.docs(),
            claims: database.docs(),
            records: database.docs(),
            categories: database.docs(),
            pictures: database.docs(),
            renditions: database.docs(),
            outbox: database.outbox(),
            database,
            cache: Cache::default(),
            tree: RwLock::default(),
            category_writes: Arc::default(),
        };
        let catalogue = Self(Arc::new(inner));
        catalogue.read_tree().await?;
        Ok(catalogue)
    }

    /// Its documents as they are stored, for the audit.
    #[must_use]
    pub fn inspect(&self) -> store::Inspector {
        self.0.database.inspect()
    }

    /// Which product claims each of these SKUs, of those that are claimed.
    ///
    /// # Errors
    /// The store's.
    pub async fn claims_of(&self, skus: &[String]) -> Result<std::collections::HashMap<String, ProductId>> {
        let mut claims = std::collections::HashMap::with_capacity(skus.len());
        for some in skus.chunks(store::DOCS_GET_MAX) {
            let found = self.0.claims.get_many(some).await?;
            claims.extend(found.into_iter().map(|claim| (claim.id, claim.value.product)));
        }
        Ok(claims)
    }

    /// The answer a request got before, if it did.
    ///
    /// # Errors
    /// `IDEMPOTENCY_KEY_REUSED` when it was another request.
    pub async fn answer(&self, key: &RequestKey) -> Result<Option<Vec<u8>>> {
        self.0.database.sql().answer(key).await
    }

    /// Remembers an answer whose effects are spread over many documents, once all of them are written.
    ///
    /// # Errors
    /// The store's; `IDEMPOTENCY_KEY_REUSED`.
    pub async fn remember(&self, key: RequestKey, answer: Vec<u8>) -> Result<Option<Vec<u8>>> {
        match self.0.database.sql().commit(store::Batch::new().remember(key, answer)).await {
            Ok(_) => Ok(None),
            Err(CommitError::Replayed(answer)) => Ok(Some(answer)),
            Err(error) => Err(error.into()),
        }
    }

    /// The newest event.
    ///
    /// # Errors
    /// The store's.
    pub async fn head(&self) -> Result<Position> {
        self.0.outbox.head().await
    }

    /// A product by its id.
    ///
    /// # Errors
    /// The store's.
    pub async fn product(&self, id: ProductId) -> Result<Option<Arc<Found>>> {
        if let Some(found) = self.0.cache.product(id) {
            return Ok(Some(found));
        }
        let fill = self.0.cache.begin_fill();
        let found = self.0.products.get(&id.to_string()).await?.and_then(found);
        Ok(found.map(|found| self.0.cache.fill(fill, found)))
    }

    /// Products by id, those that there are, in any order; at most 1,000.
    ///
    /// # Errors
    /// The store's.
    pub async fn products(&self, ids: &[ProductId]) -> Result<Vec<Arc<Found>>> {
        let (mut have, mut missing) = (Vec::with_capacity(ids.len()), Vec::new());
        for id in ids {
            match self.0.cache.product(*id) {
                Some(found) => have.push(found),
                None => missing.push(id.to_string()),
            }
        }
        if !missing.is_empty() {
            let fill = self.0.cache.begin_fill();
            let read = self.0.products.get_many(&missing).await?;
            have.extend(read.into_iter().filter_map(found).map(|found| self.0.cache.fill(fill, found)));
        }
        Ok(have)
    }

    /// A product by its slug.
    ///
    /// # Errors
    /// The store's.
    pub async fn by_slug(&self, slug: &str) -> Result<Option<Arc<Found>>> {
        Ok(self.0.products.find("slug", slug).await?.and_then(found).map(Arc::new))
    }

    /// A product by its name in the system it came from.
    ///
    /// # Errors
    /// The store's.
    pub async fn by_reference(&self, reference: &str) -> Result<Option<Arc<Found>>> {
        Ok(self.0.products.find("external_reference", reference).await?.and_then(found).map(Arc::new))
    }

    /// A page of products, all or of one status, by id.
    ///
    /// # Errors
    /// The store's.
    pub async fn list(
        &self,
        status: Option<Status>,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<Arc<Found>>> {
        let list = List {
            index: status.map(|_| "status"),
            equals: status.map(|status| status_key(status).into()),
            after,
            limit,
        };
        let page = self.0.products.list(list).await?;
        Ok(Page { items: page.items.into_iter().filter_map(found).map(Arc::new).collect(), next: page.next })
    }

    /// The products of SKUs, in the order asked: `None` where no product carries it.
    ///
    /// # Errors
    /// The store's.
    pub async fn by_skus(&self, skus: &[String]) -> Result<Vec<Option<Arc<Found>>>> {
        let mut answer: Vec<_> = skus.iter().map(|sku| self.0.cache.by_sku(sku)).collect();
        let missing: Vec<String> = skus
            .iter()
            .zip(&answer)
            .filter(|(_, found)| found.is_none())
            .map(|(sku, _)| sku.clone())
            .collect();
        if missing.is_empty() {
            return Ok(answer);
        }
        let mut ids: Vec<_> =
            self.0.claims.get_many(&missing).await?.into_iter().map(|claim| claim.value.product).collect();
        ids.sort();
        ids.dedup();
        let read = self.products(&ids).await?;
        for (slot, sku) in answer.iter_mut().zip(skus).filter(|(slot, _)| slot.is_none()) {
            *slot = read.iter().find(|found| found.product.variant(sku).is_some()).cloned();
        }
        Ok(answer)
    }

    /// Writes a new product. Its SKUs are claimed first; a slug that was only made from its name gets a tail when it is taken.
    ///
    /// # Errors
    /// `SKU_TAKEN`, `SLUG_TAKEN`, `EXTERNAL_REFERENCE_TAKEN`, and a retryable conflict when the id is in use.
    pub async fn create(
        &self,
        mut product: Product,
        slug_is_made: bool,
        effects: Effects<'_>,
    ) -> Result<Saved> {
        if !slug_is_made && self.by_slug(&product.slug).await?.is_some() {
            return Err(taken("slug"));
        }
        if let Some(reference) = &product.external_reference
            && self.by_reference(reference).await?.is_some()
        {
            return Err(taken("external_reference"));
        }
        self.claim_skus(&product, None).await?;
        let id = product.id.to_string();
        let stem = product.slug.clone();
        let mut tries = 0;
        loop {
            let outbound = effects(&product, 1);
            let put = with_effects(Put::create(id.clone(), document_of(&product, 1, &outbound)), outbound);
            match self.put(product.clone(), put).await {
                Err(CommitError::Duplicate { label })
                    if label == "slug" && slug_is_made && tries < SLUG_TRIES =>
                {
                    tries += 1;
                    product.slug = slug_with_tail(&stem, &id, tries);
                }
                Err(error) => return refused(error),
                Ok(found) => return Ok(Saved::Done(found)),
            }
        }
    }

    /// Writes a change of a product that was seen at `seen`. New SKUs are claimed and prices that end are filed first.
    ///
    /// # Errors
    /// `VERSION_CONFLICT`, `SKU_TAKEN`, `SLUG_TAKEN`, `EXTERNAL_REFERENCE_TAKEN`.
    pub async fn replace(&self, seen: &Found, revision: Revision, effects: Effects<'_>) -> Result<Saved> {
        let product = revision.product;
        self.claim_skus(&product, Some(&seen.product)).await?;
        self.file_prices(&revision.prices, product.id).await?;
        let outbound = effects(&product, seen.version + 1);
        let next = document_of(&product, seen.version + 1, &outbound);
        let put = Put::replace(product.id.to_string(), seen.version, next);
        match self.put(product, with_effects(put, outbound)).await {
            Ok(found) => Ok(Saved::Done(found)),
            Err(error) => refused(error),
        }
    }

    /// Writes and keeps what memory knows in step. It runs on even when the caller leaves, since the write may.
    async fn put(&self, product: Product, put: Put<Held>) -> Result<Arc<Found>, CommitError> {
        let inner = Arc::clone(&self.0);
        let write = async move {
            let writing = inner.cache.begin_write(product.id);
            let version = inner.products.put(put).await?;
            Ok(writing.written(Found { product, version }))
        };
        finish(tokio::spawn(write).await)
    }
}

/// The outcome of a detached write.
fn finish<T>(
    joined: std::result::Result<Result<T, CommitError>, tokio::task::JoinError>,
) -> Result<T, CommitError> {
    joined.unwrap_or_else(|error| Err(CommitError::Failed(Error::internal(error))))
}

fn found(document: Versioned<Held>) -> Option<Found> {
    document.value.product.map(|product| Found { product, version: document.version })
}

fn with_effects<T: Document>(mut put: Put<T>, outbound: Outbound) -> Put<T> {
    for event in outbound.events {
        put = put.event(event);
    }
    match outbound.remember {
        Some((key, answer)) => put.remember(key, answer),
        None => put,
    }
}

fn slug_with_tail(stem: &str, id: &str, tries: usize) -> String {
    let tail = &id[id.len() - 4 - tries..];
    let room = crate::domain::SLUG_CHARS_MAX - tail.len() - 1;
    let stem = &stem[..stem.len().min(room)];
    format!("{}-{tail}", stem.trim_end_matches('-'))
}

fn taken(what: &str) -> Error {
    match what {
        "slug" => Error::exists("SLUG_TAKEN", "belongs to another product").at("/slug"),
        _ => {
            Error::exists("EXTERNAL_REFERENCE_TAKEN", "belongs to another product").at("/external_reference")
        }
    }
}

fn refused(error: CommitError) -> Result<Saved> {
    match error {
        CommitError::Replayed(answer) => Ok(Saved::Replayed(answer)),
        CommitError::Duplicate { label } if label == "slug" || label == "external_reference" => {
            Err(taken(&label))
        }
        CommitError::Duplicate { .. } | CommitError::Unexpected { .. } => Err(version_conflict()),
        error => Err(error.into()),
    }
}

/// Somebody else changed it.
pub fn version_conflict() -> Error {
    Error::conflict("VERSION_CONFLICT", "is stale: it was changed meanwhile; read it again").at("/version")
}
