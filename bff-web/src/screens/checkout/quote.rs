//! Quotes: what a cart costs, delivered to an address.

use contract::souk::checkout::v1 as pb;
use contract::souk::r#type::v1::Address;
use edge::{Answer, Need};
use kernel::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Checkout;
use super::form::CheckoutForm;
use crate::money::{CurrencyCode, Money, Price};
use crate::said;
use crate::screens::NoParams;
use crate::screens::cart::CartScreen;
use crate::shop::Visit;
use crate::view::{AddressInput, AddressView, OptionView, option_words, time, title};

/// A quote, which checkout makes.
pub const QUOTE: Need = Need::required("till", "/souk.checkout.v1.CheckoutService/CreateQuote");

/// The same for a page that can do without it until its form is sent.
pub const QUOTE_AT_ONCE: Need = Need::optional("total", "/souk.checkout.v1.CheckoutService/CreateQuote");

/// Other currencies in which delivery is tried where it is refused in the chosen one.
const OTHER_CURRENCIES_MAX: usize = 3;

/// What is to be quoted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Where it goes.
    destination: AddressInput,
    /// Pay in this currency, an ISO 4217 code; the chosen or usual one when left out.
    #[serde(default)]
    currency_code: Option<CurrencyCode>,
    /// Way of delivery, one of `shipping_choices`; the cheapest when left out.
    #[serde(default)]
    #[schemars(length(max = 32), extend("pattern" = said::LINE_OR_NONE))]
    shipping_method: String,
    /// E-mail address for messages about the order, at most 254 characters; may be left out.
    #[serde(default)]
    #[schemars(length(max = 254), extend("anyOf" = [{ "type": "string", "maxLength": 0 }, { "type": "string", "format": "email" }]))]
    contact_email: String,
}

/// A quote.
#[derive(Debug, Serialize, JsonSchema)]
pub struct QuoteScreen {
    /// `quo_…`.
    pub quote_id: String,
    /// The same quote, signed: it is placed by it, once.
    pub quote_token: String,
    /// Until when its prices hold, RFC 3339.
    pub expire_time: String,
    /// What is bought.
    pub lines: Vec<QuoteLineView>,
    /// All lines, with tax.
    pub items: Money,
    /// Delivery, with tax.
    pub shipping: Money,
    /// All tax, contained in the two above.
    pub tax: Money,
    /// What is to be paid.
    pub total: Money,
    /// Where it goes.
    pub destination: AddressView,
    /// The way of delivery.
    pub shipping_method: String,
    /// All ways of delivery there.
    pub shipping_choices: Vec<ShippingView>,
    /// Lines of which not enough is left just now.
    pub shortages: Vec<Shortage>,
}

/// A line of a quote or an order.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct QuoteLineView {
    /// `lin_…`.
    pub line_id: String,
    /// The SKU.
    pub sku: String,
    /// `prd_…`.
    pub product_id: String,
    /// Its name.
    pub name: String,
    /// The values of its options, as they were chosen.
    pub options: Vec<OptionView>,
    /// Units.
    pub quantity: i64,
    /// What one costs.
    pub unit_price: Option<Price>,
    /// What the line costs, with tax.
    pub total: Money,
}

impl QuoteLineView {
    /// Its options in words.
    pub fn words(&self) -> String {
        option_words(&self.options)
    }
}

/// A way of delivery.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ShippingView {
    /// Its code, for `shipping_method`.
    pub method: String,
    /// Its name.
    pub name: String,
    /// What it costs, in the prices' tax mode.
    pub amount: Money,
}

/// A line of which not enough is left.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Shortage {
    /// The line.
    pub line_id: String,
    /// Its name.
    pub name: String,
    /// The values of its options, as they were chosen.
    pub options: Vec<OptionView>,
    /// Units wanted.
    pub wanted: i64,
    /// Units left.
    pub available: i64,
}

impl Shortage {
    /// Its name with its options.
    pub fn title(&self) -> String {
        title(&self.name, &self.options)
    }
}

/// What changed in a line since an expired quote.
#[derive(Clone, Debug)]
pub struct Difference {
    pub name: String,
    pub before: String,
    pub after: String,
}

/// A money that a message must have; nothing in the quote's currency when it has not.
fn money(money: Option<contract::souk::r#type::v1::Money>, currency: &str) -> Money {
    money.map_or_else(|| Money { currency_code: currency.to_owned(), minor_units: 0 }, Money::from)
}

/// The lines of a quote.
pub fn lines(quote: &pb::Quote) -> Vec<QuoteLineView> {
    let line = |line: &pb::QuoteLine| QuoteLineView {
        line_id: line.line_id.clone(),
        sku: line.sku.clone(),
        product_id: line.product_id.clone(),
        name: line.name.clone(),
        options: line.options.iter().map(OptionView::from).collect(),
        quantity: line.quantity,
        unit_price: line.unit_price.clone().map(Price::from),
        total: money(line.gross.clone(), &quote.currency_code),
    };
    quote.lines.iter().map(line).collect()
}

/// Items, shipping, tax and total of a quote.
pub fn sums(quote: &pb::Quote) -> [Money; 4] {
    let totals = quote.totals.clone().unwrap_or_default();
    [totals.items, totals.shipping, totals.tax, totals.grand].map(|sum| money(sum, &quote.currency_code))
}

