//! Answers a request from the response cache, or makes the response once for all who ask at the same time.
//!
//! What is kept is made from the route, its parameters and the preferences that it depends on, each in one spelling, and from
//! nothing else of a request: not its cookies, its session, its address or the spelling of its path.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue, StatusCode};
use kernel::{Error, Result};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::answer::{Answer, Payload};
use crate::ask::Ask;
use crate::compress::exact;
use crate::gateway::{Asked, Gateway};
use crate::query::canonical_path;
use crate::reply::{self, CacheStatus, Reply};
use crate::response_cache::{CachedResponse, Content, Flight, Found, Turn};
use crate::route::{Keep, Said};

/// Answers from the cache.
pub(crate) async fn answer(gateway: &Arc<Gateway>, asked: Asked, keep: Keep) -> Result<Reply> {
    let key = key(gateway, &asked);
    match gateway.cache.find(&key) {
        Found::Fresh(response, left) => {
            Ok(compose(gateway, &asked, &key, &response, CacheStatus::Hit(left)).await)
        }
        Found::Stale(response) => {
            let reply = compose(gateway, &asked, &key, &response, CacheStatus::Stale).await;
            renew(gateway, asked, keep, key, response);
            Ok(reply)
        }
        Found::Nothing => Box::pin(make_or_wait(gateway, asked, keep, key)).await,
    }
}

/// What a response depends on: the path, the query, and the preferences that its route names. Those are encoded, so that none
/// of them can hold what stands between them.
fn key(gateway: &Gateway, asked: &Asked) -> String {
    let route = &gateway.routes[asked.place];
    let mut key = canonical_path(route.path, &asked.said.params);
    key.push('?');
    key.push_str(&asked.said.query);
    for name in route.varies {
        key.push('|');
        key.push_str(preference(gateway, &asked.ask, name));
    }
    key
}

fn preference<'a>(gateway: &'a Gateway, ask: &Ask, name: &str) -> &'a str {
    gateway.chrome.preference(name, ask.preference(name))
}

/// The same request of somebody of whom nothing is known but the preferences that the route depends on.
fn of_nobody(gateway: &Gateway, asked: &Asked) -> Arc<Ask> {
    let route = &gateway.routes[asked.place];
    let cookies = route.varies.iter().map(|name| {
        let value = preference(gateway, &asked.ask, name);
        format!("{}={value}", gateway.jar.name(name))
    });
    let cookies = HeaderValue::from_str(&cookies.collect::<Vec<_>>().join("; "));
    let headers = HeaderMap::from_iter(cookies.ok().map(|value| (COOKIE, value)));
    let path = canonical_path(route.path, &asked.said.params);
    Arc::new(asked.ask.of_nobody(path, headers, Instant::now() + route.deadline))
}

/// How often a request takes part in making what it asks for, with the others that want it, before it makes its own.
const TURNS_MAX: usize = 2;

async fn make_or_wait(gateway: &Arc<Gateway>, asked: Asked, keep: Keep, key: String) -> Result<Reply> {
    let asked = Arc::new(asked);
    let mut flight = None;
    for _ in 0..TURNS_MAX {
        match gateway.cache.turn(&key) {
            Turn::Make(turn) => {
                flight = Some(turn);
                break;
            }
            Turn::Wait(mut done) => {
                // It ends with an error when who made it is done, which is what is waited for.
                if tokio::time::timeout_at(asked.ask.deadline, done.changed()).await.is_err() {
                    break;
                }
                if let Found::Fresh(response, left) = gateway.cache.find(&key) {
                    return Ok(compose(gateway, &asked, &key, &response, CacheStatus::Hit(left)).await);
                }
            }
        }
    }
    let flight = flight.unwrap_or_else(|| gateway.cache.alone());
    match make_beside(gateway, &asked, keep, &key, flight).await? {
        Made::Response(response, status) => Ok(compose(gateway, &asked, &key, &response, status).await),
        Made::Passing(answer) => pass(gateway, &asked.ask, answer).await,
    }
}

/// What came of making a response.
enum Made {
    /// It is for keeping, and this became of it.
    Response(Arc<CachedResponse>, CacheStatus),
    /// It is for this request alone.
    Passing(Answer),
}

/// Makes a response and keeps it. What others wait for is made beside the request, which may leave.
async fn make_beside(
    gateway: &Arc<Gateway>,
    asked: &Arc<Asked>,
    keep: Keep,
    key: &str,
    flight: Flight,
) -> Result<Made> {
    if !flight.is_shared() {
        return make_and_store(gateway, asked, keep, key, &flight).await;
    }
    let (sender, receiver) = oneshot::channel();
    let (making, asked, key) = (gateway.clone(), asked.clone(), key.to_owned());
    gateway.ctx.spawn_work(async move {
        let made =
            AssertUnwindSafe(make_and_store(&making, &asked, keep, &key, &flight)).catch_unwind().await;
        drop(flight);
        // Who asked first may have left.
        let _ = sender.send(made.unwrap_or_else(|panic| Err(Error::internal(mesh::panic_text(&*panic)))));
    });
    let ended = || Error::unavailable("UNAVAILABLE", "the gateway is stopping; try again");
    receiver.await.unwrap_or_else(|_| Err(ended()))
}

