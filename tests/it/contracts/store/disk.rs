//! A data directory with SQLite in a test's hands; and a short story to store, wherever.

use super::facts::*;
use super::site::Site;
pub use crate::world::small::Small;
use crate::world::watch::Watch;
use smokejumper::edges::store::Store;
use smokejumper::edges::store::reader::Reader;
use smokejumper::flow::fact::Fact;
use smokejumper::flow::incident::{Incident, IncidentId};
use smokejumper::ports::{Clock, Commit, Journal, StoreError};
use sqlx::{AnyConnection, Connection as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

pub fn watch() -> Arc<dyn Clock> {
    Arc::new(Watch::at(NOW))
}

pub async fn open(dir: &Path) -> Result<Store, StoreError> {
    Store::open(dir, watch()).await
}

pub async fn read(dir: &Path) -> Result<Reader, StoreError> {
    Reader::open(dir, watch()).await
}

pub fn database(dir: &Path) -> PathBuf {
    dir.join("smokejumper.db")
}

/// Two incidents of six entries, stored and closed; the third entry of the first was erased.
pub async fn story(site: &Site) {
    let store = site.open().await.unwrap();
    for n in 1..=6 {
        for incident in 1..=2 {
            let entry = match (incident, n) {
                (_, 1) => declared(incident),
                (1, 5) => entry(1, 5, Fact::Redacted { n: 3 }),
                _ => noted(incident, n),
            };
            let incidents = vec![Incident { entries: n, ..Incident::new(IncidentId(incident)) }];
            let commit = Commit { entries: vec![entry], incidents, ..Commit::default() };
            store.commit(vec![commit]).await.unwrap();
        }
    }
    store.close().await;
}

/// A copy of every file, as a backup or an attacker would make it.
pub fn copy(dir: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(dir).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    copy
}

/// A connection of somebody who has the file.
pub async fn intruder(dir: &Path) -> AnyConnection {
    sqlx::any::install_default_drivers();
    AnyConnection::connect(&format!("sqlite://{}?mode=rw", database(dir).display())).await.unwrap()
}

/// Runs statements as that somebody; the number of rows changed by all of them.
pub async fn meddle(dir: &Path, sql: &str) -> u64 {
    let mut connection = intruder(dir).await;
    let done = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut connection).await;
    connection.close().await.unwrap();
    done.unwrap_or_else(|e| panic!("{sql}: {e}")).rows_affected()
}
