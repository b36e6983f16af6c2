//! Shopify's export of products: a row a variant, further rows for further pictures; rows of one product have its handle.

use std::collections::{BTreeMap, VecDeque};
use std::io::BufRead;

use kernel::Currency;

use super::super::{Item, Located, Problem, ProductRow, Source, Values, VariantRow, cells};
use super::{
    Cells, DESCRIPTION_CHARS_MAX, FACTS_MAX, NAME_CHARS_MAX, Sheet, Skus, Spec, category_path, cut, html,
    list, note, pictures, problem, repeats, slug, stock,
};
use crate::table::{Encoding, excerpt};

const SPEC: Spec = Spec {
    file: "a Shopify export",
    required: &[("handle", "Handle"), ("title", "Title"), ("price", "Variant Price")],
    used_as,
    is_known,
};
/// Rows of one product: 2,048 variants and 250 pictures at most in Shopify.
const ROWS_MAX: usize = 5_000;
const GRAMS_MAX: i32 = 1_000_000;

/// Names of columns before and since Shopify renamed them.
fn used_as(name: &str) -> Option<String> {
    let id = match name {
        "handle" | "url_handle" => "handle",
        "title" => "title",
        "body_(html)" | "body" | "body_html" | "description" => "body",
        "vendor" => "vendor",
        "type" | "custom_product_type" => "type",
        "product_category" | "standard_product_type" | "standardized_product_type" => "category",
        "tags" => "tags",
        "published" | "published_on_online_store" => "published",
        "status" => "status",
        "variant_sku" | "sku" => "sku",
        "variant_grams" | "weight_value_(grams)" => "grams",
        "variant_inventory_qty" | "inventory_quantity" => "stock",
        "variant_price" | "price" => "price",
        "variant_compare_at_price" | "compare_at_price" => "compare",
        "variant_taxable" | "charge_tax" => "taxable",
        "image_src" | "product_image_url" => "image",
        "image_alt_text" => "alt",
        name => {
            let option = name.strip_prefix("option")?;
            let (n, part) = option.split_once('_')?;
            return (matches!(n, "1" | "2" | "3") && matches!(part, "name" | "value"))
                .then(|| name.to_owned());
        }
    };
    Some(id.to_owned())
}

fn is_known(name: &str) -> bool {
    let beginnings = [
        "variant_",
        "google_shopping",
        "option",
        "seo_",
        "image_",
        "price_",
        "compare_at_price",
        "included_",
        "unit_price",
        "gift_card",
        "cost_per_item",
        "barcode",
        "inventory_",
        "fulfillment_",
        "requires_shipping",
        "tax_code",
        "weight_unit",
        "continue_selling",
        "collection",
        "template_suffix",
    ];
    beginnings.iter().any(|beginning| name.starts_with(beginning)) || name.contains("metafields")
}

/// The column of a field of the row.
pub fn column(field: &str) -> String {
    let name = match field {
        "external_reference" | "slug" => "Handle",
        "name" => "Title",
        "description" => "Body (HTML)",
        "categories" => "Type",
        "tax_class" => "Variant Taxable",
        "status" => "Status",
        "options" => "Option1 Value",
        "attributes" | "synonyms" => "Tags",
        "images" => "Image Src",
        "sku" => "Variant SKU",
        "prices" => "Variant Price",
        "compare_at_prices" => "Variant Compare At Price",
        "weight_grams" => "Variant Grams",
        "stock" => "Variant Inventory Qty",
        other => other,
    };
    name.to_owned()
}

/// Reads products. Their prices are in the currency of the shop they come from.
pub fn read(
    reader: Box<dyn BufRead + Send>,
    encoding: Option<Encoding>,
    currency: Currency,
) -> impl Iterator<Item = Item> + Send {
    let (sheet, ready) = match Sheet::open(reader, encoding, &SPEC) {
        Ok((sheet, notes)) => (Some(sheet), notes),
        Err(problem) => (None, vec![Item::Refused(vec![problem])]),
    };
    let mut export = Export { sheet, currency, skus: Skus::default(), rows: Vec::new(), ready: ready.into() };
    std::iter::from_fn(move || export.next())
}

struct Export {
    sheet: Option<Sheet>,
    currency: Currency,
    skus: Skus,
    /// Rows of the product that is being gathered.
    rows: Vec<Cells>,
    ready: VecDeque<Item>,
}

