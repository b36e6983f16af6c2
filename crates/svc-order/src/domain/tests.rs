//! Cases and laws of the state machine.

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::{Currency, Money, PaymentId, QuoteId, Timestamp};
use proptest::prelude::*;

use super::*;

const START: Timestamp = Timestamp::from_secs(1_700_000_000);
const HOLD: Duration = Duration::from_secs(900);

pub(crate) fn policy() -> Policy {
    Policy {
        approval_above: BTreeMap::from([("GBP".to_owned(), 100_000)]),
        placing_limit: Duration::from_secs(600),
        action_limit: Duration::from_secs(1800),
        approval_limit: Duration::from_secs(86_400),
    }
}

pub(crate) fn new_order(quote_id: QuoteId, total: Money) -> NewOrder {
    NewOrder {
        quote_id,
        owner: "cus_1".to_owned(),
        caller: "cus_1".to_owned(),
        external_reference: Some("shop:1".to_owned()),
        external_time: None,
        total,
        tax: Money::zero(total.currency),
        line_count: 2,
        first_product: "Harbour bowl".to_owned(),
        units: 3,
        payment_method: if total.is_zero() { String::new() } else { "pm_card_visa".to_owned() },
        from_cart: true,
        requires_approval: false,
    }
}

fn placed(minor: i64) -> Order {
    Order::place(new_order(QuoteId::from_bits(7), Money::new(minor, Currency::GBP)), &policy(), START).order
}

fn payment() -> PaymentId {
    PaymentId::from_bits(7)
}

fn until() -> Timestamp {
    START.plus(HOLD)
}

/// Applies outcomes one after the other, each to the step that is next; gives the last decision.
fn walk(order: Order, outcomes: Vec<Outcome>) -> Decision {
    let mut last = None;
    let mut order = order;
    for outcome in outcomes {
        let step = next(&order, START);
        let decision = apply(order.clone(), step, outcome, &policy(), START).expect("an outcome of the step");
        order = decision.order.clone();
        last = Some(decision);
    }
    last.expect("at least one outcome")
}

fn confirmed() -> Order {
    walk(
        placed(500),
        vec![Outcome::Held { until: until() }, Outcome::Authorized(payment()), Outcome::StockCommitted],
    )
    .order
}

fn followed_up() -> Outcome {
    Outcome::FollowedUp { captured: true, shipped: Some(Vec::new()), cleared: true }
}

#[test]
fn the_way_forward_takes_four_commits() {
    let order = placed(500);
    assert_eq!((order.version, order.stock, next(&order, START)), (1, Stock::Asked, Step::HoldStock));
    let held = walk(order, vec![Outcome::Held { until: until() }]).order;
    assert_eq!((held.payment, next(&held, START)), (Payment::Asked, Step::AuthorizePayment));
    let authorized = walk(held, vec![Outcome::Authorized(payment())]).order;
    assert_eq!((authorized.stock, next(&authorized, START)), (Stock::Committing, Step::CommitStock));
    let decision = walk(authorized, vec![Outcome::StockCommitted]);
    assert_eq!((decision.order.state, decision.order.version), (State::Confirmed, 4));
    assert_eq!(decision.document, Some(InvoiceKind::Invoice));
    assert_eq!(decision.events, [Event::Confirmed]);
    assert_eq!(next(&decision.order, START), Step::FollowUp { capture: true, ship: true, cart: true });
    let done = walk(decision.order, vec![followed_up()]).order;
    assert_eq!((done.state, done.payment, done.due_at), (State::Confirmed, Payment::Captured, None));
}

#[test]
fn a_zero_total_skips_payment() {
    let held = walk(placed(0), vec![Outcome::Held { until: until() }]).order;
    assert_eq!((held.stock, held.payment), (Stock::Committing, Payment::NotNeeded));
    let confirmed = walk(held, vec![Outcome::StockCommitted]).order;
    assert_eq!(next(&confirmed, START), Step::FollowUp { capture: false, ship: true, cart: true });
}

#[test]
fn a_loser_fails_in_one_commit_and_gives_its_reference_back() {
    let decision = walk(placed(500), vec![Outcome::HoldRefused(Ending::new("OUT_OF_STOCK", "nothing left"))]);
    assert_eq!((decision.order.state, decision.order.external_reference.as_deref()), (State::Failed, None));
    assert_eq!((decision.events.as_slice(), decision.order.due_at), ([Event::Failed].as_slice(), None));
}

