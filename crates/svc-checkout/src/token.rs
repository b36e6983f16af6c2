//! Quote tokens: a quote as signed bytes, and the keys that sign them.
//!
//! The format stands in `proto/souk/checkout/v1/quote.proto`. Keys are derived from one secret, a new one for each period of
//! 30 days, so that every instance signs with the same key and publishes the next before it is used.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use kernel::{Error, Result, Timestamp};
use sha2::{Digest as _, Sha256};

/// The first byte of every token.
const VERSION: u8 = 1;
const KEY_ID_BYTES: usize = 8;
const SIGNATURE_BYTES: usize = 64;
const HEAD_BYTES: usize = 1 + KEY_ID_BYTES;
/// Characters that a token may have.
pub const TOKEN_CHARS_MAX: usize = 1 << 20;
/// For how long one key signs.
pub const PERIOD: Duration = Duration::from_secs(30 * 24 * 3600);
/// For how long after its period a key's tokens are still recognized: the periods before that are still published.
pub const RECOGNIZED: Duration = PERIOD;

/// A key that signs quotes for one period.
pub struct QuoteKey {
    signing: SigningKey,
    id: [u8; KEY_ID_BYTES],
    /// From when it signs.
    pub not_before: Timestamp,
    /// Until when it signs.
    pub not_after: Timestamp,
}

impl QuoteKey {
    /// Derives the key of the period that `at` lies in.
    #[must_use]
    pub fn derive(secret: &[u8], at: Timestamp) -> Self {
        let length = i64::try_from(PERIOD.as_micros()).expect("30 days fit");
        let period = at.micros().div_euclid(length);
        let mut hash = Sha256::new();
        hash.update(b"souk.checkout.quote.v1");
        hash.update((secret.len() as u64).to_be_bytes());
        hash.update(secret);
        hash.update(period.to_be_bytes());
        let signing = SigningKey::from_bytes(&hash.finalize().into());
        let id = key_id(&signing.verifying_key().to_bytes());
        let not_before = Timestamp::from_micros(period.saturating_mul(length));
        Self { signing, id, not_before, not_after: not_before.plus(PERIOD) }
    }

    /// Its id: the first 8 bytes of SHA-256 of the public key.
    #[must_use]
    pub fn id(&self) -> [u8; KEY_ID_BYTES] {
        self.id
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        self.signing.verifying_key().to_bytes()
    }
}

/// The keys that are published at a time: the one before, the one that signs, the next.
#[must_use]
pub fn published(secret: &[u8], now: Timestamp) -> [QuoteKey; 3] {
    [now.minus(PERIOD), now, now.plus(PERIOD)].map(|at| QuoteKey::derive(secret, at))
}

/// Signs the bytes of a quote.
///
/// # Errors
/// `QUOTE_TOO_LARGE` when the token would have more than [`TOKEN_CHARS_MAX`] characters.
pub fn sign(key: &QuoteKey, quote: &[u8]) -> Result<String> {
    let mut signed = Vec::with_capacity(HEAD_BYTES + quote.len());
    signed.push(VERSION);
    signed.extend_from_slice(&key.id);
    signed.extend_from_slice(quote);
    let signature = key.signing.sign(&signed).to_bytes();
    let mut bytes = Vec::with_capacity(signed.len() + SIGNATURE_BYTES);
    bytes.extend_from_slice(&signed[..HEAD_BYTES]);
    bytes.extend_from_slice(&signature);
    bytes.extend_from_slice(quote);
    let token = URL_SAFE_NO_PAD.encode(bytes);
    if token.len() > TOKEN_CHARS_MAX {
        return Err(Error::precondition(
            "QUOTE_TOO_LARGE",
            "the quote has too many lines to be signed as one token",
        ));
    }
    Ok(token)
}

