//! `souk import online-retail`: a file becomes a catalogue with its stock.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use contract::souk::inventory::v1::ReceiptLine;
use contract::souk::product::v1::{
    HistoricPrice, ImportOutcome, ImportProduct, ProductInput, ProductStatus, TaxClass, VariantInput,
};
use contract::wire;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use indicatif::ProgressBar;
use kernel::UnitPrice;
use serde::Serialize;

use super::catalogue::{Article, Catalogue, StockShare};
use super::file::{self, CURRENCY};
use super::{SOURCE, destinations, unreadable};
use crate::client::{Shop, ShopArgs};
use crate::console::{self, Failure, Outcome, Verdict};
use crate::files::Stopwatch;
use crate::import::send;
use crate::table::Encoding;

/// Products in one call.
const PRODUCTS_MAX: usize = 250;
/// Prices of the past in one call; keeps a call below a megabyte.
const PRICES_MAX: usize = 5_000;
/// Calls at a time.
const IN_FLIGHT: usize = 4;
/// Characters of a product's name, and of a synonym.
const NAME_CHARS_MAX: usize = 200;

/// Options of `souk import online-retail`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Example:\n  souk synth online-retail --lines 1000 > month.csv\n  souk import online-retail month.csv --stock 90%"
)]
pub struct ImportArgs {
    /// A file of the shape of the UCI "Online Retail" data set, plain or gzip.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Stock to receive: what the file sells, or a whole percentage of it, rounded down per stock code.
    #[arg(long, value_name = "exact|N%", default_value = "exact")]
    pub stock: StockShare,
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

/// What was imported.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Products of the file, one for each stock code.
    pub products: u64,
    /// Prices in their histories.
    pub prices: u64,
    /// Countries, as destinations.
    pub countries: u64,
    /// Units that this share of the file's sales comes to: received now, or before.
    pub units_stocked: i64,
    /// Lines of the file.
    pub lines: LinesReport,
    /// What is to be known of the file.
    pub notes: Vec<String>,
    /// How long it took.
    pub seconds: f64,
}

/// What became of the lines.
#[derive(Debug, Serialize)]
pub struct LinesReport {
    /// All but the header.
    pub total: u64,
    /// Sales.
    pub used: u64,
    /// Others, by reason.
    pub skipped: BTreeMap<&'static str, u64>,
}

/// Imports a file, and tells the result.
///
/// # Errors
/// As [`import`].
pub async fn run(args: ImportArgs) -> Outcome {
    let report = import(&args).await?;
    console::result(args.json, &report, || table(&report))?;
    Ok(Verdict::Holds)
}

/// Imports a file.
///
/// # Errors
/// Exit code 2 for a file that cannot be read, before anything was changed; 1 for a shop that was lost or refused a product.
pub async fn import(args: &ImportArgs) -> Result<Report, Failure> {
    let began = Stopwatch::start();
    let mut catalogue = Catalogue::default();
    let summary = file::read(&args.file, args.encoding, |line| catalogue.add(&line))
        .map_err(|error| unreadable(&args.file, &error, "nothing was imported"))?;
    let shop = Shop::connect(&args.shop).await?;
    let articles: Vec<Article> = catalogue.articles().collect();
    let countries = catalogue.countries();
    destinations::ensure(&shop, &countries).await?;
    let products = Import { shop: &shop, bar: console::progress("products", articles.len() as u64) };
    products.products(&articles).await?;
    let receipts = receipts(&articles, args.stock, &hex::encode(summary.sha256));
    let units_stocked = receipts.iter().map(|receipt| receipt.quantity).sum();
    let stock = Import { shop: &shop, bar: console::progress("stock", receipts.len() as u64) };
    stock.stock(receipts).await?;
    Ok(Report {
        products: articles.len() as u64,
        prices: articles.iter().map(|article| article.prices.len() as u64).sum(),
        countries: countries.len() as u64,
        units_stocked,
        lines: LinesReport { total: catalogue.lines(), used: catalogue.used(), skipped: catalogue.skipped() },
        notes: summary.notes,
        seconds: began.seconds(),
    })
}

struct Import<'a> {
    shop: &'a Shop,
    bar: ProgressBar,
}

impl Import<'_> {
    async fn products(&self, articles: &[Article]) -> Result<(), Failure> {
        let chunks = chunks(articles.iter().map(product), |product| product.price_history.len());
        stream::iter(chunks.into_iter().map(|chunk| self.products_chunk(chunk)))
            .buffer_unordered(IN_FLIGHT)
            .try_collect::<()>()
            .await
    }

    async fn products_chunk(&self, products: Vec<ImportProduct>) -> Result<(), Failure> {
        let count = products.len() as u64;
        let results = send::products(self.shop, products).await?;
        let refused = results.iter().find(|result| result.outcome == i32::from(ImportOutcome::Refused));
        if let Some(refused) = refused {
            let why = refused
                .refusals
                .first()
                .map(|refusal| format!("{} {} ({})", refusal.field, refusal.description, refusal.reason));
            return Err(Failure::unfinished(format!(
                "product {} was refused: {}; products before it were imported, no stock was received",
                refused.external_reference,
                why.unwrap_or_default()
            )));
        }
        self.bar.inc(count);
        Ok(())
    }

    async fn stock(&self, receipts: Vec<ReceiptLine>) -> Result<(), Failure> {
        for chunk in receipts.chunks(send::RECEIPTS_MAX) {
            let received = send::receipts_once(self.shop, chunk).await?;
            // A line that was received before with another quantity (another `--stock`) stays as it was.
            if let Some((n, what)) = received.refused.first() {
                let sku = &chunk[*n].sku;
                return Err(Failure::unfinished(format!(
                    "the stock of {sku} could not be received: it {what}"
                )));
            }
            self.bar.inc(chunk.len() as u64);
        }
        Ok(())
    }
}

