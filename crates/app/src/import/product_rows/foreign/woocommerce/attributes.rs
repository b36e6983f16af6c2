//! Attributes of a row: the options that variations differ by, and facts that a product can be found by.

use std::collections::{BTreeMap, HashSet};

use svc_product::domain::limits::OPTIONS_MAX;

use super::columns::ATTRIBUTES_MAX;
use super::{Cells, Facts, html, list, tidy};
use crate::import::product_rows::{Item, Values};

/// The attributes of a row: names and values as they are written.
pub fn attributes(cells: &Cells) -> Vec<(String, String)> {
    let attribute = |n: usize| {
        let name = cells.get(&format!("attribute_{n}_name"));
        let value = html::to_text(cells.get(&format!("attribute_{n}_value")), false);
        (!name.is_empty()).then(|| (tidy(&html::to_text(name, false), 100), value))
    };
    (1..=ATTRIBUTES_MAX).filter_map(attribute).collect()
}

/// What the variations of a product differ by: the parent's attributes that they name, in its order, then others.
pub fn options(parent: &Cells, variations: &[Cells]) -> Vec<String> {
    let mut seen = HashSet::new();
    let named: Vec<String> = variations
        .iter()
        .flat_map(attributes)
        .map(|(name, _)| name)
        .filter(|name| seen.insert(name.to_ascii_lowercase()))
        .collect();
    let of_parent = attributes(parent).into_iter().map(|(name, _)| name);
    let of_parent = of_parent.filter(|name| seen.contains(&name.to_ascii_lowercase()));
    let mut options: Vec<String> = Vec::new();
    for name in of_parent.chain(named.iter().cloned()) {
        let is_new = !options.iter().any(|other| other.eq_ignore_ascii_case(&name));
        if is_new && options.len() < OPTIONS_MAX {
            options.push(name);
        }
    }
    options
}

/// What can be looked for: the brand, attributes that are not options, and tags.
pub fn facts(cells: &Cells, options: &[String], notes: &mut Vec<Item>) -> BTreeMap<String, Values> {
    let mut facts = Facts::default();
    facts.add("brand", list(&html::to_text(cells.get("brands"), false)));
    for (name, text) in attributes(cells) {
        if !options.contains(&name) {
            facts.add(&name, list(&text));
        }
    }
    facts.add("tag", list(&html::to_text(cells.get("tags"), false)));
    facts.finish(cells.line, "Tags", notes)
}
