//! The bodies of testpay's webhooks: JSON, several events in one delivery.

use kernel::{Error, Result, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::{AuthorizationOutcome, Challenge, Failure, OperationOutcome};
use crate::provider::{News, WebhookEvent};

/// The most events in one body.
pub const EVENTS_MAX: usize = 100;

#[derive(Serialize, Deserialize)]
struct Body {
    object: String,
    data: Vec<Event>,
}

/// One event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    created: i64,
    data: Data,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Data {
    key: String,
    #[serde(default)]
    reference: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    challenge: Option<Reason>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<Reason>,
}

/// A pair of words: a challenge's url and token, or a failure's code and message.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Reason(String, String);

/// The event of an authorization that came to this.
pub fn of_authorization(id: String, now: Timestamp, key: &str, outcome: &AuthorizationOutcome) -> Event {
    let mut data = Data { key: key.to_owned(), reference: outcome.reference().to_owned(), ..Data::default() };
    let kind = match outcome {
        AuthorizationOutcome::Authorized { .. } => "authorization.authorized",
        AuthorizationOutcome::ActionRequired { challenge, .. } => {
            data.challenge = Some(Reason(challenge.url.clone(), challenge.token.clone()));
            "authorization.requires_action"
        }
        AuthorizationOutcome::Declined { failure, .. } => {
            data.failure = Some(Reason(failure.code.clone(), failure.message.clone()));
            "authorization.declined"
        }
        AuthorizationOutcome::Voided { .. } => "authorization.voided",
    };
    Event { id, kind: kind.to_owned(), created: now.secs(), data }
}

/// The event of an operation that came to this.
pub fn of_operation(id: String, now: Timestamp, key: &str, outcome: &OperationOutcome) -> Event {
    let mut data = Data { key: key.to_owned(), ..Data::default() };
    let (kind, reference) = match outcome {
        OperationOutcome::Succeeded { reference } => ("operation.succeeded", reference),
        OperationOutcome::Pending { reference } => ("operation.pending", reference),
        OperationOutcome::Failed { reference, failure } => {
            data.failure = Some(Reason(failure.code.clone(), failure.message.clone()));
            ("operation.failed", reference)
        }
    };
    reference.clone_into(&mut data.reference);
    Event { id, kind: kind.to_owned(), created: now.secs(), data }
}

/// The body of a delivery from encoded events.
pub fn body<'a>(events: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let events: Vec<_> = events.into_iter().collect();
    format!("{{\"object\":\"list\",\"data\":[{}]}}", events.join(",")).into_bytes()
}

/// Reads a body whose signature is good.
///
/// # Errors
/// `INVALID_WEBHOOK` at `/body` when testpay did not send it.
pub fn read(body: &[u8]) -> Result<Vec<WebhookEvent>> {
    let bad = |what: &str| Error::field("/body", "INVALID_WEBHOOK", what.to_owned());
    let body: Body = serde_json::from_slice(body).map_err(|_| bad("is not a list of events"))?;
    if body.object != "list" || body.data.len() > EVENTS_MAX {
        return Err(bad("must be a list of at most 100 events"));
    }
    let too_long = |event: &Event| event.id.is_empty() || event.id.len() > 128 || event.data.key.len() > 128;
    if body.data.iter().any(too_long) {
        return Err(bad("has an event without an id, or with one that is too long"));
    }
    Ok(body
        .data
        .into_iter()
        .map(|event| WebhookEvent { id: event.id, news: news(&event.kind, event.data) })
        .collect())
}

fn news(kind: &str, data: Data) -> News {
    let Data { key, reference, challenge, failure } = data;
    let declined = || Failure::new("declined", "The payment provider declined.");
    let failure = failure.map_or_else(declined, |Reason(code, message)| Failure { code, message });
    let authorization = match (kind, challenge) {
        ("authorization.authorized", _) => AuthorizationOutcome::Authorized { reference },
        ("authorization.voided", _) => AuthorizationOutcome::Voided { reference },
        ("authorization.declined", _) => AuthorizationOutcome::Declined { reference, failure },
        ("authorization.requires_action", Some(Reason(url, token))) => {
            AuthorizationOutcome::ActionRequired { reference, challenge: Challenge { url, token } }
        }
        ("operation.succeeded", _) => {
            return News::Operation { key, outcome: OperationOutcome::Succeeded { reference } };
        }
        ("operation.pending", _) => {
            return News::Operation { key, outcome: OperationOutcome::Pending { reference } };
        }
        ("operation.failed", _) => {
            return News::Operation { key, outcome: OperationOutcome::Failed { reference, failure } };
        }
        (_, _) => return News::Other,
    };
    News::Authorization { key, outcome: authorization }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::attempt::tests::outcomes;

    proptest! {
        #[test]
        fn what_is_sent_is_read(outcome in outcomes()) {
            let event = of_authorization("tpe_1".to_owned(), Timestamp::from_secs(1), "pay_1:1", &outcome);
            let event = serde_json::to_string(&event).expect("JSON");
            let read = read(&body([event.as_str(), event.as_str()])).expect("own body");
            prop_assert_eq!(read.len(), 2);
            prop_assert_eq!(&read[0].news, &News::Authorization { key: "pay_1:1".to_owned(), outcome });
        }

        #[test]
        fn no_body_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&body);
        }
    }

    #[test]
    fn what_is_no_list_is_refused_and_unknown_news_pass() {
        for bad in ["", "{}", "[]", "{\"object\":\"list\"}", "{\"object\":\"event\",\"data\":[]}"] {
            assert_eq!(read(bad.as_bytes()).expect_err(bad).violations()[0].field, "/body");
        }
        let other = "{\"id\":\"tpe_1\",\"type\":\"payout.paid\",\"created\":1,\"data\":{\"key\":\"x\"}}";
        assert_eq!(read(&body([other])).expect("a list")[0].news, News::Other);
    }
}