impl Export {
    fn next(&mut self) -> Option<Item> {
        while self.ready.is_empty() {
            match self.sheet.as_mut()?.next() {
                Some(Ok(cells)) => self.row(cells),
                Some(Err(problem)) => {
                    if problem.is_last {
                        self.flush();
                        self.sheet = None;
                    }
                    self.ready.push_back(Item::Refused(vec![problem]));
                }
                None => {
                    self.flush();
                    self.ready.extend(self.sheet.take().and_then(|sheet| sheet.encoding_note()));
                }
            }
        }
        self.ready.pop_front()
    }

    fn row(&mut self, cells: Cells) {
        let handle = cells.get("handle");
        if handle.is_empty() {
            let reason = "is empty: rows of a product are known by it".to_owned();
            self.ready.push_back(Item::Refused(vec![problem(cells.line, "Handle", reason)]));
            return;
        }
        let is_next = self.rows.first().is_some_and(|first| first.get("handle") != handle);
        if is_next {
            self.flush();
        }
        if self.rows.len() == ROWS_MAX {
            let reason = format!("has more than {ROWS_MAX} rows");
            self.ready.push_back(Item::Refused(vec![problem(cells.line, "Handle", reason)]));
        } else if self.rows.len() < ROWS_MAX {
            self.rows.push(cells);
        }
    }

    fn flush(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        if let Some(first) = rows.first() {
            let items = self.product(first, &rows);
            self.ready.extend(items);
        }
    }

    /// A product of all its rows, what is told of it before it.
    fn product(&mut self, first: &Cells, rows: &[Cells]) -> Vec<Item> {
        let (line, handle) = (first.line, first.get("handle"));
        let mut items = Vec::new();
        let options = option_names(rows);
        let (mut variants, mut lines) = (Vec::new(), Vec::new());
        for cells in rows.iter().filter(|cells| is_variant(cells)) {
            let variant = self.variant(cells, handle, &options, &mut items);
            match variant {
                Ok(variant) if repeats(&variants, &variant) => {
                    let reason = "has the options of another variant of this product".to_owned();
                    items.push(Item::Refused(vec![problem(cells.line, "Option1 Value", reason)]));
                }
                Ok(variant) => {
                    variants.push(variant);
                    lines.push(cells.line);
                }
                Err(problem) => items.push(Item::Refused(vec![problem])),
            }
        }
        if variants.is_empty() {
            if !rows.iter().any(is_variant) {
                let reason =
                    "has no variant: no row with a price, a SKU or the value of an option".to_owned();
                items.push(Item::Refused(vec![problem(line, "Variant Price", reason)]));
            }
            return items;
        }
        let name = self.name(first, &mut items);
        let pictures = rows.iter().map(|cells| (cells.line, cells.get("image"), cells.get("alt")));
        let images = pictures_of(pictures, &mut items);
        let taxable = cells::truth(first.get("taxable")).unwrap_or(true);
        let row = ProductRow {
            external_reference: format!("shopify:{handle}"),
            name,
            slug: slug(handle),
            description: description(first, &mut items),
            categories: categories(first),
            tax_class: if taxable { "standard" } else { "zero" }.to_owned(),
            status: status(first, &mut items).to_owned(),
            options: options.into_iter().map(|(_, name)| name).collect(),
            attributes: facts(first),
            images,
            variants,
            ..ProductRow::default()
        };
        items.push(Item::Product(Located { row, lines, source: Source::Shopify }));
        items
    }

    fn name(&self, first: &Cells, items: &mut Vec<Item>) -> String {
        let title = html::to_text(first.get("title"), false);
        if title.is_empty() {
            let words = first.get("handle").replace('-', " ");
            items.push(note(
                first.line,
                "Title",
                format!("is empty: the name is {words:?}, from the handle"),
            ));
            return cut(&words, NAME_CHARS_MAX);
        }
        cut(&title, NAME_CHARS_MAX)
    }

