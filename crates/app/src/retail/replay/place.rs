//! One invoice: looked for, quoted, placed, and placed again without what is short.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use contract::souk::checkout::v1::checkout_service_client::CheckoutServiceClient;
use contract::souk::checkout::v1::staff_draft::Customer;
use contract::souk::checkout::v1::{
    CreateQuoteRequest, CreateQuoteResponse, DeliveryCharge, DraftLine, StaffDraft, StaffTerms, TaxMode,
};
use contract::souk::order::v1::order_service_client::OrderServiceClient;
use contract::souk::order::v1::{
    FindOrderRequest, GetOrderRequest, Order, OrderState, PlaceOrderRequest, TenderRequest,
};
use contract::souk::r#type::v1::Address;
use contract::souk::user::v1::user_service_client::UserServiceClient;
use contract::souk::user::v1::{CreateProfileRequest, FindProfileRequest};
use contract::wire;
use kernel::{Code, Error, OrderId, UnitPrice, country};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::super::SOURCE;
use super::super::file::{CURRENCY, Refusal};
use super::confirmed::Confirmed;
use super::invoice::{Fate, Invoice, SaleLine};
use crate::client::{CallError, Link, Shop};
use crate::console::Failure;
use crate::import::send::request_id;

/// The rate that the data set's prices are taken to include.
const TAX_RATE_MICROS: i64 = 200_000;
/// The payment method that pays.
const PAYMENT_METHOD: &str = "pm_card_visa";
/// How long an order may take to come to rest after its answer.
const REST_WITHIN: Duration = Duration::from_secs(60);
/// How often an order that is on its way is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Places invoices.
pub(super) struct Placer {
    shop: Shop,
    confirmed: Option<Confirmed>,
    orders: OrderServiceClient<Link>,
    checkout: CheckoutServiceClient<Link>,
    users: UserServiceClient<Link>,
    customers: Mutex<HashMap<Arc<str>, Arc<OnceCell<String>>>>,
}

/// What became of an invoice, and how long it took from quote to confirmed when this run placed it.
pub(super) struct Done {
    pub fate: Fate,
    pub took: Option<Duration>,
}

/// What became of one try to place.
enum Tried {
    Confirmed(Box<Order>),
    /// These lines of the quote are short.
    Short(HashSet<usize>),
    /// Another run had placed it in the meantime.
    Taken,
    Refused(String),
}

impl Placer {
    pub(super) fn new(shop: Shop, confirmed: Option<Confirmed>) -> Self {
        Self {
            orders: shop.client(OrderServiceClient::new).max_decoding_message_size(16 << 20),
            checkout: shop.client(CheckoutServiceClient::new).max_decoding_message_size(16 << 20),
            users: shop.client(UserServiceClient::new),
            customers: Mutex::new(HashMap::new()),
            confirmed,
            shop,
        }
    }

    /// Replays one invoice. It is looked for first, so that what an earlier run had placed is not placed again.
    pub(super) async fn replay(&self, invoice: &Invoice) -> Result<Done, Failure> {
        let mut lines = invoice.lines.clone();
        let mut short: Vec<SaleLine> = Vec::new();
        if let Some(fate) = self.found(invoice).await? {
            return Ok(Done { fate, took: None });
        }
        while !lines.is_empty() {
            let began = Instant::now();
            match self.try_to_place(invoice, &lines).await? {
                Tried::Confirmed(order) => {
                    let fate = self.told(invoice, &order, false)?;
                    return Ok(Done { fate, took: Some(began.elapsed()) });
                }
                Tried::Short(numbers) => {
                    let before = lines.len();
                    let mut number = 0_usize;
                    lines.retain(|line| {
                        let is_short = numbers.contains(&number);
                        number += 1;
                        if is_short {
                            short.push(line.clone());
                        }
                        !is_short
                    });
                    if lines.len() == before {
                        let what = "the shop says that stock is short, but not of what";
                        return Err(Failure::unfinished(format!("invoice {}: {what}", invoice.number)));
                    }
                }
                Tried::Taken => {
                    if let Some(fate) = self.found(invoice).await? {
                        return Ok(Done { fate, took: None });
                    }
                }
                Tried::Refused(reason) => {
                    let mut fate = Invoice { lines, ..invoice.clone() }.refused(&reason);
                    fate.refused.extend(
                        short.into_iter().map(|line| (Refusal::OutOfStock.reason().to_owned(), line)),
                    );
                    return Ok(Done { fate, took: None });
                }
            }
        }
        Ok(Done { fate: invoice.refused(Refusal::OutOfStock.reason()), took: None })
    }

