//! What CI runs, as one command.
//!
//! `cargo ci` runs every step; `cargo ci fmt clippy` runs those; `cargo ci --list` names them. A tool that is missing is
//! installed by package name into `target/tools`, and the step says so. The first step that fails ends the run with
//! exit code 1, and the last line counts.
#![expect(clippy::print_stdout, reason = "a command for people; what it prints is its result")]
#![expect(
    clippy::disallowed_methods,
    reason = "it starts tools and tells the time they took; no role runs here"
)]

mod checks;
mod client;
mod clock;
mod house;
mod outside;
mod proto;
mod retail;
mod shop;
mod tools;
mod window;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use house::House;

/// How a step ended that did not fail.
pub enum Outcome {
    /// It holds.
    Passed,
    /// It could not run here, and why.
    Skipped(String),
}

/// What a step answers; an error is a sentence.
pub type Result<T = Outcome> = std::result::Result<T, String>;

/// One thing that CI checks.
struct Step {
    name: &'static str,
    about: &'static str,
    run: fn(&House) -> Result,
}

/// In this order: what is quick first, what needs the binary last.
const STEPS: &[Step] = &[
    Step { name: "fmt", about: "the formatting of all Rust code", run: checks::fmt },
    Step { name: "rules", about: "who may import whom, sizes, names, manifests", run: checks::rules },
    Step { name: "buf-lint", about: "the style of the contracts", run: proto::lint },
    Step { name: "buf-breaking", about: "the contracts against those of before", run: proto::breaking },
    Step { name: "deny", about: "licences, bans and sources of dependencies", run: checks::deny },
    Step { name: "clippy", about: "lints of all targets, as errors", run: checks::clippy },
    Step { name: "doc", about: "the documentation, warnings as errors", run: checks::doc },
    Step { name: "test", about: "all tests", run: checks::test },
    Step { name: "build", about: "the release binary", run: checks::build },
    Step { name: "grpcurl", about: "the shop as grpcurl sees it", run: outside::grpcurl },
    Step { name: "metrics", about: "the metrics as promtool judges them", run: outside::metrics },
    Step { name: "clock", about: "starts under clocks that are wrong, then right", run: clock::leaps },
    Step {
        name: "online-retail",
        about: "a month of a real shop's invoices, and its books",
        run: retail::replay,
    },
    Step { name: "browser", about: "the shop window in Chromium, and axe-core", run: window::browser },
    Step {
        name: "client",
        about: "a client generated from the shop window's description buys",
        run: client::generated,
    },
    Step {
        name: "schemathesis",
        about: "the shop window against its own description",
        run: window::schemathesis,
    },
];

fn main() -> ExitCode {
    let names: Vec<String> = std::env::args().skip(1).collect();
    if names.iter().any(|name| name.starts_with('-')) {
        return list(names == ["--list"] || names == ["--help"]);
    }
    if let Some(unknown) = names.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        println!("there is no step `{unknown}`");
        return list(false);
    }
    let house = match House::find() {
        Ok(house) => house,
        Err(sentence) => {
            println!("{sentence}");
            return ExitCode::from(2);
        }
    };
    run(&house, STEPS.iter().filter(|step| names.is_empty() || names.iter().any(|name| name == step.name)))
}

fn list(asked_for: bool) -> ExitCode {
    println!("cargo ci [STEP…]   without a name: all of them, in this order");
    for step in STEPS {
        println!("  {:<14} {}", step.name, step.about);
    }
    if asked_for { ExitCode::SUCCESS } else { ExitCode::from(2) }
}

fn run<'a>(house: &House, steps: impl Iterator<Item = &'a Step>) -> ExitCode {
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    let mut told = Vec::new();
    for step in steps {
        if failed > 0 {
            skipped += 1;
            continue;
        }
        println!("\n=== {}: {}", step.name, step.about);
        let start = Instant::now();
        let outcome = (step.run)(house);
        let time = seconds(start.elapsed());
        told.push(match outcome {
            Ok(Outcome::Passed) => {
                passed += 1;
                format!("ok    {:<14} {time}", step.name)
            }
            Ok(Outcome::Skipped(why)) => {
                skipped += 1;
                format!("skip  {:<14} {time} did not run: {why}", step.name)
            }
            Err(sentence) => {
                failed += 1;
                format!("FAIL  {:<14} {time} {sentence}", step.name)
            }
        });
        if let Some(line) = told.last() {
            println!("{line}");
        }
    }
    println!("\n{}\n{passed} passed, {failed} failed, {skipped} skipped", told.join("\n"));
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn seconds(time: Duration) -> String {
    format!("{:>6.1} s", time.as_secs_f64())
}
