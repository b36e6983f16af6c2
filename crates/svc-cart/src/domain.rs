//! What a cart is and how it may change. Pure: every decision is made from what was read and what is asked.

mod cart;
mod merge;
mod owner;

pub use cart::{Added, Cart, CartLine, CartState, Limits, check_sku};
pub use merge::{Dropped, MergeStep};
pub use owner::Owner;
