//! testpay as a payment provider.

use std::time::Duration;

use async_trait::async_trait;
use kernel::{Error, Result, Timestamp};

use super::books::{AuthorizationRow, Delivery, MovementRow, Wrote};
use super::cards::{Answer, Card, Hooks, REFUND_PENDING, Refunds, Verdict};
use super::news::Event;
use super::{AuthorizationId, Capture, NAME, News, NewsId, TestRefund, Testpay, cards, news};
use crate::domain::{AuthorizationOutcome, Challenge, Failure, OperationKind, OperationOutcome};
use crate::provider::{Authorize, NoAnswer, Operate, Provider, WebhookEvent};
use crate::signature;

/// How long after the fact a webhook is sent, as a rule: real ones come after the answer, as a rule.
const HOOK_AFTER: Duration = Duration::from_millis(200);

/// Where the payer passes a challenge: a name for the bank's page; the call that ends it is
/// `TestpayService.CompleteChallenge`.
const CHALLENGE_PAGE: &str = "https://testpay.example/challenge/";

#[async_trait]
impl Provider for Testpay {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn authorize(&self, authorize: Authorize) -> Result<AuthorizationOutcome, NoAnswer> {
        let (place, card) = cards::find(authorize.method.expose());
        let row = self.decide(&authorize, place, card);
        let outcome = outcome_of(&row);
        let now = row.created;
        let event = news::of_authorization(self.news_id(), now, &row.key, &outcome);
        let outcome = match self.books.authorize(&row, &self.hooks(card, &event, now)).await.map_err(lost)? {
            Wrote::Done => outcome,
            Wrote::Before | Wrote::Refused => {
                let before = self.books.authorization_by_key(&row.key).await.map_err(lost)?;
                let before =
                    before.ok_or_else(|| NoAnswer::new("an authorization is neither new nor known"))?;
                if before.amount != row.amount || before.payment != row.payment {
                    let failure =
                        Failure::new("idempotency_error", "The key was used for another authorization.");
                    return Ok(AuthorizationOutcome::Declined { reference: String::new(), failure });
                }
                outcome_of(&before)
            }
        };
        self.answer(card, outcome).await
    }

    async fn operate(&self, operate: Operate) -> Result<OperationOutcome, NoAnswer> {
        let Ok(authorization) = AuthorizationId::parse(&operate.target) else {
            return Ok(refused("resource_missing", "There is no such authorization."));
        };
        let card = cards::of(authorization);
        if let Answer::NotReached(wait) = card.answer {
            let known = self.books.authorization_by_id(authorization).await.map_err(lost)?;
            if known.is_some_and(|row| is_before(self.ctx.now(), row.created.plus(wait), wait)) {
                return Err(NoAnswer::new("the connection was refused"));
            }
        }
        let outcome = match operate.kind {
            OperationKind::Capture => self.capture(&operate, card).await,
            OperationKind::Refund => self.refund(&operate, card).await,
            OperationKind::Void => self.void(&operate, authorization, card).await,
        };
        self.answer(card, outcome.map_err(lost)?).await
    }

    async fn find_authorization(&self, key: &str) -> Result<Option<AuthorizationOutcome>, NoAnswer> {
        Ok(self.books.authorization_by_key(key).await.map_err(lost)?.as_ref().map(outcome_of))
    }

    async fn find_operation(&self, operate: &Operate) -> Result<Option<OperationOutcome>, NoAnswer> {
        let found = match operate.kind {
            OperationKind::Capture => self.books.capture_by_key(&operate.key).await.map_err(lost)?,
            OperationKind::Refund => self.books.refund_by_key(&operate.key).await.map_err(lost)?,
            OperationKind::Void => {
                let Ok(id) = AuthorizationId::parse(&operate.target) else { return Ok(None) };
                let found = self.books.authorization_by_id(id).await.map_err(lost)?;
                let voided = found.filter(|authorization| authorization.state == "voided");
                return Ok(voided.map(|_| OperationOutcome::Succeeded { reference: operate.target.clone() }));
            }
        };
        Ok(found.map(|movement| self.outcome_of_movement(&movement)))
    }

