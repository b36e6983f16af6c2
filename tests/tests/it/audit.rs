//! `souk audit` on copies of a shop's data: undamaged it holds, and of each kind of damage it names the rows.

mod adopted;
mod contents;
mod left_out;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use app::audit::books::Remembered;
use app::audit::checks::Check;
use app::audit::{Report, prove};
use app::client::{Shop, ShopArgs};
use app::up::{self, UpArgs};
use chassis::VirtualClock;
use chassis::testing::START;
use contract::souk::order::v1::order_service_client::OrderServiceClient;
use contract::souk::order::v1::{
    CancelOrderRequest, GetNumberingRequest, GetTotalsRequest, Order, OrderState,
};
use contract::souk::payment::v1::GetLedgerStatusRequest;
use contract::souk::payment::v1::payment_service_client::PaymentServiceClient;
use kernel::OrderId;
use store::{Batch, Migration, OpenOptions, sql};
use tests::World;

/// How long a leaving shop may take.
pub(super) const GRACE: Duration = Duration::from_secs(10);

/// A shop's data, at rest.
struct Data {
    dir: PathBuf,
    /// Orders that are confirmed and captured.
    paid: Vec<Order>,
    cancelled: String,
    declined: String,
}

/// A shop that has sold, refused, and taken back.
async fn data(dir: PathBuf) -> Data {
    let world = World::start_at(&format!("dir:{}", dir.display()), 51).await;
    for sku in ["bowl", "cup", "plate"] {
        world.sells(sku, 1250, 50).await;
    }
    let mut paid = Vec::new();
    for (buyer, sku) in [(1, "bowl"), (2, "cup"), (3, "plate"), (4, "bowl"), (5, "cup")] {
        paid.push(world.customer(buyer).buys(sku, 2, "pm_card_visa").await.expect("bought"));
    }
    let refused = world.customer(6).buys("cup", 1, "pm_card_chargeDeclined").await.expect_err("declined");
    let declined = refused.metadata().get("order_id").cloned().expect("the order's id");
    let sorry = world.customer(7);
    let order_id = sorry.buys("plate", 3, "pm_card_visa").await.expect("bought").id;
    let cancel = CancelOrderRequest {
        request_id: world.request_id(),
        order_id: order_id.clone(),
        note: String::new(),
    };
    sorry.client("order", OrderServiceClient::new).cancel_order(cancel).await.expect("cancelled");
    rests(&world).await;
    assert!(world.running().stop(GRACE).await, "the shop stops");
    Data { dir, paid, cancelled: order_id, declined }
}

/// Waits until nothing is left to do, and the ledger is sealed.
pub(super) async fn rests(world: &World) {
    let operator = world.operator();
    let mut orders = operator.client("order", OrderServiceClient::new);
    let mut payments = operator.client("payment", PaymentServiceClient::new);
    for _ in 0..600 {
        let open = orders.get_totals(GetTotalsRequest {}).await.expect("totals").into_inner().open;
        let status =
            payments.get_ledger_status(GetLedgerStatusRequest {}).await.expect("status").into_inner();
        let numbering =
            orders.get_numbering(GetNumberingRequest::default()).await.expect("numbers").into_inner();
        let chained = numbering.series.iter().all(|series| series.sealed_number == series.greatest_number);
        if (open, status.unsealed, chained) == (0, 0, true) {
            return;
        }
        world.passes(Duration::from_millis(100)).await;
    }
    panic!("the shop does not come to rest");
}

impl Data {
    /// Damages a copy and audits it.
    async fn damaged(&self, name: &str, damage: &[(&str, &str, &str)]) -> Report {
        let copy = self.dir.with_file_name(name);
        copied(&self.dir, &copy);
        for (database, crate_name, statement) in damage {
            run(&copy, database, crate_name, statement).await;
        }
        audited(&copy, None).await
    }

    fn id(&self, number: usize) -> &str {
        &self.paid[number].id
    }
}

pub(super) fn copied(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("a directory");
    for file in std::fs::read_dir(from).expect("listed") {
        let file = file.expect("an entry");
        let target = to.join(file.file_name());
        if file.file_type().expect("a type").is_dir() {
            copied(&file.path(), &target);
        } else {
            std::fs::copy(file.path(), target).expect("copied");
        }
    }
}

/// Runs a statement in a database that nobody serves.
pub(super) async fn run(dir: &Path, database: &str, crate_name: &str, statement: &str) {
    run_all(dir, database, crate_name, &[statement]).await;
}

