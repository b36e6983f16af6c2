//! `souk.product.v1.ProductService`: parse, decide, write, reply.

mod categories;
mod import;
mod parse;
mod pictures;
mod products;
pub mod show;

use std::collections::HashSet;
use std::sync::Arc;

use chassis::{Context, Reply, status};
use contract::souk::product::v1 as pb;
use contract::souk::product::v1::product_service_server::ProductService;
use contract::wire;
use kernel::{Error, ProductId, Result};
use mesh::{Caller, Shares, caller};
use prost::Message;
use sha2::{Digest, Sha256};
use tokio::sync::{Mutex, Semaphore};
use tonic::{Request, Response, Status};

use crate::domain::{self, Why};
use crate::store::{Catalogue, Found};

/// The permission that sees drafts and archived products.
const WRITE: &str = "catalogue.write";
/// SKUs that one call may ask for.
const SKUS_MAX: usize = 1_000;
/// Products that one call may ask for.
const PRODUCTS_MAX: usize = 100;
/// Pictures that are worked on or wait; each holds a file.
const UPLOADS_MAX: usize = 16;
/// Of these, pictures of one caller.
const UPLOADS_PER_OWNER_MAX: usize = 4;

/// The service.
pub struct Api {
    ctx: Context,
    catalogue: Catalogue,
    /// Uploads whose renditions are made or wait for it.
    uploads: Arc<Semaphore>,
    by_owner: Arc<Shares<String>>,
    /// Held while renditions are made: one at a time, since a large one takes a processor and much memory for a second.
    drawing: Arc<Mutex<()>>,
}

impl Api {
    /// The service over a catalogue.
    pub fn new(ctx: Context, catalogue: Catalogue) -> Self {
        let uploads = Arc::new(Semaphore::new(UPLOADS_MAX));
        Self { ctx, catalogue, uploads, by_owner: Arc::default(), drawing: Arc::default() }
    }

    /// Who changes something, now.
    fn why(&self, caller: &Caller, reason: String) -> Why {
        Why { actor: caller.key_owner(), reason, now: self.ctx.now() }
    }

    /// A product on the wire.
    fn show(&self, found: &Found) -> pb::Product {
        show::product(&found.product, found.version, &self.catalogue.tree())
    }

    async fn found(&self, id: ProductId) -> Result<Arc<Found>> {
        self.catalogue.product(id).await?.ok_or_else(no_product)
    }

    /// A product if this caller may see it.
    fn seen_by(caller: &Caller, found: Option<Arc<Found>>) -> Result<Arc<Found>> {
        let visible = |found: &Arc<Found>| found.product.status == domain::Status::Active || sees_all(caller);
        found.filter(visible).ok_or_else(no_product)
    }

    async fn get_products(
        &self,
        request: Request<pb::BatchGetProductsRequest>,
    ) -> Result<pb::BatchGetProductsResponse> {
        let caller = caller(&request);
        let asked = request.into_inner().product_ids;
        count("/product_ids", asked.len(), PRODUCTS_MAX)?;
        let parsed = asked.iter().enumerate();
        let ids: Vec<ProductId> =
            parsed.map(|(n, id)| wire::parse_id(&format!("/product_ids/{n}"), id)).collect::<Result<_>>()?;
        let found = self.catalogue.products(&ids).await?;
        let mut response = pb::BatchGetProductsResponse::default();
        let mut given = HashSet::new();
        for id in ids.into_iter().filter(|id| given.insert(*id)) {
            let product = found.iter().find(|found| found.product.id == id).cloned();
            match Self::seen_by(&caller, product) {
                Ok(found) => response.products.push(self.show(&found)),
                Err(_) => response.missing_product_ids.push(id.to_string()),
            }
        }
        Ok(response)
    }

    async fn list(&self, request: Request<pb::ListProductsRequest>) -> Result<pb::ListProductsResponse> {
        let all = sees_all(&caller(&request));
        let request = request.into_inner();
        let page = wire::page(&request.page)?;
        let status = match parse::status("/status", request.status)? {
            None if !all => Some(domain::Status::Active),
            Some(status) if !all && status != domain::Status::Active => {
                return Err(Error::missing_permission("listing drafts and archived products", &[WRITE]));
            }
            status => status,
        };
        let query = format!("product.ListProducts|{status:?}");
        let after = self.ctx.cursors().open(&query, &page.cursor)?;
        // Read first, so that the page shows at least all that happened up to it.
        let as_of = self.catalogue.head().await?;
        let found = self.catalogue.list(status, after, page.limit).await?;
        Ok(pb::ListProductsResponse {
            products: found.items.iter().map(|found| self.show(found)).collect(),
            page: Some(wire::page_info(found.next.map(|next| self.ctx.cursors().seal(&query, &next)))),
            as_of: Some(show::position(as_of)),
        })
    }

