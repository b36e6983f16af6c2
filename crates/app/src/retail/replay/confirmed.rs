//! The file of what a client was told: a line for each confirmed order, order id, tab, minor units.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use kernel::OrderId;

use crate::console::Failure;
use crate::table::source;

/// Bytes that one line may have.
const LINE_BYTES_MAX: u64 = 1024;

/// Appends to the file, one write a line, each order once.
#[derive(Debug)]
pub struct Confirmed {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    known: HashSet<OrderId>,
}

impl Confirmed {
    /// Opens the file, or makes it, and reads whom it names already. A last line without its end, from a run that was
    /// killed, is taken out.
    ///
    /// # Errors
    /// Exit code 2 when it cannot be opened or holds something else.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let wrong = |error: &dyn std::fmt::Display| {
            Failure::usage(format!("--confirmed {}: {error}", path.display()))
        };
        let mut known = HashSet::new();
        let mut whole = 0;
        if path.exists() {
            whole = read(path, |order, _| _ = known.insert(order)).map_err(|error| wrong(&error))?;
        }
        let open = || {
            let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
            file.set_len(whole)?;
            file.seek(SeekFrom::End(0))?;
            Ok::<_, std::io::Error>(file)
        };
        let file = open().map_err(|error| wrong(&error))?;
        Ok(Self { path: path.to_owned(), state: Mutex::new(State { file, known }) })
    }

    /// Notes an order whose confirmation was told.
    ///
    /// # Errors
    /// Exit code 1 when it cannot be written.
    pub fn note(&self, order: OrderId, minor_units: i64) -> Result<(), Failure> {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !state.known.insert(order) {
            return Ok(());
        }
        state.file.write_all(format!("{order}\t{minor_units}\n").as_bytes()).map_err(|error| {
            Failure::unfinished(format!(
                "{} cannot be written: {error}; make room and run the command again",
                self.path.display()
            ))
        })
    }
}

/// Reads such a file, hands over each order with its amount, and tells how many bytes of whole lines it has. A last line
/// without its end does not count.
///
/// # Errors
/// A sentence that names the line.
pub fn read(path: &Path, mut each: impl FnMut(OrderId, i64)) -> Result<u64, String> {
    let file = source::open_raw(path).map_err(|error| format!("cannot be opened: {error}"))?;
    let mut file = BufReader::new(file);
    let mut whole = 0;
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let read = file.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
        read.map_err(|error| format!("line {number} cannot be read: {error}"))?;
        if line.last() != Some(&b'\n') {
            if line.len() as u64 == LINE_BYTES_MAX {
                return Err(format!("line {number} has more than {LINE_BYTES_MAX} bytes"));
            }
            break;
        }
        let (order, minor_units) = parse(&line).ok_or_else(|| {
            format!(
                "line {number} is not an order id, a tab and minor units; give a file that --confirmed wrote"
            )
        })?;
        each(order, minor_units);
        whole += line.len() as u64;
    }
    Ok(whole)
}

fn parse(line: &[u8]) -> Option<(OrderId, i64)> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (order, minor_units) = line.strip_suffix('\r').unwrap_or(line).split_once('\t')?;
    Some((OrderId::parse(order).ok()?, minor_units.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(number: u128) -> OrderId {
        OrderId::from_bits(number)
    }

    #[test]
    fn each_order_once_over_all_runs() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("confirmed.tsv");
        let first = Confirmed::open(&path).expect("opens");
        first.note(order(1), 100).expect("writes");
        first.note(order(2), 250).expect("writes");
        first.note(order(1), 100).expect("known");
        drop(first);
        // Killed in the middle of a write.
        let mut torn = std::fs::read(&path).expect("reads");
        torn.extend_from_slice(b"ord_00");
        std::fs::write(&path, torn).expect("writes");
        let second = Confirmed::open(&path).expect("opens");
        second.note(order(2), 250).expect("known");
        second.note(order(3), 1).expect("writes");
        let mut all = Vec::new();
        read(&path, |order, minor| all.push((order, minor))).expect("reads");
        assert_eq!(all, [(order(1), 100), (order(2), 250), (order(3), 1)]);
    }

    #[test]
    fn something_else_is_refused_with_its_line() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("confirmed.tsv");
        std::fs::write(&path, format!("{}\t5\nhello\n", order(1))).expect("writes");
        let failure = Confirmed::open(&path).expect_err("not ours");
        assert!(failure.code() == 2 && failure.to_string().contains("line 2"), "{failure}");
    }
}
