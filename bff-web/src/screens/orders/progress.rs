//! What an order's page says and offers: by where the order stands, where its parcels are, and where its money is.

use contract::souk::order::v1 as pb;
use contract::souk::shipping::v1::ShipmentState;
use schemars::JsonSchema;
use serde::Serialize;

use super::view::OrderStateView;
use crate::money::Money;

/// Where the goods of a confirmed order are, over all its parcels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// That cannot be seen just now.
    Unknown,
    /// They are being packed.
    Packing,
    /// They are packed and wait for the carrier.
    Packed,
    /// Some have left, the others have not.
    PartlyOnItsWay,
    /// All have left.
    OnItsWay,
    /// They arrive today.
    ArrivesToday,
    /// Some have arrived, the others have not.
    PartlyDelivered,
    /// All have arrived.
    Delivered,
    /// The carrier lost a parcel.
    Lost,
    /// A parcel came back.
    Returned,
    /// They were stopped before they left.
    Stopped,
}

impl Progress {
    /// By what order knows of its goods, and by the parcels; `None` when shipping could not be asked.
    pub fn of(order: &pb::Order, parcels: Option<&[ShipmentState]>) -> Self {
        use ShipmentState::{Cancelled, Delivered, InTransit, LabelCreated, Lost, OutForDelivery, Returned};
        let has_left = order.fulfilments.iter().any(|part| part.state() == pb::FulfilmentState::Left);
        let Some(parcels) = parcels else {
            return if has_left { Self::OnItsWay } else { Self::Unknown };
        };
        let sent: Vec<ShipmentState> = parcels.iter().copied().filter(|state| *state != Cancelled).collect();
        let count = |states: &[ShipmentState]| sent.iter().filter(|state| states.contains(state)).count();
        let all = sent.len();
        let (left, arrived) = (count(&[InTransit, OutForDelivery, Delivered]), count(&[Delivered]));
        match all {
            0 if !parcels.is_empty() => Self::Stopped,
            0 if has_left => Self::OnItsWay,
            0 => Self::Packing,
            _ if count(&[Lost]) > 0 => Self::Lost,
            _ if count(&[Returned]) > 0 => Self::Returned,
            _ if arrived == all => Self::Delivered,
            _ if arrived > 0 => Self::PartlyDelivered,
            _ if count(&[OutForDelivery]) == all => Self::ArrivesToday,
            _ if left == all => Self::OnItsWay,
            _ if left > 0 => Self::PartlyOnItsWay,
            _ if count(&[LabelCreated]) == all => Self::Packed,
            _ => Self::Packing,
        }
    }

    /// Whether nothing has left, so that the parcels can be recalled.
    fn can_be_recalled(self) -> bool {
        matches!(self, Self::Packing | Self::Packed | Self::Stopped)
    }

    /// In a word or two.
    pub fn words(self) -> &'static str {
        match self {
            Self::Unknown => "Placed",
            Self::Packing => "Being packed",
            Self::Packed => "Packed",
            Self::PartlyOnItsWay => "Partly on its way",
            Self::OnItsWay => "On its way",
            Self::ArrivesToday => "Arrives today",
            Self::PartlyDelivered => "Partly delivered",
            Self::Delivered => "Delivered",
            Self::Lost => "Lost by the carrier",
            Self::Returned => "Came back to us",
            Self::Stopped => "Not sent",
        }
    }

    fn headline(self) -> &'static str {
        match self {
            Self::Unknown | Self::Packing | Self::Packed => "Thank you, it is yours",
            Self::PartlyOnItsWay => "Part of your order is on its way",
            Self::OnItsWay => "Your order is on its way",
            Self::ArrivesToday => "Your order arrives today",
            Self::PartlyDelivered => "Part of your order has arrived",
            Self::Delivered => "Your order has arrived",
            Self::Lost => "The carrier lost a parcel of yours",
            Self::Returned => "A parcel of yours came back to us",
            Self::Stopped => "Your parcel was stopped",
        }
    }

    fn next(self) -> &'static str {
        match self {
            Self::Unknown => "We cannot see the parcel just now. Look again in a moment.",
            Self::Packing => "We are packing it now. You can follow the parcel here.",
            Self::Packed => "It is packed and waits for the carrier. You can follow the parcel here.",
            Self::PartlyOnItsWay => {
                "One part has left, and we are packing the rest. You can follow each parcel here."
            }
            Self::OnItsWay => "The carrier has it. You can follow the parcel here.",
            Self::ArrivesToday => "The carrier brings it today.",
            Self::PartlyDelivered => "The rest is still to come. You can follow each parcel here.",
            Self::Delivered => "The carrier says that it was delivered.",
            Self::Lost => "The carrier says that it cannot be found.",
            Self::Returned => "The carrier brought it back.",
            Self::Stopped => "It did not leave.",
        }
    }
}