    /// The fate of an invoice whose order is there already; waits until it is at rest. `None` when it is to be placed.
    async fn found(&self, invoice: &Invoice) -> Result<Option<Fate>, Failure> {
        let external_reference = reference(invoice);
        let answer = self.shop.call(|| {
            let (mut orders, external_reference) = (self.orders.clone(), external_reference.clone());
            async move { orders.find_order(FindOrderRequest { external_reference }).await }
        });
        let order = match answer.await {
            Ok(answer) => answer.order.unwrap_or_default(),
            Err(CallError::Refused(error)) if error.code() == Code::NotFound => return Ok(None),
            Err(error) => {
                return Err(error.fatal(&format!("invoice {} could not be looked for", invoice.number)));
            }
        };
        let order = self.at_rest(order).await?;
        match order.state() {
            OrderState::Confirmed => Ok(Some(self.told(invoice, &order, true)?)),
            OrderState::Failed => Ok(None),
            other => Ok(Some(invoice.refused(state_reason(other)))),
        }
    }

    /// Notes that an order is confirmed.
    fn told(&self, invoice: &Invoice, order: &Order, already: bool) -> Result<Fate, Failure> {
        if let Some(confirmed) = &self.confirmed {
            let id = OrderId::parse(&order.id)
                .map_err(|_| Failure::unfinished(format!("{:?} is no order id", order.id)))?;
            confirmed.note(id, order.total.as_ref().map_or(0, |total| total.minor_units))?;
        }
        let lines = order.quote.as_ref().map(|quote| quote.lines.as_slice()).unwrap_or_default();
        let ordered = lines.iter().map(|line| {
            let micros = line.unit_price.as_ref().map_or(0, |price| price.micros);
            (line.sku.clone(), line.quantity, micros)
        });
        Ok(invoice.matched(ordered, already))
    }

    async fn try_to_place(&self, invoice: &Invoice, lines: &[SaleLine]) -> Result<Tried, Failure> {
        let quoted = match self.quote(invoice, lines).await? {
            Ok(quoted) => quoted,
            Err(error) => return Ok(Tried::Refused(error.reason().to_owned())),
        };
        let quote = quoted.quote.unwrap_or_default();
        let free = quote.totals.and_then(|totals| totals.grand).is_some_and(|grand| grand.minor_units == 0);
        let tender = TenderRequest { payment_method: PAYMENT_METHOD.to_owned(), amount: None };
        let request = PlaceOrderRequest {
            request_id: request_id(),
            quote_token: quoted.quote_token,
            tenders: if free { Vec::new() } else { vec![tender] },
            external_reference: reference(invoice),
            external_time: Some(wire::timestamp(invoice.time)),
            requires_approval: false,
        };
        let answer = self.shop.call(|| {
            let (mut orders, request) = (self.orders.clone(), request.clone());
            async move { orders.place_order(request).await }
        });
        let place_of: HashMap<String, usize> =
            quote.lines.into_iter().enumerate().map(|(place, line)| (line.line_id, place)).collect();
        match answer.await {
            Ok(answer) => {
                let order = self.at_rest(answer.order.unwrap_or_default()).await?;
                Ok(match order.state() {
                    OrderState::Confirmed => Tried::Confirmed(Box::new(order)),
                    OrderState::Failed => {
                        let ending = order.ending.unwrap_or_default();
                        refused(
                            &ending.reason,
                            ending.metadata.get("shortages").map(String::as_str),
                            &place_of,
                        )
                    }
                    other => Tried::Refused(state_reason(other).to_owned()),
                })
            }
            Err(CallError::Refused(error)) if stops(&error) => {
                Err(CallError::Refused(error)
                    .fatal(&format!("invoice {} could not be placed", invoice.number)))
            }
            Err(CallError::Refused(error)) => {
                let shortages = error.metadata().get("shortages").map(String::as_str);
                Ok(refused(error.reason(), shortages, &place_of))
            }
            Err(CallError::Lost(failure)) => Err(failure),
        }
    }

    async fn quote(
        &self,
        invoice: &Invoice,
        lines: &[SaleLine],
    ) -> Result<Result<CreateQuoteResponse, Error>, Failure> {
        let customer = match &invoice.customer {
            Some(number) => Some(Customer::CustomerId(self.customer(number, &invoice.country).await?)),
            None => None,
        };
        let line = |line: &SaleLine| DraftLine {
            sku: line.sku.to_string(),
            quantity: line.quantity,
            unit_price: Some(wire::unit_price(UnitPrice::new(line.price_micros, CURRENCY))),
            override_reason: "price on the invoice".to_owned(),
        };
        let request = CreateQuoteRequest {
            currency_code: CURRENCY.code().to_owned(),
            destination: Some(Address {
                country_code: country::code(&invoice.country).to_owned(),
                ..Address::default()
            }),
            draft: Some(StaffDraft {
                lines: lines.iter().map(line).collect(),
                customer,
                terms: Some(StaffTerms {
                    tax_mode: TaxMode::Inclusive.into(),
                    tax_rate_micros: Some(TAX_RATE_MICROS),
                    delivery_charge: DeliveryCharge::Free.into(),
                    reason: "as invoiced: 20 % tax included, delivery free".to_owned(),
                }),
            }),
            ..CreateQuoteRequest::default()
        };
        let answer = self.shop.call(|| {
            let (mut checkout, request) = (self.checkout.clone(), request.clone());
            async move { checkout.create_quote(request).await }
        });
        match answer.await {
            Ok(answer) => Ok(Ok(answer)),
            Err(CallError::Refused(error)) if !stops(&error) => Ok(Err(error)),
            Err(error) => Err(error.fatal(&format!("invoice {} could not be quoted", invoice.number))),
        }
    }

