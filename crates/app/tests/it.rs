//! The binary from outside: real processes, real kills, real files.
#![expect(clippy::disallowed_methods, reason = "these tests start processes and wait for what they write")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

#[path = "it/pictures.rs"]
mod pictures;

const SOUK: &str = env!("CARGO_BIN_EXE_souk");
/// How long anything may take here, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// A shop in a process of its own; killed when dropped.
struct Shop {
    process: Child,
    dir: PathBuf,
    at: String,
    web: String,
}

impl Shop {
    fn start(dir: &Path, flags: &[&str]) -> Self {
        let mut process =
            up(dir, flags).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("souk starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("readable");
        let ready: Value = serde_json::from_str(&line).expect("the first line is JSON");
        assert_eq!(ready["event"], "ready");
        let url =
            |listener: &str| format!("http://{}", ready["addresses"][listener].as_str().expect("an address"));
        Self { process, dir: dir.to_owned(), at: url("grpc"), web: url("web") }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(SOUK);
        command.args(arguments).args(["--at", &self.at, "--data", &data(&self.dir), "--json"]);
        command
    }

    /// Runs a command to its end: exit code and document.
    fn run(&self, arguments: &[&str]) -> (i32, Value) {
        let output = self.command(arguments).output().expect("souk runs");
        let document = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        assert!(!document.is_null(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        (output.status.code().unwrap_or(-1), document)
    }

    /// Ends it as a power cut would.
    fn kill(mut self) {
        self.process.kill().expect("killed");
        self.process.wait().expect("ended");
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn data(dir: &Path) -> String {
    format!("dir:{}", dir.display())
}

fn up(dir: &Path, flags: &[&str]) -> Command {
    let mut command = Command::new(SOUK);
    command
        .args(["up", "--data", &data(dir), "--grpc", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--json"])
        .args(["--web", "127.0.0.1:0"])
        .args(flags);
    command
}

/// Waits for what another process does.
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < PATIENCE, "{what} took longer than {PATIENCE:?}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

fn synth(dir: &Path, lines: u32) -> PathBuf {
    let path = dir.join("invoices.csv");
    let lines = lines.to_string();
    let output = Command::new(SOUK)
        .args(["synth", "online-retail", "--lines", &lines, "--seed", "7"])
        .output()
        .expect("souk runs");
    assert!(output.status.success());
    std::fs::write(&path, output.stdout).expect("written");
    path
}

/// Runs a command that must end by itself with exit code 2 and a sentence; returns what it said.
fn failed(command: &mut Command) -> String {
    let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("souk runs");
    let began = Instant::now();
    while process.try_wait().expect("asked").is_none() {
        if began.elapsed() > PATIENCE {
            process.kill().expect("killed");
            panic!("{command:?} did not end by itself");
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
    let output = process.wait_with_output().expect("ended");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(!text.contains("panicked"), "{text}");
    text
}

#[test]
fn a_month_of_invoices_survives_kills_and_ends_in_the_same_books() {
    let scratch = tempfile::tempdir().expect("a directory");
    let invoices = synth(scratch.path(), 3000);
    let file = invoices.to_str().expect("UTF-8");
    let undisturbed = {
        let shop = Shop::start(&scratch.path().join("whole"), &["--no-demo"]);
        shop.run(&["import", "online-retail", file]);
        let (_, replayed) = shop.run(&["replay", "online-retail", file]);
        assert_eq!(
            replayed["refused"].as_array().map(Vec::is_empty),
            Some(false),
            "a made-up file has its dirt"
        );
        let (code, books) = shop.run(&["audit"]);
        assert_eq!((code, &books["ok"]), (0, &Value::Bool(true)), "{books}");
        (replayed["accepted"].clone(), books["totals"].clone())
    };
    let orders = undisturbed.0["orders"].as_u64().expect("a number");
    let dir = scratch.path().join("killed");
    let confirmed = scratch.path().join("confirmed.tsv");
    let told = || std::fs::read_to_string(&confirmed).map_or(0, |text| text.lines().count() as u64);
    for tenth in [2, 5, 8] {
        let shop = Shop::start(&dir, &["--no-demo"]);
        shop.run(&["import", "online-retail", file]);
        let replay = [
            "replay",
            "online-retail",
            file,
            "--in-flight",
            "8",
            "--confirmed",
            confirmed.to_str().expect("UTF-8"),
        ];
        let mut client =
            shop.command(&replay).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("souk runs");
        until("the replay", || told() >= orders * tenth / 10 || client.try_wait().expect("asked").is_some());
        shop.kill();
        client.kill().expect("killed");
        client.wait().expect("ended");
    }
    let shop = Shop::start(&dir, &["--no-demo"]);
    let (code, replayed) = shop.run(&["replay", "online-retail", file]);
    assert_eq!(code, 0);
    assert!(replayed["already"]["orders"].as_u64() >= Some(orders * 8 / 10), "{replayed}");
    assert_eq!(replayed["accepted"], undisturbed.0);
    let (code, books) = shop.run(&["audit", "--expect", confirmed.to_str().expect("UTF-8")]);
    assert_eq!((code, &books["totals"]), (0, &undisturbed.1), "{books}");
}

#[test]
fn scarce_stock_is_refused_and_never_oversold() {
    let scratch = tempfile::tempdir().expect("a directory");
    let invoices = synth(scratch.path(), 1500);
    let file = invoices.to_str().expect("UTF-8");
    let shop = Shop::start(&scratch.path().join("shop"), &["--no-demo"]);
    shop.run(&["import", "online-retail", file, "--stock", "80%"]);
    let (_, replayed) = shop.run(&["replay", "online-retail", file]);
    let refused = replayed["refused"].as_array().expect("a list");
    assert!(refused.iter().any(|refusal| refusal["reason"] == "OUT_OF_STOCK"), "{replayed}");
    let lines = |value: &Value| value["lines"].as_u64().expect("a number");
    assert_eq!(
        lines(&replayed["accepted"]) + refused.iter().map(lines).sum::<u64>(),
        lines(&replayed["file"])
    );
    let (code, books) = shop.run(&["audit"]);
    assert_eq!(code, 0, "{books}");
    assert_eq!(books["totals"]["units"]["held"], 0);
}

#[test]
fn the_first_start_fills_the_shop_once() {
    let scratch = tempfile::tempdir().expect("a directory");
    let dir = scratch.path().join("shop");
    let received =
        |shop: &Shop| shop.run(&["audit"]).1["totals"]["units"]["received"].as_u64().expect("a number");
    let shop = Shop::start(&dir, &[]);
    let first = received(&shop);
    assert!(first > 0);
    shop.kill();
    // As an earlier release left them.
    for (name, mode) in [("operator.token", 0o644), ("search", 0o755)] {
        let wide = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(dir.join(name), wide).expect("owned");
    }
    let shop = Shop::start(&dir, &[]);
    assert_eq!(received(&shop), first);
    for (name, wanted) in [("operator.token", 0o600), ("search", 0o700)] {
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(dir.join(name)).expect("there").permissions(),
        );
        assert_eq!(mode & 0o777, wanted, "{name}");
    }
}

#[test]
fn what_stands_in_the_way_is_said() {
    let scratch = tempfile::tempdir().expect("a directory");
    let dir = scratch.path().join("shop");
    let shop = Shop::start(&dir, &["--no-demo"]);
    let second = failed(&mut up(&dir, &[]));
    assert!(second.contains(dir.to_str().expect("UTF-8")), "{second}");
    let other = scratch.path().join("other");
    let address = shop.at.trim_start_matches("http://").to_owned();
    let mut taken = Command::new(SOUK);
    taken.args(["up", "--data", &data(&other), "--grpc", &address, "--metrics", "127.0.0.1:0"]);
    taken.args(["--web", "127.0.0.1:0"]);
    assert!(failed(&mut taken).contains(&address));
    shop.kill();
    let database = dir.join("order").join("order.db");
    let mut bytes = std::fs::read(&database).expect("there");
    bytes[..64].fill(0x5a);
    std::fs::write(&database, bytes).expect("written");
    // Without the log, which has a good copy of what was overwritten.
    std::fs::remove_file(database.with_extension("db-wal")).expect("a killed shop leaves its log");
    let damaged = failed(&mut up(&dir, &[]));
    assert!(damaged.contains("order"), "{damaged}");
    let file = scratch.path().join("a-file");
    std::fs::write(&file, b"x").expect("written");
    assert!(failed(&mut up(&file.join("shop"), &[])).contains("a-file"));
    let mut nobody = Command::new(SOUK);
    nobody.args(["audit", "--at", "http://127.0.0.1:1", "--token", "x"]);
    assert!(failed(&mut nobody).contains("souk up"));
    let settings = scratch.path().join("souk.toml");
    std::fs::write(&settings, "[cart]\nno_such_key = 1\n").expect("written");
    let mut unknown = Command::new(SOUK);
    unknown.args(["check", "--config", settings.to_str().expect("UTF-8")]);
    assert!(failed(&mut unknown).contains("no_such_key"));
}

#[test]
fn a_load_buys_at_a_constant_rate_and_ends_with_the_audit() {
    let scratch = tempfile::tempdir().expect("a directory");
    let shop = Shop::start(&scratch.path().join("shop"), &["--no-demo"]);
    let confirmed = scratch.path().join("confirmed.tsv");
    let file = confirmed.to_str().expect("UTF-8");
    let arguments = "load --rate 20 --seconds 3 --mix browse=40,search=20,cart=20,buy=20";
    let arguments = arguments.split(' ').chain(["--web", &shop.web, "--confirmed", file]);
    let output = shop.command(&arguments.collect::<Vec<_>>()).output().expect("souk runs");
    let told = String::from_utf8(output.stdout).expect("UTF-8");
    let lines: Vec<Value> =
        told.lines().map(|line| serde_json::from_str(line).expect("a JSON document a line")).collect();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told} {complaints}");
    let (summary, seconds) = lines.split_last().expect("a summary");
    assert!(seconds.len() >= 3 && seconds.iter().all(|line| line["event"] == "second"), "{told}");
    assert_eq!(seconds[0]["second"], 0);
    assert_eq!((&summary["event"], &summary["audit_ok"]), (&"summary".into(), &true.into()));
    assert_eq!([&summary["due"], &summary["started"], &summary["confirmed"]], [60, 60, 12], "{summary}");
    let counts = [("home", 24), ("product", 48), ("suggest", 12), ("add", 24), ("cart", 12), ("pay", 12)];
    for (step, count) in counts {
        let step = &summary["steps"][step];
        assert_eq!([&step["count"], &step["errors"]], [count, 0], "{summary}");
        assert!(
            step["ms"]["p50"].as_f64() > Some(0.0)
                && step["ms"]["p50"].as_f64() <= step["ms"]["max"].as_f64()
        );
    }
    assert_eq!(summary["journeys"]["buy"]["count"], 12);
    assert!(summary["journeys"]["buy"]["ms"]["p50"].as_f64() > summary["steps"]["pay"]["ms"]["p50"].as_f64());
    let (code, books) = shop.run(&["audit", "--expect", file]);
    assert_eq!((code, &books["totals"]["orders"]["confirmed"]), (0, &12.into()), "{books}");
    let nobody = failed(&mut shop.command(&["load", "--web", "http://127.0.0.1:1"]));
    assert!(nobody.contains("souk up") && nobody.contains("--web"), "{nobody}");
    for (wrong, said) in [("steal=1", "steal"), ("buy=0", "more than 0"), ("buy", "`buy`")] {
        assert!(failed(&mut shop.command(&["load", "--mix", wrong])).contains(said), "{wrong}");
    }
}

#[test]
fn what_a_client_was_told_under_load_survives_a_kill() {
    let scratch = tempfile::tempdir().expect("a directory");
    let (dir, confirmed) = (scratch.path().join("shop"), scratch.path().join("confirmed.tsv"));
    let file = confirmed.to_str().expect("UTF-8");
    let told = || std::fs::read_to_string(&confirmed).map_or(0, |text| text.lines().count());
    for round in 1..=2 {
        let shop = Shop::start(&dir, &["--no-demo"]);
        let arguments = ["load", "--rate", "30", "--seconds", "60", "--mix", "buy=100", "--web", &shop.web];
        let mut client = shop.command(&[&arguments[..], &["--confirmed", file]].concat());
        let mut client = client.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("souk runs");
        let wanted = told() + 20;
        until("purchases are confirmed", || told() >= wanted);
        shop.kill();
        client.kill().expect("it runs");
        client.wait().expect("it ended");
        assert!(told() >= round * 20);
    }
    let shop = Shop::start(&dir, &["--no-demo"]);
    let (code, books) = shop.run(&["audit", "--expect", file]);
    let check = books["checks"].as_array().expect("checks").iter();
    let remembered = check.clone().find(|check| check["name"] == "client.remembers").expect("the check");
    assert_eq!((code, &books["ok"]), (0, &true.into()), "{books}");
    assert!(remembered["examined"].as_u64() >= Some(40), "{remembered}");
}

#[test]
fn files_that_cannot_be_read_name_the_place() {
    let scratch = tempfile::tempdir().expect("a directory");
    let shop = Shop::start(&scratch.path().join("shop"), &["--no-demo"]);
    let header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";
    let good = "536365,85123A,HEART HOLDER,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n";
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("empty", Vec::new(), "empty"),
        ("column", b"InvoiceNo,StockCode\n1,2\n".to_vec(), "Description"),
        (
            "number",
            format!("{header}{good}536366,1,X,six,2010-12-01 08:26:00,2.55,,France\n").into_bytes(),
            "line 3",
        ),
        ("short", format!("{header}{good}536366,1\n").into_bytes(), "line 3"),
        (
            "encoding",
            // UTF-8, but for what is in the last line.
            [
                header.as_bytes(),
                "1,1,Café crème à côté pâté brûlé forêt".as_bytes(),
                b",1,2010-12-01 08:26:00,1,,France\n1,2,\xff\xfe,1,2010-12-01 08:26:00,1,,France\n",
            ]
            .concat(),
            "line 3",
        ),
        ("zeros", zeros(), "line"),
    ];
    for (name, content, place) in cases {
        let file = scratch.path().join(format!("{name}.csv"));
        std::fs::File::create(&file).and_then(|mut file| file.write_all(&content)).expect("written");
        for command in ["import", "replay"] {
            let said = failed(&mut shop.command(&[command, "online-retail", file.to_str().expect("UTF-8")]));
            assert!(said.contains(place), "{command} {name}: {said}");
        }
    }
}

#[test]
fn a_product_file_says_what_was_done_and_where_it_ends() {
    let scratch = tempfile::tempdir().expect("a directory");
    let shop = Shop::start(&scratch.path().join("shop"), &["--no-demo"]);
    let header = b"name,sku,prices\n";
    let good = b"Mug,MUG-1,9.50 GBP\n";
    let write = |name: &str, content: &[u8]| {
        let file = scratch.path().join(name);
        std::fs::write(&file, content).expect("written");
        file.to_str().expect("UTF-8").to_owned()
    };
    // Of these nothing can be read.
    let unreadable: [(&str, Vec<u8>, &str); 4] = [
        ("empty.csv", Vec::new(), "empty"),
        ("empty.jsonl", Vec::new(), "empty"),
        ("column.csv", b"name,sku\n".to_vec(), "prices"),
        ("zeros.jsonl.gz", zeros(), "line 1"),
    ];
    for (name, content, place) in unreadable {
        let said = failed(&mut shop.command(&["import", "products", &write(name, &content)]));
        assert!(said.contains(place) && said.contains("nothing was imported"), "{name}: {said}");
    }
    // Of this the first row is good.
    let mut endless = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    endless.write_all(&[&header[..], good].concat()).expect("in memory");
    let file = write("endless.csv.gz", &[endless.finish().expect("in memory"), zeros()].concat());
    let (code, report) = shop.run(&["import", "products", &file]);
    assert_eq!(
        (code, report["created"].as_u64(), report["refused"].as_u64()),
        (1, Some(1), Some(1)),
        "{report}"
    );
    let problem = &report["problems"][0];
    assert_eq!(problem["line"].as_u64(), Some(3), "{report}");
    assert!(problem["reason"].as_str().is_some_and(|reason| reason.contains("nothing after it")), "{report}");
}

/// A gigabyte of zeros in a gzip of a megabyte.
fn zeros() -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let block = vec![0_u8; 1 << 20];
    for _ in 0..1024 {
        encoder.write_all(&block).expect("in memory");
    }
    encoder.finish().expect("in memory")
}
