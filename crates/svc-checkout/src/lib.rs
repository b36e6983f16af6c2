//! Checkout.
pub mod domain;
pub mod token;
