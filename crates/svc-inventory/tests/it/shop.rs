//! What the tests share: an inventory under test and the words to talk to it.

use std::ops::Deref;
use std::time::Duration;

use chassis::testing::{Harness, staff};
use contract::souk::event::v1::SubscribeRequest;
use contract::souk::event::v1::event_service_client::EventServiceClient;
use contract::souk::inventory::v1::inventory_service_client::InventoryServiceClient;
use contract::souk::inventory::v1::*;
use kernel::{Error, HoldId, OrderId, Result};
use mesh::{Channel, Principal};
use tonic::{Response, Status};

pub type Client = InventoryServiceClient<Channel>;

/// Those who call.
#[derive(Clone)]
pub struct Desk {
    /// Staff who may write stock.
    pub staff: Client,
    /// The role order.
    pub order: Client,
}

/// An inventory in memory, on virtual time.
pub struct Shop {
    pub harness: Harness,
    pub desk: Desk,
}

impl Deref for Shop {
    type Target = Desk;

    fn deref(&self) -> &Desk {
        &self.desk
    }
}

impl Shop {
    pub async fn open() -> Self {
        let harness = Harness::builder(&svc_inventory::SERVICE, 7).start().await.expect("inventory starts");
        let staff = harness.client(InventoryServiceClient::new, staff(1, &["stock.write"]));
        let order = harness.client_as_role("order", InventoryServiceClient::new, Principal::Anonymous);
        Self { harness, desk: Desk { staff, order } }
    }

    /// Opens with so many units of each SKU at `main`.
    pub async fn with(stock: &[(&str, i64)]) -> Self {
        let shop = Self::open().await;
        shop.receive(stock).await;
        shop
    }

    /// The bands that were crossed so far, in order.
    pub async fn crossings(&self) -> Vec<StockBandChanged> {
        let mut events = self.harness.client(EventServiceClient::new, staff(2, &["events.read"]));
        let request = SubscribeRequest { source: "inventory".into(), ..Default::default() };
        let mut stream = events.subscribe(request).await.expect("subscribed").into_inner();
        let mut seen = Vec::new();
        while let Ok(Ok(Some(message))) =
            tokio::time::timeout(Duration::from_millis(50), stream.message()).await
        {
            for event in message.events {
                seen.push(
                    event.payload.expect("a payload").to_msg::<StockBandChanged>().expect("a crossing"),
                );
            }
        }
        seen
    }
}

impl Desk {
    /// Receives the first stock.
    pub async fn receive(&self, stock: &[(&str, i64)]) {
        let lines = stock.iter().map(|(sku, units)| receipt(sku, *units, &format!("first-{sku}"))).collect();
        self.staff
            .clone()
            .receive_stock(ReceiveStockRequest { request_id: "first".into(), lines })
            .await
            .expect("received");
    }

    pub async fn hold(&self, order: u128, lines: &[(&str, i64)]) -> Result<Hold> {
        self.order.clone().create_hold(hold(order, lines)).await.map(hold_in).map_err(contract::error)
    }

    pub async fn commit(&self, order: u128) -> Result<Hold> {
        let request = CommitHoldRequest { request_id: format!("c{order}"), hold_id: hold_id(order) };
        self.order
            .clone()
            .commit_hold(request)
            .await
            .map(|r| r.into_inner().hold.expect("a hold"))
            .map_err(contract::error)
    }

    pub async fn release(&self, order: u128) -> Result<Hold> {
        let request = ReleaseHoldRequest { request_id: format!("r{order}"), hold_id: hold_id(order) };
        self.order
            .clone()
            .release_hold(request)
            .await
            .map(|r| r.into_inner().hold.expect("a hold"))
            .map_err(contract::error)
    }

    pub async fn give_back(&self, order: u128) -> Result<Hold> {
        let request = ReturnHoldRequest { request_id: format!("b{order}"), hold_id: hold_id(order) };
        self.order
            .clone()
            .return_hold(request)
            .await
            .map(|r| r.into_inner().hold.expect("a hold"))
            .map_err(contract::error)
    }

    pub async fn renew(&self, order: u128, seconds: i64) -> Result<Hold> {
        let hold_for = Some(prost_types::Duration { seconds, nanos: 0 });
        let request = RenewHoldRequest { request_id: format!("n{order}"), hold_id: hold_id(order), hold_for };
        self.order
            .clone()
            .renew_hold(request)
            .await
            .map(|r| r.into_inner().hold.expect("a hold"))
            .map_err(contract::error)
    }

    pub async fn state(&self, order: u128) -> HoldState {
        let shown =
            self.order.clone().get_hold(GetHoldRequest { hold_id: hold_id(order) }).await.expect("there");
        shown.into_inner().hold.expect("a hold").state()
    }

    /// (`on_hand`, `held`) of a SKU at `main`.
    pub async fn counter(&self, sku: &str) -> (i64, i64) {
        let balances = self.balances().await;
        let own = balances.iter().find(|balance| balance.sku == sku && balance.location == "main");
        own.map_or((0, 0), |balance| (balance.on_hand, balance.held))
    }

    /// All balances; each counter is checked against its ledger.
    pub async fn balances(&self) -> Vec<SkuBalance> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = Some(contract::souk::r#type::v1::PageRequest { limit: 0, cursor });
            let response = self
                .staff
                .clone()
                .list_sku_balances(ListSkuBalancesRequest { page, limit: 1000 })
                .await
                .expect("listed")
                .into_inner();
            all.extend(response.balances);
            cursor = response.page.expect("a page").next_cursor;
            if cursor.is_empty() {
                break;
            }
        }
        for b in &all {
            assert!(b.counted, "{b:?}");
            assert_eq!(
                b.received + b.returned + b.released + b.expired + b.adjusted - b.placed - b.written_off,
                b.on_hand,
                "{b:?}"
            );
            assert_eq!(b.placed - b.released - b.expired - b.sold, b.held, "{b:?}");
            assert_eq!(
                b.received + b.returned + b.adjusted - b.sold - b.written_off,
                b.on_hand + b.held,
                "{b:?}"
            );
            assert_eq!(b.movements, b.version, "{b:?}");
            assert!(b.on_hand >= 0 && b.held >= 0, "{b:?}");
        }
        all
    }
}

pub fn receipt(sku: &str, quantity: i64, reference: &str) -> ReceiptLine {
    ReceiptLine { sku: sku.into(), location: String::new(), quantity, reference: reference.into() }
}

pub fn order_id(order: u128) -> String {
    OrderId::from_bits(order).to_string()
}

pub fn hold_id(order: u128) -> String {
    HoldId::from_bits(order).to_string()
}

/// A request to hold these units, a line each.
pub fn hold(order: u128, lines: &[(&str, i64)]) -> CreateHoldRequest {
    let line = |(n, (sku, quantity)): (usize, &(&str, i64))| HoldLine {
        line_id: format!("lin_{n}"),
        sku: (*sku).into(),
        location: String::new(),
        quantity: *quantity,
    };
    CreateHoldRequest {
        request_id: format!("h{order}"),
        order_id: order_id(order),
        lines: lines.iter().enumerate().map(line).collect(),
        hold_for: None,
    }
}

fn hold_in(response: Response<CreateHoldResponse>) -> Hold {
    response.into_inner().hold.expect("a hold")
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
