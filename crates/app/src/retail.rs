//! A month of a real shop: the UCI "Online Retail" data set as a catalogue, as orders, and made up at any size.

pub mod catalogue;
mod destinations;
pub mod file;
pub mod import;
pub mod money;
pub mod replay;
pub mod synth;

use std::path::Path;

use file::FileError;

use crate::console::Failure;

/// What names the data set in external references: `online-retail:536365`.
pub const SOURCE: &str = "online-retail";

/// A file that cannot be read ends a command before it has changed anything.
fn unreadable(path: &Path, error: &FileError, done: &str) -> Failure {
    Failure::usage(format!("{}: {error}; {done}", path.display()))
}

#[cfg(test)]
mod tests;
