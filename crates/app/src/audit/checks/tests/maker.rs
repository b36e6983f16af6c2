//! Makes good books: a small shop's, of orders of every kind.

use std::collections::BTreeMap;
use std::sync::Arc;

use contract::souk::inventory::v1::{HoldState, MovementKind};
use contract::souk::order::v1::{InvoiceKind, OrderState, TenderState};
use contract::souk::payment::v1::{AttemptState, LedgerEntryKind, OperationState, PaymentState};
use contract::souk::testpay::v1::{AuthorizationState, RefundState};
use kernel::{Currency, HoldId, Money, OrderId, PaymentId, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::audit::books::{
    Attempt, Authorization, Books, Consumer, Counter, Entry, Head, Hold, Invoice, Movement, Numbering,
    Operation, Order, Payment, Place, Position, Provider, ProviderCapture, ProviderRefund, Remembered, Seal,
    Shelf, Storage, Stream,
};

/// What became of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Confirmed and captured.
    Paid,
    /// Confirmed, and its total is zero.
    Free,
    /// The card was declined.
    Declined,
    /// There was not enough stock.
    Short,
    /// Cancelled after its capture.
    Refunded,
    /// Cancelled after its capture; the first refund came back.
    RefundedTwice,
    /// Cancelled before the pivot.
    Voided,
    /// Waits for its person.
    Challenged,
    /// Nobody came; its hold expired.
    TimedOut,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Paid,
        Self::Free,
        Self::Declined,
        Self::Short,
        Self::Refunded,
        Self::RefundedTwice,
        Self::Voided,
        Self::Challenged,
        Self::TimedOut,
    ];
}

const SKUS: [&str; 3] = ["85123A", "85123a", "bowl"];
const OPENING: i64 = 1000;
const METHOD: &str = "pm_card_visa";
const CLEARING: &str = "provider:testpay:clearing";

/// Entries that wait for the sealer.
const TAIL: usize = 1;

/// The books of a shop that had these orders.
pub fn books(kinds: &[Kind]) -> Books {
    let mut maker = Maker::new();
    kinds.iter().enumerate().for_each(|(number, kind)| maker.order(number, *kind));
    maker.shelf("bowl").move_units(MovementKind::WrittenOff, 3, None);
    maker.shelf("bowl").move_units(MovementKind::Adjusted, -2, None);
    maker.finish()
}

struct Maker {
    books: Books,
    chain: ([u8; 32], i64),
    documents: BTreeMap<InvoiceKind, i64>,
}

impl Shelf {
    fn move_units(&mut self, kind: MovementKind, units: i64, hold: Option<HoldId>) {
        let mut counter = self.counter.expect("a good counter");
        let (on_hand, held) = match kind {
            MovementKind::Held => (-units, units),
            MovementKind::Released | MovementKind::Expired => (units, -units),
            MovementKind::Sold => (0, -units),
            MovementKind::WrittenOff => (-units, 0),
            _ => (units, 0),
        };
        counter = Counter {
            on_hand: counter.on_hand + on_hand,
            held: counter.held + held,
            version: counter.version + 1,
        };
        let Counter { on_hand, held, version } = counter;
        self.movements.push(Movement { number: version, kind, quantity: units, on_hand, held, hold });
        self.counter = Some(counter);
    }
}

impl Maker {
    fn new() -> Self {
        let mut maker = Self { books: Books::default(), chain: ([0; 32], 0), documents: BTreeMap::new() };
        for sku in SKUS {
            let mut shelf = Shelf {
                place: place(sku),
                counter: Some(Counter { on_hand: 0, held: 0, version: 0 }),
                movements: Vec::new(),
            };
            shelf.move_units(MovementKind::Received, OPENING, None);
            maker.books.shelves.push(shelf);
        }
        maker.books.provider = Provider { name: "testpay".into(), ..Provider::default() };
        maker
    }

    fn shelf(&mut self, sku: &str) -> &mut Shelf {
        self.books.shelves.iter_mut().find(|shelf| &*shelf.place.sku == sku).expect("a shelf")
    }

