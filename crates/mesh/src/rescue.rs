//! Turns every failure into a status with a reason, in one place: panics, errors of the layers, and the statuses that the
//! gRPC library makes by itself (a body that does not decode, a message that is too large).

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use http::{HeaderMap, HeaderName};
use kernel::{Code, Error};
use tonic::Status;

use crate::{Answer, Call, Layer};

/// The layer. Its answer is never an error.
pub struct Rescue<N> {
    pub(crate) next: N,
}

impl<N: Layer> Layer for Rescue<N> {
    async fn call(&self, call: Box<Call>) -> Answer {
        let method = call.method;
        let path = method.map_or("", |method| method.path);
        let answer = AssertUnwindSafe(self.next.call(call)).catch_unwind().await;
        let error = match answer {
            Ok(Ok(response)) => {
                let code = code(response.headers());
                if is_foreign(code, response.headers()) {
                    translated(response.headers())
                } else {
                    if code == tonic::Code::Internal as i32 {
                        tracing::error!(method = path, "a call failed on our side");
                    }
                    return Ok(response);
                }
            }
            Ok(Err(error)) => error,
            Err(panic) => Error::internal(panic_text(panic.as_ref())),
        };
        if error.code() == Code::Internal {
            tracing::error!(method = path, error = ?error, "a call failed on our side");
        }
        Ok(crate::endpoint::failed(error))
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
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
