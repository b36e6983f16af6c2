//! The house's error as a gRPC status, and back. Nobody else maps.

use std::collections::{BTreeMap, HashMap};
use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use kernel::{Code, Error, FieldViolation};
use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt};

/// The domain of the house's reasons in `google.rpc.ErrorInfo`.
pub const DOMAIN: &str = "souk";
/// The metadata that says `true` when the same request may be sent again as it is, else `false`.
const RETRYABLE: &str = "retryable";
/// The metadata that names, with commas, the other metadata that was shortened or left out.
const SHORTENED: &str = "shortened";

/// Bytes of a message. It travels twice, once percent-encoded, so up to fourfold.
const MESSAGE_BYTES_MAX: usize = 512;
/// Bytes of a reason; what `google.rpc.ErrorInfo` allows.
const REASON_BYTES_MAX: usize = 63;
/// Bytes of metadata and violations together. Base64 adds a third; with the message it stays below the 8 KiB of headers
/// that common gRPC clients accept.
const DETAILS_BYTES_MAX: usize = 3_500;
/// Of which metadata never takes these, so that a wrong field is always named.
const VIOLATIONS_BYTES_MIN: usize = 700;
/// Bytes of one pointer or one description of a violation.
const VIOLATION_TEXT_BYTES_MAX: usize = 256;
/// Bytes that an entry costs beside its texts: tags and lengths.
const ENTRY_BYTES: usize = 8;

/// The error as its caller sees it: `google.rpc.ErrorInfo` with the reason, the metadata and whether to retry,
/// `BadRequest` with the wrong fields, `RetryInfo` when the delay is known.
///
/// The private cause stays in this process, as the status's source, for whoever logs it; so does an internal error that has
/// none, with what it says. What is sent is bounded:
/// metadata is shortened (a JSON array by whole elements, and `shortened` names it), violations beyond the limit are
/// left out.
#[must_use]
pub fn status(error: Error) -> Status {
    let message = cut(error.message(), MESSAGE_BYTES_MAX).to_owned();
    let (metadata, left) = bounded_metadata(error.metadata(), error.retryable());
    let violations = bounded_violations(error.violations(), left);
    let mut details = ErrorDetails::with_error_info(cut(error.reason(), REASON_BYTES_MAX), DOMAIN, metadata);
    if !violations.is_empty() {
        details.set_bad_request(violations);
    }
    if let Some(milliseconds) = error.retry_delay_ms() {
        details.set_retry_info(Some(Duration::from_millis(milliseconds)));
    }
    let mut status = Status::with_error_details(grpc_code(&error), message, details);
    if error.source().is_some() || error.code() == Code::Internal {
        status.set_source(Arc::new(error));
    }
    status
}

/// What a call's status means. The house's own come back as they were, except for what was shortened; others
/// (a transport's, a foreign server's) get their code's name as reason and a message that is safe to show, and stay
/// inside as the cause.
#[must_use]
pub fn error(status: Status) -> Error {
    let code = kernel_code(status.code());
    let details = status.get_error_details();
    let Some(info) = details.error_info().filter(|info| info.domain == DOMAIN) else {
        return foreign(status, code);
    };
    let mut error = Error::new(code, info.reason.clone(), status.message().to_owned());
    if let Some(request) = details.bad_request() {
        for violation in &request.field_violations {
            error = error.with_field(violation.field.clone(), violation.description.clone());
        }
    }
    if let Some(delay) = details.retry_info().and_then(|info| info.retry_delay) {
        error = error.retry_after_ms(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX));
    }
    for (key, value) in &info.metadata {
        if key != RETRYABLE {
            error = error.with(key.clone(), value.clone());
        }
    }
    error = error.retry(info.metadata.get(RETRYABLE).is_some_and(|value| value == "true"));
    let cause = status.source().and_then(|source| source.downcast_ref::<Error>());
    if code == Code::Internal && cause.is_none_or(Error::is_logged) {
        // Whoever answered a call with it has logged its cause, which does not travel.
        error = error.mark_logged();
    }
    if status.source().is_some() { error.because(status) } else { error }
}

