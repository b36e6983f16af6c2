//! What changes a cart.

use std::collections::BTreeMap;

use chassis::{Reply, request_key};
use contract::souk::cart::v1 as wire;
use contract::wire::parse_id;
use kernel::{CartId, Error, LineId, OrderId, Result, Violations};
use mesh::Caller;
use prost::Message;
use store::RequestKey;

use super::{Api, owner_of, summary};
use crate::domain::{Added, Dropped, Purchase, check_sku};
use crate::store::{Changed, Head};

/// Lines of an order at most.
const BOUGHT_LINES_MAX: usize = 2000;
/// Units of a line of an order at most.
const BOUGHT_QUANTITY_MAX: i64 = 1_000_000_000;

/// The reply of a change, or of the one that was done before.
fn reply<R, M: Message + Default>(
    changed: Changed<R>,
    respond: impl FnOnce(&Head, &R) -> M,
) -> Result<Reply<M>> {
    match changed {
        Changed::Now(head, outcome) => Ok(Reply::fresh(respond(&head, &outcome))),
        Changed::Replayed(answer) => Reply::from_answer(&answer),
    }
}

/// Checks the version that an edit was made from.
fn seen(violations: &mut Violations, version: i64) -> Option<i64> {
    violations.check(version > 0, "/version", "must be the version of the cart that was seen, from 1");
    Some(version)
}

impl Api {
    pub(super) async fn add(
        &self,
        caller: &Caller,
        request: &wire::AddLineRequest,
    ) -> Result<Reply<wire::AddLineResponse>> {
        let key = request_key(caller, "cart.AddLine", &request.request_id, request)?;
        let owner = owner_of(caller, &request.cart_id)?;
        let quantity = i64::from(request.quantity);
        let mut violations = Violations::new();
        check_sku(&mut violations, "/sku", &request.sku);
        self.carts.limits().check_quantity(&mut violations, "/quantity", quantity);
        violations.finish()?;
        let respond = |head: &Head, added: &Added| wire::AddLineResponse {
            cart: summary(head),
            line_id: added.line.to_string(),
            quantity: i32::try_from(added.quantity).unwrap_or(i32::MAX),
        };
        if let Err(error) = self.catalogue.require(&request.sku).await {
            return reply(self.carts.replay_or(&key, error).await?, respond);
        }
        let (fresh, now): (LineId, _) = (self.ctx.id(), self.ctx.now());
        let decide = |cart: &mut crate::domain::Cart| {
            cart.add(&request.sku, quantity, fresh, self.carts.limits(), now)
        };
        let changed =
            self.carts.change(owner, None, &key, decide, |head, added| respond(head, added).encode_to_vec());
        reply(changed.await?, respond)
    }

    pub(super) async fn set_quantity(
        &self,
        caller: &Caller,
        request: &wire::SetLineQuantityRequest,
    ) -> Result<Reply<wire::SetLineQuantityResponse>> {
        let key = request_key(caller, "cart.SetLineQuantity", &request.request_id, request)?;
        let owner = owner_of(caller, &request.cart_id)?;
        let line: LineId = parse_id("/line_id", &request.line_id)?;
        let quantity = i64::from(request.quantity);
        let mut violations = Violations::new();
        let seen = seen(&mut violations, request.version);
        self.carts.limits().check_quantity(&mut violations, "/quantity", quantity);
        violations.finish()?;
        let now = self.ctx.now();
        let respond = |head: &Head, (): &()| wire::SetLineQuantityResponse { cart: summary(head) };
        let decide =
            |cart: &mut crate::domain::Cart| cart.set_quantity(line, quantity, self.carts.limits(), now);
        let changed =
            self.carts.change(owner, seen, &key, decide, |head, done| respond(head, done).encode_to_vec());
        reply(changed.await?, respond)
    }

    pub(super) async fn remove(
        &self,
        caller: &Caller,
        request: &wire::RemoveLineRequest,
    ) -> Result<Reply<wire::RemoveLineResponse>> {
        let key = request_key(caller, "cart.RemoveLine", &request.request_id, request)?;
        let owner = owner_of(caller, &request.cart_id)?;
        let line: LineId = parse_id("/line_id", &request.line_id)?;
        let mut violations = Violations::new();
        let seen = seen(&mut violations, request.version);
        violations.finish()?;
        let now = self.ctx.now();
        let respond = |head: &Head, (): &()| wire::RemoveLineResponse { cart: summary(head) };
        let decide = |cart: &mut crate::domain::Cart| cart.remove(line, self.carts.limits(), now);
        let changed =
            self.carts.change(owner, seen, &key, decide, |head, done| respond(head, done).encode_to_vec());
        reply(changed.await?, respond)
    }

