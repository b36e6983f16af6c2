//! A payment service under test, spoken to as order, as staff, as the payer and as the world.

use std::collections::BTreeMap;
use std::time::Duration;

use chassis::testing::{Harness, customer, staff};
use contract::souk::event::v1::event_service_client::EventServiceClient;
use contract::souk::event::v1::{Event, SubscribeRequest};
use contract::souk::payment::v1::payment_service_client::PaymentServiceClient;
use contract::souk::payment::v1::*;
use contract::souk::testpay::v1 as testpay;
use contract::souk::testpay::v1::testpay_service_client::TestpayServiceClient;
use contract::souk::r#type::v1::Money;
use kernel::OrderId;
use mesh::{Channel, Principal};
use tonic::Status;

/// Who pays in these tests.
pub const PAYER: u128 = 7;

pub struct Shop {
    pub harness: Harness,
}

pub fn gbp(minor_units: i64) -> Option<Money> {
    Some(Money { currency_code: "GBP".to_owned(), minor_units })
}

pub fn minor(money: &Option<Money>) -> i64 {
    money.as_ref().expect("an amount").minor_units
}

/// The stable reason of a refusal.
pub fn reason(status: &Status) -> String {
    contract::error(status.clone()).reason().to_owned()
}

/// The field that a refusal names first.
pub fn field(status: &Status) -> String {
    contract::error(status.clone()).violations().first().map(|wrong| wrong.field.clone()).unwrap_or_default()
}

pub fn owner() -> String {
    customer(PAYER).subject()
}

impl Shop {
    pub async fn open() -> Self {
        Self { harness: Harness::start(&svc_payment::SERVICE, 1).await.expect("payment starts") }
    }

    pub fn order(&self) -> OrderId {
        self.harness.context().id()
    }

    /// Order, acting for the payer.
    pub fn as_order(&self) -> PaymentServiceClient<Channel> {
        self.harness.client_as_role("order", PaymentServiceClient::new, customer(PAYER))
    }

    pub fn as_staff(&self) -> PaymentServiceClient<Channel> {
        self.harness.client(PaymentServiceClient::new, staff(1, &["payments.read"]))
    }

    pub fn by(&self, principal: Principal) -> PaymentServiceClient<Channel> {
        self.harness.client(PaymentServiceClient::new, principal)
    }

    pub fn testpay(&self, principal: Principal) -> TestpayServiceClient<Channel> {
        self.harness.client(TestpayServiceClient::new, principal)
    }

    pub async fn wait(&self, millis: u64) {
        self.harness.advance(Duration::from_millis(millis)).await;
    }

    pub async fn authorize(&self, order: OrderId, minor: i64, method: &str) -> AuthorizePaymentResponse {
        let request = authorize(order, 1, minor, method);
        self.as_order().authorize_payment(request).await.expect("an answer").into_inner()
    }

    /// A payment that is authorized.
    pub async fn authorized(&self, minor: i64, method: &str) -> Payment {
        let answer = self.authorize(self.order(), minor, method).await;
        assert_eq!(answer.status(), AuthorizationStatus::Authorized, "{answer:?}");
        answer.payment.expect("a payment")
    }

    /// A payment that is captured whole.
    pub async fn captured(&self, minor: i64, method: &str) -> Payment {
        let payment = self.authorized(minor, method).await;
        let done = self.capture(&payment.id, "whole", None).await.expect("captured");
        assert_eq!(done.capture.expect("a capture").state(), OperationState::Succeeded);
        done.payment.expect("a payment")
    }

    pub async fn capture(
        &self,
        id: &str,
        key: &str,
        amount: Option<Money>,
    ) -> Result<CapturePaymentResponse, Status> {
        let request = CapturePaymentRequest {
            request_id: format!("{id}:capture:{key}"),
            payment_id: id.to_owned(),
            amount,
        };
        self.as_order().capture_payment(request).await.map(tonic::Response::into_inner)
    }

