use proptest::prelude::*;

use super::super::defaults::defaults;
use super::*;

fn gbp(minor: i64) -> Money {
    Money::new(minor, Currency::GBP)
}

fn codes(options: &[Offer]) -> Vec<&str> {
    options.iter().map(|option| option.method.as_str()).collect()
}

#[test]
fn the_defaults_are_good_and_reach_everybody() {
    let mut table = defaults();
    table.check().expect("good");
    let quoter = Quoter::new(table);
    for (country, zone) in
        [("GB", "gb"), ("FR", "eu"), ("DE", "eu"), ("US", "row"), ("ZZ", "row"), ("JE", "row")]
    {
        assert_eq!(quoter.zone(country), Some(zone), "{country}");
        for currency in [Currency::GBP, Currency::EUR] {
            let options = quoter.quote(country, 1_000, Money::new(2_000, currency), false);
            assert_eq!(codes(&options), ["standard", "express"], "{country} {currency}");
        }
    }
}

#[test]
fn a_price_follows_the_band_at_its_edges() {
    let rate = MethodRate {
        zone: "gb".to_owned(),
        currency: Currency::GBP,
        basis: Basis::Weight,
        bands: vec![Band { up_to: Some(2_000), price: 399 }, Band { up_to: Some(10_000), price: 799 }],
        days_min: 1,
        days_max: 2,
    };
    for (grams, price) in
        [(0, Some(399)), (2_000, Some(399)), (2_001, Some(799)), (10_000, Some(799)), (10_001, None)]
    {
        assert_eq!(rate.price(grams, 0), price, "{grams}");
    }
    let by_price = MethodRate {
        basis: Basis::Price,
        bands: vec![Band { up_to: Some(4_999), price: 395 }, Band { up_to: None, price: 0 }],
        ..rate
    };
    assert_eq!((by_price.price(9, 4_999), by_price.price(9, 5_000)), (Some(395), Some(0)));
}

#[test]
fn free_is_for_staff_in_every_currency_and_country() {
    let quoter = Quoter::new(defaults());
    for currency in [Currency::GBP, Currency::JPY] {
        let options = quoter.quote("ZZ", 5_000_000, Money::new(1, currency), true);
        assert_eq!(options[0].method, "free");
        assert!(options[0].price.is_zero() && options[0].staff_only && options[0].price.currency == currency);
        assert!(!codes(&quoter.quote("ZZ", 0, Money::new(1, currency), false)).contains(&"free"));
    }
}

#[test]
fn what_is_wrong_with_a_table_is_named() {
    let mut table = defaults();
    table.zones[1].countries.insert("GB".to_owned());
    table.zones[0].code = "Great Britain".to_owned();
    table.methods[0].rates[0].bands.reverse();
    table.methods[0].rates[1].days_min = 400;
    table.methods[1].code = "standard".to_owned();
    table.methods[2].rates = table.methods[1].rates.clone();
    let error = table.check().expect_err("wrong");
    let fields: Vec<_> = error.violations().iter().map(|violation| violation.field.as_str()).collect();
    for field in [
        "/rates/zones/0/code",
        "/rates/zones/1/country_codes",
        "/rates/methods/0/rates/0/bands/0/up_to",
        "/rates/methods/0/rates/1/days_min",
        "/rates/methods/1/code",
        "/rates/methods/2/rates",
    ] {
        assert!(fields.contains(&field), "{field} is missing in {fields:?}");
    }
    assert!(RateTable::default().check().is_err());
}

proptest! {
    #[test]
    fn an_option_has_a_price_in_the_goods_currency_and_the_cheapest_comes_first(
        country in "[A-Z]{2}", grams in 0..WEIGHT_GRAMS_MAX, minor in 0_i64..10_000_000, staff in any::<bool>(),
    ) {
        let options = Quoter::new(defaults()).quote(&country, grams, gbp(minor), staff);
        for option in &options {
            prop_assert!(option.price.minor >= 0 && option.price.currency == Currency::GBP);
            prop_assert!(staff || !option.staff_only);
        }
        prop_assert!(options.windows(2).all(|pair| pair[0].price.minor <= pair[1].price.minor));
    }

    #[test]
    fn heavier_never_costs_less_by_default(grams in 0_i64..40_000, more in 0_i64..40_000) {
        let quoter = Quoter::new(defaults());
        let express = |grams| quoter.quote("US", grams, gbp(1), false).into_iter().find(|o| o.method == "express").map(|o| o.price.minor);
        if let (Some(light), Some(heavy)) = (express(grams), express(grams + more)) {
            prop_assert!(light <= heavy);
        }
    }
}
