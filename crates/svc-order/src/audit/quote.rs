//! The frozen quote, computed anew from its prices, quantities and rates; and the order's columns, which repeat it.
//!
//! Written apart from checkout on purpose: who made a mistake there does not find it by the same arithmetic.

use std::collections::BTreeMap;

use contract::souk::checkout::v1::{Quote, QuoteAdjustment, TaxLine, TaxMode};
use contract::souk::r#type::v1 as common;
use contract::wire::{parse_currency, parse_money, parse_rounding, parse_rounding_level, parse_unit_price};
use kernel::{Currency, Error, Money, Rate, Result, Rounding, RoundingLevel};

use super::{Findings, QUOTES};
use crate::wire;

/// Minor units by which a part may differ from its exact share where a sum is rounded once and then split: one for the
/// rounding of the sum, one for the largest remainder.
const SHARE_OFF_MAX: i64 = 2;

/// By what a quote is computed.
#[derive(Clone, Copy)]
struct Rules {
    currency: Currency,
    inclusive: bool,
    rounding: Rounding,
    level: RoundingLevel,
}

/// A tax: name, country, rate in millionths.
type Tax = (String, String, i64);

/// A line or a shipment: what it is called, its amounts, its tax.
struct Part {
    name: String,
    /// Quantity × unit price in micros; `None` for shipping, whose price is given.
    exact: Option<i128>,
    /// In the mode of the quote, before adjustments.
    subtotal: Money,
    /// After adjustments.
    taxable: Money,
    net: Money,
    tax: Money,
    gross: Money,
    taxes: Vec<(Tax, Money)>,
}

pub(super) fn check(findings: &mut Findings<'_>) {
    let row = findings.row;
    if row.quote.is_empty() {
        findings.note(QUOTES, "quote", "the frozen quote", "none");
        return;
    }
    let quote = match wire::quote(&row.quote) {
        Ok(quote) => quote,
        Err(error) => return findings.note(QUOTES, "quote", "a quote", error.message()),
    };
    columns(findings, &quote);
    let parts = match rules(&quote).and_then(|rules| Ok((rules, parts(rules, &quote)?))) {
        Ok(parts) => parts,
        Err(error) => return findings.note(QUOTES, "quote", "amounts of one currency", error.to_string()),
    };
    let (rules, parts) = parts;
    for part in &parts {
        amounts(findings, rules, part);
    }
    if rules.level == RoundingLevel::Total {
        groups(findings, rules, &parts);
    }
    if let Err(error) = totals(findings, rules, &quote, &parts) {
        findings.note(QUOTES, "totals", "sums of the parts", error.to_string());
    }
}

/// What the order repeats of its quote.
fn columns(findings: &mut Findings<'_>, quote: &Quote) {
    let order = &findings.row.order;
    let text = |money: Option<&common::Money>| {
        money.map_or("nothing".to_owned(), |money| format!("{} {}", money.minor_units, money.currency_code))
    };
    let own = |money: Money| format!("{} {}", money.minor, money.currency);
    let totals = quote.totals.as_ref();
    findings.same(QUOTES, "quote id", order.quote_id().to_string(), quote.quote_id.clone());
    findings.same(QUOTES, "owner", quote.owner.as_str(), order.owner.as_str());
    findings.same(QUOTES, "total", text(totals.and_then(|totals| totals.grand.as_ref())), own(order.total));
    findings.same(QUOTES, "tax", text(totals.and_then(|totals| totals.tax.as_ref())), own(order.tax));
    findings.same(QUOTES, "line_count", quote.lines.len() as i64, order.line_count);
    let units = quote.lines.iter().fold(0_i64, |sum, line| sum.saturating_add(line.quantity));
    findings.same(QUOTES, "units", units, order.units);
    let first = quote.lines.first().map_or("", |line| line.name.as_str());
    // Orders of before the name was kept have none.
    if !order.first_product.is_empty() {
        findings.same(QUOTES, "first_product", first, order.first_product.as_str());
    }
    if quote.cart_id.is_empty() && order.cart != crate::domain::Cart::NotNeeded {
        findings.note(QUOTES, "cart", "none, as its lines came from no cart", format!("{:?}", order.cart));
    }
}

fn rules(quote: &Quote) -> Result<Rules> {
    let mode = TaxMode::try_from(quote.tax_mode).unwrap_or_default();
    if mode == TaxMode::Unspecified {
        return Err(Error::internal("a quote without a tax mode"));
    }
    Ok(Rules {
        currency: parse_currency("/currency_code", &quote.currency_code)?,
        inclusive: mode == TaxMode::Inclusive,
        rounding: parse_rounding("/rounding_mode", quote.rounding_mode)?,
        level: parse_rounding_level("/rounding_level", quote.rounding_level)?,
    })
}

