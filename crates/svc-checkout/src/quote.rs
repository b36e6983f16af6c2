//! How a quote is made: what was asked for, the facts of the other services, the price of it all, signed.

mod ask;
mod compose;
mod facts;
mod requote;

use std::sync::Arc;

use chassis::Context;
use contract::souk::checkout::v1 as pb;
use contract::souk::inventory::v1::BatchGetStockRequest;
use kernel::{Error, Result, Timestamp};
use mesh::Caller;
use prost::Message as _;

use crate::domain::{self, Item, Priced, Rules};
use crate::keys::Keys;
use crate::store::Taxes;
use crate::token;
pub(crate) use compose::tax_mode;

use ask::Ask;
use facts::{Peers, Variants};

/// Makes quotes.
#[derive(Clone)]
pub(crate) struct Quoter {
    ctx: Context,
    peers: Peers,
    taxes: Taxes,
    keys: Arc<Keys>,
}

impl Quoter {
    pub(crate) fn new(ctx: Context, taxes: Taxes, keys: Arc<Keys>) -> Result<Self> {
        Ok(Self { peers: Peers::new(&ctx)?, ctx, taxes, keys })
    }

    /// Quotes the caller's cart, or what staff drafts.
    pub(crate) async fn create(
        &self,
        caller: &Caller,
        request: pb::CreateQuoteRequest,
    ) -> Result<pb::CreateQuoteResponse> {
        let with_availability = request.with_availability;
        let ask = match &request.draft {
            None => ask::from_cart(caller, &request, &self.peers).await?,
            Some(draft) => ask::from_draft(&self.ctx, caller, &request, draft, &self.peers).await?,
        };
        let variants = self.peers.variants(&ask.lines).await?;
        variants.all_for_sale(&ask)?;
        let (quote, quote_token, options) = self.quote(&ask, &variants, Method::AsAsked).await?;
        let shortages = if with_availability { self.shortages(&quote).await? } else { Vec::new() };
        Ok(pb::CreateQuoteResponse { quote: Some(quote), quote_token, shortages, shipping_choices: options })
    }

    /// Quotes again what a token of ours had quoted.
    pub(crate) async fn requote(&self, quote_token: &str) -> Result<pb::RequoteQuoteResponse> {
        let old = self.read(quote_token)?;
        let asked = requote::ask(&old)?;
        let variants = self.peers.variants(&asked.lines).await?;
        let (ask, kept) = requote::still_for_sale(asked, &variants);
        if ask.lines.is_empty() {
            return Err(Error::precondition(
                "NOTHING_LEFT_TO_QUOTE",
                "nothing of this quote is for sale any more",
            ));
        }
        let (quote, token, _) = self.quote(&ask, &variants, Method::OrCheapest).await?;
        let available = self.available(old.lines.iter().map(|line| line.sku.as_str())).await?;
        let differences = requote::differences(&old, &quote, &kept, &available);
        let grand_before = old.totals.and_then(|totals| totals.grand);
        Ok(pb::RequoteQuoteResponse { quote: Some(quote), quote_token: token, differences, grand_before })
    }

    /// The quote of a token that one of our keys has signed, expired or not.
    fn read(&self, quote_token: &str) -> Result<pb::Quote> {
        let keys = self.keys.published(self.ctx.now());
        let keys: Vec<_> = keys.iter().map(|key| (key.id(), key.public())).collect();
        let bytes = token::verify(quote_token, &keys)?;
        pb::Quote::decode(bytes.as_slice()).map_err(Error::internal)
    }

    async fn quote(
        &self,
        ask: &Ask,
        variants: &Variants,
        method: Method,
    ) -> Result<(pb::Quote, String, Vec<pb::ShippingChoice>)> {
        let now = self.ctx.now();
        let (rules, items, shipping_tax) = self.rules(ask, variants, now).await?;
        let subtotals = domain::subtotals(rules, &items)?;
        let weight = variants.weight(&ask.lines);
        let goods = domain::goods(rules, &subtotals)?;
        let options =
            if ask.terms.delivery_free { Vec::new() } else { self.peers.rates(ask, weight, goods).await? };
        let shipping = compose::choose(ask, &options, method, rules.currency)?;
        let priced = domain::total(rules, &items, &subtotals, shipping.price, shipping_tax.as_ref())?;
        let quote = compose::quote(
            &self.ctx,
            &Parts {
                ask,
                variants,
                rules,
                items: &items,
                priced: &priced,
                shipping: &shipping,
                weight_grams: weight,
                shipping_tax: shipping_tax.as_ref(),
                now,
            },
        )?;
        let token = token::sign(&self.keys.signing(now), &quote.encode_to_vec())?;
        let choices = options
            .into_iter()
            .map(|option| pb::ShippingChoice {
                method: option.method,
                name: option.name,
                amount: option.price,
            })
            .collect();
        Ok((quote, token, choices))
    }

