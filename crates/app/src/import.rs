//! `souk import products`: good rows are applied, bad ones listed by row and column.

mod pictures;
pub mod product_rows;
pub mod send;
mod sent;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use contract::souk::inventory::v1::ReceiptLine;
use contract::souk::product::v1::{ImportOutcome, ImportResult};
use kernel::Currency;
use prost::Message as _;
use serde::Serialize;

use crate::client::{Shop, ShopArgs};
use crate::console::{self, Failure, Outcome, Verdict};
use crate::files::Stopwatch;
use crate::table::{Encoding, source};
use product_rows::{Format, Item, Located, Problem};
use sent::{Sent, count_unlimited, keep_back_unpriced, skip_elsewhere};

/// Products sent at once, and bytes: a server takes 4 MiB in one message.
const CHUNK: usize = 100;
const CHUNK_BYTES_MAX: usize = 1 << 20;
/// Bytes of one product, which is sent alone where it is a large one.
const PRODUCT_BYTES_MAX: usize = 4_000_000;
/// Bad rows, and notes, that are listed; bad rows are all counted.
const PROBLEMS_MAX: usize = 1000;

const HELP: &str = r#"A table (CSV, also separated by semicolons, tabs or bars; UTF-8, UTF-16 or an older encoding) has a header and a row for
each variant. Columns, in any order; name, sku and prices must be there, others are told and ignored:
  name                what the product is called
  sku                 the variant's stock keeping unit, 1 to 64 bytes, unique over the catalogue
  prices              24.50 GBP; 28 EUR (a product without any goes in as a draft)
  external_reference  the product's name elsewhere; rows that follow each other with the same one are variants of one
                      product, and the first of them says what the product is
  slug                its name in addresses; made from the name when empty
  description         its story, in plain text
  categories          Kitchen/Mugs; Gifts (the main one first, made where they are missing)
  options             colour=blue; size=L (each variant has its own)
  tax_class           standard (also when empty), reduced or zero
  weight_grams        of one unit
  stock               units to receive, once for each SKU however often the file is imported
  synonyms            cup; beaker
  attributes          material=stoneware; made in=Portugal
  images              mug.jpg A white mug; other.png (files below the table's folder, and what is seen on them; addresses are
                      skipped)
  status              active (also when empty) or draft

A JSON line is a product: external_reference, name, slug, description, categories, options, tax_class, status, synonyms,
attributes ({"material": "stoneware"}), images ([{"file": "mug.jpg", "alt": "A white mug"}]) and variants, each with sku,
options ({"colour": "blue"}), prices ({"GBP": "9.50"}), compare_at_prices, weight_grams and stock.

Exports of other shops (--from shopify, --from woocommerce) go in as they are. Their prices are in --currency, pictures that
stand elsewhere are skipped, and what is not published for certain, or is no parcel (gift cards, bookings, bundles,
subscriptions, what is virtual, downloadable or not shipped), goes in as a draft, as does what has no price. What the other
shop sells without counting units (no inventory tracker, "In stock?" without a stock, orders beyond it) goes in sold out,
which is told for each product;
--stock-when-untracked 100 receives 100 units of each such variant. Exports of WooCommerce may have their header in English,
German, French, Spanish, Dutch or Italian.

Good rows are applied. Bad ones are listed with line, column and reason, and the exit code is then 1. A product with a bad
row is refused as a whole: without that row the catalogue would remove the variant that it has.

Example:
  printf 'name,sku,prices,stock
Mug,MUG-1,9.50 GBP,20
' > mugs.csv
  souk import products mugs.csv
  echo '{"name": "Jug", "variants": [{"sku": "JUG-1", "prices": {"GBP": "19.50"}, "stock": 20}]}' > jugs.jsonl
  souk import products jugs.jsonl"#;

/// Another shop whose export is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum From {
    /// Shopify's export of products
    Shopify,
    /// WooCommerce's export of products
    #[value(name = "woocommerce")]
    WooCommerce,
}

/// Options of `souk import products`.
#[derive(Args, Clone, Debug)]
#[command(after_help = HELP)]
pub struct ImportProductsArgs {
    /// A `.csv` or `.jsonl` file, plain or gzip
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The shop that exported the file
    #[arg(long, value_name = "SHOP", requires = "currency")]
    pub from: Option<From>,
    /// Currency of an export's prices
    #[arg(long, value_name = "CODE", value_parser = currency, requires = "from")]
    pub currency: Option<Currency>,
    /// Units that each variant gets which the other shop sells without counting them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..=1_000_000_000), requires = "from")]
    pub stock_when_untracked: Option<i64>,
    /// Encoding of the file where it is not found right, such as windows-1252
    #[arg(long, value_name = "NAME")]
    pub encoding: Option<Encoding>,
    /// Which shop
    #[command(flatten)]
    pub shop: ShopArgs,
    /// One JSON document on stdout
    #[arg(long)]
    pub json: bool,
}

