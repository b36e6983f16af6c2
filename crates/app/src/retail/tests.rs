//! A file made up, imported into a real shop and replayed through its public API.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::import::{ImportArgs, import};
use super::replay::{ReplayArgs, Report, confirmed, replay};
use super::synth::{Facts, write};
use crate::audit;
use crate::client::{Shop, ShopArgs};
use crate::up::{self, UpArgs};

/// A shop on a free port, without a demo catalogue, and a directory for its files.
struct Market {
    running: chassis::Running,
    directory: tempfile::TempDir,
    shop: ShopArgs,
}

impl Market {
    async fn open() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let token_file = directory.path().join("operator.token");
        let free = "127.0.0.1:0".parse().expect("an address");
        let args = UpArgs {
            data: "mem:".to_owned(),
            no_demo: true,
            grpc: free,
            metrics: free,
            web: free,
            config: None,
            token_file: Some(token_file.clone()),
            json: true,
        };
        let running = up::start(&args).await.expect("a shop");
        let at = format!("http://{}", running.addresses.grpc.expect("it listens"));
        let token = std::fs::read_to_string(token_file).expect("the operator's secret").trim().to_owned();
        Self { running, directory, shop: ShopArgs { at, token: Some(token), data: "mem:".to_owned() } }
    }

    /// A synthetic file and its facts.
    fn file(&self, lines: u64, seed: u64) -> (PathBuf, Facts) {
        let path = self.directory.path().join(format!("{lines}-{seed}.csv"));
        let mut out = std::fs::File::create(&path).expect("a file");
        let facts = write(&mut out, lines, seed).expect("written");
        (path, facts)
    }

    async fn import(&self, file: &Path, stock: &str) -> super::import::Report {
        let stock = stock.parse().expect("a share");
        let args =
            ImportArgs { file: file.to_owned(), stock, shop: self.shop.clone(), encoding: None, json: true };
        import(&args).await.expect("imported")
    }

    fn replay_args(&self, file: &Path) -> ReplayArgs {
        let confirmed = Some(self.directory.path().join("confirmed.tsv"));
        let file = file.to_owned();
        ReplayArgs {
            encoding: None,
            file,
            in_flight: 16,
            limit_invoices: None,
            confirmed,
            shop: self.shop.clone(),
            json: true,
        }
    }

    async fn replay(&self, file: &Path) -> Report {
        replay(&self.replay_args(file)).await.expect("replayed")
    }

    /// Order ids that the replays were told.
    fn told(&self) -> Vec<kernel::OrderId> {
        let mut told = Vec::new();
        confirmed::read(&self.directory.path().join("confirmed.tsv"), |order, _| told.push(order))
            .expect("reads");
        told
    }

    async fn audit(&self) -> audit::Report {
        let shop = Shop::connect(&self.shop).await.expect("connected");
        audit::prove(&shop, None).await.expect("audited")
    }

    async fn close(self) {
        self.running.stop(Duration::from_secs(30)).await;
    }
}

/// Accepted and refused make the file, in lines and in money.
fn assert_accounted(report: &Report, facts: &Facts) {
    let account = &report.account;
    let lines: u64 = account.refused.iter().map(|refused| refused.lines).sum();
    let money: i64 = account.refused.iter().map(|refused| refused.money.minor_units).sum();
    assert_eq!((account.file.lines, account.file.invoices), (facts.lines, facts.invoices));
    assert_eq!(account.accepted.lines + lines, facts.lines);
    assert_eq!(account.accepted.money.minor_units + money, account.file.money.minor_units);
}

fn refused(report: &Report, reason: &str) -> u64 {
    report.account.refused.iter().find(|refused| refused.reason == reason).map_or(0, |refused| refused.lines)
}

