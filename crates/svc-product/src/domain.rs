//! What a product is and how it may change. Pure: no I/O, no clock, no ids made here.

mod category;
mod draft;
mod picture;
mod price;
mod product;
mod slug;

pub use category::{CATEGORIES_MAX, Category, CategoryDraft, DEPTH_MAX, Tree};
pub use draft::{Draft, Input, InputVariant, REFERENCE_CHARS_MAX, sku_is_good};
pub use picture::{Format, Picture, content_hash_is_good};
pub use price::{PRICE_MICROS_MAX, Price, PriceChange, PriceRecord};
pub use product::{
    Attribute, Image, ImageSource, OptionValue, Product, Revision, Status, TaxClass, Variant, Why,
};
pub use slug::{SLUG_CHARS_MAX, slug_is_good, slugify};
