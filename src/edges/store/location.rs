//! Where data is: a directory of this process, and the database, which is in it (SQLite) or a Postgres of its own.
//!
//! Also with Postgres the directory holds what must survive the database: the journal's key, its anchor, the runs started.

use crate::config::secret::Secret;
use std::path::{Path, PathBuf};

/// A data directory and a database.
#[derive(Clone, Debug)]
pub struct Location {
    pub dir: PathBuf,
    /// URL of a Postgres database; `None`: SQLite in `dir`.
    pub postgres: Option<Secret>,
}

impl Location {
    #[must_use]
    pub fn new(dir: &Path, postgres: Option<Secret>) -> Self {
        Self { dir: dir.to_owned(), postgres }
    }
}

/// SQLite in this directory.
impl<P: AsRef<Path>> From<P> for Location {
    fn from(dir: P) -> Self {
        Self::new(dir.as_ref(), None)
    }
}

impl From<&Self> for Location {
    fn from(other: &Self) -> Self {
        other.clone()
    }
}
