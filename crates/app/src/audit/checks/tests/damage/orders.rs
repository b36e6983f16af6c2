//! Damage to orders, their payments and invoices.

use contract::souk::order::v1::{InvoiceKind, OrderState};
use contract::souk::payment::v1::PaymentState;
use kernel::{HoldId, OrderId, PaymentId};

use super::{Kind, at, finds, good, order, payment};
use crate::audit::books::Invoice;

#[test]
fn an_order_that_is_left_or_lost() {
    let (challenged, declined) = (order(Kind::Challenged), order(Kind::Declined));
    finds(|books| books.orders[at(Kind::Challenged)].live = false, &[("orders.at_rest", &challenged)]);
    finds(|books| books.orders[at(Kind::Challenged)].open = false, &[("orders.at_rest", &challenged)]);
    finds(
        |books| books.orders[at(Kind::Declined)].state = OrderState::Pending,
        &[("orders.at_rest", &declined)],
    );
    let paid = good().orders[0].clone();
    finds(
        |books| _ = books.orders.remove(0),
        &[
            ("ledger.orders", &paid.id.to_string()),
            ("stock.orders", &HoldId::from_bits(paid.id.bits()).to_string()),
            ("orders.payments", &paid.id.to_string()),
            ("orders.invoices", "invoice souk-0000000001"),
            ("client.remembers", &paid.id.to_string()),
        ],
    );
}

#[test]
fn a_payment_that_does_not_belong() {
    let paid = order(Kind::Paid);
    finds(
        |books| books.orders[0].payment = Some(PaymentId::from_bits(3)),
        &[("orders.payments", &format!("payment of {paid}"))],
    );
    finds(
        |books| _ = books.payments.remove(0),
        &[
            ("ledger.operations", "ledger entry led_00000000000000000000000000"),
            ("orders.payments", &format!("payment of {paid}")),
            ("provider.agrees", "testpay's authorization tpa_"),
            ("provider.agrees", "testpay's capture cap_"),
        ],
    );
    let voided = order(Kind::Voided);
    finds(
        |books| payment(books, Kind::Voided).state = PaymentState::Authorized,
        &[("orders.payments", &voided)],
    );
    finds(|books| books.orders[0].captured = false, &[("orders.captured", &paid)]);
}

#[test]
fn an_invoice_that_is_wrong_or_missing() {
    let paid = order(Kind::Paid);
    finds(
        |books| _ = books.invoices.remove(0),
        &[("orders.invoices", &paid), ("orders.invoice_numbers", "invoice souk-0000000001")],
    );
    finds(|books| _ = books.invoices.pop(), &[("orders.invoices", "invoice of ord_")]);
    finds(|books| books.invoices[0].total.minor -= 1, &[("orders.invoices", "invoice souk-0000000001")]);
    finds(
        |books| books.invoices[0].order = OrderId::from_bits(9),
        &[("orders.invoices", &paid), ("orders.invoices", "invoice souk-0000000001")],
    );
    finds(
        |books| {
            let credit_note = |invoice: &Invoice| invoice.kind == InvoiceKind::CreditNote;
            let at = books.invoices.iter().position(credit_note).expect("a credit note");
            books.invoices.remove(at);
        },
        &[
            ("orders.invoices", &order(Kind::Refunded)),
            ("orders.invoice_numbers", "credit note souk-C-0000000001"),
        ],
    );
    finds(
        |books| books.invoices.iter_mut().last().expect("an invoice").number = 9,
        &[("orders.invoice_numbers", "invoice souk-0000000005 to invoice souk-0000000008")],
    );
    finds(
        |books| books.invoices.iter_mut().last().expect("an invoice").number = 4,
        &[("orders.invoice_numbers", "invoice souk-0000000004")],
    );
}
