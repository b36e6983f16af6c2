//! The listener of a gateway: HTTP/1.1, with upgrades for WebSockets. A load balancer or proxy in front may speak anything
//! newer to browsers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use mesh::Endpoint;
use tokio::net::{TcpListener, TcpStream};
use tonic::body::Body;

use crate::Drain;
use crate::connection::{Connection, InFlight};
use crate::guarded::Guarded;
use crate::listener::{Table, accept};
use crate::serve::wanted_to_leave;

/// How long a client may take to send the head of a request, or be silent between two.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);
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

async fn connection(
    stream: TcpStream,
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
            let answer = answer.await;
            if let Ok(answer) = &answer {
                let bytes = answer.body().size_hint().lower();
                sending.note_answer(usize::try_from(bytes).unwrap_or(usize::MAX));
            }
            drop(in_flight);
            answer
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
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

/// The place of a connection among those of its listener. Every request carries it as an extension.
#[derive(Clone)]
pub struct ConnectionPlace(Arc<Connection>);

impl ConnectionPlace {
    /// Keeps the place for what outlives the request, such as a WebSocket: the listener counts it, and does not take the
    /// connection for idle.
    #[must_use]
    pub fn keep(&self) -> KeptPlace {
        KeptPlace { _request: self.0.begin_request() }
    }
}

/// A place that is kept until this is dropped.
pub struct KeptPlace {
    _request: InFlight,
}
