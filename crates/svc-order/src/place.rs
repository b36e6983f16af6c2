//! Placing a quote: what is checked before an order is written, and the commit that writes it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chassis::Context;
use contract::souk::checkout::v1::{Quote, RequoteQuoteResponse};
use contract::souk::order::v1::{PlaceOrderRequest, TenderRequest};
use contract::wire::{optional, parse_id, parse_money, parse_timestamp};
use kernel::{Error, Money, OrderId, QuoteId, Result, Timestamp, Violations};
use mesh::Caller;
use store::{CommitError, RequestKey};

use crate::admission::{Admission, OrderPlace};
use crate::board::Watcher;
use crate::domain::{NewOrder, Order};
use crate::keys::QuoteKeys;
use crate::saga::Worker;
use crate::store::{Orders, answered};
use crate::wire;

/// No quote that was made by a right clock is good for longer; checkout gives them 15 minutes.
const QUOTE_AHEAD_MAX: Duration = Duration::from_secs(3_600);
/// How long the key of a request that moves money is remembered.
const KEEP: Duration = Duration::from_secs(30 * 24 * 3600);
/// The most characters of a name outside.
const REFERENCE_CHARS_MAX: usize = 200;
/// Differences that a refusal names; the metadata of a gRPC status must stay small.
const DIFFERENCES_MAX: usize = 20;

/// Places quotes.
#[derive(Clone)]
pub struct Placing {
    pub(crate) ctx: Context,
    pub(crate) orders: Orders,
    pub(crate) keys: QuoteKeys,
    pub(crate) worker: Worker,
    pub(crate) admission: Admission,
}

/// An order that was placed, now or before.
pub struct Placed {
    /// The order.
    pub id: OrderId,
    /// Its quote, when it is at hand.
    pub quote: Option<Arc<Quote>>,
    /// Hears of it from before its saga began.
    pub watcher: Watcher,
    /// Whether the request had been done before.
    pub replayed: bool,
}

/// What a request says beside the quote.
struct Wishes {
    external_reference: Option<String>,
    external_time: Option<Timestamp>,
}

impl Placing {
    /// Writes the order of a quote, and begins its saga. `address` is where the shopper is, whose part of the places is limited.
    ///
    /// # Errors
    /// What PlaceOrder's contract says of a request that becomes no order.
    pub async fn place(
        &self,
        caller: &Caller,
        address: Option<IpAddr>,
        request: &PlaceOrderRequest,
    ) -> Result<Placed> {
        let mut key = chassis::request_key(caller, "order.PlaceOrder", &request.request_id, request)?;
        key.keep = KEEP;
        match self.try_place(caller, address, request, &key).await {
            Ok(placed) => Ok(placed),
            // Whatever stands in its way now, a request that was done before has its answer.
            Err(error) => match self.orders.answer(&key).await? {
                Some(id) => Ok(self.before(id)),
                None => Err(error),
            },
        }
    }

    fn before(&self, id: OrderId) -> Placed {
        Placed { id, quote: None, watcher: self.worker.board().watch(id), replayed: true }
    }

    async fn try_place(
        &self,
        caller: &Caller,
        address: Option<IpAddr>,
        request: &PlaceOrderRequest,
        key: &RequestKey,
    ) -> Result<Placed> {
        let wishes = wishes(caller, request)?;
        let bytes = self.keys.open(&request.quote_token).await?;
        let quote = wire::quote(&bytes)?;
        owned(caller, &quote)?;
        let quote_id: QuoteId = parse_id("/quote_token", &quote.quote_id)?;
        let total = total(&quote)?;
        let payment_method = payment_method(&request.tenders, total)?;
        let now = self.ctx.now();
        let expires = parse_timestamp("/quote_token", &quote.expire_time)?;
        // One that is good for longer than any quote was made by a clock that was ahead: its prices are not today's.
        if expires <= now || expires > now.plus(QUOTE_AHEAD_MAX) {
            return Err(self.expired(&request.quote_token, quote_id).await);
        }
        let new = NewOrder {
            quote_id,
            owner: quote.owner.clone(),
            caller: caller.principal.subject(),
            external_reference: wishes.external_reference,
            external_time: wishes.external_time,
            total,
            tax: parse_money("/quote_token", &quote.totals.as_ref().and_then(|totals| totals.tax.clone()))?,
            line_count: quote.lines.len() as i64,
            first_product: quote.lines.first().map(|line| line.name.clone()).unwrap_or_default(),
            units: quote.lines.iter().map(|line| line.quantity).sum(),
            payment_method,
            from_cart: !quote.cart_id.is_empty(),
            requires_approval: request.requires_approval,
        };
        let place = self.admission.enter(&caller.principal, address).await?;
        self.write(new, bytes, Arc::new(quote), key, place).await
    }

