//! The gRPC listener: HTTP/2 in the clear with prior knowledge, as `grpcurl -plaintext` speaks it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use kernel::{Error, Result};
use mesh::{Endpoint, policy};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tonic::body::Body;

use crate::Drain;
use crate::connection::{Connection, End};
use crate::greeting::{SPOKEN_HERE, greet};
use crate::guarded::Guarded;
use crate::listener::{Table, accept};
use crate::sent::{AnswerBody, Answers, overloaded};

/// Bytes of a request of another protocol that are read before it is refused.
const REFUSED_BYTES_MAX: usize = 16 << 10;
/// How long the rest of a request of another protocol is waited for.
const REFUSED_TIMEOUT: Duration = Duration::from_secs(1);

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

pub(crate) async fn serve(
    listener: TcpListener,
    table: Arc<Table>,
    endpoint: Arc<dyn Endpoint>,
    drain: Drain,
) {
    let served = drain.clone();
    let open = move |stream, peer, held| connection(stream, peer, held, endpoint.clone(), served.clone());
    accept(listener, table, drain, |_| {}, open).await;
}

pub(crate) async fn connection<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    peer: SocketAddr,
    held: Arc<Connection>,
    endpoint: Arc<dyn Endpoint>,
    drain: Drain,
) {
    let Some(ahead) = greet(&mut stream).await else { return };
    held.greet();
    let answers = Answers::new();
    held.watch_answers(answers.clone());
    let service = {
        let held = held.clone();
        service_fn(move |mut request: Request<Incoming>| {
            // Services that limit by address find it here.
            request.extensions_mut().insert(peer);
            call(request, held.clone(), answers.clone(), endpoint.clone())
        })
    };
    let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(policy::KEEPALIVE)
        .keep_alive_timeout(policy::KEEPALIVE_TIMEOUT)
        .max_concurrent_streams(policy::CALLS_PER_CONNECTION_MAX)
        .max_header_list_size(policy::HEADER_BYTES_MAX)
        .initial_stream_window_size(policy::STREAM_WINDOW_BYTES)
        .initial_connection_window_size(policy::CONNECTION_WINDOW_BYTES)
        .max_send_buf_size(policy::SEND_BUFFER_BYTES)
        .max_pending_accept_reset_streams(policy::PENDING_RESETS_MAX)
        .serve_connection(TokioIo::new(Guarded::new(stream, ahead, held.clone())), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = wanted_to_leave(&held, &drain) => {
            // Says GOAWAY; what is in flight is answered.
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}

/// Resolves when the connection is to take no more requests.
pub(crate) async fn wanted_to_leave(held: &Connection, drain: &Drain) {
    tokio::select! {
        () = drain.draining() => {}
        end = held.ending() => {
            if end == End::Cut {
                // The accept loop drops the connection where it is.
                std::future::pending::<()>().await;
            }
        }
    }
}

async fn call(
    request: Request<Incoming>,
    held: Arc<Connection>,
    answers: Arc<Answers>,
    endpoint: Arc<dyn Endpoint>,
) -> Result<Response<AnswerBody>, std::convert::Infallible> {
    let request_in_flight = held.begin_request();
    if let Some(refusal) = refuse_other_protocols(request.method(), request.headers()) {
        read_rest(request.into_body()).await;
        return Ok(refusal.map(AnswerBody::Short));
    }
    if request.headers().len() > policy::HEADERS_MAX {
        let message = format!("the request has more than {} header fields", policy::HEADERS_MAX);
        return Ok(refused(Error::invalid("FIELDS_TOO_LARGE", message)));
    }
    let path = request.uri().path();
    let method = contract::method(path);
    let is_stream = match method {
        Some(method) => method.server_streaming,
        None => mesh::foreign(path).is_some_and(|method| method.server_streaming),
    };
    // What was done is told; what was only read can be read again.
    let may_refuse = method.is_none_or(contract::MethodContract::reads);
    // Whether it is a role is verified before anything is done for it.
    let is_role = request.headers().contains_key(mesh::peer::PEER_HEADER);
    let slot = match answers.enter(request_in_flight, is_role, is_stream).await {
        Ok(slot) => slot,
        Err(message) => return Ok(refuse(message)),
    };
    let response = endpoint.call(request.map(Body::new)).await?;
    let (head, body) = response.into_parts();
    match answers.send(body, slot, may_refuse) {
        Some(body) => Ok(Response::from_parts(head, body)),
        None => Ok(refuse("the answers to this address are not being read")),
    }
}

/// Reads the rest of a short request that is refused. An answer with the body unread resets the stream after it, and some
/// clients of HTTP (curl among them) take that for a failure while they send.
async fn read_rest(body: Incoming) {
    let rest = Limited::new(body, REFUSED_BYTES_MAX).collect();
    // More than that, or later, is not waited for.
    let _ = tokio::time::timeout(REFUSED_TIMEOUT, rest).await;
}

fn refuse(message: &'static str) -> Response<AnswerBody> {
    refused(overloaded(message))
}

fn refused(error: Error) -> Response<AnswerBody> {
    contract::status(error).into_http().map(AnswerBody::Short)
}

/// What is not gRPC is told so by HTTP, as gRPC over HTTP/2 asks: 415 for another content type.
fn refuse_other_protocols(method: &Method, headers: &HeaderMap) -> Option<Response<Body>> {
    let content = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let status = if method != Method::POST {
        StatusCode::METHOD_NOT_ALLOWED
    } else if is_grpc(content) {
        return None;
    } else {
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    };
    let mut response = Response::new(Body::new(Full::new(bytes::Bytes::from_static(SPOKEN_HERE.as_bytes()))));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("POST"));
    }
    Some(response)
}

/// `application/grpc` or `application/grpc+proto`, with or without parameters.
fn is_grpc(content: &[u8]) -> bool {
    let media = content.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    media.eq_ignore_ascii_case(b"application/grpc") || media.eq_ignore_ascii_case(b"application/grpc+proto")
}
