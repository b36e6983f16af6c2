//! Domain words to the wire and back.

use std::collections::BTreeSet;

use contract::souk::shipping::v1;
use contract::wire::{self, parse_country, parse_currency, parse_enum};
use kernel::{Currency, Error, Result, Violations};
use prost::Message;

use crate::domain::rates::{COUNTRIES_MAX, Offer};
use crate::domain::{Band, Basis, Method, MethodRate, RateTable, ShipmentState, Step, Zone};
use crate::store::{Kept, Rates};

/// One way to send a parcel.
pub fn offer(offer: Offer) -> v1::ShippingOption {
    v1::ShippingOption {
        method: offer.method,
        name: offer.name,
        carrier: offer.carrier,
        price: Some(wire::money(offer.price)),
        days_min: count(offer.days_min),
        days_max: count(offer.days_max),
        zone: offer.zone,
        staff_only: offer.staff_only,
    }
}

fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// All rates.
pub fn rates(rates: &Rates) -> v1::RateTable {
    let zone = |zone: &Zone| v1::Zone {
        code: zone.code.clone(),
        name: zone.name.clone(),
        country_codes: zone.countries.iter().cloned().collect(),
        rest_of_world: zone.rest_of_world,
    };
    let method = |method: &Method| v1::Method {
        code: method.code.clone(),
        name: method.name.clone(),
        carrier: method.carrier.clone(),
        staff_only: method.staff_only,
        free: method.free,
        rates: method.rates.iter().map(rate).collect(),
    };
    v1::RateTable {
        version: rates.version,
        zones: rates.table.zones.iter().map(zone).collect(),
        methods: rates.table.methods.iter().map(method).collect(),
    }
}

fn rate(rate: &MethodRate) -> v1::MethodRate {
    let basis = match rate.basis {
        Basis::Weight => v1::RateBasis::Weight,
        Basis::Price => v1::RateBasis::Price,
    };
    let band = |band: &Band| v1::Band { up_to: band.up_to.unwrap_or(0), price_minor_units: band.price };
    v1::MethodRate {
        zone: rate.zone.clone(),
        currency_code: rate.currency.code().to_owned(),
        basis: basis.into(),
        bands: rate.bands.iter().map(band).collect(),
        days_min: count(rate.days_min),
        days_max: count(rate.days_max),
    }
}

/// Reads and checks a table of rates; every wrong field is named.
///
/// # Errors
/// `INVALID_ARGUMENT`, pointers begin with `/rates`.
pub fn parse_rates(table: &v1::RateTable) -> Result<RateTable> {
    let mut wrong = Violations::new();
    let mut zones = Vec::new();
    for (at, zone) in table.zones.iter().enumerate().take(crate::domain::rates::ZONES_MAX + 1) {
        zones.push(parse_zone(&mut wrong, &format!("/rates/zones/{at}"), zone));
    }
    let mut methods = Vec::new();
    for (at, method) in table.methods.iter().enumerate().take(crate::domain::rates::METHODS_MAX + 1) {
        let pointer = format!("/rates/methods/{at}/rates");
        let mut rates = Vec::new();
        for (at, rate) in method.rates.iter().enumerate().take(crate::domain::rates::RATES_MAX + 1) {
            rates.extend(parse_rate(&mut wrong, &format!("{pointer}/{at}"), rate));
        }
        methods.push(Method {
            code: method.code.clone(),
            name: method.name.trim().to_owned(),
            carrier: method.carrier.trim().to_owned(),
            staff_only: method.staff_only,
            free: method.free,
            rates,
        });
    }
    wrong.finish()?;
    let table = RateTable { zones, methods };
    table.check()?;
    Ok(table)
}

fn parse_zone(wrong: &mut Violations, pointer: &str, zone: &v1::Zone) -> Zone {
    let pointer = format!("{pointer}/country_codes");
    let few = zone.country_codes.len() <= COUNTRIES_MAX;
    wrong.check(few, &pointer, format!("has more than {COUNTRIES_MAX} countries"));
    let mut countries = BTreeSet::new();
    for (at, country) in zone.country_codes.iter().enumerate().take(COUNTRIES_MAX) {
        countries.extend(wrong.take("", parse_country(&format!("{pointer}/{at}"), country)));
    }
    Zone { code: zone.code.clone(), name: zone.name.trim().to_owned(), countries, rest_of_world: zone.rest_of_world }
}

