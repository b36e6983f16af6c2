//! Words of this service for the wire.

use std::collections::BTreeMap;

use contract::souk::inventory::v1 as wire;
use contract::wire::timestamp;
use kernel::Error;
use store::NewEvent;

use crate::domain::{Band, Counter, Crossing, Hold, HoldState, MovementKind, Place, Shortage};
use crate::store::{Balance, Entry, Location, Totals};

/// Shortages that an error names at most; an error has little room.
const SHORTAGES_MAX: usize = 50;

/// The event of a crossed band.
pub fn announce(place: &Place, crossing: &Crossing) -> NewEvent {
    let message = wire::StockBandChanged {
        sku: place.sku.clone(),
        location: place.location.clone(),
        before: band(crossing.before).into(),
        after: band(crossing.after).into(),
        available: crossing.available,
        version: crossing.version,
        exact: true,
    };
    chassis::event(format!("{}@{}", place.sku, place.location), crossing.version, &message)
}

/// The refusal of a hold that wants more than is left.
pub fn out_of_stock(shortages: &[Shortage]) -> Error {
    let told = &shortages[..shortages.len().min(SHORTAGES_MAX)];
    let json = match serde_json::to_string(told) {
        Ok(json) => json,
        Err(error) => return Error::internal(error),
    };
    Error::precondition("OUT_OF_STOCK", "there is less in stock than the order wants")
        .with("shortages", json)
        .with("shortages_total", shortages.len().to_string())
}

fn band(band: Band) -> wire::StockBand {
    match band {
        Band::None => wire::StockBand::None,
        Band::Few => wire::StockBand::Few,
        Band::Some => wire::StockBand::Some,
        Band::Many => wire::StockBand::Many,
    }
}

fn movement_kind(kind: MovementKind) -> wire::MovementKind {
    match kind {
        MovementKind::Received => wire::MovementKind::Received,
        MovementKind::Held => wire::MovementKind::Held,
        MovementKind::Released => wire::MovementKind::Released,
        MovementKind::Expired => wire::MovementKind::Expired,
        MovementKind::Sold => wire::MovementKind::Sold,
        MovementKind::Returned => wire::MovementKind::Returned,
        MovementKind::WrittenOff => wire::MovementKind::WrittenOff,
        MovementKind::Adjusted => wire::MovementKind::Adjusted,
    }
}

fn hold_state(state: HoldState) -> wire::HoldState {
    match state {
        HoldState::Held => wire::HoldState::Held,
        HoldState::Committed => wire::HoldState::Committed,
        HoldState::Released => wire::HoldState::Released,
        HoldState::Expired => wire::HoldState::Expired,
        HoldState::Returned => wire::HoldState::Returned,
    }
}

/// A state from the wire; `None` when it is not said.
pub fn parse_state(state: i32) -> kernel::Result<Option<HoldState>> {
    if state == 0 {
        return Ok(None);
    }
    Ok(Some(match contract::wire::parse_enum("/state", state)? {
        wire::HoldState::Held => HoldState::Held,
        wire::HoldState::Committed => HoldState::Committed,
        wire::HoldState::Released => HoldState::Released,
        wire::HoldState::Expired => HoldState::Expired,
        wire::HoldState::Returned => HoldState::Returned,
        wire::HoldState::Unspecified => return Ok(None),
    }))
}

/// What is left of a SKU, from its counters.
pub fn stock(sku: &str, counters: &BTreeMap<Place, Counter>) -> wire::Stock {
    let first = Place::new(sku, "");
    let own = counters.range(first..).take_while(|(place, _)| place.sku == sku);
    let locations: Vec<_> = own
        .map(|(place, counter)| wire::LocationStock {
            location: place.location.clone(),
            available: counter.on_hand,
        })
        .collect();
    let available = locations.iter().map(|location| location.available).sum();
    wire::Stock { sku: sku.to_owned(), available, band: band(Band::of(available)).into(), locations }
}

/// A counter.
pub fn counter(place: &Place, counter: Counter) -> wire::StockCounter {
    wire::StockCounter {
        sku: place.sku.clone(),
        location: place.location.clone(),
        on_hand: counter.on_hand,
        held: counter.held,
        version: counter.version,
    }
}

/// A counter beside its ledger.
pub fn balance(balance: &Balance) -> wire::SkuBalance {
    let counter = balance.counter.unwrap_or_default();
    wire::SkuBalance {
        sku: balance.place.sku.clone(),
        location: balance.place.location.clone(),
        counted: balance.counter.is_some(),
        on_hand: counter.on_hand,
        held: counter.held,
        version: counter.version,
        movements: balance.movements,
        received: balance.of(MovementKind::Received),
        placed: balance.of(MovementKind::Held),
        released: balance.of(MovementKind::Released),
        expired: balance.of(MovementKind::Expired),
        sold: balance.of(MovementKind::Sold),
        returned: balance.of(MovementKind::Returned),
        written_off: balance.of(MovementKind::WrittenOff),
        adjusted: balance.of(MovementKind::Adjusted),
    }
}

/// Sums over everything.
pub fn totals(totals: &Totals) -> wire::StockTotals {
    wire::StockTotals {
        received: totals.of(MovementKind::Received),
        sold: totals.of(MovementKind::Sold),
        returned: totals.of(MovementKind::Returned),
        written_off: totals.of(MovementKind::WrittenOff),
        adjusted: totals.of(MovementKind::Adjusted),
        on_hand: totals.counters.on_hand,
        held: totals.counters.held,
        counters: totals.counter_count,
        movements: totals.movements,
    }
}

/// A row of the ledger.
pub fn movement(entry: &Entry) -> wire::Movement {
    wire::Movement {
        sku: entry.place.sku.clone(),
        location: entry.place.location.clone(),
        number: entry.number,
        kind: movement_kind(entry.kind).into(),
        quantity: entry.quantity,
        on_hand: entry.on_hand,
        held: entry.held,
        reference: entry.reference.clone(),
        time: Some(timestamp(entry.time)),
    }
}

/// A location.
pub fn location(location: &Location) -> wire::Location {
    wire::Location {
        code: location.code.clone(),
        display_name: location.display_name.clone(),
        create_time: Some(timestamp(location.created)),
    }
}

/// A hold.
pub fn hold(hold: Hold) -> wire::Hold {
    let line = |line: crate::domain::HoldLine| wire::HoldLine {
        line_id: line.line,
        sku: line.sku,
        location: line.location,
        quantity: line.quantity,
    };
    wire::Hold {
        hold_id: hold.id.to_string(),
        order_id: hold.order.to_string(),
        state: hold_state(hold.state).into(),
        lines: hold.lines.into_iter().map(line).collect(),
        create_time: Some(timestamp(hold.created)),
        expire_time: Some(timestamp(hold.expires)),
        limit_time: Some(timestamp(hold.limit)),
        update_time: Some(timestamp(hold.updated)),
        version: hold.version,
    }
}
