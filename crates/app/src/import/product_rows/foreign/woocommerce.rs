//! WooCommerce's export of products: a row a product, and a row for each variation, which names its parent by `id:` and
//! number or by SKU, and may stand before it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::BufRead;

use kernel::Currency;

use super::super::{Item, Located, Problem, ProductRow, Source, Values, VariantRow, cells};
use super::{
    Cells, DESCRIPTION_CHARS_MAX, FACTS_MAX, NAME_CHARS_MAX, Sheet, Skus, Spec, category_path, cut, html,
    list, note, pictures, problem, repeats, stock,
};
use crate::table::{Encoding, excerpt};

const SPEC: Spec = Spec {
    file: "a WooCommerce export",
    required: &[("type", "Type"), ("name", "Name"), ("regular_price", "Regular price")],
    used_as,
    is_known,
};
/// Bytes of an export that are held: a variation may stand anywhere, so a file is read as a whole.
const BYTES_MAX: usize = 512 << 20;
/// Attributes of a product that are looked at.
const ATTRIBUTES_MAX: usize = 50;
const OPTIONS_MAX: usize = 5;
const GRAMS_MAX: i64 = 1_000_000;

fn used_as(name: &str) -> Option<String> {
    const USED: [&str; 19] = [
        "id",
        "type",
        "sku",
        "name",
        "published",
        "visibility_in_catalog",
        "short_description",
        "description",
        "tax_status",
        "tax_class",
        "stock",
        "sale_price",
        "regular_price",
        "categories",
        "tags",
        "images",
        "parent",
        "brands",
        "in_stock?",
    ];
    if USED.contains(&name) {
        return Some(name.to_owned());
    }
    if matches!(name, "date_sale_price_starts" | "date_sale_price_ends") {
        return Some(name.to_owned());
    }
    if let Some(unit) = name.strip_prefix("weight_(") {
        let unit = unit.trim_end_matches(')');
        return matches!(unit, "kg" | "g" | "lbs" | "lb" | "oz").then(|| format!("weight_{unit}"));
    }
    let (n, part) = name.strip_prefix("attribute_")?.split_once('_')?;
    let is_number = n.parse::<usize>().is_ok_and(|n| (1..=ATTRIBUTES_MAX).contains(&n));
    let part = if part == "values" || part == "value(s)" { "value" } else { part };
    (is_number && matches!(part, "name" | "value")).then(|| format!("attribute_{n}_{part}"))
}

fn is_known(name: &str) -> bool {
    let beginnings = [
        "attribute_",
        "meta:",
        "download",
        "length_(",
        "width_(",
        "height_(",
        "is_featured",
        "low_stock",
        "backorders",
        "sold_individually",
        "allow_customer",
        "purchase_note",
        "shipping_class",
        "grouped_products",
        "upsells",
        "cross_sells",
        "external_url",
        "button_text",
        "position",
        "gtin",
        "swatches",
        "weight_(",
        "product_url",
        "slug",
    ];
    beginnings.iter().any(|beginning| name.starts_with(beginning))
}

