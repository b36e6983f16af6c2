//! A shop's books as plain rows: what the checks look at. Kept compact, since there are as many rows as things ever done.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use contract::souk::inventory::v1::{HoldState, MovementKind};
use contract::souk::order::v1::{InvoiceKind, OrderState, TenderState};
use contract::souk::payment::v1::{AttemptState, LedgerEntryKind, OperationState, PaymentState};
use contract::souk::testpay::v1::{AuthorizationState, RefundState};
use kernel::{HoldId, Money, OrderId, PaymentId, Timestamp};

use super::rows::RoleRows;

/// All books of a shop, as read within one look.
#[derive(Clone, Debug, Default)]
pub struct Books {
    /// Every order, by id.
    pub orders: Vec<Order>,
    /// Every invoice and credit note, by legal entity, kind and number.
    pub invoices: Vec<Invoice>,
    /// Every payment, by id.
    pub payments: Vec<Payment>,
    /// The double-entry ledger.
    pub ledger: Ledger,
    /// Every counter with its movements, by SKU and location.
    pub shelves: Vec<Shelf>,
    /// Every hold, by id.
    pub holds: Vec<Hold>,
    /// The outbox of every role that has one.
    pub streams: Vec<Stream>,
    /// Everybody who reads an outbox and remembers how far.
    pub consumers: Vec<Consumer>,
    /// What the payment provider has in its own books.
    pub provider: Provider,
    /// Every database, and what is wrong with it.
    pub storage: Vec<Storage>,
    /// What each role says about its own rows.
    pub rows: Vec<RoleRows>,
    /// What a client was told, when it left a file.
    pub remembered: Option<Vec<Remembered>>,
    /// Lists that a service could not read from its own store.
    pub unreadable: Vec<Unreadable>,
    /// What services found wrong with their own rows.
    pub findings: Vec<Finding>,
    /// The numbers of documents, by legal entity and kind.
    pub numbering: Vec<Numbering>,
    /// Heads of chains that a former audit told, by the name of the chain.
    pub former: Option<Heads>,
}

/// A database of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// The role.
    pub role: Arc<str>,
    /// Its name.
    pub name: Box<str>,
    /// What is wrong with it; empty when it is intact.
    pub problems: Vec<Box<str>>,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Where it stands.
    pub state: OrderState,
    /// The total as order keeps it.
    pub total: Money,
    /// What its frozen lines sum to; `None` when they do not sum.
    pub lines_total: Option<Money>,
    /// What must be captured less refunded once nothing runs.
    pub expected_net: Money,
    /// Its payment, when one was asked for.
    pub payment: Option<PaymentId>,
    /// Whether it has recorded its capture.
    pub captured: bool,
    /// Whether something still has to be done for it.
    pub open: bool,
    /// Whether somebody does it, or will at a known time.
    pub live: bool,
    /// Units that its lines sell.
    pub units: i64,
    /// Whose its payment is: its owner's, or who placed it when nobody owns it.
    pub owner: Box<str>,
    /// The tax in the total.
    pub tax: Money,
    /// Where its money stands, as far as order knows; unspecified when nothing is to be paid.
    pub tender: TenderState,
    /// Token of the payment method; empty when nothing is to be paid.
    pub method: Arc<str>,
    /// When it last changed.
    pub updated: Timestamp,
    /// When it was confirmed.
    pub confirmed: Option<Timestamp>,
}

/// An invoice or a credit note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoice {
    /// Who issued it.
    pub legal_entity: Arc<str>,
    /// Which document.
    pub kind: InvoiceKind,
    /// Its number within legal entity and kind, from 1.
    pub number: i64,
    /// Its order.
    pub order: OrderId,
    /// What it asks for or gives back.
    pub total: Money,
    /// The tax in it.
    pub tax: Money,
    /// When it was issued.
    pub issued: Timestamp,
    /// Its seal in the chain of its series; empty until it is sealed.
    pub seal: Box<[u8]>,
}

/// The numbers of one legal entity and kind of document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbering {
    /// Who issues them.
    pub legal_entity: Arc<str>,
    /// Which documents.
    pub kind: InvoiceKind,
    /// The number that the next one gets; 0 when the counter is missing.
    pub next: i64,
    /// The greatest number given, at the same moment.
    pub greatest: i64,
    /// The last sealed number and its seal.
    pub head: Head,
    /// The first number whose seal is not its own; 0 when all are.
    pub broken: i64,
    /// When the oldest document without a seal was issued.
    pub unsealed_since: Option<Timestamp>,
}

