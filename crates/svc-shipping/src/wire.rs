//! Domain words to the wire and back.

use std::collections::BTreeSet;

use contract::souk::shipping::v1;
use contract::wire::{self, parse_country, parse_currency, parse_enum, parse_frozen_address, parse_id};
use kernel::{
    Currency, CustomerId, Error, GuestId, LineId, OrderId, Result, ShipmentGroupId, ShipmentId, Timestamp,
    Violations,
};
use prost::Message;
use sha2::{Digest, Sha256};

use crate::domain::rates::{COUNTRIES_MAX, Offer};
use crate::domain::{Band, Basis, Method, MethodRate, RateTable, Shipment, ShipmentState, Step, Zone};
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
            name: method.name.clone(),
            carrier: method.carrier.clone(),
            staff_only: method.staff_only,
            free: method.free,
            rates,
        });
    }
    wrong.finish()?;
    let mut table = RateTable { zones, methods };
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
    Zone { code: zone.code.clone(), name: zone.name.clone(), countries, rest_of_world: zone.rest_of_world }
}

fn parse_rate(wrong: &mut Violations, pointer: &str, rate: &v1::MethodRate) -> Option<MethodRate> {
    let currency: Option<Currency> =
        wrong.take("", parse_currency(&format!("{pointer}/currency_code"), &rate.currency_code));
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
    let band = |band: &v1::Band| Band {
        up_to: Some(band.up_to).filter(|up_to| *up_to != 0),
        price: band.price_minor_units,
    };
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

/// The most lines of a shipment.
const LINES_MAX: usize = 2_000;
/// The most options of a line.
const OPTIONS_MAX: usize = 10;
/// Characters of a product's name, and of the name and value of an option. Above what product takes, since an order that was
/// accepted must also be sent.
const NAME_CHARS_MAX: usize = 300;
/// The most units of a line.
const QUANTITY_MAX: i64 = 1_000_000_000;

/// The id of the shipment of a group: the order's time, then a hash of both. So there is one, whoever asks and how often.
pub fn shipment_id(order: OrderId, group: ShipmentGroupId) -> ShipmentId {
    let digest = Sha256::new().chain_update(order.to_string()).chain_update(group.to_string()).finalize();
    let hash = digest.iter().take(10).fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte));
    ShipmentId::from_bits((order.bits() >> 80 << 80) | hash)
}

/// A new shipment from a request.
///
/// # Errors
/// `INVALID_ARGUMENT` naming every wrong field.
pub fn parse_shipment(request: v1::CreateShipmentRequest, now: Timestamp) -> Result<Kept> {
    let mut wrong = Violations::new();
    let order = wrong.take("", parse_id::<OrderId>("/order_id", &request.order_id));
    let group = wrong.take("", parse_id::<ShipmentGroupId>("/shipment_group_id", &request.shipment_group_id));
    let owner = &request.owner_subject;
    let owned = CustomerId::parse(owner).is_ok() || GuestId::parse(owner).is_ok();
    wrong.check(owned, "/owner_subject", "must be the id of a customer or a guest, cus_… or gst_…");
    let method = wrong.text("/method", &request.method, 32);
    let destination = wrong.take("", parse_frozen_address("/destination", &request.destination));
    let some = (1..=LINES_MAX).contains(&request.lines.len());
    wrong.check(some, "/lines", format!("must have 1 to {LINES_MAX} lines"));
    for (at, line) in request.lines.iter().enumerate().take(LINES_MAX) {
        wrong.take("", parse_id::<LineId>(&format!("/lines/{at}/line_id"), &line.line_id));
        wrong.text(&format!("/lines/{at}/sku"), &line.sku, 64);
        let good = (1..=QUANTITY_MAX).contains(&line.quantity);
        wrong.check(good, format!("/lines/{at}/quantity"), format!("must be between 1 and {QUANTITY_MAX}"));
        let fits = |text: &str| text.chars().count() <= NAME_CHARS_MAX;
        let long = format!("has more than {NAME_CHARS_MAX} characters");
        wrong.check(fits(&line.name), format!("/lines/{at}/name"), &*long);
        let few = line.options.len() <= OPTIONS_MAX;
        wrong.check(few, format!("/lines/{at}/options"), format!("has more than {OPTIONS_MAX} options"));
        for (n, option) in line.options.iter().enumerate().take(OPTIONS_MAX) {
            wrong.check(fits(&option.name), format!("/lines/{at}/options/{n}/name"), &*long);
            wrong.check(fits(&option.value), format!("/lines/{at}/options/{n}/value"), &*long);
        }
    }
    wrong.finish()?;
    let (Some(order), Some(group), Some(destination)) = (order, group, destination) else {
        return Err(Error::internal("a checked request lacks a field"));
    };
    let shipment = Shipment {
        id: shipment_id(order, group),
        order,
        group,
        owner: request.owner_subject,
        method,
        carrier: String::new(),
        tracking: String::new(),
        state: ShipmentState::Pending,
        version: 1,
        created: now,
        updated: now,
    };
    Ok(Kept { shipment, contents: contents(Some(destination), request.lines) })
}

/// What is frozen in a shipment, as it is kept.
fn contents(
    destination: Option<contract::souk::r#type::v1::Address>,
    lines: Vec<v1::ShipmentLine>,
) -> Vec<u8> {
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
