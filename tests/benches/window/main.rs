//! The shop window's speed and weight: `cargo bench -p tests --bench window`.
//!
//! The shop runs in a process of its own (this binary, started again), and so does the bare handler that it is compared with;
//! the generator in this one, all on the same machine. Each rate is measured in turns with the bare handler's, and the best of each
//! is told.

mod client;
mod sockets;

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use app::up::{self, UpArgs};
use client::Target;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Connections of the generator.
const CONNECTIONS: usize = 32;
/// How long one measurement takes.
const ROUND: Duration = Duration::from_secs(3);
/// Turns of each comparison.
const ROUNDS: usize = 3;

/// A shop in a process of its own, over a scratch directory.
struct Shop {
    child: Child,
    web: SocketAddr,
    _data: tempfile::TempDir,
}

impl Shop {
    /// # Panics
    /// When it does not start.
    fn start(settings: &[(&str, &str)]) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let executable = std::env::current_exe().expect("this binary");
        #[expect(clippy::disallowed_methods, reason = "the shop is measured from outside")]
        let mut command = Command::new(executable);
        command.arg("serve").arg(data.path());
        command.env("SOUK__BFF_WEB__UNITS_PER_MINUTE_ADDRESS", "100000000");
        command.env("SOUK__BFF_WEB__UNITS_PER_MINUTE_SESSION", "100000000");
        // One address opens all sockets here.
        command.env("SOUK__BFF_WEB__SOCKETS_PER_ADDRESS_MAX", "12000");
        command.env("SOUK__LISTENERS__CONNECTIONS_PER_ADDRESS_PERCENT", "100");
        command.envs(settings.iter().copied());
        let (child, web) = started(command);
        Self { child, web, _data: data }
    }

    /// Memory that it has, in MiB.
    fn rss_mib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        line.trim().trim_end_matches("kB").trim().parse::<f64>().unwrap_or_default() / 1024.0
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(clippy::print_stdout, reason = "the parent reads the address")]
async fn serve(data: &str) {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let args = UpArgs { data: format!("dir:{data}"), grpc: any, web: any, metrics: any, ..UpArgs::default() };
    let running = up::start(&args).await.expect("the shop starts");
    println!("{}", running.addresses.http["bff-web"]);
    std::future::pending::<()>().await;
}

/// A handler of axum that answers with these bytes and nothing else, in a process of its own.
struct Bare {
    child: Child,
    address: SocketAddr,
    _body: tempfile::TempDir,
}

impl Bare {
    /// # Panics
    /// When it does not start.
    fn start(answer: &client::Answer) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let body = directory.path().join("body");
        std::fs::write(&body, &answer.body).expect("written");
        let executable = std::env::current_exe().expect("this binary");
        #[expect(clippy::disallowed_methods, reason = "the handler is measured from outside")]
        let mut command = Command::new(executable);
        command.arg("bare").arg(answer.header("content-type")).arg(&body);
        let (child, address) = started(command);
        Self { child, address, _body: directory }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a process, and reads the address that it prints first.
fn started(mut command: Command) -> (Child, SocketAddr) {
    let mut child = command.stdout(Stdio::piped()).spawn().expect("a process");
    let mut lines =
        std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().expect("its output")));
    let address = lines.next().expect("a line").expect("text").parse().expect("an address");
    (child, address)
}