fn parts(rules: Rules, quote: &Quote) -> Result<Vec<Part>> {
    let money = |name: &str, value: &Option<common::Money>| -> Result<Money> {
        let money = parse_money(name, value)?;
        (money.currency == rules.currency)
            .then_some(money)
            .ok_or_else(|| Error::internal(format!("{name} is in {}", money.currency)))
    };
    let adjusted = |subtotal: Money, adjustments: &[QuoteAdjustment]| -> Result<Money> {
        adjustments
            .iter()
            .try_fold(subtotal, |sum, change| Ok(sum.plus(money("/adjustments", &change.amount)?)?))
    };
    let taxes = |lines: &[TaxLine]| -> Result<Vec<(Tax, Money)>> {
        let one = |line: &TaxLine| {
            if line.mode != quote.tax_mode {
                return Err(Error::internal("a tax of another mode than its quote"));
            }
            let tax = (line.name.clone(), line.country_code.clone(), line.rate_micros);
            Ok((tax, money("/tax_lines", &line.amount)?))
        };
        lines.iter().map(one).collect()
    };
    let mut parts = Vec::with_capacity(quote.lines.len() + quote.shipment_groups.len());
    for line in &quote.lines {
        let price = parse_unit_price("/unit_price", &line.unit_price)?;
        if price.currency != rules.currency {
            return Err(Error::internal(format!("/unit_price is in {}", price.currency)));
        }
        let subtotal = money("/subtotal", &line.subtotal)?;
        parts.push(Part {
            name: format!("line {} ({})", line.line_id, line.sku),
            exact: Some(i128::from(price.micros) * i128::from(line.quantity)),
            subtotal,
            taxable: adjusted(subtotal, &line.adjustments)?,
            net: money("/net", &line.net)?,
            tax: money("/tax", &line.tax)?,
            gross: money("/gross", &line.gross)?,
            taxes: taxes(&line.tax_lines)?,
        });
    }
    for group in &quote.shipment_groups {
        let subtotal = money("/subtotal", &group.subtotal)?;
        parts.push(Part {
            name: format!("shipping {}", group.shipment_group_id),
            exact: None,
            subtotal,
            taxable: adjusted(subtotal, &group.adjustments)?,
            net: money("/net", &group.net)?,
            tax: money("/tax", &group.tax)?,
            gross: money("/gross", &group.gross)?,
            taxes: taxes(&group.tax_lines)?,
        });
    }
    Ok(parts)
}

/// Quantity × price in minor units, rounded.
fn priced(rules: Rules, exact: i128) -> i128 {
    let scaled = exact.saturating_mul(10_i128.pow(rules.currency.exponent()));
    rules.rounding.divide(scaled, 1_000_000)
}

/// What a rate comes to.
fn rated(rules: Rules, rate_micros: i64, amount: Money) -> Result<Money> {
    let rate = Rate::from_micros(rate_micros)?;
    let tax =
        if rules.inclusive { rate.within(amount, rules.rounding) } else { rate.of(amount, rules.rounding) };
    Ok(tax?)
}

/// One line or shipment by itself.
fn amounts(findings: &mut Findings<'_>, rules: Rules, part: &Part) {
    let off = if rules.level == RoundingLevel::Total { SHARE_OFF_MAX } else { 0 };
    let about = |expected: i128, found: i64| (expected - i128::from(found)).abs() <= i128::from(off);
    if let Some(expected) = part.exact.map(|exact| priced(rules, exact))
        && !about(expected, part.subtotal.minor)
    {
        let expected = format!("quantity × price, {expected} in minor units");
        findings.note(QUOTES, &format!("{}, subtotal", part.name), expected, part.subtotal);
    }
    let (net, gross) = if rules.inclusive {
        (part.taxable.minor.saturating_sub(part.tax.minor), part.taxable.minor)
    } else {
        (part.taxable.minor, part.taxable.minor.saturating_add(part.tax.minor))
    };
    findings.same(QUOTES, &format!("{}, net", part.name), net, part.net.minor);
    findings.same(QUOTES, &format!("{}, gross", part.name), gross, part.gross.minor);
    let sum = part.taxes.iter().fold(0_i64, |sum, (_, amount)| sum.saturating_add(amount.minor));
    findings.same(QUOTES, &format!("{}, tax", part.name), sum, part.tax.minor);
    for ((name, country, rate), amount) in &part.taxes {
        let expected = rated(rules, *rate, part.taxable).map(|tax| i128::from(tax.minor));
        if !expected.as_ref().is_ok_and(|expected| about(*expected, amount.minor)) {
            let expected = expected.map_or("a rate".to_owned(), |tax| format!("{tax} in minor units"));
            let at = format!("{}, {name} {country} at {rate} millionths", part.name);
            findings.note(QUOTES, &at, expected, amount);
        }
    }
}

