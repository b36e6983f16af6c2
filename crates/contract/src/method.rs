//! What every method promises, read from its `.proto` at build time.

use std::time::Duration;

include!(concat!(env!("OUT_DIR"), "/methods.rs"));

/// The contract of one method. The mesh, the access checks, the documentation and the tests are driven by it.
#[derive(Debug)]
pub struct MethodContract {
    /// Its place in [`methods`], for tables that have an entry a method.
    pub index: usize,
    /// `/souk.order.v1.OrderService/PlaceOrder`.
    pub path: &'static str,
    /// The NAME of package `souk.NAME.v1`, which is the role that serves it unless the role says otherwise.
    pub package_role: &'static str,
    /// Full name of its service, `souk.order.v1.OrderService`.
    pub service: &'static str,
    /// Its name, `PlaceOrder`.
    pub method: &'static str,
    /// What may be retried, hedged and mirrored.
    pub idempotency: Idempotency,
    /// The most it may take; above zero. For a stream, how long it may be silent.
    pub timeout: Duration,
    /// Who is dropped first under overload.
    pub criticality: Criticality,
    /// Whether and how answers may be reused; never on what changes something or moves money.
    pub cache: Option<Cache>,
    /// Money moves: never cached, never served stale, idempotency key required.
    pub moves_money: bool,
    /// Who may call; one match suffices. Never empty.
    pub access: &'static [Access],
    /// The stable reasons of its own errors, in SCREAMING_SNAKE_CASE.
    pub reasons: &'static [&'static str],
    /// Largest request message from outside the process, in bytes; above zero.
    pub request_bytes_max: usize,
    /// The caller sends a stream.
    pub client_streaming: bool,
    /// The answer is a stream.
    pub server_streaming: bool,
    /// Full name of the request, `souk.order.v1.PlaceOrderRequest`.
    pub input: &'static str,
    /// Full name of the answer.
    pub output: &'static str,
}

/// What happens when a method is called twice with the same request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Idempotency {
    /// It only reads.
    NoSideEffects,
    /// The second call changes nothing more and answers the same.
    Idempotent,
    /// Not said: never retried after bytes were sent.
    Unknown,
}

/// Importance under overload; what is smaller is dropped first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Criticality {
    /// A screen can do without it.
    Sheddable,
    /// The usual.
    Default,
    /// Checkout and payment.
    Critical,
}

/// How answers may be reused.
#[derive(Debug)]
pub struct Cache {
    /// For how long an answer is as good as a new one; above zero.
    pub fresh: Duration,
    /// Until when it may be served when the callee is away, from when it was made; not shorter than `fresh`.
    pub stale: Duration,
    /// Among whom it may be shared.
    pub scope: CacheScope,
    /// Request fields that make the key, nested ones with dots; all of them when empty.
    pub key_fields: &'static [&'static str],
}

/// Among whom a cached answer may be shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CacheScope {
    /// Everybody.
    Public,
    /// The same principal only.
    Principal,
}

/// A kind of caller that is let in. Ownership is checked by the service that owns the thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody, signed in or not.
    Public,
    /// A guest session.
    Guest,
    /// A signed-in account.
    Customer,
    /// A merchant's account.
    Merchant,
    /// A partner's key with this scope.
    Partner(&'static str),
    /// An account with this permission.
    Staff(&'static str),
    /// One of these roles, calling as itself; `"*"` for any.
    Internal(&'static [&'static str]),
}

impl MethodContract {
    /// Whether it only reads.
    #[must_use]
    pub fn reads(&self) -> bool {
        self.idempotency == Idempotency::NoSideEffects
    }

    /// Whether the request or the answer is a stream.
    #[must_use]
    pub fn streams(&self) -> bool {
        self.client_streaming || self.server_streaming
    }
}

/// The contracts of all methods of the house, sorted by path.
#[must_use]
pub fn methods() -> &'static [MethodContract] {
    METHODS
}

/// The contract of a method by its path, `/souk.order.v1.OrderService/PlaceOrder`; `None` for what is not the house's,
/// such as health and reflection.
#[must_use]
pub fn method(path: &str) -> Option<&'static MethodContract> {
    METHODS.binary_search_by(|method| method.path.cmp(path)).ok().map(|index| &METHODS[index])
}