/// One article as a product with one variant. What was never sold has no price and stays a draft.
fn product(article: &Article) -> ImportProduct {
    let price = |micros: i64| wire::unit_price(UnitPrice::new(micros, CURRENCY));
    let short = |text: &str| text.chars().take(NAME_CHARS_MAX).collect::<String>();
    let current = article.prices.last();
    let status = if current.is_some() { ProductStatus::Active } else { ProductStatus::Draft };
    let history = article.prices.iter().map(|known| HistoricPrice {
        sku: article.sku.to_string(),
        unit_price: Some(price(known.micros)),
        from: Some(wire::timestamp(known.since)),
        reason: "as invoiced".to_owned(),
    });
    ImportProduct {
        external_reference: format!("{SOURCE}:{}", article.sku),
        product: Some(ProductInput {
            name: short(&article.name),
            tax_class: TaxClass::Standard.into(),
            variants: vec![VariantInput {
                sku: article.sku.to_string(),
                prices: current.map(|current| price(current.micros)).into_iter().collect(),
                ..VariantInput::default()
            }],
            synonyms: article.synonyms.iter().map(|name| short(name)).collect(),
            status: status.into(),
            ..ProductInput::default()
        }),
        category_paths: Vec::new(),
        price_history: history.collect(),
    }
}

/// What is received: once for each stock code of each file, so that importing again adds nothing.
fn receipts(articles: &[Article], share: StockShare, sha256: &str) -> Vec<ReceiptLine> {
    let receipt = |article: &Article| ReceiptLine {
        sku: article.sku.to_string(),
        location: String::new(),
        quantity: share.of(article.units),
        reference: format!("{SOURCE}:{sha256}:{}", article.sku),
    };
    articles.iter().map(receipt).filter(|receipt| receipt.quantity > 0).collect()
}

/// Cuts into calls of bounded size.
fn chunks<T>(items: impl Iterator<Item = T>, prices: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let mut chunks: Vec<Vec<T>> = Vec::new();
    let mut room = 0;
    for item in items {
        let cost = prices(&item);
        match chunks.last_mut() {
            Some(chunk) if chunk.len() < PRODUCTS_MAX && cost <= room => {
                room -= cost;
                chunk.push(item);
            }
            _ => {
                room = PRICES_MAX.saturating_sub(cost);
                chunks.push(vec![item]);
            }
        }
    }
    chunks
}

fn table(report: &Report) -> String {
    let row = |name: &str, value: &dyn std::fmt::Display| (name.to_owned(), value.to_string());
    let mut rows = vec![
        row("products", &report.products),
        row("prices", &report.prices),
        row("countries", &report.countries),
        row("units stocked", &report.units_stocked),
        row("lines", &report.lines.total),
        row("  used", &report.lines.used),
    ];
    rows.extend(
        report.lines.skipped.iter().map(|(reason, lines)| row(&format!("  skipped {reason}"), lines)),
    );
    rows.push(row("seconds", &format!("{:.1}", report.seconds)));
    let mut text = console::rows(&rows);
    for note in &report.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::catalogue::PriceSince;
    use super::*;

    fn article(sku: &str, units: i64, prices: &[i64]) -> Article {
        let price = |(day, micros): (i64, &i64)| PriceSince {
            since: kernel::Timestamp::from_secs(day * 86_400),
            micros: *micros,
        };
        Article {
            sku: sku.into(),
            name: "MUG".into(),
            synonyms: vec![Arc::from("BIG MUG")],
            prices: (0..).zip(prices).map(price).collect(),
            units,
        }
    }

    #[test]
    fn the_last_price_is_the_current_one_and_what_was_never_sold_is_a_draft() {
        let sold = product(&article("a", 3, &[2_100_000, 2_550_000]));
        let input = sold.product.expect("a product");
        assert_eq!(sold.external_reference, "online-retail:a");
        assert_eq!(input.variants[0].prices[0].micros, 2_550_000);
        assert_eq!((input.status(), sold.price_history.len()), (ProductStatus::Active, 2));
        assert_eq!(product(&article("b", 0, &[])).product.expect("a product").status(), ProductStatus::Draft);
    }

    #[test]
    fn stock_is_named_by_file_and_stock_code() {
        let articles = [article("a", 9, &[1]), article("A", 10, &[1]), article("z", 0, &[])];
        let lines = receipts(&articles, "90%".parse().expect("a share"), "ab12");
        let lines: Vec<_> = lines.iter().map(|line| (line.reference.as_str(), line.quantity)).collect();
        assert_eq!(lines, [("online-retail:ab12:a", 8), ("online-retail:ab12:A", 9)]);
    }

    #[test]
    fn calls_are_bounded_by_products_and_by_prices() {
        let sizes = |costs: Vec<usize>| {
            chunks(costs.into_iter(), |cost| *cost).iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(sizes(vec![0; PRODUCTS_MAX + 1]), [PRODUCTS_MAX, 1]);
        assert_eq!(sizes(vec![PRICES_MAX - 1, 1, 1, PRICES_MAX * 2]), [2, 1, 1]);
        assert_eq!(sizes(Vec::new()), Vec::<usize>::new());
    }
}
