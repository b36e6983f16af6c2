//! A whole shop in a test: every role in this process, in memory, on virtual time, from a seed.
//!
//! ```text
//! #[tokio::test(start_paused = true)]
//! async fn a_guest_buys_a_bowl() {
//!     let world = World::start(7).await;
//!     world.sells("bowl", 1250, 3).await;
//!     let order = world.guest(1).buys("bowl", 2, "pm_card_visa").await.expect("placed");
//! }
//! ```

mod window;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use app::roles::ROLES;
use chassis::testing::{START, customer, guest, staff};
use chassis::{Entropy, Options, Running, VirtualClock};
use contract::souk::cart::v1::AddLineRequest;
use contract::souk::cart::v1::cart_service_client::CartServiceClient;
use contract::souk::checkout::v1::checkout_service_client::CheckoutServiceClient;
use contract::souk::checkout::v1::{CreateQuoteRequest, CreateQuoteResponse};
use contract::souk::inventory::v1::inventory_service_client::InventoryServiceClient;
use contract::souk::inventory::v1::{GetTotalsRequest, ReceiptLine, ReceiveStockRequest, StockTotals};
use contract::souk::order::v1::order_service_client::OrderServiceClient;
use contract::souk::order::v1::{GetOrderRequest, Order, PlaceOrderRequest, TenderRequest};
use contract::souk::product::v1::product_service_client::ProductServiceClient;
use contract::souk::product::v1::{
    ImportProduct, ImportProductsRequest, ProductInput, ProductStatus, TaxClass, VariantInput,
};
use contract::souk::search::v1::GetIndexStatusRequest;
use contract::souk::search::v1::search_service_client::SearchServiceClient;
use contract::souk::r#type::v1::{Address, UnitPrice};
use kernel::{Error, Result};
use mesh::{Channel, Faults, Principal};

pub use window::{Browser, Page};

/// A shop under test.
pub struct World {
    running: Running,
    clock: Arc<VirtualClock>,
    seed: u64,
    requests: AtomicU64,
}

/// Somebody in the shop.
pub struct Person<'a> {
    world: &'a World,
    /// Who it is.
    pub principal: Principal,
}

impl World {
    /// Starts every role in memory. The seed is told when the test fails.
    pub async fn start(seed: u64) -> Self {
        Self::start_at("mem:", seed).await
    }

    /// Starts every role on a store.
    pub async fn start_at(data: &str, seed: u64) -> Self {
        Self::start_with(Options::new(data), seed).await
    }

    /// Starts every role with these options, on virtual time and a seed.
    pub async fn start_with(options: Options, seed: u64) -> Self {
        Self::start_ahead(options, seed, 0).await
    }

    /// The same under a wall clock that is ahead by so many seconds, or behind when negative.
    pub async fn start_ahead(mut options: Options, seed: u64, ahead: i64) -> Self {
        let clock = Arc::new(VirtualClock::new(START));
        clock.set_ahead(ahead);
        options.clock = clock.clone();
        options.entropy = Entropy::seeded(seed);
        let running = chassis::run(ROLES, options).await.expect("the shop starts");
        let world = Self { running, clock, seed, requests: AtomicU64::new(0) };
        world.can_search().await;
        world
    }

    /// Sets the wall clock ahead by so many seconds, or behind when negative; the time that passes does not change.
    pub fn sets_clock_ahead(&self, seconds: i64) {
        self.clock.set_ahead(seconds);
    }

    /// Waits until the search index has been built.
    async fn can_search(&self) {
        let mut search = self.operator().client("search", SearchServiceClient::new);
        loop {
            let answer = search
                .get_index_status(GetIndexStatusRequest::default())
                .await
                .expect("a status")
                .into_inner();
            if answer.status.is_some_and(|status| status.generation > 0) {
                return;
            }
            self.passes(std::time::Duration::from_millis(10)).await;
        }
    }

    /// A browser that was never here before.
    #[must_use]
    pub fn browser(&self) -> Browser {
        Browser::new(self.running.gateway("bff-web").expect("the shop window runs here"))
    }

    /// The process behind it.
    #[must_use]
    pub fn running(&self) -> &Running {
        &self.running
    }

