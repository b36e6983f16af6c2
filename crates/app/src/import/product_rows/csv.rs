//! CSV: a line a variant.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use csv::{Position, Reader, ReaderBuilder, StringRecord};

use super::{Format, ImageRow, Located, Problem, ProductRow, ROW_BYTES_MAX, Values, VariantRow};

/// The columns, in any order. `name`, `sku` and `prices` must be there. Lists are separated by semicolons: categories
/// `Kitchen/Mugs; Gifts`, options `colour=blue; size=L`, prices `24.50 GBP; 28 EUR`, attributes `material=oak`, images
/// `bowl.jpg what is seen` (a file, see [`ImageRow`]) or `https://… 800x600 what is seen`.
pub const COLUMNS: [&str; 14] = [
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
];
const STATUS: &str = "status";
const REQUIRED: [&str; 3] = ["name", "sku", "prices"];
/// The most variants that are gathered; the catalogue refuses more than 100 anyway.
const VARIANTS_MAX: usize = 1_000;

/// The column of a pointer into a row.
pub(super) fn column(pointer: &str) -> String {
    let mut parts = pointer.split('/').skip(1);
    let first = parts.next().unwrap_or_default();
    let own = if first == "variants" { parts.nth(1).unwrap_or("sku") } else { first };
    own.to_owned()
}

/// Reads products. Ends with a problem that is the last one where the file cannot be read on.
pub(super) fn read(
    reader: impl Read + Send + 'static,
) -> impl Iterator<Item = Result<Located, Problem>> + Send {
    let since = Arc::new(AtomicUsize::new(0));
    let guarded = Guarded { inner: reader, since: Arc::clone(&since) };
    let reader = ReaderBuilder::new().flexible(true).from_reader(guarded);
    Lines { reader, since, columns: None, open: None, bad: None, is_over: false }
}

/// Refuses a record that does not end: memory is bounded whatever the file holds.
struct Guarded<R> {
    inner: R,
    since: Arc<AtomicUsize>,
}

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if self.since.fetch_add(read, Ordering::Relaxed) > ROW_BYTES_MAX {
            return Err(io::Error::other(format!("a row is longer than {ROW_BYTES_MAX} bytes")));
        }
        Ok(read)
    }
}

struct Lines<R> {
    reader: Reader<Guarded<R>>,
    since: Arc<AtomicUsize>,
    columns: Option<Columns>,
    /// The product whose variants are being gathered.
    open: Option<Located>,
    /// A problem that waits until the open product was given.
    bad: Option<Problem>,
    is_over: bool,
}

struct Columns(Vec<&'static str>);

impl<R: Read> Iterator for Lines<R> {
    type Item = Result<Located, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(bad) = self.bad.take() {
                return Some(Err(bad));
            }
            if self.is_over {
                return self.open.take().map(Ok);
            }
            match self.step() {
                Ok(None) => {}
                Ok(Some(done)) => return Some(Ok(done)),
                Err(problem) => {
                    self.is_over |= problem.is_last;
                    self.bad = Some(problem);
                    if let Some(open) = self.open.take() {
                        return Some(Ok(open));
                    }
                }
            }
        }
    }
}

impl<R: Read> Lines<R> {
    /// Reads one line; answers a product that ended with it.
    fn step(&mut self) -> Result<Option<Located>, Problem> {
        if self.columns.is_none() {
            let header = self.reader.headers().map_err(|error| unreadable(&error, 1, &[]))?;
            self.columns = Some(Columns::of(header)?);
        }
        let columns = self.columns.as_ref().map_or(&[][..], |columns| &columns.0);
        let line = self.reader.position().line();
        let mut record = StringRecord::new();
        let more = self.reader.read_record(&mut record).map_err(|error| unreadable(&error, line, columns))?;
        self.since.store(0, Ordering::Relaxed);
        if !more {
            self.is_over = true;
            return Ok(None);
        }
        let line = record.position().map_or(0, Position::line);
        if record.len() != columns.len() {
            // The first one that is not there; none when there are too many.
            let column = columns.get(record.len()).copied().unwrap_or_default();
            let (what, count) =
                if column.is_empty() { ("", "has") } else { ("is missing: ", "the line has") };
            let reason =
                format!("{what}{count} {} fields where the header has {}", record.len(), columns.len());
            return Err(problem(line, column, reason));
        }
        let fields: BTreeMap<&str, &str> =
            columns.iter().copied().zip(record.iter().map(str::trim)).collect();
        let fields = Fields { line, fields };
        let variant = fields.variant()?;
        let reference = fields.get("external_reference");
        if let Some(open) = &mut self.open
            && !reference.is_empty()
            && open.row.external_reference == reference
        {
            if open.row.variants.len() >= VARIANTS_MAX {
                return Err(problem(
                    line,
                    "sku",
                    format!("is more than {VARIANTS_MAX} variants of one product"),
                ));
            }
            open.row.variants.push(variant);
            open.lines.push(line);
            return Ok(None);
        }
        let row = fields.product(variant)?;
        Ok(self.open.replace(Located { row, lines: vec![line], format: Format::Csv }))
    }
}

