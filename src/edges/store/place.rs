//! The data directory: which files the store owns there, who may read them, and that only one process uses them.
//!
//! Knows no SQL. Never deletes or replaces a database, whatever state it is in (I30).

use super::anchor::sync_dir;
use super::chain::{ChainKey, KEY_BYTES, random, unhex};
use crate::ports::StoreError;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a starting process waits for a stopping one to let go: a restart overlaps by less.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);
const LOCK_RETRY: Duration = Duration::from_millis(20);
/// What every SQLite database begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// A data directory.
#[derive(Clone, Debug)]
pub struct Place {
    dir: PathBuf,
}

/// The directory is ours as long as this lives.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Names this very lock among all of them while this machine runs; `None` where the system does not say. A process that
    /// gave the same name held the lock we hold now, so it is dead.
    #[must_use]
    pub fn seat(&self) -> Option<String> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let meta = self.file.metadata().ok()?;
        Some(format!("{} {:x} {:x}", boot.trim(), meta.dev(), meta.ino()))
    }
}

impl Place {
    /// Makes the directory (0700) when it is not there.
    pub fn prepare(dir: &Path) -> Result<Self, StoreError> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|e| refused("make", dir, &e))?;
        Self::existing(dir)
    }

    pub fn existing(dir: &Path) -> Result<Self, StoreError> {
        let dir = dir.canonicalize().map_err(|e| refused("open", dir, &e))?;
        if !dir.is_dir() {
            return Err(StoreError::Unusable(format!(
                "{} is not a directory; name another with --data-dir",
                dir.display()
            )));
        }
        Ok(Self { dir })
    }

    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.dir.join("smokejumper.db")
    }

    #[must_use]
    pub fn anchor(&self) -> PathBuf {
        self.dir.join("journal.anchor")
    }

    #[must_use]
    pub fn starts(&self) -> PathBuf {
        self.dir.join("runs.started")
    }

    #[must_use]
    pub fn key_file(&self) -> PathBuf {
        self.dir.join("journal.key")
    }

    /// Takes the directory for this process; waits a moment for one that is just leaving.
    pub async fn lock(&self) -> Result<Lock, StoreError> {
        let path = self.dir.join("lock");
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let mut file = file.map_err(|e| refused("write in", &self.dir, &e))?;
        let mut waited = Duration::ZERO;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if waited < LOCK_PATIENCE => {
                    tokio::time::sleep(LOCK_RETRY).await;
                    waited += LOCK_RETRY;
                }
                Err(TryLockError::WouldBlock) => {
                    let mut holder = String::new();
                    let _ = file.read_to_string(&mut holder);
                    return Err(StoreError::Unavailable(format!(
                        "another smokejumper ({}) uses {}; stop it, or name another directory with --data-dir",
                        holder.trim(),
                        self.dir.display()
                    )));
                }
                Err(TryLockError::Error(e)) => return Err(refused("lock", &path, &e)),
            }
        }
        let _ = file.set_len(0);
        let _ = file.write_all(format!("pid {}", std::process::id()).as_bytes());
        Ok(Lock { file })
    }

    /// Looks at the database file before SQLite does. True: it is to be made.
    pub fn inspect(&self) -> Result<bool, StoreError> {
        let path = self.database();
        // Before anything is promised the anchor is written: with an anchor there was a database.
        let promised = self.anchor().exists();
        let gone = |what: &str| {
            Err(StoreError::Unusable(format!(
                "{} {what}, but there was one ({} exists); restore it from a backup, or move the whole directory away to start afresh",
                path.display(),
                self.anchor().display()
            )))
        };
        let mut head = Vec::new();
        match File::open(&path) {
            Err(e) if e.kind() == ErrorKind::NotFound => {
                return if promised { gone("is missing") } else { Ok(true) };
            }
            Err(e) => return Err(refused("read", &path, &e)),
            Ok(file) => {
                file.take(MAGIC.len() as u64).read_to_end(&mut head).map_err(|e| refused("read", &path, &e))?;
            }
        }
        if head.is_empty() {
            return if promised { gone("is empty") } else { Ok(true) };
        }
        if head != MAGIC {
            return Err(StoreError::Unusable(format!(
                "{} is not a SQLite database; it was left untouched: restore it from a backup",
                path.display()
            )));
        }
        OpenOptions::new().write(true).open(&path).map_err(|e| refused("write", &path, &e))?;
        Ok(false)
    }

    /// Makes the empty database file, readable by its owner only; SQLite gives its other files the same rights.
    pub fn make_database(&self) -> Result<(), StoreError> {
        let path = self.database();
        let made = OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
        made.map(drop).map_err(|e| refused("make", &path, &e))
    }

    /// A directory that is only to be read, if it is there.
    #[must_use]
    pub fn named(dir: &Path) -> Self {
        Self { dir: dir.canonicalize().unwrap_or_else(|_| dir.to_owned()) }
    }

    /// The chain's key. Made only together with a new database: a lost key is never replaced by another.
    pub fn key(&self, new: bool) -> Result<ChainKey, StoreError> {
        self.key_bytes(new).map(|bytes| ChainKey::new(&bytes))
    }

    /// The same, for a copy of it.
    pub fn key_bytes(&self, new: bool) -> Result<[u8; KEY_BYTES], StoreError> {
        let path = self.key_file();
        match fs::read_to_string(&path) {
            Ok(text) => {
                let bytes = unhex::<KEY_BYTES>(text.trim()).ok_or_else(|| {
                    StoreError::Unusable(format!("{} is damaged; restore it from a backup", path.display()))
                })?;
                let mode = fs::metadata(&path).map(|m| m.permissions().mode()).unwrap_or_default();
                if mode & 0o077 != 0 {
                    tracing::warn!(file = %path.display(), "the journal's key was readable by others; tightened to 0600");
                    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))
                        .map_err(|e| refused("protect", &path, &e))?;
                }
                Ok(bytes)
            }
            Err(e) if e.kind() == ErrorKind::NotFound && new => {
                let bytes = random::<KEY_BYTES>()
                    .ok_or_else(|| StoreError::Unavailable("the system gives no random numbers".to_owned()))?;
                write_key(&path, &hex::encode(bytes)).map_err(|e| refused("make", &path, &e))?;
                Ok(bytes)
            }
            Err(e) if e.kind() == ErrorKind::NotFound => Err(StoreError::Unusable(format!(
                "{} is missing: without it the journal cannot be verified; restore it from a backup, or copy it from the \
                 machine that uses this database",
                path.display()
            ))),
            Err(e) => Err(refused("read", &path, &e)),
        }
    }

    /// Puts a key there that comes with a backup; never in place of another.
    pub fn keep_key(&self, bytes: &[u8; KEY_BYTES]) -> Result<(), StoreError> {
        let path = self.key_file();
        if !path.exists() {
            return write_key(&path, &hex::encode(bytes)).map_err(|e| refused("make", &path, &e));
        }
        if self.key_bytes(false)? == *bytes {
            return Ok(());
        }
        let what = format!("{} is another journal's key; restore into an empty directory", path.display());
        Err(StoreError::Unusable(what))
    }
}

/// Whole or not at all, and durable.
fn write_key(path: &Path, text: &str) -> std::io::Result<()> {
    let fresh = path.with_extension("key.new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    sync_dir(path)
}

/// What the system said, and what a person can do about it.
fn refused(verb: &str, path: &Path, e: &std::io::Error) -> StoreError {
    let path = path.display();
    match e.kind() {
        ErrorKind::PermissionDenied => StoreError::Unusable(format!(
            "may not {verb} {path}: {e}; give this user the right to, or name another directory with --data-dir"
        )),
        ErrorKind::ReadOnlyFilesystem => StoreError::Unusable(format!(
            "cannot {verb} {path}: it is read-only; make it writable, or name another directory with --data-dir"
        )),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            StoreError::Unavailable(format!("cannot {verb} {path}: no space is left there; free some"))
        }
        _ => StoreError::Unusable(format!("cannot {verb} {path}: {e}; name another directory with --data-dir")),
    }
}
