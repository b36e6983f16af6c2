//! Facts of a product: what it can be found by, as many as the catalogue takes.

use std::collections::{BTreeMap, BTreeSet};

use kernel::OPTION_VALUE_CHARS_MAX;
use kernel::text::{self, Lines};
use svc_product::domain::limits::{ATTRIBUTE_NAME_CHARS_MAX, ATTRIBUTES_MAX};

use super::{Item, cut, note};
use crate::import::product_rows::Values;

/// Facts that are gathered, the more important ones first.
#[derive(Default)]
pub struct Facts {
    facts: BTreeMap<String, BTreeSet<String>>,
    count: usize,
    left_out: usize,
    cut: usize,
}

impl Facts {
    /// Adds values of one name. Those that differ only by what nobody sees are one, and those that show nothing are none.
    pub fn add(&mut self, name: &str, values: impl IntoIterator<Item = impl AsRef<str>>) {
        let mut clean = |text: &str, chars_max| {
            let text = text::clean(text, Lines::One).ok()?;
            self.cut += usize::from(text.chars().count() > chars_max);
            Some(cut(&text, chars_max))
        };
        let Some(name) = clean(name, ATTRIBUTE_NAME_CHARS_MAX) else { return };
        let values = values.into_iter().filter_map(|value| clean(value.as_ref(), OPTION_VALUE_CHARS_MAX));
        // In the order of the alphabet, so that the same ones are left out of the same list.
        let values: BTreeSet<String> = values.filter(|value| !value.is_empty()).collect();
        for value in values {
            let facts = self.facts.entry(name.clone()).or_default();
            if facts.contains(&value) {
                continue;
            }
            if self.count == ATTRIBUTES_MAX {
                self.left_out += 1;
                continue;
            }
            self.count += 1;
            facts.insert(value);
        }
    }

    /// The facts; it is told how many are left out.
    pub fn finish(self, line: u64, column: &str, notes: &mut Vec<Item>) -> BTreeMap<String, Values> {
        if self.left_out > 0 {
            let (left_out, all) = (self.left_out, self.left_out + self.count);
            let reason = format!(
                "is of a product with {all} facts (tags, maker and attributes); it has at most {ATTRIBUTES_MAX}, and the last \
                 {left_out} are left out"
            );
            notes.push(note(line, column, reason));
        }
        if self.cut > 0 {
            let reason = format!(
                "is of a product with facts (tags, maker and attributes) of which {} are longer than {ATTRIBUTE_NAME_CHARS_MAX} \
                 characters of a name or {OPTION_VALUE_CHARS_MAX} of a value; the rest of them is left out",
                self.cut
            );
            notes.push(note(line, column, reason));
        }
        let facts = self.facts.into_iter().filter(|(_, values)| !values.is_empty());
        facts.map(|(name, values)| (name, Values::Many(values.into_iter().collect()))).collect()
    }
}
