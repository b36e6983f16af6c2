//! WooCommerce's export of products: a row a product, and a row for each variation, which names its parent by `id:` and
//! number or by SKU, and may stand before it.

mod attributes;
mod columns;
mod details;
mod languages;

use std::collections::{HashMap, HashSet, VecDeque};
use std::io::BufRead;

use kernel::{Currency, OPTION_VALUE_CHARS_MAX};
use svc_product::domain::limits::NAME_CHARS_MAX;

use super::super::{Item, Located, Problem, ProductRow, Source, VariantRow};
use super::{
    BadRow, Cells, EXPORT_BYTES_MAX, Facts, ROWS_MAX, Sheet, Skus, Spec, Variants, category_path,
    description, fit, html, keep_back, list, note, option_value, pictures, price, problem, stock, tidy,
};
use crate::table::{Encoding, excerpt};
use attributes::{attributes, facts, options};

pub use columns::SPEC;

/// Names of parents that are remembered of refused rows; beyond these any product may have lost a variation.
const PARENTS_MAX: usize = 1_000;

/// Reads products. Their prices are in the currency of the shop they come from.
pub fn read(
    reader: Box<dyn BufRead + Send>,
    encoding: Option<Encoding>,
    currency: Currency,
) -> impl Iterator<Item = Item> + Send {
    let (sheet, ready) = Sheet::begin(reader, encoding, &SPEC);
    let mut export = Export {
        sheet,
        currency,
        skus: Skus::default(),
        rows: Vec::new(),
        bytes: 0,
        lost: Lost::default(),
        families: Families::default(),
        at: 0,
        ready,
        last: None,
    };
    std::iter::from_fn(move || export.next())
}

/// A variation may stand anywhere, so the rows are held until all were read.
struct Export {
    sheet: Option<Sheet>,
    currency: Currency,
    skus: Skus,
    rows: Vec<Cells>,
    bytes: usize,
    lost: Lost,
    families: Families,
    /// The row that is looked at next, once all were read.
    at: usize,
    ready: VecDeque<Item>,
    /// The fault that ends the file, told after all that goes in.
    last: Option<Problem>,
}

/// Rows that were refused, by the products that lose a variation with them.
#[derive(Default)]
struct Lost {
    /// The line of one that may belong to any product.
    of_any: Option<u64>,
    /// The line of one by its parent, as it names that.
    parents: HashMap<String, u64>,
}

/// A product and its variations, by their places among the rows.
#[derive(Default)]
struct Families {
    variations: HashMap<usize, Vec<usize>>,
    /// Rows whose SKU is refused.
    refused: HashMap<usize, Problem>,
}

