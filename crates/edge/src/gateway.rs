//! A gateway: a list of routes behind one stack of layers, assembled in [`Gateway::answer`].

mod failure;
mod head;
mod socket;

use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Bytes;
use chassis::Context;
use futures_util::FutureExt;
use http::header::{ACCEPT, ALLOW, HeaderName, LOCATION};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use kernel::{Code, Error, Result};
use mesh::{Budget, Endpoint, REQUEST_ID, TRACEPARENT, Trace};
use tokio::time::Instant;
use tonic::body::Body;

use crate::access_log::{AccessLog, Answered};
use crate::answer::Answer;
use crate::ask::{Ask, IDEMPOTENCY_KEY};
use crate::chrome::Chrome;
use crate::cookies::CookieJar;
use crate::live::Live;
use crate::metrics::{Counted, Metrics};
use crate::quota::{Asking, Fields, Quotas};
use crate::reply::{self, Reply};
use crate::response_cache::ResponseCache;
use crate::route::{Key, Kind, Route, Said};
use crate::session::{Session, Sessions};
use crate::settings::Settings;
use crate::table::{Place, Table};
use crate::{body, cached, client, cors, forgery, headers, table};

use self::head::Head;

kernel::ids! {
    /// Kind of a request.
    Request => RequestId, "req";
}

/// The field with the operator's access token, by which a load test of its own shop is not held up.
const OPERATOR: HeaderName = HeaderName::from_static("souk-operator-token");
/// The permission that lifts quotas; the one by which identity lifts its own.
const LIFTS: &str = "accounts.write";

/// A gateway.
pub struct Gateway {
    pub(crate) ctx: Context,
    pub(crate) settings: Settings,
    pub(crate) jar: CookieJar,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) routes: Vec<Route>,
    pub(crate) cache: Arc<ResponseCache>,
    pub(crate) chrome: Box<dyn Chrome>,
    table: Table,
    quotas: Quotas,
    bodies: Budget,
    origins: Vec<String>,
    live: Option<Live>,
    metrics: Arc<Metrics>,
    access_log: AccessLog,
}

/// A request whose route is known.
pub(crate) struct Asked {
    pub(crate) ask: Arc<Ask>,
    pub(crate) place: usize,
    pub(crate) said: Said,
}

impl Gateway {
    /// Puts a gateway together.
    ///
    /// # Errors
    /// `INVALID_CONFIG`; INTERNAL for routes that contradict each other.
    pub fn new(
        ctx: &Context,
        settings: Settings,
        routes: Vec<Route>,
        chrome: impl Chrome,
        live: Option<Live>,
    ) -> Result<Arc<Self>> {
        let jar = CookieJar { tls: settings.tls() };
        let bytes_max = usize::try_from(settings.cache_mib).unwrap_or(usize::MAX) << 20;
        let cache = Arc::new(ResponseCache::new(ctx.clock().clone(), bytes_max)?);
        let metrics = Arc::new(Metrics::new(&routes, cache.clone()));
        ctx.register_metrics(|registry| registry.register_collector(Box::new(metrics.clone())));
        let own = Some(settings.origin.clone()).filter(|origin| !origin.is_empty());
        Ok(Arc::new(Self {
            jar,
            sessions: Arc::new(Sessions::new(ctx, jar)?),
            table: Table::new(&routes)?,
            quotas: Quotas::new(ctx.kv(), &settings),
            bodies: body::room(),
            origins: own.into_iter().chain(settings.cors_origins.iter().cloned()).collect(),
            ctx: ctx.clone(),
            settings,
            routes,
            cache,
            chrome: Box::new(chrome),
            live,
            metrics,
            access_log: AccessLog::new(&ctx.log_settings()?),
        }))
    }

    /// As what a role serves.
    #[must_use]
    pub fn endpoint(self: &Arc<Self>) -> Arc<dyn Endpoint> {
        let gateway = self.clone();
        mesh::boxed(move |request| {
            let gateway = gateway.clone();
            Box::pin(async move { Ok(gateway.answer(request).await) })
        })
    }

    /// Drops what was kept and shows something that changed.
    pub fn changed(&self, tag: &str) {
        self.cache.drop_tag(tag);
    }

    /// Makes worthless all that was kept.
    pub fn forget(&self) {
        self.cache.change_all();
    }

