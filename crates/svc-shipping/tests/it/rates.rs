use chassis::testing::{customer, guest, staff};
use contract::souk::shipping::v1::*;
use mesh::Principal;
use tonic::Code;

use crate::shop::{Shop, fields, money, reason};

fn quote(country: &str, grams: i64, currency: &str, minor: i64) -> QuoteRatesRequest {
    QuoteRatesRequest {
        country_code: country.to_owned(),
        weight_grams: grams,
        goods_price: money(currency, minor),
        include_staff_methods: false,
    }
}

fn prices(response: &QuoteRatesResponse) -> Vec<(String, i64)> {
    let price = |option: &ShippingOption| option.price.as_ref().expect("a price").minor_units;
    response.options.iter().map(|option| (option.method.clone(), price(option))).collect()
}

async fn rates(shop: &Shop) -> RateTable {
    shop.as_staff().get_rates(GetRatesRequest {}).await.expect("rates").into_inner().rates.expect("rates")
}

async fn set(
    shop: &Shop,
    key: &str,
    table: &RateTable,
) -> Result<tonic::Response<SetRatesResponse>, tonic::Status> {
    shop.as_staff()
        .set_rates(SetRatesRequest { request_id: key.to_owned(), rates: Some(table.clone()) })
        .await
}

#[tokio::test(start_paused = true)]
async fn a_new_shop_has_rates_for_everybody() {
    let shop = Shop::open().await;
    for (request, wanted) in [
        (quote("GB", 500, "GBP", 2_000), vec![("standard", 395), ("express", 695)]),
        (quote("GB", 2_001, "GBP", 5_000), vec![("standard", 0), ("express", 1_195)]),
        (quote("FR", 500, "EUR", 2_000), vec![("standard", 1_045), ("express", 1_980)]),
        (quote("ZZ", 40_000, "GBP", 2_000), vec![("standard", 1_495)]),
        (quote("GB", 500, "JPY", 2_000), vec![]),
    ] {
        let answer =
            shop.by(Principal::Anonymous).quote_rates(request.clone()).await.expect("options").into_inner();
        let wanted: Vec<_> = wanted.into_iter().map(|(method, price)| (method.to_owned(), price)).collect();
        assert_eq!(prices(&answer), wanted, "{request:?}");
        assert_eq!(answer.rates_version, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn free_is_shown_to_staff_and_to_checkout() {
    let shop = Shop::open().await;
    let request = QuoteRatesRequest { include_staff_methods: true, ..quote("ZZ", 0, "GBP", 1) };
    for mut client in [shop.as_staff(), shop.as_role("checkout"), shop.as_role("order")] {
        let answer = client.quote_rates(request.clone()).await.expect("options").into_inner();
        assert_eq!(prices(&answer)[0], ("free".to_owned(), 0));
        assert!(answer.options[0].staff_only);
    }
    for principal in [Principal::Anonymous, guest(1), customer(1), staff(1, &["orders.read"])] {
        let status = shop.by(principal).quote_rates(request.clone()).await.expect_err("not staff");
        assert_eq!(status.code(), Code::PermissionDenied);
        assert_eq!(contract::error(status).metadata()["permission"], "shipping.write");
    }
}

#[tokio::test(start_paused = true)]
async fn wrong_fields_of_a_quote_are_named_all_at_once() {
    let shop = Shop::open().await;
    let status =
        shop.by(Principal::Anonymous).quote_rates(quote("gb", -1, "GBP", -1)).await.expect_err("wrong");
    assert_eq!(fields(&status), ["/country_code", "/weight_grams", "/goods_price/minor_units"]);
    let status = shop
        .by(Principal::Anonymous)
        .quote_rates(quote("GB", 1_000_000_001, "XYZ", 1))
        .await
        .expect_err("wrong");
    assert_eq!(fields(&status), ["/weight_grams", "/goods_price/currency_code"]);
}

#[tokio::test(start_paused = true)]
async fn new_rates_count_at_once_and_on_the_version_that_was_seen() {
    let shop = Shop::open().await;
    let mut table = rates(&shop).await;
    table.methods[0].rates[0].bands[0].price_minor_units = 450;
    let first = set(&shop, "k1", &table).await.expect("set");
    assert_eq!(first.get_ref().rates.as_ref().expect("rates").version, 2);
    let answer = shop
        .by(Principal::Anonymous)
        .quote_rates(quote("GB", 500, "GBP", 2_000))
        .await
        .expect("options")
        .into_inner();
    assert_eq!((prices(&answer)[0].1, answer.rates_version), (450, 2));

    let again = set(&shop, "k1", &table).await.expect("shown");
    assert_eq!(again.metadata().get("souk-replayed").expect("marked"), "true");
    assert_eq!(again.into_inner(), first.into_inner());
    let stale = set(&shop, "k2", &table).await.expect_err("stale");
    assert_eq!((stale.code(), reason(&stale).as_str()), (Code::Aborted, "VERSION_CONFLICT"));
    table.version = 2;
    let reused = set(&shop, "k1", &table).await.expect_err("another body");
    assert_eq!(reason(&reused), "IDEMPOTENCY_KEY_REUSED");
    table.version = 0;
    assert_eq!(fields(&set(&shop, "k3", &table).await.expect_err("no version")), ["/rates/version"]);
}

#[tokio::test(start_paused = true)]
async fn two_who_set_rates_at_once_do_not_overwrite_each_other() {
    let shop = Shop::open().await;
    let table = rates(&shop).await;
    let keys: Vec<_> = (0..16).map(|key| format!("k{key}")).collect();
    let done = futures_util::future::join_all(keys.iter().map(|key| set(&shop, key, &table))).await;
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1);
    assert_eq!(rates(&shop).await.version, 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_rates_is_named_and_nothing_changes() {
    let shop = Shop::open().await;
    let good = rates(&shop).await;
    let mut table = good.clone();
    table.zones[1].country_codes.push("gb".to_owned());
    table.methods[0].rates[0].currency_code = "pounds".to_owned();
    table.methods[0].rates[1].basis = 9;
    table.methods[0].rates[2].days_min = -1;
    let wrong = fields(&set(&shop, "k1", &table).await.expect_err("wrong"));
    for field in [
        "/rates/zones/1/country_codes/27",
        "/rates/methods/0/rates/0/currency_code",
        "/rates/methods/0/rates/1/basis",
        "/rates/methods/0/rates/2/days_min",
    ] {
        assert!(wrong.iter().any(|wrong| wrong == field), "{field} is not in {wrong:?}");
    }
    let mut table = good.clone();
    table.zones[1].country_codes.push("GB".to_owned());
    table.methods[1].rates[0].zone = "moon".to_owned();
    let wrong = fields(&set(&shop, "k2", &table).await.expect_err("wrong"));
    assert_eq!(wrong, ["/rates/zones/1/country_codes", "/rates/methods/1/rates/0/zone"]);
    assert_eq!(
        fields(
            &shop
                .as_staff()
                .set_rates(SetRatesRequest { request_id: "k3".to_owned(), rates: None })
                .await
                .expect_err("none")
        ),
        ["/rates"]
    );
    assert_eq!(rates(&shop).await, good);
    let denied = shop.by(customer(1)).get_rates(GetRatesRequest {}).await.expect_err("not staff");
    assert_eq!(denied.code(), Code::PermissionDenied);
}
