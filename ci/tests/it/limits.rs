//! `docs/limits.md` is what the constants and settings say. It is made here from their source, with their own comments.

use std::fmt::Write;
use std::path::Path;

use super::{files, root};

const PAGE: &str = "docs/limits.md";
const HEAD: &str = "# Every limit\n\n\
    What a caller of the shop can meet: connections, streams, messages, bodies, queues, caches, texts, and the times that\n\
    they may take; in all, by connection, by address (an IPv6 address stands for its /64) and by owner. This page is made from\n\
    the constants and settings in the source: `cargo test -p ci limits` compares them, and writes a new page into `target/`\n\
    when they differ.\n\n\
    A listener's connections follow from the file descriptors that the system grants (the soft limit is raised to the hard\n\
    one at the start): after what the stores need, a third is for gRPC and the rest for the gateways. A full listener closes\n\
    what has been idle longest; when nothing is idle, the oldest of the addresses that have most; a newcomer from an address\n\
    that has as many itself is refused at once. Of a web listener's connections seven eighths may be WebSockets, whatever\n\
    `sockets_max` allows. Metrics: `souk_connections`,\n\
    `souk_connections_limit`, `souk_connections_closed_total` by reason.\n";

/// Crates whose limits a caller meets, and what they are to him.
const CRATES: &[(&str, &str)] = &[
    ("chassis", "Listeners, and what every role stands on"),
    ("mesh", "Calls"),
    ("edge", "Gateways"),
    ("bff-web", "The web gateway"),
    ("kernel", "Pages and errors"),
    ("contract", "Shared messages"),
    ("store", "Stores"),
    ("svc-identity", "identity"),
    ("svc-user", "user"),
    ("svc-product", "product"),
    ("svc-search", "search"),
    ("svc-inventory", "inventory"),
    ("svc-cart", "cart"),
    ("svc-checkout", "checkout"),
    ("svc-order", "order"),
    ("svc-payment", "payment"),
    ("svc-shipping", "shipping"),
];

/// How the name of a limit ends.
const ENDINGS: &[&str] =
    &["_MAX", "_MIN", "_TIMEOUT", "_DEADLINE", "_BYTES", "_PARTS", "KEEPALIVE", "REMEMBERED", "WAITING"];

struct Limit {
    name: String,
    value: String,
    about: String,
    place: String,
}

#[test]
fn the_page_of_limits_is_what_the_constants_say() {
    let root = root();
    let page = render(&root);
    for known in ["STREAMS_PER_OWNER_MAX", "sockets_per_address_max", "PlaceOrder", "REVOCATIONS_MAX"] {
        assert!(page.contains(known), "{known} is not found any more");
    }
    let there = std::fs::read_to_string(root.join(PAGE)).unwrap_or_default();
    if there != page {
        let made = root.join("target/limits.md");
        std::fs::write(&made, &page).expect("target can be written");
        panic!("{PAGE} is not what the constants say; take the new one: cp {} {PAGE}", made.display());
    }
}

fn render(root: &Path) -> String {
    let mut page = HEAD.to_owned();
    for (name, about) in CRATES {
        let folder = if name.starts_with("bff-") { root.join(name) } else { root.join("crates").join(name) };
        let mut sources = files(&folder.join("src"));
        sources.retain(|path| {
            path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs")
        });
        sources.sort();
        let (mut settings, mut constants) = (Vec::new(), Vec::new());
        for path in &sources {
            let source = std::fs::read_to_string(path).expect("a source file");
            let place = path.strip_prefix(root).expect("below the root").display().to_string();
            let source = source.split("#[cfg(test)]\nmod").next().unwrap_or_default();
            settings.extend(settings_of(source, &place));
            constants.extend(constants_of(source, &place));
        }
        if settings.is_empty() && constants.is_empty() {
            continue;
        }
        write!(page, "\n## {about}\n").expect("a String takes it");
        table(&mut page, "setting (default)", &settings);
        table(&mut page, "constant", &constants);
    }
    page.push_str("\n## Requests\n\nLargest request message from outside, where a method says its own; every other takes 256 KiB \
                   where strangers may call,\nand 4 MiB where only staff and roles may.\n");
    table(&mut page, "method", &methods(root));
    page
}

fn table(page: &mut String, kind: &str, limits: &[Limit]) {
    if limits.is_empty() {
        return;
    }
    write!(page, "\n| {kind} | value | what | where |\n|---|---|---|---|\n").expect("a String takes it");
    for Limit { name, value, about, place } in limits {
        writeln!(page, "| `{name}` | {value} | {about} | `{place}` |").expect("a String takes it");
    }
}

