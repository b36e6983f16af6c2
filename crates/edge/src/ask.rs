//! A request on its way through a screen: who asks, what was said, what it may still take, and the calls it makes.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chassis::Context;
use contract::souk::identity::v1::SessionTokens;
use http::header::{IF_MATCH, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use kernel::{Code, Error, Result};
use mesh::{Principal, Scope, Trace, with_scope};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::cookies::CookieJar;
use crate::need::{Absence, Need};
use crate::seen::Seen;
use crate::session::{CLIENT_ADDRESS, Session, Sessions};

/// The cookie with what was seen.
pub(crate) const SEEN: &str = "souk_seen";
/// How long what was seen counts: until every view has caught up, with room to spare.
const SEEN_AGE: Duration = Duration::from_secs(600);
/// How long a preference is kept.
const PREFERENCE_AGE: Duration = Duration::from_secs(365 * 24 * 3600);
/// The metadata by which a call says what its caller has seen.
const MIN_VERSION: &str = "souk-min-version";
/// Longest idempotency key of a client, in characters; steps add to it.
const KEY_CHARS_MAX: usize = 100;
/// The field with a client's idempotency key.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What changes while a screen works.
#[derive(Default)]
struct State {
    session: Session,
    cookies: HashMap<&'static str, Vec<HeaderValue>>,
    seen: Seen,
    seen_more: bool,
    absent: Vec<&'static str>,
    replayed: bool,
}

/// One request.
pub struct Ask {
    pub(crate) ctx: Context,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) jar: CookieJar,
    pub(crate) needs: &'static [&'static Need],
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) address: IpAddr,
    pub(crate) lifted: bool,
    pub(crate) request_id: String,
    pub(crate) trace: Trace,
    pub(crate) deadline: Instant,
    state: Mutex<State>,
}

/// What a request is made of, before its session is known.
pub(crate) struct Parts {
    pub(crate) ctx: Context,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) jar: CookieJar,
    pub(crate) needs: &'static [&'static Need],
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) address: IpAddr,
    pub(crate) lifted: bool,
    pub(crate) request_id: String,
    pub(crate) trace: Trace,
    pub(crate) deadline: Instant,
}

impl Ask {
    pub(crate) fn new(parts: Parts, session: Session, cookies: Vec<HeaderValue>) -> Self {
        let seen = parts.jar.get(&parts.headers, SEEN).map(Seen::parse).unwrap_or_default();
        let cookies = HashMap::from([("session", cookies)]);
        let state = State { session, cookies, seen, ..State::default() };
        Self {
            ctx: parts.ctx,
            sessions: parts.sessions,
            jar: parts.jar,
            needs: parts.needs,
            method: parts.method,
            path: parts.path,
            query: parts.query,
            headers: parts.headers,
            address: parts.address,
            lifted: parts.lifted,
            request_id: parts.request_id,
            trace: parts.trace,
            deadline: parts.deadline,
            state: Mutex::new(state),
        }
    }

    /// The same request of somebody without a session: what is kept for others is made for nobody.
    pub(crate) fn of_nobody(&self) -> Self {
        let parts = Parts {
            ctx: self.ctx.clone(),
            sessions: self.sessions.clone(),
            jar: self.jar,
            needs: self.needs,
            method: self.method.clone(),
            path: self.path.clone(),
            query: self.query.clone(),
            headers: self.headers.clone(),
            address: self.address,
            lifted: self.lifted,
            request_id: self.request_id.clone(),
            trace: self.trace,
            deadline: Instant::now() + (self.deadline - Instant::now()),
        };
        Self::new(parts, Session::default(), Vec::new())
    }

    /// The path that was asked for, with its query.
    #[must_use]
    pub fn target(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }

