//! Requests that another site made a browser send are refused: by `Sec-Fetch-Site` where the browser tells it, else by
//! `Origin` against the host that was asked. A client that is no browser sends neither, and has no cookies of anybody.

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, Method};
use kernel::{Code, Error, Result};

/// Whether a method changes nothing.
#[must_use]
pub fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Refuses a change that another origin asks for.
///
/// # Errors
/// `FORGED_ORIGIN`, PERMISSION_DENIED.
pub fn check(method: &Method, headers: &HeaderMap, origins: &[String]) -> Result<()> {
    if is_safe(method) || same_origin(headers, origins) {
        return Ok(());
    }
    let message = "this request was sent from another site; open the shop itself and try again";
    Err(Error::new(Code::PermissionDenied, "FORGED_ORIGIN", message))
}

/// Whether a request comes from a page of this gateway, or from no page at all.
#[must_use]
pub fn same_origin(headers: &HeaderMap, origins: &[String]) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let origin = text(ORIGIN.as_str());
    if origin.is_some_and(|origin| origins.iter().any(|trusted| trusted == origin)) {
        return true;
    }
    match (text("sec-fetch-site"), origin) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let host = text(HOST.as_str()).unwrap_or_default();
            let named = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            !host.is_empty() && named.is_some_and(|named| named.eq_ignore_ascii_case(host))
        }
        (None, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn asked(fields: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        check(&Method::POST, &headers, &["https://shop.example".to_owned()]).is_ok()
    }

    #[test]
    fn only_our_own_pages_may_change_anything() {
        assert!(asked(&[]));
        assert!(asked(&[("host", "a.example"), ("origin", "http://a.example")]));
        assert!(asked(&[("host", "internal"), ("origin", "https://shop.example")]));
        assert!(asked(&[("sec-fetch-site", "same-origin"), ("origin", "http://b"), ("host", "a")]));
        for forged in [
            &[("host", "a.example"), ("origin", "http://b.example")][..],
            &[("host", "a.example"), ("origin", "null")],
            &[("host", "a.example"), ("origin", "http://a.example.evil")],
            &[("host", "a.example"), ("origin", "a.example")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "http://")],
        ] {
            assert!(!asked(forged), "{forged:?}");
        }
    }

    #[test]
    fn reading_is_open() {
        let mut headers = HeaderMap::new();
        headers.insert(ORIGIN, HeaderValue::from_static("https://elsewhere.example"));
        assert!(check(&Method::GET, &headers, &[]).is_ok());
    }
}
