//! What a quote is asked for, checked.

use chassis::Context;
use contract::souk::cart::v1::{CartView, GetCartRequest};
use contract::souk::checkout::v1 as pb;
use contract::souk::checkout::v1::staff_draft::Customer;
use contract::souk::r#type::v1::Address;
use contract::souk::user::v1::{FindProfileRequest, GetProfileRequest, Profile};
use contract::wire;
use kernel::{Code, Currency, CustomerId, Email, Error, Guest, Result, UnitPrice, Violations, sku};
use mesh::{Caller, Principal};

use super::facts::Peers;
use crate::domain::{LINES_MAX, QUANTITY_MAX, REASON_CHARS_MAX, TaxMode, UNIT_PRICE_MICROS_MAX};

/// Characters of the code of a shipping method.
const METHOD_CHARS_MAX: usize = 32;
/// One, as a rate in millionths.
const ONE_MICROS: i64 = 1_000_000;
/// The permission to draft orders.
const OVERRIDE: &str = "checkout.override";

/// What is to be quoted.
pub(super) struct Ask {
    pub source: pb::QuoteSource,
    pub cart_id: String,
    pub owner: String,
    pub created_by: String,
    pub customer_id: String,
    pub lines: Vec<AskedLine>,
    pub currency: Currency,
    pub destination: Address,
    /// Empty: the cheapest.
    pub method: String,
    pub contact_email: String,
    pub terms: Terms,
}

/// One line that is asked for.
pub(super) struct AskedLine {
    pub sku: String,
    pub quantity: i64,
    /// Staff's own price, with the reason for it.
    pub unit_price: Option<(UnitPrice, String)>,
    pub cart_line_id: String,
}

/// What staff decided; nothing for a cart.
#[derive(Default)]
pub(super) struct Terms {
    pub by_staff: bool,
    pub mode: Option<TaxMode>,
    pub rate_micros: Option<i64>,
    pub delivery_free: bool,
    pub reason: String,
}

/// What both ways of asking have in common.
struct Common {
    currency: Currency,
    destination: Address,
    method: String,
    contact_email: String,
}

/// Asks for the caller's own cart.
pub(super) async fn from_cart(
    caller: &Caller,
    request: &pb::CreateQuoteRequest,
    peers: &Peers,
) -> Result<Ask> {
    let customer_id = match &caller.principal {
        Principal::Anonymous => {
            return Err(Error::new(
                Code::Unauthenticated,
                "UNAUTHENTICATED",
                "sign in, or begin a guest session, to quote a cart",
            ));
        }
        principal => principal.account().map(|id| id.to_string()).unwrap_or_default(),
    };
    let mut common = common(request)?;
    // A shopper's parcel needs more of an address than its country.
    common.destination = wire::deliverable_address("/destination", common.destination)?;
    let wanted = GetCartRequest {
        cart_id: String::new(),
        currency_code: common.currency.code().to_owned(),
        view: CartView::Lines.into(),
    };
    let cart = peers
        .cart
        .clone()
        .get_cart(wanted)
        .await
        .map_err(contract::error)?
        .into_inner()
        .cart
        .unwrap_or_default();
    if cart.lines.is_empty() {
        return Err(Error::precondition("CART_EMPTY", "the cart is empty"));
    }
    let lines = cart.lines.into_iter().map(|line| AskedLine {
        sku: line.sku,
        quantity: i64::from(line.quantity),
        unit_price: None,
        cart_line_id: line.line_id,
    });
    Ok(Ask {
        source: pb::QuoteSource::Cart,
        cart_id: cart.cart_id,
        owner: caller.principal.subject(),
        created_by: caller.principal.subject(),
        customer_id,
        lines: lines.collect(),
        currency: common.currency,
        destination: common.destination,
        method: common.method,
        contact_email: common.contact_email,
        terms: Terms::default(),
    })
}

/// Asks for what staff drafts.
pub(super) async fn from_draft(
    ctx: &Context,
    caller: &Caller,
    request: &pb::CreateQuoteRequest,
    draft: &pb::StaffDraft,
    peers: &Peers,
) -> Result<Ask> {
    if !caller.principal.may(OVERRIDE) {
        return Err(Error::missing_permission("drafting orders", &[OVERRIDE]));
    }
    let common = common(request)?;
    let lines = draft_lines(&draft.lines, common.currency)?;
    let terms = terms(draft.terms.as_ref())?;
    let profile = match &draft.customer {
        Some(customer) => Some(customer_profile(customer, peers).await?),
        None => None,
    };
    let customer_id = profile.as_ref().map(|profile| profile.profile_id.clone()).unwrap_or_default();
    let email = profile.map(|profile| profile.email).unwrap_or_default();
    Ok(Ask {
        source: pb::QuoteSource::Staff,
        cart_id: String::new(),
        owner: if customer_id.is_empty() { ctx.id::<Guest>().to_string() } else { customer_id.clone() },
        created_by: caller.principal.subject(),
        customer_id,
        lines,
        currency: common.currency,
        destination: common.destination,
        method: common.method,
        contact_email: if common.contact_email.is_empty() { email } else { common.contact_email },
        terms,
    })
}

