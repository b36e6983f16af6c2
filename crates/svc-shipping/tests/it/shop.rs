//! A shipping service under test, spoken to as order, as staff and as shoppers.

use std::time::Duration;

use chassis::testing::{Harness, customer, staff};
use contract::souk::event::v1::SubscribeRequest;
use contract::souk::event::v1::event_service_client::EventServiceClient;
use contract::souk::shipping::v1::shipping_service_client::ShippingServiceClient;
use contract::souk::shipping::v1::*;
use contract::souk::r#type::v1::{Address, ChosenOption, Money};
use kernel::{LineId, OrderId, ShipmentGroupId};
use mesh::{Channel, Principal};
use tonic::Status;

/// Who bought in these tests.
pub const BUYER: u128 = 7;

pub struct Shop {
    pub harness: Harness,
}

pub fn money(currency: &str, minor_units: i64) -> Option<Money> {
    Some(Money { currency_code: currency.to_owned(), minor_units })
}

/// The stable reason of a refusal.
pub fn reason(status: &Status) -> String {
    contract::error(status.clone()).reason().to_owned()
}

/// The fields that a refusal names.
pub fn fields(status: &Status) -> Vec<String> {
    contract::error(status.clone()).violations().iter().map(|wrong| wrong.field.clone()).collect()
}

impl Shop {
    pub async fn open() -> Self {
        Self { harness: Harness::start(&svc_shipping::SERVICE, 1).await.expect("shipping starts") }
    }

    pub fn by(&self, principal: Principal) -> ShippingServiceClient<Channel> {
        self.harness.client(ShippingServiceClient::new, principal)
    }

    pub fn as_staff(&self) -> ShippingServiceClient<Channel> {
        self.by(staff(1, &["shipping.write"]))
    }

    pub fn as_role(&self, role: &str) -> ShippingServiceClient<Channel> {
        self.harness.client_as_role(role, ShippingServiceClient::new, customer(BUYER))
    }

    pub fn request(&self) -> CreateShipmentRequest {
        let ctx = self.harness.context();
        let group: ShipmentGroupId = ctx.id();
        let line = |sku: &str, quantity| ShipmentLine {
            line_id: ctx.id::<kernel::Line>().to_string(),
            sku: sku.to_owned(),
            quantity,
            name: "A cushion".to_owned(),
            options: vec![ChosenOption { name: "Colour".to_owned(), value: "Blue".to_owned() }],
        };
        CreateShipmentRequest {
            request_id: format!("{group}:ship"),
            order_id: ctx.id::<kernel::Order>().to_string(),
            shipment_group_id: group.to_string(),
            owner_subject: customer(BUYER).subject(),
            method: "standard".to_owned(),
            destination: Some(Address {
                country_code: "GB".to_owned(),
                city: "Leeds".to_owned(),
                ..Address::default()
            }),
            lines: vec![line("85123A", 6), line("85123a", 1)],
        }
    }

    pub async fn create(&self, request: CreateShipmentRequest) -> Result<Shipment, Status> {
        let answer = self.as_role("order").create_shipment(request).await?;
        Ok(answer.into_inner().shipment.expect("a shipment"))
    }

    pub async fn update(
        &self,
        seen: &Shipment,
        state: ShipmentState,
        tracking: &str,
    ) -> Result<Shipment, Status> {
        let request = UpdateShipmentRequest {
            request_id: format!("{}:{}:{}", seen.id, seen.version, state.as_str_name()),
            shipment_id: seen.id.clone(),
            version: seen.version,
            state: state.into(),
            carrier: String::new(),
            tracking_number: tracking.to_owned(),
            note: "seen".to_owned(),
        };
        let answer = self.as_staff().update_shipment(request).await?;
        Ok(answer.into_inner().shipment.expect("a shipment"))
    }

    pub fn cancel_of(&self, shipment: &Shipment, key: &str) -> CancelShipmentRequest {
        CancelShipmentRequest {
            request_id: key.to_owned(),
            order_id: shipment.order_id.clone(),
            shipment_group_id: shipment.shipment_group_id.clone(),
            note: "changed their mind".to_owned(),
        }
    }

    pub async fn cancel(&self, shipment: &Shipment, key: &str) -> Result<Shipment, Status> {
        let answer = self.as_role("order").cancel_shipment(self.cancel_of(shipment, key)).await?;
        Ok(answer.into_inner().shipment.expect("a shipment"))
    }

    pub async fn events(&self) -> Vec<String> {
        let mut client = self.harness.client_as_role("order", EventServiceClient::new, Principal::Anonymous);
        let request = SubscribeRequest { source: "shipping".to_owned(), after: None, types: Vec::new() };
        let mut stream = client.subscribe(request).await.expect("a stream").into_inner();
        let mut names = Vec::new();
        while let Ok(message) = tokio::time::timeout(Duration::from_millis(50), stream.message()).await {
            for event in message.expect("good").expect("open").events {
                let payload = event.payload.expect("a payload");
                names.push(payload.type_url.rsplit('.').next().unwrap_or_default().to_owned());
            }
        }
        names
    }

    pub fn some_ids(&self) -> (OrderId, LineId) {
        (self.harness.context().id(), self.harness.context().id())
    }
}
