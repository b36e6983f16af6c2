//! Typed ids: a prefix that says what it is, `_`, and a UUIDv7 in 26 characters of lower-case Crockford base32.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Error, Timestamp};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// In [`DIGITS`], for a byte that is none of the alphabet.
const NO_DIGIT: u8 = u8::MAX;
/// The digit that each byte stands for.
const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut digit: u8 = 0;
    while digit < 32 {
        digits[ALPHABET[digit as usize] as usize] = digit;
        digit += 1;
    }
    digits
};

/// What an id identifies.
pub trait IdKind: 'static {
    /// For example `ord`.
    const PREFIX: &'static str;
}

/// An id of one kind. Ids sort by the time they were made.
pub struct Id<K> {
    bits: u128,
    kind: PhantomData<fn() -> K>,
}

impl<K: IdKind> Id<K> {
    /// Makes a UUIDv7 (RFC 9562) from a time and 80 random bits, of which 74 are used.
    #[must_use]
    pub fn from_parts(time: Timestamp, random: [u8; 10]) -> Self {
        let millis = u128::try_from(time.millis().max(0)).unwrap_or(0) & 0xffff_ffff_ffff;
        let noise = random.iter().fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte));
        let high = (noise >> 62) & 0xfff;
        let low = noise & ((1 << 62) - 1);
        Self::from_bits((millis << 80) | (7 << 76) | (high << 64) | (0b10 << 62) | low)
    }

    /// Any 128 bits. Used for ids derived from something else, which are then no UUIDv7.
    #[must_use]
    pub const fn from_bits(bits: u128) -> Self {
        Self { bits, kind: PhantomData }
    }

    /// Its 128 bits.
    #[must_use]
    pub const fn bits(self) -> u128 {
        self.bits
    }

    /// Reads an id of this kind.
    ///
    /// # Errors
    /// `INVALID_ID` on another prefix, length or alphabet.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::read(text).ok_or_else(|| {
            Error::invalid("INVALID_ID", format!("is not an id of the form {}_ and 26 characters", K::PREFIX))
        })
    }

    fn read(text: &str) -> Option<Self> {
        let body = text.strip_prefix(K::PREFIX)?.strip_prefix('_')?.as_bytes();
        if body.len() != 26 || body[0] > b'7' {
            return None;
        }
        let mut bits = 0_u128;
        for byte in body {
            let digit = DIGITS[usize::from(*byte)];
            if digit == NO_DIGIT {
                return None;
            }
            bits = (bits << 5) | u128::from(digit);
        }
        Some(Self::from_bits(bits))
    }
}

impl<K: IdKind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut body = [0_u8; 26];
        let mut bits = self.bits;
        for slot in body.iter_mut().rev() {
            *slot = ALPHABET[(bits & 31) as usize];
            bits >>= 5;
        }
        f.write_str(K::PREFIX)?;
        f.write_str("_")?;
        f.write_str(std::str::from_utf8(&body).unwrap_or_default())
    }
}

impl<K: IdKind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K: IdKind> FromStr for Id<K> {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.bits == other.bits
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bits.cmp(&other.bits)
    }
}
impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bits.hash(state);
    }
}
impl<K: IdKind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de, K: IdKind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Declares kinds of ids: `ids! { /// An order. Order => OrderId, "ord"; }`.
#[macro_export]
macro_rules! ids {
    ($($(#[$doc:meta])* $kind:ident => $id:ident, $prefix:literal;)*) => {$(
        $(#[$doc])*
        pub struct $kind;
        impl $crate::IdKind for $kind {
            const PREFIX: &'static str = $prefix;
        }
        #[doc = concat!("Id `", $prefix, "_…`.")]
        pub type $id = $crate::Id<$kind>;
    )*};
}

ids! {
    /// Kind of an account, and of the customer that it is.
    Customer => CustomerId, "cus";
    /// Kind of a guest session.
    Guest => GuestId, "gst";
    /// Kind of a session of an account.
    Session => SessionId, "ses";
    /// Kind of a product.
    Product => ProductId, "prd";
    /// Kind of a category.
    Category => CategoryId, "cat";
    /// Kind of a cart.
    Cart => CartId, "crt";
    /// Kind of a line of a cart, a quote or an order.
    Line => LineId, "lin";
    /// Kind of a quote.
    Quote => QuoteId, "quo";
    /// Kind of an order.
    Order => OrderId, "ord";
    /// Kind of a shipment group of a quote or an order.
    ShipmentGroup => ShipmentGroupId, "sgr";
    /// Kind of a hold on stock.
    Hold => HoldId, "hld";
    /// Kind of a payment intent.
    Payment => PaymentId, "pay";
    /// Kind of a refund.
    Refund => RefundId, "ref";
    /// Kind of a shipment.
    Shipment => ShipmentId, "shp";
    /// Kind of an address in an address book.
    Address => AddressId, "adr";
    /// Kind of an event.
    Event => EventId, "evt";
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_id_says_what_it_is() {
        let id = OrderId::from_parts(Timestamp::from_secs(1_700_000_000), [7; 10]);
        let text = id.to_string();
        assert!(text.starts_with("ord_") && text.len() == 30, "{text}");
        assert_eq!(OrderId::parse(&text).expect("own text"), id);
        assert!(QuoteId::parse(&text).is_err());
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in
            ["", "ord_", "ord", "ord_0123456789abcdefghjkmnpqrsU", "ord_zzzzzzzzzzzzzzzzzzzzzzzzzz", "ord_é"]
        {
            assert_eq!(OrderId::parse(text).expect_err(text).reason(), "INVALID_ID");
        }
    }

    proptest! {
        #[test]
        fn every_id_reads_back(bits in any::<u128>()) {
            let id = OrderId::from_bits(bits);
            prop_assert_eq!(OrderId::parse(&id.to_string()).expect("own text"), id);
        }

        #[test]
        fn ids_sort_by_time(a in 0_i64..4_000_000_000, b in 0_i64..4_000_000_000, random in any::<[u8; 10]>()) {
            prop_assume!(a < b);
            let (a, b) = (OrderId::from_parts(Timestamp::from_secs(a), random), OrderId::from_parts(Timestamp::from_secs(b), random));
            prop_assert!(a < b && a.to_string() < b.to_string());
        }
    }
}
