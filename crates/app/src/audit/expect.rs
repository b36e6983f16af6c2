//! The file of what a client was told: a line for each confirmed order, its id, a tab, minor units.

use std::path::Path;

use super::books::Remembered;
use crate::console::Failure;
use crate::retail::replay::confirmed;

/// Reads the file. A last line without its newline is what was being written when the client was killed: it does not count.
///
/// # Errors
/// Exit code 2 with the line that is something else.
pub fn read(path: &Path) -> Result<Vec<Remembered>, Failure> {
    let mut remembered = Vec::new();
    confirmed::read(path, |order, minor_units| remembered.push(Remembered { order, minor_units }))
        .map_err(|error| Failure::usage(format!("--expect {}: {error}", path.display())))?;
    Ok(remembered)
}

#[cfg(test)]
mod tests {
    use kernel::OrderId;

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
