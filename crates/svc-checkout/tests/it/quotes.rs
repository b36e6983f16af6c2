//! Quotes of carts and of drafts.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chassis::testing::{customer, guest};
use contract::souk::checkout::v1::staff_draft::Customer;
use contract::souk::checkout::v1::*;
use contract::souk::r#type::v1::{Address, RoundingLevel, RoundingMode};
use ed25519_dalek::{Signature, VerifyingKey};
use kernel::{Code, CustomerId, GuestId};
use mesh::Principal;
use prost::Message;

use crate::shop::*;

/// Verifies a token by the format that the contract documents, and nothing else.
fn verify(token: &str, keys: &[QuoteKey]) -> Option<Quote> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (head, rest) = bytes.split_at_checked(9)?;
    let (signature, quote) = rest.split_at_checked(64)?;
    let key = keys.iter().find(|key| head[0] == 1 && key.key_id == head[1..])?;
    let key = VerifyingKey::from_bytes(key.public_key.as_slice().try_into().ok()?).ok()?;
    key.verify_strict(&[head, quote].concat(), &Signature::from_slice(signature).ok()?).ok()?;
    Quote::decode(quote).ok()
}

#[tokio::test(start_paused = true)]
async fn a_cart_is_quoted_to_the_penny_and_signed() {
    let shop = Shop::open().await;
    shop.fakes.fill_cart(&[("mug", 3), ("MUG", 1), ("book", 1)]);
    let mut client = shop.shopper();
    let answer = client.create_quote(from_cart()).await.expect("a quote").into_inner();
    let quote = answer.quote.expect("a quote");
    let totals = quote.totals.clone().expect("totals");
    // 7.65 + 1.25 + 10.00, standard delivery, 20 % within all but the book.
    assert_eq!((minor(&totals.items), minor(&totals.shipping), minor(&totals.grand)), (1890, 499, 2389));
    assert_eq!(minor(&totals.tax), 128 + 21 + 83);
    assert_eq!(totals.tax_lines.iter().map(|tax| tax.rate_micros).collect::<Vec<_>>(), [0, 200_000]);
    assert_eq!(quote.owner, CustomerId::from_bits(1).to_string());
    assert_eq!((quote.source(), quote.tax_mode()), (QuoteSource::Cart, TaxMode::Inclusive));
    assert_eq!(
        (quote.rounding_mode(), quote.rounding_level()),
        (RoundingMode::HalfEven, RoundingLevel::Line)
    );
    assert_eq!(quote.shipment_groups[0].weight_grams, 1500);
    // What was chosen is frozen and signed with the line.
    let chosen = |line: &QuoteLine| {
        line.options.iter().map(|o| format!("{}: {}", o.name, o.value)).collect::<Vec<_>>()
    };
    assert_eq!(
        quote.lines.iter().map(chosen).collect::<Vec<_>>(),
        [["Cut: mug cut"], ["Cut: MUG cut"], ["Cut: book cut"]]
    );
    assert!(
        quote.lines.iter().all(|line| line.shipment_group_id == quote.shipment_groups[0].shipment_group_id)
    );
    let (made, ends) = (quote.create_time.expect("a time"), quote.expire_time.expect("a time"));
    assert_eq!(ends.seconds - made.seconds, 15 * 60);
    let keys = client.get_quote_key(GetQuoteKeyRequest {}).await.expect("keys").into_inner().keys;
    assert_eq!(verify(&answer.quote_token, &keys).expect("our signature"), quote);
    assert_eq!(
        answer.shipping_choices.iter().map(|c| c.method.as_str()).collect::<Vec<_>>(),
        ["standard", "express"]
    );
}

