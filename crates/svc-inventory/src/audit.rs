//! What an audit checks of the stored rows, and what it compares.
//!
//! Counters against their movements are proved by whoever reads both lists. Here is what only the rows themselves show: texts
//! that cannot be, times that belong together, references, and the events that a movement must have published.

use std::collections::BTreeSet;
use std::sync::Arc;

use chassis::audit::{Examine, Examined, Fact, last_of_full_page};
use contract::souk::inventory::v1::StockBandChanged;
use kernel::{Result, Timestamp};
use prost::{Message, Name};
use store::{Row, StoredEvent};
use tonic::async_trait;

use crate::domain::{Band, Hold, HoldState, MovementKind, Place, QUANTITY_MAX};
use crate::store::{After, Entry, Stock, hold_of};

/// Longest text of a reference or a note, in characters.
const REFERENCE_CHARS_MAX: usize = 200;

/// Holds read at once: one of a large order has thousands of lines.
const HOLDS_MAX: u32 = 100;

/// The tables of a stock.
pub fn tables(stock: &Stock) -> [Arc<dyn Examine>; 5] {
    [
        Arc::new(LocationRows(stock.clone())),
        Arc::new(CounterRows(stock.clone())),
        Arc::new(MovementRows(stock.clone())),
        Arc::new(ReceiptRows(stock.clone())),
        Arc::new(HoldRows(stock.clone())),
    ]
}

struct LocationRows(Stock);
struct CounterRows(Stock);
struct MovementRows(Stock);
struct ReceiptRows(Stock);
struct HoldRows(Stock);

/// What is wrong with a SKU, a location and a quantity. Rows of earlier releases stay as they were let in, so this asks for less
/// than a request is asked for.
fn wrong(sku: &str, location: &str, quantity: Option<i64>) -> Option<String> {
    let plain = |text: &str| {
        (1..=64).contains(&text.chars().count()) && text.trim() == text && !text.chars().any(char::is_control)
    };
    let good = plain(sku)
        && code_is_good(location)
        && quantity.is_none_or(|quantity| (1..=QUANTITY_MAX).contains(&quantity));
    (!good).then(|| format!("{sku:?} at {location:?}, {} units", quantity.unwrap_or(0)))
}

fn code_is_good(code: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&code.len()) && code.bytes().all(plain)
}

#[async_trait]
impl Examine for LocationRows {
    fn table(&self) -> &'static str {
        "locations"
    }

    async fn page(&self, _: Option<&str>, _: u32) -> Result<Examined> {
        let rows = self.0.stored_locations().await?;
        let mut examined = Examined { rows: rows.len(), ..Examined::default() };
        let codes: BTreeSet<&str> = rows.iter().map(|row| row.str("code")).collect::<Result<_>>()?;
        examined.expects(codes.contains("main"), "location main", "the location of the start", "none");
        for row in &rows {
            let (code, name) = (row.str("code")?, row.text("display_name")?);
            let at = format!("location {code}");
            let named = (1..=100).contains(&name.chars().count());
            examined.expects(named && code_is_good(code), &at, "a code and a name that may be", &name);
            let created = row.timestamp("created_at")?;
            let at_start = code == "main" && created.micros() == 0;
            examined.expects(at_start || created.micros() > 0, &at, "a time of its making", created);
        }
        Ok(examined)
    }
}

#[async_trait]
impl Examine for CounterRows {
    fn table(&self) -> &'static str {
        "stock"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let locations = self.0.location_codes().await?;
        let page = self.0.list_counters(&place_after(after)?, limit).await?;
        let mut examined = Examined { rows: page.items.len(), next: page.next, ..Examined::default() };
        for (Place { sku, location }, counter) in &page.items {
            let row = format!("stock {sku}@{location}");
            if let Some(problem) = wrong(sku, location, None) {
                examined.finds(&row, "a SKU and a location that may be", problem);
            }
            examined.expects(locations.contains(location), &row, "a location that there is", location);
            examined.expects(counter.version > 0, &row, "a version from 1", counter.version);
        }
        Ok(examined)
    }
}

