//! Where those who wait for an order hear of its changes, within one instance. Nothing is decided here: who misses a notice reads
//! the store.

use std::collections::HashMap;
use std::sync::Arc;

use kernel::OrderId;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::domain::Order;

type Notices = HashMap<OrderId, watch::Sender<Option<Arc<Order>>>>;

/// The orders that somebody waits for.
#[derive(Clone, Default)]
pub struct Board(Arc<Mutex<Notices>>);

/// Somebody who waits for one order.
pub struct Watcher {
    board: Board,
    id: OrderId,
    notices: watch::Receiver<Option<Arc<Order>>>,
}

impl Board {
    /// Waits for an order from now on.
    #[must_use]
    pub fn watch(&self, id: OrderId) -> Watcher {
        let notices = self.0.lock().entry(id).or_insert_with(|| watch::Sender::new(None)).subscribe();
        Watcher { board: self.clone(), id, notices }
    }

    /// Tells of an order as it now stands.
    pub fn tell(&self, order: &Order) {
        if let Some(sender) = self.0.lock().get(&order.id) {
            sender.send_if_modified(|latest| {
                let newer = latest.as_ref().is_none_or(|latest| latest.version < order.version);
                if newer {
                    *latest = Some(Arc::new(order.clone()));
                }
                newer
            });
        }
    }
}

impl Watcher {
    /// The newest that was told, if anything was.
    #[must_use]
    pub fn latest(&mut self) -> Option<Arc<Order>> {
        self.notices.borrow_and_update().clone()
    }

    /// Waits until something is told that [`Watcher::latest`] has not given yet.
    pub async fn changed(&mut self) {
        if self.notices.changed().await.is_err() {
            // The board outlives its watchers, so this does not happen; if it did, the store would be asked.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut notices = self.board.0.lock();
        if notices.get(&self.id).is_some_and(|sender| sender.receiver_count() <= 1) {
            notices.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::{Currency, Money, QuoteId, Timestamp};

    use super::*;
    use crate::domain::tests::{new_order, policy};

    #[tokio::test]
    async fn a_watcher_hears_the_newest_and_leaves_nothing_behind() {
        let board = Board::default();
        let mut order = Order::place(
            new_order(QuoteId::from_bits(1), Money::new(5, Currency::GBP)),
            &policy(),
            Timestamp::from_secs(1),
        )
        .order;
        board.tell(&order);
        let mut watcher = board.watch(order.id);
        assert!(watcher.latest().is_none(), "told before it watched");
        order.version = 3;
        board.tell(&order);
        order.version = 2;
        board.tell(&order);
        watcher.changed().await;
        assert_eq!(watcher.latest().map(|order| order.version), Some(3));
        drop(watcher);
        assert!(board.0.lock().is_empty());
    }
}
