//! Exports of other shops: their tables become the same rows as those of this shop.
//!
//! A product goes in with all that it can: what costs itself only (a picture that stands elsewhere, stock below zero, a SKU
//! that is missing) is told. A product with a row that cannot be sold is refused as a whole, as one of this shop's table is:
//! without that row the catalogue would remove the variant that it has of it.

mod facts;
pub mod html;
mod sheet;
pub mod shopify;
mod skus;
mod values;
pub mod woocommerce;

use std::collections::{BTreeMap, HashSet};

use super::unread::lost_variant;
use super::{Item, PROBLEMS_MAX, Problem, VariantRow};
use crate::table::header;

pub use facts::Facts;
pub use sheet::{BadRow, Cells, Get, Sheet, Spec};
pub use skus::Skus;
pub use values::{
    category_path, cut, description, fit, keep_back, list, option_value, pictures, price, slug,
    stand_elsewhere, stock, tidy,
};

/// Rows of one product: 2,048 variants and 250 pictures at most in Shopify.
pub const ROWS_MAX: usize = 5_000;
/// Bytes of an export that are held until all of it was read.
pub const EXPORT_BYTES_MAX: usize = 512 << 20;

/// The shop whose export has a header of these names, and how `--from` calls it.
pub fn looks_like(header: &[String]) -> Option<(&'static str, &'static str)> {
    let has_all = |spec: &Spec| {
        let used = |id: &str| {
            let is_it =
                |name: &String| (spec.used_as)(&header::normal(name)).is_some_and(|other| other == id);
            header.iter().any(is_it)
        };
        spec.required.iter().all(|(id, _)| used(id))
    };
    let shops =
        [(&shopify::SPEC, ("Shopify", "shopify")), (&woocommerce::SPEC, ("WooCommerce", "woocommerce"))];
    shops.into_iter().find(|(spec, _)| has_all(spec)).map(|(_, shop)| shop)
}

/// What is wrong with a row.
pub fn problem(line: u64, column: &str, reason: String) -> Problem {
    Problem { line, column: column.to_owned(), reason, is_last: false }
}

/// What is to be known of a row.
pub fn note(line: u64, column: &str, reason: String) -> Item {
    Item::Note(problem(line, column, reason))
}

/// The class of tax of a product, of what its rows say: where they differ the highest applies, since a product has one, and it is
/// told. Rows are lines with their classes.
pub fn tax_class(rows: &[(u64, &'static str)], column: &str, notes: &mut Vec<Item>) -> &'static str {
    let highest =
        ["standard", "reduced", "zero"].into_iter().find(|class| rows.iter().any(|(_, it)| it == class));
    let highest = highest.unwrap_or("standard");
    if let Some((line, other)) = rows.iter().find(|(_, class)| *class != highest) {
        let reason = format!(
            "makes the tax {other}, and that of another row {highest}: {highest} applies to the product"
        );
        notes.push(note(*line, column, reason));
    }
    highest
}

/// The variants of one product, and what is wrong with its rows.
#[derive(Default)]
pub struct Variants {
    /// What is sold.
    pub rows: Vec<VariantRow>,
    /// The line of each.
    pub lines: Vec<u64>,
    wrong: Vec<Problem>,
    lost: Option<Problem>,
    /// Rows that were added, those that are wrong included.
    added: usize,
    /// The values of the options of each.
    seen: HashSet<BTreeMap<String, String>>,
}

impl Variants {
    /// Adds a row that is sold, unless something is wrong with it: `column` is where its options stand.
    pub fn add(&mut self, variant: Result<VariantRow, Problem>, line: u64, column: &str) {
        self.added += 1;
        match variant {
            Ok(variant) if !self.seen.insert(variant.options.clone()) => {
                let reason = "has the options of another variant of this product".to_owned();
                self.refuse(problem(line, column, reason));
            }
            Ok(variant) => {
                self.rows.push(variant);
                self.lines.push(line);
            }
            Err(problem) => self.refuse(problem),
        }
    }

    /// A row that is refused, and its product with it.
    pub fn refuse(&mut self, problem: Problem) {
        if self.wrong.len() < PROBLEMS_MAX {
            self.wrong.push(problem);
        }
    }

    /// A row that was refused and may be one of the product's, told of the product that begins on a line.
    pub fn lose(&mut self, row: u64, line: u64, column: &str) {
        self.lost.get_or_insert(problem(line, column, lost_variant(row)));
    }

    /// Whether something is wrong with them already.
    pub fn is_refused(&self) -> bool {
        self.lost.is_some() || !self.wrong.is_empty()
    }

    /// What is wrong, if anything is. Where there are other rows, it is told why these do not go in.
    pub fn take_wrong(&mut self) -> Option<Vec<Problem>> {
        let mut wrong = std::mem::take(&mut self.wrong);
        if self.added > 1 {
            for problem in &mut wrong {
                problem.reason.push_str(
                    "; its product is refused as a whole, or a variant that the catalogue has of it would be removed",
                );
            }
        }
        wrong.extend(self.lost.take());
        (!wrong.is_empty()).then_some(wrong)
    }
}

#[cfg(test)]
mod tests;
