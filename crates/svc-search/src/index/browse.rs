//! Answers to questions without words, which many ask and which look at every product: kept until the index changes.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::Hits;
use crate::domain::Ask;

/// The most answers kept; when there are more, memory begins anew.
const ANSWERS_MAX: usize = 64;

/// Answers by question and place, all of one state of the index.
#[derive(Default)]
pub(super) struct Browsed(Mutex<Answers>);

#[derive(Default)]
struct Answers {
    generation: u64,
    kept: HashMap<(Ask, Option<String>), Arc<Hits>>,
}

impl Browsed {
    /// The answer that was given in this state of the index.
    pub(super) fn find(&self, generation: u64, ask: &Ask, place: Option<&String>) -> Option<Arc<Hits>> {
        let answers = self.0.lock();
        if answers.generation != generation {
            return None;
        }
        answers.kept.get(&(ask.clone(), place.cloned())).cloned()
    }

    /// Keeps an answer of this state of the index; one of an older state is not kept.
    pub(super) fn keep(&self, generation: u64, ask: &Ask, place: Option<String>, hits: &Arc<Hits>) {
        let mut answers = self.0.lock();
        if answers.generation > generation {
            return;
        }
        if answers.generation < generation || answers.kept.len() >= ANSWERS_MAX {
            *answers = Answers { generation, kept: HashMap::new() };
        }
        answers.kept.insert((ask.clone(), place), Arc::clone(hits));
    }
}
