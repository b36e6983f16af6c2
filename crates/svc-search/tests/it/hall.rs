//! A search under test, its product beside it, and words for both.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chassis::testing::staff;
use chassis::{Entropy, Options, Running, VirtualClock, run};
use contract::souk::product::v1 as product;
use contract::souk::product::v1::product_service_client::ProductServiceClient;
use contract::souk::search::v1 as pb;
use contract::souk::search::v1::search_service_client::SearchServiceClient;
use contract::souk::r#type::v1::UnitPrice;
use kernel::{Error, ProductId};
use mesh::{Channel, Principal};

pub struct Hall {
    pub running: Running,
    pub search: SearchServiceClient<Channel>,
    pub staff: SearchServiceClient<Channel>,
    pub products: ProductServiceClient<Channel>,
}

impl Hall {
    /// Opens a hall in memory.
    pub async fn open() -> Self {
        let mut options = Options::new("mem:");
        options.clock = Arc::new(VirtualClock::new(chassis::testing::START));
        options.entropy = Entropy::seeded(7);
        Self::start(options).await
    }

    /// Opens a hall on a directory, in real time.
    pub async fn open_in(directory: &Path) -> Self {
        Self::start(Options::new(format!("dir:{}", directory.display()))).await
    }

    async fn start(options: Options) -> Self {
        let running = run(&[crate::product::SERVICE, svc_search::SERVICE], options).await.expect("starts");
        let anybody = Principal::Anonymous;
        let client =
            |who: Principal| running.client("search", None, who, SearchServiceClient::new).expect("runs");
        let (search, staff) = (client(anybody), client(staff(1, &["search.write"])));
        let writer = chassis::testing::staff(2, &["catalogue.write"]);
        let products = running.client("product", None, writer, ProductServiceClient::new).expect("runs");
        Self { running, search, staff, products }
    }

    /// Puts a product in, and waits until search shows it.
    pub async fn put(&self, number: u128, input: product::ProductInput) -> String {
        let id = self.put_unseen(number, input).await;
        self.settle().await;
        id
    }

    pub async fn put_unseen(&self, number: u128, input: product::ProductInput) -> String {
        let product_id = ProductId::from_bits(number).to_string();
        let request = product::UpdateProductRequest {
            request_id: "x".into(),
            product_id: product_id.clone(),
            version: 1,
            product: Some(input),
            price_reason: String::new(),
        };
        self.products.clone().update_product(request).await.expect("put");
        product_id
    }

    /// Waits until the index serves and is not behind.
    pub async fn settle(&self) -> pb::IndexStatus {
        let serving = pb::IndexState::Serving;
        for _ in 0..2_000 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let status = self.status().await;
            let request = product::ListProductsRequest { page: None, status: 0 };
            let head = self
                .products
                .clone()
                .list_products(request)
                .await
                .ok()
                .and_then(|list| list.into_inner().as_of);
            let position = status.position.unwrap_or_default();
            if status.state() == serving && head.is_some_and(|head| position.sequence >= head.sequence) {
                return status;
            }
        }
        panic!("the index does not settle: {:?}", self.status().await);
    }

    pub async fn status(&self) -> pb::IndexStatus {
        let response =
            self.staff.clone().get_index_status(pb::GetIndexStatusRequest {}).await.expect("an answer");
        response.into_inner().status.expect("a status")
    }

    pub async fn search(&self, request: pb::SearchRequest) -> Result<pb::SearchResponse, Error> {
        self.search.clone().search(request).await.map(tonic::Response::into_inner).map_err(contract::error)
    }

    /// Names of what is found.
    pub async fn names(&self, query: &str) -> Vec<String> {
        let request = pb::SearchRequest { query: query.into(), ..pb::SearchRequest::default() };
        let response = self.search(request).await.expect("an answer");
        response.hits.into_iter().map(|hit| hit.name).collect()
    }

    pub async fn away(&self, is_away: bool) {
        let version = i64::from(!is_away);
        let request = product::DeleteCategoryRequest { version, ..product::DeleteCategoryRequest::default() };
        self.products.clone().delete_category(request).await.expect("told");
    }
}

/// A product of one variant, at a price in pounds.
pub fn thing(name: &str, pounds: i64) -> product::ProductInput {
    let price = UnitPrice { currency_code: "GBP".into(), micros: pounds * 1_000_000 };
    product::ProductInput {
        name: name.into(),
        slug: name.to_lowercase().replace(' ', "-"),
        variants: vec![product::VariantInput {
            sku: format!("SKU-{name}"),
            prices: if pounds > 0 { vec![price] } else { Vec::new() },
            ..product::VariantInput::default()
        }],
        ..product::ProductInput::default()
    }
}
