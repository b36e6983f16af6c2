//! Orders and their invoices.

use std::collections::BTreeSet;
use std::sync::Arc;

use contract::souk::order::v1::order_service_client::OrderServiceClient;
use contract::souk::order::v1::{
    AuditOrder, DocumentNumbers, GetNumberingRequest, InvoiceKind, ListForAuditRequest, ListInvoicesRequest,
    OrderState, TenderState,
};
use contract::souk::r#type::v1::PageRequest;
use contract::wire::{optional, parse_enum, parse_id, parse_money, parse_optional_id, parse_timestamp};

use super::{ANSWER_BYTES_MAX, Interner, PAGE, Unread, ask, finding, malformed, pages};
use crate::audit::books::{Finding, Head, Invoice, Numbering, Order};
use crate::client::{Link, Shop};

const CHECK: &str = "orders.readable";
/// The most that ListInvoices gives at once.
const INVOICES: i32 = kernel::LIMIT_MAX as i32;

type Client = OrderServiceClient<Link>;

/// What order keeps.
#[derive(Default)]
pub(super) struct OrderRecords {
    pub(super) orders: Vec<Order>,
    pub(super) invoices: Vec<Invoice>,
    pub(super) numbering: Vec<Numbering>,
    pub(super) findings: Vec<Finding>,
}

/// Every order, then the numbers of documents, then every document of every legal entity that has a number, that an order names,
/// and of this shop's.
pub(super) async fn read(shop: &Shop) -> Result<OrderRecords, Unread> {
    let client = shop.client(OrderServiceClient::new).max_decoding_message_size(ANSWER_BYTES_MAX);
    let (mut orders, mut findings) = (Vec::new(), Vec::new());
    let mut methods = Interner::default();
    let mut entities = BTreeSet::from([String::new()]);
    pages(async |cursor| {
        let request = ListForAuditRequest { limit: PAGE, cursor };
        let answer = ask!(shop, CHECK, client, list_for_audit, request)?;
        for row in answer.orders {
            orders.push(order(&row, &mut methods).map_err(malformed(CHECK, "list_for_audit"))?);
            if !entities.contains(&row.legal_entity) {
                entities.insert(row.legal_entity);
            }
        }
        findings.extend(answer.findings.into_iter().map(finding));
        Ok(answer.next_cursor)
    })
    .await?;
    orders.sort_unstable_by_key(|order| order.id);
    let (mut invoices, mut numbering) = (Vec::new(), Vec::new());
    let mut names = Interner::default();
    pages(async |cursor| {
        let answer = ask!(shop, CHECK, client, get_numbering, GetNumberingRequest { cursor })?;
        for series in answer.series {
            numbering.push(numbers(&series).map_err(malformed(CHECK, "get_numbering"))?);
            entities.insert(series.legal_entity);
        }
        Ok(answer.next_cursor)
    })
    .await?;
    for entity in entities {
        // The shop's own entity is listed under no name; under its name it would be listed twice.
        if !entity.is_empty() && names.0.contains(entity.as_str()) {
            continue;
        }
        for kind in [InvoiceKind::Invoice, InvoiceKind::CreditNote] {
            documents(shop, &client, &entity, kind, &mut names, &mut invoices).await?;
        }
    }
    Ok(OrderRecords { orders, invoices, numbering, findings })
}

async fn documents(
    shop: &Shop,
    client: &Client,
    entity: &str,
    kind: InvoiceKind,
    names: &mut Interner,
    invoices: &mut Vec<Invoice>,
) -> Result<(), Unread> {
    pages(async |cursor| {
        let page = Some(PageRequest { limit: INVOICES, cursor });
        let request = ListInvoicesRequest { page, legal_entity: entity.to_owned(), kind: kind.into() };
        let answer = ask!(shop, CHECK, client, list_invoices, request)?;
        for row in answer.invoices {
            let legal_entity: Arc<str> = names.get(&row.legal_entity);
            let invoice = || {
                Ok(Invoice {
                    legal_entity,
                    kind: parse_enum("/kind", row.kind)?,
                    number: row.number,
                    order: parse_id("/order_id", &row.order_id)?,
                    total: parse_money("/total", &row.total)?,
                    tax: parse_money("/tax", &row.tax)?,
                    issued: parse_timestamp("/issued_at", &row.issued_at)?,
                    seal: row.seal.into(),
                })
            };
            invoices.push(invoice().map_err(malformed(CHECK, "list_invoices"))?);
        }
        Ok(answer.page.map(|page| page.next_cursor).unwrap_or_default())
    })
    .await
}

fn numbers(row: &DocumentNumbers) -> kernel::Result<Numbering> {
    Ok(Numbering {
        legal_entity: row.legal_entity.as_str().into(),
        kind: parse_enum("/kind", row.kind)?,
        next: row.next_number,
        greatest: row.greatest_number,
        head: Head { position: row.sealed_number, hash: row.seal.as_slice().into() },
        broken: row.broken_number,
        unsealed_since: optional(&row.oldest_unsealed_time, |time| {
            parse_timestamp("/oldest_unsealed_time", time)
        })?,
    })
}

fn order(row: &AuditOrder, methods: &mut Interner) -> kernel::Result<Order> {
    Ok(Order {
        id: parse_id("/order_id", &row.order_id)?,
        state: parse_enum::<OrderState>("/state", row.state)?,
        total: parse_money("/total", &row.total)?,
        lines_total: optional(&row.lines_total, |sum| parse_money("/lines_total", sum))?,
        expected_net: parse_money("/expected_net", &row.expected_net)?,
        payment: parse_optional_id("/payment_id", &row.payment_id)?,
        captured: row.captured,
        open: row.open,
        live: row.live_saga,
        units: row.units,
        owner: row.owner.as_str().into(),
        tax: parse_money("/tax", &row.tax)?,
        tender: TenderState::try_from(row.tender_state).unwrap_or_default(),
        method: methods.get(&row.payment_method),
        updated: parse_timestamp("/updated_at", &row.updated_at)?,
        confirmed: optional(&row.confirmed_at, |time| parse_timestamp("/confirmed_at", time))?,
    })
}
