//! The placing saga as two functions: [`next`] says what to do with an order, [`apply`] says what its outcome makes of the order.
//!
//! Forward: hold stock, authorize payment, wait for a person where one must act, commit stock (the pivot), confirm, then capture,
//! ship and clear the cart. Backward, in reverse: recall the shipment, give the money back, give the stock back. The state
//! holds what was *asked* before it is asked, so whoever reads it after a crash knows what may have happened.

use std::time::Duration;

use kernel::{Error, PaymentId, Result, Timestamp};

use super::{
    Approval, Cart, Challenge, Decision, Ending, Event, InvoiceKind, MadeShipment, Order, Payment, Policy, Shipment, State, Stock,
};

/// How long before its end a hold is renewed.
const RENEW_BEFORE: Duration = Duration::from_secs(120);
/// First pause between two questions about a challenge; doubles with each.
const ASK_FIRST: Duration = Duration::from_secs(2);
/// Longest pause between two questions about a challenge.
const ASK_MAX: Duration = Duration::from_secs(60);

/// What to do next with an order. Every call it stands for may be repeated: it goes under a key that is derived from the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Create the hold.
    HoldStock,
    /// Renew the hold while a person is waited for.
    RenewHold,
    /// Authorize the payment.
    AuthorizePayment,
    /// Ask how the payment stands after a challenge.
    AskPayment,
    /// Commit the hold: the pivot.
    CommitStock,
    /// Whatever follows a confirmation and is not done yet; these run at the same time.
    FollowUp {
        /// Capture the payment.
        capture: bool,
        /// Ask for the shipments.
        ship: bool,
        /// Take the bought lines out of the cart.
        cart: bool,
    },
    /// Recall the shipments.
    RecallShipment,
    /// Void the payment, or refund what was captured.
    ReleasePayment,
    /// Release the hold, or return what was committed.
    ReleaseStock,
    /// The limit has passed: apply [`Outcome::LimitReached`].
    GiveUp,
    /// Nothing before this time.
    Wait(Timestamp),
    /// Nothing ever.
    Rest,
}

/// How a step went, once that is known for certain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The hold stands until then.
    Held {
        /// When inventory lets it expire.
        until: Timestamp,
    },
    /// Inventory refused the hold.
    HoldRefused(Ending),
    /// The hold now stands until then.
    HoldRenewed {
        /// When inventory lets it expire.
        until: Timestamp,
    },
    /// The hold expired before it was committed.
    HoldLost,
    /// Payment is authorized.
    Authorized(PaymentId),
    /// The buyer must pass a challenge.
    Challenged(PaymentId, Challenge),
    /// Payment said no; a payment that was declined has an id.
    PaymentRefused(Option<PaymentId>, Ending),
    /// The stock is the buyer's.
    StockCommitted,
    /// What of the follow-ups is done; the rest is tried again.
    FollowedUp {
        /// The payment is captured.
        captured: bool,
        /// The shipments of all groups, when shipping has them.
        shipped: Option<Vec<MadeShipment>>,
        /// The cart is cleared, or there is none any more.
        cleared: bool,
    },
    /// No shipment will leave.
    ShipmentRecalled,
    /// The goods have left.
    ShipmentLeft,
    /// Nothing was captured, and nothing will be.
    PaymentVoided,
    /// All that was captured is given back.
    PaymentRefunded,
    /// The hold is released, or never was.
    StockReleased,
    /// Committed stock is back.
    StockReturned,
    /// Time is up.
    LimitReached,
}

/// Says what to do with an order now.
#[must_use]
pub fn next(order: &Order, now: Timestamp) -> Step {
    if order.state.terminal() {
        return Step::Rest;
    }
    if order.undoing() {
        return backward(order);
    }
    if order.state == State::Confirmed {
        return follow_up(order);
    }
    forward(order, now)
}

fn forward(order: &Order, now: Timestamp) -> Step {
    if order.before_pivot() && now >= order.limit_at {
        return Step::GiveUp;
    }
    if order.stock == Stock::Asked {
        return Step::HoldStock;
    }
    if let Some(step) = person(order, now) {
        return step;
    }
    if matches!(order.payment, Payment::Later | Payment::Asked) { Step::AuthorizePayment } else { Step::CommitStock }
}