    fn order(&mut self, number: usize, kind: Kind) {
        let id = OrderId::from_bits(0x0190_0000_0000_7000_8000_0000_0000_0000 + number as u128 * 16);
        let currency = if number % 3 == 2 { Currency::EUR } else { Currency::GBP };
        let total = Money::new(if kind == Kind::Free { 0 } else { 1250 + number as i64 }, currency);
        let state = match kind {
            Kind::Paid | Kind::Free => OrderState::Confirmed,
            Kind::Refunded | Kind::RefundedTwice | Kind::Voided => OrderState::Cancelled,
            Kind::Challenged => OrderState::ActionRequired,
            Kind::Declined | Kind::Short | Kind::TimedOut => OrderState::Failed,
        };
        let paid = !matches!(kind, Kind::Free | Kind::Short);
        let order = Order {
            id,
            state,
            total,
            lines_total: Some(total),
            expected_net: if state == OrderState::Confirmed { total } else { Money::zero(currency) },
            payment: paid.then(|| PaymentId::from_bits(id.bits())),
            captured: kind == Kind::Paid,
            open: kind == Kind::Challenged,
            live: kind == Kind::Challenged,
            units: 5,
            owner: "cus_1".into(),
            tax: Money::new(total.minor / 6, currency),
            tender: tender(kind),
            method: if kind == Kind::Free { "".into() } else { METHOD.into() },
            updated: Timestamp::from_secs(2_000_000_000 + number as i64),
            confirmed: matches!(kind, Kind::Paid | Kind::Free | Kind::Refunded | Kind::RefundedTwice)
                .then(|| Timestamp::from_secs(1_900_000_000 + number as i64)),
        };
        if kind != Kind::Short {
            self.stock(&order, kind);
        }
        if paid {
            self.payment(&order, kind);
        }
        if matches!(kind, Kind::Paid | Kind::Free | Kind::Refunded | Kind::RefundedTwice) {
            self.document(&order, InvoiceKind::Invoice);
        }
        if matches!(kind, Kind::Refunded | Kind::RefundedTwice) {
            self.document(&order, InvoiceKind::CreditNote);
        }
        self.books.orders.push(order);
    }

    fn document(&mut self, order: &Order, kind: InvoiceKind) {
        let number = self.documents.entry(kind).or_insert(0);
        *number += 1;
        let (number, legal_entity) = (*number, Arc::from("souk"));
        self.books.invoices.push(Invoice {
            legal_entity,
            kind,
            number,
            order: order.id,
            total: order.total,
            tax: order.tax,
            issued: match kind {
                InvoiceKind::CreditNote => order.updated,
                _ => order.confirmed.expect("a confirmed order"),
            },
            seal: format!("seal of {kind:?} {number}").into_bytes().into(),
        });
    }

    fn stock(&mut self, order: &Order, kind: Kind) {
        let id = HoldId::from_bits(order.id.bits());
        let (state, moves): (_, &[MovementKind]) = match kind {
            Kind::Paid | Kind::Free => (HoldState::Committed, &[MovementKind::Sold]),
            Kind::Refunded | Kind::RefundedTwice => {
                (HoldState::Returned, &[MovementKind::Sold, MovementKind::Returned])
            }
            Kind::Declined | Kind::Voided => (HoldState::Released, &[MovementKind::Released]),
            Kind::TimedOut => (HoldState::Expired, &[MovementKind::Expired]),
            Kind::Challenged | Kind::Short => (HoldState::Held, &[]),
        };
        let units = [(SKUS[0], 2), (SKUS[1], 3)];
        for (sku, units) in units {
            let shelf = self.shelf(sku);
            shelf.move_units(MovementKind::Held, units, Some(id));
            moves.iter().for_each(|kind| shelf.move_units(*kind, units, Some(id)));
        }
        let units = units.into_iter().map(|(sku, units)| (place(sku), units)).collect();
        self.books.holds.push(Hold { id, order: order.id, state, units });
    }

