//! Address books.

use kernel::{AddressId, Error, Result, Timestamp, Violations};
use serde::{Deserialize, Serialize};

use super::{Profile, seen};

/// Most addresses in a book.
const ADDRESSES_MAX: usize = 50;
/// Longest label in characters.
const LABEL_CHARS_MAX: usize = 100;

/// What an address is the default for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressUse {
    /// Where things are sent.
    Shipping,
    /// What stands on the invoice.
    Billing,
}

impl AddressUse {
    /// All uses.
    pub const ALL: [Self; 2] = [Self::Shipping, Self::Billing];
}

/// A postal address, checked.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PostalAddress {
    /// Who receives it.
    pub recipient: String,
    /// Street lines.
    pub lines: Vec<String>,
    /// City or town.
    pub city: String,
    /// State, county or region.
    pub region: String,
    /// Postal code.
    pub postal_code: String,
    /// ISO 3166-1 alpha-2.
    pub country_code: String,
    /// Telephone number.
    pub phone: String,
}

/// An address in a book.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookAddress {
    /// Its id.
    pub id: AddressId,
    /// Rises with every change of its own.
    pub version: i64,
    /// What its owner calls it; may be empty.
    pub label: String,
    /// The address.
    pub address: PostalAddress,
    /// What it is the default for, sorted.
    pub default_for: Vec<AddressUse>,
}

/// What an address is to be.
#[derive(Clone)]
pub struct NewAddress {
    label: String,
    address: PostalAddress,
    default_for: Vec<AddressUse>,
}

impl NewAddress {
    /// Checks what was given.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` naming `/label`.
    pub fn parse(label: &str, address: PostalAddress, mut default_for: Vec<AddressUse>) -> Result<Self> {
        let mut violations = Violations::new();
        let label = violations.optional_text("/label", label, LABEL_CHARS_MAX);
        violations.finish()?;
        default_for.sort_unstable();
        default_for.dedup();
        Ok(Self { label, address, default_for })
    }
}

fn no_address() -> Error {
    Error::not_found("ADDRESS_NOT_FOUND", "no such address in this address book")
}

impl Profile {
    /// An address of the book.
    ///
    /// # Errors
    /// `ADDRESS_NOT_FOUND`.
    pub fn address(&self, id: AddressId) -> Result<&BookAddress> {
        self.addresses.iter().find(|address| address.id == id).ok_or_else(no_address)
    }

    /// The profile with one address more. The first is the default for everything.
    ///
    /// # Errors
    /// `TOO_MANY_ADDRESSES`.
    pub fn with_address(&self, id: AddressId, new: &NewAddress, now: Timestamp) -> Result<Self> {
        if self.addresses.len() >= ADDRESSES_MAX {
            let message = format!("the address book has {ADDRESSES_MAX} addresses; delete one first");
            return Err(Error::precondition("TOO_MANY_ADDRESSES", message));
        }
        let first = self.addresses.is_empty();
        let default_for = if first { AddressUse::ALL.to_vec() } else { new.default_for.clone() };
        let mut profile = self.without_defaults(&default_for, now);
        let (label, address) = (new.label.clone(), new.address.clone());
        profile.addresses.push(BookAddress { id, version: 1, label, address, default_for });
        Ok(profile)
    }

    /// The profile with an address replaced, in the version that was seen.
    ///
    /// # Errors
    /// `ADDRESS_NOT_FOUND`, `VERSION_CONFLICT`.
    pub fn with_address_replaced(
        &self,
        id: AddressId,
        version: i64,
        new: &NewAddress,
        now: Timestamp,
    ) -> Result<Self> {
        let before = self.address(id)?;
        seen("address", before.version, version)?;
        let NewAddress { label, address, default_for } = new.clone();
        let after = BookAddress { id, version: before.version + 1, label, address, default_for };
        let mut profile = self.without_defaults(&after.default_for, now);
        for address in &mut profile.addresses {
            if address.id == id {
                *address = after.clone();
            }
        }
        Ok(profile)
    }

    /// The profile without an address, in the version that was seen. What it was the default for has none then.
    ///
    /// # Errors
    /// `ADDRESS_NOT_FOUND`, `VERSION_CONFLICT`.
    pub fn without_address(&self, id: AddressId, version: i64, now: Timestamp) -> Result<Self> {
        seen("address", self.address(id)?.version, version)?;
        let mut profile = Self { updated_at: now, ..self.clone() };
        profile.addresses.retain(|address| address.id != id);
        Ok(profile)
    }

