//! Damage to contents: what sums and counts do not show.

use contract::souk::order::v1::{InvoiceKind, TenderState};
use contract::souk::payment::v1::{LedgerEntryKind, PaymentState};
use kernel::{Currency, Money, PaymentId, Timestamp};

use super::{Kind, at, entry, finds, good, order, payment};
use crate::audit::books::{Books, Finding, Head, Heads};
use crate::audit::checks::{all, present_heads};

#[test]
fn what_a_service_finds_is_told_by_its_check() {
    let finding = |check: &str| Finding {
        check: check.into(),
        row: "row of ord_1".into(),
        expected: "what was sealed".into(),
        found: "another content".into(),
        in_flight: false,
    };
    for check in [
        "orders.sealed",
        "orders.quotes",
        "orders.history",
        "orders.states",
        "payments.sealed",
        "payments.states",
    ] {
        finds(|books| books.findings.push(finding(check)), &[(check, "row of ord_1")]);
    }
    finds(|books| books.findings.push(finding("of.tomorrow")), &[("payments.states", "row of ord_1")]);
}

#[test]
fn a_payment_that_is_not_its_orders() {
    let paid = order(Kind::Paid);
    finds(|books| books.orders[0].owner = "cus_2".into(), &[("orders.owners", &paid)]);
    finds(|books| books.payments[0].owner = "gst_1".into(), &[("orders.owners", &paid)]);
    // What was captured is then not the whole of it any more.
    let (amount, state) = (format!("{paid}, amount"), format!("{paid}, state"));
    let both = [("orders.tenders", amount.as_str()), ("orders.tenders", state.as_str())];
    finds(|books| books.payments[0].amount.minor += 1, &both);
    finds(|books| books.payments[0].amount = Money::new(1250, Currency::EUR), &both);
    finds(
        |books| {
            let id = PaymentId::from_bits(books.payments[0].id.bits() + 1);
            books.payments[0].id = id;
            books.orders[0].payment = Some(id);
            books.ledger.entries[0].payment = id;
            books.ledger.entries.iter_mut().for_each(|entry| entry.seal = None);
            (books.ledger.sealed, books.ledger.unsealed) = (0, books.ledger.entries.len() as i64);
            books.provider.authorizations[0].payment = id.to_string().into();
        },
        &[("orders.tenders", &format!("{paid}, id"))],
    );
}

#[test]
fn money_that_does_not_stand_as_the_order_says() {
    let state = |kind: Kind| format!("{}, state", order(kind));
    for (kind, tender) in [
        (Kind::Paid, TenderState::Refunded),
        (Kind::Paid, TenderState::Voided),
        (Kind::Paid, TenderState::Declined),
        (Kind::Paid, TenderState::Pending),
        (Kind::Paid, TenderState::Unspecified),
        (Kind::Declined, TenderState::Captured),
        (Kind::Voided, TenderState::Authorized),
    ] {
        finds(|books| books.orders[at(kind)].tender = tender, &[("orders.tenders", &state(kind))]);
    }
    finds(
        |books| payment(books, Kind::Declined).state = PaymentState::Captured,
        &[("orders.tenders", &state(Kind::Declined))],
    );
}

#[test]
fn a_document_that_is_not_its_orders() {
    finds(|books| books.invoices[0].tax.minor += 1, &[("documents.orders", "invoice souk-0000000001")]);
    finds(
        |books| books.invoices[0].issued = Timestamp::from_secs(1),
        &[("documents.orders", "invoice souk-0000000001")],
    );
    finds(
        |books| {
            let issued = books.invoices[0].issued;
            books.invoices[0].issued = books.invoices[1].issued;
            books.invoices[1].issued = issued;
        },
        &[("documents.orders", "invoice souk-0000000001"), ("documents.orders", "invoice souk-0000000002")],
    );
    finds(
        |books| {
            let credit_note = books.invoices.iter_mut().find(|row| row.kind == InvoiceKind::CreditNote);
            credit_note.expect("a credit note").issued = Timestamp::from_secs(1);
        },
        &[("documents.orders", "credit note souk-C-0000000001")],
    );
    finds(
        |books| books.orders[at(Kind::Refunded)].tender = TenderState::Captured,
        &[("documents.orders", "credit note souk-C-0000000001")],
    );
}

#[test]
fn numbers_that_do_not_go_on() {
    finds(|books| books.numbering[0].next -= 1, &[("documents.numbering", "counter of invoice souk")]);
    finds(|books| books.numbering[0].next += 3, &[("documents.numbering", "counter of invoice souk")]);
    finds(|books| books.numbering[1].next = 0, &[("documents.numbering", "counter of credit_note souk")]);
    finds(|books| books.numbering[0].broken = 2, &[("documents.sealed", "invoice souk 2")]);
    finds(
        |books| books.numbering[0].unsealed_since = Some(Timestamp::from_secs(9)),
        &[("documents.sealed", "invoice souk")],
    );
    finds(
        |books| _ = books.numbering.remove(1),
        &[
            ("documents.numbering", "credit note souk-C-0000000001"),
            ("documents.numbering", "credit note souk-C-0000000002"),
        ],
    );
}

