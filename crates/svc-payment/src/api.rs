//! `souk.payment.v1.PaymentService`.

use std::sync::Arc;
use std::time::Duration;

use chassis::{Reply, request_key};
use contract::souk::payment::v1::{self, payment_service_server::PaymentService};
use contract::wire::{self as words, parse_id, parse_money};
use kernel::{CustomerId, Error, GuestId, Money, OrderId, PaymentId, Result, Violations};
use mesh::Caller;
use prost::Message;
use store::RequestKey;
use tonic::{Request, Response, Status};

use crate::audit;
use crate::domain::payment::Begin;
use crate::domain::{ATTEMPTS_MAX, OperationKind, Payment, PaymentMethod, TENDERS_MAX};
use crate::seal::link_hash;
use crate::steps::{AskAuthorize, AskOperate, AskVoid, Steps};
use crate::store::Place;
use crate::wire::{self, audit_limit, check_request_id, open_cursor};

/// How long the keys of what moves money are remembered.
const KEEP: Duration = Duration::from_secs(30 * 24 * 3600);
/// Findings in one answer of ListForAudit, at most: further ones would not be told anyway.
const FINDINGS_MAX: usize = 1000;
/// The list that a cursor of ListForAudit is of.
const AUDIT: &str = "payments-audit";
/// How a place among the rows begins that belong to no payment in particular; an id of a payment begins otherwise.
const LEFTOVERS: &str = "rows ";
/// Longest reason of a refund, in characters.
const REASON_CHARS_MAX: usize = 200;

/// The service.
#[derive(Clone)]
pub struct Api {
    steps: Arc<Steps>,
}

impl Api {
    /// The service on these steps.
    #[must_use]
    pub fn new(steps: Arc<Steps>) -> Self {
        Self { steps }
    }

    async fn authorize(
        &self,
        caller: &Caller,
        request: v1::AuthorizePaymentRequest,
    ) -> Result<Reply<v1::AuthorizePaymentResponse>> {
        let method = PaymentMethod::parse(&request.payment_method)?;
        let key = key(caller, "payment.AuthorizePayment", &request.request_id, &request)?;
        let begin = self.begin(
            &request.order_id,
            request.tender_index,
            &request.owner_subject,
            request.amount.as_ref(),
        )?;
        let attempt = u32::try_from(request.attempt).unwrap_or(0);
        if !(1..=ATTEMPTS_MAX).contains(&attempt) {
            return Err(Error::field(
                "/attempt",
                "INVALID_ARGUMENT",
                format!("must be between 1 and {ATTEMPTS_MAX}"),
            ));
        }
        let done = self.steps.authorize(AskAuthorize { begin, attempt, method }, key).await?;
        let attempt = done.attempt.as_ref();
        let message = v1::AuthorizePaymentResponse {
            status: wire::authorization_status(attempt).into(),
            challenge: attempt.and_then(|attempt| attempt.challenge.as_ref()).map(wire::challenge),
            failure: attempt.and_then(|attempt| attempt.failure.as_ref()).map(wire::failure),
            payment: Some(wire::payment(&done.payment)),
        };
        Ok(Reply { message, replayed: done.replayed })
    }

    /// What a payment begins with, with every wrong field named.
    fn begin(
        &self,
        order: &str,
        tender: i32,
        owner: &str,
        amount: Option<&contract::souk::r#type::v1::Money>,
    ) -> Result<Begin> {
        let mut wrong = Violations::new();
        let order = wrong.take("", parse_id::<OrderId>("/order_id", order));
        let tender = u32::try_from(tender).ok().filter(|tender| *tender < TENDERS_MAX);
        wrong.check(tender.is_some(), "/tender_index", format!("must be between 0 and {}", TENDERS_MAX - 1));
        let owned = CustomerId::parse(owner).is_ok() || GuestId::parse(owner).is_ok();
        wrong.check(owned, "/owner_subject", "must be the id of a customer or a guest, cus_… or gst_…");
        let amount = wrong.take("", positive(amount));
        wrong.finish()?;
        let (Some(order), Some(tender), Some(amount)) = (order, tender, amount) else {
            return Err(Error::internal("a checked request lacks a field"));
        };
        let provider = self.steps.providers().usual().name().to_owned();
        Ok(Begin { order, tender, owner: owner.to_owned(), amount, provider, now: self.steps.ctx().now() })
    }

