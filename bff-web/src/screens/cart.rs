//! The cart: a table whose lines are edited without JavaScript, and the same as JSON.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use contract::souk::cart::v1 as cart;
use contract::souk::inventory::v1::BatchGetStockRequest;
use contract::souk::order::v1::Order;
use contract::souk::product::v1::{BatchGetVariantsRequest, SellableVariant};
use edge::{Answer, Key, Need, Nothing, Route, Shown};
use http::{Method, StatusCode};
use kernel::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::listing::STOCK;
use super::{NoParams, api, page, shown};
use crate::frame::Frame;
use crate::money::{CurrencyCode, Money, Price};
use crate::pictures::PictureView;
use crate::said;
use crate::shop::{CATEGORIES, Shop, Tree, Visit};
use crate::view::{OptionView, StockView, deepest, encoded, option_words, title};
use crate::words;

/// Units in the cart, which stand in the header of every page.
pub const CART_COUNT: Need = Need::optional("cart", "/souk.cart.v1.CartService/GetCart");
/// The cart itself.
pub const CART: Need = Need::required("cart", "/souk.cart.v1.CartService/GetCart");
const ADD: Need = Need::required("cart", "/souk.cart.v1.CartService/AddLine");
const SET: Need = Need::required("cart", "/souk.cart.v1.CartService/SetLineQuantity");
const REMOVE: Need = Need::required("cart", "/souk.cart.v1.CartService/RemoveLine");
const EDIT: &[&Need] = &[&SET, &REMOVE, &CART, &VARIANTS, &STOCK, &CATEGORIES];
const CLEAR: Need = Need::required("cart", "/souk.cart.v1.CartService/ClearCart");
/// Taking out of the cart what an order bought, which no screen waits for in vain.
const BOUGHT: Need = Need::optional("cart after the order", "/souk.cart.v1.CartService/RemoveOrderedLines");
/// What the lines of a cart are called and look like.
pub const VARIANTS: Need = Need::optional("names", "/souk.product.v1.ProductService/BatchGetVariants");

/// A cart.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct CartScreen {
    /// `crt_…`; empty while there is no session.
    pub cart_id: String,
    /// Rises with every change; an edit names it in `If-Match` as `"v…"`.
    pub version: i64,
    /// What is in it, oldest first.
    pub lines: Vec<CartLineView>,
    /// Units over all lines.
    pub quantity: i64,
    /// Currency of the prices.
    pub currency_code: String,
    /// Sum of the lines, before delivery; absent when a line has no price.
    pub subtotal: Option<Money>,
    /// A change that this browser made is not in it yet.
    pub pending: bool,
}

impl CartScreen {
    /// Whether something in it cannot be bought as it stands.
    pub fn has_trouble(&self) -> bool {
        self.lines.iter().any(|line| !line.trouble().is_empty())
    }
}

/// A line of a cart.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CartLineView {
    /// `lin_…`.
    pub line_id: String,
    /// The SKU.
    pub sku: String,
    /// Name of the product; empty when it is not sold any more.
    pub name: String,
    /// The product's name in addresses; empty when it is not known.
    pub slug: String,
    /// The values of its options.
    pub options: Vec<OptionView>,
    /// Units.
    pub quantity: i32,
    /// What one costs now; absent when it has no price.
    pub unit_price: Option<Price>,
    /// Quantity × unit price.
    pub total: Option<Money>,
    /// Its picture.
    pub picture: PictureView,
    /// How much is left; absent when that is not known.
    pub stock: Option<StockView>,
    /// Whether it is sold at all.
    pub sold: bool,
}

impl CartLineView {
    /// Its options in words.
    pub fn words(&self) -> String {
        option_words(&self.options)
    }

    /// What tells it from every other line: its name with its options.
    pub fn title(&self) -> String {
        title(super::or(&self.name, &self.sku), &self.options)
    }

    /// What stands in the way of buying it; empty when nothing does.
    pub fn trouble(&self) -> String {
        let only = self.stock.as_ref().and_then(|stock| stock.only);
        match (&self.stock, only) {
            _ if !self.sold => "Not sold any more".to_owned(),
            _ if self.unit_price.is_none() => "Not sold in this currency".to_owned(),
            (Some(stock), _) if stock.left == crate::view::Left::None => "Sold out".to_owned(),
            (_, Some(units)) if units < i64::from(self.quantity) => format!("Only {units} left"),
            _ => String::new(),
        }
    }
}

/// Which line.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Which {
    /// `lin_…`.
    #[schemars(extend("pattern" = said::id("lin")))]
    line_id: String,
}

