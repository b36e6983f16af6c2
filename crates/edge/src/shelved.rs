//! Screens that are the same for everybody: from the shelf, or made once for all who ask at the same time.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use kernel::Result;

use crate::answer::{Answer, Payload};
use crate::ask::Ask;
use crate::gateway::{Asked, Gateway};
use crate::keep::{Found, Kept, Turn};
use crate::reply::{self, CacheStatus, Reply};
use crate::route::{Keep, Said};

/// The fields of a query that a page knows. Others are those of advertisers and trackers, and mean nothing here.
pub(crate) fn known(query: &str, names: &HashSet<String>) -> String {
    let pairs = query.split('&').filter(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        names.contains(name)
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// Answers from the shelf.
pub(crate) async fn answer(gateway: &Arc<Gateway>, asked: Asked, keep: Keep) -> Result<Reply> {
    let key = key(gateway, &asked);
    match gateway.shelf.find(&key) {
        Found::Fresh(kept, left) => Ok(compose(gateway, &asked.ask, &kept, CacheStatus::Hit(left)).await),
        Found::Stale(kept) => {
            renew(gateway, &asked, keep, key);
            Ok(compose(gateway, &asked.ask, &kept, CacheStatus::Stale).await)
        }
        Found::Nothing => make_or_wait(gateway, asked, keep, key).await,
    }
}

/// What a kept answer depends on: the address, and the preferences that its route names.
fn key(gateway: &Gateway, asked: &Asked) -> String {
    let ask = &asked.ask;
    let mut key = String::with_capacity(ask.path.len() + ask.query.len() + 16);
    key.push_str(&ask.path);
    key.push('?');
    key.push_str(&asked.said.query);
    for name in gateway.routes[asked.place].varies {
        key.push('|');
        key.push_str(ask.preference(name).filter(|value| value.len() <= 16).unwrap_or_default());
    }
    key
}

async fn make_or_wait(gateway: &Arc<Gateway>, asked: Asked, keep: Keep, key: String) -> Result<Reply> {
    let turn = match gateway.shelf.turn(&key) {
        Turn::Make(turn) => turn,
        Turn::Wait(mut done) => {
            // It ends with an error when who made it is done, which is what is waited for.
            let _ = tokio::time::timeout_at(asked.ask.deadline, done.changed()).await;
            if let Found::Fresh(kept, left) = gateway.shelf.find(&key) {
                return Ok(compose(gateway, &asked.ask, &kept, CacheStatus::Hit(left)).await);
            }
            return alone(gateway, asked, keep).await;
        }
    };
    let ask = asked.ask.clone();
    match made(gateway, &asked, keep).await? {
        Ok(kept) => {
            let stored = gateway.shelf.keep(&turn, kept.clone());
            drop(turn);
            let status = if stored { CacheStatus::Stored } else { CacheStatus::Passed };
            Ok(compose(gateway, &ask, &kept, status).await)
        }
        Err(answer) => passed(gateway, &ask, answer).await,
    }
}

/// Makes an answer that could not be kept by who made it before.
async fn alone(gateway: &Arc<Gateway>, asked: Asked, keep: Keep) -> Result<Reply> {
    match made(gateway, &asked, keep).await? {
        Ok(kept) => Ok(compose(gateway, &asked.ask, &kept, CacheStatus::Passed).await),
        Err(answer) => passed(gateway, &asked.ask, answer).await,
    }
}

/// Answers what is not for keeping: a redirection, or a screen with parts missing.
async fn passed(gateway: &Arc<Gateway>, ask: &Arc<Ask>, answer: Answer) -> Result<Reply> {
    let personal = match answer.payload {
        Payload::Page(_) => Some(gateway.chrome.personal(ask).await),
        _ => None,
    };
    let mut reply = reply::own(answer, &ask.headers, gateway.chrome.mark(), personal.as_deref());
    reply::cache_status(&mut reply.headers, CacheStatus::Passed);
    Ok(reply)
}

/// Makes an answer for nobody in particular; an answer that is not for keeping comes back as it is.
async fn made(
    gateway: &Arc<Gateway>,
    asked: &Asked,
    keep: Keep,
) -> Result<std::result::Result<Arc<Kept>, Answer>> {
    let nobody = Arc::new(asked.ask.of_nobody());
    let said =
        Said { params: asked.said.params.clone(), query: asked.said.query.clone(), body: Bytes::new() };
    let started = gateway.shelf.now();
    let answer = gateway.run(asked.place, nobody.clone(), said).await?;
    if answer.status != StatusCode::OK || answer.passing || !nobody.absent().is_empty() {
        asked.ask.lacks(&nobody);
        return Ok(Err(answer));
    }
    let page = matches!(answer.payload, Payload::Page(_));
    let headers = reply::kept_headers(&answer, page);
    let body = match answer.payload {
        Payload::Page(html) => Bytes::from(html),
        Payload::Json(json) => Bytes::from(json),
        Payload::Raw(bytes) => bytes,
        Payload::Empty => Bytes::new(),
    };
    let variants = Default::default();
    Ok(Ok(Arc::new(Kept { headers, body, page, variants, tags: answer.tags, made: started, keep })))
}

/// Puts together what is kept and what is this person's.
async fn compose(gateway: &Arc<Gateway>, ask: &Arc<Ask>, kept: &Arc<Kept>, status: CacheStatus) -> Reply {
    let mark = gateway.chrome.mark();
    let personal = kept.page && (ask.session().exists() || ask.session().unknown);
    let mut reply = if personal {
        let personal = gateway.chrome.personal(ask).await;
        reply::kept_for(kept, &ask.headers, mark, &personal)
    } else {
        reply::kept(kept, &ask.headers, mark, async || gateway.chrome.personal(ask).await).await
    };
    reply::cache_status(&mut reply.headers, status);
    reply
}

/// Makes a stale answer anew, beside the requests, once.
fn renew(gateway: &Arc<Gateway>, asked: &Asked, keep: Keep, key: String) {
    let Turn::Make(turn) = gateway.shelf.turn(&key) else { return };
    let again = Asked {
        ask: Arc::new(asked.ask.of_nobody()),
        place: asked.place,
        said: Said { params: asked.said.params.clone(), query: asked.said.query.clone(), body: Bytes::new() },
    };
    let gateway = gateway.clone();
    gateway.ctx.clone().spawn_work(async move {
        match made(&gateway, &again, keep).await {
            Ok(Ok(kept)) => {
                gateway.shelf.keep(&turn, kept);
            }
            Ok(Err(_)) => {}
            Err(error) => {
                tracing::info!(error = ?error, path = again.ask.path, "a kept screen could not be made anew")
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trackers_mean_nothing() {
        let names = HashSet::from(["q".to_owned(), "sort".to_owned()]);
        assert_eq!(known("utm_source=x&q=a+b&fbclid=1&sort=name", &names), "q=a+b&sort=name");
        assert_eq!(known("", &names), "");
    }
}
