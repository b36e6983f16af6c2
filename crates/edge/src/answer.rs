//! What a screen answers.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use kernel::{Error, Result};
use serde::Serialize;

/// What an answer holds.
#[derive(Clone, Debug)]
pub(crate) enum Payload {
    /// A page, with the mark where personal parts go.
    Page(String),
    /// JSON.
    Json(Vec<u8>),
    /// Anything else, as it is.
    Raw(Bytes),
    /// Nothing.
    Empty,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) payload: Payload,
    pub(crate) version: Option<i64>,
    pub(crate) tags: Vec<String>,
    pub(crate) passing: bool,
}

impl Answer {
    fn new(status: StatusCode, payload: Payload) -> Self {
        Self { status, headers: HeaderMap::new(), payload, version: None, tags: Vec::new(), passing: false }
    }

    /// A page.
    #[must_use]
    pub fn page(html: String) -> Self {
        Self::new(StatusCode::OK, Payload::Page(html))
    }

    /// A value as JSON.
    ///
    /// # Errors
    /// INTERNAL for a value that JSON cannot hold.
    pub fn json<T: Serialize>(value: &T) -> Result<Self> {
        let bytes = serde_json::to_vec(value).map_err(Error::internal)?;
        Ok(Self::new(StatusCode::OK, Payload::Json(bytes)))
    }

    /// Bytes of a media type.
    #[must_use]
    pub fn raw(content_type: &'static str, bytes: impl Into<Bytes>) -> Self {
        let mut answer = Self::new(StatusCode::OK, Payload::Raw(bytes.into()));
        answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        answer
    }

    /// Nothing to say but that it is done: 204.
    #[must_use]
    pub fn done() -> Self {
        Self::new(StatusCode::NO_CONTENT, Payload::Empty)
    }

    /// Go and see (303): what every form answers, so that a reload sends nothing again.
    ///
    /// # Errors
    /// INTERNAL for an address that is not of this gateway, so that no answer leads elsewhere.
    pub fn see(path: &str) -> Result<Self> {
        let local = path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\r', '\n']);
        let value = HeaderValue::from_str(path).ok().filter(|_| local);
        let value =
            value.ok_or_else(|| Error::internal(format!("not an address of this gateway: {path:?}")))?;
        let mut answer = Self::new(StatusCode::SEE_OTHER, Payload::Empty);
        answer.headers.insert(LOCATION, value);
        Ok(answer)
    }

    /// With another status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Something new is there, at this address: 201.
    #[must_use]
    pub fn created(mut self, path: &str) -> Self {
        self.status = StatusCode::CREATED;
        if let Ok(value) = HeaderValue::from_str(path) {
            self.headers.insert(LOCATION, value);
        }
        self
    }

    /// With a field.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Of a thing at a version, which edits name in `If-Match`.
    #[must_use]
    pub fn at_version(mut self, version: i64) -> Self {
        self.version = Some(version);
        self
    }

    /// Is not for keeping: it says too little and soon may say more, or it is too large.
    #[must_use]
    pub fn passing(mut self, passing: bool) -> Self {
        self.passing = passing;
        self
    }

    /// Shows these things: when one of them changes, what was kept of the answer is dropped.
    #[must_use]
    pub fn showing(mut self, tags: impl IntoIterator<Item = String>) -> Self {
        self.tags.extend(tags);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_answer_leads_elsewhere() {
        assert!(Answer::see("/orders/ord_1?new=1").is_ok());
        for bad in ["https://evil.example/", "//evil.example", "/\\evil.example", "", "/a\r\nSet-Cookie: x=1"]
        {
            assert!(Answer::see(bad).is_err(), "{bad:?}");
        }
    }
}
