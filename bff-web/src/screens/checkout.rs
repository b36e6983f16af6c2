//! Checkout: one page, four short parts, and the same as JSON. The price comes from a signed quote that the form carries; what
//! is paid is what was shown.

pub mod form;
pub mod quote;

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use contract::souk::identity::v1::GetAccountRequest;
use contract::souk::order::v1 as order;
use contract::souk::testpay::v1::ListPaymentMethodsRequest;
use contract::souk::user::v1::{AddressUse, ListAddressesRequest};
use edge::{Answer, Key, Need, Nothing, Route};
use http::{Method, StatusCode};
use kernel::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::form::{CheckoutForm, FieldError, FieldErrors};
use self::quote::{Difference, QuoteScreen};
use super::cart::{self, CART, CartScreen, VARIANTS};
use super::listing::STOCK;
use super::listing::links::with_own_names;
use super::orders::OrderScreen;
use super::{NoParams, api, page, shown};
use crate::frame::Frame;
use crate::money::Money;
use crate::said;
use crate::shop::{CATEGORIES, Shop, Visit};
use crate::view::AddressView;

const PLACE: Need = Need::required("till", "/souk.order.v1.OrderService/PlaceOrder");
const METHODS: Need = Need::required("payment methods", "/souk.testpay.v1.TestpayService/ListPaymentMethods");
const ACCOUNT: Need = Need::optional("account", "/souk.identity.v1.IdentityService/GetAccount");
const ADDRESSES: Need = Need::optional("addresses", "/souk.user.v1.UserService/ListAddresses");

/// The pointers of order's own fields, as this gateway's request has them.
const FIELDS: &[(&str, &str)] =
    &[("/tenders/0/payment_method", "/payment_method"), ("/tenders", "/payment_method")];

/// The most that paying may take: the order's own limit and a little.
const PAY_WITHIN: Duration = Duration::from_secs(16);
/// Largest form: a quote of a full cart is signed into it.
const FORM_BYTES_MAX: usize = 512 << 10;
/// Cards that are shown at once.
const USUAL_METHODS: usize = 4;

/// A way to pay.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PaymentMethodView {
    /// Its token, for `payment_method`.
    pub token: String,
    /// What to show.
    pub label: String,
    /// What it does: these are test cards.
    pub behaviour: String,
}

/// Ways to pay.
#[derive(Debug, Serialize, JsonSchema)]
struct PaymentMethods {
    /// The usual one first.
    payment_methods: Vec<PaymentMethodView>,
}

/// What is placed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Place {
    /// The signed quote.
    #[schemars(length(min = 1, max = 500_000), extend("pattern" = said::TOKEN))]
    quote_token: String,
    /// Token of the payment method; left out when there is nothing to pay.
    #[serde(default)]
    #[schemars(length(max = 67), extend("pattern" = said::PAYMENT_METHOD_OR_NONE))]
    payment_method: String,
}

#[derive(Template)]
#[template(path = "screens/checkout.html")]
struct CheckoutPage {
    frame: Frame,
    cart: CartScreen,
    form: CheckoutForm,
    errors: FieldErrors,
    notice: String,
    quote: Option<QuoteScreen>,
    differences: Vec<Difference>,
    methods: Vec<PaymentMethodView>,
    key: String,
    countries: Vec<(&'static str, &'static str)>,
    signed_in: bool,
}

impl CheckoutPage {
    /// The cards that are shown at once, and those that a person rarely wants to see.
    fn usual_methods(&self) -> &[PaymentMethodView] {
        &self.methods[..self.methods.len().min(USUAL_METHODS)]
    }

    fn odd_methods(&self) -> &[PaymentMethodView] {
        &self.methods[self.methods.len().min(USUAL_METHODS)..]
    }

    /// Whether one of the rare ones is chosen.
    fn is_odd(&self) -> bool {
        self.odd_methods().iter().any(|method| method.token == self.form.payment_method)
    }
}

