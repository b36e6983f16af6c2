//! What a request says, as the type its screen takes. A field that is wrong or unknown is named by a JSON pointer.

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use kernel::{Error, Result};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::allowed::{clause, schema_at};

/// What is wrong with a field that takes one value and has several.
const GIVEN_TWICE: &str = "is given twice";
/// Longest part of a wrong field's name that is told, in characters.
const NAME_CHARS_MAX: usize = 200;

/// The parameters of a path and the fields of a query, as one flat object.
///
/// # Errors
/// INVALID_ARGUMENT naming the field.
pub fn params<T: DeserializeOwned>(path: &[(String, String)], query: &str, schema: &Value) -> Result<T> {
    let mut text = String::with_capacity(query.len() + 64);
    for (name, value) in path {
        text.push_str(name);
        text.push('=');
        text.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
        text.push('&');
    }
    text.push_str(query);
    form(text.trim_end_matches('&'), schema)
}

/// A form, as `application/x-www-form-urlencoded`, of a shape.
///
/// # Errors
/// INVALID_ARGUMENT naming the field.
pub fn form<T: DeserializeOwned>(text: &str, schema: &Value) -> Result<T> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    for pair in pairs {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let bytes = |part: &str| percent_decode_str(part).collect::<Vec<u8>>();
        for part in [name, value] {
            check_text(&bytes(part), &percent_decode_str(name).decode_utf8_lossy())?;
        }
    }
    let deserializer = serde_html_form::Deserializer::from_bytes(text.as_bytes());
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = error.path().to_string();
        if is_given_twice(text, &path, schema) {
            return Error::field(pointer(&[&path]), "INVALID_ARGUMENT", GIVEN_TWICE);
        }
        named(&path, &error.into_inner().to_string(), schema)
    })
}

/// Whether a field that takes one value has several.
fn is_given_twice(text: &str, name: &str, schema: &Value) -> bool {
    let is_list = schema_at(schema, &[name]).is_some_and(|field| field["type"] == "array");
    let names = text.split('&').map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name));
    let given = names.filter(|given| percent_decode_str(given).decode_utf8_lossy() == name);
    !is_list && given.count() > 1
}

/// A JSON body of a shape. Lists that stand where the schema has an object are refused here, since serde would read them as
/// an object without names.
///
/// # Errors
/// INVALID_ARGUMENT naming the field; `INVALID_JSON` for what is none.
pub fn json_of<T: DeserializeOwned>(bytes: &[u8], schema: &Value) -> Result<T> {
    if let Ok(value) = serde_json::from_slice::<Value>(bytes) {
        let at = objects(&value, schema, schema, &mut Vec::new());
        if let Err(at) = at {
            return Err(wrong(at, "must be an object"));
        }
    }
    json(bytes, schema)
}

/// Whether objects stand where the schema has objects; else the pointer of the first that does not.
fn objects(value: &Value, schema: &Value, root: &Value, path: &mut Vec<String>) -> Result<(), String> {
    let schema = match schema["$ref"].as_str() {
        Some(name) => root.pointer(name.trim_start_matches('#')).unwrap_or(&Value::Null),
        None => schema,
    };
    if let Some(properties) = schema["properties"].as_object() {
        let Some(fields) = value.as_object() else {
            return Err(path.iter().map(|part| format!("/{part}")).collect());
        };
        for (name, schema) in properties {
            if let Some(field) = fields.get(name) {
                path.push(name.clone());
                objects(field, schema, root, path)?;
                path.pop();
            }
        }
    }
    if let (Some(items), Some(list)) = (schema.get("items"), value.as_array()) {
        for (index, item) in list.iter().enumerate() {
            path.push(index.to_string());
            objects(item, items, root, path)?;
            path.pop();
        }
    }
    Ok(())
}

/// A JSON body.
///
/// # Errors
/// As [`json_of`].
pub fn json<T: DeserializeOwned>(bytes: &[u8], schema: &Value) -> Result<T> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        if inner.is_data() { named(&path, &inner.to_string(), schema) } else { not_json(&inner) }
    })?;
    deserializer.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

fn not_json(error: &serde_json::Error) -> Error {
    let what = if error.is_eof() {
        "the body is not JSON: it ends too early".to_owned()
    } else {
        format!("the body is not JSON: see its line {}, column {}", error.line(), error.column())
    };
    Error::invalid("INVALID_JSON", what)
}

fn clipped(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(NAME_CHARS_MAX).collect()
}

