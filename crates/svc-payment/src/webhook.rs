//! What a provider says by itself. Each event counts once, for ever; it may come before the answer to the call that caused
//! it, late, twice, and in any order.

use std::collections::HashMap;

use kernel::{Error, Result};

use crate::domain::attempt::read_provider_key;
use crate::domain::{Attempt, Operation};
use crate::provider::{News, WebhookEvent};
use crate::steps::{Heard, Steps, Written};

/// The most bytes of a webhook's body.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// What was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Events in the body.
    pub events: usize,
    /// Those among them that changed something.
    pub applied: usize,
}

impl Steps {
    /// Takes a webhook as it came.
    ///
    /// What is known already, as nearly always, costs one indexed read for all events of the body and no commit; that
    /// needs no note of the event, since an outcome that is known cannot count again.
    ///
    /// # Errors
    /// `UNKNOWN_PROVIDER`, `INVALID_SIGNATURE`, `SIGNATURE_TOO_OLD`, `INVALID_WEBHOOK`; when the store fails, and the provider
    /// is to send it again.
    pub async fn receive_webhook(&self, provider: &str, body: &[u8], signature: &str) -> Result<Taken> {
        if body.len() > BODY_BYTES_MAX {
            return Err(Error::field("/body", "INVALID_WEBHOOK", "must have at most 64 KiB"));
        }
        let Some(provider) = self.providers().get(provider) else {
            return Err(Error::field("/provider", "UNKNOWN_PROVIDER", "names no provider of this shop"));
        };
        let events = provider.read_webhook(body, signature, self.ctx().now())?;
        let mut taken = Taken { events: events.len(), applied: 0 };
        let known = Known::read(self, &events).await?;
        for event in events {
            let heard = Heard::Webhook { provider: provider.name(), event: event.id };
            taken.applied += usize::from(self.hear(&known, provider.name(), &event.news, heard).await?);
        }
        Ok(taken)
    }

    /// Whether the news changed something.
    async fn hear(&self, known: &Known, provider: &str, news: &News, heard: Heard) -> Result<bool> {
        match news {
            News::Authorization { key, outcome } => {
                let Some(attempt) = known.attempts.get(key).filter(|attempt| attempt.provider == provider)
                else {
                    return Ok(passed_over(key));
                };
                if attempt.after(outcome, attempt.updated).is_none() && !attempt.is_stray(outcome) {
                    return Ok(false);
                }
                let now = self.attempt_now(attempt.payment, attempt.number).await?;
                Ok(matches!(self.conclude_attempt(now, outcome, &heard).await?, Written::Changed(_)))
            }
            News::Operation { key, outcome } => {
                let Some(operation) =
                    known.operations.get(key).filter(|operation| operation.provider == provider)
                else {
                    return Ok(passed_over(key));
                };
                if operation.after(outcome, operation.updated).is_none() {
                    return Ok(false);
                }
                let now = self.operation_now(operation.payment, &operation.id).await?;
                Ok(matches!(self.conclude_operation(now, outcome, &heard).await?, Written::Changed(_)))
            }
            News::Other => Ok(false),
        }
    }
}

/// Every step is written down before the provider hears of it, so news of an unknown key is about another shop's.
fn passed_over(key: &str) -> bool {
    tracing::warn!(key, "a webhook is about something that this shop never asked for; it is passed over");
    false
}

/// How things stand that a webhook is about.
struct Known {
    attempts: HashMap<String, Attempt>,
    operations: HashMap<String, Operation>,
}

impl Known {
    async fn read(steps: &Steps, events: &[WebhookEvent]) -> Result<Self> {
        let (mut payments, mut operations) = (Vec::new(), Vec::new());
        for event in events {
            match &event.news {
                News::Authorization { key, .. } => {
                    payments.extend(read_provider_key(key).map(|(payment, _)| payment))
                }
                News::Operation { key, .. } => operations.push(key.clone()),
                News::Other => {}
            }
        }
        let attempts = steps.books().attempts_of(&payments).await?;
        let operations = steps.books().operations_by_id(&operations).await?;
        Ok(Self {
            attempts: attempts.into_iter().map(|attempt| (attempt.key(), attempt)).collect(),
            operations: operations.into_iter().map(|operation| (operation.id.clone(), operation)).collect(),
        })
    }
}
