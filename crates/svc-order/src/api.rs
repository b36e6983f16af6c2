//! The gRPC face: who may, what was meant, what is shown.

mod audit;
mod reads;
mod watch;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chassis::{Context, Reply, request_key};
use contract::souk::checkout::v1::Quote;
use contract::souk::order::v1 as wire_v1;
use contract::souk::order::v1::order_service_server::OrderService;
use contract::wire::parse_id;
use kernel::{Error, OrderId, Result, Timestamp, Violations};
use mesh::Caller;
use store::{CommitError, RequestKey};
use tokio::time::Instant;
use tonic::{Request, Response, Status};

use crate::board::Watcher;
use crate::domain::{Decision, MadeShipment, Order, Shipment, State, approve, cancel, too_late};
use crate::place::{Placing, failure};
use crate::saga::Worker;
use crate::store::{Fence, Orders, answered};
use crate::wire;

/// How long before its deadline a waiting call answers with what there is.
const HEADROOM: Duration = Duration::from_millis(300);
/// How long a call without a deadline waits.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// How often an order that another instance may work on is read again.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often a change by staff or owner is tried on a newer version.
const CHANGE_TRIES: u32 = 16;
/// How long the key of a request that moves money is remembered.
const KEEP: Duration = Duration::from_secs(30 * 24 * 3600);
/// The most characters of a note.
const NOTE_CHARS_MAX: usize = 500;

/// Serves orders.
#[derive(Clone)]
pub struct Api {
    ctx: Context,
    orders: Orders,
    worker: Worker,
    placing: Placing,
    /// When this instance started.
    started: Timestamp,
}

impl Api {
    /// The face of these parts.
    #[must_use]
    pub fn new(placing: Placing) -> Self {
        Self {
            ctx: placing.ctx.clone(),
            orders: placing.orders.clone(),
            worker: placing.worker.clone(),
            started: placing.ctx.now(),
            placing,
        }
    }

    /// An order that the caller may see.
    async fn visible(&self, caller: &Caller, id: &str, permission: &str) -> Result<Order> {
        let id: OrderId = parse_id("/order_id", id)?;
        let order = self.orders.get(id).await?.map(|(order, _)| order);
        order.filter(|order| visible(caller, order, permission)).ok_or_else(absent)
    }

    async fn show(&self, order: &Order, quote: Option<Arc<Quote>>) -> Result<wire_v1::Order> {
        let quote = match quote {
            Some(quote) => quote,
            None => Arc::new(wire::quote(&self.orders.quote(order.id).await?)?),
        };
        Ok(wire::order(order, &quote, &self.shipments(order).await?))
    }

    async fn shipments(&self, order: &Order) -> Result<Vec<MadeShipment>> {
        if matches!(order.shipment, Shipment::Later | Shipment::Asked) {
            return Ok(Vec::new());
        }
        self.orders.shipments(order.id).await
    }

    /// Waits until an order answers those who wait for it, or the call's deadline is near. Then as it stands.
    async fn wait(&self, id: OrderId, watcher: &mut Watcher) -> Result<Order> {
        let end =
            mesh::scope().deadline.map_or_else(|| Instant::now() + WAIT_MAX, |deadline| deadline - HEADROOM);
        loop {
            if let Some(order) = watcher.latest()
                && order.state.answers()
            {
                return Ok(Order::clone(&order));
            }
            let look = Instant::now() + LOOK_EVERY;
            if tokio::time::timeout_at(look.min(end), watcher.changed()).await.is_ok() {
                continue;
            }
            let (order, _) = self.orders.get(id).await?.ok_or_else(absent)?;
            if order.state.answers() || Instant::now() >= end {
                return Ok(order);
            }
        }
    }

    async fn place(
        &self,
        caller: Caller,
        address: Option<IpAddr>,
        request: wire_v1::PlaceOrderRequest,
    ) -> Result<Reply<wire_v1::PlaceOrderResponse>> {
        let mut placed = self.placing.place(&caller, address, &request).await?;
        let order = self.settled(placed.id, placed.replayed, &mut placed.watcher).await?;
        if order.state == State::Failed {
            return Err(failure(&order));
        }
        let order = Some(self.show(&order, placed.quote).await?);
        let message = wire_v1::PlaceOrderResponse { order };
        Ok(if placed.replayed { Reply::replayed(message) } else { Reply::fresh(message) })
    }

