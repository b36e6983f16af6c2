//! Orders: what was bought, where it stands, live; a person's list of them; invoices; cancelling.

mod progress;
mod view;

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use contract::souk::order::v1 as pb;
use contract::souk::shipping::v1::ListShipmentsRequest;
use contract::souk::r#type::v1::PageRequest;
use edge::{Answer, Key, Need, Nothing, Route, Shown};
use http::{Method, StatusCode};
use kernel::{Error, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use self::view::{HistoryEntryView, HistoryScreen, InvoiceScreen};
pub use self::view::{OrderScreen, OrderStateView, OrderSummaryView, OrdersScreen};
use super::cart;
use super::checkout::quote::{lines, sums};
use super::preferences::local;
use super::{api, page, page_limit, shown};
use crate::frame::Frame;
use crate::money::Money;
use crate::said;
use crate::shop::{CATEGORIES, Shop, Visit};
use crate::view::{AddressView, time};
use crate::words;

const ORDER: Need = Need::required("order", "/souk.order.v1.OrderService/GetOrder");
const ORDERS: Need = Need::required("orders", "/souk.order.v1.OrderService/ListOrders");
const CANCEL: Need = Need::required("order", "/souk.order.v1.OrderService/CancelOrder");
const INVOICE: Need = Need::required("invoice", "/souk.order.v1.OrderService/GetInvoice");
const HISTORY: Need = Need::required("history", "/souk.order.v1.OrderService/GetOrderHistory");
const SHIPMENTS: Need = Need::optional("parcels", "/souk.shipping.v1.ShippingService/ListShipments");

/// The most that cancelling may take: the order's own limit and a little.
const CANCEL_WITHIN: Duration = Duration::from_secs(16);
/// Orders on a page.
const PAGE: i32 = 20;

/// Which orders of somebody are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All of them, and the attempts that failed.
    All,
    /// What their owner would call orders: without the attempts that failed.
    Placed,
    /// Those in a state.
    In(OrderStateView),
}

/// Which order.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Named {
    /// `ord_…`.
    #[schemars(extend("pattern" = said::id("ord")))]
    order_id: String,
}

/// A page of orders.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Paged {
    /// Orders wanted, 1 to 100.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<i32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    cursor: String,
    /// Only orders in this state; all when left out. Attempts that came to nothing are `failed`.
    state: Option<OrderStateView>,
}

/// The form that cancels.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CancelForm {
    #[serde(default)]
    key: String,
    #[serde(default)]
    back: String,
    /// Why, as its owner says; may be empty.
    #[serde(default)]
    note: String,
}

#[derive(Template)]
#[template(path = "screens/order.html")]
struct OrderPage {
    frame: Frame,
    order: OrderScreen,
    key: String,
    signed_in: bool,
    /// Something to say first; mostly empty.
    notice: String,
    /// What the form that cancels is filled in with, and what is wrong about it: nothing before it is sent.
    note: &'static str,
    wrong: &'static str,
}

#[derive(Template)]
#[template(path = "screens/cancel.html")]
struct CancelPage {
    frame: Frame,
    order: OrderScreen,
    key: String,
    /// What was said of why.
    note: String,
    /// What is wrong about it; mostly empty.
    wrong: String,
}

#[derive(Template)]
#[template(path = "screens/orders.html")]
struct OrdersPage {
    frame: Frame,
    orders: OrdersScreen,
    first: bool,
    signed_in: bool,
    /// Whether these are the attempts that failed.
    failed: bool,
}

#[derive(Template)]
#[template(path = "screens/invoice.html")]
struct InvoicePage {
    frame: Frame,
    invoice: InvoiceScreen,
}