/// The column of a field of the row.
pub fn column(field: &str) -> String {
    let name = match field {
        "external_reference" | "slug" => "ID",
        "name" => "Name",
        "description" => "Description",
        "categories" => "Categories",
        "tax_class" => "Tax class",
        "status" => "Published",
        "options" => "Attribute 1 value(s)",
        "attributes" | "synonyms" => "Tags",
        "images" => "Images",
        "sku" => "SKU",
        "prices" => "Regular price",
        "compare_at_prices" => "Sale price",
        "weight_grams" => "Weight",
        "stock" => "Stock",
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
    // Begun when the first product is asked for.
    std::iter::once_with(move || {
        Export { currency, skus: Skus::default(), items: Vec::new() }.read(reader, encoding)
    })
    .flatten()
}

struct Export {
    currency: Currency,
    skus: Skus,
    items: Vec<Item>,
}

/// A product and its variations, by their places among the rows.
#[derive(Default)]
struct Families {
    variations: HashMap<usize, Vec<usize>>,
    orphans: Vec<usize>,
}

impl Export {
    fn read(mut self, reader: Box<dyn BufRead + Send>, encoding: Option<Encoding>) -> Vec<Item> {
        let mut sheet = match Sheet::open(reader, encoding, &SPEC) {
            Ok((sheet, notes)) => {
                self.items.extend(notes);
                sheet
            }
            Err(problem) => return vec![Item::Refused(vec![problem])],
        };
        let (mut rows, mut bytes) = (Vec::new(), 0);
        while let Some(row) = sheet.next() {
            match row {
                Ok(cells) => {
                    bytes += cells.size();
                    if bytes > BYTES_MAX {
                        let reason = format!("the export has more than {BYTES_MAX} bytes; divide it");
                        let problem = Problem { is_last: true, ..problem(cells.line, "", reason) };
                        return vec![Item::Refused(vec![problem])];
                    }
                    rows.push(cells);
                }
                Err(problem) => self.items.push(Item::Refused(vec![problem])),
            }
        }
        self.items.extend(sheet.encoding_note());
        self.take_skus(&mut rows);
        let families = families(&rows);
        for n in &families.orphans {
            let parent = excerpt(rows[*n].get("parent"));
            self.refuse(rows[*n].line, "Parent", format!("is {parent}, which is no product of this file"));
        }
        for (n, cells) in rows.iter().enumerate() {
            if !is_variation(cells) {
                let variations = families.variations.get(&n);
                let variations: Vec<&Cells> = variations.into_iter().flatten().map(|n| &rows[*n]).collect();
                self.product(cells, &variations);
            }
        }
        self.items
    }

    fn refuse(&mut self, line: u64, column: &str, reason: String) {
        self.items.push(Item::Refused(vec![problem(line, column, reason)]));
    }

    fn note(&mut self, line: u64, column: &str, reason: String) {
        self.items.push(note(line, column, reason));
    }

    /// SKUs belong to the rows that are sold, in the order of the file; a parent's names it for its variations only.
    fn take_skus(&mut self, rows: &mut Vec<Cells>) {
        let mut good = Vec::with_capacity(rows.len());
        for cells in std::mem::take(rows) {
            let sku = cells.get("sku");
            let is_sold = !sku.is_empty()
                && !kinds(&cells).any(|kind| matches!(kind, "variable" | "grouped" | "external"));
            match is_sold.then(|| self.skus.take(sku, cells.line)) {
                Some(Err(what)) => self.refuse(cells.line, "SKU", what),
                _ => good.push(cells),
            }
        }
        *rows = good;
    }

    fn product(&mut self, cells: &Cells, variations: &[&Cells]) {
        let line = cells.line;
        if let Some(kind) = kinds(cells).find(|kind| matches!(*kind, "grouped" | "external")) {
            let reason = format!("is {kind}: such a product is not sold here itself");
            return self.refuse(line, "Type", reason);
        }
        let name = cut(&html::to_text(cells.get("name"), false), NAME_CHARS_MAX);
        if name.is_empty() {
            return self.refuse(line, "Name", "is empty".to_owned());
        }
        let is_variable = kinds(cells).any(|kind| kind.starts_with("variable"));
        let options = if is_variable { options(cells, variations) } else { Vec::new() };
        let (variants, lines) = if is_variable {
            self.variants(cells, variations, &options)
        } else {
            match self.variant(cells, cells, &[]) {
                Ok(variant) => (vec![variant], vec![line]),
                Err(problem) => {
                    self.items.push(Item::Refused(vec![problem]));
                    return;
                }
            }
        };
        if variants.is_empty() {
            return self.refuse(line, "Type", "is variable, and no variation of it can be sold".to_owned());
        }
        let id = match cells.get("id") {
            "" => variants[0].sku.clone(),
            id => id.to_owned(),
        };
        let (mut attributes, images) = (facts(cells, &options), self.images(cells, variations));
        if variants.len() == 1 && !is_variable {
            attributes.extend(described(cells));
        }
        let row = ProductRow {
            external_reference: format!("woocommerce:{id}"),
            name,
            description: self.description(cells),
            categories: list(cells.get("categories"))
                .iter()
                .filter_map(|path| category_path(path.split('>').map(str::trim)))
                .take(10)
                .collect(),
            tax_class: self.tax_class(cells).to_owned(),
            status: self.status(cells).to_owned(),
            options,
            attributes,
            images,
            variants,
            ..ProductRow::default()
        };
        self.items.push(Item::Product(Located { row, lines, source: Source::WooCommerce }));
    }

    fn variants(
        &mut self,
        parent: &Cells,
        variations: &[&Cells],
        options: &[String],
    ) -> (Vec<VariantRow>, Vec<u64>) {
        let (mut variants, mut lines) = (Vec::new(), Vec::new());
        for cells in variations {
            if cells::truth(cells.get("published")) == Some(false) {
                self.note(cells.line, "Published", "is not published: the variation is left out".to_owned());
                continue;
            }
            match self.variant(cells, parent, options) {
                Ok(variant) if repeats(&variants, &variant) => {
                    let reason = "has the attributes of another variation of this product".to_owned();
                    self.refuse(cells.line, "Attribute 1 value(s)", reason);
                }
                Ok(variant) => {
                    variants.push(variant);
                    lines.push(cells.line);
                }
                Err(problem) => self.items.push(Item::Refused(vec![problem])),
            }
        }
        (variants, lines)
    }

    /// What is sold: a variation with what it has of its parent, or a product that is its own.
    fn variant(&mut self, cells: &Cells, parent: &Cells, options: &[String]) -> Result<VariantRow, Problem> {
        let line = cells.line;
        let (price, compare) = self.prices(cells)?;
        let stock = stock(line, "Stock", cells.get("stock"), &mut self.items)?;
        let own = attributes(cells);
        let value = |name: &String| {
            let value = own
                .iter()
                .find(|(other, _)| other.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.as_str());
            // A variation without a value is for any of them.
            let value = value.map(|value| cut(value, 255)).filter(|value| !value.is_empty());
            (name.clone(), value.unwrap_or_else(|| "Any".to_owned()))
        };
        let values: Vec<(String, String)> = options.iter().map(value).collect();
        let sku = match cells.get("sku") {
            "" => {
                let name = if parent.get("sku").is_empty() { parent.get("name") } else { parent.get("sku") };
                let words = std::iter::once(name).chain(values.iter().map(|(_, value)| value.as_str()));
                let sku = self.skus.make(words, line);
                self.note(line, "SKU", format!("is empty: the SKU is {sku:?}"));
                sku
            }
            sku => sku.to_owned(),
        };
        let code = self.currency.code().to_owned();
        Ok(VariantRow {
            sku,
            options: values.into_iter().collect(),
            prices: price.map(|price| (code.clone(), price)).into_iter().collect(),
            compare_at_prices: compare.map(|price| (code, price)).into_iter().collect(),
            weight_grams: self.grams(cells).or_else(|| self.grams(parent)).unwrap_or_default(),
            stock,
        })
    }

    /// The price, and the one before a sale. A sale with dates is over or to come at some time, so its price is not taken.
    fn prices(&mut self, cells: &Cells) -> Result<(Option<String>, Option<String>), Problem> {
        let line = cells.line;
        let price = |id: &str, column: &str| match cells.get(id) {
            "" => Ok(None),
            text => cells::amount(text, self.currency.code())
                .map(Some)
                .map_err(|what| problem(line, column, what)),
        };
        let (regular, sale) = (price("regular_price", "Regular price")?, price("sale_price", "Sale price")?);
        let micros = |price: &Option<String>| price.as_deref().and_then(super::super::micros);
        let has_dates =
            ["date_sale_price_starts", "date_sale_price_ends"].iter().any(|id| !cells.get(id).is_empty());
        match (&regular, &sale) {
            (None, None) => {
                self.note(line, "Regular price", "is empty: it goes in without a price".to_owned());
                Ok((None, None))
            }
            (Some(_), Some(_)) if has_dates => {
                self.note(line, "Sale price", "is for some days only: the regular price goes in".to_owned());
                Ok((regular, None))
            }
            (Some(_), Some(_)) if micros(&sale) < micros(&regular) => Ok((sale, regular)),
            (Some(_), _) => Ok((regular, None)),
            (None, Some(_)) => Ok((sale, None)),
        }
    }

    fn grams(&mut self, cells: &Cells) -> Option<i32> {
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
            let micros = super::super::micros(&text.replacen(',', ".", 1));
            let grams = micros.map(|micros| (i128::from(micros) * unit / 1_000_000 + 500_000) / 1_000_000);
            let grams = grams
                .filter(|grams| *grams <= i128::from(GRAMS_MAX))
                .and_then(|grams| i32::try_from(grams).ok());
            if grams.is_none() {
                self.note(cells.line, "Weight", format!("is {}, no weight; it is left out", excerpt(text)));
            }
            return grams;
        }
        None
    }

    /// The long story, else the short one. WooCommerce writes line breaks as `\n`, and means them.
    fn description(&mut self, cells: &Cells) -> String {
        let text = if cells.get("description").is_empty() { "short_description" } else { "description" };
        let written = cells.get(text).replace("\\r\\n", "\n").replace("\\n", "\n");
        let text = html::to_text(&written, true);
        if text.chars().count() > DESCRIPTION_CHARS_MAX {
            let reason =
                format!("is longer than {DESCRIPTION_CHARS_MAX} characters; the rest of it is left out");
            self.note(cells.line, "Description", reason);
        }
        cut(&text, DESCRIPTION_CHARS_MAX)
    }

    fn tax_class(&mut self, cells: &Cells) -> &'static str {
        if cells.get("tax_status").eq_ignore_ascii_case("none") {
            return "zero";
        }
        match cells.get("tax_class").to_ascii_lowercase().as_str() {
            "" | "standard" | "parent" => "standard",
            "reduced-rate" | "reduced" => "reduced",
            "zero-rate" | "zero" => "zero",
            other => {
                let reason =
                    format!("is {}, which is unknown here: the standard rate applies", excerpt(other));
                self.note(cells.line, "Tax class", reason);
                "standard"
            }
        }
    }

    /// What is private, a draft, or hidden from the catalogue is kept back.
    fn status(&mut self, cells: &Cells) -> &'static str {
        let why = if cells::truth(cells.get("published")) == Some(false) {
            ("Published", "is not published")
        } else if cells.get("visibility_in_catalog").eq_ignore_ascii_case("hidden") {
            ("Visibility in catalog", "is hidden")
        } else {
            return "active";
        };
        self.note(cells.line, why.0, format!("{}: the product goes in as a draft", why.1));
        "draft"
    }

    fn images(&mut self, cells: &Cells, variations: &[&Cells]) -> Vec<super::super::ImageRow> {
        let rows = std::iter::once(cells).chain(variations.iter().copied());
        let sources: Vec<(u64, String)> = rows
            .flat_map(|cells| list(cells.get("images")).into_iter().map(|source| (cells.line, source)))
            .collect();
        let sources = sources.iter().map(|(line, source)| (*line, source.as_str(), ""));
        pictures(sources, "Images", &mut self.items)
    }
}