async fn make_and_store(
    gateway: &Arc<Gateway>,
    asked: &Asked,
    keep: Keep,
    key: &str,
    flight: &Flight,
) -> Result<Made> {
    Ok(match make(gateway, asked, keep, flight).await? {
        Ok(response) => {
            let stored = gateway.cache.insert(key, response.clone());
            Made::Response(response, if stored { CacheStatus::Stored } else { CacheStatus::Passed })
        }
        Err(answer) => Made::Passing(answer),
    })
}

/// Answers what is not for keeping: a redirection, or a screen with parts missing.
async fn pass(gateway: &Arc<Gateway>, ask: &Arc<Ask>, answer: Answer) -> Result<Reply> {
    let personal = match answer.payload {
        Payload::Page(_) => Some(gateway.chrome.personal(ask).await),
        _ => None,
    };
    let reply = reply::own(answer, &ask.headers, gateway.chrome.mark(), personal.as_deref());
    Ok(reply.with_cache_status(CacheStatus::Passed))
}

/// Makes a response for nobody in particular; an answer that is not for keeping comes back as it is.
async fn make(
    gateway: &Arc<Gateway>,
    asked: &Asked,
    keep: Keep,
    flight: &Flight,
) -> Result<std::result::Result<Arc<CachedResponse>, Answer>> {
    let nobody = of_nobody(gateway, asked);
    let said =
        Said { params: asked.said.params.clone(), query: asked.said.query.clone(), body: Bytes::new() };
    let answer = gateway.run(asked.place, nobody.clone(), said).await?;
    if answer.status != StatusCode::OK || answer.passing || !nobody.absent().is_empty() {
        asked.ask.lacks(&nobody);
        return Ok(Err(answer));
    }
    let page = matches!(answer.payload, Payload::Page(_));
    let by_cookie = page || !gateway.routes[asked.place].varies.is_empty();
    let headers = reply::kept_headers(&answer, page, by_cookie);
    let body = match answer.payload {
        Payload::Page(html) => exact(html.into_bytes()),
        Payload::Json(json) => exact(json),
        // They may be a part of something larger.
        Payload::Raw(bytes) => Bytes::copy_from_slice(&bytes),
        Payload::Empty => Bytes::new(),
    };
    let content = Content { headers, body, page, tags: answer.tags };
    Ok(Ok(gateway.cache.response(flight, content, keep)))
}

/// Puts together what is cached and what is this person's.
async fn compose(
    gateway: &Arc<Gateway>,
    asked: &Asked,
    key: &str,
    response: &Arc<CachedResponse>,
    status: CacheStatus,
) -> Reply {
    let (mark, ask) = (gateway.chrome.mark(), &asked.ask);
    if response.page && !ask.session().is_absent() {
        let personal = gateway.chrome.personal(ask).await;
        return reply::kept_for(response, &ask.headers, mark, &personal).with_cache_status(status);
    }
    let anonymous = async || gateway.chrome.personal(&of_nobody(gateway, asked)).await;
    let (reply, grown) = reply::kept(response, &ask.headers, mark, anonymous).await;
    if grown {
        gateway.cache.weigh(key, response);
    }
    reply.with_cache_status(status)
}

/// Makes a stale response anew, beside the requests, once; after a failure not for a while.
fn renew(gateway: &Arc<Gateway>, asked: Asked, keep: Keep, key: String, stale: Arc<CachedResponse>) {
    let now = gateway.ctx.clock().monotonic();
    if !stale.may_be_renewed(now) {
        return;
    }
    let Turn::Make(flight) = gateway.cache.turn(&key) else { return };
    if !flight.is_shared() {
        // So much is being made that this one waits for its next request.
        return;
    }
    let gateway = gateway.clone();
    gateway.ctx.clone().spawn_work(async move {
        match make(&gateway, &asked, keep, &flight).await {
            Ok(Ok(response)) => {
                // In the encodings that were asked for, so that no request waits for them.
                let anonymous = match response.page {
                    true => gateway.chrome.personal(&of_nobody(&gateway, &asked)).await,
                    false => String::new(),
                };
                reply::encode_like(&response, &stale, gateway.chrome.mark(), &anonymous);
                gateway.cache.insert(&key, response);
            }
            Ok(Err(_)) => stale.renewal_failed(now),
            Err(error) => {
                stale.renewal_failed(now);
                let route = gateway.routes[asked.place].path;
                tracing::info!(error = ?error, route, "a cached response could not be made anew");
            }
        }
    });
}
