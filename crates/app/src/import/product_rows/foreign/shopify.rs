//! Shopify's export of products: a row a variant, further rows for further pictures; rows of one product have its handle.

mod columns;

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::io::BufRead;

use kernel::Currency;
use svc_product::domain::limits::{NAME_CHARS_MAX, WEIGHT_GRAMS_MAX};

use super::super::unread::Unread;
use super::super::{
    Item, Located, PRODUCT_BYTES_MAX, Problem, ProductRow, Source, Values, VariantRow, as_stored, cells,
    micros,
};
use super::{
    BadRow, Cells, EXPORT_BYTES_MAX, Facts, ROWS_MAX, Sheet, Skus, Spec, Variants, category_path, cut,
    description, fit, html, keep_back, list, note, option_value, pictures, price, problem, slug, stock,
    tax_class, tidy,
};
use crate::table::{Encoding, excerpt};

pub use columns::SPEC;

/// Handles that are compared; the catalogue takes no longer ones.
const HANDLE_BYTES_MAX: usize = 1_200;

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
        handles: HashSet::new(),
        open: None,
        unread: None,
        waiting: VecDeque::new(),
        waiting_bytes: 0,
        ready,
        last: None,
    };
    std::iter::from_fn(move || export.next())
}

/// The rows of one product.
struct Open {
    rows: Vec<Cells>,
    bytes: usize,
    /// The line of a row that was refused and may be the product's.
    unread: Option<u64>,
    /// What is wrong with it as a whole: no more of it is kept.
    wrong: Option<Problem>,
    variants: Variants,
}

impl Open {
    fn handle(&self) -> &str {
        self.rows.first().map_or("", |first| first.get("handle"))
    }

    fn add(&mut self, cells: Cells) {
        self.bytes += cells.size();
        if self.wrong.is_some() {
            return;
        }
        let is_many = self.rows.len() >= ROWS_MAX;
        if is_many || self.bytes > PRODUCT_BYTES_MAX {
            let reason = match is_many {
                true => format!("has more than {ROWS_MAX} rows"),
                false => format!("has rows of more than {PRODUCT_BYTES_MAX} bytes"),
            };
            self.wrong = Some(problem(cells.line, SPEC.column("slug"), reason));
            self.rows.truncate(1);
        } else {
            self.rows.push(cells);
        }
    }
}

