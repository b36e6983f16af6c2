//! WebSockets: news for who has a session, as it happens. A socket ends with its session; one that is lost or slow resumes from
//! the last id that it saw: `/ws?last_event_id=…`. What this gateway does not remember, such as what happened before it started,
//! it does not know: then the first message is a `reset`, and the client looks anew.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chassis::{ConnectionPlace, Context, Position};
use contract::souk::event::v1::Event;
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode};
use hyper::upgrade::OnUpgrade;
use kernel::{Code, Error, Result};
use mesh::{Share, Shares, Verified};
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::follow::{Follower, follow};
use crate::news::{Lately, Missed, News, Told};
use crate::reply::Reply;
use crate::session::Session;
use crate::settings::Settings;
use crate::socket;

/// News that wait for a socket that is slow; one more, and it is ended.
const WAITING_MAX: usize = 64;

/// Makes news of events.
pub trait Reporter: Send + Sync + 'static {
    /// What an event means to whom; `None` for what concerns nobody.
    fn news(&self, event: &Event) -> Option<News>;
}

/// What a socket is told.
#[derive(Debug)]
pub(crate) enum Notice {
    /// News.
    News(Arc<Told>),
    /// Its session has ended.
    SignedOut,
}

/// What the connection of a request offers to a socket.
pub(crate) struct Handshake {
    upgrade: Option<OnUpgrade>,
    place: Option<ConnectionPlace>,
}

impl Handshake {
    /// Takes it out of a request.
    pub(crate) fn of(extensions: &mut Extensions) -> Self {
        Self { upgrade: extensions.remove(), place: extensions.get().cloned() }
    }
}

struct Listener {
    number: u64,
    verified: Arc<Verified>,
    sender: mpsc::Sender<Notice>,
}

#[derive(Default)]
struct Hub {
    lately: Lately,
    people: HashMap<String, Vec<Listener>>,
    sockets: usize,
}

struct Inner {
    ctx: Context,
    reporter: Box<dyn Reporter>,
    hub: Mutex<Hub>,
    numbers: AtomicU64,
    by_address: Arc<Shares<IpAddr>>,
    sockets_max: usize,
    per_person_max: usize,
    per_address_max: usize,
}

/// The sockets of a gateway. Cheap to clone.
#[derive(Clone)]
pub struct Live(Arc<Inner>);