    async fn capture(
        &self,
        caller: &Caller,
        request: v1::CapturePaymentRequest,
    ) -> Result<Reply<v1::CapturePaymentResponse>> {
        let key = key(caller, "payment.CapturePayment", &request.request_id, &request)?;
        let ask = AskOperate {
            payment: parse_id("/payment_id", &request.payment_id)?,
            kind: OperationKind::Capture,
            amount: request.amount.as_ref().map(|amount| positive(Some(amount))).transpose()?,
            reason: String::new(),
        };
        let done = self.steps.operate(ask, key).await?;
        let message = v1::CapturePaymentResponse {
            capture: Some(wire::capture(&done.operation)),
            payment: Some(wire::payment(&done.payment)),
        };
        Ok(Reply { message, replayed: done.replayed })
    }

    async fn refund(
        &self,
        caller: &Caller,
        request: v1::RefundPaymentRequest,
    ) -> Result<Reply<v1::RefundPaymentResponse>> {
        let key = key(caller, "payment.RefundPayment", &request.request_id, &request)?;
        let mut wrong = Violations::new();
        let reason = wrong.optional_lines("/reason", &request.reason, REASON_CHARS_MAX);
        wrong.finish()?;
        if crate::domain::method::looks_like_a_card_number(&reason) {
            return Err(Error::field("/reason", "CARD_NUMBER_REFUSED", "has what looks like a card number"));
        }
        let ask = AskOperate {
            payment: parse_id("/payment_id", &request.payment_id)?,
            kind: OperationKind::Refund,
            amount: request.amount.as_ref().map(|amount| positive(Some(amount))).transpose()?,
            reason,
        };
        let done = self.steps.operate(ask, key).await?;
        let message = v1::RefundPaymentResponse {
            refund: Some(wire::refund(&done.operation)),
            payment: Some(wire::payment(&done.payment)),
        };
        Ok(Reply { message, replayed: done.replayed })
    }

    async fn void(
        &self,
        caller: &Caller,
        request: v1::VoidPaymentRequest,
    ) -> Result<Reply<v1::VoidPaymentResponse>> {
        let key = key(caller, "payment.VoidPayment", &request.request_id, &request)?;
        let begin = self.begin(
            &request.order_id,
            request.tender_index,
            &request.owner_subject,
            request.amount.as_ref(),
        )?;
        let done = self.steps.void(AskVoid { begin }, key).await?;
        let message = v1::VoidPaymentResponse {
            state: wire::operation_state(done.state).into(),
            payment: Some(wire::payment(&done.payment)),
            failure: done.failure.as_ref().map(wire::failure),
        };
        Ok(Reply { message, replayed: done.replayed })
    }

    /// A payment that the caller may see: its owner, staff, or a role. Somebody else's is as good as absent.
    async fn visible(&self, caller: &Caller, id: &str) -> Result<Payment> {
        let id: PaymentId = parse_id("/payment_id", id)?;
        let payment = self.steps.books().payment(id).await?;
        payment.filter(|payment| may_see(caller, payment)).ok_or_else(not_found)
    }

    async fn get(&self, caller: &Caller, request: v1::GetPaymentRequest) -> Result<v1::GetPaymentResponse> {
        let payment = self.visible(caller, &request.payment_id).await?;
        let operations = self.steps.books().operations(payment.id).await?;
        Ok(v1::GetPaymentResponse {
            payment: Some(wire::payment(&payment)),
            captures: wire::captures(&operations),
            refunds: wire::refunds(&operations),
        })
    }

    async fn list(
        &self,
        caller: &Caller,
        request: v1::ListPaymentsRequest,
    ) -> Result<v1::ListPaymentsResponse> {
        let order: OrderId = parse_id("/order_id", &request.order_id)?;
        let payments = self.steps.books().payments_of(order).await?;
        let payments =
            payments.iter().filter(|payment| may_see(caller, payment)).map(wire::payment).collect();
        Ok(v1::ListPaymentsResponse { payments })
    }

    async fn attempts(
        &self,
        caller: &Caller,
        request: v1::ListAttemptsRequest,
    ) -> Result<v1::ListAttemptsResponse> {
        let payment = self.visible(caller, &request.payment_id).await?;
        let attempts = self.steps.books().attempts(payment.id).await?;
        Ok(v1::ListAttemptsResponse { attempts: attempts.iter().map(wire::attempt).collect() })
    }

