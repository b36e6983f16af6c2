//! A person's things are for that person, whichever gateway asks: ownership is checked by the service that owns the thing.

use app::roles::ROLES;
use chassis::testing::{customer, guest, staff};
use contract::souk::cart::v1::GetCartRequest;
use contract::souk::cart::v1::cart_service_client::CartServiceClient;
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

/// What somebody else owns.
struct Things {
    order: Order,
    payment: String,
    shipment: String,
    profile: String,
    cart: String,
}

impl Things {
    async fn of(world: &World, owner: &Principal) -> Self {
        let person = world.person(owner.clone());
        let order = person.buys("bowl", 1, "pm_card_visa").await.expect("placed");
        let list = ListPaymentsRequest { order_id: order.id.clone() };
        let payments = person.client("payment", PaymentServiceClient::new).list_payments(list).await;
        let payment = payments.expect("mine").into_inner().payments[0].id.clone();
        let list = ListShipmentsRequest { order_id: order.id.clone(), ..Default::default() };
        let shipments = person.client("shipping", ShippingServiceClient::new).list_shipments(list).await;
        let shipment = shipments.expect("mine").into_inner().shipments[0].id.clone();
        let mut users = person.client("user", UserServiceClient::new);
        let profile = users
            .get_profile(GetProfileRequest::default())
            .await
            .expect("mine")
            .into_inner()
            .profile
            .expect("a profile")
            .profile_id;
        let mut carts = person.client("cart", CartServiceClient::new);
        let cart = carts
            .get_cart(GetCartRequest::default())
            .await
            .expect("mine")
            .into_inner()
            .cart
            .expect("a cart")
            .cart_id;
        Self { order, payment, shipment, profile, cart }
    }
}

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

    async fn asks_for(&self, things: &Things) {
        let order_id = || things.order.id.clone();
        let request_id = || self.world.request_id();
        let mut orders = self.client("order", OrderServiceClient::new);
        self.note("GetOrder", orders.get_order(GetOrderRequest { order_id: order_id() }).await, |_| false);
        let cancel =
            CancelOrderRequest { request_id: request_id(), order_id: order_id(), ..Default::default() };
        self.note("CancelOrder", orders.cancel_order(cancel).await, |_| false);
        let history = GetOrderHistoryRequest { order_id: order_id() };
        self.note("GetOrderHistory", orders.get_order_history(history).await, |_| false);
        let invoice = GetInvoiceRequest { order_id: order_id(), ..Default::default() };
        self.note("GetInvoice", orders.get_invoice(invoice).await, |_| false);
        let watch = WatchOrderRequest { order_id: order_id() };
        self.note("WatchOrder", orders.watch_order(watch).await, |_| false);
        let list = ListOrdersRequest::default();
        self.note("ListOrders", orders.list_orders(list).await, |found| found.orders.is_empty());

        let mut payments = self.client("payment", PaymentServiceClient::new);
        let get = GetPaymentRequest { payment_id: things.payment.clone() };
        self.note("GetPayment", payments.get_payment(get).await, |_| false);
        let list = ListPaymentsRequest { order_id: order_id() };
        self.note("ListPayments", payments.list_payments(list).await, |found| found.payments.is_empty());
        let list = ListAttemptsRequest { payment_id: things.payment.clone() };
        self.note("ListAttempts", payments.list_attempts(list).await, |_| false);

        let mut shipping = self.client("shipping", ShippingServiceClient::new);
        let get = GetShipmentRequest { shipment_id: things.shipment.clone() };
        self.note("GetShipment", shipping.get_shipment(get).await, |_| false);
        let list = ListShipmentsRequest { order_id: order_id(), ..Default::default() };
        self.note("ListShipments", shipping.list_shipments(list).await, |found| found.shipments.is_empty());

        let mut users = self.client("user", UserServiceClient::new);
        let get = GetProfileRequest { profile_id: things.profile.clone() };
        self.note("GetProfile", users.get_profile(get).await, |_| false);
        let mut carts = self.client("cart", CartServiceClient::new);
        let get = GetCartRequest { cart_id: things.cart.clone(), ..Default::default() };
        self.note("GetCart", carts.get_cart(get).await, |_| false);
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_gets_anothers_things_through_any_gateway() {
    let world = World::start(21).await;
    world.sells("bowl", 1250, 30).await;
    let things = Things::of(&world, &customer(1)).await;
    let gateways: Vec<_> =
        ROLES.iter().map(|role| role.name).filter(|name| name.starts_with("bff-")).collect();
    assert!(!gateways.is_empty());
    for gateway in gateways {
        for principal in [Principal::Anonymous, guest(1), guest(2), customer(2), staff(3, &["stock.write"])] {
            Asking { world: &world, gateway, principal }.asks_for(&things).await;
        }
    }
    let order = world.customer(1).sees(&things.order.id).await.expect("its owner sees it");
    assert_eq!(order.state(), OrderState::Confirmed, "and nobody cancelled it");
}