/// Reads a token that one of the keys has signed, and gives the bytes of its quote. Says nothing about its expiry.
///
/// # Errors
/// `QUOTE_TOKEN_INVALID` naming `/quote_token` for everything that is not exactly what [`sign`] made with one of the keys.
pub fn verify(token: &str, keys: &[([u8; KEY_ID_BYTES], [u8; 32])]) -> Result<Vec<u8>> {
    read(token, keys).ok_or_else(|| {
        Error::field("/quote_token", "QUOTE_TOKEN_INVALID", "is not a quote token of this shop")
    })
}

fn read(token: &str, keys: &[([u8; KEY_ID_BYTES], [u8; 32])]) -> Option<Vec<u8>> {
    if token.len() > TOKEN_CHARS_MAX {
        return None;
    }
    let mut bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    if bytes.len() < HEAD_BYTES + SIGNATURE_BYTES || bytes[0] != VERSION {
        return None;
    }
    let (_, public) = keys.iter().find(|(id, _)| id == &bytes[1..HEAD_BYTES])?;
    let key = VerifyingKey::from_bytes(public).ok()?;
    let signature: Vec<u8> = bytes.drain(HEAD_BYTES..HEAD_BYTES + SIGNATURE_BYTES).collect();
    let signature = Signature::from_slice(&signature).ok()?;
    key.verify_strict(&bytes, &signature).ok()?;
    bytes.drain(..HEAD_BYTES);
    Some(bytes)
}

fn key_id(public: &[u8; 32]) -> [u8; KEY_ID_BYTES] {
    let digest = Sha256::digest(public);
    let mut id = [0; KEY_ID_BYTES];
    id.copy_from_slice(&digest[..KEY_ID_BYTES]);
    id
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

    fn public(keys: &[QuoteKey]) -> Vec<([u8; 8], [u8; 32])> {
        keys.iter().map(|key| (key.id(), key.public())).collect()
    }

    #[test]
    fn a_key_of_the_period_before_is_still_published() {
        let secret = [7; 32];
        let old = QuoteKey::derive(&secret, NOW);
        let token = sign(&old, b"quote").expect("small");
        for later in [Duration::ZERO, Duration::from_secs(900), PERIOD] {
            assert!(verify(&token, &public(&published(&secret, NOW.plus(later)))).is_ok(), "{later:?} later");
        }
        assert!(verify(&token, &public(&published(&secret, NOW.plus(PERIOD * 2)))).is_err());
    }

    #[test]
    fn what_was_not_signed_here_is_refused() {
        let ours = published(&[7; 32], NOW);
        let theirs = QuoteKey::derive(&[8; 32], NOW);
        let foreign = sign(&theirs, b"quote").expect("small");
        for token in ["", "AQ", "x", "====", foreign.as_str(), &"A".repeat(TOKEN_CHARS_MAX + 1)] {
            let error = verify(token, &public(&ours)).expect_err("not ours");
            assert_eq!(error.reason(), "QUOTE_TOKEN_INVALID");
            assert_eq!(error.violations()[0].field, "/quote_token");
        }
    }

    #[test]
    fn a_quote_that_is_too_large_is_not_signed() {
        let key = QuoteKey::derive(&[7; 32], NOW);
        assert_eq!(sign(&key, &vec![0; 800_000]).expect_err("too large").reason(), "QUOTE_TOO_LARGE");
    }

    proptest! {
        #[test]
        fn a_token_reads_back_and_no_changed_byte_does(quote in prop::collection::vec(any::<u8>(), 0..300), at in any::<prop::sample::Index>(), flip in 1_u8..=255) {
            let keys = published(&[7; 32], NOW);
            let token = sign(&keys[1], &quote).expect("small");
            prop_assert_eq!(verify(&token, &public(&keys)).expect("ours"), quote);
            let mut bytes = URL_SAFE_NO_PAD.decode(&token).expect("base64");
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            prop_assert!(verify(&URL_SAFE_NO_PAD.encode(bytes), &public(&keys)).is_err());
        }
    }
}
