//! What is proved. Each check is a pure function of the books; what it finds are the exact rows that break its rule.

mod accounts;
mod chains;
mod client;
mod documents;
mod events;
mod grants;
mod ledger;
mod orders;
mod provider;
mod provider_records;
mod records;
mod rows;
mod stock;
mod storage;
mod tenders;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::{Serialize, Serializer};

use super::books::Books;
pub use chains::present as present_heads;
pub use stock::{Moved, seen};

/// The most violations that a check keeps; it counts the others.
const KEPT_MAX: usize = 100_000;
/// The most violations that a check tells.
pub const TOLD_MAX: usize = 1_000;

/// A check's rule, applied to books.
pub type Rule = fn(&Books) -> Check;

/// Every rule, in the order in which they are told.
const RULES: &[Rule] = &[
    ledger::balanced,
    ledger::sealed,
    ledger::operations,
    ledger::orders,
    stock::balanced,
    stock::counters,
    stock::not_negative,
    stock::holds,
    stock::orders,
    orders::at_rest,
    orders::payments,
    orders::captured,
    orders::invoices,
    orders::invoice_numbers,
    events::gap_free,
    events::caught_up,
    events::parked,
    provider::agrees,
    storage::intact,
    rows::valid,
    rows::lines,
    rows::receipts,
    rows::shipments,
    rows::references,
    rows::ordered,
    rows::content,
    rows::index,
    grants::grants,
    records::order_seals,
    records::order_quotes,
    records::order_history,
    records::order_states,
    records::payment_seals,
    records::payment_states,
    tenders::owners,
    tenders::tenders,
    documents::orders,
    documents::numbering,
    documents::sealed,
    accounts::accounts,
    chains::keyed,
    provider_records::records,
];

/// Applies every rule. Books that could not be read whole are not judged; only what is unreadable is told.
#[must_use]
pub fn all(books: &Books) -> Vec<Check> {
    if !books.unreadable.is_empty() {
        let damaged = storage::intact(books);
        return unreadable(books).into_iter().chain((!damaged.holds()).then_some(damaged)).collect();
    }
    let mut checks: Vec<Check> = RULES.iter().map(|rule| rule(books)).collect();
    if let Some(remembered) = &books.remembered {
        checks.push(client::remembers(books, remembered));
    }
    if let Some(former) = &books.former {
        checks.push(chains::heads(books, former));
    }
    checks
}

fn unreadable(books: &Books) -> Vec<Check> {
    let mut checks: Vec<Check> = Vec::new();
    for list in &books.unreadable {
        if checks.last().is_none_or(|check| check.name != list.check) {
            checks.push(Check::new(list.check));
        }
        if let Some(check) = checks.last_mut() {
            check.examined += 1;
            check.violated(
                list.told.clone(),
                "a service that can read its own rows",
                "rows that it cannot read",
            );
        }
    }
    checks
}

/// What a rule found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// `GROUP.WHAT`.
    pub name: &'static str,
    /// Rows that were looked at.
    pub examined: u64,
    /// What breaks the rule; told are at most [`TOLD_MAX`].
    #[serde(serialize_with = "first")]
    pub violations: Vec<Violation>,
    /// How many there are, when more than are told.
    #[serde(rename = "violation_count", skip_serializing_if = "few")]
    pub count: usize,
}

/// A row that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Violation {
    /// Which row.
    #[serde(rename = "where")]
    pub at: String,
    /// What the rule wants.
    pub expected: String,
    /// What is there.
    pub found: String,
    /// Whether it may settle by itself, because somebody still works on it.
    #[serde(skip)]
    pub in_flight: bool,
}

fn first<S: Serializer>(violations: &[Violation], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(violations.iter().take(TOLD_MAX))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn few(count: &usize) -> bool {
    *count <= TOLD_MAX
}

impl Check {
    /// A check that has found nothing.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self { name, examined: 0, violations: Vec::new(), count: 0 }
    }

    /// Notes a row that breaks the rule.
    pub fn violated(&mut self, at: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) {
        self.note(at, expected, found, false);
    }

    /// Notes a row that breaks the rule, and whether it may settle by itself.
    pub fn note(
        &mut self,
        at: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
        in_flight: bool,
    ) {
        self.count += 1;
        if self.violations.len() < KEPT_MAX {
            let violation =
                Violation { at: at.into(), expected: expected.into(), found: found.into(), in_flight };
            self.violations.push(violation);
        }
    }

    /// Whether nothing breaks the rule.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.count == 0
    }

    /// Whether anything that breaks the rule may settle by itself.
    #[must_use]
    pub fn in_flight(&self) -> bool {
        self.violations.iter().any(|violation| violation.in_flight)
    }

    /// Keeps what an earlier look had found as well: the same row with the same content. What moves is being worked on.
    pub fn keep_what_stood(&mut self, earlier: Option<&Self>) {
        let stood: BTreeSet<(&str, &str)> = earlier
            .into_iter()
            .flat_map(|check| &check.violations)
            .map(|violation| (violation.at.as_str(), violation.found.as_str()))
            .collect();
        self.violations
            .retain(|violation| stood.contains(&(violation.at.as_str(), violation.found.as_str())));
        self.count = self.violations.len();
    }
}
