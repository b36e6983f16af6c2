//! CSV of the house: a line a variant.

use std::collections::{BTreeMap, VecDeque};
use std::io::BufRead;

use super::{ImageRow, Item, Located, Problem, ProductRow, ROW_LIMITS, Source, Values, VariantRow, cells};
use crate::table::{Columns, Encoding, Fault, Known, Record, Records, Utf8, encoding, excerpt};

/// The columns, in any order. `name`, `sku` and `prices` must be there. Lists are separated by semicolons: categories
/// `Kitchen/Mugs; Gifts`, options `colour=blue; size=L`, prices `24.50 GBP; 28 EUR`, attributes `material=oak`, images
/// `bowl.jpg what is seen` (a file, see [`ImageRow`]) or `https://… 800x600 what is seen`.
pub const COLUMNS: [&str; 15] = [
    "external_reference",
    "name",
    "slug",
    "description",
    "categories",
    "sku",
    "options",
    "prices",
    "tax_class",
    "weight_grams",
    "stock",
    "synonyms",
    "attributes",
    "images",
    "status",
];
const REQUIRED: [&str; 3] = ["name", "sku", "prices"];
const KNOWN: Known<'static> = Known { names: &COLUMNS, file: "a product file" };
/// The most variants that are gathered; the catalogue refuses more than it takes.
const VARIANTS_MAX: usize = 5_000;

/// The column of a pointer into a row.
pub(super) fn column(pointer: &str) -> String {
    let mut parts = pointer.split('/').skip(1);
    let first = parts.next().unwrap_or_default();
    let own = if first == "variants" { parts.nth(1).unwrap_or("sku") } else { first };
    own.to_owned()
}

/// Reads products. Ends with a problem that is the last one where the file cannot be read on.
pub(super) fn read(
    reader: Box<dyn BufRead + Send>,
    known: Option<Encoding>,
) -> impl Iterator<Item = Item> + Send {
    let reader = Utf8::new(reader, known);
    let found = reader.found();
    let mut lines =
        Lines { records: None, found, columns: None, open: None, ready: VecDeque::new(), is_over: false };
    lines.begin(reader);
    lines
}

type Input = Box<dyn BufRead + Send>;

struct Lines {
    records: Option<Records<Input>>,
    found: encoding::Found,
    columns: Option<Columns>,
    /// The product whose variants are being gathered.
    open: Option<Open>,
    ready: VecDeque<Item>,
    is_over: bool,
}

/// A product and what is wrong with its rows.
struct Open {
    located: Located,
    problems: Vec<Problem>,
    /// A row that could not be read since the last one that is the product's.
    unreadable: Option<u64>,
}

impl Iterator for Lines {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Some(item);
            }
            if self.is_over {
                return None;
            }
            self.step();
        }
    }
}

impl Lines {
    fn begin(&mut self, reader: Utf8<Input>) {
        match Records::open(reader, ROW_LIMITS, &|name| KNOWN.find(name).is_some()) {
            Ok(records) => self.records = Some(records),
            Err(fault) => self.end(fault),
        }
    }

    fn end(&mut self, fault: Fault) {
        self.flush();
        let problem = super::unreadable(self.problem_of(fault));
        self.ready.push_back(Item::Refused(vec![problem]));
        self.is_over = true;
    }

    fn problem_of(&self, fault: Fault) -> Problem {
        let name = |place: usize| {
            self.columns
                .as_ref()
                .map_or_else(|| format!("column {}", place + 1), |columns| columns.name(place))
        };
        Problem {
            line: fault.line,
            column: fault.column.map(name).unwrap_or_default(),
            reason: fault.what,
            is_last: fault.is_last,
        }
    }

    /// Reads one line.
    fn step(&mut self) {
        let Some(records) = &mut self.records else {
            self.is_over = true;
            return;
        };
        match records.next() {
            Some(Ok(record)) if record.is_blank() => {}
            Some(Ok(record)) if self.columns.is_none() => self.header(&record),
            Some(Ok(record)) => self.row(&record),
            Some(Err(fault)) if fault.is_last => self.end(fault),
            Some(Err(fault)) => {
                let problem = super::unreadable(self.problem_of(fault));
                self.refuse_row(problem);
            }
            None if self.columns.is_none() => {
                let what = "the file is empty; its first line names the columns".to_owned();
                self.end(Fault { is_last: true, ..Fault::of_row(1, None, what) });
            }
            None => {
                self.flush();
                self.ready.extend(super::encoding_note(&self.found));
                self.is_over = true;
            }
        }
    }