    /// What a request passes through, outermost first.
    async fn answer(self: &Arc<Self>, request: http::Request<Body>) -> http::Response<Body> {
        let arrived = Instant::now();
        let (mut parts, body) = request.into_parts();
        let trace = Trace::of_request(&parts.headers);
        let request_id = self.request_id(&parts.headers);
        let address = self.access_log.address(|| self.client_address(&parts));
        let found = self.table.find(&parts.method, parts.uri.path());
        let place = found.as_ref().ok().map(|(place, _)| *place);
        // an open connection beside the requests
        let handshake = socket::handshake(&self.live, &mut parts);
        let mut fields = Fields::new();
        let head = Head {
            headers: Arc::new(std::mem::take(&mut parts.headers)),
            method: parts.method,
            uri: parts.uri,
            peer: parts.extensions.get::<SocketAddr>().copied(),
            request_id,
            trace,
            arrived,
        };
        let page = match place {
            Some(place) => self.routes[place].kind == Kind::Page,
            None => handshake.is_none() && wants_page(&head),
        };
        let counted = if handshake.is_some() { Counted::Socket } else { place.into() };
        let inner = async {
            match handshake {
                // Futures of what most requests do not need are boxed, so that not every request has room for them.
                Some(handshake) => {
                    Box::pin(self.socket(&head, handshake, &mut fields)).await.map_err(|error| (error, None))
                }
                None => self.layers(&head, body, found, &mut fields).await,
            }
        };
        // a panic is a failure of one request
        let outcome = AssertUnwindSafe(inner).catch_unwind().await;
        let outcome = outcome.unwrap_or_else(|panic| Err((Error::internal(mesh::panic_text(&*panic)), None)));
        let mut reply = match outcome {
            Ok(reply) => reply,
            Err((error, ask)) => Box::pin(self.failed(&error, ask, &head, page)).await,
        };
        headers::keep_cookies_private(&mut reply.headers);
        // what a browser may do with it
        headers::add(&mut reply.headers, page, self.settings.tls());
        cors::add(&head.headers, &self.settings.cors_origins, &mut reply.headers);
        if head.method == Method::OPTIONS
            && let Some(allowed) = reply.headers.get(ALLOW).cloned()
        {
            cors::preflight(&allowed, &mut reply.headers);
        }
        for (name, value) in fields {
            reply.headers.append(name, value);
        }
        insert(&mut reply.headers, REQUEST_ID, &*head.request_id);
        insert(&mut reply.headers, TRACEPARENT, trace.header());
        let took = arrived.elapsed();
        self.metrics.record(counted, reply.status, took);
        if self.access_log.is_on() {
            let route = match counted {
                Counted::Route(place) => self.routes[place].path,
                Counted::Socket => socket::PATH,
                Counted::Nothing => "none",
            };
            let (method, request_id) = (&head.method, &*head.request_id);
            let (status, bytes, cache) = (reply.status, reply.body.len(), reply.cache);
            let answered = Answered { method, route, request_id, trace, took, status, bytes, cache };
            self.access_log.write(&answered, &address);
        }
        reply.into_response()
    }

    fn client_address(&self, parts: &Parts) -> IpAddr {
        let peer = parts.extensions.get::<SocketAddr>().copied();
        client::address(peer, &parts.headers, self.settings.trusted_proxies)
    }

    /// The layers inside: what they refuse is told as a problem.
    async fn layers(
        self: &Arc<Self>,
        head: &Head,
        body: Body,
        found: Result<Place>,
        fields: &mut Fields,
    ) -> std::result::Result<Reply, (Error, Option<Arc<Ask>>)> {
        if let Some(reply) = self.without_route(head, &found) {
            return Ok(reply);
        }
        let (place, params) = found.map_err(|error| (error, None))?;
        let route = &self.routes[place];
        let bare = |error| (error, None);
        headers::check_size(&head.headers).map_err(bare)?;
        // another site's request is not looked at further
        forgery::check(&head.method, &head.headers, &self.origins).map_err(bare)?;
        let query = route.parameters.canonical(head.uri.query().unwrap_or_default());
        let address = client::address(head.peer, &head.headers, self.settings.trusted_proxies);
        let lifted = self.is_lifted(&head.headers);
        // who asks
        let (session, cookies) = if route.public || self.sessions.is_plain(&head.headers) {
            (Session::default(), Vec::new())
        } else {
            let counted = (!lifted).then_some(address);
            Box::pin(self.sessions.open(&head.headers, counted)).await.map_err(bare)?
        };
        // how much they may ask for
        let id = session.verified.as_ref().and_then(|verified| verified.principal.session());
        let id = id.map(|id| id.to_string());
        let asking =
            Asking { cost: route.cost, sign_in: route.sign_in, address, session: id.as_deref(), lifted };
        let taken = self.quotas.take(&asking, fields).await;
        let said_query = query.as_ref().cloned().unwrap_or_default();
        let parts = head.ask_parts(self, route.needs, said_query, address, lifted, route.deadline);
        let ask = Arc::new(Ask::new(parts, session, cookies));
        let told = |error| (error, Some(ask.clone()));
        taken.map_err(told)?;
        // what they say
        let query = query.map_err(told)?;
        let body = if route.method == Method::GET {
            Bytes::new()
        } else {
            Box::pin(body::read(body, &ask.headers, route, &self.bodies, address)).await.map_err(told)?
        };
        let said = Said { params, query, body };
        let asked = Asked { ask: ask.clone(), place, said };
        // what was kept of it, or the screen itself under its deadline
        let reply = match route.keep.filter(|_| self.settings.cache && ask.method == Method::GET) {
            Some(keep) => cached::answer(self, asked, keep).await,
            None => Box::pin(self.made(asked)).await,
        };
        let mut reply = reply.map_err(told)?;
        ask.fields(&mut reply.headers);
        Ok(reply)
    }

