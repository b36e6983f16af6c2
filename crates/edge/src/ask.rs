//! A request on its way through a screen: who asks, what was said, what it may still take, and the calls it makes.

mod calls;
mod once;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chassis::Context;
use contract::souk::identity::v1::SessionTokens;
use http::header::USER_AGENT;
use http::{HeaderMap, HeaderValue, Method};
use kernel::{Code, Error, Result};
use mesh::{Principal, Trace};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::cookies::CookieJar;
use crate::need::Need;
use crate::seen::Seen;
use crate::session::{Session, Sessions};

pub(crate) use once::IDEMPOTENCY_KEY;
pub use once::checked_key;

/// The cookie with what was seen.
pub(crate) const SEEN: &str = "souk_seen";
/// What cookies of a session are filed under.
const SESSION: &str = "session";
/// How long what was seen counts: until every view has caught up, with room to spare.
const SEEN_AGE: Duration = Duration::from_secs(600);
/// How long a preference is kept.
const PREFERENCE_AGE: Duration = Duration::from_secs(365 * 24 * 3600);
/// What a program without a session is told that needs one.
const NO_SESSION: &str = "this needs a session, and none came along: begin one with POST /api/v1/session/guest, by adding to \
                          the cart, or by signing in, and send the cookies that it sets";
/// The metadata by which a call says what its caller has seen.
const MIN_VERSION: &str = "souk-min-version";

/// What changes while a screen works.
#[derive(Default)]
struct State {
    session: Session,
    /// By what they are of: the session, or a preference.
    cookies: Vec<(&'static str, Vec<HeaderValue>)>,
    seen: Seen,
    seen_more: bool,
    absent: Vec<&'static str>,
    replayed: bool,
}

impl State {
    /// Sets the cookies of something, in the place of those that were to be set.
    fn set_cookies(&mut self, of: &'static str, cookies: Vec<HeaderValue>) {
        self.cookies.retain(|(known, _)| *known != of);
        self.cookies.push((of, cookies));
    }
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
    pub(crate) headers: Arc<HeaderMap>,
    pub(crate) address: IpAddr,
    pub(crate) lifted: bool,
    pub(crate) request_id: Arc<str>,
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
    pub(crate) headers: Arc<HeaderMap>,
    pub(crate) address: IpAddr,
    pub(crate) lifted: bool,
    pub(crate) request_id: Arc<str>,
    pub(crate) trace: Trace,
    pub(crate) deadline: Instant,
}

impl Ask {
    pub(crate) fn new(parts: Parts, session: Session, cookies: Vec<HeaderValue>) -> Self {
        let seen = parts.jar.get(&parts.headers, SEEN).map(Seen::parse).unwrap_or_default();
        let cookies = if cookies.is_empty() { Vec::new() } else { vec![(SESSION, cookies)] };
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

    /// The same request of somebody of whom nothing is known but these header fields: what is cached is made for nobody.
    pub(crate) fn of_nobody(&self, path: String, headers: HeaderMap, deadline: Instant) -> Self {
        let parts = Parts {
            ctx: self.ctx.clone(),
            sessions: self.sessions.clone(),
            jar: self.jar,
            needs: self.needs,
            method: self.method.clone(),
            path,
            query: self.query.clone(),
            headers: Arc::new(headers),
            address: IpAddr::from([0, 0, 0, 0]),
            // No address is told to anybody.
            lifted: true,
            request_id: self.request_id.clone(),
            trace: self.trace,
            deadline,
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
        let session = self.session();
        if session.exists() {
            return Ok(());
        }
        if session.unknown || session.ended {
            return self.needs_account();
        }
        Err(Error::new(Code::Unauthenticated, "UNAUTHENTICATED", NO_SESSION))
    }

    /// Takes over the session that identity's tokens are of.
    ///
    /// # Errors
    /// INTERNAL when they are not good.
    pub async fn signs_in(&self, tokens: Option<SessionTokens>) -> Result<()> {
        let (session, cookies) = self.sessions.take(tokens).await?;
        self.begin(session, cookies);
        Ok(())
    }

    /// Forgets the session, which identity has ended. This gateway knows that before it answers, so that the old cookie opens
    /// nothing here afterwards.
    pub async fn signs_out(&self) {
        let ended = self.session().verified;
        self.begin(Session::default(), self.sessions.forget());
        {
            let mut state = self.state.lock();
            state.seen = Seen::default();
            state.seen_more = true;
        }
        if let Some(verified) = ended {
            self.ctx.revocation_arrives(&verified).await;
        }
    }

    fn begin(&self, session: Session, cookies: Vec<HeaderValue>) {
        let mut state = self.state.lock();
        state.session = session;
        state.set_cookies(SESSION, cookies);
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
            self.state.lock().set_cookies(name, vec![cookie]);
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

    /// The fields that its answer carries: cookies, absent parts, a replay.
    pub(crate) fn fields(&self, fields: &mut HeaderMap) {
        let state = self.state.lock();
        let mut cookies: Vec<&HeaderValue> = state.cookies.iter().flat_map(|(_, cookies)| cookies).collect();
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
