//! The load: products, buyers, adds and orders.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use app::client::{Link, Shop};
use contract::souk::cart::v1::AddLineRequest;
use contract::souk::cart::v1::cart_service_client::CartServiceClient;
use contract::souk::checkout::v1::checkout_service_client::CheckoutServiceClient;
use contract::souk::checkout::v1::{CreateQuoteRequest, DraftLine, StaffDraft};
use contract::souk::identity::v1::CreateGuestSessionRequest;
use contract::souk::identity::v1::identity_service_client::IdentityServiceClient;
use contract::souk::inventory::v1::inventory_service_client::InventoryServiceClient;
use contract::souk::inventory::v1::{ReceiptLine, ReceiveStockRequest};
use contract::souk::order::v1::order_service_client::OrderServiceClient;
use contract::souk::order::v1::{OrderState, PlaceOrderRequest, TenderRequest};
use contract::souk::product::v1::product_service_client::ProductServiceClient;
use tests::{address, product_of};
use tonic::Request;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{Channel, Endpoint};

use super::IN_FLIGHT;
use super::drive::{Worker, drive};
use super::report::{Figures, Meter, Orders};

/// SKUs that are sold.
const SKUS: usize = 200;
/// Orders before the measurement begins.
const WARM_UP: usize = 500;
/// At least so many orders are a stretch.
const STRETCH_MIN: usize = 1_000;
/// Adds that a cart takes: lines × units stay below its caps.
const UNITS_MAX: usize = 900;
const LINES: usize = 20;

/// A shop with something to sell.
pub struct Load {
    shops: Vec<Shop>,
    placed: AtomicUsize,
}

fn sku(at: usize) -> String {
    format!("bench-{:03}", at % SKUS)
}

impl Load {
    /// Fills the shop: products, and stock for so many sales.
    pub async fn new(shops: Vec<Shop>, sales: usize) -> Self {
        let mut products = shops[0].client(ProductServiceClient::new);
        let mut inventory = shops[0].client(InventoryServiceClient::new);
        for at in 0..SKUS {
            let request = product_of(format!("product-{at}"), &sku(at), 1_250);
            products.import_products(request).await.expect("the product is good");
        }
        let line = |at| ReceiptLine {
            sku: sku(at),
            location: String::new(),
            quantity: i64::try_from(sales).expect("a number of sales") * 4 + 10_000,
            reference: format!("receipt-{at}"),
        };
        let lines = (0..SKUS).map(line).collect();
        let request = ReceiveStockRequest { request_id: "stock".into(), lines };
        inventory.receive_stock(request).await.expect("stock arrives");
        Self { shops, placed: AtomicUsize::new(0) }
    }

    /// The operator's first connection.
    pub fn shop(&self) -> &Shop {
        &self.shops[0]
    }

    /// Durable adds to carts, one cart for each in flight.
    pub async fn cart(&self, address: SocketAddr, adds: usize) -> Figures {
        let endpoint =
            Endpoint::from_shared(format!("http://{address}")).expect("an address").tcp_nodelay(true);
        let channels: Vec<Channel> = self.shops.iter().map(|_| endpoint.connect_lazy()).collect();
        let mut buyers = Vec::with_capacity(IN_FLIGHT);
        for at in 0..IN_FLIGHT {
            buyers.push(Buyer::new(channels[at % channels.len()].clone(), at).await);
        }
        drive(buyers, adds).await
    }

    /// Orders: some to warm up, then stretches, of which the first and the last are told apart.
    pub async fn orders(&self, orders: usize) -> Orders {
        self.stretch(WARM_UP).await;
        let stretch = STRETCH_MIN.max(orders / 20).min(orders);
        let meter = Meter::start();
        let first = self.stretch(stretch).await;
        let mut latency = first.latency_us.clone();
        let mut last = first.clone();
        for _ in 1..orders.div_ceil(stretch) {
            last = self.stretch(stretch).await;
            latency.add(&last.latency_us).expect("histograms of one kind");
        }
        Orders { all: meter.stop(latency), first, last }
    }

    async fn stretch(&self, orders: usize) -> Figures {
        let from = self.placed.fetch_add(orders, Ordering::Relaxed);
        let till = |at: usize| Till::new(&self.shops[at % self.shops.len()], from);
        drive((0..IN_FLIGHT).map(till), orders).await
    }
}

/// A guest with a cart.
struct Buyer {
    cart: CartServiceClient<Channel>,
    authorization: AsciiMetadataValue,
}

impl Buyer {
    async fn new(channel: Channel, at: usize) -> Self {
        let mut identity = IdentityServiceClient::new(channel.clone());
        let request = CreateGuestSessionRequest {
            request_id: format!("bench-guest-session-{at}"),
            device: String::new(),
        };
        let tokens = identity.create_guest_session(request).await.expect("a session").into_inner().tokens;
        let token = tokens.expect("tokens of the session").access_token;
        let authorization =
            AsciiMetadataValue::try_from(format!("Bearer {token}")).expect("a token is ASCII");
        Self { cart: CartServiceClient::new(channel), authorization }
    }
}

impl Worker for Buyer {
    async fn does(&mut self, at: usize) {
        let mut request = Request::new(AddLineRequest {
            request_id: format!("add-{at}"),
            sku: sku(at / IN_FLIGHT / UNITS_MAX * LINES + at % LINES),
            quantity: 1,
            ..AddLineRequest::default()
        });
        request.metadata_mut().insert("authorization", self.authorization.clone());
        self.cart.add_line(request).await.expect("added");
    }
}

/// A till: staff who sell.
struct Till {
    /// The number of its first order.
    from: usize,
    checkout: CheckoutServiceClient<Link>,
    orders: OrderServiceClient<Link>,
}

impl Till {
    fn new(shop: &Shop, from: usize) -> Self {
        Self {
            from,
            checkout: shop.client(CheckoutServiceClient::new),
            orders: shop.client(OrderServiceClient::new),
        }
    }
}

impl Worker for Till {
    /// A two-line order, from its quote to confirmed.
    async fn does(&mut self, at: usize) {
        let at = self.from + at;
        let line = |at, quantity| DraftLine { sku: sku(at), quantity, ..DraftLine::default() };
        let lines = vec![line(at * 7, 1), line(at * 7 + 3, 2)];
        let request = CreateQuoteRequest {
            currency_code: "GBP".into(),
            destination: Some(address()),
            draft: Some(StaffDraft { lines, ..StaffDraft::default() }),
            ..CreateQuoteRequest::default()
        };
        let quote = self.checkout.create_quote(request).await.expect("quoted").into_inner();
        let request = PlaceOrderRequest {
            request_id: format!("order-{at}"),
            quote_token: quote.quote_token,
            tenders: vec![TenderRequest {
                payment_method: "pm_card_visa".into(),
                ..TenderRequest::default()
            }],
            ..PlaceOrderRequest::default()
        };
        let order = self.orders.place_order(request).await.expect("placed").into_inner().order;
        assert_eq!(order.expect("the order").state(), OrderState::Confirmed);
    }
}
