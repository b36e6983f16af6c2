//! Profiles: making, reading, changing, deleting.

use chassis::Reply;
use contract::souk::user::v1 as wire;
use kernel::{CustomerId, Error, Result};
use prost::Message;
use store::{RequestKey, Versioned};

use super::{Api, Asked, Decided, Target, convert, created_event, live, no_profile};
use crate::domain::{Details, Profile, reference, seen};
use crate::store::{Created, over};

/// How often a profile is looked for again that somebody else made at the same time.
const TRIES_MAX: usize = 8;

impl Api {
    pub(super) async fn create_profile(
        &self,
        asked: Asked<wire::CreateProfileRequest>,
    ) -> Result<Reply<wire::CreateProfileResponse>> {
        let message = &asked.message;
        let country = convert::country(&message.country_code)?;
        let details = Details::parse(&message.name, &message.email, &message.locale, country)?;
        let key = chassis::request_key(&asked.caller, "user.CreateProfile", &message.request_id, message)?;
        if message.external_reference.is_empty() {
            let target = asked.target("", "users.write")?;
            return self.create_own(target.id, details, key).await;
        }
        let reference = reference(&message.external_reference)?;
        if !asked.caller.principal.may("users.write") {
            return Err(Error::missing_permission(
                "making a profile with an external_reference",
                &["users.write"],
            ));
        }
        self.create_imported(reference, details, key).await
    }

    async fn create_own(
        &self,
        id: CustomerId,
        details: Details,
        key: RequestKey,
    ) -> Result<Reply<wire::CreateProfileResponse>> {
        if let Some(reply) = self.again(&key).await? {
            return Ok(reply);
        }
        let exists = || Error::exists("PROFILE_EXISTS", "you have a profile already; update it");
        let found = self.profiles.get(id).await?;
        if found.as_ref().is_some_and(|found| !found.value.is_deleted()) {
            return Err(exists());
        }
        let profile = Profile::new(details, kept(found.as_ref()), self.ctx.now());
        let version = found.as_ref().map_or(0, |found| found.version) + 1;
        let message = wire::CreateProfileResponse {
            profile: Some(convert::profile(&id.to_string(), version, &profile)),
        };
        let event = created_event(id, version, &profile);
        let put = over(found.as_ref(), id, profile).event(event).remember(key, message.encode_to_vec());
        match self.profiles.create(put).await? {
            Created::Written => Ok(Reply::fresh(message)),
            Created::Replayed(answer) => Reply::from_answer(&answer),
            Created::Taken => Err(exists()),
        }
    }

    /// Makes the profile of a customer who has no account, or finds the one that has the reference: an import that comes
    /// again, under whatever key, makes nothing twice.
    async fn create_imported(
        &self,
        reference: String,
        details: Details,
        key: RequestKey,
    ) -> Result<Reply<wire::CreateProfileResponse>> {
        if let Some(reply) = self.again(&key).await? {
            return Ok(reply);
        }
        for _ in 0..TRIES_MAX {
            if let Some(known) = self.profiles.find(&reference).await? {
                if known.value.is_deleted() {
                    let message = "the profile with this external_reference was deleted";
                    let error = Error::exists("EXTERNAL_REFERENCE_USED", message);
                    return Err(error.with_field("/external_reference", "names a profile that was deleted"));
                }
                return Ok(Reply::replayed(wire::CreateProfileResponse {
                    profile: Some(convert::found(&known)),
                }));
            }
            let id: CustomerId = self.ctx.id();
            let profile = Profile::new(details.clone(), Some(reference.clone()), self.ctx.now());
            let message =
                wire::CreateProfileResponse { profile: Some(convert::profile(&id.to_string(), 1, &profile)) };
            let event = created_event(id, 1, &profile);
            let put = over(None, id, profile).event(event).remember(key.clone(), message.encode_to_vec());
            match self.profiles.create(put).await? {
                Created::Written => return Ok(Reply::fresh(message)),
                Created::Replayed(answer) => return Reply::from_answer(&answer),
                Created::Taken => {}
            }
        }
        Err(busy())
    }

    pub(super) async fn get_profile(
        &self,
        asked: Asked<wire::GetProfileRequest>,
    ) -> Result<wire::GetProfileResponse> {
        let target = asked.target(&asked.message.profile_id, "users.read")?;
        Ok(wire::GetProfileResponse { profile: Some(self.read(target).await?) })
    }

