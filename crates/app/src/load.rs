//! `souk load`: visitors who browse, search, fill carts and buy through the shop window, at a constant rate.
//!
//! The loop is open: a journey begins when it is due ([`schedule`]), however slow the shop is, and its time counts from then. So
//! a shop that stands still for a second is seen to, by everybody who came in that second. Each journey is a task; what all
//! of them share is the [`journey::Stage`].

pub mod accounts;
pub mod cookies;
pub mod journey;
pub mod mix;
pub mod report;
pub mod schedule;
pub mod shelf;
pub mod tally;
pub mod web;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Args;
use http::{StatusCode, Uri};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::audit;
use crate::client::{Shop, ShopArgs};
use crate::console::{self, Failure, Live, Outcome, Verdict};
use crate::files;
use crate::import::send::request_id;
use crate::retail::replay::confirmed::Confirmed;
use accounts::Accounts;
use cookies::Jar;
use journey::{Stage, Walk, walk};
use mix::{Journey, Mix};
use report::Summary;
use schedule::Schedule;
use shelf::Shelf;
use tally::Tally;
use web::{Asking, Web};

/// Journeys on their way at once. One that is due when there are so many is not started.
const IN_FLIGHT_MAX: usize = 800;
/// Accounts that are made: as many as buy in a second, within these bounds.
const ACCOUNTS: (u64, u64) = (16, 192);

/// For how long a shop window is given to have all its parts.
const WHOLE_WITHIN: Duration = Duration::from_secs(10);
/// Pause between two looks at it.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Options of `souk load`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Example:\n  souk load --rate 50 --seconds 10 --mix browse=60,search=15,cart=10,buy=15"
)]
pub struct LoadArgs {
    /// Journeys that begin in a second, evenly.
    #[arg(long, value_name = "PER_SECOND", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub rate: u32,
    /// For how long journeys begin.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub seconds: u32,
    /// What the visitors come for, in shares.
    #[arg(long, value_name = "SHARES", default_value = "browse=70,search=15,cart=10,buy=5")]
    pub mix: Mix,
    /// Appends a line for each order the moment it is told to be confirmed: order id, tab, minor units.
    #[arg(long, value_name = "FILE")]
    pub confirmed: Option<PathBuf>,
    /// Where the shop window is.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub web: String,
    /// Which shop.
    #[command(flatten)]
    pub shop: ShopArgs,
    /// One JSON document a line on stdout: each second, and the result.
    #[arg(long)]
    pub json: bool,
}

/// Runs `souk load`.
///
/// # Errors
/// Exit code 2 for a wrong file, address or credential, and with nobody there; 1 when the shop was lost before the first
/// journey or after the last, or `--confirmed` cannot be written.
pub async fn run(args: LoadArgs) -> Outcome {
    let confirmed = args.confirmed.as_deref().map(Confirmed::open).transpose()?;
    let shop = Shop::connect(&args.shop).await?;
    let schedule = Schedule::new(args.rate, args.seconds);
    let stage = Arc::new(set(&args, &shop, &schedule, confirmed).await?);
    let live = Arc::new(Live::start());
    let (seconds, ended) = drive(&stage, &shop, &schedule, &args, &live).await;
    live.finish();
    ended?;
    let told = std::mem::take(&mut *stage.told.lock().unwrap_or_else(PoisonError::into_inner));
    let proved = audit::prove(&shop, Some(told)).await;
    let audit_ok = proved.as_ref().is_ok_and(|report| report.ok);
    let summary = Summary::new(&stage.tally.all(), &args.mix, seconds, audit_ok);
    console::result(args.json, &summary, || summary.table())?;
    let report = proved?;
    for check in report.checks.iter().filter(|check| !check.holds()) {
        console::note(&format!("{} is violated {} times; see `souk audit`", check.name, check.count));
    }
    if summary.started < summary.due {
        let missed = summary.due - summary.started;
        console::note(&format!(
            "{missed} journeys were not started: {IN_FLIGHT_MAX} were on their way already"
        ));
    }
    Ok(if summary.holds() { Verdict::Holds } else { Verdict::Fails })
}

