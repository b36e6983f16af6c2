//! Each kind of damage to the rows of an order is named; an order that was left alone is not.

use std::time::Duration;

use chassis::testing::record_key;
use contract::souk::checkout::v1 as checkout;
use contract::wire::{money, unit_price};
use kernel::{Currency, Money, PaymentId, QuoteId, Timestamp, UnitPrice};
use prost::Message;

use super::*;
use crate::domain::tests::{new_order, policy};
use crate::domain::{
    Cart, Challenge, Decision, Ending, MadeShipment, Order, Outcome, Payment, Shipment, State, Stock, apply,
    cancel, next,
};
use crate::saga::DUE_PAST_LIMIT;
use crate::store::{History, LeftOut, SealedLine, SealedShipment};

const START: Timestamp = Timestamp::from_secs(1_700_000_000);

fn pounds(minor: i64) -> Option<contract::souk::r#type::v1::Money> {
    Some(money(Money::new(minor, Currency::GBP)))
}

fn vat(amount: i64) -> checkout::TaxLine {
    checkout::TaxLine {
        name: "VAT".into(),
        country_code: "GB".into(),
        rate_micros: 200_000,
        amount: pounds(amount),
        mode: checkout::TaxMode::Inclusive.into(),
    }
}

fn line(id: &str, micros: i64, quantity: i64, gross: i64, tax: i64) -> checkout::QuoteLine {
    let price = UnitPrice { micros, currency: Currency::GBP };
    checkout::QuoteLine {
        line_id: id.into(),
        sku: format!("SKU-{id}"),
        name: "Harbour bowl".into(),
        quantity,
        unit_price: Some(unit_price(price)),
        subtotal: pounds(gross),
        net: pounds(gross - tax),
        tax: pounds(tax),
        gross: pounds(gross),
        tax_lines: vec![vat(tax)],
        shipment_group_id: "sgr_1".into(),
        ..Default::default()
    }
}

/// Two lines of 3 × 1.45 and 1 × 2.60 with a parcel of 3.99, tax of 20 % in the prices.
fn quote() -> checkout::Quote {
    let group = checkout::QuoteShipmentGroup {
        shipment_group_id: "sgr_1".into(),
        subtotal: pounds(399),
        net: pounds(333),
        tax: pounds(66),
        gross: pounds(399),
        tax_lines: vec![vat(66)],
        ..Default::default()
    };
    checkout::Quote {
        quote_id: QuoteId::from_bits(7).to_string(),
        owner: "cus_1".into(),
        cart_id: "crt_1".into(),
        currency_code: "GBP".into(),
        tax_mode: checkout::TaxMode::Inclusive.into(),
        rounding_mode: contract::souk::r#type::v1::RoundingMode::HalfEven.into(),
        rounding_level: contract::souk::r#type::v1::RoundingLevel::Line.into(),
        lines: vec![line("a", 1_450_000, 3, 435, 72), line("b", 2_600_000, 1, 260, 43)],
        shipment_groups: vec![group],
        totals: Some(checkout::QuoteTotals {
            items: pounds(695),
            shipping: pounds(399),
            tax: pounds(181),
            grand: pounds(1094),
            tax_lines: vec![vat(181)],
        }),
        ..Default::default()
    }
}

fn seals() -> Seals {
    Seals::new(record_key(1))
}

/// An order as its rows stand after some outcomes, sealed as the store seals.
struct Written {
    row: AuditRow,
    quote: checkout::Quote,
}

impl Written {
    fn new(quote: checkout::Quote) -> Self {
        let tax =
            quote.totals.as_ref().and_then(|totals| totals.tax.as_ref()).map_or(0, |tax| tax.minor_units);
        let new = crate::domain::NewOrder {
            line_count: 2,
            units: 4,
            tax: Money::new(tax, Currency::GBP),
            ..new_order(QuoteId::from_bits(7), Money::new(1094, Currency::GBP))
        };
        let decision = Order::place(new, &policy(), START);
        let row = AuditRow {
            order: decision.order.clone(),
            left_out: Vec::new(),
            lease_owner: String::new(),
            seal: Vec::new(),
            quote: quote.encode_to_vec(),
            quote_seal: Vec::new(),
            history: Vec::new(),
            shipments: Vec::new(),
        };
        let mut written = Self { row, quote };
        written.record(decision);
        written
    }

