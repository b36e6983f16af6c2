//! Tax tables and settings.

use std::time::Duration;

use chassis::testing::{customer, staff};
use contract::souk::checkout::v1::*;
use contract::souk::r#type::v1::{PageRequest, RoundingLevel, RoundingMode};
use kernel::{Code, Error};

use crate::shop::*;

fn rate(class: &str, rate_micros: i64) -> TaxRate {
    TaxRate { tax_class: class.into(), name: "GST".into(), rate_micros, valid_from: None }
}

fn set(request_id: &str, country: &str, version: i64, rates: Vec<TaxRate>) -> SetTaxRatesRequest {
    SetTaxRatesRequest {
        request_id: request_id.into(),
        country_code: country.into(),
        tax_mode: TaxMode::Exclusive.into(),
        rates,
        version,
    }
}

async fn refused(client: &mut Client, request: SetTaxRatesRequest) -> Error {
    contract::error(client.set_tax_rates(request).await.expect_err("refused"))
}

async fn table(client: &mut Client, country: &str) -> TaxTable {
    let request = GetTaxTableRequest { country_code: country.into() };
    client.get_tax_table(request).await.expect("a table").into_inner().table.expect("a table")
}

/// The tax on a draft of one mug at 10 pounds, by the destination's own table.
async fn tax(shop: &Shop, country: &str) -> (i64, i64) {
    let mut request = draft(country, vec![priced("mug", 1, 10_000_000)]);
    let terms = request.draft.as_mut().and_then(|draft| draft.terms.as_mut()).expect("terms");
    (terms.tax_mode, terms.tax_rate_micros) = (TaxMode::Unspecified.into(), None);
    let totals = quote(&mut shop.clerk(), request).await.totals.expect("totals");
    (minor(&totals.grand), minor(&totals.tax))
}

#[tokio::test(start_paused = true)]
async fn each_destination_has_its_own_taxes() {
    let shop = Shop::open().await;
    assert_eq!(tax(&shop, "GB").await, (1000, 167));
    assert_eq!(tax(&shop, "HU").await, (1000, 213), "27 % within");
    assert_eq!(tax(&shop, "US").await, (1000, 0));
    assert_eq!(tax(&shop, "JP").await, (1000, 0), "never set: an export");
    assert_eq!(tax(&shop, "ZZ").await, (1000, 167), "unknown: as at home");
    shop.clerk().set_tax_rates(set("k1", "JP", 0, vec![rate("standard", 100_000)])).await.expect("set");
    assert_eq!(tax(&shop, "JP").await, (1100, 100), "10 % on top");
}

#[tokio::test(start_paused = true)]
async fn a_rate_holds_from_its_time_on() {
    let shop = Shop::open().await;
    let mut later = rate("standard", 200_000);
    later.valid_from =
        Some(contract::wire::timestamp(chassis::testing::START.plus(Duration::from_secs(3600))));
    shop.clerk()
        .set_tax_rates(set("k1", "JP", 0, vec![rate("standard", 100_000), later]))
        .await
        .expect("set");
    assert_eq!(tax(&shop, "JP").await.1, 100);
    shop.harness.advance(Duration::from_secs(3601)).await;
    assert_eq!(tax(&shop, "JP").await.1, 200);
}

#[tokio::test(start_paused = true)]
async fn tables_change_on_the_version_that_was_seen_and_once_per_key() {
    let shop = Shop::open().await;
    let mut clerk = shop.clerk();
    let first = clerk.set_tax_rates(set("k1", "JP", 0, vec![rate("standard", 100_000)])).await.expect("set");
    assert!(first.metadata().get("souk-replayed").is_none());
    let again =
        clerk.set_tax_rates(set("k1", "JP", 0, vec![rate("standard", 100_000)])).await.expect("the same");
    assert_eq!(again.metadata().get("souk-replayed").map(|v| v.as_bytes()), Some(b"true".as_slice()));
    assert_eq!(first.into_inner(), again.into_inner());
    assert_eq!(refused(&mut clerk, set("k1", "JP", 1, Vec::new())).await.reason(), "IDEMPOTENCY_KEY_REUSED");
    for stale in [0, 2] {
        let error = refused(&mut clerk, set("k2", "JP", stale, Vec::new())).await;
        assert_eq!((error.code(), error.reason()), (Code::Conflict, "VERSION_CONFLICT"));
    }
    clerk.set_tax_rates(set("k2", "JP", 1, Vec::new())).await.expect("set");
    let now = table(&mut clerk, "JP").await;
    assert_eq!((now.version, now.rates.len(), now.tax_mode()), (2, 0, TaxMode::Exclusive));
    assert_eq!(table(&mut clerk, "BR").await.version, 0, "never set");
}

