//! Whose a cart is.

use std::fmt;
use std::str::FromStr;

use kernel::{CartId, CustomerId, Error, GuestId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Whose a cart is: a guest session's or a customer's. Each has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A guest session.
    Guest(GuestId),
    /// A customer.
    Customer(CustomerId),
}

impl Owner {
    /// Id of the owner's cart: the owner's own bits, so that it is known without looking it up.
    #[must_use]
    pub const fn cart_id(self) -> CartId {
        match self {
            Self::Guest(id) => CartId::from_bits(id.bits()),
            Self::Customer(id) => CartId::from_bits(id.bits()),
        }
    }

    /// Whether it is a guest, whose cart is dropped some day.
    #[must_use]
    pub const fn is_guest(self) -> bool {
        matches!(self, Self::Guest(_))
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guest(id) => id.fmt(f),
            Self::Customer(id) => id.fmt(f),
        }
    }
}

impl FromStr for Owner {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        GuestId::parse(text).map(Self::Guest).or_else(|_| CustomerId::parse(text).map(Self::Customer))
    }
}

impl Serialize for Owner {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Owner {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_reads_back_and_names_its_cart() {
        for owner in [Owner::Guest(GuestId::from_bits(5)), Owner::Customer(CustomerId::from_bits(6))] {
            assert_eq!(owner.to_string().parse::<Owner>().expect("own text"), owner);
            assert_eq!(owner.cart_id().to_string()[4..], owner.to_string()[4..]);
        }
        assert!("ord_00000000000000000000000001".parse::<Owner>().is_err());
    }
}
