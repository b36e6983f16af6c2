//! Search through a real client, fed by a product of its own on virtual time.

#[path = "it/feed.rs"]
mod feed;
#[path = "it/finding.rs"]
mod finding;
#[path = "it/hall.rs"]
mod hall;
#[path = "it/product.rs"]
mod product;
