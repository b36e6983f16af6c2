use chassis::testing::{customer, guest, staff};
use contract::souk::payment::v1::payment_service_client::PaymentServiceClient;
use contract::souk::payment::v1::*;
use contract::souk::testpay::v1 as testpay;
use mesh::Principal;
use tonic::Code;

use crate::shop::{PAYER, Shop, field, reason, void};

#[tokio::test(start_paused = true)]
async fn money_is_moved_by_order_alone() {
    let shop = Shop::open().await;
    let order = shop.order();
    let id = shop.authorize(order, 500, "pm_card_visa").await.payment.expect("a payment").id;
    for principal in [
        Principal::Anonymous,
        guest(PAYER),
        customer(PAYER),
        staff(1, &["payments.read", "payments.write", "admin"]),
    ] {
        let mut client = shop.by(principal.clone());
        let refused = [
            client
                .authorize_payment(crate::shop::authorize(order, 1, 500, "pm_card_visa"))
                .await
                .expect_err("refused")
                .code(),
            client
                .capture_payment(CapturePaymentRequest {
                    request_id: "r".into(),
                    payment_id: id.clone(),
                    amount: None,
                })
                .await
                .expect_err("refused")
                .code(),
            client.void_payment(void(order, 500, "1")).await.expect_err("refused").code(),
            client
                .refund_payment(RefundPaymentRequest {
                    request_id: "r".into(),
                    payment_id: id.clone(),
                    ..Default::default()
                })
                .await
                .expect_err("refused")
                .code(),
        ];
        let wanted =
            if principal == Principal::Anonymous { Code::Unauthenticated } else { Code::PermissionDenied };
        assert!(
            refused.iter().all(|code| *code == wanted || *code == Code::PermissionDenied),
            "{principal:?}: {refused:?}"
        );
    }
    let mut cart = shop.harness.client_as_role("cart", PaymentServiceClient::new, customer(PAYER));
    let refused = cart.void_payment(void(order, 500, "1")).await.expect_err("not order");
    assert_eq!(refused.code(), Code::PermissionDenied);
}

#[tokio::test(start_paused = true)]
async fn a_payment_is_its_owners_and_nobody_elses() {
    let shop = Shop::open().await;
    let payment = shop.captured(500, "pm_card_visa").await;
    let get = || GetPaymentRequest { payment_id: payment.id.clone() };
    let list = || ListPaymentsRequest { order_id: payment.order_id.clone() };
    let mine = shop.by(customer(PAYER)).get_payment(get()).await.expect("mine").into_inner();
    assert_eq!((mine.captures.len(), mine.refunds.len()), (1, 0));
    assert_eq!(
        shop.by(customer(PAYER)).list_payments(list()).await.expect("mine").into_inner().payments.len(),
        1
    );
    for other in [customer(8), guest(PAYER)] {
        let status = shop.by(other.clone()).get_payment(get()).await.expect_err("not mine");
        assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "PAYMENT_NOT_FOUND"));
        assert_eq!(shop.by(other).list_payments(list()).await.expect("nothing").into_inner().payments, []);
    }
    assert!(shop.by(Principal::Anonymous).get_payment(get()).await.is_err());
    let attempts = ListAttemptsRequest { payment_id: payment.id.clone() };
    assert_eq!(
        shop.by(customer(PAYER)).list_attempts(attempts).await.expect_err("staff only").code(),
        Code::PermissionDenied
    );
}

#[tokio::test(start_paused = true)]
async fn the_lists_of_the_audit_are_for_staff_and_have_limits() {
    let shop = Shop::open().await;
    for principal in [customer(PAYER), staff(1, &["orders.read"]), guest(1)] {
        let mut client = shop.by(principal.clone());
        assert!(client.list_for_audit(ListForAuditRequest::default()).await.is_err());
        assert!(client.list_ledger_entries(ListLedgerEntriesRequest::default()).await.is_err());
        assert!(client.get_ledger_status(GetLedgerStatusRequest {}).await.is_err());
        let mut client = shop.testpay(principal);
        assert!(client.list_authorizations(testpay::ListAuthorizationsRequest::default()).await.is_err());
        assert!(client.list_captures(testpay::ListCapturesRequest::default()).await.is_err());
        assert!(client.list_refunds(testpay::ListRefundsRequest::default()).await.is_err());
    }
    for limit in [-1, 1_001] {
        let status =
            shop.as_staff().list_for_audit(ListForAuditRequest { limit, cursor: String::new() }).await;
        assert_eq!(field(&status.expect_err("a limit")), "/limit");
    }
    for _ in 0..3 {
        shop.captured(100, "pm_card_visa").await;
    }
    let page = shop
        .as_staff()
        .list_for_audit(ListForAuditRequest { limit: 1, cursor: String::new() })
        .await
        .expect("a page")
        .into_inner();
    let other = ListLedgerEntriesRequest { limit: 1, cursor: page.next_cursor.clone() };
    let status = shop.as_staff().list_ledger_entries(other).await.expect_err("another list's cursor");
    assert_eq!((reason(&status).as_str(), field(&status).as_str()), ("INVALID_CURSOR", "/cursor"));
    let mut provider = shop.testpay(staff(1, &["payments.read"]));
    let request = testpay::ListAuthorizationsRequest { limit: 2, cursor: String::new() };
    let first = provider.list_authorizations(request).await.expect("a page").into_inner();
    let request = testpay::ListAuthorizationsRequest { limit: 2, cursor: first.next_cursor };
    let second = provider.list_authorizations(request).await.expect("a page").into_inner();
    assert_eq!(
        (first.authorizations.len(), second.authorizations.len(), second.next_cursor.as_str()),
        (2, 1, "")
    );
}
