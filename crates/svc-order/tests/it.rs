//! The order service through a real client, among fakes.

#[path = "it/callers.rs"]
mod callers;
#[path = "it/fakes.rs"]
mod fakes;
#[path = "it/kills.rs"]
mod kills;
#[path = "it/people.rs"]
mod people;
#[path = "it/placing.rs"]
mod placing;
#[path = "it/shop.rs"]
mod shop;
