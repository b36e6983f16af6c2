//! The cart as it is shown: with names and current prices.

use std::collections::HashMap;

use contract::souk::cart::v1 as wire;
use contract::souk::product::v1::SellableVariant;
use contract::wire::{money, parse_currency, parse_unit_price, timestamp, unit_price};
use kernel::{Currency, Error, Money, Result, Rounding, Timestamp, UnitPrice};
use mesh::Caller;

use super::{Api, owner_of};
use crate::catalogue::is_sold;
use crate::domain::{Cart, CartLine};

impl Api {
    pub(super) async fn show(
        &self,
        caller: &Caller,
        request: &wire::GetCartRequest,
    ) -> Result<wire::GetCartResponse> {
        let owner = owner_of(caller, &request.cart_id)?;
        let full = match wire::CartView::try_from(request.view) {
            Ok(wire::CartView::Full | wire::CartView::Unspecified) => true,
            Ok(wire::CartView::Lines) => false,
            Err(_) => {
                return Err(Error::field(
                    "/view",
                    "INVALID_ARGUMENT",
                    format!("must be a known value, not {}", request.view),
                ));
            }
        };
        let currency = match request.currency_code.as_str() {
            "" => self.currency,
            code => parse_currency("/currency_code", code)?,
        };
        let (cart, version) = self.carts.of(owner).await?;
        let mut shown = bare(&cart, version);
        if full {
            let skus = cart.lines.iter().map(|line| line.sku.clone()).collect();
            let variants = self.catalogue.variants(skus).await?;
            price(&mut shown, &variants, currency)?;
        }
        Ok(wire::GetCartResponse { cart: Some(shown) })
    }
}

fn bare(cart: &Cart, version: i64) -> wire::Cart {
    let line = |line: &CartLine| wire::CartLine {
        line_id: line.id.to_string(),
        sku: line.sku.clone(),
        quantity: i32::try_from(line.quantity).unwrap_or(i32::MAX),
        create_time: Some(timestamp(line.created)),
        ..Default::default()
    };
    wire::Cart {
        cart_id: cart.owner.cart_id().to_string(),
        owner: cart.owner.to_string(),
        version,
        lines: cart.lines.iter().map(line).collect(),
        quantity: cart.quantity(),
        update_time: (cart.updated != Timestamp::default()).then(|| timestamp(cart.updated)),
        expire_time: cart.expires.map(timestamp),
        ..Default::default()
    }
}

/// Adds names and prices; the subtotal only when every line has a price.
fn price(
    cart: &mut wire::Cart,
    variants: &HashMap<String, SellableVariant>,
    currency: Currency,
) -> Result<()> {
    let mut subtotal = Some(Money::zero(currency));
    for line in &mut cart.lines {
        let total = match variants.get(&line.sku).filter(|variant| is_sold(variant)) {
            Some(variant) => price_line(line, variant, currency)?,
            None => {
                line.price_status = wire::PriceStatus::NotSold.into();
                None
            }
        };
        subtotal = match (subtotal, total) {
            (Some(sum), Some(total)) => Some(sum.plus(total).map_err(Error::internal)?),
            _ => None,
        };
    }
    cart.currency_code = currency.code().to_owned();
    cart.subtotal = subtotal.map(money);
    Ok(())
}

fn price_line(
    line: &mut wire::CartLine,
    variant: &SellableVariant,
    currency: Currency,
) -> Result<Option<Money>> {
    line.product_id.clone_from(&variant.product_id);
    line.product_name.clone_from(&variant.product_name);
    let Some(price) = price_in(variant, currency)? else {
        line.price_status = wire::PriceStatus::NotInCurrency.into();
        return Ok(None);
    };
    let total = price.times(line.quantity.into(), Rounding::HalfEven).map_err(Error::internal)?;
    line.price_status = wire::PriceStatus::Priced.into();
    line.unit_price = Some(unit_price(price));
    line.total = Some(money(total));
    Ok(Some(total))
}

fn price_in(variant: &SellableVariant, currency: Currency) -> Result<Option<UnitPrice>> {
    for price in &variant.prices {
        let price = parse_unit_price("/prices", &price.unit_price).map_err(Error::internal)?;
        if price.currency == currency {
            return Ok(Some(price));
        }
    }
    Ok(None)
}
