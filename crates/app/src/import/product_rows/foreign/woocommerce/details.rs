//! What the cells of a row say: price, weight, tax and whether it is sold.

use kernel::Currency;
use svc_product::domain::limits::WEIGHT_GRAMS_MAX;

use super::{Cells, keep_back, note, price, stock as units};
use crate::import::product_rows::{Item, Problem, cells, micros as micros_of};
use crate::table::excerpt;

/// The price, and the one before a sale. A sale with dates is over or to come at some time, so its price is not taken.
pub fn prices(
    cells: &Cells,
    currency: Currency,
    notes: &mut Vec<Item>,
) -> Result<(Option<String>, Option<String>), Problem> {
    let line = cells.line;
    let regular = price(cells, "regular_price", "Regular price", currency)?;
    let sale = price(cells, "sale_price", "Sale price", currency)?;
    let micros = |price: &Option<String>| price.as_deref().and_then(micros_of);
    let has_dates =
        ["date_sale_price_starts", "date_sale_price_ends"].iter().any(|id| !cells.get(id).is_empty());
    match (&regular, &sale) {
        (None, None) => {
            notes.push(note(line, "Regular price", "is empty: it goes in without a price".to_owned()));
            Ok((None, None))
        }
        (Some(_), Some(_)) if has_dates => {
            let reason = "is for some days only: the regular price goes in".to_owned();
            notes.push(note(line, "Sale price", reason));
            Ok((regular, None))
        }
        (Some(_), Some(_)) if micros(&sale) < micros(&regular) => Ok((sale, regular)),
        (Some(_), _) => Ok((regular, None)),
        (None, Some(_)) => Ok((sale, None)),
    }
}

/// Units in stock, and whether it is sold without any: it is in stock or can be ordered, and its units are not counted.
///
/// Units that are counted for all variations of a product together cannot be divided here: they are told.
pub fn stock(cells: &Cells, parent: &Cells, notes: &mut Vec<Item>) -> Result<(Option<i64>, bool), Problem> {
    let (line, text) = (cells.line, cells.get("stock"));
    if text.eq_ignore_ascii_case("parent") {
        let shared = excerpt(parent.get("stock"));
        let reason = format!(
            "is {shared}, counted for all variations together: none goes in; receive units of each variation"
        );
        notes.push(note(line, "Stock", reason));
        return Ok((None, false));
    }
    let stock = units(line, "Stock", text, notes)?;
    let yes = |id: &str| match cells.get(id) {
        "" => false,
        text => cells::truth(text) != Some(false),
    };
    // "notify" and "backorder" say yes, too.
    let is_sold = if stock.is_none() { yes("in_stock?") } else { yes("backorders_allowed?") };
    Ok((stock, is_sold && stock.is_none_or(|units| units == 0)))
}

/// The weight of a unit.
pub fn grams(cells: &Cells, notes: &mut Vec<Item>) -> Option<i32> {
    // Micrograms of a unit.
    for (id, unit) in [
        ("weight_kg", 1_000_000_000_i128),
        ("weight_g", 1_000_000),
        ("weight_lbs", 453_592_370),
        ("weight_lb", 453_592_370),
        ("weight_oz", 28_349_523),
    ] {
        let text = cells.get(id);
        if text.is_empty() {
            continue;
        }
        // A comma before three digits may stand for thousands where the unit is a small one: a thousand pounds are not sold.
        let is_small = unit < 100_000_000;
        let number = cells::decimal(text).filter(|it| it.is_sure || it.separator == '.' || !is_small);
        let micros = number.and_then(|number| micros_of(&number.text));
        let grams = micros.map(|micros| (i128::from(micros) * unit / 1_000_000 + 500_000) / 1_000_000);
        let grams = grams
            .filter(|grams| *grams <= i128::from(WEIGHT_GRAMS_MAX))
            .and_then(|grams| i32::try_from(grams).ok());
        if grams.is_none() {
            let reason = format!("is {}, which is not a weight; it is left out", excerpt(text));
            notes.push(note(cells.line, "Weight", reason));
        }
        return grams;
    }
    None
}

