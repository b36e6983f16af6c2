//! Cursors that nobody can make up: a position in a list, signed together with the query it belongs to.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use kernel::{Error, Result};
use sha2::Sha256;

use crate::Secret;

const TAG_BYTES: usize = 16;

/// Seals and opens cursors.
#[derive(Clone)]
pub struct Cursors(Secret);

impl Cursors {
    pub(crate) fn new(secret: Secret) -> Self {
        Self(secret)
    }

    fn tag(&self, query: &str, position: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.bytes()).expect("HMAC takes a key of any length");
        mac.update(&(query.len() as u64).to_be_bytes());
        mac.update(query.as_bytes());
        mac.update(position);
        mac
    }

    /// The cursor that continues `query` after `position`. The query names the list, its filters and whose it is.
    #[must_use]
    pub fn seal(&self, query: &str, position: &str) -> String {
        let tag = self.tag(query, position.as_bytes()).finalize().into_bytes();
        let mut bytes = tag[..TAG_BYTES].to_vec();
        bytes.extend_from_slice(position.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The position that a cursor of this query continues after; `None` for an empty cursor, which starts the list.
    ///
    /// # Errors
    /// `INVALID_CURSOR` at `/page/cursor` for anything that [`Cursors::seal`] did not make for this query.
    pub fn open(&self, query: &str, cursor: &str) -> Result<Option<String>> {
        if cursor.is_empty() {
            return Ok(None);
        }
        let bad = || Error::field("/page/cursor", "INVALID_CURSOR", "is not a cursor of this list");
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).map_err(|_| bad())?;
        let (tag, position) = bytes.split_at_checked(TAG_BYTES).ok_or_else(bad)?;
        self.tag(query, position).verify_truncated_left(tag).map_err(|_| bad())?;
        String::from_utf8(position.to_vec()).map(Some).map_err(|_| bad())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_own_query_only() {
        let cursors = Cursors::new(
            crate::secrets::Secrets::new(None, crate::Entropy::seeded(1)).get("cursor").expect("made"),
        );
        let cursor = cursors.seal("orders|cus_1", "ord_9");
        assert_eq!(cursors.open("orders|cus_1", &cursor).expect("own"), Some("ord_9".to_owned()));
        assert_eq!(cursors.open("orders|cus_1", "").expect("first page"), None);
        for (query, cursor) in [
            ("orders|cus_2", cursor.as_str()),
            ("orders|cus_1", "AAAA"),
            ("orders|cus_1", "no base64"),
            ("orders|cus_1", &cursor[1..]),
        ] {
            assert_eq!(cursors.open(query, cursor).expect_err("forged").reason(), "INVALID_CURSOR");
        }
    }
}
