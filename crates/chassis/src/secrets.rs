//! Secrets of the house: 32 random bytes by name, made when first asked for.
//!
//! With `dir:` they are files in `DIR/secrets` (mode 0600), which the list of the directory names: one that was made and is gone is
//! not made anew, since nothing that was sealed with it would fit. With `mem:` they come from the context's randomness. A
//! secret store of a cloud will stand behind the same call.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kernel::{Code, Error, Result};
use parking_lot::Mutex;
use zeroize::Zeroize;

use crate::Entropy;

/// The folder of a data directory that holds them.
const FOLDER: &str = "secrets";

/// A secret; never shown, wiped when dropped.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl Secret {
    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Keeps the secrets of one house.
#[derive(Clone)]
pub(crate) struct Secrets {
    /// The data directory.
    dir: Option<PathBuf>,
    entropy: Entropy,
    known: Arc<Mutex<HashMap<String, Secret>>>,
}

impl Secrets {
    pub(crate) fn new(dir: Option<&Path>, entropy: Entropy) -> Self {
        Self { dir: dir.map(Path::to_owned), entropy, known: Arc::default() }
    }

    /// The secret of a name: lower-case letters, digits, `.`, `-`.
    ///
    /// # Errors
    /// `SECRET_MISSING` for one that was made before and is gone; `SECRET_DAMAGED`; what the file system says.
    pub(crate) fn get(&self, name: &str) -> Result<Secret> {
        let mut known = self.known.lock();
        if let Some(secret) = known.get(name) {
            return Ok(secret.clone());
        }
        let secret = match &self.dir {
            Some(dir) => load_or_make(dir, name, &self.entropy)?,
            None => Secret(self.entropy.bytes()),
        };
        known.insert(name.to_owned(), secret.clone());
        Ok(secret)
    }

    /// Whether the secret of a name has been made before.
    ///
    /// # Errors
    /// `SECRET_MISSING` for one that was made before and is gone; what the file system says.
    pub(crate) fn exists(&self, name: &str) -> Result<bool> {
        if self.known.lock().contains_key(name) {
            return Ok(true);
        }
        let Some(dir) = &self.dir else { return Ok(false) };
        let path = path_of(dir, name);
        let exists = path.try_exists().map_err(|error| unwritable(&path, error))?;
        if !exists && store::is_listed(dir, &listed(name))? {
            return Err(missing(dir, name));
        }
        Ok(exists)
    }
}

fn path_of(dir: &Path, name: &str) -> PathBuf {
    dir.join(FOLDER).join(name)
}

/// How the list of a data directory names a secret. No database is named so.
fn listed(name: &str) -> String {
    format!("{FOLDER}/{name}")
}

fn missing(dir: &Path, name: &str) -> Error {
    let line = listed(name);
    let message = format!(
        "the secret {} is gone, but it was made here before; restore it from a backup, or, when it is lost for good, delete the line \
         `{line}` from {}: another one is made then, which nothing fits that was signed or sealed with this one",
        path_of(dir, name).display(),
        dir.join("databases").display()
    );
    Error::new(Code::FailedPrecondition, "SECRET_MISSING", message).with("secret", name.to_owned())
}

fn load_or_make(dir: &Path, name: &str, entropy: &Entropy) -> Result<Secret> {
    let path = path_of(dir, name);
    let is_listed = store::is_listed(dir, &listed(name))?;
    let secret = match std::fs::read(&path) {
        Ok(bytes) => {
            let damaged = || {
                let message = format!(
                    "the secret {} is damaged: it has not 32 bytes; restore it from a backup",
                    path.display()
                );
                Error::new(Code::Internal, "SECRET_DAMAGED", message)
            };
            Secret(bytes.try_into().map_err(|_| damaged())?)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if is_listed {
                return Err(missing(dir, name));
            }
            let secret = Secret(entropy.bytes());
            write_private(&path, &secret.0).map_err(|error| unwritable(&path, error))?;
            secret
        }
        Err(error) => return Err(unwritable(&path, error)),
    };
    // Directories of earlier releases do not list theirs yet.
    if !is_listed {
        store::add_to_list(dir, &listed(name))?;
    }
    Ok(secret)
}

fn unwritable(path: &Path, error: std::io::Error) -> Error {
    let message = format!(
        "{} cannot be read or written: {error}; give this user the right to the data directory",
        path.display()
    );
    Error::precondition("DATA_DIR_UNWRITABLE", message)
}

/// Writes a file that only its owner can read, whole or not at all, and durably.
///
/// # Errors
/// What the file system says.
pub fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    // The folder of a bare file name is the empty path, which names nothing that can be opened.
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let temporary = path.with_extension("new");
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    std::fs::File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(dir: &Path, seed: u64) -> Secrets {
        Secrets::new(Some(dir), Entropy::seeded(seed))
    }

    #[test]
    fn a_secret_that_is_gone_is_not_made_anew() {
        let dir = tempfile::tempdir().expect("a directory");
        let dir = dir.path();
        assert!(!secrets(dir, 1).exists("seals").expect("readable"));
        let made = *secrets(dir, 1).get("seals").expect("made").bytes();
        assert_eq!(secrets(dir, 2).get("seals").expect("read").bytes(), &made);
        std::fs::remove_dir_all(dir.join(FOLDER)).expect("removed");
        for error in [
            secrets(dir, 2).get("seals").err().expect("gone"),
            secrets(dir, 2).exists("seals").expect_err("gone"),
        ] {
            assert_eq!(error.reason(), "SECRET_MISSING");
            let path = dir.join("secrets/seals").display().to_string();
            assert!(
                error.message().contains(&path) && error.message().contains("`secrets/seals`"),
                "{error}"
            );
        }
        assert!(!dir.join(FOLDER).exists(), "nothing was made");
        secrets(dir, 3).get("another").expect("never made before");
        std::fs::write(dir.join("databases"), "").expect("the line is deleted");
        assert_ne!(secrets(dir, 3).get("seals").expect("made anew").bytes(), &made);
    }

    #[test]
    fn a_bare_file_name_is_in_the_folder_of_the_process() {
        let name = format!("bare-name-{}", std::process::id());
        let written = write_private(Path::new(&name), b"text");
        let read = std::fs::read(&name);
        // The folder is the crate's own, so nothing stays there.
        let _ = std::fs::remove_file(&name);
        assert!(written.is_ok(), "{written:?}");
        assert_eq!(read.expect("there"), b"text");
    }

    #[test]
    fn secrets_of_an_earlier_release_are_listed_when_they_are_read() {
        let dir = tempfile::tempdir().expect("a directory");
        let dir = dir.path();
        write_private(&dir.join("secrets/seals"), &[7; 32]).expect("written");
        assert_eq!(secrets(dir, 1).get("seals").expect("read").bytes(), &[7; 32]);
        std::fs::remove_file(dir.join("secrets/seals")).expect("removed");
        assert_eq!(secrets(dir, 1).get("seals").err().expect("gone").reason(), "SECRET_MISSING");
    }
}
