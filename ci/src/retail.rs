//! A month of a real shop's invoices, bought through the binary, and the books after it.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::house::House;
use crate::shop::Shop;
use crate::{Outcome, Result};

/// Where the file is looked for when `SOUK_ONLINE_RETAIL` does not say.
const FILE: &str = "../shared/data/online-retail-2010-12.csv.gz";
/// Lines of that file; what else is known of it follows.
const LINES: i64 = 42_481;
/// Its lines that are sales.
const SALE_LINES: i64 = 41_480;
/// Its invoices that are sales.
const SALE_INVOICES: i64 = 1_559;
/// What they come to, in pence.
const SALES_PENCE: i64 = 82_374_614;

/// Imports, replays, audits; then replays again, which changes nothing.
pub fn replay(house: &House) -> Result {
    let Some(file) = find(house) else {
        return Ok(Outcome::Skipped(format!("no file: neither SOUK_ONLINE_RETAIL nor {FILE}")));
    };
    let directory =
        tempfile::tempdir_in(&house.target).map_err(|error| format!("no scratch directory: {error}"))?;
    let shop = Shop::open(house, directory.path())?;
    let file = House::text(&file)?;
    let imported = done(&shop, &["import", "online-retail", file, "--stock", "exact"])?;
    expect(
        "import used every line",
        &imported["lines"]["total"],
        &Value::from(int(&imported, "/lines/used")? + skipped(&imported)),
    )?;

    let first = done(&shop, &["replay", "online-retail", file])?;
    reconciles(&first)?;
    if int(&first, "/file/lines")? == LINES {
        expect("every sale line is sold", &first["accepted"]["lines"], &SALE_LINES.into())?;
        expect("every sale invoice is an order", &first["accepted"]["orders"], &SALE_INVOICES.into())?;
        expect("to the penny", &first["accepted"]["money"]["minor_units"], &SALES_PENCE.into())?;
    }
    let books = audited(&shop)?;
    expect(
        "all that was accepted is captured",
        &books["totals"]["captured"],
        &Value::from(vec![first["accepted"]["money"].clone()]),
    )?;
    expect("nothing is left on the shelf", &books["totals"]["units"]["on_hand"], &0.into())?;

    let second = done(&shop, &["replay", "online-retail", file])?;
    reconciles(&second)?;
    expect(
        "the second replay finds every order",
        &second["already"]["orders"],
        &first["accepted"]["orders"],
    )?;
    expect("the second replay changes no books", &audited(&shop)?["totals"], &books["totals"])?;
    println!(
        "{} orders in {} s, {} a second",
        first["accepted"]["orders"], first["seconds"], first["orders_per_second"]
    );
    shop.close()?;
    Ok(Outcome::Passed)
}

fn find(house: &House) -> Option<PathBuf> {
    let named = std::env::var_os("SOUK_ONLINE_RETAIL").map(PathBuf::from);
    let path = named.unwrap_or_else(|| house.root.join(FILE));
    Path::exists(&path).then_some(path)
}

/// A command that must end with exit code 0.
fn done(shop: &Shop<'_>, arguments: &[&str]) -> Result<Value> {
    let (code, json) = shop.command(arguments)?;
    if code == Some(0) { Ok(json) } else { Err(format!("souk {} ended with {code:?}: {json}", arguments[0])) }
}

/// The audit must hold, and must have looked at something in every group.
fn audited(shop: &Shop<'_>) -> Result<Value> {
    let books = done(shop, &["audit"])?;
    expect("the audit holds", &books["ok"], &true.into())?;
    let checks = books["checks"].as_array().ok_or("the audit lists no checks")?;
    for group in ["ledger.", "stock.", "orders.", "events.", "provider."] {
        let examined =
            checks.iter().filter(|check| check["name"].as_str().is_some_and(|name| name.starts_with(group)));
        if examined.filter_map(|check| check["examined"].as_i64()).sum::<i64>() == 0 {
            return Err(format!("the audit examined nothing in {group}*"));
        }
    }
    Ok(books)
}

/// Accepted and refused make up the file, in lines and in money.
fn reconciles(replay: &Value) -> Result<()> {
    let refused = replay["refused"].as_array().ok_or("the replay lists nothing refused")?;
    let mut lines = int(replay, "/accepted/lines")?;
    let mut pence = int(replay, "/accepted/money/minor_units")?;
    for reason in refused {
        lines += int(reason, "/lines")?;
        pence += int(reason, "/money/minor_units")?;
    }
    expect("accepted and refused lines are the file's", &replay["file"]["lines"], &lines.into())?;
    expect("accepted and refused money is the file's", &replay["file"]["money"]["minor_units"], &pence.into())
}

fn skipped(imported: &Value) -> i64 {
    let reasons = imported["lines"]["skipped"].as_object();
    reasons.map_or(0, |reasons| reasons.values().filter_map(Value::as_i64).sum())
}

fn int(json: &Value, pointer: &str) -> Result<i64> {
    json.pointer(pointer).and_then(Value::as_i64).ok_or(format!("{pointer} is not a whole number in {json}"))
}

fn expect(what: &str, found: &Value, wanted: &Value) -> Result<()> {
    if found == wanted {
        println!("ok    {what}: {found}");
        return Ok(());
    }
    Err(format!("{what}: {found} instead of {wanted}"))
}
