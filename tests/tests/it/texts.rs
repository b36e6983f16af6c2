//! One rule for texts: every text that anybody may write, in every service, is refused with its field's name where it has
//! control characters or shows nothing, and taken where it has line breaks of any kind and tabs.

use std::collections::BTreeSet;

use chassis::testing::staff;
use contract::MethodContract;
use contract::souk::checkout::v1 as checkout;
use contract::souk::event::v1::SubscribeRequest;
use contract::souk::event::v1::event_service_client::EventServiceClient;
use contract::souk::identity::v1 as identity;
use contract::souk::inventory::v1 as inventory;
use contract::souk::order::v1 as order;
use contract::souk::payment::v1 as payment;
use contract::souk::product::v1 as product;
use contract::souk::shipping::v1 as shipping;
use contract::souk::r#type::v1::{Address, UnitPrice};
use contract::souk::user::v1 as user;
use kernel::{CategoryId, Error, OrderId, PaymentId, ProductId, ShipmentId};
use mesh::{Channel, Principal};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, Kind, MessageDescriptor, ReflectMessage, Value};
use tests::World;

use crate::dynamic;

/// Strings of requests that are no free text: ids and names of things, codes, tokens, secrets, words that are searched for,
/// addresses of mail, which have a rule of their own. Each has its own check of form or length.
const NAMED: &[&str] = &[
    "account_id",
    "address_id",
    "cart_id",
    "category_id",
    "category_ids",
    "challenge_token",
    "code",
    "contact_email",
    "content_hash",
    "country_code",
    "country_codes",
    "currency_code",
    "current_password",
    "cursor",
    "customer_id",
    "customer_reference",
    "email",
    "guest_access_token",
    "hold_id",
    "home_country",
    "legal_entity",
    "line_id",
    "locale",
    "location",
    "new_password",
    "order_id",
    "owner_subject",
    "parent_id",
    "password",
    "payment_id",
    "payment_method",
    "permission",
    "permissions",
    "product_id",
    "product_ids",
    "profile_id",
    "provider",
    "query",
    "quote_token",
    "refresh_token",
    "request_id",
    "root_id",
    "secret",
    "secret_id",
    "session_id",
    "shipment_group_id",
    "shipment_id",
    "signature",
    "sku",
    "skus",
    "slug",
    "source",
    "types",
    "type_url",
    "url",
    "zone",
    "category_paths",
    "hashes",
];

/// The same where the name alone does not tell.
const NAMED_FIELDS: &[&str] = &[
    "souk.search.v1.AttributeFilter.name",
    "souk.search.v1.AttributeFilter.values",
    "souk.user.v1.CreateProfileRequest.external_reference",
    "souk.user.v1.FindProfileRequest.external_reference",
    "souk.order.v1.FindOrderRequest.external_reference",
    "souk.shipping.v1.CreateShipmentRequest.method",
];

/// A text, with a request in which all else is good.
struct Case {
    path: &'static str,
    request: Vec<u8>,
    /// The field, and where it stands in the request: names and places in lists.
    field: &'static str,
    at: &'static str,
}

fn case(path: &'static str, request: &impl Message, field: &'static str, at: &'static str) -> Case {
    Case { path, request: request.encode_to_vec(), field, at }
}

fn key() -> String {
    "texts".to_owned()
}

fn home() -> Option<Address> {
    Some(Address { region: "London".into(), phone: "+44 20".into(), ..tests::address() })
}

fn addresses(cases: &mut Vec<Case>) {
    let add = user::AddAddressRequest { request_id: key(), address: home(), ..Default::default() };
    for (field, at) in [
        ("souk.type.v1.Address.recipient", "/address/recipient"),
        ("souk.type.v1.Address.lines", "/address/lines/0"),
        ("souk.type.v1.Address.city", "/address/city"),
        ("souk.type.v1.Address.region", "/address/region"),
        ("souk.type.v1.Address.postal_code", "/address/postal_code"),
        ("souk.type.v1.Address.phone", "/address/phone"),
        ("souk.user.v1.AddAddressRequest.label", "/label"),
    ] {
        cases.push(case("/souk.user.v1.UserService/AddAddress", &add, field, at));
    }
    let update = user::UpdateAddressRequest {
        request_id: key(),
        address_id: kernel::AddressId::from_bits(1).to_string(),
        version: 1,
        address: home(),
        ..Default::default()
    };
    cases.push(case(
        "/souk.user.v1.UserService/UpdateAddress",
        &update,
        "souk.user.v1.UpdateAddressRequest.label",
        "/label",
    ));
    let create = user::CreateProfileRequest {
        request_id: key(),
        external_reference: "x".into(),
        ..Default::default()
    };
    cases.push(case(
        "/souk.user.v1.UserService/CreateProfile",
        &create,
        "souk.user.v1.CreateProfileRequest.name",
        "/name",
    ));
    let update = user::UpdateProfileRequest { request_id: key(), version: 1, ..Default::default() };
    cases.push(case(
        "/souk.user.v1.UserService/UpdateProfile",
        &update,
        "souk.user.v1.UpdateProfileRequest.name",
        "/name",
    ));
}

