//! What an audit checks of the stored rates and shipments, and what it compares with orders and events.

use std::collections::HashMap;
use std::sync::Arc;

use chassis::audit::{Examine, Examined, Fact, last_of_full_page};
use contract::souk::shipping::v1;
use contract::wire::{parse_frozen_address, parse_id};
use kernel::{CustomerId, Error, GuestId, LineId, Result, Violations};
use prost::{Message, Name};
use store::StoredEvent;
use tonic::async_trait;

use crate::domain::shipment::HISTORY_MAX;
use crate::domain::{ShipmentState, Step};
use crate::store::{Books, Kept, StoredShipment, StoredStep};
use crate::wire;

/// Shipments whose histories are read at once: each has up to [`HISTORY_MAX`] steps.
const HISTORIES_IN_QUERY: usize = 40;

/// Shipments read at once: one of a large order has thousands of lines.
const SHIPMENTS_MAX: u32 = 100;

/// The tables of shipping.
pub fn tables(books: &Books) -> [Arc<dyn Examine>; 3] {
    [
        Arc::new(RateRows(books.clone())),
        Arc::new(ShipmentRows(books.clone())),
        Arc::new(StepRows(books.clone())),
    ]
}

struct RateRows(Books);
struct ShipmentRows(Books);
struct StepRows(Books);

#[async_trait]
impl Examine for RateRows {
    fn table(&self) -> &'static str {
        "rates"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let after: i64 = after.map_or(Ok(0), str::parse).map_err(Error::internal)?;
        let rows = self.0.stored_rates(after, limit).await?;
        let mut examined = Examined { rows: rows.len(), ..Examined::default() };
        for ((version, created, body), expected) in rows.iter().zip(after + 1..) {
            let row = format!("rates, version {version}");
            examined.expects(*version == expected, &row, format!("version {expected}"), version);
            examined.expects(created.micros() > 0, &row, "the time of its commit", created);
            match serde_json::from_slice::<crate::domain::RateTable>(body).map_err(|error| error.to_string())
            {
                Ok(mut table) => {
                    if let Err(error) = table.check() {
                        examined.finds(&row, "rates that may be", error.message());
                    }
                }
                Err(problem) => examined.finds(&row, "rates that read", problem),
            }
        }
        examined.next = last_of_full_page(&rows, limit).map(|row| row.0.to_string());
        Ok(examined)
    }
}

#[async_trait]
impl Examine for ShipmentRows {
    fn table(&self) -> &'static str {
        "shipments"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let limit = limit.min(SHIPMENTS_MAX);
        let rows = self.0.stored_shipments(after.unwrap_or_default(), limit).await?;
        let mut examined = Examined { rows: rows.len(), ..Examined::default() };
        for some in rows.chunks(HISTORIES_IN_QUERY) {
            let ids: Vec<&str> = some.iter().map(|row| row.id.as_str()).collect();
            let mut steps: HashMap<String, Vec<StoredStep>> = HashMap::new();
            for step in self.0.stored_steps_of(&ids).await? {
                steps.entry(step.shipment.clone()).or_default().push(step);
            }
            for row in some {
                examine(row, steps.get(&row.id).map_or(&[], Vec::as_slice), &mut examined);
            }
        }
        examined.next = last_of_full_page(&rows, limit).map(|row| row.id.clone());
        Ok(examined)
    }
}

