//! The steps of the saga as calls to other services, each under a key derived from the order.
//!
//! An answer is one of three: an outcome that is known for certain, "later" (nobody answered, or the answer is not final: the
//! same call is repeated), or "still waiting" for a person.

mod after;

use std::time::Duration;

use chassis::Context;
use contract::souk::cart::v1::cart_service_client::CartServiceClient;
use contract::souk::checkout::v1::Quote;
use contract::souk::inventory::v1::inventory_service_client::InventoryServiceClient;
use contract::souk::inventory::v1::{
    CommitHoldRequest, CreateHoldRequest, Hold, HoldLine, HoldState, RenewHoldRequest,
};
use contract::souk::payment::v1::payment_service_client::PaymentServiceClient;
use contract::souk::payment::v1::{
    AuthorizationStatus, AuthorizePaymentRequest, Failure, GetPaymentRequest, PaymentState,
};
use contract::souk::shipping::v1::shipping_service_client::ShippingServiceClient;
use contract::wire::{duration, money, parse_id, parse_timestamp};
use kernel::{Code, Error, PaymentId, Result};
use mesh::{Channel, Killed};

use crate::domain::{Challenge, Ending, Order, Outcome, Step};

/// How a step went.
pub enum Done {
    /// For certain like this.
    Known(Outcome),
    /// Not known; to be asked again.
    Later(Error),
    /// A person has not acted yet.
    StillWaiting,
}

/// Declares the points around each step's call at which tests kill the worker.
macro_rules! points {
    ($($name:ident = $step:literal,)*) => {
        /// Every point at which the worker can be killed: around the call of each step, and before what it learnt is recorded.
        pub const FAULT_POINTS: &[&str] = &[$(
            concat!("order.saga.", $step, ".before_call"),
            concat!("order.saga.", $step, ".after_call"),
            concat!("order.saga.", $step, ".before_record"),
        )*];

        $(const $name: Points = Points {
            before_call: concat!("order.saga.", $step, ".before_call"),
            after_call: concat!("order.saga.", $step, ".after_call"),
            before_record: concat!("order.saga.", $step, ".before_record"),
        };)*
    };
}

struct Points {
    before_call: &'static str,
    after_call: &'static str,
    before_record: &'static str,
}

points! {
    HOLD = "hold",
    RENEW = "renew",
    AUTHORIZE = "authorize",
    ASK = "ask",
    COMMIT = "commit",
    CAPTURE = "capture",
    SHIP = "ship",
    CART = "cart",
    RECALL = "recall",
    RELEASE_PAYMENT = "release_payment",
    RELEASE_STOCK = "release_stock",
}

/// The point before the record of a step.
#[must_use]
pub fn before_record(step: Step) -> &'static str {
    match step {
        Step::HoldStock => HOLD,
        Step::RenewHold => RENEW,
        Step::AuthorizePayment => AUTHORIZE,
        Step::AskPayment => ASK,
        Step::CommitStock => COMMIT,
        Step::FollowUp { capture: true, .. } => CAPTURE,
        Step::FollowUp { ship: true, .. } => SHIP,
        Step::FollowUp { .. } => CART,
        Step::RecallShipment => RECALL,
        Step::ReleasePayment => RELEASE_PAYMENT,
        Step::ReleaseStock | Step::GiveUp | Step::Wait(_) | Step::Rest => RELEASE_STOCK,
    }
    .before_record
}

/// The services that an order is placed with.
#[derive(Clone)]
pub struct Callees {
    ctx: Context,
    hold_for: Duration,
    inventory: InventoryServiceClient<Channel>,
    payment: PaymentServiceClient<Channel>,
    shipping: ShippingServiceClient<Channel>,
    cart: CartServiceClient<Channel>,
}

/// One order at a step.
#[derive(Clone, Copy)]
struct At<'a> {
    order: &'a Order,
    quote: &'a Quote,
}

impl At<'_> {
    /// The key of a call: the same whenever the call is repeated.
    fn key(self, what: &str) -> String {
        format!("{}/{what}/{}", self.order.id, self.order.attempt)
    }

    fn hold_id(self) -> String {
        self.order.hold_id().to_string()
    }

    /// On whose behalf: the owner, or, for an order without one, who placed it.
    fn subject(self) -> String {
        let order = self.order;
        if order.owner.is_empty() { order.placed_by.clone() } else { order.owner.clone() }
    }
}

/// A refusal that asking again would not change.
fn refused(error: &Error) -> bool {
    let final_code = matches!(
        error.code(),
        Code::InvalidArgument | Code::NotFound | Code::FailedPrecondition | Code::Conflict
    );
    final_code && !error.retryable()
}