/// Runs statements in one commit in a database that nobody serves.
pub(super) async fn run_all(dir: &Path, database: &str, crate_name: &str, statements: &[&str]) {
    let options = OpenOptions::new(Arc::new(VirtualClock::new(START)));
    let url = format!("dir:{}", dir.display());
    let opened = store::open(&url, database, migrations(crate_name, database), options).await.expect("opens");
    let batch = statements.iter().fold(Batch::new(), |batch, one| batch.run(sql((*one).to_owned())));
    opened.sql().commit(batch).await.unwrap_or_else(|error| panic!("{statements:?}: {error:?}"));
}

/// The migrations of a database, as its crate has them.
fn migrations(crate_name: &str, database: &str) -> &'static [Migration] {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates").join(crate_name).join("migrations");
    let own = format!("{database}_");
    let mut found = Vec::new();
    // A database of documents alone has none.
    let files = std::fs::read_dir(dir).map(|files| files.collect::<Vec<_>>()).unwrap_or_default();
    for file in files {
        let path = file.expect("an entry").path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
        // A database beside the role's own has its name before the number.
        let name = match stem.strip_prefix(&own) {
            Some(name) => name,
            None if stem.starts_with(|first: char| first.is_ascii_digit()) && database != "testpay" => stem,
            None => continue,
        };
        let text = std::fs::read_to_string(&path).expect("text");
        found.push(Migration { name: name.to_owned().leak(), sql: text.leak() });
    }
    found.sort_by_key(|migration| migration.name);
    found.leak()
}

/// Starts a shop on a directory, as `souk up` does, and audits it, as `souk audit` does.
pub(super) async fn audited(dir: &Path, remembered: Option<Vec<Remembered>>) -> Report {
    let (running, shop) = opened(dir).await;
    let report = prove(&shop, remembered).await.expect("audited");
    running.stop(GRACE).await;
    report
}

/// Starts a shop on a directory, as `souk up` does.
async fn opened(dir: &Path) -> (chassis::Running, Shop) {
    let free = "127.0.0.1:0".parse().expect("an address");
    let data = format!("dir:{}", dir.display());
    let args = UpArgs {
        data: data.clone(),
        no_demo: true,
        grpc: free,
        metrics: free,
        web: free,
        ..UpArgs::default()
    };
    let running = up::start(&args).await.expect("the shop starts");
    let at = format!("http://{}", running.addresses.grpc.expect("an address"));
    let shop = Shop::connect(&ShopArgs { at, token: None, data }).await.expect("connects");
    (running, shop)
}

/// Whether a check names a row.
pub(super) fn names(report: &Report, check: &str, row: &str) -> bool {
    let violations =
        report.checks.iter().filter(|found| found.name == check).flat_map(|found| &found.violations);
    violations.into_iter().any(|violation| violation.at.contains(row))
}

/// Checks of contents: they name the rows of most damages beside the check that a test is about; `contents` tests them.
const OF_CONTENTS: &[&str] = &[
    "orders.sealed",
    "orders.quotes",
    "orders.history",
    "orders.states",
    "payments.sealed",
    "payments.states",
    "orders.owners",
    "orders.tenders",
    "documents.orders",
    "documents.numbering",
    "documents.sealed",
    "ledger.accounts",
    "ledger.keyed",
    "provider.records",
];

/// Asserts that these checks name these rows, and that no other check finds anything, but for those of contents.
fn finds(report: &Report, expected: &[(&str, &str)]) {
    for (check, row) in expected {
        assert!(names(report, check, row), "{check} should name {row}: {:#?}", failed(report));
    }
    for check in failed(report).into_iter().filter(|check| !OF_CONTENTS.contains(&check.name)) {
        assert!(expected.iter().any(|(name, _)| *name == check.name), "nobody damaged this: {check:#?}");
    }
    assert!(!report.ok, "the books do not hold");
}

pub(super) fn failed(report: &Report) -> Vec<&Check> {
    report.checks.iter().filter(|check| !check.holds()).collect()
}

