//! JSON lines.

use std::io::{BufRead, BufReader, Read};

use super::{Format, Located, Problem, ProductRow, ROW_BYTES_MAX};

/// Reads a product a line; empty lines are passed over.
pub(super) fn read(reader: impl Read) -> impl Iterator<Item = Result<Located, Problem>> {
    let mut reader = BufReader::new(reader);
    let mut line = 0;
    let mut is_over = false;
    std::iter::from_fn(move || {
        while !is_over {
            line += 1;
            let mut bytes = Vec::new();
            let limit = ROW_BYTES_MAX as u64 + 1;
            let problem =
                |reason: String, is_last| Some(Err(Problem { line, column: String::new(), reason, is_last }));
            match reader.by_ref().take(limit).read_until(b'\n', &mut bytes) {
                Ok(0) => {
                    is_over = true;
                    if line == 1 {
                        return problem("the file is empty; a line of it is a product".to_owned(), true);
                    }
                }
                Ok(_) if bytes.len() > ROW_BYTES_MAX => {
                    is_over = true;
                    return problem(format!("is longer than {ROW_BYTES_MAX} bytes"), true);
                }
                Ok(_) => {
                    let bytes = if line == 1 {
                        bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes)
                    } else {
                        &bytes
                    };
                    if bytes.iter().all(u8::is_ascii_whitespace) {
                        continue;
                    }
                    return Some(parse(bytes, line));
                }
                Err(error) => {
                    is_over = true;
                    return problem(format!("cannot be read: {error}"), true);
                }
            }
        }
        None
    })
}

fn parse(bytes: &[u8], line: u64) -> Result<Located, Problem> {
    let problem = |reason: String| Problem { line, column: String::new(), reason, is_last: false };
    let text = std::str::from_utf8(bytes)
        .map_err(|error| problem(format!("is not UTF-8 at byte {}", error.valid_up_to() + 1)))?;
    let row: ProductRow =
        serde_json::from_str(text).map_err(|error| problem(format!("is no product: {}", plain(&error))))?;
    Ok(Located { row, lines: vec![line], format: Format::JsonLines })
}

/// serde's words, with the character of the line instead of its own line number.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let words = text.split(" at line ").next().unwrap_or_default();
    format!("{words} (character {})", error.column())
}
