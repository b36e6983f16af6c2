//! Invoices and credit notes: their content, their numbers, their chain.

use std::collections::HashMap;

use contract::souk::order::v1::{InvoiceKind, OrderState, TenderState};
use kernel::{OrderId, Timestamp};

use super::Check;
use crate::audit::books::{Books, Invoice, Numbering, Order, word};

/// `documents.orders`: a document has the tax of its order; an invoice is of the moment of the confirmation, a credit note of that
/// of the cancellation, and only for money that was given back.
pub fn orders(books: &Books) -> Check {
    let mut check = Check::new("documents.orders");
    let orders: HashMap<OrderId, &Order> = books.orders.iter().map(|order| (order.id, order)).collect();
    for document in &books.invoices {
        check.examined += 1;
        // A document without its order is another check's.
        let Some(order) = orders.get(&document.order) else { continue };
        let at = format!("{} of {}", name(document), order.id);
        if document.tax != order.tax {
            check.violated(format!("{at}, tax"), order.tax.to_string(), document.tax.to_string());
        }
        let issued = match document.kind {
            InvoiceKind::CreditNote => Some(order.updated),
            _ => order.confirmed,
        };
        let known = document.kind != InvoiceKind::CreditNote || order.state == OrderState::Cancelled;
        if known && issued != Some(document.issued) {
            let expected = issued.map_or("an order that was confirmed".to_owned(), time);
            check.note(format!("{at}, issued"), expected, time(document.issued), order.open);
        }
        let back =
            matches!(order.tender, TenderState::Refunded | TenderState::Voided | TenderState::Unspecified);
        if document.kind == InvoiceKind::CreditNote && !back {
            let found = word(order.tender.as_str_name(), "TENDER_STATE_");
            check.note(at, "money that was given back", found, order.open);
        }
    }
    check
}

/// `documents.numbering`: the counter of each series is the number after the greatest.
pub fn numbering(books: &Books) -> Check {
    let mut check = Check::new("documents.numbering");
    for series in &books.numbering {
        check.examined += 1;
        let expected = series.greatest.saturating_add(1);
        if series.next != expected {
            let found = if series.next == 0 { "no counter".to_owned() } else { series.next.to_string() };
            check.violated(format!("counter of {}", chain(series)), expected.to_string(), found);
        }
    }
    for document in &books.invoices {
        check.examined += 1;
        let counted = |series: &&Numbering| {
            series.legal_entity == document.legal_entity && series.kind == document.kind
        };
        if !books.numbering.iter().any(|series| counted(&series)) {
            check.violated(name(document), "a counter of its series", "none");
        }
    }
    check
}

/// `documents.sealed`: each document follows in the keyed chain from the one before it in number.
pub fn sealed(books: &Books) -> Check {
    let mut check = Check::new("documents.sealed");
    for series in &books.numbering {
        check.examined += 1;
        if series.broken != 0 {
            let found = "another content, another number, or one before it is missing";
            check.violated(format!("{} {}", chain(series), series.broken), "what was sealed", found);
        }
        if let Some(since) = series.unsealed_since {
            let found = format!("one of {} without", time(since));
            check.note(chain(series), "a seal within a second", found, true);
        }
    }
    check
}

/// The name of a series' chain, as heads are told under.
#[must_use]
pub fn chain(series: &Numbering) -> String {
    format!("{} {}", word(series.kind.as_str_name(), "INVOICE_KIND_"), series.legal_entity)
}

fn name(document: &Invoice) -> String {
    let mark = if document.kind == InvoiceKind::CreditNote { "-C" } else { "" };
    let kind = word(document.kind.as_str_name(), "INVOICE_KIND_").replace('_', " ");
    format!("{kind} {}{mark}-{:010}", document.legal_entity, document.number)
}

fn time(time: Timestamp) -> String {
    format!("{} µs", time.micros())
}