#[tokio::test(flavor = "multi_thread")]
async fn with_exact_stock_every_sale_is_sold_once_however_often() {
    let market = Market::open().await;
    let (file, facts) = market.file(500, 3);
    let imported = market.import(&file, "exact").await;
    assert_eq!(
        (imported.products, imported.lines.total, imported.lines.used),
        (facts.stock_codes, 500, facts.sale_lines)
    );
    let first = market.replay(&file).await;
    assert_accounted(&first, &facts);
    let accepted = &first.account.accepted;
    assert_eq!((accepted.lines, accepted.orders), (facts.sale_lines, facts.sale_invoices));
    assert_eq!(accepted.money, facts.sale_money);
    assert_eq!((refused(&first, "OUT_OF_STOCK"), first.account.already.orders), (0, 0));
    assert!(
        refused(&first, "CANCELLATION") > 0
            && refused(&first, "NO_QUANTITY") > 0
            && refused(&first, "NO_PRICE") > 0
    );
    assert!(
        first.order_ms.p50 > 0.0
            && first.order_ms.p50 <= first.order_ms.p99
            && first.order_ms.p99 <= first.order_ms.max
    );
    let books = market.audit().await;
    assert!(books.ok, "{}", serde_json::to_string(&books).expect("a report"));

    let again = market.import(&file, "exact").await;
    assert_eq!((again.products, again.units_stocked), (imported.products, imported.units_stocked));
    let second = market.replay(&file).await;
    assert_accounted(&second, &facts);
    assert_eq!(second.account.already.orders, facts.sale_invoices);
    assert_eq!(second.account.already.lines, facts.sale_lines);
    let totals = |report: &audit::Report| serde_json::to_value(report).expect("a report")["totals"].clone();
    assert_eq!(totals(&books), totals(&market.audit().await), "nothing was placed or received twice");
    let told = market.told();
    assert_eq!(told.len() as u64, facts.sale_invoices, "each order once, over both runs");
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_too_little_stock_some_lines_are_refused_and_nothing_is_oversold() {
    let market = Market::open().await;
    let (file, facts) = market.file(400, 5);
    let imported = market.import(&file, "60%").await;
    // The stock of a stock code of a file is received once, whatever share is asked for later.
    market.import(&file, "70%").await;
    let first = market.replay(&file).await;
    assert_accounted(&first, &facts);
    assert!(refused(&first, "OUT_OF_STOCK") > 0 && first.account.accepted.lines > 0);
    let books = market.audit().await;
    assert!(books.ok, "{}", serde_json::to_string(&books).expect("a report"));
    let units = serde_json::to_value(&books).expect("a report")["totals"]["units"].clone();
    assert_eq!(units["received"], imported.units_stocked);
    assert_eq!(units["held"], 0);
    let second = market.replay(&file).await;
    assert_accounted(&second, &facts);
    assert_eq!(second.account.already.orders, first.account.accepted.orders);
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_replay_goes_on_where_it_stopped() {
    let market = Market::open().await;
    let (file, facts) = market.file(300, 8);
    market.import(&file, "exact").await;
    let part =
        replay(&ReplayArgs { limit_invoices: Some(7), ..market.replay_args(&file) }).await.expect("replayed");
    assert_eq!((part.account.accepted.orders, market.told().len()), (7, 7));
    let whole = market.replay(&file).await;
    assert_accounted(&whole, &facts);
    assert_eq!((whole.account.already.orders, whole.account.accepted.orders), (7, facts.sale_invoices));
    let shop = ShopArgs { token: Some("ops_wrong".to_owned()), ..market.shop.clone() };
    let refused = replay(&ReplayArgs { shop, ..market.replay_args(&file) }).await;
    assert_eq!(refused.expect_err("no such credential").code(), 2);
    market.close().await;
}

#[tokio::test]
async fn a_file_that_cannot_be_read_ends_before_anything_was_done() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("bad.csv");
    // Nobody is asked: the file comes first.
    let shop = ShopArgs {
        at: "http://127.0.0.1:9".to_owned(),
        token: Some("ops_x".to_owned()),
        data: "mem:".to_owned(),
    };
    for (text, place) in [
        ("", "line 1"),
        ("InvoiceNo,StockCode\n", "column Description is missing"),
        (
            "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n1,a,b,x,2010-12-01 08:26:00,1,,EIRE\n",
            "line 2, column 4 (Quantity)",
        ),
    ] {
        std::fs::write(&path, text).expect("written");
        let args = ImportArgs {
            encoding: None,
            file: path.clone(),
            stock: "exact".parse().expect("a share"),
            shop: shop.clone(),
            json: true,
        };
        let failure = import(&args).await.expect_err("unreadable");
        let told = failure.to_string();
        assert!(
            failure.code() == 2 && told.contains(place) && told.ends_with("nothing was imported"),
            "{told}"
        );
        let args = ReplayArgs {
            encoding: None,
            file: path.clone(),
            in_flight: 1,
            limit_invoices: None,
            confirmed: None,
            shop: shop.clone(),
            json: true,
        };
        let told = replay(&args).await.expect_err("unreadable").to_string();
        assert!(told.contains(place) && told.ends_with("nothing was placed"), "{told}");
    }
}