/// What to do while a person is waited for.
fn person(order: &Order, now: Timestamp) -> Option<Step> {
    if !matches!(order.state, State::ActionRequired | State::AwaitingApproval) {
        return None;
    }
    let due = order.due_at.unwrap_or(now);
    Some(if now < due {
        Step::Wait(due)
    } else if now >= order.hold_until.minus(RENEW_BEFORE) {
        Step::RenewHold
    } else if order.state == State::ActionRequired {
        Step::AskPayment
    } else {
        Step::Wait(look_again(order, now, Duration::MAX))
    })
}

fn follow_up(order: &Order) -> Step {
    let capture = order.payment == Payment::CaptureAsked;
    let ship = order.shipment == Shipment::Asked;
    let cart = order.cart == Cart::Asked;
    if capture || ship || cart { Step::FollowUp { capture, ship, cart } } else { Step::Rest }
}

fn backward(order: &Order) -> Step {
    if matches!(order.shipment, Shipment::Asked | Shipment::Requested) {
        Step::RecallShipment
    } else if money_out(order) {
        Step::ReleasePayment
    } else if matches!(order.stock, Stock::Asked | Stock::Held | Stock::Committing | Stock::Committed) {
        Step::ReleaseStock
    } else {
        Step::Rest
    }
}

const fn money_out(order: &Order) -> bool {
    matches!(
        order.payment,
        Payment::Asked | Payment::Challenged | Payment::Authorized | Payment::CaptureAsked | Payment::Captured
    )
}

/// Says what the outcome of a step, which [`next`] gave for this very order, makes of it.
///
/// # Errors
/// Internal when the outcome belongs to another step.
pub fn apply(mut order: Order, step: Step, outcome: Outcome, policy: &Policy, now: Timestamp) -> Result<Decision> {
    let mut shipments = Vec::new();
    let mut events = Vec::new();
    let mut document = None;
    let mut note = String::new();
    order.tries = 0;
    let what = match (step, outcome) {
        (Step::HoldStock, Outcome::Held { until }) => {
            order.stock = Stock::Held;
            order.hold_until = until;
            on_held(&mut order, &mut events, policy, now);
            "STOCK_HELD"
        }
        (Step::HoldStock, Outcome::HoldRefused(ending)) => {
            note.clone_from(&ending.message);
            order.stock = Stock::Refused;
            end(&mut order, ending);
            "STOCK_REFUSED"
        }
        (Step::RenewHold, Outcome::HoldRenewed { until }) => {
            order.hold_until = until;
            order.due_at = Some(look_again(&order, now, renewed_pause(&order)));
            "HOLD_RENEWED"
        }
        (Step::RenewHold | Step::CommitStock, Outcome::HoldLost) => {
            order.stock = Stock::Released;
            end(&mut order, Ending::new("HOLD_EXPIRED", "the stock could not be kept for the order any longer"));
            "HOLD_LOST"
        }
        (Step::AuthorizePayment | Step::AskPayment, Outcome::Authorized(id)) => {
            order.payment = Payment::Authorized;
            order.payment_id = Some(id);
            order.challenge = None;
            on_authorized(&mut order, &mut events, policy, now);
            "PAYMENT_AUTHORIZED"
        }
        (Step::AuthorizePayment, Outcome::Challenged(id, challenge)) => {
            order.payment = Payment::Challenged;
            order.payment_id = Some(id);
            order.challenge = Some(challenge);
            order.state = State::ActionRequired;
            order.limit_at = now.plus(policy.action_limit);
            order.due_at = Some(look_again(&order, now, ASK_FIRST));
            events.push(Event::ActionRequired);
            "ACTION_REQUIRED"
        }
        (Step::AuthorizePayment | Step::AskPayment, Outcome::PaymentRefused(id, ending)) => {
            note.clone_from(&ending.message);
            order.payment = Payment::Declined;
            order.payment_id = id.or(order.payment_id);
            end(&mut order, ending);
            "PAYMENT_DECLINED"
        }
        (Step::CommitStock, Outcome::StockCommitted) => {
            confirm(&mut order, now);
            events.push(Event::Confirmed);
            document = Some(InvoiceKind::Invoice);
            "CONFIRMED"
        }
        (Step::FollowUp { capture, ship, cart }, Outcome::FollowedUp { captured, shipped, cleared }) => {
            if capture && captured {
                order.payment = Payment::Captured;
            }
            if let (true, Some(made)) = (ship, shipped) {
                order.shipment = Shipment::Requested;
                shipments = made;
            }
            if cart && cleared {
                order.cart = Cart::Cleared;
            }
            if follow_up(&order) == Step::Rest { "COMPLETED" } else { "FOLLOWED_UP" }
        }
        (Step::RecallShipment, Outcome::ShipmentRecalled) => {
            order.shipment = Shipment::Recalled;
            "SHIPMENT_RECALLED"
        }
        (Step::RecallShipment, Outcome::ShipmentLeft) => {
            order.shipment = Shipment::Left;
            order.state = State::Confirmed;
            order.ending = None;
            events.push(Event::CancellationRefused);
            "CANCELLATION_REFUSED"
        }
        (Step::ReleasePayment, Outcome::PaymentVoided) => {
            order.payment = Payment::Voided;
            "PAYMENT_VOIDED"
        }
        (Step::ReleasePayment, Outcome::PaymentRefunded) => {
            order.payment = Payment::Refunded;
            "PAYMENT_REFUNDED"
        }
        (Step::ReleaseStock, Outcome::StockReleased) => {
            order.stock = Stock::Released;
            "STOCK_RELEASED"
        }
        (Step::ReleaseStock, Outcome::StockReturned) => {
            order.stock = Stock::Returned;
            "STOCK_RETURNED"
        }
        (Step::GiveUp | Step::RenewHold, Outcome::LimitReached) => {
            let ending = timed_out(&order);
            note.clone_from(&ending.message);
            end(&mut order, ending);
            "TIMED_OUT"
        }
        (step, outcome) => {
            return Err(Error::internal(format!("order {}: {outcome:?} is no outcome of {step:?}", order.id)));
        }
    };
    let decision = Decision { order, what, note, actor: String::new(), events, document, shipments };
    Ok(settle(decision, now))
}

