//! The typed handle over a kind of documents.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::marker::PhantomData;
use std::sync::Arc;

use kernel::{Error, Page, Result};
use tokio::sync::Mutex;

use super::{
    Change, DOC_BYTES_MAX, DOCS_GET_MAX, DOCS_LIST_MAX, DeclaredKind, Document, List, Put, UPDATE_TRIES_MAX,
    Updated, Versioned, cursor,
};
use crate::batch::RequestKey;
use crate::docs::Ready;
use crate::engine::{DocChange, DocQuery, DocRow, DocWrite, DocsEngine};
use crate::error::CommitError;
use crate::timings::{Operation, Timings};
use crate::value::Value;

/// Turns that updates of the same document take after they met each other.
const TURNS: usize = 64;

/// Documents of one kind.
pub struct Docs<T> {
    shared: Arc<Shared>,
    kind: PhantomData<fn() -> T>,
}

/// What the handles of one database share.
pub(crate) struct Shared {
    engine: Arc<dyn DocsEngine>,
    timings: Arc<Timings>,
    ready: Ready,
    /// An update that lost a race waits for its turn before it tries again, so that many updates of one document do not
    /// starve each other. Only an optimisation: the version precondition decides.
    turns: [Mutex<()>; TURNS],
}

impl Shared {
    pub(crate) fn new(engine: Arc<dyn DocsEngine>, timings: Arc<Timings>) -> Self {
        Self { engine, timings, ready: Ready::default(), turns: std::array::from_fn(|_| Mutex::new(())) }
    }

    /// Makes a kind known, which is made ready at its first use.
    pub(crate) fn declare<T: Document>(&self) {
        self.ready.declare::<T>();
    }

    /// The kinds that are known.
    pub(crate) fn declared(&self) -> Vec<DeclaredKind> {
        self.ready.declared()
    }

    /// Makes a kind ready to be read.
    pub(crate) async fn prepare<T: Document>(&self) -> Result<()> {
        self.ready.ensure::<T>(&*self.engine).await
    }
}

impl<T> Clone for Docs<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), kind: PhantomData }
    }
}

