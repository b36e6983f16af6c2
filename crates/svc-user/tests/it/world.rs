//! What the tests share: a role under test, requests, and how refusals read.

use chassis::testing::{Harness, staff};
use contract::souk::r#type::v1::Address;
use contract::souk::user::v1::user_service_client::UserServiceClient;
use contract::souk::user::v1::*;
use mesh::{Channel, Principal};
use svc_user::SERVICE;
use tonic::{Response, Status};

pub type Client = UserServiceClient<Channel>;

pub struct World {
    pub harness: Harness,
}

impl World {
    pub async fn start() -> Self {
        Self { harness: Harness::start(&SERVICE, 7).await.expect("starts") }
    }

    pub fn of(&self, principal: Principal) -> Client {
        self.harness.client(UserServiceClient::new, principal)
    }

    pub fn role(&self, role: &str, principal: Principal) -> Client {
        self.harness.client_as_role(role, UserServiceClient::new, principal)
    }
}

pub fn clerk() -> Principal {
    staff(900, &["users.read", "users.write"])
}

/// Reason and fields of a refusal.
pub fn refusal<T>(result: Result<T, Status>) -> (String, Vec<String>) {
    let error = contract::error(result.err().expect("it is refused"));
    (error.reason().to_owned(), error.violations().iter().map(|violation| violation.field.clone()).collect())
}

pub fn reason<T>(result: Result<T, Status>) -> String {
    refusal(result).0
}

pub fn field<T>(result: Result<T, Status>) -> String {
    refusal(result).1.into_iter().next().expect("a field is named")
}

pub fn replayed<T>(response: &Response<T>) -> bool {
    response.metadata().get("souk-replayed").is_some_and(|value| value == "true")
}

pub fn london() -> Option<Address> {
    let lines = vec!["12 St James's Square".into()];
    Some(Address {
        recipient: "Ada Lovelace".into(),
        lines,
        city: "London".into(),
        postal_code: "SW1Y 4JH".into(),
        country_code: "GB".into(),
        ..Address::default()
    })
}

pub fn import(request_id: &str, reference: &str) -> CreateProfileRequest {
    CreateProfileRequest {
        request_id: request_id.into(),
        external_reference: reference.into(),
        country_code: "GB".into(),
        ..CreateProfileRequest::default()
    }
}

pub fn add(request_id: &str) -> AddAddressRequest {
    AddAddressRequest {
        request_id: request_id.into(),
        label: "Home".into(),
        address: london(),
        ..AddAddressRequest::default()
    }
}

pub fn profile_of(id: &str) -> GetProfileRequest {
    GetProfileRequest { profile_id: id.into() }
}

pub async fn own(client: &mut Client) -> Profile {
    client.get_profile(profile_of("")).await.expect("own").into_inner().profile.expect("a profile")
}
