//! What arrives, what is corrected, what is left, and where.

use std::collections::BTreeSet;

use chassis::{Reply, request_key};
use contract::souk::inventory::v1 as wire;
use contract::wire::parse_enum;
use kernel::{Error, Result, Violations};
use mesh::Caller;
use prost::Message;

use super::{Api, convert};
use crate::domain::{Adjustment, AdjustmentReason, check_location, check_references, check_sku};
use crate::store::{Adjusted, Location, Received};

/// SKUs of one question at most.
const SKUS_MAX: usize = 1000;
/// Characters of a location's name at most.
const DISPLAY_NAME_CHARS_MAX: usize = 100;

impl Api {
    pub(super) async fn receive(
        &self,
        caller: &Caller,
        request: wire::ReceiveStockRequest,
    ) -> Result<Reply<wire::ReceiveStockResponse>> {
        let key = request_key(caller, "inventory.ReceiveStock", &request.request_id, &request)?;
        let lines = request
            .lines
            .into_iter()
            .map(|line| (line.sku, line.location, line.quantity, line.reference))
            .collect();
        let receipts = check_references(lines)?;
        let respond = |added: &[bool]| {
            let outcome = |added: &bool| match added {
                true => wire::ReceiptOutcome::Received.into(),
                false => wire::ReceiptOutcome::AlreadyReceived.into(),
            };
            let units =
                receipts.iter().zip(added).filter(|(_, added)| **added).map(|(receipt, _)| receipt.quantity);
            wire::ReceiveStockResponse {
                outcomes: added.iter().map(outcome).collect(),
                units_received: units.sum(),
            }
        };
        let answer = |added: &[bool]| respond(added).encode_to_vec();
        match self.stock.receive(&receipts, &key, answer, self.clock.now()).await? {
            Received::Now(added) => Ok(Reply::fresh(respond(&added))),
            Received::Replayed(answer) => Reply::from_answer(&answer),
        }
    }

    pub(super) async fn adjust(
        &self,
        caller: &Caller,
        request: wire::AdjustStockRequest,
    ) -> Result<Reply<wire::AdjustStockResponse>> {
        let key = request_key(caller, "inventory.AdjustStock", &request.request_id, &request)?;
        let reason = match parse_enum("/reason", request.reason)? {
            wire::AdjustmentReason::Count => AdjustmentReason::Count,
            wire::AdjustmentReason::WriteOff | wire::AdjustmentReason::Unspecified => {
                AdjustmentReason::WriteOff
            }
        };
        let adjustment =
            Adjustment::new(&request.sku, &request.location, request.change, reason, &request.note)?;
        let respond = |counter| wire::AdjustStockResponse {
            counter: Some(convert::counter(&adjustment.place, counter)),
        };
        let answer = |counter| respond(counter).encode_to_vec();
        match self.stock.adjust(&adjustment, &key, answer, self.clock.now()).await? {
            Adjusted::Now(counter) => Ok(Reply::fresh(respond(counter))),
            Adjusted::Replayed(answer) => Reply::from_answer(&answer),
        }
    }

    pub(super) async fn stock_of(&self, request: wire::GetStockRequest) -> Result<wire::GetStockResponse> {
        let mut violations = Violations::new();
        check_sku(&mut violations, "/sku", &request.sku);
        violations.finish()?;
        let counters = self.stock.counters_of([request.sku.as_str()]).await?;
        Ok(wire::GetStockResponse { stock: Some(convert::stock(&request.sku, &counters)) })
    }

    pub(super) async fn stocks_of(
        &self,
        request: wire::BatchGetStockRequest,
    ) -> Result<wire::BatchGetStockResponse> {
        let mut violations = Violations::new();
        violations.check((1..=SKUS_MAX).contains(&request.skus.len()), "/skus", "must have 1 to 1000 SKUs");
        for (index, sku) in request.skus.iter().take(SKUS_MAX).enumerate() {
            check_sku(&mut violations, &format!("/skus/{index}"), sku);
        }
        violations.finish()?;
        let skus: BTreeSet<&str> = request.skus.iter().map(String::as_str).collect();
        let counters = self.stock.counters_of(skus.iter().copied()).await?;
        Ok(wire::BatchGetStockResponse {
            stocks: skus.into_iter().map(|sku| convert::stock(sku, &counters)).collect(),
        })
    }

    pub(super) async fn add_location(
        &self,
        caller: &Caller,
        request: wire::CreateLocationRequest,
    ) -> Result<Reply<wire::CreateLocationResponse>> {
        let key = request_key(caller, "inventory.CreateLocation", &request.request_id, &request)?;
        let mut violations = Violations::new();
        violations.check(!request.code.is_empty(), "/code", "is required");
        let code = check_location(&mut violations, "/code", &request.code);
        let display_name = violations.text("/display_name", &request.display_name, DISPLAY_NAME_CHARS_MAX);
        violations.finish()?;
        let location = Location { code, display_name, created: self.clock.now() };
        let response = wire::CreateLocationResponse { location: Some(convert::location(&location)) };
        match self.stock.add_location(&location, &key, response.encode_to_vec()).await? {
            None => Ok(Reply::fresh(response)),
            Some(answer) => Reply::from_answer(&answer),
        }
    }
}

/// Items of a list that is read whole: its own `limit` up to 1000, or else what the page says.
pub(super) fn list_limit(page: &kernel::PageRequest, limit: i32) -> Result<u32> {
    match u32::try_from(limit) {
        Ok(0) => Ok(page.limit),
        Ok(limit) if limit <= 1000 => Ok(limit),
        _ => Err(Error::field("/limit", "INVALID_LIMIT", "must be between 1 and 1000")),
    }
}
