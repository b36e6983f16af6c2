use contract::souk::payment::v1::*;
use tonic::Code;

use crate::shop::{Shop, authorize, field, gbp, minor, reason};

#[tokio::test(start_paused = true)]
async fn parts_are_captured_and_refunded_up_to_the_caps() {
    let shop = Shop::open().await;
    let id = shop.authorized(1_000, "pm_card_visa").await.id;
    for (key, amount) in [("1", 300), ("2", 200)] {
        shop.capture(&id, key, gbp(amount)).await.expect("captured");
    }
    let above = shop.capture(&id, "3", gbp(501)).await.expect_err("above");
    assert_eq!(
        (above.code(), reason(&above)),
        (Code::FailedPrecondition, "CAPTURE_EXCEEDS_AUTHORIZED".to_owned())
    );
    let wrong = CapturePaymentRequest {
        request_id: "eur".to_owned(),
        payment_id: id.clone(),
        amount: Some(contract::souk::r#type::v1::Money { currency_code: "EUR".to_owned(), minor_units: 1 }),
    };
    let wrong = shop.as_order().capture_payment(wrong).await.expect_err("another currency");
    assert_eq!(
        (reason(&wrong).as_str(), field(&wrong).as_str()),
        ("CURRENCY_MISMATCH", "/amount/currency_code")
    );

    shop.refund(&id, "1", gbp(450)).await.expect("refunded");
    let above = shop.refund(&id, "2", gbp(51)).await.expect_err("above");
    assert_eq!(reason(&above), "REFUND_EXCEEDS_CAPTURED");
    shop.capture(&id, "4", None).await.expect("the rest");
    shop.refund(&id, "3", None).await.expect("the rest");
    assert_eq!(
        reason(&shop.refund(&id, "4", None).await.expect_err("nothing left")),
        "REFUND_EXCEEDS_CAPTURED"
    );
    let payment = shop.payment(&id).await;
    assert_eq!((minor(&payment.captured), minor(&payment.refunded)), (1_000, 1_000));
    assert_eq!(shop.event_names().await, ["PaymentRefunded", "PaymentRefunded"]);
    shop.prove().await;
}

#[tokio::test(start_paused = true)]
async fn an_authorization_is_given_up_once_and_not_after_a_capture() {
    let shop = Shop::open().await;
    let order = shop.order();
    let payment = shop.authorize(order, 600, "pm_card_visa").await.payment.expect("a payment");
    let voided = shop.void(order, 600, "1").await.expect("voided");
    assert_eq!(voided.state(), OperationState::Succeeded);
    assert_eq!(voided.payment.expect("a payment").state(), PaymentState::Voided);
    assert_eq!(shop.void(order, 600, "2").await.expect("voided already").state(), OperationState::Succeeded);
    assert_eq!(reason(&shop.capture(&payment.id, "1", None).await.expect_err("gone")), "PAYMENT_STATE");
    let late = shop
        .as_order()
        .authorize_payment(authorize(order, 2, 600, "pm_card_visa"))
        .await
        .expect("an answer")
        .into_inner();
    assert_eq!(late.status(), AuthorizationStatus::Voided, "no attempt follows");

    let order = shop.order();
    let payment = shop.authorize(order, 600, "pm_card_visa").await.payment.expect("a payment");
    shop.capture(&payment.id, "1", gbp(1)).await.expect("captured");
    assert_eq!(reason(&shop.void(order, 600, "1").await.expect_err("captured")), "PAYMENT_STATE");
    assert_eq!(shop.event_names().await, ["PaymentVoided"]);
    shop.prove().await;
}

#[tokio::test(start_paused = true)]
async fn a_void_that_comes_first_keeps_the_authorization_out() {
    let shop = Shop::open().await;
    let order = shop.order();
    assert_eq!(shop.void(order, 600, "1").await.expect("marked").state(), OperationState::Succeeded);
    let late = shop.authorize(order, 600, "pm_card_visa").await;
    assert_eq!(late.status(), AuthorizationStatus::Voided);
    let order = shop.order();
    shop.authorize(order, 600, "pm_card_chargeDeclined").await;
    assert_eq!(shop.void(order, 600, "1").await.expect("closed").state(), OperationState::Succeeded);
    let late = shop
        .as_order()
        .authorize_payment(authorize(order, 2, 600, "pm_card_visa"))
        .await
        .expect("an answer")
        .into_inner();
    assert_eq!(late.status(), AuthorizationStatus::Voided);
    shop.prove().await;
}

#[tokio::test(start_paused = true)]
async fn a_refund_may_take_its_time_or_come_to_nothing() {
    let shop = Shop::open().await;
    let id = shop.captured(1_000, "pm_card_pendingRefund").await.id;
    let refund = shop.refund(&id, "1", gbp(400)).await.expect("an answer").refund.expect("a refund");
    assert_eq!(refund.state(), OperationState::Pending);
    assert_eq!(minor(&shop.payment(&id).await.refunded), 0);
    assert_eq!(
        reason(&shop.refund(&id, "2", gbp(601)).await.expect_err("claimed")),
        "REFUND_EXCEEDS_CAPTURED"
    );
    shop.wait(6_000).await;
    assert_eq!(minor(&shop.payment(&id).await.refunded), 400);

    let id = shop.captured(1_000, "pm_card_refundFail").await.id;
    shop.refund(&id, "1", None).await.expect("an answer");
    shop.wait(6_000).await;
    let refund = shop.refund(&id, "1", None).await.expect("an answer").refund.expect("a refund");
    assert_eq!(
        (refund.state(), refund.failure.expect("a reason").code.as_str()),
        (OperationState::Failed, "refund_failed")
    );
    assert_eq!(minor(&shop.payment(&id).await.refunded), 0);
    assert_eq!(shop.event_names().await, ["PaymentRefunded", "PaymentRefundFailed"]);
    shop.prove().await;
}