fn quotes(cases: &mut Vec<Case>) {
    let line = checkout::DraftLine {
        sku: "mug".into(),
        quantity: 1,
        unit_price: Some(UnitPrice { currency_code: "GBP".into(), micros: 1 }),
        override_reason: "agreed".into(),
    };
    let terms =
        checkout::StaffTerms { tax_rate_micros: Some(0), reason: "export".into(), ..Default::default() };
    let draft = checkout::StaffDraft { lines: vec![line], terms: Some(terms), ..Default::default() };
    let quote = checkout::CreateQuoteRequest {
        currency_code: "GBP".into(),
        destination: home(),
        draft: Some(draft),
        ..Default::default()
    };
    let path = "/souk.checkout.v1.CheckoutService/CreateQuote";
    for (field, at) in [
        ("souk.checkout.v1.CreateQuoteRequest.shipping_method", "/shipping_method"),
        ("souk.checkout.v1.DraftLine.override_reason", "/draft/lines/0/override_reason"),
        ("souk.checkout.v1.StaffTerms.reason", "/draft/terms/reason"),
    ] {
        cases.push(case(path, &quote, field, at));
    }
    let rate = checkout::TaxRate {
        tax_class: "standard".into(),
        name: "VAT".into(),
        rate_micros: 1,
        valid_from: None,
    };
    let rates = checkout::SetTaxRatesRequest {
        request_id: key(),
        country_code: "JP".into(),
        tax_mode: checkout::TaxMode::Inclusive.into(),
        rates: vec![rate],
        version: 0,
    };
    let path = "/souk.checkout.v1.CheckoutService/SetTaxRates";
    cases.push(case(path, &rates, "souk.checkout.v1.TaxRate.tax_class", "/rates/0/tax_class"));
    cases.push(case(path, &rates, "souk.checkout.v1.TaxRate.name", "/rates/0/name"));
}