/// The error of a field. serde says in words only what is unknown or missing, and the path leads to what holds it; what is of the
/// wrong kind is told by its schema, since serde's words are about Rust's types.
fn named(path: &str, words: &str, schema: &Value) -> Error {
    let parts: Vec<&str> = path.split('.').filter(|part| !part.is_empty() && *part != "?").collect();
    let quoted = |prefix: &str| words.strip_prefix(prefix)?.split('`').next();
    if let Some(field) = quoted("unknown field `") {
        return unknown_at(inside(&parts, field));
    }
    if let Some(field) = quoted("missing field `") {
        return Error::field(inside(&parts, field), "INVALID_ARGUMENT", "is required");
    }
    if let Some(field) = quoted("duplicate field `") {
        return Error::field(inside(&parts, field), "INVALID_ARGUMENT", GIVEN_TWICE);
    }
    let at = schema_at(schema, &parts).unwrap_or(&Value::Null);
    wrong(pointer(&parts), &clause(at, schema))
}

/// The error of the value at a pointer; the whole body has the empty one (RFC 6901).
fn wrong(at: String, clause: &str) -> Error {
    if at.is_empty() {
        return Error::invalid("INVALID_ARGUMENT", format!("the body {clause}")).with_field(at, clause);
    }
    Error::field(at, "INVALID_ARGUMENT", clause)
}

fn unknown_at(at: String) -> Error {
    Error::field(at, "UNKNOWN_FIELD", "is not a field here")
}

/// The error of a parameter that the route does not declare.
pub(crate) fn unknown_field(name: &str) -> Error {
    unknown_at(pointer(&[name]))
}

/// Whether bytes are text that a field may have: UTF-8 without NUL.
///
/// # Errors
/// INVALID_ARGUMENT naming the field.
pub(crate) fn check_text<'a>(bytes: &'a [u8], name: &str) -> Result<&'a str> {
    let what = match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => return Ok(text),
        // As the services say it.
        Ok(_) => "has control characters",
        Err(_) => "is not UTF-8 text",
    };
    let name: String = name.chars().take(60).collect();
    Err(Error::field(pointer(&[&name]), "INVALID_ARGUMENT", what))
}

fn inside(parents: &[&str], field: &str) -> String {
    let parents = if parents.last() == Some(&field) { &parents[..parents.len() - 1] } else { parents };
    pointer(&[parents, &[field]].concat())
}

/// A JSON pointer (RFC 6901); `lines[0]` counts as two parts.
fn pointer(parts: &[&str]) -> String {
    let mut text = String::new();
    for part in parts {
        for piece in part.split(['[', ']']).filter(|piece| !piece.is_empty()) {
            text.push('/');
            text.push_str(&clipped(piece).replace('~', "~0").replace('/', "~1"));
        }
    }
    text
}

/// Whether the body is said to be of a media type, with no charset or UTF-8.
#[must_use]
pub fn is_media_type(headers: &HeaderMap, wanted: &str) -> bool {
    let Some(text) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let mut parts = text.split(';');
    let media = parts.next().unwrap_or_default().trim();
    let utf8 = |parameter: &str| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        !name.trim().eq_ignore_ascii_case("charset")
            || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    };
    media.eq_ignore_ascii_case(wanted) && parts.all(utf8)
}

#[cfg(test)]
mod tests {
    use schemars::{JsonSchema, SchemaGenerator};
    use serde::Deserialize;

    use super::*;

    fn schema<T: JsonSchema>() -> Value {
        SchemaGenerator::default().into_root_schema_for::<T>().to_value()
    }

    fn params<T: DeserializeOwned + JsonSchema>(path: &[(String, String)], query: &str) -> Result<T> {
        super::params(path, query, &schema::<T>())
    }

    fn json<T: DeserializeOwned + JsonSchema>(bytes: &[u8]) -> Result<T> {
        super::json(bytes, &schema::<T>())
    }

