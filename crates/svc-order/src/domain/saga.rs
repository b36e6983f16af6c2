//! The placing saga as two functions: [`next`] says what to do with an order, [`super::apply`] says what its outcome makes of it.
//!
//! Forward: hold stock, authorize payment, wait for a person where one must act, commit stock (the pivot), confirm, then capture,
//! ship and clear the cart. Backward, in reverse: recall the shipment, give the money back, give the stock back. The state
//! holds what was *asked* before it is asked, so whoever reads it after a crash knows what may have happened.

use std::time::Duration;

use kernel::{PaymentId, Timestamp};

use super::{Cart, Challenge, Ending, MadeShipment, Order, Payment, Policy, Shipment, State, Stock};

/// How long before its end a hold is renewed.
const RENEW_BEFORE: Duration = Duration::from_secs(120);
/// First pause between two questions about a challenge; doubles with each.
pub(super) const ASK_FIRST: Duration = Duration::from_secs(2);
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
    if matches!(order.payment, Payment::Later | Payment::Asked) {
        Step::AuthorizePayment
    } else {
        Step::CommitStock
    }
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

pub(super) fn follow_up(order: &Order) -> Step {
    let capture = order.payment == Payment::CaptureAsked;
    let ship = order.shipment == Shipment::Asked;
    let cart = order.cart == Cart::Asked;
    if capture || ship || cart { Step::FollowUp { capture, ship, cart } } else { Step::Rest }
}

pub(super) fn backward(order: &Order) -> Step {
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
        Payment::Asked
            | Payment::Challenged
            | Payment::Authorized
            | Payment::CaptureAsked
            | Payment::Captured
    )
}

/// When to look again at an order that waits for a person: after a pause, but at its limit, and before its hold expires.
pub(super) fn look_again(order: &Order, now: Timestamp, pause: Duration) -> Timestamp {
    let renew = order.hold_until.minus(RENEW_BEFORE).max(now.plus(ASK_FIRST));
    order.limit_at.min(renew).min(now.plus(pause))
}

/// Clocks may differ by this much before a time counts as set by one that was ahead.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);

/// A limit that is further ahead than an order's can be, and by more than this, was set by a clock that was ahead, and begins anew.
/// By less, it may be this clock that is behind: a shorter limit would be over as soon as the clock is right again.
const BEHIND_MAX: Duration = Duration::from_secs(86_400);

/// The longest pause after which an order in this state is looked at again. A later time was set by a clock that was ahead.
#[must_use]
pub fn longest_pause(state: State, policy: &Policy) -> Duration {
    let pause = if state == State::AwaitingApproval { policy.approval_limit.max(ASK_MAX) } else { ASK_MAX };
    pause.saturating_add(CLOCKS_DIFFER)
}

/// The order without times that no clock can have set which was right: they come from one that was ahead. It is due now, its
/// limit begins anew, and its hold is renewed, which shows whether it still stands.
#[must_use]
pub fn in_time(mut order: Order, policy: &Policy, now: Timestamp) -> Order {
    let pause = longest_pause(order.state, policy);
    order.due_at = order.due_at.map(|due| if due > now.plus(pause) { now } else { due });
    let limit = match order.state {
        State::AwaitingApproval => policy.approval_limit,
        _ => policy.placing_limit.max(policy.action_limit),
    };
    if order.limit_at > now.plus(limit.saturating_add(BEHIND_MAX)) {
        order.limit_at = now.plus(limit);
        order.hold_until = order.hold_until.min(now);
        order.due_at = order.due_at.map(|due| due.min(now));
    }
    order
}

/// The pause after a hold was renewed: staff come by themselves, a bank is asked.
pub(super) fn renewed_pause(order: &Order) -> Duration {
    if order.state == State::ActionRequired { ASK_FIRST } else { Duration::MAX }
}

/// When the payment of a challenged order, asked about in vain for the `tries`th time, is asked about again.
#[must_use]
pub fn ask_again(order: &Order, now: Timestamp) -> Timestamp {
    let doubled = ASK_FIRST.saturating_mul(1 << order.tries.clamp(0, 5));
    look_again(order, now, doubled.min(ASK_MAX))
}
