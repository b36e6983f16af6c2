use kernel::Currency;
use proptest::prelude::*;

use super::super::attempt::tests::outcomes;
use super::super::ledger::{Entry, sums};
use super::super::{AuthorizationOutcome, OperationOutcome, OperationState};
use super::*;

fn begin(minor: i64) -> Begin {
    Begin {
        order: OrderId::from_bits(1 << 90),
        tender: 0,
        owner: "cus_1".to_owned(),
        amount: Money::new(minor, Currency::GBP),
        provider: "testpay".to_owned(),
        now: Timestamp::from_secs(1),
    }
}

fn authorized(minor: i64) -> Payment {
    let (payment, attempt) = Payment::begin(begin(minor));
    let outcome = AuthorizationOutcome::Authorized { reference: "tpa_1".to_owned() };
    payment.after_attempt(&attempt.after(&outcome, Timestamp::from_secs(2)).expect("a change"))
}

fn operation(payment: &Payment, kind: OperationKind, amount: Money) -> Operation {
    Operation {
        id: format!("{}_{}", kind.prefix(), payment.operations),
        payment: payment.id,
        attempt: payment.attempt,
        kind,
        amount,
        state: OperationState::Sending,
        provider: payment.provider.clone(),
        target: payment.reference.clone(),
        reference: String::new(),
        failure: None,
        reason: String::new(),
        asked: 0,
        created: Timestamp::from_secs(3),
        updated: Timestamp::from_secs(3),
    }
}

fn gbp(minor: i64) -> Option<Money> {
    Some(Money::new(minor, Currency::GBP))
}

#[test]
fn ids_of_tenders_differ_and_follow_from_the_order() {
    let order = OrderId::from_bits(42);
    assert_eq!(payment_id(order, 0), payment_id(order, 0));
    assert_ne!(payment_id(order, 0), payment_id(order, 1));
}

#[test]
fn a_decline_lets_the_next_attempt_through_and_nothing_else() {
    let (payment, attempt) = Payment::begin(begin(1000));
    assert_eq!(
        payment.attempt_again(2, Timestamp::default()).expect_err("running").reason(),
        "PAYMENT_STATE"
    );
    let declined = AuthorizationOutcome::Declined {
        reference: String::new(),
        failure: Failure::new("card_declined", "No."),
    };
    let payment =
        payment.after_attempt(&attempt.after(&declined, Timestamp::from_secs(2)).expect("a change"));
    assert_eq!((payment.state, payment.authorized), (PaymentState::Failed, 0));
    assert_eq!(
        payment.attempt_again(3, Timestamp::default()).expect_err("skips").reason(),
        "ATTEMPT_OUT_OF_ORDER"
    );
    assert_eq!(
        payment.claim_capture(None, Timestamp::default()).expect_err("failed").reason(),
        "PAYMENT_STATE"
    );
    let (again, attempt) = payment.attempt_again(2, Timestamp::from_secs(3)).expect("the next");
    assert_eq!((again.state, attempt.number, again.failure), (PaymentState::Authorizing, 2, None));
    assert_eq!(payment.close(Timestamp::from_secs(3)).expect("closed").state, PaymentState::Voided);
}

#[test]
fn caps_hold_at_their_edges() {
    let payment = authorized(1000);
    let now = Timestamp::from_secs(4);
    assert_eq!(
        payment.claim_capture(gbp(1001), now).expect_err("above").reason(),
        "CAPTURE_EXCEEDS_AUTHORIZED"
    );
    let wrong = payment.claim_capture(Some(Money::new(1, Currency::EUR)), now).expect_err("other currency");
    assert_eq!(wrong.violations()[0].field, "/amount/currency_code");
    let (payment, part) = payment.claim_capture(gbp(400), now).expect("a part");
    assert_eq!(payment.claim_void(now).expect_err("on its way").reason(), "PAYMENT_STATE");
    let moved = payment.after_operation(
        &operation(&payment, OperationKind::Capture, part),
        Effect::Moved,
        AttemptState::Authorized,
    );
    assert_eq!((moved.captured, moved.state), (400, PaymentState::Captured));
    assert_eq!(moved.claim_refund(gbp(401), now).expect_err("above").reason(), "REFUND_EXCEEDS_CAPTURED");
    let (_, rest) = moved.claim_capture(None, now).expect("the rest");
    assert_eq!(rest.minor, 600);
    let (claimed, _) = moved.claim_refund(None, now).expect("all");
    assert_eq!(
        claimed.claim_refund(gbp(1), now).expect_err("nothing left").reason(),
        "REFUND_EXCEEDS_CAPTURED"
    );
}

