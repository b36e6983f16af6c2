//! What somebody owns.

use contract::souk::cart::v1::cart_service_client::CartServiceClient;
use contract::souk::cart::v1::{Cart, GetCartRequest};
use contract::souk::order::v1::Order;
use contract::souk::payment::v1::ListPaymentsRequest;
use contract::souk::payment::v1::payment_service_client::PaymentServiceClient;
use contract::souk::shipping::v1::ListShipmentsRequest;
use contract::souk::shipping::v1::shipping_service_client::ShippingServiceClient;
use contract::souk::user::v1::user_service_client::UserServiceClient;
use contract::souk::user::v1::{AddAddressRequest, GetProfileRequest};
use mesh::Principal;
use tests::World;

use super::identity::{self, Known};

/// What somebody owns.
#[derive(Debug, PartialEq)]
pub struct Things {
    pub order: Order,
    pub payment: String,
    pub shipment: String,
    pub profile: String,
    pub profile_version: i64,
    pub address: String,
    pub cart: Cart,
    /// Of a quote that is not placed.
    pub quote_token: String,
    pub known: Known,
}

impl Things {
    /// Buys, adds an address, fills a cart and asks what it costs.
    pub async fn of(world: &World, owner: &Principal) -> Self {
        let person = world.person(owner.clone());
        let order = person.buys("bowl", 1, "pm_card_visa").await.expect("placed");
        person.adds("bowl", 2).await.expect("added");
        let add = AddAddressRequest {
            request_id: world.request_id(),
            address: Some(tests::address()),
            ..AddAddressRequest::default()
        };
        person.client("user", UserServiceClient::new).add_address(add).await.expect("added");
        identity::gives_secret(world, owner).await;
        let quote_token = person.quotes().await.expect("quoted").quote_token;
        Self::read(world, owner, order, quote_token).await
    }

    /// The same things as they are now.
    pub async fn read(world: &World, owner: &Principal, order: Order, quote_token: String) -> Self {
        let person = world.person(owner.clone());
        let list = ListPaymentsRequest { order_id: order.id.clone() };
        let payments = person.client("payment", PaymentServiceClient::new).list_payments(list).await;
        let payment = payments.expect("mine").into_inner().payments[0].id.clone();
        let list = ListShipmentsRequest { order_id: order.id.clone(), ..Default::default() };
        let shipments = person.client("shipping", ShippingServiceClient::new).list_shipments(list).await;
        let shipment = shipments.expect("mine").into_inner().shipments[0].id.clone();
        let mut users = person.client("user", UserServiceClient::new);
        let profile = users.get_profile(GetProfileRequest::default()).await.expect("mine").into_inner();
        let profile = profile.profile.expect("a profile");
        let mut carts = person.client("cart", CartServiceClient::new);
        let cart = carts.get_cart(GetCartRequest::default()).await.expect("mine").into_inner().cart;
        Self {
            order,
            payment,
            shipment,
            profile: profile.profile_id,
            profile_version: profile.version,
            address: profile.addresses[0].address_id.clone(),
            cart: cart.expect("a cart"),
            quote_token,
            known: identity::known(world, owner).await,
        }
    }
}