    fn read_webhook(&self, body: &[u8], signature: &str, now: Timestamp) -> Result<Vec<WebhookEvent>> {
        signature::verify(self.secret.bytes(), now, body, signature)?;
        news::read(body)
    }
}

/// Whether a time that was set `pause` ahead has not come yet. One that is further ahead was set by a clock that was ahead.
pub(super) fn is_before(now: Timestamp, time: Timestamp, pause: Duration) -> bool {
    now < time && time <= now.plus(pause)
}

impl Testpay {
    fn decide(&self, authorize: &Authorize, place: u8, card: Card) -> AuthorizationRow {
        let (state, decline_code, challenge) = match card.verdict {
            Verdict::Approve => ("authorized", "", String::new()),
            Verdict::Decline(code, _) => ("declined", code, String::new()),
            Verdict::Challenge => {
                ("requires_action", "", format!("tpx_{}", hex::encode(self.ctx.random::<16>())))
            }
        };
        AuthorizationRow {
            id: cards::mark(self.ctx.id(), place),
            key: authorize.key.clone(),
            payment: authorize.payment.to_string(),
            method: authorize.method.expose().to_owned(),
            amount: authorize.amount,
            captured: 0,
            refunded: 0,
            state: state.to_owned(),
            decline_code: decline_code.to_owned(),
            challenge,
            created: self.ctx.now(),
        }
    }

    async fn capture(&self, operate: &Operate, card: Card) -> Result<OperationOutcome> {
        let now = self.ctx.now();
        let row = MovementRow {
            id: self.ctx.id::<Capture>().to_string(),
            key: operate.key.clone(),
            authorization: operate.target.clone(),
            amount: operate.amount,
            state: "succeeded".to_owned(),
            settle_at: now,
            created: now,
        };
        let outcome = self.outcome_of_movement(&row);
        let event = news::of_operation(self.news_id(), now, &row.key, &outcome);
        match self.books.capture(&row, &self.hooks(card, &event, now)).await? {
            Wrote::Done => Ok(outcome),
            Wrote::Refused => {
                Ok(refused("charge_not_capturable", "The authorization does not cover this capture."))
            }
            Wrote::Before => {
                let before = self.books.capture_by_key(&row.key).await?;
                Ok(self.outcome_of_movement(&before.ok_or_else(neither)?))
            }
        }
    }

    async fn refund(&self, operate: &Operate, card: Card) -> Result<OperationOutcome> {
        let now = self.ctx.now();
        let (state, settle_at) = match card.refunds {
            Refunds::Usual => ("succeeded", now),
            Refunds::Pending => ("succeeded", now.plus(REFUND_PENDING)),
            Refunds::Fail => ("failed", now.plus(REFUND_PENDING)),
        };
        let row = MovementRow {
            id: self.ctx.id::<TestRefund>().to_string(),
            key: operate.key.clone(),
            authorization: operate.target.clone(),
            amount: operate.amount,
            state: state.to_owned(),
            settle_at,
            created: now,
        };
        let settled = news::of_operation(self.news_id(), settle_at, &row.key, &settled(&row));
        match self.books.refund(&row, &self.hooks(card, &settled, settle_at)).await? {
            Wrote::Done => Ok(self.outcome_of_movement(&row)),
            Wrote::Refused => {
                Ok(refused("refund_exceeds_captured", "Less than this is captured and not refunded."))
            }
            Wrote::Before => {
                let before = self.books.refund_by_key(&row.key).await?;
                Ok(self.outcome_of_movement(&before.ok_or_else(neither)?))
            }
        }
    }

