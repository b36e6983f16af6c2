//! Finding products.

pub mod domain;
pub mod index;