#[async_trait]
impl Examine for MovementRows {
    fn table(&self) -> &'static str {
        "movements"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let page = self.0.list_movements(None, &place_after(after)?, limit).await?;
        let held = |entry: &&Entry| of_hold(entry.kind);
        let ids = page.items.iter().filter(held).map(|entry| entry.reference.as_str()).collect();
        let holds = self.0.holds_of(&ids).await?;
        let mut examined = Examined { rows: page.items.len(), next: page.next, ..Examined::default() };
        for entry in &page.items {
            examine_movement(entry, holds.get(&entry.reference), &mut examined);
        }
        Ok(examined)
    }
}

fn of_hold(kind: MovementKind) -> bool {
    use MovementKind::{Expired, Held, Released, Returned, Sold};
    matches!(kind, Held | Released | Expired | Sold | Returned)
}

fn examine_movement(entry: &Entry, hold: Option<&Hold>, examined: &mut Examined) {
    let Entry { place, number, kind, quantity, reference, time, .. } = entry;
    let row = format!("movement {number} of {}@{}", place.sku, place.location);
    let signed = *kind == MovementKind::Adjusted;
    let good = *quantity > 0 || (signed && *quantity != 0);
    examined.expects(good, &row, "a quantity of its kind", quantity);
    let length = reference.chars().count();
    let named = length > 0 || matches!(kind, MovementKind::Adjusted | MovementKind::WrittenOff);
    let good = named && length <= REFERENCE_CHARS_MAX;
    examined.expects(good, &row, "what caused it, at most 200 characters", reference);
    examined.expects(time.micros() > 0, &row, "the time of its commit", time);
    if *kind == MovementKind::Received {
        let content = receipt_content(&place.sku, &place.location, *quantity, *time);
        let fact = Fact::new("received", reference.clone()).content(content.as_bytes()).about(&content);
        examined.facts.push(fact);
    }
    if let Some(hold) = hold {
        let expected = match (kind, hold.state) {
            (MovementKind::Held, _) => Some(hold.created),
            // The sale of a hold that was returned since has a time that nothing else keeps.
            (MovementKind::Sold, HoldState::Returned) => None,
            _ => Some(hold.updated),
        };
        if let Some(expected) = expected {
            examined.expects(*time == expected, &row, format!("{expected}, as {} says", hold.id), time);
        }
    }
    let (change, _) = kind.change(*quantity);
    let (before, after) = (Band::of(entry.on_hand.saturating_sub(change)), Band::of(entry.on_hand));
    if before != after {
        let key = format!("{}@{}/{number}", place.sku, place.location);
        examined.facts.push(Fact::new("band units", key.clone()).content(&entry.on_hand.to_be_bytes()));
        let content = band_content(before as i32, after as i32);
        let band = Fact::new("band", key).content(content.as_bytes()).about(&content);
        examined.facts.push(band.at(*time));
    }
}

fn receipt_content(sku: &str, location: &str, quantity: i64, time: Timestamp) -> String {
    format!("{quantity} of {sku} at {location}, {time}")
}

fn band_content(before: i32, after: i32) -> String {
    format!("band {before} to {after}")
}

#[async_trait]
impl Examine for ReceiptRows {
    fn table(&self) -> &'static str {
        "receipts"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let rows = self.0.stored_receipts(after.unwrap_or_default(), limit).await?;
        let locations = self.0.location_codes().await?;
        let mut examined = Examined { rows: rows.len(), ..Examined::default() };
        for row in &rows {
            let (reference, sku, location) = (row.text("reference")?, row.str("sku")?, row.str("location")?);
            let (quantity, time) = (row.int("quantity")?, row.timestamp("received_at")?);
            let at = format!("receipt {reference}");
            if let Some(problem) = wrong(sku, location, Some(quantity)) {
                examined.finds(&at, "a SKU, a location and a quantity that may be", problem);
            }
            examined.expects(locations.contains(location), &at, "a location that there is", location);
            let content = receipt_content(sku, location, quantity, time);
            let fact = Fact::new("receipt", reference).content(content.as_bytes()).about(&content);
            examined.facts.push(fact);
        }
        examined.next = last_of(&rows, limit, "reference")?;
        Ok(examined)
    }
}

