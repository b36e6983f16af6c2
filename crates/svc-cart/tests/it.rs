//! Cart through a real client: one role, in memory, on virtual time, with fakes for product and identity.

#[path = "it/access.rs"]
mod access;
#[path = "it/add.rs"]
mod add;
#[path = "it/bought.rs"]
mod bought;
#[path = "it/edit.rs"]
mod edit;
#[path = "it/fakes.rs"]
mod fakes;
#[path = "it/merge.rs"]
mod merge;
#[path = "it/shop.rs"]
mod shop;
#[path = "it/show.rs"]
mod show;
