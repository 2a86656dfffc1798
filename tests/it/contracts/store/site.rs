//! Where a store lives, in a test's hands: opened as Smokejumper does, and tampered with as somebody else might. On SQLite or
//! on Postgres; a story that is told on a [`Site`] is told on both.

use super::facts::NOW;
use crate::world::postgres::{self, Database};
use crate::world::watch::Watch;
use smokejumper::config::secret::Secret;
use smokejumper::edges::store::Store;
use smokejumper::edges::store::location::Location;
use smokejumper::edges::store::reader::Reader;
use smokejumper::ports::{Clock, StoreError};
use sqlx::{AnyConnection, Connection as _, Row as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

pub struct Site {
    dir: TempDir,
    postgres: Option<Database>,
}

/// Each of these functions over a site becomes a test on each database.
macro_rules! on_both {
    ($($story:ident),* $(,)?) => {
        mod sqlite { $(#[tokio::test] async fn $story() { super::$story($crate::contracts::store::site::Site::sqlite()).await; })* }
        mod postgres { $(#[tokio::test] async fn $story() {
            if let Some(site) = $crate::contracts::store::site::Site::postgres().await {
                super::$story(site).await;
            }
        })* }
    };
}
pub(crate) use on_both;

pub fn still() -> Arc<dyn Clock> {
    Arc::new(Watch::at(NOW))
}

impl Site {
    pub fn sqlite() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), postgres: None }
    }

    /// `None`, and said, where Postgres is not installed.
    pub async fn postgres() -> Option<Self> {
        Some(Self { postgres: Some(postgres::database().await?), ..Self::sqlite() })
    }

    /// Another host with the same database, and nothing else yet.
    pub fn elsewhere(&self) -> Self {
        assert!(self.postgres.is_some(), "SQLite is in its directory");
        Self { postgres: self.postgres.clone(), ..Self::sqlite() }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn is_sqlite(&self) -> bool {
        self.postgres.is_none()
    }

    pub fn url(&self) -> String {
        let sqlite = || format!("sqlite://{}?mode=rw", self.database_file().display());
        self.postgres.as_ref().map_or_else(sqlite, |database| database.url.clone())
    }

    /// The same database by another way.
    pub fn url_through(&self, port: u16) -> String {
        let name = &self.postgres.as_ref().unwrap().name;
        format!("postgres://{}:{}@127.0.0.1:{port}/{name}?sslmode=disable", postgres::USER, postgres::PASSWORD)
    }

    pub fn database_file(&self) -> PathBuf {
        self.path().join("smokejumper.db")
    }

    pub fn location(&self) -> Location {
        Location::new(self.path(), self.postgres.as_ref().map(|database| Secret::new(database.url.clone())))
    }

    pub async fn open(&self) -> Result<Store, StoreError> {
        self.open_at(still()).await
    }

    pub async fn open_at(&self, clock: Arc<dyn Clock>) -> Result<Store, StoreError> {
        Store::open(self.location(), clock).await
    }

    pub async fn read(&self) -> Result<Reader, StoreError> {
        Reader::open(self.location(), still()).await
    }

    /// Everything of it, as a backup or an attacker would copy it. Nobody has it open.
    pub async fn copy(&self) -> Self {
        let copy = Self::sqlite();
        for file in std::fs::read_dir(self.path()).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
        }
        match &self.postgres {
            None => copy,
            Some(database) => Self { postgres: Some(database.copy().await), ..copy },
        }
    }

    /// The database of that copy takes the place of this one's; what lies beside it stays.
    pub fn put_database_back(&mut self, copy: &Self) {
        if self.is_sqlite() {
            std::fs::copy(copy.database_file(), self.database_file()).unwrap();
        } else {
            self.postgres.clone_from(&copy.postgres);
        }
    }

    /// A connection of somebody who has the database.
    pub async fn intruder(&self) -> AnyConnection {
        postgres::connect(&self.url()).await
    }

    /// Runs statements as that somebody; the number of rows changed by all of them.
    pub async fn meddle(&self, sql: &str) -> u64 {
        let mut connection = self.intruder().await;
        let done = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut connection).await;
        connection.close().await.unwrap();
        done.unwrap_or_else(|e| panic!("{sql}: {e}")).rows_affected()
    }

    pub async fn count(&self, what: &str) -> i64 {
        let mut connection = self.intruder().await;
        let sql = format!("SELECT COUNT(*) FROM {what}");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        row.try_get(0).unwrap()
    }
}