    /// An order that has just been written, or one that may have answered long ago.
    async fn settled(&self, id: OrderId, look_first: bool, watcher: &mut Watcher) -> Result<Order> {
        if look_first {
            let (order, _) = self.orders.get(id).await?.ok_or_else(absent)?;
            if order.state.answers() {
                return Ok(order);
            }
        }
        self.wait(id, watcher).await
    }

    /// Changes an order on the version that was read; the worker meets the new version and follows it.
    async fn change(
        &self,
        id: OrderId,
        key: RequestKey,
        decide: impl Fn(Order) -> Result<Option<Decision>>,
    ) -> Result<(Order, bool)> {
        if let Some(id) = self.orders.answer(&key).await? {
            let (order, _) = self.orders.get(id).await?.ok_or_else(absent)?;
            return Ok((order, true));
        }
        let quote = wire::quote(&self.orders.quote(id).await?)?;
        for _ in 0..CHANGE_TRIES {
            let (seen, _) = self.orders.get(id).await?.ok_or_else(absent)?;
            let Some(decision) = decide(seen.clone())? else { return Ok((seen, false)) };
            let events = wire::events(&decision, &quote);
            match self.orders.record(&seen, Fence::Version, &decision, events, Some(key.clone())).await {
                Ok(order) => {
                    self.worker.board().tell(&order);
                    self.worker.wake(id).await?;
                    return Ok((order, false));
                }
                Err(CommitError::Replayed(answer)) => {
                    let (order, _) = self.orders.get(answered(&answer)?).await?.ok_or_else(absent)?;
                    return Ok((order, true));
                }
                Err(error) if error.is_stale() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::conflict("VERSION_CONFLICT", "the order keeps changing; try again"))
    }

    async fn approve(
        &self,
        caller: Caller,
        request: wire_v1::ApproveOrderRequest,
    ) -> Result<Reply<wire_v1::ApproveOrderResponse>> {
        let key = money_key(&caller, "order.ApproveOrder", &request.request_id, &request)?;
        let note = note(&request.note)?;
        let id = self.visible(&caller, &request.order_id, "orders.write").await?.id;
        let by = caller.principal.subject();
        let mut watcher = self.worker.board().watch(id);
        let policy = self.worker.policy();
        let (_, replayed) =
            self.change(id, key, |order| approve(order, &by, &note, policy, self.ctx.now())).await?;
        let order = self.settled(id, true, &mut watcher).await?;
        let message = wire_v1::ApproveOrderResponse { order: Some(self.show(&order, None).await?) };
        Ok(if replayed { Reply::replayed(message) } else { Reply::fresh(message) })
    }

    async fn cancel(
        &self,
        caller: Caller,
        request: wire_v1::CancelOrderRequest,
    ) -> Result<Reply<wire_v1::CancelOrderResponse>> {
        let key = money_key(&caller, "order.CancelOrder", &request.request_id, &request)?;
        let note = note(&request.note)?;
        let id = self.visible(&caller, &request.order_id, "orders.write").await?.id;
        let by = caller.principal.subject();
        let mut watcher = self.worker.board().watch(id);
        let (_, replayed) = self.change(id, key, |order| cancel(order, &by, &note, self.ctx.now())).await?;
        let order = self.settled(id, true, &mut watcher).await?;
        match order.state {
            State::Confirmed => return Err(too_late().with("order_id", id.to_string())),
            State::Failed => return Err(failure(&order)),
            _ => {}
        }
        let message = wire_v1::CancelOrderResponse { order: Some(self.show(&order, None).await?) };
        Ok(if replayed { Reply::replayed(message) } else { Reply::fresh(message) })
    }
}

fn visible(caller: &Caller, order: &Order, permission: &str) -> bool {
    caller.may_access(&order.owner, permission)
}

fn absent() -> Error {
    Error::not_found("ORDER_NOT_FOUND", "there is no such order")
}

fn note(text: &str) -> Result<String> {
    let mut violations = Violations::new();
    let note = violations.optional_lines("/note", text, NOTE_CHARS_MAX);
    violations.finish()?;
    Ok(note)
}

fn money_key(
    caller: &Caller,
    method: &'static str,
    request_id: &str,
    message: &impl prost::Message,
) -> Result<RequestKey> {
    let mut key = request_key(caller, method, request_id, message)?;
    key.keep = KEEP;
    Ok(key)
}

/// The generated trait: each method takes the caller and the message apart, and gives errors their status.
#[tonic::async_trait]
impl OrderService for Api {
    async fn place_order(
        &self,
        request: Request<wire_v1::PlaceOrderRequest>,
    ) -> Result<Response<wire_v1::PlaceOrderResponse>, Status> {
        let (caller, address) = (mesh::caller(&request), mesh::client_address(&request));
        Ok(self.place(caller, address, request.into_inner()).await.map_err(contract::status)?.into_response())
    }

