//! `souk.cart.v1.CartService`: reads requests, checks whose cart it is, asks the repository, answers.

mod change;
mod show;

use chassis::{Context, Reply};
use contract::souk::cart::v1 as wire;
use contract::souk::cart::v1::cart_service_server::CartService;
use contract::wire::parse_optional_id;
use kernel::{CartId, Currency, Error, Result};
use mesh::{Caller, Principal};
use store::NewEvent;
use tonic::{Request, Response, Status};

use crate::catalogue::Catalogue;
use crate::domain::Owner;
use crate::store::{Carts, Head};

/// The service.
pub struct Api {
    ctx: Context,
    carts: Carts,
    catalogue: Catalogue,
    currency: Currency,
}

impl Api {
    /// The service over a repository; `currency` is the shop's own.
    pub fn new(ctx: Context, carts: Carts, catalogue: Catalogue, currency: Currency) -> Self {
        Self { ctx, carts, catalogue, currency }
    }
}

/// The event of a change.
pub fn announce(head: &Head) -> NewEvent {
    let message = wire::CartChanged {
        cart_id: head.id.to_string(),
        owner: head.owner.to_string(),
        version: head.version,
        line_count: i32::try_from(head.lines).unwrap_or(i32::MAX),
        quantity: head.quantity,
        digest: head.digest.to_vec(),
    };
    chassis::event(head.id, head.version, &message)
}

fn summary(head: &Head) -> Option<wire::CartSummary> {
    Some(wire::CartSummary {
        cart_id: head.id.to_string(),
        version: head.version,
        line_count: i32::try_from(head.lines).unwrap_or(i32::MAX),
        quantity: head.quantity,
    })
}

/// Whose cart the caller means: its own, which a named cart must be.
fn owner_of(caller: &Caller, cart_id: &str) -> Result<Owner> {
    let named: Option<CartId> = parse_optional_id("/cart_id", cart_id)?;
    let owner = match caller.principal {
        Principal::Guest { id, .. } => Some(Owner::Guest(id)),
        Principal::Account { id, .. } => Some(Owner::Customer(id)),
        Principal::Anonymous => None,
    };
    owner
        .filter(|owner| named.is_none_or(|named| named == owner.cart_id()))
        .ok_or_else(|| Error::not_found("CART_NOT_FOUND", "no such cart"))
}

type Answer<T> = Result<Response<T>, Status>;

/// A reply of the house as tonic wants it.
fn answer<T>(reply: Result<Reply<T>>) -> Answer<T> {
    reply.map(Reply::into_response).map_err(contract::status)
}

#[tonic::async_trait]
impl CartService for Api {
    async fn get_cart(&self, request: Request<wire::GetCartRequest>) -> Answer<wire::GetCartResponse> {
        self.show(&mesh::caller(&request), request.get_ref())
            .await
            .map(Response::new)
            .map_err(contract::status)
    }

    async fn add_line(&self, request: Request<wire::AddLineRequest>) -> Answer<wire::AddLineResponse> {
        answer(self.add(&mesh::caller(&request), request.get_ref()).await)
    }

    async fn set_line_quantity(
        &self,
        request: Request<wire::SetLineQuantityRequest>,
    ) -> Answer<wire::SetLineQuantityResponse> {
        answer(self.set_quantity(&mesh::caller(&request), request.get_ref()).await)
    }

    async fn remove_line(
        &self,
        request: Request<wire::RemoveLineRequest>,
    ) -> Answer<wire::RemoveLineResponse> {
        answer(self.remove(&mesh::caller(&request), request.get_ref()).await)
    }

    async fn clear_cart(&self, request: Request<wire::ClearCartRequest>) -> Answer<wire::ClearCartResponse> {
        answer(self.clear(&mesh::caller(&request), request.get_ref()).await)
    }

    async fn merge_guest_cart(
        &self,
        request: Request<wire::MergeGuestCartRequest>,
    ) -> Answer<wire::MergeGuestCartResponse> {
        answer(self.merge(&mesh::caller(&request), request.get_ref()).await)
    }

    async fn remove_bought_lines(
        &self,
        request: Request<wire::RemoveBoughtLinesRequest>,
    ) -> Answer<wire::RemoveBoughtLinesResponse> {
        answer(self.remove_bought(&mesh::caller(&request), request.get_ref()).await)
    }

    async fn remove_ordered_lines(
        &self,
        request: Request<wire::RemoveOrderedLinesRequest>,
    ) -> Answer<wire::RemoveOrderedLinesResponse> {
        answer(self.remove_ordered(&mesh::caller(&request), request.get_ref()).await)
    }
}