#[async_trait]
impl Examine for HoldRows {
    fn table(&self) -> &'static str {
        "holds"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let limit = limit.min(HOLDS_MAX);
        let rows = self.0.stored_holds(after.unwrap_or_default(), limit).await?;
        let mut examined = Examined { rows: rows.len(), ..Examined::default() };
        for row in &rows {
            let at = row.text("id")?;
            match hold_of(row) {
                Ok(hold) => {
                    examine_hold(&at, &hold, row.opt_timestamp("sweep_at")?, &mut examined);
                }
                Err(error) => examined.finds(at, "a hold that reads", format!("{error:?}")),
            }
        }
        examined.next = last_of(&rows, limit, "id")?;
        Ok(examined)
    }
}

fn examine_hold(at: &str, hold: &Hold, sweep: Option<Timestamp>, examined: &mut Examined) {
    let Hold { state, created, expires, limit, updated, .. } = *hold;
    let order = created < expires && expires <= limit;
    let found = format!("made {created}, expires {expires}, at most {limit}");
    examined.expects(order, at, "made, expires and its limit in this order", found);
    let wanted = (state == HoldState::Held).then_some(expires);
    let told = |time: Option<Timestamp>| time.map_or("never".to_owned(), |time| time.to_string());
    examined.expects(sweep == wanted, at, format!("looked at {}", told(wanted)), told(sweep));
    // Times are those of one clock, which may go back: only what a commit compared is certain.
    let in_time = match state {
        HoldState::Committed => updated < expires,
        // What a clock made that was ahead is expired before its time.
        HoldState::Expired => updated >= expires || hold.is_astray(updated),
        _ => true,
    };
    let found = format!("{} at {updated}, expires {expires}", state.number());
    examined.expects(in_time, at, "an end on its side of the expiry", found);
    let least = match state {
        HoldState::Held => 1,
        HoldState::Returned => 3,
        _ => 2,
    };
    examined.expects(hold.version >= least, at, format!("a version from {least}"), hold.version);
    let untouched = hold.version > 1 || updated == created;
    examined.expects(untouched, at, format!("changed when it was made, {created}"), updated);
    let mut ids = BTreeSet::new();
    examined.expects(!hold.lines.is_empty(), at, "lines", "none");
    for line in &hold.lines {
        if let Some(problem) = wrong(&line.sku, &line.location, Some(line.quantity)) {
            examined.finds(at, "lines that may be", problem);
        }
        let fresh = !line.line.is_empty() && ids.insert(&line.line);
        examined.expects(fresh, at, "lines with ids of their own", &line.line);
    }
    let mut lines: Vec<String> =
        hold.lines.iter().map(|line| format!("{} {} {}", line.line, line.quantity, line.sku)).collect();
    lines.sort_unstable();
    let content = lines.join("; ");
    let lines = Fact::new("lines", hold.order.to_string()).content(content.as_bytes()).about(&content);
    examined.facts.push(lines);
}

fn last_of(rows: &[Row], limit: u32, column: &str) -> Result<Option<String>> {
    let last = last_of_full_page(rows, limit);
    last.map(|row| row.text(column)).transpose()
}

fn place_after(after: Option<&str>) -> Result<After> {
    after.map_or_else(
        || Ok(After::default()),
        |after| serde_json::from_str(after).map_err(kernel::Error::internal),
    )
}

