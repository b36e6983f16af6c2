//! Orders beside their payments: the owner, the amount, where the money stands.

use std::collections::HashMap;

use contract::souk::order::v1::TenderState;
use contract::souk::payment::v1::PaymentState;
use kernel::{OrderId, PaymentId};

use super::Check;
use crate::audit::books::{Books, Order, Payment, word};

/// `orders.owners`: a payment is its order's owner's.
pub fn owners(books: &Books) -> Check {
    each(books, "orders.owners", |check, order, payment| {
        if payment.owner != order.owner {
            let at = format!("{} of {}", payment.id, order.id);
            check.violated(at, format!("owner {}", order.owner), format!("owner {}", payment.owner));
        }
    })
}

/// `orders.tenders`: a payment is of its order's total, its id follows from the order's, and it stands as the order says.
pub fn tenders(books: &Books) -> Check {
    each(books, "orders.tenders", |check, order, payment| {
        let at = format!("{} of {}", payment.id, order.id);
        if payment.amount != order.total {
            check.violated(format!("{at}, amount"), order.total.to_string(), payment.amount.to_string());
        }
        // The order names no other payment: the one of its first and only tender has its bits.
        if payment.id != PaymentId::from_bits(order.id.bits()) {
            check.violated(format!("{at}, id"), PaymentId::from_bits(order.id.bits()).to_string(), "another");
        }
        if !fits(order.tender, payment) {
            let expected = format!("one that fits {}", word(order.tender.as_str_name(), "TENDER_STATE_"));
            let found = format!(
                "{}, captured {}, refunded {}",
                word(payment.state.as_str_name(), "PAYMENT_STATE_"),
                payment.captured,
                payment.refunded
            );
            check.note(format!("{at}, state"), expected, found, order.open);
        }
    })
}

fn each(books: &Books, name: &'static str, rule: impl Fn(&mut Check, &Order, &Payment)) -> Check {
    let mut check = Check::new(name);
    let orders: HashMap<OrderId, &Order> = books.orders.iter().map(|order| (order.id, order)).collect();
    for payment in &books.payments {
        check.examined += 1;
        // A payment without its order is another check's.
        if let Some(order) = orders.get(&payment.order) {
            rule(&mut check, order, payment);
        }
    }
    check
}

/// Whether a payment may stand so while its order says that.
fn fits(tender: TenderState, payment: &Payment) -> bool {
    let captured = payment.state == PaymentState::Captured;
    match tender {
        TenderState::Captured => captured && payment.captured == payment.amount,
        TenderState::Refunded => captured && payment.refunded == payment.captured,
        // What was asked to be captured may have been, and the order not know it yet.
        TenderState::Authorized => captured || payment.state == PaymentState::Authorized,
        TenderState::Voided => payment.state == PaymentState::Voided,
        TenderState::Declined => {
            matches!(payment.state, PaymentState::Failed | PaymentState::Voiding | PaymentState::Voided)
        }
        // The order has not heard yet.
        TenderState::Pending => !captured,
        TenderState::Unspecified => false,
    }
}
