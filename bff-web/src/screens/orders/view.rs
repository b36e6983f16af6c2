//! What an order's screens tell of it.

use contract::souk::order::v1 as pb;
use contract::souk::shipping::v1::{Shipment, ShipmentLine, ShipmentState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::checkout::quote::{QuoteLineView, lines, sums};
use super::progress::{OrderAction, Progress, Situation};
use crate::money::Money;
use crate::view::{AddressView, OptionView, day, encoded, minute, option_words, time};

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderStateView {
    /// It is being placed.
    Pending,
    /// The buyer must pass a challenge of their bank.
    ActionRequired,
    /// Staff must approve it.
    AwaitingApproval,
    /// It is placed.
    Confirmed,
    /// It is being undone.
    Cancelling,
    /// It was undone.
    Cancelled,
    /// It could not be placed, and nothing was charged.
    Failed,
}

impl OrderStateView {
    /// The contract's word for it.
    pub fn code(self) -> pb::OrderState {
        match self {
            Self::Pending => pb::OrderState::Pending,
            Self::ActionRequired => pb::OrderState::ActionRequired,
            Self::AwaitingApproval => pb::OrderState::AwaitingApproval,
            Self::Confirmed => pb::OrderState::Confirmed,
            Self::Cancelling => pb::OrderState::Cancelling,
            Self::Cancelled => pb::OrderState::Cancelled,
            Self::Failed => pb::OrderState::Failed,
        }
    }

    pub fn of(state: pb::OrderState) -> Self {
        match state {
            pb::OrderState::Pending | pb::OrderState::Unspecified => Self::Pending,
            pb::OrderState::ActionRequired => Self::ActionRequired,
            pb::OrderState::AwaitingApproval => Self::AwaitingApproval,
            pb::OrderState::Confirmed => Self::Confirmed,
            pb::OrderState::Cancelling => Self::Cancelling,
            pb::OrderState::Cancelled => Self::Cancelled,
            pb::OrderState::Failed => Self::Failed,
        }
    }

    /// Whether it will change by itself.
    pub fn moves(self) -> bool {
        matches!(self, Self::Pending | Self::Cancelling)
    }

    /// In a word or two.
    pub fn words(self) -> &'static str {
        match self {
            Self::Pending => "Being placed",
            Self::ActionRequired => "Waiting for your bank",
            Self::AwaitingApproval => "Waiting for us",
            // Lists of orders do not ask where the parcels are, so this word has to stay true to the end.
            Self::Confirmed => "Placed",
            Self::Cancelling => "Being cancelled",
            Self::Cancelled => "Cancelled",
            Self::Failed => "Not placed",
        }
    }

    /// The headline of its page.
    pub fn headline(self) -> &'static str {
        match self {
            Self::Pending => "We are placing your order",
            Self::ActionRequired => "Your bank wants to know it is you",
            Self::AwaitingApproval => "We are looking at your order",
            Self::Confirmed => "Thank you, it is yours",
            Self::Cancelling => "We are cancelling your order",
            Self::Cancelled => "Your order is cancelled",
            Self::Failed => "We could not place this order",
        }
    }

    /// Whether it was not placed; its things are in the cart as before.
    pub fn failed(self) -> bool {
        self == Self::Failed
    }

    /// Whether nothing was bought in the end.
    pub fn came_to_nothing(self) -> bool {
        matches!(self, Self::Failed | Self::Cancelled)
    }
}