fn known_or_later(result: Result<Outcome>) -> Done {
    result.map_or_else(Done::Later, Done::Known)
}

impl Callees {
    /// The clients of a role's context; holds are asked for `hold_for`.
    ///
    /// # Errors
    /// Internal for a role that is not declared.
    pub fn new(ctx: &Context, hold_for: Duration) -> Result<Self> {
        Ok(Self {
            ctx: ctx.clone(),
            hold_for,
            inventory: ctx.call("inventory", InventoryServiceClient::new)?,
            payment: ctx.call("payment", PaymentServiceClient::new)?,
            shipping: ctx.call("shipping", ShippingServiceClient::new)?,
            cart: ctx.call("cart", CartServiceClient::new)?,
        })
    }

    /// Does a step that is a call.
    ///
    /// # Errors
    /// [`Killed`] when a test ends the worker here.
    pub async fn take(&self, step: Step, order: &Order, quote: &Quote) -> Result<Done, Killed> {
        let at = At { order, quote };
        match step {
            Step::HoldStock => self.around(&HOLD, self.hold(at)).await,
            Step::RenewHold => self.around(&RENEW, self.renew(at)).await,
            Step::AuthorizePayment => self.around(&AUTHORIZE, self.authorize(at)).await,
            Step::AskPayment => self.around(&ASK, self.ask(at)).await,
            Step::CommitStock => self.around(&COMMIT, self.commit(at)).await,
            Step::FollowUp { capture, ship, cart } => self.follow_up(at, capture, ship, cart).await,
            Step::RecallShipment => self.around(&RECALL, self.recall(at)).await,
            Step::ReleasePayment => self.around(&RELEASE_PAYMENT, self.release_payment(at)).await,
            Step::ReleaseStock => self.around(&RELEASE_STOCK, self.release_stock(at)).await,
            Step::GiveUp => Ok(Done::Known(Outcome::LimitReached)),
            Step::Wait(_) | Step::Rest => Ok(Done::StillWaiting),
        }
    }

    async fn around<T>(&self, points: &Points, call: impl Future<Output = T>) -> Result<T, Killed> {
        self.ctx.fault_point(points.before_call)?;
        let answer = call.await;
        self.ctx.fault_point(points.after_call)?;
        Ok(answer)
    }

    async fn hold(&self, at: At<'_>) -> Done {
        let origin = |group: &str| {
            let group = at.quote.shipment_groups.iter().find(|other| other.shipment_group_id == group);
            group.map(|group| group.origin.clone()).unwrap_or_default()
        };
        let lines = at.quote.lines.iter().map(|line| HoldLine {
            line_id: line.line_id.clone(),
            sku: line.sku.clone(),
            location: origin(&line.shipment_group_id),
            quantity: line.quantity,
        });
        let request = CreateHoldRequest {
            request_id: at.key("hold"),
            order_id: at.order.id.to_string(),
            lines: lines.collect(),
            hold_for: Some(duration(self.hold_for)),
        };
        match self.inventory.clone().create_hold(request).await.map_err(contract::error) {
            Ok(answer) => known_or_later(held(answer.into_inner().hold)),
            Err(error) if refused(&error) => Done::Known(Outcome::HoldRefused(Ending::of(&error))),
            Err(error) => Done::Later(error),
        }
    }

    async fn renew(&self, at: At<'_>) -> Done {
        let request = RenewHoldRequest {
            request_id: renewal(at),
            hold_id: at.hold_id(),
            hold_for: Some(duration(self.hold_for)),
        };
        match self.inventory.clone().renew_hold(request).await.map_err(contract::error) {
            Ok(answer) => {
                known_or_later(expiry(answer.into_inner().hold).map(|until| Outcome::HoldRenewed { until }))
            }
            Err(error) if error.reason() == "HOLD_LIMIT_REACHED" => Done::Known(Outcome::LimitReached),
            Err(error) if refused(&error) => Done::Known(Outcome::HoldLost),
            Err(error) => Done::Later(error),
        }
    }