/// The comment above line `at`, as one line of a table.
fn comment(lines: &[&str], at: usize) -> String {
    let above = lines[..at].iter().rev().map(|line| line.trim()).skip_while(|line| line.starts_with("#["));
    let mut comment: Vec<&str> = above.map_while(|line| line.strip_prefix("///")).map(str::trim).collect();
    comment.reverse();
    comment.join(" ").replace('|', "\\|").replace("[`", "`").replace("`]", "`")
}

fn constants_of(source: &str, place: &str) -> Vec<Limit> {
    let lines: Vec<&str> = source.lines().collect();
    let limit = |(at, line): (usize, &&str)| {
        let line = line.trim();
        let line =
            line.strip_prefix("pub ").or_else(|| line.split_once(") ").map(|(_, rest)| rest)).unwrap_or(line);
        let (head, value) = line.strip_prefix("const ")?.strip_suffix(';')?.split_once(" = ")?;
        let (name, kind) = head.split_once(": ")?;
        let number = ["u8", "u16", "u32", "u64", "usize", "i32", "i64", "Duration"].contains(&kind);
        let about = comment(&lines, at);
        let is_limit = number && ENDINGS.iter().any(|ending| name.ends_with(ending));
        // The size of a key or of a signature limits nobody.
        let is_limit = is_limit && !(name.ends_with("_BYTES") && about.is_empty());
        assert!(
            !is_limit || !about.is_empty(),
            "{place}: {name} is a limit; a comment above it says what it limits"
        );
        is_limit.then(|| Limit {
            name: name.to_owned(),
            value: shown(name, value),
            about,
            place: place.to_owned(),
        })
    };
    lines.iter().enumerate().filter_map(limit).collect()
}

/// The numbers of a section of `souk.toml`: a struct of a file of settings, with the defaults below it.
fn settings_of(source: &str, place: &str) -> Vec<Limit> {
    let Some((_, defaults)) = source.split_once("impl Default for") else { return Vec::new() };
    if !source.contains("deny_unknown_fields") {
        return Vec::new();
    }
    let lines: Vec<&str> = source.lines().collect();
    let limit = |(at, line): (usize, &&str)| {
        let (name, kind) = line.trim().strip_prefix("pub ")?.strip_suffix(',')?.split_once(": ")?;
        let number = ["u8", "u16", "u32", "u64"].contains(&kind);
        let default = defaults.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": "))?;
        number.then(|| Limit {
            name: name.to_owned(),
            value: default.trim_end_matches(',').replace('_', ","),
            about: comment(&lines, at),
            place: place.to_owned(),
        })
    };
    lines.iter().enumerate().filter_map(limit).collect()
}

/// The methods whose contract says how large a request may be.
fn methods(root: &Path) -> Vec<Limit> {
    let mut protos = files(&root.join("proto"));
    protos.retain(|path| path.extension().is_some_and(|extension| extension == "proto"));
    protos.sort();
    let mut limits = Vec::new();
    for path in protos {
        let place = path.strip_prefix(root).expect("below the root").display().to_string();
        let mut method = "";
        let source = std::fs::read_to_string(&path).expect("a contract");
        for line in source.lines().map(str::trim) {
            if let Some(rest) = line.strip_prefix("rpc ") {
                method = rest.split('(').next().unwrap_or_default();
            }
            if let Some(bytes) = line.strip_prefix("request_bytes_max: ") {
                let (name, value) = (method.to_owned(), shown("_BYTES_MAX", bytes));
                limits.push(Limit { name, value, about: "one request".to_owned(), place: place.clone() });
            }
        }
    }
    limits
}

/// A value for people: bytes in KiB and MiB, times in seconds; as it stands where it is no plain number.
fn shown(name: &str, value: &str) -> String {
    for (call, unit) in [("Duration::from_secs(", "s"), ("Duration::from_millis(", "ms")] {
        if let Some(inner) = value.strip_prefix(call).and_then(|rest| rest.strip_suffix(')')) {
            return number(inner)
                .map_or_else(|| format!("`{value}`"), |number| format!("{} {unit}", grouped(number)));
        }
    }
    let Some(number) = number(value) else { return format!("`{value}`") };
    let suffix = [(1 << 20, "MiB"), (1 << 10, "KiB")];
    let bytes =
        suffix.into_iter().find(|(size, _)| name.contains("BYTES") && number >= *size && number % size == 0);
    match bytes {
        Some((size, unit)) => format!("{} {unit}", grouped(number / size)),
        None if name.contains("_KIB") => format!("{} KiB", grouped(number)),
        None => grouped(number),
    }
}

/// `4 << 20`, `64 * 1024`, `10_000`.
fn number(text: &str) -> Option<u64> {
    if let Some((left, right)) = text.split_once("<<") {
        return number(left)?.checked_shl(u32::try_from(number(right)?).ok()?);
    }
    if let Some((left, right)) = text.rsplit_once('*') {
        return number(left)?.checked_mul(number(right)?);
    }
    text.trim().replace('_', "").parse().ok()
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
