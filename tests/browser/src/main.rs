//! The shop window in a real browser: scenarios at a phone's and a desktop's size, and axe-core on every state that they
//! reach.
//!
//! `browser --shop http://127.0.0.1:9000 --axe FILE` runs all against a shop with the demo catalogue; names (or parts of
//! them) run some. A scenario that fails says where it stood. `--screenshots DIR` takes the two pictures of the README.
#![expect(clippy::print_stdout, reason = "a command for people; what it prints is its result")]
#![expect(
    clippy::disallowed_methods,
    reason = "it starts a browser and tells the time that took; no role runs here"
)]

mod axe;
mod cdp;
mod driver;
mod keys;
mod pictures;
mod scenarios;
mod window;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use driver::Driver;
use scenarios::{SCENARIOS, Scenario};
use window::{Size, Window};

/// What a step of a scenario answers; an error is a sentence.
pub type Result<T = ()> = std::result::Result<T, String>;

/// What was asked for.
#[derive(Default)]
struct Asked {
    shop: String,
    axe: Option<PathBuf>,
    screenshots: Option<PathBuf>,
    names: Vec<String>,
}

const USAGE: &str = "browser --shop URL [--axe FILE] [--screenshots DIR] [SCENARIO…]";

fn asked() -> Result<Asked> {
    let mut asked = Asked::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value; {USAGE}"));
        match argument.as_str() {
            "--shop" => value()?.trim_end_matches('/').clone_into(&mut asked.shop),
            "--axe" => asked.axe = Some(value()?.into()),
            "--screenshots" => asked.screenshots = Some(value()?.into()),
            flag if flag.starts_with('-') => return Err(format!("there is no {flag}; {USAGE}")),
            _ => asked.names.push(argument),
        }
    }
    if asked.shop.is_empty() { Err(USAGE.to_owned()) } else { Ok(asked) }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let asked = match asked() {
        Ok(asked) => asked,
        Err(sentence) => {
            println!("{sentence}");
            return ExitCode::from(2);
        }
    };
    match run(&asked).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(sentence) => {
            println!("{sentence}");
            ExitCode::from(2)
        }
    }
}

/// Runs what was asked for; whether all of it passed.
async fn run(asked: &Asked) -> Result<bool> {
    let axe = asked.axe.as_ref().map(|path| {
        std::fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
    });
    let axe = axe.transpose()?;
    let driver = Driver::start().await?;
    if let Some(directory) = &asked.screenshots {
        pictures::take(&driver, &asked.shop, directory).await?;
        return Ok(true);
    }
    let wanted = |scenario: &&Scenario| {
        asked.names.is_empty() || asked.names.iter().any(|name| scenario.name.contains(name.as_str()))
    };
    let (mut passed, mut failed, mut looks) = (0, 0, 0);
    for scenario in SCENARIOS.iter().filter(wanted) {
        for size in [Size::Phone, Size::Desktop] {
            let start = Instant::now();
            let (outcome, looked) = played(&driver, asked, axe.as_deref(), scenario, size).await;
            looks += looked;
            let told =
                format!("{:<8} {} ({:.1} s)", size.words(), scenario.name, start.elapsed().as_secs_f64());
            match outcome {
                Ok(()) => {
                    passed += 1;
                    println!("ok    {told}");
                }
                Err(sentence) => {
                    failed += 1;
                    println!("FAIL  {told}\n      {}", sentence.replace('\n', "\n      "));
                }
            }
        }
    }
    println!("axe-core looked {looks} times");
    println!("{passed} passed, {failed} failed");
    Ok(failed == 0 && passed > 0)
}

/// Plays a scenario in a browser of its own; how it ended, and how often axe-core looked.
async fn played(
    driver: &Driver,
    asked: &Asked,
    axe: Option<&str>,
    scenario: &Scenario,
    size: Size,
) -> (Result, usize) {
    let mut window = match Window::open(driver, &asked.shop, size, scenario.script, axe).await {
        Ok(window) => window,
        Err(sentence) => return (Err(sentence), 0),
    };
    let mut outcome = (scenario.play)(&mut window).await;
    if let Err(sentence) = &mut outcome {
        sentence.push_str(&window.whereabouts().await);
    }
    let (findings, looks) = window.close().await;
    if findings.is_empty() {
        return (outcome, looks);
    }
    let told = outcome.err().into_iter().chain(findings).collect::<Vec<_>>();
    (Err(told.join("\n")), looks)
}