/// Where sums are rounded once: the parts of one tax sum to it. Shipping is rounded with the lines or by itself.
fn groups(findings: &mut Findings<'_>, rules: Rules, parts: &[Part]) {
    let mut by_tax: BTreeMap<Option<&Tax>, Vec<&Part>> = BTreeMap::new();
    for part in parts {
        by_tax.entry(part.taxes.first().map(|(tax, _)| tax)).or_default().push(part);
    }
    for (tax, parts) in by_tax {
        let lines: Vec<&Part> = parts.iter().filter(|part| part.exact.is_some()).copied().collect();
        let exact: i128 = lines.iter().filter_map(|part| part.exact).sum();
        let sum = |parts: &[&Part], amount: fn(&Part) -> Money| -> i128 {
            parts.iter().map(|part| i128::from(amount(part).minor)).sum()
        };
        let subtotal = sum(&lines, |part| part.subtotal);
        let name =
            tax.map_or("no tax".to_owned(), |(name, country, rate)| format!("{name} {country} {rate}"));
        if subtotal != priced(rules, exact) {
            let expected = format!("{} in minor units", priced(rules, exact));
            findings.note(QUOTES, &format!("lines of {name}, subtotal"), expected, subtotal);
        }
        let Some((_, _, rate)) = tax else { continue };
        let taxed = |taxable: i128| {
            let amount = Money::new(i64::try_from(taxable).unwrap_or(i64::MAX), rules.currency);
            rated(rules, *rate, amount).map_or(i128::MAX, |tax| i128::from(tax.minor))
        };
        let shipping: i128 = sum(&parts, |part| part.taxable) - sum(&lines, |part| part.taxable);
        let goods = sum(&lines, |part| part.taxable);
        let found = sum(&parts, |part| part.tax);
        let (joint, apart) = (taxed(goods + shipping), taxed(goods) + taxed(shipping));
        if found != joint && found != apart {
            let expected = format!("{joint} or {apart} in minor units");
            findings.note(QUOTES, &format!("parts of {name}, tax"), expected, found);
        }
    }
}

/// The totals are the sums of the parts, and the tax table is by tax.
fn totals(findings: &mut Findings<'_>, rules: Rules, quote: &Quote, parts: &[Part]) -> Result<()> {
    let totals = quote.totals.as_ref().ok_or_else(|| Error::internal("no totals"))?;
    let lines = &parts[..quote.lines.len()];
    let shipments = &parts[quote.lines.len()..];
    let sum =
        |parts: &[Part], amount: fn(&Part) -> Money| Money::sum(rules.currency, parts.iter().map(amount));
    let (items, shipping) = (sum(lines, |part| part.gross)?, sum(shipments, |part| part.gross)?);
    for (name, expected, found) in [
        ("totals, items", items, &totals.items),
        ("totals, shipping", shipping, &totals.shipping),
        ("totals, tax", sum(parts, |part| part.tax)?, &totals.tax),
        ("totals, grand", items.plus(shipping)?, &totals.grand),
    ] {
        findings.same(QUOTES, name, expected, parse_money("/totals", found)?);
    }
    let mut taxes: BTreeMap<Tax, i64> = BTreeMap::new();
    for (tax, amount) in parts.iter().flat_map(|part| &part.taxes) {
        let sum = taxes.entry(tax.clone()).or_insert(0);
        *sum = sum.saturating_add(amount.minor);
    }
    for line in &totals.tax_lines {
        let tax = (line.name.clone(), line.country_code.clone(), line.rate_micros);
        let name = format!("totals, {} {} at {} millionths", tax.0, tax.1, tax.2);
        let expected = taxes.remove(&tax).unwrap_or(0);
        let found = parse_money("/tax_lines", &line.amount)?;
        findings.same(QUOTES, &name, Money::new(expected, rules.currency), found);
    }
    for ((name, country, rate), amount) in taxes {
        let part = format!("totals, {name} {country} at {rate} millionths");
        findings.note(QUOTES, &part, Money::new(amount, rules.currency), "no line in the tax table");
    }
    Ok(())
}