/// A status that is not the house's: its message may tell of addresses and libraries, so it goes to the log alone.
fn foreign(status: Status, code: Code) -> Error {
    let (reason, message) = match status.code() {
        tonic::Code::Cancelled => ("CANCELLED", "the call was cancelled"),
        tonic::Code::InvalidArgument | tonic::Code::OutOfRange => {
            ("INVALID_ARGUMENT", "the request is not valid")
        }
        tonic::Code::DeadlineExceeded => ("DEADLINE_EXCEEDED", "it did not finish in time"),
        tonic::Code::NotFound => ("NOT_FOUND", "there is no such thing"),
        tonic::Code::AlreadyExists => ("ALREADY_EXISTS", "it exists already"),
        tonic::Code::Aborted => ("ABORTED", "it met another change; try again"),
        tonic::Code::PermissionDenied => ("PERMISSION_DENIED", "the caller may not do this"),
        tonic::Code::Unauthenticated => ("UNAUTHENTICATED", "nobody is signed in"),
        tonic::Code::ResourceExhausted => ("RESOURCE_EXHAUSTED", "a limit is reached; try later"),
        tonic::Code::FailedPrecondition => ("FAILED_PRECONDITION", "the state does not allow it"),
        tonic::Code::Unavailable => ("UNAVAILABLE", "something needed is away; try again"),
        tonic::Code::Unimplemented => ("UNIMPLEMENTED", "this is not offered here"),
        tonic::Code::Ok | tonic::Code::Unknown | tonic::Code::Internal | tonic::Code::DataLoss => {
            ("INTERNAL", "something went wrong on our side")
        }
    };
    let retryable = matches!(
        status.code(),
        tonic::Code::Aborted | tonic::Code::Unavailable | tonic::Code::ResourceExhausted
    );
    Error::new(code, reason, message).retry(retryable).because(status)
}

fn grpc_code(error: &Error) -> tonic::Code {
    match error.code() {
        Code::InvalidArgument => tonic::Code::InvalidArgument,
        Code::Unauthenticated => tonic::Code::Unauthenticated,
        Code::PermissionDenied => tonic::Code::PermissionDenied,
        Code::NotFound => tonic::Code::NotFound,
        Code::Conflict if error.retryable() => tonic::Code::Aborted,
        Code::Conflict => tonic::Code::AlreadyExists,
        Code::FailedPrecondition => tonic::Code::FailedPrecondition,
        Code::ResourceExhausted => tonic::Code::ResourceExhausted,
        Code::DeadlineExceeded => tonic::Code::DeadlineExceeded,
        Code::Unavailable => tonic::Code::Unavailable,
        Code::Internal => tonic::Code::Internal,
    }
}

fn kernel_code(code: tonic::Code) -> Code {
    match code {
        tonic::Code::InvalidArgument | tonic::Code::OutOfRange => Code::InvalidArgument,
        tonic::Code::Unauthenticated => Code::Unauthenticated,
        tonic::Code::PermissionDenied => Code::PermissionDenied,
        tonic::Code::NotFound => Code::NotFound,
        tonic::Code::Aborted | tonic::Code::AlreadyExists => Code::Conflict,
        tonic::Code::FailedPrecondition => Code::FailedPrecondition,
        tonic::Code::ResourceExhausted => Code::ResourceExhausted,
        // A cancelled call may have done its work: the outcome is unknown, as after a deadline.
        tonic::Code::DeadlineExceeded | tonic::Code::Cancelled => Code::DeadlineExceeded,
        tonic::Code::Unavailable => Code::Unavailable,
        tonic::Code::Ok
        | tonic::Code::Unknown
        | tonic::Code::Unimplemented
        | tonic::Code::Internal
        | tonic::Code::DataLoss => Code::Internal,
    }
}