#[tokio::test(start_paused = true)]
async fn wrong_fields_of_a_table_are_named_and_only_staff_may() {
    let shop = Shop::open().await;
    let mut clerk = shop.clerk();
    let good = || set("k", "JP", 0, vec![rate("standard", 100_000), rate("reduced", 1)]);
    let cases: &[Case<SetTaxRatesRequest>] = &[
        ("/request_id", |r| r.request_id.clear()),
        ("/request_id", |r| r.request_id = "x".repeat(129)),
        ("/country_code", |r| r.country_code = "jp".into()),
        ("/country_code", |r| r.country_code = "ZZ".into()),
        ("/tax_mode", |r| r.tax_mode = 0),
        ("/tax_mode", |r| r.tax_mode = 7),
        ("/rates", |r| r.rates = vec![rate("x", 1); 201]),
        ("/rates/1/rate_micros", |r| r.rates[1].rate_micros = -1),
        ("/rates/1/tax_class", |r| r.rates[1].tax_class.clear()),
        ("/rates/1/name", |r| r.rates[1].name = "x".repeat(61)),
        ("/rates/1/valid_from", |r| r.rates[1].tax_class = "standard".into()),
        ("/version", |r| r.version = -1),
        ("/version", |r| r.version = i64::MAX),
    ];
    for (field, spoil) in cases {
        let mut request = good();
        spoil(&mut request);
        assert_invalid(&refused(&mut clerk, request).await, field);
    }
    for principal in [customer(1), staff(2, &["checkout.override"])] {
        assert_eq!(refused(&mut shop.client(principal), good()).await.code(), Code::PermissionDenied);
    }
}

#[tokio::test(start_paused = true)]
async fn tables_are_listed_by_country() {
    let shop = Shop::open().await;
    let mut client = shop.shopper();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = Some(PageRequest { limit: 10, cursor });
        let answer =
            client.list_tax_tables(ListTaxTablesRequest { page }).await.expect("a page").into_inner();
        seen.extend(answer.tables.into_iter().map(|table| table.country_code));
        cursor = answer.page.expect("a page").next_cursor;
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(seen.len(), 29, "27 states of the Union, and two more: {seen:?}");
    assert!(seen.is_sorted());
    for (field, page) in [
        ("/page/limit", PageRequest { limit: 101, cursor: String::new() }),
        ("/page/cursor", PageRequest { limit: 1, cursor: "GB".into() }),
    ] {
        let error =
            client.list_tax_tables(ListTaxTablesRequest { page: Some(page) }).await.expect_err("refused");
        assert_invalid(&contract::error(error), field);
    }
}

#[tokio::test(start_paused = true)]
async fn settings_decide_how_quotes_round() {
    let shop = Shop::open().await;
    let mut clerk = shop.clerk();
    let halves =
        || draft("GB", vec![priced("mug", 1, 5_000), priced("mug", 1, 5_000), priced("mug", 1, 5_000)]);
    assert_eq!(minor(&quote(&mut clerk, halves()).await.totals.expect("totals").grand), 0);
    let request = UpdateSettingsRequest {
        request_id: "k1".into(),
        rounding_mode: RoundingMode::HalfUp.into(),
        rounding_level: RoundingLevel::Total.into(),
        home_country: "IE".into(),
        version: 1,
    };
    let answer = clerk.update_settings(request.clone()).await.expect("set").into_inner();
    assert_eq!(answer.settings.expect("settings").version, 2);
    let quoted = quote(&mut clerk, halves()).await;
    assert_eq!(
        (quoted.rounding_mode(), quoted.rounding_level()),
        (RoundingMode::HalfUp, RoundingLevel::Total)
    );
    assert_eq!(minor(&quoted.totals.expect("totals").grand), 2);
    assert_eq!(tax(&shop, "ZZ").await.1, 187, "23 % within, as in Ireland");
    let stale = UpdateSettingsRequest { request_id: "k2".into(), ..request.clone() };
    assert_eq!(
        contract::error(clerk.update_settings(stale).await.expect_err("stale")).reason(),
        "VERSION_CONFLICT"
    );
    let cases: &[Case<UpdateSettingsRequest>] = &[
        ("/rounding_mode", |r| r.rounding_mode = 0),
        ("/rounding_level", |r| r.rounding_level = 9),
        ("/home_country", |r| r.home_country = "ZZ".into()),
        ("/version", |r| r.version = 0),
    ];
    for (field, spoil) in cases {
        let mut wrong = UpdateSettingsRequest { request_id: "k3".into(), version: 2, ..request.clone() };
        spoil(&mut wrong);
        assert_invalid(&contract::error(clerk.update_settings(wrong).await.expect_err("refused")), field);
    }
    let error = shop.shopper().update_settings(request).await.expect_err("no clerk");
    assert_eq!(contract::error(error).code(), Code::PermissionDenied);
    let seen = shop.shopper().get_settings(GetSettingsRequest {}).await.expect("settings").into_inner();
    assert_eq!(seen.settings.expect("settings").home_country, "IE");
}