    fn payment(&mut self, order: &Order, kind: Kind) {
        let (state, attempt, theirs) = match kind {
            Kind::Declined => (PaymentState::Failed, AttemptState::Failed, AuthorizationState::Declined),
            Kind::Voided | Kind::TimedOut => {
                (PaymentState::Voided, AttemptState::Voided, AuthorizationState::Voided)
            }
            Kind::Challenged => (
                PaymentState::ActionRequired,
                AttemptState::ActionRequired,
                AuthorizationState::RequiresAction,
            ),
            _ => (PaymentState::Captured, AttemptState::Authorized, AuthorizationState::Authorized),
        };
        let mut payment = Payment {
            id: PaymentId::from_bits(order.id.bits()),
            order: order.id,
            owner: order.owner.clone(),
            amount: order.total,
            state,
            captured: Money::zero(order.total.currency),
            refunded: Money::zero(order.total.currency),
            provider: "testpay".into(),
            attempts: Vec::new(),
            captures: Vec::new(),
            refunds: Vec::new(),
        };
        self.authorize(&mut payment, order.total, attempt, theirs);
        if kind == Kind::Declined {
            payment.attempts[0].failure = "card_declined".into();
            let row = self.books.provider.authorizations.last_mut().expect("an authorization");
            row.decline = "card_declined".into();
        }
        if state == PaymentState::Captured {
            let capture = self.operation(&mut payment, order.total, "cap", OperationState::Succeeded);
            payment.captured = order.total;
            payment.captures.push(capture);
        }
        if kind == Kind::RefundedTwice {
            let refund = self.operation(&mut payment, order.total, "ref", OperationState::Failed);
            payment.refunds.push(refund);
        }
        if matches!(kind, Kind::Refunded | Kind::RefundedTwice) {
            let refund = self.operation(&mut payment, order.total, "ref", OperationState::Succeeded);
            payment.refunded = order.total;
            payment.refunds.push(refund);
        }
        self.books.payments.push(payment);
    }

    fn authorize(
        &mut self,
        payment: &mut Payment,
        amount: Money,
        ours: AttemptState,
        theirs: AuthorizationState,
    ) {
        let attempt = Attempt {
            key: format!("{}:1", payment.id).into(),
            reference: format!("tpa_{:x}", payment.id.bits()).into(),
            state: ours,
            amount,
            failure: "".into(),
        };
        self.books.provider.authorizations.push(Authorization {
            id: attempt.reference.clone(),
            key: attempt.key.clone(),
            payment: payment.id.to_string().into(),
            method: METHOD.into(),
            decline: "".into(),
            amount,
            captured: Money::zero(amount.currency),
            refunded: Money::zero(amount.currency),
            state: theirs,
        });
        payment.attempts.push(attempt);
    }

    /// A capture or refund in all three books. A refund that failed had succeeded first.
    fn operation(
        &mut self,
        payment: &mut Payment,
        amount: Money,
        prefix: &str,
        state: OperationState,
    ) -> Operation {
        let number = self.books.provider.captures.len() + self.books.provider.refunds.len();
        let id: Box<str> = format!("{prefix}_{number:026}").into();
        let authorization = payment.attempts[0].reference.clone();
        let reference: Box<str> = format!("tp_{number:026}").into();
        let row = self.books.provider.authorizations.last_mut().expect("an authorization");
        if prefix == "cap" {
            row.captured.minor += amount.minor;
            let capture = ProviderCapture { id: reference.clone(), key: id.clone(), authorization, amount };
            self.books.provider.captures.push(capture);
            self.entry(payment, &id, LedgerEntryKind::Capture, amount);
        } else {
            let failed = state == OperationState::Failed;
            let theirs = if failed { RefundState::Failed } else { RefundState::Succeeded };
            row.refunded.minor += if failed { 0 } else { amount.minor };
            let id_there = reference.clone();
            let row = ProviderRefund { id: id_there, key: id.clone(), authorization, amount, state: theirs };
            self.books.provider.refunds.push(row);
            self.entry(payment, &id, LedgerEntryKind::Refund, amount);
            if failed {
                self.entry(payment, &id, LedgerEntryKind::RefundReversal, amount);
            }
        }
        let updated = self.books.ledger.entries.last().expect("it is booked").time;
        Operation { id, state, amount, reference, updated }
    }

