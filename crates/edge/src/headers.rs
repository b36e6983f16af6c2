//! Fields that every answer carries (OWASP Secure Headers): what a browser may do with it.

use http::header::{
    CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
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

/// Adds them.
pub(crate) fn add(fields: &mut HeaderMap, page: bool, tls: bool) {
    let policy = if page { PAGE_POLICY } else { DATA_POLICY };
    fields.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    fields.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    fields.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    fields.insert(REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin"));
    for (name, value) in [
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", PERMISSIONS),
    ] {
        fields.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if tls {
        fields.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
    }
}
