//! Rows by themselves, and facts that are told in two places: by an order and its hold, by an event and its aggregate, by the
//! catalogue and the index.

use std::time::Duration;

use kernel::Timestamp;

use super::Check;
use crate::audit::books::Books;
use crate::audit::rows::{Facts, RoleRows, Told};

/// `rows.valid`: no service finds anything wrong with its own rows: documents read and their index columns hold what they say,
/// versions, times, references and states fit together, events decode, remembered answers are whole.
pub fn valid(books: &Books) -> Check {
    let mut check = Check::new("rows.valid");
    for role in &books.rows {
        check.examined += role.examined;
        for finding in &role.findings {
            let at = format!("{}: {}", role.role, finding.row);
            check.violated(at, &*finding.expected, &*finding.found);
        }
    }
    check
}

/// `events.ordered`: the versions that the events of an aggregate tell rise.
pub fn ordered(books: &Books) -> Check {
    let mut check = Check::new("events.ordered");
    for role in &books.rows {
        check.examined += role.newest.len() as u64;
        for disorder in &role.disordered {
            let at = format!("events of {} in {}", disorder.aggregate, role.role);
            let found = format!("version {}", disorder.after);
            check.violated(at, format!("a version after {}", disorder.before), found);
        }
    }
    check
}

/// `events.content`: what the newest event of an aggregate says is what its row says, every row has published, and events of
/// what happened once (a confirmation, a band that was crossed, a price that was set) have their row.
pub fn content(books: &Books) -> Check {
    let mut check = Check::new("events.content");
    let empty = Facts::default();
    for role in &books.rows {
        let rows = role.set("row").unwrap_or(&empty);
        let events = Side { facts: &role.newest, name: "the newest event" };
        let rows = Side { facts: rows, name: "the row" };
        let back = |row: &Told| if has_published(role, row) { Need::Must } else { Need::May };
        compare(&mut check, &role.role, &events, &rows, aggregate_needs, back);
        times(&mut check, role, rows.facts);
    }
    once(&mut check, books, "order", ("confirmed event", "the event"), ("confirmed", "the order"));
    once(&mut check, books, "inventory", ("band event", "the event"), ("band", "the movement"));
    between(
        &mut check,
        books,
        ("inventory", "band units event", "the event"),
        ("inventory", "band units", "the movement"),
        // Events of earlier releases tell no exact units.
        (must, may),
    );
    payments(&mut check, books);
    between(
        &mut check,
        books,
        ("product", "price set", "the event"),
        ("product", "price kept", "the price"),
        (must, may),
    );
    check
}

/// Payments publish what their callers were not told: an event fits the payment, and the capture or refund that it is about; each
/// refund that ended and each void by an operation has its event.
fn payments(check: &mut Check, books: &Books) {
    for (event, row, needs) in
        [("payment event", "payment", must as Needs), ("payment event at", "payment at", may)]
    {
        between(check, books, ("payment", event, "the event"), ("payment", row, "the payment"), (needs, may));
    }
    for (event, row) in [("refund event", "refund"), ("capture event", "capture"), ("voided event", "voided")]
    {
        once(check, books, "payment", (event, "the event"), (row, "the row"));
    }
}

/// For so long a row may be younger than its event says: its change was decided before it was committed.
const COMMITS_WITHIN: Duration = Duration::from_secs(3600);
/// By so much an event and the row of its version may differ: a clock may have been set between decision and commit.
const DIFFER_MAX: Duration = Duration::from_secs(24 * 3600);

/// Whether the event of a row must be there: it is not one that never had any, and it changed after all that were pruned.
pub(super) fn has_published(role: &RoleRows, row: &Told) -> bool {
    let pruned = role.oldest_event > 1 || role.events_since > Timestamp::default();
    &*row.state != "unpublished" && (!pruned || row.at > role.events_since.plus(COMMITS_WITHIN))
}

/// Roles whose rows tell when they changed to their version. Rows of others tell when they were made, maybe under another clock.
const TELL_CHANGES: [&str; 5] = ["cart", "identity", "payment", "shipping", "user"];

