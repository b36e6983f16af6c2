//! A quote again: what was asked for then, and what is different now.

use std::collections::HashMap;

use contract::souk::checkout::v1 as pb;
use contract::wire;
use kernel::{Error, Result};

use super::ask::{Ask, AskedLine, Terms};
use super::facts::Variants;
use crate::domain::TaxMode;

/// What an old quote was asked for. It was signed here, so what is missing in it is a bug.
pub(super) fn ask(old: &pb::Quote) -> Result<Ask> {
    let missing = |what: &str| Error::internal(format!("quote {} has no {what}", old.quote_id));
    let lines = old.lines.iter().map(|line| {
        let overridden = !line.override_reason.is_empty();
        let price = wire::parse_unit_price("/unit_price", &line.unit_price).map_err(Error::internal)?;
        Ok(AskedLine {
            sku: line.sku.clone(),
            quantity: line.quantity,
            unit_price: overridden.then(|| (price, line.override_reason.clone())),
            cart_line_id: line.cart_line_id.clone(),
        })
    });
    let group = old.shipment_groups.first().ok_or_else(|| missing("shipment group"))?;
    Ok(Ask {
        source: pb::QuoteSource::try_from(old.source).map_err(Error::internal)?,
        cart_id: old.cart_id.clone(),
        owner: old.owner.clone(),
        created_by: old.created_by.clone(),
        customer_id: old.customer_id.clone(),
        lines: lines.collect::<Result<_>>()?,
        currency: wire::parse_currency("/currency_code", &old.currency_code).map_err(Error::internal)?,
        destination: old.destination.clone().ok_or_else(|| missing("destination"))?,
        method: group.method.clone(),
        contact_email: old.contact_email.clone(),
        terms: old.staff_terms.as_ref().map(terms).unwrap_or_default(),
    })
}

fn terms(terms: &pb::StaffTerms) -> Terms {
    Terms {
        by_staff: true,
        mode: match pb::TaxMode::try_from(terms.tax_mode) {
            Ok(pb::TaxMode::Inclusive) => Some(TaxMode::Inclusive),
            Ok(pb::TaxMode::Exclusive) => Some(TaxMode::Exclusive),
            Ok(pb::TaxMode::Unspecified) | Err(_) => None,
        },
        rate_micros: terms.tax_rate_micros,
        delivery_free: terms.delivery_charge == i32::from(pb::DeliveryCharge::Free),
        reason: terms.reason.clone(),
    }
}

/// Leaves out the lines that cannot be bought any more, and tells the places in the old quote of those that can.
pub(super) fn still_for_sale(mut ask: Ask, variants: &Variants) -> (Ask, Vec<usize>) {
    let all = std::mem::take(&mut ask.lines);
    let mut kept = Vec::with_capacity(all.len());
    for (index, line) in all.into_iter().enumerate() {
        let priced = line.unit_price.is_some() || variants.listed(&line.sku, &ask).is_some();
        if variants.for_sale(&line.sku).is_some() && priced {
            ask.lines.push(line);
            kept.push(index);
        }
    }
    (ask, kept)
}

/// What is different, line by line of the old quote. `kept` holds the place in the old quote of each line of the new one.
pub(super) fn differences(
    old: &pb::Quote,
    new: &pb::Quote,
    kept: &[usize],
    available: &HashMap<String, i64>,
) -> Vec<pb::LineDifference> {
    let now: HashMap<usize, &pb::QuoteLine> = kept.iter().copied().zip(&new.lines).collect();
    let difference = |(index, line): (usize, &pb::QuoteLine)| pb::LineDifference {
        line_id: line.line_id.clone(),
        sku: line.sku.clone(),
        quantity: line.quantity,
        price_before: line.unit_price.clone(),
        price_after: now.get(&index).and_then(|line| line.unit_price.clone()),
        available: available.get(&line.sku).copied().unwrap_or(0),
        new_line_id: now.get(&index).map(|line| line.line_id.clone()).unwrap_or_default(),
    };
    old.lines.iter().enumerate().map(difference).collect()
}