impl Columns {
    fn of(header: &StringRecord) -> Result<Self, Problem> {
        let last = |column: &str, reason: String| Problem { is_last: true, ..problem(1, column, reason) };
        if header.is_empty() {
            return Err(last("", "the file is empty; its first line names the columns".to_owned()));
        }
        let mut columns = Vec::new();
        for name in header.iter().map(|name| name.trim().trim_start_matches('\u{feff}')) {
            let known = COLUMNS.iter().chain([&STATUS]).find(|known| **known == name);
            let Some(known) = known else {
                return Err(last(
                    name,
                    format!("is no column of a product file; they are {}, {STATUS}", COLUMNS.join(", ")),
                ));
            };
            if columns.contains(known) {
                return Err(last(name, "is there twice".to_owned()));
            }
            columns.push(*known);
        }
        match REQUIRED.iter().find(|required| !columns.contains(required)) {
            Some(missing) => Err(last(missing, "is missing from the header".to_owned())),
            None => Ok(Self(columns)),
        }
    }
}

struct Fields<'a> {
    line: u64,
    fields: BTreeMap<&'a str, &'a str>,
}

impl Fields<'_> {
    fn get(&self, column: &str) -> &str {
        self.fields.get(column).copied().unwrap_or_default()
    }

    fn list(&self, column: &str) -> impl Iterator<Item = &str> {
        self.get(column).split(';').map(str::trim).filter(|part| !part.is_empty())
    }

    fn pairs(&self, column: &str) -> Result<Vec<(String, String)>, Problem> {
        let pair = |text: &str| {
            let (name, value) = text.split_once('=').ok_or_else(|| {
                problem(self.line, column, format!("has {text:?} where name=value is expected"))
            })?;
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        };
        self.list(column).map(pair).collect()
    }

    fn number<T: std::str::FromStr>(&self, column: &str) -> Result<Option<T>, Problem> {
        match self.get(column) {
            "" => Ok(None),
            text => text
                .parse()
                .map(Some)
                .map_err(|_| problem(self.line, column, format!("is {text:?}, no whole number"))),
        }
    }

    fn variant(&self) -> Result<VariantRow, Problem> {
        let mut prices = BTreeMap::new();
        for text in self.list("prices") {
            let wrong = |reason: &str| problem(self.line, "prices", format!("has {text:?} {reason}"));
            let (price, currency) =
                text.split_once(' ').ok_or_else(|| wrong("where 24.50 GBP is expected"))?;
            if super::micros(price).is_none() {
                return Err(wrong("whose price is no decimal number of at most 6 decimals"));
            }
            if prices.insert(currency.trim().to_owned(), price.to_owned()).is_some() {
                return Err(wrong("whose currency repeats"));
            }
        }
        Ok(VariantRow {
            sku: self.get("sku").to_owned(),
            options: self.pairs("options")?.into_iter().collect(),
            prices,
            weight_grams: self.number("weight_grams")?.unwrap_or_default(),
            stock: self.number("stock")?,
        })
    }

    fn product(&self, variant: VariantRow) -> Result<ProductRow, Problem> {
        let mut attributes: BTreeMap<String, Values> = BTreeMap::new();
        for (name, value) in self.pairs("attributes")? {
            let values = attributes.entry(name).or_insert_with(|| Values::Many(Vec::new()));
            if let Values::Many(values) = values {
                values.push(value);
            }
        }
        Ok(ProductRow {
            external_reference: self.get("external_reference").to_owned(),
            name: self.get("name").to_owned(),
            slug: self.get("slug").to_owned(),
            description: self.get("description").to_owned(),
            categories: self.list("categories").map(str::to_owned).collect(),
            tax_class: self.get("tax_class").to_owned(),
            status: self.get(STATUS).to_owned(),
            options: self.pairs("options")?.into_iter().map(|(name, _)| name).collect(),
            synonyms: self.list("synonyms").map(str::to_owned).collect(),
            attributes,
            images: self.list("images").map(|text| self.image(text)).collect::<Result<_, _>>()?,
            variants: vec![variant],
        })
    }

    /// `bowl.jpg what is seen`, or `https://… 800x600 what is seen`
    fn image(&self, text: &str) -> Result<ImageRow, Problem> {
        let read = match text.split_once(' ') {
            Some((url, more)) if url.contains("://") => more.split_once(' ').and_then(|(size, alt)| {
                let (width, height) = size.split_once('x')?;
                let (width, height) = (width.parse().ok()?, height.parse().ok()?);
                let (url, alt) = (url.to_owned(), alt.to_owned());
                Some(ImageRow { url, alt, width, height, ..ImageRow::default() })
            }),
            Some((file, alt)) => {
                Some(ImageRow { file: file.to_owned(), alt: alt.to_owned(), ..ImageRow::default() })
            }
            None => None,
        };
        let expected = "a file and what is seen, or an address, 800x600 and what is seen, are expected";
        read.ok_or_else(|| problem(self.line, "images", format!("has {text:?} where {expected}")))
    }
}

fn problem(line: u64, column: &str, reason: String) -> Problem {
    Problem { line, column: column.to_owned(), reason, is_last: false }
}

/// What the reader says of a record that began at this line, unless it knows better.
fn unreadable(error: &csv::Error, line: u64, columns: &[&str]) -> Problem {
    let line = error.position().map_or(line, Position::line);
    match error.kind() {
        csv::ErrorKind::Utf8 { err, .. } => {
            let column = columns.get(err.field()).copied().unwrap_or_default();
            let at = format!("byte {} of field {}", err.valid_up_to() + 1, err.field() + 1);
            problem(line, column, format!("is not UTF-8: {at}"))
        }
        csv::ErrorKind::Io(error) => {
            Problem { is_last: true, ..problem(line, "", format!("cannot be read: {error}")) }
        }
        _ => problem(line, "", error.to_string()),
    }
}
