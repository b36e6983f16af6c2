//! Values and statements: what goes into a store.

use std::borrow::Cow;
use std::sync::Arc;

use kernel::{Id, IdKind, Timestamp};

/// A value of a column: what every engine can hold, and nothing more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// No value.
    Null,
    /// A BIGINT.
    Int(i64),
    /// A VARCHAR: compares and sorts by its bytes.
    Text(String),
    /// A BLOB.
    Blob(Vec<u8>),
}

impl Value {
    /// Whether there is no value.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Bytes that it holds.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Null => 0,
            Self::Int(_) => 8,
            Self::Text(text) => text.len(),
            Self::Blob(bytes) => bytes.len(),
        }
    }

    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Int(_) => "BIGINT",
            Self::Text(_) => "VARCHAR",
            Self::Blob(_) => "BLOB",
        }
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}
impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Int(value.into())
    }
}
impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Int(value.into())
    }
}
impl From<u8> for Value {
    fn from(value: u8) -> Self {
        Self::Int(value.into())
    }
}
impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Int(value.into())
    }
}
impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}
impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}
impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}
impl From<Cow<'_, str>> for Value {
    fn from(value: Cow<'_, str>) -> Self {
        Self::Text(value.into_owned())
    }
}
impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Blob(value)
    }
}
impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Blob(value.to_vec())
    }
}
impl<const N: usize> From<[u8; N]> for Value {
    fn from(value: [u8; N]) -> Self {
        Self::Blob(value.to_vec())
    }
}
impl From<Timestamp> for Value {
    /// Microseconds since the epoch.
    fn from(value: Timestamp) -> Self {
        Self::Int(value.micros())
    }
}
impl<K: IdKind> From<Id<K>> for Value {
    fn from(value: Id<K>) -> Self {
        Self::Text(value.to_string())
    }
}
impl<K: IdKind> From<&Id<K>> for Value {
    fn from(value: &Id<K>) -> Self {
        Self::Text(value.to_string())
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The text of a statement; shared, so that it is never copied on its way to the writer.
#[derive(Clone, Debug)]
pub(crate) enum Text {
    Fixed(&'static str),
    Shared(Arc<str>),
}

impl Text {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Fixed(text) => text,
            Self::Shared(text) => text,
        }
    }
}

/// One statement in the portable SQL text with the values of its `?` in order.
#[derive(Clone, Debug)]
pub struct Statement {
    pub(crate) text: Text,
    pub(crate) values: Vec<Value>,
}

/// A statement: `sql("SELECT name FROM product WHERE id = ? AND version > ?").bind(id).bind(3)`.
///
/// The text is portable: `?` placeholders, no vendor words (see [`crate::portable`]). Debug builds check it.
#[must_use]
pub fn sql(text: impl Into<Cow<'static, str>>) -> Statement {
    let text = match text.into() {
        Cow::Borrowed(text) => Text::Fixed(text),
        Cow::Owned(text) => Text::Shared(text.into()),
    };
    if cfg!(debug_assertions)
        && let Err(refused) = crate::portable::check(text.as_str())
    {
        panic!("a statement that is not portable: {refused}: {}", text.as_str());
    }
    Statement { text, values: Vec::new() }
}

impl Statement {
    /// A statement of an engine in its own dialect.
    pub(crate) fn native(text: impl Into<Text>) -> Self {
        Self { text: text.into(), values: Vec::new() }
    }

    /// Gives the next `?` its value.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Gives the next `?` their values in order.
    #[must_use]
    pub fn bind_all(mut self, values: impl IntoIterator<Item = impl Into<Value>>) -> Self {
        self.values.extend(values.into_iter().map(Into::into));
        self
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.as_str()
    }

    /// The values bound so far.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    pub(crate) fn len(&self) -> usize {
        self.text.as_str().len() + self.values.iter().map(Value::len).sum::<usize>()
    }
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Self::Fixed(text)
    }
}
impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::Shared(text.into())
    }
}
impl From<&Arc<str>> for Text {
    fn from(text: &Arc<str>) -> Self {
        Self::Shared(Arc::clone(text))
    }
}