    pub(super) async fn clear(
        &self,
        caller: &Caller,
        request: &wire::ClearCartRequest,
    ) -> Result<Reply<wire::ClearCartResponse>> {
        let key = request_key(caller, "cart.ClearCart", &request.request_id, request)?;
        let owner = owner_of(caller, &request.cart_id)?;
        let mut violations = Violations::new();
        let seen = seen(&mut violations, request.version);
        violations.finish()?;
        let now = self.ctx.now();
        let respond = |head: &Head, (): &()| wire::ClearCartResponse { cart: summary(head) };
        let decide = |cart: &mut crate::domain::Cart| cart.clear(self.carts.limits(), now);
        let changed =
            self.carts.change(owner, seen, &key, decide, |head, done| respond(head, done).encode_to_vec());
        reply(changed.await?, respond)
    }

    pub(super) async fn merge(
        &self,
        caller: &Caller,
        request: &wire::MergeGuestCartRequest,
    ) -> Result<Reply<wire::MergeGuestCartResponse>> {
        let key = request_key(caller, "cart.MergeGuestCart", &request.request_id, request)?;
        let customer =
            caller.principal.account().ok_or_else(|| Error::not_found("CART_NOT_FOUND", "no such cart"))?;
        let bad = || {
            Error::field(
                "/guest_access_token",
                "INVALID_GUEST_TOKEN",
                "is not a good access token of a guest session",
            )
        };
        let verified =
            self.ctx.verify_token(&request.guest_access_token).map_err(|cause| bad().because(cause))?;
        let guest = verified.guest().ok_or_else(bad)?;
        let respond = |head: &Head, dropped: &[Dropped]| {
            let told = |line: &Dropped| wire::SkuQuantity { sku: line.sku.clone(), quantity: line.quantity };
            wire::MergeGuestCartResponse { cart: summary(head), dropped: dropped.iter().map(told).collect() }
        };
        let answer = |head: &Head, dropped: &[Dropped]| respond(head, dropped).encode_to_vec();
        let changed = self.carts.merge(guest, customer, (&key, &answer), self.ctx.now()).await?;
        reply(changed, |head, dropped| respond(head, dropped))
    }

    pub(super) async fn remove_bought(
        &self,
        caller: &Caller,
        request: &wire::RemoveBoughtLinesRequest,
    ) -> Result<Reply<wire::RemoveBoughtLinesResponse>> {
        let key = request_key(caller, "cart.RemoveBoughtLines", &request.request_id, request)?;
        let order: OrderId = parse_id("/order_id", &request.order_id)?;
        let cart: CartId = parse_id("/cart_id", &request.cart_id)?;
        let purchase = Purchase { order, units: bought(&request.lines)?, claimed_by: None };
        self.take_out(cart, &purchase, &key, |cart| wire::RemoveBoughtLinesResponse { cart }).await
    }

    pub(super) async fn remove_ordered(
        &self,
        caller: &Caller,
        request: &wire::RemoveOrderedLinesRequest,
    ) -> Result<Reply<wire::RemoveOrderedLinesResponse>> {
        let key = request_key(caller, "cart.RemoveOrderedLines", &request.request_id, request)?;
        let owner = owner_of(caller, &request.cart_id)?;
        let order: OrderId = parse_id("/order_id", &request.order_id)?;
        let purchase = Purchase { order, units: bought(&request.lines)?, claimed_by: Some(owner) };
        let respond = |cart| wire::RemoveOrderedLinesResponse { cart };
        self.take_out(owner.cart_id(), &purchase, &key, respond).await
    }

    /// Takes out of a cart what an order bought, for the order service and for owners alike.
    async fn take_out<M: Message + Default>(
        &self,
        cart: CartId,
        purchase: &Purchase,
        key: &RequestKey,
        respond: impl Fn(Option<wire::CartSummary>) -> M,
    ) -> Result<Reply<M>> {
        let answer = |head: &Head| respond(summary(head)).encode_to_vec();
        match self.carts.remove_bought(cart, purchase, key, answer, self.ctx.now()).await? {
            None => Ok(Reply::fresh(respond(None))),
            Some(Changed::Now(head, changed)) => {
                Ok(Reply { message: respond(summary(&head)), replayed: !changed })
            }
            Some(Changed::Replayed(answer)) => Reply::from_answer(&answer),
        }
    }
}

/// What was bought, by SKU.
fn bought(lines: &[wire::SkuQuantity]) -> Result<BTreeMap<String, i64>> {
    let mut violations = Violations::new();
    violations.check((1..=BOUGHT_LINES_MAX).contains(&lines.len()), "/lines", "must have 1 to 2000 lines");
    let mut sums = BTreeMap::new();
    for (index, line) in lines.iter().take(BOUGHT_LINES_MAX).enumerate() {
        check_sku(&mut violations, &format!("/lines/{index}/sku"), &line.sku);
        let good = (1..=BOUGHT_QUANTITY_MAX).contains(&line.quantity);
        violations.check(good, format!("/lines/{index}/quantity"), "must be between 1 and 1000000000");
        let sum: &mut i64 = sums.entry(line.sku.clone()).or_default();
        *sum = sum.saturating_add(line.quantity);
    }
    violations.finish()?;
    Ok(sums)
}