#[test]
fn a_decline_gives_the_stock_back_before_the_order_fails() {
    let declined = Outcome::PaymentRefused(Some(payment()), Ending::new("PAYMENT_DECLINED", "no"));
    let undoing = walk(placed(500), vec![Outcome::Held { until: until() }, declined]).order;
    assert_eq!((undoing.state, next(&undoing, START)), (State::Pending, Step::ReleaseStock));
    assert_eq!(walk(undoing, vec![Outcome::StockReleased]).order.state, State::Failed);
}

#[test]
fn an_order_that_a_clock_a_year_ahead_put_aside_is_looked_at_now() {
    let challenge = Challenge { url: "https://bank".into(), id: "c".into() };
    let waiting =
        walk(placed(500), vec![Outcome::Held { until: until() }, Outcome::Challenged(payment(), challenge)])
            .order;
    assert_eq!(in_time(waiting.clone(), &policy(), START), waiting, "its times are those of a right clock");
    let year = Duration::from_secs(365 * 86_400);
    let now = START.minus(year);
    assert!(matches!(next(&waiting, now), Step::Wait(_)));
    let behind = in_time(waiting.clone(), &policy(), START.minus(Duration::from_secs(3_600)));
    assert_eq!(behind.limit_at, waiting.limit_at, "a clock that is an hour behind shortens nothing");
    let taken = in_time(waiting, &policy(), now);
    assert_eq!(next(&taken, now), Step::RenewHold, "which shows whether the hold still stands");
    assert_eq!(next(&taken, now.plus(policy().action_limit.max(policy().placing_limit))), Step::GiveUp);
}

#[test]
fn a_challenge_waits_asks_renews_and_ends_at_its_limit() {
    let challenge = Challenge { url: "https://bank".into(), id: "c".into() };
    let waiting =
        walk(placed(500), vec![Outcome::Held { until: until() }, Outcome::Challenged(payment(), challenge)])
            .order;
    assert_eq!(waiting.state, State::ActionRequired);
    let due = waiting.due_at.expect("to be asked");
    assert_eq!(next(&waiting, START), Step::Wait(due));
    assert_eq!(next(&waiting, due), Step::AskPayment);
    assert_eq!(next(&waiting, START.plus(HOLD - Duration::from_secs(60))), Step::RenewHold);
    let late = START.plus(policy().action_limit);
    assert_eq!(next(&waiting, late), Step::GiveUp);
    let ended = apply(waiting.clone(), Step::GiveUp, Outcome::LimitReached, &policy(), late)
        .expect("time is up")
        .order;
    assert_eq!(
        (ended.ending.as_ref().map(|e| &*e.reason), next(&ended, late)),
        (Some("ACTION_TIMED_OUT"), Step::ReleasePayment)
    );
    let passed = apply(waiting, Step::AskPayment, Outcome::Authorized(payment()), &policy(), due)
        .expect("passed")
        .order;
    assert_eq!((passed.state, next(&passed, due)), (State::Pending, Step::CommitStock));
}

#[test]
fn a_large_total_awaits_approval_once() {
    let decision =
        walk(placed(100_001), vec![Outcome::Held { until: until() }, Outcome::Authorized(payment())]);
    assert_eq!(
        (decision.order.state, decision.events.as_slice()),
        (State::AwaitingApproval, [Event::ApprovalRequested].as_slice())
    );
    assert!(matches!(next(&decision.order, START), Step::Wait(_)));
    let approved = approve(decision.order.clone(), "cus_2", "fine", &policy(), START)
        .expect("waits")
        .expect("changes")
        .order;
    assert_eq!((approved.state, next(&approved, START)), (State::Pending, Step::CommitStock));
    assert!(approve(approved, "cus_2", "", &policy(), START).expect("again").is_none());
    assert_eq!(
        approve(placed(1), "cus_2", "", &policy(), START).expect_err("not asked").reason(),
        "NOT_AWAITING_APPROVAL"
    );
    let late = START.plus(policy().approval_limit);
    let ended = apply(decision.order, Step::GiveUp, Outcome::LimitReached, &policy(), late)
        .expect("time is up")
        .order;
    assert_eq!(ended.ending.map(|ending| ending.reason), Some("APPROVAL_TIMED_OUT".into()));
}

#[test]
fn placing_is_given_up_before_the_pivot_only() {
    let late = START.plus(policy().placing_limit);
    let order = placed(500);
    assert_eq!(next(&order, late), Step::GiveUp);
    let committing =
        walk(order, vec![Outcome::Held { until: until() }, Outcome::Authorized(payment())]).order;
    assert_eq!(next(&committing, late), Step::CommitStock);
}