    async fn authorize(&self, at: At<'_>) -> Done {
        let request = AuthorizePaymentRequest {
            request_id: at.key("authorize"),
            order_id: at.order.id.to_string(),
            tender_index: 0,
            attempt: i32::try_from(at.order.attempt).unwrap_or(i32::MAX),
            owner_subject: at.subject(),
            amount: Some(money(at.order.total)),
            payment_method: at.order.payment_method.clone(),
        };
        let answer = match self.payment.clone().authorize_payment(request).await.map_err(contract::error) {
            Ok(answer) => answer.into_inner(),
            Err(error) if refused(&error) => {
                return Done::Known(Outcome::PaymentRefused(None, Ending::of(&error)));
            }
            Err(error) => return Done::Later(error),
        };
        let id = match payment_id(answer.payment.as_ref().map(|payment| payment.id.as_str())) {
            Ok(id) => id,
            Err(error) => return Done::Later(error),
        };
        match AuthorizationStatus::try_from(answer.status).unwrap_or_default() {
            AuthorizationStatus::Authorized => Done::Known(Outcome::Authorized(id)),
            AuthorizationStatus::ActionRequired => {
                let challenge = answer.challenge.unwrap_or_default();
                Done::Known(Outcome::Challenged(id, Challenge { url: challenge.url, id: challenge.token }))
            }
            AuthorizationStatus::Declined | AuthorizationStatus::Voided => {
                Done::Known(Outcome::PaymentRefused(Some(id), declined(answer.failure)))
            }
            AuthorizationStatus::Pending | AuthorizationStatus::Unspecified => {
                Done::Later(pending("authorize"))
            }
        }
    }

    async fn ask(&self, at: At<'_>) -> Done {
        let Some(id) = at.order.payment_id else {
            return Done::Later(Error::internal("a challenge without a payment"));
        };
        let request = GetPaymentRequest { payment_id: id.to_string() };
        let payment = match self.payment.clone().get_payment(request).await.map_err(contract::error) {
            Ok(answer) => answer.into_inner().payment.unwrap_or_default(),
            Err(error) => return Done::Later(error),
        };
        match PaymentState::try_from(payment.state).unwrap_or_default() {
            PaymentState::Authorized | PaymentState::Captured => Done::Known(Outcome::Authorized(id)),
            PaymentState::Failed | PaymentState::Voiding | PaymentState::Voided => {
                Done::Known(Outcome::PaymentRefused(Some(id), declined(payment.failure)))
            }
            _ => Done::StillWaiting,
        }
    }

    /// Commits the hold. One whose time was over while nobody worked on the order is renewed first, if it still keeps its units.
    async fn commit(&self, at: At<'_>) -> Done {
        let done = self.commit_once(at).await;
        if !matches!(done, Done::Known(Outcome::HoldLost)) {
            return done;
        }
        match self.renew(at).await {
            Done::Known(Outcome::HoldRenewed { .. }) => self.commit_once(at).await,
            Done::Known(_) => done,
            later => later,
        }
    }

    async fn commit_once(&self, at: At<'_>) -> Done {
        let request = CommitHoldRequest { request_id: at.key("commit"), hold_id: at.hold_id() };
        match self.inventory.clone().commit_hold(request).await.map_err(contract::error) {
            Ok(_) => Done::Known(Outcome::StockCommitted),
            Err(error) if error.reason().starts_with("HOLD_") && refused(&error) => {
                Done::Known(Outcome::HoldLost)
            }
            Err(error) => Done::Later(error),
        }
    }
}

/// The key of a renewal: another one for every renewal, since the same key would bring back the answer of the one before.
fn renewal(at: At<'_>) -> String {
    format!("{}/{}", at.key("renew"), at.order.version)
}

/// What a hold says after it was asked for.
fn held(hold: Option<Hold>) -> Result<Outcome> {
    let state = hold.as_ref().map_or(HoldState::Unspecified, Hold::state);
    Ok(match state {
        HoldState::Held | HoldState::Committed => Outcome::Held { until: expiry(hold)? },
        HoldState::Released | HoldState::Expired | HoldState::Returned => Outcome::HoldRefused(Ending::new(
            "HOLD_EXPIRED",
            "the stock could not be kept for the order any longer",
        )),
        HoldState::Unspecified => return Err(Error::internal("inventory answered without a hold")),
    })
}

fn expiry(hold: Option<Hold>) -> Result<kernel::Timestamp> {
    parse_timestamp("/hold/expire_time", &hold.and_then(|hold| hold.expire_time)).map_err(Error::internal)
}

fn payment_id(id: Option<&str>) -> Result<PaymentId> {
    parse_id("/payment/id", id.unwrap_or_default()).map_err(Error::internal)
}

/// A decline as the order's ending.
fn declined(failure: Option<Failure>) -> Ending {
    let Failure { code, message } = failure.unwrap_or_default();
    let message = if message.is_empty() { "the payment was declined".to_owned() } else { message };
    let mut ending = Ending::new("PAYMENT_DECLINED", message);
    if !code.is_empty() {
        ending.metadata.insert("decline_code".to_owned(), code);
    }
    ending
}

/// The payment service does not know yet.
fn pending(what: &str) -> Error {
    Error::unavailable("PAYMENT_PENDING", format!("the outcome of {what} is not known yet"))
}