/// Staff agree. `None` when they had agreed already.
///
/// # Errors
/// `NOT_AWAITING_APPROVAL` when the order is in another state.
pub fn approve(mut order: Order, by: &str, note: &str, policy: &Policy, now: Timestamp) -> Result<Option<Decision>> {
    if order.approval == Approval::Given && matches!(order.state, State::Pending | State::Confirmed) && !order.undoing() {
        return Ok(None);
    }
    if order.state != State::AwaitingApproval || order.approval != Approval::Needed {
        return Err(Error::precondition("NOT_AWAITING_APPROVAL", "the order does not await approval"));
    }
    let mut events = vec![Event::Approved { by: by.to_owned() }];
    order.approval = Approval::Given;
    order.tries = 0;
    due_now(&mut order, now);
    order.state = State::Pending;
    order.limit_at = now.plus(policy.placing_limit);
    on_authorized(&mut order, &mut events, policy, now);
    let decision = Decision {
        order,
        what: "APPROVED",
        note: note.to_owned(),
        actor: by.to_owned(),
        events,
        document: None,
        shipments: Vec::new(),
    };
    Ok(Some(settle(decision, now)))
}

/// Somebody wants the order cancelled. `None` when it is cancelled, being cancelled, or failing anyway.
///
/// # Errors
/// `ORDER_FAILED` when it has failed; `ORDER_SHIPPED` when its goods are known to have left.
pub fn cancel(mut order: Order, by: &str, note: &str, now: Timestamp) -> Result<Option<Decision>> {
    match order.state {
        State::Failed => return Err(Error::precondition("ORDER_FAILED", "the order has failed; there is nothing to cancel")),
        State::Cancelled | State::Cancelling => return Ok(None),
        _ if order.undoing() => return Ok(None),
        _ if order.shipment == Shipment::Left => return Err(too_late()),
        _ => {}
    }
    let message = if note.is_empty() { "cancelled on request" } else { note };
    order.ending = Some(Ending::new("CANCELLED", message));
    order.state = State::Cancelling;
    order.challenge = None;
    order.tries = 0;
    due_now(&mut order, now);
    if matches!(order.cart, Cart::Later | Cart::Asked) {
        order.cart = Cart::NotNeeded;
    }
    let decision = Decision {
        order,
        what: "CANCELLATION_REQUESTED",
        note: note.to_owned(),
        actor: by.to_owned(),
        events: vec![Event::CancellationRequested { by: by.to_owned() }],
        document: None,
        shipments: Vec::new(),
    };
    Ok(Some(settle(decision, now)))
}

