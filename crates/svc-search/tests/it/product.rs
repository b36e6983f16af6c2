//! A stand-in for product: a map of products, and an outbox of its own whose events are read as product's are.

use std::collections::BTreeMap;
use std::sync::Arc;

use chassis::{Context, Role, Starting, event};
use contract::souk::event::v1::Position;
use contract::souk::product::v1 as pb;
use contract::souk::product::v1::product_service_server::{ProductService, ProductServiceServer};
use contract::souk::r#type::v1::PageInfo;
use parking_lot::Mutex;
use store::{Batch, Database, NewEvent};
use tonic::{Request, Response, Status};

/// The role that search reads.
pub const SERVICE: chassis::Service = chassis::Service::new("product", start);

fn start(ctx: Context) -> Starting {
    Box::pin(async move {
        let database = ctx.database(&[]).await?;
        let fake = Fake { database, state: Arc::default() };
        Ok(Role::new().grpc(ProductServiceServer::new(fake)))
    })
}

#[derive(Default)]
struct State {
    products: BTreeMap<String, pb::Product>,
    categories: Vec<pb::Category>,
    is_away: bool,
    was_listed: bool,
}

struct Fake {
    database: Database,
    state: Arc<Mutex<State>>,
}

impl Fake {
    async fn publish(&self, event: NewEvent) -> Result<(), Status> {
        let committed = self.database.sql().commit(Batch::new().event(event)).await;
        committed.map(drop).map_err(|error| contract::status(error.into()))
    }
}

/// The given methods, and those that search never calls.
macro_rules! serve {
    ({ $($given:tt)* } $($method:ident $request:ident $response:ident;)*) => {
        #[tonic::async_trait]
        impl ProductService for Fake {
            $($given)*
            $(async fn $method(&self, _: Request<pb::$request>) -> Result<Response<pb::$response>, Status> {
                Err(Status::unimplemented("search does not call it"))
            })*
        }
    };
}

serve! {
    {
    /// Tests put products in by it, as they are: the slug names the product.
    async fn update_product(
        &self,
        request: Request<pb::UpdateProductRequest>,
    ) -> Result<Response<pb::UpdateProductResponse>, Status> {
        let request = request.into_inner();
        let input = request.product.unwrap_or_default();
        let product = {
            let mut state = self.state.lock();
            let seen = state.products.get(&request.product_id).cloned();
            let made = i64::try_from(state.products.len()).unwrap_or(0) + 1;
            let product = pb::Product {
                product_id: request.product_id.clone(),
                version: seen.as_ref().map_or(1, |seen| seen.version + 1),
                status: if input.status == 0 { pb::ProductStatus::Active.into() } else { input.status },
                name: input.name,
                slug: input.slug,
                description: input.description,
                category_trail_ids: input.category_ids.clone(),
                category_ids: input.category_ids,
                synonyms: input.synonyms,
                attributes: input.attributes,
                variants: input
                    .variants
                    .into_iter()
                    .map(|variant| pb::Variant {
                        sku: variant.sku,
                        options: variant.options,
                        prices: variant
                            .prices
                            .into_iter()
                            .map(|price| pb::VariantPrice { unit_price: Some(price), since: None })
                            .collect(),
                        weight_grams: variant.weight_grams,
                        compare_at_prices: Vec::new(),
                    })
                    .collect(),
                create_time: seen.map_or_else(
                    || Some(contract::wire::timestamp(kernel::Timestamp::from_secs(made))),
                    |seen| seen.create_time,
                ),
                ..pb::Product::default()
            };
            state.products.insert(request.product_id.clone(), product.clone());
            product
        };
        let updated = pb::ProductUpdated { product: Some(product.clone()) };
        self.publish(event(&product.product_id, product.version, &updated)).await?;
        Ok(Response::new(pb::UpdateProductResponse { product: Some(product) }))
    }

    async fn create_category(
        &self,
        request: Request<pb::CreateCategoryRequest>,
    ) -> Result<Response<pb::CreateCategoryResponse>, Status> {
        let request = request.into_inner();
        let category = pb::Category {
            category_id: request.request_id,
            version: 1,
            parent_id: request.parent_id,
            name: request.name,
            slug: request.slug,
            ..pb::Category::default()
        };
        self.state.lock().categories.push(category.clone());
        let created = pb::CategoryCreated { category: Some(category.clone()) };
        self.publish(event(&category.category_id, 1, &created)).await?;
        Ok(Response::new(pb::CreateCategoryResponse { category: Some(category) }))
    }

    /// Goes away, or comes back.
    async fn delete_category(
        &self,
        request: Request<pb::DeleteCategoryRequest>,
    ) -> Result<Response<pb::DeleteCategoryResponse>, Status> {
        self.state.lock().is_away = request.into_inner().version == 0;
        Ok(Response::new(pb::DeleteCategoryResponse {}))
    }

    async fn list_products(
        &self,
        request: Request<pb::ListProductsRequest>,
    ) -> Result<Response<pb::ListProductsResponse>, Status> {
        // Between a reader's calls things go on: a category is made before the first list is.
        if !std::mem::replace(&mut self.state.lock().was_listed, true) {
            let early = pb::CreateCategoryRequest {
                request_id: "cat_early".into(),
                name: "Early".into(),
                slug: "early".into(),
                ..pb::CreateCategoryRequest::default()
            };
            self.create_category(Request::new(early)).await?;
        }
        let head = self.database.outbox().head().await.map_err(contract::status)?;
        let page = request.into_inner().page.unwrap_or_default();
        let limit = usize::try_from(page.limit).unwrap_or(0);
        let state = self.state.lock();
        if state.is_away {
            return Err(Status::unavailable("away"));
        }
        let active = |product: &&pb::Product| product.status() == pb::ProductStatus::Active;
        let mut products: Vec<_> = state
            .products
            .range(page.cursor..)
            .map(|(_, product)| product)
            .filter(active)
            .take(limit + 1)
            .cloned()
            .collect();
        let next_cursor =
            if products.len() > limit { products[limit].product_id.clone() } else { String::new() };
        products.truncate(limit);
        Ok(Response::new(pb::ListProductsResponse {
            products,
            page: Some(PageInfo { next_cursor }),
            as_of: Some(Position { epoch: head.epoch, sequence: head.sequence }),
        }))
    }

    async fn list_categories(
        &self,
        _: Request<pb::ListCategoriesRequest>,
    ) -> Result<Response<pb::ListCategoriesResponse>, Status> {
        let categories = self.state.lock().categories.clone();
        Ok(Response::new(pb::ListCategoriesResponse { categories }))
    }
    }
    create_product CreateProductRequest CreateProductResponse;
    archive_product ArchiveProductRequest ArchiveProductResponse;
    get_product GetProductRequest GetProductResponse;
    get_product_by_slug GetProductBySlugRequest GetProductBySlugResponse;
    batch_get_products BatchGetProductsRequest BatchGetProductsResponse;
    batch_get_variants BatchGetVariantsRequest BatchGetVariantsResponse;
    set_price SetPriceRequest SetPriceResponse;
    list_price_history ListPriceHistoryRequest ListPriceHistoryResponse;
    record_price_history RecordPriceHistoryRequest RecordPriceHistoryResponse;
    import_products ImportProductsRequest ImportProductsResponse;
    update_category UpdateCategoryRequest UpdateCategoryResponse;
    get_category GetCategoryRequest GetCategoryResponse;
    upload_picture UploadPictureRequest UploadPictureResponse;
    get_picture GetPictureRequest GetPictureResponse;
}
