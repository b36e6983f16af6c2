use contract::souk::payment::v1::*;
use mesh::Principal;
use svc_payment::signature::sign;
use tonic::{Code, Status};

use crate::shop::{Shop, field, gbp, minor, reason};

async fn send(shop: &Shop, body: &str, signature: &str) -> Result<ReceiveWebhookResponse, Status> {
    let request = ReceiveWebhookRequest {
        request_id: "delivery-1".to_owned(),
        provider: "testpay".to_owned(),
        body: body.as_bytes().to_vec(),
        signature: signature.to_owned(),
    };
    shop.by(Principal::Anonymous).receive_webhook(request).await.map(tonic::Response::into_inner)
}

async fn signed(shop: &Shop, body: &str) -> String {
    let secret = shop.harness.context().secret("testpay-webhook").await.expect("a secret");
    sign(secret.bytes(), shop.harness.context().now(), body.as_bytes())
}

fn list(events: &[String]) -> String {
    format!("{{\"object\":\"list\",\"data\":[{}]}}", events.join(","))
}

fn event(id: &str, kind: &str, key: &str, reference: &str) -> String {
    format!(
        "{{\"id\":\"{id}\",\"type\":\"{kind}\",\"created\":1,\"data\":{{\"key\":\"{key}\",\"reference\":\"{reference}\"}}}}"
    )
}

#[tokio::test(start_paused = true)]
async fn only_the_provider_can_sign() {
    let shop = Shop::open().await;
    let body = list(&[]);
    let good = signed(&shop, &body).await;
    assert_eq!(send(&shop, &body, &good).await.expect("taken").events, 0);
    let forged = sign(&[7; 32], shop.harness.context().now(), body.as_bytes());
    for signature in ["", "t=1,v1=00", forged.as_str()] {
        let status = send(&shop, &body, signature).await.expect_err("forged");
        assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "INVALID_SIGNATURE"));
    }
    let other = send(&shop, &list(&[event("e", "authorization.authorized", "k", "r")]), &good)
        .await
        .expect_err("another body");
    assert_eq!((reason(&other).as_str(), field(&other).as_str()), ("INVALID_SIGNATURE", "/signature"));
    shop.wait(301_000).await;
    assert_eq!(reason(&send(&shop, &body, &good).await.expect_err("old")), "SIGNATURE_TOO_OLD");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_webhook_is_refused_with_its_field() {
    let shop = Shop::open().await;
    let good = ReceiveWebhookRequest {
        request_id: "d".to_owned(),
        provider: "testpay".to_owned(),
        body: b"{}".to_vec(),
        signature: signed(&shop, "{}").await,
    };
    for (pointer, request) in [
        ("/request_id", ReceiveWebhookRequest { request_id: String::new(), ..good.clone() }),
        ("/provider", ReceiveWebhookRequest { provider: "stripe".to_owned(), ..good.clone() }),
        ("/body", ReceiveWebhookRequest { body: vec![b' '; 64 * 1024 + 1], ..good.clone() }),
        ("/body", good),
    ] {
        let status = shop.by(Principal::Anonymous).receive_webhook(request).await.expect_err(pointer);
        assert_eq!((status.code(), field(&status).as_str()), (Code::InvalidArgument, pointer));
    }
}

#[tokio::test(start_paused = true)]
async fn news_of_what_we_never_asked_for_changes_nothing() {
    let shop = Shop::open().await;
    let payment = shop.authorized(500, "pm_card_visa").await;
    let unknown = shop.harness.context().id::<kernel::Payment>();
    let body = list(&[
        event("e1", "authorization.authorized", &format!("{unknown}:1"), "tpa_1"),
        event("e2", "operation.succeeded", "cap_00000000000000000000000000", "tpc_1"),
        event("e3", "authorization.authorized", "nonsense", "tpa_1"),
        event("e4", "payout.paid", "x", ""),
        event("e5", "operation.succeeded", &payment.id, "tpc_1"),
    ]);
    let signature = signed(&shop, &body).await;
    let taken = send(&shop, &body, &signature).await.expect("taken");
    assert_eq!((taken.events, taken.applied), (5, 0));
    assert_eq!(shop.payment(&payment.id).await, payment);
    shop.prove().await;
}

#[tokio::test(start_paused = true)]
async fn an_event_counts_once_whatever_it_says_the_second_time() {
    let shop = Shop::open().await;
    let id = shop.captured(1_000, "pm_card_visa").await.id;
    let refund = shop.refund(&id, "1", gbp(300)).await.expect("refunded").refund.expect("a refund");
    shop.wait(2_000).await;
    assert_eq!(minor(&shop.payment(&id).await.refunded), 300);
    // The payer's bank sends the money back: the claim is free again, and the books show both ways.
    let body = list(&[event("back", "operation.failed", &refund.id, "tpr_1")]);
    let signature = signed(&shop, &body).await;
    assert_eq!(send(&shop, &body, &signature).await.expect("taken").applied, 1);
    assert_eq!(send(&shop, &body, &signature).await.expect("taken").applied, 0);
    assert_eq!(minor(&shop.payment(&id).await.refunded), 0);
    assert_eq!(shop.event_names().await, ["PaymentRefunded", "PaymentRefundFailed"]);
    let body = list(&[event("back", "operation.succeeded", &refund.id, "tpr_1")]);
    let signature = signed(&shop, &body).await;
    assert_eq!(send(&shop, &body, &signature).await.expect("taken").applied, 0);
    let kinds: Vec<_> = shop.entries().await.iter().map(LedgerEntry::kind).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == LedgerEntryKind::RefundReversal).count(), 1);
    let status =
        shop.as_staff().get_ledger_status(GetLedgerStatusRequest {}).await.expect("a status").into_inner();
    assert!(status.sums.iter().all(|sum| sum.minor_units == 0));
}

#[tokio::test(start_paused = true)]
async fn late_and_repeated_webhooks_come_to_the_same() {
    for method in ["pm_card_lateWebhook", "pm_card_repeatedWebhook"] {
        let shop = Shop::open().await;
        let id = shop.captured(1_000, method).await.id;
        let before = shop.payment(&id).await;
        shop.wait(40_000).await;
        assert_eq!(shop.payment(&id).await, before, "{method}");
        shop.prove().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_webhook_may_come_before_the_answer_and_before_its_own_past() {
    let shop = Shop::open().await;
    let order = shop.order();
    let mut client = shop.as_order();
    let call = client.authorize_payment(crate::shop::authorize(order, 1, 800, "pm_card_slow"));
    let (answer, ()) = tokio::join!(call, async {
        shop.wait(1_000).await;
        assert_eq!(shop.event_names().await, ["PaymentAuthorized"], "the webhook was first");
    });
    assert_eq!(answer.expect("an answer").into_inner().status(), AuthorizationStatus::Authorized);
    assert_eq!(shop.event_names().await, ["PaymentAuthorized"], "and the answer changed nothing");

    let order = shop.order();
    let answer = shop.authorize(order, 800, "pm_card_authenticationRequired").await;
    let payment = answer.payment.expect("a payment");
    let token = answer.challenge.expect("a challenge").token;
    shop.complete(&token, contract::souk::testpay::v1::ChallengeOutcome::Approve).await.expect("passed");
    shop.wait(1_000).await;
    assert_eq!(
        shop.payment(&payment.id).await.state(),
        PaymentState::Authorized,
        "the older event came last"
    );
    shop.prove().await;
}
