//! Writes a file of the shape of the UCI "Online Retail" data set, with the same kinds of dirt, of any size.
//!
//! The same number of lines and seed give the same bytes on every machine and release: the generator is SplitMix64
//! (Steele, Lea, Flood 2014), written here, and there is no floating point in it.

mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufWriter, Write};

use clap::Args;
use kernel::Timestamp;
use serde::Serialize;

use super::money::WireMoney;
use crate::console::{self, Failure, Outcome, Verdict};
use world::{Dirt, World};

/// The most lines that one file may have.
pub const LINES_MAX: u64 = 20_000_000;
/// The longest invoice of the published month, and of a large enough synthetic file.
const LONGEST_INVOICE: u64 = 675;

/// The facts of a file, as the published one's are counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Lines without the header.
    pub lines: u64,
    /// Invoices of all prefixes.
    pub invoices: u64,
    /// Invoices that cancel another.
    pub cancellations: u64,
    /// Lines that are sales.
    pub sale_lines: u64,
    /// Invoices with at least one sale.
    pub sale_invoices: u64,
    /// Quantity × price over the sales.
    pub sale_money: WireMoney,
    /// Lines without a customer.
    pub guest_lines: u64,
    /// Lines with price 0.
    pub zero_price_lines: u64,
    /// Lines with a negative quantity outside cancellations.
    pub write_off_lines: u64,
    /// Lines with a price below zero: bad debts.
    pub negative_price_lines: u64,
    /// Distinct stock codes.
    pub stock_codes: u64,
    /// Lines of the longest invoice.
    pub longest_invoice: u64,
}

/// Options of `souk synth online-retail`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  souk synth online-retail --lines 10000 --seed 7 > month.csv")]
pub struct SynthArgs {
    /// Lines without the header.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=LINES_MAX))]
    pub lines: u64,
    /// The same seed gives the same bytes.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// The facts of the file on stderr as one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// Writes a file to stdout, and its facts to stderr.
///
/// # Errors
/// Exit code 1 when stdout does not take it.
pub fn run(args: &SynthArgs) -> Outcome {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let facts = match write(&mut out, args.lines, args.seed) {
        Ok(facts) => facts,
        // Whoever read it has seen enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Verdict::Holds),
        Err(error) => {
            return Err(Failure::unfinished(format!("the file cannot be written to stdout: {error}")));
        }
    };
    let text = if args.json {
        serde_json::to_string(&facts)
            .map_err(|error| Failure::unfinished(format!("the facts cannot be written: {error}")))?
    } else {
        facts.table()
    };
    console::note(text.trim_end());
    Ok(Verdict::Holds)
}

impl Facts {
    fn table(&self) -> String {
        let row = |name: &str, value: &dyn std::fmt::Display| (name.to_owned(), value.to_string());
        console::rows(&[
            row("lines", &self.lines),
            row("invoices", &self.invoices),
            row("  cancellations", &self.cancellations),
            row("sale lines", &self.sale_lines),
            row("sale invoices", &self.sale_invoices),
            row("sale money", &self.sale_money),
            row("guest lines", &self.guest_lines),
            row("lines at price 0", &self.zero_price_lines),
            row("write-offs", &self.write_off_lines),
            row("bad debts", &self.negative_price_lines),
            row("stock codes", &self.stock_codes),
            row("longest invoice", &self.longest_invoice),
        ])
    }
}

/// One line before it is written.
struct Row {
    invoice: String,
    sku: String,
    description: String,
    quantity: i64,
    time: Timestamp,
    price_minor: i64,
    customer: Option<u32>,
    country: &'static str,
}

/// SplitMix64: a full-period generator of 64 bits.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is positive. The bias of the remainder does not matter here.
    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// True `times` in `of`.
    fn chance(&mut self, times: u64, of: u64) -> bool {
        self.below(of) < times
    }

    /// One of the items, which are not empty.
    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[usize::try_from(self.below(items.len() as u64)).expect("an index of a slice")]
    }
}

