//! What the database is: its version, what could lose data in it, its clock. For a person who asks.

use super::dialect::{Dialect, explain};
use super::reader::{Reader, column};
use super::{postgres, schema};
use crate::flow::moment::At;
use crate::ports::StoreError;
use sqlx::Connection as _;

/// What there is to say of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// `SQLite 3.51.3`.
    pub version: String,
    pub schema: usize,
    /// In the journal.
    pub entries: u64,
    /// Why nothing is delivered or run, if so.
    pub restored: Option<String>,
    /// Settings that could lose what was confirmed, each with what to do after a `; `.
    pub risks: Vec<String>,
    /// The time there, where it has one of its own.
    pub clock: Option<At>,
}

impl Reader {
    pub async fn about(&self) -> Result<About, StoreError> {
        let fail = |e: sqlx::Error| explain(&e);
        let mut connection = self.dialect().looker().await?;
        let mut about = About { schema: schema::version(&mut connection, self.dialect()).await?, ..About::default() };
        let sql = match self.dialect() {
            Dialect::Sqlite(_) => "SELECT 'SQLite ' || sqlite_version(), 0",
            Dialect::Postgres(_) => {
                about.risks = postgres::risks(&mut connection).await?;
                "SELECT 'Postgres ' || current_setting('server_version'), \
                 CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
            }
        };
        let row = sqlx::query(sql).fetch_one(&mut connection).await.map_err(fail)?;
        about.version = column(&row, 0)?;
        about.clock = if self.dialect().is_shared() { Some(At(column(&row, 1)?)) } else { None };
        let row = sqlx::query("SELECT seq FROM head WHERE id = 1").fetch_one(&mut connection).await.map_err(fail)?;
        about.entries = column::<i64>(&row, 0)?.unsigned_abs();
        let sql = "SELECT value FROM meta WHERE name = 'restored'";
        let row = sqlx::query(sql).fetch_optional(&mut connection).await.map_err(fail)?;
        about.restored = row.map(|row| column(&row, 0)).transpose()?;
        let _ = connection.close().await;
        Ok(about)
    }
}
