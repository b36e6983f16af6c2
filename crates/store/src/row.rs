//! Rows: what comes out of a store.

use std::sync::Arc;

use kernel::{Error, Id, IdKind, Result, Timestamp};

use crate::value::Value;

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
