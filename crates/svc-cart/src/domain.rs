//! What a cart is and how it may change. Pure: every decision is made from what was read and what is asked.

mod cart;
mod merge;
mod owner;

pub use cart::{Added, BOUGHT_MAX, Cart, CartLine, CartState, Limits, Purchase, check_sku};
pub use merge::{Dropped, MERGED_MAX, MergeStep};
pub use owner::Owner;