fn screen(answer: pb::CreateQuoteResponse) -> Result<QuoteScreen> {
    let quote = answer.quote.ok_or_else(|| Error::internal("an answer without a quote"))?;
    let lines = lines(&quote);
    let shortages = answer.shortages.into_iter().map(|short| {
        let line = lines.iter().find(|line| line.line_id == short.line_id);
        Shortage {
            name: line.map(|line| line.name.clone()).unwrap_or_default(),
            options: line.map(|line| line.options.clone()).unwrap_or_default(),
            line_id: short.line_id,
            wanted: short.wanted,
            available: short.available,
        }
    });
    let shortages = shortages.collect();
    let choices = answer.shipping_choices.into_iter().map(|choice| ShippingView {
        method: choice.method,
        name: choice.name,
        amount: money(choice.amount, &quote.currency_code),
    });
    let [items, shipping, tax, total] = sums(&quote);
    let method = quote.shipment_groups.first().map(|group| group.method.clone());
    Ok(QuoteScreen {
        quote_token: answer.quote_token,
        expire_time: time(quote.expire_time.as_ref()),
        items,
        shipping,
        tax,
        total,
        shipping_method: method.unwrap_or_default(),
        shipping_choices: choices.collect(),
        shortages,
        lines,
        destination: quote.destination.map(AddressView::from).unwrap_or_default(),
        quote_id: quote.quote_id,
    })
}

/// A quote by JSON.
pub async fn create(visit: Visit, _: NoParams, wanted: Wanted) -> Result<Answer> {
    visit.needs_somebody()?;
    wanted.destination.check("/destination")?;
    let request = pb::CreateQuoteRequest {
        currency_code: visit.shop.asked_currency(&visit, wanted.currency_code.as_ref())?,
        destination: Some(Address::from(wanted.destination)),
        shipping_method: wanted.shipping_method,
        contact_email: wanted.contact_email,
        with_availability: true,
        draft: None,
    };
    Answer::json(&screen(ask(&visit, request).await?)?)
}

fn of(visit: &Visit, form: &CheckoutForm) -> pb::CreateQuoteRequest {
    pb::CreateQuoteRequest {
        currency_code: visit.shop.currency(visit),
        destination: Some(form.address()),
        shipping_method: form.method.clone(),
        contact_email: form.email.trim().to_owned(),
        with_availability: true,
        draft: None,
    }
}

/// A quote for what a form says.
pub async fn of_form(visit: &Visit, form: &CheckoutForm) -> Result<QuoteScreen> {
    screen(ask(visit, of(visit, form)).await?)
}

/// A quote for what is known already, before the form was sent.
pub async fn at_once(visit: &Visit, form: &CheckoutForm) -> Option<QuoteScreen> {
    let mut checkout = visit.shop.checkout.clone();
    let answer = visit.may(&QUOTE_AT_ONCE, checkout.create_quote(visit.request(of(visit, form)))).await?;
    screen(answer).ok()
}

/// What a form is told whose country is not delivered to: whether that is so for good, or only for prices in its currency.
/// A service says no more than that nothing goes there in this currency, so others are tried.
pub async fn not_served(visit: &Visit, form: &CheckoutForm) -> String {
    let chosen = visit.shop.currency(visit);
    let others: Vec<String> = visit
        .shop
        .offered_now()
        .into_iter()
        .filter(|code| *code != chosen)
        .take(OTHER_CURRENCIES_MAX)
        .collect();
    let asked = others.iter().map(|code| {
        let request = pb::CreateQuoteRequest {
            currency_code: code.clone(),
            with_availability: false,
            shipping_method: String::new(),
            ..of(visit, form)
        };
        ask(visit, request)
    });
    let answers = futures_util::future::join_all(asked).await;
    match others.iter().zip(&answers).find(|(_, answer)| answer.is_ok()) {
        Some((code, _)) => {
            format!("We deliver there only for prices in {code}. You choose them at the foot of the page.")
        }
        None if answers.iter().all(is_not_served) => "We do not deliver there yet.".to_owned(),
        None => format!("We do not deliver this there for prices in {chosen}."),
    }
}

fn is_not_served<T>(answer: &Result<T>) -> bool {
    answer.as_ref().is_err_and(|error| error.reason() == "DESTINATION_NOT_SERVED")
}

async fn ask(visit: &Visit, request: pb::CreateQuoteRequest) -> Result<pb::CreateQuoteResponse> {
    visit.need(&QUOTE, visit.shop.checkout.clone().create_quote(visit.request(request))).await
}

/// A line of the refusal of an expired quote.
#[derive(Deserialize)]
struct Changed {
    sku: String,
    quantity: i64,
    price_before_micros: Option<i64>,
    price_after_micros: Option<i64>,
    available: i64,
}

/// What changed since an expired quote, line by line, as order tells it.
pub fn differences(error: &Error, checkout: &Checkout, cart: &CartScreen) -> Vec<Difference> {
    let told = error.metadata().get("differences").map(String::as_str).unwrap_or_default();
    let changed: Vec<Changed> = serde_json::from_str(told).unwrap_or_default();
    let currency = checkout.quote.as_ref().map(|quote| quote.total.currency_code.clone()).unwrap_or_default();
    let price = |micros: Option<i64>| {
        micros.map(|micros| Price { currency_code: currency.clone(), micros }.to_string())
    };
    let difference = |line: Changed| {
        let known = cart.lines.iter().find(|known| known.sku == line.sku);
        let after = match price(line.price_after_micros) {
            None => "not sold any more".to_owned(),
            Some(_) if line.available < line.quantity => format!("only {} left", line.available),
            Some(after) => after,
        };
        Difference {
            name: known.map_or_else(|| line.sku.clone(), |known| title(&known.name, &known.options)),
            before: price(line.price_before_micros).unwrap_or_default(),
            after,
        }
    };
    changed.into_iter().map(difference).collect()
}
