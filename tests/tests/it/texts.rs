//! One rule for texts: every text that anybody may write, in every service, is refused with its field's name where it has
//! control characters or shows nothing, and taken where it has line breaks of any kind and tabs.

mod cases;

use std::collections::BTreeSet;

use chassis::testing::staff;
use contract::MethodContract;
use contract::souk::checkout::v1 as checkout;
use contract::souk::event::v1::SubscribeRequest;
use contract::souk::event::v1::event_service_client::EventServiceClient;
use contract::souk::identity::v1 as identity;
use kernel::Error;
use mesh::{Channel, Principal};
use prost_reflect::{DescriptorPool, DynamicMessage, Kind, MessageDescriptor, ReflectMessage, Value};
use tests::World;

use self::cases::{Case, cases, home};
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

/// Texts that are reached through requests of roles alone, or only copied from where they were checked.
const COPIED: &[&str] = &[
    "souk.product.v1.ImportProduct.external_reference",
    "souk.product.v1.HistoricPrice.reason",
    // Frozen with the order.
    "souk.shipping.v1.ShipmentLine.name",
    "souk.type.v1.ChosenOption.name",
    "souk.type.v1.ChosenOption.value",
];

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
fn with(
    world: &World,
    pool: &DescriptorPool,
    method: &MethodContract,
    case: &Case,
    text: &str,
) -> DynamicMessage {
    let input = dynamic::input(pool, method);
    let mut message = DynamicMessage::decode(input, case.request.as_slice()).expect("a good request");
    let steps: Vec<&str> = case.at.trim_start_matches('/').split('/').collect();
    put(&mut message, &steps, text);
    if let Some(request_id) = message.descriptor().get_field_by_name("request_id") {
        message.set_field(&request_id, Value::String(world.request_id()));
    }
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
    let internal = matches!(
        case.path,
        "/souk.shipping.v1.ShippingService/CancelShipment" | "/souk.payment.v1.PaymentService/RefundPayment"
    );
    let role = if internal { "order" } else { "bff-web" };
    let callee = method.package_role;
    let client: Channel = world
        .running()
        .client(callee, Some(role), staff(1, &["admin"]), |channel| channel)
        .expect("every role runs here");
    dynamic::call(client, method, &with(world, pool, method, case, text)).await.err()
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
            // These are wrong for another reason: a postal code has a form, a telephone number a digit, and an option must
            // be one of a list.
            let by_form =
                ["/postal_code", "/phone", "/options/0/name"].iter().any(|end| case.at.ends_with(end));
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
