//! What the other services know: variants, rates, stock.

use std::collections::{HashMap, HashSet};

use chassis::Context;
use contract::souk::cart::v1::cart_service_client::CartServiceClient;
use contract::souk::inventory::v1::inventory_service_client::InventoryServiceClient;
use contract::souk::product::v1::product_service_client::ProductServiceClient;
use contract::souk::product::v1::{BatchGetVariantsRequest, ProductStatus, SellableVariant, TaxClass};
use contract::souk::shipping::v1::shipping_service_client::ShippingServiceClient;
use contract::souk::shipping::v1::{QuoteRatesRequest, ShippingOption};
use contract::souk::user::v1::user_service_client::UserServiceClient;
use contract::wire;
use kernel::{Error, Money, Result, UnitPrice};
use mesh::Channel;

use super::ask::{Ask, AskedLine};
use crate::domain::STANDARD_CLASS;

/// SKUs that one question may have.
pub(super) const SKUS_MAX: usize = 1000;
/// The heaviest parcel that shipping rates, in grams.
const WEIGHT_GRAMS_MAX: i64 = 1_000_000_000;

/// Clients of the services that a quote needs.
#[derive(Clone)]
pub(super) struct Peers {
    pub cart: CartServiceClient<Channel>,
    pub inventory: InventoryServiceClient<Channel>,
    pub product: ProductServiceClient<Channel>,
    pub shipping: ShippingServiceClient<Channel>,
    pub user: UserServiceClient<Channel>,
}

/// Variants by SKU.
pub(super) struct Variants(HashMap<String, SellableVariant>);

impl Peers {
    pub(super) fn new(ctx: &Context) -> Result<Self> {
        Ok(Self {
            cart: ctx.call("cart", CartServiceClient::new)?,
            inventory: ctx.call("inventory", InventoryServiceClient::new)?,
            product: ctx.call("product", ProductServiceClient::new)?,
            shipping: ctx.call("shipping", ShippingServiceClient::new)?,
            user: ctx.call("user", UserServiceClient::new)?,
        })
    }

    /// What is known of the lines' SKUs; those that do not exist are not among them.
    pub(super) async fn variants(&self, lines: &[AskedLine]) -> Result<Variants> {
        let mut seen = HashSet::new();
        let skus: Vec<&String> = lines.iter().map(|line| &line.sku).filter(|sku| seen.insert(*sku)).collect();
        let mut variants = HashMap::with_capacity(skus.len());
        for chunk in skus.chunks(SKUS_MAX) {
            let request = BatchGetVariantsRequest { skus: chunk.iter().map(|sku| (*sku).clone()).collect() };
            let answer = self.product.clone().batch_get_variants(request).await.map_err(contract::error)?;
            variants.extend(
                answer.into_inner().variants.into_iter().map(|variant| (variant.sku.clone(), variant)),
            );
        }
        Ok(Variants(variants))
    }

    /// The ways to ship, the cheapest first.
    pub(super) async fn rates(
        &self,
        ask: &Ask,
        weight_grams: i64,
        goods: Money,
    ) -> Result<Vec<ShippingOption>> {
        let request = QuoteRatesRequest {
            country_code: ask.destination.country_code.clone(),
            weight_grams: weight_grams.min(WEIGHT_GRAMS_MAX),
            goods_price: Some(wire::money(goods)),
            include_staff_methods: ask.terms.by_staff,
        };
        let answer = self.shipping.clone().quote_rates(request).await.map_err(contract::error)?;
        Ok(answer.into_inner().options)
    }
}

impl Variants {
    pub(super) fn get(&self, sku: &str) -> Result<&SellableVariant> {
        self.0.get(sku).ok_or_else(|| Error::internal(format!("{sku:?} was not asked for")))
    }

    /// A variant that can be bought now; `None` for one that is unknown, a draft or archived.
    pub(super) fn for_sale(&self, sku: &str) -> Option<&SellableVariant> {
        self.0.get(sku).filter(|variant| variant.status == i32::from(ProductStatus::Active))
    }

    /// Refuses what cannot be bought, naming every line.
    pub(super) fn all_for_sale(&self, ask: &Ask) -> Result<()> {
        self.refuse(ask, "SKU_NOT_FOUND", "is not in the catalogue", |line| !self.0.contains_key(&line.sku))?;
        self.refuse(ask, "SKU_NOT_FOR_SALE", "is not for sale", |line| self.for_sale(&line.sku).is_none())?;
        self.refuse(ask, "PRICE_NOT_FOUND", "has no price in this currency", |line| {
            line.unit_price.is_none() && self.listed(&line.sku, ask).is_none()
        })
    }

    fn refuse(
        &self,
        ask: &Ask,
        reason: &'static str,
        what: &str,
        wrong: impl Fn(&AskedLine) -> bool,
    ) -> Result<()> {
        let mut wrong = ask.lines.iter().enumerate().filter(|(_, line)| wrong(line)).peekable();
        let Some((_, first)) = wrong.peek() else { return Ok(()) };
        let mut error =
            Error::precondition(reason, format!("{} {what}", first.sku)).with("sku", first.sku.clone());
        for (index, line) in wrong.take(50) {
            error = match ask.cart_id.is_empty() {
                true => error.with_field(format!("/draft/lines/{index}/sku"), what),
                false => error.with("cart_line_id", line.cart_line_id.clone()),
            };
        }
        Err(error)
    }

    /// The price in the price list in the quote's currency.
    pub(super) fn listed(&self, sku: &str, ask: &Ask) -> Option<UnitPrice> {
        let price = self.0.get(sku)?.prices.iter().filter_map(|price| price.unit_price.as_ref());
        let micros = price.clone().find(|price| price.currency_code == ask.currency.code())?.micros;
        Some(UnitPrice::new(micros, ask.currency))
    }

    /// The price of a line: staff's own, else the price list's.
    pub(super) fn price(&self, ask: &Ask, index: usize) -> Result<UnitPrice> {
        let line = &ask.lines[index];
        match &line.unit_price {
            Some((price, _)) => Ok(*price),
            None => self.listed(&line.sku, ask).ok_or_else(|| {
                Error::precondition(
                    "PRICE_NOT_FOUND",
                    format!("{} has no price in {}", line.sku, ask.currency),
                )
            }),
        }
    }

    /// Weight of all units in grams, as far as it is known.
    pub(super) fn weight(&self, lines: &[AskedLine]) -> i64 {
        lines.iter().fold(0_i64, |sum, line| {
            let grams = self.0.get(&line.sku).map_or(0, |variant| i64::from(variant.weight_grams));
            sum.saturating_add(grams.saturating_mul(line.quantity))
        })
    }
}

/// The tax class of a variant as tax tables name it.
pub(super) fn tax_class(variant: &SellableVariant) -> &'static str {
    match TaxClass::try_from(variant.tax_class) {
        Ok(TaxClass::Reduced) => "reduced",
        Ok(TaxClass::Zero) => "zero",
        Ok(TaxClass::Standard | TaxClass::Unspecified) | Err(_) => STANDARD_CLASS,
    }
}