/// Sets the stage: somebody at the shop window, something to buy, accounts that are signed in.
async fn set(
    args: &LoadArgs,
    shop: &Shop,
    schedule: &Schedule,
    confirmed: Option<Confirmed>,
) -> Result<Stage, Failure> {
    let web = Web::new(&args.web).await?;
    web.set_operator(shop.access_token());
    is_there(&web, &args.web).await?;
    let run = request_id();
    let buys = args.mix.of(Journey::Buy, schedule.count());
    let shelf = Shelf::fill(shop, &web, &run, buys).await?;
    let at_once = args.mix.of(Journey::Buy, u64::from(schedule.per_second())).div_ceil(2);
    let (least, most) = ACCOUNTS;
    let count = at_once.clamp(least, most).min(buys.div_ceil(2));
    let accounts = Accounts::sign_up(&web, &run, usize::try_from(count).unwrap_or(0)).await?;
    Ok(Stage {
        web,
        shelf,
        accounts,
        tally: Tally::default(),
        run,
        told: Mutex::default(),
        confirmed,
        stopped: Mutex::default(),
    })
}

/// Whether somebody serves the shop window. One that has just started, or misses a part just now, is given time.
async fn is_there(web: &Web, url: &str) -> Result<(), Failure> {
    let home = Asking::page(Uri::from_static("/"));
    let deadline = Instant::now() + WHOLE_WITHIN;
    loop {
        let status = match web.line().ask(&home, &mut Jar::default()).await {
            Ok(answer) => answer.status,
            Err(_) => {
                return Err(Failure::usage(format!(
                    "nobody serves a shop window at {url}; start a shop with `souk up`, or name another with --web"
                )));
            }
        };
        match status {
            good if good.is_success() => return Ok(()),
            StatusCode::SERVICE_UNAVAILABLE if Instant::now() < deadline => {
                tokio::time::sleep(LOOK_EVERY).await
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                let seconds = WHOLE_WITHIN.as_secs();
                return Err(Failure::unfinished(format!(
                    "a part of the shop at {url} was away for {seconds} s"
                )));
            }
            other => {
                return Err(Failure::usage(format!(
                    "{url} answers {} and is no shop window; name one with --web",
                    other.as_u16()
                )));
            }
        }
    }
}

/// Starts each journey when it is due, and waits for the last: for how many seconds, and why it had to stop before.
async fn drive(
    stage: &Arc<Stage>,
    shop: &Shop,
    schedule: &Schedule,
    args: &LoadArgs,
    live: &Arc<Live>,
) -> (f64, Result<(), Failure>) {
    let places = Arc::new(Semaphore::new(IN_FLIGHT_MAX));
    let mut turns = args.mix.turns();
    let mut signed_in = false;
    let start = Instant::now();
    let ticking = tokio::spawn(tick(stage.clone(), shop.clone(), start, args.json, live.clone()));
    for number in 0..schedule.count() {
        let due = start + schedule.due(number);
        tokio::time::sleep_until(due).await;
        if stage.is_stopped() {
            break;
        }
        let Some(journey) = turns.next() else { break };
        // Every second buyer has an account.
        signed_in ^= journey == Journey::Buy;
        let place = places.clone().try_acquire_owned();
        stage.tally.due(place.is_ok());
        if let Ok(place) = place {
            let signed_in = signed_in && journey == Journey::Buy;
            let (stage, one) = (stage.clone(), Walk { journey, number, signed_in, due });
            tokio::spawn(async move {
                walk(&stage, one).await;
                drop(place);
            });
        }
    }
    // All places are free when the last journey has ended; each of its requests is bounded.
    let all = u32::try_from(IN_FLIGHT_MAX).unwrap_or(u32::MAX);
    drop(places.acquire_many(all).await);
    let seconds = start.elapsed().as_secs_f64();
    ticking.abort();
    let stopped = stage.stopped.lock().unwrap_or_else(PoisonError::into_inner).take();
    (seconds, stopped.map_or(Ok(()), Err))
}

/// Tells each second, from the start on, and keeps the operator's token fresh.
async fn tick(stage: Arc<Stage>, shop: Shop, start: Instant, json: bool, live: Arc<Live>) {
    let mut ticks = tokio::time::interval_at(start, Duration::from_secs(1));
    for second in 0.. {
        ticks.tick().await;
        stage.web.set_operator(shop.access_token());
        let told = stage.tally.second(second);
        if !json {
            live.say(report::live(&told));
        } else if let Ok(line) = serde_json::to_string(&told) {
            files::say(&line);
        }
    }
}