fn products(cases: &mut Vec<Case>) {
    let option = product::OptionValue { name: "size".into(), value: "L".into() };
    let variant = product::VariantInput {
        sku: "txt-1".into(),
        options: vec![option],
        prices: vec![UnitPrice { currency_code: "GBP".into(), micros: 1 }],
        weight_grams: 1,
    };
    let image = product::ProductImage {
        source: Some(product::product_image::Source::Url("https://pictures.example/1".into())),
        alt: "a bowl".into(),
        width: 1,
        height: 1,
        ..Default::default()
    };
    let input = product::ProductInput {
        name: "Bowl".into(),
        option_names: vec!["size".into()],
        variants: vec![variant],
        attributes: vec![product::ProductAttribute { name: "colour".into(), value: "blue".into() }],
        images: vec![image],
        synonyms: vec!["Dish".into()],
        ..Default::default()
    };
    let create = product::CreateProductRequest {
        request_id: key(),
        product: Some(input.clone()),
        ..Default::default()
    };
    let path = "/souk.product.v1.ProductService/CreateProduct";
    for (field, at) in [
        ("souk.product.v1.ProductInput.name", "/product/name"),
        ("souk.product.v1.ProductInput.description", "/product/description"),
        ("souk.product.v1.ProductInput.external_reference", "/product/external_reference"),
        ("souk.product.v1.ProductInput.option_names", "/product/option_names/0"),
        ("souk.product.v1.ProductInput.synonyms", "/product/synonyms/0"),
        ("souk.product.v1.ProductAttribute.name", "/product/attributes/0/name"),
        ("souk.product.v1.ProductAttribute.value", "/product/attributes/0/value"),
        ("souk.product.v1.ProductImage.alt", "/product/images/0/alt"),
        ("souk.product.v1.OptionValue.name", "/product/variants/0/options/0/name"),
        ("souk.product.v1.OptionValue.value", "/product/variants/0/options/0/value"),
    ] {
        cases.push(case(path, &create, field, at));
    }
    let id = ProductId::from_bits(1).to_string();
    let update = product::UpdateProductRequest {
        request_id: key(),
        product_id: id.clone(),
        version: 1,
        product: Some(input),
        ..Default::default()
    };
    cases.push(case(
        "/souk.product.v1.ProductService/UpdateProduct",
        &update,
        "souk.product.v1.UpdateProductRequest.price_reason",
        "/price_reason",
    ));
    let price = product::SetPriceRequest {
        request_id: key(),
        product_id: id,
        version: 1,
        sku: "txt-1".into(),
        unit_price: Some(UnitPrice { currency_code: "GBP".into(), micros: 1 }),
        ..Default::default()
    };
    cases.push(case(
        "/souk.product.v1.ProductService/SetPrice",
        &price,
        "souk.product.v1.SetPriceRequest.reason",
        "/reason",
    ));
    let import = product::ImportProductsRequest {
        request_id: key(),
        products: vec![product::ImportProduct::default()],
        ..Default::default()
    };
    cases.push(case(
        "/souk.product.v1.ProductService/ImportProducts",
        &import,
        "souk.product.v1.ImportProductsRequest.price_reason",
        "/price_reason",
    ));
    let category =
        product::CreateCategoryRequest { request_id: key(), name: "Bowls".into(), ..Default::default() };
    cases.push(case(
        "/souk.product.v1.ProductService/CreateCategory",
        &category,
        "souk.product.v1.CreateCategoryRequest.name",
        "/name",
    ));
    let category = product::UpdateCategoryRequest {
        request_id: key(),
        category_id: CategoryId::from_bits(1).to_string(),
        version: 1,
        name: "Bowls".into(),
        ..Default::default()
    };
    cases.push(case(
        "/souk.product.v1.ProductService/UpdateCategory",
        &category,
        "souk.product.v1.UpdateCategoryRequest.name",
        "/name",
    ));
}

fn stock_and_money(cases: &mut Vec<Case>) {
    let adjust = inventory::AdjustStockRequest {
        request_id: key(),
        sku: "mug".into(),
        change: 1,
        reason: inventory::AdjustmentReason::Count.into(),
        ..Default::default()
    };
    cases.push(case(
        "/souk.inventory.v1.InventoryService/AdjustStock",
        &adjust,
        "souk.inventory.v1.AdjustStockRequest.note",
        "/note",
    ));
    let line = inventory::ReceiptLine {
        sku: "mug".into(),
        quantity: 1,
        reference: "r".into(),
        ..Default::default()
    };
    let receive = inventory::ReceiveStockRequest { request_id: key(), lines: vec![line] };
    cases.push(case(
        "/souk.inventory.v1.InventoryService/ReceiveStock",
        &receive,
        "souk.inventory.v1.ReceiptLine.reference",
        "/lines/0/reference",
    ));
    let location = inventory::CreateLocationRequest {
        request_id: key(),
        code: "texts".into(),
        display_name: "x".into(),
    };
    cases.push(case(
        "/souk.inventory.v1.InventoryService/CreateLocation",
        &location,
        "souk.inventory.v1.CreateLocationRequest.display_name",
        "/display_name",
    ));
    let refund = payment::RefundPaymentRequest {
        request_id: key(),
        payment_id: PaymentId::from_bits(1).to_string(),
        ..Default::default()
    };
    cases.push(case(
        "/souk.payment.v1.PaymentService/RefundPayment",
        &refund,
        "souk.payment.v1.RefundPaymentRequest.reason",
        "/reason",
    ));
    let order_id = OrderId::from_bits(1).to_string();
    let place = order::PlaceOrderRequest { request_id: key(), quote_token: "t".into(), ..Default::default() };
    cases.push(case(
        "/souk.order.v1.OrderService/PlaceOrder",
        &place,
        "souk.order.v1.PlaceOrderRequest.external_reference",
        "/external_reference",
    ));
    let approve =
        order::ApproveOrderRequest { request_id: key(), order_id: order_id.clone(), ..Default::default() };
    cases.push(case(
        "/souk.order.v1.OrderService/ApproveOrder",
        &approve,
        "souk.order.v1.ApproveOrderRequest.note",
        "/note",
    ));
    let cancel = order::CancelOrderRequest { request_id: key(), order_id, ..Default::default() };
    cases.push(case(
        "/souk.order.v1.OrderService/CancelOrder",
        &cancel,
        "souk.order.v1.CancelOrderRequest.note",
        "/note",
    ));
}

