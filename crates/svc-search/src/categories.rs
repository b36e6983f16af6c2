//! The names of categories, which stand beside the index: facets are counted by id.

use std::collections::HashMap;

use contract::souk::product::v1::Category;

use crate::domain::{Word, plain_words, stem};

/// The most levels that are followed.
const DEPTH_MAX: usize = 16;

/// Categories by id, in the order they are shown in.
#[derive(Clone, Debug, Default)]
pub struct Categories {
    by_id: HashMap<String, Category>,
    order: Vec<String>,
}

impl Categories {
    /// These categories. Their paths are made anew, since the slug of a parent may have changed.
    pub fn new(categories: impl IntoIterator<Item = Category>) -> Self {
        let mut by_id: HashMap<_, _> =
            categories.into_iter().map(|category| (category.category_id.clone(), category)).collect();
        let paths: Vec<(String, String)> = by_id.keys().map(|id| (id.clone(), path(&by_id, id))).collect();
        for (id, path) in paths {
            if let Some(category) = by_id.get_mut(&id) {
                category.path = path;
            }
        }
        let mut order: Vec<String> = by_id.keys().cloned().collect();
        order.sort_by_cached_key(|id| place(&by_id, id));
        Self { by_id, order }
    }

    /// With a category as it is now; an older version changes nothing.
    pub fn with(&self, category: Category) -> Self {
        if self.by_id.get(&category.category_id).is_some_and(|known| known.version > category.version) {
            return self.clone();
        }
        let mut by_id = self.by_id.clone();
        by_id.insert(category.category_id.clone(), category);
        Self::new(by_id.into_values())
    }

    /// Without a category.
    pub fn without(&self, id: &str) -> Self {
        Self::new(self.by_id.values().filter(|known| known.category_id != id).cloned())
    }

    /// All, parents before children.
    pub fn iter(&self) -> impl Iterator<Item = &Category> {
        self.order.iter().filter_map(|id| self.by_id.get(id))
    }

    /// Those whose name has a word that begins with each word typed, at most `limit`.
    pub fn beginning(&self, typed: &[Word], limit: usize) -> Vec<&Category> {
        let fits = |category: &&Category| {
            let name = plain_words(&category.name);
            let begins = |word: &Word| {
                name.iter().any(|own| own.starts_with(word.typed.as_str()) || stem(own) == word.text)
            };
            !typed.is_empty() && typed.iter().all(begins)
        };
        self.iter().filter(fits).take(limit).collect()
    }
}

/// A category and those above it, from the top.
fn line<'a>(by_id: &'a HashMap<String, Category>, id: &str) -> Vec<&'a Category> {
    let mut line = Vec::new();
    let mut next = by_id.get(id);
    while let Some(category) = next.filter(|_| line.len() < DEPTH_MAX) {
        line.push(category);
        next = by_id.get(&category.parent_id);
    }
    line.reverse();
    line
}

/// Slugs from the top, joined by "/".
fn path(by_id: &HashMap<String, Category>, id: &str) -> String {
    line(by_id, id).iter().map(|category| category.slug.as_str()).collect::<Vec<_>>().join("/")
}

/// Where a category stands: positions and names from the top.
fn place(by_id: &HashMap<String, Category>, id: &str) -> Vec<(i32, String, String)> {
    let line = line(by_id, id).into_iter();
    line.map(|category| (category.position, category.name.clone(), category.category_id.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn category(id: &str, parent: &str, name: &str, version: i64) -> Category {
        Category {
            category_id: id.into(),
            parent_id: parent.into(),
            name: name.into(),
            version,
            ..Category::default()
        }
    }

    #[test]
    fn parents_stand_before_children_and_newer_before_older() {
        let all = Categories::new([
            category("m", "k", "Mugs", 1),
            category("b", "k", "Bowls", 1),
            category("k", "", "Kitchen", 2),
        ]);
        let names = |all: &Categories| all.iter().map(|category| category.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&all), ["Kitchen", "Bowls", "Mugs"]);
        let all = all.with(category("k", "", "Cook", 1)).with(category("b", "k", "Dishes", 2));
        assert_eq!(names(&all), ["Kitchen", "Dishes", "Mugs"]);
        assert_eq!(names(&all.without("m")), ["Kitchen", "Dishes"]);
        assert_eq!(all.beginning(&crate::domain::query_words("dish"), 5)[0].category_id, "b");
        assert!(all.beginning(&[], 5).is_empty());
    }
}