    fn header(&mut self, record: &Record) {
        let columns = match Columns::of(record, &KNOWN) {
            Ok(columns) => columns,
            Err(fault) => {
                // The name that is there twice says more than its number.
                let name = fault.column.and_then(|place| record.text(place).ok()).map(str::to_owned);
                let mut problem = self.problem_of(fault);
                problem.column = name.unwrap_or(problem.column);
                self.ready.push_back(Item::Refused(vec![problem]));
                self.is_over = true;
                return;
            }
        };
        let is_there = |name: &str| KNOWN.find(name).and_then(|place| columns.place(place)).is_some();
        if let Some(missing) = REQUIRED.iter().find(|name| !is_there(name)) {
            let separator = self.records.as_ref().map_or(',', Records::separator);
            let reason = format!(
                "is missing from the header, which is {} (separated by {separator:?})",
                columns.seen(separator)
            );
            let problem = Problem { line: record.line, column: (*missing).to_owned(), reason, is_last: true };
            self.ready.push_back(Item::Refused(vec![problem]));
            self.is_over = true;
            return;
        }
        for (place, _) in &columns.unknown {
            let (column, reason) = (columns.name(*place), columns.told(*place, &KNOWN));
            self.ready.push_back(Item::Note(Problem { line: record.line, column, reason, is_last: false }));
        }
        self.columns = Some(columns);
    }

    /// A row of which nothing is known. It may be one of the open product, which shows when that goes on behind it.
    fn refuse_row(&mut self, problem: Problem) {
        match &mut self.open {
            Some(open) if !open.located.row.external_reference.is_empty() => {
                open.unreadable = Some(problem.line)
            }
            _ => self.flush(),
        }
        self.ready.push_back(Item::Refused(vec![problem]));
    }

    fn row(&mut self, record: &Record) {
        let Some(columns) = &self.columns else { return };
        let fields = match Fields::of(record, columns) {
            Ok(fields) => fields,
            Err(problem) => return self.refuse_row(problem),
        };
        let mut problems = Vec::new();
        let variant = fields.variant(&mut problems);
        let reference = fields.get("external_reference");
        if let Some(open) = &mut self.open
            && !reference.is_empty()
            && open.located.row.external_reference == reference
        {
            open.add(variant, record.line, problems);
            return;
        }
        let row = fields.product(variant, &mut problems);
        self.flush();
        let located = Located { row, lines: vec![record.line], source: Source::Csv };
        self.open = Some(Open { located, problems, unreadable: None });
    }

    /// Gives the product that is complete. One with a bad row is refused as a whole: without its row it would lose a variant.
    fn flush(&mut self) {
        let item = self.open.take().map(|open| match open.problems.is_empty() {
            true => Item::Product(open.located),
            false => Item::Refused(open.problems),
        });
        self.ready.extend(item);
    }
}

impl Open {
    fn add(&mut self, variant: VariantRow, line: u64, problems: Vec<Problem>) {
        if let Some(bad) = self.unreadable.take() {
            let reason = format!("has a row in between that cannot be read, line {bad}");
            self.problems.push(problem(line, "external_reference", reason));
        }
        if self.located.row.variants.len() >= VARIANTS_MAX {
            if self.problems.is_empty() {
                let reason = format!("is more than {VARIANTS_MAX} variants of one product");
                self.problems.push(problem(line, "sku", reason));
            }
            return;
        }
        self.problems.extend(problems);
        self.located.row.variants.push(variant);
        self.located.lines.push(line);
    }
}

struct Fields<'a> {
    line: u64,
    fields: BTreeMap<&'static str, &'a str>,
}

impl<'a> Fields<'a> {
    fn of(record: &'a Record, columns: &Columns) -> Result<Self, Problem> {
        let line = record.line;
        if record.len() < columns.width() {
            let reason = format!("is missing: the line has {} of {} columns", record.len(), columns.width());
            return Err(problem(line, &columns.name(record.len()), reason));
        }
        record.check_width(columns.width()).map_err(|fault| problem(line, "", fault.what))?;
        let mut fields = BTreeMap::new();
        for (n, name) in COLUMNS.iter().enumerate() {
            let Some(place) = columns.place(n) else { continue };
            fields.insert(*name, record.text(place).map_err(|what| problem(line, name, what))?);
        }
        Ok(Self { line, fields })
    }
}