/// The metadata that fits, and how many bytes it leaves for violations. Short values go first, so that one long list
/// does not push out the ids beside it.
fn bounded_metadata(
    metadata: &BTreeMap<String, String>,
    retryable: bool,
) -> (HashMap<String, String>, usize) {
    let mut left = DETAILS_BYTES_MAX - VIOLATIONS_BYTES_MIN;
    let mut kept = HashMap::from([(RETRYABLE.to_owned(), retryable.to_string())]);
    let mut shortened = String::new();
    let mut entries: Vec<(&String, &String)> = metadata.iter().collect();
    entries.sort_by_key(|(key, value)| (value.len(), *key));
    for (key, value) in entries {
        let room = left.saturating_sub(key.len() + ENTRY_BYTES);
        let fitting = shorten(value, room);
        if fitting.len() < value.len() && shortened.len() < VIOLATION_TEXT_BYTES_MAX {
            shortened.push_str(if shortened.is_empty() { "" } else { "," });
            shortened.push_str(cut(key, 64));
        }
        if !fitting.is_empty() || (value.is_empty() && room > 0) {
            left -= key.len() + ENTRY_BYTES + fitting.len();
            kept.insert(key.clone(), fitting);
        }
    }
    if !shortened.is_empty() {
        kept.insert(SHORTENED.to_owned(), shortened);
    }
    (kept, left + VIOLATIONS_BYTES_MIN)
}

/// At most `bytes_max` of a value: leading elements of a JSON array, else leading characters.
fn shorten(value: &str, bytes_max: usize) -> String {
    if value.len() <= bytes_max {
        return value.to_owned();
    }
    let Ok(elements) = serde_json::from_str::<Vec<serde_json::Value>>(value) else {
        return cut(value, bytes_max).to_owned();
    };
    let mut out = String::from("[");
    for element in elements {
        let element = element.to_string();
        // One for the comma, one for the closing bracket.
        if out.len() + element.len() + 2 > bytes_max {
            break;
        }
        out.push_str(if out.len() > 1 { "," } else { "" });
        out.push_str(&element);
    }
    out.push(']');
    if out.len() <= bytes_max { out } else { String::new() }
}

/// The first violations that fit into `bytes_max`.
fn bounded_violations(violations: &[FieldViolation], bytes_max: usize) -> Vec<tonic_types::FieldViolation> {
    let mut left = bytes_max;
    let mut kept = Vec::new();
    for violation in violations {
        let field = cut(&violation.field, VIOLATION_TEXT_BYTES_MAX);
        let description = cut(&violation.description, VIOLATION_TEXT_BYTES_MAX);
        let Some(rest) = left.checked_sub(field.len() + description.len() + ENTRY_BYTES) else { break };
        left = rest;
        kept.push(tonic_types::FieldViolation::new(field, description));
    }
    kept
}

