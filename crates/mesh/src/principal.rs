//! Who asks, and through whom.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use kernel::{CustomerId, GuestId, SessionId, Timestamp};

/// The metadata in which a gateway tells its client's address; believed from roles only.
const CLIENT_ADDRESS: &str = "souk-client-address";

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Principal {
    /// Nobody is signed in.
    #[default]
    Anonymous,
    /// A guest session.
    Guest {
        /// The guest.
        id: GuestId,
        /// The session.
        session: SessionId,
    },
    /// A signed-in account.
    Account {
        /// The account, which is the customer.
        id: CustomerId,
        /// The session.
        session: SessionId,
        /// What it may do beyond its own things; empty for customers.
        permissions: Arc<[String]>,
    },
}

impl Principal {
    /// A stable name: `anonymous`, `gst_…` or `cus_…`.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::Anonymous => "anonymous".to_owned(),
            Self::Guest { id, .. } => id.to_string(),
            Self::Account { id, .. } => id.to_string(),
        }
    }

    /// Whether it has a permission; `admin` has all.
    #[must_use]
    pub fn may(&self, permission: &str) -> bool {
        match self {
            Self::Account { permissions, .. } => {
                permissions.iter().any(|has| has == permission || has == "admin")
            }
            _ => false,
        }
    }

    /// The account, if it is one.
    #[must_use]
    pub fn account(&self) -> Option<CustomerId> {
        match self {
            Self::Account { id, .. } => Some(*id),
            _ => None,
        }
    }

    /// The guest, if it is one.
    #[must_use]
    pub fn guest(&self) -> Option<GuestId> {
        match self {
            Self::Guest { id, .. } => Some(*id),
            _ => None,
        }
    }

    /// The session, if there is one.
    #[must_use]
    pub fn session(&self) -> Option<SessionId> {
        match self {
            Self::Guest { session, .. } | Self::Account { session, .. } => Some(*session),
            Self::Anonymous => None,
        }
    }
}

/// A principal whose token was checked, with what is needed to pass it on.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    /// Who it is.
    pub principal: Principal,
    /// The token, for calls to other processes. A role that acts for somebody has none.
    pub(crate) token: Option<Token>,
    /// When the token ends; `None` for a principal without a token.
    pub expires: Option<Timestamp>,
    /// When the token was issued.
    pub issued: Option<Timestamp>,
}

/// An access token; never shown.
#[derive(Clone)]
pub(crate) struct Token(pub(crate) Arc<str>);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Verified {
    /// Somebody for whom a role acts without a token; only believed from an authenticated role.
    #[must_use]
    pub fn on_behalf_of(principal: Principal) -> Self {
        Self { principal, token: None, expires: None, issued: None }
    }
}

/// What a method sees of its caller: who asks, and through whom.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// Who asks.
    pub principal: Principal,
    /// The role that calls; `None` from outside the house.
    pub role: Option<Arc<str>>,
    /// Whether the contract of the called method names the role, and the role acts for nobody. Set by the access layer.
    pub(crate) internal: bool,
}

impl Caller {
    /// A caller as the layers before the access layer know it.
    #[must_use]
    pub fn new(principal: Principal, role: Option<Arc<str>>) -> Self {
        Self { principal, role, internal: false }
    }

    /// Whether this is a role that acts for nobody, and that the contract of the called method names. A gateway is never one
    /// unless the contract names it: what it asks without a session, it asks for an anonymous visitor.
    #[must_use]
    pub fn is_internal(&self) -> bool {
        self.internal
    }

    /// Whether `owner` (`cus_…` or `gst_…`) is this caller. Nobody owns what has no owner.
    #[must_use]
    pub fn owns(&self, owner: &str) -> bool {
        !owner.is_empty() && self.principal != Principal::Anonymous && self.principal.subject() == owner
    }

    /// The rule of ownership, the same for every service: a thing is for its owner, for who has `permission`, and for a role
    /// that acts for nobody and that the contract of the called method names.
    #[must_use]
    pub fn may_access(&self, owner: &str, permission: &str) -> bool {
        self.owns(owner) || self.principal.may(permission) || self.internal
    }

    /// Whether this role calls.
    #[must_use]
    pub fn is_role(&self, role: &str) -> bool {
        self.role.as_deref() == Some(role)
    }

    /// The name under which this caller's request keys are unique: the principal, or the role when it acts for nobody.
    #[must_use]
    pub fn key_owner(&self) -> String {
        match (&self.principal, &self.role) {
            (Principal::Anonymous, Some(role)) => format!("role:{role}"),
            (principal, _) => principal.subject(),
        }
    }
}

/// The caller of a request that came through the inbound stack; anonymous without it.
#[must_use]
pub fn caller<T>(request: &tonic::Request<T>) -> Caller {
    request.extensions().get::<Caller>().cloned().unwrap_or_default()
}

/// The address that a request comes from: its connection's, or, from a role, that of the client whom the role serves. `None` for
/// calls within the process that tell no address.
#[must_use]
pub fn client_address<T>(request: &tonic::Request<T>) -> Option<IpAddr> {
    if caller(request).role.is_some() {
        return request.metadata().get(CLIENT_ADDRESS)?.to_str().ok()?.parse().ok();
    }
    let connected = request.extensions().get::<SocketAddr>().copied().or_else(|| request.remote_addr());
    connected.map(|address| address.ip())
}

/// A request that tells its client's address as [`client_address`] reads it, where there is one to tell.
#[must_use]
pub fn with_client_address<T>(mut request: tonic::Request<T>, address: Option<IpAddr>) -> tonic::Request<T> {
    if let Some(value) = address.and_then(|address| address.to_string().parse().ok()) {
        request.metadata_mut().insert(CLIENT_ADDRESS, value);
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_roles_are_believed_about_their_clients() {
        let mut request = tonic::Request::new(());
        request.metadata_mut().insert(CLIENT_ADDRESS, "192.0.2.7".parse().expect("ASCII"));
        assert_eq!(client_address(&request), None);
        request.extensions_mut().insert(SocketAddr::from(([198, 51, 100, 1], 4711)));
        assert_eq!(client_address(&request), Some(IpAddr::from([198, 51, 100, 1])));
        request.extensions_mut().insert(Caller::new(Principal::Anonymous, Some("bff-web".into())));
        assert_eq!(client_address(&request), Some(IpAddr::from([192, 0, 2, 7])));
    }
}
