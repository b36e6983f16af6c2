//! What an audit knows of a shop: rows as its services gave them.

use std::collections::BTreeMap;

use contract::souk::event::v1::GetStatusResponse;
use contract::souk::inventory::v1::{HoldState, SkuBalance, StockTotals};
use contract::souk::order::v1::{AuditOrder, Invoice};
use contract::souk::payment::v1::{AuditedPayment, GetLedgerStatusResponse, LedgerEntry};
use contract::souk::testpay::v1::{Authorization, Capture, Refund};
use kernel::OrderId;

/// All rows that the checks look at.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Every order.
    pub orders: Vec<AuditOrder>,
    /// Every invoice and credit note, by legal entity and number.
    pub invoices: Vec<Invoice>,
    /// Every payment with its attempts, captures and refunds.
    pub payments: Vec<AuditedPayment>,
    /// Every entry of the ledger.
    pub entries: Vec<LedgerEntry>,
    /// How the ledger stands.
    pub ledger: GetLedgerStatusResponse,
    /// Every counter beside the sums of its movements.
    pub balances: Vec<SkuBalance>,
    /// All counters and movements, added up by inventory.
    pub stock: StockTotals,
    /// Every hold.
    pub holds: Vec<HoldFact>,
    /// The outbox of every role that has one.
    pub streams: Vec<Stream>,
    /// The provider's own authorizations.
    pub authorizations: Vec<Authorization>,
    /// The provider's own captures.
    pub captures: Vec<Capture>,
    /// The provider's own refunds.
    pub refunds: Vec<Refund>,
    /// Seconds since the oldest entry was booked that is not sealed; `None` when all are.
    pub unsealed_seconds: Option<i64>,
}

/// What an audit needs of a hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldFact {
    /// `hld_…`.
    pub hold_id: String,
    /// `ord_…`.
    pub order_id: String,
    /// Where it stands.
    pub state: HoldState,
    /// Units of all its lines.
    pub units: i64,
    /// While it is held: its units by SKU and location.
    pub held: BTreeMap<(String, String), i64>,
}

/// A role's outbox and what it consumes of others.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    /// The role.
    pub role: String,
    /// How it stands.
    pub status: GetStatusResponse,
}

/// What a client was told: confirmed orders with their minor units, in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Remembered(pub Vec<(OrderId, i64)>);
