//! What an audit proves of orders from their own rows: that no row was changed behind the service's back, that a frozen quote is
//! what its prices and rates come to, that a history is whole and legal, and that the parts of an order fit each other.
//!
//! Pure functions of the rows. What needs other services' records is compared by who reads them all.

mod counters;
pub mod goods;
mod history;
mod quote;
mod sealed;
mod states;
#[cfg(test)]
mod tests;

use contract::souk::r#type::v1::AuditFinding;
use kernel::Timestamp;

pub use counters::CounterRows;

use crate::store::{AuditRow, Orphan, Seals};

/// Rows are what was written.
pub const SEALED: &str = "orders.sealed";
/// Quotes come to what they say, and orders to what their quotes say.
pub const QUOTES: &str = "orders.quotes";
/// Histories are whole and legal.
pub const HISTORY: &str = "orders.history";
/// The parts of an order fit each other.
pub const STATES: &str = "orders.states";

/// Collects what is wrong with an order.
pub struct Findings<'a> {
    row: &'a AuditRow,
    list: Vec<AuditFinding>,
}

impl Findings<'_> {
    /// Notes something; `part` says what of the order.
    fn note(
        &mut self,
        check: &str,
        part: &str,
        expected: impl std::fmt::Display,
        found: impl std::fmt::Display,
    ) {
        let order = &self.row.order;
        self.list.push(AuditFinding {
            check: check.to_owned(),
            row: format!("{part} of {}", order.id),
            expected: expected.to_string(),
            found: found.to_string(),
            // Somebody works on it: its rows may have been read at different moments.
            in_flight: order.due_at.is_some(),
        });
    }

    /// Notes a value that is not the one expected.
    fn same<T: PartialEq + std::fmt::Display>(&mut self, check: &str, part: &str, expected: T, found: T) {
        if expected != found {
            self.note(check, part, expected, found);
        }
    }
}

/// What an order's times are judged by.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Now.
    pub now: Timestamp,
    /// When this instance started: until then nobody may have been there to end an order at its limit.
    pub started: Timestamp,
}

impl Times {
    /// When an order could be ended for its limit at the earliest.
    fn limit_of(self, order: &crate::domain::Order) -> Timestamp {
        order.limit_at.max(self.started)
    }
}

/// Everything that is wrong with an order.
#[must_use]
pub fn examine(row: &AuditRow, seals: &Seals, times: Times) -> Vec<AuditFinding> {
    let mut findings = Findings { row, list: Vec::new() };
    sealed::check(&mut findings, seals);
    quote::check(&mut findings);
    history::check(&mut findings);
    states::check(&mut findings, times);
    findings.list
}

/// A row without its order.
#[must_use]
pub fn orphan(orphan: &Orphan) -> AuditFinding {
    AuditFinding {
        check: SEALED.to_owned(),
        row: format!("{} of {}", orphan.kind, orphan.order_id),
        expected: "an order".to_owned(),
        found: "none".to_owned(),
        in_flight: false,
    }
}
