//! The listener of a gateway: HTTP/1.1, with upgrades for WebSockets. A load balancer or proxy in front may speak anything
//! newer to browsers.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Request;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use mesh::Endpoint;
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
        let (answer, sending) = (endpoint.call(request.map(Body::new)), requests.clone());
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
    /// Keeps the place for what outlives the request, such as a WebSocket: the listener counts it, and does not take the
    /// connection for idle.
    #[must_use]
    pub fn keep(&self) -> ConnectionHold {
        ConnectionHold { _request: self.0.begin_request() }
    }
}

/// Until this is dropped, the connection has a request as its listener sees it.
pub struct ConnectionHold {
    _request: InFlight,
}