    fn record(&mut self, decision: Decision) {
        let mut order = decision.order;
        let actor = if decision.actor.is_empty() { "order".to_owned() } else { decision.actor };
        let line = History {
            version: order.version,
            at: order.updated_at,
            actor,
            state: order.state,
            what: decision.what.to_owned(),
            note: decision.note,
        };
        order.history_seal = seals().history(&self.row.order.history_seal, order.id, &line);
        self.row.history.push(SealedLine { line, seal: order.history_seal.clone() });
        for made in decision.shipments {
            let seal = seals().shipment(order.id, &made);
            self.row.shipments.push(SealedShipment { made, seal });
        }
        self.row.order = order;
        self.seal();
    }

    /// Seals the order and the quote as they stand.
    fn seal(&mut self) {
        self.row.quote = self.quote.encode_to_vec();
        self.row.quote_seal = seals().quote(self.row.order.id, &self.row.quote);
        self.row.seal = seals().order(&self.row.order);
    }

    fn walk(mut self, outcomes: Vec<Outcome>) -> Self {
        for outcome in outcomes {
            let order = self.row.order.clone();
            let step = next(&order, START);
            let decision = apply(order, step, outcome, &policy(), START).expect("an outcome of the step");
            self.record(decision);
        }
        self
    }

    fn findings(&self) -> Vec<AuditFinding> {
        examine(&self.row, &seals(), at(START))
    }
}

fn at(now: Timestamp) -> Times {
    Times { now, started: START }
}

fn held() -> Outcome {
    Outcome::Held { until: START.plus(Duration::from_secs(900)) }
}

fn payment() -> PaymentId {
    PaymentId::from_bits(7)
}

fn placed() -> Written {
    Written::new(quote())
}

fn completed() -> Written {
    let made = MadeShipment { group_id: "sgr_1".into(), shipment_id: "shp_1".into() };
    let done = Outcome::FollowedUp { captured: true, shipped: Some(vec![made]), cleared: true };
    placed().walk(vec![held(), Outcome::Authorized(payment()), Outcome::StockCommitted, done])
}

fn refunded() -> Written {
    let mut written = completed();
    let order = written.row.order.clone();
    let decision = cancel(order, "cus_1", "too large", START).expect("may be").expect("is");
    written.record(decision);
    written.walk(vec![Outcome::ShipmentRecalled, Outcome::PaymentRefunded, Outcome::StockReturned])
}

fn challenged() -> Written {
    let challenge = Challenge { url: "https://bank.example".into(), id: "t".into() };
    placed().walk(vec![held(), Outcome::Challenged(payment(), challenge)])
}

fn declined() -> Written {
    let ending = Ending::new("PAYMENT_DECLINED", "the card was declined");
    placed().walk(vec![held(), Outcome::PaymentRefused(Some(payment()), ending), Outcome::StockReleased])
}

#[test]
fn orders_that_nobody_damaged_hold() {
    for written in [placed(), completed(), refunded(), challenged(), declined()] {
        assert_eq!(written.findings(), Vec::new(), "{:?}", written.row.order.state);
    }
}

/// Damages an order and asserts that a check names it; with the row sealed anew when `sealed`, as if the key were known.
fn names(mut written: Written, sealed: bool, damage: impl FnOnce(&mut Written), check: &str, part: &str) {
    damage(&mut written);
    if sealed {
        written.seal();
    }
    let findings = written.findings();
    let named = findings.iter().any(|finding| finding.check == check && finding.row.starts_with(part));
    assert!(named, "{check} should name {part}: {findings:#?}");
}

/// A kind of damage to an order.
type Damage = fn(&mut Order);

#[test]
fn every_column_of_an_order_is_sealed() {
    let damages: [Damage; 26] = [
        |order| order.state = State::Cancelled,
        |order| order.owner.push('2'),
        |order| order.placed_by.push('2'),
        |order| order.external_reference = None,
        |order| order.external_time = Some(START),
        |order| order.total.currency = Currency::EUR,
        |order| order.total.minor += 1,
        |order| order.tax.minor += 1,
        |order| order.line_count += 1,
        |order| order.units += 1,
        |order| order.first_product.push('s'),
        |order| order.payment_method = "pm_card_mastercard".into(),
        |order| order.stock = Stock::Held,
        |order| order.payment = Payment::Voided,
        |order| order.shipment = Shipment::Left,
        |order| order.cart = Cart::Asked,
        |order| order.approval = crate::domain::Approval::Given,
        |order| order.attempt += 1,
        |order| order.payment_id = None,
        |order| order.hold_until = START,
        |order| order.limit_at = START,
        |order| order.challenge = Some(Challenge::default()),
        |order| order.ending = Some(Ending::new("CANCELLED", "")),
        |order| order.created_at = START.plus(Duration::from_secs(1)),
        |order| order.updated_at = START.plus(Duration::from_secs(1)),
        |order| order.confirmed_at = None,
    ];
    for damage in damages {
        names(completed(), false, |written| damage(&mut written.row.order), SEALED, "row of");
    }
    let moved_by_the_worker: [Damage; 2] = [|order| order.tries += 1, |order| order.version += 1];
    for change in moved_by_the_worker {
        let mut written = completed();
        change(&mut written.row.order);
        assert_eq!(written.findings(), Vec::new());
    }
}

