//! Quote tokens: the quote as bytes that checkout has signed. The format is told in `souk/checkout/v1/quote.proto`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, VerifyingKey};
use kernel::{Error, Result};

/// The most characters a token has.
pub const TOKEN_CHARS_MAX: usize = 1_048_576;
/// Bytes of a key's id.
pub const KEY_ID_BYTES: usize = 8;
const VERSION: u8 = 1;
const SIGNATURE_BYTES: usize = 64;
const HEAD_BYTES: usize = 1 + KEY_ID_BYTES + SIGNATURE_BYTES;

/// A public key of checkout.
#[derive(Clone, Debug)]
pub struct PublicKey {
    id: [u8; KEY_ID_BYTES],
    key: VerifyingKey,
}

impl PublicKey {
    /// A key as checkout tells it.
    ///
    /// # Errors
    /// Internal when the id or the key has another length, or is not a point of the curve.
    pub fn new(id: &[u8], key: &[u8]) -> Result<Self> {
        let id = id.try_into().map_err(|_| Error::internal("a quote key's id has another length"))?;
        let key = key.try_into().map_err(|_| Error::internal("a quote key has another length"))?;
        Ok(Self { id, key: VerifyingKey::from_bytes(key).map_err(Error::internal)? })
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> [u8; KEY_ID_BYTES] {
        self.id
    }
}

/// A token taken apart, not verified yet.
struct Parts {
    raw: Vec<u8>,
}

impl Parts {
    fn read(token: &str) -> Result<Self> {
        if token.is_empty() {
            return Err(Error::field("/quote_token", "QUOTE_TOKEN_INVALID", "is required"));
        }
        if token.len() > TOKEN_CHARS_MAX {
            return Err(Error::field(
                "/quote_token",
                "QUOTE_TOKEN_INVALID",
                "has more than 1048576 characters",
            ));
        }
        let raw = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
        if raw.len() < HEAD_BYTES || raw[0] != VERSION {
            return Err(invalid());
        }
        Ok(Self { raw })
    }

    fn key_id(&self) -> [u8; KEY_ID_BYTES] {
        let mut id = [0; KEY_ID_BYTES];
        id.copy_from_slice(&self.raw[1..=KEY_ID_BYTES]);
        id
    }
}

fn invalid() -> Error {
    Error::field("/quote_token", "QUOTE_TOKEN_INVALID", "is not a quote token of this shop")
}

/// The id of the key that a token says it was signed with.
///
/// # Errors
/// `QUOTE_TOKEN_INVALID` when it is not a token at all.
pub fn token_key_id(token: &str) -> Result<[u8; KEY_ID_BYTES]> {
    Ok(Parts::read(token)?.key_id())
}

/// Verifies a token and gives the bytes of its quote, as they were signed.
///
/// # Errors
/// `QUOTE_TOKEN_INVALID` at `/quote_token` when it is malformed, its key is unknown, or its signature is not good.
pub fn open_token(token: &str, keys: &[PublicKey]) -> Result<Vec<u8>> {
    let Parts { mut raw } = Parts::read(token)?;
    let key = keys.iter().find(|key| key.id == raw[1..=KEY_ID_BYTES]).ok_or_else(invalid)?;
    let signature = Signature::from_slice(&raw[1 + KEY_ID_BYTES..HEAD_BYTES]).map_err(|_| invalid())?;
    // What was signed is the token without its signature: cut it out in place.
    raw.drain(1 + KEY_ID_BYTES..HEAD_BYTES);
    key.key.verify_strict(&raw, &signature).map_err(|_| invalid())?;
    raw.drain(..=KEY_ID_BYTES);
    Ok(raw)
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};
    use sha2::{Digest, Sha256};

    use super::*;

    fn signed(quote: &[u8]) -> (String, PublicKey) {
        let key = SigningKey::from_bytes(&[7; 32]);
        let public = key.verifying_key().to_bytes();
        let id = Sha256::digest(public)[..KEY_ID_BYTES].to_vec();
        let mut message = vec![VERSION];
        message.extend_from_slice(&id);
        message.extend_from_slice(quote);
        let signature = key.sign(&message).to_bytes();
        message.splice(1 + KEY_ID_BYTES..1 + KEY_ID_BYTES, signature);
        (URL_SAFE_NO_PAD.encode(message), PublicKey::new(&id, &public).expect("a key"))
    }

    #[test]
    fn a_good_token_gives_its_bytes() {
        let (token, key) = signed(b"a quote");
        assert_eq!(open_token(&token, std::slice::from_ref(&key)).expect("good"), b"a quote");
        assert_eq!(token_key_id(&token).expect("good"), key.id());
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let (token, key) = signed(b"a quote of 100 GBP");
        let raw = URL_SAFE_NO_PAD.decode(&token).expect("own token");
        for index in 0..raw.len() {
            let mut bad = raw.clone();
            bad[index] ^= 1;
            let error =
                open_token(&URL_SAFE_NO_PAD.encode(bad), std::slice::from_ref(&key)).expect_err("changed");
            assert_eq!(error.reason(), "QUOTE_TOKEN_INVALID", "byte {index}");
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let (token, key) = signed(b"a quote");
        let long = "A".repeat(TOKEN_CHARS_MAX + 1);
        for bad in ["", "A", "====", "é", &token[..40], &token[1..], &long] {
            let error = open_token(bad, std::slice::from_ref(&key)).expect_err("not a token");
            assert_eq!(error.violations()[0].field, "/quote_token");
        }
        assert!(open_token(&token, &[]).is_err(), "a key that is unknown");
    }
}
