//! Reads a shop through its services.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use contract::souk::event::v1::GetStatusRequest;
use contract::souk::event::v1::event_service_client::EventServiceClient;
use contract::souk::inventory::v1::inventory_service_client::InventoryServiceClient;
use contract::souk::inventory::v1::{
    GetTotalsRequest, Hold, HoldState, ListHoldsRequest, ListSkuBalancesRequest, SkuBalance, StockTotals,
};
use contract::souk::order::v1::order_service_client::OrderServiceClient;
use contract::souk::order::v1::{
    AuditOrder, Invoice, InvoiceKind, ListForAuditRequest, ListInvoicesRequest, ListInvoicesResponse,
};
use contract::souk::payment::v1 as payment;
use contract::souk::payment::v1::payment_service_client::PaymentServiceClient;
use contract::souk::testpay::v1 as testpay;
use contract::souk::testpay::v1::testpay_service_client::TestpayServiceClient;
use contract::souk::r#type::v1::PageRequest;
use kernel::{Clock as _, Code};

use super::facts::{Facts, HoldFact, Remembered, Stream};
use crate::client::{CallError, Shop};
use crate::console::Failure;
use crate::retail::replay::confirmed;

/// Rows in a page.
const PAGE: i32 = 1000;
/// Rows in a page of invoices.
const INVOICES_PAGE: i32 = 100;
/// Bytes that one page may have.
const PAGE_BYTES_MAX: usize = 256 << 20;
/// Pages that one list may have; more than any shop has, so that a cursor that goes in circles ends.
const PAGES_MAX: u32 = 1_000_000;

/// Reads a file of what a client was told.
pub(super) fn remembered(path: &Path) -> Result<Remembered, Failure> {
    let mut orders = Vec::new();
    confirmed::read(path, |order, minor_units| orders.push((order, minor_units)))
        .map_err(|error| Failure::usage(format!("--expect {}: {error}", path.display())))?;
    Ok(Remembered(orders))
}

/// Reads everything once.
pub(super) async fn collect(shop: &Shop) -> Result<Facts, Failure> {
    let (streams, (entries, ledger), provider) =
        tokio::try_join!(streams(shop), ledger(shop), provider(shop))?;
    let (payments, (balances, stock, holds)) = tokio::try_join!(payments(shop), stock(shop))?;
    let orders = orders(shop).await?;
    let invoices = invoices(shop, &orders).await?;
    let (authorizations, captures, refunds) = provider;
    let now = chassis::SystemClock::default().now();
    let unsealed_seconds = ledger.oldest_unsealed_time.map(|oldest| now.secs() - oldest.seconds);
    Ok(Facts {
        orders,
        invoices,
        payments,
        entries,
        ledger,
        balances,
        stock,
        holds,
        streams,
        authorizations,
        captures,
        refunds,
        unsealed_seconds,
    })
}

/// Reads a list page by page: `call` gives the page of a cursor, `take` its rows and the next cursor.
async fn pages<P, R, F>(
    what: &str,
    mut call: impl FnMut(String) -> F,
    take: impl Fn(P) -> (Vec<R>, String),
) -> Result<Vec<R>, Failure>
where
    F: Future<Output = Result<P, CallError>>,
{
    let (mut all, mut cursor) = (Vec::new(), String::new());
    for _ in 0..PAGES_MAX {
        let page =
            call(cursor).await.map_err(|error| error.fatal(&format!("the {what} could not be read")))?;
        let (rows, next) = take(page);
        all.extend(rows);
        if next.is_empty() {
            return Ok(all);
        }
        cursor = next;
    }
    Err(Failure::unfinished(format!("the list of {what} does not end")))
}

/// One call of a client's method, tried again while the shop is away.
macro_rules! call {
    ($shop:expr, $client:expr, $method:ident, $request:expr) => {{
        let request = $request;
        $shop
            .call(|| {
                let (mut client, request) = ($client.clone(), request.clone());
                async move { client.$method(request).await }
            })
            .await
    }};
}

async fn orders(shop: &Shop) -> Result<Vec<AuditOrder>, Failure> {
    let client = shop.client(OrderServiceClient::new).max_decoding_message_size(PAGE_BYTES_MAX);
    let page = |cursor| {
        let client = client.clone();
        async move { call!(shop, client, list_for_audit, ListForAuditRequest { limit: PAGE, cursor }) }
    };
    pages("orders", page, |page| (page.orders, page.next_cursor)).await
}

async fn invoices(shop: &Shop, orders: &[AuditOrder]) -> Result<Vec<Invoice>, Failure> {
    let client = shop.client(OrderServiceClient::new).max_decoding_message_size(PAGE_BYTES_MAX);
    let mut entities: BTreeSet<&str> = orders.iter().map(|order| order.legal_entity.as_str()).collect();
    // The shop's own comes with the empty name.
    entities.insert("");
    let mut all: Vec<Invoice> = Vec::new();
    for entity in entities {
        if all.iter().any(|invoice| invoice.legal_entity == entity) {
            continue;
        }
        for kind in [InvoiceKind::Invoice, InvoiceKind::CreditNote] {
            let page = |cursor| {
                let page = Some(PageRequest { limit: INVOICES_PAGE, cursor });
                let (client, legal_entity) = (client.clone(), entity.to_owned());
                let request = ListInvoicesRequest { page, legal_entity, kind: kind.into() };
                async move { call!(shop, client, list_invoices, request) }
            };
            let next =
                |page: ListInvoicesResponse| (page.invoices, page.page.unwrap_or_default().next_cursor);
            all.extend(pages("invoices", page, next).await?);
        }
    }
    Ok(all)
}

