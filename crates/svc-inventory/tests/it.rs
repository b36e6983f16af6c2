//! Inventory through a real client: one role, in memory, on virtual time.

#[path = "it/access.rs"]
mod access;
#[path = "it/audit.rs"]
mod audit;
#[path = "it/crowd.rs"]
mod crowd;
#[path = "it/disk.rs"]
mod disk;
#[path = "it/holds.rs"]
mod holds;
#[path = "it/shop.rs"]
mod shop;
#[path = "it/stock.rs"]
mod stock;
