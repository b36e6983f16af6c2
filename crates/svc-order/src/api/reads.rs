//! The methods that only read.

use contract::souk::order::v1 as wire_v1;
use contract::wire::{page, page_info, parse_id, parse_optional_id};
use kernel::text::{self, Lines};
use kernel::{CustomerId, Error, OrderId, Result};
use mesh::Caller;

use super::{Api, absent};
use crate::domain::{InvoiceKind, State};
use crate::store::Listed;
use crate::wire;

impl Api {
    pub(super) async fn get(
        &self,
        caller: Caller,
        request: wire_v1::GetOrderRequest,
    ) -> Result<wire_v1::GetOrderResponse> {
        let order = self.visible(&caller, &request.order_id, "orders.read").await?;
        Ok(wire_v1::GetOrderResponse { order: Some(self.show(&order, None).await?) })
    }

    pub(super) async fn find(
        &self,
        request: wire_v1::FindOrderRequest,
    ) -> Result<wire_v1::FindOrderResponse> {
        // It was stored as the rule for texts makes it.
        let clean = text::clean(&request.external_reference, Lines::One);
        let reference = clean.unwrap_or_default();
        if reference.is_empty() || reference.chars().count() > 200 {
            return Err(Error::field(
                "/external_reference",
                "INVALID_ARGUMENT",
                "must have 1 to 200 characters",
            ));
        }
        let id = self.orders.with_reference(&reference).await?.ok_or_else(absent)?;
        let (order, _) = self.orders.get(id).await?.ok_or_else(absent)?;
        Ok(wire_v1::FindOrderResponse { order: Some(self.show(&order, None).await?) })
    }

    pub(super) async fn list(
        &self,
        caller: Caller,
        request: wire_v1::ListOrdersRequest,
    ) -> Result<wire_v1::ListOrdersResponse> {
        let asked = page(&request.page)?;
        let customer: Option<CustomerId> = parse_optional_id("/customer_id", &request.customer_id)?;
        let state = state(request.state)?;
        if state.is_some() && request.without_failed {
            return Err(Error::field(
                "/without_failed",
                "INVALID_ARGUMENT",
                "must not be given together with a state",
            ));
        }
        let owner = match customer.map(|id| id.to_string()) {
            None if caller.principal.may("orders.read") => None,
            None => Some(caller.principal.subject()),
            Some(other) if caller.may_access(&other, "orders.read") => Some(other),
            Some(_) => {
                let what = "may only name another customer with the permission orders.read";
                return Err(
                    Error::field("/customer_id", "INVALID_ARGUMENT", what).with("permission", "orders.read")
                );
            }
        };
        let which = if request.without_failed { "placed".to_owned() } else { request.state.to_string() };
        let query = format!("orders|{}|{which}", owner.as_deref().unwrap_or("*"));
        let before = self.ctx.cursors().open(&query, &asked.cursor)?;
        let before = before.map(|id| parse_id::<OrderId>("/page/cursor", &id)).transpose()?;
        let found = self
            .orders
            .list(&Listed {
                owner,
                state,
                without_failed: request.without_failed,
                before,
                limit: asked.limit,
            })
            .await?;
        let next = found.next.map(|id| self.ctx.cursors().seal(&query, &id));
        Ok(wire_v1::ListOrdersResponse {
            orders: found.items.iter().map(wire::summary).collect(),
            page: Some(page_info(next)),
        })
    }

    pub(super) async fn history(
        &self,
        caller: Caller,
        request: wire_v1::GetOrderHistoryRequest,
    ) -> Result<wire_v1::GetOrderHistoryResponse> {
        let order = self.visible(&caller, &request.order_id, "orders.read").await?;
        let entries = self.orders.history(order.id).await?;
        Ok(wire_v1::GetOrderHistoryResponse { entries: entries.into_iter().map(wire::history).collect() })
    }

    pub(super) async fn invoice(
        &self,
        caller: Caller,
        request: wire_v1::GetInvoiceRequest,
    ) -> Result<wire_v1::GetInvoiceResponse> {
        let kind = invoice_kind(request.kind)?;
        let order = self.visible(&caller, &request.order_id, "orders.read").await?;
        let missing = || Error::not_found("INVOICE_NOT_FOUND", "the order has no such document");
        let invoice = self.orders.invoice(order.id, kind).await?.ok_or_else(missing)?;
        let quote = wire::quote(&self.orders.quote(order.id).await?)?;
        Ok(wire_v1::GetInvoiceResponse { invoice: Some(wire::invoice(&invoice, Some(quote))) })
    }

    pub(super) async fn invoices(
        &self,
        request: wire_v1::ListInvoicesRequest,
    ) -> Result<wire_v1::ListInvoicesResponse> {
        let asked = page(&request.page)?;
        let kind = invoice_kind(request.kind)?;
        let entity =
            if request.legal_entity.is_empty() { self.orders.legal_entity() } else { &request.legal_entity };
        if entity.chars().count() > 40 {
            return Err(Error::field("/legal_entity", "INVALID_ARGUMENT", "has more than 40 characters"));
        }
        let query = format!("invoices|{entity}|{}", kind.code());
        let after = self.ctx.cursors().open(&query, &asked.cursor)?;
        let after = after.map_or(Ok(0), |number| number.parse::<i64>().map_err(Error::internal))?;
        let found = self.orders.invoices(entity, kind, after, asked.limit).await?;
        let next = found.next.map(|number| self.ctx.cursors().seal(&query, &number));
        let invoices = found.items.iter().map(|invoice| wire::invoice(invoice, None)).collect();
        Ok(wire_v1::ListInvoicesResponse { invoices, page: Some(page_info(next)) })
    }

    pub(super) async fn totals(&self) -> Result<wire_v1::GetTotalsResponse> {
        let totals = self.orders.totals().await?;
        let states = totals
            .states
            .iter()
            .map(|(state, orders)| wire_v1::StateCount { state: wire::state(*state), orders: *orders });
        let running = i64::try_from(self.worker.running()).unwrap_or(i64::MAX);
        Ok(wire_v1::GetTotalsResponse { states: states.collect(), open: totals.open, running })
    }
}

/// The state to list; `None` when it is not said.
fn state(value: i32) -> Result<Option<State>> {
    if value == 0 {
        return Ok(None);
    }
    let bad = |_| Error::field("/state", "INVALID_ARGUMENT", "is not a known state of an order");
    State::from_code(value.into()).map(Some).map_err(bad)
}

/// The kind of document; an invoice when it is not said.
fn invoice_kind(value: i32) -> Result<InvoiceKind> {
    if value == 0 {
        return Ok(InvoiceKind::Invoice);
    }
    InvoiceKind::from_code(value.into())
        .map_err(|_| Error::field("/kind", "INVALID_ARGUMENT", "is not a known kind of document"))
}
