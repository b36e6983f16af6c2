//! Attributes of a row: the options that variations differ by, and facts that a product can be found by.

use std::collections::{BTreeMap, HashSet};

use super::columns::ATTRIBUTES_MAX;
use super::{Cells, FACTS_MAX, VALUE_CHARS_MAX, cut, html, list, values};
use crate::import::product_rows::Values;

const OPTIONS_MAX: usize = 5;

/// The attributes of a row: names and values as they are written.
pub fn attributes(cells: &Cells) -> Vec<(String, String)> {
    let attribute = |n: usize| {
        let name = cells.get(&format!("attribute_{n}_name"));
        let value = html::to_text(cells.get(&format!("attribute_{n}_value")), false);
        (!name.is_empty()).then(|| (cut(&html::to_text(name, false), 100), value))
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

/// What can be looked for: tags, the brand, and attributes that are not options.
pub fn facts(cells: &Cells, options: &[String]) -> BTreeMap<String, Values> {
    let mut facts = BTreeMap::new();
    let values = |text: &str| values(text, FACTS_MAX / 2);
    facts.extend(values(&html::to_text(cells.get("tags"), false)).map(|tags| ("tag".to_owned(), tags)));
    facts.extend(
        values(&html::to_text(cells.get("brands"), false)).map(|brands| ("brand".to_owned(), brands)),
    );
    if !options.is_empty() {
        let others = attributes(cells).into_iter().filter(|(name, _)| !options.contains(name)).take(5);
        facts.extend(others.filter_map(|(name, text)| Some((cut(&name, 60), values(&text)?))));
    }
    facts
}

/// The attributes of a simple product are facts.
pub fn described(cells: &Cells) -> BTreeMap<String, Values> {
    let one = |(name, text): (String, String)| {
        let values: Vec<String> =
            list(&text).iter().map(|value| cut(value, VALUE_CHARS_MAX)).take(10).collect();
        (!values.is_empty()).then(|| (cut(&name, 60), Values::Many(values)))
    };
    attributes(cells).into_iter().take(5).filter_map(one).collect()
}
