//! A product on its way into the catalogue: what can be left out of it, and what is told of it.

use contract::souk::product::v1::{ImportProduct, ImportResult};

use super::product_rows::{Located, Problem, Source, stand_elsewhere};

/// A product that is sent, again where something of it can be left out.
pub(super) struct Sent {
    pub(super) located: Located,
    pub(super) product: ImportProduct,
    /// The place in the file of each of its pictures.
    pub(super) pictures: Vec<usize>,
    /// What is told of it once it is in.
    pub(super) problems: Vec<Problem>,
    pub(super) notes: Vec<Problem>,
}

impl Sent {
    /// Leaves out what the catalogue refuses, where the product is good without it: a picture, or the address of a product of
    /// another shop, which is taken here. Answers whether it may be sent again.
    pub(super) fn leave_out(&mut self, result: &ImportResult) -> bool {
        let refusals = &result.refusals;
        let is_foreign = matches!(self.located.source, Source::Shopify | Source::WooCommerce);
        let is_taken = refusals.iter().any(|refusal| refusal.reason == "SLUG_TAKEN");
        let Some(input) = self.product.product.as_mut() else { return false };
        if is_foreign && is_taken && !input.slug.is_empty() {
            input.slug.clear();
            let reason = "is the address of another product: one was made from the name";
            self.notes.push(self.located.problem("/slug", reason));
            return true;
        }
        let pictures: Option<Vec<(usize, &str)>> = refusals
            .iter()
            .map(|refusal| {
                let own = refusal.field.strip_prefix("/product").unwrap_or(&refusal.field);
                let (n, field) = own.strip_prefix("/images/")?.split_once('/')?;
                Some((n.parse().ok().filter(|n| *n < input.images.len())?, field))
            })
            .collect();
        let Some(mut pictures) = pictures.filter(|pictures| !pictures.is_empty()) else { return false };
        for ((n, field), refusal) in pictures.iter().zip(refusals) {
            let place = self.pictures.get(*n).copied().unwrap_or(*n);
            let reason = format!("{}; the product goes in without it", refusal.description);
            self.problems.push(self.located.problem(&format!("/images/{place}/{field}"), &reason));
        }
        pictures.sort_unstable();
        pictures.dedup_by_key(|(n, _)| *n);
        for (n, _) in pictures.into_iter().rev() {
            input.images.remove(n);
            if n < self.pictures.len() {
                self.pictures.remove(n);
            }
        }
        true
    }
}

/// Tells of variants in a table that have no price, and keeps a product back that has none at all. JSON lines say for themselves what
/// they leave out.
pub(super) fn keep_back_unpriced(located: &mut Located) -> Vec<Problem> {
    if located.source == Source::JsonLines {
        return Vec::new();
    }
    let variants = &located.row.variants;
    let unpriced: Vec<usize> = (0..variants.len()).filter(|n| variants[*n].prices.is_empty()).collect();
    // Exports tell each variant by its own columns.
    let is_told = located.source != Source::Csv;
    let reason = "is empty: the variant goes in without a price";
    let tell = |n: &usize| located.problem(&format!("/variants/{n}/prices"), reason);
    let mut notes: Vec<Problem> = unpriced.iter().filter(|_| !is_told).map(tell).collect();
    if unpriced.len() == variants.len() && !located.row.status.eq_ignore_ascii_case("draft") {
        let reason = "has no price in any row of the product: the product goes in as a draft";
        notes.extend(variants.first().map(|_| located.problem("/variants/0/prices", reason)));
        "draft".clone_into(&mut located.row.status);
    }
    notes
}

/// Leaves out the pictures of a table that stand at an address: they are not fetched, and the pages show none of another site.
pub(super) fn skip_elsewhere(located: &mut Located) -> Option<Problem> {
    if located.source != Source::Csv {
        return None;
    }
    let elsewhere = located.row.images.iter().filter(|image| !image.url.is_empty());
    let first = elsewhere.clone().next()?.url.clone();
    let reason = stand_elsewhere(&first, elsewhere.count() as u64);
    located.row.images.retain(|image| image.url.is_empty());
    Some(located.problem("/images", &reason))
}

/// Tells of variants that are sold without counting units where they come from, and gives them units where that is wanted.
pub(super) fn count_unlimited(located: &mut Located, units: Option<i64>) -> Option<Problem> {
    let unlimited = |located: &Located| located.row.variants.iter().position(|variant| variant.is_unlimited);
    let first = unlimited(located)?;
    let variants = located.row.variants.iter_mut().filter(|variant| variant.is_unlimited);
    let count = variants
        .map(|variant| {
            if units.is_some() {
                variant.stock = units;
            }
        })
        .count();
    let (what, it) = match count {
        1 => ("a variant that is".to_owned(), "it"),
        count => (format!("{count} variants that are"), "each of them"),
    };
    let reason = match units {
        Some(units) => format!("counts no units of {what} sold there without: {it} gets {units} units here"),
        None => format!(
            "counts no units of {what} sold there without; here {it} is sold out until stock is received \
             (--stock-when-untracked N gives {it} N units)"
        ),
    };
    Some(located.problem(&format!("/variants/{first}/stock"), &reason))
}
