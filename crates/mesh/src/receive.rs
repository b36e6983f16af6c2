//! The request message of a call from outside is read before the call takes a place: one that stalls holds bytes that are
//! counted, for a limited time, and nothing else. What is no gRPC message is told as the caller's fault.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Bytes, BytesMut};
use http::HeaderValue;
use http_body_util::{BodyExt, Full};
use kernel::{Code, Error};
use tokio::time::Instant;
use tonic::body::Body;

use crate::shares::network;
use crate::{Admission, Answer, Call, Layer, Share, Shares, foreign, policy};

/// A flag that says whether the message is compressed, and its length in four bytes (gRPC over HTTP/2, Length-Prefixed-Message).
const PREFIX_BYTES: usize = 5;

/// Marks a request that did not come from this process.
#[derive(Clone, Copy)]
pub(crate) struct FromOutside;

/// The bytes of request messages from outside, in all and by address.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    bytes: AtomicUsize,
    by_address: Arc<Shares<IpAddr>>,
}

/// The layer.
pub struct Receive<N> {
    pub(crate) admission: Arc<Admission>,
    pub(crate) next: N,
}

impl<N: Layer> Layer for Receive<N> {
    async fn call(&self, mut call: Box<Call>) -> Answer {
        if call.request.extensions_mut().remove::<FromOutside>().is_none() {
            return self.next.call(call).await;
        }
        let path = call.request.uri().path();
        let sends_stream = match call.method {
            Some(method) => method.client_streaming,
            None => foreign(path).is_some_and(|method| method.client_streaming),
        };
        if sends_stream {
            return self.next.call(call).await;
        }
        if let Some(refusal) = refuse_encoding(&call) {
            return Ok(refusal);
        }
        let mut counted = Counted::new(&self.admission.requests, &call)?;
        let bytes_max = call.method.map_or(policy::FOREIGN_BYTES_MAX, |method| method.request_bytes_max);
        let deadline = deadline(&call);
        let body = std::mem::take(call.request.body_mut());
        let message = tokio::time::timeout_at(deadline, read(body, bytes_max, &mut counted));
        let message = message.await.unwrap_or_else(|_| Err(late()))?;
        *call.request.body_mut() = Body::new(Full::new(message));
        self.next.call(call).await
    }
}

/// Compression was never offered.
fn refuse_encoding(call: &Call) -> Option<http::Response<Body>> {
    let encoding = call.request.headers().get("grpc-encoding")?;
    if encoding == "identity" {
        return None;
    }
    let status =
        tonic::Status::unimplemented("requests are taken uncompressed only (grpc-encoding: identity)");
    let mut response = status.into_http();
    response.headers_mut().insert("grpc-accept-encoding", HeaderValue::from_static("identity"));
    Some(response)
}

/// Until when the message must be there: the call's own deadline, and [`policy::REQUEST_TIMEOUT`] where it has none.
fn deadline(call: &Call) -> Instant {
    let unary = call.method.filter(|method| !method.server_streaming);
    let own = call.arrived + unary.map_or(policy::REQUEST_TIMEOUT, |method| method.timeout);
    call.scope.deadline.map_or(own, |inherited| own.min(inherited))
}

/// Reads one length-prefixed message, its prefix included.
async fn read(mut body: Body, bytes_max: usize, counted: &mut Counted<'_>) -> Result<Bytes, Error> {
    let mut first = Bytes::new();
    let mut joined = BytesMut::new();
    loop {
        let frame = tokio::time::timeout(policy::REQUEST_SILENCE_MAX, body.frame()).await;
        let Some(frame) = frame.map_err(|_| late())? else { break };
        let frame = frame.map_err(|error| malformed("breaks off").because(error))?;
        let Ok(data) = frame.into_data() else { continue };
        counted.grow(data.len())?;
        if first.is_empty() {
            first = data;
        } else {
            if joined.is_empty() {
                joined.extend_from_slice(&first);
            }
            joined.extend_from_slice(&data);
        }
        let so_far: &[u8] = if joined.is_empty() { &first } else { &joined };
        check(so_far, bytes_max)?;
    }
    let whole = if joined.is_empty() { first } else { joined.freeze() };
    match check(&whole, bytes_max)? {
        Some(length) if whole.len() == PREFIX_BYTES + length => Ok(whole),
        Some(length) => {
            let has = whole.len() - PREFIX_BYTES;
            Err(malformed(&format!("breaks off after {has} of {length} bytes")))
        }
        None => Err(malformed("has no message: a prefix of 5 bytes and the message are expected")),
    }
}

