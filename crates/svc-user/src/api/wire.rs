//! The service as tonic sees it: each method hands over and maps the error once.

use chassis::Reply;
use contract::souk::user::v1 as wire;
use contract::souk::user::v1::user_service_server::UserService;
use tonic::{Request, Response, Status};

use super::{Api, Asked};

/// Who asks, and what.
fn asked<T>(request: Request<T>) -> Asked<T> {
    Asked { caller: mesh::caller(&request), message: request.into_inner() }
}

#[tonic::async_trait]
impl UserService for Api {
    async fn create_profile(
        &self,
        request: Request<wire::CreateProfileRequest>,
    ) -> Result<Response<wire::CreateProfileResponse>, Status> {
        Api::create_profile(self, asked(request)).await.map(Reply::into_response).map_err(contract::status)
    }

    async fn get_profile(
        &self,
        request: Request<wire::GetProfileRequest>,
    ) -> Result<Response<wire::GetProfileResponse>, Status> {
        Api::get_profile(self, asked(request)).await.map(Response::new).map_err(contract::status)
    }

    async fn find_profile(
        &self,
        request: Request<wire::FindProfileRequest>,
    ) -> Result<Response<wire::FindProfileResponse>, Status> {
        Api::find_profile(self, asked(request)).await.map(Response::new).map_err(contract::status)
    }

    async fn list_profiles(
        &self,
        request: Request<wire::ListProfilesRequest>,
    ) -> Result<Response<wire::ListProfilesResponse>, Status> {
        Api::list_profiles(self, asked(request)).await.map(Response::new).map_err(contract::status)
    }

    async fn update_profile(
        &self,
        request: Request<wire::UpdateProfileRequest>,
    ) -> Result<Response<wire::UpdateProfileResponse>, Status> {
        Api::update_profile(self, asked(request)).await.map(Reply::into_response).map_err(contract::status)
    }

    async fn delete_profile(
        &self,
        request: Request<wire::DeleteProfileRequest>,
    ) -> Result<Response<wire::DeleteProfileResponse>, Status> {
        Api::delete_profile(self, asked(request)).await.map(Reply::into_response).map_err(contract::status)
    }

    async fn add_address(
        &self,
        request: Request<wire::AddAddressRequest>,
    ) -> Result<Response<wire::AddAddressResponse>, Status> {
        Api::add_address(self, asked(request)).await.map(Reply::into_response).map_err(contract::status)
    }

    async fn update_address(
        &self,
        request: Request<wire::UpdateAddressRequest>,
    ) -> Result<Response<wire::UpdateAddressResponse>, Status> {
        Api::update_address(self, asked(request)).await.map(Reply::into_response).map_err(contract::status)
    }

    async fn delete_address(
        &self,
        request: Request<wire::DeleteAddressRequest>,
    ) -> Result<Response<wire::DeleteAddressResponse>, Status> {
        Api::delete_address(self, asked(request)).await.map(Reply::into_response).map_err(contract::status)
    }

    async fn list_addresses(
        &self,
        request: Request<wire::ListAddressesRequest>,
    ) -> Result<Response<wire::ListAddressesResponse>, Status> {
        Api::list_addresses(self, asked(request)).await.map(Response::new).map_err(contract::status)
    }
}
