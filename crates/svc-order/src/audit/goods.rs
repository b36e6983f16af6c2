//! What orders say about goods and parcels: facts that an audit compares with inventory, shipping, cart and the events.

use std::sync::Arc;

use chassis::audit::{Examine, Examined, Fact, last_of_full_page};
use contract::souk::checkout::v1::Quote;
use contract::souk::order::v1 as pb;
use kernel::Result;
use prost::{Message, Name};
use store::StoredEvent;
use tonic::async_trait;

use crate::domain::{MadeShipment, Order, Shipment, State, Stock};
use crate::store::{AuditRow, Orders};

/// What orders say about goods.
pub fn tables(orders: &Orders) -> [Arc<dyn Examine>; 1] {
    [Arc::new(GoodsRows(orders.clone()))]
}

struct GoodsRows(Orders);

/// Orders whose quotes are in memory at once: the quote of a large order takes most of a megabyte.
const ROWS_MAX: u32 = 100;

#[async_trait]
impl Examine for GoodsRows {
    fn table(&self) -> &'static str {
        "orders' goods"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let (after, limit) = (after.unwrap_or_default(), limit.min(ROWS_MAX));
        let rows = self.0.audit(after, limit).await?.rows;
        let mut examined = Examined { rows: rows.len(), ..Examined::default() };
        for row in &rows {
            let id = row.order.id.to_string();
            let fact = Fact::new("row", id.clone()).version(row.order.version);
            examined.facts.push(fact.at(row.order.created_at));
            match Quote::decode(row.quote.as_slice()) {
                Ok(quote) => {
                    describe_goods(&row.order, &quote, &mut examined);
                    describe_shipments(row, quote.shipment_groups.len(), &mut examined);
                }
                Err(error) => examined.finds(id, "a quote that reads", error.to_string()),
            }
        }
        let last = last_of_full_page(&rows, limit);
        examined.next = last.map(|row| row.order.id.to_string());
        Ok(examined)
    }
}

fn describe_goods(order: &Order, quote: &Quote, examined: &mut Examined) {
    let id = order.id.to_string();
    // An order that is open may not have asked yet; one without stock never held any.
    let may_lack =
        order.due_at.is_some() || matches!(order.stock, Stock::Asked | Stock::Refused | Stock::Released);
    let state = if may_lack { "may lack" } else { "" };
    let content = lines_content(quote.lines.iter().map(|line| (&*line.line_id, line.quantity, &*line.sku)));
    let lines = Fact::new("lines", id.clone()).content(content.as_bytes()).state(state);
    examined.facts.push(lines.about(&content));
    describe_parcels(order, quote, examined);
    if let Some(at) = order.confirmed_at {
        let content = confirmed_content(&crate::wire::confirmed(order, quote));
        examined.facts.push(Fact::new("confirmed", id).content(&content).at(at));
    }
}

/// The shipments that it names: shipping must have them under these ids.
fn describe_shipments(row: &AuditRow, groups: usize, examined: &mut Examined) {
    let (order, named) = (&row.order, &row.shipments);
    let id = order.id.to_string();
    let recorded = matches!(order.shipment, Shipment::Requested | Shipment::Left);
    let good = !recorded || named.len() == groups;
    examined.expects(good, &id, format!("{groups} shipments that were made"), named.len());
    for MadeShipment { group_id, shipment_id } in named.iter().map(|sealed| &sealed.made) {
        let fact = Fact::new("named shipment", format!("{id} {group_id}")).content(shipment_id.as_bytes());
        examined.facts.push(fact.about(shipment_id));
    }
}

fn describe_parcels(order: &Order, quote: &Quote, examined: &mut Examined) {
    let state = match (order.state, order.shipment) {
        _ if order.due_at.is_some() => "open",
        (State::Confirmed, Shipment::Asked | Shipment::Requested | Shipment::Left) => "wanted",
        (State::Cancelled | State::Failed, _) => "unwanted",
        _ => "open",
    };
    let owner = if order.owner.is_empty() { &order.placed_by } else { &order.owner };
    for group in &quote.shipment_groups {
        let of_group = quote.lines.iter().filter(|line| line.shipment_group_id == group.shipment_group_id);
        let goods = lines_content(of_group.map(|line| (&*line.line_id, line.quantity, &*line.sku)));
        // As shipping keeps it, whatever the form in which it was quoted.
        let destination = contract::wire::parse_frozen_address("", &quote.destination).ok();
        let destination = destination.map(|address| format!("{:?}", address.encode_to_vec()));
        let content = format!("{owner}|{}|{}|{goods}", group.method, destination.unwrap_or_default());
        let key = format!("{} {}", order.id, group.shipment_group_id);
        let fact = Fact::new("parcel", key).content(content.as_bytes()).state(state);
        examined.facts.push(fact.about(&format!("{owner}, {}: {goods}", group.method)));
    }
}

fn lines_content<'a>(lines: impl Iterator<Item = (&'a str, i64, &'a str)>) -> String {
    let mut lines: Vec<String> = lines.map(|(id, quantity, sku)| format!("{id} {quantity} {sku}")).collect();
    lines.sort_unstable();
    lines.join("; ")
}

/// What a confirmed order and its event say alike, field by field.
fn confirmed_content(confirmed: &pb::OrderConfirmed) -> Vec<u8> {
    pb::OrderConfirmed {
        order_id: confirmed.order_id.clone(),
        customer_id: confirmed.customer_id.clone(),
        guest_id: confirmed.guest_id.clone(),
        total: confirmed.total.clone(),
        lines: confirmed.lines.clone(),
        confirmed_at: confirmed.confirmed_at,
        // The name outside may be given back.
        ..pb::OrderConfirmed::default()
    }
    .encode_to_vec()
}

/// What an event of this service says of its order. Not every version of an order publishes.
///
/// # Errors
/// When it is about another order than it says.
pub fn describe(event: &StoredEvent) -> std::result::Result<Vec<Fact>, String> {
    let (name, payload) = (event.event.type_name.as_str(), event.event.payload.as_slice());
    let mut facts = Vec::new();
    if name == pb::OrderConfirmed::full_name() {
        let told = pb::OrderConfirmed::decode(payload).map_err(|error| error.to_string())?;
        let fact = Fact::new("confirmed event", told.order_id.clone());
        facts.push(fact.content(&confirmed_content(&told)));
    }
    // The order's id is the first field of every event of an order; this message has no other.
    let order_id = pb::GetOrderRequest::decode(payload).map_err(|error| error.to_string())?.order_id;
    if order_id != event.event.aggregate_id {
        return Err(format!("{order_id} in an event of {}", event.event.aggregate_id));
    }
    let fact = Fact::new("event", order_id).version(event.event.aggregate_version);
    facts.push(fact.state("at least"));
    Ok(facts)
}
