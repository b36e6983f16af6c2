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
}

pub use generated::souk;
pub use method::{Access, Cache, CacheScope, Criticality, Idempotency, MethodContract, method, methods};
pub use status::{DOMAIN, error, status};

/// The `google.protobuf.FileDescriptorSet` of all contracts, encoded, with imports, comments and options: what
/// reflection serves.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
