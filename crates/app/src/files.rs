//! The command line's door to the terminal, the environment, the clock and files of its own.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use kernel::{Error, Result};

/// The file in the data directory that holds the operator's secret.
pub const OPERATOR_FILE: &str = "operator.token";

/// Writes a result line to stdout. A reader that has left ends nothing.
pub fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// The configuration file of this directory, when it has one.
#[must_use]
pub fn usual_config() -> Option<&'static Path> {
    let usual = Path::new("souk.toml");
    usual.exists().then_some(usual)
}

/// The environment, for the configuration.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Measures a command.
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the command line's door to the clock")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Milliseconds since the start.
    #[must_use]
    pub fn millis(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Seconds since the start.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// Writes a file that only its owner can read, whole or not at all, and durably.
///
/// # Errors
/// `DATA_DIR_UNWRITABLE` with the path.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    chassis::write_private(path, bytes).map_err(|error| {
        let message = format!(
            "{} cannot be written: {error}; make room, or give this user the right to it",
            path.display()
        );
        Error::precondition("DATA_DIR_UNWRITABLE", message)
    })
}
