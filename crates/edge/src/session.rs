//! Sessions of browsers. The tokens that identity gave are cookies that no script can read; nothing is kept on this side, so
//! any instance serves any browser. An access token that ends is renewed behind the scenes.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chassis::Context;
use contract::souk::identity::v1::identity_service_client::IdentityServiceClient;
use contract::souk::identity::v1::{CreateGuestSessionRequest, RefreshSessionRequest, SessionTokens};
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderValue};
use kernel::{Code, Error, Result};
use mesh::{Channel, Principal, Verified};
use sha2::{Digest, Sha256};

use crate::cookies::CookieJar;

/// The cookie with the access token.
const ACCESS: &str = "souk_access";
/// The cookie with the refresh token.
const REFRESH: &str = "souk_refresh";
/// A token that ends within this time is renewed now, so that it outlives the request.
const RENEW_BEFORE: Duration = Duration::from_secs(30);
/// How long cookies with tokens live: as long as identity keeps a session that nobody uses.
const COOKIE_AGE: Duration = Duration::from_secs(30 * 24 * 3600);
/// Longest token that is looked at, in bytes.
const TOKEN_BYTES_MAX: usize = 3_000;

/// Who sends a request.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// Who it is; absent for somebody who has no session.
    pub(crate) verified: Option<Arc<Verified>>,
    /// The access token itself, which a guest's cart is merged by.
    pub(crate) token: Option<Arc<Hidden>>,
    /// There was a session, and it has ended.
    pub(crate) ended: bool,
    /// There may be a session, but identity could not be asked.
    pub(crate) unknown: bool,
}

/// A token; never shown.
pub(crate) struct Hidden(pub(crate) String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Session {
    /// Who it is.
    #[must_use]
    pub fn principal(&self) -> Principal {
        self.verified.as_ref().map(|verified| verified.principal.clone()).unwrap_or_default()
    }

    /// Whether there is a session, of a guest or an account.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.verified.is_some()
    }

    /// Whether somebody is signed in.
    #[must_use]
    pub fn is_signed_in(&self) -> bool {
        self.principal().account().is_some()
    }

    /// Whether there is nothing to say of it: there is none, and there was none.
    pub(crate) fn is_absent(&self) -> bool {
        self.verified.is_none() && !self.unknown && !self.ended
    }

    /// Whether a session that the browser had has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended
    }
}

/// Opens, begins and ends sessions.
pub(crate) struct Sessions {
    ctx: Context,
    jar: CookieJar,
    identity: IdentityServiceClient<Channel>,
}

/// A session and the cookies that go with it.
pub(crate) type Opened = (Session, Vec<HeaderValue>);

impl Sessions {
    pub(crate) fn new(ctx: &Context, jar: CookieJar) -> Result<Self> {
        Ok(Self { ctx: ctx.clone(), jar, identity: ctx.call("identity", IdentityServiceClient::new)? })
    }

    /// Whether a request carries anything of a session: if not, there is nothing to look at.
    pub(crate) fn is_plain(&self, headers: &HeaderMap) -> bool {
        let bare = !headers.contains_key(COOKIE);
        !headers.contains_key(AUTHORIZATION) && (bare || self.has_no_tokens(headers))
    }

    fn has_no_tokens(&self, headers: &HeaderMap) -> bool {
        self.jar.get(headers, ACCESS).is_none() && self.jar.get(headers, REFRESH).is_none()
    }

    /// Who sends a request, by its bearer token or its cookies.
    ///
    /// # Errors
    /// UNAUTHENTICATED for a bearer token that is not good. Cookies that are not good are dropped without one.
    pub(crate) async fn open(&self, headers: &HeaderMap, address: Option<IpAddr>) -> Result<Opened> {
        if let Some(value) = headers.get(AUTHORIZATION) {
            return self.by_bearer(value).map(|session| (session, Vec::new()));
        }
        let access = self.jar.get(headers, ACCESS).filter(|token| token.len() <= TOKEN_BYTES_MAX);
        if let Some(token) = access
            && let Ok(verified) = self.ctx.verified(token)
            && verified.expires.is_none_or(|expires| expires > self.ctx.now().plus(RENEW_BEFORE))
        {
            return Ok((alive(verified, token.to_owned()), Vec::new()));
        }
        let refresh = self.jar.get(headers, REFRESH).filter(|token| token.len() <= TOKEN_BYTES_MAX);
        match refresh {
            Some(token) => self.renew(token, address).await,
            None if access.is_some() => Ok(self.ended()),
            None => Ok((Session::default(), Vec::new())),
        }
    }