/// An order.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OrderScreen {
    /// `ord_…`.
    pub order_id: String,
    /// Rises with every change.
    pub version: i64,
    /// Where it stands.
    pub state: OrderStateView,
    /// Where its goods are; only of a confirmed order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// What its owner may do with it now.
    pub actions: Vec<OrderAction>,
    /// What was bought.
    pub lines: Vec<QuoteLineView>,
    /// All lines, with tax.
    pub items: Money,
    /// Delivery, with tax.
    pub shipping: Money,
    /// All tax, contained in the two above.
    pub tax: Money,
    /// What is paid.
    pub total: Money,
    /// Where it goes.
    pub destination: AddressView,
    /// The way of delivery.
    pub shipping_method: String,
    /// Token of the payment method; empty when there was nothing to pay.
    pub payment_method: String,
    /// Name of the challenge that the buyer must pass; only in `action_required`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub challenge_id: String,
    /// Why it failed or was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ending: Option<EndingView>,
    /// Number of its invoice; empty before it is confirmed.
    pub invoice_number: String,
    /// Its parcels.
    pub shipments: Vec<ShipmentView>,
    /// When it was written, RFC 3339.
    pub create_time: String,
    /// When it was confirmed, RFC 3339; empty before.
    pub confirm_time: String,
    /// What is said of it.
    #[serde(skip)]
    pub situation: Situation,
}

/// Why an order ended.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EndingView {
    /// Stable reason.
    pub reason: String,
    /// A sentence.
    pub message: String,
}

/// Where a parcel stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ParcelStage {
    /// It is to be packed.
    Pending,
    /// It is packed and waits for the carrier.
    LabelCreated,
    /// The carrier has it.
    InTransit,
    /// It arrives today.
    OutForDelivery,
    /// It arrived.
    Delivered,
    /// The carrier lost it.
    Lost,
    /// It came back.
    Returned,
    /// It was stopped before it left.
    Cancelled,
}

/// A parcel.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ShipmentView {
    /// `shp_…`.
    pub shipment_id: String,
    /// Where it stands, in words.
    pub state: String,
    /// Where it stands, for programs.
    pub stage: ParcelStage,
    /// What is in it.
    pub lines: Vec<ShipmentLineView>,
    /// The carrier; empty until it is known.
    pub carrier: String,
    /// The carrier's number; empty until there is one.
    pub tracking_number: String,
}

/// What a parcel takes of a line.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ShipmentLineView {
    /// The order's line, `lin_…`.
    pub line_id: String,
    /// The SKU.
    pub sku: String,
    /// Its name; empty in parcels of before it was kept.
    pub name: String,
    /// The values of its options.
    pub options: Vec<OptionView>,
    /// Units.
    pub quantity: i64,
}

impl ShipmentLineView {
    /// Its options in words.
    pub fn words(&self) -> String {
        option_words(&self.options)
    }
}

impl OrderScreen {
    /// An order that was just placed or cancelled: none of its parcels has left that order does not know of.
    pub fn of(order: pb::Order) -> Self {
        Self::with_parcels(order, Some(Vec::new()))
    }

    /// An order with its parcels; `None` when shipping could not be asked.
    pub fn with_parcels(order: pb::Order, parcels: Option<Vec<Shipment>>) -> Self {
        let stages: Option<Vec<ShipmentState>> =
            parcels.as_ref().map(|parcels| parcels.iter().map(Shipment::state).collect());
        let situation = Situation::of(&order, stages.as_deref());
        let quote = order.quote.unwrap_or_default();
        let [items, shipping, tax, total] = sums(&quote);
        let ending = order.ending.filter(|ending| !ending.reason.is_empty());
        Self {
            order_id: order.id,
            version: order.version,
            state: situation.state,
            progress: situation.progress,
            actions: situation.actions(),
            situation,
            lines: lines(&quote),
            items,
            shipping,
            tax,
            total: order.total.map_or(total, Money::from),
            destination: quote.destination.map(AddressView::from).unwrap_or_default(),
            shipping_method: quote.shipment_groups.first().map(|g| g.method_name.clone()).unwrap_or_default(),
            payment_method: order.tenders.first().map(|t| t.payment_method.clone()).unwrap_or_default(),
            challenge_id: order.next_action.map(|action| action.challenge_id).unwrap_or_default(),
            ending: ending.map(|ending| EndingView { reason: ending.reason, message: ending.message }),
            invoice_number: order.invoice_number,
            shipments: parcels.unwrap_or_default().into_iter().map(shipment).collect(),
            create_time: time(order.created_at.as_ref()),
            confirm_time: time(order.confirmed_at.as_ref()),
        }
    }