fn shipments(cases: &mut Vec<Case>) {
    let band = shipping::Band { up_to: 0, price_minor_units: 1 };
    let rate = shipping::MethodRate {
        zone: "all".into(),
        currency_code: "GBP".into(),
        basis: shipping::RateBasis::Weight.into(),
        bands: vec![band],
        days_min: 1,
        days_max: 2,
    };
    let rates = shipping::RateTable {
        version: 1,
        zones: vec![shipping::Zone {
            code: "all".into(),
            name: "All".into(),
            rest_of_world: true,
            ..Default::default()
        }],
        methods: vec![shipping::Method {
            code: "post".into(),
            name: "Post".into(),
            carrier: "Mail".into(),
            rates: vec![rate],
            ..Default::default()
        }],
    };
    let set = shipping::SetRatesRequest { request_id: key(), rates: Some(rates), ..Default::default() };
    let path = "/souk.shipping.v1.ShippingService/SetRates";
    for (field, at) in [
        ("souk.shipping.v1.Zone.name", "/rates/zones/0/name"),
        ("souk.shipping.v1.Method.name", "/rates/methods/0/name"),
        ("souk.shipping.v1.Method.carrier", "/rates/methods/0/carrier"),
    ] {
        cases.push(case(path, &set, field, at));
    }
    let update = shipping::UpdateShipmentRequest {
        request_id: key(),
        shipment_id: ShipmentId::from_bits(1).to_string(),
        version: 1,
        state: shipping::ShipmentState::InTransit.into(),
        ..Default::default()
    };
    let path = "/souk.shipping.v1.ShippingService/UpdateShipment";
    for (field, at) in [
        ("souk.shipping.v1.UpdateShipmentRequest.carrier", "/carrier"),
        ("souk.shipping.v1.UpdateShipmentRequest.tracking_number", "/tracking_number"),
        ("souk.shipping.v1.UpdateShipmentRequest.note", "/note"),
    ] {
        cases.push(case(path, &update, field, at));
    }
    let cancel = shipping::CancelShipmentRequest {
        request_id: key(),
        order_id: OrderId::from_bits(1).to_string(),
        shipment_group_id: kernel::ShipmentGroupId::from_bits(1).to_string(),
        ..Default::default()
    };
    cases.push(case(
        "/souk.shipping.v1.ShippingService/CancelShipment",
        &cancel,
        "souk.shipping.v1.CancelShipmentRequest.note",
        "/note",
    ));
}

fn devices(cases: &mut Vec<Case>) {
    let (email, password) = ("ada@example.com".to_owned(), "correct horse battery".to_owned());
    let up = identity::SignUpRequest {
        request_id: key(),
        email: email.clone(),
        password: password.clone(),
        ..Default::default()
    };
    cases.push(case(
        "/souk.identity.v1.IdentityService/SignUp",
        &up,
        "souk.identity.v1.SignUpRequest.device",
        "/device",
    ));
    let sign_in = identity::SignInRequest { request_id: key(), email, password, ..Default::default() };
    cases.push(case(
        "/souk.identity.v1.IdentityService/SignIn",
        &sign_in,
        "souk.identity.v1.SignInRequest.device",
        "/device",
    ));
    let guest =
        identity::CreateGuestSessionRequest { request_id: "texts-of-a-guest-1".into(), ..Default::default() };
    cases.push(case(
        "/souk.identity.v1.IdentityService/CreateGuestSession",
        &guest,
        "souk.identity.v1.CreateGuestSessionRequest.device",
        "/device",
    ));
    let secret = identity::CreateSecretRequest { request_id: key(), label: "x".into(), ..Default::default() };
    cases.push(case(
        "/souk.identity.v1.IdentityService/CreateSecret",
        &secret,
        "souk.identity.v1.CreateSecretRequest.label",
        "/label",
    ));
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    addresses(&mut cases);
    quotes(&mut cases);
    products(&mut cases);
    stock_and_money(&mut cases);
    shipments(&mut cases);
    devices(&mut cases);
    cases
}

