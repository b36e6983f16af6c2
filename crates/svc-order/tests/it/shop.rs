//! The order service among its fakes, and quotes to place.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use chassis::testing::{Builder, Harness, START, customer, staff};
use contract::souk::checkout::v1 as checkout;
use contract::souk::order::v1::order_service_client::OrderServiceClient;
use contract::souk::order::v1::*;
use contract::wire::{money, timestamp};
use ed25519_dalek::{Signer, SigningKey};
use kernel::{Currency, Error, LineId, Money, QuoteId, ShipmentGroupId, Timestamp};
use mesh::{Channel, Principal};
use prost::Message;
use sha2::{Digest, Sha256};

use super::fakes::{Cart, Checkout, Inventory, Payment, Shipping, World};

pub type Client = OrderServiceClient<Channel>;

pub struct Shop {
    pub harness: Harness,
    pub world: World,
    signing: SigningKey,
    names: AtomicU64,
}

/// A quote in the making.
pub struct Wanted {
    pub owner: String,
    pub lines: Vec<(&'static str, i64, i64)>,
    pub cart: bool,
    pub expires: Timestamp,
}

impl Default for Wanted {
    fn default() -> Self {
        let expires = START.plus(Duration::from_secs(1800));
        Self { owner: buyer().subject(), lines: vec![("red", 2, 250), ("blue", 1, 500)], cart: true, expires }
    }
}

pub fn buyer() -> Principal {
    customer(1)
}

pub fn operator() -> Principal {
    staff(99, &["admin"])
}

impl Shop {
    pub async fn open(seed: u64) -> Self {
        Self::open_with(seed, |builder| builder).await
    }

    pub async fn open_with(seed: u64, set: impl FnOnce(Builder) -> Builder) -> Self {
        let world = World::default();
        let builder = Harness::builder(&svc_order::SERVICE, seed)
            .fake("inventory", Inventory(world.clone()))
            .fake("payment", Payment(world.clone()))
            .fake("shipping", Shipping(world.clone()))
            .fake("cart", Cart(world.clone()))
            .fake("checkout", Checkout(world.clone()));
        let harness = set(builder).start().await.expect("the role starts");
        let signing = SigningKey::from_bytes(&[7; 32]);
        let public_key = signing.verifying_key().to_bytes().to_vec();
        let key_id = Sha256::digest(&public_key)[..8].to_vec();
        world.key(checkout::QuoteKey { key_id, public_key, ..Default::default() });
        world.stock("red", 1000);
        world.stock("blue", 1000);
        world.hold_until(START.plus(Duration::from_secs(900)));
        Self { harness, world, signing, names: AtomicU64::new(0) }
    }

    pub fn client(&self, principal: Principal) -> Client {
        self.harness.client(OrderServiceClient::new, principal)
    }

    pub fn name(&self) -> String {
        format!("k-{}", self.names.fetch_add(1, Ordering::Relaxed))
    }

    /// A signed quote.
    pub fn quote(&self, wanted: &Wanted) -> String {
        let pounds = |minor| Some(money(Money::new(minor, Currency::GBP)));
        let group = self.harness.context().id::<kernel::ShipmentGroup>();
        let group: ShipmentGroupId = group;
        let lines = wanted.lines.iter().map(|(sku, quantity, each)| checkout::QuoteLine {
            line_id: LineId::to_string(&self.harness.context().id()),
            sku: (*sku).to_owned(),
            quantity: *quantity,
            gross: pounds(quantity * each),
            shipment_group_id: group.to_string(),
            ..Default::default()
        });
        let total: i64 = wanted.lines.iter().map(|(_, quantity, each)| quantity * each).sum();
        let quote = checkout::Quote {
            quote_id: QuoteId::to_string(&self.harness.context().id()),
            owner: wanted.owner.clone(),
            cart_id: if wanted.cart { "crt_00000000000000000000000001".to_owned() } else { String::new() },
            currency_code: "GBP".to_owned(),
            lines: lines.collect(),
            shipment_groups: vec![checkout::QuoteShipmentGroup {
                shipment_group_id: group.to_string(),
                origin: "main".to_owned(),
                method: "standard".to_owned(),
                gross: pounds(0),
                ..Default::default()
            }],
            totals: Some(checkout::QuoteTotals {
                tax: pounds(total / 6),
                grand: pounds(total),
                ..Default::default()
            }),
            expire_time: Some(timestamp(wanted.expires)),
            ..Default::default()
        };
        self.sign(&quote.encode_to_vec())
    }

    pub fn sign(&self, quote: &[u8]) -> String {
        let key_id = &Sha256::digest(self.signing.verifying_key().to_bytes())[..8];
        let signed = [&[1], key_id, quote].concat();
        let signature = self.signing.sign(&signed).to_bytes();
        let token = [&signed[..9], &signature, quote].concat();
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(token)
    }

    pub fn request(&self, wanted: &Wanted, method: &str) -> PlaceOrderRequest {
        PlaceOrderRequest {
            request_id: self.name(),
            quote_token: self.quote(wanted),
            tenders: vec![TenderRequest { payment_method: method.to_owned(), amount: None }],
            ..Default::default()
        }
    }

    /// Places a usual order as the usual buyer.
    pub async fn place(&self, method: &str) -> Result<Order, Error> {
        self.send(buyer(), self.request(&Wanted::default(), method)).await
    }

    pub async fn send(&self, principal: Principal, request: PlaceOrderRequest) -> Result<Order, Error> {
        let answer = self.client(principal).place_order(request).await.map_err(contract::error)?;
        Ok(answer.into_inner().order.expect("an order"))
    }

    pub async fn get(&self, order_id: &str) -> Order {
        let request = GetOrderRequest { order_id: order_id.to_owned() };
        self.client(operator())
            .get_order(request)
            .await
            .expect("it is there")
            .into_inner()
            .order
            .expect("an order")
    }

    pub async fn cancel(&self, principal: Principal, order_id: &str) -> Result<Order, Error> {
        let request = CancelOrderRequest {
            request_id: self.name(),
            order_id: order_id.to_owned(),
            note: "not needed".into(),
        };
        let answer = self.client(principal).cancel_order(request).await.map_err(contract::error)?;
        Ok(answer.into_inner().order.expect("an order"))
    }

    pub async fn approve(&self, order_id: &str) -> Result<Order, Error> {
        let request = ApproveOrderRequest {
            request_id: self.name(),
            order_id: order_id.to_owned(),
            note: String::new(),
        };
        let answer = self.client(operator()).approve_order(request).await.map_err(contract::error)?;
        Ok(answer.into_inner().order.expect("an order"))
    }

    /// Every order there is, as the audit reads them.
    pub async fn audit(&self) -> Vec<AuditOrder> {
        let request = ListForAuditRequest { limit: 1000, cursor: String::new() };
        self.client(operator()).list_for_audit(request).await.expect("a list").into_inner().orders
    }

    /// Lets the worker finish what it has to do.
    pub async fn quiet(&self) -> Vec<AuditOrder> {
        for _ in 0..300 {
            let orders = self.audit().await;
            if orders.iter().all(|order| !order.open) {
                return orders;
            }
            self.harness.advance(Duration::from_secs(1)).await;
        }
        panic!("it does not come to rest: {:?}", self.audit().await);
    }

    pub async fn what(&self, order_id: &str) -> Vec<String> {
        let request = GetOrderHistoryRequest { order_id: order_id.to_owned() };
        let answer =
            self.client(operator()).get_order_history(request).await.expect("a history").into_inner();
        answer.entries.into_iter().map(|entry| entry.what).collect()
    }
}