impl Fields<'_> {
    fn get(&self, column: &str) -> &str {
        self.fields.get(column).copied().unwrap_or_default()
    }

    fn list(&self, column: &str) -> impl Iterator<Item = &str> {
        self.get(column).split(';').map(str::trim).filter(|part| !part.is_empty())
    }

    fn pairs(&self, column: &str, problems: &mut Vec<Problem>) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        for text in self.list(column) {
            match text.split_once('=') {
                Some((name, value)) => pairs.push((name.trim().to_owned(), value.trim().to_owned())),
                None => {
                    let reason = format!("has {} where name=value is expected", excerpt(text));
                    problems.push(problem(self.line, column, reason));
                }
            }
        }
        pairs
    }

    fn number<T: std::str::FromStr>(&self, column: &str, problems: &mut Vec<Problem>) -> Option<T> {
        match self.get(column) {
            "" => None,
            text => cells::whole(text).map_err(|what| problems.push(problem(self.line, column, what))).ok(),
        }
    }

    fn variant(&self, problems: &mut Vec<Problem>) -> VariantRow {
        let mut prices = BTreeMap::new();
        for text in self.list("prices") {
            match cells::price_with_code(text) {
                Ok((code, price)) => {
                    if prices.insert(code, price).is_some() {
                        let reason = format!("has {} whose currency repeats", excerpt(text));
                        problems.push(problem(self.line, "prices", reason));
                    }
                }
                Err(what) => problems.push(problem(self.line, "prices", what)),
            }
        }
        VariantRow {
            sku: self.get("sku").to_owned(),
            options: self.pairs("options", problems).into_iter().collect(),
            prices,
            weight_grams: self.number("weight_grams", problems).unwrap_or_default(),
            stock: self.number("stock", problems),
            ..VariantRow::default()
        }
    }

    fn product(&self, variant: VariantRow, problems: &mut Vec<Problem>) -> ProductRow {
        let mut attributes: BTreeMap<String, Values> = BTreeMap::new();
        for (name, value) in self.pairs("attributes", problems) {
            let values = attributes.entry(name).or_insert_with(|| Values::Many(Vec::new()));
            if let Values::Many(values) = values {
                values.push(value);
            }
        }
        // What is wrong with a pair was told with the variant.
        let options = self.pairs("options", &mut Vec::new()).into_iter().map(|(name, _)| name).collect();
        ProductRow {
            external_reference: self.get("external_reference").to_owned(),
            name: self.get("name").to_owned(),
            slug: self.get("slug").to_owned(),
            description: self.get("description").to_owned(),
            categories: self.list("categories").map(str::to_owned).collect(),
            tax_class: self.get("tax_class").to_owned(),
            status: self.get("status").to_owned(),
            options,
            synonyms: self.list("synonyms").map(str::to_owned).collect(),
            attributes,
            images: self.list("images").map(image).collect(),
            variants: vec![variant],
        }
    }
}

/// `bowl.jpg what is seen`, or `https://… 800x600 what is seen`; what is seen and the size may be absent. The name of a file
/// may have blanks where it ends as pictures' names do.
fn image(text: &str) -> ImageRow {
    if text.contains("://") {
        let (url, more) = text.split_once(' ').unwrap_or((text, ""));
        let sizes = |size: &str| {
            let (width, height) = size.split_once('x')?;
            Some((width.parse().ok()?, height.parse().ok()?))
        };
        let (size, alt) = more.trim().split_once(' ').unwrap_or((more.trim(), ""));
        let ((width, height), alt) = sizes(size).map_or(((0, 0), more), |sizes| (sizes, alt));
        return ImageRow {
            url: url.to_owned(),
            alt: alt.trim().to_owned(),
            width,
            height,
            ..ImageRow::default()
        };
    }
    let lower = text.to_ascii_lowercase();
    let ends = [".jpg", ".jpeg", ".png", ".webp"].iter().flat_map(|ending| {
        lower.match_indices(ending).map(|(at, ending)| at + ending.len()).collect::<Vec<_>>()
    });
    let end = ends.filter(|end| text[*end..].is_empty() || text[*end..].starts_with(' ')).min();
    let end = end.or_else(|| text.find(' ')).unwrap_or(text.len());
    ImageRow { file: text[..end].to_owned(), alt: text[end..].trim().to_owned(), ..ImageRow::default() }
}

fn problem(line: u64, column: &str, reason: String) -> Problem {
    Problem { line, column: column.to_owned(), reason, is_last: false }
}