/// What an event of this service says: the band that a movement crossed.
///
/// # Errors
/// When it is about another counter than it says.
pub fn describe(event: &StoredEvent) -> std::result::Result<Vec<Fact>, String> {
    let stored = &event.event;
    let mut facts = Vec::new();
    if stored.type_name == StockBandChanged::full_name() {
        let told = StockBandChanged::decode(stored.payload.as_slice()).map_err(|error| error.to_string())?;
        let about = format!("{}@{}", told.sku, told.location);
        if about != stored.aggregate_id {
            return Err(format!("{about} in an event of {}", stored.aggregate_id));
        }
        let content = band_content(told.before, told.after);
        let key = format!("{about}/{}", told.version);
        // Events of earlier releases may tell what another movement left.
        if told.exact {
            let units = Fact::new("band units event", key.clone()).content(&told.available.to_be_bytes());
            facts.push(units.about(&format!("{} left", told.available)));
        }
        facts.push(Fact::new("band event", key).content(content.as_bytes()).about(&content));
        facts.push(Fact::new("event", about).version(told.version).state("log"));
    }
    Ok(facts)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kernel::OrderId;

    use super::*;
    use crate::domain::{AHEAD_MAX, HoldLine, Terms, new_hold};

    const NOW: Timestamp = Timestamp::from_secs(2_000_000_000);

    /// A hold that was made at a time and expired now.
    fn expired(created: Timestamp) -> Vec<chassis::audit::Finding> {
        let terms = Terms { usual: Duration::from_secs(900), longest: Duration::from_secs(3_600) };
        let line = HoldLine { line: "l1".into(), sku: "a".into(), location: String::new(), quantity: 1 };
        let hold = new_hold(OrderId::from_bits(1), vec![line], None, terms, created).expect("a hold");
        let hold = Hold { state: HoldState::Expired, updated: NOW, version: 2, ..hold };
        let mut examined = Examined::default();
        examine_hold("hold", &hold, None, &mut examined);
        examined.findings
    }

    #[test]
    fn a_hold_of_a_clock_that_was_ahead_may_expire_before_its_time() {
        let year = Duration::from_secs(365 * 86_400);
        assert_eq!(expired(NOW.plus(year)), [], "the sweeper expires it early");
        assert_eq!(expired(NOW.minus(year)), []);
        for early in [Duration::from_secs(60), AHEAD_MAX] {
            assert_eq!(expired(NOW.plus(early)).len(), 1, "nothing expires it early");
        }
    }

    fn facts(exact: bool, available: i64) -> Vec<Fact> {
        let told = StockBandChanged {
            sku: "bowl".into(),
            location: "main".into(),
            before: 4,
            after: 3,
            available,
            version: 7,
            exact,
        };
        let event = chassis::event("bowl@main", 7, &told);
        let id = kernel::EventId::from_bits(1);
        let stored = StoredEvent { position: store::Position::START, id, time: NOW, event };
        describe(&stored).expect("facts")
    }

    #[test]
    fn what_a_band_event_says_is_left_counts_where_it_is_exact() {
        let place = Place { sku: "bowl".into(), location: "main".into() };
        let movement = Entry {
            place,
            number: 7,
            kind: MovementKind::WrittenOff,
            quantity: 2,
            reference: "r".into(),
            time: NOW,
            on_hand: 20,
            held: 0,
        };
        let mut examined = Examined::default();
        examine_movement(&movement, None, &mut examined);
        let of = |facts: &[Fact], set: &str| {
            facts.iter().find(|fact| fact.set == set).map(|fact| fact.digest.clone())
        };
        let (band, units) = (of(&examined.facts, "band"), of(&examined.facts, "band units"));
        assert!(band.is_some() && units.is_some());
        for available in [20, 19] {
            let old = facts(false, available);
            assert_eq!((of(&old, "band event"), of(&old, "band units event")), (band.clone(), None));
            let exact = facts(true, available);
            assert_eq!(of(&exact, "band event"), band);
            assert_eq!(of(&exact, "band units event") == units, available == 20);
        }
    }
}
