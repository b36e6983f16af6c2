//! What the catalogue takes of a product and its parts. Imports fit what they read to it.

/// A product of other shops has up to 100 variants, of few up to 250.
pub const VARIANTS_MAX: usize = 250;
/// Options of a product, such as its colour and its size.
pub const OPTIONS_MAX: usize = 5;
/// Prices of a variant: one for each currency.
pub const PRICES_MAX: usize = 20;
/// Categories of a product.
pub const PRODUCT_CATEGORIES_MAX: usize = 10;
/// Attributes of a product.
pub const ATTRIBUTES_MAX: usize = 50;
/// Characters of the name of an attribute.
pub const ATTRIBUTE_NAME_CHARS_MAX: usize = 60;
/// Pictures of a product.
pub const IMAGES_MAX: usize = 50;
/// Other words by which a product is found.
pub const SYNONYMS_MAX: usize = 50;
/// Characters: names as long as those of other shops.
pub const NAME_CHARS_MAX: usize = 255;
/// Characters of a description.
pub const DESCRIPTION_CHARS_MAX: usize = 20_000;
/// Characters of what is said of a picture.
pub const ALT_CHARS_MAX: usize = 300;
/// Longest address of a picture, in bytes.
pub const URL_BYTES_MAX: usize = 2_000;
/// Largest file of a picture, in bytes.
pub const PICTURE_BYTES_MAX: usize = 10 << 20;
/// Characters of a product's name in the system it came from: a prefix and an address of 255.
pub const REFERENCE_CHARS_MAX: usize = 300;
/// Heaviest variant, in grams.
pub const WEIGHT_GRAMS_MAX: i32 = 1_000_000;
/// Pixels of a side of a picture.
pub const PIXELS_MAX: i32 = 20_000;
/// Characters of the name of a category.
pub const CATEGORY_NAME_CHARS_MAX: usize = 100;
/// The most levels the tree of categories has.
pub const DEPTH_MAX: usize = 8;
/// The most characters a slug has.
pub const SLUG_CHARS_MAX: usize = 120;
