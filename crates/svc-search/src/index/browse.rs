//! Answers to questions without words, which many ask and which look at every product: kept until the index changes.

use std::sync::Arc;

use quick_cache::sync::Cache;

use super::Hits;
use crate::domain::Ask;

/// The most answers kept.
const ANSWERS_MAX: usize = 64;

/// Answers by question and place, each with the state of the index that it is of.
pub(super) struct Browsed(Cache<(Ask, Option<String>), (u64, Arc<Hits>)>);

impl Default for Browsed {
    fn default() -> Self {
        Self(Cache::new(ANSWERS_MAX))
    }
}

impl Browsed {
    /// The answer that was given in this state of the index.
    pub(super) fn find(&self, generation: u64, ask: &Ask, place: Option<&String>) -> Option<Arc<Hits>> {
        let (of, hits) = self.0.get(&(ask.clone(), place.cloned()))?;
        (of == generation).then_some(hits)
    }

    /// Keeps an answer of this state of the index.
    pub(super) fn keep(&self, generation: u64, ask: &Ask, place: Option<String>, hits: &Arc<Hits>) {
        self.0.insert((ask.clone(), place), (generation, Arc::clone(hits)));
    }
}
