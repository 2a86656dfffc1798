//! What can go wrong with the memory, and what to do about it.
//!
//! Damage is told apart from trouble of the surroundings (lock, permission, full disk): only damage lets the caller
//! throw the index away.

use std::io;
use std::path::PathBuf;
use tantivy::TantivyError;
use tantivy::directory::error::{LockError, OpenDirectoryError, OpenReadError, OpenWriteError};

/// Why the memory could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// Nothing was touched.
    #[error("the search index in {} is in use by another process; stop it, or give this one its own data directory", .0.display())]
    Locked(PathBuf),
    /// Permission, a full disk, or a failing device. Nothing was wiped.
    #[error("the search index can't be read or written ({doing}): {source}; check permissions and free space")]
    Io { doing: &'static str, source: io::Error },
    /// The index contradicts itself: open it again, which starts a fresh one, and rebuild from the journal.
    #[error("the search index is damaged: {0}; run reindex")]
    Damaged(String),
    /// Flushing keeps failing and the unflushed tail has reached its bound.
    #[error("{0} cases wait to be written to the search index, which keeps failing; check permissions and free space")]
    Full(usize),
}

impl Trouble {
    pub(crate) fn of(doing: &'static str, error: TantivyError) -> Self {
        match error {
            TantivyError::LockFailure(LockError::LockBusy, _) => Self::Locked(PathBuf::from("the data directory")),
            TantivyError::LockFailure(LockError::IoError(e), _) | TantivyError::IoError(e) => Self::of_io(doing, &e),
            TantivyError::OpenReadError(OpenReadError::IoError { io_error, .. })
            | TantivyError::OpenWriteError(OpenWriteError::IoError { io_error, .. })
            | TantivyError::OpenDirectoryError(
                OpenDirectoryError::IoError { io_error, .. } | OpenDirectoryError::FailedToCreateTempDir(io_error),
            ) => Self::of_io(doing, &io_error),
            TantivyError::OpenDirectoryError(e) => Self::Io { doing, source: io::Error::other(e.to_string()) },
            TantivyError::SystemError(e) | TantivyError::ErrorInThread(e) => {
                Self::Io { doing, source: io::Error::other(e) }
            }
            other => Self::Damaged(other.to_string()),
        }
    }

    /// Bytes that end too early or make no sense are damage. Everything else is the surroundings' fault, and a file
    /// that can't be read now may be whole.
    pub(crate) fn of_io(doing: &'static str, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::NotFound => {
                Self::Damaged(format!("{doing}: {error}"))
            }
            kind => Self::Io { doing, source: io::Error::new(kind, error.to_string()) },
        }
    }

    /// Runs `work`, turning a panic inside tantivy (its answer to a flipped bit in a posting list) into
    /// [`Trouble::Damaged`]. For reads only: nothing of ours is changed half-way.
    pub(crate) fn guard<T>(work: impl FnOnce() -> Result<T, Self>) -> Result<T, Self> {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
            .unwrap_or_else(|_| Err(Self::Damaged("reading it failed in a way that only damaged files explain".into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn of_kind(kind: io::ErrorKind) -> Trouble {
        Trouble::of("opening", TantivyError::IoError(Arc::new(io::Error::from(kind))))
    }

    #[test]
    fn only_nonsense_on_disk_is_damage() {
        for kind in [io::ErrorKind::UnexpectedEof, io::ErrorKind::InvalidData, io::ErrorKind::NotFound] {
            assert!(matches!(of_kind(kind), Trouble::Damaged(_)), "{kind}");
        }
        for kind in [io::ErrorKind::PermissionDenied, io::ErrorKind::StorageFull, io::ErrorKind::ReadOnlyFilesystem] {
            assert!(matches!(of_kind(kind), Trouble::Io { .. }), "{kind}");
        }
    }

    #[test]
    fn a_panic_while_reading_is_damage() {
        let caught = Trouble::guard::<()>(|| panic!("doc_count >= doc_freq"));
        assert!(matches!(caught, Err(Trouble::Damaged(_))));
    }
}
