//! Which role calls from another process.
//!
//! The caller signs its name with a secret of the house, for a short time. Mutual TLS will say the same with a
//! certificate; what asks [`Peers`] stays as it is.

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderName;
use kernel::{Clock, Timestamp};
use sha2::Sha256;

use crate::policy;

/// The header that carries the signature: `role;expires;hex`.
pub const PEER_HEADER: HeaderName = HeaderName::from_static("souk-peer");
/// The header that names on whose behalf an authenticated role acts without a token.
pub const BEHALF_HEADER: HeaderName = HeaderName::from_static("souk-on-behalf-of");

/// Signs and checks the names of roles.
#[derive(Clone)]
pub struct Peers {
    secret: Arc<[u8; 32]>,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Peers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Peers")
    }
}

impl Peers {
    /// Knows the secret of the house.
    #[must_use]
    pub fn new(secret: [u8; 32], clock: Arc<dyn Clock>) -> Self {
        Self { secret: Arc::new(secret), clock }
    }

    fn mac(&self, role: &str, expires: &str) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.secret.as_slice()).expect("HMAC takes a key of any length");
        mac.update(b"souk-peer-v1;");
        mac.update(role.as_bytes());
        mac.update(b";");
        mac.update(expires.as_bytes());
        mac
    }

    /// The header's value for a role, good for [`policy::PEER_SIGNATURE_TTL`].
    #[must_use]
    pub fn sign(&self, role: &str) -> String {
        let expires = self.clock.now().plus(policy::PEER_SIGNATURE_TTL).secs().to_string();
        let tag = self.mac(role, &expires).finalize().into_bytes();
        format!("{role};{expires};{}", hex::encode(tag))
    }

    /// The role that a header's value proves; `None` when it proves nothing.
    #[must_use]
    pub fn check(&self, value: &str) -> Option<Arc<str>> {
        let mut parts = value.split(';');
        let (role, expires, tag) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let tag = hex::decode(tag).ok()?;
        self.mac(role, expires).verify_slice(&tag).ok()?;
        let expires = Timestamp::from_secs(expires.parse().ok()?);
        (expires > self.clock.now()).then(|| Arc::from(role))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use parking_lot::Mutex;

    use super::*;

    struct Fixed(Mutex<i64>);
    impl Clock for Fixed {
        fn now(&self) -> Timestamp {
            Timestamp::from_secs(*self.0.lock())
        }
        fn monotonic(&self) -> Duration {
            Duration::ZERO
        }
    }

    #[test]
    fn only_the_house_can_sign_a_name() {
        let clock = Arc::new(Fixed(Mutex::new(1000)));
        let peers = Peers::new([1; 32], clock.clone());
        let value = peers.sign("order");
        assert_eq!(peers.check(&value).as_deref(), Some("order"));
        assert_eq!(Peers::new([2; 32], clock.clone()).check(&value), None);
        assert_eq!(peers.check(&value.replace("order", "payment")), None);
        for bad in ["", ";;", "order;9999", "order;x;00", "é;1;2"] {
            assert_eq!(peers.check(bad), None, "{bad}");
        }
        *clock.0.lock() = 1120;
        assert_eq!(peers.check(&value), None, "expired");
    }
}