    fn variant(
        &mut self,
        cells: &Cells,
        handle: &str,
        options: &[(usize, String)],
        items: &mut Vec<Item>,
    ) -> Result<VariantRow, Problem> {
        let line = cells.line;
        let price = |id: &str, column: &str| match cells.get(id) {
            "" => Ok(None),
            text => cells::amount(text, self.currency.code())
                .map(Some)
                .map_err(|what| problem(line, column, what)),
        };
        let (price, compare) =
            (price("price", "Variant Price")?, price("compare", "Variant Compare At Price")?);
        if price.is_none() {
            items.push(note(
                line,
                "Variant Price",
                "is empty: the variant goes in without a price".to_owned(),
            ));
        }
        let stock = stock(line, "Variant Inventory Qty", cells.get("stock"), items)?;
        let value = |(n, name): &(usize, String)| {
            let value = cut(cells.get(&format!("option{n}_value")), 255);
            (name.clone(), if value.is_empty() { "–".to_owned() } else { value })
        };
        let values: Vec<(String, String)> = options.iter().map(value).collect();
        let sku = match cells.get("sku") {
            "" => {
                let words = std::iter::once(handle).chain(values.iter().map(|(_, value)| value.as_str()));
                let sku = self.skus.make(words, line);
                items.push(note(line, "Variant SKU", format!("is empty: the SKU is {sku:?}")));
                sku
            }
            sku => {
                // Spreadsheets of old wrote an apostrophe before a SKU of digits.
                let sku = sku.strip_prefix('\'').unwrap_or(sku);
                self.skus.take(sku, line).map_err(|what| problem(line, "Variant SKU", what))?;
                sku.to_owned()
            }
        };
        let code = self.currency.code().to_owned();
        let compare = compare.filter(|compare| {
            super::super::micros(compare) > price.as_deref().and_then(super::super::micros)
        });
        Ok(VariantRow {
            sku,
            options: values.into_iter().collect(),
            compare_at_prices: compare.map(|compare| (code.clone(), compare)).into_iter().collect(),
            prices: price.map(|price| (code, price)).into_iter().collect(),
            weight_grams: grams(cells, items),
            stock,
        })
    }
}

fn pictures_of<'a>(
    rows: impl Iterator<Item = (u64, &'a str, &'a str)>,
    items: &mut Vec<Item>,
) -> Vec<super::super::ImageRow> {
    pictures(rows.filter(|(_, source, _)| !source.is_empty()), "Image Src", items)
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
        let name = cut(name(n).unwrap_or("Option"), 100);
        let is_twice = names.iter().any(|(_, other)| *other == name);
        names.push((n, if is_twice { format!("{name} {n}") } else { name }));
    }
    names
}

fn description(first: &Cells, items: &mut Vec<Item>) -> String {
    let text = html::to_text(first.get("body"), false);
    if text.chars().count() > DESCRIPTION_CHARS_MAX {
        let reason = format!("is longer than {DESCRIPTION_CHARS_MAX} characters; the rest of it is left out");
        items.push(note(first.line, "Body (HTML)", reason));
    }
    cut(&text, DESCRIPTION_CHARS_MAX)
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

fn facts(first: &Cells) -> BTreeMap<String, Values> {
    let mut facts = BTreeMap::new();
    let mut tags: Vec<String> = list(first.get("tags")).iter().map(|tag| cut(tag, 255)).collect();
    tags.sort();
    tags.dedup();
    tags.truncate(FACTS_MAX);
    if !tags.is_empty() {
        facts.insert("tag".to_owned(), Values::Many(tags));
    }
    let vendor = cut(first.get("vendor"), 255);
    if !vendor.is_empty() {
        facts.insert("vendor".to_owned(), Values::One(vendor));
    }
    facts
}

/// What is a draft, archived, or not published is kept back.
fn status(first: &Cells, items: &mut Vec<Item>) -> &'static str {
    let status = first.get("status").to_ascii_lowercase();
    let why = match (status.as_str(), cells::truth(first.get("published"))) {
        ("" | "active", Some(false)) => ("Published", "is not published".to_owned()),
        ("" | "active", _) => return "active",
        (other, _) => ("Status", format!("is {}", excerpt(other))),
    };
    items.push(note(first.line, why.0, format!("{}: the product goes in as a draft", why.1)));
    "draft"
}

fn grams(cells: &Cells, items: &mut Vec<Item>) -> i32 {
    let text = cells.get("grams");
    let milligrams = super::super::micros(text).map(|micros| micros / 1_000);
    let grams =
        milligrams.map(|milligrams| (milligrams + 500) / 1_000).and_then(|grams| i32::try_from(grams).ok());
    match grams.filter(|grams| *grams <= GRAMS_MAX) {
        Some(grams) => grams,
        None if text.is_empty() => 0,
        None => {
            let reason = format!("is {}, no weight in grams; it is left out", excerpt(text));
            items.push(note(cells.line, "Variant Grams", reason));
            0
        }
    }
}
