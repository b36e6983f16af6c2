//! `souk.testpay.v1.TestpayService`.

use chassis::Reply;
use contract::souk::testpay::v1::{self, testpay_service_server::TestpayService};
use contract::wire::{money, parse_enum, timestamp};
use kernel::{Error, Result};
use tonic::{Request, Response, Status};

use super::books::{AuthorizationRow, MovementRow, Wrote};
use super::cards::{CHALLENGE_FAILED, REFUND_PENDING};
use super::provider::{is_before, outcome_of};
use super::{Testpay, cards, news};
use crate::wire::{audit_limit, open_cursor};

/// Longest challenge token, in bytes.
const TOKEN_BYTES_MAX: usize = 64;

#[tonic::async_trait]
impl TestpayService for Testpay {
    async fn complete_challenge(
        &self,
        request: Request<v1::CompleteChallengeRequest>,
    ) -> Result<Response<v1::CompleteChallengeResponse>, Status> {
        let request = request.into_inner();
        self.complete(request).await.map(Reply::into_response).map_err(contract::status)
    }

    async fn list_payment_methods(
        &self,
        _: Request<v1::ListPaymentMethodsRequest>,
    ) -> Result<Response<v1::ListPaymentMethodsResponse>, Status> {
        let method = |card: &cards::Card| v1::PaymentMethod {
            token: card.token.to_owned(),
            label: card.label.to_owned(),
            behaviour: card.behaviour.to_owned(),
        };
        Ok(Response::new(v1::ListPaymentMethodsResponse {
            payment_methods: cards::CARDS.iter().map(method).collect(),
        }))
    }

    async fn list_authorizations(
        &self,
        request: Request<v1::ListAuthorizationsRequest>,
    ) -> Result<Response<v1::ListAuthorizationsResponse>, Status> {
        let request = request.into_inner();
        let page = async {
            let limit = audit_limit(request.limit)?;
            let after = open_cursor(&self.ctx, "testpay-authorizations", &request.cursor)?;
            let rows = self.books.authorizations(&after, limit + 1).await?;
            let (rows, next_cursor) =
                self.cut("testpay-authorizations", rows, limit, |row| row.id.to_string());
            let authorizations = rows.iter().map(authorization).collect();
            Ok(v1::ListAuthorizationsResponse { authorizations, next_cursor })
        };
        page.await.map(Response::new).map_err(contract::status)
    }

    async fn list_captures(
        &self,
        request: Request<v1::ListCapturesRequest>,
    ) -> Result<Response<v1::ListCapturesResponse>, Status> {
        let request = request.into_inner();
        let page = async {
            let limit = audit_limit(request.limit)?;
            let after = open_cursor(&self.ctx, "testpay-captures", &request.cursor)?;
            let rows = self.books.captures(&after, limit + 1).await?;
            let (rows, next_cursor) = self.cut("testpay-captures", rows, limit, |row| row.id.clone());
            Ok(v1::ListCapturesResponse { captures: rows.iter().map(capture).collect(), next_cursor })
        };
        page.await.map(Response::new).map_err(contract::status)
    }

    async fn list_refunds(
        &self,
        request: Request<v1::ListRefundsRequest>,
    ) -> Result<Response<v1::ListRefundsResponse>, Status> {
        let request = request.into_inner();
        let page = async {
            let limit = audit_limit(request.limit)?;
            let after = open_cursor(&self.ctx, "testpay-refunds", &request.cursor)?;
            let rows = self.books.refunds(&after, limit + 1).await?;
            let (rows, next_cursor) = self.cut("testpay-refunds", rows, limit, |row| row.id.clone());
            let refunds = rows.iter().map(|row| self.refund_message(row)).collect();
            Ok(v1::ListRefundsResponse { refunds, next_cursor })
        };
        page.await.map(Response::new).map_err(contract::status)
    }
}

