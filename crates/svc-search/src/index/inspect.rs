//! Every hit of an index, for the audit.

use kernel::{Error, Result};
use tantivy::schema::Value;
use tantivy::{DocAddress, TantivyDocument};

use super::Index;

/// A place among the documents: segment and document.
pub type Address = (u32, u32);

impl Index {
    /// Encoded hits from a place on, at most `limit`, and where the next ones begin. The order is that of the segments, which a
    /// merge changes.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn hits_from(&self, from: Address, limit: usize) -> Result<(Vec<Vec<u8>>, Option<Address>)> {
        let searcher = self.0.reader.searcher();
        let mut hits = Vec::new();
        for (segment, reader) in (0_u32..).zip(searcher.segment_readers()).skip(from.0 as usize) {
            let first = if segment == from.0 { from.1 } else { 0 };
            for document in (first..reader.max_doc()).filter(|document| !reader.is_deleted(*document)) {
                if hits.len() == limit {
                    return Ok((hits, Some((segment, document))));
                }
                let address = DocAddress::new(segment, document);
                let stored: TantivyDocument = searcher.doc(address).map_err(Error::internal)?;
                let hit = stored.get_first(self.0.fields.hit);
                let hit = hit.and_then(|value| value.as_bytes().map(<[u8]>::to_vec));
                hits.push(hit.ok_or_else(|| Error::internal("a document has no hit"))?);
            }
        }
        Ok((hits, None))
    }
}
