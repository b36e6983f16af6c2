//! Checkout through a real client: one role, in memory, on virtual time, among fakes.

#[path = "it/fakes.rs"]
mod fakes;
#[path = "it/quotes.rs"]
mod quotes;
#[path = "it/requotes.rs"]
mod requotes;
#[path = "it/shop.rs"]
mod shop;
#[path = "it/taxes.rs"]
mod taxes;
