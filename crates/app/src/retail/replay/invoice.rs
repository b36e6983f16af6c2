//! Invoices from the lines of a file, and the account of what became of every line.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use kernel::{Money, Timestamp};
use serde::Serialize;

use super::super::file::{CURRENCY, Line, Refusal};
use super::super::money::WireMoney;

/// The sales of one invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoice {
    /// Its number.
    pub number: Arc<str>,
    /// Time of its first line.
    pub time: Timestamp,
    /// The customer; `None`: a guest.
    pub customer: Option<Arc<str>>,
    /// Name of the country.
    pub country: Arc<str>,
    /// Its sales, in the order of the file.
    pub lines: Vec<SaleLine>,
}

/// One sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaleLine {
    /// The stock code.
    pub sku: Arc<str>,
    /// Units, positive.
    pub quantity: i64,
    /// Price of one unit in millionths of a pound, positive.
    pub price_micros: i64,
    /// Quantity × price.
    pub money: Money,
}

/// Lines and their money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many.
    pub lines: u64,
    /// Their money in pence, with its sign. Wide enough for any file.
    pub minor: i128,
}

/// A file as a replay sees it.
#[derive(Debug, Default)]
pub struct Book {
    invoices: Vec<Invoice>,
    places: HashMap<Arc<str>, usize>,
    numbers: HashSet<Arc<str>>,
    file: Sum,
    refused: BTreeMap<String, Sum>,
}

/// What became of an invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fate {
    /// The lines that are in its order; empty when it has none.
    pub accepted: Vec<SaleLine>,
    /// The lines that are not, with the reason.
    pub refused: Vec<(String, SaleLine)>,
    /// Whether an earlier run had placed it.
    pub already: bool,
}

/// The account of a replay.
#[derive(Debug, Serialize)]
pub struct Account {
    /// All of the file.
    pub file: FileAccount,
    /// What is in orders.
    pub accepted: AcceptedAccount,
    /// What is not, by reason.
    pub refused: Vec<RefusedAccount>,
    /// How much of the accepted an earlier run had placed.
    pub already: AlreadyAccount,
}

/// All of a file.
#[derive(Debug, Serialize)]
pub struct FileAccount {
    /// Lines without the header.
    pub lines: u64,
    /// Invoices of all prefixes.
    pub invoices: u64,
    /// Sum over its lines.
    pub money: WireMoney,
}

/// What is in orders.
#[derive(Debug, Serialize)]
pub struct AcceptedAccount {
    /// Lines.
    pub lines: u64,
    /// Orders.
    pub orders: u64,
    /// Sum over the lines.
    pub money: WireMoney,
    /// Distinct customers.
    pub customers: u64,
    /// Orders without a customer.
    pub guest_orders: u64,
}

/// What is in no order for one reason.
#[derive(Debug, Serialize)]
pub struct RefusedAccount {
    /// The reason.
    pub reason: String,
    /// Lines.
    pub lines: u64,
    /// Sum over the lines.
    pub money: WireMoney,
}

/// What an earlier run had placed.
#[derive(Debug, Default, Serialize)]
pub struct AlreadyAccount {
    /// Lines.
    pub lines: u64,
    /// Orders.
    pub orders: u64,
}

impl Sum {
    fn add(&mut self, money: Money) {
        self.lines += 1;
        self.minor += i128::from(money.minor);
    }

    fn money(self) -> WireMoney {
        // A file's limits on lines, quantity and price keep real sums far below 64 bits.
        let minor = i64::try_from(self.minor).unwrap_or(if self.minor < 0 { i64::MIN } else { i64::MAX });
        Money::new(minor, CURRENCY).into()
    }
}

impl Book {
    /// Takes one more line: into its invoice, or among the refused.
    pub fn add(&mut self, line: &Line) {
        let money = line.money();
        self.file.add(money);
        self.numbers.insert(line.invoice.clone());
        if let Some(refusal) = line.refusal() {
            self.refused.entry(refusal.reason().to_owned()).or_default().add(money);
            return;
        }
        let place = *self.places.entry(line.invoice.clone()).or_insert_with(|| {
            self.invoices.push(Invoice {
                number: line.invoice.clone(),
                time: line.time,
                customer: line.customer.clone(),
                country: line.country.clone(),
                lines: Vec::new(),
            });
            self.invoices.len() - 1
        });
        let sale = SaleLine {
            sku: line.sku.clone(),
            quantity: line.quantity,
            price_micros: line.price_micros,
            money,
        };
        self.invoices[place].lines.push(sale);
    }

    /// The invoices that have sales, in the order of their first.
    #[must_use]
    pub fn invoices(&self) -> &[Invoice] {
        &self.invoices
    }

    /// Keeps only the first invoices; the others count as not being in the file.
    pub fn limit(&mut self, invoices: usize) {
        for gone in self.invoices.drain(invoices.min(self.invoices.len())..) {
            self.numbers.remove(&gone.number);
            for line in gone.lines {
                self.file.lines -= 1;
                self.file.minor -= i128::from(line.money.minor);
            }
        }
    }

