//! The rates that a shop starts with: from Great Britain, in GBP and EUR.

use kernel::Currency;

use super::rates::{Band, Basis, Method, MethodRate, RateTable, Zone};

/// Member states of the European Union (ISO 3166-1 alpha-2).
const EUROPEAN_UNION: &[&str] = &[
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT",
    "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// The rates of a new shop. Standard goes by the price of the goods and is free from 50 pounds or 60 euros within Great
/// Britain; express goes by weight, up to 30 kg; free is for staff.
#[must_use]
pub fn defaults() -> RateTable {
    let zone = |code: &str, name: &str, countries: &[&str], rest_of_world| Zone {
        code: code.to_owned(),
        name: name.to_owned(),
        countries: countries.iter().map(|country| (*country).to_owned()).collect(),
        rest_of_world,
    };
    RateTable {
        zones: vec![
            zone("gb", "Great Britain", &["GB"], false),
            zone("eu", "European Union", EUROPEAN_UNION, false),
            zone("row", "Rest of the world", &[], true),
        ],
        methods: vec![
            Method {
                code: "standard".to_owned(),
                name: "Standard delivery".to_owned(),
                carrier: "Royal Mail".to_owned(),
                staff_only: false,
                free: false,
                rates: standard(),
            },
            Method {
                code: "express".to_owned(),
                name: "Express delivery".to_owned(),
                carrier: "DHL".to_owned(),
                staff_only: false,
                free: false,
                rates: express(),
            },
            Method {
                code: "free".to_owned(),
                name: "Free delivery".to_owned(),
                carrier: String::new(),
                staff_only: true,
                free: true,
                rates: Vec::new(),
            },
        ],
    }
}

fn standard() -> Vec<MethodRate> {
    let rate = |zone: &str, currency, price, free_from: Option<i64>, days_min, days_max| {
        let bands = match free_from {
            Some(free_from) => {
                vec![Band { up_to: Some(free_from - 1), price }, Band { up_to: None, price: 0 }]
            }
            None => vec![Band { up_to: None, price }],
        };
        MethodRate { zone: zone.to_owned(), currency, basis: Basis::Price, bands, days_min, days_max }
    };
    vec![
        rate("gb", Currency::GBP, 395, Some(5_000), 2, 4),
        rate("gb", Currency::EUR, 460, Some(6_000), 2, 4),
        rate("eu", Currency::GBP, 895, Some(15_000), 4, 8),
        rate("eu", Currency::EUR, 1_045, Some(17_500), 4, 8),
        rate("row", Currency::GBP, 1_495, None, 7, 21),
        rate("row", Currency::EUR, 1_745, None, 7, 21),
    ]
}

fn express() -> Vec<MethodRate> {
    let rate = |zone: &str, currency, prices: [i64; 3], days_min, days_max| {
        let limits = [2_000, 10_000, 30_000];
        let bands =
            limits.into_iter().zip(prices).map(|(grams, price)| Band { up_to: Some(grams), price }).collect();
        MethodRate { zone: zone.to_owned(), currency, basis: Basis::Weight, bands, days_min, days_max }
    };
    vec![
        rate("gb", Currency::GBP, [695, 1_195, 2_495], 1, 2),
        rate("gb", Currency::EUR, [810, 1_395, 2_910], 1, 2),
        rate("eu", Currency::GBP, [1_695, 2_995, 5_995], 2, 3),
        rate("eu", Currency::EUR, [1_980, 3_495, 6_995], 2, 3),
        rate("row", Currency::GBP, [2_995, 5_995, 11_995], 3, 6),
        rate("row", Currency::EUR, [3_495, 6_995, 13_995], 3, 6),
    ]
}