/// Texts that are reached through requests of roles alone, or only copied from where they were checked.
const COPIED: &[&str] =
    &["souk.product.v1.ImportProduct.external_reference", "souk.product.v1.HistoricPrice.reason"];

/// Every string of a message and of those in it, by full name.
fn strings(message: &MessageDescriptor, seen: &mut BTreeSet<String>, all: &mut BTreeSet<(String, String)>) {
    if !seen.insert(message.full_name().to_owned()) {
        return;
    }
    for field in message.fields() {
        match field.kind() {
            Kind::String => {
                all.insert((field.full_name().to_owned(), field.name().to_owned()));
            }
            Kind::Message(inner) if !inner.full_name().starts_with("google.") => strings(&inner, seen, all),
            _ => {}
        }
    }
}

#[test]
fn every_string_of_every_request_is_a_name_or_has_a_case() {
    let (pool, mut seen, mut all) = (dynamic::pool(), BTreeSet::new(), BTreeSet::new());
    for method in contract::methods() {
        strings(&dynamic::input(&pool, method), &mut seen, &mut all);
    }
    let tried: BTreeSet<&str> = cases().iter().map(|case| case.field).collect();
    let unknown: Vec<&String> = all
        .iter()
        .filter(|(full, name)| {
            let full = full.as_str();
            !tried.contains(full)
                && !NAMED.contains(&name.as_str())
                && !NAMED_FIELDS.contains(&full)
                && !COPIED.contains(&full)
        })
        .map(|(full, _)| full)
        .collect();
    assert!(unknown.is_empty(), "say what these are, and what is checked of them: {unknown:#?}");
    let missing: Vec<_> = tried.iter().filter(|field| !all.iter().any(|(full, _)| full == *field)).collect();
    assert!(missing.is_empty(), "no request has these: {missing:?}");
}

/// The request with a text put where the case says.
fn with(pool: &DescriptorPool, method: &MethodContract, case: &Case, text: &str) -> DynamicMessage {
    let input = dynamic::input(pool, method);
    let mut message = DynamicMessage::decode(input, case.request.as_slice()).expect("a good request");
    let steps: Vec<&str> = case.at.trim_start_matches('/').split('/').collect();
    put(&mut message, &steps, text);
    message
}

fn put(message: &mut DynamicMessage, steps: &[&str], text: &str) {
    let field =
        message.descriptor().get_field_by_name(steps[0]).unwrap_or_else(|| panic!("no field {steps:?}"));
    match (message.get_field_mut(&field), &steps[1..]) {
        (Value::String(old), []) => text.clone_into(old),
        (Value::Message(inner), rest) => put(inner, rest, text),
        (Value::List(items), [at, rest @ ..]) => match &mut items[at.parse::<usize>().expect("a place")] {
            Value::String(old) => text.clone_into(old),
            Value::Message(inner) => put(inner, rest, text),
            other => panic!("{other:?}"),
        },
        (other, _) => panic!("{other:?} at {steps:?}"),
    }
}

async fn answer(world: &World, pool: &DescriptorPool, case: &Case, text: &str) -> Option<Error> {
    let method = contract::methods().iter().find(|method| method.path == case.path).expect(case.path);
    let internal = matches!(case.path, "/souk.shipping.v1.ShippingService/CancelShipment");
    let role = if internal { "order" } else { "bff-web" };
    let callee = method.package_role;
    let client: Channel = world
        .running()
        .client(callee, Some(role), staff(1, &["admin"]), |channel| channel)
        .expect("every role runs here");
    dynamic::call(client, method, &with(pool, method, case, text)).await.err()
}

