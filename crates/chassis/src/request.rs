//! Idempotency keys and the answers they bring back.

use std::time::Duration;

use kernel::{Error, Result};
use mesh::Caller;
use prost::{Message, Name};
use sha2::{Digest, Sha256};
use store::{NewEvent, RequestKey};

/// How long an answer is remembered.
const KEEP: Duration = Duration::from_secs(72 * 3600);
/// Longest idempotency key, in characters.
const REQUEST_ID_CHARS_MAX: usize = 128;

/// The key of a request: unique per caller and method, with the fingerprint of the whole request. Remembered for 72 hours.
///
/// # Errors
/// `INVALID_REQUEST_ID` at `/request_id` unless it has 1 to 128 visible ASCII characters.
pub fn request_key(
    caller: &Caller,
    method: &'static str,
    request_id: &str,
    message: &impl Message,
) -> Result<RequestKey> {
    let good = (1..=REQUEST_ID_CHARS_MAX).contains(&request_id.len())
        && request_id.bytes().all(|b| b.is_ascii_graphic());
    if !good {
        let description = "must be an idempotency key of 1 to 128 visible ASCII characters";
        return Err(Error::field("/request_id", "INVALID_REQUEST_ID", description));
    }
    let fingerprint = Sha256::digest(message.encode_to_vec()).into();
    Ok(RequestKey {
        principal: caller.key_owner(),
        method,
        id: request_id.to_owned(),
        fingerprint,
        keep: KEEP,
    })
}

/// An event of this service about an aggregate, at the version it has after it.
pub fn event<M: Message + Name>(
    aggregate_id: impl ToString,
    aggregate_version: i64,
    message: &M,
) -> NewEvent {
    NewEvent {
        aggregate_id: aggregate_id.to_string(),
        aggregate_version,
        type_name: M::full_name(),
        payload: message.encode_to_vec(),
    }
}

/// An answer, and whether it was given before.
#[derive(Clone, Debug)]
pub struct Reply<T> {
    /// The answer.
    pub message: T,
    /// Whether the request had been done already.
    pub replayed: bool,
}

impl<T> Reply<T> {
    /// A first answer.
    pub fn fresh(message: T) -> Self {
        Self { message, replayed: false }
    }

    /// The answer of a request that had been done already.
    pub fn replayed(message: T) -> Self {
        Self { message, replayed: true }
    }

    /// As a response; a replay is marked with metadata `souk-replayed: true`.
    pub fn into_response(self) -> tonic::Response<T> {
        let mut response = tonic::Response::new(self.message);
        if self.replayed {
            response
                .metadata_mut()
                .insert("souk-replayed", tonic::metadata::MetadataValue::from_static("true"));
        }
        response
    }
}

impl<T: Message + Default> Reply<T> {
    /// A remembered answer, read back.
    ///
    /// # Errors
    /// INTERNAL when it cannot be read.
    pub fn from_answer(answer: &[u8]) -> Result<Self> {
        T::decode(answer).map(Self::replayed).map_err(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    use contract::souk::r#type::v1::Money;

    use super::*;

    #[test]
    fn a_key_covers_the_whole_request() {
        let caller = Caller::default();
        let money = |minor_units| Money { currency_code: "GBP".into(), minor_units };
        let one = request_key(&caller, "test.Pay", "k-1", &money(1)).expect("good");
        assert_eq!(
            one.fingerprint,
            request_key(&caller, "test.Pay", "k-1", &money(1)).expect("good").fingerprint
        );
        assert_ne!(
            one.fingerprint,
            request_key(&caller, "test.Pay", "k-1", &money(2)).expect("good").fingerprint
        );
        for bad in ["", " ", "a b", "é", &"x".repeat(129)] {
            assert_eq!(
                request_key(&caller, "test.Pay", bad, &money(1)).expect_err(bad).violations()[0].field,
                "/request_id"
            );
        }
    }
}
