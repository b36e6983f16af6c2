//! A catalogue under test, and words for it.

use chassis::testing::{Harness, staff};
use contract::souk::event::v1::Event;
use contract::souk::event::v1::SubscribeRequest;
use contract::souk::event::v1::event_service_client::EventServiceClient;
use contract::souk::product::v1 as pb;
use contract::souk::product::v1::product_service_client::ProductServiceClient;
use contract::souk::r#type::v1::UnitPrice;
use kernel::Error;
use mesh::{Channel, Principal};

pub type Client = ProductServiceClient<Channel>;

pub struct Shop {
    pub harness: Harness,
    pub staff: Client,
    pub anybody: Client,
}

impl Shop {
    pub async fn open(seed: u64) -> Self {
        let harness = Harness::start(&svc_product::SERVICE, seed).await.expect("starts");
        let staff = harness.client(ProductServiceClient::new, staff(1, &["catalogue.write"]));
        let anybody = harness.client(ProductServiceClient::new, Principal::Anonymous);
        Self { harness, staff, anybody }
    }

    /// Makes a product.
    pub async fn create(&self, key: &str, product: pb::ProductInput) -> Result<pb::Product, Error> {
        let request = pb::CreateProductRequest { request_id: key.into(), product: Some(product) };
        let response = self.staff.clone().create_product(request).await.map_err(contract::error)?;
        Ok(response.into_inner().product.expect("a product"))
    }

    /// Changes a product.
    pub async fn update(
        &self,
        key: &str,
        seen: &pb::Product,
        product: pb::ProductInput,
    ) -> Result<pb::Product, Error> {
        let request = pb::UpdateProductRequest {
            request_id: key.into(),
            product_id: seen.product_id.clone(),
            version: seen.version,
            product: Some(product),
            price_reason: "sale".into(),
        };
        let response = self.staff.clone().update_product(request).await.map_err(contract::error)?;
        Ok(response.into_inner().product.expect("a product"))
    }

    pub async fn variants(&self, skus: &[&str]) -> pb::BatchGetVariantsResponse {
        let skus = skus.iter().map(|sku| (*sku).to_owned()).collect();
        let request = pb::BatchGetVariantsRequest { skus };
        self.anybody.clone().batch_get_variants(request).await.expect("an answer").into_inner()
    }

    pub async fn history(&self, sku: &str, limit: i32) -> Vec<(i64, String)> {
        let (mut entries, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = Some(contract::souk::r#type::v1::PageRequest { limit, cursor });
            let request = pb::ListPriceHistoryRequest { sku: sku.into(), currency_code: "GBP".into(), page };
            let response = self.staff.clone().list_price_history(request).await.expect("a page").into_inner();
            assert!(response.entries.len() <= usize::try_from(limit).expect("small"));
            let entry =
                |entry: pb::PriceHistoryEntry| (entry.unit_price.expect("a price").micros, entry.reason);
            entries.extend(response.entries.into_iter().map(entry));
            cursor = response.page.expect("a page").next_cursor;
            if cursor.is_empty() {
                return entries;
            }
        }
    }

    /// Everything that was published so far.
    pub async fn events(&self) -> Vec<Event> {
        let client = self.harness.client_as_role("search", EventServiceClient::new, Principal::Anonymous);
        let request = SubscribeRequest { source: "product".into(), after: None, types: Vec::new() };
        let mut stream = client.clone().subscribe(request).await.expect("a stream").into_inner();
        let mut events = Vec::new();
        loop {
            let response = stream.message().await.expect("goes on").expect("goes on");
            if response.events.is_empty() {
                return events;
            }
            let head = response.head.expect("a head");
            events.extend(response.events);
            let last = events.last().and_then(|event: &Event| event.position).expect("a position");
            if last.sequence >= head.sequence {
                return events;
            }
        }
    }

    pub async fn event_names(&self) -> Vec<String> {
        let name = |event: Event| event.payload.map(|any| any.type_url).unwrap_or_default();
        let short = |url: String| url.rsplit('.').next().unwrap_or_default().to_owned();
        self.events().await.into_iter().map(name).map(short).collect()
    }
}

/// A price in pounds, in pence.
pub fn gbp(pence: i64) -> UnitPrice {
    UnitPrice { currency_code: "GBP".into(), micros: pence * 10_000 }
}

/// A product of plain variants: SKU and pence.
pub fn bowl(name: &str, variants: &[(&str, i64)]) -> pb::ProductInput {
    let several = variants.len() > 1;
    let variant = |(sku, pence): &(&str, i64)| pb::VariantInput {
        sku: (*sku).into(),
        options: if several {
            vec![pb::OptionValue { name: "colour".into(), value: (*sku).into() }]
        } else {
            Vec::new()
        },
        prices: vec![gbp(*pence)],
        weight_grams: 400,
        compare_at_prices: Vec::new(),
    };
    pb::ProductInput {
        name: name.into(),
        option_names: if several { vec!["colour".into()] } else { Vec::new() },
        variants: variants.iter().map(variant).collect(),
        ..pb::ProductInput::default()
    }
}

/// The fields that an error names.
pub fn fields(error: &Error) -> Vec<&str> {
    error.violations().iter().map(|violation| violation.field.as_str()).collect()
}