#[test]
fn a_hold_that_is_lost_at_the_pivot_undoes_the_order() {
    let order = walk(
        placed(500),
        vec![Outcome::Held { until: until() }, Outcome::Authorized(payment()), Outcome::HoldLost],
    )
    .order;
    assert_eq!((order.state, next(&order, START)), (State::Pending, Step::ReleasePayment));
    let failed = walk(order, vec![Outcome::PaymentVoided]).order;
    assert_eq!(
        (failed.state, failed.ending.map(|ending| ending.reason)),
        (State::Failed, Some("HOLD_EXPIRED".into()))
    );
}

#[test]
fn cancelling_undoes_what_was_done_in_reverse() {
    let done = walk(confirmed(), vec![followed_up()]).order;
    let order = cancel(done, "cus_1", "changed my mind", START).expect("at rest").expect("changes").order;
    assert_eq!((order.state, order.due_at.is_some()), (State::Cancelling, true));
    let decision =
        walk(order, vec![Outcome::ShipmentRecalled, Outcome::PaymentRefunded, Outcome::StockReturned]);
    assert_eq!((decision.order.state, decision.document), (State::Cancelled, Some(InvoiceKind::CreditNote)));
    assert_eq!(
        decision.order.external_reference.as_deref(),
        Some("shop:1"),
        "a cancelled order keeps its name"
    );
    assert!(cancel(decision.order, "cus_1", "", START).expect("again").is_none());
}

#[test]
fn cancelling_too_late_leaves_the_order_as_it_was() {
    let cancelling = cancel(confirmed(), "cus_1", "", START).expect("confirmed").expect("changes").order;
    let decision = walk(cancelling, vec![Outcome::ShipmentLeft]);
    assert_eq!((decision.order.state, decision.order.ending.is_some()), (State::Confirmed, false));
    assert_eq!(next(&decision.order, START), Step::FollowUp { capture: true, ship: false, cart: false });
    assert_eq!(cancel(decision.order, "cus_1", "", START).expect_err("left").reason(), "ORDER_SHIPPED");
}

#[test]
fn a_failed_order_cannot_be_cancelled() {
    let failed = walk(placed(500), vec![Outcome::HoldRefused(Ending::new("OUT_OF_STOCK", "none"))]).order;
    assert_eq!(cancel(failed, "cus_1", "", START).expect_err("failed").reason(), "ORDER_FAILED");
}

#[test]
fn an_outcome_of_another_step_is_a_bug() {
    assert!(apply(placed(500), Step::HoldStock, Outcome::StockCommitted, &policy(), START).is_err());
    assert!(
        apply(
            confirmed(),
            Step::FollowUp { capture: true, ship: true, cart: true },
            Outcome::HoldLost,
            &policy(),
            START
        )
        .is_err()
    );
}

#[test]
fn codes_read_back() {
    for state in State::ALL {
        assert_eq!(State::from_code(state.code()).expect("own code"), *state);
    }
    assert!(State::from_code(0).is_err() && Payment::from_code(99).is_err());
}

/// What the world may answer to a step, by a number.
fn answer(step: Step, dice: u8, now: Timestamp) -> Option<Outcome> {
    let ending = || Ending::new("NO", "no");
    let until = now.plus(HOLD);
    Some(match (step, dice % 4) {
        (Step::HoldStock, 0) => Outcome::HoldRefused(ending()),
        (Step::HoldStock, _) => Outcome::Held { until },
        (Step::RenewHold, 0) => Outcome::HoldLost,
        (Step::RenewHold, 1) => Outcome::LimitReached,
        (Step::RenewHold, _) => Outcome::HoldRenewed { until },
        (Step::AuthorizePayment, 0) => Outcome::PaymentRefused(None, ending()),
        (Step::AuthorizePayment, 1) => Outcome::Challenged(payment(), Challenge::default()),
        (Step::AskPayment, 0) => Outcome::PaymentRefused(Some(payment()), ending()),
        (Step::AskPayment, 1) => return None,
        (Step::AuthorizePayment | Step::AskPayment, _) => Outcome::Authorized(payment()),
        (Step::CommitStock, 0) => Outcome::HoldLost,
        (Step::CommitStock, _) => Outcome::StockCommitted,
        (Step::FollowUp { .. }, dice) => Outcome::FollowedUp {
            captured: dice != 1,
            shipped: (dice != 0).then(Vec::new),
            cleared: dice != 3,
        },
        (Step::RecallShipment, 0) => Outcome::ShipmentLeft,
        (Step::RecallShipment, _) => Outcome::ShipmentRecalled,
        (Step::ReleasePayment, 0 | 1) => Outcome::PaymentVoided,
        (Step::ReleasePayment, _) => Outcome::PaymentRefunded,
        (Step::ReleaseStock, 0 | 1) => Outcome::StockReleased,
        (Step::ReleaseStock, _) => Outcome::StockReturned,
        (Step::GiveUp, _) => Outcome::LimitReached,
        (Step::Wait(_) | Step::Rest, _) => return None,
    })
}

