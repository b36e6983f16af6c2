//! Turns every failure into a status with a reason, in one place: panics, errors of the layers, and the statuses that the
//! gRPC library makes by itself (a body that does not decode, a message that is too large).

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use http::{HeaderMap, HeaderName};
use kernel::{Code, Error};
use tonic::Status;

use crate::report::Report;
use crate::{Answer, Call, Layer};

/// The end of a call that a layer stands at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// It answers: the cause of an internal error is known here, and logged.
    Callee,
    /// It asks: what the callee says was logged there.
    Caller,
}

/// The layer. Its answer is never an error.
pub struct Rescue<N> {
    pub(crate) side: Side,
    pub(crate) next: N,
}

/// Marks an answer whose cause stands in the log.
#[derive(Clone, Copy)]
struct Logged;

impl<N: Layer> Layer for Rescue<N> {
    async fn call(&self, call: Box<Call>) -> Answer {
        let report = Report::of(&call);
        let answer = AssertUnwindSafe(self.next.call(call)).catch_unwind().await;
        let error = match answer {
            Ok(Ok(mut response)) => {
                let code = code(response.headers());
                if !is_foreign(code, response.headers()) {
                    if code == tonic::Code::Internal as i32
                        && self.side == Side::Callee
                        && let Some(cause) = unlogged_cause(&response)
                    {
                        report.log(&cause);
                        response.extensions_mut().insert(Logged);
                    }
                    return Ok(response);
                }
                translated(response.headers())
            }
            Ok(Err(error)) => error,
            Err(panic) => Error::internal(panic_text(panic.as_ref())),
        };
        let fails_here = error.code() == Code::Internal;
        if fails_here && !error.is_logged() {
            report.log(&error.chain());
        }
        let mut response = crate::endpoint::failed(error);
        if fails_here {
            response.extensions_mut().insert(Logged);
        }
        Ok(response)
    }
}

/// The cause of an answer that says an internal error; `None` when it stands in a log already. The gRPC library keeps the
/// status that an answer was made of beside it, and our error is the source of that.
fn unlogged_cause(response: &http::Response<tonic::body::Body>) -> Option<String> {
    if response.extensions().get::<Logged>().is_some() {
        return None;
    }
    let status = response.extensions().get::<Status>();
    let source = status.and_then(std::error::Error::source);
    match source.and_then(|source| source.downcast_ref::<Error>()) {
        Some(error) if error.is_logged() => None,
        Some(error) => Some(error.chain()),
        None => Some(match (source, status) {
            (Some(source), _) => source.to_string(),
            (None, Some(status)) => status.message().to_owned(),
            (None, None) => "it was not told".to_owned(),
        }),
    }
}

/// What a panic said.
#[must_use]
pub fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panicked: {}", text.unwrap_or_default())
}

static GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// The gRPC status code of a response's headers; OK when it comes with the trailers.
pub(crate) fn code(headers: &HeaderMap) -> i32 {
    headers
        .get(&GRPC_STATUS)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

/// A failure that does not carry our details: the gRPC library made it.
fn is_foreign(code: i32, headers: &HeaderMap) -> bool {
    code != 0 && code != tonic::Code::Unimplemented as i32 && !headers.contains_key("grpc-status-details-bin")
}

/// What a status of the gRPC library means in our words.
fn translated(headers: &HeaderMap) -> Error {
    let status = Status::from_header_map(headers).unwrap_or_else(|| Status::unknown("no status"));
    let message = status.message();
    if let Some(cause) = message.strip_prefix("failed to decode Protobuf message: ") {
        return undecodable(cause);
    }
    match status.code() {
        tonic::Code::OutOfRange | tonic::Code::ResourceExhausted
            if message.contains("message length too large") =>
        {
            Error::invalid("MESSAGE_TOO_LARGE", "the message is larger than this method takes")
        }
        tonic::Code::Internal
            if message.contains("protocol error") || message.contains("invalid compression") =>
        {
            Error::invalid("INVALID_MESSAGE", "the request is no gRPC message").because(message.to_owned())
        }
        tonic::Code::Unknown | tonic::Code::Internal => Error::internal(message.to_owned()),
        _ => contract::error(status),
    }
}

/// `Cart.lines: AddLineRequest.sku: invalid string value: data is not UTF-8 encoded` names the field.
fn undecodable(cause: &str) -> Error {
    let mut pointer = String::new();
    let mut parts: Vec<&str> = cause.split(": ").collect();
    let description = parts.pop().unwrap_or("is malformed").to_owned();
    for part in parts {
        if let Some((_, field)) = part.rsplit_once('.').filter(|(message, _)| !message.contains(' ')) {
            pointer.push('/');
            pointer.push_str(field);
        }
    }
    let description: String = description.chars().take(200).collect();
    if pointer.is_empty() {
        return Error::invalid(
            "INVALID_MESSAGE",
            format!("the request is no message of this method: {description}"),
        );
    }
    Error::field(pointer, "INVALID_MESSAGE", format!("cannot be read: {description}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_is_no_utf_8_is_named() {
        let error = undecodable("AddLineRequest.sku: invalid string value: data is not UTF-8 encoded");
        assert_eq!(error.violations()[0].field, "/sku");
        assert_eq!(error.code(), Code::InvalidArgument);
        let error = undecodable(
            "CreateQuoteRequest.lines: QuoteLine.sku: invalid string value: data is not UTF-8 encoded",
        );
        assert_eq!(error.violations()[0].field, "/lines/sku");
        assert_eq!(undecodable("buffer underflow").reason(), "INVALID_MESSAGE");
    }
}