/// An event was committed when its row changed, not long before.
fn times(check: &mut Check, role: &RoleRows, rows: &Facts) {
    if !TELL_CHANGES.contains(&&*role.role) {
        return;
    }
    let mut wrong: Vec<(String, String, String)> = Vec::new();
    for (key, event) in &role.newest {
        let Some(row) = rows.get(key).filter(|row| row.version == event.version) else { continue };
        let known = event.at > Timestamp::default() && row.at > Timestamp::default();
        if known && event.at < row.at.minus(DIFFER_MAX) {
            let expected = format!("the newest event from the time of the row, {}", row.at);
            wrong.push((format!("{}: {key}", role.role), expected, format!("an event of {}", event.at)));
        }
    }
    wrong.sort_unstable();
    for (at, expected, found) in wrong {
        check.violated(at, expected, found);
    }
}

fn aggregate_needs(event: &Told) -> Need {
    match &*event.state {
        "gone" => Need::Not,
        "may be gone" => Need::May,
        "log" | "log repeats" => Need::Ignored,
        _ => Need::Must,
    }
}

/// Events of one set against rows of another; rows of before the oldest event have none.
fn once(check: &mut Check, books: &Books, role: &str, event: (&str, &str), row: (&str, &str)) {
    let Some(rows) = find(books, role) else { return };
    let empty = Facts::default();
    let left = Side { facts: rows.set(event.0).unwrap_or(&empty), name: event.1 };
    let right = Side { facts: rows.set(row.0).unwrap_or(&empty), name: row.1 };
    let back = |row: &Told| if has_published(rows, row) { Need::Must } else { Need::May };
    compare(check, role, &left, &right, must, back);
}

/// `stock.lines`: the lines of an order are those of its hold: SKU, units and line.
pub fn lines(books: &Books) -> Check {
    let mut check = Check::new("stock.lines");
    let needs = |order: &Told| if &*order.state == "may lack" { Need::May } else { Need::Must };
    between(
        &mut check,
        books,
        ("order", "lines", "the order"),
        ("inventory", "lines", "the hold"),
        (needs, may),
    );
    check
}

/// `stock.receipts`: each receipt has its one movement, and each arrival its receipt: SKU, location, units and time.
pub fn receipts(books: &Books) -> Check {
    let mut check = Check::new("stock.receipts");
    let (receipt, received) =
        (("inventory", "receipt", "the receipt"), ("inventory", "received", "the movement"));
    between(&mut check, books, receipt, received, (must, must));
    check
}

/// `shipments.orders`: a confirmed order has one shipment per group with its lines, owner, method and address; one that came to
/// nothing has none, or one that was cancelled; no shipment is without its order; and an order names the shipments that there are.
pub fn shipments(books: &Books) -> Check {
    let mut check = Check::new("shipments.orders");
    let needs = |parcel: &Told| match &*parcel.state {
        "wanted" => Need::Live,
        "unwanted" => Need::Over,
        _ => Need::May,
    };
    let (order, shipment) = (("order", "parcel", "the order"), ("shipping", "shipment", "the shipment"));
    between(&mut check, books, order, shipment, (needs, must));
    let (order, shipment) =
        (("order", "named shipment", "the order"), ("shipping", "shipment id", "shipping"));
    between(&mut check, books, order, shipment, (must, may));
    check
}

/// `rows.references`: a cart took out the lines of orders that there are; a price that ended is in the history; a picture has its
/// renditions, and each is of a picture.
pub fn references(books: &Books) -> Check {
    let mut check = Check::new("rows.references");
    between(&mut check, books, ("cart", "bought", "the cart"), ("order", "row", "the order"), (must, may));
    let (ended, past) = (("product", "price ended", "the event"), ("product", "price past", "the history"));
    between(&mut check, books, ended, past, (must, may));
    let (picture, file) =
        (("product", "wants rendition", "the picture"), ("product", "rendition", "the file"));
    between(&mut check, books, picture, file, (must, must));
    check
}

/// `search.index`: the index holds the products that are in the shop, as they are now, and no others.
pub fn index(books: &Books) -> Check {
    let mut check = Check::new("search.index");
    let (product, hit) = (("search", "indexed", "the index"), ("product", "active", "the catalogue"));
    let mut found = Check::new("search.index");
    between(&mut found, books, product, hit, (must, must));
    // The index follows the catalogue: what it lacks now it may have soon.
    check.examined = found.examined;
    for violation in found.violations {
        check.note(violation.at, violation.expected, violation.found, true);
    }
    check
}

/// What one side says must hold of the other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// It is there and says the same.
    Must,
    /// If it is there, it says the same.
    May,
    /// It is not there.
    Not,
    /// It is there, says the same and is not cancelled.
    Live,
    /// If it is there, it says the same and is cancelled.
    Over,
    /// Nothing.
    Ignored,
}