/// At most `bytes_max` leading bytes of a text, whole characters.
fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn round_trip(error: Error) -> Error {
        super::error(status(error))
    }

    #[test]
    fn every_code_comes_back() {
        for code in [
            Code::InvalidArgument,
            Code::Unauthenticated,
            Code::PermissionDenied,
            Code::NotFound,
            Code::Conflict,
            Code::FailedPrecondition,
            Code::ResourceExhausted,
            Code::DeadlineExceeded,
            Code::Unavailable,
            Code::Internal,
        ] {
            for retryable in [true, false] {
                let back = round_trip(Error::new(code, "A_REASON", "a message").retry(retryable));
                assert_eq!((back.code(), back.reason(), back.message()), (code, "A_REASON", "a message"));
                assert_eq!(back.retryable(), retryable, "{code:?}");
            }
        }
    }

    #[test]
    fn details_come_back() {
        let error = Error::field("/lines/0/quantity", "INVALID_QUANTITY", "must be positive")
            .with("order", "ord_1")
            .retry_after_ms(1500);
        let back = round_trip(error);
        assert_eq!(back.violations()[0].field, "/lines/0/quantity");
        assert_eq!(back.violations()[0].description, "must be positive");
        assert_eq!(back.metadata().get("order").map(String::as_str), Some("ord_1"));
        assert_eq!(back.metadata().len(), 1, "what the mapping adds stays inside it");
        assert_eq!(back.retry_delay_ms(), Some(1500));
    }

    #[test]
    fn a_conflict_says_whether_to_retry() {
        assert_eq!(status(Error::conflict("VERSION_CONFLICT", "changed")).code(), tonic::Code::Aborted);
        assert_eq!(status(Error::exists("EMAIL_TAKEN", "taken")).code(), tonic::Code::AlreadyExists);
    }

    #[test]
    fn the_cause_stays_in_this_process() {
        let status = status(Error::internal("password=hunter2"));
        assert!(!status.message().contains("hunter2"));
        assert!(!status.details().windows(7).any(|bytes| bytes == b"hunter2"));
        let source = status.source().expect("kept for the log");
        assert!(format!("{source:?}").contains("hunter2"));
    }

    #[test]
    fn a_cause_is_logged_where_it_happened() {
        let first = status(Error::new(Code::Internal, "INTERNAL", "no cause"));
        assert!(first.source().is_some(), "kept for the log");
        let travelled = Status::with_details(first.code(), first.message(), first.details().to_vec().into());
        assert!(!error(first).is_logged(), "nobody was called");
        let back = error(travelled);
        assert!(back.is_logged(), "the callee did");
        let again = status(back);
        let source = again.source().and_then(|source| source.downcast_ref::<Error>());
        assert!(source.is_some_and(Error::is_logged), "and nobody does it again");
        assert!(!error(Status::internal("from elsewhere")).is_logged());
    }

    #[test]
    fn a_foreign_status_is_not_shown() {
        let back = error(Status::unavailable("tcp connect error: 10.0.0.7:9000"));
        assert_eq!((back.code(), back.reason()), (Code::Unavailable, "UNAVAILABLE"));
        assert!(back.retryable());
        assert!(!back.message().contains("10.0.0.7"));
        assert!(format!("{back:?}").contains("10.0.0.7"));
    }

    #[test]
    fn a_long_list_loses_whole_elements() {
        let list: Vec<String> = (0..500).map(|n| format!("{{\"sku\":\"{n:05}\",\"wanted\":2}}")).collect();
        let error = Error::precondition("OUT_OF_STOCK", "not enough stock")
            .with("shortages", format!("[{}]", list.join(",")))
            .with("order", "ord_1");
        let back = round_trip(error);
        let shortages: Vec<serde_json::Value> =
            serde_json::from_str(&back.metadata()["shortages"]).expect("still JSON");
        assert!(shortages.len() > 50, "{}", shortages.len());
        assert_eq!(shortages[0]["sku"], "00000");
        assert_eq!(back.metadata()["shortened"], "shortages");
        assert_eq!(back.metadata()["order"], "ord_1");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn what_is_sent_is_bounded(
            message in ".{0,2000}",
            metadata in prop::collection::btree_map("[a-z]{1,200}", ".{0,1500}", 0..10),
            violations in prop::collection::vec((".{0,400}", ".{0,400}"), 0..20),
        ) {
            let mut error = Error::invalid("SOME_REASON", message);
            for (key, value) in metadata {
                error = error.with(key, value);
            }
            let any = !violations.is_empty();
            for (field, description) in violations {
                error = error.with_field(field, description);
            }
            let status = status(error);
            prop_assert!(status.message().len() <= MESSAGE_BYTES_MAX);
            prop_assert!(status.details().len() <= 4_800, "{}", status.details().len());
            prop_assert_eq!(super::error(status).violations().is_empty(), !any);
        }
    }
}