fn currency(code: &str) -> Result<Currency, String> {
    Currency::parse(&code.to_ascii_uppercase())
        .map_err(|_| "is not an ISO 4217 currency code, such as GBP".to_owned())
}

/// What became of a file.
#[derive(Debug, Default, Serialize)]
struct Report {
    created: u64,
    updated: u64,
    unchanged: u64,
    /// Products, and rows, that did not go in: each once, however much is wrong with it.
    refused: u64,
    units_received: i64,
    problems: Vec<Problem>,
    /// What is to be known of rows that went in.
    notes: Vec<Problem>,
    seconds: f64,
}

impl Report {
    /// Whether no row of the file was good or bad so far.
    fn is_empty(&self) -> bool {
        self.created + self.updated + self.unchanged + self.refused == 0
    }

    /// A row that does not go in, with all that is wrong with it.
    fn refuse(&mut self, problems: Vec<Problem>) {
        self.refused += 1;
        problems.into_iter().for_each(|problem| self.list(problem));
    }

    /// Something that is wrong.
    fn list(&mut self, mut problem: Problem) {
        if problem.is_last {
            problem.reason.push_str("; nothing after it was read");
        }
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem);
        }
    }

    fn note(&mut self, note: Problem) {
        if self.notes.len() < PROBLEMS_MAX {
            self.notes.push(note);
        }
    }
}

/// Runs the command.
///
/// # Errors
/// Exit code 2 for a file that cannot be read, 1 for a shop that is lost.
pub async fn run(args: ImportProductsArgs) -> Outcome {
    let began = Stopwatch::start();
    let format = match (args.from, args.currency) {
        (Some(From::Shopify), Some(currency)) => Format::Shopify(currency),
        (Some(From::WooCommerce), Some(currency)) => Format::WooCommerce(currency),
        _ => Format::of(&args.file).ok_or_else(|| {
            let name = args.file.display();
            Failure::usage(format!("{name} is neither .csv nor .jsonl (.gz may follow); rename it"))
        })?,
    };
    let input = source::open(&args.file).map_err(|error| {
        Failure::usage(format!("{} cannot be read: {error}; nothing was imported", args.file.display()))
    })?;
    let rows = format.read(input, args.encoding);
    let shop = Shop::connect(&args.shop).await?;
    let mut import = Import {
        uploads: pictures::Uploads::new(&shop, &args.file),
        shop: &shop,
        report: Report::default(),
        stock_when_untracked: args.stock_when_untracked,
        chunk: Vec::with_capacity(CHUNK),
        chunk_bytes: 0,
    };
    for item in rows {
        match item {
            Item::Product(located) => import.add(located).await?,
            Item::Note(note) => import.report.note(note),
            Item::Refused(problems) => {
                // A file of which nothing at all can be read is wrong input, not a bad row.
                if let Some(problem) = problems.iter().find(|problem| problem.is_last)
                    && import.chunk.is_empty()
                    && import.report.is_empty()
                {
                    let message = format!("{}: {problem}; nothing was imported", args.file.display());
                    return Err(Failure::usage(message));
                }
                import.report.refuse(problems);
            }
        }
    }
    import.flush().await?;
    let mut report = import.report;
    report.problems.sort_by_key(|problem| problem.line);
    report.seconds = began.seconds();
    console::result(args.json, &report, || table(&report))?;
    Ok(if report.refused == 0 && report.problems.is_empty() { Verdict::Holds } else { Verdict::Fails })
}

struct Import<'a> {
    shop: &'a Shop,
    uploads: pictures::Uploads<'a>,
    report: Report,
    stock_when_untracked: Option<i64>,
    chunk: Vec<Sent>,
    chunk_bytes: usize,
}