#[test]
fn rows_beside_the_order_are_sealed() {
    names(completed(), false, |written| written.row.seal.clear(), SEALED, "row of");
    names(completed(), false, |written| written.row.quote[30] ^= 1, SEALED, "quote of");
    names(completed(), false, |written| written.row.quote_seal.clear(), SEALED, "quote of");
    names(
        completed(),
        false,
        |written| written.row.shipments[0].made.shipment_id.push('2'),
        SEALED,
        "shipment sgr_1",
    );
    let lines: [fn(&mut History); 6] = [
        |line| line.version += 10,
        |line| line.at = START.plus(Duration::from_secs(1)),
        |line| line.actor = "cus_2".into(),
        |line| line.state = State::Confirmed,
        |line| line.what = "APPROVED".into(),
        |line| line.note.push('!'),
    ];
    for damage in lines {
        names(completed(), false, |written| damage(&mut written.row.history[1].line), SEALED, "history");
    }
    names(completed(), false, |written| _ = written.row.history.remove(1), SEALED, "history 3");
    names(completed(), false, |written| _ = written.row.history.pop(), SEALED, "history of");
    names(completed(), false, |written| written.row.history.swap(1, 2), SEALED, "history");
    let lost = orphan(&Orphan { kind: "history", order_id: "ord_1".into() });
    assert_eq!((lost.check.as_str(), lost.row.as_str()), (SEALED, "history of ord_1"));
}

/// Changes something of a quote.
type QuoteDamage = fn(&mut checkout::Quote);

#[test]
fn a_quote_that_does_not_come_to_what_it_says() {
    let quotes: [(QuoteDamage, &str); 13] = [
        (|quote| quote.lines[0].quantity = 4, "line a (SKU-a), subtotal"),
        (
            |quote| quote.lines[0].unit_price.as_mut().expect("a price").micros += 10_000,
            "line a (SKU-a), subtotal",
        ),
        (|quote| quote.lines[1].subtotal = pounds(261), "line b (SKU-b), subtotal"),
        (|quote| quote.lines[1].net = pounds(218), "line b (SKU-b), net"),
        (|quote| quote.lines[1].gross = pounds(261), "line b (SKU-b), gross"),
        (|quote| quote.lines[0].tax = pounds(73), "line a (SKU-a), tax"),
        (|quote| quote.lines[0].tax_lines[0].rate_micros = 50_000, "line a (SKU-a), VAT GB at 50000"),
        (|quote| quote.shipment_groups[0].tax_lines[0].amount = pounds(67), "shipping sgr_1"),
        (|quote| quote.totals.as_mut().expect("totals").items = pounds(694), "totals, items"),
        (|quote| quote.totals.as_mut().expect("totals").tax_lines.clear(), "totals, VAT GB at 200000"),
        (|quote| quote.lines[0].subtotal.as_mut().expect("money").currency_code = "EUR".into(), "quote of"),
        (|quote| _ = quote.lines.pop(), "line_count"),
        (|quote| quote.owner = "cus_2".into(), "owner"),
    ];
    for (damage, part) in quotes {
        names(completed(), true, |written| damage(&mut written.quote), QUOTES, part);
    }
    names(completed(), false, |written| written.row.quote = vec![255; 9], QUOTES, "quote of");
    names(completed(), false, |written| written.row.quote.clear(), QUOTES, "quote of");
}

#[test]
fn sums_that_are_rounded_once_may_share_the_remainder() {
    let mut quote = quote();
    quote.rounding_level = contract::souk::r#type::v1::RoundingLevel::Total.into();
    // 435 + 260 + 399 = 1094, of which 182.33 is tax: 182 over all three, shared as 73 + 43 + 66; by themselves they come to 181.
    for (line, tax) in [(0, 73), (1, 43)] {
        let gross = quote.lines[line].gross.clone().expect("money").minor_units;
        quote.lines[line].tax = pounds(tax);
        quote.lines[line].net = pounds(gross - tax);
        quote.lines[line].tax_lines = vec![vat(tax)];
    }
    let totals = quote.totals.as_mut().expect("totals");
    (totals.tax, totals.tax_lines) = (pounds(182), vec![vat(182)]);
    assert_eq!(Written::new(quote.clone()).findings(), Vec::new());
    quote.lines[0].tax_lines = vec![vat(70)];
    (quote.lines[0].tax, quote.lines[0].net) = (pounds(70), pounds(365));
    names(Written::new(quote), true, |_| (), QUOTES, "parts of VAT GB 200000, tax");
}

