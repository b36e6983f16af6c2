//! What makes a change happen once, and on what was read: idempotency keys and entity tags.

use std::borrow::Cow;

use http::HeaderName;
use http::header::IF_MATCH;
use kernel::{Error, FieldViolation, Result};

use super::Ask;

/// Longest idempotency key of a client, in characters; steps add to it.
const KEY_CHARS_MAX: usize = 100;
/// Where the services have the idempotency key.
const KEY_OF_SERVICES: &str = "/request_id";
/// Where errors of a gateway have it.
const KEY_HERE: &str = "/idempotency_key";
/// What is said of an entity tag without a version where one is needed.
const NO_VERSION: &str = "If-Match names no version of this: it is v and the version that you read, in quotes, such as \"v3\"; \
                          the ETag of a list is not one";
/// The field with a client's idempotency key.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

impl Ask {
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
            let message =
                "say in If-Match which version you change: v and its version, in quotes, such as \"v3\"";
            Error::precondition("PRECONDITION_REQUIRED", message)
        };
        let text = self.headers.get(IF_MATCH).ok_or_else(required)?.to_str().unwrap_or_default();
        if !is_entity_tag(text) {
            let what = "must be one entity tag: v and the version that you read, in quotes, such as \"v3\"";
            return Err(Error::field("/if_match", "INVALID_ARGUMENT", what));
        }
        Ok(text)
    }

    /// An error of a service in the names of this request: the idempotency key is called so here, and an entity tag that names
    /// no version, such as that of a list, is said to be none.
    pub(super) fn in_own_names(&self, error: Error) -> Error {
        if error.reason() == "VERSION_CONFLICT"
            && self.headers.get(IF_MATCH).is_some_and(|tag| tag.to_str().ok().and_then(version_of).is_none())
        {
            return with_message(&error, NO_VERSION);
        }
        if error.violations().iter().any(|violation| violation.field == KEY_OF_SERVICES) {
            return with_message(&error, error.message().replacen(KEY_OF_SERVICES, KEY_HERE, 1));
        }
        error
    }
}

/// The same refusal in other words, with the idempotency key as it is called here.
fn with_message(error: &Error, message: impl Into<Cow<'static, str>>) -> Error {
    let same = Error::new(error.code(), error.reason().to_owned(), message).retry(error.retryable());
    let same = error.violations().iter().fold(same, |same, FieldViolation { field, description }| {
        let field = if field == KEY_OF_SERVICES { KEY_HERE } else { field };
        same.with_field(field, description.clone())
    });
    error.metadata().iter().fold(same, |same, (key, value)| same.with(key.clone(), value.clone()))
}

/// Checks an idempotency key of a client.
///
/// # Errors
/// `INVALID_IDEMPOTENCY_KEY` at `/idempotency_key`.
pub fn checked_key(text: &str) -> Result<&str> {
    let good = (1..=KEY_CHARS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    let what = "must be 1 to 100 visible ASCII characters";
    if good { Ok(text) } else { Err(Error::field(KEY_HERE, "INVALID_IDEMPOTENCY_KEY", what)) }
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
