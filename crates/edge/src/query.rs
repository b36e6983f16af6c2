//! The query of a request in one spelling: the parameters that the route declares, decoded, in order, encoded in one way. What
//! is cached is found by it, and what the screen reads is the same text.

use std::collections::HashMap;

use kernel::{Error, Result};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};
use schemars::{JsonSchema, SchemaGenerator};

use crate::input;
use crate::route::Kind;

/// Longest query, in bytes.
pub(crate) const QUERY_BYTES_MAX: usize = 8 << 10;

/// Most parameters of a query that its route declares; each value of a list is one.
pub(crate) const QUERY_PARAMETERS_MAX: usize = 256;

/// All but the unreserved letters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The parameters that a route declares, of its path and its query.
pub(crate) struct Parameters {
    /// Each with the text that means the same as leaving it out, where there is one.
    defaults: HashMap<String, Option<String>>,
    /// Whether others are refused.
    strict: bool,
}

impl Parameters {
    pub(crate) fn of<P: JsonSchema>(kind: Kind) -> Self {
        let schema = SchemaGenerator::default().into_root_schema_for::<P>();
        let properties = schema.get("properties").and_then(|properties| properties.as_object());
        let text = |property: &serde_json::Value| match property.get("default")? {
            serde_json::Value::String(text) => Some(text.clone()),
            serde_json::Value::Number(number) => Some(number.to_string()),
            serde_json::Value::Bool(value) => Some(value.to_string()),
            _ => None,
        };
        let defaults = properties.into_iter().flatten();
        let closed = schema.get("additionalProperties") == Some(&serde_json::Value::Bool(false));
        Self {
            defaults: defaults.map(|(name, property)| (name.clone(), text(property))).collect(),
            strict: kind == Kind::Api && closed,
        }
    }

    /// The query in one spelling. A page ignores parameters that it does not declare: they are those of advertisers and
    /// trackers. A program is told of them.
    ///
    /// # Errors
    /// `QUERY_TOO_LONG`; `UNKNOWN_FIELD` and `INVALID_ARGUMENT` naming the parameter.
    pub(crate) fn canonical(&self, query: &str) -> Result<String> {
        if query.is_empty() {
            return Ok(String::new());
        }
        if query.len() > QUERY_BYTES_MAX {
            let message = format!("the query is longer than {QUERY_BYTES_MAX} bytes");
            return Err(Error::invalid("QUERY_TOO_LONG", message));
        }
        let mut pairs = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name_text = decoded(name);
            let known = name_text.as_ref().is_some_and(|name| self.defaults.contains_key(name));
            let shown = || name_text.clone().unwrap_or_else(|| String::from_utf8_lossy(&bytes(name)).into());
            match decoded(value) {
                Some(value) if known && pairs.len() < QUERY_PARAMETERS_MAX => pairs.push((shown(), value)),
                Some(_) if known => {
                    let message = format!("the query has more than {QUERY_PARAMETERS_MAX} parameters");
                    return Err(Error::invalid("QUERY_TOO_LONG", message));
                }
                // What is not known is not looked at further by a page.
                _ if !known && !self.strict => {}
                Some(_) if name_text.is_some() => return Err(input::unknown_field(&shown())),
                _ => {
                    input::check_text(&bytes(name), &shown())?;
                    input::check_text(&bytes(value), &shown())?;
                }
            }
        }
        // The order of values of one name stays.
        pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut text = String::with_capacity(query.len());
        for (at, (name, value)) in pairs.iter().enumerate() {
            let default = self.defaults.get(name).and_then(Option::as_ref);
            let names_it = |pair: Option<&(String, String)>| pair.is_some_and(|(other, _)| other == name);
            let is_alone =
                !names_it(pairs.get(at + 1)) && !names_it(at.checked_sub(1).and_then(|at| pairs.get(at)));
            if default == Some(value) && is_alone {
                continue;
            }
            text.push_str(if text.is_empty() { "" } else { "&" });
            text.extend(encoded(name));
            text.push('=');
            text.extend(encoded(value));
        }
        Ok(text)
    }
}

fn encoded(text: &str) -> impl Iterator<Item = &str> {
    utf8_percent_encode(text, ENCODED)
}

/// The bytes that a part of a query stands for, as forms write them.
fn bytes(part: &str) -> Vec<u8> {
    percent_decode(part.replace('+', " ").as_bytes()).collect()
}

/// The text that a part of a query stands for; `None` for what is no text.
fn decoded(part: &str) -> Option<String> {
    String::from_utf8(bytes(part)).ok().filter(|text| !text.contains('\0'))
}

