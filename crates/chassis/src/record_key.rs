//! Keyed seals of stored records.
//!
//! A seal is HMAC-SHA256 over what a row holds, under a key that is kept outside the database. Whoever can write the
//! database but not read the secrets cannot make a seal that fits a changed row.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::Secret;

/// Bytes of a seal.
pub const SEAL_BYTES: usize = 32;

/// A key that seals records.
#[derive(Clone)]
pub struct RecordKey(Secret);

impl RecordKey {
    /// A key from a secret of the shop.
    #[must_use]
    pub const fn new(secret: Secret) -> Self {
        Self(secret)
    }

    /// Begins the seal of a record of this kind. Kinds keep a row of one table from passing as one of another.
    pub fn record(&self, kind: &str) -> Record {
        let mac = Hmac::<Sha256>::new_from_slice(self.0.bytes()).expect("HMAC takes a key of any length");
        Record(mac).text(kind)
    }
}

/// A record that is being sealed. Each field goes in with its length, so that no two records have the same bytes.
#[must_use]
pub struct Record(Hmac<Sha256>);

impl Record {
    /// Adds bytes.
    pub fn bytes(mut self, value: &[u8]) -> Self {
        self.0.update(&(value.len() as u64).to_be_bytes());
        self.0.update(value);
        self
    }

    /// Adds a text.
    pub fn text(self, value: &str) -> Self {
        self.bytes(value.as_bytes())
    }

    /// Adds a number.
    pub fn int(self, value: i64) -> Self {
        self.bytes(&value.to_be_bytes())
    }

    /// Adds a text that may be absent; absent differs from empty.
    pub fn optional_text(self, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(value),
            None => self.absent(),
        }
    }

    /// Adds a number that may be absent.
    pub fn optional_int(self, value: Option<i64>) -> Self {
        match value {
            Some(value) => self.int(value),
            None => self.absent(),
        }
    }

    /// A field that is absent: a length that no value has.
    fn absent(mut self) -> Self {
        self.0.update(&u64::MAX.to_be_bytes());
        self
    }

    /// The seal.
    #[must_use]
    pub fn seal(self) -> [u8; SEAL_BYTES] {
        self.0.finalize().into_bytes().into()
    }

    /// Whether a stored seal is this record's. Takes as long for a wrong seal as for a right one.
    #[must_use]
    pub fn fits(self, seal: &[u8]) -> bool {
        self.0.verify_slice(seal).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Entropy;
    use crate::secrets::Secrets;

    #[test]
    fn every_field_and_the_key_count() {
        let key =
            |seed| RecordKey::new(Secrets::new(None, Entropy::seeded(seed)).get("records").expect("made"));
        let seal = |key: &RecordKey| key.record("row").text("ab").optional_text(None).int(7).seal();
        let (own, other) = (key(1), key(2));
        assert!(own.record("row").text("ab").optional_text(None).int(7).fits(&seal(&own)));
        assert_ne!(seal(&own), seal(&other), "another key");
        for wrong in [
            own.record("other").text("ab").optional_text(None).int(7),
            own.record("row").text("a").text("b").optional_text(None).int(7),
            own.record("row").text("ab").text("").int(7),
            own.record("row").text("ab").optional_text(None).int(8),
        ] {
            assert!(!wrong.fits(&seal(&own)));
        }
    }
}
