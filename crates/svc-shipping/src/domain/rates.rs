//! Rates: by destination zone, currency, and a band of weight or price.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use kernel::{Currency, Money, Result, Violations};
use serde::{Deserialize, Serialize};

/// The most zones.
pub const ZONES_MAX: usize = 100;
/// The most countries in a zone.
pub const COUNTRIES_MAX: usize = 250;
/// The most methods.
pub const METHODS_MAX: usize = 50;
/// The most rates of a method.
pub const RATES_MAX: usize = 500;
/// The most bands of a rate.
pub const BANDS_MAX: usize = 50;
/// The longest delivery, in days.
pub const DAYS_MAX: u32 = 365;
/// The heaviest parcel, in grams.
pub const WEIGHT_GRAMS_MAX: i64 = 1_000_000_000;

/// What the bands of a rate go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Weight in grams.
    Weight,
    /// Price of the goods in minor units.
    Price,
}

/// Destinations that cost the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// Unique: 1 to 32 lower-case letters, digits and hyphens.
    pub code: String,
    /// What to show.
    pub name: String,
    /// ISO 3166-1 alpha-2; empty for the rest of the world.
    pub countries: BTreeSet<String>,
    /// All countries that no other zone names.
    pub rest_of_world: bool,
}

/// A step of a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Band {
    /// Grams or minor units, inclusive; `None`: without limit.
    pub up_to: Option<i64>,
    /// What it costs, in minor units.
    pub price: i64,
}

/// What a method costs to a zone in a currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodRate {
    /// The zone's code.
    pub zone: String,
    /// The currency.
    pub currency: Currency,
    /// What the bands go by.
    pub basis: Basis,
    /// By rising limit.
    pub bands: Vec<Band>,
    /// Days until delivery, at least.
    pub days_min: u32,
    /// Days until delivery, usually at most.
    pub days_max: u32,
}

/// A way to send parcels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Method {
    /// Unique: 1 to 32 lower-case letters, digits and hyphens.
    pub code: String,
    /// What to show.
    pub name: String,
    /// The carrier.
    pub carrier: String,
    /// Only staff may choose it.
    pub staff_only: bool,
    /// Free everywhere, in every currency.
    pub free: bool,
    /// By zone and currency.
    pub rates: Vec<MethodRate>,
}

/// All rates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateTable {
    /// Where parcels go.
    pub zones: Vec<Zone>,
    /// How they go.
    pub methods: Vec<Method>,
}

/// One way to send a parcel, with its price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The method's code.
    pub method: String,
    /// What to show.
    pub name: String,
    /// The carrier.
    pub carrier: String,
    /// What it costs.
    pub price: Money,
    /// Days until delivery, at least.
    pub days_min: u32,
    /// Days until delivery, usually at most; both 0: not said.
    pub days_max: u32,
    /// The destination's zone; empty when no zone has it.
    pub zone: String,
    /// Only staff may choose it.
    pub staff_only: bool,
}

impl MethodRate {
    /// What a parcel costs; `None` when it is above the last band.
    #[must_use]
    pub fn price(&self, weight_grams: i64, goods_minor: i64) -> Option<i64> {
        let size = match self.basis {
            Basis::Weight => weight_grams,
            Basis::Price => goods_minor,
        };
        self.bands.iter().find(|band| band.up_to.is_none_or(|up_to| size <= up_to)).map(|band| band.price)
    }
}

/// Rates, ready to be asked: by country and by (zone, currency).
#[derive(Clone, Debug, Default)]
pub struct Quoter {
    table: RateTable,
    zones: HashMap<String, String>,
    rest_of_world: Option<String>,
    rates: HashMap<(String, Currency), Vec<(usize, usize)>>,
}