#[expect(clippy::disallowed_methods, reason = "the bare handler that the gateway is measured against")]
#[expect(clippy::print_stdout, reason = "the parent reads the address")]
async fn serve_bare(content_type: String, body: &str) {
    use axum::response::IntoResponse;
    let body = bytes::Bytes::from(std::fs::read(body).expect("the body"));
    let handler = move || {
        let encoded = [("content-type", content_type.clone()), ("content-encoding", "br".to_owned())];
        std::future::ready((encoded, body.clone()).into_response())
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!("{}", listener.local_addr().expect("an address"));
    let router = axum::Router::new().route("/", axum::routing::get(handler));
    axum::serve(listener, router).await.expect("serves");
}

#[expect(clippy::print_stdout, reason = "a benchmark's result")]
fn say(line: &str) {
    println!("{line}");
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    match arguments.get(1).map(String::as_str) {
        Some("serve") => runtime.block_on(serve(&arguments[2])),
        Some("bare") => runtime.block_on(serve_bare(arguments[2].clone(), &arguments[3])),
        _ => runtime.block_on(measured()),
    }
}

async fn measured() {
    let shop = Shop::start(&[]);
    settled(shop.web).await;
    weights(shop.web).await;
    kept(shop.web).await;
    person(shop.web).await;
    first_byte(shop.web).await;
    sockets::idle(&shop).await;
    drop(shop);
    let shop = Shop::start(&[("SOUK__BFF_WEB__CACHE", "false")]);
    settled(shop.web).await;
    for (name, path) in [("JSON", "/api/v1/products/harbour-bowl"), ("HTML", "/products/harbour-bowl")] {
        let target = Target::new(shop.web, path, &[]);
        let mut best = 0.0_f64;
        for _ in 0..ROUNDS {
            best = best.max(client::rate(&target, CONNECTIONS, ROUND).await);
        }
        say(&format!("product, cache off, {name}: {best:.0}/s"));
    }
}

/// Waits until the demo catalogue can be found.
async fn settled(web: SocketAddr) {
    let target = Target::new(web, "/api/v1/search?q=bowl", &[]);
    for _ in 0..200 {
        if String::from_utf8_lossy(&client::once(&target).await.body).contains("harbour-bowl") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn weights(web: SocketAddr) {
    for path in ["/", "/products/harbour-bowl"] {
        let page = client::once(&Target::new(web, path, &[("accept-encoding", "br")])).await;
        let text = client::once(&Target::new(web, path, &[])).await;
        let text = String::from_utf8_lossy(&text.body).into_owned();
        let mut all = page.bytes;
        let mut parts: Vec<&str> = text
            .split('"')
            .filter(|part| part.starts_with("/assets/") || part.starts_with("/pictures/"))
            .collect();
        parts.sort_unstable();
        parts.dedup();
        for part in &parts {
            all += client::once(&Target::new(web, part, &[("accept-encoding", "br")])).await.bytes;
        }
        let (kib, page) = (all as f64 / 1024.0, page.bytes as f64 / 1024.0);
        say(&format!("{path}: {page:.1} KiB, {kib:.1} KiB with its {} files, as they travel", parts.len()));
    }
}

async fn kept(web: SocketAddr) {
    for (name, path) in [("HTML", "/products/harbour-bowl"), ("JSON", "/api/v1/products/harbour-bowl")] {
        let target = Target::new(web, path, &[("accept-encoding", "br")]);
        let handler = Bare::start(&client::once(&target).await);
        let bare = Target::new(handler.address, "/", &[("accept-encoding", "br")]);
        let (mut ours, mut theirs) = (0.0_f64, 0.0_f64);
        for _ in 0..ROUNDS {
            ours = ours.max(client::rate(&target, CONNECTIONS, ROUND).await);
            theirs = theirs.max(client::rate(&bare, CONNECTIONS, ROUND).await);
        }
        say(&format!(
            "product, kept, {name}: {ours:.0}/s; a bare axum handler of the same bytes {theirs:.0}/s: {:.2} ×",
            ours / theirs
        ));
    }
}

/// Somebody who is signed in and has a cart.
async fn person(web: SocketAddr) {
    let fields = [("content-type", "application/json")];
    let body = r#"{"email": "ada@example.com", "password": "a long enough secret"}"#;
    let signed = client::once(&Target::with_body(web, "POST", "/api/v1/accounts", &fields, body)).await;
    let cookies = signed.cookies();
    let fields = [("content-type", "application/json"), ("cookie", &cookies)];
    let body = r#"{"sku": "BWL-HRB-SEA", "quantity": 2}"#;
    client::once(&Target::with_body(web, "POST", "/api/v1/cart/lines", &fields, body)).await;
    let fields = [("accept-encoding", "gzip, deflate, br, zstd"), ("cookie", cookies.as_str())];
    let target = Target::new(web, "/products/harbour-bowl", &fields);
    let mut best = 0.0_f64;
    for _ in 0..ROUNDS {
        best = best.max(client::rate(&target, CONNECTIONS, ROUND).await);
    }
    say(&format!("product, for somebody signed in with a cart: {best:.0}/s"));
}

async fn first_byte(web: SocketAddr) {
    for path in ["/", "/products/harbour-bowl", "/search?q=bowl"] {
        let target = Target::new(web, path, &[("accept-encoding", "br")]);
        let mut times = Vec::new();
        for _ in 0..50 {
            times.push(client::first_byte(&target).await.as_secs_f64() * 1000.0);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        times.sort_by(f64::total_cmp);
        say(&format!(
            "{path}: first byte when idle {:.2} ms at the median, {:.2} ms at worst of 50",
            times[25], times[49]
        ));
    }
}
