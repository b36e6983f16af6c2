use contract::souk::payment::v1::*;
use tonic::Code;

use crate::shop::{Shop, authorize, field, gbp, minor, reason};

#[tokio::test(start_paused = true)]
async fn a_card_is_authorized_and_captured_and_the_books_agree() {
    let shop = Shop::open().await;
    let payment = shop.authorized(2_550, "pm_card_visa").await;
    assert_eq!(
        (payment.state(), minor(&payment.authorized), minor(&payment.captured)),
        (PaymentState::Authorized, 2_550, 0)
    );
    let done = shop.capture(&payment.id, "1", None).await.expect("captured");
    let (capture, payment) = (done.capture.expect("a capture"), done.payment.expect("a payment"));
    assert_eq!((capture.state(), minor(&capture.amount)), (OperationState::Succeeded, 2_550));
    assert_eq!((payment.state(), minor(&payment.captured)), (PaymentState::Captured, 2_550));
    shop.prove().await;
    assert_eq!(shop.event_names().await, Vec::<String>::new(), "what was answered needs no event");
    assert_eq!(shop.payment(&payment.id).await, payment, "webhooks that tell what is known change nothing");
}

#[tokio::test(start_paused = true)]
async fn the_same_call_again_changes_nothing() {
    let shop = Shop::open().await;
    let order = shop.order();
    let first =
        shop.as_order().authorize_payment(authorize(order, 1, 900, "pm_card_visa")).await.expect("an answer");
    assert!(first.metadata().get("souk-replayed").is_none());
    let again =
        shop.as_order().authorize_payment(authorize(order, 1, 900, "pm_card_visa")).await.expect("an answer");
    assert_eq!(again.metadata().get("souk-replayed").expect("marked"), "true");
    assert_eq!(first.into_inner(), again.into_inner());
    let other_key = AuthorizePaymentRequest {
        request_id: "another".to_owned(),
        ..authorize(order, 1, 900, "pm_card_visa")
    };
    let third = shop.as_order().authorize_payment(other_key).await.expect("an answer").into_inner();
    assert_eq!(third.status(), AuthorizationStatus::Authorized);

    let reused = shop
        .as_order()
        .authorize_payment(authorize(order, 1, 901, "pm_card_visa"))
        .await
        .expect_err("another body");
    assert_eq!(reason(&reused), "IDEMPOTENCY_KEY_REUSED");
    let other = AuthorizePaymentRequest {
        request_id: "a-third".to_owned(),
        ..authorize(order, 1, 901, "pm_card_visa")
    };
    let other = shop.as_order().authorize_payment(other).await.expect_err("another amount");
    assert_eq!((other.code(), reason(&other)), (Code::AlreadyExists, "PAYMENT_EXISTS".to_owned()));

    let payment = third.payment.expect("a payment");
    let once = shop.capture(&payment.id, "1", None).await.expect("captured");
    assert_eq!(shop.capture(&payment.id, "1", None).await.expect("shown"), once);
    let reused = shop.capture(&payment.id, "1", gbp(1)).await.expect_err("another body");
    assert_eq!(reason(&reused), "IDEMPOTENCY_KEY_REUSED");
    shop.prove().await;
}