/// Its routes.
pub fn routes(shop: &Arc<Shop>) -> Vec<Route> {
    const SHOW: &[&Need] =
        &[&CART, &VARIANTS, &STOCK, &CATEGORIES, &METHODS, &ACCOUNT, &ADDRESSES, &quote::QUOTE_AT_ONCE];
    const PAY: &[&Need] = &[&CART, &VARIANTS, &STOCK, &CATEGORIES, &METHODS, &quote::QUOTE, &PLACE];
    vec![
        page(shop, Method::GET, "/checkout", show).needs(SHOW).cost(2),
        page(shop, Method::POST, "/checkout", quote_form).needs(PAY).cost(3).body_up_to(FORM_BYTES_MAX),
        page(shop, Method::POST, "/checkout/pay", pay)
            .needs(PAY)
            .cost(5)
            .body_up_to(FORM_BYTES_MAX)
            .within(PAY_WITHIN),
        api(shop, Method::GET, "/api/v1/payment-methods", methods_json)
            .named("listPaymentMethods", "Ways to pay")
            .answers::<PaymentMethods>()
            .needs(&[&METHODS]),
        api(shop, Method::POST, "/api/v1/quotes", quote::create)
            .named("createQuote", "What the cart costs, delivered to an address; signed, to be placed")
            .answers::<QuoteScreen>()
            .problems(&[401, 404])
            .needs(&[&quote::QUOTE])
            .cost(3),
        api(shop, Method::POST, "/api/v1/orders", place_json)
            .named(
                "placeOrder",
                "Place a quote and pay it; answers when the order is at rest or waits for somebody",
            )
            .answers::<OrderScreen>()
            .status(201)
            .keyed(Key::Required)
            .problems(&[401, 402, 404])
            .needs(&[&PLACE])
            .cost(5)
            .body_up_to(FORM_BYTES_MAX)
            .within(PAY_WITHIN),
    ]
}

async fn methods(visit: &Visit) -> Result<Vec<PaymentMethodView>> {
    let request = visit.request(ListPaymentMethodsRequest {});
    let answer = visit.need(&METHODS, visit.shop.testpay.clone().list_payment_methods(request)).await?;
    let methods = answer.payment_methods.into_iter();
    Ok(methods
        .map(|method| PaymentMethodView {
            token: method.token,
            label: method.label,
            behaviour: method.behaviour,
        })
        .collect())
}

async fn methods_json(visit: Visit, _: NoParams, _: Nothing) -> Result<Answer> {
    Answer::json(&PaymentMethods { payment_methods: methods(&visit).await? })
}

async fn place_json(visit: Visit, _: NoParams, wanted: Place) -> Result<Answer> {
    visit.needs_somebody()?;
    let placed = place(&visit, visit.key()?, wanted.quote_token, wanted.payment_method).await;
    let placed = placed.map_err(|error| with_own_names(error, FIELDS))?;
    let screen = OrderScreen::of(placed);
    let (path, version) = (format!("/api/v1/orders/{}", screen.order_id), screen.version);
    Ok(Answer::json(&screen)?.created(&path).at_version(version))
}

/// Places a quote, and notes what order came of it.
async fn place(
    visit: &Visit,
    key: String,
    quote_token: String,
    payment_method: String,
) -> Result<order::Order> {
    let tender = |payment_method| order::TenderRequest { payment_method, amount: None };
    let tenders = if payment_method.is_empty() { Vec::new() } else { vec![tender(payment_method)] };
    let request = order::PlaceOrderRequest {
        request_id: key,
        quote_token,
        tenders,
        ..order::PlaceOrderRequest::default()
    };
    let answer = visit.need(&PLACE, visit.shop.orders.clone().place_order(visit.request(request))).await?;
    let placed = answer.order.ok_or_else(|| Error::internal("an answer without an order"))?;
    visit.saw(&placed.id, placed.version);
    cart::take_out(visit, &placed).await;
    Ok(placed)
}

async fn show(visit: Visit, _: NoParams, _: Nothing) -> Result<Answer> {
    let cart = cart::load(&visit, None).await?;
    if cart.lines.is_empty() {
        return Answer::see("/cart");
    }
    let mut form = prefilled(&visit).await;
    let quote = if form.is_whole() { quote::at_once(&visit, &form).await } else { None };
    if let Some(quote) = &quote {
        // What the page shows as chosen is what the quote was made for.
        form.method.clone_from(&quote.shipping_method);
    }
    Checkout { form, quote, ..Checkout::default() }.page(&visit, cart).await
}