struct Export {
    sheet: Option<Sheet>,
    currency: Currency,
    skus: Skus,
    /// Handles that were read.
    handles: HashSet<String>,
    /// The product in hand.
    open: Option<Open>,
    /// Rows that were refused since the last good one.
    unread: Option<Unread>,
    /// Products with rows that have no SKU: one is made when all that the file names are known.
    waiting: VecDeque<Open>,
    waiting_bytes: usize,
    ready: VecDeque<Item>,
    /// The fault that ends the file, told after all that goes in.
    last: Option<Problem>,
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
                        self.flush();
                        self.ready.extend(self.sheet.take().and_then(|sheet| sheet.encoding_note()));
                    }
                }
            } else if let Some(open) = self.waiting.pop_front() {
                self.product(open);
            } else {
                return self.last.take().map(|last| Item::Refused(vec![last]));
            }
        }
    }

    /// A row that is refused, and the product in hand with it where it may be one of its rows.
    fn bad_row(&mut self, bad: BadRow) {
        let Some(sheet) = &self.sheet else { return };
        let unread = sheet.unread(&bad, "handle");
        self.mark_unread(unread);
        if bad.problem.is_last {
            self.flush();
            self.sheet = None;
            self.last = Some(bad.problem);
        } else {
            self.ready.push_back(Item::Refused(vec![bad.problem]));
        }
    }

    fn mark_unread(&mut self, unread: Unread) {
        match &mut self.open {
            Some(open) if unread.may_be_of(open.handle()) => open.unread = open.unread.or(Some(unread.line)),
            _ => self.flush(),
        }
        self.unread = Some(unread.with(self.unread.take()));
    }

    fn row(&mut self, cells: Cells) {
        let handle = cells.get("handle");
        if handle.is_empty() {
            let reason = "is empty: rows of a product are known by it".to_owned();
            self.ready.push_back(Item::Refused(vec![problem(cells.line, "Handle", reason)]));
            // A row with a title begins a product of its own.
            let names = (!cells.get("title").is_empty()).then(Vec::new);
            return self.mark_unread(Unread::new(cells.line, names));
        }
        let unread = self.unread.take();
        if let Some(open) = self.open.as_mut().filter(|open| as_stored(open.handle()) == as_stored(handle)) {
            return open.add(cells);
        }
        self.flush();
        let unread = unread.filter(|unread| unread.may_be_of(handle)).map(|unread| unread.line);
        let mut open =
            Open { rows: Vec::new(), bytes: 0, unread, wrong: None, variants: Variants::default() };
        open.add(cells);
        self.open = Some(open);
    }

    /// Takes the SKUs of the product in hand, and gives the product, unless it has to wait for others.
    fn flush(&mut self) {
        let Some(mut open) = self.open.take() else { return };
        let line = open.rows.first().map_or(1, |first| first.line);
        let mut is_waiting = false;
        for cells in open.rows.iter().filter(|cells| is_variant(cells)) {
            match sku(cells) {
                "" => is_waiting = true,
                sku => {
                    if let Err(what) = self.skus.take(sku, cells.line) {
                        open.variants.refuse(problem(cells.line, "Variant SKU", what));
                    }
                }
            }
        }
        if open.handle().len() <= HANDLE_BYTES_MAX && !self.handles.insert(as_stored(open.handle())) {
            let reason = "repeats a product of this file; rows of one product must follow each other";
            open.wrong.get_or_insert(problem(line, "Handle", reason.to_owned()));
        }
        if let Some(refused) = open.unread {
            open.variants.lose(refused, line, "Handle");
        }
        if let Some(wrong) = open.wrong {
            self.ready.push_back(Item::Refused(vec![wrong]));
        } else if !is_waiting || open.variants.is_refused() {
            self.product(open);
        } else if self.waiting_bytes + open.bytes > EXPORT_BYTES_MAX {
            let reason =
                format!("products without a SKU have more than {EXPORT_BYTES_MAX} bytes; divide the export");
            self.last = Some(Problem { is_last: true, ..problem(line, "", reason) });
            self.sheet = None;
        } else {
            self.waiting_bytes += open.bytes;
            self.waiting.push_back(open);
        }
    }

    /// A product of all its rows, what is told of it before it.
    fn product(&mut self, open: Open) {
        let Open { rows, mut variants, .. } = open;
        let Some(first) = rows.first() else { return };
        let (line, handle) = (first.line, first.get("handle"));
        let mut notes = Vec::new();
        let options = option_names(&rows);
        for cells in rows.iter().filter(|cells| is_variant(cells)) {
            let variant = variant(cells, self.currency, &options, &mut notes);
            variants.add(variant, cells.line, SPEC.column("options"));
        }
        if !rows.iter().any(is_variant) {
            let reason = "has no variant: no row with a price, a SKU or the value of an option".to_owned();
            variants.refuse(problem(line, "Variant Price", reason));
        }
        if let Some(wrong) = variants.take_wrong() {
            return self.ready.push_back(Item::Refused(wrong));
        }
        let options: Vec<String> = options.into_iter().map(|(_, name)| name).collect();
        self.skus.fill(handle, &options, &mut variants.rows, &variants.lines, "Variant SKU", &mut notes);
        let name = name(first, &mut notes);
        let sources = rows.iter().map(|cells| (cells.line, cells.get("image"), cells.get("alt")));
        let images = pictures(sources.filter(|(_, source, _)| !source.is_empty()), "Image Src", &mut notes);
        let taxes: Vec<_> = rows.iter().filter(|cells| !cells.get("taxable").is_empty()).map(tax).collect();
        let row = ProductRow {
            external_reference: format!("shopify:{handle}"),
            name,
            slug: slug(handle),
            description: description(line, "Body (HTML)", first.get("body"), false, &mut notes),
            categories: categories(first),
            tax_class: tax_class(&taxes, SPEC.column("tax_class"), &mut notes).to_owned(),
            status: status(first, &rows, &mut notes).to_owned(),
            options,
            attributes: facts(first, &mut notes),
            images,
            variants: variants.rows,
            ..ProductRow::default()
        };
        self.ready.extend(notes);
        self.ready.push_back(Item::Product(Located { row, lines: variants.lines, source: Source::Shopify }));
    }
}

fn name(first: &Cells, notes: &mut Vec<Item>) -> String {
    let title = html::to_text(first.get("title"), false);
    if !title.is_empty() {
        return fit(first.line, "Title", &title, NAME_CHARS_MAX, notes);
    }
    let words = cut(&first.get("handle").replace('-', " "), NAME_CHARS_MAX);
    notes.push(note(first.line, "Title", format!("is empty: the name is {words:?}, from the handle")));
    words
}

/// The SKU of a row. Spreadsheets of old wrote an apostrophe before one of digits.
fn sku(cells: &Cells) -> &str {
    let sku = cells.get("sku");
    sku.strip_prefix('\'').unwrap_or(sku)
}

/// What is sold by a row; one without a SKU gets it later.
fn variant(
    cells: &Cells,
    currency: Currency,
    options: &[(usize, String)],
    notes: &mut Vec<Item>,
) -> Result<VariantRow, Problem> {
    let line = cells.line;
    let selling = price(cells, "price", "Variant Price", currency)?;
    let compare = price(cells, "compare", "Variant Compare At Price", currency)?;
    if selling.is_none() {
        let reason = "is empty: the variant goes in without a price".to_owned();
        notes.push(note(line, "Variant Price", reason));
    }
    let stock = stock(line, "Variant Inventory Qty", cells.get("stock"), notes)?;
    let sells_on = matches!(cells.get("policy").to_ascii_lowercase().as_str(), "continue" | "true");
    let is_tracked = !cells.has("tracker") || !cells.get("tracker").is_empty();
    let mut value = |(n, name): &(usize, String)| {
        let text = cells.get(&format!("option{n}_value"));
        let value = option_value(line, &format!("Option{n} Value"), text, notes);
        (name.clone(), if value.is_empty() { "–".to_owned() } else { value })
    };
    let compare = compare.filter(|compare| micros(compare) > selling.as_deref().and_then(micros));
    let code = currency.code().to_owned();
    let options = options.iter().map(&mut value).collect();
    Ok(VariantRow {
        sku: sku(cells).to_owned(),
        options,
        compare_at_prices: compare.map(|compare| (code.clone(), compare)).into_iter().collect(),
        prices: selling.map(|price| (code, price)).into_iter().collect(),
        weight_grams: grams(cells, notes),
        is_unlimited: stock.is_none_or(|units| units == 0) && (!is_tracked || sells_on),
        stock,
    })
}

