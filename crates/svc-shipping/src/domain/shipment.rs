//! A shipment: what one shipment group of an order sends.

use kernel::{Error, OrderId, Result, ShipmentGroupId, ShipmentId, Timestamp};

/// The most steps of a shipment's history.
pub const HISTORY_MAX: i64 = 200;

/// Where a shipment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ShipmentState {
    /// It is to be packed.
    Pending,
    /// It has a label and waits for the carrier.
    LabelCreated,
    /// The carrier has it.
    InTransit,
    /// It arrives today.
    OutForDelivery,
    /// It arrived.
    Delivered,
    /// The carrier lost it. Terminal.
    Lost,
    /// It came back. Terminal.
    Returned,
    /// It was cancelled before it left. Terminal.
    Cancelled,
}

impl ShipmentState {
    /// All states.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::LabelCreated,
        Self::InTransit,
        Self::OutForDelivery,
        Self::Delivered,
        Self::Lost,
        Self::Returned,
        Self::Cancelled,
    ];

    /// The word it is stored as.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::LabelCreated => "label_created",
            Self::InTransit => "in_transit",
            Self::OutForDelivery => "out_for_delivery",
            Self::Delivered => "delivered",
            Self::Lost => "lost",
            Self::Returned => "returned",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the stored word.
    ///
    /// # Errors
    /// `INTERNAL` for any other word: the row is damaged.
    pub fn parse(word: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == word);
        found.ok_or_else(|| Error::internal(format!("{word:?} is not a state of a shipment")))
    }

    /// Whether a shipment may go from this to another. A carrier may skip steps that it does not report, and a parcel
    /// that could not be delivered is on its way again; a step back to the label or to packing is a new shipment.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        use ShipmentState::{
            Cancelled, Delivered, InTransit, LabelCreated, Lost, OutForDelivery, Pending, Returned,
        };
        match self {
            Pending => matches!(next, LabelCreated | Cancelled),
            LabelCreated => matches!(next, InTransit | OutForDelivery | Delivered | Lost | Cancelled),
            InTransit => matches!(next, OutForDelivery | Delivered | Lost | Returned),
            OutForDelivery => matches!(next, InTransit | Delivered | Lost | Returned),
            Delivered => matches!(next, Returned),
            Lost | Returned | Cancelled => false,
        }
    }

    /// Whether nothing happens to it any more.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Lost | Self::Returned | Self::Cancelled)
    }
}

/// Something that happened to a shipment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where it stood after.
    pub state: ShipmentState,
    /// When.
    pub time: Timestamp,
    /// A remark; may be empty.
    pub note: String,
}

/// A shipment, but for what is frozen in it (destination, lines), which nothing here depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shipment {
    /// Derived from the order and the group.
    pub id: ShipmentId,
    /// Its order.
    pub order: OrderId,
    /// The order's shipment group.
    pub group: ShipmentGroupId,
    /// Who owns the order.
    pub owner: String,
    /// The shipping method's code.
    pub method: String,
    /// The carrier; empty until known.
    pub carrier: String,
    /// The carrier's number; empty until there is a label.
    pub tracking: String,
    /// Where it stands.
    pub state: ShipmentState,
    /// Rises with every change, from 1.
    pub version: i64,
    /// When it was made.
    pub created: Timestamp,
    /// When it changed last.
    pub updated: Timestamp,
}

/// What staff say about a shipment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// Where it stands now; the same again records a sighting.
    pub state: ShipmentState,
    /// The carrier; empty: unchanged.
    pub carrier: String,
    /// The carrier's number; empty: unchanged.
    pub tracking: String,
    /// A remark; may be empty.
    pub note: String,
}

impl Shipment {
    /// The shipment after an update on the version that was seen, and the step for its history.
    ///
    /// # Errors
    /// `VERSION_CONFLICT`; `SHIPMENT_STATE` when it cannot get there from where it is, when its history is full, or when it
    /// would leave packing without a tracking number.
    pub fn update(&self, version: i64, update: Update, now: Timestamp) -> Result<(Self, Step)> {
        if version != self.version {
            return Err(Error::conflict(
                "VERSION_CONFLICT",
                "the shipment changed since it was read; read it again",
            )
            .with("version", self.version.to_string()));
        }
        let sighting = update.state == self.state && !self.state.is_terminal();
        if !sighting && !self.state.may_become(update.state) {
            return Err(self.wrong_state(update.state));
        }
        if update.state == ShipmentState::Cancelled && !sighting {
            return Err(Error::precondition("SHIPMENT_STATE", "a shipment is cancelled with its order"));
        }
        if self.version >= HISTORY_MAX {
            return Err(Error::precondition("SHIPMENT_STATE", "the shipment's history is full"));
        }
        let or = |new: String, old: &String| if new.is_empty() { old.clone() } else { new };
        let tracking = or(update.tracking, &self.tracking);
        if update.state != ShipmentState::Pending && tracking.is_empty() {
            return Err(Error::field(
                "/tracking_number",
                "INVALID_ARGUMENT",
                "is required once there is a label",
            ));
        }
        let after = Self {
            carrier: or(update.carrier, &self.carrier),
            tracking,
            state: update.state,
            version: self.version + 1,
            updated: now,
            ..self.clone()
        };
        Ok((after, Step { state: update.state, time: now, note: update.note }))
    }

