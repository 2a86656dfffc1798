//! Where commands speak: results to standard output, everything else to standard error. A reader that went away is no error.

use std::io::Write as _;

/// Columns of what is printed.
pub const WIDTH: usize = 80;

/// A result, as it is.
pub fn out(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// A line about what is going on, for people.
pub fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// A line about what went wrong.
pub fn error(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "smokejumper: {text}");
}
