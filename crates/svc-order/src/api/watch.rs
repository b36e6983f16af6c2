//! Following an order until it is at rest.

use std::pin::Pin;
use std::sync::Arc;

use contract::souk::order::v1 as wire_v1;
use kernel::Result;
use mesh::Caller;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::{Api, LOOK_EVERY};
use crate::board::Watcher;
use crate::domain::Order;
use crate::wire;

/// Changes that wait for a slow reader. A watcher keeps the newest only, so one is enough.
const BUFFER: usize = 1;

/// Looks in vain after which the order is sent again: its reader hears every 20 s that the stream lives.
const QUIET_LOOKS: u32 = 20;

/// The order after each change.
pub type Changes = Pin<Box<dyn Stream<Item = Result<wire_v1::WatchOrderResponse, Status>> + Send>>;

impl Api {
    pub(super) async fn changes(
        &self,
        caller: Caller,
        request: wire_v1::WatchOrderRequest,
    ) -> Result<Changes> {
        let id = kernel::OrderId::parse(&request.order_id).map_err(|error| error.at("/order_id"))?;
        let watcher = self.worker.board().watch(id);
        let order = self.visible(&caller, &request.order_id, "orders.read").await?;
        let (sender, receiver) = mpsc::channel(BUFFER);
        let api = self.clone();
        let report = mesh::Report::of_stream("/souk.order.v1.OrderService/WatchOrder", caller);
        self.ctx.spawn("watch order", async move {
            if let Err(error) = api.follow(order, watcher, &sender).await {
                // The reader has left when this fails.
                let _ = sender.send(Err(report.ends_with(error))).await;
            }
        });
        Ok(Box::pin(ReceiverStream::new(receiver)))
    }

    async fn follow(
        &self,
        mut order: Order,
        mut watcher: Watcher,
        sender: &mpsc::Sender<Result<wire_v1::WatchOrderResponse, Status>>,
    ) -> Result<()> {
        let quote = Arc::new(wire::quote(&self.orders.quote(order.id).await?)?);
        loop {
            let shown = self.show(&order, Some(quote.clone())).await?;
            if sender.send(Ok(wire_v1::WatchOrderResponse { order: Some(shown) })).await.is_err()
                || order.state.at_rest()
            {
                return Ok(());
            }
            let Some(newer) = self.newer(&order, &mut watcher, sender).await? else { return Ok(()) };
            order = newer;
        }
    }

    /// The order at a later version, or as it is when nothing changed for a while; `None` when the reader has left.
    async fn newer(
        &self,
        seen: &Order,
        watcher: &mut Watcher,
        sender: &mpsc::Sender<Result<wire_v1::WatchOrderResponse, Status>>,
    ) -> Result<Option<Order>> {
        let mut looks = 0;
        loop {
            if let Some(order) = watcher.latest().filter(|order| order.version > seen.version) {
                return Ok(Some(Order::clone(&order)));
            }
            tokio::select! {
                () = sender.closed() => return Ok(None),
                () = watcher.changed() => continue,
                () = self.ctx.sleep(LOOK_EVERY) => {}
            }
            let Some((order, _)) = self.orders.get(seen.id).await? else { return Ok(None) };
            looks += 1;
            if order.version > seen.version || looks == QUIET_LOOKS {
                return Ok(Some(order));
            }
        }
    }
}