/// What must hold of every order.
fn lawful(before: &Order, decision: &Decision, now: Timestamp) -> Result<(), TestCaseError> {
    let order = &decision.order;
    prop_assert_eq!(order.version, before.version + 1);
    prop_assert!(!before.state.terminal(), "terminal states do not change");
    prop_assert_eq!(
        order.due_at.is_none(),
        next(order, now) == Step::Rest,
        "due exactly while there is something to do"
    );
    prop_assert_eq!(
        decision.events.contains(&Event::Confirmed),
        decision.document == Some(InvoiceKind::Invoice)
    );
    prop_assert_eq!(order.challenge.is_some(), order.state == State::ActionRequired);
    prop_assert_eq!(order.external_reference.is_none(), order.state == State::Failed);
    match order.state {
        State::Confirmed => prop_assert_eq!(order.stock, Stock::Committed),
        State::Failed => prop_assert!(order.confirmed_at.is_none(), "a confirmed order does not fail"),
        State::Cancelled => prop_assert_eq!(decision.document.is_some(), order.confirmed_at.is_some()),
        _ => {}
    }
    if order.state.terminal() {
        let money_back =
            [Payment::NotNeeded, Payment::Later, Payment::Voided, Payment::Refunded, Payment::Declined];
        prop_assert!(money_back.contains(&order.payment), "{:?}", order.payment);
        prop_assert!(
            matches!(order.stock, Stock::Released | Stock::Returned | Stock::Refused),
            "{:?}",
            order.stock
        );
        prop_assert!(matches!(order.shipment, Shipment::Later | Shipment::Recalled), "{:?}", order.shipment);
    }
    Ok(())
}

proptest! {
    #[test]
    fn every_way_through_keeps_the_laws(
        minor in prop_oneof![Just(0), 1_i64..200_000],
        dice in prop::collection::vec((any::<u8>(), 0_u64..400), 1..60),
    ) {
        let mut order = placed(minor);
        let mut now = START;
        for (dice, seconds) in dice {
            now = now.plus(Duration::from_secs(seconds));
            let changed = if dice % 16 == 15 {
                cancel(order.clone(), "cus_1", "", now).ok().flatten()
            } else if order.state == State::AwaitingApproval && dice % 4 == 3 {
                approve(order.clone(), "cus_2", "", &policy(), now).ok().flatten()
            } else {
                let step = next(&order, now);
                answer(step, dice, now).map(|outcome| apply(order.clone(), step, outcome, &policy(), now).expect("its own outcome"))
            };
            if let Some(decision) = changed {
                lawful(&order, &decision, now)?;
                order = decision.order;
            }
        }
    }

    #[test]
    fn whatever_happened_an_order_comes_to_rest_when_the_world_answers(
        dice in prop::collection::vec(any::<u8>(), 0..20),
        cancelled in any::<bool>(),
    ) {
        let mut order = placed(500);
        let mut now = START;
        let mut dice = dice.into_iter();
        let mut cancelled = cancelled;
        for _ in 0..200 {
            now = now.plus(Duration::from_secs(30));
            if let (true, None) = (cancelled, dice.as_slice().first()) {
                cancelled = false;
                order = cancel(order.clone(), "cus_1", "", now).ok().flatten().map_or(order, |decision| decision.order);
            }
            let step = next(&order, now);
            if step == Step::Rest {
                break;
            }
            if let Some(outcome) = answer(step, dice.next().unwrap_or(2), now) {
                order = apply(order.clone(), step, outcome, &policy(), now).expect("its own outcome").order;
            }
        }
        prop_assert!(order.state.at_rest() && order.due_at.is_none(), "{order:?}");
    }
}