fn examine(row: &StoredShipment, steps: &[StoredStep], examined: &mut Examined) {
    let at = &row.id;
    let kept = match &row.kept {
        Ok(kept) => kept,
        Err(error) => return examined.finds(at, "a shipment that reads", error.clone()),
    };
    let shipment = &kept.shipment;
    let id = wire::shipment_id(shipment.order, shipment.group);
    examined.expects(shipment.id == id, at, format!("{id}, by its order and group"), shipment.id);
    let owned = CustomerId::parse(&shipment.owner).is_ok() || GuestId::parse(&shipment.owner).is_ok();
    examined.expects(owned, at, "an owner cus_… or gst_…", &shipment.owner);
    examined.expects(shipment.created.micros() > 0, at, "the time of its making", shipment.created);
    let history = examine_history(kept, steps, examined);
    let labelled = !matches!(shipment.state, ShipmentState::Pending | ShipmentState::Cancelled);
    let good = !labelled || !shipment.tracking.is_empty();
    examined.expects(good, at, "a carrier's number, as it has a label", "none");
    examine_contents(kept, examined);
    let Some(history) = history else { return };
    match wire::shipment(kept, &history) {
        Ok(whole) => {
            let row = Fact::new("row", at.clone()).version(shipment.version).content(&row_content(&whole));
            examined.facts.push(row.at(shipment.updated));
            let (content, about) = order_content(&whole);
            let state = if shipment.state == ShipmentState::Cancelled { "cancelled" } else { "live" };
            let key = format!("{} {}", shipment.order, shipment.group);
            let fact = Fact::new("shipment", key).content(content.as_bytes()).state(state);
            examined.facts.push(fact.about(&about));
            let key = format!("{} {}", shipment.order, shipment.group);
            examined.facts.push(Fact::new("shipment id", key).content(at.as_bytes()).about(at));
        }
        Err(error) => examined.finds(at, "contents that read", format!("{error:?}")),
    }
}

/// The history, when every step of it reads.
fn examine_history(kept: &Kept, steps: &[StoredStep], examined: &mut Examined) -> Option<Vec<Step>> {
    let shipment = &kept.shipment;
    let at = shipment.id.to_string();
    let mut history =
        vec![Step { state: ShipmentState::Pending, time: shipment.created, note: String::new() }];
    let count = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    let expected = shipment.version - 1;
    examined.expects(count == expected, &at, format!("{expected} steps after its making"), count);
    examined.expects(
        (1..=HISTORY_MAX).contains(&shipment.version),
        &at,
        "a version of 1 to 200",
        shipment.version,
    );
    for (stored, version) in steps.iter().zip(2..) {
        let row = format!("step {} of {at}", stored.version);
        examined.expects(stored.version == version, &row, format!("version {version}"), stored.version);
        let state = match ShipmentState::parse(&stored.state) {
            Ok(state) => state,
            Err(error) => {
                examined.finds(&row, "a state that there is", format!("{error:?}"));
                return None;
            }
        };
        let before = history.last().map_or(ShipmentState::Pending, |step| step.state);
        let sighting = state == before && !before.is_terminal();
        let found = format!("{} after {}", state.as_str(), before.as_str());
        examined.expects(sighting || before.may_become(state), &row, "a state that can follow", found);
        history.push(Step { state, time: stored.time, note: stored.note.clone() });
    }
    if let Some(last) = history.last() {
        let found = format!("{} at {}", shipment.state.as_str(), shipment.updated);
        let good = last.state == shipment.state && last.time == shipment.updated;
        let expected = format!("{} at {}, as its last step", last.state.as_str(), last.time);
        examined.expects(good, &at, expected, found);
    }
    Some(history)
}

/// What is frozen in it: an address and lines, as they were encoded.
fn examine_contents(kept: &Kept, examined: &mut Examined) {
    let at = kept.shipment.id.to_string();
    let Ok(frozen) = v1::Shipment::decode(kept.contents.as_slice()) else { return };
    let canonical = frozen.encode_to_vec() == kept.contents;
    examined.expects(canonical, &at, "contents as they were encoded", "other bytes");
    let mut wrong = Violations::new();
    // Rules for addresses change; an address that was let in once stays good.
    let placed = frozen.destination.as_ref().is_some_and(|address| address.country_code.len() == 2);
    wrong.check(placed, "destination", "has no country");
    wrong.check(!frozen.lines.is_empty(), "lines", "has none");
    for line in &frozen.lines {
        wrong.take("", parse_id::<LineId>("line_id", &line.line_id));
        wrong.check(line.quantity > 0 && !line.sku.is_empty(), "lines", "has one without a SKU or units");
    }
    if let Err(error) = wrong.finish() {
        examined.finds(&at, "contents that may be", format!("{error:?}"));
    }
}

