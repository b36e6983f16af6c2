//! Fields that every answer carries (OWASP Secure Headers): what a browser may do with it.

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, SET_COOKIE, STRICT_TRANSPORT_SECURITY, VARY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use kernel::{Error, Result};

/// Everything from this origin, nothing inline, no frames.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'";
/// Nothing at all: what is no page loads nothing.
const DATA_POLICY: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
/// Two years, as browsers' preload lists ask.
const HSTS: &str = "max-age=63072000; includeSubDomains";
const PERMISSIONS: &str = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// Fields of a request, in bytes, at most: cookies with tokens take two thousand.
const REQUEST_BYTES_MAX: usize = 16 << 10;

/// Refuses a request whose fields are too large.
///
/// # Errors
/// `FIELDS_TOO_LARGE`.
pub(crate) fn check_size(fields: &HeaderMap) -> Result<()> {
    let bytes: usize = fields.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if bytes > REQUEST_BYTES_MAX {
        let message = "the header fields are larger than 16 KiB; clear this site's cookies if you see this in a browser";
        return Err(Error::invalid("FIELDS_TOO_LARGE", message));
    }
    Ok(())
}

/// What sets a cookie is one person's, whatever the screen says of it: no cache between may give it to another.
pub(crate) fn keep_cookies_private(fields: &mut HeaderMap) {
    if !fields.contains_key(SET_COOKIE) {
        return;
    }
    let is_stored = |value: &HeaderValue| !value.as_bytes().windows(8).any(|part| part == b"no-store");
    if fields.get(CACHE_CONTROL).is_none_or(is_stored) {
        fields.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    }
    let by_cookie = |value: &HeaderValue| {
        value
            .to_str()
            .is_ok_and(|text| text.split(',').any(|name| name.trim().eq_ignore_ascii_case("cookie")))
    };
    if !fields.get_all(VARY).iter().any(by_cookie) {
        fields.append(VARY, HeaderValue::from_static("Cookie"));
    }
}

/// Adds them.
pub(crate) fn add(fields: &mut HeaderMap, page: bool, tls: bool) {
    let policy = if page { PAGE_POLICY } else { DATA_POLICY };
    fields.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    fields.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    fields.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    fields.insert(REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin"));
    fields.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    fields.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    fields.insert(PERMISSIONS_POLICY, HeaderValue::from_static(PERMISSIONS));
    if tls {
        fields.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(control: &'static str, vary: &'static str, cookie: bool) -> HeaderMap {
        let mut fields = HeaderMap::new();
        fields.insert(CACHE_CONTROL, HeaderValue::from_static(control));
        fields.insert(VARY, HeaderValue::from_static(vary));
        if cookie {
            fields.insert(SET_COOKIE, HeaderValue::from_static("a=b"));
        }
        keep_cookies_private(&mut fields);
        fields
    }

    #[test]
    fn what_sets_a_cookie_is_for_one_person() {
        let for_ever = "public, max-age=31536000, immutable";
        assert_eq!(fields(for_ever, "Accept-Encoding", false)[CACHE_CONTROL], for_ever);
        let guarded = fields(for_ever, "Accept-Encoding", true);
        assert_eq!(guarded[CACHE_CONTROL], "private, no-cache");
        assert_eq!(guarded.get_all(VARY).iter().count(), 2);
        let stricter = fields("no-store", "accept-encoding, cookie", true);
        assert_eq!(stricter[CACHE_CONTROL], "no-store");
        assert_eq!(stricter.get_all(VARY).iter().count(), 1);
    }
}