#[test]
fn a_history_that_is_not_legal() {
    names(completed(), true, |written| _ = written.row.history.remove(0), HISTORY, "history of");
    names(
        completed(),
        true,
        |written| written.row.history[2].line.what = "APPROVED".into(),
        HISTORY,
        "history 3",
    );
    names(completed(), true, |written| written.row.history.clear(), HISTORY, "history of");
    let orders: [(Damage, &str); 6] = [
        (|order| order.state = State::Pending, "state"),
        (|order| order.version = 2, "version"),
        (|order| order.updated_at = START.plus(Duration::from_secs(5)), "updated_at"),
        (|order| order.created_at = START.plus(Duration::from_secs(5)), "created_at"),
        (|order| order.confirmed_at = None, "confirmed_at"),
        (|order| order.placed_by = "cus_9".into(), "placed_by"),
    ];
    for (damage, part) in orders {
        names(completed(), true, |written| damage(&mut written.row.order), HISTORY, part);
    }
}

#[test]
fn parts_that_do_not_fit_the_state() {
    let completed_damages: [(Damage, &str); 9] = [
        (|order| order.due_at = Some(START), "due_at"),
        (|order| order.ending = Some(Ending::new("CANCELLED", "")), "ending"),
        (|order| order.payment = Payment::NotNeeded, "payment"),
        (|order| order.payment_method.clear(), "payment_method"),
        (|order| order.payment_id = None, "payment_id"),
        (|order| order.payment_id = Some(PaymentId::from_bits(8)), "payment_id"),
        (|order| order.challenge = Some(Challenge::default()), "challenge"),
        (|order| order.stock = Stock::Held, "state"),
        (|order| order.attempt = 0, "counts"),
    ];
    for (damage, part) in completed_damages {
        names(completed(), true, |written| damage(&mut written.row.order), STATES, part);
    }
    names(challenged(), true, |written| written.row.order.due_at = None, STATES, "due_at");
    let past_its_limit = |written: &mut Written| {
        let latest = written.row.order.limit_at.plus(DUE_PAST_LIMIT);
        written.row.order.due_at = Some(latest.plus(Duration::from_micros(1)));
    };
    names(challenged(), true, past_its_limit, STATES, "due_at");
    let mut put_aside = challenged();
    put_aside.row.order.due_at = Some(put_aside.row.order.limit_at.plus(DUE_PAST_LIMIT));
    put_aside.seal();
    assert_eq!(put_aside.findings(), [], "a step that began just before the limit did not succeed");
    let stale = LeftOut { column: "challenge_id", expected: "none", found: "t".into() };
    names(completed(), true, |written| written.row.left_out.push(stale), STATES, "challenge_id");
    names(refunded(), true, |written| written.row.order.payment = Payment::Captured, STATES, "payment");
    names(refunded(), true, |written| written.row.order.ending = None, STATES, "ending");
    names(declined(), true, |written| written.row.order.stock = Stock::Held, STATES, "stock");
    names(
        declined(),
        true,
        |written| written.row.order.external_reference = Some("x".into()),
        STATES,
        "external",
    );
    names(completed(), true, |written| written.row.shipments.clear(), STATES, "shipment sgr_1");
    names(
        completed(),
        true,
        |written| written.row.shipments[0].made.group_id.push('9'),
        STATES,
        "shipment sgr_19",
    );
}

#[test]
fn an_order_past_its_limit_is_not_left() {
    let past = challenged().row.order.limit_at.plus(Duration::from_secs(600));
    let late_by = |written: &Written, times| {
        let findings = examine(&written.row, &seals(), times);
        findings.iter().any(|finding| finding.check == STATES && finding.row.starts_with("limit"))
    };
    let late = |written: &Written, now| late_by(written, at(now));
    assert!(late(&challenged(), past) && late(&placed(), past));
    assert!(!late(&completed(), past) && !late(&refunded(), past), "they are at rest");
    assert!(!late(&challenged(), START), "it has its time");
    let started = Times { now: past.plus(Duration::from_secs(60)), started: past };
    assert!(!late_by(&challenged(), started), "the shop was down at its limit, and has just started");
    assert!(late_by(&challenged(), Times { now: past.plus(Duration::from_secs(121)), ..started }));
}
