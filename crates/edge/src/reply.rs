//! An answer as bytes on the wire: personal parts put in, compressed, with its entity tag, or "not modified".

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use http_body_util::Full;
use tonic::body::Body;

use crate::answer::{Answer, Payload};
use crate::compress::{Encoding, FASTEST, SMALLEST, exact};
use crate::response_cache::{CachedResponse, Variant};

const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
/// Fields that most answers have: beyond it a map doubles what it takes.
const FIELDS: usize = 24;

/// A response in the making.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// How the response cache took part, where there is one.
    pub(crate) cache: Option<CacheStatus>,
}

impl Reply {
    pub(crate) fn new(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::with_capacity(FIELDS), body: Bytes::new(), cache: None }
    }

    /// Says how the response cache took part (RFC 9211).
    pub(crate) fn with_cache_status(mut self, how: CacheStatus) -> Self {
        cache_status(&mut self.headers, how);
        self.cache = Some(how);
        self
    }

    pub(crate) fn into_response(self) -> http::Response<Body> {
        let mut response = http::Response::new(Body::new(Full::new(self.body)));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// Puts the personal part in the place of the mark.
pub(crate) fn fill(page: &str, mark: &str, personal: &str) -> String {
    match page.split_once(mark) {
        Some((before, after)) => [before, personal, after].concat(),
        None => page.to_owned(),
    }
}

/// An answer that was made for this request alone.
pub(crate) fn own(answer: Answer, asked: &HeaderMap, mark: &str, personal: Option<&str>) -> Reply {
    let mut reply = Reply::new(answer.status);
    reply.headers = answer.headers;
    let bytes = match answer.payload {
        Payload::Page(html) => {
            content_type(&mut reply.headers, true);
            Bytes::from(match personal {
                Some(personal) => fill(&html, mark, personal),
                None => html,
            })
        }
        Payload::Json(json) => {
            content_type(&mut reply.headers, false);
            Bytes::from(json)
        }
        Payload::Raw(bytes) => bytes,
        Payload::Empty => Bytes::new(),
    };
    // What says itself how it may be kept is the same for everybody.
    let vary =
        if reply.headers.contains_key(CACHE_CONTROL) { "Accept-Encoding" } else { "Accept-Encoding, Cookie" };
    reply.headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    reply.headers.append(VARY, HeaderValue::from_static(vary));
    if bytes.is_empty() {
        return reply;
    }
    let encoding = Encoding::choose(asked, &reply.headers, &FASTEST, bytes.len());
    if answer.status == StatusCode::OK || answer.version.is_some() {
        let tag = entity_tag(&bytes, answer.version, encoding);
        if !matches_tag(asked, &tag, &mut reply) {
            reply.headers.insert(ETAG, tag);
        } else {
            return reply;
        }
    }
    encode(&mut reply, bytes, encoding);
    reply
}

fn encode(reply: &mut Reply, bytes: Bytes, encoding: Encoding) {
    if let (Some(name), Some(encoded)) = (encoding.name(), encoding.encode(&bytes, false)) {
        reply.headers.insert(CONTENT_ENCODING, name);
        reply.body = encoded;
    } else {
        reply.body = bytes;
    }
}

/// A cached response, as a visitor without a session gets it: nothing is made for the request but the fields. Whether the
/// response grew by another encoding.
pub(crate) async fn kept(
    kept: &CachedResponse,
    asked: &HeaderMap,
    mark: &str,
    anonymous: impl AsyncFnOnce() -> String,
) -> (Reply, bool) {
    let mut reply = Reply::new(StatusCode::OK);
    reply.headers.extend(kept.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
    let encoding = match kept.compressible {
        true => Encoding::choose_for(asked, &SMALLEST, kept.body.len()),
        false => Encoding::Identity,
    };
    let place = &kept.variants[encoding.index()];
    let known = place.get();
    let variant = match known {
        Some(variant) => variant,
        None => {
            let anonymous = if kept.page { anonymous().await } else { String::new() };
            place.get_or_init(|| variant(kept, encoding, mark, &anonymous))
        }
    };
    let grown = known.is_none();
    if matches_tag(asked, &variant.etag, &mut reply) {
        return (reply, grown);
    }
    if let Some(name) = variant.encoding.name() {
        reply.headers.insert(CONTENT_ENCODING, name);
    }
    reply.headers.insert(ETAG, variant.etag.clone());
    reply.body = variant.bytes.clone();
    (reply, grown)
}

/// Encodes a response in every way in which the one before it was asked for.
pub(crate) fn encode_like(kept: &CachedResponse, before: &CachedResponse, mark: &str, anonymous: &str) {
    for encoding in [Encoding::Identity].into_iter().chain(SMALLEST) {
        if before.variants[encoding.index()].get().is_some() {
            kept.variants[encoding.index()].get_or_init(|| variant(kept, encoding, mark, anonymous));
        }
    }
}

fn variant(kept: &CachedResponse, encoding: Encoding, mark: &str, anonymous: &str) -> Variant {
    let plain = match std::str::from_utf8(&kept.body) {
        Ok(page) if kept.page => exact(fill(page, mark, anonymous).into_bytes()),
        _ => kept.body.clone(),
    };
    match encoding.encode(&plain, true) {
        Some(bytes) => Variant { bytes, etag: entity_tag(&plain, None, encoding), encoding },
        None => Variant {
            etag: entity_tag(&plain, None, Encoding::Identity),
            bytes: plain,
            encoding: Encoding::Identity,
        },
    }
}

/// A kept page with this person's parts put in.
pub(crate) fn kept_for(kept: &CachedResponse, asked: &HeaderMap, mark: &str, personal: &str) -> Reply {
    let mut reply = Reply::new(StatusCode::OK);
    reply.headers.extend(kept.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
    let bytes = match std::str::from_utf8(&kept.body) {
        Ok(page) if kept.page => Bytes::from(fill(page, mark, personal)),
        _ => kept.body.clone(),
    };
    let encoding = Encoding::choose(asked, &reply.headers, &FASTEST, bytes.len());
    let tag = entity_tag(&bytes, None, encoding);
    if matches_tag(asked, &tag, &mut reply) {
        return reply;
    }
    reply.headers.insert(ETAG, tag);
    encode(&mut reply, bytes, encoding);
    reply
}

/// The fields that a cached response carries from the moment it is made. `by_cookie`: it depends on a visitor's cookies, their
/// session in a page or a preference.
pub(crate) fn kept_headers(answer: &Answer, page: bool, by_cookie: bool) -> HeaderMap {
    let mut headers = answer.headers.clone();
    content_type(&mut headers, page);
    // A page holds a visitor's own header when there is a session.
    let control = if page { "private, no-cache" } else { "public, no-cache" };
    let vary = if by_cookie { "Accept-Encoding, Cookie" } else { "Accept-Encoding" };
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static(control));
    headers.append(VARY, HeaderValue::from_static(vary));
    headers
}

/// Says how the response cache took part (RFC 9211).
fn cache_status(headers: &mut HeaderMap, how: CacheStatus) {
    let value = match how {
        CacheStatus::Hit(left) => HeaderValue::try_from(format!("souk; hit; ttl={}", left.as_secs())).ok(),
        CacheStatus::Stale => Some(HeaderValue::from_static("souk; hit; ttl=0; detail=stale")),
        CacheStatus::Stored => Some(HeaderValue::from_static("souk; fwd=miss; stored")),
        CacheStatus::Passed => Some(HeaderValue::from_static("souk; fwd=miss")),
        CacheStatus::Off => Some(HeaderValue::from_static("souk; fwd=bypass")),
    };
    if let Some(value) = value {
        headers.insert(CACHE_STATUS, value);
    }
}

/// How the response cache took part.
#[derive(Clone, Copy)]
pub(crate) enum CacheStatus {
    /// It was there, for so much longer.
    Hit(Duration),
    /// It was there, and is being made anew.
    Stale,
    /// It was made and is kept.
    Stored,
    /// It was made.
    Passed,
    /// Nothing is kept here.
    Off,
}

impl CacheStatus {
    /// The word for it in the access log.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Hit(_) => "hit",
            Self::Stale => "stale",
            Self::Stored => "stored",
            Self::Passed => "miss",
            Self::Off => "bypass",
        }
    }
}