    /// When it was written, for people.
    pub fn when(&self) -> String {
        minute(&self.create_time)
    }

    /// What happens with the money when it is cancelled now.
    pub fn money_when_cancelled(&self) -> String {
        self.situation.money_when_cancelled(&self.total)
    }

    /// The address of the bank's page.
    pub fn bank(&self) -> String {
        format!("/bank/{}?order={}", encoded(&self.challenge_id), self.order_id)
    }
}

fn shipment(shipment: Shipment) -> ShipmentView {
    let (stage, state) = match shipment.state() {
        ShipmentState::Pending | ShipmentState::Unspecified => (ParcelStage::Pending, "Being packed"),
        ShipmentState::LabelCreated => (ParcelStage::LabelCreated, "Packed, waits for the carrier"),
        ShipmentState::InTransit => (ParcelStage::InTransit, "On its way"),
        ShipmentState::OutForDelivery => (ParcelStage::OutForDelivery, "Arrives today"),
        ShipmentState::Delivered => (ParcelStage::Delivered, "Delivered"),
        ShipmentState::Lost => (ParcelStage::Lost, "Lost by the carrier"),
        ShipmentState::Returned => (ParcelStage::Returned, "Came back to us"),
        ShipmentState::Cancelled => (ParcelStage::Cancelled, "Not sent"),
    };
    let line = |line: ShipmentLine| ShipmentLineView {
        line_id: line.line_id,
        sku: line.sku,
        name: line.name,
        options: line.options.iter().map(OptionView::from).collect(),
        quantity: line.quantity,
    };
    ShipmentView {
        shipment_id: shipment.id,
        state: state.to_owned(),
        stage,
        lines: shipment.lines.into_iter().map(line).collect(),
        carrier: shipment.carrier,
        tracking_number: shipment.tracking_number,
    }
}

/// Orders, newest first.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OrdersScreen {
    /// The orders of this page.
    pub orders: Vec<OrderSummaryView>,
    /// The cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub next_cursor: String,
}

/// An order without its lines.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OrderSummaryView {
    /// `ord_…`.
    pub order_id: String,
    /// Where it stands.
    pub state: OrderStateView,
    /// What is paid.
    pub total: Option<Money>,
    /// Its lines.
    pub line_count: i32,
    /// Name of its first line's product; empty where it is not known.
    pub first_product_name: String,
    /// When it was written, RFC 3339.
    pub create_time: String,
}

impl OrderSummaryView {
    /// When it was written, for people.
    pub fn when(&self) -> String {
        day(&self.create_time)
    }

    /// What it is called in a list: by what was bought first.
    pub fn words(&self) -> String {
        match (self.first_product_name.as_str(), self.line_count) {
            ("", count) => crate::screens::things(&count.into()),
            (name, ..=1) => name.to_owned(),
            (name, count) => format!("{name} and {} more", count - 1),
        }
    }
}

/// An invoice.
#[derive(Debug, Serialize, JsonSchema)]
pub struct InvoiceScreen {
    /// The number as it is printed.
    pub number: String,
    /// The legal entity that issued it.
    pub legal_entity: String,
    /// Its order.
    pub order_id: String,
    /// When it was issued, RFC 3339.
    pub issue_time: String,
    /// What it asks for.
    pub lines: Vec<QuoteLineView>,
    /// Delivery, with tax.
    pub shipping: Money,
    /// The tax in the total.
    pub tax: Money,
    /// The total.
    pub total: Money,
    /// Who it is for.
    pub destination: AddressView,
}

/// What happened to an order.
#[derive(Debug, Serialize, JsonSchema)]
pub struct HistoryScreen {
    /// Oldest first.
    pub entries: Vec<HistoryEntryView>,
}

/// One change of an order.
#[derive(Debug, Serialize, JsonSchema)]
pub struct HistoryEntryView {
    /// Version of the order after it.
    pub version: i64,
    /// When, RFC 3339.
    pub time: String,
    /// State after it.
    pub state: OrderStateView,
    /// What happened, stable.
    pub what: String,
}