/// Their routes.
pub fn routes(shop: &Arc<Shop>) -> Vec<Route> {
    const SHOW: &[&Need] = &[&ORDER, &SHIPMENTS, &CATEGORIES];
    const CANCEL_FORM: &[&Need] = &[&CANCEL, &ORDER, &SHIPMENTS, &CATEGORIES];
    vec![
        page(shop, Method::GET, "/orders", list_page).needs(&[&ORDERS, &CATEGORIES]),
        page(shop, Method::GET, "/orders/{order_id}", show_page).needs(SHOW),
        page(shop, Method::GET, "/orders/{order_id}/invoice", invoice_page).needs(&[&INVOICE, &CATEGORIES]),
        page(shop, Method::GET, "/orders/{order_id}/cancel", cancel_page).needs(SHOW),
        page(shop, Method::POST, "/orders/{order_id}/cancel", cancel_form)
            .needs(CANCEL_FORM)
            .within(CANCEL_WITHIN),
        api(shop, Method::GET, "/api/v1/orders", list_json)
            .named("listOrders", "The orders of this session, newest first, and attempts that failed")
            .answers::<OrdersScreen>()
            .problems(&[401, 422])
            .needs(&[&ORDERS]),
        api(shop, Method::GET, "/api/v1/orders/{order_id}", show_json)
            .named("getOrder", "One order with its lines and parcels")
            .answers::<Shown<OrderScreen>>()
            .problems(&[401])
            .needs(&[&ORDER, &SHIPMENTS]),
        api(shop, Method::GET, "/api/v1/orders/{order_id}/invoice", invoice_json)
            .named("getInvoice", "The invoice of a confirmed order")
            .answers::<InvoiceScreen>()
            .problems(&[401])
            .needs(&[&INVOICE]),
        api(shop, Method::GET, "/api/v1/orders/{order_id}/history", history_json)
            .named("getOrderHistory", "What happened to an order, oldest first")
            .answers::<HistoryScreen>()
            .problems(&[401])
            .needs(&[&HISTORY]),
        api(shop, Method::POST, "/api/v1/orders/{order_id}/cancellation", cancel_json)
            .named("cancelOrder", "Cancel an order; what was paid comes back")
            .answers::<OrderScreen>()
            .keyed(Key::Required)
            .problems(&[401])
            .needs(&[&CANCEL])
            .within(CANCEL_WITHIN),
    ]
}

async fn load(visit: &Visit, order_id: String) -> Result<OrderScreen> {
    visit.needs_somebody()?;
    let (mut orders, mut shipping) = (visit.shop.orders.clone(), visit.shop.shipping.clone());
    let shipments = ListShipmentsRequest { order_id: order_id.clone(), ..ListShipmentsRequest::default() };
    let (order, parcels) = futures_util::join!(
        visit.need(&ORDER, orders.get_order(visit.request(pb::GetOrderRequest { order_id }))),
        visit.may(&SHIPMENTS, shipping.list_shipments(visit.request(shipments)))
    );
    let order = order?.order.ok_or_else(|| Error::internal("an answer without an order"))?;
    visit.saw(&order.id, order.version);
    cart::take_out(visit, &order).await;
    Ok(OrderScreen::with_parcels(order, parcels.map(|answer| answer.shipments)))
}

async fn show_json(visit: Visit, which: Named, _: Nothing) -> Result<Answer> {
    let order = load(&visit, which.order_id).await?;
    let version = order.version;
    Ok(Answer::json(&Shown::new(order, &visit))?.at_version(version))
}

async fn show_page(visit: Visit, which: Named, _: Nothing) -> Result<Answer> {
    order_page(&visit, which.order_id, String::new()).await
}

async fn order_page(visit: &Visit, order_id: String, notice: String) -> Result<Answer> {
    let order = load(visit, order_id).await?;
    let mut frame = Frame::of(visit, order.situation.headline()).await;
    // Others move these: staff, and the bank, whose answer may arrive after the payer does.
    frame.waits = order.state.moves()
        || matches!(order.state, OrderStateView::AwaitingApproval | OrderStateView::ActionRequired);
    let signed_in = visit.session().is_signed_in();
    shown(&OrderPage { frame, order, key: visit.new_key(), signed_in, notice, note: "", wrong: "" })
}