    pub async fn refund(
        &self,
        id: &str,
        key: &str,
        amount: Option<Money>,
    ) -> Result<RefundPaymentResponse, Status> {
        let request = RefundPaymentRequest {
            request_id: format!("{id}:refund:{key}"),
            payment_id: id.to_owned(),
            amount,
            reason: "unwanted".to_owned(),
        };
        self.as_order().refund_payment(request).await.map(tonic::Response::into_inner)
    }

    pub async fn void(&self, order: OrderId, minor: i64, key: &str) -> Result<VoidPaymentResponse, Status> {
        self.as_order().void_payment(void(order, minor, key)).await.map(tonic::Response::into_inner)
    }

    pub async fn payment(&self, id: &str) -> Payment {
        let request = GetPaymentRequest { payment_id: id.to_owned() };
        self.as_staff()
            .get_payment(request)
            .await
            .expect("a payment")
            .into_inner()
            .payment
            .expect("a payment")
    }

    pub async fn complete(&self, token: &str, outcome: testpay::ChallengeOutcome) -> Result<(), Status> {
        let request = testpay::CompleteChallengeRequest {
            request_id: "browser-1".to_owned(),
            challenge_token: token.to_owned(),
            outcome: outcome.into(),
        };
        self.testpay(Principal::Anonymous).complete_challenge(request).await.map(|_| ())
    }

    /// Names of the events so far, with the payment that each is about.
    pub async fn events(&self) -> Vec<(String, String)> {
        let mut client = self.harness.client_as_role("order", EventServiceClient::new, Principal::Anonymous);
        let request = SubscribeRequest { source: "payment".to_owned(), after: None, types: Vec::new() };
        let mut stream = client.subscribe(request).await.expect("a stream").into_inner();
        let mut events: Vec<Event> = Vec::new();
        while let Ok(message) = tokio::time::timeout(Duration::from_millis(50), stream.message()).await {
            events.extend(message.expect("good").expect("open").events);
        }
        let name = |event: &Event| {
            event.payload.as_ref().expect("a payload").type_url.rsplit('.').next().unwrap_or("").to_owned()
        };
        events.iter().map(|event| (name(event), event.aggregate_id.clone())).collect()
    }

    pub async fn event_names(&self) -> Vec<String> {
        self.events().await.into_iter().map(|(name, _)| name).collect()
    }

