//! What an order is, and how it moves. Pure: decides from the order and a fact, and says what must be written.

mod decide;
mod saga;
mod states;
#[cfg(test)]
pub(crate) mod tests;
mod token;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use kernel::{HoldId, Money, OrderId, PaymentId, QuoteId, Timestamp};
use serde::{Deserialize, Serialize};

pub use decide::{apply, approve, cancel, too_late};
pub use saga::{Outcome, Step, ask_again, in_time, longest_pause, next};
pub use states::{Approval, Cart, InvoiceKind, Payment, Shipment, State, Stock};
pub use token::{KEY_ID_BYTES, PublicKey, TOKEN_CHARS_MAX, open_token, token_key_id};

/// Why an order failed, or is cancelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// Stable reason in SCREAMING_SNAKE_CASE.
    pub reason: Cow<'static, str>,
    /// A sentence that is safe to show.
    pub message: String,
    /// Facts for machines.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

impl Ending {
    /// An ending without facts.
    pub fn new(reason: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { reason: reason.into(), message: message.into(), metadata: BTreeMap::new() }
    }

    /// The refusal of a service that was asked.
    #[must_use]
    pub fn of(error: &kernel::Error) -> Self {
        Self {
            reason: error.reason().to_owned().into(),
            message: error.message().to_owned(),
            metadata: error.metadata().clone(),
        }
    }
}

/// A challenge that the buyer must pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Challenge {
    /// Where.
    pub url: String,
    /// Its name at the provider.
    pub id: String,
}

/// The changing part of an order. What was bought is its frozen quote, kept apart and never written again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its id: the bits of its quote's id, so that a quote is placed at most once, whatever the request keys.
    pub id: OrderId,
    /// Rises by one with every change.
    pub version: i64,
    /// Where it stands.
    pub state: State,
    /// `cus_…` or `gst_…`; empty when nobody owns it.
    pub owner: String,
    /// Who placed it, when that was not the owner; else empty.
    pub placed_by: String,
    /// Its name outside; given back when it fails.
    pub external_reference: Option<String>,
    /// Its time outside.
    pub external_time: Option<Timestamp>,
    /// What is to be paid.
    pub total: Money,
    /// The tax in it.
    pub tax: Money,
    /// Lines of the quote.
    pub line_count: i64,
    /// Name of its first line's product.
    pub first_product: String,
    /// Units of all lines.
    pub units: i64,
    /// Token of the payment method; empty when nothing is to be paid.
    pub payment_method: String,
    /// What was done about stock.
    pub stock: Stock,
    /// What was done about money.
    pub payment: Payment,
    /// What was done about shipment.
    pub shipment: Shipment,
    /// What was done about the cart.
    pub cart: Cart,
    /// Whether staff must agree.
    pub approval: Approval,
    /// Which attempt to pay it is, from 1.
    pub attempt: i64,
    /// Its payment, once the payment service has told.
    pub payment_id: Option<PaymentId>,
    /// How often the present step was tried in vain.
    pub tries: i64,
    /// Until when inventory keeps the hold.
    pub hold_until: Timestamp,
    /// When the order is undone unless it has come on; not looked at after the pivot.
    pub limit_at: Timestamp,
    /// When the worker must look again; `None` when there is nothing left to do.
    pub due_at: Option<Timestamp>,
    /// What the buyer must pass; only while `ActionRequired`.
    pub challenge: Option<Challenge>,
    /// Why it ends; also while it is being undone.
    pub ending: Option<Ending>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it was confirmed.
    pub confirmed_at: Option<Timestamp>,
    /// Its invoice; numbered by the store in the commit that confirms.
    pub invoice: Option<InvoiceName>,
    /// The seal of the last line of its history, as the store made it; empty before the first.
    pub history_seal: Vec<u8>,
}

/// Names an invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoiceName {
    /// The legal entity that issued it.
    pub legal_entity: String,
    /// What document it is.
    pub kind: InvoiceKind,
    /// Its number within the legal entity and kind, from 1, without gaps.
    pub number: i64,
}

impl std::fmt::Display for InvoiceName {
    /// As it is printed: `souk-0000000017`, a credit note `souk-C-0000000003`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mark = if self.kind == InvoiceKind::CreditNote { "-C" } else { "" };
        write!(f, "{}{mark}-{:010}", self.legal_entity, self.number)
    }
}

/// The shop's rules about orders.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Above this total, in minor units by currency code, staff must agree.
    pub approval_above: BTreeMap<String, i64>,
    /// How long placing may take while nobody is waited for.
    pub placing_limit: Duration,
    /// How long the buyer has for a challenge.
    pub action_limit: Duration,
    /// How long staff have to agree.
    pub approval_limit: Duration,
}