/// The path of a route with these parameters, in one spelling.
pub(crate) fn canonical_path(pattern: &str, params: &[(String, String)]) -> String {
    let mut path = String::with_capacity(pattern.len() + 32);
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        path.push_str(before);
        let (name, many) = name.strip_prefix('*').map_or((name, false), |name| (name, true));
        let value = params.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value);
        for (place, segment) in value.split('/').enumerate() {
            // Within one segment a slash is a letter like others.
            path.push_str(match (place, many) {
                (0, _) => "",
                (_, true) => "/",
                (_, false) => "%2F",
            });
            path.extend(encoded(segment));
        }
        rest = after;
    }
    path.push_str(rest);
    path
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Search {
        #[serde(default)]
        q: String,
        #[serde(default)]
        attribute: Vec<String>,
        #[serde(default = "usual")]
        sort: String,
        currency_code: Option<String>,
    }

    fn usual() -> String {
        "relevance".to_owned()
    }

    fn page(query: &str) -> Result<String> {
        Parameters::of::<Search>(Kind::Page).canonical(query)
    }

    fn api(query: &str) -> Result<String> {
        Parameters::of::<Search>(Kind::Api).canonical(query)
    }

    #[test]
    fn one_meaning_has_one_spelling() {
        let usual = api("currency_code=GBP&q=a%20bowl").expect("good");
        assert_eq!(usual, "currency_code=GBP&q=a%20bowl");
        for other in [
            "q=a+bowl&currency_code=GBP",
            "&&&q=a%20bowl&&currency_code=GBP&",
            "%71=%61+%62owl&%63urrency_code=%47BP",
            "q=a%20bowl&currency_code=GBP&sort=relevance",
        ] {
            assert_eq!(api(other).expect("good"), usual, "{other}");
            assert_eq!(page(&format!("{other}&utm_source=x&fbclid=%ff&&=")).expect("good"), usual, "{other}");
        }
        for nothing in ["", "&", "&&&&", "q=", "sort=relevance&q="] {
            assert_eq!(api(nothing).expect("good"), "", "{nothing}");
        }
        assert_eq!(api("attribute=b%3A1&attribute=a%3A1").expect("good"), "attribute=b%3A1&attribute=a%3A1");
    }

    #[test]
    fn what_stands_twice_is_not_hidden() {
        for twice in ["q=&q=bowl", "sort=relevance&sort=name"] {
            let text = api(twice).expect("good");
            assert_eq!(text.matches('&').count(), 1, "{text}");
            assert!(input::form::<Search>(&text, &serde_json::Value::Null).is_err(), "{text}");
        }
    }

    #[test]
    fn a_program_is_told_what_is_unknown() {
        let error = api("q=x&souk=1").expect_err("unknown");
        assert_eq!((error.reason(), error.violations()[0].field.as_str()), ("UNKNOWN_FIELD", "/souk"));
        let error = api("q=%ff").expect_err("no text");
        assert_eq!((error.reason(), error.violations()[0].field.as_str()), ("INVALID_ARGUMENT", "/q"));
        let many = |count: usize| api(&vec!["attribute=a:b"; count].join("&"));
        assert!(many(QUERY_PARAMETERS_MAX).is_ok());
        assert_eq!(many(QUERY_PARAMETERS_MAX + 1).expect_err("too many").reason(), "QUERY_TOO_LONG");
        assert_eq!(api("%ff=1").expect_err("no text").reason(), "INVALID_ARGUMENT");
        assert_eq!(page("q=%00").expect_err("no text").violations()[0].field, "/q");
    }

    #[test]
    fn a_query_has_an_end() {
        assert_eq!(page(&"&".repeat(QUERY_BYTES_MAX)).expect("as long as may be"), "");
        let error = page(&"&".repeat(QUERY_BYTES_MAX + 1)).expect_err("too long");
        assert_eq!(error.reason(), "QUERY_TOO_LONG");
    }

    #[test]
    fn a_path_has_one_spelling() {
        let of = |pattern: &str, value: &str| canonical_path(pattern, &[("slug".into(), value.into())]);
        assert_eq!(of("/products/{slug}", "bowl-2"), "/products/bowl-2");
        assert_eq!(of("/products/{slug}/others", "a b/é"), "/products/a%20b%2F%C3%A9/others");
        assert_eq!(of("/c/{*slug}", "kitchen/mugs & cups"), "/c/kitchen/mugs%20%26%20cups");
        assert_eq!(of("/robots.txt", ""), "/robots.txt");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_screen_reads_what_was_meant(q in ".{0,20}", attribute in prop::collection::vec(".{1,10}", 0..4)) {
            prop_assume!(!q.contains('\0') && !attribute.iter().any(|text| text.contains('\0')));
            let mut query = format!("q={}", utf8_percent_encode(&q, NON_ALPHANUMERIC));
            for value in &attribute {
                query = format!("attribute={}&{query}", utf8_percent_encode(value, NON_ALPHANUMERIC));
            }
            let meant: Search = input::form(&query, &serde_json::Value::Null).expect("good");
            let canonical = api(&query).expect("good");
            prop_assert_eq!(input::form::<Search>(&canonical, &serde_json::Value::Null).expect("good"), meant);
            prop_assert_eq!(api(&canonical).expect("good"), canonical);
        }
    }
}
