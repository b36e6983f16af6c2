//! What an outcome, an approval or a cancellation makes of an order.

use kernel::{Error, Result, Timestamp};

use super::saga::{ASK_FIRST, backward, follow_up, look_again, renewed_pause};
use super::{
    Approval, Cart, Decision, Ending, Event, InvoiceKind, Order, Outcome, Payment, Policy, Shipment, State,
    Step, Stock, next,
};

/// A decision in the making.
struct Change<'a> {
    decision: Decision,
    policy: &'a Policy,
    now: Timestamp,
}

/// What happened, or the outcome back when it is not an outcome of the step.
type Happened = std::result::Result<&'static str, Outcome>;

/// Says what the outcome of a step, which [`next`] gave for this very order, makes of it.
///
/// # Errors
/// Internal when the outcome belongs to another step.
pub fn apply(
    order: Order,
    step: Step,
    outcome: Outcome,
    policy: &Policy,
    now: Timestamp,
) -> Result<Decision> {
    let id = order.id;
    let mut change = Change { decision: unchanged(order), policy, now };
    let happened = match step {
        Step::HoldStock => change.held(outcome),
        Step::RenewHold => change.renewed(outcome),
        Step::AuthorizePayment | Step::AskPayment => change.paid(step, outcome),
        Step::CommitStock => change.committed(outcome),
        Step::FollowUp { capture, ship, cart } => change.followed_up(capture, ship, cart, outcome),
        Step::RecallShipment | Step::ReleasePayment | Step::ReleaseStock => change.undone(step, outcome),
        Step::GiveUp => change.given_up(outcome),
        Step::Wait(_) | Step::Rest => Err(outcome),
    };
    change.decision.what = happened
        .map_err(|outcome| Error::internal(format!("{id}: {outcome:?} is not an outcome of {step:?}")))?;
    Ok(settle(change.decision, now))
}

fn unchanged(mut order: Order) -> Decision {
    order.tries = 0;
    Decision {
        order,
        what: "",
        note: String::new(),
        actor: String::new(),
        events: Vec::new(),
        document: None,
        shipments: Vec::new(),
    }
}

impl Change<'_> {
    fn held(&mut self, outcome: Outcome) -> Happened {
        let order = &mut self.decision.order;
        match outcome {
            Outcome::Held { until } => {
                order.stock = Stock::Held;
                order.hold_until = until;
                if order.payment == Payment::Later {
                    order.payment = Payment::Asked;
                } else {
                    self.authorized();
                }
                Ok("STOCK_HELD")
            }
            Outcome::HoldRefused(ending) => {
                order.stock = Stock::Refused;
                self.end(ending);
                Ok("STOCK_REFUSED")
            }
            other => Err(other),
        }
    }

    fn renewed(&mut self, outcome: Outcome) -> Happened {
        match outcome {
            Outcome::HoldRenewed { until } => {
                let order = &mut self.decision.order;
                order.hold_until = until;
                order.due_at = Some(look_again(order, self.now, renewed_pause(order)));
                Ok("HOLD_RENEWED")
            }
            Outcome::HoldLost => self.hold_lost(),
            other => self.given_up(other),
        }
    }

    fn hold_lost(&mut self) -> Happened {
        self.decision.order.stock = Stock::Released;
        self.end(Ending::new("HOLD_EXPIRED", "the stock could not be kept for the order any longer"));
        Ok("HOLD_LOST")
    }

    fn paid(&mut self, step: Step, outcome: Outcome) -> Happened {
        let order = &mut self.decision.order;
        match outcome {
            Outcome::Authorized(id) => {
                order.payment = Payment::Authorized;
                order.payment_id = Some(id);
                order.challenge = None;
                self.authorized();
                Ok("PAYMENT_AUTHORIZED")
            }
            Outcome::Challenged(id, challenge) if step == Step::AuthorizePayment => {
                order.payment = Payment::Challenged;
                order.payment_id = Some(id);
                order.challenge = Some(challenge);
                order.state = State::ActionRequired;
                order.limit_at = self.now.plus(self.policy.action_limit);
                order.due_at = Some(look_again(order, self.now, ASK_FIRST));
                self.decision.events.push(Event::ActionRequired);
                Ok("ACTION_REQUIRED")
            }
            Outcome::PaymentRefused(id, ending) => {
                order.payment = Payment::Declined;
                order.payment_id = id.or(order.payment_id);
                self.end(ending);
                Ok("PAYMENT_DECLINED")
            }
            other => Err(other),
        }
    }

    /// The pivot: from here on there is only forward.
    fn committed(&mut self, outcome: Outcome) -> Happened {
        match outcome {
            Outcome::StockCommitted => {}
            Outcome::HoldLost => return self.hold_lost(),
            other => return Err(other),
        }
        let order = &mut self.decision.order;
        order.stock = Stock::Committed;
        order.state = State::Confirmed;
        order.confirmed_at = Some(self.now);
        order.shipment = Shipment::Asked;
        if order.payment == Payment::Authorized {
            order.payment = Payment::CaptureAsked;
        }
        if order.cart == Cart::Later {
            order.cart = Cart::Asked;
        }
        self.decision.events.push(Event::Confirmed);
        self.decision.document = Some(InvoiceKind::Invoice);
        Ok("CONFIRMED")
    }

    fn followed_up(&mut self, capture: bool, ship: bool, cart: bool, outcome: Outcome) -> Happened {
        let Outcome::FollowedUp { captured, shipped, cleared } = outcome else { return Err(outcome) };
        let order = &mut self.decision.order;
        if capture && captured {
            order.payment = Payment::Captured;
        }
        if let (true, Some(made)) = (ship, shipped) {
            order.shipment = Shipment::Requested;
            self.decision.shipments = made;
        }
        if cart && cleared {
            order.cart = Cart::Cleared;
        }
        Ok(if follow_up(order) == Step::Rest { "COMPLETED" } else { "FOLLOWED_UP" })
    }

    fn undone(&mut self, step: Step, outcome: Outcome) -> Happened {
        let order = &mut self.decision.order;
        match (step, outcome) {
            (Step::RecallShipment, Outcome::ShipmentRecalled) => {
                order.shipment = Shipment::Recalled;
                Ok("SHIPMENT_RECALLED")
            }
            (Step::RecallShipment, Outcome::ShipmentLeft) => {
                order.shipment = Shipment::Left;
                order.state = State::Confirmed;
                order.ending = None;
                self.decision.events.push(Event::CancellationRefused);
                Ok("CANCELLATION_REFUSED")
            }
            (Step::ReleasePayment, Outcome::PaymentVoided) => {
                order.payment = Payment::Voided;
                Ok("PAYMENT_VOIDED")
            }
            (Step::ReleasePayment, Outcome::PaymentRefunded) => {
                order.payment = Payment::Refunded;
                Ok("PAYMENT_REFUNDED")
            }
            (Step::ReleaseStock, Outcome::StockReleased) => {
                order.stock = Stock::Released;
                Ok("STOCK_RELEASED")
            }
            (Step::ReleaseStock, Outcome::StockReturned) => {
                order.stock = Stock::Returned;
                Ok("STOCK_RETURNED")
            }
            (_, other) => Err(other),
        }
    }

    fn given_up(&mut self, outcome: Outcome) -> Happened {
        let Outcome::LimitReached = outcome else { return Err(outcome) };
        let ending = timed_out(&self.decision.order);
        self.end(ending);
        Ok("TIMED_OUT")
    }

    /// Payment is authorized, or not needed: wait for staff, or go for the pivot.
    fn authorized(&mut self) {
        let order = &mut self.decision.order;
        if order.approval != Approval::Needed {
            order.state = State::Pending;
            order.stock = Stock::Committing;
            due_now(order, self.now);
            return;
        }
        if order.state != State::AwaitingApproval {
            order.state = State::AwaitingApproval;
            order.limit_at = self.now.plus(self.policy.approval_limit);
            self.decision.events.push(Event::ApprovalRequested);
        }
        order.due_at = Some(look_again(order, self.now, std::time::Duration::MAX));
    }

    /// The order cannot be placed: from here on it is undone.
    fn end(&mut self, ending: Ending) {
        self.decision.note.clone_from(&ending.message);
        let order = &mut self.decision.order;
        order.ending = Some(ending);
        order.challenge = None;
        order.state = State::Pending;
    }
}

