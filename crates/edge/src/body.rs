//! The body of a request: of the right kind, not too long, and within a time.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderMap, Method};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kernel::{Code, Error, Result};
use tonic::body::Body;

use crate::input::is_media_type;
use crate::route::{Kind, Route};

/// How long a client may take to send a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Reads the body that a route takes; what comes to one that takes none is not looked at.
///
/// # Errors
/// `UNSUPPORTED_MEDIA_TYPE`, `BODY_TOO_LARGE`, `REQUEST_TIMEOUT`, `BODY_UNREADABLE`.
pub(crate) async fn read(body: Body, headers: &HeaderMap, route: &Route) -> Result<Bytes> {
    if route.method == Method::GET {
        return Ok(Bytes::new());
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let empty = length.unwrap_or(0) == 0 && !headers.contains_key(TRANSFER_ENCODING);
    let wanted = match route.kind {
        Kind::Api => "application/json",
        Kind::Page => "application/x-www-form-urlencoded",
    };
    if !is_media_type(headers, wanted) && (!empty || headers.contains_key(CONTENT_TYPE)) {
        let message = format!("the body must be {wanted}, in UTF-8");
        return Err(Error::invalid("UNSUPPORTED_MEDIA_TYPE", message));
    }
    let too_large = || {
        let message = format!("the body is larger than {} bytes", route.body_bytes_max);
        Error::invalid("BODY_TOO_LARGE", message)
    };
    if length.is_some_and(|length| length > route.body_bytes_max) {
        return Err(too_large());
    }
    let limited = Limited::new(body, route.body_bytes_max);
    let late =
        |_| Error::new(Code::DeadlineExceeded, "REQUEST_TIMEOUT", "the body did not arrive within 10 s");
    let collected = tokio::time::timeout(BODY_TIMEOUT, limited.collect()).await.map_err(late)?;
    match collected {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(error) => {
            Err(Error::invalid("BODY_UNREADABLE", "the body broke off or is malformed").because(error))
        }
    }
}
