//! `souk import products`: good rows are applied, bad ones listed by row and column.

mod pictures;
pub mod product_rows;
pub mod send;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use contract::souk::inventory::v1::ReceiptLine;
use contract::souk::product::v1::{ImportOutcome, ImportProduct};
use flate2::bufread::MultiGzDecoder;
use serde::Serialize;

use crate::client::{Shop, ShopArgs};
use crate::console::{self, Failure, Outcome, Verdict};
use crate::files::Stopwatch;
use product_rows::{Format, Located, Problem};

/// Products sent at once.
const CHUNK: usize = 100;
/// Bad rows that are listed; all are counted.
const PROBLEMS_MAX: usize = 1000;

/// Options of `souk import products`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Example:\n  echo '{\"name\": \"Mug\", \"variants\": [{\"sku\": \"MUG-1\", \"prices\": {\"GBP\": \"9.50\"}, \"stock\": 20}]}' > mugs.jsonl\n  souk import products mugs.jsonl\n\nA picture beside the file is named by \"images\": [{\"file\": \"mug.jpg\", \"alt\": \"A white mug\"}]; in CSV, `mug.jpg A white mug`."
)]
pub struct ImportProductsArgs {
    /// A `.csv` or `.jsonl` file, plain or gzip
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Which shop
    #[command(flatten)]
    pub shop: ShopArgs,
    /// One JSON document on stdout
    #[arg(long)]
    pub json: bool,
}

/// What became of a file.
#[derive(Debug, Default, Serialize)]
struct Report {
    created: u64,
    updated: u64,
    unchanged: u64,
    refused: u64,
    units_received: i64,
    problems: Vec<Problem>,
    seconds: f64,
}

impl Report {
    /// Whether no row of the file was good or bad so far.
    fn is_empty(&self) -> bool {
        self.created + self.updated + self.unchanged + self.refused == 0
    }

    fn refuse(&mut self, mut problem: Problem) {
        if problem.is_last {
            problem.reason.push_str("; nothing after it was read");
        }
        self.refused += 1;
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem);
        }
    }
}

/// Runs the command.
///
/// # Errors
/// Exit code 2 for a file that cannot be read, 1 for a shop that is lost.
pub async fn run(args: ImportProductsArgs) -> Outcome {
    let began = Stopwatch::start();
    let unknown =
        || Failure::usage(format!("{} is neither .csv nor .jsonl (.gz may follow)", args.file.display()));
    let format = Format::of(&args.file).ok_or_else(unknown)?;
    let rows = format.read(open(&args.file)?);
    let shop = Shop::connect(&args.shop).await?;
    let mut report = Report::default();
    let mut uploads = pictures::Uploads::new(&shop, &args.file);
    let mut chunk = Vec::with_capacity(CHUNK);
    for row in rows {
        match row {
            Ok(mut located) => {
                let problems = uploads.of(&mut located).await?;
                match located.row.to_import() {
                    Ok(product) if problems.is_empty() => chunk.push((located, product)),
                    Ok(_) => problems.into_iter().for_each(|problem| report.refuse(problem)),
                    Err(wrong) => wrong
                        .iter()
                        .for_each(|(pointer, reason)| report.refuse(located.problem(pointer, reason))),
                }
            }
            // A file of which nothing at all can be read is wrong input, not a bad row.
            Err(problem) if problem.is_last && chunk.is_empty() && report.is_empty() => {
                let message = format!("{}: {problem}; nothing was imported", args.file.display());
                return Err(Failure::usage(message));
            }
            Err(problem) => report.refuse(problem),
        }
        if chunk.len() == CHUNK {
            apply(&shop, std::mem::take(&mut chunk), &mut report).await?;
        }
    }
    apply(&shop, chunk, &mut report).await?;
    report.seconds = began.seconds();
    console::result(args.json, &report, || table(&report))?;
    Ok(if report.refused == 0 { Verdict::Holds } else { Verdict::Fails })
}

fn open(path: &Path) -> Result<Box<dyn Read + Send>, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::usage(format!("{} cannot be read: {error}; nothing was imported", path.display()))
    };
    let mut reader = BufReader::new(File::open(path).map_err(unreadable)?);
    let gzip = reader.fill_buf().map_err(unreadable)?.starts_with(&[0x1f, 0x8b]);
    Ok(if gzip { Box::new(MultiGzDecoder::new(reader)) } else { Box::new(reader) })
}

async fn apply(
    shop: &Shop,
    chunk: Vec<(Located, ImportProduct)>,
    report: &mut Report,
) -> Result<(), Failure> {
    if chunk.is_empty() {
        return Ok(());
    }
    let (located, products): (Vec<_>, Vec<_>) = chunk.into_iter().unzip();
    let results = send::products(shop, products).await?;
    let mut receipts = Vec::new();
    for (located, result) in located.iter().zip(&results) {
        match result.outcome() {
            ImportOutcome::Created => report.created += 1,
            ImportOutcome::Updated => report.updated += 1,
            ImportOutcome::Unchanged => report.unchanged += 1,
            ImportOutcome::Refused | ImportOutcome::Unspecified => {
                let refusals = result.refusals.iter();
                refusals
                    .for_each(|refusal| report.refuse(located.problem(&refusal.field, &refusal.description)));
                continue;
            }
        }
        receipts.extend(
            located.row.stock().filter(|(_, units)| *units > 0).map(|(sku, units)| receipt(sku, units)),
        );
    }
    for lines in receipts.chunks(send::RECEIPTS_MAX) {
        let received = send::receipts(shop, lines).await;
        report.units_received += received.map_err(|error| error.fatal("the stock could not be received"))?;
    }
    Ok(())
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
    text
}