/// Writes `lines` lines from `seed`, and tells the facts of what was written.
///
/// # Errors
/// What the writer says.
pub fn write(out: &mut impl Write, lines: u64, seed: u64) -> io::Result<Facts> {
    out.write_all(b"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n")?;
    let mut random = Random(seed);
    let world = World::new(&mut random, lines);
    let mut counted = Counted::default();
    let mut number = 536_365_u64;
    let mut time = Timestamp::from_secs(1_291_191_960);
    let mut invoice = 0_u64;
    while counted.facts.lines < lines {
        let left = lines - counted.facts.lines;
        let kind = kind_of(&mut random, invoice, lines);
        let rows = world.invoice(&mut random, kind, number, time, left);
        for row in &rows {
            write_row(out, row)?;
        }
        counted.add(&rows);
        invoice += 1;
        number += 1 + u64::from(random.chance(1, 4));
        time = Timestamp::from_secs(time.secs() + 60 * i64::try_from(random.below(16)).expect("small"));
    }
    out.flush()?;
    Ok(counted.facts())
}

/// What kind of invoice comes next. Each kind comes early once, so that short files have all of them.
fn kind_of(random: &mut Random, invoice: u64, lines: u64) -> Dirt {
    match invoice {
        2 => Dirt::Cancellation,
        4 => Dirt::WriteOff,
        5 => Dirt::TwoPrices,
        6 => Dirt::Found,
        7 => Dirt::BadDebt,
        8 => Dirt::CaseTwins,
        9 => Dirt::Codes,
        20 if lines >= 20 * LONGEST_INVOICE => Dirt::Long(LONGEST_INVOICE),
        _ => match random.below(1000) {
            0..160 => Dirt::Cancellation,
            160..195 => Dirt::WriteOff,
            195..250 => Dirt::Found,
            250..251 => Dirt::BadDebt,
            251..270 => Dirt::TwoPrices,
            270..285 => Dirt::CaseTwins,
            285..320 => Dirt::Codes,
            320..325 if lines >= 20 * LONGEST_INVOICE => {
                Dirt::Long(200 + random.below(LONGEST_INVOICE - 200))
            }
            _ => Dirt::None,
        },
    }
}

fn write_row(out: &mut impl Write, row: &Row) -> io::Result<()> {
    let Row { invoice, sku, description, quantity, time, price_minor, customer, country } = row;
    let time = time.to_string().replace('T', " ").replace('Z', "");
    write!(out, "{invoice},{sku},")?;
    if description.contains([',', '"']) {
        write!(out, "\"{}\"", description.replace('"', "\"\""))?;
    } else {
        write!(out, "{description}")?;
    }
    let (sign, price) = (if *price_minor < 0 { "-" } else { "" }, price_minor.unsigned_abs());
    write!(out, ",{quantity},{time},{sign}{}.", price / 100)?;
    // As published: 2.55, 2.5, 2.0.
    match price % 100 {
        part if part % 10 == 0 => write!(out, "{}", part / 10)?,
        part => write!(out, "{part:02}")?,
    }
    match customer {
        Some(customer) => writeln!(out, ",{customer}.0,{country}"),
        None => writeln!(out, ",,{country}"),
    }
}

/// Facts in the making.
#[derive(Default)]
struct Counted {
    facts: Facts,
    skus: BTreeSet<String>,
    invoice_lengths: BTreeMap<u64, u64>,
}

