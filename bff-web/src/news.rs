//! What the gateway does with events: news for the people whose things changed, and what was kept is dropped.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use chassis::Position;
use contract::souk::cart::v1::CartChanged;
use contract::souk::event::v1::Event;
use contract::souk::inventory::v1::StockBandChanged;
use contract::souk::order::v1 as order;
use contract::souk::product::v1 as product;
use contract::souk::shipping::v1 as shipping;
use edge::{Follower, Gateway, News, Reporter};
use parking_lot::Mutex;
use prost::{Message, Name};
use serde_json::json;

use crate::shop::Shop;

/// Owners of orders that are remembered, for the events that do not name them.
const OWNERS_MAX: usize = 20_000;

/// What shows a product by its id.
pub fn product_tag(id: &str) -> String {
    format!("product:{id}")
}

/// What shows how much of a SKU is left.
pub fn sku_tag(sku: &str) -> String {
    format!("sku:{sku}")
}

/// What shows a choice of products.
pub const CATALOGUE: &str = "catalogue";
/// What shows categories.
pub const CATEGORIES: &str = "categories";

/// The message in an event, when it is of this type.
fn read<M: Message + Name + Default>(event: &Event) -> Option<M> {
    let payload = event.payload.as_ref()?;
    let name = payload.type_url.rsplit('/').next()?;
    if name == M::full_name() { M::decode(payload.value.as_slice()).ok() } else { None }
}

/// Drops what is kept of things that changed.
pub struct Changes {
    pub gateway: Arc<Gateway>,
    pub shop: Arc<Shop>,
}

impl Changes {
    fn product(&self, product: Option<product::Product>) {
        if let Some(product) = product {
            self.gateway.changed(&product_tag(&product.product_id));
        }
        self.gateway.changed(CATALOGUE);
    }

    fn categories(&self) {
        self.shop.categories_changed();
        self.gateway.changed(CATEGORIES);
    }
}

impl Follower for Changes {
    fn happened(&self, event: &Event) {
        if let Some(changed) = read::<StockBandChanged>(event) {
            self.gateway.changed(&sku_tag(&changed.sku));
        } else if let Some(changed) = read::<product::PriceChanged>(event) {
            self.product(changed.product);
        } else if let Some(changed) = read::<product::ProductUpdated>(event) {
            self.product(changed.product);
        } else if let Some(changed) = read::<product::ProductCreated>(event) {
            self.product(changed.product);
        } else if let Some(changed) = read::<product::ProductArchived>(event) {
            self.product(changed.product);
        } else {
            self.categories();
        }
    }

    fn begins(&self, source: &'static str, _: Position) {
        // What happened before is not told: nothing that was kept until now can be trusted.
        self.gateway.forget();
        if source == "product" {
            self.shop.categories_changed();
        }
    }
}

/// Makes news of what happens to carts, orders and parcels.
#[derive(Default)]
pub struct Reports {
    owners: Mutex<Owners>,
}

/// Who owns which order, the latest ones.
#[derive(Default)]
struct Owners {
    by_order: HashMap<String, String>,
    oldest: VecDeque<String>,
}

impl Owners {
    fn learn(&mut self, order_id: &str, owner: &str) {
        if self.by_order.insert(order_id.to_owned(), owner.to_owned()).is_none() {
            self.oldest.push_back(order_id.to_owned());
        }
        if self.oldest.len() > OWNERS_MAX
            && let Some(first) = self.oldest.pop_front()
        {
            self.by_order.remove(&first);
        }
    }
}

impl Reports {
    /// News of an order for its owner.
    fn order(&self, order_id: &str, customer_id: &str, guest_id: &str, state: &str) -> Option<News> {
        let named = if customer_id.is_empty() { guest_id } else { customer_id };
        let mut owners = self.owners.lock();
        let owner = if named.is_empty() {
            owners.by_order.get(order_id)?.clone()
        } else {
            owners.learn(order_id, named);
            named.to_owned()
        };
        let body = json!({ "type": "order.changed", "order_id": order_id, "state": state });
        Some(News { owner, body: body.as_object()?.clone() })
    }
}

impl Reporter for Reports {
    fn news(&self, event: &Event) -> Option<News> {
        if let Some(changed) = read::<CartChanged>(event) {
            let body = json!({
                "type": "cart.changed",
                "cart_id": changed.cart_id,
                "version": changed.version,
                "quantity": changed.quantity,
            });
            return Some(News { owner: changed.owner, body: body.as_object()?.clone() });
        }
        let made = read::<shipping::ShipmentCreated>(event).and_then(|e| e.shipment);
        if let Some(shipment) = made.or_else(|| read::<shipping::ShipmentUpdated>(event)?.shipment) {
            let body = json!({
                "type": "shipment.changed",
                "order_id": shipment.order_id,
                "shipment_id": shipment.id,
            });
            return Some(News { owner: shipment.owner_subject, body: body.as_object()?.clone() });
        }
        if let Some(e) = read::<order::OrderCreated>(event) {
            return self.order(&e.order_id, &e.customer_id, &e.guest_id, "pending");
        }
        if let Some(e) = read::<order::OrderConfirmed>(event) {
            return self.order(&e.order_id, &e.customer_id, &e.guest_id, "confirmed");
        }
        if let Some(e) = read::<order::OrderActionRequired>(event) {
            return self.order(&e.order_id, &e.customer_id, &e.guest_id, "action_required");
        }
        if let Some(e) = read::<order::OrderFailed>(event) {
            return self.order(&e.order_id, &e.customer_id, &e.guest_id, "failed");
        }
        if let Some(e) = read::<order::OrderCancelled>(event) {
            return self.order(&e.order_id, &e.customer_id, &e.guest_id, "cancelled");
        }
        if let Some(e) = read::<order::OrderApprovalRequested>(event) {
            return self.order(&e.order_id, "", "", "awaiting_approval");
        }
        if let Some(e) = read::<order::OrderApproved>(event) {
            return self.order(&e.order_id, "", "", "pending");
        }
        if let Some(e) = read::<order::OrderCancellationRequested>(event) {
            return self.order(&e.order_id, "", "", "cancelling");
        }
        if let Some(e) = read::<order::OrderCancellationRefused>(event) {
            return self.order(&e.order_id, "", "", "confirmed");
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event<M: Message + Name>(message: &M) -> Event {
        let value = message.encode_to_vec();
        let payload = prost_types::Any { type_url: format!("type.googleapis.com/{}", M::full_name()), value };
        Event { payload: Some(payload), ..Event::default() }
    }

    #[test]
    fn an_order_keeps_its_owner_in_events_that_do_not_name_it() {
        let reports = Reports::default();
        let approved = order::OrderApproved { order_id: "ord_1".into(), ..Default::default() };
        assert_eq!(reports.news(&event(&approved)), None, "nobody knows whose it is");
        let created =
            order::OrderCreated { order_id: "ord_1".into(), guest_id: "gst_1".into(), ..Default::default() };
        assert_eq!(reports.news(&event(&created)).expect("news").owner, "gst_1");
        let news = reports.news(&event(&approved)).expect("news");
        assert_eq!((news.owner.as_str(), &news.body["state"]), ("gst_1", &json!("pending")));
    }

    #[test]
    fn owners_are_forgotten_in_order() {
        let mut owners = Owners::default();
        for number in 0..=OWNERS_MAX {
            owners.learn(&format!("ord_{number}"), "cus_1");
        }
        assert_eq!(owners.by_order.len(), OWNERS_MAX);
        assert!(!owners.by_order.contains_key("ord_0"));
    }
}
