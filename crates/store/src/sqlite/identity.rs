//! Notices that a database file was restored or copied, so that its events begin a new epoch.
//!
//! Each opening writes a new name (the run) into the database and, with the file's inode, into a small file beside it. At
//! the next opening the two must agree. A database that was replaced by a backup has the name of an older run; a copied
//! one another inode; after a clean stop the note also holds the newest sequence, which a backup of the same run is behind.
//! A note that is lost or old begins a new epoch needlessly, which is harmless (readers go on where they were: see
//! [`crate::Outbox::read`]), so it is never synced.

use std::fs::Metadata;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::path::{Path, PathBuf};

/// What the note beside a database says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) run: String,
    pub(super) inode: u64,
    /// The newest sequence at a clean stop; 0 while it runs.
    pub(super) head: i64,
}

impl Note {
    fn path(database: &Path) -> PathBuf {
        database.with_extension("run")
    }

    pub(super) fn read(database: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(Self::path(database)).ok()?;
        let mut words = text.split_whitespace();
        let (run, inode, head) =
            (words.next()?.to_owned(), words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(Self { run, inode, head })
    }

    /// Replaces the note. An error is for the caller to ignore: the next opening begins a new epoch.
    pub(super) fn write(&self, database: &Path) -> std::io::Result<()> {
        let path = Self::path(database);
        let next = path.with_extension("run-next");
        let mut file = super::files::private().write(true).truncate(true).open(&next)?;
        file.write_all(format!("{} {} {}\n", self.run, self.inode, self.head).as_bytes())?;
        std::fs::rename(next, path)
    }

    /// Whether a database that says `run` and `head` is the one that this note was written for.
    pub(super) fn is_of(&self, run: &str, inode: u64, head: i64) -> bool {
        self.run == run && self.inode == inode && head >= self.head
    }
}

/// A name for this opening that no other has: the hasher's keys come from the system's randomness.
pub(super) fn new_run() -> String {
    let half = || RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", half(), half())
}

#[cfg(unix)]
pub(super) fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

/// Elsewhere the time the file was made stands for it.
#[cfg(not(unix))]
pub(super) fn inode(metadata: &Metadata) -> u64 {
    let made = metadata.created().ok().and_then(|made| made.duration_since(std::time::UNIX_EPOCH).ok());
    made.map_or(0, |made| u64::try_from(made.as_nanos()).unwrap_or(0))
}