impl Export {
    fn next(&mut self) -> Option<Item> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Some(item);
            }
            if let Some(sheet) = &mut self.sheet {
                match sheet.next() {
                    Some(Ok(cells)) => self.row(cells),
                    Some(Err(bad)) => self.bad_row(bad),
                    None => {
                        self.ready.extend(self.sheet.take().and_then(|sheet| sheet.encoding_note()));
                        self.gather();
                    }
                }
            } else if self.at < self.rows.len() {
                self.give(self.at);
                self.at += 1;
            } else {
                return self.last.take().map(|last| Item::Refused(vec![last]));
            }
        }
    }

    fn row(&mut self, cells: Cells) {
        self.bytes += cells.size();
        if self.bytes <= EXPORT_BYTES_MAX {
            return self.rows.push(cells);
        }
        // Where a variation is that belongs to what was read is not known: nothing goes in.
        self.rows.clear();
        self.sheet = None;
        let reason = format!("the export has more than {EXPORT_BYTES_MAX} bytes; divide it");
        self.last = Some(Problem { is_last: true, ..problem(cells.line, "", reason) });
    }

    /// A row that is refused: which product loses a variation by it is told by what is known of it.
    fn bad_row(&mut self, bad: BadRow) {
        let Some(sheet) = &self.sheet else { return };
        let line = bad.problem.line;
        let kinds = sheet.candidates(&bad, "type");
        if kinds.is_none_or(|kinds| kinds.iter().any(|kind| is_of_variation(kind))) {
            match sheet.candidates(&bad, "parent") {
                Some(parents) => self.lost.add(line, &parents),
                None => self.lost.of_any = self.lost.of_any.or(Some(line)),
            }
        }
        if bad.problem.is_last {
            self.lost.of_any = self.lost.of_any.or(Some(line));
            self.sheet = None;
            self.last = Some(bad.problem);
            self.gather();
        } else {
            self.ready.push_back(Item::Refused(vec![bad.problem]));
        }
    }

    /// Takes the SKUs that the file names, in its order, and finds the parent of each variation.
    fn gather(&mut self) {
        for (n, cells) in self.rows.iter().enumerate() {
            let sku = cells.get("sku");
            // A parent's SKU names it for its variations only.
            let is_sold = !kinds(cells).any(|kind| matches!(kind, "variable" | "grouped" | "external"));
            if !sku.is_empty()
                && is_sold
                && let Err(what) = self.skus.take(sku, cells.line)
            {
                self.families.refused.insert(n, problem(cells.line, "SKU", what));
            }
        }
        let parents = || self.rows.iter().enumerate().filter(|(_, cells)| !is_variation(cells));
        let ids: HashMap<&str, usize> = parents().map(|(n, cells)| (cells.get("id"), n)).collect();
        let skus: HashMap<&str, usize> = parents().map(|(n, cells)| (cells.get("sku"), n)).collect();
        for (n, cells) in self.rows.iter().enumerate().filter(|(_, cells)| is_variation(cells)) {
            let parent = cells.get("parent");
            let found = match parent.strip_prefix("id:") {
                Some(id) => ids.get(id.trim()),
                None => skus.get(parent).or_else(|| ids.get(parent)),
            };
            if let Some(parent) = found.filter(|_| !parent.is_empty()) {
                self.families.variations.entry(*parent).or_default().push(n);
            }
        }
        let found: HashSet<usize> = self.families.variations.values().flatten().copied().collect();
        for (n, cells) in self.rows.iter().enumerate() {
            if is_variation(cells) && !found.contains(&n) {
                let reason =
                    format!("is {}, which is not a product of this file", excerpt(cells.get("parent")));
                let orphan = Item::Refused(vec![problem(cells.line, "Parent", reason)]);
                self.ready.push_back(orphan);
            }
        }
    }

    /// Gives the product that a row begins, and lets go of its rows.
    fn give(&mut self, n: usize) {
        // Variations are taken with their parent, which leaves rows without a line.
        if is_variation(&self.rows[n]) || self.rows[n].line == 0 {
            return;
        }
        let cells = std::mem::take(&mut self.rows[n]);
        let variations = self.families.variations.remove(&n).unwrap_or_default();
        let mut variants = Variants::default();
        for n in std::iter::once(&n).chain(&variations) {
            if let Some(problem) = self.families.refused.remove(n) {
                variants.refuse(problem);
            }
        }
        let is_variable = kinds(&cells).any(|kind| kind.starts_with("variable"));
        let variations = match is_variable && variations.len() > ROWS_MAX {
            true => {
                let reason = format!("has more than {ROWS_MAX} variations");
                variants.refuse(problem(cells.line, "Type", reason));
                Vec::new()
            }
            false => variations,
        };
        let variations: Vec<Cells> =
            variations.into_iter().map(|n| std::mem::take(&mut self.rows[n])).collect();
        match self.product(&cells, &variations, is_variable, variants) {
            Ok((located, notes)) => {
                self.ready.extend(notes);
                self.ready.push_back(Item::Product(located));
            }
            Err(wrong) => self.ready.push_back(Item::Refused(wrong)),
        }
    }

    /// A product and what is told of it, or what is wrong with it.
    fn product(
        &mut self,
        cells: &Cells,
        variations: &[Cells],
        is_variable: bool,
        mut variants: Variants,
    ) -> Result<(Located, Vec<Item>), Vec<Problem>> {
        let line = cells.line;
        if let Some(kind) = kinds(cells).find(|kind| matches!(*kind, "grouped" | "external")) {
            let reason = format!("is {kind}: such a product is not sold here itself");
            return Err(vec![problem(line, "Type", reason)]);
        }
        let mut notes = Vec::new();
        let name = fit(line, "Name", &html::to_text(cells.get("name"), false), NAME_CHARS_MAX, &mut notes);
        if name.is_empty() {
            return Err(vec![problem(line, "Name", "is empty".to_owned())]);
        }
        let options = if is_variable { options(cells, variations) } else { Vec::new() };
        if is_variable {
            self.variations(cells, variations, &options, &mut variants, &mut notes);
        } else {
            let variant = self.variant(cells, cells, &[], &mut notes);
            variants.add(variant, line, SPEC.column("options"));
        }
        if let Some(wrong) = variants.take_wrong() {
            return Err(wrong);
        }
        if variants.rows.is_empty() {
            let reason = "is variable, and no variation of it can be sold".to_owned();
            return Err(vec![problem(line, "Type", reason)]);
        }
        let parent = if cells.get("sku").is_empty() { cells.get("name") } else { cells.get("sku") };
        self.skus.fill(parent, &options, &mut variants.rows, &variants.lines, "SKU", &mut notes);
        let id = if cells.get("id").is_empty() { variants.rows[0].sku.as_str() } else { cells.get("id") };
        let attributes = facts(cells, &options, &mut notes);
        let sold = || variations.iter().filter(|cells| variants.lines.contains(&cells.line));
        let row = ProductRow {
            external_reference: format!("woocommerce:{id}"),
            name,
            images: images(cells, variations, &mut notes),
            description: story(cells, &mut notes),
            categories: list(cells.get("categories"))
                .iter()
                .filter_map(|path| category_path(path.split('>').map(str::trim)))
                .take(10)
                .collect(),
            tax_class: details::tax_class(cells, sold(), &mut notes).to_owned(),
            status: details::status(cells, sold(), &mut notes).to_owned(),
            options,
            attributes,
            variants: variants.rows,
            ..ProductRow::default()
        };
        Ok((Located { row, lines: variants.lines, source: Source::WooCommerce }, notes))
    }

    fn variations(
        &self,
        parent: &Cells,
        variations: &[Cells],
        options: &[String],
        variants: &mut Variants,
        notes: &mut Vec<Item>,
    ) {
        if let Some(line) = self.lost.of(parent) {
            variants.lose(line, parent.line, "Type");
        }
        for cells in variations {
            if !details::is_variation_published(cells) {
                let reason = "is not published: the variation is left out".to_owned();
                notes.push(note(cells.line, "Published", reason));
                continue;
            }
            let variant = self.variant(cells, parent, options, notes);
            variants.add(variant, cells.line, SPEC.column("options"));
        }
    }

    /// What is sold: a variation with what it has of its parent, or a product that is its own. What has no SKU gets it later.
    fn variant(
        &self,
        cells: &Cells,
        parent: &Cells,
        options: &[String],
        notes: &mut Vec<Item>,
    ) -> Result<VariantRow, Problem> {
        let (price, compare) = details::prices(cells, self.currency, notes)?;
        let (stock, is_unlimited) = details::stock(cells, parent, notes)?;
        let own = attributes(cells);
        let mut value = |name: &String| {
            let value = own.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
            // A variation without a value is for any of them.
            let value = value
                .map(|(_, value)| option_value(cells.line, SPEC.column("options"), value, notes))
                .filter(|value| !value.is_empty());
            (name.clone(), value.unwrap_or_else(|| "Any".to_owned()))
        };
        let options = options.iter().map(&mut value).collect();
        let grams = details::grams(cells, notes).or_else(|| details::grams(parent, notes));
        let code = self.currency.code().to_owned();
        Ok(VariantRow {
            sku: cells.get("sku").to_owned(),
            options,
            prices: price.map(|price| (code.clone(), price)).into_iter().collect(),
            compare_at_prices: compare.map(|price| (code, price)).into_iter().collect(),
            weight_grams: grams.unwrap_or_default(),
            stock,
            is_unlimited,
        })
    }
}