/// Rows that have nothing of a variant have a picture more.
fn is_variant(cells: &Cells) -> bool {
    ["sku", "price", "option1_value"].iter().any(|id| !cells.get(id).is_empty())
}

/// The options that are named, with their numbers. A product without options has the one option "Title", whose one value is
/// "Default Title".
fn option_names(rows: &[Cells]) -> Vec<(usize, String)> {
    let name = |n: usize| {
        let id = format!("option{n}_name");
        rows.iter().map(|cells| cells.get(&id)).find(|name| !name.is_empty())
    };
    let mut names: Vec<(usize, String)> = Vec::new();
    for n in 1..=3 {
        let id = format!("option{n}_value");
        let has_values = rows.iter().any(|cells| !cells.get(&id).is_empty());
        let is_default = name(n).unwrap_or("Title") == "Title"
            && rows.iter().all(|cells| matches!(cells.get(&id), "" | "Default Title"));
        if !has_values || is_default {
            continue;
        }
        let name = tidy(name(n).unwrap_or("Option"), 100);
        let is_twice = names.iter().any(|(_, other)| *other == name);
        names.push((n, if is_twice { format!("{name} {n}") } else { name }));
    }
    names
}

/// The merchant's own type, else the category of Shopify's taxonomy, else tags.
fn categories(first: &Cells) -> Vec<String> {
    let path = |text: &str| category_path(text.split('>').map(str::trim));
    if let Some(path) = path(first.get("type")).or_else(|| path(first.get("category"))) {
        return vec![path];
    }
    let tags = list(first.get("tags"));
    tags.iter().filter_map(|tag| category_path(std::iter::once(tag.as_str()))).take(3).collect()
}

fn facts(first: &Cells, notes: &mut Vec<Item>) -> BTreeMap<String, Values> {
    let mut facts = Facts::default();
    let text = |id: &str| html::to_text(first.get(id), false);
    facts.add("vendor", [text("vendor")]);
    facts.add("tag", list(&text("tags")));
    facts.finish(first.line, "Tags", notes)
}

/// The tax that a row asks for, with its line.
fn tax(cells: &Cells) -> (u64, &'static str) {
    let is_taxable = cells::truth(cells.get("taxable")).unwrap_or(true);
    (cells.line, if is_taxable { "standard" } else { "zero" })
}

/// What is a draft, archived, or not published for certain is kept back, and so is what is no parcel: a gift card, or what is
/// not shipped. Shopify takes an empty "Published" for a yes.
fn status(first: &Cells, rows: &[Cells], notes: &mut Vec<Item>) -> &'static str {
    let status = first.get("status").to_ascii_lowercase();
    let (published, gift_card) = (first.get("published"), first.get("gift_card"));
    let why = if !matches!(status.as_str(), "" | "active") {
        ("Status", format!("is {}", excerpt(&status)))
    } else if !published.is_empty() && cells::truth(published) != Some(true) {
        ("Published", format!("is {}, which is not published", excerpt(published)))
    } else if !gift_card.is_empty() && cells::truth(gift_card) != Some(false) {
        ("Gift Card", format!("is {}, and gift cards are not sold here", excerpt(gift_card)))
    } else if let Some(cells) = rows.iter().find(|row| cells::truth(row.get("shipping")) == Some(false)) {
        let why = format!("is {}, so that it is no parcel", excerpt(cells.get("shipping")));
        return keep_back(cells.line, "Variant Requires Shipping", &why, notes);
    } else {
        return "active";
    };
    keep_back(first.line, why.0, &why.1, notes)
}

fn grams(cells: &Cells, notes: &mut Vec<Item>) -> i32 {
    let text = cells.get("grams");
    let milligrams = micros(text).map(|micros| micros / 1_000);
    let grams =
        milligrams.map(|milligrams| (milligrams + 500) / 1_000).and_then(|grams| i32::try_from(grams).ok());
    match grams.filter(|grams| *grams <= WEIGHT_GRAMS_MAX) {
        Some(grams) => grams,
        None if text.is_empty() => 0,
        None => {
            let reason = format!("is {}, which is not a weight in grams; it is left out", excerpt(text));
            notes.push(note(cells.line, "Variant Grams", reason));
            0
        }
    }
}