    async fn variants(
        &self,
        request: Request<pb::BatchGetVariantsRequest>,
    ) -> Result<pb::BatchGetVariantsResponse> {
        let all = sees_all(&caller(&request));
        let mut skus = request.into_inner().skus;
        count("/skus", skus.len(), SKUS_MAX)?;
        if skus.len() > 1 {
            let mut given = HashSet::new();
            let first: Vec<bool> = skus.iter().map(|sku| given.insert(sku.as_str())).collect();
            let mut first = first.into_iter();
            skus.retain(|_| first.next().unwrap_or(false));
        }
        // What can be no SKU is not looked for.
        let sound: Vec<String> = skus.iter().filter(|sku| kernel::sku::may_be_stored(sku)).cloned().collect();
        let mut found = self.catalogue.by_skus(&sound).await?.into_iter();
        let tree = self.catalogue.tree();
        let mut response = pb::BatchGetVariantsResponse::default();
        for sku in skus {
            let found = if kernel::sku::may_be_stored(&sku) { found.next().flatten() } else { None };
            let found = found.filter(|found| all || found.product.status != domain::Status::Draft);
            match found.and_then(|found| show::sellable(&found, &sku, &tree)) {
                Some(variant) => response.variants.push(variant),
                None => response.missing_skus.push(sku),
            }
        }
        Ok(response)
    }

    async fn history(&self, request: pb::ListPriceHistoryRequest) -> Result<pb::ListPriceHistoryResponse> {
        let page = wire::page(&request.page)?;
        let currency = wire::parse_currency("/currency_code", &request.currency_code)?;
        let known =
            self.catalogue.by_skus(std::slice::from_ref(&request.sku)).await?.into_iter().next().flatten();
        let found =
            known.ok_or_else(|| Error::not_found("SKU_NOT_FOUND", "is not a SKU of the shop").at("/sku"))?;
        let query = format!("product.ListPriceHistory|{}|{currency}|{}", found.product.id, request.sku);
        let after = self.ctx.cursors().open(&query, &page.cursor)?;
        let prices = self.catalogue.price_history(&found, &request.sku, currency, after, page.limit).await?;
        Ok(pb::ListPriceHistoryResponse {
            entries: prices.items.into_iter().map(show::history_entry).collect(),
            page: Some(wire::page_info(prices.next.map(|next| self.ctx.cursors().seal(&query, &next)))),
        })
    }
}

/// Whether drafts and archived products are shown: to staff, and to the role that indexes them.
fn sees_all(caller: &Caller) -> bool {
    caller.principal.may(WRITE) || caller.is_role("search")
}

fn no_product() -> Error {
    Error::not_found("PRODUCT_NOT_FOUND", "no such product")
}

fn count(pointer: &str, count: usize, count_max: usize) -> Result<()> {
    if (1..=count_max).contains(&count) {
        return Ok(());
    }
    Err(Error::field(pointer, "INVALID_ARGUMENT", format!("must have 1 to {count_max} entries")))
}

/// An id that the same words always make, so that what was begun before a kill is gone on with.
fn derived_id(words: &[&str]) -> ProductId {
    let mut hash = Sha256::new();
    for word in words {
        hash.update((word.len() as u64).to_be_bytes());
        hash.update(word.as_bytes());
    }
    let bits = hash.finalize().iter().take(16).fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte));
    ProductId::from_bits(bits)
}

/// A fresh answer, or the remembered one.
fn reply<T: Message + Default>(outcome: std::result::Result<T, Vec<u8>>) -> Result<Response<T>> {
    match outcome {
        Ok(fresh) => Ok(Reply::fresh(fresh).into_response()),
        Err(answer) => Ok(Reply::from_answer(&answer)?.into_response()),
    }
}

#[tonic::async_trait]
impl ProductService for Api {
    async fn create_product(
        &self,
        request: Request<pb::CreateProductRequest>,
    ) -> Result<Response<pb::CreateProductResponse>, Status> {
        self.create(caller(&request), request.into_inner()).await.map_err(status)
    }

    async fn update_product(
        &self,
        request: Request<pb::UpdateProductRequest>,
    ) -> Result<Response<pb::UpdateProductResponse>, Status> {
        self.update(caller(&request), request.into_inner()).await.map_err(status)
    }

    async fn archive_product(
        &self,
        request: Request<pb::ArchiveProductRequest>,
    ) -> Result<Response<pb::ArchiveProductResponse>, Status> {
        self.archive(caller(&request), request.into_inner()).await.map_err(status)
    }

