//! What a product is and how it may change. Pure: no I/O, no clock, no ids made here.

mod category;
mod draft;
pub mod limits;
mod picture;
mod price;
mod product;
mod slug;

pub use category::{CATEGORIES_MAX, Category, CategoryDraft, Tree};
pub use draft::{Draft, Input, InputVariant};
pub use limits::{DEPTH_MAX, REFERENCE_CHARS_MAX, SLUG_CHARS_MAX};
pub use picture::{Format, Picture, address_is_good, content_hash_is_good};
pub use price::{PRICE_MICROS_MAX, Price, PriceChange, PriceRecord};
pub use product::{
    Attribute, Image, ImageSource, OptionValue, Product, Revision, Status, TaxClass, Variant, Why,
};
pub use slug::{slug_is_good, slugify};