#[tokio::test(start_paused = true)]
async fn the_buyer_chooses_the_method_and_the_currency() {
    let shop = Shop::open().await;
    shop.fakes.fill_cart(&[("mug", 2)]);
    let mut client = shop.client(guest(4));
    let request =
        CreateQuoteRequest { currency_code: "EUR".into(), shipping_method: "express".into(), ..from_cart() };
    let quote = quote(&mut client, request).await;
    assert_eq!(minor(&quote.totals.expect("totals").grand), 600 + 999);
    assert_eq!((quote.owner, quote.customer_id), (GuestId::from_bits(4).to_string(), String::new()));
    assert_eq!(shop.fakes.know().rated.as_ref().map(|rated| rated.include_staff_methods), Some(false));
    let error =
        refused(&mut client, CreateQuoteRequest { shipping_method: "hand".into(), ..from_cart() }).await;
    assert_eq!((error.reason(), fields(&error)), ("SHIPPING_METHOD_NOT_OFFERED", vec!["/shipping_method"]));
    shop.fakes.know().reaches = false;
    assert_eq!(refused(&mut client, from_cart()).await.reason(), "DESTINATION_NOT_SERVED");
}

#[tokio::test(start_paused = true)]
async fn a_cart_that_cannot_be_sold_says_why() {
    let shop = Shop::open().await;
    let mut client = shop.shopper();
    assert_eq!(refused(&mut client, from_cart()).await.reason(), "CART_EMPTY");
    for (sku, reason) in [("old", "SKU_NOT_FOR_SALE"), ("gone", "SKU_NOT_FOUND")] {
        shop.fakes.fill_cart(&[("mug", 1), (sku, 1)]);
        let error = refused(&mut client, from_cart()).await;
        assert_eq!((error.reason(), error.metadata()["sku"].as_str()), (reason, sku));
    }
    shop.fakes.fill_cart(&[("book", 1)]);
    let error = refused(&mut client, CreateQuoteRequest { currency_code: "EUR".into(), ..from_cart() }).await;
    assert_eq!((error.code(), error.reason()), (Code::FailedPrecondition, "PRICE_NOT_FOUND"));
}

#[tokio::test(start_paused = true)]
async fn wrong_fields_of_a_cart_quote_are_named() {
    let shop = Shop::open().await;
    shop.fakes.fill_cart(&[("mug", 1)]);
    let mut client = shop.shopper();
    let address = |change: fn(&mut Address)| {
        let mut address = london().expect("an address");
        change(&mut address);
        CreateQuoteRequest { destination: Some(address), ..from_cart() }
    };
    for (field, request) in [
        ("/currency_code", CreateQuoteRequest { currency_code: "gbp".into(), ..from_cart() }),
        ("/destination", CreateQuoteRequest { destination: None, ..from_cart() }),
        ("/destination/country_code", address(|a| a.country_code = "XX".into())),
        ("/destination/country_code", address(|a| a.country_code = "ZZ".into())),
        ("/destination/recipient", address(|a| a.recipient.clear())),
        ("/destination/lines", address(|a| a.lines.clear())),
        ("/destination/city", address(|a| a.city = "x".repeat(101))),
        ("/destination/recipient", address(|a| a.recipient = "\u{200b}".into())),
        ("/destination/postal_code", address(|a| a.postal_code.clear())),
        ("/destination/postal_code", address(|a| a.postal_code = "75001".into())),
        ("/destination/region", address(|a| (a.country_code, a.postal_code) = ("US".into(), "95014".into()))),
        ("/contact_email", CreateQuoteRequest { contact_email: "nobody".into(), ..from_cart() }),
        ("/contact_email", CreateQuoteRequest { contact_email: "a@b@c.de".into(), ..from_cart() }),
        ("/contact_email", CreateQuoteRequest { contact_email: "a@b.de,c@d.de".into(), ..from_cart() }),
        ("/contact_email", CreateQuoteRequest { contact_email: "a@b\u{ad}.de".into(), ..from_cart() }),
        ("/shipping_method", CreateQuoteRequest { shipping_method: "x".repeat(33), ..from_cart() }),
    ] {
        assert_invalid(&refused(&mut client, request).await, field);
    }
    let mut nobody = shop.client(Principal::Anonymous);
    assert_eq!(refused(&mut nobody, from_cart()).await.code(), Code::Unauthenticated);
}

