//! Start tokens: a small file that outlives the database, so that a run never starts twice, even after a backup is restored.
//!
//! Written and synced before anything starts. It is never deleted here: a token must be older than every backup to go.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("it was started before")]
    AlreadyStarted,
    #[error("its start cannot be recorded in {path}: {source}")]
    Io { path: String, source: std::io::Error },
}

#[derive(Clone, Debug)]
pub struct StartTokens {
    folder: PathBuf,
}

impl StartTokens {
    /// Tokens in `folder`, made when the first is claimed.
    #[must_use]
    pub const fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Whoever gets `Ok` is the only one who ever may start `op`; it is on disk when this returns.
    pub fn claim(&self, op: &str, note: &str) -> Result<(), TokenError> {
        let path = self.folder.join(format!("{op}.started"));
        let io = |source: std::io::Error| TokenError::Io { path: path.display().to_string(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).map_err(io)?;
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let mut file = made.map_err(|e| match e.kind() {
            ErrorKind::AlreadyExists => TokenError::AlreadyStarted,
            _ => io(e),
        })?;
        file.write_all(note.as_bytes()).and_then(|()| file.sync_all()).map_err(io)?;
        // The name is on disk only when the folder is.
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(io)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_of_many_may_start() {
        let dir = tempfile::tempdir().unwrap();
        let tokens = StartTokens::new(dir.path().join("runs"));
        let won = std::thread::scope(|scope| {
            let all: Vec<_> = (0..16).map(|_| scope.spawn(|| tokens.claim("inc-1-run-1", "x").is_ok())).collect();
            all.into_iter().map(|one| one.join().unwrap()).filter(|&won| won).count()
        });
        assert_eq!(won, 1);
        assert!(matches!(
            StartTokens::new(dir.path().join("runs")).claim("inc-1-run-1", ""),
            Err(TokenError::AlreadyStarted)
        ));
        assert!(tokens.claim("inc-1-run-2", "x").is_ok());
    }

    #[test]
    fn a_folder_that_cannot_be_written_starts_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("runs");
        std::fs::write(&file, "").unwrap();
        assert!(matches!(StartTokens::new(file).claim("a", ""), Err(TokenError::Io { .. })));
    }
}
