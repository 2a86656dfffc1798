//! What differs between the two databases, and nothing else of the room knows: how to connect, how to begin, how to hold
//! the lease, what an error means. All other SQL runs on both as it stands.

use super::location::Location;
use super::place::Place;
use super::{postgres, sqlite};
use crate::config::secret::Secret;
use crate::flow::moment::At;
use crate::ports::StoreError;
use sqlx::postgres::PgDatabaseError;
use sqlx::{AnyConnection, AnyPool, Row as _};
use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

/// Which database it is, and where.
#[derive(Clone, Debug)]
pub enum Dialect {
    Sqlite(PathBuf),
    /// By its URL.
    Postgres(Secret),
}

impl Dialect {
    #[must_use]
    pub fn of(location: &Location, place: &Place) -> Self {
        match &location.postgres {
            Some(url) => Self::Postgres(url.clone()),
            None => Self::Sqlite(place.database()),
        }
    }

    /// Connects for writing. There is one such connection in the process.
    pub async fn writer(&self) -> Result<AnyConnection, StoreError> {
        match self {
            Self::Sqlite(path) => sqlite::writer(path).await,
            Self::Postgres(url) => postgres::writer(url).await,
        }
    }

    /// Connections that cannot write.
    pub async fn readers(&self) -> Result<AnyPool, StoreError> {
        match self {
            Self::Sqlite(path) => sqlite::readers(path).await,
            Self::Postgres(url) => postgres::readers(url).await,
        }
    }

    /// A connection for looking before the first write.
    pub async fn looker(&self) -> Result<AnyConnection, StoreError> {
        match self {
            Self::Sqlite(path) => sqlite::looker(path).await,
            Self::Postgres(url) => postgres::looker(url).await,
        }
    }

    /// Begins a transaction that will write.
    #[must_use]
    pub const fn begin(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => sqlite::BEGIN,
            Self::Postgres(_) => postgres::BEGIN,
        }
    }

    /// Begins a transaction whose statements all see the same moment.
    #[must_use]
    pub const fn begin_view(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "BEGIN",
            Self::Postgres(_) => postgres::BEGIN_VIEW,
        }
    }

    /// The names of all tables.
    pub async fn tables(&self, connection: &mut AnyConnection) -> Result<Vec<String>, StoreError> {
        let sql = match self {
            Self::Sqlite(_) => sqlite::TABLES,
            Self::Postgres(_) => postgres::TABLES,
        };
        let rows = sqlx::query(sql).fetch_all(connection).await.map_err(|e| explain(&e))?;
        rows.iter().map(|row| row.try_get(0).map_err(|e| explain(&e))).collect()
    }

    /// Takes the lease row for the rest of this transaction, if it is still of this epoch, and makes it last on.
    /// `false`: another owner took over, and nothing of this transaction may be committed.
    pub async fn fence(&self, transaction: &mut AnyConnection, epoch: i64) -> sqlx::Result<bool> {
        match self {
            // The transaction holds the write lock already, and the directory's lock is the lease.
            Self::Sqlite(_) => {
                let row = sqlx::query("SELECT epoch FROM lease WHERE id = 1").fetch_one(transaction).await?;
                Ok(row.try_get::<i64, _>(0)? == epoch)
            }
            Self::Postgres(_) => {
                let held = sqlx::query(postgres::RENEW).bind(postgres::LEASE_MS).bind(epoch);
                Ok(held.execute(transaction).await?.rows_affected() == 1)
            }
        }
    }

    /// The lease row, locked where rows are: epoch, holder, how many milliseconds it lasts from now.
    #[must_use]
    pub const fn lease(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "SELECT epoch, holder, until_at FROM lease WHERE id = 1",
            Self::Postgres(_) => postgres::LEASE,
        }
    }

    /// Takes the lease; `at`: for people to read.
    pub async fn take(&self, tx: &mut AnyConnection, epoch: i64, holder: &str, at: At) -> sqlx::Result<()> {
        let query = match self {
            Self::Sqlite(_) => sqlx::query("UPDATE lease SET epoch = $1, holder = $2, taken_at = $3 WHERE id = 1"),
            Self::Postgres(_) => sqlx::query(postgres::TAKE),
        };
        let query = query.bind(epoch).bind(holder).bind(at.0);
        let query = if self.is_shared() { query.bind(postgres::LEASE_MS) } else { query };
        query.execute(tx).await.map(drop)
    }

    /// How long a writer may rest before it must say that it is still there; `None`: it need not.
    #[must_use]
    pub const fn renew_every(&self) -> Option<Duration> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(_) => Some(postgres::RENEW_EVERY),
        }
    }

    /// How long after the beginning of a transaction that renewed it the lease is surely still ours, with time left to act;
    /// `None`: as long as the directory's lock is held, which is as long as we live.
    #[must_use]
    pub const fn sure_for(&self) -> Option<Duration> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(_) => Some(postgres::SURE_FOR),
        }
    }

    /// How long a group may take before it counts as failed; `None`: the database itself sees to it.
    #[must_use]
    pub const fn patience(&self) -> Option<Duration> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(_) => Some(postgres::PATIENCE),
        }
    }

    /// Taken by whoever changes the schema, until its transaction ends.
    pub async fn lock_schema(&self, transaction: &mut AnyConnection) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(_) => postgres::lock_schema(transaction).await,
        }
    }

    /// Whether another process can be waiting for its turn with the same database.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}

/// What the database means, and what a person can do about it.
pub fn explain(e: &sqlx::Error) -> StoreError {
    match e {
        sqlx::Error::Database(said) => match said.try_downcast_ref::<PgDatabaseError>() {
            Some(said) => postgres::explain(said),
            None => sqlite::explain(said.as_ref()),
        },
        sqlx::Error::PoolTimedOut => StoreError::Unavailable(
            "every reader is busy, or the database does not answer; try again in a moment".to_owned(),
        ),
        // What is wrong with a URL would be told with the URL.
        sqlx::Error::Configuration(_) => StoreError::Unusable(
            "the database's URL cannot be understood: write it as postgres://USER:PASSWORD@HOST:5432/DATABASE"
                .to_owned(),
        ),
        other => StoreError::Unavailable(format!("the database cannot be reached: {other}")),
    }
}

/// Outside text as both databases can hold it: Postgres has no character 0.
#[must_use]
pub fn text(written: &str) -> Cow<'_, str> {
    if written.contains('\0') { Cow::Owned(written.replace('\0', "\u{FFFD}")) } else { Cow::Borrowed(written) }
}