    #[derive(Debug, PartialEq, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Search {
        slug: String,
        #[serde(default)]
        q: String,
        limit: Option<u8>,
        #[serde(default)]
        value: Vec<String>,
        sort: Option<Sort>,
    }

    #[derive(Debug, PartialEq, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    enum Sort {
        /// By its name.
        Name,
        /// The newest first.
        Newest,
    }

    #[derive(Debug, PartialEq, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Order {
        lines: Vec<Line>,
    }

    #[derive(Debug, PartialEq, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Line {
        quantity: u8,
    }

    fn at(error: &Error) -> &str {
        error.violations().first().map_or("", |violation| &violation.field)
    }

    #[test]
    fn path_and_query_are_one_object() {
        let path = [("slug".to_owned(), "a bowl & more".to_owned())];
        let found: Search = params(&path, "q=x+y&limit=3&value=a&value=b").expect("good");
        let value = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(
            found,
            Search { slug: "a bowl & more".into(), q: "x y".into(), limit: Some(3), value, sort: None }
        );
        let error = params::<Search>(&path, "q=x&colour=red").expect_err("unknown");
        assert_eq!((error.reason(), at(&error)), ("UNKNOWN_FIELD", "/colour"));
        assert_eq!(at(&params::<Search>(&path, "limit=many").expect_err("no number")), "/limit");
        assert_eq!(at(&params::<Search>(&path, "q=%ff").expect_err("no UTF-8")), "/q");
        assert!(params::<Search>(&path, "slug=another").is_err(), "the path decides");
        assert_eq!(at(&params::<Search>(&[], "").expect_err("missing")), "/slug");
    }

    #[test]
    fn json_names_what_is_wrong() {
        let wrong = |text: &str| json::<Order>(text.as_bytes()).expect_err(text);
        assert_eq!(at(&wrong(r#"{"lines": [{"quantity": 1}, {"quantity": -1}]}"#)), "/lines/1/quantity");
        assert_eq!(at(&wrong(r#"{"lines": [{"quantity": 1, "price": 2}]}"#)), "/lines/0/price");
        assert_eq!(at(&wrong(r#"{"lines": [{}]}"#)), "/lines/0/quantity");
        assert_eq!(at(&wrong("{}")), "/lines");
        assert_eq!(wrong("{").reason(), "INVALID_JSON");
        assert_eq!(wrong("{\"lines\": []} {}").reason(), "INVALID_JSON");
        assert_eq!(wrong("[]").reason(), "INVALID_ARGUMENT");
        assert!(json::<Order>(br#"{"lines": []}"#).is_ok());
    }

    #[test]
    fn what_is_allowed_is_said_in_plain_words() {
        let told = |error: Error| error.violations()[0].description.clone();
        let path = [("slug".to_owned(), "a".to_owned())];
        let query = |query: &str| told(params::<Search>(&path, query).expect_err(query));
        assert_eq!(query("sort=price"), "must be one of name, newest");
        assert_eq!(query("limit=many"), "must be a whole number from 0 to 255");
        assert_eq!(query("colour=red"), "is not a field here");
        for twice in ["limit=1&limit=2", "sort=name&sort=name", "q=a&q=b", "q=a&%71=b"] {
            assert_eq!(query(twice), "is given twice", "{twice}");
        }
        assert_eq!(query("q=%00"), "has control characters");
        assert_eq!(query("q=%ff"), "is not UTF-8 text");
        assert_eq!(told(params::<Search>(&[], "").expect_err("missing")), "is required");
        let body = |text: &str| told(json::<Order>(text.as_bytes()).expect_err(text));
        assert_eq!(body(r#"{"lines": [{"quantity": "x"}]}"#), "must be a whole number from 0 to 255");
        assert_eq!(body(r#"{"lines": {}}"#), "must be a list");
        assert_eq!(body(r#"{"lines": 7}"#), "must be a list");
        assert_eq!(body(r#"{"lines": [7]}"#), "must be an object");
        assert_eq!(body("[]"), "must be an object");
        assert_eq!(body("7"), "must be an object");
        let message = |text: &str| json::<Order>(text.as_bytes()).expect_err(text).message().to_owned();
        assert_eq!(message("{"), "the body is not JSON: it ends too early");
        assert_eq!(message("{\n no"), "the body is not JSON: see its line 2, column 2");
    }

    #[test]
    fn a_list_is_no_object() {
        let schema = serde_json::json!({
            "properties": { "lines": { "type": "array", "items": { "$ref": "#/$defs/Line" } } },
            "$defs": { "Line": { "properties": { "quantity": {} } } },
        });
        let read = |text: &str| json_of::<Order>(text.as_bytes(), &schema);
        assert!(read(r#"{"lines": [{"quantity": 1}]}"#).is_ok());
        assert_eq!(at(&read(r#"{"lines": [{"quantity": 1}, [1]]}"#).expect_err("a list")), "/lines/1");
        assert_eq!(at(&read("[[]]").expect_err("a list")), "");
        assert_eq!(read("[[]]").expect_err("a list").message(), "the body must be an object");
        assert_eq!(at(&json::<Order>(b"null").expect_err("nothing")), "");
    }

    #[test]
    fn a_body_says_what_it_is() {
        let of = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, http::HeaderValue::from_static(text));
            is_media_type(&headers, "application/json")
        };
        assert!(of("application/json") && of("Application/JSON; charset=\"utf-8\""));
        assert!(!of("text/plain") && !of("application/json; charset=latin1") && !of("application/jsonp"));
        assert!(!is_media_type(&HeaderMap::new(), "application/json"));
    }
}
