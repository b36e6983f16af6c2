//! The tree of categories: few enough to be kept whole in memory, changed one at a time.

use std::sync::Arc;

use kernel::{CategoryId, Error, Result};
use store::{CommitError, Document, Index, List, NewEvent, Put, RequestKey, Value};

use super::{Catalogue, version_conflict};
use crate::domain::{Category, CategoryDraft, Tree};

/// Categories read at once when the tree is read.
const READ_PAGE: u32 = 100;

impl Document for Category {
    const KIND: &'static str = "category";
    const INDEXES: &'static [Index] = &[Index::unique("place")];

    fn keys(&self) -> Vec<(&'static str, Value)> {
        let parent = self.parent.map_or_else(|| "top".to_owned(), |parent| parent.to_string());
        let place = (!self.removed).then(|| format!("{parent}/{}", self.slug));
        vec![("place", place.into())]
    }
}

/// A category and its version, or the answer a request got before.
pub enum SavedCategory {
    /// It is durable.
    Done(Category, i64),
    /// The request was done before: here is its answer.
    Replayed(Vec<u8>),
}

/// Event and remembered answer of a category's write; made from the tree after it and the version.
pub type CategoryEffects<'a> =
    &'a (dyn Fn(&Tree, &Category, i64) -> (NewEvent, Option<(RequestKey, Vec<u8>)>) + Send + Sync);

impl Catalogue {
    /// The tree as it is now.
    #[must_use]
    pub fn tree(&self) -> Arc<Tree> {
        Arc::clone(&self.0.tree.read())
    }