/// What to add.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Add {
    /// The SKU.
    #[schemars(length(min = 1, max = 64), extend("pattern" = said::SKU))]
    sku: String,
    /// Units, 1 to 999.
    #[serde(default = "one", deserialize_with = "edge::whole")]
    #[schemars(range(min = 1, max = 999))]
    quantity: i32,
}

fn one() -> i32 {
    1
}

/// What a line shall be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Quantity {
    /// Units, 1 to 999.
    #[serde(deserialize_with = "edge::whole")]
    #[schemars(range(min = 1, max = 999))]
    quantity: i32,
}

/// What an addition did.
#[derive(Debug, Serialize, JsonSchema)]
struct Added {
    /// The cart.
    cart_id: String,
    /// Its version after it.
    version: i64,
    /// The line.
    line_id: String,
    /// Units that the line now has.
    line_quantity: i32,
    /// Units over all lines.
    quantity: i64,
}

/// The form of a line.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LineForm {
    version: i64,
    quantity: Option<i32>,
    #[serde(default)]
    remove: String,
}

#[derive(Template)]
#[template(path = "screens/cart.html")]
struct CartPage {
    frame: Frame,
    cart: CartScreen,
    trouble: bool,
    message: String,
}

/// Its routes.
pub fn routes(shop: &Arc<Shop>) -> Vec<Route> {
    const SHOW: &[&Need] = &[&CART, &VARIANTS, &STOCK, &CATEGORIES];
    vec![
        page(shop, Method::GET, "/cart", show_page).needs(SHOW),
        page(shop, Method::POST, "/cart/lines", add_form).needs(&[
            &ADD,
            &CART,
            &VARIANTS,
            &STOCK,
            &CATEGORIES,
        ]),
        page(shop, Method::POST, "/cart/lines/{line_id}", line_form).needs(EDIT),
        api(shop, Method::GET, "/api/v1/cart", show_json)
            .named("getCart", "The cart of this session; empty without one")
            .answers::<Shown<CartScreen>>()
            .needs(SHOW),
        api(shop, Method::POST, "/api/v1/cart/lines", add)
            .named("addCartLine", "Add units of a SKU; begins a guest session where there is none")
            .answers::<Added>()
            .status(201)
            .keyed(Key::Optional)
            .problems(&[404])
            .needs(&[&ADD]),
        api(shop, Method::DELETE, "/api/v1/cart/lines", clear)
            .named("clearCart", "Take all lines out")
            .status(204)
            .if_match()
            .keyed(Key::Optional)
            .problems(&[401])
            .needs(&[&CLEAR]),
        api(shop, Method::PATCH, "/api/v1/cart/lines/{line_id}", set)
            .named("setCartLine", "Set how many units a line has")
            .answers::<Shown<CartScreen>>()
            .if_match()
            .keyed(Key::Optional)
            .problems(&[401])
            .needs(&[&SET, &CART, &VARIANTS, &STOCK, &CATEGORIES]),
        api(shop, Method::DELETE, "/api/v1/cart/lines/{line_id}", remove)
            .named("removeCartLine", "Take a line out")
            .answers::<Shown<CartScreen>>()
            .if_match()
            .keyed(Key::Optional)
            .problems(&[401])
            .needs(&[&REMOVE, &CART, &VARIANTS, &STOCK, &CATEGORIES]),
    ]
}

async fn show_page(visit: Visit, _: NoParams, _: Nothing) -> Result<Answer> {
    let cart = load(&visit, None).await?;
    cart_page(&visit, cart, String::new()).await
}

async fn cart_page(visit: &Visit, cart: CartScreen, message: String) -> Result<Answer> {
    let trouble = cart.has_trouble();
    let frame = Frame::of(visit, "Cart").await.at("/cart");
    shown(&CartPage { frame, cart, trouble, message })
}

/// The cart after an order failed because something in it is short.
pub async fn short(visit: &Visit, cart: CartScreen) -> Result<Answer> {
    let message = "Some of this sold out while you were paying. Nothing was charged.".to_owned();
    Ok(cart_page(visit, cart, message).await?.with_status(StatusCode::CONFLICT))
}

/// The empty cart after an order failed for another reason: what happened, and that there is nothing left to pay for.
pub async fn emptied(visit: &Visit, cart: CartScreen, what: &str, status: StatusCode) -> Result<Answer> {
    let message = format!("{what} Your cart is empty now, so there is nothing to pay for.");
    Ok(cart_page(visit, cart, message).await?.with_status(status))
}

async fn show_json(visit: Visit, asked: super::home::InCurrency, _: Nothing) -> Result<Answer> {
    let cart = load(&visit, asked.currency_code.as_ref()).await?;
    let version = cart.version;
    Ok(Answer::json(&Shown::new(cart, &visit))?.at_version(version))
}

