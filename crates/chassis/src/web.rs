//! The listener of a gateway: HTTP/1.1, with upgrades for WebSockets. A load balancer or proxy in front may speak anything
//! newer to browsers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use mesh::Endpoint;
use tokio::net::{TcpListener, TcpStream};
use tonic::body::Body;

use crate::Drain;
use crate::serve::accept;

/// Connections at once: ten thousand open WebSockets and as many browsers beside them; bounded by file descriptors too.
const CONNECTIONS_MAX: usize = 20_000;
/// How long a client may take to send the head of a request, or be silent between two.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);
/// Largest request head, in bytes.
const HEAD_BYTES_MAX: usize = 32 << 10;
/// Fields of a request at most.
const HEADERS_MAX: usize = 64;

pub(crate) async fn serve(listener: TcpListener, endpoint: Arc<dyn Endpoint>, drain: Drain) {
    let served = drain.clone();
    let open = move |stream, peer| connection(stream, peer, endpoint.clone(), served.clone());
    accept(listener, CONNECTIONS_MAX, drain, open).await;
}

async fn connection(stream: TcpStream, peer: SocketAddr, endpoint: Arc<dyn Endpoint>, drain: Drain) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        // Quotas count by it.
        request.extensions_mut().insert(peer);
        endpoint.call(request.map(Body::new))
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = drain.draining() => {
            // The answer that is being made is given, and says that the connection closes.
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}