    /// The account, given what became of each invoice.
    #[must_use]
    pub fn account<'a>(&'a self, fates: impl IntoIterator<Item = (&'a Invoice, &'a Fate)>) -> Account {
        let (mut accepted, mut already) = (Sum::default(), AlreadyAccount::default());
        let (mut orders, mut guest_orders) = (0, 0);
        let mut customers = HashSet::new();
        let mut refused = self.refused.clone();
        for (invoice, fate) in fates {
            fate.accepted.iter().for_each(|line| accepted.add(line.money));
            for (reason, line) in &fate.refused {
                refused.entry(reason.clone()).or_default().add(line.money);
            }
            if fate.accepted.is_empty() {
                continue;
            }
            orders += 1;
            match &invoice.customer {
                Some(customer) => _ = customers.insert(customer.clone()),
                None => guest_orders += 1,
            }
            if fate.already {
                already.orders += 1;
                already.lines += fate.accepted.len() as u64;
            }
        }
        Account {
            file: FileAccount {
                lines: self.file.lines,
                invoices: self.numbers.len() as u64,
                money: self.file.money(),
            },
            accepted: AcceptedAccount {
                lines: accepted.lines,
                orders,
                money: accepted.money(),
                customers: customers.len() as u64,
                guest_orders,
            },
            refused: refused
                .into_iter()
                .map(|(reason, sum)| RefusedAccount { reason, lines: sum.lines, money: sum.money() })
                .collect(),
            already,
        }
    }
}

impl Invoice {
    /// What became of an invoice whose order has these lines (SKU, units, price): the others were short of stock.
    #[must_use]
    pub fn matched(&self, ordered: impl IntoIterator<Item = (String, i64, i64)>, already: bool) -> Fate {
        let mut left: HashMap<(String, i64, i64), u64> = HashMap::new();
        for line in ordered {
            *left.entry(line).or_default() += 1;
        }
        let mut fate = Fate { accepted: Vec::new(), refused: Vec::new(), already };
        for line in &self.lines {
            match left.get_mut(&(line.sku.to_string(), line.quantity, line.price_micros)) {
                Some(count) if *count > 0 => {
                    *count -= 1;
                    fate.accepted.push(line.clone());
                }
                _ => fate.refused.push((Refusal::OutOfStock.reason().to_owned(), line.clone())),
            }
        }
        fate
    }

    /// What became of an invoice that is no order at all.
    #[must_use]
    pub fn refused(&self, reason: &str) -> Fate {
        let refused = self.lines.iter().map(|line| (reason.to_owned(), line.clone())).collect();
        Fate { accepted: Vec::new(), refused, already: false }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{file, synth};
    use super::*;

    fn book(text: &[u8]) -> Book {
        let mut book = Book::default();
        file::read_from(text, |line| book.add(&line)).expect("reads");
        book
    }

    const LINES: &str = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n\
        1,a,MUG,2,2010-12-01 08:00:00,2.5,17850,EIRE\n\
        1,a,MUG,2,2010-12-01 08:00:00,2.5,17850,EIRE\n\
        2,b,JUG,1,2010-12-01 08:01:00,3,,EIRE\n\
        1,a,MUG,2,2010-12-01 08:02:00,2.1,17850,EIRE\n\
        C3,a,MUG,-2,2010-12-01 08:03:00,2.5,17850,EIRE\n";

    #[test]
    fn lines_go_to_their_invoices_and_every_one_is_accounted_for() {
        let book = book(LINES.as_bytes());
        let [one, two] = book.invoices() else { panic!("two invoices: {:?}", book.invoices()) };
        assert_eq!((one.lines.len(), two.lines.len()), (3, 1));
        let first = one.matched([("a".to_owned(), 2, 2_500_000), ("a".to_owned(), 2, 2_100_000)], true);
        let second = two.refused("PAYMENT_DECLINED");
        let account = book.account([(one, &first), (two, &second)]);
        assert_eq!((account.accepted.lines, account.accepted.orders, account.already.lines), (2, 1, 2));
        assert_eq!(account.accepted.money.minor_units, 500 + 420);
        let refused: Vec<_> =
            account.refused.iter().map(|r| (r.reason.as_str(), r.lines, r.money.minor_units)).collect();
        assert_eq!(
            refused,
            [("CANCELLATION", 1, -500), ("OUT_OF_STOCK", 1, 500), ("PAYMENT_DECLINED", 1, 300)]
        );
        assert_eq!((account.file.lines, account.file.invoices, account.file.money.minor_units), (5, 3, 1220));
    }

    #[test]
    fn accepted_and_refused_make_the_file() {
        let mut text = Vec::new();
        let facts = synth::write(&mut text, 2000, 5).expect("writes");
        let mut book = book(&text);
        for limit in [usize::MAX, 40, 0] {
            book.limit(limit);
            let fates: Vec<Fate> = book
                .invoices()
                .iter()
                .enumerate()
                .map(|(index, invoice)| match index % 3 {
                    0 => invoice.refused("OUT_OF_STOCK"),
                    _ => invoice.matched(
                        invoice
                            .lines
                            .iter()
                            .skip(index % 2)
                            .map(|l| (l.sku.to_string(), l.quantity, l.price_micros)),
                        index % 2 == 0,
                    ),
                })
                .collect();
            let account = book.account(book.invoices().iter().zip(&fates));
            let lines: u64 = account.refused.iter().map(|refused| refused.lines).sum();
            let money: i64 = account.refused.iter().map(|refused| refused.money.minor_units).sum();
            assert_eq!(account.accepted.lines + lines, account.file.lines);
            assert_eq!(account.accepted.money.minor_units + money, account.file.money.minor_units);
            if limit == usize::MAX {
                assert_eq!((account.file.lines, account.file.invoices), (facts.lines, facts.invoices));
            }
        }
    }
}
