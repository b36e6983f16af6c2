//! Group `client`: what a client was told against what is.

use std::collections::HashMap;

use contract::souk::order::v1::OrderState;

use super::super::facts::{Facts, Remembered};
use super::{Check, minor};

/// Every order that a client was told to be confirmed exists once, confirmed, at that amount.
pub(super) fn remembers(facts: &Facts, remembered: &Remembered) -> Check {
    let mut check = Check::new("client.remembers");
    let mut orders: HashMap<&str, Vec<_>> = HashMap::new();
    for order in &facts.orders {
        orders.entry(&order.order_id).or_default().push(order);
    }
    for (id, minor_units) in &remembered.0 {
        check.look();
        let id = id.to_string();
        match orders.get(id.as_str()).map(Vec::as_slice).unwrap_or_default() {
            [order] if order.state() == OrderState::Confirmed => {
                check.equal(&id, "total, as the client was told:", *minor_units, minor(order.total.as_ref()));
            }
            [order] => {
                let state = order.state().as_str_name().trim_start_matches("ORDER_STATE_").to_lowercase();
                check.broken(&id, "confirmed, as the client was told", state);
            }
            [] => check.broken(&id, "an order, as the client was told", "none"),
            several => check.broken(&id, "one order", several.len().to_string()),
        }
    }
    check
}
