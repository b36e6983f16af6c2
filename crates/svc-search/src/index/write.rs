//! Writing: products in and out, made visible and durable by a commit.

use std::collections::BTreeMap;

use kernel::{Error, ProductId, Result};
use store::Position;
use tantivy::indexer::IndexWriterOptions;
use tantivy::schema::OwnedValue;
use tantivy::{IndexWriter, TantivyDocument, Term};

use super::{Index, payload};
use crate::domain::{Product, hyphenated, neighbours, plain_words, words};

/// The least memory tantivy takes for a writer.
const BYTES_MIN: usize = 15_000_000;
/// The longest beginning of a word that is indexed, in characters.
const PREFIX_CHARS_MAX: usize = 20;

/// The one writer of an index.
pub struct Writer {
    index: Index,
    writer: IndexWriter,
}

impl Writer {
    pub(super) fn open(index: Index, bytes: usize) -> Result<Self> {
        let options = IndexWriterOptions::builder()
            .num_worker_threads(1)
            .num_merge_threads(1)
            .memory_budget_per_thread(bytes.max(BYTES_MIN))
            .build();
        let writer = index.0.index.writer_with_options(options).map_err(Error::internal)?;
        Ok(Self { index, writer })
    }

    /// Puts a product in, or takes it out when it is not in the shop. Replaces what was there of it.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn put(&mut self, product: &Product) -> Result<()> {
        self.take_out(product.id);
        if product.is_active {
            self.writer.add_document(document(&self.index, product)).map_err(Error::internal)?;
        }
        Ok(())
    }

    fn take_out(&mut self, id: ProductId) {
        self.writer.delete_term(Term::from_field_text(self.index.0.fields.id, &id.to_string()));
    }

    /// Makes everything put in so far durable and visible. With a position the index is a finished one that shows all
    /// events up to it.
    ///
    /// # Errors
    /// When the index cannot be written; nothing is lost but what was put in since the last commit.
    pub fn commit(&mut self, position: Option<Position>) -> Result<()> {
        let mut prepared = self.writer.prepare_commit().map_err(Error::internal)?;
        if let Some(position) = position {
            prepared.set_payload(&payload(position));
        }
        prepared.commit().map_err(Error::internal)?;
        self.index.reload()
    }

    /// Closes it, after the merges that are running.
    ///
    /// # Errors
    /// When a merge failed.
    pub fn close(self) -> Result<()> {
        self.writer.wait_merging_threads().map_err(Error::internal)?;
        self.index.reload()
    }
}

fn document(index: &Index, product: &Product) -> TantivyDocument {
    let fields = index.0.fields;
    let name = words(&product.name);
    let synonyms: Vec<String> = product.synonyms.iter().flat_map(|text| words(text)).collect();
    let skus: Vec<String> = product.skus.iter().flat_map(|sku| words(sku)).collect();
    let called = || std::iter::once(&product.name).chain(&product.synonyms);
    let plain: Vec<String> = called().chain(&product.skus).flat_map(|text| plain_words(text)).collect();
    let joined: Vec<String> = called().flat_map(|text| hyphenated(text)).collect();
    let values = product.attributes.iter().map(|(_, value)| value).chain([&product.description]);
    let compounds: Vec<String> = called()
        .flat_map(|text| neighbours(text))
        .chain(joined.iter().cloned())
        .chain(values.flat_map(|text| hyphenated(text)))
        .collect();
    let mut details: Vec<String> =
        product.attributes.iter().flat_map(|(name, value)| words(&format!("{name} {value}"))).collect();
    details.extend(skus.iter().cloned());

    let mut document = TantivyDocument::new();
    document.add_text(fields.id, product.id.to_string());
    document.add_text(fields.name, name.join(" "));
    document.add_text(fields.synonym, synonyms.join(" "));
    document.add_text(fields.detail, details.join(" "));
    document.add_text(fields.story, words(&product.description).join(" "));
    document.add_text(fields.prefix, beginnings(plain.iter().chain(&joined)));
    document.add_text(fields.word, distinct(name.iter().chain(&synonyms).chain(&details)).join(" "));
    document.add_text(fields.compound, distinct(compounds.iter()).join(" "));
    let mut exact = vec![name.join(" ")];
    exact.extend(product.synonyms.iter().chain(&product.skus).map(|text| words(text).join(" ")));
    for whole in distinct(exact.iter()) {
        document.add_text(fields.exact, whole);
    }
    for category in &product.trail {
        document.add_text(fields.facet, category_facet(category));
    }
    for (name, value) in &product.attributes {
        document.add_text(fields.facet, attribute_facet(name, value));
    }
    let prices: BTreeMap<String, OwnedValue> = product
        .lowest
        .iter()
        .map(|(currency, micros)| (currency.code().to_owned(), OwnedValue::I64(*micros)))
        .collect();
    document.add_object(fields.price, prices);
    document.add_i64(fields.created, product.created.micros());
    document.add_u64(fields.tie, Product::tie(product.id));
    document.add_text(fields.name_key, plain_words(&product.name).join(" "));
    document.add_bytes(fields.hit, &product.hit);
    document
}

fn distinct<'a>(texts: impl Iterator<Item = &'a String>) -> Vec<&'a str> {
    let mut texts: Vec<&str> = texts.map(String::as_str).collect();
    texts.sort_unstable();
    texts.dedup();
    texts
}

/// Every beginning of every word, once.
fn beginnings<'a>(words: impl Iterator<Item = &'a String>) -> String {
    let mut all = Vec::new();
    for word in words {
        let ends = word.char_indices().map(|(at, c)| at + c.len_utf8()).take(PREFIX_CHARS_MAX);
        all.extend(ends.map(|end| &word[..end]));
    }
    all.sort_unstable();
    all.dedup();
    all.join(" ")
}

/// A word as its beginning is indexed.
pub(super) fn beginning(word: &str) -> &str {
    word.char_indices().nth(PREFIX_CHARS_MAX).map_or(word, |(end, _)| &word[..end])
}

/// How a category stands among the facets.
pub(super) fn category_facet(id: &str) -> String {
    format!("c{id}")
}

/// How an attribute stands among the facets. Names and values hold no control characters.
pub(super) fn attribute_facet(name: &str, value: &str) -> String {
    format!("a{name}\u{1f}{value}")
}