/// The orders of this session.
pub async fn list(visit: &Visit, limit: i32, cursor: String, which: Which) -> Result<OrdersScreen> {
    visit.needs_somebody()?;
    let request = pb::ListOrdersRequest {
        page: Some(PageRequest { limit, cursor }),
        // Staff see their own here too, not everybody's.
        customer_id: visit.principal().account().map(|id| id.to_string()).unwrap_or_default(),
        state: if let Which::In(state) = which { state.code().into() } else { 0 },
        without_failed: which == Which::Placed,
    };
    let staff = visit.principal().may("orders.read");
    let request =
        if staff { request } else { pb::ListOrdersRequest { customer_id: String::new(), ..request } };
    let answer = visit.need(&ORDERS, visit.shop.orders.clone().list_orders(visit.request(request))).await;
    let answer = answer.map_err(super::listing::links::in_query)?;
    let summary = |order: pb::OrderSummary| OrderSummaryView {
        state: OrderStateView::of(order.state()),
        order_id: order.id,
        total: order.total.map(Money::from),
        line_count: order.line_count,
        first_product_name: order.first_product_name,
        create_time: time(order.created_at.as_ref()),
    };
    Ok(OrdersScreen {
        orders: answer.orders.into_iter().map(summary).collect(),
        next_cursor: answer.page.map(|page| page.next_cursor).unwrap_or_default(),
    })
}

/// What a screen needs to list orders.
pub const LIST: &Need = &ORDERS;

async fn list_json(visit: Visit, paged: Paged, _: Nothing) -> Result<Answer> {
    let which = paged.state.map_or(Which::All, Which::In);
    Answer::json(&list(&visit, page_limit(paged.limit, PAGE)?, paged.cursor, which).await?)
}

async fn list_page(visit: Visit, paged: Paged, _: Nothing) -> Result<Answer> {
    let first = paged.cursor.is_empty();
    let failed = paged.state == Some(OrderStateView::Failed);
    let which = if failed { Which::In(OrderStateView::Failed) } else { Which::Placed };
    let orders = list(&visit, PAGE, paged.cursor, which).await;
    let orders = orders.map_err(super::listing::links::for_people)?;
    let title = if failed { "Attempts that did not go through" } else { "Your orders" };
    let frame = Frame::of(&visit, title).await;
    let signed_in = visit.session().is_signed_in();
    shown(&OrdersPage { frame, orders, first, signed_in, failed })
}

async fn invoice(visit: &Visit, order_id: String) -> Result<InvoiceScreen> {
    visit.needs_somebody()?;
    let request = visit.request(pb::GetInvoiceRequest { order_id, kind: 0 });
    let answer = visit.need(&INVOICE, visit.shop.orders.clone().get_invoice(request)).await?;
    let invoice = answer.invoice.ok_or_else(|| Error::internal("an answer without an invoice"))?;
    let quote = invoice.quote.unwrap_or_default();
    let [_, shipping, tax, total] = sums(&quote);
    Ok(InvoiceScreen {
        number: invoice.display_number,
        legal_entity: invoice.legal_entity,
        order_id: invoice.order_id,
        issue_time: time(invoice.issued_at.as_ref()),
        lines: lines(&quote),
        shipping,
        tax,
        total,
        destination: quote.destination.map(AddressView::from).unwrap_or_default(),
    })
}

async fn invoice_json(visit: Visit, which: Named, _: Nothing) -> Result<Answer> {
    Answer::json(&invoice(&visit, which.order_id).await?)
}

async fn invoice_page(visit: Visit, which: Named, _: Nothing) -> Result<Answer> {
    let invoice = invoice(&visit, which.order_id).await?;
    let frame = Frame::of(&visit, &format!("Invoice {}", invoice.number)).await;
    shown(&InvoicePage { frame, invoice })
}

