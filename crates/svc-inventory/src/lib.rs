//! Being written.
#![warn(missing_docs)]
mod domain;
