//! Keeps the log of a `dir:` database short: copies it back into the database.
//!
//! Copying thousands of pages takes tens of milliseconds, and nobody shall wait for that. So a thread of its own copies what is
//! in the log while the writer goes on; what was written in the meantime is little, and the writer copies it itself between two
//! groups. Then the log begins anew.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, DEFAULT_NAME};

use super::open;

/// Frames in the log (pages of 4 KiB) that are not in the database, from which they are copied.
const FRAMES: i32 = 2_000;

type Copied = rusqlite::Result<Connection>;

/// The log of a database, tended by its writer.
pub(super) struct Log {
    path: Option<PathBuf>,
    /// The connection that copies, while it does not.
    connection: Option<Connection>,
    copying: Option<JoinHandle<Copied>>,
}

impl Log {
    /// The log of the database that this connection writes.
    pub(super) fn of(writer: &Connection) -> Self {
        let path = writer.path().filter(|path| !path.is_empty()).map(PathBuf::from);
        Self { path, connection: None, copying: None }
    }

    /// Looks after it between two groups, when everybody was answered.
    pub(super) fn tend(&mut self, writer: &Connection) {
        match self.copying.take_if(|copying| copying.is_finished()) {
            Some(copied) => {
                self.take_back(copied);
                // The rest, which is little.
                if let Err(error) = writer.wal_checkpoint_v2(DEFAULT_NAME, CheckpointMode::PASSIVE) {
                    tell(&error);
                }
            }
            None if self.copying.is_some() => {}
            None => match writer.wal_checkpoint_v2(DEFAULT_NAME, CheckpointMode::NOOP) {
                Ok((frames, copied)) if frames - copied < FRAMES => {}
                Ok(_) => self.copy(writer),
                Err(error) => tell(&error),
            },
        }
    }

    /// Begins to copy; by the writer itself where no thread can be had.
    fn copy(&mut self, writer: &Connection) {
        let Some(path) = self.path.clone() else { return };
        let connection = self.connection.take();
        let thread = std::thread::Builder::new().name("store-log".to_owned());
        match thread.spawn(move || copy(&path, connection)) {
            Ok(copying) => self.copying = Some(copying),
            Err(error) => {
                tracing::warn!(%error, "no thread can be started that shortens the log");
                if let Err(error) = writer.wal_checkpoint_v2(DEFAULT_NAME, CheckpointMode::PASSIVE) {
                    tell(&error);
                }
            }
        }
    }

    fn take_back(&mut self, copied: JoinHandle<Copied>) {
        match copied.join() {
            Ok(Ok(connection)) => self.connection = Some(connection),
            Ok(Err(error)) => tell(&error),
            Err(_) => tracing::error!("the thread that shortens the log panicked"),
        }
    }

    /// Waits until nothing copies, so that the writer's connection is the last one and tidies up.
    pub(super) fn close(mut self) {
        if let Some(copying) = self.copying.take() {
            self.take_back(copying);
        }
    }
}

fn copy(path: &Path, connection: Option<Connection>) -> Copied {
    let connection = match connection {
        Some(connection) => connection,
        None => open::connect(path)?,
    };
    connection.wal_checkpoint_v2(DEFAULT_NAME, CheckpointMode::PASSIVE)?;
    Ok(connection)
}

fn tell(error: &rusqlite::Error) {
    tracing::warn!(%error, "the log could not be copied into the database; it is tried again");
}
