//! The embedded engine: `mem:` and `dir:PATH` on SQLite.
//!
//! `mem:` is one connection behind a mutex, used inline by the task that asks: no threads, so that virtual time and seeds
//! hold. `dir:` has one writer thread that commits what waits together (see `thread`) and connections that read inline
//! (see `readers`). All writes are batches, also those of the house's own tables, so there is one path to the disk.

mod apply;
mod documents;
mod errors;
pub(crate) mod files;
mod house;
mod identity;
mod inspect;
mod integrity;
mod layout;
mod log;
mod open;
pub(crate) mod readers;
mod rows;
mod schema;
mod thread;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use kernel::{Clock, Error, Result};
use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::watch;

use self::files::{Files, Present};
use self::identity::Note;
use self::open::Opened;
use self::readers::{Readers, readers_kept};
use self::thread::Queue;
use self::writer::Writer;
use crate::batch::{Batch, Committed, Position};
use crate::chain::EventChain;
use crate::error::CommitError;
use crate::migration::Migration;

/// How long a connection waits for another one of this process, for example while the log is tidied up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// An open embedded database.
pub(crate) struct Sqlite {
    name: String,
    migrations: &'static [Migration],
    layout: integrity::ExpectedLayout,
    opened: Opened,
    newest: watch::Receiver<Position>,
    kinds: documents::Kinds,
    backend: Backend,
}

enum Backend {
    Memory(Box<Mutex<Writer>>),
    Directory(Directory),
}

struct Directory {
    queue: Arc<Queue>,
    readers: Readers,
    thread: Option<JoinHandle<()>>,
    files: Files,
    present: Arc<Present>,
}

impl Sqlite {
    /// Opens a database in memory; it is gone when the last handle is.
    pub(crate) fn memory(
        name: &str,
        migrations: &'static [Migration],
        clock: Arc<dyn Clock>,
        chain: EventChain,
    ) -> Result<Self> {
        let (writer, opened) = open::memory(name, migrations, clock, chain)?;
        let newest = writer.watch();
        let backend = Backend::Memory(Box::new(Mutex::new(writer)));
        Ok(Self::over(name, migrations, opened, newest, backend))
    }

    /// Opens `PATH/NAME/NAME.db`. The work is done on the thread that will write, so that databases open side by side.
    pub(crate) async fn directory(
        path: &Path,
        name: &str,
        migrations: &'static [Migration],
        clock: Arc<dyn Clock>,
        chain: EventChain,
    ) -> Result<Self> {
        let queue = Arc::new(Queue::default());
        let (path, file_name) = (path.to_owned(), name.to_owned());
        let (thread, opened) = thread::start(name, Arc::clone(&queue), move || {
            let files = Files::lock(&path, &file_name)?;
            let (writer, opened) = open::directory(&files, migrations, clock, chain)?;
            let (newest, present) = (writer.watch(), writer.present());
            let readers = Readers::open(&files.database, readers_kept())?;
            Ok((writer, (files, opened, newest, present, readers)))
        })?;
        let opened = opened
            .await
            .map_err(|_| Error::internal("the store's thread ended while it opened the database"))?;
        let (files, opened, newest, present, readers) = opened?;
        let backend = Backend::Directory(Directory { queue, readers, thread: Some(thread), files, present });
        Ok(Self::over(name, migrations, opened, newest, backend))
    }

    fn over(
        name: &str,
        migrations: &'static [Migration],
        opened: Opened,
        newest: watch::Receiver<Position>,
        backend: Backend,
    ) -> Self {
        let (layout, kinds) = (integrity::ExpectedLayout::default(), documents::Kinds::default());
        Self { name: name.to_owned(), migrations, layout, opened, newest, kinds, backend }
    }

    fn read<R>(&self, work: impl FnOnce(&Connection) -> Result<R>) -> Result<R> {
        match &self.backend {
            Backend::Memory(writer) => work(writer.lock().conn()),
            Backend::Directory(directory) => directory.readers.read(work),
        }
    }

    async fn write(&self, batch: Batch) -> Result<Committed, CommitError> {
        let outcome = self.hand_over(batch).await;
        tracing::trace!(store = self.name, durable = outcome.is_ok(), "a commit");
        outcome
    }

    async fn hand_over(&self, batch: Batch) -> Result<Committed, CommitError> {
        match &self.backend {
            Backend::Memory(writer) => {
                batch.check()?;
                let outcome = writer.lock().commit(&[&batch]).pop();
                outcome.unwrap_or_else(|| Err(Error::internal("a group of one has one outcome").into()))
            }
            Backend::Directory(directory) => directory.queue.commit(batch).await,
        }
    }
}

impl Drop for Sqlite {
    /// Writes what waits, copies the log into the database and gives the directory back.
    fn drop(&mut self) {
        let Backend::Directory(directory) = &mut self.backend else { return };
        directory.readers.close();
        directory.queue.close();
        let ended = directory.thread.take().map(JoinHandle::join);
        let note = Note {
            run: self.opened.run.clone(),
            inode: directory.files.inode,
            head: self.newest.borrow().sequence,
        };
        if let (Some(Ok(())), Err(error)) = (ended, note.write(&directory.files.database)) {
            tracing::warn!(%error, store = self.name, "the note beside the database cannot be written; its events will begin a new epoch");
        }
    }
}