fn derived(prefix: &str, order_id: &str) -> String {
    format!("{prefix}{}", order_id.trim_start_matches("ord"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_is_named() {
    let scratch = tempfile::tempdir().expect("a directory");
    let data = data(scratch.path().join("good")).await;
    holds_and_remembers(&data).await;
    money(&data).await;
    provider(&data).await;
    stock(&data).await;
    orders(&data).await;
    unreadable(&data).await;
    adopted::orders(&data).await;
    adopted::secrets(&data).await;
}

async fn holds_and_remembers(data: &Data) {
    let copy = data.dir.with_file_name("undamaged");
    copied(&data.dir, &copy);
    let told = |id: &str, minor_units| Remembered { order: OrderId::parse(id).expect("an id"), minor_units };
    let total = |order: &Order| order.total.as_ref().expect("a total").minor_units;
    let mut remembered: Vec<_> = data.paid.iter().map(|order| told(&order.id, total(order))).collect();
    let report = audited(&copy, Some(remembered.clone())).await;
    assert!(report.ok, "{:#?}", failed(&report));
    for check in &report.checks {
        assert!(check.examined > 0, "{} looks at nothing", check.name);
    }
    let confirmed = data.paid.len() as u64;
    let state = |state: &str| report.totals.orders[state];
    assert_eq!((state("confirmed"), state("cancelled"), state("failed")), (confirmed, 1, 1));
    let units = report.totals.units;
    assert_eq!((units.received, units.sold, units.returned, units.held), (150, 13, 3, 0));
    assert_eq!(units.on_hand, units.received - units.sold + units.returned);

    remembered[0].minor_units += 1;
    remembered[1] = told(&data.cancelled, total(&data.paid[1]));
    remembered[2].order = OrderId::from_bits(1);
    let report = audited(&copy, Some(remembered)).await;
    let gone = OrderId::from_bits(1).to_string();
    let remembers = "client.remembers";
    finds(&report, &[(remembers, data.id(0)), (remembers, &data.cancelled), (remembers, &gone)]);
}

async fn money(data: &Data) {
    let (changed, lost, summed) = (data.id(0), data.id(1), data.id(2));
    let report = data
        .damaged(
            "money",
            &[
                (
                    "payment",
                    "svc-payment",
                    &format!("UPDATE ledger_postings SET amount = amount + 1 WHERE line = 0 AND order_id = '{changed}'"),
                ),
                ("payment", "svc-payment", &format!("DELETE FROM ledger_postings WHERE order_id = '{lost}'")),
                (
                    "payment",
                    "svc-payment",
                    &format!("UPDATE payments SET captured = captured - 1 WHERE order_id = '{summed}'"),
                ),
                ("payment", "svc-payment", "DELETE FROM ledger_chain WHERE position = 4"),
            ],
        )
        .await;
    finds(
        &report,
        &[
            ("ledger.balanced", "ledger entry led_"),
            ("ledger.balanced", "all postings in GBP"),
            ("ledger.sealed", "ledger entry led_"),
            ("ledger.sealed", "ledger position 4"),
            ("ledger.sealed", "unsealed tail"),
            ("ledger.operations", changed),
            ("ledger.operations", lost),
            ("ledger.operations", summed),
            ("ledger.orders", changed),
            ("ledger.orders", lost),
        ],
    );
}

async fn provider(data: &Data) {
    let of = |number| derived("pay", data.id(number));
    let report = data
        .damaged(
            "provider",
            &[
                ("testpay", "svc-payment", &format!("DELETE FROM authorizations WHERE payment_id = '{}'", of(0))),
                (
                    "testpay",
                    "svc-payment",
                    &format!(
                        "DELETE FROM captures WHERE authorization_id IN (SELECT id FROM authorizations WHERE payment_id = '{}')",
                        of(1)
                    ),
                ),
                (
                    "testpay",
                    "svc-payment",
                    &format!(
                        "UPDATE captures SET amount = amount - 1 WHERE authorization_id IN \
                         (SELECT id FROM authorizations WHERE payment_id = '{}')",
                        of(2)
                    ),
                ),
                (
                    "testpay",
                    "svc-payment",
                    &format!(
                        "INSERT INTO captures SELECT 'tpc_00000000000000000000000001', 'cap_stray', id, currency, 7, created_at \
                         FROM authorizations WHERE payment_id = '{}'",
                        of(3)
                    ),
                ),
                ("testpay", "svc-payment", "UPDATE refunds SET state = 'failed'"),
            ],
        )
        .await;
    let agrees = "provider.agrees";
    finds(
        &report,
        &[
            (agrees, data.id(0)),
            (agrees, data.id(1)),
            (agrees, data.id(2)),
            (agrees, "cap_stray"),
            (agrees, &data.cancelled),
            ("rows.valid", "refund tpr_"),
        ],
    );
}

async fn stock(data: &Data) {
    let (open, other) = (derived("hld", data.id(0)), derived("hld", data.id(1)));
    let report = data
        .damaged(
            "stock",
            &[
                ("inventory", "svc-inventory", "UPDATE stock SET on_hand = on_hand + 1 WHERE sku = 'bowl'"),
                (
                    "inventory",
                    "svc-inventory",
                    "UPDATE movements SET quantity = quantity + 1 WHERE sku = 'cup' AND number = 2",
                ),
                ("inventory", "svc-inventory", "DELETE FROM movements WHERE sku = 'cup' AND number = 5"),
                ("inventory", "svc-inventory", "UPDATE stock SET on_hand = -1 WHERE sku = 'plate'"),
                ("inventory", "svc-inventory", &format!("UPDATE holds SET state = 3 WHERE id = '{open}'")),
                ("inventory", "svc-inventory", &format!("DELETE FROM holds WHERE id = '{other}'")),
            ],
        )
        .await;
    finds(
        &report,
        &[
            ("stock.balanced", "stock bowl@main"),
            ("stock.balanced", "stock plate@main"),
            ("stock.counters", "stock bowl@main"),
            ("stock.counters", "movement 2 of stock cup@main"),
            ("stock.counters", "movement 5 of stock cup@main"),
            ("stock.counters", "stock plate@main"),
            ("stock.not_negative", "stock plate@main"),
            ("stock.holds", &open),
            ("stock.holds", &other),
            ("stock.orders", data.id(0)),
            ("stock.orders", data.id(1)),
            ("stock.lines", data.id(1)),
        ],
    );
}

async fn orders(data: &Data) {
    let (dear, lost, unbilled, uncaptured) = (data.id(0), data.id(1), data.id(2), data.id(3));
    let parked = "INSERT INTO souk_parked (source, consumer, epoch, sequence, aggregate_id, reason, event, parked_at) \
                  SELECT source, consumer, 1, 1, 'pay_parked', 'a test', X'', 0 FROM souk_position WHERE source = 'payment'";
    let report = data
        .damaged(
            "orders",
            &[
                (
                    "order",
                    "svc-order",
                    &format!("UPDATE orders SET total_minor = total_minor + 1 WHERE id = '{dear}'"),
                ),
                ("order", "svc-order", &format!("DELETE FROM orders WHERE id = '{lost}'")),
                ("order", "svc-order", &format!("DELETE FROM invoices WHERE order_id = '{unbilled}'")),
                // Payment::Authorized, and nothing left to do.
                ("order", "svc-order", &format!("UPDATE orders SET payment = 5 WHERE id = '{uncaptured}'")),
                (
                    "order",
                    "svc-order",
                    &format!("UPDATE orders SET state = 1 WHERE id = '{}'", data.declined),
                ),
                ("order", "svc-order", "DELETE FROM souk_outbox WHERE sequence = 3"),
                ("order", "svc-order", parked),
            ],
        )
        .await;
    let printed = |number: usize| format!("invoice {}", data.paid[number].invoice_number);
    finds(
        &report,
        &[
            ("ledger.orders", &format!("{dear}, captured less refunded")),
            ("ledger.orders", &format!("{dear}, total")),
            ("ledger.orders", lost),
            ("stock.orders", &derived("hld", lost)),
            ("orders.payments", lost),
            ("orders.captured", uncaptured),
            ("orders.invoices", &printed(0)),
            ("orders.invoices", &printed(1)),
            ("orders.invoices", unbilled),
            ("orders.invoice_numbers", &printed(2)),
            ("orders.at_rest", &data.declined),
            ("events.gap_free", "outbox of order, sequence 3"),
            ("events.parked", "pay_parked"),
            ("rows.valid", "event 1 of payment, set aside"),
            ("events.content", dear),
            ("events.content", lost),
            ("shipments.orders", lost),
            ("rows.references", lost),
        ],
    );
    let state = |order: &Order| order.state();
    assert!(data.paid.iter().map(state).all(|state| state == OrderState::Confirmed), "{:?}", data.paid);
}

/// Rows that a service itself cannot read are a violation, not a failure of the audit.
async fn unreadable(data: &Data) {
    let odd = format!("UPDATE orders SET state = 99 WHERE id = '{}'", data.id(0));
    let report = data.damaged("unreadable", &[("order", "svc-order", &odd)]).await;
    finds(&report, &[("orders.readable", "list_for_audit")]);
}
