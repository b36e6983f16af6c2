//! A lean client of the shop window: HTTP/1.1 over connections that are kept, each used by one visitor at a time.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, COOKIE, HOST, USER_AGENT};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;

use super::cookies::Jar;
use crate::console::Failure;

/// The field by which the gateway knows its operator, whose own load is counted but not held up.
const OPERATOR: HeaderName = HeaderName::from_static("souk-operator-token");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// The longest that an answer is waited for: above every limit of the gateway's own.
const PATIENCE: Duration = Duration::from_secs(20);
/// Kept connections that a request tries before it dials: some may have ended while they waited.
const STALE_MAX: usize = 2;
/// Largest JSON answer that is read, in bytes.
const JSON_BYTES_MAX: usize = 4 << 20;

type Sender = SendRequest<Full<Bytes>>;

/// A shop window.
#[derive(Debug)]
pub struct Web {
    address: SocketAddr,
    host: HeaderValue,
    operator: RwLock<Option<HeaderValue>>,
    free: Mutex<Vec<Sender>>,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Asking {
    /// Path and query.
    pub target: Uri,
    /// A JSON document that is posted; `None`: the target is read.
    pub post: Option<Bytes>,
    /// Whether a page for people is wanted, which is only drained, and not JSON.
    pub page: bool,
    /// Idempotency key.
    pub key: Option<HeaderValue>,
}

impl Asking {
    /// Reads a page.
    #[must_use]
    pub fn page(target: Uri) -> Self {
        Self { target, post: None, page: true, key: None }
    }

    /// Reads JSON.
    #[must_use]
    pub fn json(target: Uri) -> Self {
        Self { target, post: None, page: false, key: None }
    }

    /// Posts JSON.
    #[must_use]
    pub fn post(target: &'static str, body: Vec<u8>) -> Self {
        Self { target: Uri::from_static(target), post: Some(body.into()), page: false, key: None }
    }
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its JSON; empty for pages.
    pub body: Vec<u8>,
}

/// The stable reason in a problem.
#[derive(Deserialize)]
struct Problem {
    code: String,
}

impl Answer {
    /// The stable reason of a problem, or the status where there is none.
    #[must_use]
    pub fn reason(&self) -> String {
        let problem = serde_json::from_slice::<Problem>(&self.body);
        problem.map_or_else(|_| format!("HTTP_{}", self.status.as_u16()), |problem| problem.code)
    }
}

/// Why there was no answer; the text is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoAnswer(pub &'static str);

/// A connection of one visitor. Given back for others when it is dropped between two requests.
#[derive(Debug)]
pub struct Line<'a> {
    web: &'a Web,
    sender: Option<Sender>,
}

impl Web {
    /// Looks up a shop window; nothing is asked of it yet.
    ///
    /// # Errors
    /// Exit code 2 for what is no address in the clear, and for a host that nobody knows.
    pub async fn new(url: &str) -> Result<Self, Failure> {
        let wrong = |why: &dyn std::fmt::Display| {
            Failure::usage(format!("--web {url} is no address ({why}); give one like http://127.0.0.1:8080"))
        };
        let whole = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let uri: Uri = whole.parse().map_err(|error| wrong(&error))?;
        if uri.scheme_str() != Some("http") {
            return Err(wrong(&"the load speaks HTTP in the clear, to the shop itself and not to its proxy"));
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(wrong(&"it has a path"));
        }
        let authority = uri.authority().ok_or_else(|| wrong(&"it names no host"))?;
        let name = authority.host().trim_matches(['[', ']']);
        let found = tokio::net::lookup_host((name, authority.port_u16().unwrap_or(80))).await;
        let address = found.map_err(|error| wrong(&error))?.next();
        Ok(Self {
            address: address.ok_or_else(|| wrong(&"the host has no address"))?,
            host: HeaderValue::from_str(authority.as_str()).map_err(|error| wrong(&error))?,
            operator: RwLock::default(),
            free: Mutex::default(),
        })
    }

    /// The operator's access token, sent with every request from now on.
    pub fn set_operator(&self, token: Option<String>) {
        let mut value = token.and_then(|token| HeaderValue::from_str(&token).ok());
        if let Some(value) = &mut value {
            value.set_sensitive(true);
        }
        *self.operator.write().unwrap_or_else(PoisonError::into_inner) = value;
    }

