//! The embedded engines: the conformance suite, and what only a directory has.

mod chain;
mod directory;
mod files;
mod inspect;
mod killed;

use std::sync::Arc;

use store::conformance::{Opener, TestClock};
use store::{Database, Kv, Migration, OpenOptions};
use tempfile::TempDir;

/// `mem:`.
struct Memory;

#[async_trait::async_trait]
impl Opener for Memory {
    async fn open(
        &self,
        name: &str,
        migrations: &'static [Migration],
        options: OpenOptions,
    ) -> kernel::Result<Database> {
        store::open("mem:", name, migrations, options).await
    }

    fn keeps(&self) -> bool {
        false
    }

    fn keys(&self, clock: Arc<TestClock>) -> Kv {
        Kv::memory(clock)
    }
}

/// `dir:` in a directory of its own.
struct Directory(TempDir);

impl Directory {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }
}

#[async_trait::async_trait]
impl Opener for Directory {
    async fn open(
        &self,
        name: &str,
        migrations: &'static [Migration],
        options: OpenOptions,
    ) -> kernel::Result<Database> {
        store::open(&format!("dir:{}", self.0.path().display()), name, migrations, options).await
    }

    fn keeps(&self) -> bool {
        true
    }

    fn keys(&self, clock: Arc<TestClock>) -> Kv {
        Kv::memory(clock)
    }
}

store::conformance_suite!(memory, Memory);
store::conformance_suite!(embedded_directory, Directory::new());
