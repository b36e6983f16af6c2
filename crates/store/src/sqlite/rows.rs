//! `SqlEngine` on SQLite.

use std::sync::Arc;

use async_trait::async_trait;
use kernel::{Error, Result};
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::errors::serving;
use super::{Sqlite, apply};
use crate::batch::{Batch, Committed};
use crate::engine::SqlEngine;
use crate::error::CommitError;
use crate::row::Row;
use crate::value::{Statement, Value};

#[async_trait]
impl SqlEngine for Sqlite {
    async fn fetch(&self, statement: Statement, rows_max: usize) -> Result<Vec<Row>> {
        self.read(|conn| query(conn, &statement, rows_max))
    }

    async fn commit(&self, batch: Batch) -> Result<Committed, CommitError> {
        self.write(batch).await
    }
}

fn query(conn: &Connection, statement: &Statement, rows_max: usize) -> Result<Vec<Row>> {
    let mut prepared = apply::prepare(conn, statement)?;
    if !prepared.readonly() {
        return Err(Error::internal(format!("a fetch that writes: {}", statement.text())));
    }
    let columns: Arc<[Box<str>]> = prepared.column_names().map(Box::from).collect();
    let mut rows = prepared.raw_query();
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(serving)? {
        if found.len() == rows_max {
            return Err(Error::internal(format!("more than {rows_max} rows for: {}", statement.text())));
        }
        let mut values = Vec::with_capacity(columns.len());
        for at in 0..columns.len() {
            values.push(value(row.get_ref(at).map_err(serving)?)?);
        }
        found.push(Row { columns: Arc::clone(&columns), values });
    }
    Ok(found)
}

pub(super) fn value(value: ValueRef<'_>) -> Result<Value> {
    match value {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(int) => Ok(Value::Int(int)),
        ValueRef::Text(text) => {
            let text = std::str::from_utf8(text).map_err(Error::internal)?;
            Ok(Value::Text(text.to_owned()))
        }
        ValueRef::Blob(bytes) => Ok(Value::Blob(bytes.to_vec())),
        ValueRef::Real(real) => {
            Err(Error::internal(format!("a column holds the fraction {real}; use BIGINT with a unit")))
        }
    }
}
