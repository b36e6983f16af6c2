//! Whether the files of an index hold what was written. A file is read where it lies, so one wrong byte in it would fail
//! each query, or the start.

use std::panic::{AssertUnwindSafe, catch_unwind};

use kernel::{Error, Result};
use tantivy::Directory;

use super::Index;

/// How often the files are listed anew when a merge removed one that was about to be read.
const LISTINGS_MAX: usize = 3;

/// Runs what reads files that may be damaged. Tantivy panics on some of them.
///
/// # Errors
/// What `read` says; a panic is told as an error.
pub(super) fn guarded<T>(read: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|panic| {
        let told = panic.downcast_ref::<String>().map(String::as_str);
        let told = told.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        Err(Error::internal(format!("a panic on the files of the search index: {told}")))
    })
}

impl Index {
    /// The files of the last commit whose checksums are wrong, by name. All of each file is read.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn damaged_files(&self) -> Result<Vec<String>> {
        let mut failure = None;
        for _ in 0..LISTINGS_MAX {
            match guarded(|| damaged_files(&self.0.index)) {
                Ok(damaged) => return Ok(damaged),
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.unwrap_or_else(|| Error::internal("the files of the search index were not read")))
    }

    /// Opens what queries read of each segment, and compares its documents with the list of segments, which has no checksum.
    ///
    /// # Errors
    /// When a segment cannot be read, or has another number of documents than the list says.
    pub(super) fn check_segments(&self) -> Result<()> {
        for reader in self.0.reader.searcher().segment_readers() {
            let segment = self.0.segments.open(reader).map_err(Error::internal)?;
            let (listed, found) = (reader.max_doc(), segment.tie.num_docs());
            if listed != found {
                return Err(Error::internal(format!("a segment lists {listed} documents and has {found}")));
            }
        }
        Ok(())
    }
}

/// As [`Index::damaged_files`], of an index that is not served yet.
pub(super) fn damaged_files(index: &tantivy::Index) -> Result<Vec<String>> {
    let directory = index.directory();
    let mut damaged = Vec::new();
    for file in index.load_metas().map_err(Error::internal)?.list_segment_files() {
        // Some are there only when something was deleted; opening the segments finds those that are missing.
        let there = directory.exists(&file).map_err(Error::internal)?;
        if there && !directory.validate_checksum(&file).map_err(Error::internal)? {
            damaged.push(file.display().to_string());
        }
    }
    damaged.sort();
    Ok(damaged)
}
