//! What every command shares: results on stdout, everything else on stderr, and what the exit code says.

use std::fmt;
use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// What a command that ran to its end has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Done and true: exit code 0.
    Holds,
    /// Done and false, such as an audit that found damage: exit code 1.
    Fails,
}

/// Why a command did not run to its end.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    code: u8,
    message: String,
}

/// How a command ends.
pub type Outcome = Result<Verdict, Failure>;

impl Failure {
    /// Wrong usage, configuration or input: exit code 2. The message is a sentence that says what to do.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { code: 2, message: message.into() }
    }

    /// Begun, and could not be finished: exit code 1.
    pub fn unfinished(message: impl Into<String>) -> Self {
        Self { code: 1, message: message.into() }
    }

    /// The exit code.
    #[must_use]
    pub fn code(&self) -> u8 {
        self.code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Ends a command: tells a failure on stderr, and gives the exit code.
#[must_use]
pub fn end(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(Verdict::Holds) => ExitCode::SUCCESS,
        Ok(Verdict::Fails) => ExitCode::from(1),
        Err(failure) => {
            note(&format!("souk: {failure}"));
            ExitCode::from(failure.code)
        }
    }
}

/// Writes a line for people to stderr.
pub fn note(line: &str) {
    // Nobody is left to tell when stderr is closed.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Writes the result to stdout: one JSON document, or a table for people.
///
/// # Errors
/// When stdout does not take it; a reader that left is no error.
pub fn result<T: Serialize>(json: bool, value: &T, table: impl FnOnce() -> String) -> Result<(), Failure> {
    let text = if json {
        serde_json::to_string(value)
            .map_err(|error| Failure::unfinished(format!("cannot write the result: {error}")))?
    } else {
        table()
    };
    print(format!("{}\n", text.trim_end()).as_bytes())
}

/// Writes to stdout.
///
/// # Errors
/// When stdout does not take it; a reader that left is no error.
pub fn print(text: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::unfinished(format!("cannot write the result to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// A progress bar on stderr; hidden unless stderr is a terminal.
#[must_use]
pub fn progress(what: &'static str, total: u64) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {per_sec} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total).with_style(style).with_prefix(what)
}

/// A line on stderr that changes in its place; hidden unless stderr is a terminal.
#[derive(Debug)]
pub struct Live(ProgressBar);

impl Live {
    /// An empty line.
    #[must_use]
    pub fn start() -> Self {
        if !io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let style =
            ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
        Self(ProgressBar::new_spinner().with_style(style))
    }

    /// Says something in the place of what was said before.
    pub fn say(&self, line: String) {
        self.0.set_message(line);
        self.0.tick();
    }

    /// Takes the line away.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}

/// Rows of two columns, the second aligned to the right.
#[must_use]
pub fn rows(rows: &[(String, String)]) -> String {
    let left = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let right = rows.iter().map(|(_, value)| value.chars().count()).max().unwrap_or(0);
    rows.iter().map(|(name, value)| format!("{name:<left$}  {value:>right$}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_says_whose_fault_it_is() {
        assert_eq!((Failure::usage("x").code(), Failure::unfinished("x").code()), (2, 1));
    }

    #[test]
    fn columns_align() {
        let table = rows(&[("orders".into(), "1".into()), ("p50 ms".into(), "12.5".into())]);
        assert_eq!(table, "orders     1\np50 ms  12.5\n");
    }
}