fn content_type(headers: &mut HeaderMap, page: bool) {
    let value = if page { "text/html; charset=utf-8" } else { "application/json" };
    headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(value));
}

/// A strong entity tag: of the bytes, of the version that edits name, and of the encoding.
fn entity_tag(bytes: &[u8], version: Option<i64>, encoding: Encoding) -> HeaderValue {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    let suffix = ["", "-g", "-b", "-z"][encoding.index()];
    let digest = hasher.finish();
    let text = match version {
        Some(version) => format!("\"v{version}-{digest:016x}{suffix}\""),
        None => format!("\"{digest:016x}{suffix}\""),
    };
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("\"0\""))
}

/// Whether the client has these bytes already; then the reply says so.
fn matches_tag(asked: &HeaderMap, tag: &HeaderValue, reply: &mut Reply) -> bool {
    let Some(known) = asked.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()) else { return false };
    let tag_text = tag.to_str().unwrap_or_default();
    let same = known.split(',').map(|item| item.trim().trim_start_matches("W/")).any(|item| item == tag_text);
    if same {
        reply.status = StatusCode::NOT_MODIFIED;
        reply.headers.remove(CONTENT_TYPE);
        reply.headers.insert(ETAG, tag.clone());
    }
    same
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).expect("a value"))])
    }

    #[test]
    fn a_page_that_is_known_is_not_sent_again() {
        let page = || Answer::page("<p>bowl</p><!--me-->".to_owned());
        let first = own(page(), &HeaderMap::new(), "<!--me-->", Some("Ada"));
        assert_eq!(first.body, "<p>bowl</p>Ada");
        let tag = first.headers[ETAG].to_str().expect("text").to_owned();
        let again = own(page(), &asked(IF_NONE_MATCH, &tag), "<!--me-->", Some("Ada"));
        assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
        let other = own(page(), &asked(IF_NONE_MATCH, &tag), "<!--me-->", Some("Eve"));
        assert_eq!(other.status, StatusCode::OK);
    }

    #[test]
    fn each_encoding_has_its_own_tag() {
        let json = || Answer::json(&vec!["text"; 400]).expect("JSON").at_version(7);
        let plain = own(json(), &HeaderMap::new(), "", None);
        let zipped = own(json(), &asked(http::header::ACCEPT_ENCODING, "gzip"), "", None);
        assert_ne!(plain.headers[ETAG], zipped.headers[ETAG]);
        assert_eq!(zipped.headers[CONTENT_ENCODING], "gzip");
        assert!(plain.headers[ETAG].to_str().expect("text").starts_with("\"v7-"));
        assert!(zipped.body.len() < plain.body.len());
    }
}