    async fn webhook(&self, request: v1::ReceiveWebhookRequest) -> Result<v1::ReceiveWebhookResponse> {
        check_request_id(&request.request_id)?;
        let taken = self.steps.receive_webhook(&request.provider, &request.body, &request.signature).await?;
        let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
        Ok(v1::ReceiveWebhookResponse { events: count(taken.events), applied: count(taken.applied) })
    }

    async fn ledger(&self, request: v1::ListLedgerEntriesRequest) -> Result<v1::ListLedgerEntriesResponse> {
        let limit = audit_limit(request.limit)?;
        let after = open_cursor(self.steps.ctx(), "ledger", &request.cursor)?;
        let (entries, more) = self.steps.books().entries(&after, limit).await?;
        let next = entries
            .last()
            .filter(|_| more)
            .map(|last| self.steps.ctx().cursors().seal("ledger", &last.entry.id));
        let entry = |sealed: &crate::store::SealedEntry| {
            let computed = sealed.link.as_ref().map(|link| link_hash(&link.previous, &sealed.entry));
            wire::entry(sealed, computed)
        };
        let entries = entries.iter().map(entry).collect();
        Ok(v1::ListLedgerEntriesResponse { entries, next_cursor: next.unwrap_or_default() })
    }

    async fn ledger_status(&self) -> Result<v1::GetLedgerStatusResponse> {
        let books = self.steps.books();
        let sums = books.sums().await?;
        let (sealed, broken_position) = books.chain().await?;
        let (tail, head) = (books.tail().await?, books.head().await?);
        let balance =
            |((account, currency), minor): (&(String, kernel::Currency), &i64)| v1::AccountBalance {
                account: account.clone(),
                balance: Some(words::money(Money::new(*minor, *currency))),
            };
        Ok(v1::GetLedgerStatusResponse {
            sums: sums.per_currency().into_iter().map(words::money).collect(),
            balances: sums.balances.iter().map(balance).collect(),
            entries: sums.entries,
            sealed,
            unsealed: tail.count,
            head_hash: head.hash,
            head_position: head.position,
            keyed_head_hash: head.keyed,
            oldest_unsealed_time: tail.oldest.map(words::timestamp),
            broken_position,
        })
    }

    /// Payments page by page, then the rows that belong to none in particular.
    async fn audit(&self, request: v1::ListForAuditRequest) -> Result<v1::ListForAuditResponse> {
        let limit = audit_limit(request.limit)?;
        let after = open_cursor(self.steps.ctx(), AUDIT, &request.cursor)?;
        let bad = |_| Error::field("/cursor", "INVALID_CURSOR", "is not a cursor of this list");
        let place = match after.strip_prefix(LEFTOVERS) {
            Some(place) => Some(serde_json::from_str::<Place>(place).map_err(bad)?),
            None => None,
        };
        let books = self.steps.books();
        let (mut findings, mut wholes, mut left) = (Vec::new(), Vec::new(), limit);
        let mut next = None;
        let place = match place {
            Some(place) => Some(place),
            None => {
                wholes = books.audit(&after, limit + 1).await?;
                let more = wholes.len() > limit as usize;
                wholes.truncate(limit as usize);
                findings.extend(wholes.iter().flat_map(|whole| audit::examine(whole, books.seals())));
                left -= wholes.len() as u32;
                next = wholes.last().filter(|_| more).map(|last| last.payment.id.to_string());
                (!more).then(Place::start)
            }
        };
        if let Some(place) = place {
            let found = books.leftovers(place, left).await?;
            findings.extend(found.strays.iter().map(audit::stray));
            findings.extend(found.altered_webhooks.into_iter().map(audit::altered_webhook));
            let place = found.next.map(|place| serde_json::to_string(&place).map_err(Error::internal));
            next = place.transpose()?.map(|place| format!("{LEFTOVERS}{place}"));
        }
        findings.truncate(FINDINGS_MAX);
        Ok(v1::ListForAuditResponse {
            findings,
            payments: wholes.iter().map(wire::audited).collect(),
            next_cursor: next.map(|next| self.steps.ctx().cursors().seal(AUDIT, &next)).unwrap_or_default(),
        })
    }
}

