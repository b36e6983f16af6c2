//! The body of a request: of the right kind, not too long, and within a time.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kernel::{Code, Error, Result};
use mesh::Budget;
use tonic::body::Body;

use crate::input::is_media_type;
use crate::route::{Kind, Route};

/// How long a client may take to send a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of bodies that are on their way from all clients together.
const BODIES_BYTES_MAX: usize = 128 << 20;
/// Of these, from one address.
const BODIES_BYTES_PER_ADDRESS_MAX: usize = 32 << 20;

/// The room for bodies that are on their way.
pub(crate) fn room() -> Budget {
    Budget::new(BODIES_BYTES_MAX, BODIES_BYTES_PER_ADDRESS_MAX)
}

/// Reads the body that a route takes.
///
/// # Errors
/// `UNSUPPORTED_MEDIA_TYPE`, `BODY_TOO_LARGE`, `OVERLOADED`, `REQUEST_TIMEOUT`, `BODY_UNREADABLE`.
pub(crate) async fn read(
    body: Body,
    headers: &HeaderMap,
    route: &Route,
    room: &Budget,
    address: IpAddr,
) -> Result<Bytes> {
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
    // One that says no length may become as long as any.
    let expected = if empty { 0 } else { length.unwrap_or(route.body_bytes_max) };
    let _room = room.take(address, expected).ok_or_else(|| {
        let message = "too much is being sent here at once; try again shortly";
        Error::new(Code::ResourceExhausted, "OVERLOADED", message).retry_after_ms(1000)
    })?;
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

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Method};
    use http_body_util::StreamBody;
    use hyper::body::Frame;

    use super::*;
    use crate::answer::Answer;
    use crate::route::Nothing;

    #[derive(serde::Deserialize, schemars::JsonSchema)]
    struct NoParams {}

    #[tokio::test(start_paused = true)]
    async fn one_address_takes_only_its_share_of_the_room() {
        let room = Budget::new(3_000, 1_000);
        let route = Route::new(Kind::Page, Method::POST, "/x", |_, _: NoParams, _: Nothing| {
            std::future::ready(Ok(Answer::raw("text/plain", "")))
        });
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("600"));
        let sends = async |address: [u8; 4]| {
            let stalls = futures_util::stream::pending::<Result<Frame<Bytes>>>();
            let body = Body::new(StreamBody::new(stalls));
            read(body, &headers, &route, &room, address.into())
                .await
                .expect_err("it stalls")
                .reason()
                .to_owned()
        };
        let here = [192, 0, 2, 1];
        let reasons = tokio::join!(sends(here), sends(here), sends([198, 51, 100, 1]));
        assert_eq!(reasons.0, "REQUEST_TIMEOUT");
        assert_eq!(reasons.1, "OVERLOADED");
        assert_eq!(reasons.2, "REQUEST_TIMEOUT");
        assert_eq!(sends(here).await, "REQUEST_TIMEOUT", "what was given up makes room");
    }
}
