//! A failure as its HTTP caller sees it: RFC 9457. Nobody else maps.

use http::StatusCode;
use kernel::{Code, Error};
use schemars::JsonSchema;
use serde::Serialize;

/// What the gateway itself refuses, and the reasons of the house whose status says more than their code's.
const BY_REASON: &[(&str, StatusCode)] = &[
    ("METHOD_NOT_ALLOWED", StatusCode::METHOD_NOT_ALLOWED),
    ("REQUEST_TIMEOUT", StatusCode::REQUEST_TIMEOUT),
    ("BODY_TOO_LARGE", StatusCode::PAYLOAD_TOO_LARGE),
    ("FIELDS_TOO_LARGE", StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
    ("PATH_TOO_LONG", StatusCode::URI_TOO_LONG),
    ("QUERY_TOO_LONG", StatusCode::URI_TOO_LONG),
    ("UNSUPPORTED_MEDIA_TYPE", StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ("PRECONDITION_REQUIRED", StatusCode::PRECONDITION_REQUIRED),
    ("VERSION_CONFLICT", StatusCode::PRECONDITION_FAILED),
    ("IDEMPOTENCY_KEY_REUSED", StatusCode::UNPROCESSABLE_ENTITY),
    // Well-formed as described, but it does not hold.
    ("INVALID_ADDRESS", StatusCode::UNPROCESSABLE_ENTITY),
    ("INVALID_CURSOR", StatusCode::UNPROCESSABLE_ENTITY),
    ("INVALID_PRICE_RANGE", StatusCode::UNPROCESSABLE_ENTITY),
    ("INVALID_TENDERS", StatusCode::UNPROCESSABLE_ENTITY),
    ("CARD_NUMBER_REFUSED", StatusCode::UNPROCESSABLE_ENTITY),
    ("CURRENT_PASSWORD_WRONG", StatusCode::UNPROCESSABLE_ENTITY),
    ("PASSWORD_TOO_COMMON", StatusCode::UNPROCESSABLE_ENTITY),
    ("PASSWORD_TOO_SHORT", StatusCode::UNPROCESSABLE_ENTITY),
    ("PASSWORD_TOO_LONG", StatusCode::UNPROCESSABLE_ENTITY),
    ("QUOTE_TOKEN_INVALID", StatusCode::UNPROCESSABLE_ENTITY),
    ("PAYMENT_DECLINED", StatusCode::PAYMENT_REQUIRED),
];

/// The status of an error.
#[must_use]
pub fn status(error: &Error) -> StatusCode {
    if let Some((_, status)) = BY_REASON.iter().find(|(reason, _)| *reason == error.reason()) {
        return *status;
    }
    match error.code() {
        Code::InvalidArgument => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::Conflict | Code::FailedPrecondition => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A problem (RFC 9457, `application/problem+json`).
#[derive(Debug, Serialize, JsonSchema)]
pub struct Problem {
    /// Address of what is known about problems of this code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong, and what to do: a sentence that is safe to show.
    pub detail: String,
    /// Stable reason, for example `OUT_OF_STOCK`.
    pub code: String,
    /// Names the request in the logs.
    pub request_id: String,
    /// Whether the same request may be sent again as it is.
    pub retryable: bool,
    /// When to try again, in milliseconds, where it is known; `Retry-After` says it in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// The fields that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
    /// Facts for machines, for example the id of the order or the lines that are short.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub facts: serde_json::Map<String, serde_json::Value>,
}

/// A field that is wrong.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FieldProblem {
    /// JSON pointer to it; a field of the query or of the path stands as if it were in the body.
    pub pointer: String,
    /// What is wrong with it, a clause that follows the field's name.
    pub detail: String,
}

impl Problem {
    /// The problem that an error is.
    #[must_use]
    pub fn of(error: &Error, request_id: &str) -> Self {
        let status = status(error);
        let errors = error.violations().iter().map(|violation| FieldProblem {
            pointer: violation.field.clone(),
            detail: violation.description.clone(),
        });
        let facts = error.metadata().iter().map(|(key, value)| (key.clone(), fact(value)));
        Self {
            kind: format!("/docs#{}", error.reason()),
            title: status.canonical_reason().unwrap_or_default().to_owned(),
            status: status.as_u16(),
            detail: error.message().to_owned(),
            code: error.reason().to_owned(),
            request_id: request_id.to_owned(),
            retryable: error.retryable(),
            retry_after_ms: error.retry_delay_ms(),
            errors: errors.collect(),
            facts: facts.collect(),
        }
    }
}

/// Metadata travels as text; lists in it are JSON.
fn fact(value: &str) -> serde_json::Value {
    match serde_json::from_str(value) {
        Ok(list @ serde_json::Value::Array(_)) => list,
        _ => serde_json::Value::String(value.to_owned()),
    }
}

/// Whole seconds for `Retry-After`, rounded up, at least one; for what passes by itself.
#[must_use]
pub fn retry_after_seconds(error: &Error) -> Option<u64> {
    let passes = matches!(status(error), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
    let told = error.retry_delay_ms().map(|milliseconds| milliseconds.div_ceil(1000).max(1));
    told.or_else(|| passes.then_some(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_what_where_and_whether_to_retry() {
        let error = Error::field("/lines/0/quantity", "INVALID_QUANTITY", "must be positive")
            .with("shortages", r#"[{"sku":"a"}]"#)
            .with("order_id", "12");
        let problem = serde_json::to_value(Problem::of(&error, "req_1")).expect("JSON");
        assert_eq!(problem["status"], 400);
        assert_eq!(problem["errors"][0]["pointer"], "/lines/0/quantity");
        assert_eq!(problem["facts"]["shortages"][0]["sku"], "a");
        assert_eq!(problem["facts"]["order_id"], "12", "ids stay texts");
        assert_eq!(problem["code"], "INVALID_QUANTITY");
    }

    #[test]
    fn reasons_go_before_codes() {
        assert_eq!(status(&Error::conflict("VERSION_CONFLICT", "stale")), 412);
        assert_eq!(status(&Error::conflict("STOCK_BUSY", "busy")), 409);
        assert_eq!(status(&Error::precondition("PAYMENT_DECLINED", "no")), 402);
        assert_eq!(
            retry_after_seconds(&Error::unavailable("UNAVAILABLE", "away").retry_after_ms(1200)),
            Some(2)
        );
        assert_eq!(retry_after_seconds(&Error::precondition("OUT_OF_STOCK", "no")), None);
    }
}
