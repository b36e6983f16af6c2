//! The account of a replay for people.

use super::Report;
use crate::console;
use crate::retail::money::WireMoney;

/// The table.
pub(super) fn table(report: &Report) -> String {
    let account = &report.account;
    let row = |name: &str, value: String| (name.to_owned(), value);
    let lines = |lines: u64, sum: &WireMoney| format!("{lines} lines  {:>18}", sum.to_string());
    let mut rows = vec![
        row("file", lines(account.file.lines, &account.file.money)),
        row("accepted", lines(account.accepted.lines, &account.accepted.money)),
    ];
    rows.extend(
        account
            .refused
            .iter()
            .map(|refused| row(&format!("refused {}", refused.reason), lines(refused.lines, &refused.money))),
    );
    rows.extend([
        row("orders", account.accepted.orders.to_string()),
        row("  placed before", account.already.orders.to_string()),
        row("  by guests", account.accepted.guest_orders.to_string()),
        row("customers", account.accepted.customers.to_string()),
        row("seconds", format!("{:.1}", report.seconds)),
        row("orders per second", format!("{:.1}", report.orders_per_second)),
        row("order ms p50", format!("{:.1}", report.order_ms.p50)),
        row("order ms p99", format!("{:.1}", report.order_ms.p99)),
        row("order ms max", format!("{:.1}", report.order_ms.max)),
    ]);
    let mut text = console::rows(&rows);
    for note in &report.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    text
}