/// The end of a chain of keyed hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The last position; 0 when the chain is empty.
    pub position: i64,
    /// The keyed hash there.
    pub hash: Box<[u8]>,
}

/// Heads by the name of their chain.
pub type Heads = BTreeMap<String, Head>;

/// What a service found wrong with its own rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The check that it breaks, as the service calls it.
    pub check: Box<str>,
    /// Which row.
    pub row: String,
    /// What the check wants.
    pub expected: String,
    /// What is there.
    pub found: String,
    /// Whether it may settle by itself.
    pub in_flight: bool,
}

/// A payment with what was done to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// Its order.
    pub order: OrderId,
    /// Who owns the order.
    pub owner: Box<str>,
    /// What is to be paid.
    pub amount: Money,
    /// Where it stands.
    pub state: PaymentState,
    /// What was taken.
    pub captured: Money,
    /// What was given back.
    pub refunded: Money,
    /// The provider's name.
    pub provider: Arc<str>,
    /// Its attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// Its captures, oldest first.
    pub captures: Vec<Operation>,
    /// Its refunds, oldest first.
    pub refunds: Vec<Operation>,
}

/// One attempt to authorize.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The key that the provider was given.
    pub key: Box<str>,
    /// The provider's own name for the authorization; empty until it answered.
    pub reference: Box<str>,
    /// Where it stands.
    pub state: AttemptState,
    /// What was to be reserved.
    pub amount: Money,
    /// Why it failed; empty when it did not.
    pub failure: Arc<str>,
}

/// A capture or a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its id, which is also the key that the provider was given.
    pub id: Box<str>,
    /// Where it stands.
    pub state: OperationState,
    /// How much.
    pub amount: Money,
    /// The provider's own name for it; empty until it answered.
    pub reference: Box<str>,
    /// When it changed last.
    pub updated: Timestamp,
}

/// The ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Every entry, by id.
    pub entries: Vec<Entry>,
    /// Links that the chain has, as payment counts them.
    pub sealed: i64,
    /// Entries that wait for the sealer, as payment counts them.
    pub unsealed: i64,
    /// The end of the keyed chain.
    pub head: Head,
}

/// One movement of money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: Box<str>,
    /// Why money moved.
    pub kind: LedgerEntryKind,
    /// The payment.
    pub payment: PaymentId,
    /// The order.
    pub order: OrderId,
    /// The capture or refund.
    pub operation: Box<str>,
    /// When it was booked.
    pub time: Timestamp,
    /// Account and amount; debits are positive.
    pub postings: Vec<(Arc<str>, Money)>,
    /// Its place in the chain; `None` while it waits for the sealer.
    pub seal: Option<Seal>,
}

/// A link of the chain of hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// From 1.
    pub position: i64,
    /// The hash at the position before.
    pub previous: [u8; 32],
    /// The hash as it is stored.
    pub hash: [u8; 32],
    /// The hash of the keyed chain; empty when there is none.
    pub keyed: Box<[u8]>,
    /// Whether payment says that it follows from the link before and from this one.
    pub keyed_holds: bool,
}

/// A SKU at a location.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The SKU.
    pub sku: Arc<str>,
    /// Code of the location.
    pub location: Arc<str>,
}

/// A counter with its movements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shelf {
    /// Where.
    pub place: Place,
    /// The counter; `None` when only movements were found.
    pub counter: Option<Counter>,
    /// The movements, by number; those after the counter's version came while the books were read.
    pub movements: Vec<Movement>,
}

/// A counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Units on the shelf.
    pub on_hand: i64,
    /// Units held.
    pub held: i64,
    /// Number of the last movement.
    pub version: i64,
}

/// One movement of stock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// From 1.
    pub number: i64,
    /// What happened.
    pub kind: MovementKind,
    /// Units; signed for corrections.
    pub quantity: i64,
    /// `on_hand` after it, as it was written.
    pub on_hand: i64,
    /// `held` after it, as it was written.
    pub held: i64,
    /// The hold that caused it.
    pub hold: Option<HoldId>,
}

