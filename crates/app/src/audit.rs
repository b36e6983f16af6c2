//! `souk audit`: reads every service through its API and proves the books, or names the rows that break them.
//!
//! [`books`] are plain rows; `collect` reads them from a shop; [`checks`] are pure functions of them. A running shop is never
//! quite still: what a first look finds is looked at again, and only what stands still is told.

pub mod books;
pub mod checks;
mod collect;
mod expect;
mod heads;
mod report;
pub mod rows;
mod sums;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tokio::time::Instant;

use crate::client::{Shop, ShopArgs};
use crate::console::{self, Failure, Outcome, Verdict};
use books::{Heads, Remembered};
use checks::Check;
pub use expect::read as read_expected;
pub use heads::{WireHead, read as read_heads};
pub use report::{Report, Totals, Units};

/// For how long what is in flight is looked at again.
const SETTLES_WITHIN: Duration = Duration::from_secs(30);
/// The first pause between two looks; doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(250);
/// The longest pause between two looks.
const PAUSE_MAX: Duration = Duration::from_secs(4);

/// Options of `souk audit`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  souk audit --json")]
pub struct AuditArgs {
    /// What a client was told (order id, tab, minor units, a line each), which the shop must remember.
    #[arg(long, value_name = "FILE")]
    pub expect: Option<PathBuf>,
    /// Where the keyed chains ended when an audit last held: compared when the file is there, written when this audit holds.
    /// Keep it where whoever writes the shop's databases cannot.
    #[arg(long, value_name = "FILE")]
    pub heads: Option<PathBuf>,
    /// Which shop.
    #[command(flatten)]
    pub shop: ShopArgs,
    /// One JSON document on stdout.
    #[arg(long)]
    pub json: bool,
}

/// Runs `souk audit`.
///
/// # Errors
/// Exit code 2 for a wrong file, address or credential; 1 when the shop is lost on the way.
pub async fn run(args: AuditArgs) -> Outcome {
    let remembered = args.expect.as_deref().map(expect::read).transpose()?;
    let former = args.heads.as_deref().map(heads::read).transpose()?;
    let shop = Shop::connect(&args.shop).await?;
    let report = prove_since(&shop, remembered, former).await?;
    if let (Some(path), true) = (&args.heads, report.ok) {
        heads::write(path, &report.chains)?;
    }
    console::result(args.json, &report, || report.table())?;
    Ok(if report.ok { Verdict::Holds } else { Verdict::Fails })
}

/// Proves the books of a shop, and that it remembers what a client was told.
///
/// What breaks a rule is looked at again until it is gone or stands still: told is what two looks after each other found alike.
/// What somebody still works on is given 30 s.
///
/// # Errors
/// When the shop is lost, or does not let this caller read.
pub async fn prove(shop: &Shop, remembered: Option<Vec<Remembered>>) -> Result<Report, Failure> {
    prove_since(shop, remembered, None).await
}

/// As [`prove`], and that the keyed chains still have the heads that a former audit told.
///
/// # Errors
/// As [`prove`].
pub async fn prove_since(
    shop: &Shop,
    remembered: Option<Vec<Remembered>>,
    former: Option<Heads>,
) -> Result<Report, Failure> {
    let (storage, damaged) = collect::storage(shop).await?;
    let deadline = Instant::now() + SETTLES_WITHIN;
    let mut pause = PAUSE_MIN;
    let mut earlier: Option<Vec<Check>> = None;
    loop {
        let mut books = collect::books(shop).await?;
        books.remembered.clone_from(&remembered);
        books.storage.clone_from(&storage);
        books.unreadable.extend(damaged.iter().cloned());
        books.former.clone_from(&former);
        let now = checks::all(&books);
        let mut stood = now.clone();
        for check in &mut stood {
            check.keep_what_stood(earlier.iter().flatten().find(|before| before.name == check.name));
        }
        let clean = now.iter().all(Check::holds);
        let seen_twice = earlier.is_some();
        if clean || (seen_twice && (settled(&stood) || Instant::now() >= deadline)) {
            return Ok(Report::new(stood, &books));
        }
        earlier = Some(now);
        // Between two looks the shop goes on; there is nothing to be told by.
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// Whether another look would show nothing new.
fn settled(stood: &[Check]) -> bool {
    !stood.iter().any(Check::in_flight)
}