/// What the owner of an order may do with it now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderAction {
    /// Pass the challenge of the bank.
    PassChallenge,
    /// Cancel it.
    Cancel,
}

/// What is said of an order, and what can be done with it.
#[derive(Clone, Copy, Debug)]
pub struct Situation {
    pub state: OrderStateView,
    /// Where its goods are; only of a confirmed order.
    pub progress: Option<Progress>,
    /// Where its money is; `None` when there was nothing to pay.
    money: Option<pb::TenderState>,
}

impl Situation {
    /// The situation of an order; `None` for parcels that could not be asked for.
    pub fn of(order: &pb::Order, parcels: Option<&[ShipmentState]>) -> Self {
        let state = OrderStateView::of(order.state());
        let progress = (state == OrderStateView::Confirmed).then(|| Progress::of(order, parcels));
        Self { state, progress, money: order.tenders.first().map(pb::Tender::state) }
    }

    /// What its owner may do: what order and shipping would accept.
    pub fn actions(self) -> Vec<OrderAction> {
        let mut actions = Vec::new();
        if self.state == OrderStateView::ActionRequired {
            actions.push(OrderAction::PassChallenge);
        }
        if self.can_cancel() {
            actions.push(OrderAction::Cancel);
        }
        actions
    }

    pub fn can_cancel(self) -> bool {
        match self.state {
            OrderStateView::Pending | OrderStateView::ActionRequired | OrderStateView::AwaitingApproval => {
                true
            }
            OrderStateView::Confirmed => self.progress.is_some_and(Progress::can_be_recalled),
            OrderStateView::Cancelling | OrderStateView::Cancelled | OrderStateView::Failed => false,
        }
    }

