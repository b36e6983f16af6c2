//! A million requests, each for another address, at a gateway with a small response cache: how much memory it takes, and how
//! long another visitor waits meanwhile. Then the rate of a cached response beside that of a bare handler of the same bytes.
//!
//! `cargo run --release -p edge --example flood [REQUESTS]`; it fails when memory grows by more than the setting and a tenth.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chassis::{Context, HttpAddress, Options, Role, Service, Starting};
use edge::{Answer, Ask, Gateway, Keep, Kind, NoPages, Nothing, Route, Settings};
use http::Method;
use kernel::Result;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CACHE_MIB: u32 = 64;
const CONNECTIONS: u64 = 16;
const KEEP: Keep = Keep { fresh: Duration::from_secs(600), stale: Duration::from_secs(600) };
/// What every response shows.
const CATALOGUE: &str = "catalogue";
/// How often that changes during the flood.
const CHANGE_EVERY: Duration = Duration::from_millis(10);

static GATEWAY: OnceLock<Arc<Gateway>> = OnceLock::new();

const SERVICE: Service = Service::new("bff-web", start).calls(&["identity"]).settings::<Settings>();

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Words {
    #[serde(default)]
    q: String,
}

/// A page of 1 to 12 KiB, as its words have it; of 20 KiB for the comparison.
async fn show(_: Arc<Ask>, words: Words, _: Nothing) -> Result<Answer> {
    let seed = words.q.bytes().fold(7_u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
    let size = if words.q == "hot" { 20 << 10 } else { 1_024 + usize::try_from(seed % 11_264).unwrap_or(0) };
    let (mut html, mut next) = (String::from("<!doctype html><p>"), seed | 1);
    while html.len() < size {
        next = next.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        html.push_str(["bowl ", "mug ", "lamp ", "<b>rug</b> ", "tray "][(next >> 60) as usize % 5]);
        html.push_str(&(next >> 44).to_string());
    }
    Ok(Answer::page(html).showing([CATALOGUE.to_owned(), format!("product:{}", words.q)]))
}

fn start(ctx: Context) -> Starting {
    Box::pin(async move {
        let settings: Settings = ctx.config()?;
        let routes = vec![
            Route::new(Kind::Page, Method::GET, "/search", show).kept(KEEP, &[]),
            Route::new(Kind::Page, Method::GET, "/plain", show),
        ];
        let gateway = Gateway::new(&ctx, settings, routes, NoPages, None)?;
        let endpoint = gateway.endpoint();
        // It is started once.
        let _ = GATEWAY.set(gateway);
        Ok(Role::new().http(endpoint))
    })
}

/// A connection that stays open.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    #[expect(clippy::disallowed_methods, reason = "the generator of a benchmark")]
    async fn connect(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(64 << 10) })
    }

    /// Sends a request and reads its answer, whose bytes it returns.
    async fn get(&mut self, path: &str, fields: &str) -> std::io::Result<usize> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: shop\r\n{fields}\r\n");
        self.stream.write_all(request.as_bytes()).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            let Some(end) = self.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&self.buffer[..end]).to_ascii_lowercase();
            let length =
                head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
            let whole = end + 4 + length.unwrap_or(0_usize);
            while self.buffer.len() < whole {
                self.stream.read_buf(&mut self.buffer).await?;
            }
            if !head.starts_with("http/1.1 200") {
                return Err(std::io::Error::other(head));
            }
            return Ok(whole);
        }
    }
}

/// Memory of this process, in MiB.
fn rss_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches("kB").trim().parse::<f64>().unwrap_or_default() / 1_024.0
}

#[expect(clippy::print_stdout, reason = "a benchmark's result")]
fn say(line: &str) {
    println!("{line}");
}

