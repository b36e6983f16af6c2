//! Makes kinds of documents ready at their first use: table, columns, indexes, and keys of documents that are there.

use std::collections::{BTreeMap, HashSet};

use kernel::{Error, Result};
use parking_lot::RwLock;
use tokio::sync::Mutex;

use super::{DeclaredKind, Document, Index};
use crate::engine::{DocKeys, DocQuery, DocsEngine};

/// Documents that are given their keys between two looks at the store.
const BACKFILL_PAGE: u32 = 500;

/// The kinds of a database that are ready.
#[derive(Default)]
pub(crate) struct Ready {
    done: RwLock<HashSet<&'static str>>,
    declared: RwLock<BTreeMap<&'static str, &'static [Index]>>,
    one_at_a_time: Mutex<()>,
}

impl Ready {
    /// Notes a kind that this process has.
    pub(super) fn declare<T: Document>(&self) {
        self.declared.write().insert(T::KIND, T::INDEXES);
    }

    /// The kinds that this process has.
    pub(super) fn declared(&self) -> Vec<DeclaredKind> {
        let done = self.done.read();
        let declared = self.declared.read();
        let declared = declared.iter();
        declared.map(|(kind, indexes)| DeclaredKind { kind, indexes, ready: done.contains(kind) }).collect()
    }

    /// Returns at once when the kind is ready; else makes it so.
    pub(super) async fn ensure<T: Document>(&self, engine: &dyn DocsEngine) -> Result<()> {
        if self.done.read().contains(T::KIND) {
            return Ok(());
        }
        let _turn = self.one_at_a_time.lock().await;
        if self.done.read().contains(T::KIND) {
            return Ok(());
        }
        self.declare::<T>();
        check_names(T::KIND, T::INDEXES)?;
        let missing = engine.prepare(T::KIND, T::INDEXES).await?;
        if !missing.is_empty() {
            backfill::<T>(engine).await?;
            for index in &missing {
                engine.finish(T::KIND, index).await?;
            }
        }
        self.done.write().insert(T::KIND);
        Ok(())
    }
}

/// Writes the keys of every document. New writes carry all keys already, so one pass over the ids is enough; a document
/// that changes under it has its keys from that change.
async fn backfill<T: Document>(engine: &dyn DocsEngine) -> Result<()> {
    let mut after = None;
    loop {
        let query = DocQuery { index: None, equals: None, after, limit: BACKFILL_PAGE };
        let page = engine.list(T::KIND, query).await?;
        let Some((value, last)) = page.last() else { return Ok(()) };
        after = Some((value.clone(), last.id.clone()));
        let mut documents = Vec::with_capacity(page.len());
        for (_, row) in page {
            let value: T = super::handle::parse(T::KIND, &row)?;
            documents.push(DocKeys { id: row.id, version: row.version, keys: value.keys() });
        }
        engine.set_keys(T::KIND, documents).await?;
    }
}

/// Names become parts of statements: refuse what is not a plain word.
fn check_names(kind: &str, indexes: &[Index]) -> Result<()> {
    let plain = |name: &str| {
        name.len() <= 40
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let names = std::iter::once(kind).chain(indexes.iter().map(|index| index.name));
    for name in names {
        if !plain(name) {
            return Err(Error::internal(format!("{name:?} is not a name for documents or an index")));
        }
    }
    Ok(())
}