    /// In a word or two.
    pub fn words(self) -> &'static str {
        self.progress.map_or(self.state.words(), Progress::words)
    }

    /// The headline of its page.
    pub fn headline(self) -> &'static str {
        self.progress.map_or(self.state.headline(), Progress::headline)
    }

    /// What happens next.
    pub fn next(self) -> &'static str {
        use pb::TenderState::{Captured, Refunded};
        match self.state {
            OrderStateView::Pending => "This takes a moment. The page tells you when it is done.",
            OrderStateView::ActionRequired => {
                "Go to your bank to confirm the payment. Until then your things are held for you."
            }
            OrderStateView::AwaitingApproval if self.money.is_none() => "Somebody will look at it soon.",
            OrderStateView::AwaitingApproval => {
                "Your payment is reserved, not taken. Somebody will look at it soon."
            }
            OrderStateView::Confirmed => self.progress.unwrap_or(Progress::Unknown).next(),
            OrderStateView::Cancelling => match self.money {
                None => "There was nothing to pay.",
                Some(Captured | Refunded) => "What was paid comes back to you.",
                Some(_) => "Nothing is charged.",
            },
            OrderStateView::Cancelled | OrderStateView::Failed => match self.money {
                None => "There was nothing to pay.",
                Some(Refunded) => "What was paid has been given back.",
                Some(Captured) => "What was paid comes back to you.",
                Some(_) => "Nothing was charged.",
            },
        }
    }

    /// What happens with the money when the order is cancelled now.
    pub fn money_when_cancelled(self, total: &Money) -> String {
        use pb::TenderState::{Authorized, Captured};
        match self.money {
            None => "There was nothing to pay, so nothing has to be given back.".to_owned(),
            Some(Captured) => format!("{total} goes back to the card that you paid with."),
            Some(Authorized) => {
                format!(
                    "{total} is reserved on your card. It is released, or given back if it was taken meanwhile."
                )
            }
            Some(_) => "Nothing has been charged, and nothing will be.".to_owned(),
        }
    }

    /// Why it cannot be cancelled; for an order that cannot.
    pub fn why_not_cancelled(self) -> &'static str {
        match self.state {
            OrderStateView::Cancelling => "It is being cancelled already.",
            OrderStateView::Cancelled => "It is cancelled already.",
            OrderStateView::Failed => "It was never placed, and nothing was charged.",
            _ if self.progress == Some(Progress::Unknown) => {
                "We cannot see just now whether the parcel has left. Try again in a moment."
            }
            _ => "It has left us, so it can no longer be cancelled.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARCELS: [ShipmentState; 8] = [
        ShipmentState::Pending,
        ShipmentState::LabelCreated,
        ShipmentState::InTransit,
        ShipmentState::OutForDelivery,
        ShipmentState::Delivered,
        ShipmentState::Lost,
        ShipmentState::Returned,
        ShipmentState::Cancelled,
    ];
    const ORDERS: [pb::OrderState; 7] = [
        pb::OrderState::Pending,
        pb::OrderState::ActionRequired,
        pb::OrderState::AwaitingApproval,
        pb::OrderState::Confirmed,
        pb::OrderState::Cancelling,
        pb::OrderState::Cancelled,
        pb::OrderState::Failed,
    ];
    const MONEY: [Option<pb::TenderState>; 7] = [
        None,
        Some(pb::TenderState::Pending),
        Some(pb::TenderState::Authorized),
        Some(pb::TenderState::Captured),
        Some(pb::TenderState::Voided),
        Some(pb::TenderState::Refunded),
        Some(pb::TenderState::Declined),
    ];

    fn order(state: pb::OrderState, money: Option<pb::TenderState>) -> pb::Order {
        let tender = |state: pb::TenderState| pb::Tender { state: state.into(), ..pb::Tender::default() };
        pb::Order {
            state: state.into(),
            tenders: money.map(tender).into_iter().collect(),
            ..pb::Order::default()
        }
    }

    /// No parcels, one, and two, in every state.
    fn parcels() -> Vec<Vec<ShipmentState>> {
        let mut all = vec![Vec::new()];
        for one in PARCELS {
            all.push(vec![one]);
            all.extend(PARCELS.map(|other| vec![one, other]));
        }
        all
    }

    #[test]
    fn words_and_actions_agree_with_order_parcels_and_money() {
        use ShipmentState::{Cancelled, Delivered, InTransit, LabelCreated, OutForDelivery, Pending};
        let mut combinations = 0;
        for state in ORDERS {
            for money in MONEY {
                for parcels in parcels() {
                    combinations += 1;
                    let here = Situation::of(&order(state, money), Some(&parcels));
                    let said = format!("{} {} {}", here.headline(), here.next(), here.words());
                    let about = format!("{state:?} {money:?} {parcels:?}: {said}");
                    // Shipping recalls what has not left, and what was recalled before.
                    let recalled =
                        parcels.iter().all(|parcel| matches!(parcel, Pending | LabelCreated | Cancelled));
                    let accepted = match state {
                        pb::OrderState::Confirmed => recalled,
                        pb::OrderState::Pending
                        | pb::OrderState::ActionRequired
                        | pb::OrderState::AwaitingApproval => true,
                        _ => false,
                    };
                    assert_eq!(here.actions().contains(&OrderAction::Cancel), accepted, "{about}");
                    let challenged = state == pb::OrderState::ActionRequired;
                    assert_eq!(here.actions().contains(&OrderAction::PassChallenge), challenged, "{about}");
                    let confirmed = state == pb::OrderState::Confirmed;
                    let is = |states: &[ShipmentState]| parcels.iter().any(|parcel| states.contains(parcel));
                    let packing = confirmed && (parcels.is_empty() || is(&[Pending, LabelCreated]));
                    assert!(packing || !said.contains("packing"), "{about}");
                    let left = is(&[InTransit, OutForDelivery, Delivered]);
                    assert!(!said.contains("on its way") || confirmed && left, "{about}");
                    assert!(!said.contains("arrived") || confirmed && is(&[Delivered]), "{about}");
                    let whole = is(&[Delivered])
                        && parcels.iter().all(|parcel| matches!(parcel, Delivered | Cancelled));
                    assert_eq!(said.contains("Your order has arrived"), confirmed && whole, "{about}");
                    let back = matches!(money, Some(pb::TenderState::Refunded));
                    assert!(!said.contains("has been given back") || back, "{about}");
                    let taken = matches!(money, Some(pb::TenderState::Captured | pb::TenderState::Refunded));
                    assert!(!said.contains("Nothing was charged") || !taken, "{about}");
                    assert!(!said.contains("nothing to pay") || money.is_none(), "{about}");
                }
            }
        }
        assert_eq!(combinations, 7 * 7 * 73);
    }

    #[test]
    fn parcels_are_summed_up() {
        use ShipmentState::{
            Cancelled, Delivered, InTransit, LabelCreated, Lost, OutForDelivery, Pending, Returned,
        };
        let confirmed = order(pb::OrderState::Confirmed, Some(pb::TenderState::Captured));
        let cases: [(&[ShipmentState], Progress); 15] = [
            (&[], Progress::Packing),
            (&[Pending], Progress::Packing),
            (&[Pending, LabelCreated], Progress::Packing),
            (&[LabelCreated], Progress::Packed),
            (&[Pending, InTransit], Progress::PartlyOnItsWay),
            (&[InTransit], Progress::OnItsWay),
            (&[InTransit, OutForDelivery], Progress::OnItsWay),
            (&[OutForDelivery], Progress::ArrivesToday),
            (&[Delivered, Pending], Progress::PartlyDelivered),
            (&[Delivered, Cancelled], Progress::Delivered),
            (&[Delivered], Progress::Delivered),
            (&[Lost, Delivered], Progress::Lost),
            (&[Returned], Progress::Returned),
            (&[Cancelled], Progress::Stopped),
            (&[Cancelled, InTransit], Progress::OnItsWay),
        ];
        for (parcels, expected) in cases {
            assert_eq!(Progress::of(&confirmed, Some(parcels)), expected, "{parcels:?}");
        }
        assert_eq!(Progress::of(&confirmed, None), Progress::Unknown);
        let mut left = confirmed;
        let part = pb::Fulfilment { state: pb::FulfilmentState::Left.into(), ..pb::Fulfilment::default() };
        left.fulfilments.push(part);
        assert_eq!(Progress::of(&left, None), Progress::OnItsWay);
        assert_eq!(Progress::of(&left, Some(&[])), Progress::OnItsWay);
    }

    #[test]
    fn whoever_cancels_is_told_what_happens_with_the_money() {
        let total = Money { currency_code: "GBP".to_owned(), minor_units: 2450 };
        for money in MONEY {
            let here = Situation::of(&order(pb::OrderState::Confirmed, money), Some(&[]));
            let said = here.money_when_cancelled(&total);
            let names = matches!(money, Some(pb::TenderState::Captured | pb::TenderState::Authorized));
            assert_eq!(said.contains("£24.50"), names, "{said}");
        }
        for state in [pb::OrderState::Cancelled, pb::OrderState::Failed, pb::OrderState::Cancelling] {
            assert!(!Situation::of(&order(state, None), Some(&[])).why_not_cancelled().contains("left"));
        }
    }
}