fn key(
    caller: &Caller,
    method: &'static str,
    request_id: &str,
    message: &impl Message,
) -> Result<RequestKey> {
    Ok(RequestKey { keep: KEEP, ..request_key(caller, method, request_id, message)? })
}

fn positive(amount: Option<&contract::souk::r#type::v1::Money>) -> Result<Money> {
    let amount = parse_money("/amount", &amount.cloned())?;
    if amount.minor <= 0 {
        return Err(Error::field("/amount/minor_units", "INVALID_ARGUMENT", "must be positive"));
    }
    Ok(amount)
}

fn may_see(caller: &Caller, payment: &Payment) -> bool {
    caller.may_access(&payment.owner, "payments.read")
}

fn not_found() -> Error {
    Error::not_found("PAYMENT_NOT_FOUND", "there is no such payment")
}

#[tonic::async_trait]
impl PaymentService for Api {
    async fn authorize_payment(
        &self,
        request: Request<v1::AuthorizePaymentRequest>,
    ) -> Result<Response<v1::AuthorizePaymentResponse>, Status> {
        let caller = mesh::caller(&request);
        self.authorize(&caller, request.into_inner())
            .await
            .map(Reply::into_response)
            .map_err(contract::status)
    }

    async fn capture_payment(
        &self,
        request: Request<v1::CapturePaymentRequest>,
    ) -> Result<Response<v1::CapturePaymentResponse>, Status> {
        let caller = mesh::caller(&request);
        self.capture(&caller, request.into_inner()).await.map(Reply::into_response).map_err(contract::status)
    }

    async fn void_payment(
        &self,
        request: Request<v1::VoidPaymentRequest>,
    ) -> Result<Response<v1::VoidPaymentResponse>, Status> {
        let caller = mesh::caller(&request);
        self.void(&caller, request.into_inner()).await.map(Reply::into_response).map_err(contract::status)
    }

    async fn refund_payment(
        &self,
        request: Request<v1::RefundPaymentRequest>,
    ) -> Result<Response<v1::RefundPaymentResponse>, Status> {
        let caller = mesh::caller(&request);
        self.refund(&caller, request.into_inner()).await.map(Reply::into_response).map_err(contract::status)
    }

    async fn get_payment(
        &self,
        request: Request<v1::GetPaymentRequest>,
    ) -> Result<Response<v1::GetPaymentResponse>, Status> {
        let caller = mesh::caller(&request);
        self.get(&caller, request.into_inner()).await.map(Response::new).map_err(contract::status)
    }

    async fn list_payments(
        &self,
        request: Request<v1::ListPaymentsRequest>,
    ) -> Result<Response<v1::ListPaymentsResponse>, Status> {
        let caller = mesh::caller(&request);
        self.list(&caller, request.into_inner()).await.map(Response::new).map_err(contract::status)
    }

    async fn list_attempts(
        &self,
        request: Request<v1::ListAttemptsRequest>,
    ) -> Result<Response<v1::ListAttemptsResponse>, Status> {
        let caller = mesh::caller(&request);
        self.attempts(&caller, request.into_inner()).await.map(Response::new).map_err(contract::status)
    }

    async fn receive_webhook(
        &self,
        request: Request<v1::ReceiveWebhookRequest>,
    ) -> Result<Response<v1::ReceiveWebhookResponse>, Status> {
        self.webhook(request.into_inner()).await.map(Response::new).map_err(contract::status)
    }

    async fn list_ledger_entries(
        &self,
        request: Request<v1::ListLedgerEntriesRequest>,
    ) -> Result<Response<v1::ListLedgerEntriesResponse>, Status> {
        self.ledger(request.into_inner()).await.map(Response::new).map_err(contract::status)
    }

    async fn get_ledger_status(
        &self,
        _: Request<v1::GetLedgerStatusRequest>,
    ) -> Result<Response<v1::GetLedgerStatusResponse>, Status> {
        self.ledger_status().await.map(Response::new).map_err(contract::status)
    }

    async fn list_for_audit(
        &self,
        request: Request<v1::ListForAuditRequest>,
    ) -> Result<Response<v1::ListForAuditResponse>, Status> {
        self.audit(request.into_inner()).await.map(Response::new).map_err(contract::status)
    }
}
