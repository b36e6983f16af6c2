//! What is asked and how words are understood. Pure.

mod ask;
mod product;
mod words;

pub use ask::{
    Ask, AttributeChoice, Band, CURSOR_DEPTH_MAX, Key, Place, PriceRange, Sort, Understanding, bands,
};
pub use product::Product;
pub use words::{
    Word, distance, fold, hyphenated, is_common, neighbours, plain_words, query_words, stem, tolerance, words,
};