    /// The path that was asked for.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Names the request in the logs and in its answer.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// The context of the gateway's role.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.ctx
    }

    /// A field of the request, when it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Who asks.
    #[must_use]
    pub fn session(&self) -> Session {
        self.state.lock().session.clone()
    }

    /// Who asks.
    #[must_use]
    pub fn principal(&self) -> Principal {
        self.session().principal()
    }

    /// The access token of the session, for a call that proves it.
    #[must_use]
    pub fn access_token(&self) -> Option<String> {
        self.state.lock().session.token.as_ref().map(|token| token.0.clone())
    }

    /// What the device calls itself, for the list of a person's sessions.
    #[must_use]
    pub fn device(&self) -> String {
        crate::device::name(
            self.headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default(),
        )
    }

    fn counted_address(&self) -> Option<IpAddr> {
        (!self.lifted).then_some(self.address)
    }

    /// Makes sure that there is a session, if only a guest's.
    ///
    /// # Errors
    /// What identity says; `SESSION_UNKNOWN` when there may be one that identity could not be asked about.
    pub async fn needs_session(&self) -> Result<()> {
        let session = self.session();
        if session.exists() {
            return Ok(());
        }
        if session.unknown {
            return Err(away_for_now());
        }
        let (session, cookies) = self.sessions.begin_guest(&self.device(), self.counted_address()).await?;
        self.begin(session, cookies);
        Ok(())
    }

    /// Requires somebody who is signed in.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `SESSION_UNKNOWN` as [`Ask::needs_session`].
    pub fn needs_account(&self) -> Result<()> {
        let session = self.session();
        if session.is_signed_in() {
            return Ok(());
        }
        if session.unknown {
            return Err(away_for_now());
        }
        let message = if session.ended { "your session has ended; sign in again" } else { "sign in first" };
        Err(Error::new(Code::Unauthenticated, "UNAUTHENTICATED", message))
    }

    /// Requires a session, of a guest or an account.
    ///
    /// # Errors
    /// As [`Ask::needs_account`].
    pub fn needs_somebody(&self) -> Result<()> {
        if self.session().exists() { Ok(()) } else { self.needs_account() }
    }

    /// Takes over the session that identity's tokens are of.
    ///
    /// # Errors
    /// INTERNAL when they are not good.
    pub fn signs_in(&self, tokens: Option<SessionTokens>) -> Result<()> {
        let (session, cookies) = self.sessions.take(tokens)?;
        self.begin(session, cookies);
        Ok(())
    }

    /// Forgets the session.
    pub fn signs_out(&self) {
        self.begin(Session::default(), self.sessions.forget());
        let mut state = self.state.lock();
        state.seen = Seen::default();
        state.seen_more = true;
    }

    fn begin(&self, session: Session, cookies: Vec<HeaderValue>) {
        let mut state = self.state.lock();
        state.session = session;
        state.cookies.insert("session", cookies);
    }

    /// A preference of this browser, for example its currency.
    #[must_use]
    pub fn preference(&self, name: &str) -> Option<&str> {
        self.jar.get(&self.headers, name)
    }

    /// Keeps a preference; the value must be of letters, digits and `-_.`.
    pub fn prefer(&self, name: &'static str, value: &str) {
        let good = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if let Some(cookie) = self.jar.set(name, value, PREFERENCE_AGE).filter(|_| good) {
            self.state.lock().cookies.insert(name, vec![cookie]);
        }
    }

    /// Notes the version of something of this person's, so that no later screen shows an older one as if it were new.
    pub fn saw(&self, id: &str, version: i64) {
        let mut state = self.state.lock();
        state.seen_more |= state.seen.note(id, version);
    }

    /// The newest version that this person has seen of something; 0 when none.
    #[must_use]
    pub fn seen(&self, id: &str) -> i64 {
        self.state.lock().seen.version(id)
    }

    /// The parts that could not be had, as the answer says.
    #[must_use]
    pub fn absent(&self) -> Vec<&'static str> {
        self.state.lock().absent.clone()
    }

    /// Notes what is absent from a screen that was made for nobody in particular.
    pub(crate) fn lacks(&self, other: &Self) {
        let absent = other.absent();
        self.state.lock().absent.extend(absent);
    }

    /// A message as a call of this request: it tells the client's address and what it has seen.
    pub fn request<T>(&self, message: T) -> tonic::Request<T> {
        let mut request = tonic::Request::new(message);
        if let Some(value) = self.counted_address().and_then(|address| address.to_string().parse().ok()) {
            request.metadata_mut().insert(CLIENT_ADDRESS, value);
        }
        let state = self.state.lock();
        if !state.seen.is_empty()
            && let Ok(value) = state.seen.text().parse()
        {
            request.metadata_mut().insert(MIN_VERSION, value);
        }
        drop(state);
        request
    }

    /// Makes a call without which the screen is nothing. What is away makes it a 503 that names the part.
    ///
    /// # Errors
    /// What the call says.
    pub async fn need<T>(
        &self,
        need: &'static Need,
        call: impl Future<Output = Result<tonic::Response<T>, tonic::Status>>,
    ) -> Result<T> {
        self.call(need, Absence::Required, call).await.map_err(|error| match error.code() {
            Code::Unavailable => error.with("part", need.part),
            Code::DeadlineExceeded if self.method == Method::GET => {
                Error::unavailable("UNAVAILABLE", "a part of this screen did not answer in time; try again")
                    .because(error)
                    .with("part", need.part)
            }
            _ => error,
        })
    }

    /// Makes a call that the screen can do without: what fails is absent, and said so.
    pub async fn may<T>(
        &self,
        need: &'static Need,
        call: impl Future<Output = Result<tonic::Response<T>, tonic::Status>>,
    ) -> Option<T> {
        match self.call(need, Absence::Optional, call).await {
            Ok(answer) => Some(answer),
            Err(error) => {
                tracing::debug!(part = need.part, error = ?error, "an optional part is absent");
                let mut state = self.state.lock();
                if !state.absent.contains(&need.part) {
                    state.absent.push(need.part);
                }
                None
            }
        }
    }

    /// Makes a call for what stands around a screen, such as the count of the cart: no screen declares it, and its absence
    /// is not told.
    pub async fn aside<T>(
        &self,
        need: &'static Need,
        call: impl Future<Output = Result<tonic::Response<T>, tonic::Status>>,
    ) -> Option<T> {
        match self.made(call).await {
            Ok(answer) => Some(answer),
            Err(error) => {
                tracing::debug!(part = need.part, error = ?error, "a part around the screen is absent");
                None
            }
        }
    }

    async fn call<T>(
        &self,
        need: &'static Need,
        absence: Absence,
        call: impl Future<Output = Result<tonic::Response<T>, tonic::Status>>,
    ) -> Result<T> {
        if need.absence != absence || !self.needs.iter().any(|declared| declared.part == need.part) {
            return Err(Error::internal(format!(
                "{} does not declare that it needs {}",
                self.path, need.part
            )));
        }
        self.made(call).await
    }

    /// Makes a call as who asks, within the time that is left.
    async fn made<T>(
        &self,
        call: impl Future<Output = Result<tonic::Response<T>, tonic::Status>>,
    ) -> Result<T> {
        let principal = self.state.lock().session.verified.clone();
        let scope = Scope { deadline: Some(self.deadline), principal, trace: self.trace };
        let answer = with_scope(scope, call).await.map_err(contract::error)?;
        if answer.metadata().contains_key("souk-replayed") {
            self.state.lock().replayed = true;
        }
        Ok(answer.into_inner())
    }

    /// The idempotency key of this request: the client's, or, where it gave none, a new one.
    ///
    /// # Errors
    /// `INVALID_IDEMPOTENCY_KEY` at `/idempotency_key`.
    pub fn key(&self) -> Result<String> {
        match self.headers.get(IDEMPOTENCY_KEY) {
            Some(value) => checked_key(value.to_str().unwrap_or_default()).map(str::to_owned),
            None => Ok(self.new_key()),
        }
    }

    /// A new idempotency key, for a form to carry.
    #[must_use]
    pub fn new_key(&self) -> String {
        hex::encode(self.ctx.random::<16>())
    }

    /// The version that an edit names in `If-Match`.
    ///
    /// # Errors
    /// `PRECONDITION_REQUIRED` without one; INVALID_ARGUMENT for what is no entity tag. One that this gateway never gave is of
    /// a version that nothing ever has, so that the service refuses it as stale, after all else that may be wrong.
    pub fn if_match(&self) -> Result<i64> {
        Ok(version_of(self.entity_tag()?).filter(|version| *version > 0).unwrap_or(i64::MAX))
    }

    /// The entity tag in `If-Match`, of whatever version. Whether it holds is looked at after all else that may be wrong
    /// (RFC 9110, 13.2.1).
    pub(crate) fn entity_tag(&self) -> Result<&str> {
        let required = || {
            let message = "say in If-Match which version you change: the ETag that you read";
            Error::precondition("PRECONDITION_REQUIRED", message)
        };
        let text = self.headers.get(IF_MATCH).ok_or_else(required)?.to_str().unwrap_or_default();
        if !is_entity_tag(text) {
            let what = "must be one entity tag, in quotes: the ETag that you read";
            return Err(Error::field("/if_match", "INVALID_ARGUMENT", what));
        }
        Ok(text)
    }

    /// The fields that its answer carries: cookies, absent parts, a replay.
    pub(crate) fn fields(&self, fields: &mut HeaderMap) {
        let state = self.state.lock();
        let mut cookies: Vec<&HeaderValue> = state.cookies.values().flatten().collect();
        let seen = state.seen_more.then(|| self.jar.set(SEEN, &state.seen.text(), SEEN_AGE)).flatten();
        cookies.extend(&seen);
        for cookie in cookies {
            fields.append(http::header::SET_COOKIE, cookie.clone());
        }
        if state.replayed {
            fields.insert("idempotency-replayed", HeaderValue::from_static("true"));
        }
        if !state.absent.is_empty()
            && let Ok(value) = HeaderValue::from_str(&state.absent.join(", "))
        {
            fields.insert("souk-absent", value);
        }
    }
}

