//! `souk audit`: proves the books of a running shop, or names the rows that break them.
//!
//! [`collect`] reads every service through its API into [`Facts`]; [`checks`] judges them, without I/O. A running shop is never
//! quite still, so what looks wrong is looked at again for up to 30 s: only what stays exactly as it was is a violation.

mod checks;
mod collect;
mod facts;
mod report;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tokio::time::Instant;

use crate::client::{Shop, ShopArgs};
use crate::console::{self, Outcome, Verdict};
pub use checks::{Check, Violation, judge};
pub use facts::{Facts, HoldFact, Remembered, Stream};
pub use report::Report;

/// For how long what is in flight may take to settle.
const SETTLE_WITHIN: Duration = Duration::from_secs(30);
/// How long to wait before looking again.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Options of `souk audit`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  souk audit --json | jq '.checks[] | select(.violations != [])'")]
pub struct AuditArgs {
    /// A file of confirmed orders (order id, tab, minor units) that must all be there, as `souk replay --confirmed` writes it.
    #[arg(long, value_name = "FILE")]
    pub expect: Option<PathBuf>,
    /// Which shop.
    #[command(flatten)]
    pub shop: ShopArgs,
    /// One JSON document on stdout.
    #[arg(long)]
    pub json: bool,
}

/// Audits a shop.
///
/// # Errors
/// Exit code 2 for an `--expect` file that cannot be read; 1 for a shop that was lost.
pub async fn run(args: AuditArgs) -> Outcome {
    let remembered = args.expect.as_deref().map(collect::remembered).transpose()?;
    let shop = Shop::connect(&args.shop).await?;
    let report = audit(&shop, remembered.as_ref()).await?;
    console::result(args.json, &report, || report.table())?;
    Ok(if report.ok { Verdict::Holds } else { Verdict::Fails })
}

/// Looks until nothing is wrong, or nothing settles any more.
///
/// # Errors
/// Exit code 1 for a shop that was lost or refuses to be read.
pub async fn audit(shop: &Shop, remembered: Option<&Remembered>) -> Result<Report, console::Failure> {
    let began = Instant::now();
    let mut suspects: Option<Vec<Check>> = None;
    loop {
        let facts = collect::collect(shop).await?;
        let checks = judge(&facts, remembered);
        let checks = match &suspects {
            Some(before) => checks::unsettled(before, checks),
            None => checks,
        };
        let settled = checks.iter().all(|check| check.violations.is_empty());
        if settled || began.elapsed() >= SETTLE_WITHIN {
            return Ok(Report::new(&facts, checks));
        }
        suspects = Some(checks);
        tokio::time::sleep(LOOK_AGAIN_AFTER).await;
    }
}