impl Testpay {
    /// Ends a challenge. It is the challenge that counts once, so that repeating is safe for whoever does.
    async fn complete(
        &self,
        request: v1::CompleteChallengeRequest,
    ) -> Result<Reply<v1::CompleteChallengeResponse>> {
        crate::wire::check_request_id(&request.request_id)?;
        let token = &request.challenge_token;
        if token.is_empty() || token.len() > TOKEN_BYTES_MAX {
            return Err(Error::field("/challenge_token", "INVALID_ARGUMENT", "must have 1 to 64 bytes"));
        }
        let outcome: v1::ChallengeOutcome = parse_enum("/outcome", request.outcome)?;
        let (word, state, code) = match outcome {
            v1::ChallengeOutcome::Approve => ("approve", "authorized", ""),
            _ => ("fail", "declined", CHALLENGE_FAILED),
        };
        let response = v1::CompleteChallengeResponse { outcome: outcome.into() };
        // A second look decides when two end the same challenge at once.
        for _ in 0..2 {
            let missing = || Error::not_found("CHALLENGE_NOT_FOUND", "there is no such challenge");
            let (ended, row) = self.books.challenge(token).await?.ok_or_else(missing)?;
            if ended == word {
                return Ok(Reply::replayed(response));
            }
            if !ended.is_empty() || row.state != "requires_action" {
                break;
            }
            let after =
                AuthorizationRow { state: state.to_owned(), decline_code: code.to_owned(), ..row.clone() };
            let now = self.ctx.now();
            let event = news::of_authorization(self.news_id(), now, &row.key, &outcome_of(&after));
            let deliveries = self.deliveries(&event, now, 1);
            if self.books.end_challenge(&row, word, state, code, &deliveries).await? == Wrote::Done {
                self.wake.notify_one();
                return Ok(Reply::fresh(response));
            }
        }
        Err(Error::precondition(
            "CHALLENGE_COMPLETED",
            "the challenge has ended already, or the payment was given up",
        ))
    }

    /// Cuts a list that was read one too long, and makes the cursor of the next page.
    fn cut<T>(
        &self,
        query: &str,
        mut rows: Vec<T>,
        limit: u32,
        id: impl Fn(&T) -> String,
    ) -> (Vec<T>, String) {
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(|row| self.ctx.cursors().seal(query, &id(row)));
        (rows, next.unwrap_or_default())
    }

    fn refund_message(&self, row: &MovementRow) -> v1::Refund {
        let state = match (is_before(self.ctx.now(), row.settle_at, REFUND_PENDING), row.state.as_str()) {
            (true, _) => v1::RefundState::Pending,
            (false, "succeeded") => v1::RefundState::Succeeded,
            (false, _) => v1::RefundState::Failed,
        };
        v1::Refund {
            id: row.id.clone(),
            key: row.key.clone(),
            authorization_id: row.authorization.clone(),
            amount: Some(money(row.amount)),
            state: state.into(),
            create_time: Some(timestamp(row.created)),
        }
    }
}

fn authorization(row: &AuthorizationRow) -> v1::Authorization {
    let state = match row.state.as_str() {
        "authorized" => v1::AuthorizationState::Authorized,
        "requires_action" => v1::AuthorizationState::RequiresAction,
        "voided" => v1::AuthorizationState::Voided,
        _ => v1::AuthorizationState::Declined,
    };
    let part = |minor| Some(money(kernel::Money::new(minor, row.amount.currency)));
    v1::Authorization {
        id: row.id.to_string(),
        key: row.key.clone(),
        payment_id: row.payment.clone(),
        payment_method: row.method.clone(),
        amount: part(row.amount.minor),
        captured: part(row.captured),
        refunded: part(row.refunded),
        state: state.into(),
        decline_code: row.decline_code.clone(),
        create_time: Some(timestamp(row.created)),
    }
}

fn capture(row: &MovementRow) -> v1::Capture {
    v1::Capture {
        id: row.id.clone(),
        key: row.key.clone(),
        authorization_id: row.authorization.clone(),
        amount: Some(money(row.amount)),
        create_time: Some(timestamp(row.created)),
    }
}