#[tokio::test(start_paused = true)]
async fn a_draft_keeps_the_prices_of_its_invoice() {
    let shop = Shop::open().await;
    // The same SKU at two prices, and one that differs in case alone.
    let lines = vec![
        priced("mug", 6, 2_100_000),
        priced("mug", 1, 2_550_000),
        priced("MUG", 2, 5_000),
        line("book", 1),
    ];
    let mut request = draft("JP", lines);
    request.draft.as_mut().expect("a draft").customer =
        Some(Customer::CustomerReference("online-retail:17850".into()));
    let quote = quote(&mut shop.clerk(), request).await;
    let gross: Vec<i64> = quote.lines.iter().map(|line| minor(&line.gross)).collect();
    assert_eq!(gross, [1260, 255, 1, 1000]);
    assert_eq!(minor(&quote.lines[0].tax), 210);
    assert!(
        quote.lines.iter().all(|line| line.tax_lines[0].rate_micros == 200_000),
        "one rate, whatever class and country"
    );
    assert_eq!(quote.lines[0].override_reason, "price on the invoice");
    assert_eq!(quote.lines[0].list_price.as_ref().map(|price| price.micros), Some(2_550_000));
    assert_eq!((quote.lines[3].override_reason.as_str(), &quote.lines[3].list_price), ("", &None));
    assert_eq!(
        (quote.shipment_groups[0].method.as_str(), minor(&quote.shipment_groups[0].gross)),
        ("free", 0)
    );
    let buyer = CustomerId::from_bits(77).to_string();
    assert_eq!(
        (&quote.owner, &quote.customer_id, quote.contact_email.as_str()),
        (&buyer, &buyer, "buyer@example.com")
    );
    assert_eq!(
        (quote.created_by, quote.source),
        (CustomerId::from_bits(9).to_string(), QuoteSource::Staff.into())
    );
    assert_eq!(quote.staff_terms.expect("terms").reason, "as invoiced");
}

#[tokio::test(start_paused = true)]
async fn a_nameless_guest_gets_an_id_of_its_own() {
    let shop = Shop::open().await;
    let one = quote(&mut shop.clerk(), draft("GB", vec![line("mug", 1)])).await;
    let two = quote(&mut shop.clerk(), draft("GB", vec![line("mug", 1)])).await;
    assert!(GuestId::parse(&one.owner).is_ok() && one.customer_id.is_empty(), "{}", one.owner);
    assert_ne!((one.owner, one.quote_id), (two.owner, two.quote_id));
}

#[tokio::test(start_paused = true)]
async fn only_staff_with_the_permission_drafts() {
    let shop = Shop::open().await;
    let request = || draft("GB", vec![priced("mug", 1, 1)]);
    for principal in [customer(1), guest(1), chassis::testing::staff(3, &["orders.write"])] {
        let refused = refused(&mut shop.client(principal), request()).await;
        assert_eq!(refused.code(), Code::PermissionDenied);
        assert_eq!(refused.metadata()["permission"], "checkout.override");
    }
    assert_eq!(
        refused(&mut shop.client(Principal::Anonymous), request()).await.code(),
        Code::Unauthenticated
    );
}