type Needs = fn(&Told) -> Need;

fn must(_: &Told) -> Need {
    Need::Must
}

fn may(_: &Told) -> Need {
    Need::May
}

struct Side<'a> {
    facts: &'a Facts,
    name: &'a str,
}

pub(super) fn find<'a>(books: &'a Books, role: &str) -> Option<&'a RoleRows> {
    books.rows.iter().find(|rows| &*rows.role == role)
}

/// Compares a set of one role with a set of another; a role that is not served at this address is left out.
fn between(
    check: &mut Check,
    books: &Books,
    (left_role, left_set, left_name): (&str, &str, &str),
    (right_role, right_set, right_name): (&str, &str, &str),
    (forth, back): (Needs, Needs),
) {
    let (Some(left), Some(right)) = (find(books, left_role), find(books, right_role)) else { return };
    let empty = Facts::default();
    let left = Side { facts: left.set(left_set).unwrap_or(&empty), name: left_name };
    let right = Side { facts: right.set(right_set).unwrap_or(&empty), name: right_name };
    compare(check, left_role, &left, &right, forth, back);
}

fn compare(
    check: &mut Check,
    role: &str,
    left: &Side<'_>,
    right: &Side<'_>,
    forth: impl Fn(&Told) -> Need,
    back: impl Fn(&Told) -> Need,
) {
    let mut wrong: Vec<(String, String, String)> = Vec::new();
    for (key, told) in left.facts {
        check.examined += 1;
        let need = forth(told);
        let other = right.facts.get(key);
        if let Some((expected, found)) = differ(need, (left.name, told), (right.name, other)) {
            wrong.push((format!("{role}: {key}"), expected, found));
        }
    }
    for (key, told) in right.facts.iter().filter(|(key, _)| !left.facts.contains_key(*key)) {
        check.examined += 1;
        if back(told) == Need::Must {
            let expected = format!("{}, as {} says: {}", left.name, right.name, spoken(told));
            wrong.push((format!("{role}: {key}"), expected, "none".to_owned()));
        }
    }
    wrong.sort_unstable();
    for (at, expected, found) in wrong {
        check.violated(at, expected, found);
    }
}

/// What is expected and found where the other side is not as one side needs it.
fn differ(
    need: Need,
    (name, told): (&str, &Told),
    (other_name, other): (&str, Option<&Told>),
) -> Option<(String, String)> {
    let as_told = || format!("{other_name} as {name} says: {}", spoken(told));
    let found = |other: &Told| format!("{other_name}: {}", spoken(other));
    match (need, other) {
        (Need::Ignored, _) | (Need::May | Need::Not | Need::Over, None) => None,
        (Need::Must | Need::Live, None) => Some((as_told(), "none".to_owned())),
        (Need::Not, Some(other)) => Some((format!("no longer, as {name} says"), found(other))),
        (Need::Live, Some(other)) if &*other.state != "live" => Some((as_told(), found(other))),
        (Need::Over, Some(other)) if &*other.state != "cancelled" => {
            Some((format!("a cancelled one or none, as {name} came to nothing"), found(other)))
        }
        (_, Some(other)) => (!agrees(told, other)).then(|| (as_told(), found(other))),
    }
}

/// Whether two tell the same: as far as both tell it.
fn agrees(told: &Told, other: &Told) -> bool {
    let versions = match (told.version, other.version) {
        (0, _) | (_, 0) => true,
        (version, found) if &*told.state == "at least" && &*other.state != "exact" => found >= version,
        (version, other) => version == other,
    };
    let digests = match (told.digest, other.digest) {
        (Some(digest), Some(other)) => digest == other,
        _ => true,
    };
    versions && digests
}

fn spoken(told: &Told) -> String {
    let mut parts = Vec::new();
    if told.version != 0 {
        parts.push(format!("version {}", told.version));
    }
    if !matches!(&*told.state, "" | "at least" | "exact" | "repeats") {
        parts.push(told.state.to_string());
    }
    match (&told.digest, told.about.is_empty()) {
        (_, false) => parts.push(told.about.to_string()),
        (Some(digest), true) => parts.push(format!("content {}", hex::encode(&digest[..6]))),
        (None, true) => {}
    }
    parts.join(", ")
}
