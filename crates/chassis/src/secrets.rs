//! Secrets of the house: 32 random bytes by name, made when first asked for.
//!
//! With `dir:` they are files in `DIR/secrets` (mode 0600); with `mem:` they come from the context's randomness. A secret
//! store of a cloud will stand behind the same call.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kernel::{Code, Error, Result};
use parking_lot::Mutex;
use zeroize::Zeroize;

use crate::Entropy;

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
    dir: Option<PathBuf>,
    entropy: Entropy,
    known: Arc<Mutex<HashMap<String, Secret>>>,
}

impl Secrets {
    pub(crate) fn new(dir: Option<&Path>, entropy: Entropy) -> Self {
        Self { dir: dir.map(|dir| dir.join("secrets")), entropy, known: Arc::default() }
    }

    /// The secret of a name: lower-case letters, digits, `.`, `-`.
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
    pub(crate) fn exists(&self, name: &str) -> Result<bool> {
        if self.known.lock().contains_key(name) {
            return Ok(true);
        }
        let Some(dir) = &self.dir else { return Ok(false) };
        let path = dir.join(name);
        path.try_exists().map_err(|error| unwritable(&path, error))
    }
}

fn load_or_make(dir: &Path, name: &str, entropy: &Entropy) -> Result<Secret> {
    let path = dir.join(name);
    match std::fs::read(&path) {
        Ok(bytes) => {
            let damaged = || {
                let message = format!(
                    "the secret {} is damaged: it has not 32 bytes; restore it from a backup",
                    path.display()
                );
                Error::new(Code::Internal, "SECRET_DAMAGED", message)
            };
            Ok(Secret(bytes.try_into().map_err(|_| damaged())?))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let secret = Secret(entropy.bytes());
            write_private(&path, &secret.0).map_err(|error| unwritable(&path, error))?;
            Ok(secret)
        }
        Err(error) => Err(unwritable(&path, error)),
    }
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
    let dir = path.parent().unwrap_or(Path::new("."));
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let temporary = path.with_extension("new");
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    std::fs::File::open(dir)?.sync_all()
}