    fn without_defaults(&self, uses: &[AddressUse], now: Timestamp) -> Self {
        let mut profile = Self { updated_at: now, ..self.clone() };
        for address in &mut profile.addresses {
            address.default_for.retain(|held| !uses.contains(held));
        }
        profile
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn new(label: &str, default_for: &[AddressUse]) -> NewAddress {
        let address = PostalAddress { country_code: "GB".into(), ..PostalAddress::default() };
        NewAddress::parse(label, address, default_for.to_vec()).expect("good")
    }

    fn profile(labels: &[&str]) -> Profile {
        let now = Timestamp::from_secs(1);
        let add = |profile: Profile, (n, label): (usize, &&str)| {
            profile.with_address(AddressId::from_bits(n as u128), &new(label, &[]), now).expect("room")
        };
        labels.iter().enumerate().fold(Profile::empty(now), add)
    }

    fn defaults(profile: &Profile, of: AddressUse) -> Vec<u128> {
        profile
            .addresses
            .iter()
            .filter(|address| address.default_for.contains(&of))
            .map(|address| address.id.bits())
            .collect()
    }

    #[test]
    fn the_first_address_is_the_default_until_another_takes_its_place() {
        let now = Timestamp::from_secs(2);
        let book = profile(&["home", "work"]);
        assert_eq!(
            (defaults(&book, AddressUse::Shipping), defaults(&book, AddressUse::Billing)),
            (vec![0], vec![0])
        );
        let moved = book
            .with_address(AddressId::from_bits(9), &new("depot", &[AddressUse::Shipping]), now)
            .expect("room");
        assert_eq!(
            (defaults(&moved, AddressUse::Shipping), defaults(&moved, AddressUse::Billing)),
            (vec![9], vec![0])
        );
        let back = moved
            .with_address_replaced(AddressId::from_bits(1), 1, &new("work", &AddressUse::ALL), now)
            .expect("there");
        assert_eq!(
            (defaults(&back, AddressUse::Shipping), defaults(&back, AddressUse::Billing)),
            (vec![1], vec![1])
        );
    }

    #[test]
    fn a_book_is_bounded() {
        let full = profile(&["x"; ADDRESSES_MAX]);
        let error = full
            .with_address(AddressId::from_bits(99), &new("one more", &[]), Timestamp::from_secs(2))
            .err()
            .expect("full");
        assert_eq!(error.reason(), "TOO_MANY_ADDRESSES");
    }

    #[test]
    fn an_address_is_changed_in_the_version_that_was_seen() {
        let (now, id) = (Timestamp::from_secs(2), AddressId::from_bits(0));
        let book = profile(&["home"]);
        let moved = book.with_address_replaced(id, 1, &new("cottage", &[]), now).expect("there");
        assert_eq!(
            (moved.addresses[0].version, moved.addresses[0].label.as_str(), moved.updated_at),
            (2, "cottage", now)
        );
        let reason =
            |result: Result<Profile>| result.err().map(|error| error.reason().to_owned()).unwrap_or_default();
        assert_eq!(reason(moved.with_address_replaced(id, 1, &new("hut", &[]), now)), "VERSION_CONFLICT");
        assert_eq!(reason(moved.without_address(id, 1, now)), "VERSION_CONFLICT");
        assert_eq!(reason(moved.without_address(id, 0, now)), "INVALID_ARGUMENT");
        assert_eq!(reason(moved.without_address(AddressId::from_bits(7), 1, now)), "ADDRESS_NOT_FOUND");
        assert!(moved.without_address(id, 2, now).expect("there").addresses.is_empty());
    }

    #[test]
    fn labels_are_bounded() {
        let address = PostalAddress::default();
        for label in ["x".repeat(101), "\u{2060}".to_owned(), "a\u{7}".to_owned()] {
            let error = NewAddress::parse(&label, address.clone(), Vec::new()).err().expect("refused");
            assert_eq!(error.violations()[0].field, "/label");
        }
        let pasted = NewAddress::parse("At\r\nhome", address, Vec::new()).map(|new| new.label);
        assert_eq!(pasted.expect("one line"), "At home");
    }

    proptest! {
        #[test]
        fn each_use_has_one_default_at_most(steps in proptest::collection::vec((0_u8..3, 0_u128..6, 0_usize..4), 0..60)) {
            let mut book = Profile::empty(Timestamp::from_secs(1));
            for (step, (what, bits, uses)) in steps.into_iter().enumerate() {
                let now = Timestamp::from_secs(step as i64 + 2);
                let uses: Vec<_> = AddressUse::ALL.into_iter().enumerate().filter(|(n, _)| uses >> n & 1 == 1).map(|(_, u)| u).collect();
                let id = AddressId::from_bits(bits);
                let version = book.address(id).map(|address| address.version).unwrap_or(1);
                let next = match what {
                    0 if book.address(id).is_err() => book.with_address(id, &new("x", &uses), now),
                    1 => book.with_address_replaced(id, version, &new("y", &uses), now),
                    _ => book.without_address(id, version, now),
                };
                if let Ok(next) = next { book = next; }
                for of in AddressUse::ALL {
                    prop_assert!(defaults(&book, of).len() <= 1);
                }
                let ids: std::collections::BTreeSet<_> = book.addresses.iter().map(|address| address.id).collect();
                prop_assert_eq!(ids.len(), book.addresses.len());
            }
        }
    }
}
