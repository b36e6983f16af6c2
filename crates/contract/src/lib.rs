//! What services say to each other.
//!
//! The `.proto` files are the source of truth: what a method takes and gives, and what it promises beyond that
//! ([`MethodContract`]). This crate is made from them at build time: messages, clients and servers under [`souk`], the
//! embedded descriptor set ([`DESCRIPTORS`]), the table of contracts ([`methods`]). A build with a contract that makes
//! no sense fails with a sentence; the rules are in `build/check.rs`.
//!
//! It also holds the only conversions of shared words to and from protobuf ([`wire`]), and of the house's one error to
//! and from a gRPC status ([`status`], [`error`]). A service's `api.rs` converts its own words.

mod method;
mod status;
pub mod wire;

#[allow(
    missing_docs,
    clippy::all,
    clippy::unwrap_used,
    clippy::too_many_lines,
    clippy::allow_attributes_without_reason,
    rustdoc::all,
    reason = "generated; the comments are those of the .proto files, whose presence build/comments.rs checks"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/contract.rs"));
    include!(concat!(env!("OUT_DIR"), "/redacted.rs"));
    include!(concat!(env!("OUT_DIR"), "/events.rs"));
}

pub use generated::souk;

/// Why the bytes of an event are not what a service published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventDefect {
    /// No contract has an event of this name.
    UnknownType,
    /// The bytes are no message of this type.
    Malformed,
    /// The bytes are not those that encoding their content gives: something was added, or stands in another order.
    NotCanonical,
}

/// Whether bytes are an event of a type, by its full name, exactly as a service encodes it.
///
/// # Errors
/// What is wrong with them.
pub fn check_event(type_name: &str, payload: &[u8]) -> Result<(), EventDefect> {
    match generated::recode_event(type_name, payload) {
        None => Err(EventDefect::UnknownType),
        Some(Err(_)) => Err(EventDefect::Malformed),
        Some(Ok(bytes)) if bytes != payload => Err(EventDefect::NotCanonical),
        Some(Ok(_)) => Ok(()),
    }
}
pub use method::{Access, Cache, CacheScope, Criticality, Idempotency, MethodContract, method, methods};
pub use status::{DOMAIN, error, status};

/// The `google.protobuf.FileDescriptorSet` of all contracts, encoded, with imports, comments and options: what
/// reflection serves.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
