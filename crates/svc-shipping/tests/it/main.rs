//! Shipping through its API.

mod rates;
mod shipments;
mod shop;