#[tokio::test(start_paused = true)]
async fn every_text_of_every_service_has_one_rule() {
    let world = World::start(41).await;
    let pool = dynamic::pool();
    let mut wrong = Vec::new();
    for case in cases() {
        let names = |error: &Option<Error>| {
            error.as_ref().is_some_and(|error| error.violations().iter().any(|found| found.field == case.at))
        };
        for refused in ["a\u{0}b", "\u{1b}[31m", "\u{200b}", "\u{3164}", "\u{301}", "a\u{ffff}"] {
            let error = answer(&world, &pool, &case, refused).await;
            if !names(&error) {
                wrong.push(format!("{} {refused:?}: {error:?}", case.field));
            }
        }
        for taken in ["Ada\r\nLovelace\tx", "Ada\rx\u{feff}", "e\u{301}\u{202e}"] {
            let error = answer(&world, &pool, &case, taken).await;
            // A postal code and an option that must be one of a list are wrong for another reason.
            let by_form = case.at.ends_with("/postal_code") || case.at.ends_with("/options/0/name");
            if names(&error) && !by_form {
                wrong.push(format!("{} {taken:?}: {error:?}", case.field));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} texts are not treated as they should be:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[tokio::test(start_paused = true)]
async fn one_rule_for_addresses_of_mail() {
    let world = World::start(42).await;
    let person = world.guest(1);
    let quote = |contact_email: &str| checkout::CreateQuoteRequest {
        currency_code: "GBP".into(),
        destination: home(),
        contact_email: contact_email.into(),
        ..Default::default()
    };
    let sign_up = |email: &str, n: usize| identity::SignUpRequest {
        request_id: format!("mail-{n}"),
        email: email.into(),
        password: "correct horse battery".into(),
        ..Default::default()
    };
    let nobody = world.person(Principal::Anonymous);
    for (n, email) in [
        "a@b@c.de",
        "ada@example..com",
        "ada@example.com,bob@example.com",
        "ada @example.com",
        "@b.c",
        "ada\u{200b}@b.de",
    ]
    .iter()
    .enumerate()
    {
        let mut client =
            person.client("checkout", checkout::checkout_service_client::CheckoutServiceClient::new);
        let error = contract::error(client.create_quote(quote(email)).await.expect_err("refused"));
        assert_eq!(error.violations()[0].field, "/contact_email", "{email:?}: {error:?}");
        let mut client =
            nobody.client("identity", identity::identity_service_client::IdentityServiceClient::new);
        let error = contract::error(client.sign_up(sign_up(email, n)).await.expect_err("refused"));
        assert_eq!(
            (error.reason(), error.violations()[0].field.as_str()),
            ("INVALID_EMAIL", "/email"),
            "{email:?}"
        );
    }
    let mut client = nobody.client("identity", identity::identity_service_client::IdentityServiceClient::new);
    client.sign_up(sign_up("ida@bücher.example", 90)).await.expect("the first");
    for (n, same) in
        ["ida@xn--bcher-kva.example", "IDA@BU\u{308}CHER.example", "ｉｄａ@bücher.example"].iter().enumerate()
    {
        let error =
            contract::error(client.sign_up(sign_up(same, 91 + n)).await.expect_err("the same address"));
        assert_eq!(error.reason(), "EMAIL_TAKEN", "{same}");
    }
    let sign_in = identity::SignInRequest {
        request_id: "mail-in".into(),
        email: "Ida@xn--bcher-kva.example".into(),
        password: "correct horse battery".into(),
        ..Default::default()
    };
    client.sign_in(sign_in).await.expect("by the other spelling");
}

/// Ids that no message needs so long are refused before they are looked up or remembered.
#[tokio::test(start_paused = true)]
async fn ids_of_any_size_are_refused_by_name() {
    use contract::souk::search::v1 as search;
    let world = World::start(43).await;
    let mut client = world.guest(1).client("search", search::search_service_client::SearchServiceClient::new);
    let request = search::SearchRequest { category_ids: vec!["x".repeat(3_000_000)], ..Default::default() };
    let error = contract::error(client.search(request).await.expect_err("refused"));
    assert_eq!(error.violations()[0].field, "/category_ids/0");
    let subscribe = SubscribeRequest {
        source: "product".into(),
        types: vec!["souk.product.v1.ProductCreated".into(), "x".repeat(3_000_000)],
        ..Default::default()
    };
    let mut events = world
        .running()
        .client("product", Some("search"), Principal::Anonymous, EventServiceClient::new)
        .expect("every role runs here");
    let error = match events.subscribe(subscribe).await {
        Err(status) => contract::error(status),
        Ok(stream) => contract::error(stream.into_inner().message().await.expect_err("refused")),
    };
    assert_eq!(error.violations()[0].field, "/types/1");
}
