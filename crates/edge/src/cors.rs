//! Scripts of other sites: only those of the configured origins may read answers, and ask first where browsers ask.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue};

const TAKES: &str = "content-type, idempotency-key, if-match, if-none-match, request-id, traceparent";
const SHOWS: &str =
    "etag, location, request-id, retry-after, ratelimit, ratelimit-policy, idempotency-replayed, souk-absent";

/// Adds what a trusted origin needs to read an answer.
pub(crate) fn add(asked: &HeaderMap, trusted: &[String], fields: &mut HeaderMap) {
    if trusted.is_empty() {
        return;
    }
    fields.append(VARY, HeaderValue::from_static("Origin"));
    let Some(origin) = asked.get(ORIGIN) else { return };
    if trusted.iter().any(|known| known.as_bytes() == origin.as_bytes()) {
        fields.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        fields.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        fields.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(SHOWS));
    }
}

/// Adds what an OPTIONS request of a trusted origin is answered.
pub(crate) fn preflight(methods: &HeaderValue, fields: &mut HeaderMap) {
    if fields.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
        fields.insert(ACCESS_CONTROL_ALLOW_METHODS, methods.clone());
        fields.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(TAKES));
        fields.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
}