    /// By what rules the quote is computed, its lines with their taxes, and the tax on shipping.
    async fn rules(
        &self,
        ask: &Ask,
        variants: &Variants,
        now: Timestamp,
    ) -> Result<(Rules, Vec<Item>, Option<domain::AppliedTax>)> {
        let settings = self.taxes.recent_settings().await?;
        let unknown = ask.destination.country_code == "ZZ";
        let country = if unknown { &settings.home_country } else { &ask.destination.country_code };
        let table = self.taxes.recent_table(country).await?;
        let rules = Rules {
            currency: ask.currency,
            mode: ask.terms.mode.unwrap_or(table.mode),
            rounding: settings.rounding,
            level: settings.level,
        };
        let tax = |class: &str| match ask.terms.rate_micros {
            Some(rate_micros) => {
                Some(domain::AppliedTax { name: "VAT".to_owned(), country: country.clone(), rate_micros })
            }
            None => table.applied(class, now),
        };
        let items = ask.lines.iter().enumerate().map(|(index, line)| {
            let variant = variants.get(&line.sku)?;
            let unit_price = variants.price(ask, index)?;
            Ok(Item { unit_price, quantity: line.quantity, tax: tax(facts::tax_class(variant)) })
        });
        Ok((rules, items.collect::<Result<_>>()?, tax(domain::STANDARD_CLASS)))
    }

    /// Lines of the quote whose SKUs are short at this moment.
    async fn shortages(&self, quote: &pb::Quote) -> Result<Vec<pb::LineAvailability>> {
        let available = self.available(quote.lines.iter().map(|line| line.sku.as_str())).await?;
        let wanted: std::collections::HashMap<_, _> =
            domain::wanted(quote.lines.iter().map(|line| (line.sku.as_str(), line.quantity)))
                .into_iter()
                .collect();
        let short = quote.lines.iter().filter_map(|line| {
            let (wanted, available) =
                (wanted[line.sku.as_str()], available.get(&line.sku).copied().unwrap_or(0));
            domain::is_short(wanted, available).then(|| pb::LineAvailability {
                line_id: line.line_id.clone(),
                sku: line.sku.clone(),
                wanted,
                available,
            })
        });
        Ok(short.collect())
    }

    async fn available<'a>(
        &self,
        skus: impl Iterator<Item = &'a str>,
    ) -> Result<std::collections::HashMap<String, i64>> {
        let skus: std::collections::BTreeSet<&str> = skus.collect();
        let skus: Vec<String> = skus.into_iter().map(str::to_owned).collect();
        let mut available = std::collections::HashMap::new();
        for chunk in skus.chunks(facts::SKUS_MAX) {
            let request = BatchGetStockRequest { skus: chunk.to_vec() };
            let answer =
                self.peers.inventory.clone().batch_get_stock(request).await.map_err(contract::error)?;
            available
                .extend(answer.into_inner().stocks.into_iter().map(|stock| (stock.sku, stock.available)));
        }
        Ok(available)
    }
}

/// What to do about a shipping method that is not offered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    /// Refuse.
    AsAsked,
    /// Take the cheapest that is.
    OrCheapest,
}

/// What a price needs beyond its parts: everything above, for [`compose`].
struct Parts<'a> {
    ask: &'a Ask,
    variants: &'a Variants,
    rules: Rules,
    items: &'a [Item],
    priced: &'a Priced,
    shipping: &'a compose::Shipping,
    weight_grams: i64,
    shipping_tax: Option<&'a domain::AppliedTax>,
    now: Timestamp,
}
