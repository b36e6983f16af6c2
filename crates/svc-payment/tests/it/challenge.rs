use contract::souk::payment::v1::*;
use contract::souk::testpay::v1::{ChallengeOutcome, ListPaymentMethodsRequest};
use mesh::Principal;

use crate::shop::{Shop, field, reason};

const CARD: &str = "pm_card_authenticationRequired";

#[tokio::test(start_paused = true)]
async fn a_challenge_that_is_passed_authorizes() {
    let shop = Shop::open().await;
    let order = shop.order();
    let answer = shop.authorize(order, 1_200, CARD).await;
    assert_eq!(answer.status(), AuthorizationStatus::ActionRequired);
    let challenge = answer.challenge.expect("a challenge");
    assert!(challenge.url.contains(&challenge.token));
    let id = answer.payment.expect("a payment").id;
    assert_eq!(reason(&shop.capture(&id, "1", None).await.expect_err("too early")), "PAYMENT_STATE");

    shop.complete(&challenge.token, ChallengeOutcome::Approve).await.expect("passed");
    shop.wait(50).await;
    assert_eq!(shop.events().await, [("PaymentAuthorized".to_owned(), id.clone())], "told at once");
    assert_eq!(shop.authorize(order, 1_200, CARD).await.status(), AuthorizationStatus::Authorized);
    shop.complete(&challenge.token, ChallengeOutcome::Approve).await.expect("passed already");
    let other =
        shop.complete(&challenge.token, ChallengeOutcome::Fail).await.expect_err("the first outcome counts");
    assert_eq!(reason(&other), "CHALLENGE_COMPLETED");
    shop.capture(&id, "2", None).await.expect("captured");
    shop.prove().await;
}

#[tokio::test(start_paused = true)]
async fn a_challenge_that_is_failed_declines() {
    let shop = Shop::open().await;
    let order = shop.order();
    let answer = shop.authorize(order, 1_200, CARD).await;
    shop.complete(&answer.challenge.expect("a challenge").token, ChallengeOutcome::Fail)
        .await
        .expect("failed");
    shop.wait(50).await;
    let after = shop.authorize(order, 1_200, CARD).await;
    assert_eq!(after.status(), AuthorizationStatus::Declined);
    assert_eq!(after.failure.expect("a reason").code, "authentication_failed");
    assert_eq!(shop.event_names().await, ["PaymentFailed"]);
    shop.prove().await;
}

#[tokio::test(start_paused = true)]
async fn an_order_that_gives_up_ends_the_challenge() {
    let shop = Shop::open().await;
    let order = shop.order();
    let answer = shop.authorize(order, 1_200, CARD).await;
    let voided = shop.void(order, 1_200, "limit").await.expect("voided");
    assert_eq!(voided.state(), OperationState::Succeeded);
    let late = shop.complete(&answer.challenge.expect("a challenge").token, ChallengeOutcome::Approve).await;
    assert_eq!(reason(&late.expect_err("too late")), "CHALLENGE_COMPLETED");
    shop.prove().await;
    let payment = shop.payment(&answer.payment.expect("a payment").id).await;
    assert_eq!((payment.state(), payment.challenge), (PaymentState::Voided, None));
}

#[tokio::test(start_paused = true)]
async fn approving_and_giving_up_at_once_ends_one_way_in_both_books() {
    for seed in 0..8_u64 {
        let shop = Shop::open().await;
        let order = shop.order();
        let answer = shop.authorize(order, 1_200, CARD).await;
        let token = answer.challenge.expect("a challenge").token;
        let (voided, _) = tokio::join!(
            async {
                shop.wait(seed * 40).await;
                shop.void(order, 1_200, "limit").await
            },
            async {
                shop.wait(100).await;
                shop.complete(&token, ChallengeOutcome::Approve).await
            },
        );
        assert_eq!(voided.expect("an answer").state(), OperationState::Succeeded);
        shop.prove().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_challenge_is_refused() {
    let shop = Shop::open().await;
    for (token, wrong) in [("", "/challenge_token"), (&*"x".repeat(65), "/challenge_token")] {
        let status = shop.complete(token, ChallengeOutcome::Approve).await.expect_err("no token");
        assert_eq!(field(&status), wrong);
    }
    let status = shop.complete("tpx_0", ChallengeOutcome::Unspecified).await.expect_err("no outcome");
    assert_eq!(field(&status), "/outcome");
    let status = shop.complete("tpx_0", ChallengeOutcome::Fail).await.expect_err("unknown");
    assert_eq!(reason(&status), "CHALLENGE_NOT_FOUND");
    let mut payer = shop.testpay(Principal::Anonymous);
    let methods = payer
        .list_payment_methods(ListPaymentMethodsRequest {})
        .await
        .expect("a list")
        .into_inner()
        .payment_methods;
    assert_eq!(methods[0].token, "pm_card_visa");
    assert!(methods.iter().all(|method| !method.label.is_empty() && !method.behaviour.is_empty()));
}
