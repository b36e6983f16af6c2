//! The services that an order is placed with, as small as the saga lets them be. Each keeps books, so that a test can compare them.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use contract::souk::cart::v1 as cart;
use contract::souk::checkout::v1 as checkout;
use contract::souk::inventory::v1 as inventory;
use contract::souk::payment::v1 as payment;
use contract::souk::shipping::v1 as shipping;
use kernel::{Error, HoldId, OrderId, PaymentId, Timestamp};
use parking_lot::Mutex;
use prost::Message;
use tonic::body::Body;
use tonic::server::NamedService;

/// What all fakes know together.
#[derive(Clone, Default)]
pub struct World(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    stock: BTreeMap<String, i64>,
    holds: BTreeMap<String, FakeHold>,
    payments: BTreeMap<String, FakePayment>,
    shipments: BTreeMap<(String, String), bool>,
    carts_cleared: BTreeMap<String, u32>,
    keys: Vec<checkout::QuoteKey>,
    requote: Option<checkout::RequoteQuoteResponse>,
    left: bool,
    hold_until: Timestamp,
}

struct FakeHold {
    state: inventory::HoldState,
    lines: Vec<inventory::HoldLine>,
}

#[derive(Clone, Default)]
struct FakePayment {
    state: payment::PaymentState,
    amount: i64,
    captured: i64,
    refunded: i64,
    failure: Option<payment::Failure>,
}

/// What the fakes' books say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    pub on_hand: BTreeMap<String, i64>,
    pub held: i64,
    pub sold: i64,
    pub authorized: i64,
    pub captured_net: i64,
    pub shipments: usize,
    pub carts_cleared: Vec<u32>,
}

type Answer<T> = Result<T, Error>;

impl World {
    pub fn stock(&self, sku: &str, units: i64) {
        self.0.lock().stock.insert(sku.to_owned(), units);
    }

    pub fn hold_until(&self, until: Timestamp) {
        self.0.lock().hold_until = until;
    }

    pub fn key(&self, key: checkout::QuoteKey) {
        self.0.lock().keys.push(key);
    }

    pub fn requote(&self, answer: checkout::RequoteQuoteResponse) {
        self.0.lock().requote = Some(answer);
    }

    /// From now on shipments cannot be cancelled.
    pub fn goods_leave(&self) {
        self.0.lock().left = true;
    }

    /// The buyer passes, or fails, the challenge of an order.
    pub fn challenge(&self, order: &str, passed: bool) {
        let mut state = self.0.lock();
        let found = state.payments.get_mut(order).expect("a payment");
        found.state = if passed { payment::PaymentState::Authorized } else { payment::PaymentState::Failed };
        found.failure = (!passed).then(|| failure("authentication_failed"));
    }

    /// A hold expires.
    pub fn expire_hold(&self, order: &str) {
        let mut state = self.0.lock();
        let hold = state.holds.get_mut(&hold_id(order)).expect("a hold");
        hold.state = inventory::HoldState::Expired;
        let lines = hold.lines.clone();
        move_stock(&mut state, &lines, 1);
    }

    pub fn books(&self) -> Books {
        let state = self.0.lock();
        let units = |wanted| -> i64 {
            let holds = state.holds.values().filter(|hold| hold.state == wanted);
            holds.flat_map(|hold| &hold.lines).map(|line| line.quantity).sum()
        };
        let reserved = |payment: &&FakePayment| payment.state == payment::PaymentState::Authorized;
        Books {
            on_hand: state.stock.clone(),
            held: units(inventory::HoldState::Held),
            sold: units(inventory::HoldState::Committed),
            authorized: state.payments.values().filter(reserved).map(|payment| payment.amount).sum(),
            captured_net: state.payments.values().map(|payment| payment.captured - payment.refunded).sum(),
            shipments: state.shipments.values().filter(|alive| **alive).count(),
            carts_cleared: state.carts_cleared.values().copied().collect(),
        }
    }
}

fn hold_id(order: &str) -> String {
    HoldId::from_bits(OrderId::parse(order).expect("an order's id").bits()).to_string()
}

fn order_of_hold(hold: &str) -> String {
    OrderId::from_bits(HoldId::parse(hold).expect("a hold's id").bits()).to_string()
}

fn failure(code: &str) -> payment::Failure {
    payment::Failure { code: code.to_owned(), message: "the bank said no".to_owned() }
}