async fn payments(shop: &Shop) -> Result<Vec<payment::AuditedPayment>, Failure> {
    let client = shop.client(PaymentServiceClient::new).max_decoding_message_size(PAGE_BYTES_MAX);
    let page = |cursor| {
        let client = client.clone();
        async move { call!(shop, client, list_for_audit, payment::ListForAuditRequest { limit: PAGE, cursor }) }
    };
    pages("payments", page, |page| (page.payments, page.next_cursor)).await
}

async fn ledger(
    shop: &Shop,
) -> Result<(Vec<payment::LedgerEntry>, payment::GetLedgerStatusResponse), Failure> {
    let client = shop.client(PaymentServiceClient::new).max_decoding_message_size(PAGE_BYTES_MAX);
    let page = |cursor| {
        let client = client.clone();
        async move {
            call!(
                shop,
                client,
                list_ledger_entries,
                payment::ListLedgerEntriesRequest { limit: PAGE, cursor }
            )
        }
    };
    let entries = pages("ledger entries", page, |page| (page.entries, page.next_cursor)).await?;
    let status = call!(shop, client, get_ledger_status, payment::GetLedgerStatusRequest {});
    Ok((entries, status.map_err(|error| error.fatal("the ledger could not be read"))?))
}

async fn stock(shop: &Shop) -> Result<(Vec<SkuBalance>, StockTotals, Vec<HoldFact>), Failure> {
    let client = shop.client(InventoryServiceClient::new).max_decoding_message_size(PAGE_BYTES_MAX);
    let page_of = |cursor| Some(PageRequest { limit: 0, cursor });
    let balances = |cursor| {
        let client = client.clone();
        async move {
            call!(
                shop,
                client,
                list_sku_balances,
                ListSkuBalancesRequest { page: page_of(cursor), limit: PAGE }
            )
        }
    };
    let holds = |cursor| {
        let client = client.clone();
        async move {
            call!(shop, client, list_holds, ListHoldsRequest { page: page_of(cursor), limit: PAGE, state: 0 })
        }
    };
    let balances =
        pages("stock", balances, |page| (page.balances, page.page.unwrap_or_default().next_cursor)).await?;
    let take = |page: contract::souk::inventory::v1::ListHoldsResponse| {
        (page.holds.into_iter().map(hold).collect(), page.page.unwrap_or_default().next_cursor)
    };
    let holds = pages("holds", holds, take).await?;
    let totals = call!(shop, client, get_totals, GetTotalsRequest {});
    let totals =
        totals.map_err(|error| error.fatal("the stock could not be read"))?.totals.unwrap_or_default();
    Ok((balances, totals, holds))
}

fn hold(hold: Hold) -> HoldFact {
    let state = hold.state();
    let mut held = BTreeMap::new();
    if state == HoldState::Held {
        for line in &hold.lines {
            *held.entry((line.sku.clone(), line.location.clone())).or_insert(0) += line.quantity;
        }
    }
    let units = hold.lines.iter().map(|line| line.quantity).sum();
    HoldFact { hold_id: hold.hold_id, order_id: hold.order_id, state, units, held }
}

/// The outboxes of all roles that have one.
async fn streams(shop: &Shop) -> Result<Vec<Stream>, Failure> {
    let client = shop.client(EventServiceClient::new);
    let roles: BTreeSet<&str> = contract::methods().iter().map(|method| method.package_role).collect();
    let mut streams = Vec::new();
    for role in roles {
        match call!(shop, client, get_status, GetStatusRequest { source: role.to_owned() }) {
            Ok(status) => streams.push(Stream { role: role.to_owned(), status }),
            Err(CallError::Refused(error))
                if matches!(error.code(), Code::InvalidArgument | Code::NotFound) => {}
            Err(error) => return Err(error.fatal(&format!("the events of {role} could not be read"))),
        }
    }
    Ok(streams)
}

type Provider = (Vec<testpay::Authorization>, Vec<testpay::Capture>, Vec<testpay::Refund>);

async fn provider(shop: &Shop) -> Result<Provider, Failure> {
    let client = shop.client(TestpayServiceClient::new).max_decoding_message_size(PAGE_BYTES_MAX);
    let authorizations = |cursor| {
        let client = client.clone();
        async move {
            call!(
                shop,
                client,
                list_authorizations,
                testpay::ListAuthorizationsRequest { limit: PAGE, cursor }
            )
        }
    };
    let captures = |cursor| {
        let client = client.clone();
        async move { call!(shop, client, list_captures, testpay::ListCapturesRequest { limit: PAGE, cursor }) }
    };
    let refunds = |cursor| {
        let client = client.clone();
        async move { call!(shop, client, list_refunds, testpay::ListRefundsRequest { limit: PAGE, cursor }) }
    };
    tokio::try_join!(
        pages("provider's authorizations", authorizations, |page| (page.authorizations, page.next_cursor)),
        pages("provider's captures", captures, |page| (page.captures, page.next_cursor)),
        pages("provider's refunds", refunds, |page| (page.refunds, page.next_cursor)),
    )
}
