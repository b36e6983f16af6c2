//! What the tests share: a role under test, people, and how refusals read.

use std::time::Duration;

use chassis::testing::Harness;
use contract::souk::identity::v1::identity_service_client::IdentityServiceClient;
use contract::souk::identity::v1::*;
use mesh::{Channel, Principal};
use svc_identity::SERVICE;
use tonic::{Request, Response, Status};

pub type Client = IdentityServiceClient<Channel>;

pub const PASSWORD: &str = "correct horse battery staple";

pub struct World {
    pub harness: Harness,
}

/// Somebody who is signed in.
#[derive(Clone)]
pub struct Person {
    pub account: Account,
    pub tokens: SessionTokens,
}

impl World {
    pub async fn start() -> Self {
        Self::of(Harness::builder(&SERVICE, 7)).await
    }

    pub async fn with(key: &str, value: i64) -> Self {
        Self::of(Harness::builder(&SERVICE, 7).set(key, value)).await
    }

    async fn of(builder: chassis::testing::Builder) -> Self {
        Self { harness: builder.start().await.expect("starts") }
    }

    /// A client as this principal.
    pub fn client(&self, principal: Principal) -> Client {
        self.harness.client(IdentityServiceClient::new, principal)
    }

    pub fn anybody(&self) -> Client {
        self.client(Principal::Anonymous)
    }

    pub fn role(&self, role: &str) -> Client {
        self.harness.client_as_role(role, IdentityServiceClient::new, Principal::Anonymous)
    }

    /// Who a token is of, as every role finds it out.
    pub fn verify(&self, token: &str) -> Result<Principal, String> {
        self.harness.context().verify_token(token).map_err(|error| error.reason().to_owned())
    }

    /// A client of somebody, by the access token.
    pub fn as_person(&self, person: &Person) -> Client {
        self.client(self.verify(&person.tokens.access_token).expect("a good token"))
    }

    pub async fn advance(&self, seconds: u64) {
        self.harness.advance(Duration::from_secs(seconds)).await;
    }

    /// Lets the loops of the process do what is due.
    pub async fn settle(&self) {
        self.harness.advance(Duration::from_millis(1)).await;
    }

    pub async fn sign_up(&self, name: &str) -> Person {
        let response =
            self.anybody().sign_up(sign_up(&format!("sign up {name}").replace(' ', "-"), name)).await;
        let response = response.expect("signed up").into_inner();
        Person { account: response.account.expect("an account"), tokens: response.tokens.expect("tokens") }
    }

    pub async fn sign_in(&self, request_id: &str, name: &str) -> Person {
        let response = self
            .anybody()
            .sign_in(sign_in(request_id, name, PASSWORD))
            .await
            .expect("signed in")
            .into_inner();
        Person { account: response.account.expect("an account"), tokens: response.tokens.expect("tokens") }
    }

    pub async fn guest(&self, number: u32) -> CreateGuestSessionResponse {
        let request_id = format!("guest-{number:020}");
        let request = CreateGuestSessionRequest { request_id, device: String::new() };
        self.anybody().create_guest_session(request).await.expect("a guest").into_inner()
    }

    /// The operator's account and secret, made now.
    pub async fn operator(&self) -> (Account, String) {
        let request = EnsureOperatorRequest { request_id: "first-start".into(), reissue: false };
        let response = self.role("app").ensure_operator(request).await.expect("made").into_inner();
        (response.account.expect("an account"), response.secret)
    }

    /// The operator's client and account.
    pub async fn admin(&self) -> (Client, Account) {
        let (account, secret) = self.operator().await;
        let token = self.exchange(&secret).await.expect("exchanged");
        (self.client(self.verify(&token).expect("a good token")), account)
    }

    pub async fn exchange(&self, secret: &str) -> Result<String, Status> {
        let response =
            self.anybody().exchange_secret(ExchangeSecretRequest { secret: secret.into() }).await?;
        Ok(response.into_inner().access_token)
    }

    pub async fn refresh(
        &self,
        request_id: &str,
        refresh_token: &str,
    ) -> Result<Response<RefreshSessionResponse>, Status> {
        let request =
            RefreshSessionRequest { request_id: request_id.into(), refresh_token: refresh_token.into() };
        self.anybody().refresh_session(request).await
    }

    /// Gives an account permissions, as the operator.
    pub async fn permit(
        &self,
        admin: &mut Client,
        account: &Account,
        permissions: &[&str],
    ) -> Result<Account, Status> {
        let request = SetPermissionsRequest {
            request_id: format!(
                "permit-{}-{}-{}",
                account.account_id,
                account.version,
                permissions.join("+")
            ),
            account_id: account.account_id.clone(),
            permissions: permissions.iter().map(|permission| (*permission).to_owned()).collect(),
            version: account.version,
        };
        Ok(admin.set_permissions(request).await?.into_inner().account.expect("an account"))
    }
}

pub fn email(name: &str) -> String {
    format!("{name}@example.com")
}

pub fn sign_up(request_id: &str, name: &str) -> SignUpRequest {
    SignUpRequest {
        request_id: request_id.into(),
        email: email(name),
        password: PASSWORD.into(),
        device: "a telephone".into(),
    }
}

pub fn sign_in(request_id: &str, name: &str, password: &str) -> SignInRequest {
    SignInRequest {
        request_id: request_id.into(),
        email: email(name),
        password: password.into(),
        device: String::new(),
    }
}

/// A request from an address, as a gateway of the house passes it.
pub fn from_address<T>(address: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("souk-client-address", address.parse().expect("ASCII"));
    request
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
