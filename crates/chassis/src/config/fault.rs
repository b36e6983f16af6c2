//! What is wrong with a section, in the words of somebody who writes settings: the deserializer knows neither the key nor
//! what may stand there.

use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

/// Longest value that a message repeats, in characters.
const SHOWN_CHARACTERS: usize = 60;

/// What is wrong, and where.
#[derive(Debug)]
pub(super) struct Fault {
    /// The setting, `section.key`.
    pub key: String,
    /// The value within it, such as `order.approval_above.GBP`.
    pub path: String,
    /// A clause that follows the path.
    pub what: String,
}

impl Fault {
    /// The first setting of a section that its type does not take by itself.
    pub(super) fn find<T>(section: &str, table: &Table) -> Option<Self>
    where
        T: Default + Serialize + DeserializeOwned,
    {
        let fails = |value: Value| value.try_into::<T>().err().map(|error| error.message().to_owned());
        table.iter().find_map(|(key, value)| {
            let alone = |value| fails(one(key, value));
            let error = alone(value.clone())?;
            let name = format!("{section}.{key}");
            let known = Table::try_from(T::default()).unwrap_or_default();
            if error.starts_with("unknown field") && !known.contains_key(key) {
                let what = match known.keys().map(String::as_str).collect::<Vec<_>>().join(", ") {
                    keys if keys.is_empty() => format!("is not known; [{section}] has no settings"),
                    keys => format!("is not known; [{section}] has {keys}"),
                };
                return Some(Self { key: name.clone(), path: name, what });
            }
            let (path, value, error) = narrow(name.clone(), value, error, &alone);
            let what = format!("is {}; it must be {}", shown(value), expected(&error));
            Some(Self { key: name, path, what })
        })
    }

    /// The first text with a control character: no setting is a text of several lines, or is meant for a terminal.
    pub(super) fn control(section: &str, table: &Table) -> Option<Self> {
        fn has_control(value: &Value) -> bool {
            match value {
                Value::String(text) => text.contains(char::is_control),
                Value::Array(items) => items.iter().any(has_control),
                Value::Table(keys) => {
                    keys.iter().any(|(key, value)| key.contains(char::is_control) || has_control(value))
                }
                _ => false,
            }
        }
        let (key, _) = table.iter().find(|(_, value)| has_control(value))?;
        let key = format!("{section}.{key}");
        Some(Self { path: key.clone(), key, what: "must not have control characters".to_owned() })
    }

    /// A section of which no key is wrong by itself.
    pub(super) fn whole(section: &str, error: &toml::de::Error) -> Self {
        Self { key: String::new(), path: format!("[{section}]"), what: error.message().to_owned() }
    }
}

fn one(key: &str, value: Value) -> Value {
    Value::Table(Table::from_iter([(key.to_owned(), value)]))
}

/// Goes down to the innermost value that fails by itself, as long as what it stands in would be taken empty.
fn narrow<'a>(
    path: String,
    value: &'a Value,
    error: String,
    fails: &dyn Fn(Value) -> Option<String>,
) -> (String, &'a Value, String) {
    match value {
        Value::Table(keys) if fails(Value::Table(Table::new())).is_none() => {
            for (key, inner) in keys {
                let alone = |value| fails(one(key, value));
                if let Some(error) = alone(inner.clone()) {
                    return narrow(format!("{path}.{key}"), inner, error, &alone);
                }
            }
        }
        Value::Array(items) if fails(Value::Array(Vec::new())).is_none() => {
            for (n, inner) in items.iter().enumerate() {
                let alone = |value| fails(Value::Array(vec![value]));
                if let Some(error) = alone(inner.clone()) {
                    return narrow(format!("{path}[{n}]"), inner, error, &alone);
                }
            }
        }
        _ => {}
    }
    (path, value, error)
}

/// The beginning of a value, as TOML writes it.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// What must stand in the place of what a deserializer refused, by its message.
fn expected(error: &str) -> String {
    if error.contains("socket address") {
        return "IP:PORT, such as 127.0.0.1:9000 or [::1]:9000".to_owned();
    }
    let Some((_, expected)) = error.split_once("expected ") else { return format!("another: {error}") };
    let whole = |from: i64, to: i64| format!("a whole number from {from} to {to}");
    match expected {
        "u8" => whole(0, u8::MAX.into()),
        "u16" => whole(0, u16::MAX.into()),
        "u32" => whole(0, u32::MAX.into()),
        // A number of TOML is an i64.
        "u64" | "usize" => whole(0, i64::MAX),
        "i64" => "a whole number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" | "string only" => "text, in quotes".to_owned(),
        "a sequence" => r#"a list, such as ["a", "b"]"#.to_owned(),
        "a map" => "a table, such as { a = 1 }".to_owned(),
        // The variants of an enum: `text` or `json`.
        _ => expected.trim_start_matches("one of ").replace('`', "\""),
    }
}
