//! Streams have no deadline: they live as long as their caller wants them. Instead there are limits of how many are open, in
//! all, by owner and by address, and one that is silent for longer than its contract says ends; its caller goes on from the position that it has.

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use kernel::{Code, Error};
use tokio::time::{Instant, Sleep};
use tonic::Status;
use tonic::body::Body;

use crate::scope::tell_request;
use crate::shares::network;
use crate::{Admission, Answer, Call, Layer, Principal, Share, Shares, foreign, policy};

/// The layer.
pub struct Streams<N> {
    pub(crate) admission: Arc<Admission>,
    pub(crate) next: N,
}

impl<N: Layer> Layer for Streams<N> {
    async fn call(&self, call: Box<Call>) -> Answer {
        let (idle, is_foreign) = match call.method {
            Some(method) if method.server_streaming => (method.timeout, false),
            Some(_) => return self.next.call(call).await,
            None => match foreign(call.request.uri().path()).filter(|method| method.server_streaming) {
                Some(method) => (method.silence_max, true),
                None => return self.next.call(call).await,
            },
        };
        let place = OpenStream::new(&self.admission, &call, is_foreign)?;
        let request_id = call.scope.request_id.clone();
        let response = self.next.call(call).await?;
        Ok(response.map(|body| {
            let timer = Box::pin(tokio::time::sleep(idle));
            Body::new(Watched { body: Some(body), timer, idle, request_id, _place: place })
        }))
    }
}

/// The streams that are open: in all, by who opened them, and by where from.
#[derive(Debug, Default)]
pub(crate) struct OpenStreams {
    open: AtomicUsize,
    outside: AtomicUsize,
    foreign: AtomicUsize,
    by_owner: Arc<Shares<String>>,
    by_address: Arc<Shares<(IpAddr, bool)>>,
}

impl Admission {
    /// Streams that are open.
    #[must_use]
    pub fn open_streams(&self) -> usize {
        self.streams.open.load(Ordering::Relaxed)
    }
}

/// A stream that is open.
struct OpenStream {
    admission: Arc<Admission>,
    is_outside: bool,
    is_foreign: bool,
    /// `None` for a role that acts for nobody, and for who has not signed in.
    owner: Option<Share<String>>,
    /// `None` for roles, and for what has no address.
    address: Option<Share<(IpAddr, bool)>>,
}

impl OpenStream {
    fn new(admission: &Arc<Admission>, call: &Call, is_foreign: bool) -> Result<Self, Error> {
        let streams = &admission.streams;
        let is_outside = call.caller.role.is_none();
        let count =
            |counter: &AtomicUsize, counts: bool| counter.fetch_add(usize::from(counts), Ordering::AcqRel);
        let open = count(&streams.open, true);
        let outside = count(&streams.outside, is_outside);
        let foreign = count(&streams.foreign, is_foreign);
        // From here on, leaving gives back what was taken.
        let mut place =
            Self { admission: admission.clone(), is_outside, is_foreign, owner: None, address: None };
        let is_full = open >= policy::STREAMS_OPEN_MAX
            || (is_outside && outside >= policy::STREAMS_OUTSIDE_MAX)
            || (is_foreign && foreign >= policy::FOREIGN_STREAMS_MAX);
        if is_full {
            return Err(full("too many streams are open here; try again shortly"));
        }
        if call.caller.principal != Principal::Anonymous {
            let owner = call.caller.principal.subject();
            place.owner = streams.by_owner.take(owner, 1, policy::STREAMS_PER_OWNER_MAX);
            if place.owner.is_none() {
                return Err(full("this caller has too many streams open; close one first"));
            }
        }
        let outside = call.request.extensions().get::<SocketAddr>().filter(|_| is_outside);
        if let Some(peer) = outside {
            let most = if is_foreign {
                policy::FOREIGN_STREAMS_PER_ADDRESS_MAX
            } else {
                policy::STREAMS_PER_ADDRESS_MAX
            };
            place.address = streams.by_address.take((network(peer.ip()), is_foreign), 1, most);
            if place.address.is_none() {
                return Err(full("this address has too many streams open; close one first"));
            }
        }
        Ok(place)
    }
}

fn full(message: &'static str) -> Error {
    Error::new(Code::ResourceExhausted, "OVERLOADED", message).retry_after_ms(1000)
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let streams = &self.admission.streams;
        streams.open.fetch_sub(1, Ordering::AcqRel);
        streams.outside.fetch_sub(usize::from(self.is_outside), Ordering::AcqRel);
        streams.foreign.fetch_sub(usize::from(self.is_foreign), Ordering::AcqRel);
    }
}

/// The body of a stream: ends with a status when nothing comes for too long.
struct Watched {
    /// `None` once it has ended.
    body: Option<Body>,
    timer: Pin<Box<Sleep>>,
    idle: Duration,
    /// Told with the status, when it is an error.
    request_id: Option<Arc<str>>,
    _place: OpenStream,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        let Some(body) = this.body.as_mut() else { return Poll::Ready(None) };
        match Pin::new(body).poll_frame(context) {
            Poll::Ready(mut frame) => {
                this.timer.as_mut().reset(Instant::now() + this.idle);
                if let Some(Ok(frame)) = &mut frame
                    && let Some(trailers) = frame.trailers_mut()
                    && crate::rescue::code(trailers) != 0
                {
                    tell_request(trailers, this.request_id.as_deref());
                }
                Poll::Ready(frame)
            }
            Poll::Pending if this.timer.as_mut().poll(context).is_ready() => {
                this.body = None;
                let mut trailers = silent(this.idle);
                tell_request(&mut trailers, this.request_id.as_deref());
                Poll::Ready(Some(Ok(Frame::trailers(trailers))))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

fn silent(idle: Duration) -> HeaderMap {
    let message = format!("nothing came for {} s; ask again from where you are", idle.as_secs());
    let status = contract::status(Error::new(Code::DeadlineExceeded, "DEADLINE_EXCEEDED", message));
    let mut trailers = HeaderMap::new();
    if status.add_header(&mut trailers).is_err() {
        // What is said of it does not fit into a header; its code does.
        trailers.insert("grpc-status", http::HeaderValue::from_static("4"));
    }
    trailers
}
