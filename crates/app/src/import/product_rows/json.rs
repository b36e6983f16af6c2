//! JSON lines.

use std::io::{self, BufRead};

use serde_json::Value;
use serde_json::error::Category;

use super::{Item, Located, PROBLEMS_MAX, Problem, ProductRow, ROW_LIMITS, Source, json_faults};
use crate::table::{Encoding, Utf8, encoding, is_blank};

/// Unknown fields that are told of one line.
const UNKNOWN_MAX: usize = 10;

/// Reads a product a line; empty lines are passed over.
pub(super) fn read(
    reader: Box<dyn BufRead + Send>,
    known: Option<Encoding>,
) -> impl Iterator<Item = Item> + Send {
    let mut reader = Utf8::new(reader, known);
    let found = reader.found();
    let mut line = 0;
    let mut is_over = false;
    let mut is_empty = true;
    let mut after_cr = false;
    std::iter::from_fn(move || {
        while !is_over {
            line += 1;
            let mut bytes = Vec::new();
            let problem = |reason: String| {
                let problem = Problem { line, column: String::new(), reason, is_last: true };
                Some(vec![Item::Refused(vec![problem])])
            };
            match read_line(&mut reader, &mut after_cr, &mut bytes) {
                Ok(0) => {
                    is_over = true;
                    if is_empty {
                        return problem("the file is empty; a line of it is a product".to_owned());
                    }
                    return super::encoding_note(&found, known).map(|note| vec![note]);
                }
                Ok(_) if bytes.len() > ROW_LIMITS.row_bytes_max => {
                    is_over = true;
                    return problem(format!("is longer than {} bytes", ROW_LIMITS.row_bytes_max));
                }
                Ok(_) if is_blank(&bytes) => {}
                Ok(_) if is_empty && let Some(what) = whole_file(&bytes) => {
                    is_over = true;
                    return problem(what.to_owned());
                }
                Ok(_) => {
                    is_empty = false;
                    return Some(parse(&bytes, line, found.get().copied()));
                }
                Err(error) => {
                    is_over = true;
                    return problem(format!("cannot be read: {error}"));
                }
            }
        }
        None
    })
    .flatten()
}

/// Reads a line that ends with LF, CRLF or CR, and stops within one that is too long. Answers how many bytes it has, its end
/// included.
fn read_line(reader: &mut impl BufRead, after_cr: &mut bool, line: &mut Vec<u8>) -> io::Result<usize> {
    while line.len() <= ROW_LIMITS.row_bytes_max {
        let ready = match reader.fill_buf() {
            Ok(ready) => ready,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let Some(&first) = ready.first() else { return Ok(line.len()) };
        if std::mem::take(after_cr) && first == b'\n' {
            reader.consume(1);
            continue;
        }
        let end = ready.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let room = ROW_LIMITS.row_bytes_max + 1 - line.len();
        let taken = end.map_or(ready.len(), |end| end + 1).min(room);
        line.extend_from_slice(&ready[..taken]);
        reader.consume(taken);
        if line.ends_with(b"\n") || line.ends_with(b"\r") {
            *after_cr = line.ends_with(b"\r");
            return Ok(line.len());
        }
    }
    Ok(line.len())
}

fn parse(bytes: &[u8], line: u64, found: Option<Encoding>) -> Vec<Item> {
    let problem = |reason: String| {
        vec![Item::Refused(vec![Problem { line, column: String::new(), reason, is_last: false }])]
    };
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return problem(encoding::explain(bytes, error.valid_up_to(), found)),
    };
    let mut unknown = Vec::new();
    let mut reader = serde_json::Deserializer::from_str(text);
    let row: Result<ProductRow, _> = serde_ignored::deserialize(&mut reader, |path| {
        if unknown.len() < UNKNOWN_MAX {
            unknown.push(format!("/{}", path.to_string().replace('.', "/").replace("?/", "")));
        }
    });
    let row = match row.and_then(|row| reader.end().map(|()| row)) {
        Ok(row) => row,
        Err(error) => return vec![Item::Refused(refusals(text, line, &error))],
    };
    let note = |column: String| {
        let reason = "is not a field of a product and is ignored".to_owned();
        Item::Note(Problem { line, column, reason, is_last: false })
    };
    let mut items: Vec<Item> = unknown.into_iter().map(note).collect();
    items.push(Item::Product(Located { row, lines: vec![line], source: Source::JsonLines }));
    items
}

/// What is wrong with a file whose first line is not that of a product a line, a clause.
fn whole_file(first: &[u8]) -> Option<&'static str> {
    match first.trim_ascii() {
        [b'[', ..] => Some(
            "the file is one JSON array; write each of its products on a line of its own, without brackets around them",
        ),
        b"{" => Some("the file has its products on several lines; write each of them on one line"),
        _ => None,
    }
}

/// What is wrong with a line that is not a product: field by field where it is JSON.
fn refusals(text: &str, line: u64, error: &serde_json::Error) -> Vec<Problem> {
    let problem = |column: String, reason: String| Problem { line, column, reason, is_last: false };
    let place = error.column();
    let whole = |reason: String| vec![problem(String::new(), reason)];
    if error.classify() == Category::Eof {
        return whole("ends before its JSON is complete; a product stands on one line".to_owned());
    }
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return whole(format!("is not JSON from character {place} on"));
    };
    let faults = json_faults::of(&value);
    if faults.is_empty() {
        return whole(format!("is not a product: a field comes twice before character {place}"));
    }
    faults.into_iter().take(PROBLEMS_MAX).map(|(column, reason)| problem(column, reason)).collect()
}