/// A type has words: `simple, virtual`.
fn kinds(cells: &Cells) -> impl Iterator<Item = &str> {
    cells.get("type").split(',').map(str::trim)
}

fn is_variation(cells: &Cells) -> bool {
    kinds(cells).any(|kind| kind == "variation" || kind == "subscription_variation")
}

fn families(rows: &[Cells]) -> Families {
    let parents = || rows.iter().enumerate().filter(|(_, cells)| !is_variation(cells));
    let ids: HashMap<&str, usize> = parents().map(|(n, cells)| (cells.get("id"), n)).collect();
    let skus: HashMap<&str, usize> = parents().map(|(n, cells)| (cells.get("sku"), n)).collect();
    let mut families = Families::default();
    for (n, cells) in rows.iter().enumerate().filter(|(_, cells)| is_variation(cells)) {
        let parent = cells.get("parent");
        let found = match parent.strip_prefix("id:") {
            Some(id) => ids.get(id.trim()),
            None => skus.get(parent).or_else(|| ids.get(parent)),
        };
        match found.filter(|_| !parent.is_empty()) {
            Some(parent) => families.variations.entry(*parent).or_default().push(n),
            None => families.orphans.push(n),
        }
    }
    families
}

/// The attributes of a row: names and values as they are written.
fn attributes(cells: &Cells) -> Vec<(String, String)> {
    let attribute = |n: usize| {
        let name = cells.get(&format!("attribute_{n}_name"));
        let value = html::to_text(cells.get(&format!("attribute_{n}_value")), false);
        (!name.is_empty()).then(|| (cut(&html::to_text(name, false), 100), value))
    };
    (1..=ATTRIBUTES_MAX).filter_map(attribute).collect()
}

