//! Orders: where they stand, their payments and captures, their invoices.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use contract::souk::order::v1::{InvoiceKind, OrderState};
use contract::souk::payment::v1::PaymentState;
use kernel::OrderId;

use super::Check;
use crate::audit::books::{Books, Invoice, Order, word};

/// `orders.at_rest`: every order is confirmed, cancelled or failed with nothing left to do, or somebody works on it.
pub fn at_rest(books: &Books) -> Check {
    let mut check = Check::new("orders.at_rest");
    for order in &books.orders {
        check.examined += 1;
        let rest = matches!(order.state, OrderState::Confirmed | OrderState::Cancelled | OrderState::Failed);
        if order.open && !order.live {
            let found = format!("{}, and nobody works on it", state(order));
            check.note(order.id.to_string(), "at rest, or a live saga", found, true);
        } else if !order.open && !rest {
            check.violated(
                order.id.to_string(),
                "at rest, or a live saga",
                format!("{}, and left so", state(order)),
            );
        }
    }
    check
}

/// `orders.payments`: no payment is without its order, no order without the payment that it names, and no money stays reserved
/// for an order that came to nothing.
pub fn payments(books: &Books) -> Check {
    let mut check = Check::new("orders.payments");
    let orders: HashMap<OrderId, &Order> = books.orders.iter().map(|order| (order.id, order)).collect();
    for payment in &books.payments {
        check.examined += 1;
        let at = || format!("{} of {}", payment.id, payment.order);
        let stands = word(payment.state.as_str_name(), "PAYMENT_STATE_");
        let Some(order) = orders.get(&payment.order) else {
            check.violated(at(), "an order", format!("none; {stands}, captured {}", payment.captured));
            continue;
        };
        let ended = !order.open && matches!(order.state, OrderState::Cancelled | OrderState::Failed);
        let settled =
            matches!(payment.state, PaymentState::Captured | PaymentState::Failed | PaymentState::Voided);
        if ended && !settled {
            check.violated(at(), format!("nothing reserved for an order that is {}", state(order)), stands);
        }
    }
    for order in &books.orders {
        let Some(id) = order.payment else { continue };
        check.examined += 1;
        let found = books.payments.binary_search_by_key(&id, |payment| payment.id);
        let found = found.ok().map(|at| books.payments[at].order);
        if found != Some(order.id) {
            let found = found.map_or("none".to_owned(), |other| format!("one of {other}"));
            check.violated(format!("payment of {}", order.id), id.to_string(), found);
        }
    }
    check
}

/// `orders.captured`: no order is confirmed without its capture, or a running one.
pub fn captured(books: &Books) -> Check {
    let mut check = Check::new("orders.captured");
    for order in &books.orders {
        if order.state != OrderState::Confirmed || order.expected_net.is_zero() {
            continue;
        }
        check.examined += 1;
        let running = order.open && order.live;
        if !order.captured && !running {
            let expected = format!("{} captured, or a running capture", order.expected_net);
            check.note(order.id.to_string(), expected, "neither", order.open);
        }
    }
    check
}

/// `orders.invoices`: every confirmed order has exactly one invoice at its total, every order cancelled after that a credit note
/// too, and there are no others.
pub fn invoices(books: &Books) -> Check {
    let mut check = Check::new("orders.invoices");
    let mut of_order: HashMap<OrderId, Vec<&Invoice>> = HashMap::with_capacity(books.orders.len());
    for invoice in &books.invoices {
        check.examined += 1;
        of_order.entry(invoice.order).or_default().push(invoice);
    }
    for order in &books.orders {
        check.examined += 1;
        let documents = of_order.remove(&order.id).unwrap_or_default();
        let count = |kind| documents.iter().filter(|document| document.kind == kind).count();
        let found = (count(InvoiceKind::Invoice), count(InvoiceKind::CreditNote));
        let (fits, expected) = match order.state {
            OrderState::Confirmed => (found == (1, 0), "one invoice"),
            OrderState::Cancelled => {
                (matches!(found, (0, 0) | (1, 1)), "an invoice with its credit note, or neither")
            }
            OrderState::Cancelling => (matches!(found, (0 | 1, 0)), "at most one invoice"),
            _ => (found == (0, 0), "no invoice"),
        };
        if !fits {
            let expected = format!("{expected}, as it is {}", state(order));
            let found = format!("{} invoices, {} credit notes", found.0, found.1);
            check.note(format!("invoice of {}", order.id), expected, found, order.open);
        }
        for document in documents.iter().filter(|document| document.total != order.total) {
            check.violated(
                format!("{} of {}", name(document), order.id),
                order.total.to_string(),
                document.total.to_string(),
            );
        }
    }
    let mut strays: Vec<&Invoice> = of_order.into_values().flatten().collect();
    strays.sort_unstable_by_key(|invoice| (invoice.order, invoice.number));
    for invoice in strays {
        check.violated(name(invoice), format!("an order {}", invoice.order), "none");
    }
    check
}

/// `orders.invoice_numbers`: numbers are 1, 2, 3, … per legal entity and kind of document.
pub fn invoice_numbers(books: &Books) -> Check {
    let mut check = Check::new("orders.invoice_numbers");
    let mut numbers: BTreeMap<(Arc<str>, InvoiceKind), Vec<i64>> = BTreeMap::new();
    for invoice in &books.invoices {
        check.examined += 1;
        numbers.entry((Arc::clone(&invoice.legal_entity), invoice.kind)).or_default().push(invoice.number);
    }
    for ((entity, kind), mut numbers) in numbers {
        numbers.sort_unstable();
        let mut last = 0;
        for number in numbers {
            if number <= last {
                check.violated(number_name(&entity, kind, number), "one document", "two");
            } else if number == last + 2 {
                check.violated(number_name(&entity, kind, last + 1), "a document", "none");
            } else if number > last + 1 {
                let (first, end) =
                    (number_name(&entity, kind, last + 1), number_name(&entity, kind, number - 1));
                check.violated(format!("{first} to {end}"), "a document each", "none");
            }
            last = number.max(last);
        }
    }
    check
}

fn state(order: &Order) -> String {
    word(order.state.as_str_name(), "ORDER_STATE_")
}

fn name(invoice: &Invoice) -> String {
    number_name(&invoice.legal_entity, invoice.kind, invoice.number)
}

/// A document's number as it is printed.
fn number_name(entity: &str, kind: InvoiceKind, number: i64) -> String {
    match kind {
        InvoiceKind::CreditNote => format!("credit note {entity}-C-{number:010}"),
        _ => format!("invoice {entity}-{number:010}"),
    }
}