impl Quoter {
    /// Rates that were checked.
    #[must_use]
    pub fn new(table: RateTable) -> Self {
        let mut quoter = Self { table, ..Self::default() };
        for zone in &quoter.table.zones {
            for country in &zone.countries {
                quoter.zones.insert(country.clone(), zone.code.clone());
            }
            if zone.rest_of_world {
                quoter.rest_of_world = Some(zone.code.clone());
            }
        }
        for (method, found) in quoter.table.methods.iter().enumerate() {
            for (rate, found) in found.rates.iter().enumerate() {
                quoter.rates.entry((found.zone.clone(), found.currency)).or_default().push((method, rate));
            }
        }
        quoter
    }

    /// The rates.
    #[must_use]
    pub fn table(&self) -> &RateTable {
        &self.table
    }

    /// The zone of a country.
    #[must_use]
    pub fn zone(&self, country: &str) -> Option<&str> {
        self.zones.get(country).or(self.rest_of_world.as_ref()).map(String::as_str)
    }

    /// Every way to send a parcel, the cheapest first; of two that cost the same, the faster, then by code.
    #[must_use]
    pub fn quote(&self, country: &str, weight_grams: i64, goods: Money, staff: bool) -> Vec<Offer> {
        let zone = self.zone(country).unwrap_or_default();
        let mut options = Vec::new();
        let key = (zone.to_owned(), goods.currency);
        for (method, rate) in self.rates.get(&key).into_iter().flatten() {
            let method = &self.table.methods[*method];
            let rate = &method.rates[*rate];
            if (staff || !method.staff_only)
                && let Some(price) = rate.price(weight_grams, goods.minor)
            {
                let price = Money::new(price, goods.currency);
                options.push(option(method, price, (rate.days_min, rate.days_max), zone));
            }
        }
        for method in self.table.methods.iter().filter(|method| method.free && (staff || !method.staff_only))
        {
            options.push(option(method, Money::zero(goods.currency), (0, 0), zone));
        }
        options.sort_by(|a, b| {
            (a.price.minor, a.days_max, &a.method).cmp(&(b.price.minor, b.days_max, &b.method))
        });
        options
    }
}

fn option(method: &Method, price: Money, (days_min, days_max): (u32, u32), zone: &str) -> Offer {
    Offer {
        method: method.code.clone(),
        name: method.name.clone(),
        carrier: method.carrier.clone(),
        price,
        days_min,
        days_max,
        zone: zone.to_owned(),
        staff_only: method.staff_only,
    }
}

impl RateTable {
    /// Checks the table; pointers begin with `/rates`.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` naming every wrong field.
    pub fn check(&mut self) -> Result<()> {
        let mut wrong = Violations::new();
        wrong.check(!self.zones.is_empty(), "/rates/zones", "is required");
        wrong.check(
            self.zones.len() <= ZONES_MAX,
            "/rates/zones",
            format!("has more than {ZONES_MAX} zones"),
        );
        wrong.check(!self.methods.is_empty(), "/rates/methods", "is required");
        wrong.check(
            self.methods.len() <= METHODS_MAX,
            "/rates/methods",
            format!("has more than {METHODS_MAX} methods"),
        );
        self.clean_names(&mut wrong);
        let zones = self.check_zones(&mut wrong);
        let mut codes = BTreeSet::new();
        for (at, method) in self.methods.iter().enumerate().take(METHODS_MAX) {
            let pointer = format!("/rates/methods/{at}");
            check_code(&mut wrong, &format!("{pointer}/code"), &method.code);
            wrong.check(codes.insert(&method.code), format!("{pointer}/code"), "is there twice");
            wrong.check(
                !method.free || method.rates.is_empty(),
                format!("{pointer}/rates"),
                "must be empty: the method is free",
            );
            let few = method.rates.len() <= RATES_MAX;
            wrong.check(few, format!("{pointer}/rates"), format!("has more than {RATES_MAX} rates"));
            let mut places = BTreeSet::new();
            for (at, rate) in method.rates.iter().enumerate().take(RATES_MAX) {
                let pointer = format!("{pointer}/rates/{at}");
                wrong.check(
                    zones.contains(rate.zone.as_str()),
                    format!("{pointer}/zone"),
                    "is not a zone of this table",
                );
                wrong.check(
                    places.insert((&rate.zone, rate.currency)),
                    &pointer,
                    "has the zone and currency of another",
                );
                wrong.check(
                    rate.days_min <= rate.days_max,
                    format!("{pointer}/days_min"),
                    "must be at most days_max",
                );
                wrong.check(
                    rate.days_max <= DAYS_MAX,
                    format!("{pointer}/days_max"),
                    format!("must be at most {DAYS_MAX}"),
                );
                check_bands(&mut wrong, &format!("{pointer}/bands"), &rate.bands);
            }
        }
        wrong.finish()
    }