/// Staff agree. `None` when they had agreed already.
///
/// # Errors
/// `NOT_AWAITING_APPROVAL` when the order is in another state.
pub fn approve(
    order: Order,
    by: &str,
    note: &str,
    policy: &Policy,
    now: Timestamp,
) -> Result<Option<Decision>> {
    if order.approval == Approval::Given
        && matches!(order.state, State::Pending | State::Confirmed)
        && !order.undoing()
    {
        return Ok(None);
    }
    if order.state != State::AwaitingApproval || order.approval != Approval::Needed {
        return Err(Error::precondition("NOT_AWAITING_APPROVAL", "the order does not await approval"));
    }
    let mut change = Change { decision: unchanged(order), policy, now };
    let order = &mut change.decision.order;
    order.approval = Approval::Given;
    order.limit_at = now.plus(policy.placing_limit);
    change.decision.what = "APPROVED";
    change.decision.note = note.to_owned();
    change.decision.actor = by.to_owned();
    change.decision.events.push(Event::Approved { by: by.to_owned() });
    change.authorized();
    Ok(Some(settle(change.decision, now)))
}

/// Somebody wants the order cancelled. `None` when it is cancelled, being cancelled, or failing anyway.
///
/// # Errors
/// `ORDER_FAILED` when it has failed; `ORDER_SHIPPED` when its goods are known to have left.
pub fn cancel(order: Order, by: &str, note: &str, now: Timestamp) -> Result<Option<Decision>> {
    match order.state {
        State::Failed => {
            return Err(Error::precondition(
                "ORDER_FAILED",
                "the order has failed; there is nothing to cancel",
            ));
        }
        State::Cancelled | State::Cancelling => return Ok(None),
        _ if order.undoing() => return Ok(None),
        _ if order.shipment == Shipment::Left => return Err(too_late()),
        _ => {}
    }
    let mut decision = unchanged(order);
    let order = &mut decision.order;
    order.ending =
        Some(Ending::new("CANCELLED", if note.is_empty() { "cancelled on request" } else { note }));
    order.state = State::Cancelling;
    order.challenge = None;
    due_now(order, now);
    if matches!(order.cart, Cart::Later | Cart::Asked) {
        order.cart = Cart::NotNeeded;
    }
    decision.what = "CANCELLATION_REQUESTED";
    decision.note = note.to_owned();
    decision.actor = by.to_owned();
    decision.events.push(Event::CancellationRequested { by: by.to_owned() });
    Ok(Some(settle(decision, now)))
}

/// The goods have left.
pub fn too_late() -> Error {
    Error::precondition("ORDER_SHIPPED", "the goods have left; the order cannot be cancelled any more")
}

fn timed_out(order: &Order) -> Ending {
    match order.state {
        State::ActionRequired => {
            Ending::new("ACTION_TIMED_OUT", "the payment was not confirmed by the buyer in time")
        }
        State::AwaitingApproval => Ending::new("APPROVAL_TIMED_OUT", "the order was not approved in time"),
        _ => Ending::new("PLACING_TIMED_OUT", "the order could not be placed in time"),
    }
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