#[test]
fn a_void_that_is_refused_leaves_the_authorization() {
    let payment = authorized(1000).claim_void(Timestamp::from_secs(3)).expect("voiding");
    let void = operation(&payment, OperationKind::Void, payment.amount);
    let back = payment.after_operation(&void, Effect::Released, AttemptState::Authorized);
    assert_eq!((back.state, back.authorized), (PaymentState::Authorized, 1000));
    let gone = payment.after_operation(&void, Effect::Moved, AttemptState::Authorized);
    assert_eq!((gone.state, gone.authorized), (PaymentState::Voided, 0));
}

/// What a random run may do to a payment.
#[derive(Clone, Debug)]
enum Act {
    Capture(Option<i64>),
    Refund(Option<i64>),
    Void,
    /// The provider says something about one of the operations so far.
    Tell(prop::sample::Index, u8),
    Authorization(AuthorizationOutcome),
}

fn acts() -> impl Strategy<Value = Act> {
    prop_oneof![
        prop::option::of(-5_i64..700).prop_map(Act::Capture),
        prop::option::of(-5_i64..700).prop_map(Act::Refund),
        Just(Act::Void),
        (any::<prop::sample::Index>(), 0_u8..3).prop_map(|(at, what)| Act::Tell(at, what)),
        (any::<prop::sample::Index>(), 0_u8..3).prop_map(|(at, what)| Act::Tell(at, what)),
        outcomes().prop_map(Act::Authorization),
    ]
}

fn told(what: u8) -> OperationOutcome {
    match what {
        0 => OperationOutcome::Succeeded { reference: "x".to_owned() },
        1 => OperationOutcome::Pending { reference: "x".to_owned() },
        _ => OperationOutcome::Failed { reference: "x".to_owned(), failure: Failure::new("no", "No.") },
    }
}

fn caps_hold(payment: &Payment) -> bool {
    0 <= payment.refunded
        && payment.refunded <= payment.refund_claimed
        && payment.refund_claimed <= payment.capture_claimed
        && payment.captured <= payment.capture_claimed
        && payment.refund_claimed <= payment.captured
        && payment.capture_claimed <= payment.authorized
        && payment.authorized <= payment.amount.minor
}

proptest! {
    #[test]
    fn caps_and_books_hold_under_any_sequence(acts in prop::collection::vec(acts(), 1..60)) {
        let now = Timestamp::from_secs(5);
        let (mut payment, mut attempt) = Payment::begin(begin(1000));
        let mut operations: Vec<Operation> = Vec::new();
        let mut books: Vec<Entry> = Vec::new();
        for act in acts {
            let claimed = match act {
                Act::Capture(minor) => payment.claim_capture(minor.and_then(gbp), now).map(|(p, m)| (p, OperationKind::Capture, m)),
                Act::Refund(minor) => payment.claim_refund(minor.and_then(gbp), now).map(|(p, m)| (p, OperationKind::Refund, m)),
                Act::Void => payment.claim_void(now).map(|p| { let amount = p.amount; (p, OperationKind::Void, amount) }),
                Act::Authorization(outcome) => {
                    if let Some(after) = attempt.after(&outcome, now) {
                        payment = payment.after_attempt(&after);
                        attempt = after;
                    }
                    continue;
                }
                Act::Tell(at, what) => {
                    if !operations.is_empty() {
                        let at = at.index(operations.len());
                        if let Some((after, effect)) = operations[at].after(&told(what), now) {
                            payment = payment.after_operation(&after, effect, attempt.state);
                            books.extend(Entry::of(&after, effect, payment.order));
                            operations[at] = after;
                        }
                    }
                    prop_assert!(caps_hold(&payment), "{payment:?}");
                    continue;
                }
            };
            if let Ok((after, kind, amount)) = claimed {
                operations.push(operation(&after, kind, amount));
                payment = after;
            }
            prop_assert!(caps_hold(&payment), "{payment:?}");
        }
        for (currency, sum) in sums(books.iter().flat_map(|entry| &entry.postings)) {
            prop_assert_eq!(sum, 0, "{}", currency);
        }
        let clearing: i128 = books.iter().flat_map(|e| &e.postings)
            .filter(|p| p.account == "provider:testpay:clearing").map(|p| i128::from(p.amount.minor)).sum();
        prop_assert_eq!(clearing, i128::from(payment.captured - payment.refunded));
        if payment.state == PaymentState::Voided {
            prop_assert_eq!(payment.captured, 0);
        }
    }
}