    async fn write(
        &self,
        new: NewOrder,
        bytes: Vec<u8>,
        quote: Arc<Quote>,
        key: &RequestKey,
        place: OrderPlace,
    ) -> Result<Placed> {
        let reference = new.external_reference.clone();
        let decision = Order::place(new, self.worker.policy(), self.ctx.now());
        let id = decision.order.id;
        let events = wire::events(&decision, &quote);
        // The turn is taken before the order can be seen, so that no sweep takes it from under its first worker.
        let turn = self.worker.turn(id);
        let watcher = self.worker.board().watch(id);
        match self.orders.create(&decision, bytes, events, key.clone()).await {
            Ok(order) => {
                if let Some(turn) = turn {
                    self.worker.begin(order, quote.clone(), turn, place);
                }
                Ok(Placed { id, quote: Some(quote), watcher, replayed: false })
            }
            Err(CommitError::Replayed(answer)) => Ok(self.before(answered(&answer)?)),
            Err(CommitError::Duplicate { .. }) => Err(self.taken(id, reference).await),
            Err(error) => Err(error.into()),
        }
    }

    /// Which of the two unique names was taken.
    async fn taken(&self, id: OrderId, reference: Option<String>) -> Error {
        match self.holder(id, reference).await {
            Ok(error) | Err(error) => error,
        }
    }

    async fn holder(&self, id: OrderId, reference: Option<String>) -> Result<Error> {
        if self.orders.get(id).await?.is_some() {
            return Ok(Error::exists("QUOTE_ALREADY_PLACED", "the quote has been placed before")
                .with("order_id", id.to_string()));
        }
        let holder = match reference {
            Some(reference) => self.orders.with_reference(&reference).await?,
            None => None,
        };
        let taken = Error::exists("EXTERNAL_REFERENCE_TAKEN", "another order has this external reference")
            .with_field("/external_reference", "is taken by another order");
        // An order that failed in between has given it back: the same request may be sent again.
        Ok(holder.map_or_else(
            || {
                Error::conflict(
                    "EXTERNAL_REFERENCE_TAKEN",
                    "another order had this external reference until now",
                )
            },
            |id| taken.with("order_id", id.to_string()),
        ))
    }

    /// The refusal of an expired quote, with what has changed since.
    async fn expired(&self, token: &str, quote_id: QuoteId) -> Error {
        let id = Order::id_of(quote_id);
        if matches!(self.orders.get(id).await, Ok(Some(_))) {
            return Error::exists("QUOTE_ALREADY_PLACED", "the quote has been placed before")
                .with("order_id", id.to_string());
        }
        let expired = Error::precondition("QUOTE_EXPIRED", "the quote has expired; ask for a new one")
            .with_field("/quote_token", "has expired");
        match self.keys.requote(token).await {
            Ok(answer) => with_differences(expired, &answer),
            Err(error) => {
                tracing::info!(error = ?error, "an expired quote could not be quoted again");
                expired.with("requote", error.reason().to_owned())
            }
        }
    }
}

/// Adds what changed to the refusal: `differences`, a JSON array of the lines whose price or stock is not as it was, and the sums.
fn with_differences(expired: Error, answer: &RequoteQuoteResponse) -> Error {
    let before = answer.grand_before.as_ref().map_or(0, |money| money.minor_units);
    let totals = answer.quote.as_ref().and_then(|quote| quote.totals.as_ref());
    let after = totals.and_then(|totals| totals.grand.as_ref()).map_or(0, |money| money.minor_units);
    let changed: Vec<_> = answer
        .differences
        .iter()
        .filter(|line| line.price_before != line.price_after || line.available < line.quantity)
        .map(|line| {
            serde_json::json!({
                "line_id": line.line_id,
                "sku": line.sku,
                "quantity": line.quantity,
                "price_before_micros": line.price_before.as_ref().map(|price| price.micros),
                "price_after_micros": line.price_after.as_ref().map(|price| price.micros),
                "available": line.available,
            })
        })
        .collect();
    let shown = &changed[..changed.len().min(DIFFERENCES_MAX)];
    expired
        .with("differences", serde_json::Value::from(shown).to_string())
        .with("differences_total", changed.len().to_string())
        .with("grand_before_minor_units", before.to_string())
        .with("grand_after_minor_units", after.to_string())
}

