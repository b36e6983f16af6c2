//! What the tests share: carts under test and the words to talk to them.

use std::sync::atomic::Ordering;
use std::time::Duration;

use chassis::testing::{Harness, customer, guest};
use contract::souk::cart::v1::cart_service_client::CartServiceClient;
use contract::souk::cart::v1::*;
use kernel::{CartId, CustomerId, Error, GuestId, OrderId, Result};
use mesh::{Channel, Principal};
use tonic::{Response, Status};

use crate::fakes::{Identity, Product, token};

pub type Client = CartServiceClient<Channel>;

pub struct Shop {
    pub harness: Harness,
    product: Product,
}

impl Shop {
    pub async fn open() -> Self {
        Self::with(&[]).await
    }

    /// Opens with settings.
    pub async fn with(settings: &[(&str, i64)]) -> Self {
        let product = Product::new();
        let mut builder = Harness::builder(&svc_cart::SERVICE, 7)
            .fake("product", product.clone())
            .fake("identity", Identity);
        for (key, value) in settings {
            builder = builder.set(key, *value);
        }
        let harness = builder.start().await.expect("cart starts");
        // Until the key set has arrived no guest's token can be checked.
        harness.advance(Duration::from_millis(500)).await;
        Self { harness, product }
    }

    /// A customer.
    pub fn customer(&self, number: u128) -> Person {
        self.person(customer(number))
    }

    /// A guest.
    pub fn guest(&self, number: u128) -> Person {
        self.person(guest(number))
    }

    fn person(&self, principal: Principal) -> Person {
        Person { client: self.harness.client(CartServiceClient::new, principal) }
    }

    /// The role order, for a customer.
    pub fn order_for(&self, number: u128) -> Client {
        self.harness.client_as_role("order", CartServiceClient::new, customer(number))
    }

    /// An access token of a guest.
    pub fn guest_token(&self, number: u128) -> String {
        token(&GuestId::from_bits(number).to_string(), self.harness.context().now().secs())
    }

    /// How often product was asked.
    pub fn product_asked(&self) -> u64 {
        self.product.asked.load(Ordering::Relaxed)
    }
}

pub struct Person {
    pub client: Client,
}

impl Person {
    pub async fn add(&self, request_id: &str, sku: &str, quantity: i32) -> Result<AddLineResponse> {
        self.client
            .clone()
            .add_line(add(request_id, sku, quantity))
            .await
            .map(Response::into_inner)
            .map_err(contract::error)
    }

    pub async fn cart(&self) -> Cart {
        let shown = self.client.clone().get_cart(GetCartRequest::default()).await.expect("shown");
        shown.into_inner().cart.expect("a cart")
    }

    /// (SKU, units) of each line.
    pub async fn lines(&self) -> Vec<(String, i32)> {
        self.cart().await.lines.into_iter().map(|line| (line.sku, line.quantity)).collect()
    }

    pub async fn set(
        &self,
        request_id: &str,
        line: &str,
        quantity: i32,
        version: i64,
    ) -> Result<CartSummary> {
        let request = SetLineQuantityRequest {
            request_id: request_id.into(),
            line_id: line.into(),
            quantity,
            version,
            ..Default::default()
        };
        let set = self.client.clone().set_line_quantity(request).await.map_err(contract::error)?;
        Ok(set.into_inner().cart.expect("a cart"))
    }

    pub async fn remove(&self, request_id: &str, line: &str, version: i64) -> Result<CartSummary> {
        let request = RemoveLineRequest {
            request_id: request_id.into(),
            line_id: line.into(),
            version,
            ..Default::default()
        };
        let removed = self.client.clone().remove_line(request).await.map_err(contract::error)?;
        Ok(removed.into_inner().cart.expect("a cart"))
    }

    pub async fn clear(&self, request_id: &str, version: i64) -> Result<CartSummary> {
        let request = ClearCartRequest { request_id: request_id.into(), version, ..Default::default() };
        let cleared = self.client.clone().clear_cart(request).await.map_err(contract::error)?;
        Ok(cleared.into_inner().cart.expect("a cart"))
    }

    pub async fn merge(
        &self,
        request_id: &str,
        guest_access_token: String,
    ) -> Result<MergeGuestCartResponse> {
        let request = MergeGuestCartRequest { request_id: request_id.into(), guest_access_token };
        self.client.clone().merge_guest_cart(request).await.map(Response::into_inner).map_err(contract::error)
    }
}

pub fn add(request_id: &str, sku: &str, quantity: i32) -> AddLineRequest {
    AddLineRequest { request_id: request_id.into(), sku: sku.into(), quantity, ..Default::default() }
}

pub fn customers_cart(number: u128) -> String {
    CartId::from_bits(CustomerId::from_bits(number).bits()).to_string()
}

pub fn guests_cart(number: u128) -> String {
    CartId::from_bits(GuestId::from_bits(number).bits()).to_string()
}

pub fn order_id(number: u128) -> String {
    OrderId::from_bits(number).to_string()
}

pub fn replayed<T>(response: &Response<T>) -> bool {
    response.metadata().get("souk-replayed").is_some_and(|value| value == "true")
}

/// The house's error behind a status.
pub fn refused<T: std::fmt::Debug>(result: Result<Response<T>, Status>) -> Error {
    contract::error(result.expect_err("refused"))
}

/// Fields that an error names.
pub fn fields(error: &Error) -> Vec<&str> {
    error.violations().iter().map(|violation| violation.field.as_str()).collect()
}

/// Lines as tests write them.
pub fn lines(lines: &[(&str, i32)]) -> Vec<(String, i32)> {
    lines.iter().map(|(sku, quantity)| ((*sku).to_owned(), *quantity)).collect()
}