impl Counted {
    fn add(&mut self, rows: &[Row]) {
        let facts = &mut self.facts;
        let count = |wanted: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| wanted(row)).count() as u64;
        let cancels = |row: &Row| row.invoice.starts_with('C');
        let sale = |row: &Row| !cancels(row) && row.quantity > 0 && row.price_minor > 0;
        facts.lines += rows.len() as u64;
        facts.invoices += 1;
        facts.cancellations += u64::from(rows.iter().any(cancels));
        facts.sale_lines += count(&sale);
        facts.sale_invoices += u64::from(rows.iter().any(sale));
        facts.sale_money.minor_units +=
            rows.iter().filter(|row| sale(row)).map(|row| row.quantity * row.price_minor).sum::<i64>();
        facts.guest_lines += count(&|row| row.customer.is_none());
        facts.zero_price_lines += count(&|row| row.price_minor == 0);
        facts.negative_price_lines += count(&|row| row.price_minor < 0);
        facts.write_off_lines += count(&|row| row.quantity < 0 && !cancels(row));
        self.skus.extend(rows.iter().map(|row| row.sku.clone()));
        *self.invoice_lengths.entry(rows.len() as u64).or_default() += 1;
    }

    fn facts(self) -> Facts {
        let longest = self.invoice_lengths.last_key_value().map_or(0, |(length, _)| *length);
        Facts { stock_codes: self.skus.len() as u64, longest_invoice: longest, ..self.facts }
    }
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    fn bytes(lines: u64, seed: u64) -> (Vec<u8>, Facts) {
        let mut out = Vec::new();
        let facts = write(&mut out, lines, seed).expect("a vector takes all");
        (out, facts)
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        assert_eq!(bytes(3000, 7), bytes(3000, 7));
        assert_ne!(bytes(3000, 7).0, bytes(3000, 8).0);
        assert_eq!(bytes(0, 1).1, Facts::default());
    }

    #[test]
    fn the_facts_are_what_a_reader_counts() {
        for lines in [1, 40, 1000, 20_000] {
            let (text, facts) = bytes(lines, 3);
            let mut read = Vec::new();
            let summary = file::read_from(text.as_slice(), |line| read.push(line)).expect("reads");
            assert_eq!((summary.lines, facts.lines), (lines, lines));
            let sales: Vec<_> = read.iter().filter(|line| line.refusal().is_none()).collect();
            assert_eq!(sales.len() as u64, facts.sale_lines);
            assert_eq!(
                sales.iter().map(|line| line.money().minor).sum::<i64>(),
                facts.sale_money.minor_units
            );
            let invoices: BTreeSet<_> = read.iter().map(|line| &line.invoice).collect();
            assert_eq!(invoices.len() as u64, facts.invoices);
            let skus: BTreeSet<_> = read.iter().map(|line| &line.sku).collect();
            assert_eq!(skus.len() as u64, facts.stock_codes);
        }
    }

    #[test]
    fn every_kind_of_dirt_is_in_a_small_file() {
        let (text, facts) = bytes(400, 11);
        assert!(facts.cancellations > 0 && facts.write_off_lines > 0 && facts.zero_price_lines > 0);
        assert!(facts.guest_lines > 0 && facts.guest_lines < 400 && facts.negative_price_lines > 0);
        let mut read = Vec::new();
        file::read_from(text.as_slice(), |line| read.push(line)).expect("reads");
        let skus: BTreeSet<&str> = read.iter().map(|line| &*line.sku).collect();
        assert!(skus.contains("POST") && skus.contains("DOT") && skus.contains("M"), "{skus:?}");
        assert!(
            skus.iter().any(|sku| sku.to_lowercase() != **sku && skus.contains(sku.to_lowercase().as_str()))
        );
        assert!(read.iter().any(|line| line.invoice.starts_with('A')));
        assert!(read.iter().any(|line| line.description.contains(',')), "a quoted description");
        let mut prices: BTreeMap<_, BTreeSet<i64>> = BTreeMap::new();
        for line in read.iter().filter(|line| line.refusal().is_none()) {
            prices.entry((&line.invoice, &line.sku)).or_default().insert(line.price_micros);
        }
        assert!(prices.values().any(|prices| prices.len() > 1), "two prices of a SKU in one invoice");
    }

    #[test]
    fn a_large_file_has_an_invoice_as_long_as_the_published_longest() {
        assert_eq!(bytes(14_000, 1).1.longest_invoice, LONGEST_INVOICE);
    }
}
