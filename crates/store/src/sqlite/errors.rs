//! SQLite's errors in the house's words.

use std::path::Path;

use kernel::{Code, Error};
use rusqlite::ErrorCode;

/// An error while a database is opened: the reader is who runs the process, so it names the file.
pub(super) fn opening(path: &Path, error: rusqlite::Error) -> Error {
    let place = path.display();
    let (code, reason, message) = match kind(&error) {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => (
            Code::Internal,
            "DATA_CORRUPT",
            format!(
                "{place} is damaged and cannot be read; nothing was changed: keep a copy of it, and restore its directory from a backup"
            ),
        ),
        Some(ErrorCode::DiskFull) => (
            Code::Unavailable,
            "STORAGE_FULL",
            format!(
                "the disk that holds {place} is full; free some space and start again, what was answered is not lost"
            ),
        ),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
            return unwritable(path, &error);
        }
        // On a full disk the file that readers and writer share cannot grow, which comes as an error of the disk.
        Some(ErrorCode::SystemIoFailure) => (
            Code::Unavailable,
            "STORAGE_FAILED",
            format!(
                "the disk that holds {place} is full or does not work ({error}); free some space or see to the disk, and start again, what was answered is not lost"
            ),
        ),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
            Code::FailedPrecondition,
            "DATA_DIR_IN_USE",
            format!("{place} is being used by another program; end it, or choose another data directory"),
        ),
        _ => (Code::Internal, "STORAGE_FAILED", format!("{place} cannot be opened: {error}")),
    };
    Error::new(code, reason, message).because(error)
}

/// A database without tables that was used before.
pub(super) fn emptied(path: &Path) -> Error {
    let place = path.display();
    let message = format!(
        "{place} is empty, but it was in use before: what it held is gone; restore its directory from a backup, or delete the directory to begin this part of the shop anew"
    );
    Error::new(Code::Internal, "DATA_CORRUPT", message)
}

/// A directory or file that cannot be written.
pub(super) fn unwritable(path: &Path, cause: &dyn std::error::Error) -> Error {
    let message = format!(
        "{} cannot be written ({cause}); make it writable for the user that runs souk, or choose another data directory",
        path.display()
    );
    Error::new(Code::FailedPrecondition, "DATA_DIR_UNWRITABLE", message)
}

/// An error of the file system while a database is opened.
pub(super) fn file_system(path: &Path, error: std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            let message =
                format!("the disk that holds {} is full; free some space and start again", path.display());
            Error::unavailable("STORAGE_FULL", message).because(error)
        }
        _ => unwritable(path, &error).because(error),
    }
}

/// An error while serving: the reader may be anybody, so it names no file.
pub(super) fn serving(error: rusqlite::Error) -> Error {
    match kind(&error) {
        Some(ErrorCode::DiskFull) => Error::unavailable(
            "STORAGE_FULL",
            "the disk of the service is full; nothing more is written until there is space, what was answered is not lost",
        )
        .because(error),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Error::unavailable("STORAGE_BUSY", "the store is busy; try again").because(error)
        }
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::FileLockingProtocolFailed) => {
            Error::unavailable("STORAGE_FAILED", "the store cannot read or write its disk").because(error)
        }
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            Error::new(Code::Internal, "DATA_CORRUPT", "the store's data is damaged").because(error)
        }
        _ => Error::internal(error),
    }
}

/// Whether a UNIQUE or PRIMARY KEY was violated.
pub(super) fn is_duplicate(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_ROWID, SQLITE_CONSTRAINT_UNIQUE};
    error.sqlite_error().is_some_and(|error| {
        matches!(
            error.extended_code,
            SQLITE_CONSTRAINT_PRIMARYKEY | SQLITE_CONSTRAINT_UNIQUE | SQLITE_CONSTRAINT_ROWID
        )
    })
}

/// The column of a violated index: the `k_email` of `UNIQUE constraint failed: doc_profile.k_email`.
pub(super) fn violated_column(error: &rusqlite::Error) -> Option<&str> {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => {
            let columns = message.strip_prefix("UNIQUE constraint failed: ")?;
            columns.split(',').next()?.rsplit('.').next()
        }
        _ => None,
    }
}

fn kind(error: &rusqlite::Error) -> Option<ErrorCode> {
    error.sqlite_error_code()
}