fn move_stock(state: &mut State, lines: &[inventory::HoldLine], sign: i64) {
    for line in lines {
        *state.stock.entry(line.sku.clone()).or_default() += sign * line.quantity;
    }
}

fn show_hold(state: &State, id: &str) -> inventory::Hold {
    let hold = &state.holds[id];
    inventory::Hold {
        hold_id: id.to_owned(),
        order_id: order_of_hold(id),
        state: hold.state.into(),
        lines: hold.lines.clone(),
        expire_time: Some(contract::wire::timestamp(state.hold_until)),
        ..inventory::Hold::default()
    }
}

fn hold_error(state: inventory::HoldState) -> Error {
    let reason = match state {
        inventory::HoldState::Committed => "HOLD_COMMITTED",
        inventory::HoldState::Released => "HOLD_RELEASED",
        inventory::HoldState::Returned => "HOLD_RETURNED",
        _ => "HOLD_EXPIRED",
    };
    Error::precondition(reason, "the hold does not allow it")
}

fn no_hold() -> Error {
    Error::not_found("HOLD_NOT_FOUND", "no such hold")
}

impl World {
    fn create_hold(&self, request: inventory::CreateHoldRequest) -> Answer<inventory::CreateHoldResponse> {
        let mut state = self.0.lock();
        let id = hold_id(&request.order_id);
        if !state.holds.contains_key(&id) {
            let mut wanted: BTreeMap<&str, i64> = BTreeMap::new();
            for line in &request.lines {
                *wanted.entry(&line.sku).or_default() += line.quantity;
            }
            if wanted.iter().any(|(sku, units)| state.stock.get(*sku).copied().unwrap_or(0) < *units) {
                return Err(
                    Error::precondition("OUT_OF_STOCK", "not enough in stock").with("shortages", "[]")
                );
            }
            move_stock(&mut state, &request.lines, -1);
            state
                .holds
                .insert(id.clone(), FakeHold { state: inventory::HoldState::Held, lines: request.lines });
        }
        Ok(inventory::CreateHoldResponse { hold: Some(show_hold(&state, &id)) })
    }

    fn turn_hold(
        &self,
        id: &str,
        from: &[inventory::HoldState],
        to: inventory::HoldState,
        back: bool,
    ) -> Answer<inventory::Hold> {
        let mut state = self.0.lock();
        let now = state.holds.get(id).ok_or_else(no_hold)?.state;
        if now != to {
            if !from.contains(&now) {
                return Err(hold_error(now));
            }
            let hold = state.holds.get_mut(id).ok_or_else(no_hold)?;
            hold.state = to;
            let lines = hold.lines.clone();
            if back {
                move_stock(&mut state, &lines, 1);
            }
        }
        Ok(show_hold(&state, id))
    }

    fn renew_hold(&self, request: inventory::RenewHoldRequest) -> Answer<inventory::RenewHoldResponse> {
        use inventory::HoldState::Held;
        let hold = self.turn_hold(&request.hold_id, &[Held], Held, false)?;
        let mut state = self.0.lock();
        state.hold_until = state.hold_until.plus(std::time::Duration::from_secs(900));
        Ok(inventory::RenewHoldResponse {
            hold: Some(inventory::Hold {
                expire_time: Some(contract::wire::timestamp(state.hold_until)),
                ..hold
            }),
        })
    }

    fn release_hold(&self, request: inventory::ReleaseHoldRequest) -> Answer<inventory::ReleaseHoldResponse> {
        use inventory::HoldState::{Expired, Held, Released};
        if self.0.lock().holds.get(&request.hold_id).is_some_and(|hold| hold.state == Expired) {
            return Ok(inventory::ReleaseHoldResponse::default());
        }
        let hold = self.turn_hold(&request.hold_id, &[Held], Released, true)?;
        Ok(inventory::ReleaseHoldResponse { hold: Some(hold) })
    }

    fn commit_hold(&self, request: inventory::CommitHoldRequest) -> Answer<inventory::CommitHoldResponse> {
        use inventory::HoldState::{Committed, Held};
        let hold = self.turn_hold(&request.hold_id, &[Held], Committed, false)?;
        Ok(inventory::CommitHoldResponse { hold: Some(hold) })
    }