impl Live {
    /// Begins to follow the sources.
    ///
    /// # Errors
    /// INTERNAL for a role that `SERVICE` does not declare.
    pub fn start(
        ctx: &Context,
        settings: &Settings,
        sources: &[&'static str],
        reporter: impl Reporter,
    ) -> Result<Self> {
        let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let live = Self(Arc::new(Inner {
            ctx: ctx.clone(),
            reporter: Box::new(reporter),
            hub: Mutex::default(),
            numbers: AtomicU64::new(1),
            sockets_max: number(settings.sockets_max),
            by_address: Arc::default(),
            per_person_max: number(settings.sockets_per_person_max),
            per_address_max: number(settings.sockets_per_address_max),
        }));
        for source in sources {
            follow(ctx, source, live.0.clone())?;
        }
        let (watched, mut revocations) = (live.clone(), ctx.revocations());
        ctx.spawn("signed-out sockets", async move {
            while revocations.changed().await.is_ok() {
                watched.end_revoked();
            }
        });
        Ok(live)
    }

    /// The id of the latest news, for a page that opens a socket later and must not miss what happens until then.
    #[must_use]
    pub fn last_id(&self) -> String {
        self.0.hub.lock().lately.id()
    }

    /// Ends the sockets of sessions that have ended.
    fn end_revoked(&self) {
        let mut hub = self.0.hub.lock();
        for listeners in hub.people.values_mut() {
            // A socket that is too slow to be told loses its sender, and is ended by that.
            listeners.retain(|listener| {
                !self.0.ctx.is_revoked(&listener.verified)
                    || listener.sender.try_send(Notice::SignedOut).is_ok()
            });
        }
    }

    /// Answers a request to open a socket.
    ///
    /// # Errors
    /// UNAUTHENTICATED without a session; `UPGRADE_MALFORMED`; `TOO_MANY_SOCKETS`.
    pub(crate) fn upgrade(
        &self,
        method: &Method,
        headers: &HeaderMap,
        query: &str,
        handshake: Handshake,
        session: Session,
        address: IpAddr,
    ) -> Result<Reply> {
        let accept = accept_key(method, headers)?;
        let Some(verified) = session.verified else {
            let message = "a socket is for who has a session: sign in, or put something into the cart";
            return Err(Error::new(Code::Unauthenticated, "UNAUTHENTICATED", message));
        };
        let Handshake { upgrade, place: connection } = handshake;
        let upgrade = upgrade.ok_or_else(malformed)?;
        let owner = verified.principal.subject();
        let last_id = query.split('&').find_map(|pair| pair.strip_prefix("last_event_id="));
        // The listener counts the connection for as long as the socket is open.
        let held = connection.map(|connection| connection.keep().ok_or_else(too_many)).transpose()?;
        let (place, first) = self.enter(&owner, address, verified, last_id)?;
        let ctx = self.0.ctx.clone();
        self.0.ctx.spawn_work(async move {
            let served = async {
                match upgrade.await {
                    Ok(upgraded) => socket::run(&ctx, upgraded, place, first).await,
                    Err(error) => tracing::debug!(%error, "a socket could not be opened"),
                }
            };
            match &held {
                Some(held) => tokio::select! { () = served => {}, () = held.cutting() => {} },
                None => served.await,
            }
        });
        let mut reply = Reply::new(StatusCode::SWITCHING_PROTOCOLS);
        reply.headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        reply.headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        reply.headers.insert(SEC_WEBSOCKET_ACCEPT, HeaderValue::from_str(&accept).map_err(Error::internal)?);
        Ok(reply)
    }

    /// Takes a place among the sockets, and what is told first: where news begin, and what was missed.
    fn enter(
        &self,
        owner: &str,
        address: IpAddr,
        verified: Arc<Verified>,
        last_id: Option<&str>,
    ) -> Result<(Place, Vec<String>)> {
        let share = self.0.by_address.take(mesh::network(address), 1, self.0.per_address_max);
        let share = share.ok_or_else(too_many)?;
        let mut hub = self.0.hub.lock();
        let own = hub.people.get(owner).map_or(0, Vec::len);
        if hub.sockets >= self.0.sockets_max || own >= self.0.per_person_max {
            return Err(too_many());
        }
        let missed = last_id.map(|id| hub.lately.missed(owner, id));
        let kind = if matches!(missed, Some(Missed::Unknown)) { "reset" } else { "hello" };
        let mut first = vec![serde_json::json!({ "type": kind, "id": hub.lately.id() }).to_string()];
        if let Some(Missed::All(told)) = missed {
            first.extend(told.iter().map(|told| told.text.clone()));
        }
        let number = self.0.numbers.fetch_add(1, Ordering::Relaxed);
        let (sender, notices) = mpsc::channel(WAITING_MAX);
        // What ended the session before it was seen here is known by now.
        if self.0.ctx.is_revoked(&verified) {
            let _ = sender.try_send(Notice::SignedOut);
        }
        hub.people.entry(owner.to_owned()).or_default().push(Listener { number, verified, sender });
        hub.sockets += 1;
        let place = Place { live: self.clone(), owner: owner.to_owned(), number, notices, _share: share };
        Ok((place, first))
    }
}

fn too_many() -> Error {
    let message = "too many sockets are open; close one, or try again later";
    Error::new(Code::ResourceExhausted, "TOO_MANY_SOCKETS", message)
}

impl Follower for Inner {
    fn happened(&self, event: &Event) {
        let Some(position) = event.position else { return };
        let position = Position { epoch: position.epoch, sequence: position.sequence };
        let news = self.reporter.news(event);
        let mut hub = self.hub.lock();
        let Some(source) = hub.lately.source(&event.source) else { return };
        let Some(news) = news else {
            hub.lately.passes(source, position);
            return;
        };
        let told = hub.lately.tell(source, position, news);
        if let Some(listeners) = hub.people.get_mut(&told.owner) {
            // A socket that is too slow loses its sender, is ended by that, and resumes by its last id.
            listeners.retain(|listener| listener.sender.try_send(Notice::News(told.clone())).is_ok());
        }
    }

    fn begins(&self, source: &'static str, after: Position) {
        self.hub.lock().lately.begins(source, after);
    }
}

/// A socket's place; given back when it is dropped.
pub(crate) struct Place {
    live: Live,
    owner: String,
    number: u64,
    /// What the socket is told; ends when the socket is too slow.
    pub(crate) notices: mpsc::Receiver<Notice>,
    _share: Share<IpAddr>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut hub = self.live.0.hub.lock();
        hub.sockets -= 1;
        if let Some(listeners) = hub.people.get_mut(&self.owner) {
            listeners.retain(|listener| listener.number != self.number);
            if listeners.is_empty() {
                hub.people.remove(&self.owner);
            }
        }
    }
}

fn malformed() -> Error {
    Error::invalid("UPGRADE_MALFORMED", "this address takes WebSockets (RFC 6455, version 13) only")
}

/// The answer to a client's key.
fn accept_key(method: &Method, headers: &HeaderMap) -> Result<String> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let named = |name, wanted: &str| {
        text(name).is_some_and(|value| value.split(',').any(|item| item.trim().eq_ignore_ascii_case(wanted)))
    };
    let key = text(SEC_WEBSOCKET_KEY).filter(|key| key.len() == 24);
    let good = *method == Method::GET
        && named(UPGRADE, "websocket")
        && named(CONNECTION, "upgrade")
        && text(SEC_WEBSOCKET_VERSION) == Some("13");
    key.filter(|_| good).map(|key| derive_accept_key(key.as_bytes())).ok_or_else(malformed)
}
