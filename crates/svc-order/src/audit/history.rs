//! A history begins with the creation, goes on by steps that are allowed, and ends where the order stands.

use super::{Findings, HISTORY};
use crate::domain::State;

use State::{ActionRequired, AwaitingApproval, Cancelled, Cancelling, Confirmed, Failed, Pending};

const PERSON: &[State] = &[ActionRequired, AwaitingApproval];
const PLACING: &[State] = &[Pending, ActionRequired, AwaitingApproval];
const FAILING: &[State] = &[Pending, Failed];
const UNDOING: &[State] = &[Pending, Cancelling];
const UNDONE: &[State] = &[Pending, Cancelling, Cancelled, Failed];

/// What may happen: what it is called, the states before it, the states after it.
const STEPS: &[(&str, &[State], &[State])] = &[
    ("STOCK_HELD", &[Pending], &[Pending, AwaitingApproval]),
    ("STOCK_REFUSED", &[Pending], FAILING),
    ("HOLD_RENEWED", PERSON, PERSON),
    ("HOLD_LOST", PLACING, FAILING),
    ("PAYMENT_AUTHORIZED", PLACING, &[Pending, AwaitingApproval]),
    ("PAYMENT_DECLINED", PLACING, FAILING),
    ("ACTION_REQUIRED", &[Pending], &[ActionRequired]),
    ("APPROVED", &[AwaitingApproval], &[Pending]),
    ("TIMED_OUT", PLACING, FAILING),
    ("CONFIRMED", &[Pending], &[Confirmed]),
    ("FOLLOWED_UP", &[Confirmed], &[Confirmed]),
    ("COMPLETED", &[Confirmed], &[Confirmed]),
    (
        "CANCELLATION_REQUESTED",
        &[Pending, ActionRequired, AwaitingApproval, Confirmed],
        &[Cancelling, Cancelled],
    ),
    ("CANCELLATION_REFUSED", &[Cancelling], &[Confirmed]),
    ("SHIPMENT_RECALLED", UNDOING, UNDONE),
    ("PAYMENT_VOIDED", UNDOING, UNDONE),
    ("PAYMENT_REFUNDED", UNDOING, UNDONE),
    ("STOCK_RELEASED", UNDOING, UNDONE),
    ("STOCK_RETURNED", UNDOING, UNDONE),
];

pub(super) fn check(findings: &mut Findings<'_>) {
    let row = findings.row;
    let order = &row.order;
    let (Some(first), Some(last)) = (row.history.first(), row.history.last()) else {
        findings.note(HISTORY, "history", "a line for each change", "none");
        return;
    };
    let (first, last) = (&first.line, &last.line);
    if (first.version, first.what.as_str(), first.state) != (1, "CREATED", Pending) {
        let found = format!("{} {} as the first", first.version, first.what);
        findings.note(HISTORY, "history", "1 CREATED as the first line", found);
    }
    for pair in row.history.windows(2) {
        let (before, after) = (&pair[0].line, &pair[1].line);
        let step = STEPS.iter().find(|(what, _, _)| *what == after.what);
        let legal =
            step.is_some_and(|(_, from, to)| from.contains(&before.state) && to.contains(&after.state));
        if !legal {
            let part = format!("history {}", after.version);
            let found = format!("{} from {:?} to {:?}", after.what, before.state, after.state);
            findings.note(HISTORY, &part, "a step that is allowed", found);
        }
    }
    if last.state != order.state {
        findings.note(
            HISTORY,
            "state",
            format!("{:?}, as its history ends", last.state),
            format!("{:?}", order.state),
        );
    }
    if last.version > order.version {
        findings.note(HISTORY, "version", format!("{} or more", last.version), order.version);
    }
    findings.same(HISTORY, "updated_at", last.at.micros(), order.updated_at.micros());
    findings.same(HISTORY, "created_at", first.at.micros(), order.created_at.micros());
    let confirmed = row.history.iter().find(|line| line.line.what == "CONFIRMED").map(|line| line.line.at);
    if confirmed != order.confirmed_at {
        let told =
            |at: Option<kernel::Timestamp>| at.map_or("never".to_owned(), |at| at.micros().to_string());
        findings.note(HISTORY, "confirmed_at", told(confirmed), told(order.confirmed_at));
    }
    let placed_by = if first.actor == order.owner { "" } else { first.actor.as_str() };
    findings.same(HISTORY, "placed_by", placed_by, order.placed_by.as_str());
}