async fn add_form(visit: Visit, _: NoParams, form: Add) -> Result<Answer> {
    match put(&visit, &form).await {
        // The page that the form stood on is older than the catalogue.
        Err(error) if error.reason() == "SKU_NOT_FOUND" => {
            let cart = load(&visit, None).await?;
            let message = "We do not sell this any more. Your cart is as it was.".to_owned();
            Ok(cart_page(&visit, cart, message).await?.with_status(StatusCode::NOT_FOUND))
        }
        added => {
            added?;
            Answer::see("/cart")
        }
    }
}

async fn add(visit: Visit, _: NoParams, body: Add) -> Result<Answer> {
    let added = put(&visit, &body).await?;
    let version = added.version;
    Ok(Answer::json(&added)?.with_status(StatusCode::CREATED).at_version(version))
}

async fn put(visit: &Visit, wanted: &Add) -> Result<Added> {
    visit.needs_session().await?;
    let request = cart::AddLineRequest {
        request_id: visit.key()?,
        cart_id: String::new(),
        sku: wanted.sku.clone(),
        quantity: wanted.quantity,
    };
    let answer = visit.need(&ADD, visit.shop.carts.clone().add_line(visit.request(request))).await?;
    let summary = seen(visit, answer.cart);
    Ok(Added {
        cart_id: summary.cart_id,
        version: summary.version,
        line_id: answer.line_id,
        line_quantity: answer.quantity,
        quantity: summary.quantity,
    })
}

/// Notes the version after a change, so that an older cart is not shown as if it were the newest.
fn seen(visit: &Visit, summary: Option<cart::CartSummary>) -> cart::CartSummary {
    let summary = summary.unwrap_or_default();
    visit.saw(&summary.cart_id, summary.version);
    summary
}

async fn set(visit: Visit, which: Which, body: Quantity) -> Result<Answer> {
    visit.needs_somebody()?;
    let version = visit.if_match()?;
    change(&visit, &which.line_id, version, Some(body.quantity)).await?;
    show_json(visit, super::home::InCurrency { currency_code: None }, Nothing).await
}

async fn remove(visit: Visit, which: Which, _: Nothing) -> Result<Answer> {
    visit.needs_somebody()?;
    let version = visit.if_match()?;
    change(&visit, &which.line_id, version, None).await?;
    show_json(visit, super::home::InCurrency { currency_code: None }, Nothing).await
}

/// Sets the units of a line, or takes it out.
async fn change(visit: &Visit, line_id: &str, version: i64, quantity: Option<i32>) -> Result<()> {
    let (request_id, line_id) = (visit.key()?, line_id.to_owned());
    let mut carts = visit.shop.carts.clone();
    let summary = if let Some(quantity) = quantity {
        let request =
            cart::SetLineQuantityRequest { request_id, cart_id: String::new(), version, line_id, quantity };
        visit.need(&SET, carts.set_line_quantity(visit.request(request))).await?.cart
    } else {
        let request = cart::RemoveLineRequest { request_id, cart_id: String::new(), version, line_id };
        visit.need(&REMOVE, carts.remove_line(visit.request(request))).await?.cart
    };
    seen(visit, summary);
    Ok(())
}

async fn clear(visit: Visit, _: NoParams, _: Nothing) -> Result<Answer> {
    visit.needs_somebody()?;
    let request = cart::ClearCartRequest {
        request_id: visit.key()?,
        cart_id: String::new(),
        version: visit.if_match()?,
    };
    let answer = visit.need(&CLEAR, visit.shop.carts.clone().clear_cart(visit.request(request))).await?;
    seen(&visit, answer.cart);
    Ok(Answer::done())
}

/// A line's form: what a stale one would have changed is shown as it is now.
async fn line_form(visit: Visit, which: Which, form: LineForm) -> Result<Answer> {
    let quantity = if form.remove.is_empty() { Some(form.quantity.unwrap_or(1)) } else { None };
    let quantity = quantity.filter(|quantity| *quantity != 0);
    match change(&visit, &which.line_id, form.version, quantity).await {
        Ok(()) => Answer::see("/cart"),
        Err(error) if matches!(error.reason(), "VERSION_CONFLICT" | "LINE_NOT_FOUND") => {
            let cart = load(&visit, None).await?;
            let message = "Your cart changed in another window. This is how it is now.".to_owned();
            Ok(cart_page(&visit, cart, message).await?.with_status(StatusCode::CONFLICT))
        }
        Err(error) if !error.violations().is_empty() || error.reason().ends_with("_LIMIT") => {
            let cart = load(&visit, None).await?;
            let message = words::sentence(error.message());
            Ok(cart_page(&visit, cart, message).await?.with_status(StatusCode::BAD_REQUEST))
        }
        Err(error) => Err(error),
    }
}

