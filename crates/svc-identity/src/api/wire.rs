//! The service as tonic sees it: each method hands over and maps the error once.

use contract::souk::identity::v1 as wire;
use contract::souk::identity::v1::identity_service_server::IdentityService;
use tonic::{Request, Response, Status};

use super::key_set::KeySets;
use super::{Api, Asked};

/// Who asks, from where, and what.
fn asked<T>(request: Request<T>) -> Asked<T> {
    let (caller, address) = (mesh::caller(&request), mesh::client_address(&request));
    Asked { caller, address, message: request.into_inner() }
}

#[tonic::async_trait]
impl IdentityService for Api {
    type WatchKeySetStream = KeySets;

    async fn sign_up(
        &self,
        request: Request<wire::SignUpRequest>,
    ) -> Result<Response<wire::SignUpResponse>, Status> {
        Api::sign_up(self, asked(request)).await.map(chassis::Reply::into_response).map_err(contract::status)
    }

    async fn sign_in(
        &self,
        request: Request<wire::SignInRequest>,
    ) -> Result<Response<wire::SignInResponse>, Status> {
        Api::sign_in(self, asked(request)).await.map(chassis::Reply::into_response).map_err(contract::status)
    }

    async fn create_guest_session(
        &self,
        request: Request<wire::CreateGuestSessionRequest>,
    ) -> Result<Response<wire::CreateGuestSessionResponse>, Status> {
        Api::create_guest_session(self, asked(request))
            .await
            .map(chassis::Reply::into_response)
            .map_err(contract::status)
    }

    async fn refresh_session(
        &self,
        request: Request<wire::RefreshSessionRequest>,
    ) -> Result<Response<wire::RefreshSessionResponse>, Status> {
        Api::refresh_session(self, asked(request))
            .await
            .map(chassis::Reply::into_response)
            .map_err(contract::status)
    }

    async fn sign_out(
        &self,
        request: Request<wire::SignOutRequest>,
    ) -> Result<Response<wire::SignOutResponse>, Status> {
        Api::sign_out(self, asked(request)).await.map(chassis::Reply::into_response).map_err(contract::status)
    }

    async fn sign_out_everywhere(
        &self,
        request: Request<wire::SignOutEverywhereRequest>,
    ) -> Result<Response<wire::SignOutEverywhereResponse>, Status> {
        Api::sign_out_everywhere(self, asked(request))
            .await
            .map(chassis::Reply::into_response)
            .map_err(contract::status)
    }

    async fn list_sessions(
        &self,
        request: Request<wire::ListSessionsRequest>,
    ) -> Result<Response<wire::ListSessionsResponse>, Status> {
        Api::list_sessions(self, asked(request)).await.map(Response::new).map_err(contract::status)
    }

    async fn change_password(
        &self,
        request: Request<wire::ChangePasswordRequest>,
    ) -> Result<Response<wire::ChangePasswordResponse>, Status> {
        Api::change_password(self, asked(request))
            .await
            .map(chassis::Reply::into_response)
            .map_err(contract::status)
    }

    async fn exchange_secret(
        &self,
        request: Request<wire::ExchangeSecretRequest>,
    ) -> Result<Response<wire::ExchangeSecretResponse>, Status> {
        Api::exchange_secret(self, asked(request)).await.map(Response::new).map_err(contract::status)
    }

    async fn create_secret(
        &self,
        request: Request<wire::CreateSecretRequest>,
    ) -> Result<Response<wire::CreateSecretResponse>, Status> {
        Api::create_secret(self, asked(request))
            .await
            .map(chassis::Reply::into_response)
            .map_err(contract::status)
    }

    async fn list_secrets(
        &self,
        request: Request<wire::ListSecretsRequest>,
    ) -> Result<Response<wire::ListSecretsResponse>, Status> {
        Api::list_secrets(self, asked(request)).await.map(Response::new).map_err(contract::status)
    }

    async fn revoke_secret(
        &self,
        request: Request<wire::RevokeSecretRequest>,
    ) -> Result<Response<wire::RevokeSecretResponse>, Status> {
        Api::revoke_secret(self, asked(request))
            .await
            .map(chassis::Reply::into_response)
            .map_err(contract::status)
    }

    async fn ensure_operator(
        &self,
        request: Request<wire::EnsureOperatorRequest>,
    ) -> Result<Response<wire::EnsureOperatorResponse>, Status> {
        Api::ensure_operator(self, asked(request))
            .await
            .map(chassis::Reply::into_response)
            .map_err(contract::status)
    }

    async fn get_account(
        &self,
        request: Request<wire::GetAccountRequest>,
    ) -> Result<Response<wire::GetAccountResponse>, Status> {
        Api::get_account(self, asked(request)).await.map(Response::new).map_err(contract::status)
    }

    async fn list_accounts(
        &self,
        request: Request<wire::ListAccountsRequest>,
    ) -> Result<Response<wire::ListAccountsResponse>, Status> {
        Api::list_accounts(self, asked(request)).await.map(Response::new).map_err(contract::status)
    }

    async fn set_permissions(
        &self,
        request: Request<wire::SetPermissionsRequest>,
    ) -> Result<Response<wire::SetPermissionsResponse>, Status> {
        Api::set_permissions(self, asked(request))
            .await
            .map(chassis::Reply::into_response)
            .map_err(contract::status)
    }

    async fn delete_account(
        &self,
        request: Request<wire::DeleteAccountRequest>,
    ) -> Result<Response<wire::DeleteAccountResponse>, Status> {
        Api::delete_account(self, asked(request))
            .await
            .map(chassis::Reply::into_response)
            .map_err(contract::status)
    }

    async fn rotate_keys(
        &self,
        request: Request<wire::RotateKeysRequest>,
    ) -> Result<Response<wire::RotateKeysResponse>, Status> {
        Api::rotate_keys(self, asked(request))
            .await
            .map(chassis::Reply::into_response)
            .map_err(contract::status)
    }

    async fn get_key_set(
        &self,
        request: Request<wire::GetKeySetRequest>,
    ) -> Result<Response<wire::GetKeySetResponse>, Status> {
        Ok(Response::new(Api::get_key_set(self, &asked(request))))
    }

    async fn watch_key_set(&self, _: Request<wire::WatchKeySetRequest>) -> Result<Response<KeySets>, Status> {
        Ok(Response::new(Api::watch_key_set(self)))
    }
}
