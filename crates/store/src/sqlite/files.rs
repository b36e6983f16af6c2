//! The files of a `dir:` database: who may use and read them, whether they were here before, and whether they still are.

use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use kernel::{Code, Error, Result};

use super::errors::file_system;
use super::identity::{self, Note};

/// The file of a data directory that names the databases made in it, one a line.
const LIST: &str = "databases";
/// How it begins in a directory that holds nothing else.
const LIST_HEAD: &str = "# The databases of this data directory, one a line. A database that is named here and gone is not made anew.\n";
/// The most bytes of it that are read.
const LIST_BYTES_MAX: u64 = 1 << 20;

/// The files of a `dir:` database, locked for this process.
pub(super) struct Files {
    pub(super) database: PathBuf,
    pub(super) inode: u64,
    /// Held as long as the database is open.
    _lock: File,
}

impl Files {
    /// Makes `PATH/NAME/`, takes its lock, and closes it to other users.
    ///
    /// # Errors
    /// `DATA_MISSING` for a database that was made here before and is gone; `DATA_DIR_IN_USE`; what the file system says.
    pub(super) fn lock(path: &Path, name: &str) -> Result<Self> {
        let directory = path.join(name);
        let database = directory.join(format!("{name}.db"));
        let listed = is_listed(path, name)?;
        // A note beside the missing file says the same, in its own words.
        if listed && !database.exists() && Note::read(&database).is_none() {
            return Err(missing(path, name, &database));
        }
        prepare_directory(path)?;
        private_directory(&directory).map_err(|error| file_system(&directory, error))?;
        let lock_path = directory.join("lock");
        let mut lock =
            private().write(true).open(&lock_path).map_err(|error| file_system(&lock_path, error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(&directory)),
            Err(TryLockError::Error(error)) => return Err(file_system(&lock_path, error)),
        }
        // For whoever looks at the file; the lock is what counts.
        lock.set_len(0)
            .and_then(|()| writeln!(lock, "{}", std::process::id()))
            .map_err(|error| file_system(&lock_path, error))?;
        if !database.exists() {
            private()
                .write(true)
                .open(&database)
                .and_then(|file| file.sync_all())
                .map_err(|error| file_system(&database, error))?;
            for made in [&*directory, path] {
                sync_directory(made).map_err(|error| file_system(made, error))?;
            }
        }
        tighten_directory(&directory)?;
        if !listed {
            add_to_list(path, name)?;
        }
        let metadata = std::fs::metadata(&database).map_err(|error| file_system(&database, error))?;
        Ok(Self { database, inode: identity::inode(&metadata), _lock: lock })
    }
}

/// Notices when the files of an open database are deleted or replaced: what is written then goes nowhere.
pub(super) struct Present {
    files: Vec<(PathBuf, (u64, u64))>,
    /// Never cleared: a commit of which its caller was told that it failed may be in files that come back.
    were_replaced: AtomicBool,
}

impl Present {
    /// Remembers which files stand there now: the database, and its log.
    pub(super) fn of(database: &Path) -> Self {
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        let paths = [database.to_owned(), PathBuf::from(log)];
        let files = paths.into_iter().filter_map(|path| Some((path.clone(), which(&path)?))).collect();
        Self { files, were_replaced: AtomicBool::new(false) }
    }

    /// Nothing to look for, for a database in memory.
    pub(super) fn nothing() -> Self {
        Self { files: Vec::new(), were_replaced: AtomicBool::new(false) }
    }

    /// Checks that they are the files that were opened, and have been whenever this was asked. One question to the file system
    /// for each.
    ///
    /// # Errors
    /// `DATA_REPLACED` when one is another or gone, or once was.
    pub(super) fn check(&self) -> Result<()> {
        if let Some((path, _)) = self.files.iter().find(|(path, was)| which(path) != Some(*was)) {
            self.were_replaced.store(true, Ordering::Release);
            return Err(replaced(format!("{} is not the file that was opened", path.display())));
        }
        if self.were_replaced.load(Ordering::Acquire) {
            return Err(replaced("a file was not the one that was opened, for a while".to_owned()));
        }
        Ok(())
    }
}

/// Which file stands at a path: its device and its number there.
#[cfg(unix)]
fn which(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn which(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|metadata| (0, identity::inode(&metadata)))
}

/// Whether the list of a data directory, its file `databases`, names something: a database, or another file that was made there.
///
/// # Errors
/// `DATA_DIR_UNWRITABLE` when it cannot be read.
pub fn is_listed(path: &Path, name: &str) -> Result<bool> {
    // A line that was not finished when the power went names nothing.
    let is_name = |line: &str| line.strip_suffix('\n') == Some(name);
    Ok(read_list(path)?.is_some_and(|text| text.split_inclusive('\n').any(is_name)))
}

/// The list of a directory; `None` where there is none.
fn read_list(path: &Path) -> Result<Option<String>> {
    let list = path.join(LIST);
    let mut text = String::new();
    match File::open(&list).and_then(|file| file.take(LIST_BYTES_MAX).read_to_string(&mut text)) {
        Ok(_) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file_system(&list, error)),
    }
}

