//! The whole shop under load: every role in this process over `dir:` with full durability, driven over real TCP by gRPC with
//! 64 requests in flight, and the floor beneath it in the same run.
//!
//! `cargo bench -p tests --bench shop -- [--orders N] [--adds N] [--searches N] [--json]`
//!
//! An order is two lines, from `CreateQuote` to the answer of `PlaceOrder` that says confirmed. The client runs in the same
//! process, so its cost is in the figures too. After the load the audit must hold. Searches, 0 unless they are asked for, are over
//! 100,000 products, which are imported for them.

mod drive;
mod load;
mod machine;
mod report;
mod search;

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use app::audit;
use app::client::{Shop, ShopArgs};
use app::files::Stopwatch;
use app::up::{self, UpArgs};
use chassis::Running;
use store::floor::Floor;

use self::load::Load;
use self::report::{FloorFigures, Report};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Requests in flight.
const IN_FLIGHT: usize = 64;
/// Connections that they share.
const CONNECTIONS: usize = 4;
/// Commits of an order, and the databases that they go to.
const COMMITS_AN_ORDER: usize = 12;
const DATABASES: usize = 6;
/// Orders that the floor writes.
const FLOOR_ORDERS: usize = 5_000;
/// How long the shop may take to stop.
const GRACE: Duration = Duration::from_secs(30);

struct Wishes {
    orders: usize,
    adds: usize,
    searches: usize,
    json: bool,
}

fn wishes() -> Result<Wishes, String> {
    let mut wishes = Wishes { orders: 6_000, adds: 20_000, searches: 0, json: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || {
            let number = words.next().and_then(|number| number.parse().ok());
            number.ok_or_else(|| format!("{word} needs a number"))
        };
        match word.as_str() {
            "--orders" => wishes.orders = number()?,
            "--adds" => wishes.adds = number()?,
            "--searches" => wishes.searches = number()?,
            "--json" => wishes.json = true,
            // What cargo says to every benchmark.
            "--bench" => {}
            _ => {
                return Err(format!(
                    "{word} is not known; there are --orders N, --adds N, --searches N and --json"
                ));
            }
        }
    }
    Ok(wishes)
}

fn main() -> ExitCode {
    let wishes = match wishes() {
        Ok(wishes) => wishes,
        Err(sentence) => {
            app::console::note(&sentence);
            return ExitCode::from(2);
        }
    };
    let scratch = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory on a real disk");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let report = runtime.block_on(measure(&wishes, scratch.path()));
    let text = if wishes.json { report.json() } else { report.table() };
    app::files::say(&text);
    if report.audit_holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn measure(wishes: &Wishes, scratch: &Path) -> Report {
    let data = scratch.join("shop");
    // The first start makes the directory; the second one is measured.
    drop_shop(start(&data).await.0).await;
    let (running, ready_ms) = start(&data).await;
    let idle_mib = machine::resident_mib();
    let floor = floor(&scratch.join("floor"));
    let load = Load::new(shops(&running, &data).await, wishes.orders + wishes.adds).await;
    let cart = load.cart(grpc(&running), wishes.adds).await;
    let orders = load.orders(wishes.orders).await;
    let proof = audit::prove(load.shop(), None).await.expect("the books can be read");
    let audit_holds = proof.ok;
    if !audit_holds {
        app::files::say(&proof.table());
    }
    let loaded_mib = machine::resident_mib();
    drop_shop(running).await;
    let (running, ready_loaded_ms) = start(&data).await;
    let searches = match wishes.searches {
        0 => None,
        searches => Some(search::searches(&shops(&running, &data).await, searches).await),
    };
    drop_shop(running).await;
    Report { ready_ms, ready_loaded_ms, idle_mib, loaded_mib, floor, cart, orders, searches, audit_holds }
}

async fn start(data: &Path) -> (Running, u64) {
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let args = UpArgs {
        data: format!("dir:{}", data.display()),
        no_demo: true,
        grpc: loopback,
        metrics: loopback,
        ..UpArgs::default()
    };
    let watch = Stopwatch::start();
    let running = up::start(&args).await.expect("the shop starts");
    (running, watch.millis())
}

async fn drop_shop(running: Running) {
    assert!(running.stop(GRACE).await, "the shop stops");
}

fn grpc(running: &Running) -> SocketAddr {
    running.addresses.grpc.expect("it listens")
}

/// The operator's connections.
async fn shops(running: &Running, data: &Path) -> Vec<Shop> {
    let args = ShopArgs {
        at: format!("http://{}", grpc(running)),
        token: None,
        data: format!("dir:{}", data.display()),
    };
    let mut shops = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        shops.push(Shop::connect(&args).await.expect("the shop lets its operator in"));
    }
    shops
}

/// The same commits by bare writers: 64 in flight, and 16.
fn floor(directory: &Path) -> FloorFigures {
    std::fs::create_dir_all(directory).expect("a directory");
    let mut run = 0;
    let mut rate = |in_flight| {
        run += 1;
        let watch = Stopwatch::start();
        let commits = FLOOR_ORDERS * COMMITS_AN_ORDER;
        Floor { databases: DATABASES, commits, in_flight }.run(directory, run);
        FLOOR_ORDERS as f64 / watch.seconds()
    };
    FloorFigures { orders_per_second_16: rate(16), orders_per_second: rate(IN_FLIGHT) }
}