fn away_for_now() -> Error {
    Error::unavailable("SESSION_UNKNOWN", "who you are cannot be looked up just now; try again")
        .with("part", "identity")
}

/// Checks an idempotency key of a client.
///
/// # Errors
/// `INVALID_IDEMPOTENCY_KEY` at `/idempotency_key`.
pub fn checked_key(text: &str) -> Result<&str> {
    let good = (1..=KEY_CHARS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    let what = "must be 1 to 100 visible ASCII characters";
    if good { Ok(text) } else { Err(Error::field("/idempotency_key", "INVALID_IDEMPOTENCY_KEY", what)) }
}

/// Whether a text is one entity tag (RFC 9110, 8.8.3), weak or strong.
fn is_entity_tag(text: &str) -> bool {
    let text = text.trim();
    let inner =
        text.strip_prefix("W/").unwrap_or(text).strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inner.is_some_and(|inner| inner.bytes().all(|byte| byte != b'"' && byte.is_ascii_graphic()))
}

/// The version in an entity tag of ours: `"v12-…"`.
fn version_of(tag: &str) -> Option<i64> {
    let inner = tag.trim().strip_prefix('"')?.strip_suffix('"')?;
    let digits = inner.strip_prefix('v')?.split('-').next()?;
    digits.parse().ok().filter(|version| *version >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_tag_tells_its_version() {
        assert_eq!(version_of("\"v12-00ff\""), Some(12));
        assert_eq!(version_of(" \"v0\" "), Some(0));
        for bad in
            ["", "*", "v12", "W/\"v12\"", "\"12\"", "\"v-1\"", "\"v1x-1\"", "\"v99999999999999999999\""]
        {
            assert_eq!(version_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn one_entity_tag_is_taken() {
        for good in ["\"v1\"", "W/\"v1\"", "\"\"", " \"of somebody else\" ".replace(' ', "").as_str()] {
            assert!(is_entity_tag(good), "{good}");
        }
        for bad in ["", "*", "v1", "{}", "\"", "\"v1\", \"v2\"", "\"a b\""] {
            assert!(!is_entity_tag(bad), "{bad}");
        }
    }

    #[test]
    fn a_key_is_visible_ascii() {
        assert!(checked_key("a-1").is_ok());
        for bad in ["", "a b", "é", &"x".repeat(101)] {
            assert_eq!(checked_key(bad).expect_err(bad).violations()[0].field, "/idempotency_key");
        }
    }
}