async fn history_json(visit: Visit, which: Named, _: Nothing) -> Result<Answer> {
    visit.needs_somebody()?;
    let request = visit.request(pb::GetOrderHistoryRequest { order_id: which.order_id });
    let answer = visit.need(&HISTORY, visit.shop.orders.clone().get_order_history(request)).await?;
    let entry = |entry: pb::HistoryEntry| HistoryEntryView {
        state: OrderStateView::of(entry.state()),
        version: entry.version,
        time: time(entry.time.as_ref()),
        what: entry.what,
    };
    Answer::json(&HistoryScreen { entries: answer.entries.into_iter().map(entry).collect() })
}

async fn cancel(visit: &Visit, order_id: String, request_id: String, note: String) -> Result<OrderScreen> {
    visit.needs_somebody()?;
    let request = pb::CancelOrderRequest { request_id, order_id, note };
    let answer = visit.need(&CANCEL, visit.shop.orders.clone().cancel_order(visit.request(request))).await?;
    let order = answer.order.ok_or_else(|| Error::internal("an answer without an order"))?;
    visit.saw(&order.id, order.version);
    Ok(OrderScreen::of(order))
}

async fn cancel_json(visit: Visit, which: Named, _: Nothing) -> Result<Answer> {
    let order = cancel(&visit, which.order_id, visit.key()?, String::new()).await?;
    let version = order.version;
    Ok(Answer::json(&order)?.at_version(version))
}

/// Asks before it is done, for browsers without JavaScript; with it, a dialog asks the same.
async fn cancel_page(visit: Visit, which: Named, _: Nothing) -> Result<Answer> {
    ask_to_cancel(&visit, which.order_id, String::new(), String::new()).await
}

async fn ask_to_cancel(visit: &Visit, order_id: String, note: String, wrong: String) -> Result<Answer> {
    let order = load(visit, order_id).await?;
    let title =
        if order.situation.can_cancel() { "Cancel this order?" } else { "This order cannot be cancelled" };
    let frame = Frame::of(visit, title).await;
    shown(&CancelPage { frame, order, key: visit.new_key(), note, wrong })
}

async fn cancel_form(visit: Visit, which: Named, form: CancelForm) -> Result<Answer> {
    let key = if form.key.is_empty() { visit.new_key() } else { edge::checked_key(&form.key)?.to_owned() };
    let order = match cancel(&visit, which.order_id.clone(), key, form.note.clone()).await {
        Err(error) if error.violations().iter().any(|wrong| wrong.field == "/note") => {
            let wrong = words::sentence(&error.message().replacen("/note", "this", 1));
            let page = ask_to_cancel(&visit, which.order_id, form.note, wrong).await?;
            return Ok(page.with_status(StatusCode::UNPROCESSABLE_ENTITY));
        }
        // The browser kept a form that was sent before. Where it cancelled this order, the page says so.
        Err(error) if error.reason() == "IDEMPOTENCY_KEY_REUSED" => {
            let wrong = "You have sent this form before. Send it again to cancel this order.".to_owned();
            let page = ask_to_cancel(&visit, which.order_id, form.note, wrong).await?;
            return Ok(page.with_status(StatusCode::UNPROCESSABLE_ENTITY));
        }
        // It left, or failed, while its owner looked at the page.
        Err(error) if matches!(error.reason(), "ORDER_SHIPPED" | "ORDER_FAILED") => {
            let notice = if error.reason() == "ORDER_SHIPPED" {
                "It has just left us, so it can no longer be cancelled."
            } else {
                "There was nothing to cancel: the order had not been placed."
            };
            let page = order_page(&visit, which.order_id, notice.to_owned()).await?;
            return Ok(page.with_status(StatusCode::CONFLICT));
        }
        cancelled => cancelled?,
    };
    let back = local(&form.back);
    Answer::see(if back == "/" { format!("/orders/{}", order.order_id) } else { back.to_owned() }.as_str())
}