/// The length that the prefix says, once it is there.
fn check(so_far: &[u8], bytes_max: usize) -> Result<Option<usize>, Error> {
    let Some((prefix, message)) = so_far.split_first_chunk::<PREFIX_BYTES>() else { return Ok(None) };
    let [flag, length @ ..] = *prefix;
    if flag != 0 {
        let what = "says that its message is compressed, without grpc-encoding";
        return Err(malformed(if flag == 1 { what } else { "has a prefix that is not of gRPC" }));
    }
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > bytes_max {
        let message =
            format!("the message is larger than {bytes_max} bytes, which this method takes at most");
        return Err(Error::invalid("MESSAGE_TOO_LARGE", message));
    }
    if message.len() > length {
        return Err(malformed(&format!("goes on after the {length} bytes of its message")));
    }
    Ok(Some(length))
}

fn malformed(what: &str) -> Error {
    Error::invalid("INVALID_MESSAGE", format!("the request {what}"))
}

fn late() -> Error {
    Error::new(Code::DeadlineExceeded, "DEADLINE_EXCEEDED", "the request message did not arrive in time")
}

/// The bytes of one call, given back when it ends.
struct Counted<'a> {
    requests: &'a Requests,
    bytes: usize,
    /// A role works for others, who were counted; strangers cannot crowd it out.
    is_role: bool,
    /// `None` for roles and for what has no address.
    share: Option<Share<IpAddr>>,
}

impl<'a> Counted<'a> {
    fn new(requests: &'a Requests, call: &Call) -> Result<Self, Error> {
        let is_role = call.caller.role.is_some();
        let mut counted = Self { requests, bytes: 0, is_role, share: None };
        counted.count(policy::REQUEST_BYTES_MIN)?;
        let peer = call.request.extensions().get::<SocketAddr>().filter(|_| !is_role);
        if let Some(peer) = peer {
            let address = network(peer.ip());
            let share = requests.by_address.take(
                address,
                policy::REQUEST_BYTES_MIN,
                policy::REQUESTS_BYTES_PER_ADDRESS_MAX,
            );
            counted.share = Some(share.ok_or_else(overloaded)?);
        }
        Ok(counted)
    }

    fn count(&mut self, bytes: usize) -> Result<(), Error> {
        let before = self.requests.bytes.fetch_add(bytes, Ordering::AcqRel);
        self.bytes += bytes;
        let is_full = before + bytes > policy::REQUESTS_BYTES_MAX;
        if is_full && !self.is_role { Err(overloaded()) } else { Ok(()) }
    }

    fn grow(&mut self, bytes: usize) -> Result<(), Error> {
        self.count(bytes)?;
        let most = policy::REQUESTS_BYTES_PER_ADDRESS_MAX;
        let fits = self.share.as_mut().is_none_or(|share| share.grow(bytes, most));
        if fits { Ok(()) } else { Err(overloaded()) }
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.requests.bytes.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

fn overloaded() -> Error {
    let message = "too many request messages are arriving; try again shortly";
    Error::new(Code::ResourceExhausted, "OVERLOADED", message).retry_after_ms(1000)
}

impl Admission {
    /// Bytes of request messages from outside that are arriving or being worked on.
    #[must_use]
    pub fn request_bytes(&self) -> usize {
        self.requests.bytes.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_checked_before_what_it_announces() {
        assert_eq!(check(&[0, 0, 0, 0], 10).expect("not yet"), None);
        assert_eq!(check(&[0, 0, 0, 0, 3, 1], 10).expect("on its way"), Some(3));
        assert_eq!(check(&[0, 0, 0, 0, 11], 10).expect_err("long").reason(), "MESSAGE_TOO_LARGE");
        assert_eq!(check(&[0, 255, 255, 255, 255], 10).expect_err("long").reason(), "MESSAGE_TOO_LARGE");
        for bad in [&[1, 0, 0, 0, 1][..], &[7, 0, 0, 0, 0], &[0, 0, 0, 0, 1, 1, 1]] {
            let error = check(bad, 10).expect_err("malformed");
            assert_eq!((error.code(), error.reason()), (Code::InvalidArgument, "INVALID_MESSAGE"), "{bad:?}");
        }
    }
}