/// What only staff may say.
fn wishes(caller: &Caller, request: &PlaceOrderRequest) -> Result<Wishes> {
    let staff = caller.principal.may("orders.write");
    let mut violations = Violations::new();
    let reference =
        violations.optional_text("/external_reference", &request.external_reference, REFERENCE_CHARS_MAX);
    let time =
        violations.take("", optional(&request.external_time, |time| parse_timestamp("/external_time", time)));
    let mut is_denied = false;
    for (given, pointer) in [
        (!reference.is_empty(), "/external_reference"),
        (request.external_time.is_some(), "/external_time"),
        (request.requires_approval, "/requires_approval"),
    ] {
        is_denied |= given && !staff;
        violations.check(staff || !given, pointer, "may only be given with the permission orders.write");
    }
    violations
        .finish()
        .map_err(|error| if is_denied { error.with("permission", "orders.write") } else { error })?;
    Ok(Wishes {
        external_reference: Some(reference).filter(|text| !text.is_empty()),
        external_time: time.flatten(),
    })
}

/// Whether the caller may place this quote: its owner, or staff. To others it does not exist.
fn owned(caller: &Caller, quote: &Quote) -> Result<()> {
    if caller.may_access(&quote.owner, "orders.write") {
        return Ok(());
    }
    Err(Error::not_found("QUOTE_NOT_FOUND", "there is no such quote"))
}

fn total(quote: &Quote) -> Result<Money> {
    parse_money("/quote_token", &quote.totals.as_ref().and_then(|totals| totals.grand.clone()))
}

/// The one tender that an order has so far, checked; empty when there is nothing to pay.
fn payment_method(tenders: &[TenderRequest], total: Money) -> Result<String> {
    let wrong = |pointer: &str, description: &str| Error::field(pointer, "INVALID_TENDERS", description);
    match tenders {
        [] if total.is_zero() => Ok(String::new()),
        [] => Err(wrong("/tenders", "must say how the order is paid")),
        [_, ..] if total.is_zero() => Err(wrong("/tenders", "must be empty: there is nothing to pay")),
        [tender] => {
            check_token(&tender.payment_method)?;
            let amount = optional(&tender.amount, |amount| parse_money("/tenders/0/amount", amount))?;
            if amount.is_some_and(|amount| amount != total) {
                return Err(wrong("/tenders/0/amount", "must be the quote's total, or absent"));
            }
            Ok(tender.payment_method.clone())
        }
        [_, _, ..] => Err(wrong("/tenders/1", "is one too many: an order is paid by one tender for now")),
    }
}

/// Longest run of digits in a payment method's token; card numbers have 13 and more.
const DIGITS_MAX: usize = 12;

/// A token of a payment method, as the payment service takes it. Anything like a card number is refused before it is written anywhere.
fn check_token(token: &str) -> Result<()> {
    let pointer = "/tenders/0/payment_method";
    let digits = token.split(|c: char| !c.is_ascii_digit() && !matches!(c, ' ' | '-' | '.'));
    if digits.into_iter().any(|run| run.bytes().filter(u8::is_ascii_digit).count() > DIGITS_MAX) {
        return Err(Error::field(
            pointer,
            "CARD_NUMBER_REFUSED",
            "looks like a card number; send the provider's token instead",
        ));
    }
    let good = token.strip_prefix("pm_").is_some_and(|rest| {
        (1..=64).contains(&rest.len())
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    });
    if good {
        return Ok(());
    }
    Err(Error::field(pointer, "INVALID_TENDERS", "must be pm_ and 1 to 64 letters, digits or underscores"))
}

/// The error that answers PlaceOrder of an order that failed.
#[must_use]
pub fn failure(order: &Order) -> Error {
    let metadata: BTreeMap<String, String> =
        order.ending.as_ref().map(|ending| ending.metadata.clone()).unwrap_or_default();
    let (reason, message) = match &order.ending {
        Some(ending) => (ending.reason.clone(), ending.message.clone()),
        None => ("CANCELLED".into(), "the order was cancelled".to_owned()),
    };
    metadata
        .into_iter()
        .fold(Error::precondition(reason, message), |error, (key, value)| error.with(key, value))
        .with("order_id", order.id.to_string())
}
