//! The file of what a client was told: a line for each confirmed order, its id, a tab, minor units.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use kernel::OrderId;

use super::books::Remembered;
use crate::console::Failure;

/// Bytes of a line at most.
const LINE_BYTES_MAX: u64 = 1024;

/// Reads the file. A last line without its newline is what was being written when the client was killed: it does not count.
///
/// # Errors
/// Exit code 2 with the line that is something else.
pub fn read(path: &Path) -> Result<Vec<Remembered>, Failure> {
    let wrong = |what: String| Failure::usage(format!("--expect {}: {what}", path.display()));
    let file = File::open(path).map_err(|error| wrong(format!("cannot be opened: {error}")))?;
    let mut file = BufReader::new(file);
    let mut remembered = Vec::new();
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let read = file.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
        read.map_err(|error| wrong(format!("line {number} cannot be read: {error}")))?;
        if line.last() != Some(&b'\n') {
            if line.len() as u64 == LINE_BYTES_MAX {
                return Err(wrong(format!("line {number} has more than {LINE_BYTES_MAX} bytes")));
            }
            break;
        }
        let told = parse(&line).ok_or_else(|| {
            wrong(format!(
                "line {number} is not an order id, a tab and minor units; give a file that --confirmed wrote"
            ))
        })?;
        remembered.push(told);
    }
    Ok(remembered)
}

fn parse(line: &[u8]) -> Option<Remembered> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (order, minor_units) = line.strip_suffix('\r').unwrap_or(line).split_once('\t')?;
    Some(Remembered { order: OrderId::parse(order).ok()?, minor_units: minor_units.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Result<Vec<Remembered>, Failure> {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("confirmed.tsv");
        std::fs::write(&path, text).expect("written");
        read(&path)
    }

    #[test]
    fn a_line_per_order_and_the_torn_one_is_dropped() {
        let (a, b) = (OrderId::from_bits(1), OrderId::from_bits(2));
        let read = written(&format!("{a}\t1250\n{b}\t-3\r\n{b}\t99")).expect("good");
        let told: Vec<_> = read.iter().map(|told| (told.order, told.minor_units)).collect();
        assert_eq!(told, [(a, 1250), (b, -3)]);
        assert_eq!(written(""), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_such_line_is_named() {
        let good = format!("{}\t1\n", OrderId::from_bits(1));
        for bad in ["\n", "ord_1\t5\n", "hello\n", "pay_00000000000000000000000001\t5\n"] {
            let failure = written(&format!("{good}{bad}")).expect_err(bad);
            assert!(failure.code() == 2 && failure.to_string().contains("line 2"), "{failure}");
        }
        let long = format!("{good}{}", "x".repeat(5000));
        assert!(written(&long).expect_err("too long").to_string().contains("line 2 has more"));
        let missing = read(Path::new("/nowhere/at/all")).expect_err("missing");
        assert!(missing.code() == 2 && missing.to_string().contains("--expect"), "{missing}");
    }
}