/// What is known of who buys: their e-mail address and their usual address.
async fn prefilled(visit: &Visit) -> CheckoutForm {
    let mut form = CheckoutForm { country: "GB".to_owned(), ..CheckoutForm::default() };
    if !visit.session().is_signed_in() {
        return form;
    }
    let (mut identity, mut users) = (visit.shop.identity.clone(), visit.shop.users.clone());
    let (account, book) = futures_util::join!(
        visit.may(&ACCOUNT, identity.get_account(visit.request(GetAccountRequest::default()))),
        visit.may(&ADDRESSES, users.list_addresses(visit.request(ListAddressesRequest::default())))
    );
    if let Some(account) = account.and_then(|answer| answer.account) {
        form.email = account.email;
    }
    let shipping = i32::from(AddressUse::Shipping);
    let usual = book.map(|book| book.addresses).unwrap_or_default();
    let usual = usual.into_iter().find(|address| address.default_for.contains(&shipping));
    if let Some(address) = usual.and_then(|usual| usual.address) {
        form.fill(AddressView::from(address));
    }
    form
}

async fn quote_form(visit: Visit, _: NoParams, form: CheckoutForm) -> Result<Answer> {
    let cart = cart::load(&visit, None).await?;
    if cart.lines.is_empty() {
        return Answer::see("/cart");
    }
    let checkout = quoted(&visit, form, String::new()).await?;
    checkout.page(&visit, cart).await
}

/// The page after a quote was asked for: with it, or with what is wrong about the form.
async fn quoted(visit: &Visit, mut form: CheckoutForm, notice: String) -> Result<Checkout> {
    visit.needs_session().await?;
    let mut errors = form.check();
    if errors.is_empty() {
        match quote::of_form(visit, &form).await {
            Ok(quote) => {
                form.method.clone_from(&quote.shipping_method);
                return Ok(Checkout { form, quote: Some(quote), notice, ..Checkout::default() });
            }
            Err(error) if error.reason() == "SHIPPING_METHOD_NOT_OFFERED" => {
                form.method.clear();
                let quote = quote::of_form(visit, &form).await?;
                form.method.clone_from(&quote.shipping_method);
                let notice =
                    "That way of delivery does not go there. This is the cheapest that does.".to_owned();
                return Ok(Checkout { form, quote: Some(quote), notice, ..Checkout::default() });
            }
            Err(error) if error.reason() == "DESTINATION_NOT_SERVED" => {
                errors = vec![FieldError::new("country", &quote::not_served(visit, &form).await)];
            }
            Err(error) => errors = form::told(&error).ok_or(error)?,
        }
    }
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(Checkout { form, errors, notice, status, ..Checkout::default() })
}

async fn pay(visit: Visit, _: NoParams, mut form: CheckoutForm) -> Result<Answer> {
    let key = edge::checked_key(&form.key)?.to_owned();
    let token = std::mem::take(&mut form.quote_token);
    if token.is_empty() || form.quoted != form.digest() {
        let cart = cart::load(&visit, None).await?;
        if cart.lines.is_empty() {
            return Answer::see("/cart");
        }
        let notice =
            "You changed something, so the total was worked out anew. Look at it, then pay.".to_owned();
        return quoted(&visit, form, notice).await?.page(&visit, cart).await;
    }
    visit.needs_somebody()?;
    match place_once(&visit, key, token, form.payment_method.clone()).await {
        Ok(placed) => {
            let action = placed.next_action.as_ref().filter(|action| !action.challenge_id.is_empty());
            match action {
                Some(action) => {
                    let challenge = crate::view::encoded(&action.challenge_id);
                    Answer::see(&format!("/bank/{challenge}?order={}", placed.id))
                }
                None => Answer::see(&format!("/orders/{}", placed.id)),
            }
        }
        Err(error) => refused(&visit, form, error).await,
    }
}

/// Places a quote by a form that a browser may have kept. Its key may have been used with another card, or for another quote.
/// A quote is placed once whatever the keys, so under a fresh key the order that exists is named, or this one is placed.
async fn place_once(
    visit: &Visit,
    key: String,
    quote_token: String,
    payment_method: String,
) -> Result<order::Order> {
    match place(visit, key, quote_token.clone(), payment_method.clone()).await {
        Err(error) if error.reason() == "IDEMPOTENCY_KEY_REUSED" => {
            place(visit, visit.new_key(), quote_token, payment_method).await
        }
        placed => placed,
    }
}