    fn return_hold(&self, request: inventory::ReturnHoldRequest) -> Answer<inventory::ReturnHoldResponse> {
        use inventory::HoldState::{Committed, Returned};
        let hold = self.turn_hold(&request.hold_id, &[Committed], Returned, true)?;
        Ok(inventory::ReturnHoldResponse { hold: Some(hold) })
    }

    fn show_payment(order: &str, found: &FakePayment) -> payment::Payment {
        payment::Payment {
            id: PaymentId::from_bits(OrderId::parse(order).expect("an order's id").bits()).to_string(),
            order_id: order.to_owned(),
            state: found.state.into(),
            failure: found.failure.clone(),
            ..payment::Payment::default()
        }
    }

    fn authorize(
        &self,
        request: payment::AuthorizePaymentRequest,
    ) -> Answer<payment::AuthorizePaymentResponse> {
        use payment::{AuthorizationStatus as Status, PaymentState as Stands};
        assert!(!request.owner_subject.is_empty(), "payment wants a subject");
        let mut state = self.0.lock();
        let found = state.payments.entry(request.order_id.clone()).or_insert_with(|| {
            let stands = match request.payment_method.as_str() {
                "pm_card_chargeDeclined" => Stands::Failed,
                "pm_card_authenticationRequired" => Stands::ActionRequired,
                _ => Stands::Authorized,
            };
            let failure = (stands == Stands::Failed).then(|| failure("card_declined"));
            let amount = request.amount.map_or(0, |amount| amount.minor_units);
            FakePayment { state: stands, amount, failure, ..FakePayment::default() }
        });
        let status = match found.state {
            Stands::ActionRequired => Status::ActionRequired,
            Stands::Failed => Status::Declined,
            Stands::Voided => Status::Voided,
            _ => Status::Authorized,
        };
        let challenge = payment::Challenge { url: "https://bank.example".into(), token: "challenge".into() };
        Ok(payment::AuthorizePaymentResponse {
            status: status.into(),
            payment: Some(Self::show_payment(&request.order_id, found)),
            challenge: (status == Status::ActionRequired).then_some(challenge),
            failure: found.failure.clone(),
        })
    }

    fn with_payment<T>(&self, id: &str, f: impl FnOnce(&str, &mut FakePayment) -> Answer<T>) -> Answer<T> {
        let order = OrderId::from_bits(PaymentId::parse(id)?.bits()).to_string();
        let mut state = self.0.lock();
        let found = state
            .payments
            .get_mut(&order)
            .ok_or_else(|| Error::not_found("PAYMENT_NOT_FOUND", "no such payment"))?;
        f(&order, found)
    }

    fn get_payment(&self, request: payment::GetPaymentRequest) -> Answer<payment::GetPaymentResponse> {
        self.with_payment(&request.payment_id, |order, found| {
            Ok(payment::GetPaymentResponse {
                payment: Some(Self::show_payment(order, found)),
                ..Default::default()
            })
        })
    }

    fn capture(&self, request: payment::CapturePaymentRequest) -> Answer<payment::CapturePaymentResponse> {
        self.with_payment(&request.payment_id, |_, found| {
            if found.state == payment::PaymentState::Authorized {
                found.state = payment::PaymentState::Captured;
                found.captured = found.amount;
            }
            if found.state != payment::PaymentState::Captured {
                return Err(Error::precondition("PAYMENT_STATE", "not authorized"));
            }
            let capture =
                payment::Capture { state: payment::OperationState::Succeeded.into(), ..Default::default() };
            Ok(payment::CapturePaymentResponse { capture: Some(capture), ..Default::default() })
        })
    }

    fn void(&self, request: payment::VoidPaymentRequest) -> Answer<payment::VoidPaymentResponse> {
        let mut state = self.0.lock();
        let found = state.payments.entry(request.order_id).or_default();
        if found.state == payment::PaymentState::Captured {
            return Err(Error::precondition("PAYMENT_STATE", "it is captured"));
        }
        found.state = payment::PaymentState::Voided;
        Ok(payment::VoidPaymentResponse {
            state: payment::OperationState::Succeeded.into(),
            ..Default::default()
        })
    }

    fn refund(&self, request: payment::RefundPaymentRequest) -> Answer<payment::RefundPaymentResponse> {
        self.with_payment(&request.payment_id, |_, found| {
            found.refunded = found.captured;
            let refund =
                payment::Refund { state: payment::OperationState::Succeeded.into(), ..Default::default() };
            Ok(payment::RefundPaymentResponse { refund: Some(refund), ..Default::default() })
        })
    }