    pub(super) async fn read_tree(&self) -> Result<()> {
        let mut all = Vec::new();
        let mut after = None;
        loop {
            let list = List { index: None, equals: None, after, limit: READ_PAGE };
            let page = self.0.categories.list(list).await?;
            let items = page.items.into_iter().filter(|found| !found.value.removed);
            all.extend(items.map(|found| (found.value, found.version)));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        *self.0.tree.write() = Arc::new(Tree::new(all));
        Ok(())
    }

    /// Writes a new category below `parent`.
    ///
    /// # Errors
    /// `CATEGORY_NOT_FOUND`, `TOO_MANY_CATEGORIES`, `SLUG_TAKEN`.
    pub async fn create_category(
        &self,
        id: CategoryId,
        parent: Option<CategoryId>,
        draft: CategoryDraft,
        effects: CategoryEffects<'_>,
    ) -> Result<SavedCategory> {
        let writing = Arc::clone(&self.0.category_writes).lock_owned().await;
        let tree = self.tree();
        tree.admits(parent)?;
        let CategoryDraft { name, slug, position } = draft;
        let category = Category { id, parent, name, slug, position, removed: false };
        let after = Arc::new(tree.with(category.clone(), 1));
        let (event, remember) = effects(&after, &category, 1);
        let put = Put::create(id.to_string(), category.clone()).event(event);
        self.put_category(writing, with_key(put, remember), after, category).await
    }

    /// Finds the category of these names from the top, and makes what is missing.
    ///
    /// # Errors
    /// `TOO_MANY_CATEGORIES`, or what is wrong with a name.
    pub async fn ensure_path(
        &self,
        names: &[&str],
        mut id: impl FnMut() -> CategoryId,
        effects: CategoryEffects<'_>,
    ) -> Result<CategoryId> {
        let mut parent = None;
        for name in names {
            let draft = CategoryDraft::check(name, "", 0)?;
            let tree = self.tree();
            let known = tree.child_named(parent, &draft.name).or_else(|| tree.child(parent, &draft.slug));
            let known = known.map(|category| category.id);
            let next = match known {
                Some(known) => known,
                None => match self.create_category(id(), parent, draft.clone(), effects).await {
                    Ok(SavedCategory::Done(made, _)) => made.id,
                    // Somebody made it meanwhile.
                    Ok(SavedCategory::Replayed(_)) => {
                        return Err(Error::internal("a path has no request key"));
                    }
                    Err(error) if error.reason() == "SLUG_TAKEN" => {
                        self.tree().child(parent, &draft.slug).map(|category| category.id).ok_or(error)?
                    }
                    Err(error) => return Err(error),
                },
            };
            parent = Some(next);
        }
        parent.ok_or_else(|| Error::invalid("INVALID_ARGUMENT", "has no name"))
    }

    /// Writes a category's new name, slug and position.
    ///
    /// # Errors
    /// `CATEGORY_NOT_FOUND`, `VERSION_CONFLICT`, `SLUG_TAKEN`.
    pub async fn update_category(
        &self,
        id: CategoryId,
        seen: i64,
        draft: CategoryDraft,
        effects: CategoryEffects<'_>,
    ) -> Result<SavedCategory> {
        let writing = Arc::clone(&self.0.category_writes).lock_owned().await;
        let tree = self.tree();
        let before = known(&tree, id, seen)?;
        let CategoryDraft { name, slug, position } = draft;
        let category = Category { name, slug, position, ..before };
        let after = Arc::new(tree.with(category.clone(), seen + 1));
        let (event, remember) = effects(&after, &category, seen + 1);
        let put = Put::replace(id.to_string(), seen, category.clone()).event(event);
        self.put_category(writing, with_key(put, remember), after, category).await
    }

    /// Which of these are no categories now, nor were any.
    ///
    /// # Errors
    /// The store's.
    pub async fn never_categories(&self, ids: &[CategoryId]) -> Result<Vec<CategoryId>> {
        let tree = self.tree();
        let mut unknown: Vec<CategoryId> = ids.iter().copied().filter(|id| tree.get(*id).is_none()).collect();
        if !unknown.is_empty() {
            let names: Vec<String> = unknown.iter().map(ToString::to_string).collect();
            let found = self.0.categories.get_many(&names).await?;
            unknown.retain(|id| !found.iter().any(|found| found.value.id == *id));
        }
        Ok(unknown)
    }

    /// Notes as removed what products name and is no category: earlier releases kept nothing of one that was removed. To be
    /// done once for a database of such a release; later, a category that is gone was not removed by the service.
    ///
    /// # Errors
    /// The store's.
    pub async fn adopt_removed(&self) -> Result<()> {
        let mut after = None;
        loop {
            let page = self.list(None, after, READ_PAGE).await?;
            for found in &page.items {
                for id in self.never_categories(&found.product.categories).await? {
                    let (name, slug) = (String::new(), String::new());
                    let gone = Category { id, parent: None, name, slug, position: 0, removed: true };
                    match self.0.categories.put(Put::create(id.to_string(), gone)).await {
                        Ok(_) | Err(CommitError::Duplicate { .. }) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Removes a category that has none below it. What is left says that there was one.
    ///
    /// # Errors
    /// `CATEGORY_NOT_FOUND`, `CATEGORY_NOT_EMPTY`, `VERSION_CONFLICT`.
    pub async fn delete_category(
        &self,
        id: CategoryId,
        seen: i64,
        effects: CategoryEffects<'_>,
    ) -> Result<SavedCategory> {
        let writing = Arc::clone(&self.0.category_writes).lock_owned().await;
        let tree = self.tree();
        let category = known(&tree, id, seen)?;
        if tree.has_children(id) {
            return Err(
                Error::precondition("CATEGORY_NOT_EMPTY", "has categories below it").at("/category_id")
            );
        }
        let (event, remember) = effects(&tree, &category, seen + 1);
        let gone = Category { removed: true, ..category.clone() };
        let put = Put::replace(id.to_string(), seen, gone).event(event);
        let after = Arc::new(tree.without(id));
        self.put_category(writing, with_key(put, remember), after, category).await
    }

    /// Writes and then shows the new tree. It runs on even when the caller leaves, since the write may; the next change
    /// waits for it all the same.
    async fn put_category(
        &self,
        writing: tokio::sync::OwnedMutexGuard<()>,
        put: Put<Category>,
        after: Arc<Tree>,
        category: Category,
    ) -> Result<SavedCategory> {
        let catalogue = self.clone();
        let write = async move {
            let _writing = writing;
            let put = catalogue.0.categories.put(put).await;
            match &put {
                Ok(_) => *catalogue.0.tree.write() = after,
                Err(_) => catalogue.read_tree().await.map_err(CommitError::Failed)?,
            }
            put
        };
        match super::finish(tokio::spawn(write).await) {
            Ok(version) => Ok(SavedCategory::Done(category, version)),
            Err(CommitError::Replayed(answer)) => Ok(SavedCategory::Replayed(answer)),
            Err(CommitError::Duplicate { label }) if label == "place" => {
                Err(Error::exists("SLUG_TAKEN", "belongs to another category here").at("/slug"))
            }
            Err(CommitError::Duplicate { .. } | CommitError::Unexpected { .. }) => Err(version_conflict()),
            Err(error) => Err(error.into()),
        }
    }
}

fn known(tree: &Tree, id: CategoryId, seen: i64) -> Result<Category> {
    let Some((category, version)) = tree.get(id) else {
        return Err(Error::not_found("CATEGORY_NOT_FOUND", "is not a category").at("/category_id"));
    };
    if *version != seen {
        return Err(version_conflict());
    }
    Ok(category.clone())
}

fn with_key(put: Put<Category>, remember: Option<(RequestKey, Vec<u8>)>) -> Put<Category> {
    match remember {
        Some((key, answer)) => put.remember(key, answer),
        None => put,
    }
}