/// Adds a name to the list of a data directory, durably.
///
/// # Errors
/// `DATA_DIR_UNWRITABLE`, `STORAGE_FULL`.
pub fn add_to_list(path: &Path, name: &str) -> Result<()> {
    list(path, name).map_err(|error| file_system(&path.join(LIST), error))
}

/// Adds a name. Appended in one write, so that databases that open side by side do not overwrite each other's.
fn list(path: &Path, name: &str) -> std::io::Result<()> {
    let mut file = private().read(true).append(true).open(path.join(LIST))?;
    let mut text = Vec::new();
    Read::by_ref(&mut file).take(LIST_BYTES_MAX).read_to_end(&mut text)?;
    let torn = text.last().is_some_and(|last| *last != b'\n');
    file.write_all(format!("{}{name}\n", if torn { "\n" } else { "" }).as_bytes())?;
    file.sync_all()?;
    sync_directory(path)
}

/// Options that make a file which only its owner can read.
pub(super) fn private() -> std::fs::OpenOptions {
    let mut options = File::options();
    options.create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes a data directory for its owner alone. One that is there already is closed to others when it was empty or is of an
/// earlier release, and left as it is when it held other things: what is ours below it is closed all the same.
///
/// # Errors
/// `DATA_DIR_UNWRITABLE`, `STORAGE_FULL`.
pub fn prepare_directory(path: &Path) -> Result<()> {
    let bad = |error| file_system(path, error);
    let known = read_list(path)?;
    let is_new = || std::fs::read_dir(path).map_or(true, |mut entries| entries.next().is_none());
    let ours = match &known {
        Some(text) => text.starts_with(LIST_HEAD),
        None => path.join("secrets").exists() || is_new(),
    };
    private_directory(path).map_err(bad)?;
    if !ours {
        return Ok(());
    }
    close(path, 0o700).map_err(bad)?;
    if known.is_some() {
        close(&path.join(LIST), 0o600).map_err(bad)?;
    } else {
        let begin = || -> std::io::Result<()> {
            let mut file = private().write(true).create_new(true).open(path.join(LIST))?;
            file.write_all(LIST_HEAD.as_bytes())?;
            file.sync_all()
        };
        match begin() {
            // Another database of this directory was faster.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            begun => begun.map_err(bad)?,
        }
    }
    Ok(())
}

fn private_directory(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Takes from other users of the machine what they may do with a directory and the files in it. Logged when there was anything.
///
/// # Errors
/// `DATA_DIR_UNWRITABLE` when it cannot be read, or belongs to somebody else.
pub fn tighten_directory(directory: &Path) -> Result<()> {
    let close_all = || -> std::io::Result<()> {
        close(directory, 0o700)?;
        for entry in std::fs::read_dir(directory)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                close(&entry.path(), 0o600)?;
            }
        }
        Ok(())
    };
    close_all().map_err(|error| file_system(directory, error))
}

/// Takes from other users of the machine what they may do with a file, or with a directory and all below it. Nothing there is
/// nothing to close.
///
/// # Errors
/// `DATA_DIR_UNWRITABLE` when it cannot be read, or belongs to somebody else.
pub fn tighten_path(path: &Path) -> Result<()> {
    let closed = match std::fs::metadata(path) {
        Ok(found) => close(path, if found.is_dir() { 0o700 } else { 0o600 }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    };
    closed.map_err(|error| file_system(path, error))
}

#[cfg(unix)]
fn close(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let found = std::fs::metadata(path).map(|metadata| metadata.permissions().mode() & 0o7777)?;
    if found & 0o077 == 0 {
        return Ok(());
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
    tracing::warn!(
        path = %path.display(),
        from = format!("{found:04o}"),
        to = format!("{mode:04o}"),
        "other users of this machine could read data of the shop; its permissions were tightened"
    );
    Ok(())
}

#[cfg(not(unix))]
fn close(_: &Path, _: u32) -> std::io::Result<()> {
    Ok(())
}

/// Makes new names in a directory durable.
#[cfg(unix)]
fn sync_directory(path: &Path) -> std::io::Result<()> {
    File::open(path)?.sync_all()
}

/// Elsewhere a directory cannot be opened as a file; the file system sees to it.
#[cfg(not(unix))]
fn sync_directory(_: &Path) -> std::io::Result<()> {
    Ok(())
}

fn missing(path: &Path, name: &str, database: &Path) -> Error {
    let message = format!(
        "the database {name} is gone: {} is not there, but it was made here before; restore its directory from a backup, or, to begin \
         this part of the shop anew without what it held, delete the line `{name}` from {}",
        database.display(),
        path.join(LIST).display()
    );
    Error::new(Code::FailedPrecondition, "DATA_MISSING", message).with("database", name.to_owned())
}

fn in_use(directory: &Path) -> Error {
    let message = format!(
        "the data directory {} is in use by another souk process; stop that one, or choose another directory",
        directory.display()
    );
    Error::new(Code::FailedPrecondition, "DATA_DIR_IN_USE", message)
        .with("directory", directory.display().to_string())
}

/// The reader may be anybody, so the message names no file; the log does.
fn replaced(why: String) -> Error {
    let message = "the files of the service's store were deleted or replaced while it runs; nothing more is written until it is restarted";
    Error::unavailable("DATA_REPLACED", message).retry(false).because(why)
}