fn parse_rate(wrong: &mut Violations, pointer: &str, rate: &v1::MethodRate) -> Option<MethodRate> {
    let currency: Option<Currency> = wrong.take("", parse_currency(&format!("{pointer}/currency_code"), &rate.currency_code));
    let basis: Option<v1::RateBasis> = wrong.take("", parse_enum(&format!("{pointer}/basis"), rate.basis));
    let mut days = |name: &str, days: i32| {
        let days = u32::try_from(days).ok();
        wrong.check(days.is_some(), format!("{pointer}/{name}"), "must not be negative");
        days
    };
    let (days_min, days_max) = (days("days_min", rate.days_min)?, days("days_max", rate.days_max)?);
    for (at, band) in rate.bands.iter().enumerate() {
        wrong.check(band.up_to >= 0, format!("{pointer}/bands/{at}/up_to"), "must not be negative");
    }
    let band = |band: &v1::Band| Band { up_to: Some(band.up_to).filter(|up_to| *up_to != 0), price: band.price_minor_units };
    Some(MethodRate {
        zone: rate.zone.clone(),
        currency: currency?,
        basis: if basis? == v1::RateBasis::Price { Basis::Price } else { Basis::Weight },
        bands: rate.bands.iter().map(band).collect(),
        days_min,
        days_max,
    })
}

/// Where a shipment stands.
pub fn state(state: ShipmentState) -> v1::ShipmentState {
    match state {
        ShipmentState::Pending => v1::ShipmentState::Pending,
        ShipmentState::LabelCreated => v1::ShipmentState::LabelCreated,
        ShipmentState::InTransit => v1::ShipmentState::InTransit,
        ShipmentState::OutForDelivery => v1::ShipmentState::OutForDelivery,
        ShipmentState::Delivered => v1::ShipmentState::Delivered,
        ShipmentState::Lost => v1::ShipmentState::Lost,
        ShipmentState::Returned => v1::ShipmentState::Returned,
        ShipmentState::Cancelled => v1::ShipmentState::Cancelled,
    }
}

/// Reads a state.
///
/// # Errors
/// `INVALID_ARGUMENT` at `/state`.
pub fn parse_state(value: i32) -> Result<ShipmentState> {
    let wanted: v1::ShipmentState = parse_enum("/state", value)?;
    let found = ShipmentState::ALL.into_iter().find(|known| state(*known) == wanted);
    found.ok_or_else(|| Error::field("/state", "INVALID_ARGUMENT", "is not known"))
}

/// What is frozen in a shipment, as it is kept.
pub fn contents(destination: Option<contract::souk::r#type::v1::Address>, lines: Vec<v1::ShipmentLine>) -> Vec<u8> {
    v1::Shipment { destination, lines, ..v1::Shipment::default() }.encode_to_vec()
}

/// A shipment with its history, which may be left out.
///
/// # Errors
/// `INTERNAL` when what is kept cannot be read.
pub fn shipment(kept: &Kept, history: &[Step]) -> Result<v1::Shipment> {
    let frozen = v1::Shipment::decode(kept.contents.as_slice()).map_err(Error::internal)?;
    let shipment = &kept.shipment;
    let step = |step: &Step| v1::ShipmentEvent {
        state: state(step.state).into(),
        time: Some(wire::timestamp(step.time)),
        note: step.note.clone(),
    };
    Ok(v1::Shipment {
        id: shipment.id.to_string(),
        order_id: shipment.order.to_string(),
        shipment_group_id: shipment.group.to_string(),
        owner_subject: shipment.owner.clone(),
        method: shipment.method.clone(),
        carrier: shipment.carrier.clone(),
        tracking_number: shipment.tracking.clone(),
        state: state(shipment.state).into(),
        destination: frozen.destination,
        lines: frozen.lines,
        history: history.iter().map(step).collect(),
        version: shipment.version,
        create_time: Some(wire::timestamp(shipment.created)),
        update_time: Some(wire::timestamp(shipment.updated)),
    })
}
