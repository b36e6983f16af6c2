//! Quotes again, after their time.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::souk::checkout::v1::*;
use contract::souk::product::v1::ProductStatus;
use kernel::{Code, Error};

use crate::shop::*;

async fn refused(client: &mut Client, quote_token: String) -> Error {
    contract::error(client.requote_quote(RequoteQuoteRequest { quote_token }).await.expect_err("refused"))
}

#[tokio::test(start_paused = true)]
async fn what_changed_is_told_line_by_line() {
    let shop = Shop::open().await;
    shop.fakes.fill_cart(&[("mug", 3), ("MUG", 1), ("book", 1)]);
    let old = shop.shopper().create_quote(from_cart()).await.expect("a quote").into_inner();
    shop.harness.advance(Duration::from_secs(3600)).await;
    {
        let mut known = shop.fakes.know();
        let mug = known.variants.get_mut("mug").expect("sold");
        mug.prices[0].unit_price.as_mut().expect("a price").micros = 3_000_000;
        known.variants.get_mut("book").expect("sold").status = ProductStatus::Archived.into();
    }
    let request = RequoteQuoteRequest { quote_token: old.quote_token };
    let answer = shop.order().requote_quote(request).await.expect("a quote").into_inner();
    let (before, now) = (old.quote.expect("a quote"), answer.quote.expect("a quote"));
    let price =
        |price: &Option<contract::souk::r#type::v1::UnitPrice>| price.as_ref().map(|price| price.micros);
    let told: Vec<_> = answer
        .differences
        .iter()
        .map(|d| (d.sku.as_str(), d.quantity, price(&d.price_before), price(&d.price_after), d.available))
        .collect();
    assert_eq!(
        told,
        [
            ("mug", 3, Some(2_550_000), Some(3_000_000), 5),
            ("MUG", 1, Some(1_250_000), Some(1_250_000), 0),
            ("book", 1, Some(10_000_000), None, 0),
        ]
    );
    assert_eq!(answer.differences[0].new_line_id, now.lines[0].line_id);
    assert_eq!(answer.differences[2].new_line_id, "");
    assert_eq!(
        (minor(&answer.grand_before), minor(&now.totals.expect("totals").grand)),
        (2389, 900 + 125 + 499)
    );
    assert_ne!(before.quote_id, now.quote_id);
    assert!(now.expire_time.expect("a time").seconds > before.expire_time.expect("a time").seconds);
    assert_eq!((before.owner, before.cart_id), (now.owner, now.cart_id));
}

#[tokio::test(start_paused = true)]
async fn a_draft_keeps_its_terms_and_overrides() {
    let shop = Shop::open().await;
    let lines = vec![priced("mug", 1, 1_000_000), line("MUG", 1)];
    let old = shop.clerk().create_quote(draft("JP", lines)).await.expect("a quote").into_inner();
    let request = RequoteQuoteRequest { quote_token: old.quote_token };
    let now =
        shop.order().requote_quote(request).await.expect("a quote").into_inner().quote.expect("a quote");
    let before = old.quote.expect("a quote");
    assert_eq!((before.totals, before.staff_terms), (now.totals, now.staff_terms));
    assert_eq!(now.lines[0].override_reason, "price on the invoice");
}

#[tokio::test(start_paused = true)]
async fn a_method_that_is_gone_gives_way_to_the_cheapest() {
    let shop = Shop::open().await;
    let mut request = draft("GB", vec![line("mug", 1)]);
    request.shipping_method = "hand".into();
    request.draft.as_mut().expect("a draft").terms = None;
    let old = shop.clerk().create_quote(request).await.expect("a quote").into_inner();
    assert_eq!(old.quote.expect("a quote").shipment_groups[0].method, "hand");
    shop.fakes.know().reaches = false;
    assert_eq!(refused(&mut shop.order(), old.quote_token).await.reason(), "DESTINATION_NOT_SERVED");
}

#[tokio::test(start_paused = true)]
async fn only_tokens_of_this_house_and_only_by_order() {
    let shop = Shop::open().await;
    shop.fakes.fill_cart(&[("mug", 1)]);
    let token = shop.shopper().create_quote(from_cart()).await.expect("a quote").into_inner().quote_token;
    let mut bytes = URL_SAFE_NO_PAD.decode(&token).expect("base64");
    *bytes.last_mut().expect("bytes") ^= 1;
    for wrong in
        [String::new(), "é".into(), token[..token.len() - 4].to_owned(), URL_SAFE_NO_PAD.encode(bytes)]
    {
        let error = refused(&mut shop.order(), wrong).await;
        assert_eq!((error.reason(), fields(&error)), ("QUOTE_TOKEN_INVALID", vec!["/quote_token"]));
    }
    for mut client in [shop.shopper(), shop.clerk()] {
        assert_eq!(refused(&mut client, token.clone()).await.code(), Code::PermissionDenied);
    }
    shop.fakes.know().variants.clear();
    assert_eq!(refused(&mut shop.order(), token).await.reason(), "NOTHING_LEFT_TO_QUOTE");
}