    /// A profile as it is; the owner's own is made when it is not there.
    pub(super) async fn read(&self, target: Target) -> Result<wire::Profile> {
        for _ in 0..TRIES_MAX {
            let found = self.profiles.get(target.id).await?;
            if let Some(found) = live(found.clone()) {
                return Ok(convert::found(&found));
            }
            if !target.own {
                return Err(no_profile());
            }
            let profile =
                Profile { external_reference: kept(found.as_ref()), ..Profile::empty(self.ctx.now()) };
            let version = found.as_ref().map_or(0, |found| found.version) + 1;
            let answer = convert::profile(&target.id.to_string(), version, &profile);
            let event = created_event(target.id, version, &profile);
            let put = over(found.as_ref(), target.id, profile).event(event);
            if let Created::Written = self.profiles.create(put).await? {
                return Ok(answer);
            }
        }
        Err(busy())
    }

    pub(super) async fn find_profile(
        &self,
        asked: Asked<wire::FindProfileRequest>,
    ) -> Result<wire::FindProfileResponse> {
        let reference = reference(&asked.message.external_reference)?;
        let found = live(self.profiles.find(&reference).await?).ok_or_else(no_profile)?;
        Ok(wire::FindProfileResponse { profile: Some(convert::found(&found)) })
    }

    pub(super) async fn list_profiles(
        &self,
        asked: Asked<wire::ListProfilesRequest>,
    ) -> Result<wire::ListProfilesResponse> {
        let page = contract::wire::page(&asked.message.page)?;
        let after = self.ctx.cursors().open("profiles", &page.cursor)?;
        let found = self.profiles.list(after, page.limit).await?;
        let next = found.next.map(|position| self.ctx.cursors().seal("profiles", &position));
        let profiles = found.items.iter().map(convert::found).collect();
        Ok(wire::ListProfilesResponse { profiles, page: Some(contract::wire::page_info(next)) })
    }

    pub(super) async fn update_profile(
        &self,
        asked: Asked<wire::UpdateProfileRequest>,
    ) -> Result<Reply<wire::UpdateProfileResponse>> {
        let message = &asked.message;
        let target = asked.target(&message.profile_id, "users.write")?;
        let country = convert::country(&message.country_code)?;
        let details = Details::parse(&message.name, &message.email, &message.locale, country)?;
        let key = chassis::request_key(&asked.caller, "user.UpdateProfile", &message.request_id, message)?;
        let now = self.ctx.now();
        // A profile that was never made has no version that somebody could have seen.
        let target = Target { own: false, ..target };
        let decide = |found: &Versioned<Profile>, version: i64| {
            seen("profile", found.version, message.version)?;
            let profile = found.value.revised(details.clone(), now);
            let id = target.id.to_string();
            let event = wire::ProfileUpdated {
                profile_id: id.clone(),
                version,
                country_code: details.country.clone(),
            };
            let answer =
                wire::UpdateProfileResponse { profile: Some(convert::profile(&id, version, &profile)) };
            Ok(Decided { profile, event: chassis::event(target.id, version, &event), message: answer })
        };
        self.change(target, key, decide).await
    }

    pub(super) async fn delete_profile(
        &self,
        asked: Asked<wire::DeleteProfileRequest>,
    ) -> Result<Reply<wire::DeleteProfileResponse>> {
        let message = &asked.message;
        let target = asked.target(&message.profile_id, "users.write")?;
        let key = chassis::request_key(&asked.caller, "user.DeleteProfile", &message.request_id, message)?;
        let now = self.ctx.now();
        // There is nothing to delete of a profile that was never made.
        let target = Target { own: false, ..target };
        let decide = |found: &Versioned<Profile>, version: i64| {
            seen("profile", found.version, message.version)?;
            let profile = found.value.deleted(now);
            let event = wire::ProfileDeleted { profile_id: target.id.to_string(), version };
            let answer = wire::DeleteProfileResponse { profile_id: target.id.to_string() };
            Ok(Decided { profile, event: chassis::event(target.id, version, &event), message: answer })
        };
        self.change(target, key, decide).await
    }
}

/// The reference that a deleted profile keeps taken.
fn kept(found: Option<&Versioned<Profile>>) -> Option<String> {
    found.and_then(|found| found.value.external_reference.clone())
}

fn busy() -> Error {
    Error::conflict("VERSION_CONFLICT", "the profile is being made; try again")
}
