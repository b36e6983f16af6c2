//! What is logged of a request: by a visitor's request id, its line and the cause of its failure are found.

use std::sync::Arc;
use std::time::Duration;

use chassis::Options;
use mesh::{Effect, FaultRule};
use parking_lot::Mutex;
use serde_json::Value;
use tests::World;
use tokio::time::Instant;
use tracing::subscriber::DefaultGuard;

use crate::window::{ADA, add};

/// A log in memory, as JSON.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Writes here what this thread logs, until the guard is dropped.
    fn begin() -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let json = tracing_subscriber::fmt().json().flatten_event(true).with_writer(move || writer.clone());
        (log, tracing::subscriber::set_default(json.finish()))
    }

    fn lines(&self, level: &str) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().clone()).expect("text");
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        lines.filter(|line| line["level"] == level).collect()
    }
}

async fn shop(seed: u64, access: bool) -> World {
    let mut options = Options::new("mem:");
    options.config.set("log", "access", access);
    let world = World::start_with(options, seed).await;
    world.sells("bowl", 1800, 5).await;
    world.passes(Duration::from_secs(5)).await;
    world
}

#[tokio::test(start_paused = true)]
async fn a_failure_deep_down_is_one_line_with_its_cause() {
    let world = shop(421, true).await;
    let browser = world.browser();
    add(&browser, "bowl", "1").await;
    // A call of checkout, which the shop window called.
    let rule = FaultRule {
        method: "/souk.".to_owned(),
        caller: Some("checkout".to_owned()),
        per_million: 1_000_000,
        effect: Effect::Fail,
        until: Instant::now() + Duration::from_secs(60),
        times: Some(1),
    };
    world.faults().add(rule).expect("a rule");
    let (log, _guard) = Log::begin();
    let page = browser.submit("/checkout", ADA).await;
    assert_eq!(page.status, 500, "{}", page.text());
    assert!(!page.text().contains("on purpose"), "the cause is not shown");
    let request_id = page.header("request-id");
    let trace_id = page.header("traceparent").split('-').nth(1).expect("a trace id").to_owned();
    let errors = log.lines("ERROR");
    let [error] = &errors[..] else { panic!("{} lines: {errors:#?}", errors.len()) };
    assert!(error["cause"].as_str().is_some_and(|cause| cause.contains("a fault on purpose")), "{error}");
    assert_eq!((&error["caller"], &error["request_id"]), (&"checkout".into(), &request_id.into()), "{error}");
    assert_eq!(error["trace_id"], trace_id, "{error}");
    assert!(error["method"].as_str().is_some_and(|method| method.starts_with("/souk.")), "{error}");
    assert!(error["principal"].as_str().is_some_and(|name| name.starts_with("gst_")), "{error}");
    let lines = log.lines("INFO");
    let line = lines.iter().find(|line| line["target"] == "souk::access").expect("a line of the request");
    assert_eq!((&line["request_id"], &line["trace_id"]), (&request_id.into(), &trace_id.into()), "{line}");
    assert_eq!((&line["method"], &line["route"]), (&"POST".into(), &"/checkout".into()), "{line}");
    assert_eq!(line["status"], 500, "{line}");
}

#[tokio::test(start_paused = true)]
async fn a_line_of_a_request_tells_nothing_of_a_person() {
    let world = shop(422, true).await;
    let browser = world.browser();
    browser.set_cookie("souk_seen", "secret-of-mine");
    let (log, _guard) = Log::begin();
    for _ in 0..2 {
        browser.get("/products/product-bowl?email=ada@example.com").await;
    }
    browser.get("/search?q=my+own+words").await;
    let lines = log.lines("INFO");
    let lines: Vec<&Value> = lines.iter().filter(|line| line["target"] == "souk::access").collect();
    assert_eq!(lines.len(), 3, "{lines:#?}");
    let caches: Vec<&Value> = lines.iter().map(|line| &line["cache"]).collect();
    assert_eq!(caches, [&Value::from("stored"), &Value::from("hit"), &Value::Null]);
    assert!(lines.iter().all(|line| line["bytes"].as_u64() > Some(500) && line["ms"].is_number()));
    let text = serde_json::to_string(&lines).expect("JSON");
    for part in ["ada@", "own", "secret", "192.0.2"] {
        assert!(!text.contains(part), "{part} is in {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_of_a_request_unless_it_is_asked_for() {
    let world = shop(423, false).await;
    let (log, _guard) = Log::begin();
    world.browser().get("/products/product-bowl").await;
    assert!(log.lines("INFO").iter().all(|line| line["target"] != "souk::access"));
}
