//! `DocsEngine` on SQLite: a table per kind, `doc_KIND (id, version, body, k_INDEX…)`.
//!
//! The body is JSON; each declared index has a column of its own, written with the document. Events, request keys and
//! positions are in the same database, so a document needs no tombstone when it is deleted.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use kernel::{Error, Result};
use parking_lot::RwLock;
use rusqlite::Connection;

use super::errors::serving;
use super::rows::value;
use super::{Sqlite, apply};
use crate::batch::{Batch, Committed, Label, Op, Rows};
use crate::docs::Index;
use crate::engine::{DocChange, DocKeys, DocQuery, DocRow, DocWrite, DocsEngine};
use crate::error::CommitError;
use crate::value::{Statement, Value};

/// The statements of the kinds that were written.
#[derive(Default)]
pub(super) struct Kinds(RwLock<HashMap<&'static str, Arc<Texts>>>);

/// The statements of a kind, made once.
struct Texts {
    insert: Arc<str>,
    replace: Arc<str>,
    delete: Arc<str>,
}

impl Kinds {
    fn texts(&self, kind: &'static str, indexes: &[Index]) -> Arc<Texts> {
        if let Some(texts) = self.0.read().get(kind) {
            return Arc::clone(texts);
        }
        let texts = Arc::new(Texts::new(kind, indexes));
        self.0.write().insert(kind, Arc::clone(&texts));
        texts
    }
}

impl Texts {
    fn new(kind: &str, indexes: &[Index]) -> Self {
        let columns: String = indexes.iter().map(|index| format!(", k_{}", index.name)).collect();
        let places = ", ?".repeat(indexes.len());
        let sets: String = indexes.iter().map(|index| format!(", k_{} = ?", index.name)).collect();
        Self {
            insert: format!("INSERT INTO doc_{kind} (id, version, body{columns}) VALUES (?, 1, ?{places})")
                .into(),
            replace: format!(
                "UPDATE doc_{kind} SET version = version + 1, body = ?{sets} WHERE id = ? AND version = ?"
            )
            .into(),
            delete: format!("DELETE FROM doc_{kind} WHERE id = ? AND version = ?").into(),
        }
    }
}

#[async_trait]
impl DocsEngine for Sqlite {
    async fn prepare(&self, kind: &'static str, indexes: &'static [Index]) -> Result<Vec<Index>> {
        let columns = self
            .read(|conn| column(conn, &format!("SELECT name FROM pragma_table_info('doc_{kind}')"), &[]))?;
        if columns.is_empty() {
            return self.create_kind(kind, indexes).await.map(|()| Vec::new());
        }
        let rules = "SELECT name || ' ' || rule FROM souk_index WHERE kind = ?";
        let recorded = self.read(|conn| column(conn, rules, &[kind]))?;
        let mut added = Batch::new();
        let mut missing = Vec::new();
        for index in indexes {
            if !columns.contains(&format!("k_{}", index.name)) {
                added.push_run(Statement::native(format!(
                    "ALTER TABLE doc_{kind} ADD COLUMN k_{}",
                    index.name
                )));
            }
            if !recorded.contains(&format!("{} {}", index.name, rule(index))) {
                missing.push(*index);
            }
        }
        if !added.is_empty() {
            self.write(added).await?;
        }
        Ok(missing)
    }

    async fn set_keys(&self, kind: &'static str, documents: Vec<DocKeys>) -> Result<()> {
        let mut batch = Batch::new();
        for DocKeys { id, version, keys } in documents {
            if keys.is_empty() {
                continue;
            }
            let sets: Vec<String> = keys.iter().map(|(name, _)| format!("k_{name} = ?")).collect();
            let text = format!("UPDATE doc_{kind} SET {} WHERE id = ? AND version = ?", sets.join(", "));
            let values = keys.into_iter().map(|(_, value)| value);
            batch.push_run(Statement::native(text).bind_all(values).bind(id).bind(version));
        }
        self.write(batch).await?;
        Ok(())
    }

    async fn finish(&self, kind: &'static str, index: &Index) -> Result<()> {
        let forget = Statement::native("DELETE FROM souk_index WHERE kind = ? AND name = ?")
            .bind(kind)
            .bind(index.name);
        let drop = Statement::native(format!("DROP INDEX IF EXISTS \"{kind}.{}\"", index.name));
        let batch = with_index(Batch::new().run(forget).run(drop), kind, index);
        match self.write(batch).await {
            Ok(_) => Ok(()),
            Err(CommitError::Duplicate { .. }) => {
                let message =
                    format!("{kind} has documents with the same {}, so it cannot become unique", index.name);
                Err(Error::precondition("INDEX_NOT_UNIQUE", message))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn get(&self, kind: &'static str, ids: &[String]) -> Result<Vec<DocRow>> {
        if let [id] = ids {
            let text = format!("SELECT NULL, id, version, body FROM doc_{kind} WHERE id = ?");
            return self.documents(&Statement::native(text).bind(id)).map(without_values);
        }
        let places = places(ids.len());
        let text = format!("SELECT NULL, id, version, body FROM doc_{kind} WHERE id IN ({})", marks(places));
        let padding = ids.last().into_iter().cycle().take(places - ids.len());
        self.documents(&Statement::native(text).bind_all(ids.iter().chain(padding))).map(without_values)
    }

    async fn find(
        &self,
        kind: &'static str,
        index: &'static str,
        values: &[Value],
    ) -> Result<Vec<(Value, DocRow)>> {
        let places = places(values.len());
        let text = format!(
            "SELECT k_{index}, id, version, body FROM doc_{kind} WHERE k_{index} IN ({})",
            marks(places)
        );
        let padding = values.last().into_iter().cycle().take(places - values.len());
        self.documents(&Statement::native(text).bind_all(values.iter().chain(padding).cloned()))
    }

    async fn list(&self, kind: &'static str, query: DocQuery) -> Result<Vec<(Value, DocRow)>> {
        self.documents(&listing(kind, query))
    }

    async fn put(&self, write: DocWrite) -> Result<Committed, CommitError> {
        let DocWrite { kind, indexes, id, change, effects } = write;
        let texts = self.kinds.texts(kind, indexes);
        let statement = match change {
            DocChange::Create { body, keys } => {
                Statement::native(&texts.insert).bind(id).bind(body).bind_all(keys)
            }
            DocChange::Replace { seen, body, keys } => {
                Statement::native(&texts.replace).bind(body).bind_all(keys).bind(id).bind(seen)
            }
            DocChange::Delete { seen } => Statement::native(&texts.delete).bind(id).bind(seen),
        };
        self.write(Batch {
            ops: vec![Op { statement, rows: Rows::Exactly(1), label: Label::Document }],
            effects,
        })
        .await
    }
}

impl Sqlite {
    async fn create_kind(&self, kind: &'static str, indexes: &[Index]) -> Result<()> {
        let table = table_text(kind, indexes.iter().map(|index| index.name));
        let batch = Batch::new().run(Statement::native(table));
        self.write(indexes.iter().fold(batch, |batch, index| with_index(batch, kind, index))).await?;
        Ok(())
    }

    /// Rows of (value, id, version, body).
    fn documents(&self, statement: &Statement) -> Result<Vec<(Value, DocRow)>> {
        self.read(|conn| {
            let mut prepared = apply::prepare(conn, statement)?;
            let mut rows = prepared.raw_query();
            let mut found = Vec::new();
            while let Some(row) = rows.next().map_err(serving)? {
                let key = value(row.get_ref(0).map_err(serving)?)?;
                let read = || Ok(DocRow { id: row.get(1)?, version: row.get(2)?, body: row.get(3)? });
                found.push((key, read().map_err(serving)?));
            }
            Ok(found)
        })
    }
}

/// Makes an index and records it.
fn with_index(batch: Batch, kind: &'static str, index: &Index) -> Batch {
    let (name, rule) = (index.name, rule(index));
    let create = index_text(kind, name, index.unique);
    let record = Statement::native("INSERT INTO souk_index (kind, name, rule) VALUES (?, ?, ?)");
    batch.run(Statement::native(create)).run(record.bind(kind).bind(name).bind(rule))
}

/// The rule of an index whose values are there once, as it is recorded.
pub(super) const UNIQUE: &str = "unique";

pub(super) fn rule(index: &Index) -> &'static str {
    if index.unique { UNIQUE } else { "plain" }
}

/// The statement that makes the table of a kind with the columns of these indexes.
pub(super) fn table_text<'a>(kind: &str, indexes: impl IntoIterator<Item = &'a str>) -> String {
    let columns: String = indexes.into_iter().map(|index| format!(", k_{index}")).collect();
    format!(
        "CREATE TABLE doc_{kind} (id TEXT PRIMARY KEY NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL{columns})"
    )
}

/// The statement that makes an index of a kind.
pub(super) fn index_text(kind: &str, name: &str, unique: bool) -> String {
    if unique {
        format!("CREATE UNIQUE INDEX \"{kind}.{name}\" ON doc_{kind} (k_{name})")
    } else {
        format!("CREATE INDEX \"{kind}.{name}\" ON doc_{kind} (k_{name}, id)")
    }
}

fn listing(kind: &'static str, query: DocQuery) -> Statement {
    let DocQuery { index, equals, after, limit } = query;
    let text = |columns: &str, condition: &str, order: &str| {
        Statement::native(format!(
            "SELECT {columns}, id, version, body FROM doc_{kind} {condition} ORDER BY {order} LIMIT ?"
        ))
    };
    let statement = match (index, equals, after) {
        (None, _, None) => text("NULL", "", "id"),
        (None, _, Some((_, id))) => text("NULL", "WHERE id > ?", "id").bind(id),
        (Some(k), Some(value), None) => text("NULL", &format!("WHERE k_{k} = ?"), "id").bind(value),
        (Some(k), Some(value), Some((_, id))) => {
            text("NULL", &format!("WHERE k_{k} = ? AND id > ?"), "id").bind(value).bind(id)
        }
        (Some(k), None, None) => {
            text(&format!("k_{k}"), &format!("WHERE k_{k} IS NOT NULL"), &format!("k_{k}, id"))
        }
        (Some(k), None, Some((value, id))) => {
            let condition = format!("WHERE k_{k} >= ? AND (k_{k} > ? OR id > ?)");
            text(&format!("k_{k}"), &condition, &format!("k_{k}, id"))
                .bind(value.clone())
                .bind(value)
                .bind(id)
        }
    };
    statement.bind(limit)
}

/// Places for so many values: the next power of two, the rest filled with the last value, so that few statements differ.
fn places(values: usize) -> usize {
    values.next_power_of_two()
}

fn marks(places: usize) -> String {
    let mut marks = "?, ".repeat(places);
    marks.truncate(marks.len().saturating_sub(2));
    marks
}

fn without_values(rows: Vec<(Value, DocRow)>) -> Vec<DocRow> {
    rows.into_iter().map(|(_, row)| row).collect()
}

/// The texts of the one column of a query.
fn column(conn: &Connection, text: &str, values: &[&str]) -> Result<Vec<String>> {
    let mut prepared = conn.prepare(text).map_err(serving)?;
    let rows = prepared.query_map(rusqlite::params_from_iter(values), |row| row.get(0));
    rows.and_then(Iterator::collect).map_err(serving)
}
