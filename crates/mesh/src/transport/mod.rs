//! The only thing that placement changes.

pub(crate) mod http2;
pub(crate) mod local;
