//! The schema and its versions: an embedded list, each applied in one transaction together with its number.
//!
//! Killed at any point the schema is old or new (I32). A database of a newer program is refused, never guessed at.

use super::sqlite;
use crate::flow::desk::Desk;
use crate::ports::StoreError;
use sqlx::{AnyConnection, Connection as _, Row as _};

/// Applied in order; a released one is never changed.
const MIGRATIONS: &[&str] =
    &[include_str!("migrations/0001_first.sql"), include_str!("migrations/0002_forgetting.sql")];

/// Version of how facts fold into an incident. Raise it when [`crate::flow::incident::Incident`] or its `apply` changes
/// what a snapshot means; older snapshots are then folded again from the journal.
pub const FOLD: i64 = 4;

/// The version found; 0 for an empty database.
pub async fn version(connection: &mut AnyConnection) -> Result<usize, StoreError> {
    let tables = sqlite::tables(connection).await?;
    if tables.is_empty() {
        return Ok(0);
    }
    let found = if tables.iter().any(|name| name == "meta") {
        let row = sqlx::query("SELECT value FROM meta WHERE name = 'schema'").fetch_optional(connection).await;
        row.map_err(|e| sqlite::explain(&e))?.and_then(|row| row.try_get::<String, _>(0).ok()?.parse().ok())
    } else {
        None
    };
    found.ok_or_else(|| {
        StoreError::Unusable(
            "the database belongs to another program; name another directory with --data-dir".to_owned(),
        )
    })
}

/// Refuses what a newer program wrote.
pub fn check(found: usize) -> Result<(), StoreError> {
    let known = MIGRATIONS.len();
    if found > known {
        return Err(StoreError::Unusable(format!(
            "the database was written by a newer smokejumper (schema {found}, this one knows {known}); \
             install that version, or restore a backup made before the upgrade"
        )));
    }
    Ok(())
}

/// Brings the schema up to date.
pub async fn migrate(connection: &mut AnyConnection, from: usize) -> Result<(), StoreError> {
    check(from)?;
    for (i, sql) in MIGRATIONS.iter().enumerate().skip(from) {
        apply(connection, i + 1, sql).await.map_err(|e| sqlite::explain(&e))?;
        tracing::info!(schema = i + 1, "database schema brought up to date");
    }
    Ok(())
}

async fn apply(connection: &mut AnyConnection, version: usize, sql: &'static str) -> sqlx::Result<()> {
    let mut tx = connection.begin_with(sqlite::BEGIN).await?;
    sqlx::raw_sql(sql).execute(&mut *tx).await?;
    let meta = "INSERT INTO meta (name, value) VALUES ('schema', $1) ON CONFLICT (name) DO UPDATE SET value = $1";
    sqlx::query(meta).bind(version.to_string()).execute(&mut *tx).await?;
    if version == 1 {
        let desk = serde_json::to_string(&Desk::default()).map_err(|e| sqlx::Error::Encode(Box::new(e)))?;
        let row = "INSERT INTO desk (id, version, body, epoch) VALUES (1, 0, $1, 0)";
        sqlx::query(row).bind(desk).execute(&mut *tx).await?;
    }
    tx.commit().await
}
