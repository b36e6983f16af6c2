//! What a call passes through.
//!
//! A role calls another through a [`Channel`], which hides where the other one runs: a direct call to its endpoint in this
//! process, or HTTP/2. Both ways pass the same layers, driven by the contract (`contract::method`): who may call, for how
//! long, and who is dropped first. One layer is one file; the stacks are assembled in [`inbound`] and [`outbound`].
//!
//! Places kept for what comes later: balancing, retries and breakers stand between the route and the transport of
//! [`outbound`]; mutual TLS replaces [`peer`]'s signature; a control plane replaces the static endpoints of [`Directory`].

mod access;
mod admission;
mod call;
mod channel;
mod deadline;
mod directory;
mod endpoint;
mod fault;
mod foreign;
pub mod inbound;
pub mod outbound;
pub mod peer;
pub mod policy;
mod principal;
mod receive;
mod report;
mod rescue;
mod scope;
mod shares;
mod stream;
mod telemetry;
mod transport;
mod verify;

pub use admission::Admission;
pub use call::{Answer, Call, Layer};
pub use channel::Channel;
pub use directory::{Directory, Target};
pub use endpoint::{Endpoint, Endpoints, Response, boxed, grpc};
pub use fault::{Effect, FaultRule, Faults, Killed};
pub use foreign::{Foreign, foreign};
pub use principal::{Caller, Principal, Verified, caller, client_address, with_client_address};
pub use report::Report;
pub use rescue::panic_text;
pub use scope::{REQUEST_ID, Scope, TRACEPARENT, Trace, request_id_of, scope, with_scope};
pub use shares::{Budget, Share, Shares, Spent, network};
pub use telemetry::Telemetry;
pub use verify::{
    Claims, KEY_AUDIENCE, KEY_ISSUER, KeySet, REVOKED_ACCOUNTS, REVOKED_GUESTS, Revocation, Verifier,
    VerifyKey,
};
