//! Puts a quote together for the wire.

use chassis::Context;
use contract::souk::checkout::v1 as pb;
use contract::souk::product::v1::OptionValue;
use contract::souk::shipping::v1::ShippingOption;
use contract::souk::r#type::v1::ChosenOption;
use contract::wire;
use kernel::{Currency, Error, Line, Money, Quote, Result, ShipmentGroup};

use super::ask::{Ask, Terms};
use super::facts::tax_class;
use super::{Method, Parts};
use crate::domain::{Amounts, AppliedTax, QUOTE_TTL, TaxMode};

/// Where everything ships from until merchants and warehouses say otherwise.
const ORIGIN: &str = "main";

/// The way a quote ships.
pub(super) struct Shipping {
    method: String,
    name: String,
    /// In the quote's tax mode.
    pub price: Money,
}

/// Chooses the way to ship: the one asked for, else the cheapest.
pub(super) fn choose(
    ask: &Ask,
    options: &[ShippingOption],
    method: Method,
    currency: Currency,
) -> Result<Shipping> {
    if ask.terms.delivery_free {
        return Ok(Shipping {
            method: "free".to_owned(),
            name: "Free delivery".to_owned(),
            price: Money::zero(currency),
        });
    }
    let cheapest = || options.iter().find(|option| !option.staff_only).or(options.first());
    let chosen = match ask.method.as_str() {
        "" => cheapest(),
        wanted => {
            let found = options.iter().find(|option| option.method == wanted);
            if found.is_none() && method == Method::AsAsked && !options.is_empty() {
                let offered: Vec<&str> = options.iter().map(|option| option.method.as_str()).collect();
                let error = Error::precondition(
                    "SHIPPING_METHOD_NOT_OFFERED",
                    "this shipping method is not offered for this order",
                );
                return Err(error
                    .with("offered", offered.join(","))
                    .with_field("/shipping_method", "is not offered here"));
            }
            found.or_else(cheapest)
        }
    };
    let Some(option) = chosen else {
        let error = Error::precondition(
            "DESTINATION_NOT_SERVED",
            "nothing is delivered to this country in this currency",
        );
        return Err(error.with_field("/destination/country_code", "is not delivered to in this currency"));
    };
    let price = wire::parse_money("/price", &option.price).map_err(Error::internal)?;
    Ok(Shipping { method: option.method.clone(), name: option.name.clone(), price })
}

/// The quote, with new ids.
pub(super) fn quote(ctx: &Context, parts: &Parts<'_>) -> Result<pb::Quote> {
    let Parts { ask, rules, priced, now, .. } = *parts;
    let group_id = ctx.id::<ShipmentGroup>().to_string();
    let lines =
        (0..ask.lines.len()).map(|index| line(ctx, parts, index, &group_id)).collect::<Result<_>>()?;
    Ok(pb::Quote {
        quote_id: ctx.id::<Quote>().to_string(),
        owner: ask.owner.clone(),
        created_by: ask.created_by.clone(),
        customer_id: ask.customer_id.clone(),
        source: ask.source.into(),
        cart_id: ask.cart_id.clone(),
        currency_code: rules.currency.code().to_owned(),
        tax_mode: tax_mode(rules.mode).into(),
        rounding_mode: wire::rounding(rules.rounding).into(),
        rounding_level: wire::rounding_level(rules.level).into(),
        lines,
        shipment_groups: vec![group(parts, group_id)],
        totals: Some(pb::QuoteTotals {
            items: Some(wire::money(priced.items)),
            shipping: Some(wire::money(priced.shipping.gross)),
            tax: Some(wire::money(priced.tax)),
            grand: Some(wire::money(priced.grand)),
            tax_lines: priced.taxes.iter().map(|sum| tax_line(&sum.tax, sum.amount, rules.mode)).collect(),
        }),
        destination: Some(ask.destination.clone()),
        contact_email: ask.contact_email.clone(),
        create_time: Some(wire::timestamp(now)),
        expire_time: Some(wire::timestamp(now.plus(QUOTE_TTL))),
        staff_terms: ask.terms.by_staff.then(|| staff_terms(&ask.terms)),
    })
}