/// Takes what a confirmed order bought out of the cart that it came from, unless that is done. Order does so by itself a moment
/// after it confirms, and the cart does it once per order, whoever asks first: so nobody who is told that an order is
/// confirmed sees their cart with it. An order is told without this too: it is done later then.
pub async fn take_out(visit: &Visit, order: &Order) {
    let Some(quote) = order.quote.as_ref().filter(|_| order.cart_pending) else { return };
    let lines = quote.lines.iter();
    let request = cart::RemoveOrderedLinesRequest {
        request_id: format!("{}/cart", order.id),
        order_id: order.id.clone(),
        cart_id: quote.cart_id.clone(),
        lines: lines
            .map(|line| cart::SkuQuantity { sku: line.sku.clone(), quantity: line.quantity })
            .collect(),
    };
    let answer =
        visit.aside(&BOUGHT, visit.shop.carts.clone().remove_ordered_lines(visit.request(request))).await;
    if let Some(summary) = answer.and_then(|answer| answer.cart) {
        visit.saw(&summary.cart_id, summary.version);
    }
}

/// The cart of this session, with what its lines are called, look like, and how much is left of them.
pub async fn load(visit: &Visit, currency: Option<&CurrencyCode>) -> Result<CartScreen> {
    let currency = visit.shop.asked_currency(visit, currency)?;
    let session = visit.session();
    if !session.exists() {
        return Ok(CartScreen { currency_code: currency, ..CartScreen::default() });
    }
    let request = cart::GetCartRequest { currency_code: currency, ..cart::GetCartRequest::default() };
    let answer = visit.need(&CART, visit.shop.carts.clone().get_cart(visit.request(request))).await?;
    let cart = answer.cart.unwrap_or_default();
    let skus: Vec<String> = cart.lines.iter().map(|line| line.sku.clone()).collect();
    let (variants, stock) = about(visit, skus).await;
    let pending = visit.seen(&cart.cart_id) > cart.version;
    visit.saw(&cart.cart_id, cart.version);
    let tree = visit.shop.categories(visit).await;
    Ok(CartScreen {
        cart_id: cart.cart_id,
        version: cart.version,
        lines: cart.lines.into_iter().map(|line| line_view(visit, line, &variants, &stock, &tree)).collect(),
        quantity: cart.quantity,
        currency_code: cart.currency_code,
        subtotal: cart.subtotal.map(Money::from),
        pending,
    })
}

type Variants = HashMap<String, SellableVariant>;
type StockOf = HashMap<String, StockView>;

/// What SKUs are called, and how much is left of them; a screen can do without either.
pub async fn about(visit: &Visit, skus: Vec<String>) -> (Variants, StockOf) {
    if skus.is_empty() {
        return (Variants::new(), StockOf::new());
    }
    let names = visit.request(BatchGetVariantsRequest { skus: skus.clone() });
    let left = visit.request(BatchGetStockRequest { skus });
    let (mut products, mut inventory) = (visit.shop.products.clone(), visit.shop.inventory.clone());
    let (names, left) = futures_util::join!(
        visit.may(&VARIANTS, products.batch_get_variants(names)),
        visit.may(&STOCK, inventory.batch_get_stock(left))
    );
    let names = names.map(|answer| answer.variants).unwrap_or_default();
    let left = left.map(|answer| answer.stocks).unwrap_or_default();
    (
        names.into_iter().map(|variant| (variant.sku.clone(), variant)).collect(),
        left.iter().map(|stock| (stock.sku.clone(), StockView::of(stock))).collect(),
    )
}

fn line_view(
    visit: &Visit,
    line: cart::CartLine,
    variants: &Variants,
    stock: &StockOf,
    tree: &Tree,
) -> CartLineView {
    let variant = variants.get(&line.sku);
    let category = variant.map_or("", |variant| deepest(tree, &variant.category_trail_ids));
    CartLineView {
        sold: line.price_status() != cart::PriceStatus::NotSold,
        picture: visit.shop.pictures.of(
            variant.and_then(|variant| variant.image.as_ref()),
            &line.product_id,
            &line.product_name,
            category,
        ),
        slug: variant.map(|variant| encoded(&variant.product_slug)).unwrap_or_default(),
        options: variant.map(|v| v.options.iter().map(OptionView::from).collect()).unwrap_or_default(),
        stock: stock.get(&line.sku).cloned(),
        line_id: line.line_id,
        sku: line.sku,
        name: line.product_name,
        quantity: line.quantity,
        unit_price: line.unit_price.map(Price::from),
        total: line.total.map(Money::from),
    }
}
