//! Address books.

use chassis::Reply;
use contract::souk::user::v1 as wire;
use kernel::{AddressId, Result};
use store::Versioned;

use super::{Api, Asked, Decided, Target, convert};
use crate::domain::Profile;

/// What a change of an address book publishes and answers.
fn changed<M>(target: Target, version: i64, id: AddressId, profile: Profile, message: M) -> Decided<M> {
    let event =
        wire::AddressBookChanged { profile_id: target.id.to_string(), version, address_id: id.to_string() };
    Decided { profile, event: chassis::event(target.id, version, &event), message }
}

impl Api {
    pub(super) async fn add_address(
        &self,
        asked: Asked<wire::AddAddressRequest>,
    ) -> Result<Reply<wire::AddAddressResponse>> {
        let message = &asked.message;
        let target = asked.target(&message.profile_id, "users.write")?;
        let new = convert::new_address(target.own, &message.label, &message.address, &message.default_for)?;
        let key = chassis::request_key(&asked.caller, "user.AddAddress", &message.request_id, message)?;
        let (id, now) = (self.ctx.id(), self.ctx.now());
        let decide = |found: &Versioned<Profile>, version: i64| {
            let profile = found.value.with_address(id, &new, now)?;
            let address = Some(convert::address(profile.address(id)?));
            let answer = wire::AddAddressResponse { address, profile_version: version };
            Ok(changed(target, version, id, profile, answer))
        };
        self.change(target, key, decide).await
    }

    pub(super) async fn update_address(
        &self,
        asked: Asked<wire::UpdateAddressRequest>,
    ) -> Result<Reply<wire::UpdateAddressResponse>> {
        let message = &asked.message;
        let target = asked.target(&message.profile_id, "users.write")?;
        let id: AddressId = contract::wire::parse_id("/address_id", &message.address_id)?;
        let new = convert::new_address(target.own, &message.label, &message.address, &message.default_for)?;
        let key = chassis::request_key(&asked.caller, "user.UpdateAddress", &message.request_id, message)?;
        let now = self.ctx.now();
        let decide = |found: &Versioned<Profile>, version: i64| {
            let profile = found.value.with_address_replaced(id, message.version, &new, now)?;
            let address = Some(convert::address(profile.address(id)?));
            let answer = wire::UpdateAddressResponse { address, profile_version: version };
            Ok(changed(target, version, id, profile, answer))
        };
        self.change(target, key, decide).await
    }

    pub(super) async fn delete_address(
        &self,
        asked: Asked<wire::DeleteAddressRequest>,
    ) -> Result<Reply<wire::DeleteAddressResponse>> {
        let message = &asked.message;
        let target = asked.target(&message.profile_id, "users.write")?;
        let id: AddressId = contract::wire::parse_id("/address_id", &message.address_id)?;
        let key = chassis::request_key(&asked.caller, "user.DeleteAddress", &message.request_id, message)?;
        let now = self.ctx.now();
        let decide = |found: &Versioned<Profile>, version: i64| {
            let profile = found.value.without_address(id, message.version, now)?;
            let answer = wire::DeleteAddressResponse { address_id: id.to_string(), profile_version: version };
            Ok(changed(target, version, id, profile, answer))
        };
        self.change(target, key, decide).await
    }

    pub(super) async fn list_addresses(
        &self,
        asked: Asked<wire::ListAddressesRequest>,
    ) -> Result<wire::ListAddressesResponse> {
        let target = asked.target(&asked.message.profile_id, "users.read")?;
        Ok(wire::ListAddressesResponse { addresses: self.read(target).await?.addresses })
    }
}
