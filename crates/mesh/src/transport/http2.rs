//! HTTP/2 over TCP to an endpoint of another process.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Uri};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use kernel::{Code, Error};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tonic::body::Body;

use crate::deadline::{GRPC_TIMEOUT, timeout_text};
use crate::peer::{BEHALF_HEADER, PEER_HEADER, Peers};
use crate::scope::{REQUEST_ID, TRACEPARENT};
use crate::{Answer, Call, Principal, policy};

/// A connection to one endpoint, made when it is first needed and again, with a growing pause, when it is lost.
pub struct Connection {
    address: SocketAddr,
    live: ArcSwapOption<SendRequest<Body>>,
    connecting: tokio::sync::Mutex<Backoff>,
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

#[derive(Default)]
struct Backoff {
    pause: Duration,
    not_before: Option<Instant>,
}

impl Connection {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, live: ArcSwapOption::empty(), connecting: tokio::sync::Mutex::default() }
    }

    async fn sender(&self) -> Result<Arc<SendRequest<Body>>, Error> {
        if let Some(live) = self.live.load_full().filter(|live| !live.is_closed()) {
            return Ok(live);
        }
        let mut backoff = self.connecting.lock().await;
        if let Some(live) = self.live.load_full().filter(|live| !live.is_closed()) {
            return Ok(live);
        }
        let now = Instant::now();
        if backoff.not_before.is_some_and(|at| now < at) {
            return Err(self.away("was not reachable a moment ago", None));
        }
        match tokio::time::timeout(policy::CONNECT_TIMEOUT, self.connect()).await {
            Ok(Ok(sender)) => {
                *backoff = Backoff::default();
                let sender = Arc::new(sender);
                self.live.store(Some(sender.clone()));
                Ok(sender)
            }
            failed => {
                backoff.pause = (backoff.pause * 2).clamp(policy::RECONNECT_MIN, policy::RECONNECT_MAX);
                backoff.not_before = Some(Instant::now() + backoff.pause);
                Err(self.away("cannot be reached", failed.ok().and_then(Result::err)))
            }
        }
    }

    /// Where it runs is for the log alone.
    fn away(&self, what: &str, cause: Option<Cause>) -> Error {
        let message = "something needed is away; try again";
        let place = format!("{} {what}", self.address);
        let cause = match cause {
            Some(cause) => format!("{place}: {cause}"),
            None => place,
        };
        Error::new(Code::Unavailable, "UNAVAILABLE", message).because(cause)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the mesh's door to the network")]
    async fn connect(&self) -> Result<SendRequest<Body>, Cause> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(policy::KEEPALIVE)
            .keep_alive_timeout(policy::KEEPALIVE_TIMEOUT)
            .keep_alive_while_idle(true)
            .max_header_list_size(policy::HEADER_BYTES_MAX)
            .handshake(TokioIo::new(stream))
            .await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended");
            }
        });
        Ok(sender)
    }
}

pub(crate) async fn send(connection: &Connection, role: &str, peers: &Peers, call: Box<Call>) -> Answer {
    let Call { mut request, scope, .. } = *call;
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let uri =
        Uri::builder().scheme("http").authority(connection.address.to_string()).path_and_query(path).build();
    *request.uri_mut() = uri.map_err(Error::internal)?;
    let headers = request.headers_mut();
    let mut put = |name: HeaderName, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    };
    put(PEER_HEADER, peers.sign(role));
    put(TRACEPARENT, scope.trace.header());
    if let Some(id) = &scope.request_id {
        put(REQUEST_ID, id.to_string());
    }
    if let Some(deadline) = scope.deadline {
        put(GRPC_TIMEOUT, timeout_text(deadline.saturating_duration_since(Instant::now())));
    }
    if let Some(verified) = &scope.principal {
        match (&verified.token, &verified.principal) {
            (Some(token), _) => put(AUTHORIZATION, format!("Bearer {}", token.0)),
            (None, Principal::Anonymous) => {}
            (None, principal) => put(BEHALF_HEADER, behalf(principal)),
        }
    }
    let mut sender = SendRequest::clone(&*connection.sender().await?);
    let away = |error: hyper::Error| connection.away("did not answer", Some(error.into()));
    sender.ready().await.map_err(away)?;
    Ok(sender.send_request(request).await.map_err(away)?.map(Body::new))
}

/// `subject;session;permission,permission`.
fn behalf(principal: &Principal) -> String {
    let session = principal.session().map(|session| session.to_string()).unwrap_or_default();
    let permissions = match principal {
        Principal::Account { permissions, .. } => permissions.join(","),
        _ => String::new(),
    };
    format!("{};{session};{permissions}", principal.subject())
}

/// Reads what [`behalf`] wrote.
pub(crate) fn parse_behalf(text: &str) -> Option<Principal> {
    let mut parts = text.split(';');
    let (subject, session, permissions) = (parts.next()?, parts.next()?, parts.next()?);
    let session = session.parse().ok()?;
    if let Ok(id) = subject.parse() {
        return Some(Principal::Guest { id, session });
    }
    let permissions: Vec<String> =
        permissions.split(',').filter(|p| !p.is_empty()).map(str::to_owned).collect();
    Some(Principal::Account { id: subject.parse().ok()?, session, permissions: permissions.into() })
}
