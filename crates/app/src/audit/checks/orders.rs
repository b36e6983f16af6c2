//! Group `orders`: states, captures, totals, invoice numbers.

use std::collections::{BTreeMap, HashMap};

use contract::souk::order::v1::{AuditOrder, InvoiceKind, OrderState};

use super::super::facts::Facts;
use super::{Check, minor, text};

fn name(state: OrderState) -> String {
    state.as_str_name().trim_start_matches("ORDER_STATE_").to_lowercase()
}

/// Every order is at rest, or a saga that lives takes care of it.
pub(super) fn at_rest(facts: &Facts) -> Check {
    let mut check = Check::new("orders.at_rest");
    for order in &facts.orders {
        check.look();
        let rests =
            matches!(order.state(), OrderState::Confirmed | OrderState::Cancelled | OrderState::Failed);
        if order.open && !order.live_saga {
            check.broken(&order.order_id, "a live saga", format!("{}, left alone", name(order.state())));
        } else if !order.open && !rests {
            check.broken(
                &order.order_id,
                "at rest, or a live saga",
                format!("{}, and nothing to be done", name(order.state())),
            );
        }
    }
    check
}

/// No captured payment is without its order, and no confirmed order without its capture or one that is on its way.
pub(super) fn captured(facts: &Facts) -> Check {
    let mut check = Check::new("orders.captured");
    let orders: HashMap<&str, &AuditOrder> =
        facts.orders.iter().map(|order| (order.order_id.as_str(), order)).collect();
    let payments: HashMap<&str, _> = facts
        .payments
        .iter()
        .filter_map(|audited| audited.payment.as_ref())
        .map(|payment| (payment.id.as_str(), payment))
        .collect();
    for payment in payments.values().collect::<Vec<_>>() {
        check.look();
        let kept = minor(payment.captured.as_ref()) - minor(payment.refunded.as_ref());
        if kept <= 0 {
            continue;
        }
        let captured = || format!("{} captured", text(payment.captured.as_ref()));
        match orders.get(payment.order_id.as_str()) {
            None => check.broken(&payment.id, format!("an order {}", payment.order_id), captured()),
            Some(order) if !order.open && order.state() != OrderState::Confirmed => {
                check.broken(&payment.id, "nothing kept of an order that was undone", captured());
            }
            Some(order) if !order.payment_id.is_empty() && order.payment_id != payment.id => {
                check.broken(
                    &payment.id,
                    format!("{} alone pays {}", order.payment_id, order.order_id),
                    captured(),
                );
            }
            Some(_) => {}
        }
    }
    for order in facts.orders.iter().filter(|order| order.state() == OrderState::Confirmed && !order.open) {
        check.look();
        let total = minor(order.total.as_ref());
        if total == 0 {
            continue;
        }
        let paid =
            payments.get(order.payment_id.as_str()).map_or(0, |payment| minor(payment.captured.as_ref()));
        if paid != total || !order.captured {
            check.broken(
                &order.order_id,
                format!("{} captured", text(order.total.as_ref())),
                format!("{paid} minor units captured"),
            );
        }
    }
    check.violations.sort_by(|a, b| a.place.cmp(&b.place));
    check
}

/// The total of every order is what its frozen lines sum up to.
pub(super) fn totals(facts: &Facts) -> Check {
    let mut check = Check::new("orders.totals");
    for order in &facts.orders {
        check.look();
        if order.total != order.lines_total {
            check.broken(&order.order_id, text(order.lines_total.as_ref()), text(order.total.as_ref()));
        }
    }
    check
}

/// Numbers of each legal entity and kind of document are 1 to n without gaps, and every confirmed order has its own invoice.
pub(super) fn invoices(facts: &Facts) -> Check {
    let mut check = Check::new("orders.invoices");
    let mut series: BTreeMap<(&str, InvoiceKind), Vec<(i64, &str)>> = BTreeMap::new();
    let mut of_order: HashMap<&str, (&str, i64)> = HashMap::new();
    for invoice in &facts.invoices {
        check.look();
        series
            .entry((&invoice.legal_entity, invoice.kind()))
            .or_default()
            .push((invoice.number, &invoice.order_id));
        if invoice.kind() == InvoiceKind::Invoice {
            of_order.insert(&invoice.order_id, (&invoice.legal_entity, invoice.number));
        }
    }
    for ((entity, kind), mut numbers) in series {
        let kind = if kind == InvoiceKind::CreditNote { "credit note" } else { "invoice" };
        numbers.sort_unstable();
        let mut expected = 1;
        for (number, order) in numbers {
            if number != expected {
                let place = format!("{entity} {kind} {number} of {order}");
                check.broken(place, format!("number {expected}"), number.to_string());
            }
            expected = number + 1;
        }
    }
    for order in facts.orders.iter().filter(|order| order.state() == OrderState::Confirmed) {
        match of_order.get(order.order_id.as_str()) {
            None if order.open => {}
            None => check.broken(&order.order_id, "an invoice", "none"),
            Some((entity, number)) => {
                let known = (order.legal_entity.as_str(), order.invoice_number);
                if known != (*entity, *number) {
                    check.broken(
                        &order.order_id,
                        format!("invoice {entity} {number}"),
                        format!("{} {}", known.0, known.1),
                    );
                }
            }
        }
    }
    let orders: std::collections::HashSet<&str> =
        facts.orders.iter().map(|order| order.order_id.as_str()).collect();
    for invoice in facts.invoices.iter().filter(|invoice| !orders.contains(invoice.order_id.as_str())) {
        let at = format!("{} {}", invoice.legal_entity, invoice.number);
        check.broken(at, format!("an order {}", invoice.order_id), "none");
    }
    check
}
