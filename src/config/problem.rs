//! Something wrong in a file a person wrote: where, what, and what to write instead. `check` prints these, `serve` refuses to start with them.
//!
//! Knows positions in text; knows nothing of what the files mean.

use std::ops::Range;
use std::path::{Path, PathBuf};

/// Problems kept of one file; a person mends the first ones and looks again.
pub const MAX_PROBLEMS: usize = 50;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// It works, but a person should know.
    Warning,
    /// It cannot be used.
    Error,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub file: PathBuf,
    /// From 1; 0 when it concerns the file as a whole.
    pub line: usize,
    /// In characters, from 1; 0 when it concerns the file as a whole.
    pub column: usize,
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
    pub weight: Weight,
}

impl Problem {
    /// Concerns the file as a whole.
    #[must_use]
    pub fn of_file(file: &Path, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: 0, column: 0, what: what.into(), hint: None, weight: Weight::Error }
    }

    /// At a byte range of `source`, the text of `file`.
    #[must_use]
    pub fn at(file: &Path, source: &str, span: &Range<usize>, what: impl Into<String>) -> Self {
        let (line, column) = position(source, span.start);
        Self { line, column, ..Self::of_file(file, what) }
    }

    /// What the TOML parser says.
    #[must_use]
    pub fn from_toml(file: &Path, source: &str, error: &toml::de::Error) -> Self {
        match error.span() {
            Some(span) => Self::at(file, source, &span, error.message()),
            None => Self::of_file(file, error.message()),
        }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    #[must_use]
    pub fn warning(mut self) -> Self {
        self.weight = Weight::Warning;
        self
    }

    #[must_use]
    pub fn is_error(&self) -> bool {
        self.weight == Weight::Error
    }
}

/// `runbooks/restart.toml:3:1: error: unknown key `tiemout`; did you mean `timeout`?`, as editors and CI logs link it.
impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if self.line > 0 {
            write!(f, "{}:{}:", self.line, self.column)?;
        }
        let weight = match self.weight {
            Weight::Warning => "warning",
            Weight::Error => "error",
        };
        write!(f, " {weight}: {}", self.what)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// Line and column, both from 1, of a byte offset. An offset behind the end is the end.
#[must_use]
pub fn position(source: &str, offset: usize) -> (usize, usize) {
    let mut end = offset.min(source.len());
    while !source.is_char_boundary(end) {
        end -= 1;
    }
    let before = source.get(..end).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_counted_in_characters_from_one() {
        assert_eq!(position("abc", 0), (1, 1));
        assert_eq!(position("é = 1\nñ: 2", "é = 1\nñ".len()), (2, 2));
        assert_eq!(position("ab\n", 99), (2, 1));
        assert_eq!(position("é", 1), (1, 1), "inside a character is at the character");
    }

    #[test]
    fn a_syntax_error_has_its_place() {
        let source = "title = \"x\"\nrisk = \n";
        let error = toml::from_str::<toml::Table>(source).expect_err("no value");
        let problem = Problem::from_toml(Path::new("a.toml"), source, &error).hint("write a value");
        assert_eq!(problem.line, 2);
        assert!(problem.to_string().starts_with("a.toml:2:"), "{problem}");
        assert!(problem.to_string().ends_with("; write a value"), "{problem}");
    }
}
