//! Finds what stands between the fields of a table.

use super::records::COLUMNS_MAX;

/// What may stand between the fields of a row, where no line says what does.
pub const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The separator of a line `sep=X`, which spreadsheets write and obey.
pub(super) fn said_separator(line: &[u8]) -> Option<u8> {
    let line = line.trim_ascii_end().strip_prefix(b"\"").map_or(line, |line| line);
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = line.strip_suffix(b"\"").unwrap_or(line);
    let (word, separator) = line.split_at_checked(4)?;
    match separator {
        [one] if word.eq_ignore_ascii_case(b"sep=") && one.is_ascii() && !matches!(one, b'"' | b' ') => {
            Some(*one)
        }
        _ => None,
    }
}

pub(super) fn likely_separator(header: &[u8], is_column: &dyn Fn(&str) -> bool) -> u8 {
    let score = |separator: u8| {
        let (mut known, mut count) = (0_usize, 0_usize);
        for name in split_outside_quotes(header, separator).take(COLUMNS_MAX + 1) {
            count += 1;
            known += usize::from(is_column(&String::from_utf8_lossy(name)));
        }
        (known, count)
    };
    // The first of equals: comma before the others.
    SEPARATORS.into_iter().rev().max_by_key(|separator| score(*separator)).unwrap_or(b',')
}

fn split_outside_quotes(line: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut is_quoted = false;
    line.split(move |byte| {
        is_quoted ^= *byte == b'"';
        *byte == separator && !is_quoted
    })
    .map(|name| {
        let name = name.trim_ascii();
        name.strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\"")).unwrap_or(name)
    })
}
