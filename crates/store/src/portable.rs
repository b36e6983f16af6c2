//! The portable SQL text: what SQLite and MySQL both take and both mean.
//!
//! Services write one text for every engine. This check refuses words that only one vendor knows, or that the two read
//! differently, when tests run (debug builds check each statement and migration), so that a service written on the
//! embedded engine cannot surprise on a server.

use std::fmt;

/// Words and pairs of words that are refused, with what to write instead.
const REFUSED: &[(&[&str], &str)] = &[
    (&["ON", "CONFLICT"], "insert and handle CommitError::Duplicate, or update first"),
    (&["ON", "DUPLICATE"], "insert and handle CommitError::Duplicate, or update first"),
    (&["INSERT", "OR"], "insert and handle CommitError::Duplicate, or update first"),
    (&["UPDATE", "OR"], "use a plain UPDATE with a condition"),
    (&["INSERT", "IGNORE"], "insert and handle CommitError::Duplicate"),
    (&["REPLACE", "INTO"], "update with the version that was read"),
    (&["RETURNING"], "read first, decide, and commit on what was read"),
    (&["AUTOINCREMENT"], "make the id before the insert"),
    (&["AUTO_INCREMENT"], "make the id before the insert"),
    (&["WITHOUT", "ROWID"], "leave the table's layout to the engine"),
    (&["ROWID"], "name the primary key"),
    (&["COLLATE"], "text compares by its bytes everywhere"),
    (&["NOCASE"], "text compares by its bytes everywhere"),
    (&["PRAGMA"], "settings belong to the engine"),
    (&["ATTACH"], "one database per service"),
    (&["BEGIN"], "a batch is the transaction"),
    (&["COMMIT"], "a batch is the transaction"),
    (&["ROLLBACK"], "a batch is the transaction"),
    (&["SAVEPOINT"], "a batch is the transaction"),
    (&["TRIGGER"], "decide in the domain"),
    (&["GLOB"], "use LIKE with a prefix"),
    (&["REGEXP"], "filter in the domain"),
    (&["CURRENT_TIMESTAMP"], "bind the time of the service's clock"),
    (&["INTEGER"], "use BIGINT, which is 64 bits everywhere"),
    (&["INT"], "use BIGINT, which is 64 bits everywhere"),
    (&["DATETIME"], "use BIGINT microseconds"),
    (&["REAL"], "use BIGINT with a unit"),
    (&["FLOAT"], "use BIGINT with a unit"),
    (&["DOUBLE"], "use BIGINT with a unit"),
];

/// Functions that are refused.
const REFUSED_CALLS: &[(&str, &str)] = &[
    ("NOW", "bind the time of the service's clock"),
    ("UNIXEPOCH", "bind the time of the service's clock"),
    ("RANDOM", "bind a value of the service's randomness"),
    ("RAND", "bind a value of the service's randomness"),
    ("IIF", "use CASE"),
    ("IFNULL", "use COALESCE"),
];

/// Why a text was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotPortable {
    /// The words.
    pub found: String,
    /// What to do instead.
    pub instead: &'static str,
}

impl fmt::Display for NotPortable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not portable: {}", self.found, self.instead)
    }
}

impl std::error::Error for NotPortable {}

/// Checks a statement, or a migration of several.
///
/// # Errors
/// The first thing in it that only one vendor knows: a word, a quoted identifier, a numbered or named placeholder, `||`.
pub fn check(text: &str) -> Result<(), NotPortable> {
    let words = words(text)?;
    for (at, (word, called)) in words.iter().enumerate() {
        for (refused, instead) in REFUSED {
            let here = words.get(at..at + refused.len()).unwrap_or_default();
            if !here.is_empty()
                && here.iter().zip(*refused).all(|((word, _), refused)| word.eq_ignore_ascii_case(refused))
            {
                return Err(NotPortable { found: refused.join(" "), instead });
            }
        }
        if let Some((refused, instead)) =
            REFUSED_CALLS.iter().find(|(name, _)| *called && word.eq_ignore_ascii_case(name))
        {
            return Err(NotPortable { found: format!("{refused}()"), instead });
        }
    }
    Ok(())
}

/// The bare words of a text, without strings and comments; each with whether `(` follows at once.
fn words(text: &str) -> Result<Vec<(&str, bool)>, NotPortable> {
    let refuse = |found: &str, instead| Err(NotPortable { found: found.to_owned(), instead });
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '\'' => quoted(rest),
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '"' | '`' | '[' => return refuse("a quoted identifier", "choose a name that needs no quotes"),
            '|' if rest.starts_with("||") => return refuse("||", "join text in the domain"),
            '$' | '@' | ':' => return refuse("a named placeholder", "use ?"),
            '?' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                return refuse("a numbered placeholder", "use ?");
            }
            c if c.is_alphabetic() || c == '_' => {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                words.push((&rest[..end], rest[end..].starts_with('(')));
                end
            }
            other => other.len_utf8(),
        };
        rest = &rest[taken..];
    }
    Ok(words)
}

/// Length of a string literal with its quotes; `''` is a quote within.
fn quoted(text: &str) -> usize {
    let mut end = 1;
    while let Some(at) = text[end..].find('\'') {
        end += at + 1;
        if !text[end..].starts_with('\'') {
            return end;
        }
        end += 1;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendor_words_are_refused() {
        for text in [
            "INSERT INTO a (b) VALUES (?) ON CONFLICT DO NOTHING",
            "insert or replace into a values (?)",
            "INSERT INTO a (b) VALUES (?) RETURNING b",
            "CREATE TABLE a (b INTEGER PRIMARY KEY AUTOINCREMENT)",
            "CREATE TABLE a (b VARCHAR(9) COLLATE NOCASE)",
            "INSERT INTO a (b) VALUES (?) ON DUPLICATE KEY UPDATE b = 1",
            "SELECT \"b\" FROM a",
            "SELECT b FROM a WHERE c = ?1",
            "SELECT b FROM a WHERE c = :c",
            "SELECT b || c FROM a",
            "PRAGMA user_version",
            "UPDATE a SET b = now()",
            "CREATE TABLE a (b INTEGER NOT NULL)",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
    }

    #[test]
    fn portable_text_passes() {
        for text in [
            "SELECT id, on_hand FROM stock WHERE sku = ? AND on_hand >= ? ORDER BY id LIMIT ?",
            "UPDATE stock SET on_hand = on_hand - ? WHERE sku = ? AND on_hand >= ?",
            "CREATE TABLE t (id VARCHAR(40) PRIMARY KEY, n BIGINT NOT NULL, body BLOB); -- RETURNING in a comment\nCREATE INDEX i ON t (n)",
            "SELECT 'ON CONFLICT it''s RETURNING' FROM t /* AUTOINCREMENT */",
            "SELECT on_conflict, returning_at FROM t",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = check(&text);
        }
    }
}
