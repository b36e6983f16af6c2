//! Categories: a tree that is small enough to be known whole.

use std::collections::HashMap;

use kernel::{CategoryId, Error, Result, Violations};
use serde::{Deserialize, Serialize};

use super::limits::{CATEGORY_NAME_CHARS_MAX, DEPTH_MAX};
use super::slug::{slug_is_good, slugify};

/// The most categories there are.
pub const CATEGORIES_MAX: usize = 2_000;
/// Greatest place of a category among its siblings.
const POSITION_MAX: i32 = 1_000_000;

/// A category. Its parent never changes, so that a product's trail stays true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// Its id.
    pub id: CategoryId,
    /// The category above; `None` at the top.
    pub parent: Option<CategoryId>,
    /// What it is called.
    pub name: String,
    /// Its name in addresses, unique among its siblings.
    pub slug: String,
    /// Where it stands among its siblings, small first.
    pub position: i32,
    /// Whether it was removed: products go on naming it until they change.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
}

/// Name, slug and position of a category, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CategoryDraft {
    /// What it is called.
    pub name: String,
    /// Its name in addresses.
    pub slug: String,
    /// Where it stands among its siblings.
    pub position: i32,
}

impl CategoryDraft {
    /// Checks a name of 1 to 100 characters, a slug (made from the name when empty) and a position of 0 to 1,000,000.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` naming `/name`, `/slug` or `/position`.
    pub fn check(name: &str, slug: &str, position: i32) -> Result<Self> {
        let mut violations = Violations::new();
        let name = violations.text("/name", name, CATEGORY_NAME_CHARS_MAX);
        let slug = if slug.is_empty() { slugify(&name, "category") } else { slug.to_owned() };
        violations.check(
            slug_is_good(&slug),
            "/slug",
            "must be lower-case letters, digits and single hyphens",
        );
        violations.check(
            (0..=POSITION_MAX).contains(&position),
            "/position",
            "must be between 0 and 1000000",
        );
        violations.finish()?;
        Ok(Self { name, slug, position })
    }
}

/// All categories with their versions, as they were at one moment.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    nodes: HashMap<CategoryId, (Category, i64)>,
    children: HashMap<Option<CategoryId>, Vec<CategoryId>>,
}

impl Tree {
    /// A tree of these categories and versions.
    #[must_use]
    pub fn new(categories: impl IntoIterator<Item = (Category, i64)>) -> Self {
        let nodes: HashMap<_, _> =
            categories.into_iter().map(|(category, version)| (category.id, (category, version))).collect();
        let mut children: HashMap<_, Vec<CategoryId>> = HashMap::new();
        for (category, _) in nodes.values() {
            children.entry(category.parent).or_default().push(category.id);
        }
        for siblings in children.values_mut() {
            siblings.sort_by(|a, b| {
                let (a, b) = (&nodes[a].0, &nodes[b].0);
                (a.position, &a.name, a.id).cmp(&(b.position, &b.name, b.id))
            });
        }
        Self { nodes, children }
    }

    /// The tree with a category put in or replaced.
    #[must_use]
    pub fn with(&self, category: Category, version: i64) -> Self {
        let mut nodes = self.nodes.clone();
        nodes.insert(category.id, (category, version));
        Self::new(nodes.into_values())
    }

