//! Countries of a file as destinations of a shop.

use std::collections::BTreeSet;

use contract::souk::shipping::v1::shipping_service_client::ShippingServiceClient;
use contract::souk::shipping::v1::{GetRatesRequest, RateTable, SetRatesRequest, Zone};
use kernel::country::UNKNOWN;
use super::import::request_id;
use crate::client::{CallError, Shop};
use crate::console::Failure;

/// Code of the zone that countries come into which no zone names.
const ZONE: &str = "imported";
/// How often another's change of the rates is waited out.
const TRIES_MAX: u32 = 5;

/// Makes sure that every country is in a zone. What the file does not tell, the price of delivery there, is left to the shop's
/// staff: methods gain no rates, and staff's free delivery goes everywhere.
///
/// # Errors
/// Exit code 1 when the shop was lost or refuses.
pub(super) async fn ensure(shop: &Shop, countries: &BTreeSet<&'static str>) -> Result<(), Failure> {
    let client = shop.client(ShippingServiceClient::new);
    for _ in 0..TRIES_MAX {
        let rates = shop.call(|| {
            let mut client = client.clone();
            async move { client.get_rates(GetRatesRequest {}).await }
        });
        let rates = rates
            .await
            .map_err(|error| error.fatal("the destinations could not be read"))?
            .rates
            .unwrap_or_default();
        let Some(rates) = with_countries(rates, countries) else { return Ok(()) };
        let request = SetRatesRequest { request_id: request_id(), rates: Some(rates) };
        let done = shop.call(|| {
            let (mut client, request) = (client.clone(), request.clone());
            async move { client.set_rates(request).await }
        });
        match done.await {
            Ok(_) => return Ok(()),
            Err(CallError::Refused(error)) if error.reason() == "VERSION_CONFLICT" => {}
            Err(error) => return Err(error.fatal("the destinations could not be added")),
        }
    }
    Err(Failure::unfinished(
        "the destinations could not be added: somebody else keeps changing the rates; try again later",
    ))
}

/// The rates with every country in a zone; `None` when they are in one already.
fn with_countries(mut rates: RateTable, countries: &BTreeSet<&'static str>) -> Option<RateTable> {
    let rest_of_world = rates.zones.iter().any(|zone| zone.rest_of_world);
    let named: BTreeSet<&str> =
        rates.zones.iter().flat_map(|zone| &zone.country_codes).map(String::as_str).collect();
    let missing = countries.iter().filter(|country| **country != UNKNOWN && !named.contains(**country));
    let missing: Vec<String> = missing.map(|country| (*country).to_owned()).collect();
    if rest_of_world || missing.is_empty() {
        return None;
    }
    match rates.zones.iter_mut().find(|zone| zone.code == ZONE) {
        Some(zone) => zone.country_codes.extend(missing),
        None => rates.zones.push(Zone {
            code: ZONE.to_owned(),
            name: "Imported destinations".to_owned(),
            country_codes: missing,
            rest_of_world: false,
        }),
    }
    Some(rates)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(code: &str, countries: &[&str], rest_of_world: bool) -> Zone {
        let country_codes = countries.iter().map(|country| (*country).to_owned()).collect();
        Zone { code: code.to_owned(), name: code.to_owned(), country_codes, rest_of_world }
    }

    #[test]
    fn only_what_no_zone_names_is_added_once() {
        let countries = BTreeSet::from(["GB", "IE", "ZZ"]);
        let rates = RateTable { version: 3, zones: vec![zone("uk", &["GB"], false)], methods: Vec::new() };
        let changed = with_countries(rates, &countries).expect("IE is missing");
        assert_eq!(
            changed.zones[1],
            Zone { name: "Imported destinations".to_owned(), ..zone(ZONE, &["IE"], false) }
        );
        assert_eq!(with_countries(changed, &countries), None);
        let world = RateTable { version: 1, zones: vec![zone("world", &[], true)], methods: Vec::new() };
        assert_eq!(with_countries(world, &countries), None);
    }
}
