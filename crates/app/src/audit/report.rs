//! What an audit tells: one JSON document, or tables for people.

use std::collections::BTreeMap;

use contract::souk::order::v1::OrderState;
use contract::souk::payment::v1::LedgerEntryKind;
use serde::Serialize;

use super::books::{Books, word};
use super::checks::{Check, Moved, present_heads, seen};
use super::heads::{WireHead, to_wire};
use super::sums::Sums;
use crate::console;
use crate::retail::money::WireMoney;

/// Violations of a check that a table shows.
const SHOWN_MAX: usize = 20;

/// The result of an audit.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Whether every check holds.
    pub ok: bool,
    /// Every check, in the order in which they are explained.
    pub checks: Vec<Check>,
    /// What the books come to.
    pub totals: Totals,
    /// Where each keyed chain ends. A later audit that is given them sees a chain that was cut or made anew.
    pub chains: BTreeMap<String, WireHead>,
    /// Ledger entries that wait for the sealer.
    #[serde(skip)]
    pub unsealed: usize,
}

/// What the books come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Orders by state; every state is there.
    pub orders: BTreeMap<String, u64>,
    /// What was captured, by currency.
    pub captured: Vec<WireMoney>,
    /// What was refunded for good, by currency.
    pub refunded: Vec<WireMoney>,
    /// Units of all SKUs.
    pub units: Units,
}

/// Units of all SKUs at all locations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Units {
    /// Arrived.
    pub received: i64,
    /// Sold.
    pub sold: i64,
    /// Came back after they were sold.
    pub returned: i64,
    /// Broken, lost or thrown away.
    pub written_off: i64,
    /// Corrected after counts, when there were any.
    #[serde(skip_serializing_if = "is_zero")]
    pub adjusted: i64,
    /// On the shelves.
    pub on_hand: i64,
    /// Held for orders.
    pub held: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(units: &i64) -> bool {
    *units == 0
}

impl Report {
    /// The result of these checks on these books.
    #[must_use]
    pub fn new(checks: Vec<Check>, books: &Books) -> Self {
        let unsealed = books.ledger.entries.iter().filter(|entry| entry.seal.is_none()).count();
        let chains = to_wire(&present_heads(books));
        Self { ok: checks.iter().all(Check::holds), checks, totals: Totals::of(books), chains, unsealed }
    }

    /// Tables for people: the checks, what breaks them, the totals.
    #[must_use]
    pub fn table(&self) -> String {
        let told = |check: &Check| match check.count {
            0 => format!("{:>9}  holds", check.examined),
            count => format!("{:>9}  {count} VIOLATED", check.examined),
        };
        let mut rows: Vec<(String, String)> =
            self.checks.iter().map(|check| (check.name.to_owned(), told(check))).collect();
        let row = |name: &str, value: String| (name.to_owned(), value);
        let orders = self.totals.orders.iter().filter(|(_, count)| **count > 0);
        rows.push(row("", String::new()));
        rows.extend(orders.map(|(state, count)| (format!("orders {state}"), count.to_string())));
        rows.extend(self.totals.captured.iter().map(|money| row("captured", money.to_string())));
        rows.extend(self.totals.refunded.iter().map(|money| row("refunded", money.to_string())));
        let units = &self.totals.units;
        for (name, count) in [
            ("received", units.received),
            ("sold", units.sold),
            ("returned", units.returned),
            ("written off", units.written_off),
            ("adjusted", units.adjusted),
            ("on hand", units.on_hand),
            ("held", units.held),
        ] {
            rows.push((format!("units {name}"), count.to_string()));
        }
        rows.push(row("ledger entries not sealed yet", self.unsealed.to_string()));
        let chains = self.chains.iter();
        rows.extend(
            chains.map(|(name, head)| {
                row(&format!("chain {name}"), format!("{}:{}", head.position, head.hash))
            }),
        );
        let mut table = console::rows(&rows);
        for check in self.checks.iter().filter(|check| !check.holds()) {
            table.push_str(&format!("\n{}\n", check.name));
            for violation in check.violations.iter().take(SHOWN_MAX) {
                let (expected, found) = (&violation.expected, &violation.found);
                table.push_str(&format!(
                    "  {}\n    expected {expected}\n    found    {found}\n",
                    violation.at
                ));
            }
            if check.count > SHOWN_MAX {
                table.push_str(&format!("  and {} more; see --json\n", check.count - SHOWN_MAX));
            }
        }
        table.push_str(if self.ok { "\nThe books hold.\n" } else { "\nThe books do not hold.\n" });
        table
    }
}

impl Totals {
    fn of(books: &Books) -> Self {
        let mut orders: BTreeMap<String, u64> = BTreeMap::new();
        let states = (1..).map_while(|state| OrderState::try_from(state).ok());
        orders.extend(states.map(|state| (order_state(state), 0)));
        for order in &books.orders {
            *orders.entry(order_state(order.state)).or_default() += 1;
        }
        let (mut captured, mut refunded) = (Sums::default(), Sums::default());
        for entry in &books.ledger.entries {
            match entry.kind {
                LedgerEntryKind::Capture => entry.net().for_each(|amount| captured.add(amount)),
                _ => entry.net().for_each(|amount| refunded.take(amount)),
            }
        }
        let money = |sums: &Sums| sums.not_zero().map(WireMoney::from).collect();
        Self { orders, captured: money(&captured), refunded: money(&refunded), units: Units::of(books) }
    }
}

impl Units {
    fn of(books: &Books) -> Self {
        let mut moved = Moved::default();
        let mut units = Self::default();
        for shelf in &books.shelves {
            seen(shelf).for_each(|movement| moved.add(movement));
            if let Some(counter) = shelf.counter {
                units.on_hand = units.on_hand.saturating_add(counter.on_hand);
                units.held = units.held.saturating_add(counter.held);
            }
        }
        let Moved { received, sold, returned, written_off, adjusted, .. } = moved;
        Self { received, sold, returned, written_off, adjusted, ..units }
    }
}

fn order_state(state: OrderState) -> String {
    word(state.as_str_name(), "ORDER_STATE_")
}