    /// The shipment after it was cancelled; `None` when it was before.
    ///
    /// # Errors
    /// `SHIPMENT_STATE` when it is on its way already.
    pub fn cancel(&self, note: String, now: Timestamp) -> Result<Option<(Self, Step)>> {
        if self.state == ShipmentState::Cancelled {
            return Ok(None);
        }
        if !self.state.may_become(ShipmentState::Cancelled) {
            return Err(self.wrong_state(ShipmentState::Cancelled));
        }
        let state = ShipmentState::Cancelled;
        let after = Self { state, version: self.version + 1, updated: now, ..self.clone() };
        Ok(Some((after, Step { state, time: now, note })))
    }

    fn wrong_state(&self, next: ShipmentState) -> Error {
        let told = format!("a shipment that is {} cannot become {}", self.state.as_str(), next.as_str());
        Error::precondition("SHIPMENT_STATE", told).with("state", self.state.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shipment(state: ShipmentState) -> Shipment {
        Shipment {
            id: ShipmentId::from_bits(1),
            order: OrderId::from_bits(2),
            group: ShipmentGroupId::from_bits(3),
            owner: "cus_1".to_owned(),
            method: "standard".to_owned(),
            carrier: String::new(),
            tracking: String::new(),
            state,
            version: 1,
            created: Timestamp::from_secs(1),
            updated: Timestamp::from_secs(1),
        }
    }

    fn to(state: ShipmentState, tracking: &str) -> Update {
        Update { state, carrier: String::new(), tracking: tracking.to_owned(), note: String::new() }
    }

    #[test]
    fn a_label_needs_a_tracking_number_once() {
        let pending = shipment(ShipmentState::Pending);
        let now = Timestamp::from_secs(2);
        let error = pending.update(1, to(ShipmentState::LabelCreated, ""), now).expect_err("no number");
        assert_eq!(error.violations()[0].field, "/tracking_number");
        let (labelled, _) = pending.update(1, to(ShipmentState::LabelCreated, "RM1"), now).expect("labelled");
        let (moving, step) = labelled.update(2, to(ShipmentState::InTransit, ""), now).expect("moving");
        assert_eq!(
            (moving.tracking.as_str(), step.state, moving.version),
            ("RM1", ShipmentState::InTransit, 3)
        );
        assert_eq!(
            moving.update(1, to(ShipmentState::Delivered, ""), now).expect_err("stale").reason(),
            "VERSION_CONFLICT"
        );
        assert_eq!(moving.cancel(String::new(), now).expect_err("too late").reason(), "SHIPMENT_STATE");
    }

    #[test]
    fn cancelling_twice_is_cancelling_once() {
        let (cancelled, _) = shipment(ShipmentState::Pending)
            .cancel(String::new(), Timestamp::from_secs(2))
            .expect("may")
            .expect("a change");
        assert_eq!(cancelled.cancel(String::new(), Timestamp::from_secs(3)).expect("may"), None);
        assert!(cancelled.update(2, to(ShipmentState::LabelCreated, "x"), Timestamp::from_secs(3)).is_err());
    }

    fn states() -> impl Strategy<Value = ShipmentState> {
        prop::sample::select(ShipmentState::ALL.to_vec())
    }

    proptest! {
        #[test]
        fn no_path_leaves_an_end_and_versions_rise(path in prop::collection::vec(states(), 1..40)) {
            let mut now = shipment(ShipmentState::Pending);
            for next in path {
                let before = now.clone();
                let update = to(next, "RM1");
                let after = if next == ShipmentState::Cancelled {
                    now.cancel(String::new(), Timestamp::from_secs(5)).map(|changed| changed.map_or(before.clone(), |(after, _)| after))
                } else {
                    now.update(now.version, update, Timestamp::from_secs(5)).map(|(after, _)| after)
                };
                if let Ok(after) = after {
                    prop_assert!(after == before || after.version == before.version + 1);
                    prop_assert!(after == before || !before.state.is_terminal(), "{before:?} -> {after:?}");
                    prop_assert!(!(after.state == ShipmentState::Cancelled && before.state == ShipmentState::InTransit));
                    now = after;
                }
            }
        }

        #[test]
        fn every_word_reads_back(state in states()) {
            prop_assert_eq!(ShipmentState::parse(state.as_str()).expect("own word"), state);
        }
    }
}
