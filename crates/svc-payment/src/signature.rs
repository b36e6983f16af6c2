//! Signatures of webhooks in Stripe's scheme: `t=SECONDS,v1=HEX`, HMAC-SHA256 over `SECONDS.BODY`.
//! <https://docs.stripe.com/webhooks#verify-manually>

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use kernel::{Error, Result, Timestamp};
use sha2::Sha256;

/// How far the time of a signature may be off, in either direction.
pub const TOLERANCE: Duration = Duration::from_secs(5 * 60);
/// The most bytes of a signature header.
pub const HEADER_BYTES_MAX: usize = 1024;

fn mac(secret: &[u8], seconds: i64, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(seconds.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}

/// The header for a body.
#[must_use]
pub fn sign(secret: &[u8], now: Timestamp, body: &[u8]) -> String {
    let tag = mac(secret, now.secs(), body).finalize().into_bytes();
    format!("t={},v1={}", now.secs(), hex::encode(tag))
}

/// Checks the header of a body: one good `v1` suffices, so that secrets can overlap; other schemes are passed over.
///
/// # Errors
/// `INVALID_SIGNATURE` when it was not made with the secret, `SIGNATURE_TOO_OLD` when it was, but more than
/// [`TOLERANCE`] ago (or ahead).
pub fn verify(secret: &[u8], now: Timestamp, body: &[u8], header: &str) -> Result<()> {
    let bad =
        || Error::field("/signature", "INVALID_SIGNATURE", "is not the provider's signature of this body");
    if header.len() > HEADER_BYTES_MAX {
        return Err(bad());
    }
    let parts = || header.split(',').filter_map(|part| part.trim().split_once('='));
    let seconds = parts()
        .find(|(name, _)| *name == "t")
        .and_then(|(_, value)| value.parse::<i64>().ok())
        .ok_or_else(bad)?;
    let good = parts().filter(|(name, _)| *name == "v1").any(|(_, value)| {
        hex::decode(value).is_ok_and(|tag| mac(secret, seconds, body).verify_slice(&tag).is_ok())
    });
    if !good {
        return Err(bad());
    }
    let time = Timestamp::from_secs(seconds);
    if now.since(time) > TOLERANCE || time.since(now) > TOLERANCE {
        return Err(Error::field(
            "/signature",
            "SIGNATURE_TOO_OLD",
            "was made more than five minutes ago or ahead",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

    #[test]
    fn only_the_secret_and_the_body_make_a_signature() {
        let now = Timestamp::from_secs(1_700_000_000);
        let header = sign(SECRET, now, b"body");
        assert!(verify(SECRET, now, b"body", &header).is_ok());
        assert!(
            verify(SECRET, now, b"body", &format!("v0=00,{header},v1=00")).is_ok(),
            "other schemes are passed over"
        );
        let flipped = header.replace(",v1=", ",v1=0");
        for (secret, body, header) in [
            (&b"another"[..], &b"body"[..], header.as_str()),
            (SECRET, b"bodY", &header),
            (SECRET, b"body", &flipped),
            (SECRET, b"body", ""),
            (SECRET, b"body", "t=1700000000"),
            (SECRET, b"body", "t=now,v1=00"),
        ] {
            assert_eq!(verify(secret, now, body, header).expect_err(header).reason(), "INVALID_SIGNATURE");
        }
    }

    #[test]
    fn an_old_signature_is_refused() {
        let signed = Timestamp::from_secs(1_700_000_000);
        let header = sign(SECRET, signed, b"body");
        for (seconds, good) in [(0, true), (300, true), (301, false), (-300, true), (-301, false)] {
            let now = Timestamp::from_secs(signed.secs() + seconds);
            assert_eq!(verify(SECRET, now, b"body", &header).is_ok(), good, "{seconds}");
        }
    }
}