    fn clean_names(&mut self, wrong: &mut Violations) {
        for (at, method) in self.methods.iter_mut().enumerate().take(METHODS_MAX) {
            let pointer = format!("/rates/methods/{at}");
            method.name = wrong.text(&format!("{pointer}/name"), &method.name, 100);
            method.carrier = wrong.optional_text(&format!("{pointer}/carrier"), &method.carrier, 100);
        }
        for (at, zone) in self.zones.iter_mut().enumerate().take(ZONES_MAX) {
            zone.name = wrong.text(&format!("/rates/zones/{at}/name"), &zone.name, 100);
        }
    }

    fn check_zones(&self, wrong: &mut Violations) -> BTreeSet<&str> {
        let mut zones = BTreeSet::new();
        let mut countries: BTreeMap<&str, &str> = BTreeMap::new();
        let mut rest_of_world = false;
        for (at, zone) in self.zones.iter().enumerate().take(ZONES_MAX) {
            let pointer = format!("/rates/zones/{at}");
            check_code(wrong, &format!("{pointer}/code"), &zone.code);
            wrong.check(zones.insert(zone.code.as_str()), format!("{pointer}/code"), "is there twice");
            let named = format!("{pointer}/country_codes");
            if zone.rest_of_world {
                wrong.check(
                    zone.countries.is_empty(),
                    &named,
                    "must be empty: the zone is the rest of the world",
                );
                wrong.check(
                    !rest_of_world,
                    format!("{pointer}/rest_of_world"),
                    "is set in another zone already",
                );
                rest_of_world = true;
                continue;
            }
            let fits = (1..=COUNTRIES_MAX).contains(&zone.countries.len());
            wrong.check(fits, &named, format!("must have 1 to {COUNTRIES_MAX} countries"));
            for country in zone.countries.iter().take(COUNTRIES_MAX) {
                if let Some(other) = countries.insert(country, &zone.code) {
                    wrong.add(&named, format!("has {country}, which zone {other} has already"));
                }
            }
        }
        zones
    }
}

fn check_code(wrong: &mut Violations, pointer: &str, code: &str) {
    let good = (1..=32).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    wrong.check(good, pointer, "must have 1 to 32 lower-case letters, digits and hyphens");
}

fn check_bands(wrong: &mut Violations, pointer: &str, bands: &[Band]) {
    wrong.check((1..=BANDS_MAX).contains(&bands.len()), pointer, format!("must have 1 to {BANDS_MAX} bands"));
    let mut before = -1;
    for (at, band) in bands.iter().enumerate().take(BANDS_MAX) {
        wrong.check(band.price >= 0, format!("{pointer}/{at}/price_minor_units"), "must not be negative");
        match band.up_to {
            Some(up_to) => {
                wrong.check(up_to > before, format!("{pointer}/{at}/up_to"), "must be above the band before");
                before = up_to;
            }
            None => wrong.check(
                at + 1 == bands.len(),
                format!("{pointer}/{at}/up_to"),
                "may be 0 in the last band only",
            ),
        }
    }
}

#[cfg(test)]
#[path = "rates_tests.rs"]
mod tests;