impl Import<'_> {
    /// Takes a product, with those of its pictures that are good.
    async fn add(&mut self, mut located: Located) -> Result<(), Failure> {
        skip_elsewhere(&mut located).into_iter().for_each(|note| self.report.note(note));
        keep_back_unpriced(&mut located).into_iter().for_each(|note| self.report.note(note));
        let pictures = self.uploads.of(&mut located).await?;
        pictures.problems.into_iter().for_each(|problem| self.report.list(problem));
        pictures.notes.into_iter().for_each(|note| self.report.note(note));
        if let Some(note) = count_unlimited(&mut located, self.stock_when_untracked) {
            self.report.note(note);
        }
        match located.row.to_import() {
            Ok(product) => {
                let bytes = product.encoded_len();
                if bytes > PRODUCT_BYTES_MAX {
                    let reason =
                        format!("is of a product of {bytes} bytes; it has at most {PRODUCT_BYTES_MAX}");
                    self.report.refuse(vec![located.problem("/name", &reason)]);
                    return Ok(());
                }
                if self.chunk.len() == CHUNK || self.chunk_bytes + bytes > CHUNK_BYTES_MAX {
                    self.flush().await?;
                }
                self.chunk_bytes += bytes;
                let (pictures, problems, notes) = (pictures.places, Vec::new(), Vec::new());
                self.chunk.push(Sent { located, product, pictures, problems, notes });
            }
            Err(wrong) => {
                let problems = wrong.iter().map(|(pointer, reason)| located.problem(pointer, reason));
                self.report.refuse(problems.collect());
            }
        }
        Ok(())
    }

    /// Sends what was gathered, then its stock.
    async fn flush(&mut self) -> Result<(), Failure> {
        let mut chunk = std::mem::take(&mut self.chunk);
        self.chunk_bytes = 0;
        let mut applied = Vec::new();
        // Each time something is left out of what is sent again.
        while !chunk.is_empty() {
            let products = chunk.iter().map(|sent| sent.product.clone()).collect();
            let results = send::products(self.shop, products).await?;
            let mut again = Vec::new();
            for (mut sent, result) in chunk.into_iter().zip(results) {
                if sent.leave_out(&result) {
                    again.push(sent);
                } else if let Some(located) = self.count(sent.located, &result) {
                    sent.problems.into_iter().for_each(|problem| self.report.list(problem));
                    sent.notes.into_iter().for_each(|note| self.report.note(note));
                    applied.push(located);
                }
            }
            chunk = again;
        }
        if applied.is_empty() {
            return Ok(());
        }
        self.receive(&applied).await
    }

    /// Counts what became of a product; gives it back when it is in.
    fn count(&mut self, located: Located, result: &ImportResult) -> Option<Located> {
        match result.outcome() {
            ImportOutcome::Created => self.report.created += 1,
            ImportOutcome::Updated => self.report.updated += 1,
            ImportOutcome::Unchanged => self.report.unchanged += 1,
            ImportOutcome::Refused | ImportOutcome::Unspecified => {
                let refusals = result.refusals.iter();
                let sent = located.row.to_import().ok().and_then(|import| import.product);
                let problems = refusals.map(|refusal| {
                    let field = &refusal.field;
                    let reason = Located::with_value(sent.as_ref(), field, &refusal.description);
                    located.problem(field, &reason)
                });
                self.report.refuse(problems.collect());
                return None;
            }
        }
        Some(located)
    }

    async fn receive(&mut self, applied: &[Located]) -> Result<(), Failure> {
        let (mut lines, mut places) = (Vec::new(), Vec::new());
        for located in applied {
            for (n, variant) in located.row.variants.iter().enumerate() {
                if let Some(units) = variant.stock.filter(|units| *units > 0) {
                    lines.push(receipt(&variant.sku, units));
                    places.push((located, n));
                }
            }
        }
        let received = send::receipts_once(self.shop, &lines).await?;
        self.report.units_received += received.units;
        for n in received.other_before {
            let (located, variant) = places[n];
            let reason = "is another number than was received before; the stock stays as it is";
            self.report.note(located.problem(&format!("/variants/{variant}/stock"), reason));
        }
        for (n, what) in received.refused {
            let (located, variant) = places[n];
            self.report.list(located.problem(&format!("/variants/{variant}/stock"), &what));
        }
        Ok(())
    }
}

/// Stock of a row is received once per SKU, however often its file is imported.
fn receipt(sku: &str, units: i64) -> ReceiptLine {
    ReceiptLine {
        sku: sku.to_owned(),
        location: String::new(),
        quantity: units,
        reference: format!("import-products:{sku}"),
    }
}

fn table(report: &Report) -> String {
    let row = |name: &str, count: &dyn std::fmt::Display| (name.to_owned(), count.to_string());
    let mut text = console::rows(&[
        row("created", &report.created),
        row("updated", &report.updated),
        row("unchanged", &report.unchanged),
        row("refused", &report.refused),
        row("units received", &report.units_received),
    ]);
    for problem in &report.problems {
        text.push_str(&format!("{problem}\n"));
    }
    for note in &report.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    text
}
