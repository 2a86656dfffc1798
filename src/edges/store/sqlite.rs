//! Everything that is SQLite's own: how to connect, what to set, how to begin, what its errors mean.
//!
//! The SQL elsewhere in this room runs on Postgres too; `postgres.rs` is this file's counterpart.

use super::dialect;
use crate::ports::StoreError;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::error::DatabaseError;
use sqlx::{AnyConnection, AnyPool, ConnectOptions as _, Connection as _, Row as _};
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

/// Takes the write lock at once, so that a transaction never fails halfway for want of it.
pub const BEGIN: &str = "BEGIN IMMEDIATE";
pub const TABLES: &str = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
/// Waiting for another program's lock. Below the 2.5 s in which a sender must have its answer.
const BUSY_MS: u32 = 2_000;
/// Older ones can lose a committed transaction when two connections reset the WAL (fixed in 3.51.3).
const OLDEST: (u32, u32, u32) = (3, 51, 3);
/// Readers at the same time: the console, the engine and a command line.
const READERS: u32 = 4;
/// Pages in the WAL before the writer copies them back (4 MiB of 4 KiB pages).
const CHECKPOINT_PAGES: u32 = 1_000;
/// Pages SQLite keeps in memory for the writer (negative: KiB).
const CACHE_KIB: i32 = 16_384;

/// Connects for writing. There is one such connection in the process.
pub async fn writer(path: &Path) -> Result<AnyConnection, StoreError> {
    let mut connection = connect(path).await?;
    let pragmas = format!(
        "PRAGMA busy_timeout = {BUSY_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
         PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}; PRAGMA cache_size = -{CACHE_KIB}; PRAGMA foreign_keys = ON"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(pragmas)).execute(&mut connection).await.map_err(|e| dialect::explain(&e))?;
    let mode = sqlx::query("PRAGMA journal_mode").fetch_one(&mut connection).await;
    let mode: String = mode.and_then(|row| row.try_get(0)).map_err(|e| dialect::explain(&e))?;
    if mode != "wal" {
        let what = format!(
            "{} lies on a filesystem without shared memory; name a local directory with --data-dir",
            path.display()
        );
        return Err(StoreError::Unusable(what));
    }
    Ok(connection)
}

/// Connections that cannot write, not even a checkpoint.
pub async fn readers(path: &Path) -> Result<AnyPool, StoreError> {
    AnyPoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(Duration::from_millis(u64::from(BUSY_MS)))
        .test_before_acquire(false)
        .after_connect(|connection, _| Box::pin(async move { read_only(connection).await }))
        .connect_with(options(path)?)
        .await
        .map_err(|e| dialect::explain(&e))
}

/// A connection for looking before the first write.
pub async fn looker(path: &Path) -> Result<AnyConnection, StoreError> {
    let mut connection = connect(path).await?;
    read_only(&mut connection).await.map_err(|e| dialect::explain(&e))?;
    Ok(connection)
}

async fn read_only(connection: &mut AnyConnection) -> sqlx::Result<()> {
    let pragmas = format!("PRAGMA busy_timeout = {BUSY_MS}; PRAGMA query_only = ON; PRAGMA wal_autocheckpoint = 0");
    sqlx::raw_sql(sqlx::AssertSqlSafe(pragmas)).execute(connection).await.map(drop)
}

async fn connect(path: &Path) -> Result<AnyConnection, StoreError> {
    AnyConnection::connect_with(&options(path)?).await.map_err(|e| dialect::explain(&e))
}

fn options(path: &Path) -> Result<AnyConnectOptions, StoreError> {
    sqlx::any::install_default_drivers();
    let mut url = String::from("sqlite://");
    for byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.".contains(byte) {
            url.push(char::from(*byte));
        } else {
            let _ = write!(url, "%{byte:02X}");
        }
    }
    url.push_str("?mode=rw&cache=private");
    let options = AnyConnectOptions::from_str(&url)
        .map_err(|e| StoreError::Unusable(format!("cannot use the path {}: {e}", path.display())))?;
    Ok(options.disable_statement_logging())
}

/// Refuses a library with known ways of losing data.
pub async fn check_version(connection: &mut AnyConnection) -> Result<(), StoreError> {
    let row = sqlx::query("SELECT sqlite_version() AS version")
        .fetch_one(connection)
        .await
        .map_err(|e| dialect::explain(&e))?;
    let version: String = row.try_get("version").map_err(|e| dialect::explain(&e))?;
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    let found = (next(), next(), next());
    if found < OLDEST {
        let (a, b, c) = OLDEST;
        return Err(StoreError::Unusable(format!(
            "SQLite {version} is too old: it can lose committed data; build with the bundled {a}.{b}.{c} or newer"
        )));
    }
    Ok(())
}

/// Damage found by the first look: which file it is, and that nothing happened to it.
pub fn untouched(path: &Path, e: StoreError) -> StoreError {
    match e {
        StoreError::Unusable(what) => {
            StoreError::Unusable(format!("{}: {what}; it was left untouched", path.display()))
        }
        other => other,
    }
}

/// SQLite's own look at every page. Takes about a second a gigabyte from a quick disk.
pub async fn check_pages(connection: &mut AnyConnection, path: &Path) -> Result<(), StoreError> {
    let damaged = |what: &str| {
        StoreError::Unusable(format!(
            "{} is damaged ({what}); it was left untouched: stop, keep a copy of it, and restore a backup",
            path.display()
        ))
    };
    let row = match sqlx::query("PRAGMA quick_check(1)").fetch_one(connection).await {
        Ok(row) => row,
        Err(e) => {
            return Err(match dialect::explain(&e) {
                StoreError::Unusable(_) => damaged(&e.to_string()),
                other => other,
            });
        }
    };
    match row.try_get::<String, _>(0) {
        Ok(verdict) if verdict == "ok" => Ok(()),
        Ok(verdict) => Err(damaged(&verdict)),
        Err(e) => Err(damaged(&e.to_string())),
    }
}

/// Copies the WAL into the database and syncs both. What a failed fsync of a former process left in the page cache only,
/// is written again here, before anybody is told that it is known. Needs as much room as the WAL has.
pub async fn settle_wal(connection: &mut AnyConnection) -> Result<(), StoreError> {
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .fetch_all(connection)
        .await
        .map(drop)
        .map_err(|e| dialect::explain(&e))
}

/// What SQLite means, and what a person can do about it. Codes: sqlite.org/rescode.html.
pub fn explain(e: &dyn DatabaseError) -> StoreError {
    let code = e.code().and_then(|code| code.parse::<u32>().ok()).unwrap_or(1);
    match (code, code & 0xff) {
        // IOERR_FSYNC, IOERR_DIR_FSYNC: after one the kernel may call lost pages clean, so a second one proves nothing.
        (1_034 | 1_290, _) => StoreError::Unusable(
            "the disk would not sync; nothing since then was promised: check the disk, then restart".to_owned(),
        ),
        (_, 5 | 6) => StoreError::Unavailable(
            "another program holds the database (a backup, an open sqlite3 shell?); it goes on when that lets go"
                .to_owned(),
        ),
        // IOERR_SHMSIZE: there is no room for the shared memory beside the database.
        (4_874, _) | (_, 13) => {
            StoreError::Unavailable("the disk is full; free some space and it goes on by itself".to_owned())
        }
        (_, 8) => StoreError::Unavailable(format!("the database is read-only: {e}; make it writable")),
        (_, 11 | 26) => StoreError::Unusable(format!("the database is damaged: {e}; stop and restore a backup")),
        _ => StoreError::Unavailable(e.to_string()),
    }
}