#[tokio::test(start_paused = true)]
async fn after_a_decline_the_next_attempt_may_bring_another_card() {
    let shop = Shop::open().await;
    for (method, code) in [
        ("pm_card_chargeDeclined", "card_declined"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
        ("pm_card_nobody_knows", "payment_method_unknown"),
    ] {
        let order = shop.order();
        let declined = shop.authorize(order, 500, method).await;
        assert_eq!(declined.status(), AuthorizationStatus::Declined);
        assert_eq!(declined.failure.expect("a reason").code, code);
        let skipped = shop
            .as_order()
            .authorize_payment(authorize(order, 3, 500, "pm_card_visa"))
            .await
            .expect_err("skips one");
        assert_eq!(reason(&skipped), "ATTEMPT_OUT_OF_ORDER");
        let second = shop
            .as_order()
            .authorize_payment(authorize(order, 2, 500, "pm_card_visa"))
            .await
            .expect("an answer")
            .into_inner();
        assert_eq!(second.status(), AuthorizationStatus::Authorized);
        let old = shop
            .as_order()
            .authorize_payment(authorize(order, 1, 500, method))
            .await
            .expect("shown")
            .into_inner();
        assert_eq!(old.status(), AuthorizationStatus::Declined, "an attempt keeps its outcome");
        let request = ListAttemptsRequest { payment_id: second.payment.expect("a payment").id };
        let attempts = shop.as_staff().list_attempts(request).await.expect("a list").into_inner().attempts;
        assert_eq!(
            attempts.iter().map(Attempt::state).collect::<Vec<_>>(),
            [AttemptState::Failed, AttemptState::Authorized]
        );
    }
    shop.prove().await;
}

#[tokio::test(start_paused = true)]
async fn tenders_of_one_order_are_payments_of_their_own() {
    let shop = Shop::open().await;
    let order = shop.order();
    for tender_index in 0..3 {
        let request = AuthorizePaymentRequest {
            tender_index,
            request_id: format!("t{tender_index}"),
            ..authorize(order, 1, 100 + i64::from(tender_index), "pm_card_visa")
        };
        shop.as_order().authorize_payment(request).await.expect("authorized");
    }
    let request = ListPaymentsRequest { order_id: order.to_string() };
    let payments = shop.as_staff().list_payments(request).await.expect("a list").into_inner().payments;
    assert_eq!(
        payments.iter().map(|p| (p.tender_index, minor(&p.amount))).collect::<Vec<_>>(),
        [(0, 100), (1, 101), (2, 102)]
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_found_by_asking_and_nothing_is_done_twice() {
    let shop = Shop::open().await;
    let order = shop.order();
    let answer = shop.authorize(order, 700, "pm_card_lostAnswer").await;
    assert_eq!(answer.status(), AuthorizationStatus::Pending);
    let id = answer.payment.expect("a payment").id;
    shop.wait(5_000).await;
    assert_eq!(shop.payment(&id).await.state(), PaymentState::Authorized);
    assert_eq!(shop.events().await, [("PaymentAuthorized".to_owned(), id.clone())]);
    let capture = shop.capture(&id, "1", None).await.expect("an answer").capture.expect("a capture");
    assert_eq!(capture.state(), OperationState::Pending);
    shop.wait(5_000).await;
    let capture = shop.capture(&id, "1", None).await.expect("an answer").capture.expect("a capture");
    assert_eq!(capture.state(), OperationState::Succeeded);
    assert_eq!(shop.event_names().await, ["PaymentAuthorized", "PaymentCaptured"]);
    shop.refund(&id, "1", gbp(100)).await.expect("an answer");
    shop.prove().await;
    assert_eq!(minor(&shop.payment(&id).await.refunded), 100);
}

#[tokio::test(start_paused = true)]
async fn what_never_arrived_is_sent_once_nothing_of_it_can_be_on_its_way() {
    let shop = Shop::open().await;
    let (order, other) = (shop.order(), shop.order());
    let id = shop.authorize(order, 700, "pm_card_lostRequest").await.payment.expect("a payment").id;
    shop.authorize(other, 300, "pm_card_lostRequest").await;
    let capture = shop.capture(&id, "1", None).await.expect("an answer").capture.expect("a capture");
    assert_eq!(capture.state(), OperationState::Pending);
    assert_eq!(shop.void(other, 300, "1").await.expect("an answer").state(), OperationState::Pending);
    shop.wait(90_000).await;
    let capture = shop.capture(&id, "1", None).await.expect("an answer").capture.expect("a capture");
    assert_eq!(capture.state(), OperationState::Pending, "it never arrived, and is not given up");
    shop.wait(600_000).await;
    let capture = shop.capture(&id, "1", None).await.expect("an answer").capture.expect("a capture");
    assert_eq!(capture.state(), OperationState::Succeeded);
    assert_eq!(minor(&shop.payment(&id).await.captured), 700);
    assert_eq!(shop.void(other, 300, "1").await.expect("an answer").state(), OperationState::Succeeded);
    shop.prove().await;
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_is_learned_at_once_by_whoever_asks() {
    let shop = Shop::open().await;
    let order = shop.order();
    assert_eq!(shop.authorize(order, 700, "pm_card_lostAnswer").await.status(), AuthorizationStatus::Pending);
    let again = shop.authorize(order, 700, "pm_card_lostAnswer").await;
    assert_eq!(again.status(), AuthorizationStatus::Authorized, "the provider was asked");
    let order = shop.order();
    assert_eq!(shop.authorize(order, 700, "pm_card_lostAnswer").await.status(), AuthorizationStatus::Pending);
    let voided = shop.void(order, 700, "1").await.expect("an answer");
    assert_eq!(
        voided.state(),
        OperationState::Pending,
        "it is authorized there, and the void's answer was lost too"
    );
    shop.wait(5_000).await;
    assert_eq!(shop.void(order, 700, "1").await.expect("an answer").state(), OperationState::Succeeded);
    shop.prove().await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_provider_is_waited_for_even_when_the_caller_has_left() {
    let shop = Shop::open().await;
    let began = shop.harness.context().now();
    assert_eq!(
        shop.authorize(shop.order(), 800, "pm_card_slow").await.status(),
        AuthorizationStatus::Authorized
    );
    assert!(shop.harness.context().now().since(began).as_millis() >= 3_000);

    let order = shop.order();
    let mut client = shop.as_order();
    let call = client.authorize_payment(authorize(order, 1, 800, "pm_card_slow"));
    tokio::time::timeout(std::time::Duration::from_millis(100), call)
        .await
        .expect_err("left before the answer");
    shop.wait(4_000).await;
    let after = shop.authorize(order, 800, "pm_card_slow").await;
    assert_eq!(after.status(), AuthorizationStatus::Authorized);
    assert!(
        shop.events().await.contains(&("PaymentAuthorized".to_owned(), after.payment.expect("a payment").id))
    );
    shop.prove().await;
}

#[tokio::test(start_paused = true)]
async fn wrong_fields_are_named() {
    let shop = Shop::open().await;
    let good = authorize(shop.order(), 1, 100, "pm_card_visa");
    let refused = [
        ("/request_id", AuthorizePaymentRequest { request_id: String::new(), ..good.clone() }),
        ("/request_id", AuthorizePaymentRequest { request_id: "x".repeat(129), ..good.clone() }),
        ("/order_id", AuthorizePaymentRequest { order_id: "pay_1".to_owned(), ..good.clone() }),
        ("/tender_index", AuthorizePaymentRequest { tender_index: 16, ..good.clone() }),
        ("/tender_index", AuthorizePaymentRequest { tender_index: -1, ..good.clone() }),
        ("/attempt", AuthorizePaymentRequest { attempt: 0, ..good.clone() }),
        ("/attempt", AuthorizePaymentRequest { attempt: 21, ..good.clone() }),
        ("/owner_subject", AuthorizePaymentRequest { owner_subject: "somebody".to_owned(), ..good.clone() }),
        ("/amount", AuthorizePaymentRequest { amount: None, ..good.clone() }),
        ("/amount/minor_units", AuthorizePaymentRequest { amount: gbp(0), ..good.clone() }),
        ("/amount/minor_units", AuthorizePaymentRequest { amount: gbp(-5), ..good.clone() }),
        ("/payment_method", AuthorizePaymentRequest { payment_method: "visa".to_owned(), ..good.clone() }),
        (
            "/payment_method",
            AuthorizePaymentRequest { payment_method: "4242 4242 4242 4242".to_owned(), ..good.clone() },
        ),
    ];
    for (pointer, request) in refused {
        let status = shop.as_order().authorize_payment(request).await.expect_err(pointer);
        assert_eq!((status.code(), field(&status).as_str()), (Code::InvalidArgument, pointer), "{status:?}");
        assert!(!format!("{status:?}").contains("4242"));
    }
    let status = shop.capture("pay_x", "1", None).await.expect_err("no id");
    assert_eq!(field(&status), "/payment_id");
    let status = shop.capture(&authorize_id(&shop), "1", None).await.expect_err("no payment");
    assert_eq!((status.code(), reason(&status)), (Code::NotFound, "PAYMENT_NOT_FOUND".to_owned()));
}

fn authorize_id(shop: &Shop) -> String {
    shop.harness.context().id::<kernel::Payment>().to_string()
}
