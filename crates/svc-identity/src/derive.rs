//! What is secret is derived, not stored.
//!
//! The database holds random seeds; the house holds a secret (`Context::secret`). A refresh token, a private signing key
//! and a program's secret are HMAC-SHA-256 of a seed under the house's secret, so neither half alone is worth anything,
//! and a remembered answer needs only the seed to be given again, token by token. Passwords never reach the database
//! either way: request fingerprints are keyed with the same secret, since a plain hash of a request could be searched for
//! the password in it.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use hmac::{Hmac, KeyInit, Mac};
use kernel::SessionId;
use prost::Message;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::domain::Session;

const REFRESH_PREFIX: &str = "rft_";
/// Session id, generation, tag.
const REFRESH_BYTES: usize = 16 + 8 + 32;
/// Longest secret or refresh token that is looked at.
const TEXT_BYTES_MAX: usize = 128;

/// Derives what is secret.
#[derive(Clone)]
pub(crate) struct Derive(Zeroizing<[u8; 32]>);

/// A refresh token as it was presented; not yet known to be genuine.
pub(crate) struct RefreshToken {
    /// The session it claims to be of.
    pub(crate) session: SessionId,
    /// Its number in the session.
    pub(crate) generation: i64,
    tag: [u8; 32],
}

impl Derive {
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*secret))
    }

    fn mac(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.0.as_slice()).expect("HMAC takes a key of any length");
        for part in [purpose.as_bytes()].iter().chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// The fingerprint of a request. Unlike a plain hash it tells nothing of the passwords and tokens in it.
    pub(crate) fn fingerprint(&self, message: &impl Message) -> [u8; 32] {
        let bytes = Zeroizing::new(message.encode_to_vec());
        self.mac("request fingerprint", &[&bytes])
    }

    /// A name that stands for a text without telling it.
    pub(crate) fn pseudonym(&self, text: &str) -> String {
        hex::encode(&self.mac("pseudonym", &[text.as_bytes()])[..16])
    }

    /// The refresh token of a session's present generation.
    pub(crate) fn refresh_token(&self, session: &Session) -> String {
        let mut bytes = Zeroizing::new(Vec::with_capacity(REFRESH_BYTES));
        bytes.extend(session.id.bits().to_be_bytes());
        bytes.extend(session.generation.to_be_bytes());
        bytes.extend(self.refresh_tag(session, session.generation));
        format!("{REFRESH_PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes.as_slice()))
    }

    fn refresh_tag(&self, session: &Session, generation: i64) -> [u8; 32] {
        let id = session.id.bits().to_be_bytes();
        self.mac("refresh token", &[&session.seed, &id, &generation.to_be_bytes()])
    }

    /// Whether this side made the token, now or earlier.
    pub(crate) fn is_genuine(&self, session: &Session, token: &RefreshToken) -> bool {
        let tag = self.refresh_tag(session, token.generation);
        session.id == token.session && bool::from(tag.ct_eq(&token.tag))
    }

    /// The text of a program's secret: a prefix and 32 bytes that nobody can guess.
    pub(crate) fn secret(&self, prefix: &str, seed: &[u8; 32]) -> String {
        let bytes = Zeroizing::new(self.mac("program secret", &[prefix.as_bytes(), seed]));
        format!("{prefix}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes.as_slice()))
    }

    /// The private half of a signing key.
    pub(crate) fn signing_key(&self, seed: &[u8; 32]) -> SigningKey {
        SigningKey::from_bytes(&Zeroizing::new(self.mac("signing key", &[seed])))
    }
}

impl RefreshToken {
    /// Takes a token apart; `None` when the text is not a token.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let body = text.strip_prefix(REFRESH_PREFIX).filter(|body| body.len() <= TEXT_BYTES_MAX)?;
        let bytes = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.decode(body).ok()?);
        let (id, rest) = bytes.split_first_chunk::<16>()?;
        let (generation, tag) = rest.split_first_chunk::<8>()?;
        Some(Self {
            session: SessionId::from_bits(u128::from_be_bytes(*id)),
            generation: i64::from_be_bytes(*generation),
            tag: tag.try_into().ok()?,
        })
    }
}

/// What is stored of a program's secret; `None` for what is not a secret.
pub(crate) fn secret_hash(text: &str) -> Option<String> {
    let known = ["ops_", "svc_"].iter().any(|prefix| text.starts_with(prefix));
    (known && text.len() <= TEXT_BYTES_MAX).then(|| hex::encode(Sha256::digest(text)))
}

#[cfg(test)]
pub(crate) mod tests {
    use kernel::{CustomerId, Timestamp};

    use super::*;
    use crate::domain::Subject;

    pub(crate) fn derive() -> Derive {
        Derive::new(&[7; 32])
    }

    fn session(bits: u128, seed: [u8; 16]) -> Session {
        let subject = Subject::Account(CustomerId::from_bits(1));
        Session::begin(SessionId::from_bits(bits), subject, String::new(), seed, Timestamp::from_secs(0))
    }

    #[test]
    fn a_refresh_token_is_genuine_for_its_own_session_and_generation_only() {
        let (derive, session) = (derive(), session(1, [1; 16]));
        let token = RefreshToken::parse(&derive.refresh_token(&session)).expect("own token");
        assert_eq!((token.session, token.generation), (session.id, 1));
        assert!(derive.is_genuine(&session, &token));
        let next = Session { generation: 2, ..session.clone() };
        assert!(derive.is_genuine(&next, &token), "a spent token is known again");
        let raised = RefreshToken {
            generation: 2,
            ..RefreshToken::parse(&derive.refresh_token(&session)).expect("own token")
        };
        assert!(!derive.is_genuine(&session, &raised), "its number is part of it");
        assert!(!derive.is_genuine(&self::session(1, [2; 16]), &token), "the seed is part of it");
        assert!(!derive.is_genuine(&self::session(2, [1; 16]), &token), "the session is part of it");
        let other = Derive::new(&[8; 32]);
        assert!(!other.is_genuine(&session, &token), "the secret of the house is part of it");
    }

    #[test]
    fn what_is_no_refresh_token_is_refused() {
        let good = derive().refresh_token(&session(1, [1; 16]));
        for text in [
            "",
            "rft_",
            "rft_AAAA",
            &good[4..],
            &good[..good.len() - 1],
            &format!("{good}A"),
            &"rft_A".repeat(1000),
        ] {
            assert!(RefreshToken::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn secrets_have_a_prefix_and_43_characters() {
        let secret = derive().secret("ops_", &[3; 32]);
        assert_eq!(secret.len(), 4 + 43);
        assert_eq!(secret, derive().secret("ops_", &[3; 32]), "the same again for a replay");
        assert_ne!(secret[4..], derive().secret("svc_", &[3; 32])[4..]);
        assert_eq!(secret_hash(&secret).map(|hash| hash.len()), Some(64));
        assert_eq!(secret_hash("nothing"), None);
        assert_eq!(secret_hash(&"ops_".repeat(100)), None);
    }
}