/// What the variations of a product differ by: the parent's attributes that they name, in its order, then others.
fn options(parent: &Cells, variations: &[&Cells]) -> Vec<String> {
    let named: Vec<String> =
        variations.iter().flat_map(|cells| attributes(cells)).map(|(name, _)| name).collect();
    let has = |names: &[String], name: &str| names.iter().any(|other| other.eq_ignore_ascii_case(name));
    let mut options: Vec<String> = Vec::new();
    let of_parent = attributes(parent).into_iter().map(|(name, _)| name).filter(|name| has(&named, name));
    for name in of_parent.chain(named.iter().cloned()) {
        if !has(&options, &name) && options.len() < OPTIONS_MAX {
            options.push(name);
        }
    }
    options
}

/// What can be looked for: tags, the brand, and attributes that are no options.
fn facts(cells: &Cells, options: &[String]) -> BTreeMap<String, Values> {
    let mut facts = BTreeMap::new();
    let values = |text: &str| {
        let values: HashSet<String> = list(text).iter().map(|value| cut(value, 255)).collect();
        let mut values: Vec<String> = values.into_iter().collect();
        values.sort();
        values.truncate(FACTS_MAX / 2);
        (!values.is_empty()).then_some(Values::Many(values))
    };
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
fn described(cells: &Cells) -> BTreeMap<String, Values> {
    let one = |(name, text): (String, String)| {
        let values: Vec<String> = list(&text).iter().map(|value| cut(value, 255)).take(10).collect();
        (!values.is_empty()).then(|| (cut(&name, 60), Values::Many(values)))
    };
    attributes(cells).into_iter().take(5).filter_map(one).collect()
}
