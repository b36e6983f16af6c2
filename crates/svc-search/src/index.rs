//! The index on tantivy: what stands in it, how it is opened, written and asked.
//!
//! One document per active product. Words are folded by [`crate::domain::words`] before they come here, so every text
//! field only splits at spaces. The position of the last event that an index shows is the payload of its last commit:
//! an index without one was never finished and is thrown away.

mod ask;
mod browse;
mod collect;
mod expand;
mod inspect;
mod intact;
mod segment;
mod write;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kernel::{Error, Result};
use store::Position;
use tantivy::schema::{
    FAST, Field, IndexRecordOption, JsonObjectOptions, STORED, STRING, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::{IndexReader, ReloadPolicy};

pub use ask::{Facets, Hits};
pub use write::Writer;

use browse::Browsed;
use segment::Segments;

/// Begins the payload of a finished index; its number rises with the schema and with every change of how words are made
/// ([`crate::domain::words`]), so that a start on an older directory builds the index anew.
const PAYLOAD: &str = "souk-search/3";
/// Directories of indexes are called so, with a number behind.
const DIRECTORY: &str = "index-";
/// Blocks of stored documents kept unpacked per segment.
const STORE_BLOCKS: usize = 16;

/// The fields of a document.
#[derive(Clone, Copy)]
struct Fields {
    /// Product id.
    id: Field,
    /// Words of the name.
    name: Field,
    /// Beginnings of the words of names, synonyms and SKUs.
    prefix: Field,
    /// Words of synonyms.
    synonym: Field,
    /// Words of attributes, options and SKUs.
    detail: Field,
    /// Words of the description.
    story: Field,
    /// All words but the description's, for typing errors.
    word: Field,
    /// Compounds of names, synonyms, attributes and the description, written as one word.
    compound: Field,
    /// The whole name, synonyms and SKUs, folded.
    exact: Field,
    /// `c` and a category, `a` and an attribute with its value.
    facet: Field,
    /// Micros of the cheapest variant by currency.
    price: Field,
    /// Microseconds since 1970.
    created: Field,
    /// Breaks ties.
    tie: Field,
    /// The name in plain letters, for sorting.
    name_key: Field,
    /// The encoded hit.
    hit: Field,
}

fn schema() -> (Schema, Fields) {
    let text = |record, norms| {
        let indexing = TextFieldIndexing::default()
            .set_tokenizer("whitespace")
            .set_index_option(record)
            .set_fieldnorms(norms);
        TextOptions::default().set_indexing_options(indexing)
    };
    let scored = || text(IndexRecordOption::WithFreqs, true);
    let plain = || text(IndexRecordOption::Basic, false);
    let mut schema = Schema::builder();
    let fields = Fields {
        id: schema.add_text_field("id", STRING),
        name: schema.add_text_field("name", scored()),
        prefix: schema.add_text_field("prefix", plain()),
        synonym: schema.add_text_field("synonym", scored()),
        detail: schema.add_text_field("detail", scored()),
        story: schema.add_text_field("story", scored()),
        word: schema.add_text_field("word", plain()),
        compound: schema.add_text_field("compound", plain()),
        exact: schema.add_text_field("exact", STRING),
        facet: schema.add_text_field("facet", STRING.set_fast("raw")),
        price: schema.add_json_field("price", JsonObjectOptions::from(FAST)),
        created: schema.add_i64_field("created", FAST),
        tie: schema.add_u64_field("tie", FAST),
        name_key: schema.add_text_field("name_key", TextOptions::default().set_fast("raw")),
        hit: schema.add_bytes_field("hit", STORED),
    };
    (schema.build(), fields)
}

/// An index that can be asked. Cheap to clone.
#[derive(Clone)]
pub struct Index(Arc<Inner>);

struct Inner {
    index: tantivy::Index,
    reader: IndexReader,
    fields: Fields,
    segments: Segments,
    browsed: Browsed,
    directory: Option<PathBuf>,
}

impl Index {
    /// A new, empty index: in memory, or in a directory of its own below `parent`, after those that are there.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn create(parent: Option<&Path>) -> Result<Self> {
        let (schema, _) = schema();
        let Some(parent) = parent else {
            return Self::new(tantivy::Index::create_in_ram(schema), None);
        };
        let last = directories(parent)?.into_iter().map(|(number, _)| number).max().unwrap_or(0);
        let directory = parent.join(format!("{DIRECTORY}{:06}", last + 1));
        fs::create_dir_all(&directory).map_err(|error| unusable(&directory, error))?;
        let index =
            tantivy::Index::create_in_dir(&directory, schema).map_err(|error| unusable(&directory, error))?;
        Self::new(index, Some(directory))
    }

    /// The newest finished index below `parent`, and where it stands; unfinished, older and unreadable ones are removed.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn open_newest(parent: &Path) -> Result<Option<(Self, Position)>> {
        let mut newest = None;
        let mut all = directories(parent)?;
        all.sort();
        for (_, directory) in all.into_iter().rev() {
            if newest.is_none() {
                match intact::guarded(|| Self::open(&directory)) {
                    Ok(Some(opened)) => {
                        newest = Some(opened);
                        continue;
                    }
                    Ok(None) => {}
                    Err(error) => {
                        tracing::warn!(?directory, error = ?error, "the index is damaged; building a new one")
                    }
                }
            }
            remove(&directory);
        }
        Ok(newest)
    }

    fn open(directory: &Path) -> Result<Option<(Self, Position)>> {
        let index = tantivy::Index::open_in_dir(directory).map_err(|error| unusable(directory, error))?;
        let (expected, _) = schema();
        let metas = index.load_metas().map_err(|error| unusable(directory, error))?;
        let Some(position) =
            metas.payload.as_deref().and_then(read_payload).filter(|_| index.schema() == expected)
        else {
            return Ok(None);
        };
        let damaged = intact::damaged_files(&index)?;
        if !damaged.is_empty() {
            return Err(unusable(directory, format!("wrong checksums of {}", damaged.join(", "))));
        }
        let opened = Self::new(index, Some(directory.to_owned()))?;
        opened.check_segments()?;
        Ok(Some((opened, position)))
    }

    fn new(index: tantivy::Index, directory: Option<PathBuf>) -> Result<Self> {
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .doc_store_cache_num_blocks(STORE_BLOCKS)
            .try_into()
            .map_err(Error::internal)?;
        let (_, fields) = schema();
        Ok(Self(Arc::new(Inner {
            index,
            reader,
            fields,
            segments: Segments::default(),
            browsed: Browsed::default(),
            directory,
        })))
    }

    /// Opens the one writer of this index. It holds about `bytes` of memory until it is dropped, at least 15 MB.
    ///
    /// # Errors
    /// When another writer is open, or the directory cannot be written.
    pub fn writer(&self, bytes: usize) -> Result<Writer> {
        Writer::open(self.clone(), bytes)
    }

    /// Products in it.
    #[must_use]
    pub fn documents(&self) -> u64 {
        self.0.reader.searcher().num_docs()
    }

    /// Shows what was committed.
    fn reload(&self) -> Result<()> {
        self.0.reader.reload().map_err(Error::internal)?;
        self.0.segments.keep(&self.0.reader.searcher());
        Ok(())
    }

    /// Removes its files; whoever still reads it goes on reading until he is done.
    pub fn remove(&self) {
        if let Some(directory) = &self.0.directory {
            remove(directory);
        }
    }
}

fn directories(parent: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let entries = match fs::read_dir(parent) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unusable(parent, error)),
    };
    let numbered = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        Some((name.strip_prefix(DIRECTORY)?.parse().ok()?, entry.path()))
    };
    Ok(entries.filter_map(std::result::Result::ok).filter_map(numbered).collect())
}

fn remove(directory: &Path) {
    if let Err(error) = fs::remove_dir_all(directory) {
        tracing::warn!(?directory, %error, "an index that is not used any more could not be removed");
    }
}

fn unusable(directory: &Path, error: impl std::fmt::Display) -> Error {
    let message = format!("the search index in {} cannot be used: {error}", directory.display());
    Error::internal(message)
}

fn payload(position: Position) -> String {
    format!("{PAYLOAD} {} {}", position.epoch, position.sequence)
}

fn read_payload(text: &str) -> Option<Position> {
    let mut parts = text.strip_prefix(PAYLOAD)?.strip_prefix(' ')?.split(' ');
    let position = Position { epoch: parts.next()?.parse().ok()?, sequence: parts.next()?.parse().ok()? };
    parts.next().is_none().then_some(position)
}

#[cfg(test)]
#[path = "index/tests.rs"]
mod tests;