#[test]
fn an_entry_that_is_not_its_operations() {
    let first = "ledger entry led_00000000000000000000000000";
    let sealed = ("ledger.sealed", first);
    finds(
        |books| books.ledger.entries[0].postings[1].0 = "refunds".into(),
        &[sealed, ("ledger.accounts", first)],
    );
    finds(|books| books.ledger.entries[0].postings.swap(0, 1), &[sealed, ("ledger.accounts", first)]);
    finds(
        |books| books.ledger.entries[0].time = Timestamp::from_secs(3),
        &[sealed, ("ledger.accounts", first)],
    );
    finds(
        |books| books.ledger.entries[0].id = "led_x".into(),
        &[("ledger.sealed", "ledger entry led_x"), ("ledger.accounts", "ledger entry led_x")],
    );
    finds(
        |books| {
            let reversal = entry(books, LedgerEntryKind::RefundReversal);
            reversal.time = Timestamp::from_secs(3);
        },
        &[("ledger.sealed", "r ("), ("ledger.accounts", "r")],
    );
}

#[test]
fn a_provider_whose_rows_have_another_content() {
    let paid = order(Kind::Paid);
    finds(
        |books| books.provider.authorizations[0].method = "pm_card_mastercard".into(),
        &[("provider.records", &format!("{paid}, method"))],
    );
    finds(
        |books| books.provider.authorizations[0].captured.minor -= 1,
        &[("provider.records", &format!("{paid}, captured"))],
    );
    finds(
        |books| books.provider.authorizations[0].refunded.minor += 1,
        &[("provider.records", &format!("{paid}, refunded"))],
    );
    finds(
        |books| payment(books, Kind::Declined).attempts[0].failure = "insufficient_funds".into(),
        &[("provider.records", "decline code")],
    );
    finds(
        |books| books.provider.captures[0].id = "tp_x".into(),
        &[("provider.records", "name at the provider")],
    );
    finds(
        |books| books.payments[0].captures[0].reference = "".into(),
        &[("provider.records", "name at the provider")],
    );
    finds(
        |books| payment(books, Kind::Refunded).refunds[0].reference = "tp_x".into(),
        &[("provider.records", "name at the provider")],
    );
}

#[test]
fn a_chain_that_was_cut_or_made_anew() {
    finds(
        |books| books.ledger.entries[2].seal.as_mut().expect("sealed").keyed_holds = false,
        &[("ledger.keyed", "ledger position 3")],
    );
    let former = present_heads(&good());
    assert_eq!(former["ledger"], Head { position: 7, hash: b"keyed 7".as_slice().into() });
    assert_eq!(former.len(), 3, "{former:?}");
    let against = |former: &Heads, damage: fn(&mut Books)| -> Vec<String> {
        let mut books = good();
        books.former = Some(former.clone());
        damage(&mut books);
        let checks = all(&books);
        let check = checks.iter().find(|check| check.name == "audit.heads").expect("compared");
        assert_eq!(check.examined, 3);
        check.violations.iter().map(|violation| violation.at.clone()).collect()
    };
    assert_eq!(against(&former, |_| ()), Vec::<String>::new());
    let cut = against(&former, |books| {
        _ = books.ledger.entries.iter_mut().rev().find_map(|entry| entry.seal.take())
    });
    assert_eq!(cut, ["ledger, position 7"]);
    let anew = against(&former, |books| {
        for seal in books.ledger.entries.iter_mut().filter_map(|entry| entry.seal.as_mut()) {
            seal.keyed = b"anew".as_slice().into();
        }
        books.invoices.iter_mut().for_each(|row| row.seal = b"anew".as_slice().into());
    });
    assert_eq!(anew, ["credit_note souk, position 2", "invoice souk, position 5", "ledger, position 7"]);
    let mut other = former.clone();
    other.insert("invoice elsewhere".into(), Head { position: 1, hash: b"x".as_slice().into() });
    other.remove("ledger");
    assert_eq!(against(&other, |_| ()), ["invoice elsewhere, position 1"]);
    let mut grown = good();
    grown.former =
        Some(Heads::from([("ledger".to_owned(), Head { position: 2, hash: b"keyed 2".as_slice().into() })]));
    assert!(
        all(&grown).iter().all(|check| check.holds()),
        "a chain that has grown still has its former head"
    );
}
