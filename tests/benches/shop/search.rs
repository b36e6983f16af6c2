//! Searches over gRPC: what visitors ask of a large catalogue.

use std::time::Duration;

use app::client::{Link, Shop};
use contract::souk::product::v1::product_service_client::ProductServiceClient;
use contract::souk::product::v1::{
    ImportProduct, ImportProductsRequest, ProductAttribute, ProductInput, ProductStatus, TaxClass,
    VariantInput,
};
use contract::souk::search::v1::search_service_client::SearchServiceClient;
use contract::souk::search::v1::{GetIndexStatusRequest, SearchRequest};
use contract::souk::r#type::v1::{PageRequest, UnitPrice};
use tokio::time::MissedTickBehavior;

use super::IN_FLIGHT;
use super::drive::{Worker, drive};
use super::report::Figures;

/// Products that are searched.
pub const PRODUCTS: usize = 100_000;
/// Products in a call of the import.
const CHUNK: usize = 250;
/// How often the index is asked whether it has them all.
const LOOK_EVERY: Duration = Duration::from_millis(100);

const FIRST: [&str; 10] =
    ["White", "Red", "Vintage", "Hanging", "Small", "Large", "Retro", "Wooden", "Linen", "Regency"];
const SECOND: [&str; 10] = [
    "heart",
    "polka dot",
    "spotty",
    "union jack",
    "rose",
    "butterfly",
    "strawberry",
    "woodland",
    "cake",
    "star",
];
const THIRD: [&str; 10] = [
    "mug",
    "bowl",
    "teapot",
    "t-light holder",
    "lunch bag",
    "cake stand",
    "clock",
    "tray",
    "cushion",
    "lamp",
];
const COLOURS: [&str; 5] = ["red", "blue", "green", "white", "black"];
/// Whole words, the beginning of one, a SKU, a typing error, and nothing at all.
const WORDS: [&str; 9] = [
    "red heart mug",
    "teapot",
    "hanging ligh",
    "woodland cl",
    "find-04711",
    "strawbery tray",
    "linen",
    "cake stand",
    "",
];

fn product(at: usize) -> ImportProduct {
    let sku = format!("find-{at:05}");
    let name = format!("{} {} {} {}", FIRST[at % 10], SECOND[at / 10 % 10], THIRD[at / 100 % 10], at / 1000);
    let attribute = |name: &str, value: String| ProductAttribute { name: name.into(), value };
    let price = UnitPrice { currency_code: "GBP".into(), micros: (at as i64 % 9_900 + 100) * 10_000 };
    ImportProduct {
        external_reference: sku.clone(),
        product: Some(ProductInput {
            description: format!("A {name} for the house, made with care and sent with care."),
            name,
            tax_class: TaxClass::Standard.into(),
            status: ProductStatus::Active.into(),
            attributes: vec![
                attribute("colour", COLOURS[at % 5].into()),
                attribute("range", format!("range {}", at % 50)),
            ],
            variants: vec![VariantInput { sku, prices: vec![price], ..VariantInput::default() }],
            ..ProductInput::default()
        }),
        ..ImportProduct::default()
    }
}

/// Fills the catalogue, and waits until the index has it.
async fn fill(shop: &Shop) {
    let mut products = shop.client(ProductServiceClient::new);
    for from in (0..PRODUCTS).step_by(CHUNK) {
        let request = ImportProductsRequest {
            request_id: format!("find-{from}-to-search"),
            products: (from..PRODUCTS.min(from + CHUNK)).map(product).collect(),
            price_reason: "a benchmark's price".into(),
        };
        let results = products.import_products(request).await.expect("imported").into_inner().results;
        assert!(results.iter().all(|result| result.refusals.is_empty()), "{:?}", results[0]);
    }
    let mut search = shop.client(SearchServiceClient::new);
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let answer = search.get_index_status(GetIndexStatusRequest {}).await.expect("a status").into_inner();
        let status = answer.status.unwrap_or_default();
        if status.lag_events == 0 && status.documents >= PRODUCTS as i64 {
            return;
        }
    }
}

/// So many searches over all of them, every second one with facets.
pub async fn searches(shops: &[Shop], searches: usize) -> Figures {
    fill(&shops[0]).await;
    let visitor = |at: usize| Visitor(shops[at % shops.len()].client(SearchServiceClient::new));
    drive((0..IN_FLIGHT).map(visitor), searches).await
}

struct Visitor(SearchServiceClient<Link>);

impl Worker for Visitor {
    async fn does(&mut self, at: usize) {
        let request = SearchRequest {
            query: WORDS[at % WORDS.len()].into(),
            currency_code: "GBP".into(),
            facets: at % 2 == 1,
            page: Some(PageRequest { limit: 20, ..PageRequest::default() }),
            ..SearchRequest::default()
        };
        let answer = self.0.search(request).await.expect("an answer").into_inner();
        assert!(answer.total > 0, "{:?} finds something", WORDS[at % WORDS.len()]);
    }
}
