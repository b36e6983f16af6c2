//! `souk.inventory.v1.InventoryService`: reads requests, asks the repository, answers.

mod convert;
mod holds;
mod lists;
mod stock;

use std::sync::Arc;

use chassis::{Context, Cursors, Reply};
use contract::souk::inventory::v1 as wire;
use contract::souk::inventory::v1::inventory_service_server::InventoryService;
use kernel::Clock;
use tonic::{Request, Response, Status};

use crate::domain::Terms;
use crate::store::Stock;

pub use convert::announce;

/// The service.
pub struct Api {
    clock: Arc<dyn Clock>,
    cursors: Cursors,
    stock: Stock,
    terms: Terms,
}

impl Api {
    /// The service over a repository.
    pub fn new(ctx: &Context, stock: Stock, terms: Terms) -> Self {
        Self { clock: ctx.clock().clone(), cursors: ctx.cursors().clone(), stock, terms }
    }
}

type Answer<T> = Result<Response<T>, Status>;

/// A reply of the house as tonic wants it.
fn answer<T>(reply: kernel::Result<Reply<T>>) -> Answer<T> {
    reply.map(Reply::into_response).map_err(contract::status)
}

/// An answer to a read.
fn show<T>(message: kernel::Result<T>) -> Answer<T> {
    message.map(Response::new).map_err(contract::status)
}

#[tonic::async_trait]
impl InventoryService for Api {
    async fn receive_stock(
        &self,
        request: Request<wire::ReceiveStockRequest>,
    ) -> Answer<wire::ReceiveStockResponse> {
        answer(self.receive(&mesh::caller(&request), request.into_inner()).await)
    }

    async fn adjust_stock(
        &self,
        request: Request<wire::AdjustStockRequest>,
    ) -> Answer<wire::AdjustStockResponse> {
        answer(self.adjust(&mesh::caller(&request), request.into_inner()).await)
    }

    async fn get_stock(&self, request: Request<wire::GetStockRequest>) -> Answer<wire::GetStockResponse> {
        show(self.stock_of(request.into_inner()).await)
    }

    async fn batch_get_stock(
        &self,
        request: Request<wire::BatchGetStockRequest>,
    ) -> Answer<wire::BatchGetStockResponse> {
        show(self.stocks_of(request.into_inner()).await)
    }

    async fn list_stock(&self, request: Request<wire::ListStockRequest>) -> Answer<wire::ListStockResponse> {
        show(self.counters(request.into_inner()).await)
    }

    async fn list_movements(
        &self,
        request: Request<wire::ListMovementsRequest>,
    ) -> Answer<wire::ListMovementsResponse> {
        show(self.movements(request.into_inner()).await)
    }

    async fn list_sku_balances(
        &self,
        request: Request<wire::ListSkuBalancesRequest>,
    ) -> Answer<wire::ListSkuBalancesResponse> {
        show(self.balances(request.into_inner()).await)
    }

    async fn get_totals(&self, _: Request<wire::GetTotalsRequest>) -> Answer<wire::GetTotalsResponse> {
        let totals = self.stock.totals().await.map(|totals| convert::totals(&totals));
        show(totals.map(|totals| wire::GetTotalsResponse { totals: Some(totals) }))
    }

    async fn create_location(
        &self,
        request: Request<wire::CreateLocationRequest>,
    ) -> Answer<wire::CreateLocationResponse> {
        answer(self.add_location(&mesh::caller(&request), request.into_inner()).await)
    }

    async fn list_locations(
        &self,
        _: Request<wire::ListLocationsRequest>,
    ) -> Answer<wire::ListLocationsResponse> {
        let locations = self.stock.locations().await;
        show(locations.map(|all| wire::ListLocationsResponse {
            locations: all.iter().map(convert::location).collect(),
        }))
    }

    async fn create_hold(
        &self,
        request: Request<wire::CreateHoldRequest>,
    ) -> Answer<wire::CreateHoldResponse> {
        answer(self.make_hold(&mesh::caller(&request), request.into_inner()).await)
    }

    async fn renew_hold(&self, request: Request<wire::RenewHoldRequest>) -> Answer<wire::RenewHoldResponse> {
        answer(self.renew(&mesh::caller(&request), request.into_inner()).await)
    }

    async fn commit_hold(
        &self,
        request: Request<wire::CommitHoldRequest>,
    ) -> Answer<wire::CommitHoldResponse> {
        answer(self.commit(&mesh::caller(&request), request.into_inner()).await)
    }

    async fn release_hold(
        &self,
        request: Request<wire::ReleaseHoldRequest>,
    ) -> Answer<wire::ReleaseHoldResponse> {
        answer(self.release(&mesh::caller(&request), request.into_inner()).await)
    }

    async fn return_hold(
        &self,
        request: Request<wire::ReturnHoldRequest>,
    ) -> Answer<wire::ReturnHoldResponse> {
        answer(self.give_back(&mesh::caller(&request), request.into_inner()).await)
    }

    async fn get_hold(&self, request: Request<wire::GetHoldRequest>) -> Answer<wire::GetHoldResponse> {
        show(self.hold_of(request.into_inner()).await)
    }

    async fn list_holds(&self, request: Request<wire::ListHoldsRequest>) -> Answer<wire::ListHoldsResponse> {
        show(self.holds(request.into_inner()).await)
    }
}