    /// Faults on purpose.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        self.running.faults()
    }

    /// A new idempotency key.
    pub fn request_id(&self) -> String {
        format!("world-{}-{}", self.seed, self.requests.fetch_add(1, Ordering::Relaxed))
    }

    /// A guest; the same for the same number.
    #[must_use]
    pub fn guest(&self, number: u128) -> Person<'_> {
        self.person(guest(number))
    }

    /// A customer; the same for the same number.
    #[must_use]
    pub fn customer(&self, number: u128) -> Person<'_> {
        self.person(customer(number))
    }

    /// Somebody who may do everything.
    #[must_use]
    pub fn operator(&self) -> Person<'_> {
        self.person(staff(1, &["admin"]))
    }

    /// Anybody.
    #[must_use]
    pub fn person(&self, principal: Principal) -> Person<'_> {
        Person { world: self, principal }
    }

    /// Sells a product with one variant, at a price in pence, with units in stock.
    pub async fn sells(&self, sku: &str, pence: i64, units: i64) {
        let operator = self.operator();
        let request = product_of(self.request_id(), sku, pence);
        let mut products = operator.client("product", ProductServiceClient::new);
        let answer = products.import_products(request).await.expect("the product is good").into_inner();
        assert!(answer.results[0].refusals.is_empty(), "{:?}", answer.results[0].refusals);
        self.receives(sku, units).await;
    }

    /// Units arrive.
    pub async fn receives(&self, sku: &str, units: i64) {
        if units == 0 {
            return;
        }
        let request_id = self.request_id();
        let reference = format!("receipt-{request_id}");
        let line = ReceiptLine { sku: sku.to_owned(), location: String::new(), quantity: units, reference };
        let request = ReceiveStockRequest { request_id, lines: vec![line] };
        let mut inventory = self.operator().client("inventory", InventoryServiceClient::new);
        inventory.receive_stock(request).await.expect("stock arrives");
    }

    /// All units, by where they are.
    pub async fn units(&self) -> StockTotals {
        let mut inventory = self.operator().client("inventory", InventoryServiceClient::new);
        let answer = inventory.get_totals(GetTotalsRequest::default()).await.expect("totals").into_inner();
        answer.totals.expect("totals are told")
    }

    /// Lets time pass; every timer that is due fires.
    pub async fn passes(&self, time: std::time::Duration) {
        tokio::time::sleep(time).await;
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            #[expect(clippy::print_stderr, reason = "a failed test tells its seed")]
            {
                eprintln!("the world's seed was {}", self.seed);
            }
        }
    }
}

/// An address in Great Britain.
#[must_use]
pub fn address() -> Address {
    Address {
        recipient: "Ada Lovelace".into(),
        lines: vec!["12 St James's Square".into()],
        city: "London".into(),
        postal_code: "SW1Y 4JH".into(),
        country_code: "GB".into(),
        ..Address::default()
    }
}

impl Person<'_> {
    /// A client of a role for this person.
    pub fn client<C>(&self, role: &str, new: impl FnOnce(Channel) -> C) -> C {
        self.world.running.client(role, None, self.principal.clone(), new).expect("every role runs here")
    }

    /// Puts units into the cart.
    ///
    /// # Errors
    /// What cart says.
    pub async fn adds(&self, sku: &str, quantity: i64) -> Result<()> {
        let request = AddLineRequest {
            request_id: self.world.request_id(),
            sku: sku.to_owned(),
            quantity: quantity.try_into().expect("a quantity of a test"),
            ..AddLineRequest::default()
        };
        self.client("cart", CartServiceClient::new).add_line(request).await.map_err(contract::error)?;
        Ok(())
    }

    /// Asks for a quote of the cart.
    ///
    /// # Errors
    /// What checkout says.
    pub async fn quotes(&self) -> Result<CreateQuoteResponse> {
        let request = CreateQuoteRequest {
            currency_code: "GBP".into(),
            destination: Some(address()),
            ..CreateQuoteRequest::default()
        };
        let answer = self.client("checkout", CheckoutServiceClient::new).create_quote(request).await;
        Ok(answer.map_err(contract::error)?.into_inner())
    }

    /// Places a quote under a key.
    ///
    /// # Errors
    /// What order says.
    pub async fn places(&self, request_id: &str, quote_token: &str, card: &str) -> Result<Order> {
        let request = PlaceOrderRequest {
            request_id: request_id.to_owned(),
            quote_token: quote_token.to_owned(),
            tenders: vec![TenderRequest { payment_method: card.to_owned(), ..TenderRequest::default() }],
            ..PlaceOrderRequest::default()
        };
        let answer = self.client("order", OrderServiceClient::new).place_order(request).await;
        answer
            .map_err(contract::error)?
            .into_inner()
            .order
            .ok_or_else(|| Error::internal("an answer without an order"))
    }

    /// Buys: cart, quote, order.
    ///
    /// # Errors
    /// What any of them says.
    pub async fn buys(&self, sku: &str, quantity: i64, card: &str) -> Result<Order> {
        self.adds(sku, quantity).await?;
        let quote = self.quotes().await?;
        self.places(&self.world.request_id(), &quote.quote_token, card).await
    }

    /// Looks at an order.
    ///
    /// # Errors
    /// What order says.
    pub async fn sees(&self, order_id: &str) -> Result<Order> {
        let request = GetOrderRequest { order_id: order_id.to_owned() };
        let answer = self.client("order", OrderServiceClient::new).get_order(request).await;
        answer
            .map_err(contract::error)?
            .into_inner()
            .order
            .ok_or_else(|| Error::internal("an answer without an order"))
    }
}

/// A product with one variant of this SKU, at a price in pence.
#[must_use]
pub fn product_of(request_id: String, sku: &str, pence: i64) -> ImportProductsRequest {
    let price = UnitPrice { currency_code: "GBP".into(), micros: pence * 10_000 };
    let variant = VariantInput {
        sku: sku.to_owned(),
        prices: vec![price],
        weight_grams: 500,
        ..VariantInput::default()
    };
    let product = ProductInput {
        name: format!("Product {sku}"),
        tax_class: TaxClass::Standard.into(),
        status: ProductStatus::Active.into(),
        variants: vec![variant],
        ..ProductInput::default()
    };
    let row = ImportProduct {
        external_reference: format!("world:{sku}"),
        product: Some(product),
        category_paths: vec!["Things".into()],
        ..ImportProduct::default()
    };
    ImportProductsRequest { request_id, products: vec![row], price_reason: "a test's price".into() }
}
