//! Holds, as the order's saga asks for them.

use std::time::Duration;

use chassis::{Reply, request_key};
use contract::souk::inventory::v1 as wire;
use contract::wire::{optional, parse_duration, parse_id};
use kernel::{Error, HoldId, OrderId, Result};
use mesh::Caller;

use super::{Api, convert};
use crate::domain::{Ask, Hold, HoldLine, new_hold};
use crate::store::Held;

impl Api {
    pub(super) async fn make_hold(
        &self,
        caller: &Caller,
        request: wire::CreateHoldRequest,
    ) -> Result<Reply<wire::CreateHoldResponse>> {
        check_request_id(caller, &request.request_id)?;
        let order: OrderId = parse_id("/order_id", &request.order_id)?;
        let hold_for = hold_for(&request.hold_for)?;
        let line = |line: wire::HoldLine| HoldLine {
            line: line.line_id,
            sku: line.sku,
            location: line.location,
            quantity: line.quantity,
        };
        let lines = request.lines.into_iter().map(line).collect();
        let hold = new_hold(order, lines, hold_for, self.terms, self.clock.now())?;
        let respond = |hold| wire::CreateHoldResponse { hold: Some(convert::hold(hold)) };
        match self.stock.hold(hold).await? {
            Held::Made(hold) => Ok(Reply::fresh(respond(hold))),
            Held::Found(hold) => Ok(Reply::replayed(respond(hold))),
            Held::Short(shortages) => Err(convert::out_of_stock(&shortages)),
        }
    }

    pub(super) async fn renew(
        &self,
        caller: &Caller,
        request: wire::RenewHoldRequest,
    ) -> Result<Reply<wire::RenewHoldResponse>> {
        check_request_id(caller, &request.request_id)?;
        let id: HoldId = parse_id("/hold_id", &request.hold_id)?;
        let hold_for = hold_for(&request.hold_for)?.unwrap_or(self.terms.usual);
        let (hold, done) = self.stock.renew(id, hold_for, self.clock.now()).await?;
        let message = wire::RenewHoldResponse { hold: Some(convert::hold(hold)) };
        Ok(Reply { message, replayed: !done })
    }

    pub(super) async fn commit(
        &self,
        caller: &Caller,
        request: wire::CommitHoldRequest,
    ) -> Result<Reply<wire::CommitHoldResponse>> {
        let (hold, replayed) =
            self.take_step(caller, &request.request_id, &request.hold_id, Ask::Commit).await?;
        Ok(Reply { message: wire::CommitHoldResponse { hold: Some(convert::hold(hold)) }, replayed })
    }

    pub(super) async fn release(
        &self,
        caller: &Caller,
        request: wire::ReleaseHoldRequest,
    ) -> Result<Reply<wire::ReleaseHoldResponse>> {
        let (hold, replayed) =
            self.take_step(caller, &request.request_id, &request.hold_id, Ask::Release).await?;
        Ok(Reply { message: wire::ReleaseHoldResponse { hold: Some(convert::hold(hold)) }, replayed })
    }

    pub(super) async fn give_back(
        &self,
        caller: &Caller,
        request: wire::ReturnHoldRequest,
    ) -> Result<Reply<wire::ReturnHoldResponse>> {
        let (hold, replayed) =
            self.take_step(caller, &request.request_id, &request.hold_id, Ask::Return).await?;
        Ok(Reply { message: wire::ReturnHoldResponse { hold: Some(convert::hold(hold)) }, replayed })
    }

    pub(super) async fn hold_of(&self, request: wire::GetHoldRequest) -> Result<wire::GetHoldResponse> {
        let id: HoldId = parse_id("/hold_id", &request.hold_id)?;
        let hold = self
            .stock
            .find_hold(id)
            .await?
            .ok_or_else(|| Error::not_found("HOLD_NOT_FOUND", "no such hold"))?;
        Ok(wire::GetHoldResponse { hold: Some(convert::hold(hold)) })
    }

    async fn take_step(
        &self,
        caller: &Caller,
        request_id: &str,
        hold_id: &str,
        ask: Ask,
    ) -> Result<(Hold, bool)> {
        check_request_id(caller, request_id)?;
        let (hold, done) = self.stock.step(parse_id("/hold_id", hold_id)?, ask, self.clock.now()).await?;
        Ok((hold, !done))
    }
}

/// Checks the form of an idempotency key. A hold is named by its order and each of its steps can be taken once, so the
/// hold itself remembers what was done; the key need not.
fn check_request_id(caller: &Caller, request_id: &str) -> Result<()> {
    request_key(caller, "inventory.Hold", request_id, &()).map(drop)
}

fn hold_for(value: &Option<prost_types::Duration>) -> Result<Option<Duration>> {
    optional(value, |value| parse_duration("/hold_for", value))
}