    fn entry(&mut self, payment: &Payment, operation: &str, kind: LedgerEntryKind, amount: Money) {
        let number = self.books.ledger.entries.len();
        let back = Money::new(-amount.minor, amount.currency);
        let (own, clearing) = match kind {
            LedgerEntryKind::Capture => ("sales", amount),
            LedgerEntryKind::Refund => ("refunds", back),
            _ => ("refunds", amount),
        };
        let other = Money::new(-clearing.minor, clearing.currency);
        let entry = Entry {
            id: entry_id(operation, kind).into(),
            kind,
            payment: payment.id,
            order: payment.order,
            operation: operation.into(),
            time: Timestamp::from_secs(1_700_000_000 + number as i64),
            postings: match kind {
                LedgerEntryKind::Refund => vec![(own.into(), other), (CLEARING.into(), clearing)],
                _ => vec![(CLEARING.into(), clearing), (own.into(), other)],
            },
            seal: None,
        };
        self.books.ledger.entries.push(entry);
    }

    fn finish(mut self) -> Books {
        let ledger = &mut self.books.ledger;
        let sealed = ledger.entries.len().saturating_sub(TAIL);
        for entry in &mut ledger.entries[..sealed] {
            let (previous, position) = (self.chain.0, self.chain.1 + 1);
            let hash = Sha256::new().chain_update(previous).chain_update(entry.canonical()).finalize().into();
            let keyed = format!("keyed {position}").into_bytes().into();
            entry.seal = Some(Seal { position, previous, hash, keyed, keyed_holds: true });
            self.chain = (hash, position);
        }
        if sealed > 0 {
            ledger.head =
                Head { position: sealed as i64, hash: format!("keyed {sealed}").into_bytes().into() };
        }
        for kind in [InvoiceKind::Invoice, InvoiceKind::CreditNote] {
            let greatest = self.documents.get(&kind).copied().unwrap_or(0);
            let hash = if greatest > 0 { format!("seal of {kind:?} {greatest}") } else { String::new() };
            self.books.numbering.push(Numbering {
                legal_entity: "souk".into(),
                kind,
                next: greatest + 1,
                greatest,
                head: Head { position: greatest, hash: hash.into_bytes().into() },
                broken: 0,
                unsealed_since: None,
            });
        }
        ledger.sealed = sealed as i64;
        ledger.unsealed = (ledger.entries.len() - sealed) as i64;
        let intact = Storage { role: "order".into(), name: "order".into(), problems: Vec::new() };
        self.books.storage.push(intact);
        for (role, events) in [("order", 40), ("payment", 9)] {
            let head = Position { epoch: 2, sequence: events };
            self.books.streams.push(Stream {
                role: role.into(),
                oldest: 3,
                head,
                count: events - 2,
                gaps: Vec::new(),
            });
        }
        self.books.consumers.push(Consumer {
            role: "order".into(),
            source: "payment".into(),
            name: "order-payments".into(),
            position: Position { epoch: 1, sequence: 9 },
            parked: Vec::new(),
        });
        let told = self.books.orders.iter().filter(|order| order.state == OrderState::Confirmed);
        let told = told.map(|order| Remembered { order: order.id, minor_units: order.total.minor });
        self.books.remembered = Some(told.collect());
        self.books.rows = super::facts::rows(&self.books);
        self.books
    }
}

/// Where the money of an order stands, as order says.
fn tender(kind: Kind) -> TenderState {
    match kind {
        Kind::Paid => TenderState::Captured,
        Kind::Free => TenderState::Unspecified,
        Kind::Declined => TenderState::Declined,
        Kind::Refunded | Kind::RefundedTwice => TenderState::Refunded,
        Kind::Voided | Kind::TimedOut => TenderState::Voided,
        Kind::Challenged | Kind::Short => TenderState::Pending,
    }
}

fn entry_id(operation: &str, kind: LedgerEntryKind) -> String {
    let suffix = if kind == LedgerEntryKind::RefundReversal { "r" } else { "" };
    format!("led_{}{suffix}", operation.split_once('_').expect("a prefix").1)
}

fn place(sku: &str) -> Place {
    Place { sku: sku.into(), location: "main".into() }
}
