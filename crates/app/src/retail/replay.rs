//! `souk replay online-retail`: every invoice of a file becomes an order, through the public API.

mod account;
pub mod confirmed;
pub mod invoice;
mod place;

use std::path::PathBuf;

use clap::Args;
use futures_util::{StreamExt as _, stream};
use hdrhistogram::Histogram;
use serde::Serialize;

use super::file;
use super::unreadable;
use crate::client::{Shop, ShopArgs};
use crate::console::{self, Failure, Outcome, Verdict};
use crate::files::Stopwatch;
use crate::table::Encoding;
use account::table;
use confirmed::Confirmed;
use invoice::{Account, Book, Fate};
use place::Placer;

/// The longest order that is measured exactly: an hour, in microseconds.
const MICROS_MAX: u64 = 3_600_000_000;

/// Options of `souk replay online-retail`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Example:\n  souk synth online-retail --lines 1000 > month.csv\n  souk import online-retail month.csv\n  souk replay online-retail month.csv"
)]
pub struct ReplayArgs {
    /// The file that was imported, plain or gzip.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Orders at a time.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub in_flight: u16,
    /// Only the first invoices.
    #[arg(long, value_name = "N")]
    pub limit_invoices: Option<usize>,
    /// Appends a line for each order the moment it is told to be confirmed: order id, tab, minor units.
    #[arg(long, value_name = "FILE")]
    pub confirmed: Option<PathBuf>,
    /// Encoding of the file where it is not found right, such as windows-1252.
    #[arg(long, value_name = "NAME")]
    pub encoding: Option<Encoding>,
    /// Which shop.
    #[command(flatten)]
    pub shop: ShopArgs,
    /// One JSON document on stdout.
    #[arg(long)]
    pub json: bool,
}

/// What was replayed.
#[derive(Debug, Serialize)]
pub struct Report {
    /// What became of every line.
    #[serde(flatten)]
    pub account: Account,
    /// How long it took.
    pub seconds: f64,
    /// Orders that this run placed, by the time it took.
    pub orders_per_second: f64,
    /// From quote to confirmed, for the orders that this run placed.
    pub order_ms: Latency,
    /// What is to be known of the file.
    pub notes: Vec<String>,
}

/// Milliseconds.
#[derive(Debug, Serialize)]
pub struct Latency {
    /// Half took no longer.
    pub p50: f64,
    /// 99 % took no longer.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

/// Replays a file, and tells the result.
///
/// # Errors
/// As [`replay`].
pub async fn run(args: ReplayArgs) -> Outcome {
    let report = replay(&args).await?;
    console::result(args.json, &report, || table(&report))?;
    Ok(Verdict::Holds)
}

/// Replays a file.
///
/// # Errors
/// Exit code 2 for a file that cannot be read, before anything was placed; 1 for a shop that was lost.
pub async fn replay(args: &ReplayArgs) -> Result<Report, Failure> {
    let began = Stopwatch::start();
    let mut book = Book::default();
    let summary = file::read(&args.file, args.encoding, |line| book.add(&line))
        .map_err(|error| unreadable(&args.file, &error, "nothing was placed"))?;
    if let Some(limit) = args.limit_invoices {
        book.limit(limit);
    }
    let confirmed = args.confirmed.as_deref().map(Confirmed::open).transpose()?;
    let placer = Placer::new(Shop::connect(&args.shop).await?, confirmed);
    let bar = console::progress("orders", book.invoices().len() as u64);
    let mut micros =
        Histogram::<u64>::new_with_bounds(1, MICROS_MAX, 3).expect("bounds and digits are allowed");
    let mut fates: Vec<Option<Fate>> = vec![None; book.invoices().len()];
    let placings = book.invoices().iter().enumerate().map(|(index, invoice)| {
        let placer = &placer;
        async move { (index, placer.replay(invoice).await) }
    });
    let mut placings = stream::iter(placings).buffer_unordered(usize::from(args.in_flight));
    while let Some((index, done)) = placings.next().await {
        let done = done.map_err(|failure| stopped(&failure, &fates))?;
        if let Some(took) = done.took {
            micros.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        }
        fates[index] = Some(done.fate);
        bar.inc(1);
    }
    drop(placings);
    bar.finish_and_clear();
    let fates: Vec<Fate> = fates.into_iter().flatten().collect();
    let account = book.account(book.invoices().iter().zip(&fates));
    let seconds = began.seconds();
    let millis = |micros: u64| micros as f64 / 1000.0;
    Ok(Report {
        orders_per_second: (micros.len() as f64 / seconds.max(0.001) * 10.0).round() / 10.0,
        order_ms: Latency {
            p50: millis(micros.value_at_quantile(0.5)),
            p99: millis(micros.value_at_quantile(0.99)),
            max: millis(micros.max()),
        },
        account,
        notes: summary.notes,
        seconds,
    })
}

/// A replay that could not finish says how far it came.
fn stopped(failure: &Failure, fates: &[Option<Fate>]) -> Failure {
    let orders = fates.iter().flatten().filter(|fate| !fate.accepted.is_empty()).count();
    Failure::unfinished(format!("{failure}; {orders} orders of this file are known to be placed"))
}
