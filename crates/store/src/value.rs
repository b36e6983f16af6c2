//! What goes into a statement and what comes out of a row.

use std::borrow::Cow;
use std::sync::Arc;

use kernel::{Error, Id, IdKind, Result, Timestamp};

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

    fn kind(&self) -> &'static str {
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

/// One row that a statement returned; columns are read by name.
///
/// Reading a column that is not there, or is of another type, is a bug or damage: `INTERNAL`.
#[derive(Clone, Debug)]
pub struct Row {
    pub(crate) columns: Arc<[Box<str>]>,
    pub(crate) values: Vec<Value>,
}

impl Row {
    /// A row of these columns, for engines.
    #[must_use]
    pub fn new(columns: Arc<[Box<str>]>, values: Vec<Value>) -> Self {
        Self { columns, values }
    }

    /// The value of a column.
    ///
    /// # Errors
    /// `INTERNAL` when there is no such column.
    pub fn get(&self, column: &str) -> Result<&Value> {
        let at = self.columns.iter().position(|name| &**name == column);
        at.and_then(|at| self.values.get(at))
            .ok_or_else(|| Error::internal(format!("the row has no column {column:?}")))
    }

    /// A BIGINT.
    ///
    /// # Errors
    /// `INTERNAL` when it is absent, NULL or of another type.
    pub fn int(&self, column: &str) -> Result<i64> {
        self.opt_int(column)?.ok_or_else(|| null(column))
    }

    /// A VARCHAR.
    ///
    /// # Errors
    /// `INTERNAL` when it is absent, NULL or of another type.
    pub fn text(&self, column: &str) -> Result<String> {
        self.str(column).map(str::to_owned)
    }

    /// A VARCHAR, borrowed.
    ///
    /// # Errors
    /// `INTERNAL` when it is absent, NULL or of another type.
    pub fn str(&self, column: &str) -> Result<&str> {
        match self.get(column)? {
            Value::Text(text) => Ok(text),
            other => Err(wrong(column, "VARCHAR", other)),
        }
    }

    /// A BLOB.
    ///
    /// # Errors
    /// `INTERNAL` when it is absent, NULL or of another type.
    pub fn blob(&self, column: &str) -> Result<Vec<u8>> {
        self.opt_blob(column)?.ok_or_else(|| null(column))
    }

    /// A BIGINT that holds 0 or 1.
    ///
    /// # Errors
    /// `INTERNAL` when it is absent, NULL, of another type or another number.
    pub fn bool(&self, column: &str) -> Result<bool> {
        match self.int(column)? {
            0 => Ok(false),
            1 => Ok(true),
            other => {
                Err(Error::internal(format!("column {column:?} holds {other}, which is neither 0 nor 1")))
            }
        }
    }

    /// A BIGINT or NULL.
    ///
    /// # Errors
    /// `INTERNAL` when it is absent or of another type.
    pub fn opt_int(&self, column: &str) -> Result<Option<i64>> {
        match self.get(column)? {
            Value::Null => Ok(None),
            Value::Int(int) => Ok(Some(*int)),
            other => Err(wrong(column, "BIGINT", other)),
        }
    }

    /// A VARCHAR or NULL.
    ///
    /// # Errors
    /// `INTERNAL` when it is absent or of another type.
    pub fn opt_text(&self, column: &str) -> Result<Option<String>> {
        match self.get(column)? {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text.clone())),
            other => Err(wrong(column, "VARCHAR", other)),
        }
    }

    /// A BLOB or NULL.
    ///
    /// # Errors
    /// `INTERNAL` when it is absent or of another type.
    pub fn opt_blob(&self, column: &str) -> Result<Option<Vec<u8>>> {
        match self.get(column)? {
            Value::Null => Ok(None),
            Value::Blob(bytes) => Ok(Some(bytes.clone())),
            other => Err(wrong(column, "BLOB", other)),
        }
    }

    /// A time: a BIGINT of microseconds since the epoch.
    ///
    /// # Errors
    /// `INTERNAL` when it is absent, NULL or of another type.
    pub fn timestamp(&self, column: &str) -> Result<Timestamp> {
        self.int(column).map(Timestamp::from_micros)
    }

    /// A time or NULL.
    ///
    /// # Errors
    /// `INTERNAL` when it is absent or of another type.
    pub fn opt_timestamp(&self, column: &str) -> Result<Option<Timestamp>> {
        Ok(self.opt_int(column)?.map(Timestamp::from_micros))
    }

    /// An id of one kind, kept as text.
    ///
    /// # Errors
    /// `INTERNAL` when it is absent, NULL, of another type or no such id.
    pub fn id<K: IdKind>(&self, column: &str) -> Result<Id<K>> {
        let text = self.str(column)?;
        Id::parse(text).map_err(|_| {
            Error::internal(format!("column {column:?} holds {text:?}, which is no {}_ id", K::PREFIX))
        })
    }

    /// An id of one kind or NULL.
    ///
    /// # Errors
    /// `INTERNAL` when it is absent, of another type or no such id.
    pub fn opt_id<K: IdKind>(&self, column: &str) -> Result<Option<Id<K>>> {
        if self.get(column)?.is_null() { Ok(None) } else { self.id(column).map(Some) }
    }
}

fn null(column: &str) -> Error {
    Error::internal(format!("column {column:?} is NULL"))
}

fn wrong(column: &str, wanted: &str, found: &Value) -> Error {
    Error::internal(format!("column {column:?} is {}, not {wanted}", found.kind()))
}

#[cfg(test)]
mod tests {
    use kernel::OrderId;

    use super::*;

    fn row() -> Row {
        let columns = ["n", "s", "b", "none", "id"].map(Box::from);
        let id = OrderId::from_bits(7);
        let values =
            vec![Value::Int(4), Value::from("x"), Value::from([1_u8, 2]), Value::Null, Value::from(id)];
        Row::new(Arc::from(columns), values)
    }

    #[test]
    fn columns_are_read_by_name_and_type() {
        let row = row();
        assert_eq!(row.int("n").expect("a number"), 4);
        assert_eq!(row.text("s").expect("text"), "x");
        assert_eq!(row.blob("b").expect("bytes"), [1, 2]);
        assert_eq!(row.opt_text("none").expect("nothing"), None);
        assert_eq!(row.id::<kernel::Order>("id").expect("an id"), OrderId::from_bits(7));
    }

    #[test]
    fn a_wrong_column_is_an_internal_error_and_no_panic() {
        let row = row();
        for error in [row.int("s"), row.int("none"), row.int("absent"), row.bool("n").map(i64::from)] {
            assert_eq!(error.expect_err("refused").code(), kernel::Code::Internal);
        }
        assert!(row.id::<kernel::Order>("s").is_err());
    }
}