/// What an order begins as.
#[derive(Clone, Debug)]
pub struct NewOrder {
    /// The quote that is placed.
    pub quote_id: QuoteId,
    /// `cus_…` or `gst_…`; empty when nobody owns it.
    pub owner: String,
    /// Who places it.
    pub caller: String,
    /// Its name outside.
    pub external_reference: Option<String>,
    /// Its time outside.
    pub external_time: Option<Timestamp>,
    /// What is to be paid.
    pub total: Money,
    /// The tax in it.
    pub tax: Money,
    /// Lines of the quote.
    pub line_count: i64,
    /// Name of its first line's product.
    pub first_product: String,
    /// Units of all lines.
    pub units: i64,
    /// Token of the payment method; empty when nothing is to be paid.
    pub payment_method: String,
    /// Whether the lines came from a cart.
    pub from_cart: bool,
    /// Whether staff asked for approval.
    pub requires_approval: bool,
}

/// Something others may learn from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Written; may still fail.
    Created,
    /// The buyer must act.
    ActionRequired,
    /// Staff must agree.
    ApprovalRequested,
    /// Staff agreed.
    Approved {
        /// Who.
        by: String,
    },
    /// Placed.
    Confirmed,
    /// Could not be placed.
    Failed,
    /// Somebody wants it cancelled.
    CancellationRequested {
        /// Who.
        by: String,
    },
    /// Cancelled.
    Cancelled,
    /// It was too late to cancel.
    CancellationRefused,
}

/// What must be written together: the order as it is now, a line of history, events, perhaps a document.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The order after it.
    pub order: Order,
    /// What happened, in SCREAMING_SNAKE_CASE.
    pub what: &'static str,
    /// More about it for people.
    pub note: String,
    /// Who caused it; empty for the worker.
    pub actor: String,
    /// What others may learn.
    pub events: Vec<Event>,
    /// A document to number.
    pub document: Option<InvoiceKind>,
    /// Shipments that shipping made, by shipment group.
    pub shipments: Vec<MadeShipment>,
}

/// A shipment that shipping made for a group of the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeShipment {
    /// The group, `sgr_…`.
    pub group_id: String,
    /// The shipment, `shp_…`.
    pub shipment_id: String,
}

/// The worker's name in histories.
pub const WORKER: &str = "order";

impl Order {
    /// The order that a quote becomes: always the same one.
    #[must_use]
    pub const fn id_of(quote: QuoteId) -> OrderId {
        OrderId::from_bits(quote.bits())
    }

    /// The quote it was made from.
    #[must_use]
    pub const fn quote_id(&self) -> QuoteId {
        QuoteId::from_bits(self.id.bits())
    }

    /// Its hold on stock: inventory derives the same one, so that a repeated call names the same hold.
    #[must_use]
    pub const fn hold_id(&self) -> HoldId {
        HoldId::from_bits(self.id.bits())
    }

    /// A new order with the intent of its first step.
    #[must_use]
    pub fn place(new: NewOrder, policy: &Policy, now: Timestamp) -> Decision {
        let above = policy
            .approval_above
            .get(new.total.currency.code())
            .is_some_and(|limit| new.total.minor > *limit);
        let order = Self {
            id: Self::id_of(new.quote_id),
            version: 1,
            state: State::Pending,
            placed_by: if new.caller == new.owner { String::new() } else { new.caller.clone() },
            owner: new.owner,
            external_reference: new.external_reference,
            external_time: new.external_time,
            total: new.total,
            tax: new.tax,
            line_count: new.line_count,
            first_product: new.first_product,
            units: new.units,
            payment_method: new.payment_method,
            stock: Stock::Asked,
            payment: if new.total.is_zero() { Payment::NotNeeded } else { Payment::Later },
            shipment: Shipment::Later,
            cart: if new.from_cart { Cart::Later } else { Cart::NotNeeded },
            approval: if above || new.requires_approval { Approval::Needed } else { Approval::NotNeeded },
            attempt: 1,
            payment_id: None,
            tries: 0,
            hold_until: Timestamp::default(),
            limit_at: now.plus(policy.placing_limit),
            due_at: Some(now),
            challenge: None,
            ending: None,
            created_at: now,
            updated_at: now,
            confirmed_at: None,
            invoice: None,
            history_seal: Vec::new(),
        };
        Decision {
            order,
            what: "CREATED",
            note: String::new(),
            actor: new.caller,
            events: vec![Event::Created],
            document: None,
            shipments: Vec::new(),
        }
    }

    /// Whether it is being undone.
    #[must_use]
    pub fn undoing(&self) -> bool {
        !self.state.terminal() && self.ending.is_some()
    }

    /// Whether it could be given up now: its stock is not, and may not be, committed.
    #[must_use]
    pub fn before_pivot(&self) -> bool {
        self.confirmed_at.is_none() && !matches!(self.stock, Stock::Committing | Stock::Committed)
    }

    /// What payment must have captured less refunded once nothing runs.
    #[must_use]
    pub fn expected_net(&self) -> Money {
        if self.state == State::Confirmed { self.total } else { Money::zero(self.total.currency) }
    }
}