    async fn get_product(
        &self,
        request: Request<pb::GetProductRequest>,
    ) -> Result<Response<pb::GetProductResponse>, Status> {
        let caller = caller(&request);
        let id = wire::parse_id("/product_id", &request.get_ref().product_id).map_err(status)?;
        let found = self.catalogue.product(id).await.and_then(|found| Self::seen_by(&caller, found));
        let product = self.show(&*found.map_err(status)?);
        Ok(Response::new(pb::GetProductResponse { product: Some(product) }))
    }

    async fn get_product_by_slug(
        &self,
        request: Request<pb::GetProductBySlugRequest>,
    ) -> Result<Response<pb::GetProductBySlugResponse>, Status> {
        let caller = caller(&request);
        let slug = &request.get_ref().slug;
        if !domain::slug_is_good(slug) {
            return Err(status(Error::field("/slug", "INVALID_ARGUMENT", "is not a slug")));
        }
        let found = self.catalogue.by_slug(slug).await.and_then(|found| Self::seen_by(&caller, found));
        let product = self.show(&*found.map_err(status)?);
        Ok(Response::new(pb::GetProductBySlugResponse { product: Some(product) }))
    }

    async fn batch_get_products(
        &self,
        request: Request<pb::BatchGetProductsRequest>,
    ) -> Result<Response<pb::BatchGetProductsResponse>, Status> {
        self.get_products(request).await.map(Response::new).map_err(status)
    }

    async fn list_products(
        &self,
        request: Request<pb::ListProductsRequest>,
    ) -> Result<Response<pb::ListProductsResponse>, Status> {
        self.list(request).await.map(Response::new).map_err(status)
    }

    async fn batch_get_variants(
        &self,
        request: Request<pb::BatchGetVariantsRequest>,
    ) -> Result<Response<pb::BatchGetVariantsResponse>, Status> {
        self.variants(request).await.map(Response::new).map_err(status)
    }

    async fn set_price(
        &self,
        request: Request<pb::SetPriceRequest>,
    ) -> Result<Response<pb::SetPriceResponse>, Status> {
        self.price(caller(&request), request.into_inner()).await.map_err(status)
    }

    async fn list_price_history(
        &self,
        request: Request<pb::ListPriceHistoryRequest>,
    ) -> Result<Response<pb::ListPriceHistoryResponse>, Status> {
        self.history(request.into_inner()).await.map(Response::new).map_err(status)
    }

    async fn record_price_history(
        &self,
        request: Request<pb::RecordPriceHistoryRequest>,
    ) -> Result<Response<pb::RecordPriceHistoryResponse>, Status> {
        self.record(caller(&request), request.into_inner()).await.map_err(status)
    }

    async fn import_products(
        &self,
        request: Request<pb::ImportProductsRequest>,
    ) -> Result<Response<pb::ImportProductsResponse>, Status> {
        self.import(caller(&request), request.into_inner()).await.map_err(status)
    }

    async fn create_category(
        &self,
        request: Request<pb::CreateCategoryRequest>,
    ) -> Result<Response<pb::CreateCategoryResponse>, Status> {
        self.make_category(caller(&request), request.into_inner()).await.map_err(status)
    }

    async fn update_category(
        &self,
        request: Request<pb::UpdateCategoryRequest>,
    ) -> Result<Response<pb::UpdateCategoryResponse>, Status> {
        self.change_category(caller(&request), request.into_inner()).await.map_err(status)
    }

    async fn delete_category(
        &self,
        request: Request<pb::DeleteCategoryRequest>,
    ) -> Result<Response<pb::DeleteCategoryResponse>, Status> {
        self.remove_category(caller(&request), request.into_inner()).await.map_err(status)
    }

    async fn get_category(
        &self,
        request: Request<pb::GetCategoryRequest>,
    ) -> Result<Response<pb::GetCategoryResponse>, Status> {
        self.one_category(&request.into_inner()).map(Response::new).map_err(status)
    }

    async fn list_categories(
        &self,
        request: Request<pb::ListCategoriesRequest>,
    ) -> Result<Response<pb::ListCategoriesResponse>, Status> {
        self.all_categories(&request.into_inner()).map(Response::new).map_err(status)
    }

    async fn upload_picture(
        &self,
        request: Request<pb::UploadPictureRequest>,
    ) -> Result<Response<pb::UploadPictureResponse>, Status> {
        self.upload(caller(&request), request.into_inner()).await.map_err(status)
    }

    async fn get_picture(
        &self,
        request: Request<pb::GetPictureRequest>,
    ) -> Result<Response<pb::GetPictureResponse>, Status> {
        self.picture(request.into_inner()).await.map(Response::new).map_err(status)
    }
}