    /// Every payment, page by page, a few at a time.
    pub async fn audited(&self) -> Vec<AuditedPayment> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self
                .as_staff()
                .list_for_audit(ListForAuditRequest { limit: 7, cursor })
                .await
                .expect("a page")
                .into_inner();
            all.extend(page.payments);
            cursor = page.next_cursor;
            if cursor.is_empty() {
                return all;
            }
        }
    }

    /// Every ledger entry, page by page.
    pub async fn entries(&self) -> Vec<LedgerEntry> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let request = ListLedgerEntriesRequest { limit: 5, cursor };
            let page = self.as_staff().list_ledger_entries(request).await.expect("a page").into_inner();
            all.extend(page.entries);
            cursor = page.next_cursor;
            if cursor.is_empty() {
                return all;
            }
        }
    }

    /// What the audit proves, when nothing is in flight any more: the ledger balances and is sealed, what moved is booked,
    /// and the provider knows exactly what we know.
    pub async fn prove(&self) {
        self.wait(3_000).await;
        let status = self
            .as_staff()
            .get_ledger_status(GetLedgerStatusRequest {})
            .await
            .expect("a status")
            .into_inner();
        assert!(status.sums.iter().all(|sum| sum.minor_units == 0), "{status:?}");
        assert_eq!(
            (status.entries, status.unsealed, status.broken_position),
            (status.sealed, 0, 0),
            "{status:?}"
        );
        let audited = self.audited().await;
        let (mut captured, mut refunded) = (0, 0);
        for audit in &audited {
            let payment = audit.payment.as_ref().expect("a payment");
            let moved = |states: Vec<(i32, i64)>| -> i64 {
                states
                    .into_iter()
                    .filter(|(state, _)| *state == OperationState::Succeeded as i32)
                    .map(|(_, minor)| minor)
                    .sum()
            };
            assert_eq!(
                minor(&payment.captured),
                moved(audit.captures.iter().map(|c| (c.state, minor(&c.amount))).collect())
            );
            assert_eq!(
                minor(&payment.refunded),
                moved(audit.refunds.iter().map(|r| (r.state, minor(&r.amount))).collect())
            );
            assert!(minor(&payment.refunded) <= minor(&payment.captured));
            captured += minor(&payment.captured);
            refunded += minor(&payment.refunded);
        }
        let clearing: i64 = status
            .balances
            .iter()
            .filter(|b| b.account == "provider:testpay:clearing")
            .map(|b| minor(&b.balance))
            .sum();
        assert_eq!(clearing, captured - refunded);
        self.provider_agrees(&audited).await;
        crate::events::events_fit(self).await;
    }

    async fn provider_agrees(&self, audited: &[AuditedPayment]) {
        let mut client = self.testpay(staff(1, &["payments.read"]));
        let theirs = client
            .list_authorizations(testpay::ListAuthorizationsRequest::default())
            .await
            .expect("a list")
            .into_inner();
        let theirs: BTreeMap<_, _> =
            theirs.authorizations.into_iter().map(|found| (found.key.clone(), found)).collect();
        let mut ours = 0;
        for audit in audited {
            for attempt in audit.attempts.iter().filter(|attempt| !attempt.provider_reference.is_empty()) {
                let found =
                    theirs.get(&attempt.provider_key).unwrap_or_else(|| panic!("unknown there: {attempt:?}"));
                assert_eq!((&found.id, &found.amount), (&attempt.provider_reference, &attempt.amount));
                let agreed = match attempt.state() {
                    AttemptState::Authorized => testpay::AuthorizationState::Authorized,
                    AttemptState::ActionRequired => testpay::AuthorizationState::RequiresAction,
                    AttemptState::Voided => testpay::AuthorizationState::Voided,
                    _ => testpay::AuthorizationState::Declined,
                };
                assert_eq!(found.state(), agreed, "{attempt:?}");
                ours += 1;
            }
        }
        assert_eq!(theirs.len(), ours, "one authorization per attempt, and none that we do not know");
        let captures = client
            .list_captures(testpay::ListCapturesRequest::default())
            .await
            .expect("a list")
            .into_inner()
            .captures;
        let refunds = client
            .list_refunds(testpay::ListRefundsRequest::default())
            .await
            .expect("a list")
            .into_inner()
            .refunds;
        let mine: BTreeMap<_, _> = audited
            .iter()
            .flat_map(|a| &a.captures)
            .filter(|c| c.state() == OperationState::Succeeded)
            .map(|c| (c.id.clone(), minor(&c.amount)))
            .collect();
        assert_eq!(
            captures.iter().map(|c| (c.key.clone(), minor(&c.amount))).collect::<BTreeMap<_, _>>(),
            mine
        );
        let mine: BTreeMap<_, _> = audited
            .iter()
            .flat_map(|a| &a.refunds)
            .filter(|r| r.state() == OperationState::Succeeded)
            .map(|r| (r.id.clone(), minor(&r.amount)))
            .collect();
        let done = refunds.iter().filter(|r| r.state() == testpay::RefundState::Succeeded);
        assert_eq!(done.map(|r| (r.key.clone(), minor(&r.amount))).collect::<BTreeMap<_, _>>(), mine);
    }
}

pub fn authorize(order: OrderId, attempt: i32, minor: i64, method: &str) -> AuthorizePaymentRequest {
    AuthorizePaymentRequest {
        request_id: format!("{order}:authorize:{attempt}"),
        order_id: order.to_string(),
        tender_index: 0,
        attempt,
        owner_subject: owner(),
        amount: gbp(minor),
        payment_method: method.to_owned(),
    }
}

pub fn void(order: OrderId, minor: i64, key: &str) -> VoidPaymentRequest {
    VoidPaymentRequest {
        request_id: format!("{order}:void:{key}"),
        order_id: order.to_string(),
        tender_index: 0,
        amount: gbp(minor),
        owner_subject: owner(),
    }
}
