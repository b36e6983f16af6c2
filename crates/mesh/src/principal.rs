//! Who asks, and through whom.

use std::sync::Arc;

use kernel::{CustomerId, GuestId, SessionId, Timestamp};

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
