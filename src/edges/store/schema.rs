//! The schema and its versions: an embedded list, each applied in one transaction together with its number.
//!
//! Killed at any point the schema is old or new (I32). A database of a newer program is refused, never guessed at.

use super::dialect::{Dialect, explain};
use super::lease;
use crate::flow::desk::Desk;
use crate::ports::StoreError;
use sqlx::{AnyConnection, Connection as _, Row as _};

/// Applied in order, with their names; a released one is never changed.
pub const MIGRATIONS: &[(&str, &str)] = &[
    ("0001_first", include_str!("migrations/0001_first.sql")),
    ("0002_forgetting", include_str!("migrations/0002_forgetting.sql")),
    ("0003_rooms", include_str!("migrations/0003_rooms.sql")),
    ("0004_priorities", include_str!("migrations/0004_priorities.sql")),
];

/// Version of how facts fold into an incident. Raise it when [`crate::flow::incident::Incident`] or its `apply` changes
/// what a snapshot means; older snapshots are then folded again from the journal.
pub const FOLD: i64 = 5;

/// The version found; 0 for an empty database.
pub async fn version(connection: &mut AnyConnection, dialect: &Dialect) -> Result<usize, StoreError> {
    let tables = dialect.tables(connection).await?;
    if tables.is_empty() {
        return Ok(0);
    }
    let found = if tables.iter().any(|name| name == "meta") {
        let row = sqlx::query("SELECT value FROM meta WHERE name = 'schema'").fetch_optional(connection).await;
        row.map_err(|e| explain(&e))?.and_then(|row| row.try_get::<String, _>(0).ok()?.parse().ok())
    } else {
        None
    };
    found.ok_or_else(|| {
        StoreError::Unusable(
            "the database belongs to another program; name another directory with --data-dir, or another database"
                .to_owned(),
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

/// Brings the schema up to date. `epoch`: ours, where there is an owner already.
pub async fn migrate(
    connection: &mut AnyConnection,
    dialect: &Dialect,
    from: usize,
    epoch: Option<i64>,
) -> Result<(), StoreError> {
    migrate_to(connection, dialect, from, MIGRATIONS.len(), epoch).await
}

/// Brings it up to a version, which may be an old one: a backup is restored as it was made, and brought up to date by who opens it.
pub async fn migrate_to(
    connection: &mut AnyConnection,
    dialect: &Dialect,
    from: usize,
    to: usize,
    epoch: Option<i64>,
) -> Result<(), StoreError> {
    check(from.max(to))?;
    for (i, (name, sql)) in MIGRATIONS.iter().enumerate().take(to).skip(from) {
        if apply(connection, dialect, i + 1, sql, epoch).await? {
            tracing::info!(schema = i + 1, name, "database schema brought up to date");
        }
    }
    Ok(())
}

/// One migration and its number, in one transaction. `false`: somebody else was faster.
async fn apply(
    connection: &mut AnyConnection,
    dialect: &Dialect,
    number: usize,
    sql: &'static str,
    epoch: Option<i64>,
) -> Result<bool, StoreError> {
    let fail = |e: sqlx::Error| explain(&e);
    let mut tx = connection.begin_with(dialect.begin()).await.map_err(fail)?;
    dialect.lock_schema(&mut tx).await.map_err(fail)?;
    if version(&mut tx, dialect).await? >= number {
        tx.rollback().await.map_err(fail)?;
        return Ok(false);
    }
    if let Some(epoch) = epoch {
        lease::fence(&mut tx, dialect, epoch).await?;
    }
    sqlx::raw_sql(sql).execute(&mut *tx).await.map_err(fail)?;
    let meta = "INSERT INTO meta (name, value) VALUES ('schema', $1) ON CONFLICT (name) DO UPDATE SET value = $1";
    sqlx::query(meta).bind(number.to_string()).execute(&mut *tx).await.map_err(fail)?;
    if number == 1 {
        let desk = super::pen::json(&Desk::default())?;
        let row = "INSERT INTO desk (id, version, body, epoch) VALUES (1, 0, $1, 0)";
        sqlx::query(row).bind(desk).execute(&mut *tx).await.map_err(fail)?;
    }
    if let Some(epoch) = epoch {
        // It may have taken longer than the lease.
        lease::fence(&mut tx, dialect, epoch).await?;
    }
    tx.commit().await.map_err(fail)?;
    Ok(true)
}