    fn ship(&self, request: shipping::CreateShipmentRequest) -> Answer<shipping::CreateShipmentResponse> {
        let id = format!("shp_{}", &request.order_id[4..]);
        self.0.lock().shipments.entry((request.order_id, request.shipment_group_id)).or_insert(true);
        Ok(shipping::CreateShipmentResponse {
            shipment: Some(shipping::Shipment { id, ..Default::default() }),
        })
    }

    fn unship(&self, request: shipping::CancelShipmentRequest) -> Answer<shipping::CancelShipmentResponse> {
        let mut state = self.0.lock();
        if state.left {
            return Err(Error::precondition("SHIPMENT_STATE", "it has left"));
        }
        state.shipments.insert((request.order_id, request.shipment_group_id), false);
        Ok(shipping::CancelShipmentResponse::default())
    }

    fn clear_cart(&self, request: cart::RemoveBoughtLinesRequest) -> Answer<cart::RemoveBoughtLinesResponse> {
        // Once per order, whatever is repeated.
        self.0.lock().carts_cleared.insert(request.order_id, 1);
        Ok(cart::RemoveBoughtLinesResponse::default())
    }

    fn keys(&self, _: checkout::GetQuoteKeyRequest) -> Answer<checkout::GetQuoteKeyResponse> {
        Ok(checkout::GetQuoteKeyResponse { keys: self.0.lock().keys.clone() })
    }

    fn quote_again(&self, _: checkout::RequoteQuoteRequest) -> Answer<checkout::RequoteQuoteResponse> {
        self.0
            .lock()
            .requote
            .clone()
            .ok_or_else(|| Error::precondition("NOTHING_LEFT_TO_QUOTE", "nothing is for sale any more"))
    }
}

/// Answers one unary call.
async fn unary<Q, R>(
    request: http::Request<Body>,
    answer: impl FnOnce(Q) -> Answer<R>,
) -> http::Response<Body>
where
    Q: Message + Default + 'static,
    R: Message + Default + 'static,
{
    let mut answer = Some(answer);
    let service = tower::service_fn(|request: tonic::Request<Q>| {
        let answer = answer.take().expect("one call")(request.into_inner());
        std::future::ready(answer.map(tonic::Response::new).map_err(contract::status))
    });
    tonic::server::Grpc::new(tonic_prost::ProstCodec::<R, Q>::default()).unary(service, request).await
}

/// Declares a fake server: the methods it has, and what answers them.
macro_rules! fake {
    ($name:ident, $service:literal, $($method:literal => $answer:ident,)*) => {
        #[derive(Clone)]
        pub struct $name(pub World);

        impl NamedService for $name {
            const NAME: &'static str = $service;
        }

        impl tower::Service<http::Request<Body>> for $name {
            type Response = http::Response<Body>;
            type Error = Infallible;
            type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
                Poll::Ready(Ok(()))
            }

            fn call(&mut self, request: http::Request<Body>) -> Self::Future {
                let world = self.0.clone();
                Box::pin(async move {
                    Ok(match request.uri().path() {
                        $(concat!("/", $service, "/", $method) => unary(request, |message| world.$answer(message)).await,)*
                        other => tonic::Status::unimplemented(other.to_owned()).into_http(),
                    })
                })
            }
        }
    };
}

fake!(Inventory, "souk.inventory.v1.InventoryService",
    "CreateHold" => create_hold, "RenewHold" => renew_hold, "CommitHold" => commit_hold,
    "ReleaseHold" => release_hold, "ReturnHold" => return_hold,);
fake!(Payment, "souk.payment.v1.PaymentService",
    "AuthorizePayment" => authorize, "GetPayment" => get_payment, "CapturePayment" => capture,
    "VoidPayment" => void, "RefundPayment" => refund,);
fake!(Shipping, "souk.shipping.v1.ShippingService", "CreateShipment" => ship, "CancelShipment" => unship,);
fake!(Cart, "souk.cart.v1.CartService", "RemoveBoughtLines" => clear_cart,);
fake!(Checkout, "souk.checkout.v1.CheckoutService", "GetQuoteKey" => keys, "RequoteQuote" => quote_again,);