    fn by_bearer(&self, value: &HeaderValue) -> Result<Session> {
        let malformed = || {
            let message = "authorization must be `Bearer` and an access token";
            Error::new(Code::Unauthenticated, "TOKEN_INVALID", message)
        };
        let (scheme, token) =
            value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(malformed)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(malformed());
        }
        let verified = self.ctx.verified(token.trim())?;
        Ok(alive(verified, token.trim().to_owned()))
    }

    fn ended(&self) -> Opened {
        let session = Session { ended: true, ..Session::default() };
        (session, self.forget())
    }

    /// The cookies that forget a session.
    pub(crate) fn forget(&self) -> Vec<HeaderValue> {
        [ACCESS, REFRESH].iter().filter_map(|name| self.jar.remove(name)).collect()
    }

    /// Renews by the refresh token. The key is made from the token, so that two requests of one browser that renew at once
    /// are one renewal, and a lost answer is asked for again.
    async fn renew(&self, refresh_token: &str, address: Option<IpAddr>) -> Result<Opened> {
        let digest = Sha256::digest(refresh_token.as_bytes());
        let request_id = format!("renew-{}", hex::encode(&digest[..16]));
        let message = RefreshSessionRequest { request_id, refresh_token: refresh_token.to_owned() };
        let answer = self.identity.clone().refresh_session(from_client(message, address)).await;
        match answer.map_err(contract::error) {
            Ok(answer) => self.take(answer.into_inner().tokens).await,
            Err(error) if matches!(error.code(), Code::Unauthenticated | Code::InvalidArgument) => {
                tracing::debug!(reason = error.reason(), "a session has ended");
                Ok(self.ended())
            }
            Err(error) => {
                tracing::warn!(error = ?error, "a session could not be renewed");
                let session = Session { unknown: true, ..Session::default() };
                Ok((session, Vec::new()))
            }
        }
    }

    /// Begins a guest session.
    ///
    /// # Errors
    /// What identity says.
    pub(crate) async fn begin_guest(&self, device: &str, address: Option<IpAddr>) -> Result<Opened> {
        let request_id = format!("guest-{}", hex::encode(self.ctx.random::<16>()));
        let message = CreateGuestSessionRequest { request_id, device: device.to_owned() };
        let answer = self.identity.clone().create_guest_session(from_client(message, address)).await;
        self.take(answer.map_err(contract::error)?.into_inner().tokens).await
    }

    /// Takes tokens that identity gave: the session they are of, and its cookies.
    ///
    /// # Errors
    /// INTERNAL when they are not good.
    pub(crate) async fn take(&self, tokens: Option<SessionTokens>) -> Result<Opened> {
        let tokens = tokens.ok_or_else(|| Error::internal("an answer without tokens"))?;
        let verified = self.ctx.verified_fresh(&tokens.access_token).await?;
        let pairs = [(ACCESS, &tokens.access_token), (REFRESH, &tokens.refresh_token)];
        let cookies = pairs.iter().filter_map(|(name, token)| self.jar.set(name, token, COOKIE_AGE));
        let cookies = cookies.collect();
        Ok((alive(verified, tokens.access_token), cookies))
    }
}

fn alive(verified: Arc<Verified>, token: String) -> Session {
    Session { verified: Some(verified), token: Some(Arc::new(Hidden(token))), ..Session::default() }
}

/// A request that tells identity the client's address.
fn from_client<T>(message: T, address: Option<IpAddr>) -> tonic::Request<T> {
    mesh::with_client_address(tonic::Request::new(message), address)
}