/// Stock kept for an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Its id.
    pub id: HoldId,
    /// Its order.
    pub order: OrderId,
    /// Where it stands.
    pub state: HoldState,
    /// Units per place, each place once.
    pub units: Vec<(Place, i64)>,
}

/// A place in a stream of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Rises when the database was restored or copied.
    pub epoch: i64,
    /// From 1, over all epochs.
    pub sequence: i64,
}

/// An outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Whose.
    pub role: Box<str>,
    /// Sequence of the oldest kept event; one above the head's when none is kept.
    pub oldest: i64,
    /// The newest position.
    pub head: Position,
    /// Events kept.
    pub count: i64,
    /// Sequences that are missing.
    pub gaps: Vec<i64>,
}

/// Somebody who reads an outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumer {
    /// The reading role.
    pub role: Box<str>,
    /// The role that it reads.
    pub source: Box<str>,
    /// Its name within its role.
    pub name: Box<str>,
    /// How far it is.
    pub position: Position,
    /// Aggregates that it has set aside.
    pub parked: Vec<Box<str>>,
}

/// The provider's own books.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provider {
    /// Which provider these books are of.
    pub name: Box<str>,
    /// Authorizations, declined ones too.
    pub authorizations: Vec<Authorization>,
    /// Captures.
    pub captures: Vec<ProviderCapture>,
    /// Refunds.
    pub refunds: Vec<ProviderRefund>,
}

/// An authorization at the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// The provider's id.
    pub id: Box<str>,
    /// The key it came with.
    pub key: Box<str>,
    /// The payment that it was said to be for.
    pub payment: Box<str>,
    /// Token of the payment method.
    pub method: Arc<str>,
    /// Why it was declined; empty when it was not.
    pub decline: Arc<str>,
    /// How much.
    pub amount: Money,
    /// How much of it was captured.
    pub captured: Money,
    /// How much of that was refunded.
    pub refunded: Money,
    /// Where it stands.
    pub state: AuthorizationState,
}

/// A capture at the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderCapture {
    /// The provider's id.
    pub id: Box<str>,
    /// The key it came with.
    pub key: Box<str>,
    /// Its authorization.
    pub authorization: Box<str>,
    /// How much.
    pub amount: Money,
}

/// A refund at the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderRefund {
    /// The provider's id.
    pub id: Box<str>,
    /// The key it came with.
    pub key: Box<str>,
    /// Its authorization.
    pub authorization: Box<str>,
    /// How much.
    pub amount: Money,
    /// Where it stands.
    pub state: RefundState,
}

/// What a client was told: this order is confirmed at this amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// The order.
    pub order: OrderId,
    /// Minor units.
    pub minor_units: i64,
}

/// A list that a service could not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The check that says so, for example `orders.readable`.
    pub check: &'static str,
    /// The method that failed, and how.
    pub told: String,
}

impl Books {
    /// Orders for which something still has to be done: what belongs to them may be on its way.
    #[must_use]
    pub fn open_orders(&self) -> HashSet<OrderId> {
        self.orders.iter().filter(|order| order.open).map(|order| order.id).collect()
    }
}

impl Entry {
    /// What the entry moved between the shop and its provider, per currency in the order of its postings: captures are
    /// positive, refunds negative.
    pub fn net(&self) -> impl Iterator<Item = Money> + '_ {
        self.postings
            .iter()
            .filter(|(account, _)| account.starts_with("provider:"))
            .map(|(_, amount)| *amount)
    }

    /// The entry as the bytes that the chain of hashes seals: every field as its length (8 bytes, big endian) and its text,
    /// numbers in decimal: id, kind, payment, order, operation, microseconds since 1970, and of each posting account,
    /// currency and minor units.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(384);
        let mut field = |text: &str| {
            bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        };
        field(&self.id);
        field(&word(self.kind.as_str_name(), "LEDGER_ENTRY_KIND_"));
        field(&self.payment.to_string());
        field(&self.order.to_string());
        field(&self.operation);
        field(&self.time.micros().to_string());
        for (account, amount) in &self.postings {
            field(account);
            field(amount.currency.code());
            field(&amount.minor.to_string());
        }
        bytes
    }
}

/// The name of a contract's enum value for people: `ORDER_STATE_ACTION_REQUIRED` is `action_required`.
#[must_use]
pub fn word(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix).unwrap_or(name).to_lowercase()
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.sku, self.location)
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.epoch, self.sequence)
    }
}