#[async_trait]
impl Examine for StepRows {
    fn table(&self) -> &'static str {
        "shipment steps"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let after = match after.and_then(|after| after.split_once(' ')) {
            Some((id, version)) => (id.to_owned(), version.parse().map_err(Error::internal)?),
            None => (String::new(), 0),
        };
        let rows = self.0.stored_steps((&after.0, after.1), limit).await?;
        let mut examined = Examined { rows: rows.len(), ..Examined::default() };
        for (step, is_of_shipment) in &rows {
            let row = format!("step {} of {}", step.version, step.shipment);
            examined.expects(*is_of_shipment, &row, "its shipment", "none");
            examined.expects(step.time.micros() > 0, &row, "the time of its commit", step.time);
        }
        let last = last_of_full_page(&rows, limit);
        examined.next = last.map(|(step, _)| format!("{} {}", step.shipment, step.version));
        Ok(examined)
    }
}

/// What a shipment and its newest event say alike. Named field by field, so that a field that is added later does not
/// make older events differ.
fn row_content(shipment: &v1::Shipment) -> Vec<u8> {
    v1::Shipment {
        id: shipment.id.clone(),
        order_id: shipment.order_id.clone(),
        shipment_group_id: shipment.shipment_group_id.clone(),
        owner_subject: shipment.owner_subject.clone(),
        method: shipment.method.clone(),
        carrier: shipment.carrier.clone(),
        tracking_number: shipment.tracking_number.clone(),
        state: shipment.state,
        destination: shipment.destination.clone(),
        lines: shipment.lines.clone(),
        history: shipment.history.clone(),
        version: shipment.version,
        create_time: shipment.create_time,
        update_time: shipment.update_time,
    }
    .encode_to_vec()
}

/// What a shipment and its order say alike, and its goods for people.
fn order_content(shipment: &v1::Shipment) -> (String, String) {
    let mut lines: Vec<String> = (shipment.lines.iter())
        .map(|line| format!("{} {} {}", line.line_id, line.quantity, line.sku))
        .collect();
    lines.sort_unstable();
    let goods = lines.join("; ");
    let destination = parse_frozen_address("", &shipment.destination).ok();
    let destination = destination.map(|address| format!("{:?}", address.encode_to_vec()));
    let content = format!(
        "{}|{}|{}|{}",
        shipment.owner_subject,
        shipment.method,
        destination.unwrap_or_default(),
        goods
    );
    (content, format!("{}, {}: {goods}", shipment.owner_subject, shipment.method))
}

/// What an event of this service says of its shipment.
///
/// # Errors
/// When it is about another shipment than it says.
pub fn describe(event: &StoredEvent) -> std::result::Result<Vec<Fact>, String> {
    let stored = &event.event;
    let shipment = if stored.type_name == v1::ShipmentCreated::full_name() {
        v1::ShipmentCreated::decode(stored.payload.as_slice()).map(|event| event.shipment)
    } else if stored.type_name == v1::ShipmentUpdated::full_name() {
        v1::ShipmentUpdated::decode(stored.payload.as_slice()).map(|event| event.shipment)
    } else {
        return Ok(Vec::new());
    };
    let shipment = shipment.map_err(|error| error.to_string())?.ok_or("no shipment in it")?;
    if shipment.id != stored.aggregate_id {
        return Err(format!("{} in an event of {}", shipment.id, stored.aggregate_id));
    }
    let fact = Fact::new("event", shipment.id.clone()).version(shipment.version);
    Ok(vec![fact.content(&row_content(&shipment))])
}
