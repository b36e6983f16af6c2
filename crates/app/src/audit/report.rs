//! What an audit found, for machines and for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use contract::souk::order::v1::OrderState;
use contract::souk::payment::v1::LedgerEntryKind;
use serde::Serialize;

use super::checks::Check;
use super::facts::Facts;
use crate::retail::money::WireMoney;

/// Violations of a check that the table shows.
const SHOWN_MAX: usize = 20;

/// What an audit found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether all checks hold.
    pub ok: bool,
    /// The checks.
    pub checks: Vec<Check>,
    /// The sums.
    pub totals: Totals,
}

/// The sums of the books.
#[derive(Debug, Serialize)]
pub struct Totals {
    /// Orders by state.
    pub orders: BTreeMap<String, u64>,
    /// Captured, by currency.
    pub captured: Vec<WireMoney>,
    /// Refunded, by currency.
    pub refunded: Vec<WireMoney>,
    /// Stock.
    pub units: Units,
}

/// Units of all stock.
#[derive(Debug, Serialize)]
pub struct Units {
    /// Arrived.
    pub received: i64,
    /// Sold.
    pub sold: i64,
    /// Came back after they were sold.
    pub returned: i64,
    /// Written off.
    pub written_off: i64,
    /// On the shelf.
    pub on_hand: i64,
    /// Held for orders.
    pub held: i64,
}

impl Report {
    pub(super) fn new(facts: &Facts, checks: Vec<Check>) -> Self {
        let mut orders = BTreeMap::new();
        for order in &facts.orders {
            *orders.entry(state(order.state())).or_default() += 1;
        }
        let stock = &facts.stock;
        Self {
            ok: checks.iter().all(|check| check.violations.is_empty()),
            checks,
            totals: Totals {
                orders,
                captured: moved(facts, &[(LedgerEntryKind::Capture, 1)]),
                refunded: moved(
                    facts,
                    &[(LedgerEntryKind::Refund, -1), (LedgerEntryKind::RefundReversal, -1)],
                ),
                units: Units {
                    received: stock.received,
                    sold: stock.sold,
                    returned: stock.returned,
                    written_off: stock.written_off,
                    on_hand: stock.on_hand,
                    held: stock.held,
                },
            },
        }
    }

    /// For people.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::new();
        let width = self.checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
        for check in &self.checks {
            let verdict = if check.violations.is_empty() { "ok  " } else { "FAIL" };
            let _ = writeln!(text, "{verdict} {:<width$}  {:>9} examined", check.name, check.examined);
            for violation in check.violations.iter().take(SHOWN_MAX) {
                let _ = writeln!(
                    text,
                    "       {}: expected {}, found {}",
                    violation.place, violation.expected, violation.found
                );
            }
            if check.violations.len() > SHOWN_MAX {
                let _ = writeln!(
                    text,
                    "       and {} more; --json has them all",
                    check.violations.len() - SHOWN_MAX
                );
            }
        }
        let units = &self.totals.units;
        let orders: Vec<_> =
            self.totals.orders.iter().map(|(state, orders)| format!("{orders} {state}")).collect();
        let money = |all: &[WireMoney]| match all {
            [] => "nothing".to_owned(),
            all => all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        };
        let _ = writeln!(
            text,
            "orders    {}",
            if orders.is_empty() { "none".to_owned() } else { orders.join(", ") }
        );
        let _ = writeln!(
            text,
            "captured  {}, refunded {}",
            money(&self.totals.captured),
            money(&self.totals.refunded)
        );
        let _ = writeln!(
            text,
            "units     {} received, {} sold, {} returned, {} written off, {} on hand, {} held",
            units.received, units.sold, units.returned, units.written_off, units.on_hand, units.held
        );
        text.push_str(if self.ok { "all books hold" } else { "the books do not hold" });
        text
    }
}

fn state(state: OrderState) -> String {
    state.as_str_name().trim_start_matches("ORDER_STATE_").to_lowercase()
}

/// What the provider's clearing account moved for entries of these kinds, by currency.
fn moved(facts: &Facts, kinds: &[(LedgerEntryKind, i64)]) -> Vec<WireMoney> {
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for entry in &facts.entries {
        let Some((_, sign)) = kinds.iter().find(|(kind, _)| *kind == entry.kind()) else { continue };
        for posting in entry.postings.iter().filter(|posting| posting.account.starts_with("provider:")) {
            if let Some(amount) = &posting.amount {
                let sum = sums.entry(&amount.currency_code).or_default();
                *sum = sum.saturating_add(amount.minor_units.saturating_mul(*sign));
            }
        }
    }
    let money = |(currency_code, minor_units): (&str, i64)| WireMoney {
        currency_code: currency_code.to_owned(),
        minor_units,
    };
    sums.into_iter().map(money).collect()
}