    /// The profile of a customer, made by staff the first time.
    async fn customer(&self, number: &Arc<str>, country: &str) -> Result<String, Failure> {
        let cell = {
            let mut customers = self.customers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            customers.entry(number.clone()).or_default().clone()
        };
        cell.get_or_try_init(|| self.profile(number, country)).await.cloned()
    }

    async fn profile(&self, number: &str, country: &str) -> Result<String, Failure> {
        let external_reference = format!("{SOURCE}:{number}");
        let request = CreateProfileRequest {
            request_id: request_id(),
            external_reference: external_reference.clone(),
            country_code: country::code(country).to_owned(),
            ..CreateProfileRequest::default()
        };
        let made = self.shop.call(|| {
            let (mut users, request) = (self.users.clone(), request.clone());
            async move { users.create_profile(request).await }
        });
        let profile = match made.await {
            Ok(answer) => answer.profile,
            // It exists with another country: the customer has bought from two.
            Err(CallError::Refused(error)) if error.code() == Code::Conflict => {
                let found = self.shop.call(|| {
                    let (mut users, external_reference) = (self.users.clone(), external_reference.clone());
                    async move { users.find_profile(FindProfileRequest { external_reference }).await }
                });
                found
                    .await
                    .map_err(|error| error.fatal(&format!("customer {number} could not be found")))?
                    .profile
            }
            Err(error) => return Err(error.fatal(&format!("customer {number} could not be made"))),
        };
        Ok(profile.unwrap_or_default().profile_id)
    }

    /// The order when it does not move by itself any more.
    async fn at_rest(&self, mut order: Order) -> Result<Order, Failure> {
        let began = Instant::now();
        while matches!(order.state(), OrderState::Pending | OrderState::Cancelling | OrderState::Unspecified)
        {
            if began.elapsed() > REST_WITHIN {
                return Err(Failure::unfinished(format!(
                    "order {} did not come to rest within {} s; run `souk audit`",
                    order.id,
                    REST_WITHIN.as_secs()
                )));
            }
            tokio::time::sleep(LOOK_EVERY).await;
            let answer = self.shop.call(|| {
                let (mut orders, order_id) = (self.orders.clone(), order.id.clone());
                async move { orders.get_order(GetOrderRequest { order_id }).await }
            });
            let answer = answer
                .await
                .map_err(|error| error.fatal(&format!("order {} could not be read", order.id)))?;
            order = answer.order.unwrap_or_default();
        }
        Ok(order)
    }
}

/// Whether an error is about this command rather than about an invoice.
fn stops(error: &Error) -> bool {
    matches!(error.code(), Code::Unauthenticated | Code::PermissionDenied | Code::Internal)
}

fn reference(invoice: &Invoice) -> String {
    format!("{SOURCE}:{}", invoice.number)
}

fn state_reason(state: OrderState) -> &'static str {
    match state {
        OrderState::ActionRequired => "ACTION_REQUIRED",
        OrderState::AwaitingApproval => "AWAITING_APPROVAL",
        OrderState::Cancelled => "CANCELLED",
        OrderState::Failed => "FAILED",
        OrderState::Unspecified | OrderState::Pending | OrderState::Confirmed | OrderState::Cancelling => {
            "UNKNOWN_STATE"
        }
    }
}

/// What an order that could not be placed was refused for. Short lines are named by their place in the quote.
fn refused(reason: &str, shortages: Option<&str>, place_of: &HashMap<String, usize>) -> Tried {
    match reason {
        "EXTERNAL_REFERENCE_TAKEN" => Tried::Taken,
        "OUT_OF_STOCK" => {
            let shortages: Vec<serde_json::Value> =
                shortages.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
            let places = shortages.iter().filter_map(|short| place_of.get(short.get("line_id")?.as_str()?));
            Tried::Short(places.copied().collect())
        }
        other => Tried::Refused(other.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_lines_are_found_in_the_quote() {
        let place_of =
            HashMap::from([("lin_a".to_owned(), 0), ("lin_b".to_owned(), 1), ("lin_c".to_owned(), 2)]);
        let json = r#"[{"line_id":"lin_a","sku":"x","wanted":2,"available":1},{"line_id":"lin_c","sku":"x","wanted":2,"available":1},{"sku":1}]"#;
        let Tried::Short(places) = refused("OUT_OF_STOCK", Some(json), &place_of) else { panic!("short") };
        assert_eq!(places, HashSet::from([0, 2]));
        assert!(
            matches!(refused("OUT_OF_STOCK", Some("damaged"), &place_of), Tried::Short(places) if places.is_empty())
        );
        assert!(matches!(refused("EXTERNAL_REFERENCE_TAKEN", None, &place_of), Tried::Taken));
        assert!(
            matches!(refused("PAYMENT_DECLINED", None, &place_of), Tried::Refused(reason) if reason == "PAYMENT_DECLINED")
        );
    }
}
