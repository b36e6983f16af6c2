//! The gRPC service: parse, decide, write, answer.

mod accounts;
mod convert;
mod grant;
mod key_set;
mod secrets;
mod sessions;
mod wire;

use std::net::IpAddr;

use chassis::{Context, Reply, SEAL_BYTES};
use kernel::{Code, CustomerId, Error, Result};
use mesh::Caller;
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::RequestKey;

use crate::derive::Derive;
use crate::hashing::Hasher;
use crate::keyring::Keyring;
use crate::store::{Store, Written};
use crate::throttle::Throttle;

/// How often a change is decided anew when what it was decided on has changed.
const TRIES_MAX: usize = 8;

/// The service.
pub(crate) struct Api {
    pub(crate) ctx: Context,
    pub(crate) store: Store,
    pub(crate) derive: Derive,
    pub(crate) keyring: Keyring,
    pub(crate) hasher: Hasher,
    pub(crate) throttle: Throttle,
}

/// A request with who sent it from where.
struct Asked<T> {
    caller: Caller,
    address: Option<IpAddr>,
    message: T,
}

impl<T> Asked<T> {
    /// Whether the caller has a permission.
    fn may(&self, permission: &str) -> bool {
        self.caller.principal.may(permission)
    }

    /// The caller's account.
    fn account(&self) -> Result<CustomerId> {
        let message = "sign in with an account first";
        self.caller
            .principal
            .account()
            .ok_or_else(|| Error::new(Code::Unauthenticated, "UNAUTHENTICATED", message))
    }

    /// The account a request is about: the caller's own when it names none, and another's only for who has `permission`.
    /// To everybody else another account is as good as absent.
    fn target(&self, pointer: &str, named: &str, permission: &str) -> Result<CustomerId> {
        match contract::wire::parse_optional_id::<CustomerId>(pointer, named)? {
            None => self.account(),
            Some(id) if self.caller.may_access(&id.to_string(), permission) => Ok(id),
            Some(_) => Err(no_account()),
        }
    }
}

fn no_account() -> Error {
    Error::not_found("ACCOUNT_NOT_FOUND", "no such account")
}

fn credentials_refused() -> Error {
    Error::new(Code::Unauthenticated, "CREDENTIALS_REFUSED", "the e-mail address or the password is wrong")
}

impl Api {
    /// The key of a request. The fingerprint is keyed: see [`Derive::fingerprint`].
    fn key(
        &self,
        owner: String,
        method: &'static str,
        request_id: &str,
        fingerprint: [u8; 32],
    ) -> Result<RequestKey> {
        let checked = chassis::request_key(&Caller::default(), method, request_id, &())?;
        Ok(RequestKey { principal: owner, fingerprint, ..checked })
    }

    /// What is remembered of an answer that gives tokens or a secret. It is sealed with its request, so that whoever can write
    /// the database cannot give them to another.
    fn seal_answer(&self, key: &RequestKey, given: &impl Serialize) -> Result<Vec<u8>> {
        let mut answer = serde_json::to_vec(given).map_err(Error::internal)?;
        let seal = self.store.seals().answer(key, &answer).seal();
        answer.extend(seal);
        Ok(answer)
    }

    /// Reads such an answer; `None` when it has not the seal of this request, as those of releases without seals.
    fn open_answer<T: DeserializeOwned>(&self, key: &RequestKey, answer: &[u8]) -> Result<Option<T>> {
        match answer.split_last_chunk::<SEAL_BYTES>() {
            Some((given, seal)) if self.store.seals().answer(key, given).fits(seal) => {
                serde_json::from_slice(given).map(Some).map_err(Error::internal)
            }
            _ => Ok(None),
        }
    }

    /// What is remembered of a request, as an answer.
    async fn again<T: prost::Message + Default>(&self, key: &RequestKey) -> Result<Option<Reply<T>>> {
        self.store.answer(key).await?.map(|answer| Reply::from_answer(&answer)).transpose()
    }
}

/// The answer of a commit that remembered `message`.
fn reply<T: prost::Message + Default>(written: Written, message: T) -> Result<Reply<T>> {
    match written {
        Written::Fresh => Ok(Reply::fresh(message)),
        Written::Replayed(answer) => Reply::from_answer(&answer),
    }
}

/// A change that lost against others again and again.
fn busy() -> Error {
    Error::conflict("VERSION_CONFLICT", "the account keeps changing; try again")
}