fn common(request: &pb::CreateQuoteRequest) -> Result<Common> {
    let currency = wire::parse_currency("/currency_code", &request.currency_code)?;
    let destination = wire::parse_address("/destination", &request.destination)?;
    let mut violations = Violations::new();
    let method = violations.optional_text("/shipping_method", &request.shipping_method, METHOD_CHARS_MAX);
    let contact_email = if request.contact_email.trim().is_empty() {
        String::new()
    } else {
        let email = violations.take("", Email::parse("/contact_email", &request.contact_email));
        email.map(|email| email.as_str().to_owned()).unwrap_or_default()
    };
    violations.finish()?;
    Ok(Common { currency, destination, method, contact_email })
}

fn draft_lines(lines: &[pb::DraftLine], currency: Currency) -> Result<Vec<AskedLine>> {
    if lines.is_empty() || lines.len() > LINES_MAX {
        let description = format!("must have 1 to {LINES_MAX} lines");
        return Err(Error::field("/draft/lines", "INVALID_ARGUMENT", description));
    }
    let mut violations = Violations::new();
    let mut asked = Vec::with_capacity(lines.len());
    for (index, line) in lines.iter().enumerate() {
        let at = format!("/draft/lines/{index}");
        violations.check(sku::may_be_stored(&line.sku), format!("{at}/sku"), sku::STORED_RULE);
        violations.check(
            (1..=QUANTITY_MAX).contains(&line.quantity),
            format!("{at}/quantity"),
            format!("must be between 1 and {QUANTITY_MAX}"),
        );
        let reason = violations.optional_lines(
            &format!("{at}/override_reason"),
            &line.override_reason,
            REASON_CHARS_MAX,
        );
        let price = draft_price(&at, line, currency, &mut violations);
        violations.check(
            line.unit_price.is_some() != reason.is_empty(),
            format!("{at}/override_reason"),
            "is required with unit_price, and only then",
        );
        asked.push(AskedLine {
            sku: line.sku.clone(),
            quantity: line.quantity,
            unit_price: price.map(|price| (price, reason)),
            cart_line_id: String::new(),
        });
    }
    violations.finish()?;
    Ok(asked)
}

fn draft_price(
    at: &str,
    line: &pb::DraftLine,
    currency: Currency,
    violations: &mut Violations,
) -> Option<UnitPrice> {
    line.unit_price.as_ref()?;
    let pointer = format!("{at}/unit_price");
    let price = match wire::parse_unit_price(&pointer, &line.unit_price) {
        Ok(price) => price,
        Err(error) => {
            for violation in error.violations() {
                violations.add(violation.field.clone(), violation.description.clone());
            }
            return None;
        }
    };
    violations.check(
        price.currency == currency,
        format!("{pointer}/currency_code"),
        "must be the currency of the quote",
    );
    violations.check(
        (0..=UNIT_PRICE_MICROS_MAX).contains(&price.micros),
        format!("{pointer}/micros"),
        format!("must be between 0 and {UNIT_PRICE_MICROS_MAX}"),
    );
    Some(price)
}

fn terms(terms: Option<&pb::StaffTerms>) -> Result<Terms> {
    let Some(terms) = terms else { return Ok(Terms { by_staff: true, ..Terms::default() }) };
    let mut violations = Violations::new();
    let mode = match pb::TaxMode::try_from(terms.tax_mode) {
        Ok(pb::TaxMode::Unspecified) => None,
        Ok(pb::TaxMode::Inclusive) => Some(TaxMode::Inclusive),
        Ok(pb::TaxMode::Exclusive) => Some(TaxMode::Exclusive),
        Err(_) => {
            violations.add("/draft/terms/tax_mode", "is not a known tax mode");
            None
        }
    };
    let delivery = pb::DeliveryCharge::try_from(terms.delivery_charge);
    violations.check(delivery.is_ok(), "/draft/terms/delivery_charge", "is not a known delivery charge");
    let reason = violations.optional_lines("/draft/terms/reason", &terms.reason, REASON_CHARS_MAX);
    if let Some(rate) = terms.tax_rate_micros {
        let good = (0..=ONE_MICROS).contains(&rate);
        violations.check(good, "/draft/terms/tax_rate_micros", "must be between 0 and 1000000");
        violations.check(!reason.is_empty(), "/draft/terms/reason", "is required with tax_rate_micros");
    }
    violations.finish()?;
    Ok(Terms {
        by_staff: true,
        mode,
        rate_micros: terms.tax_rate_micros,
        delivery_free: delivery == Ok(pb::DeliveryCharge::Free),
        reason,
    })
}

async fn customer_profile(customer: &Customer, peers: &Peers) -> Result<Profile> {
    let mut user = peers.user.clone();
    let (pointer, found) = match customer {
        Customer::CustomerId(id) => {
            let pointer = "/draft/customer_id";
            let id: CustomerId = wire::parse_id(pointer, id)?;
            let answer = user.get_profile(GetProfileRequest { profile_id: id.to_string() }).await;
            (pointer, answer.map(|answer| answer.into_inner().profile))
        }
        Customer::CustomerReference(reference) => {
            let answer =
                user.find_profile(FindProfileRequest { external_reference: reference.clone() }).await;
            ("/draft/customer_reference", answer.map(|answer| answer.into_inner().profile))
        }
    };
    let missing = || {
        Error::precondition("CUSTOMER_NOT_FOUND", "there is no such customer")
            .with_field(pointer, "names no customer")
    };
    match found.map_err(contract::error) {
        Ok(profile) => profile.ok_or_else(missing),
        Err(error) if error.code() == Code::NotFound => Err(missing()),
        Err(error) if error.code() == Code::InvalidArgument => Err(error.at("/draft")),
        Err(error) => Err(error),
    }
}
