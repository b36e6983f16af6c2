//! Rows that were refused, and the products that they may belong to.
//!
//! A product replaces what the catalogue has of it. One that is read without one of its rows would lose that row's variant, so
//! it is refused as a whole.

use super::as_stored;

/// Texts that a row may be known by at most, and their bytes; beyond that it may be a row of any product.
const NAMES_MAX: usize = 100;
const NAME_BYTES_MAX: usize = 4 << 10;

/// Refused rows behind the last good one.
#[derive(Debug)]
pub struct Unread {
    /// The line of the first of them.
    pub line: u64,
    /// Names of the products that they may belong to, as the catalogue stores them; `None` where that is not known.
    names: Option<Vec<String>>,
}

impl Unread {
    /// A row that belongs to one of some products, or to any.
    pub fn new(line: u64, names: Option<Vec<&str>>) -> Self {
        let is_short = |names: &Vec<&str>| {
            names.len() <= NAMES_MAX && names.iter().map(|name| name.len()).sum::<usize>() <= NAME_BYTES_MAX
        };
        let owned = |names: Vec<&str>| names.into_iter().map(as_stored).collect();
        Self { line, names: names.filter(is_short).map(owned) }
    }

    /// Whether a row may belong to a product of this name.
    pub fn may_be_of(&self, name: &str) -> bool {
        if name.is_empty() {
            return false;
        }
        let name = as_stored(name);
        self.names.as_ref().is_none_or(|names| names.contains(&name))
    }

    /// Whether the row belongs to the product of this name for certain.
    pub fn is_of(&self, name: &str) -> bool {
        let name = as_stored(name);
        let are_it = |names: &Vec<String>| !names.is_empty() && names.iter().all(|other| *other == name);
        !name.is_empty() && self.names.as_ref().is_some_and(are_it)
    }

    /// These rows and those before them.
    pub fn with(mut self, before: Option<Self>) -> Self {
        let Some(before) = before else { return self };
        self.line = before.line;
        self.names = match (self.names, before.names) {
            (Some(mut names), Some(others)) if names.len() + others.len() <= NAMES_MAX => {
                names.extend(others);
                Some(names)
            }
            _ => None,
        };
        self
    }
}

/// Why a product is refused with its row, or with one that may be its own: a clause.
pub fn lost_variant(line: u64) -> String {
    format!(
        "may have a row on line {line}, which is refused: the product is refused as a whole, or a variant that the catalogue \
         has of it would be removed"
    )
}
