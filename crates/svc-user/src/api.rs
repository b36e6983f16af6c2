//! The gRPC service: parse, decide, write, answer.

mod addresses;
mod convert;
mod profiles;
mod wire;

use chassis::{Context, Reply};
use contract::souk::user::v1 as messages;
use kernel::{Code, CustomerId, Error, Result};
use mesh::Caller;
use prost::Message;
use store::{NewEvent, RequestKey, Updated, Versioned};

use crate::domain::Profile;
use crate::store::{Profiles, over};

/// The service.
pub(crate) struct Api {
    pub(crate) ctx: Context,
    pub(crate) profiles: Profiles,
}

/// A request with who sent it.
struct Asked<T> {
    caller: Caller,
    message: T,
}

/// Whose profile it is about.
#[derive(Clone, Copy)]
struct Target {
    id: CustomerId,
    /// It is the caller's own, which its first call makes.
    own: bool,
}

/// What was decided on a profile.
struct Decided<M> {
    profile: Profile,
    event: NewEvent,
    message: M,
}

impl<T> Asked<T> {
    /// The profile a request is about: the caller's own when it names none; another's for staff with `permission`, and for a
    /// role of the house that acts for nobody. To everybody else another profile is as good as absent.
    fn target(&self, named: &str, permission: &str) -> Result<Target> {
        let account = self.caller.principal.account();
        match (contract::wire::parse_optional_id::<CustomerId>("/profile_id", named)?, account) {
            (None, Some(id)) => Ok(Target { id, own: true }),
            (Some(id), own) if self.caller.may_access(&id.to_string(), permission) => {
                Ok(Target { id, own: own == Some(id) })
            }
            (Some(_), _) => Err(no_profile()),
            (None, None) if self.caller.is_internal() => {
                Err(Error::field("/profile_id", "INVALID_ARGUMENT", "is required"))
            }
            (None, None) => {
                Err(Error::new(Code::Unauthenticated, "UNAUTHENTICATED", "sign in with an account first"))
            }
        }
    }
}

fn no_profile() -> Error {
    Error::not_found("PROFILE_NOT_FOUND", "no such profile")
}

/// A profile that is there.
fn live(found: Option<Versioned<Profile>>) -> Option<Versioned<Profile>> {
    found.filter(|found| !found.value.is_deleted())
}

fn created_event(id: CustomerId, version: i64, profile: &Profile) -> NewEvent {
    let event = messages::ProfileCreated {
        profile_id: id.to_string(),
        version,
        country_code: profile.details.country.clone(),
        external_reference: profile.external_reference.clone().unwrap_or_default(),
    };
    chassis::event(id, version, &event)
}

impl Api {
    /// What is remembered of a request, as an answer.
    async fn again<M: Message + Default>(&self, key: &RequestKey) -> Result<Option<Reply<M>>> {
        self.profiles.answer(key).await?.map(|answer| Reply::from_answer(&answer)).transpose()
    }

    /// Changes a profile: decides on it as it is and on the version it will have, and remembers the answer. The owner's own
    /// profile is made first when it is not there.
    async fn change<M, F>(&self, target: Target, key: RequestKey, mut decide: F) -> Result<Reply<M>>
    where
        M: Message + Default,
        F: FnMut(&Versioned<Profile>, i64) -> Result<Decided<M>>,
    {
        if let Some(reply) = self.again(&key).await? {
            return Ok(reply);
        }
        let now = self.ctx.now();
        let updated = self.profiles.update(target.id, |found| {
            let known = found.filter(|found| !found.value.is_deleted());
            let version = found.map_or(0, |found| found.version) + 1;
            let (base, created) = match known {
                Some(known) => (known.clone(), None),
                None if target.own => {
                    let reference = found.and_then(|found| found.value.external_reference.clone());
                    let empty = Profile { external_reference: reference, ..Profile::empty(now) };
                    let event = created_event(target.id, version, &empty);
                    (Versioned { id: target.id.to_string(), version: version - 1, value: empty }, Some(event))
                }
                None => return Err(no_profile()),
            };
            let decided = decide(&base, version)?;
            let put = over(found, target.id, decided.profile)
                .events(created.into_iter().chain([decided.event]))
                .remember(key.clone(), decided.message.encode_to_vec());
            Ok((Some(put), decided.message))
        });
        match updated.await? {
            Updated::Done(message, _) => Ok(Reply::fresh(message)),
            Updated::Replayed(answer) => Reply::from_answer(&answer),
        }
    }
}