fn line(ctx: &Context, parts: &Parts<'_>, index: usize, group_id: &str) -> Result<pb::QuoteLine> {
    let Parts { ask, variants, rules, items, priced, .. } = *parts;
    let (asked, item, amounts) = (&ask.lines[index], &items[index], &priced.lines[index]);
    let variant = variants.get(&asked.sku)?;
    let listed = variants.listed(&asked.sku, ask).filter(|_| asked.unit_price.is_some());
    Ok(pb::QuoteLine {
        line_id: ctx.id::<Line>().to_string(),
        sku: asked.sku.clone(),
        product_id: variant.product_id.clone(),
        name: variant.product_name.clone(),
        quantity: asked.quantity,
        unit_price: Some(wire::unit_price(item.unit_price)),
        list_price: listed.map(wire::unit_price),
        override_reason: asked.unit_price.as_ref().map(|(_, reason)| reason.clone()).unwrap_or_default(),
        subtotal: Some(wire::money(amounts.subtotal)),
        adjustments: Vec::new(),
        net: Some(wire::money(amounts.net)),
        tax: Some(wire::money(amounts.tax)),
        gross: Some(wire::money(amounts.gross)),
        tax_lines: tax_lines(item.tax.as_ref(), amounts, rules.mode),
        tax_class: tax_class(variant).to_owned(),
        seller: String::new(),
        shipment_group_id: group_id.to_owned(),
        weight_grams: i64::from(variant.weight_grams),
        cart_line_id: asked.cart_line_id.clone(),
        options: variant.options.iter().map(chosen).collect(),
    })
}

fn chosen(option: &OptionValue) -> ChosenOption {
    ChosenOption { name: option.name.clone(), value: option.value.clone() }
}

fn group(parts: &Parts<'_>, shipment_group_id: String) -> pb::QuoteShipmentGroup {
    let amounts = &parts.priced.shipping;
    pb::QuoteShipmentGroup {
        shipment_group_id,
        seller: String::new(),
        origin: ORIGIN.to_owned(),
        method: parts.shipping.method.clone(),
        method_name: parts.shipping.name.clone(),
        subtotal: Some(wire::money(amounts.subtotal)),
        adjustments: Vec::new(),
        net: Some(wire::money(amounts.net)),
        tax: Some(wire::money(amounts.tax)),
        gross: Some(wire::money(amounts.gross)),
        tax_lines: tax_lines(parts.shipping_tax, amounts, parts.rules.mode),
        weight_grams: parts.weight_grams,
    }
}

fn tax_lines(tax: Option<&AppliedTax>, amounts: &Amounts, mode: TaxMode) -> Vec<pb::TaxLine> {
    tax.map(|tax| tax_line(tax, amounts.tax, mode)).into_iter().collect()
}

fn tax_line(tax: &AppliedTax, amount: Money, mode: TaxMode) -> pb::TaxLine {
    pb::TaxLine {
        name: tax.name.clone(),
        country_code: tax.country.clone(),
        rate_micros: tax.rate_micros,
        amount: Some(wire::money(amount)),
        mode: tax_mode(mode).into(),
    }
}

pub(crate) fn tax_mode(mode: TaxMode) -> pb::TaxMode {
    match mode {
        TaxMode::Inclusive => pb::TaxMode::Inclusive,
        TaxMode::Exclusive => pb::TaxMode::Exclusive,
    }
}

fn staff_terms(terms: &Terms) -> pb::StaffTerms {
    let charge = if terms.delivery_free { pb::DeliveryCharge::Free } else { pb::DeliveryCharge::Rated };
    pb::StaffTerms {
        tax_mode: terms.mode.map_or(pb::TaxMode::Unspecified, tax_mode).into(),
        tax_rate_micros: terms.rate_micros,
        delivery_charge: charge.into(),
        reason: terms.reason.clone(),
    }
}