impl<T: Document> Docs<T> {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, kind: PhantomData }
    }

    async fn engine(&self) -> Result<&dyn DocsEngine> {
        let engine = &*self.shared.engine;
        self.shared.ready.ensure::<T>(engine).await?;
        Ok(engine)
    }

    async fn read<R>(&self, reading: impl Future<Output = R>) -> R {
        self.shared.timings.measure(Operation::Read, reading).await
    }

    /// A document by its id.
    ///
    /// # Errors
    /// When the store fails, or the document does not read as a `T`.
    pub async fn get(&self, id: &str) -> Result<Option<Versioned<T>>> {
        let ids = [id.to_owned()];
        let rows = self.read(self.engine().await?.get(T::KIND, &ids)).await?;
        rows.into_iter().next().map(versioned).transpose()
    }

    /// Documents by id, at most [`DOCS_GET_MAX`], in the order of `ids`; those that are not there are left out.
    ///
    /// # Errors
    /// When the store fails, there are too many ids, or a document does not read as a `T`.
    pub async fn get_many(&self, ids: &[String]) -> Result<Vec<Versioned<T>>> {
        if ids.len() > DOCS_GET_MAX {
            return Err(Error::internal(format!("{} ids at once, at most {DOCS_GET_MAX}", ids.len())));
        }
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.read(self.engine().await?.get(T::KIND, ids)).await?;
        let mut by_id: HashMap<String, DocRow> = rows.into_iter().map(|row| (row.id.clone(), row)).collect();
        ids.iter().filter_map(|id| by_id.remove(id)).map(versioned).collect()
    }

    /// The document with a value in a unique index.
    ///
    /// # Errors
    /// When the store fails, there is no such unique index, or the document does not read as a `T`.
    pub async fn find(&self, index: &'static str, value: impl Into<Value>) -> Result<Option<Versioned<T>>> {
        Ok(self.find_many(index, &[value.into()]).await?.into_iter().next())
    }

    /// The documents with these values in a unique index, at most [`DOCS_GET_MAX`], in the order of `values`; values that
    /// no document has are left out.
    ///
    /// # Errors
    /// When the store fails, there are too many values or no such unique index, or a document does not read as a `T`.
    pub async fn find_many(&self, index: &'static str, values: &[Value]) -> Result<Vec<Versioned<T>>> {
        if values.len() > DOCS_GET_MAX {
            return Err(Error::internal(format!("{} values at once, at most {DOCS_GET_MAX}", values.len())));
        }
        if !T::INDEXES.iter().any(|declared| declared.name == index && declared.unique) {
            return Err(Error::internal(format!("{} has no unique index {index:?}", T::KIND)));
        }
        if values.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = self.read(self.engine().await?.find(T::KIND, index, values)).await?;
        if values.len() == 1 {
            return found.into_iter().map(|(_, row)| versioned(row)).collect();
        }
        let mut ordered = Vec::with_capacity(found.len());
        for value in values {
            if let Some(at) = found.iter().position(|(key, _)| key == value) {
                ordered.push(versioned(found.swap_remove(at).1)?);
            }
        }
        Ok(ordered)
    }

    /// A page of documents.
    ///
    /// # Errors
    /// When the store fails, the index is not declared, the limit is out of range, or a document does not read as a `T`;
    /// `INVALID_CURSOR` when `after` is none.
    pub async fn list(&self, list: List) -> Result<Page<Versioned<T>>> {
        if let Some(index) = list.index
            && !T::INDEXES.iter().any(|declared| declared.name == index)
        {
            return Err(Error::internal(format!("{} has no index {index:?}", T::KIND)));
        }
        if !(1..=DOCS_LIST_MAX).contains(&list.limit) || (list.equals.is_some() && list.index.is_none()) {
            return Err(Error::internal("a list needs a limit of 1 to 1000, and an index for a value"));
        }
        let after = list.after.as_deref().map(cursor::decode).transpose()?;
        let by_value = list.index.is_some() && list.equals.is_none();
        if after.as_ref().is_some_and(|(value, _)| value.is_null() == by_value) {
            return Err(cursor::invalid());
        }
        // One more than wanted tells whether there is a next page.
        let query = DocQuery { index: list.index, equals: list.equals, after, limit: list.limit + 1 };
        let mut rows = self.read(self.engine().await?.list(T::KIND, query)).await?;
        let more = rows.len() > list.limit as usize;
        rows.truncate(list.limit as usize);
        let next = if more { rows.last().map(|(value, row)| cursor::encode(value, &row.id)) } else { None };
        let items = rows.into_iter().map(|(_, row)| versioned(row)).collect::<Result<_>>()?;
        Ok(Page { items, next })
    }

    /// Writes a document; returns its new version (0 when it was removed).
    ///
    /// # Errors
    /// `Duplicate` labelled `id` or by the unique index that is taken; `Unexpected` labelled `version` when the document
    /// does not have the version that was seen; what goes along fails as in [`crate::Sql::commit`].
    pub async fn put(&self, put: Put<T>) -> Result<i64, CommitError> {
        let version = put.version();
        let change = match put.change {
            Change::Create(value) => DocChange::Create { body: body(&value)?, keys: keys(&value) },
            Change::Replace(seen, value) => {
                DocChange::Replace { seen, body: body(&value)?, keys: keys(&value) }
            }
            Change::Delete(seen) => DocChange::Delete { seen },
        };
        let write = DocWrite { kind: T::KIND, indexes: T::INDEXES, id: put.id, change, effects: put.effects };
        let writing = self.engine().await?.put(write);
        self.shared.timings.measure(Operation::Commit, writing).await?;
        Ok(version)
    }

    /// The remembered answer of a request.
    ///
    /// # Errors
    /// `IDEMPOTENCY_KEY_REUSED` when the key was used for another request; when the store fails.
    pub async fn answer(&self, key: &RequestKey) -> Result<Option<Vec<u8>>> {
        crate::sql::answer(&*self.shared.engine, key).await
    }

    /// Reads a document, decides, and writes on the version that was read; starts over when it changed in between, at
    /// most [`UPDATE_TRIES_MAX`] times. `decide` may therefore run several times and must not do anything else.
    ///
    /// # Errors
    /// What `decide` returns; `VERSION_CONFLICT` when it keeps changing; otherwise as [`Docs::put`].
    pub async fn update<R>(
        &self,
        id: &str,
        mut decide: impl FnMut(Option<&Versioned<T>>) -> Result<(Option<Put<T>>, R)>,
    ) -> Result<Updated<R>> {
        let mut turn = None;
        for _ in 0..UPDATE_TRIES_MAX {
            let found = self.get(id).await?;
            let (put, outcome) = decide(found.as_ref())?;
            let Some(put) = put else {
                return Ok(Updated::Done(outcome, found.map_or(0, |found| found.version)));
            };
            match self.put(put).await {
                Ok(version) => return Ok(Updated::Done(outcome, version)),
                Err(CommitError::Replayed(answer)) => return Ok(Updated::Replayed(answer)),
                Err(CommitError::Unexpected { label, .. }) if label == "version" => {}
                Err(CommitError::Duplicate { label }) if label == "id" && found.is_none() => {}
                Err(error) => return Err(error.into()),
            }
            if turn.is_none() {
                turn = Some(self.turn(id).lock().await);
            }
        }
        Err(CommitError::Unexpected { label: "version".to_owned(), rows: 0 }.into())
    }

    fn turn(&self, id: &str) -> &Mutex<()> {
        let mut hasher = DefaultHasher::new();
        (T::KIND, id).hash(&mut hasher);
        let at = usize::try_from(hasher.finish() % TURNS as u64).unwrap_or(0);
        &self.shared.turns[at]
    }
}

fn body<T: Document>(value: &T) -> Result<String> {
    let body = serde_json::to_string(value).map_err(Error::internal)?;
    if body.len() > DOC_BYTES_MAX {
        let message = format!("a {} of {} bytes is too large, at most {DOC_BYTES_MAX}", T::KIND, body.len());
        return Err(Error::invalid("DOCUMENT_TOO_LARGE", message));
    }
    Ok(body)
}

/// The values of all declared indexes, in their order.
pub(crate) fn keys<T: Document>(value: &T) -> Vec<Value> {
    let mut given = value.keys();
    let take = |index: &super::Index| match given.iter().position(|(name, _)| *name == index.name) {
        Some(at) => given.swap_remove(at).1,
        None => Value::Null,
    };
    let keys = T::INDEXES.iter().map(take).collect();
    debug_assert!(given.is_empty(), "{} gives keys of indexes that it does not declare: {given:?}", T::KIND);
    keys
}

fn versioned<T: Document>(row: DocRow) -> Result<Versioned<T>> {
    let value = parse(T::KIND, &row)?;
    Ok(Versioned { id: row.id, version: row.version, value })
}

pub(super) fn parse<T: Document>(kind: &str, row: &DocRow) -> Result<T> {
    serde_json::from_str(&row.body)
        .map_err(|cause| Error::internal(format!("{kind} {} does not read: {cause}", row.id)))
}