#[tokio::test(start_paused = true)]
async fn wrong_fields_of_a_draft_are_named() {
    let shop = Shop::open().await;
    let mut clerk = shop.clerk();
    let with = |spoil: fn(&mut StaffDraft)| {
        let mut request = draft("GB", vec![priced("mug", 1, 1_000_000), line("book", 1)]);
        spoil(request.draft.as_mut().expect("a draft"));
        request
    };
    fn terms(draft: &mut StaffDraft) -> &mut StaffTerms {
        draft.terms.as_mut().expect("terms")
    }
    fn price(draft: &mut StaffDraft) -> &mut contract::souk::r#type::v1::UnitPrice {
        draft.lines[0].unit_price.as_mut().expect("a price")
    }
    let cases: &[Case<StaffDraft>] = &[
        ("/draft/lines", |d| d.lines.clear()),
        ("/draft/lines", |d| d.lines = vec![d.lines[0].clone(); 2001]),
        ("/draft/lines/1/sku", |d| d.lines[1].sku.clear()),
        ("/draft/lines/1/sku", |d| d.lines[1].sku = "x".repeat(65)),
        ("/draft/lines/1/quantity", |d| d.lines[1].quantity = 0),
        ("/draft/lines/1/quantity", |d| d.lines[1].quantity = -3),
        ("/draft/lines/1/quantity", |d| d.lines[1].quantity = i64::MAX),
        ("/draft/lines/0/unit_price/micros", |d| price(d).micros = -1),
        ("/draft/lines/0/unit_price/micros", |d| price(d).micros = i64::MAX),
        ("/draft/lines/0/unit_price/currency_code", |d| price(d).currency_code = "EUR".into()),
        ("/draft/lines/0/unit_price/currency_code", |d| price(d).currency_code = "pounds".into()),
        ("/draft/lines/0/override_reason", |d| d.lines[0].override_reason = "  ".into()),
        ("/draft/lines/1/override_reason", |d| d.lines[1].override_reason = "why".into()),
        ("/draft/lines/0/override_reason", |d| d.lines[0].override_reason = "x".repeat(201)),
        ("/draft/terms/tax_mode", |d| terms(d).tax_mode = 99),
        ("/draft/terms/delivery_charge", |d| terms(d).delivery_charge = -1),
        ("/draft/terms/tax_rate_micros", |d| terms(d).tax_rate_micros = Some(1_000_001)),
        ("/draft/terms/reason", |d| terms(d).reason.clear()),
        ("/draft/customer_id", |d| d.customer = Some(Customer::CustomerId("ord_1".into()))),
    ];
    for (field, spoil) in cases {
        assert_invalid(&refused(&mut clerk, with(*spoil)).await, field);
    }
    let error =
        refused(&mut clerk, with(|d| d.customer = Some(Customer::CustomerReference("nobody".into())))).await;
    assert_eq!((error.reason(), fields(&error)), ("CUSTOMER_NOT_FOUND", vec!["/draft/customer_reference"]));
    let error = refused(&mut clerk, with(|d| d.lines[1].sku = "gone".into())).await;
    assert_eq!((error.reason(), fields(&error)), ("SKU_NOT_FOUND", vec!["/draft/lines/1/sku"]));
    // The unidad de fomento has four decimals, the most there are.
    let mut dear = draft("GB", vec![priced("mug", 1_000_000, 1_000_000_000_000); 2000]);
    dear.currency_code = "CLF".into();
    for line in &mut dear.draft.as_mut().expect("a draft").lines {
        line.unit_price.as_mut().expect("a price").currency_code = "CLF".into();
    }
    assert_eq!(refused(&mut clerk, dear).await.reason(), "AMOUNT_OVERFLOW");
}

#[tokio::test(start_paused = true)]
async fn the_longest_draft_fits_a_token() {
    let shop = Shop::open().await;
    for number in 0..1500 {
        shop.fakes.sell(&format!("s{number}"), contract::souk::product::v1::TaxClass::Standard, &[]);
    }
    let lines = (0..2000).map(|number| priced(&format!("s{}", number % 1500), 1, 1_000_000)).collect();
    let answer = shop.clerk().create_quote(draft("GB", lines)).await.expect("a quote").into_inner();
    assert!(answer.quote_token.len() <= 1 << 20, "{} characters", answer.quote_token.len());
    assert_eq!(minor(&answer.quote.expect("a quote").totals.expect("totals").grand), 200_000);
}

#[tokio::test(start_paused = true)]
async fn stock_is_told_and_not_held() {
    let shop = Shop::open().await;
    let lines = vec![line("mug", 3), line("mug", 3), line("book", 1)];
    let request = CreateQuoteRequest { with_availability: true, ..draft("GB", lines) };
    let shortages = shop.clerk().create_quote(request).await.expect("a quote").into_inner().shortages;
    let told: Vec<_> =
        shortages.iter().map(|short| (short.sku.as_str(), short.wanted, short.available)).collect();
    assert_eq!(told, [("mug", 6, 5), ("mug", 6, 5), ("book", 1, 0)]);
}