/// The goods have left.
pub fn too_late() -> Error {
    Error::precondition("ORDER_SHIPPED", "the goods have left; the order cannot be cancelled any more")
}

/// Stock is held: the next intent.
fn on_held(order: &mut Order, events: &mut Vec<Event>, policy: &Policy, now: Timestamp) {
    match order.payment {
        Payment::Later => order.payment = Payment::Asked,
        _ => on_authorized(order, events, policy, now),
    }
}

/// Payment is authorized, or not needed: wait for staff, or go for the pivot.
fn on_authorized(order: &mut Order, events: &mut Vec<Event>, policy: &Policy, now: Timestamp) {
    if order.approval != Approval::Needed {
        order.state = State::Pending;
        order.stock = Stock::Committing;
        due_now(order, now);
        return;
    }
    if order.state != State::AwaitingApproval {
        order.state = State::AwaitingApproval;
        order.limit_at = now.plus(policy.approval_limit);
        events.push(Event::ApprovalRequested);
    }
    order.due_at = Some(look_again(order, now, Duration::MAX));
}

fn confirm(order: &mut Order, now: Timestamp) {
    order.stock = Stock::Committed;
    order.state = State::Confirmed;
    order.confirmed_at = Some(now);
    order.shipment = Shipment::Asked;
    if order.payment == Payment::Authorized {
        order.payment = Payment::CaptureAsked;
    }
    if order.cart == Cart::Later {
        order.cart = Cart::Asked;
    }
}

/// The order cannot be placed: from here on it is undone.
fn end(order: &mut Order, ending: Ending) {
    order.ending = Some(ending);
    order.challenge = None;
    order.state = State::Pending;
}

fn timed_out(order: &Order) -> Ending {
    match order.state {
        State::ActionRequired => Ending::new("ACTION_TIMED_OUT", "the payment was not confirmed by the buyer in time"),
        State::AwaitingApproval => Ending::new("APPROVAL_TIMED_OUT", "the order was not approved in time"),
        _ => Ending::new("PLACING_TIMED_OUT", "the order could not be placed in time"),
    }
}

/// When to look again at an order that waits for a person: after a pause, but at its limit, and before its hold expires.
fn look_again(order: &Order, now: Timestamp, pause: Duration) -> Timestamp {
    let renew = order.hold_until.minus(RENEW_BEFORE).max(now.plus(ASK_FIRST));
    order.limit_at.min(renew).min(now.plus(pause))
}

/// The pause after a hold was renewed: staff come by themselves, a bank is asked.
fn renewed_pause(order: &Order) -> Duration {
    if order.state == State::ActionRequired { ASK_FIRST } else { Duration::MAX }
}

/// When the payment of a challenged order, asked about in vain for the `tries`th time, is asked about again.
#[must_use]
pub fn ask_again(order: &Order, now: Timestamp) -> Timestamp {
    let doubled = ASK_FIRST.saturating_mul(1 << order.tries.clamp(0, 5));
    look_again(order, now, doubled.min(ASK_MAX))
}

/// The worker has something to do at once.
fn due_now(order: &mut Order, now: Timestamp) {
    if order.due_at.is_none_or(|due| due > now) {
        order.due_at = Some(now);
    }
}

/// Ends an order that has nothing left to undo, and says whether the worker is still needed.
fn settle(mut decision: Decision, now: Timestamp) -> Decision {
    let order = &mut decision.order;
    order.version += 1;
    order.updated_at = now;
    if order.undoing() && backward(order) == Step::Rest {
        if order.state == State::Cancelling {
            order.state = State::Cancelled;
            decision.events.push(Event::Cancelled);
            if order.confirmed_at.is_some() {
                decision.document = Some(InvoiceKind::CreditNote);
            }
        } else {
            order.state = State::Failed;
            order.external_reference = None;
            decision.events.push(Event::Failed);
        }
    }
    if next(order, now) == Step::Rest {
        order.due_at = None;
    } else if !matches!(order.state, State::ActionRequired | State::AwaitingApproval) {
        due_now(order, now);
    }
    decision
}