    /// A connection for one visitor.
    #[must_use]
    pub fn line(&self) -> Line<'_> {
        Line { web: self, sender: None }
    }

    fn free(&self) -> MutexGuard<'_, Vec<Sender>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[expect(clippy::disallowed_methods, reason = "a visitor comes from outside, as a browser does")]
    async fn dial(&self) -> Result<Sender, NoAnswer> {
        let stream = TcpStream::connect(self.address).await.map_err(|_| NoAnswer("CONNECTION_REFUSED"))?;
        // Only the last packet of a request is held back without it.
        let _ = stream.set_nodelay(true);
        let lost = |_| NoAnswer("CONNECTION_LOST");
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(lost)?;
        // How a connection ends is seen by the request that is on it.
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }

    fn request(&self, asking: &Asking, cookies: Option<&HeaderValue>) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(asking.post.clone().unwrap_or_default()));
        *request.uri_mut() = asking.target.clone();
        if asking.post.is_some() {
            *request.method_mut() = Method::POST;
        }
        let headers = request.headers_mut();
        headers.reserve(10);
        headers.insert(HOST, self.host.clone());
        headers.insert(USER_AGENT, HeaderValue::from_static("souk-load"));
        if asking.page {
            headers.insert(ACCEPT, HeaderValue::from_static("text/html"));
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip, deflate, br, zstd"));
        } else {
            headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        }
        if asking.post.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(SITE, HeaderValue::from_static("same-origin"));
        }
        if let Some(key) = &asking.key {
            headers.insert(IDEMPOTENCY_KEY, key.clone());
        }
        if let Some(cookies) = cookies {
            headers.insert(COOKIE, cookies.clone());
        }
        if let Some(operator) = &*self.operator.read().unwrap_or_else(PoisonError::into_inner) {
            headers.insert(OPERATOR, operator.clone());
        }
        request
    }
}

impl Line<'_> {
    /// Asks, reads the answer to its end, and keeps the cookies it sets.
    ///
    /// # Errors
    /// Why there is no answer. The connection is not used again then.
    pub async fn ask(&mut self, asking: &Asking, jar: &mut Jar) -> Result<Answer, NoAnswer> {
        let request = self.web.request(asking, jar.field());
        let answered = async {
            let (sender, response) = self.send(request).await?;
            let (parts, body) = response.into_parts();
            jar.take(&parts.headers);
            let body = read(body, asking.page).await?;
            self.sender = Some(sender);
            Ok(Answer { status: parts.status, body })
        };
        tokio::time::timeout(PATIENCE, answered).await.unwrap_or(Err(NoAnswer("NO_ANSWER_IN_TIME")))
    }

    /// Sends over the connection at hand, one that is free, or a new one. What was not sent is sent over another.
    async fn send(
        &mut self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<(Sender, Response<Incoming>), NoAnswer> {
        for tries in 0..=STALE_MAX + 1 {
            let kept = if tries < STALE_MAX { self.kept() } else { None };
            let mut sender = match kept {
                Some(sender) => sender,
                None => self.web.dial().await?,
            };
            if sender.ready().await.is_err() {
                continue;
            }
            match sender.try_send_request(request).await {
                Ok(response) => return Ok((sender, response)),
                Err(mut error) => match error.take_message() {
                    Some(unsent) if tries <= STALE_MAX => request = unsent,
                    _ => break,
                },
            }
        }
        Err(NoAnswer("CONNECTION_LOST"))
    }

    fn kept(&mut self) -> Option<Sender> {
        if let Some(sender) = self.sender.take().filter(|sender| !sender.is_closed()) {
            return Some(sender);
        }
        let mut free = self.web.free();
        while let Some(sender) = free.pop() {
            if !sender.is_closed() {
                return Some(sender);
            }
        }
        None
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        if let Some(sender) = self.sender.take().filter(|sender| !sender.is_closed()) {
            self.web.free().push(sender);
        }
    }
}

/// Reads a body to its end: a page is drained, JSON is kept.
async fn read(mut body: Incoming, drain: bool) -> Result<Vec<u8>, NoAnswer> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| NoAnswer("ANSWER_CUT_OFF"))?;
        if let Some(data) = frame.data_ref().filter(|_| !drain) {
            if bytes.len() + data.len() > JSON_BYTES_MAX {
                return Err(NoAnswer("ANSWER_TOO_LARGE"));
            }
            bytes.extend_from_slice(data);
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_is_looked_up_or_said_to_be_none() {
        for good in ["http://127.0.0.1:8080", "http://127.0.0.1:8080/", "127.0.0.1:8080", "http://[::1]:8080"]
        {
            let web = Web::new(good).await.expect(good);
            assert_eq!(web.address.port(), 8080);
        }
        assert_eq!(Web::new("http://127.0.0.1").await.expect("good").address.port(), 80);
        for bad in
            ["", "https://127.0.0.1:8080", "http://127.0.0.1:8080/shop", "http://", "http://a b", "ftp://a"]
        {
            let failure = Web::new(bad).await.expect_err(bad);
            assert!(failure.code() == 2 && failure.to_string().contains("--web"), "{failure}");
        }
    }

    #[test]
    fn a_problem_tells_its_reason() {
        let answer = |body: &str| Answer { status: StatusCode::CONFLICT, body: body.into() };
        assert_eq!(answer(r#"{"status": 409, "code": "OUT_OF_STOCK"}"#).reason(), "OUT_OF_STOCK");
        assert_eq!(answer("<html>").reason(), "HTTP_409");
    }
}
