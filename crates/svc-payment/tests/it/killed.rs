use contract::souk::payment::v1::*;

use crate::shop::{Shop, gbp, minor, void};

/// Every place at which a step can die.
const POINTS: [&str; 8] = [
    "payment.authorize.before_call",
    "payment.authorize.after_call",
    "payment.capture.before_call",
    "payment.capture.after_call",
    "payment.refund.before_call",
    "payment.refund.after_call",
    "payment.void.before_call",
    "payment.void.after_call",
];

#[tokio::test(start_paused = true)]
async fn a_step_that_died_is_finished_by_the_repeated_call() {
    for point in POINTS {
        let shop = Shop::open().await;
        shop.harness.faults().kill_at(point, 1);
        let order = shop.order();
        let other = shop.order();
        let mut killed = 0;
        let request = crate::shop::authorize(order, 1, 1_000, "pm_card_visa");
        killed += usize::from(shop.as_order().authorize_payment(request.clone()).await.is_err());
        let answer = shop.as_order().authorize_payment(request).await.expect("finished").into_inner();
        assert_eq!(answer.status(), AuthorizationStatus::Authorized, "{point}");
        let id = answer.payment.expect("a payment").id;
        killed += usize::from(shop.capture(&id, "1", None).await.is_err());
        shop.capture(&id, "1", None).await.expect("finished");
        killed += usize::from(shop.refund(&id, "1", gbp(250)).await.is_err());
        shop.refund(&id, "1", gbp(250)).await.expect("finished");
        shop.authorize(other, 1_000, "pm_card_visa").await;
        killed += usize::from(shop.as_order().void_payment(void(other, 1_000, "1")).await.is_err());
        let voided = shop.void(other, 1_000, "1").await.expect("finished");
        assert_eq!(voided.state(), OperationState::Succeeded, "{point}");
        assert_eq!(killed, 1, "{point}");
        let payment = shop.payment(&id).await;
        assert_eq!((minor(&payment.captured), minor(&payment.refunded)), (1_000, 250), "{point}");
        shop.prove().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_that_died_and_is_not_repeated_is_settled_all_the_same() {
    for point in POINTS {
        let shop = Shop::open().await;
        let order = shop.order();
        let id = shop.authorize(order, 1_000, "pm_card_visa").await.payment.expect("a payment").id;
        let other = shop.order();
        shop.harness.faults().kill_at(point, 1);
        let died = match point.split('.').nth(1) {
            Some("authorize") => {
                let request = crate::shop::authorize(other, 1, 500, "pm_card_visa");
                shop.as_order().authorize_payment(request).await.is_err()
            }
            Some("capture") => shop.capture(&id, "1", gbp(400)).await.is_err(),
            Some("void") => shop.void(order, 1_000, "1").await.is_err(),
            _ => {
                shop.capture(&id, "1", gbp(400)).await.expect("captured");
                shop.refund(&id, "1", gbp(100)).await.is_err()
            }
        };
        assert!(died, "{point}");
        shop.wait(120_000).await;
        shop.prove().await;
        for audit in shop.audited().await {
            assert!(
                audit.attempts.iter().all(|a| matches!(
                    a.state(),
                    AttemptState::Authorized | AttemptState::Failed | AttemptState::Voided
                )),
                "{point}: {audit:?}"
            );
            assert!(
                audit.captures.iter().all(|c| c.state() == OperationState::Succeeded),
                "{point}: {audit:?}"
            );
            assert!(
                audit.refunds.iter().all(|r| r.state() == OperationState::Succeeded),
                "{point}: {audit:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_authorization_that_died_before_it_was_sent_can_be_given_up() {
    for point in ["payment.authorize.before_call", "payment.authorize.after_call"] {
        let shop = Shop::open().await;
        let order = shop.order();
        shop.harness.faults().kill_at(point, 1);
        shop.as_order()
            .authorize_payment(crate::shop::authorize(order, 1, 900, "pm_card_visa"))
            .await
            .expect_err("died");
        let voided = shop.void(order, 900, "1").await.expect("an answer");
        assert_eq!(voided.state(), OperationState::Succeeded, "{point}");
        shop.prove().await;
    }
}