/// The class of tax of a product: of itself, or of those of its variations that are sold.
pub fn tax_class<'a>(
    cells: &Cells,
    variations: impl Iterator<Item = &'a Cells>,
    notes: &mut Vec<Item>,
) -> &'static str {
    let own = tax_of(cells, notes);
    let is_taxed = !cells.get("tax_status").eq_ignore_ascii_case("none");
    let rows: Vec<(u64, &str)> = variations
        .map(|variation| match variation.get("tax_class") {
            text if text.is_empty() || text.eq_ignore_ascii_case("parent") || !is_taxed => {
                (variation.line, own)
            }
            _ => (variation.line, tax_of(variation, notes)),
        })
        .collect();
    if rows.is_empty() {
        return own;
    }
    super::super::tax_class(&rows, "Tax class", notes)
}

/// The class of tax that a row says itself.
fn tax_of(cells: &Cells, notes: &mut Vec<Item>) -> &'static str {
    if cells.get("tax_status").eq_ignore_ascii_case("none") {
        return "zero";
    }
    match cells.get("tax_class").to_ascii_lowercase().as_str() {
        "" | "standard" | "parent" => "standard",
        "reduced-rate" | "reduced" => "reduced",
        "zero-rate" | "zero" => "zero",
        other => {
            let reason = format!("is {}, which is unknown here: the standard rate applies", excerpt(other));
            notes.push(note(cells.line, "Tax class", reason));
            "standard"
        }
    }
}

/// Whether a variation is sold with its product. That of a draft is exported as a draft itself (-1), and WooCommerce's own import
/// publishes it with the product.
pub fn is_variation_published(cells: &Cells) -> bool {
    let text = cells.get("published");
    let below_zero = text.strip_prefix('-').and_then(cells::decimal);
    let is_of_draft = below_zero.is_some_and(|number| micros_of(&number.text) == Some(1_000_000));
    !cells.has("published") || is_of_draft || cells::truth(text) == Some(true)
}

/// What is private, a draft, hidden from the catalogue, no parcel, or of a type that is not sold here is kept back, and so is a product
/// with such a variation. WooCommerce itself takes what is neither a yes nor a no for a draft.
pub fn status<'a>(
    cells: &'a Cells,
    mut variations: impl Iterator<Item = &'a Cells>,
    notes: &mut Vec<Item>,
) -> &'static str {
    let published = cells.get("published");
    let why = if cells.has("published") && cells::truth(published) != Some(true) {
        ("Published", format!("is {}, which is not published", excerpt(published)))
    } else if cells.get("visibility_in_catalog").eq_ignore_ascii_case("hidden") {
        ("Visibility in catalog", "is hidden".to_owned())
    } else if let Some(why) = unsold_kind(cells) {
        ("Type", why)
    } else if let Some((line, why)) =
        variations.find_map(|variation| Some((variation.line, unsold_kind(variation)?)))
    {
        return keep_back(line, "Type", &why, notes);
    } else {
        return "active";
    };
    keep_back(cells.line, why.0, &why.1, notes)
}

/// What in the type of a row keeps it from being sold here, if anything does.
fn unsold_kind(cells: &Cells) -> Option<String> {
    const SOLD: [&str; 3] = ["simple", "variable", "variation"];
    const NO_PARCEL: [&str; 2] = ["virtual", "downloadable"];
    let is_in = |kinds: &[&str], kind: &str| kinds.iter().any(|other| kind.eq_ignore_ascii_case(other));
    // Of several words the one that says most.
    let others = || super::kinds(cells).filter(|kind| !is_in(&SOLD, kind));
    let kind = others().find(|kind| !is_in(&NO_PARCEL, kind)).or_else(|| others().next())?;
    Some(match is_in(&NO_PARCEL, kind) {
        true => format!("is {}, which is no parcel", excerpt(kind)),
        false => format!("is {}, a type that is not sold here as it is there", excerpt(kind)),
    })
}
