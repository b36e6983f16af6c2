//! The file of chain heads: where each keyed chain ended when an audit last held, a JSON object by the name of the chain. Kept
//! apart from the shop's data, it shows a later audit a chain that was cut or made anew.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::books::{Head, Heads};
use crate::console::Failure;
use crate::table::source;

/// The most bytes of the file.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A head as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WireHead {
    /// The last position, from 1.
    pub position: i64,
    /// The keyed hash there, hexadecimal.
    pub hash: String,
}

/// Heads as they are written.
#[must_use]
pub fn to_wire(heads: &Heads) -> BTreeMap<String, WireHead> {
    let wire = |head: &Head| WireHead { position: head.position, hash: hex::encode(&head.hash) };
    heads.iter().map(|(name, head)| (name.clone(), wire(head))).collect()
}

/// Reads the heads that a former audit left; none when there is no file yet.
///
/// # Errors
/// Exit code 2 when the file cannot be read or is something else.
pub fn read(path: &Path) -> Result<Heads, Failure> {
    let failed =
        |error: &dyn std::fmt::Display| Failure::usage(format!("--heads {}: {error}", path.display()));
    let bytes = match source::read(path, FILE_BYTES_MAX) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Heads::new()),
        Err(error) => return Err(failed(&error)),
    };
    let wire: BTreeMap<String, WireHead> = serde_json::from_slice(&bytes).map_err(|error| failed(&error))?;
    wire.into_iter()
        .map(|(name, head)| {
            let hash = hex::decode(&head.hash).map_err(|error| failed(&format!("{name}: {error}")))?;
            Ok((name, Head { position: head.position, hash: hash.into() }))
        })
        .collect()
}

/// Writes the heads of an audit that held, whole or not at all.
///
/// # Errors
/// Exit code 1 when the file cannot be written.
pub fn write(path: &Path, heads: &BTreeMap<String, WireHead>) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::unfinished(format!("--heads {} cannot be written: {error}", path.display()))
    };
    let json = serde_json::to_vec_pretty(heads).map_err(|error| failed(&error))?;
    chassis::write_private(path, &json).map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_reads_back() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("heads.json");
        assert_eq!(read(&path), Ok(Heads::new()), "no file yet");
        let heads = Heads::from([("ledger".to_owned(), Head { position: 7, hash: vec![1, 2, 255].into() })]);
        write(&path, &to_wire(&heads)).expect("written");
        assert_eq!(read(&path), Ok(heads));
    }

    #[test]
    fn a_pipe_with_a_name_is_refused_and_not_waited_for() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0)
            .expect("made");
        let failure = read(&path).expect_err("a pipe");
        assert!(failure.code() == 2 && failure.to_string().contains("it is a named pipe"), "{failure}");
        let failure = crate::audit::read_expected(&path).expect_err("a pipe");
        assert!(failure.code() == 2 && failure.to_string().contains("it is a named pipe"), "{failure}");
        let error = crate::up::configuration(Some(&path)).expect_err("a pipe");
        assert!(
            error.reason() == "INVALID_CONFIG" && error.message().contains("it is a named pipe"),
            "{error}"
        );
    }

    #[test]
    fn what_is_no_file_of_heads_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("heads.json");
        for bad in ["", "[]", r#"{"ledger": 3}"#, r#"{"ledger": {"position": 1, "hash": "xyz"}}"#] {
            std::fs::write(&path, bad).expect("written");
            let failure = read(&path).expect_err(bad);
            assert!(failure.code() == 2 && failure.to_string().contains("--heads"), "{failure}");
        }
    }
}
