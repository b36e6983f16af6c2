//! What a client was told.

use contract::souk::order::v1::OrderState;

use super::Check;
use crate::audit::books::{Books, Remembered, word};

/// `client.remembers`: every order that a client was told is confirmed exists, is confirmed, and has that amount.
pub fn remembers(books: &Books, remembered: &[Remembered]) -> Check {
    let mut check = Check::new("client.remembers");
    for told in remembered {
        check.examined += 1;
        let expected = format!("confirmed at {} minor units", told.minor_units);
        let Ok(index) = books.orders.binary_search_by_key(&told.order, |order| order.id) else {
            check.violated(told.order.to_string(), expected, "no such order");
            continue;
        };
        let order = &books.orders[index];
        if order.state != OrderState::Confirmed || order.total.minor != told.minor_units {
            let state = word(order.state.as_str_name(), "ORDER_STATE_");
            check.violated(
                told.order.to_string(),
                expected,
                format!("{state} at {} minor units", order.total.minor),
            );
        }
    }
    check
}