/// Milliseconds that a visitor waited, sorted.
async fn visit(address: SocketAddr, ended: Arc<AtomicBool>) -> std::io::Result<Vec<f64>> {
    let (mut client, mut times) = (Client::connect(address).await?, Vec::new());
    while !ended.load(Ordering::Relaxed) {
        let began = Instant::now();
        client.get("/search?q=visitor", "").await?;
        times.push(began.elapsed().as_secs_f64() * 1_000.0);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}

/// Sends so many requests, each for another address of a route; the most memory meanwhile.
async fn flood(
    address: SocketAddr,
    route: &'static str,
    requests: u64,
    changes: bool,
) -> std::io::Result<f64> {
    let (next, ended) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let visitor = tokio::spawn(visit(address, ended.clone()));
    let changing = ended.clone();
    let change = tokio::spawn(async move {
        while changes && !changing.load(Ordering::Relaxed) {
            tokio::time::sleep(CHANGE_EVERY).await;
            GATEWAY.get().into_iter().for_each(|gateway| gateway.changed(CATALOGUE));
        }
    });
    let began = Instant::now();
    let senders = (0..CONNECTIONS).map(|_| {
        let next = next.clone();
        tokio::spawn(async move {
            let (mut client, mut most) = (Client::connect(address).await?, 0.0_f64);
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= requests {
                    return std::io::Result::Ok(most);
                }
                let fields = if number.is_multiple_of(16) { "accept-encoding: gzip\r\n" } else { "" };
                client.get(&format!("{route}?q=word-{number}"), fields).await?;
                if number.is_multiple_of(5_000) {
                    most = most.max(rss_mib());
                }
            }
        })
    });
    let mut most = 0.0_f64;
    for sender in senders.collect::<Vec<_>>() {
        most = most.max(sender.await??);
    }
    ended.store(true, Ordering::Relaxed);
    let (seconds, times) = (began.elapsed().as_secs_f64(), visitor.await??);
    change.await?;
    let at = |share: usize| times.get(times.len() * share / 1_000).copied().unwrap_or_default();
    let rate = requests as f64 / seconds;
    say(&format!(
        "{route}: {requests} addresses at {rate:.0}/s; another visitor: p50 {:.2} ms, p99 {:.2} ms, worst {:.2} ms of {}",
        at(500),
        at(990),
        times.last().copied().unwrap_or_default(),
        times.len()
    ));
    Ok(most.max(rss_mib()))
}

/// Answers a second over so many connections.
async fn rate(address: SocketAddr, path: &'static str, round: Duration) -> std::io::Result<f64> {
    let until = Instant::now() + round;
    let senders = (0..CONNECTIONS).map(|_| {
        tokio::spawn(async move {
            let (mut client, mut count) = (Client::connect(address).await?, 0_u64);
            while Instant::now() < until {
                client.get(path, "accept-encoding: br\r\n").await?;
                count += 1;
            }
            std::io::Result::Ok(count)
        })
    });
    let mut all = 0;
    for sender in senders.collect::<Vec<_>>() {
        all += sender.await??;
    }
    Ok(all as f64 / round.as_secs_f64())
}

/// A handler of axum that answers the bytes of the cached response, and nothing else.
#[expect(clippy::disallowed_methods, reason = "the bare handler that the gateway is measured against")]
async fn bare(ours: SocketAddr) -> std::io::Result<SocketAddr> {
    use axum::response::IntoResponse;
    let mut client = Client::connect(ours).await?;
    client.get("/search?q=hot", "accept-encoding: br\r\n").await?;
    let end = client.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap_or_default();
    let body = edge::Bytes::copy_from_slice(&client.buffer[end + 4..]);
    let handler = move || {
        let fields = [("content-type", "text/html; charset=utf-8"), ("content-encoding", "br")];
        std::future::ready((fields, body.clone()).into_response())
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = axum::Router::new().route("/", axum::routing::get(handler));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

async fn compare(address: SocketAddr) -> std::io::Result<()> {
    let bare = bare(address).await?;
    let mut ratios = Vec::new();
    let (mut ours, mut theirs) = (0.0_f64, 0.0_f64);
    for _ in 0..10 {
        let round = Duration::from_millis(1_000);
        let one = rate(address, "/search?q=hot", round).await?;
        let other = rate(bare, "/", round).await?;
        (ours, theirs) = (ours.max(one), theirs.max(other));
        ratios.push(one / other);
    }
    ratios.sort_by(f64::total_cmp);
    say(&format!(
        "cached: {ours:.0}/s; a bare axum handler {theirs:.0}/s: {:.2} × of the best, {:.2} × at the median of {}",
        ours / theirs,
        ratios[ratios.len() / 2],
        ratios.len()
    ));
    Ok(())
}

async fn measured(requests: u64) -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
    let mut options = Options::new("mem:");
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    options.http = vec![HttpAddress { role: "bff-web", flag: "--web", address: any }];
    options.config.set("bff-web", "cache_mib", i64::from(CACHE_MIB));
    options.config.set("bff-web", "units_per_minute_address", 100_000_000);
    let running = chassis::run(&[SERVICE], options).await?;
    let address = running.addresses.http["bff-web"];
    compare(address).await?;
    if requests == 0 {
        return Ok(true);
    }
    // What is not cached costs the same to make, and warms all else up.
    flood(address, "/plain", requests / 10, false).await?;
    let before = rss_mib();
    let most = flood(address, "/search", requests, true).await?;
    let (grown, allowed) = (most - before, f64::from(CACHE_MIB) * 1.1);
    say(&format!(
        "memory: {before:.0} MiB before, {most:.0} MiB at most: {grown:.1} MiB for a cache of {CACHE_MIB}"
    ));
    Ok(grown <= allowed)
}

fn main() -> ExitCode {
    let requests = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    match runtime.block_on(measured(requests)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("not measured: {error}"));
            ExitCode::from(2)
        }
    }
}