    /// The tree without a category.
    #[must_use]
    pub fn without(&self, id: CategoryId) -> Self {
        Self::new(self.nodes.values().filter(|(category, _)| category.id != id).cloned())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// A category and its version.
    #[must_use]
    pub fn get(&self, id: CategoryId) -> Option<&(Category, i64)> {
        self.nodes.get(&id)
    }

    /// The category of this slug below `parent`.
    #[must_use]
    pub fn child(&self, parent: Option<CategoryId>, slug: &str) -> Option<&Category> {
        self.children.get(&parent)?.iter().map(|id| &self.nodes[id].0).find(|child| child.slug == slug)
    }

    /// The category below another, or at the top, that is called so. Its slug may be of an older rule or chosen by hand.
    #[must_use]
    pub fn child_named(&self, parent: Option<CategoryId>, name: &str) -> Option<&Category> {
        self.children.get(&parent)?.iter().map(|id| &self.nodes[id].0).find(|child| child.name == name)
    }

    /// Whether anything stands below it.
    #[must_use]
    pub fn has_children(&self, id: CategoryId) -> bool {
        self.children.contains_key(&Some(id))
    }

    /// The category and those above it, from the top. Empty when it is not there.
    #[must_use]
    pub fn line(&self, id: CategoryId) -> Vec<&Category> {
        let mut line = Vec::new();
        let mut next = Some(id);
        while let Some((category, _)) = next.and_then(|id| self.nodes.get(&id)) {
            line.push(category);
            next = if line.len() < DEPTH_MAX { category.parent } else { None };
        }
        line.reverse();
        line
    }

    /// Slugs from the top to it, joined by "/".
    #[must_use]
    pub fn path(&self, id: CategoryId) -> String {
        self.line(id).iter().map(|category| category.slug.as_str()).collect::<Vec<_>>().join("/")
    }

    /// The categories and all above them, each once, parents first.
    #[must_use]
    pub fn trail(&self, ids: &[CategoryId]) -> Vec<CategoryId> {
        let mut trail = Vec::new();
        for category in ids.iter().flat_map(|id| self.line(*id)) {
            if !trail.contains(&category.id) {
                trail.push(category.id);
            }
        }
        trail
    }

    /// `root` (or every top category) and all below, parents before children, siblings by position and name.
    #[must_use]
    pub fn walk(&self, root: Option<CategoryId>) -> Vec<&(Category, i64)> {
        let mut found = Vec::new();
        let mut todo: Vec<CategoryId> = match root {
            Some(root) => vec![root],
            None => {
                self.children.get(&None).map(|top| top.iter().rev().copied().collect()).unwrap_or_default()
            }
        };
        while let Some(id) = todo.pop() {
            found.extend(self.nodes.get(&id));
            if let Some(children) = self.children.get(&Some(id)) {
                todo.extend(children.iter().rev());
            }
        }
        found
    }

    /// Whether a category may be made below `parent`.
    ///
    /// # Errors
    /// `CATEGORY_NOT_FOUND` at `/parent_id`, `TOO_MANY_CATEGORIES`, or `INVALID_ARGUMENT` when it would be too deep.
    pub fn admits(&self, parent: Option<CategoryId>) -> Result<()> {
        if self.nodes.len() >= CATEGORIES_MAX {
            return Err(Error::precondition("TOO_MANY_CATEGORIES", "there are 2000 categories already"));
        }
        let Some(parent) = parent else { return Ok(()) };
        match self.line(parent).len() {
            0 => Err(Error::not_found("CATEGORY_NOT_FOUND", "is not a category").at("/parent_id")),
            DEPTH_MAX.. => {
                Err(Error::field("/parent_id", "INVALID_ARGUMENT", "must not be on the lowest of 8 levels"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn category(id: u128, parent: Option<u128>, name: &str, position: i32) -> (Category, i64) {
        let (id, parent) = (CategoryId::from_bits(id), parent.map(CategoryId::from_bits));
        (Category { id, parent, name: name.into(), slug: slugify(name, "c"), position, removed: false }, 1)
    }

    #[test]
    fn the_tree_is_walked_parents_first_and_siblings_in_order() {
        let tree = Tree::new([
            category(1, None, "Kitchen", 2),
            category(2, Some(1), "Mugs", 1),
            category(3, Some(1), "Bowls", 1),
            category(4, None, "Bath", 1),
        ]);
        let names: Vec<_> = tree.walk(None).iter().map(|(category, _)| category.name.as_str()).collect();
        assert_eq!(names, ["Bath", "Kitchen", "Bowls", "Mugs"]);
        assert_eq!(tree.path(CategoryId::from_bits(2)), "kitchen/mugs");
        let trail = tree.trail(&[CategoryId::from_bits(2), CategoryId::from_bits(3)]);
        assert_eq!(trail, [1, 2, 3].map(CategoryId::from_bits));
    }

    #[test]
    fn a_category_is_known_by_its_name_whatever_its_slug() {
        let (mut sizes, version) = category(2, Some(1), "Größen", 0);
        sizes.slug = "groessen".into();
        let tree = Tree::new([category(1, None, "Kitchen", 0), (sizes, version)]);
        let kitchen = Some(CategoryId::from_bits(1));
        let found = tree.child_named(kitchen, "Größen").map(|category| category.id);
        assert_eq!(
            found,
            Some(CategoryId::from_bits(2)),
            "made before slugs lost the marks of their letters"
        );
        assert!(tree.child_named(kitchen, "Bowls").is_none() && tree.child_named(None, "Größen").is_none());
    }

    #[test]
    fn the_tree_has_a_bottom_and_no_orphans() {
        let deep = (1..=8).map(|n| category(n, (n > 1).then(|| n - 1), "Level", 0));
        let tree = Tree::new(deep);
        assert!(tree.admits(Some(CategoryId::from_bits(7))).is_ok());
        let error = tree.admits(Some(CategoryId::from_bits(8))).expect_err("too deep");
        assert_eq!(error.violations()[0].field, "/parent_id");
        assert_eq!(
            tree.admits(Some(CategoryId::from_bits(99))).expect_err("none").reason(),
            "CATEGORY_NOT_FOUND"
        );
    }

    proptest! {
        #[test]
        fn every_category_is_walked_once(parents in prop::collection::vec(0_u128..40, 1..40)) {
            let nodes = parents.iter().enumerate().map(|(n, parent)| {
                let id = n as u128 + 1;
                category(id, (*parent > 0 && *parent < id).then_some(*parent), "c", 0)
            });
            let tree = Tree::new(nodes);
            let mut seen: Vec<_> = tree.walk(None).iter().map(|(category, _)| category.id).collect();
            seen.sort();
            seen.dedup();
            prop_assert_eq!(seen.len(), tree.len());
        }
    }
}