/// What is shown when an order could not be placed: what is the matter, and a new quote to go on with.
async fn refused(visit: &Visit, form: CheckoutForm, error: Error) -> Result<Answer> {
    let placed_before = error.metadata().get("order_id").filter(|_| error.reason() == "QUOTE_ALREADY_PLACED");
    if let Some(order_id) = placed_before {
        return Answer::see(&format!("/orders/{}", crate::view::encoded(order_id)));
    }
    let known = matches!(
        error.reason(),
        "OUT_OF_STOCK"
            | "PAYMENT_DECLINED"
            | "CARD_NUMBER_REFUSED"
            | "INVALID_TENDERS"
            | "QUOTE_EXPIRED"
            | "QUOTE_TOKEN_INVALID"
            | "HOLD_EXPIRED"
            | "PLACING_TIMED_OUT"
    );
    if !known {
        return Err(error);
    }
    let cart = cart::load(visit, None).await?;
    if error.reason() == "OUT_OF_STOCK" {
        return cart::short(visit, cart).await;
    }
    let status = edge::status(&error);
    let what = form::happened(&error);
    if cart.lines.is_empty() {
        return cart::emptied(visit, cart, &what, status).await;
    }
    let mut checkout = quoted(visit, form, String::new()).await?;
    match error.reason() {
        "PAYMENT_DECLINED" | "CARD_NUMBER_REFUSED" | "INVALID_TENDERS" => {
            let words = format!("{what} {}", form::other_method(&error));
            checkout.errors.push(FieldError::new("payment_method", &words));
        }
        "QUOTE_EXPIRED" => {
            checkout.notice = format!("{what} This is what it comes to now.");
            checkout.differences = quote::differences(&error, &checkout, &cart);
        }
        _ => checkout.notice = format!("{what} Look it over and pay again."),
    }
    checkout.status = status;
    checkout.page(visit, cart).await
}

/// A checkout page in the making.
#[derive(Default)]
pub struct Checkout {
    form: CheckoutForm,
    errors: Vec<FieldError>,
    notice: String,
    pub quote: Option<QuoteScreen>,
    differences: Vec<Difference>,
    status: StatusCode,
}

impl Checkout {
    async fn page(mut self, visit: &Visit, cart: CartScreen) -> Result<Answer> {
        let methods = methods(visit).await?;
        if self.form.payment_method.is_empty() {
            self.form.payment_method = methods.first().map(|method| method.token.clone()).unwrap_or_default();
        }
        self.form.quoted = self.form.digest();
        self.errors.extend(in_the_way(self.quote.as_ref(), &cart));
        let page = CheckoutPage {
            frame: Frame::of(visit, "Checkout").await.at("/checkout"),
            cart,
            form: self.form,
            errors: self.errors.into(),
            notice: self.notice,
            quote: self.quote,
            differences: self.differences,
            methods,
            key: visit.new_key(),
            countries: kernel::country::by_name(),
            signed_in: visit.session().is_signed_in(),
        };
        Ok(shown(&page)?.with_status(self.status))
    }
}

/// What in the cart stands in the way of paying: as the quote says, or, before there is one, as the cart does.
fn in_the_way(quote: Option<&QuoteScreen>, cart: &CartScreen) -> Vec<FieldError> {
    let Some(quote) = quote else {
        let lines = cart.lines.iter().filter(|line| !line.trouble().is_empty());
        let words = lines.map(|line| format!("{}: {}.", line.title(), line.trouble().to_lowercase()));
        return words.map(|words| FieldError::new("cart", &words)).collect();
    };
    let short = |shortage: &quote::Shortage| match shortage.available {
        0 => format!("{} is sold out.", shortage.title()),
        1 => format!("Only 1 of {} is left.", shortage.title()),
        left => format!("Only {left} of {} are left.", shortage.title()),
    };
    quote.shortages.iter().map(|shortage| FieldError::new("cart", &short(shortage))).collect()
}

/// "Pay £24.50", or what to press when there is nothing to pay.
pub fn pay_words(total: &Money) -> String {
    if total.minor_units == 0 { "Place the order".to_owned() } else { format!("Pay {total}") }
}
