//! What an audit reads of orders.

use contract::souk::checkout::v1::Quote;
use contract::souk::order::v1 as wire_v1;
use contract::wire::{money, timestamp};
use kernel::{Currency, Error, Money, Result};
use serde::{Deserialize, Serialize};

use super::Api;
use crate::audit;
use crate::domain::Payment;
use crate::store::{AuditRow, DocumentSeries, SeriesState};
use crate::wire;

/// Orders that the audit reads at once, at most.
const AUDIT_MAX: u32 = 1000;
/// Orders whose quotes are read together.
const AUDIT_STEP: u32 = 100;
/// Documents that one call walks over at most.
const DOCUMENTS_MAX: u32 = 20_000;
/// Findings in one answer, at most: further ones would not be told anyway.
const FINDINGS_MAX: usize = 1000;

/// How far the documents were walked: the series that is under way, and what its chain says until there.
#[derive(Default, Serialize, Deserialize)]
struct Walk {
    series: (String, i64),
    state: SeriesState,
}

impl Api {
    pub(super) async fn audit(
        &self,
        request: wire_v1::ListForAuditRequest,
    ) -> Result<wire_v1::ListForAuditResponse> {
        let limit = match u32::try_from(request.limit) {
            Ok(0) => AUDIT_MAX,
            Ok(limit) if limit <= AUDIT_MAX => limit,
            _ => return Err(Error::field("/limit", "INVALID_LIMIT", "must be between 1 and 1000")),
        };
        let cursor_at = |error: Error| if error.reason() == "INVALID_CURSOR" { bad_cursor() } else { error };
        let after = self.ctx.cursors().open("orders for audit", &request.cursor).map_err(cursor_at)?;
        let mut after = after.unwrap_or_default();
        let mut orders = Vec::with_capacity(limit as usize);
        let mut findings = Vec::new();
        // Quotes may be large: only a part of them is in memory at once.
        while orders.len() < limit as usize {
            let wanted = AUDIT_STEP.min(limit - orders.len() as u32);
            let page = self.orders.audit(&after, wanted).await?;
            findings.extend(page.orphans.iter().map(audit::orphan));
            for row in &page.rows {
                findings.extend(audit::examine(
                    row,
                    self.orders.seals(),
                    audit::Times { now: self.ctx.now(), started: self.started },
                ));
                orders.push(self.audited(row));
            }
            findings.truncate(FINDINGS_MAX);
            match orders.last() {
                Some(last) if page.rows.len() == wanted as usize => after.clone_from(&last.order_id),
                _ => break,
            }
        }
        let full = orders.len() == limit as usize;
        let next = orders
            .last()
            .filter(|_| full)
            .map(|last| self.ctx.cursors().seal("orders for audit", &last.order_id));
        Ok(wire_v1::ListForAuditResponse { orders, next_cursor: next.unwrap_or_default(), findings })
    }

    pub(super) async fn numbering(
        &self,
        request: &wire_v1::GetNumberingRequest,
    ) -> Result<wire_v1::GetNumberingResponse> {
        let bad = |_| bad_cursor();
        let walk = self.ctx.cursors().open("numbers of documents", &request.cursor).map_err(bad)?;
        let walk: Option<Walk> =
            walk.map(|walk| serde_json::from_str(&walk)).transpose().map_err(|_| bad_cursor())?;
        let mut walk = walk.unwrap_or_default();
        let mut answer = wire_v1::GetNumberingResponse::default();
        let mut budget = DOCUMENTS_MAX;
        for one in self.orders.series().await? {
            let name = (one.legal_entity.clone(), one.kind.code());
            if name < walk.series {
                continue;
            }
            let mut state = if name == walk.series { walk.state } else { SeriesState::default() };
            if !self.orders.verify_series(&one, &mut state, &mut budget).await? {
                let walk = Walk { series: name, state };
                let walk = serde_json::to_string(&walk).map_err(Error::internal)?;
                answer.next_cursor = self.ctx.cursors().seal("numbers of documents", &walk);
                break;
            }
            walk.state = SeriesState::default();
            answer.series.push(numbers(&one, state));
        }
        Ok(answer)
    }

    fn audited(&self, row: &AuditRow) -> wire_v1::AuditOrder {
        let order = &row.order;
        let taken_up = row.lease_owner.is_empty() || row.lease_owner == self.orders.instance();
        let live = order.due_at.is_some() && (taken_up || self.worker.works_on(order.id));
        let quote = wire::quote(&row.quote).ok();
        wire_v1::AuditOrder {
            order_id: order.id.to_string(),
            state: wire::state(order.state),
            total: Some(money(order.total)),
            lines_total: quote.as_ref().and_then(parts_total).map(money),
            expected_net: Some(money(order.expected_net())),
            payment_id: order.payment_id.map(|id| id.to_string()).unwrap_or_default(),
            hold_id: order.hold_id().to_string(),
            captured: order.payment == Payment::Captured,
            legal_entity: order.invoice.as_ref().map(|name| name.legal_entity.clone()).unwrap_or_default(),
            invoice_number: order.invoice.as_ref().map_or(0, |name| name.number),
            updated_at: Some(timestamp(order.updated_at)),
            open: order.due_at.is_some(),
            live_saga: live,
            units: order.units,
            owner: if order.owner.is_empty() { order.placed_by.clone() } else { order.owner.clone() },
            tax: Some(money(order.tax)),
            tender_state: wire::tender_state(order.payment).into(),
            payment_method: order.payment_method.clone(),
            confirmed_at: order.confirmed_at.map(timestamp),
        }
    }
}

fn numbers(series: &DocumentSeries, state: SeriesState) -> wire_v1::DocumentNumbers {
    wire_v1::DocumentNumbers {
        legal_entity: series.legal_entity.clone(),
        kind: i32::try_from(series.kind.code()).expect("codes of documents are small"),
        next_number: series.next.unwrap_or(0),
        greatest_number: series.greatest,
        sealed_number: state.head,
        seal: state.seal,
        broken_number: state.broken,
        oldest_unsealed_time: state.unsealed_since.map(timestamp),
    }
}

/// What the parts of a frozen quote sum to: lines and shipments, with tax. `None` when they do not sum.
#[must_use]
fn parts_total(quote: &Quote) -> Option<Money> {
    let currency = Currency::parse(&quote.currency_code).ok()?;
    let lines = quote.lines.iter().map(|line| &line.gross);
    let parts = lines.chain(quote.shipment_groups.iter().map(|group| &group.gross));
    let mut sum = Money::zero(currency);
    for part in parts {
        sum = sum.plus(contract::wire::parse_money("/gross", part).ok()?).ok()?;
    }
    Some(sum)
}

fn bad_cursor() -> Error {
    Error::field("/cursor", "INVALID_CURSOR", "is not a cursor of this list")
}