    async fn approve_order(
        &self,
        request: Request<wire_v1::ApproveOrderRequest>,
    ) -> Result<Response<wire_v1::ApproveOrderResponse>, Status> {
        let caller = mesh::caller(&request);
        Ok(self.approve(caller, request.into_inner()).await.map_err(contract::status)?.into_response())
    }

    async fn cancel_order(
        &self,
        request: Request<wire_v1::CancelOrderRequest>,
    ) -> Result<Response<wire_v1::CancelOrderResponse>, Status> {
        let caller = mesh::caller(&request);
        Ok(self.cancel(caller, request.into_inner()).await.map_err(contract::status)?.into_response())
    }

    async fn get_order(
        &self,
        request: Request<wire_v1::GetOrderRequest>,
    ) -> Result<Response<wire_v1::GetOrderResponse>, Status> {
        let caller = mesh::caller(&request);
        self.get(caller, request.into_inner()).await.map(Response::new).map_err(contract::status)
    }

    async fn find_order(
        &self,
        request: Request<wire_v1::FindOrderRequest>,
    ) -> Result<Response<wire_v1::FindOrderResponse>, Status> {
        self.find(request.into_inner()).await.map(Response::new).map_err(contract::status)
    }

    async fn list_orders(
        &self,
        request: Request<wire_v1::ListOrdersRequest>,
    ) -> Result<Response<wire_v1::ListOrdersResponse>, Status> {
        let caller = mesh::caller(&request);
        self.list(caller, request.into_inner()).await.map(Response::new).map_err(contract::status)
    }

    type WatchOrderStream = watch::Changes;

    async fn watch_order(
        &self,
        request: Request<wire_v1::WatchOrderRequest>,
    ) -> Result<Response<Self::WatchOrderStream>, Status> {
        let caller = mesh::caller(&request);
        self.changes(caller, request.into_inner()).await.map(Response::new).map_err(contract::status)
    }

    async fn get_order_history(
        &self,
        request: Request<wire_v1::GetOrderHistoryRequest>,
    ) -> Result<Response<wire_v1::GetOrderHistoryResponse>, Status> {
        let caller = mesh::caller(&request);
        self.history(caller, request.into_inner()).await.map(Response::new).map_err(contract::status)
    }

    async fn get_invoice(
        &self,
        request: Request<wire_v1::GetInvoiceRequest>,
    ) -> Result<Response<wire_v1::GetInvoiceResponse>, Status> {
        let caller = mesh::caller(&request);
        self.invoice(caller, request.into_inner()).await.map(Response::new).map_err(contract::status)
    }

    async fn list_invoices(
        &self,
        request: Request<wire_v1::ListInvoicesRequest>,
    ) -> Result<Response<wire_v1::ListInvoicesResponse>, Status> {
        self.invoices(request.into_inner()).await.map(Response::new).map_err(contract::status)
    }

    async fn get_totals(
        &self,
        _: Request<wire_v1::GetTotalsRequest>,
    ) -> Result<Response<wire_v1::GetTotalsResponse>, Status> {
        self.totals().await.map(Response::new).map_err(contract::status)
    }

    async fn get_numbering(
        &self,
        request: Request<wire_v1::GetNumberingRequest>,
    ) -> Result<Response<wire_v1::GetNumberingResponse>, Status> {
        self.numbering(request.get_ref()).await.map(Response::new).map_err(contract::status)
    }

    async fn list_for_audit(
        &self,
        request: Request<wire_v1::ListForAuditRequest>,
    ) -> Result<Response<wire_v1::ListForAuditResponse>, Status> {
        self.audit(request.into_inner()).await.map(Response::new).map_err(contract::status)
    }
}
