//! The cookies of one visitor, kept as a browser keeps them.

use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};

/// Cookies of one visitor at one host.
#[derive(Debug, Default)]
pub struct Jar {
    pairs: Vec<(String, String)>,
    /// The request's field, made when something changed.
    field: Option<HeaderValue>,
}

impl Jar {
    /// Takes what an answer sets; a cookie that ends now is forgotten.
    pub fn take(&mut self, headers: &HeaderMap) {
        let mut changed = false;
        for field in headers.get_all(SET_COOKIE) {
            let Some((name, value, ends)) = field.to_str().ok().and_then(parse) else { continue };
            let known = self.pairs.iter().position(|(known, _)| known == name);
            match (known, ends) {
                (Some(place), true) => drop(self.pairs.swap_remove(place)),
                (Some(place), false) => value.clone_into(&mut self.pairs[place].1),
                (None, false) => self.pairs.push((name.to_owned(), value.to_owned())),
                (None, true) => continue,
            }
            changed = true;
        }
        if changed {
            let pairs: Vec<String> =
                self.pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
            self.field = HeaderValue::from_str(&pairs.join("; ")).ok().filter(|field| !field.is_empty());
        }
    }

    /// The value of the request's `Cookie` field; `None` while there are no cookies.
    #[must_use]
    pub fn field(&self) -> Option<&HeaderValue> {
        self.field.as_ref()
    }
}

/// Name, value, and whether the cookie ends at once.
fn parse(field: &str) -> Option<(&str, &str, bool)> {
    let (pair, attributes) = field.split_once(';').unwrap_or((field, ""));
    let (name, value) = pair.split_once('=')?;
    let age = attributes
        .split(';')
        .filter_map(|attribute| attribute.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("max-age"));
    let ends = age.and_then(|(_, age)| age.trim().parse::<i64>().ok()).is_some_and(|age| age <= 0);
    let name = name.trim();
    (!name.is_empty()).then_some((name, value.trim(), ends))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(fields: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(SET_COOKIE, HeaderValue::from_static(field));
        }
        headers
    }

    #[test]
    fn cookies_are_kept_changed_and_forgotten() {
        let mut jar = Jar::default();
        assert_eq!(jar.field(), None);
        jar.take(&answer(&["a=1; Path=/; Max-Age=60; HttpOnly; SameSite=Lax", "b=x=y; Path=/"]));
        assert_eq!(jar.field().expect("two"), "a=1; b=x=y");
        jar.take(&answer(&[]));
        assert_eq!(jar.field().expect("two"), "a=1; b=x=y");
        jar.take(&answer(&["a=2", "b=; Max-Age=0", "never=; max-age=0"]));
        assert_eq!(jar.field().expect("one"), "a=2");
        jar.take(&answer(&["a=; Path=/; Max-Age=0"]));
        assert_eq!(jar.field(), None);
    }

    #[test]
    fn what_is_no_cookie_is_left() {
        let mut jar = Jar::default();
        jar.take(&answer(&["nonsense", "=1", "", "; Path=/"]));
        assert_eq!(jar.field(), None);
    }
}
