//! The gRPC listener: HTTP/2 in the clear with prior knowledge, as `grpcurl -plaintext` speaks it.

use std::net::SocketAddr;
use std::sync::Arc;

use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use kernel::{Error, Result};
use mesh::{Endpoint, policy};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tonic::body::Body;

use crate::Drain;

/// Connections at once.
const CONNECTIONS_MAX: usize = 10_000;

/// Binds an address.
///
/// # Errors
/// `ADDRESS_IN_USE` or `ADDRESS_UNAVAILABLE` with a sentence that says what to do.
#[expect(clippy::disallowed_methods, reason = "this is the house's door to the network")]
pub(crate) async fn bind(what: &str, flag: &str, address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let (reason, why) = match error.kind() {
            std::io::ErrorKind::AddrInUse => ("ADDRESS_IN_USE", "is already in use".to_owned()),
            _ => ("ADDRESS_UNAVAILABLE", format!("cannot be used: {error}")),
        };
        let message = format!("the {what} address {address} {why}; stop what uses it, or choose another with {flag} (port 0 picks a free one)");
        Error::precondition(reason, message)
    })
}

/// Accepts connections until the drain begins, so many at once.
pub(crate) async fn accept<F>(
    listener: TcpListener,
    connections_max: usize,
    drain: Drain,
    connection: impl Fn(TcpStream, SocketAddr) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(connections_max));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let accepted = tokio::select! {
            () = drain.draining() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            // Whoever has left already needs nothing.
            Ok((stream, _)) if stream.set_nodelay(true).is_err() => {}
            Ok((stream, peer)) => {
                let connection = connection(stream, peer);
                drain.spawn_work(async move {
                    let _place = place;
                    connection.await;
                });
            }
            // Out of file descriptors, as a rule: what is open goes on, and there is a pause before the next.
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(policy::RECONNECT_MIN).await;
            }
        }
    }
}

pub(crate) async fn serve(listener: TcpListener, endpoint: Arc<dyn Endpoint>, drain: Drain) {
    let served = drain.clone();
    let open = move |stream, peer| connection(stream, peer, endpoint.clone(), served.clone());
    accept(listener, CONNECTIONS_MAX, drain, open).await;
}

async fn connection(stream: TcpStream, peer: SocketAddr, endpoint: Arc<dyn Endpoint>, drain: Drain) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        // Services that limit by address find it here.
        request.extensions_mut().insert(peer);
        endpoint.call(request.map(Body::new))
    });
    let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(policy::KEEPALIVE)
        .keep_alive_timeout(policy::KEEPALIVE_TIMEOUT)
        .max_concurrent_streams(policy::STREAMS_MAX)
        .max_header_list_size(policy::HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = drain.draining() => {
            // Says GOAWAY; what is in flight is answered.
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}
