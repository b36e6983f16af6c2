//! Cookies: read from requests, written so that scripts and other sites cannot use them (RFC 6265bis).

use std::time::Duration;

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

/// How cookies of this gateway are written.
#[derive(Clone, Copy, Debug)]
pub struct CookieJar {
    /// Browsers reach the gateway over TLS: cookies are `Secure`, and their names say that no other host set them.
    pub tls: bool,
}

impl CookieJar {
    pub(crate) fn name(self, name: &str) -> String {
        if self.tls { format!("__Host-{name}") } else { name.to_owned() }
    }

    /// The value of a cookie; the first, when a browser sends several.
    #[must_use]
    pub fn get<'a>(self, headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
        let prefix = if self.tls { "__Host-" } else { "" };
        let fields = headers.get_all(COOKIE).into_iter().filter_map(|field| field.to_str().ok());
        fields
            .flat_map(|field| field.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(given, _)| given.strip_prefix(prefix) == Some(name))
            .map(|(_, value)| value.trim_matches('"'))
    }

    /// The field that sets a cookie. The value must be of visible ASCII without `;`, `,` and quotes.
    #[must_use]
    pub fn set(self, name: &str, value: &str, age: Duration) -> Option<HeaderValue> {
        let secure = if self.tls { "; Secure" } else { "" };
        let (name, seconds) = (self.name(name), age.as_secs());
        let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        HeaderValue::from_str(&text).ok()
    }

    /// The field that removes a cookie.
    #[must_use]
    pub fn remove(self, name: &str) -> Option<HeaderValue> {
        self.set(name, "", Duration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_read_by_their_whole_name() {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_static("xsouk_a=1; souk_a=2; souk_a=3; __Host-souk_a=4"));
        assert_eq!(CookieJar { tls: false }.get(&headers, "souk_a"), Some("2"));
        assert_eq!(CookieJar { tls: true }.get(&headers, "souk_a"), Some("4"));
        assert_eq!(CookieJar { tls: true }.get(&headers, "souk_b"), None);
    }

    #[test]
    fn a_cookie_is_for_this_host_and_no_script() {
        let plain = CookieJar { tls: false }.set("a", "x", Duration::from_secs(60)).expect("good");
        assert_eq!(plain, "a=x; Path=/; Max-Age=60; HttpOnly; SameSite=Lax");
        let secure = CookieJar { tls: true }.set("a", "x", Duration::from_secs(60)).expect("good");
        assert_eq!(secure, "__Host-a=x; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure");
    }
}