    /// OPTIONS, and an address with a slash too many.
    fn without_route(&self, head: &Head, found: &Result<Place>) -> Option<Reply> {
        let path = head.uri.path();
        if head.method == Method::OPTIONS
            && let Some(allowed) = self.table.allowed(path)
        {
            let mut reply = Reply::new(StatusCode::NO_CONTENT);
            reply.headers.insert(ALLOW, allowed);
            return Some(reply);
        }
        if found.is_err()
            && forgery::is_safe(&head.method)
            && let Some(meant) = self.table.without_slash(path)
        {
            let mut reply = Reply::new(StatusCode::PERMANENT_REDIRECT);
            let query = head.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
            insert(&mut reply.headers, LOCATION, format!("{meant}{query}"));
            return Some(reply);
        }
        None
    }

    /// Runs a screen for this request alone.
    async fn made(self: &Arc<Self>, asked: Asked) -> Result<Reply> {
        let Asked { ask, place, said } = asked;
        let answer = self.run(place, ask.clone(), said).await?;
        let personal = match &answer.payload {
            crate::answer::Payload::Page(_) => Some(self.chrome.personal(&ask).await),
            _ => None,
        };
        let reply = reply::own(answer, &ask.headers, self.chrome.mark(), personal.as_deref());
        let cached = self.routes[place].keep.is_some();
        Ok(if cached { reply.with_cache_status(reply::CacheStatus::Off) } else { reply })
    }

    /// A screen under its deadline.
    pub(crate) async fn run(&self, place: usize, ask: Arc<Ask>, said: Said) -> Result<Answer> {
        let route = &self.routes[place];
        if route.key == Some(Key::Required) && !ask.headers.contains_key(IDEMPOTENCY_KEY) {
            let what = "is required: money moves, and a repeated request must not move it twice";
            return Err(Error::field("/idempotency_key", "INVALID_IDEMPOTENCY_KEY", what));
        }
        if route.key.is_some() {
            ask.key()?;
        }
        if route.if_match {
            ask.entity_tag()?;
        }
        let deadline = ask.deadline;
        let answer = tokio::time::timeout_at(deadline, (route.handler)(ask, said)).await;
        let answer = answer.unwrap_or_else(|_| {
            let message = "it did not finish in time; whether it happened is not known";
            Err(Error::new(Code::DeadlineExceeded, "DEADLINE_EXCEEDED", message))
        });
        answer.map_err(|error| if route.is_no_address(&error) { table::nothing_here() } else { error })
    }

    /// The client's own name for the request where it has a harmless one, else a new one.
    fn request_id(&self, headers: &HeaderMap) -> Arc<str> {
        match mesh::request_id_of(headers) {
            Some(text) => text.into(),
            None => self.ctx.id::<Request>().to_string().into(),
        }
    }

    fn is_lifted(&self, headers: &HeaderMap) -> bool {
        text(headers, &OPERATOR)
            .and_then(|token| self.ctx.verify_token(token).ok())
            .is_some_and(|principal| principal.may(LIFTS))
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: impl TryInto<HeaderValue>) {
    if let Ok(value) = value.try_into() {
        headers.insert(name, value);
    }
}

/// Whether who asks for an address that is not there is a person.
fn wants_page(head: &Head) -> bool {
    let path = head.uri.path();
    let program = path == "/api" || path.starts_with("/api/");
    !program && text(&head.headers, &ACCEPT).is_none_or(|accept| accept.contains("text/html"))
}
