//! Opens the files that commands are given: regular ones, and pipes that the shell made.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::{Component, Path};

use flate2::bufread::MultiGzDecoder;
use rustix::fs::{Mode, OFlags};

/// What a file begins with that is not text, and what it is then.
const SIGNATURES: [(&[u8], &str); 8] = [
    (b"PK\x03\x04", "a ZIP archive or a spreadsheet; save its sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file; save its sheet as CSV"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd; unpack it, or pack it with gzip"),
    (b"BZh", "packed with bzip2; unpack it, or pack it with gzip"),
    (b"\xfd7zXZ", "packed with xz; unpack it, or pack it with gzip"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it"),
    (b"%PDF-", "a PDF"),
    (b"SQLite format 3\0", "a SQLite database"),
];

/// Opens a file that holds text, plain or gzip.
///
/// A directory, a device, a socket and a pipe with a name are refused: reading them could wait for ever. A pipe of the shell
/// (`/dev/stdin`, `<(command)`) is read.
///
/// # Errors
/// What the system says, or a clause that says what the path is instead of a file of text.
pub fn open(path: &Path) -> io::Result<Box<dyn BufRead + Send>> {
    let mut reader = BufReader::with_capacity(1 << 16, open_raw(path)?);
    let head = reader.fill_buf()?;
    if head.starts_with(&[0x1f, 0x8b]) {
        let mut unpacked = BufReader::with_capacity(1 << 16, MultiGzDecoder::new(reader));
        // What cannot be unpacked at all is told with the line that it ends at, by whoever reads it.
        if let Ok(head) = unpacked.fill_buf() {
            check_signature(head)?;
        }
        return Ok(Box::new(unpacked));
    }
    check_signature(head)?;
    Ok(Box::new(reader))
}

/// Reads all of a file as it is, not unpacked: a regular one, or a pipe of the shell, as [`open`] does.
///
/// # Errors
/// What the system says, what the path is instead of a file, or that it has more than `bytes_max` bytes.
pub fn read(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_raw(path)?.take(bytes_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("it has more than {bytes_max} bytes"),
        ));
    }
    Ok(bytes)
}

fn check_signature(head: &[u8]) -> io::Result<()> {
    match SIGNATURES.iter().find(|(signature, _)| head.starts_with(signature)) {
        Some((_, what)) => Err(io::Error::new(io::ErrorKind::InvalidData, format!("it is {what}"))),
        None => Ok(()),
    }
}

/// Opens a file as it is, not unpacked.
///
/// # Errors
/// As [`open`].
pub fn open_raw(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    if path == Path::new("/dev/stdin") {
        return Ok(Box::new(io::stdin()));
    }
    if is_pipe_of_shell(path) {
        return Ok(Box::new(File::open(path)?));
    }
    // Opening a pipe that nobody writes to waits unless told not to; on a regular file the flag means nothing.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    check_regular(&file)?;
    Ok(Box::new(file))
}

/// Whether a path names an open pipe without a name, as `<(command)` of a shell does. Opening it again never waits.
fn is_pipe_of_shell(path: &Path) -> bool {
    let is_descriptor = path.starts_with("/dev/fd") || path.starts_with("/proc/self/fd");
    let target = || std::fs::canonicalize(path.parent()?).ok()?.join(path.file_name()?).read_link().ok();
    is_descriptor && target().is_some_and(|target| target.to_string_lossy().starts_with("pipe:"))
}

/// Whether an open file is a regular one; what it is otherwise is the error.
fn check_regular(file: &File) -> io::Result<()> {
    let kind = file.metadata()?.file_type();
    let what = if kind.is_file() {
        return Ok(());
    } else if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_char_device() || kind.is_block_device() {
        "a device"
    } else {
        "something else"
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {what}, not a file")))
}

/// Reads a regular file that lies below a folder once links are followed.
///
/// The path is resolved, and then walked from the folder without following any link, so that one put there meanwhile does
/// not lead out of it.
///
/// # Errors
/// A clause that follows the file's name: it is elsewhere, no regular file, larger than `bytes_max`, or cannot be read.
pub fn read_below(folder: &Path, file: &str, bytes_max: u64) -> Result<Vec<u8>, String> {
    let unreadable = |error: io::Error| format!("cannot be read: {error}");
    let named = Path::new(file);
    if !named.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err("is not below the folder of this file".to_owned());
    }
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let folder = folder.canonicalize().map_err(unreadable)?;
    let resolved = folder.join(named).canonicalize().map_err(unreadable)?;
    let Ok(below) = resolved.strip_prefix(&folder) else {
        return Err("is a link to something outside the folder of this file".to_owned());
    };
    let open = open_below(&folder, below).map_err(|errno| unreadable(errno.into()))?;
    check_regular(&open).map_err(unreadable)?;
    let size = open.metadata().map_err(unreadable)?.len();
    let too_large = || format!("has more than {bytes_max} bytes");
    if size > bytes_max {
        return Err(too_large());
    }
    let mut data = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    // It may grow while it is read.
    open.take(bytes_max + 1).read_to_end(&mut data).map_err(unreadable)?;
    if data.len() as u64 > bytes_max { Err(too_large()) } else { Ok(data) }
}

fn open_below(folder: &Path, below: &Path) -> rustix::io::Result<File> {
    let common = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut at = rustix::fs::open(folder, common | OFlags::DIRECTORY, Mode::empty())?;
    let mut parts = below.components().peekable();
    while let Some(part) = parts.next() {
        let kind = if parts.peek().is_some() { OFlags::DIRECTORY } else { OFlags::NONBLOCK | OFlags::NOCTTY };
        at = rustix::fs::openat(&at, part.as_os_str(), common | kind, Mode::empty())?;
    }
    Ok(File::from(at))
}
