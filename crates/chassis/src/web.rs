//! The listener of a gateway: HTTP/1.1, with upgrades for WebSockets. A load balancer or proxy in front may speak anything
//! newer to browsers.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HOST};
use http::{HeaderValue, Request, Response, StatusCode, Version};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use mesh::{Endpoint, Spent};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tonic::body::Body;

use crate::Drain;
use crate::connection::{Connection, InFlight};
use crate::guarded::Guarded;
use crate::held_bytes::HeldBytes;
use crate::listener::{Table, accept};
use crate::serve::wanted_to_leave;

#[cfg(test)]
mod tests;

/// Largest request head, in bytes.
const HEAD_BYTES_MAX: usize = 32 << 10;
/// Fields of a request at most.
const HEADERS_MAX: usize = 64;

pub(crate) async fn serve(
    listener: TcpListener,
    table: Arc<Table>,
    endpoint: Arc<dyn Endpoint>,
    drain: Drain,
) {
    let served = drain.clone();
    let open = move |stream, peer, held| connection(stream, peer, held, endpoint.clone(), served.clone());
    accept(listener, table, drain, refuse, open).await;
}

/// Tells a newcomer that there is no room, as far as it can be told without waiting.
pub(crate) fn refuse(stream: &TcpStream) {
    // Who does not take it is not waited for.
    let _ = stream.try_write(
        b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
    );
}

pub(crate) async fn connection<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    peer: SocketAddr,
    held: Arc<Connection>,
    endpoint: Arc<dyn Endpoint>,
    drain: Drain,
) {
    let requests = held.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        // Quotas count by it.
        request.extensions_mut().insert(peer);
        let in_flight = requests.begin_request();
        request.extensions_mut().insert(ConnectionPlace(requests.clone()));
        let answer = if has_one_host(&request) {
            endpoint.call(request.map(Body::new))
        } else {
            Box::pin(std::future::ready(Ok(without_host())))
        };
        let sending = requests.clone();
        async move {
            let answer = answer.await?;
            let bytes = answer.body().size_hint().lower();
            sending.note_answer(usize::try_from(bytes).unwrap_or(usize::MAX));
            Ok::<_, Infallible>(answer.map(|body| InFlightBody::new(body, in_flight)))
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        // The listener's sweeper keeps the times.
        .header_read_timeout(None)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(Guarded::new(stream, Bytes::new(), held.clone())), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = wanted_to_leave(&held, &drain) => {
            // The answer that is being made is given, and says that the connection closes.
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}

/// Whether a request says once which host it is for, as HTTP/1.1 demands (RFC 9112, 3.2): what stands before us may route by
/// another one than we read.
fn has_one_host(request: &Request<Incoming>) -> bool {
    let count = request.headers().get_all(HOST).iter().count();
    count == 1 || count == 0 && request.version() < Version::HTTP_11
}

fn without_host() -> Response<Body> {
    let mut answer = Response::new(Body::new(Full::from("the request must have one Host field\n")));
    *answer.status_mut() = StatusCode::BAD_REQUEST;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

/// A body whose request is in flight until its last byte is written: a download is not an idle connection.
pub(crate) struct InFlightBody<B> {
    body: B,
    in_flight: Arc<InFlight>,
}

impl<B> InFlightBody<B> {
    pub(crate) fn new(body: B, in_flight: InFlight) -> Self {
        Self { body, in_flight: Arc::new(in_flight) }
    }
}

impl<B: http_body::Body<Data = Bytes> + Unpin> http_body::Body for InFlightBody<B> {
    type Data = HeldBytes<Arc<InFlight>>;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, B::Error>>> {
        let this = &mut *self;
        let frame = ready!(Pin::new(&mut this.body).poll_frame(context));
        let held = |bytes| HeldBytes::new(bytes, this.in_flight.clone());
        Poll::Ready(frame.map(|frame| Ok(frame?.map_data(held))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The place of a connection among those of its listener. Every request carries it as an extension.
#[derive(Clone)]
pub struct ConnectionPlace(Arc<Connection>);

impl ConnectionPlace {
    /// Keeps the place for a WebSocket, which outlives its request: the listener counts it, and does not take the connection for
    /// idle. `None` when the listener has as many sockets as it may, so that pages have the rest.
    #[must_use]
    pub fn keep(&self) -> Option<SocketHold> {
        let socket = self.0.open_socket()?;
        Some(SocketHold { request: self.0.begin_request(), _socket: socket })
    }
}

/// The place of a WebSocket among the connections of its listener; given back when it is dropped.
pub struct SocketHold {
    request: InFlight,
    _socket: Spent,
}

impl SocketHold {
    /// Resolves when the listener wants the connection to end at once.
    pub async fn cutting(&self) {
        self.request.connection().cutting().await;
    }
}
