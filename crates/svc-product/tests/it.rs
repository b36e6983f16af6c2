//! Product through a real client: one role, in memory, on virtual time.

#[path = "it/access.rs"]
mod access;
#[path = "it/categories.rs"]
mod categories;
#[path = "it/edits.rs"]
mod edits;
#[path = "it/import.rs"]
mod import;
#[path = "it/pictures.rs"]
mod pictures;
#[path = "it/reads.rs"]
mod reads;
#[path = "it/shop.rs"]
mod shop;