    async fn void(
        &self,
        operate: &Operate,
        authorization: AuthorizationId,
        card: Card,
    ) -> Result<OperationOutcome> {
        let now = self.ctx.now();
        let outcome = OperationOutcome::Succeeded { reference: operate.target.clone() };
        let event = news::of_operation(self.news_id(), now, &operate.key, &outcome);
        match self.books.void(authorization, &self.hooks(card, &event, now)).await? {
            Wrote::Done => Ok(outcome),
            Wrote::Before | Wrote::Refused => match self.books.authorization_by_id(authorization).await? {
                Some(row) if row.state == "voided" => Ok(outcome),
                Some(_) => {
                    Ok(refused("charge_not_voidable", "The authorization cannot be given up any more."))
                }
                None => Ok(refused("resource_missing", "There is no such authorization.")),
            },
        }
    }

    /// How a movement stands now: a refund is pending until its time.
    fn outcome_of_movement(&self, row: &MovementRow) -> OperationOutcome {
        if is_before(self.ctx.now(), row.settle_at, REFUND_PENDING) {
            return OperationOutcome::Pending { reference: row.id.clone() };
        }
        settled(row)
    }

    /// Answers as the card does.
    async fn answer<T>(&self, card: Card, outcome: T) -> Result<T, NoAnswer> {
        match card.answer {
            Answer::Usual | Answer::NotReached(_) => Ok(outcome),
            Answer::After(wait) => {
                self.ctx.sleep(wait).await;
                Ok(outcome)
            }
            Answer::Lost => Err(NoAnswer::new("the connection was closed before the answer")),
        }
    }

    /// The deliveries of an event, as the card has them.
    fn hooks(&self, card: Card, event: &Event, now: Timestamp) -> Vec<Delivery> {
        let (after, times) = match card.hooks {
            Hooks::Usual => (HOOK_AFTER, 1),
            Hooks::After(after) => (after, 1),
            Hooks::Times(times) => (HOOK_AFTER, times),
        };
        self.deliveries(event, now.plus(after), times)
    }

    /// Deliveries of an event: the first at a time, the others a second apart.
    pub(super) fn deliveries(&self, event: &Event, due: Timestamp, times: u32) -> Vec<Delivery> {
        let Ok(encoded) = serde_json::to_string(event) else { return Vec::new() };
        (0..times)
            .map(|time| {
                let due = due.plus(Duration::from_secs(time.into()));
                Delivery::new(due, &self.ctx.id::<News>().to_string(), encoded.clone(), 0)
            })
            .collect()
    }

    pub(super) fn news_id(&self) -> String {
        let id: NewsId = self.ctx.id();
        id.to_string()
    }
}

/// How an authorization stands.
pub(super) fn outcome_of(row: &AuthorizationRow) -> AuthorizationOutcome {
    let reference = row.id.to_string();
    match row.state.as_str() {
        "authorized" => AuthorizationOutcome::Authorized { reference },
        "voided" => AuthorizationOutcome::Voided { reference },
        "requires_action" => {
            let challenge =
                Challenge { url: format!("{CHALLENGE_PAGE}{}", row.challenge), token: row.challenge.clone() };
            AuthorizationOutcome::ActionRequired { reference, challenge }
        }
        _ => {
            let message = match cards::of(row.id).verdict {
                Verdict::Decline(_, message) => message,
                _ => AUTHENTICATION_FAILED,
            };
            AuthorizationOutcome::Declined {
                reference,
                failure: Failure::new(row.decline_code.clone(), message),
            }
        }
    }
}

/// What the payer is told after a failed challenge.
const AUTHENTICATION_FAILED: &str = "The payer could not be authenticated.";

fn settled(row: &MovementRow) -> OperationOutcome {
    if row.state == "succeeded" {
        return OperationOutcome::Succeeded { reference: row.id.clone() };
    }
    let failure = Failure::new("refund_failed", "The payer's bank refused the refund.");
    OperationOutcome::Failed { reference: row.id.clone(), failure }
}

fn refused(code: &str, message: &str) -> OperationOutcome {
    OperationOutcome::Failed { reference: String::new(), failure: Failure::new(code, message) }
}

/// testpay's own store failed: nobody knows what became of it.
fn lost(error: Error) -> NoAnswer {
    NoAnswer::new(format!("{error:?}"))
}

fn neither() -> Error {
    Error::internal("a movement is neither new nor known")
}
