//! A person's things are for that person, whichever gateway asks: ownership is checked by the service that owns the thing.

mod identity;
mod things;

use app::roles::ROLES;
use chassis::testing::{customer, guest, staff};
use contract::souk::cart::v1::cart_service_client::CartServiceClient;
use contract::souk::cart::v1::*;
use contract::souk::order::v1::order_service_client::OrderServiceClient;
use contract::souk::order::v1::*;
use contract::souk::payment::v1::payment_service_client::PaymentServiceClient;
use contract::souk::payment::v1::*;
use contract::souk::shipping::v1::shipping_service_client::ShippingServiceClient;
use contract::souk::shipping::v1::*;
use contract::souk::user::v1::user_service_client::UserServiceClient;
use contract::souk::user::v1::*;
use kernel::Code;
use mesh::{Channel, Principal};
use tests::World;
use tonic::Status;

use self::things::Things;

/// Somebody who asks through a gateway.
struct Asking<'a> {
    world: &'a World,
    gateway: &'static str,
    principal: Principal,
}

impl Asking<'_> {
    fn client<C>(&self, role: &str, new: impl FnOnce(Channel) -> C) -> C {
        let running = self.world.running();
        running.client(role, Some(self.gateway), self.principal.clone(), new).expect("every role runs here")
    }

    fn note<T>(
        &self,
        method: &str,
        answer: Result<tonic::Response<T>, Status>,
        is_empty: impl FnOnce(&T) -> bool,
    ) {
        let who = format!("{method} for {} through {}", self.principal.subject(), self.gateway);
        match answer {
            Ok(answer) => assert!(is_empty(answer.get_ref()), "{who} shows something"),
            Err(status) => {
                let code = contract::error(status).code();
                let right = matches!(code, Code::NotFound | Code::PermissionDenied | Code::Unauthenticated);
                assert!(right, "{who}: {code:?}");
            }
        }
    }

    /// Notes the answer of a method that must be refused.
    fn refused<T>(&self, method: &str, answer: Result<tonic::Response<T>, Status>) {
        self.note(method, answer, |_| false);
    }

    async fn asks_for(&self, things: &Things) {
        self.asks_for_orders(things).await;
        self.asks_for_payments(things).await;
        self.asks_for_shipments(things).await;
        self.asks_for_profiles(things).await;
        self.asks_for_addresses(things).await;
        self.asks_for_carts(things).await;
        self.asks_for_accounts(things).await;
    }

    async fn asks_for_orders(&self, things: &Things) {
        let order_id = || things.order.id.clone();
        let request_id = || self.world.request_id();
        let mut orders = self.client("order", OrderServiceClient::new);
        self.refused("GetOrder", orders.get_order(GetOrderRequest { order_id: order_id() }).await);
        let cancel =
            CancelOrderRequest { request_id: request_id(), order_id: order_id(), ..Default::default() };
        self.refused("CancelOrder", orders.cancel_order(cancel).await);
        let history = GetOrderHistoryRequest { order_id: order_id() };
        self.refused("GetOrderHistory", orders.get_order_history(history).await);
        let invoice = GetInvoiceRequest { order_id: order_id(), ..Default::default() };
        self.refused("GetInvoice", orders.get_invoice(invoice).await);
        let watch = WatchOrderRequest { order_id: order_id() };
        self.refused("WatchOrder", orders.watch_order(watch).await);
        let list = ListOrdersRequest::default();
        self.note("ListOrders", orders.list_orders(list).await, |found| found.orders.is_empty());
        let place = PlaceOrderRequest {
            request_id: request_id(),
            quote_token: things.quote_token.clone(),
            tenders: vec![TenderRequest { payment_method: "pm_card_visa".into(), ..Default::default() }],
            ..Default::default()
        };
        self.refused("PlaceOrder", orders.place_order(place).await);
    }

    async fn asks_for_payments(&self, things: &Things) {
        let mut payments = self.client("payment", PaymentServiceClient::new);
        let get = GetPaymentRequest { payment_id: things.payment.clone() };
        self.refused("GetPayment", payments.get_payment(get).await);
        let list = ListPaymentsRequest { order_id: things.order.id.clone() };
        self.note("ListPayments", payments.list_payments(list).await, |found| found.payments.is_empty());
        let list = ListAttemptsRequest { payment_id: things.payment.clone() };
        self.refused("ListAttempts", payments.list_attempts(list).await);
    }

    async fn asks_for_shipments(&self, things: &Things) {
        let mut shipping = self.client("shipping", ShippingServiceClient::new);
        let get = GetShipmentRequest { shipment_id: things.shipment.clone() };
        self.refused("GetShipment", shipping.get_shipment(get).await);
        let list = ListShipmentsRequest { order_id: things.order.id.clone(), ..Default::default() };
        self.note("ListShipments", shipping.list_shipments(list).await, |found| found.shipments.is_empty());
    }

    async fn asks_for_profiles(&self, things: &Things) {
        let profile_id = || things.profile.clone();
        let request_id = || self.world.request_id();
        let mut users = self.client("user", UserServiceClient::new);
        let get = GetProfileRequest { profile_id: profile_id() };
        self.refused("GetProfile", users.get_profile(get).await);
        let update = UpdateProfileRequest {
            request_id: request_id(),
            profile_id: profile_id(),
            version: things.profile_version,
            name: "Eve".into(),
            ..Default::default()
        };
        self.refused("UpdateProfile", users.update_profile(update).await);
        let delete = DeleteProfileRequest {
            request_id: request_id(),
            profile_id: profile_id(),
            version: things.profile_version,
        };
        self.refused("DeleteProfile", users.delete_profile(delete).await);
    }

    /// By the other's profile, and, in one's own profile, by the other's address.
    async fn asks_for_addresses(&self, things: &Things) {
        let request_id = || self.world.request_id();
        let address = || Some(tests::address());
        let mut users = self.client("user", UserServiceClient::new);
        let list = ListAddressesRequest { profile_id: things.profile.clone() };
        self.refused("ListAddresses", users.list_addresses(list).await);
        let add = AddAddressRequest {
            request_id: request_id(),
            profile_id: things.profile.clone(),
            address: address(),
            ..Default::default()
        };
        self.refused("AddAddress", users.add_address(add).await);
        for profile_id in [things.profile.clone(), String::new()] {
            let update = UpdateAddressRequest {
                request_id: request_id(),
                profile_id: profile_id.clone(),
                address_id: things.address.clone(),
                version: 1,
                address: address(),
                ..Default::default()
            };
            self.refused("UpdateAddress", users.update_address(update).await);
            let delete = DeleteAddressRequest {
                request_id: request_id(),
                profile_id,
                address_id: things.address.clone(),
                version: 1,
            };
            self.refused("DeleteAddress", users.delete_address(delete).await);
        }
    }

    async fn asks_for_carts(&self, things: &Things) {
        let (request_id, cart_id) = (|| self.world.request_id(), || things.cart.cart_id.clone());
        let (version, line_id) = (things.cart.version, || things.cart.lines[0].line_id.clone());
        let mut carts = self.client("cart", CartServiceClient::new);
        let get = GetCartRequest { cart_id: cart_id(), ..Default::default() };
        self.refused("GetCart", carts.get_cart(get).await);
        let add =
            AddLineRequest { request_id: request_id(), cart_id: cart_id(), sku: "bowl".into(), quantity: 1 };
        self.refused("AddLine", carts.add_line(add).await);
        let set = SetLineQuantityRequest {
            request_id: request_id(),
            cart_id: cart_id(),
            version,
            line_id: line_id(),
            quantity: 9,
        };
        self.refused("SetLineQuantity", carts.set_line_quantity(set).await);
        let remove =
            RemoveLineRequest { request_id: request_id(), cart_id: cart_id(), version, line_id: line_id() };
        self.refused("RemoveLine", carts.remove_line(remove).await);
        let clear = ClearCartRequest { request_id: request_id(), cart_id: cart_id(), version };
        self.refused("ClearCart", carts.clear_cart(clear).await);
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_gets_or_changes_anothers_things_through_any_gateway() {
    let world = World::start(21).await;
    world.sells("bowl", 1250, 30).await;
    let owner = identity::signs_up(&world, "ada@example.com").await;
    let things = Things::of(&world, &owner).await;
    let gateways: Vec<_> =
        ROLES.iter().map(|role| role.name).filter(|name| name.starts_with("bff-")).collect();
    assert!(!gateways.is_empty());
    for gateway in gateways {
        for principal in [Principal::Anonymous, guest(1), guest(2), customer(2), staff(3, &["stock.write"])] {
            Asking { world: &world, gateway, principal }.asks_for(&things).await;
        }
    }
    let order = world.person(owner.clone()).sees(&things.order.id).await.expect("its owner sees it");
    assert_eq!(order.state(), OrderState::Confirmed, "and nobody cancelled it");
    let after = Things::read(&world, &owner, things.order.clone(), things.quote_token.clone()).await;
    assert_eq!(after, things, "and nothing else changed");
    world
        .person(owner)
        .places("mine", &things.quote_token, "pm_card_visa")
        .await
        .expect("its owner places it");
}
