//! Accounts with their sessions and secrets.

use std::sync::Arc;

use contract::souk::identity::v1::identity_service_client::IdentityServiceClient;
use contract::souk::identity::v1::*;
use kernel::CustomerId;
use mesh::Principal;
use tests::World;

use super::{Asking, Things};

/// What identity keeps of somebody.
#[derive(Debug, PartialEq)]
pub struct Known {
    pub account: Account,
    pub sessions: Vec<Session>,
    pub secrets: Vec<SecretInfo>,
}

/// An account of its own, signed in.
pub async fn signs_up(world: &World, email: &str) -> Principal {
    let request = SignUpRequest {
        request_id: world.request_id(),
        email: email.to_owned(),
        password: "a long enough secret".into(),
        device: "a test's".into(),
    };
    let anybody = world.person(Principal::Anonymous);
    let answer = anybody.client("identity", IdentityServiceClient::new).sign_up(request).await;
    let account = answer.expect("signed up").into_inner().account.expect("an account");
    let id: CustomerId = account.account_id.parse().expect("an id");
    let list = ListSessionsRequest { account_id: account.account_id };
    let operator = world.operator();
    let sessions = operator.client("identity", IdentityServiceClient::new).list_sessions(list).await;
    let session = sessions.expect("listed").into_inner().sessions[0].session_id.parse().expect("an id");
    Principal::Account { id, session, permissions: Arc::from(Vec::<String>::new()) }
}

/// A program may act as somebody.
pub async fn gives_secret(world: &World, owner: &Principal) {
    let request = CreateSecretRequest {
        request_id: world.request_id(),
        account_id: owner.subject(),
        label: "a test's".into(),
        lifetime: None,
    };
    let operator = world.operator();
    operator.client("identity", IdentityServiceClient::new).create_secret(request).await.expect("made");
}

/// What identity keeps of somebody, as they and staff see it.
pub async fn known(world: &World, owner: &Principal) -> Known {
    let mut own = world.person(owner.clone()).client("identity", IdentityServiceClient::new);
    let mut operator = world.operator().client("identity", IdentityServiceClient::new);
    let account = own.get_account(GetAccountRequest::default()).await.expect("mine").into_inner().account;
    let sessions = own.list_sessions(ListSessionsRequest::default()).await.expect("mine").into_inner();
    let secrets = ListSecretsRequest { account_id: owner.subject() };
    let secrets = operator.list_secrets(secrets).await.expect("listed").into_inner().secrets;
    Known { account: account.expect("an account"), sessions: sessions.sessions, secrets }
}

impl Asking<'_> {
    pub(super) async fn asks_for_accounts(&self, things: &Things) {
        let known = &things.known;
        let (request_id, account_id) = (|| self.world.request_id(), || known.account.account_id.clone());
        let mut identity = self.client("identity", IdentityServiceClient::new);
        let get = GetAccountRequest { account_id: account_id() };
        self.refused("GetAccount", identity.get_account(get).await);
        let delete = DeleteAccountRequest {
            request_id: request_id(),
            account_id: account_id(),
            version: known.account.version,
            current_password: "a long enough secret".into(),
        };
        self.refused("DeleteAccount", identity.delete_account(delete).await);
        let list = ListSessionsRequest { account_id: account_id() };
        self.refused("ListSessions", identity.list_sessions(list).await);
        let session_id = known.sessions[0].session_id.clone();
        let end = SignOutRequest { request_id: request_id(), session_id };
        self.refused("SignOut", identity.sign_out(end).await);
        let end = SignOutEverywhereRequest { request_id: request_id(), account_id: account_id() };
        self.refused("SignOutEverywhere", identity.sign_out_everywhere(end).await);
        let make = CreateSecretRequest {
            request_id: request_id(),
            account_id: account_id(),
            label: "Eve's".into(),
            lifetime: None,
        };
        self.refused("CreateSecret", identity.create_secret(make).await);
        let list = ListSecretsRequest { account_id: account_id() };
        self.refused("ListSecrets", identity.list_secrets(list).await);
        let revoke =
            RevokeSecretRequest { request_id: request_id(), secret_id: known.secrets[0].secret_id.clone() };
        self.refused("RevokeSecret", identity.revoke_secret(revoke).await);
        let set = SetPermissionsRequest {
            request_id: request_id(),
            account_id: account_id(),
            permissions: vec!["admin".into()],
            version: known.account.version,
        };
        self.refused("SetPermissions", identity.set_permissions(set).await);
    }
}
