//! Words of user to and from the wire.

use contract::souk::r#type::v1::Address;
use contract::souk::user::v1 as wire;
use contract::wire::timestamp;
use kernel::{Error, Result};
use store::Versioned;

use crate::domain::{AddressUse, BookAddress, COUNTRY_UNKNOWN, NewAddress, PostalAddress, Profile};

pub(super) fn profile(id: &str, version: i64, profile: &Profile) -> wire::Profile {
    wire::Profile {
        profile_id: id.to_owned(),
        version,
        name: profile.details.name.clone(),
        email: profile.details.email.clone(),
        locale: profile.details.locale.clone(),
        country_code: profile.details.country.clone(),
        external_reference: profile.external_reference.clone().unwrap_or_default(),
        addresses: profile.addresses.iter().map(address).collect(),
        created_at: Some(timestamp(profile.created_at)),
        updated_at: Some(timestamp(profile.updated_at)),
    }
}

pub(super) fn found(found: &Versioned<Profile>) -> wire::Profile {
    profile(&found.id, found.version, &found.value)
}

pub(super) fn address(address: &BookAddress) -> wire::BookAddress {
    let uses = address.default_for.iter().map(|of| match of {
        AddressUse::Shipping => wire::AddressUse::Shipping.into(),
        AddressUse::Billing => wire::AddressUse::Billing.into(),
    });
    let postal = address.address.clone();
    wire::BookAddress {
        address_id: address.id.to_string(),
        version: address.version,
        label: address.label.clone(),
        default_for: uses.collect(),
        address: Some(Address {
            recipient: postal.recipient,
            lines: postal.lines,
            city: postal.city,
            region: postal.region,
            postal_code: postal.postal_code,
            country_code: postal.country_code,
            phone: postal.phone,
        }),
    }
}

/// A country; empty means unknown.
pub(super) fn country(code: &str) -> Result<String> {
    let code = if code.is_empty() { COUNTRY_UNKNOWN } else { code };
    contract::wire::parse_country("/country_code", code)
}

/// What an address is to be. Its owner's is one that a parcel can be sent to; staff may note less of an address.
pub(super) fn new_address(
    own: bool,
    label: &str,
    address: &Option<Address>,
    uses: &[i32],
) -> Result<NewAddress> {
    let postal = contract::wire::parse_address("/address", address)?;
    let postal = if own { contract::wire::deliverable_address("/address", postal)? } else { postal };
    let postal = PostalAddress {
        recipient: postal.recipient,
        lines: postal.lines,
        city: postal.city,
        region: postal.region,
        postal_code: postal.postal_code,
        country_code: postal.country_code,
        phone: postal.phone,
    };
    if uses.len() > AddressUse::ALL.len() {
        return Err(Error::field("/default_for", "INVALID_ARGUMENT", "names a use twice"));
    }
    let parse = |(n, of): (usize, &i32)| {
        Ok(match contract::wire::parse_enum::<wire::AddressUse>(&format!("/default_for/{n}"), *of)? {
            wire::AddressUse::Billing => AddressUse::Billing,
            _ => AddressUse::Shipping,
        })
    };
    let default_for = uses.iter().enumerate().map(parse).collect::<Result<Vec<_>>>()?;
    NewAddress::parse(label, postal, default_for)
}