impl Lost {
    /// Remembers a refused row by what its parent may be.
    fn add(&mut self, line: u64, parents: &[&str]) {
        let parents = parents.iter().filter(|parent| !parent.is_empty());
        for parent in parents {
            if self.parents.len() >= PARENTS_MAX || parent.len() > OPTION_VALUE_CHARS_MAX {
                self.of_any = self.of_any.or(Some(line));
                return;
            }
            self.parents
                .entry(parent.strip_prefix("id:").unwrap_or(parent).trim().to_owned())
                .or_insert(line);
        }
    }

    /// The line of a refused row that may be a variation of a product.
    fn of(&self, parent: &Cells) -> Option<u64> {
        let names = ["id", "sku"].into_iter().map(|id| parent.get(id)).filter(|name| !name.is_empty());
        names.filter_map(|name| self.parents.get(name)).copied().next().or(self.of_any)
    }
}

/// The long story, else the short one. WooCommerce writes line breaks as `\n`, and means them.
fn story(cells: &Cells, notes: &mut Vec<Item>) -> String {
    let text = if cells.get("description").is_empty() { "short_description" } else { "description" };
    let written = cells.get(text).replace("\\r\\n", "\n").replace("\\n", "\n");
    description(cells.line, "Description", &written, true, notes)
}

fn images(cells: &Cells, variations: &[Cells], notes: &mut Vec<Item>) -> Vec<super::super::ImageRow> {
    let rows = std::iter::once(cells).chain(variations);
    let sources: Vec<(u64, String)> = rows
        .flat_map(|cells| list(cells.get("images")).into_iter().map(|source| (cells.line, source)))
        .collect();
    let sources = sources.iter().map(|(line, source)| (*line, source.as_str(), ""));
    pictures(sources, "Images", notes)
}

/// A type has words: `simple, virtual`.
fn kinds(cells: &Cells) -> impl Iterator<Item = &str> {
    cells.get("type").split(',').map(str::trim)
}

fn is_variation(cells: &Cells) -> bool {
    is_of_variation(cells.get("type"))
}

fn is_of_variation(kinds: &str) -> bool {
    kinds.split(',').map(str::trim).any(|kind| kind == "variation" || kind == "subscription_variation")
}
