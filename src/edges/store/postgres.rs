//! Everything that is Postgres' own: how to connect, how the lease lasts, what its errors mean.
//!
//! Needs a connection whose settings stay with it: directly, or through a pooler in session mode. Times of the lease are
//! the database's, so that no two hosts' clocks are compared.

use crate::config::secret::Secret;
use crate::ports::StoreError;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::postgres::PgDatabaseError;
use sqlx::{AnyConnection, AnyPool, ConnectOptions as _, Connection as _, Row as _};
use std::str::FromStr as _;
use std::time::Duration;

/// Rows are locked one by one: the lease row comes first, so writers come one after the other.
pub const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
pub const BEGIN_VIEW: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
pub const TABLES: &str =
    "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename";

/// Nobody takes over from an owner who was heard of within this time; with [`LOOK_EVERY`](super::standby::LOOK_EVERY) on top
/// a standby is at work 15 s after its predecessor fell silent.
pub const LEASE_MS: i64 = 10_000;
/// A fifth of the lease: one late renewal loses nothing.
pub const RENEW_EVERY: Duration = Duration::from_secs(2);
/// The lease without a margin of two seconds: between asking whether it is ours and what is done about it a busy machine may pause,
/// and two clocks do not run alike. More than [`RENEW_EVERY`] and [`PATIENCE`] together, so that a slow group makes nobody doubt.
pub const SURE_FOR: Duration = Duration::from_millis(LEASE_MS.unsigned_abs() - 2_000);
pub const LEASE: &str = "SELECT epoch, holder, until_at - CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) \
                         FROM lease WHERE id = 1 FOR UPDATE";
pub const TAKE: &str = "UPDATE lease SET epoch = $1, holder = $2, taken_at = $3, until_at = \
                        CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) + $4 WHERE id = 1";
pub const RENEW: &str = "UPDATE lease SET until_at = \
                         CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) + $1 WHERE id = 1 AND epoch = $2";

/// A group that takes longer has failed, whatever became of it. Half of the lease.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// For a connection: below the 2.5 s in which a sender must have its answer.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// An owner that stops in the middle of a transaction holds the lease row this long: below [`LEASE_MS`], so that it is
/// free when it is over.
const IDLE_MS: i64 = 4_000;
/// Waiting for a row that another session holds.
const LOCK_MS: i64 = 2_000;
/// No statement of ours takes longer, except a change of the schema.
const STATEMENT_MS: i64 = 5_000;
/// Readers at the same time: the console, the engine and a command line.
const READERS: u32 = 4;
/// Names our lock among those a database may have; the letters are "smoke".
const SCHEMA_LOCK: i64 = 0x73_6d_6f_6b_65;

/// Connects for writing. There is one such connection in the process.
pub async fn writer(url: &Secret) -> Result<AnyConnection, StoreError> {
    let mut connection = connect(url).await?;
    let settings = format!(
        "SET application_name = 'smokejumper'; SET lock_timeout = {LOCK_MS}; SET statement_timeout = {STATEMENT_MS}; \
         SET idle_in_transaction_session_timeout = {IDLE_MS}"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(settings))
        .execute(&mut connection)
        .await
        .map_err(|e| super::dialect::explain(&e))?;
    Ok(connection)
}

/// Connections that cannot write.
pub async fn readers(url: &Secret) -> Result<AnyPool, StoreError> {
    AnyPoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(CONNECT_WITHIN)
        // One that the server closed meanwhile is not given to anybody.
        .test_before_acquire(true)
        .after_connect(|connection, _| Box::pin(async move { read_only(connection).await }))
        .connect_with(options(url)?)
        .await
        .map_err(|e| super::dialect::explain(&e))
}

/// A connection for looking before the first write.
pub async fn looker(url: &Secret) -> Result<AnyConnection, StoreError> {
    let mut connection = connect(url).await?;
    read_only(&mut connection).await.map_err(|e| super::dialect::explain(&e))?;
    Ok(connection)
}

async fn read_only(connection: &mut AnyConnection) -> sqlx::Result<()> {
    let settings = "SET application_name = 'smokejumper reading'; SET default_transaction_read_only = on";
    sqlx::raw_sql(settings).execute(connection).await.map(drop)
}

async fn connect(url: &Secret) -> Result<AnyConnection, StoreError> {
    let options = options(url)?;
    match tokio::time::timeout(CONNECT_WITHIN, AnyConnection::connect_with(&options)).await {
        Ok(connected) => connected.map_err(|e| super::dialect::explain(&e)),
        Err(_) => Err(StoreError::Unavailable(format!("the database did not answer within {CONNECT_WITHIN:?}"))),
    }
}

fn options(url: &Secret) -> Result<AnyConnectOptions, StoreError> {
    sqlx::any::install_default_drivers();
    let options = AnyConnectOptions::from_str(url.expose()).map_err(|e| super::dialect::explain(&e))?;
    Ok(options.disable_statement_logging())
}

/// Waits for whoever changes the schema at this moment, and keeps others from it until the transaction ends.
pub async fn lock_schema(transaction: &mut AnyConnection) -> sqlx::Result<()> {
    sqlx::raw_sql("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0").execute(&mut *transaction).await?;
    let sql = "SELECT CAST(pg_advisory_xact_lock($1) AS TEXT)";
    sqlx::query(sql).bind(SCHEMA_LOCK).execute(transaction).await.map(drop)
}

/// Refuses a database that cannot hold every text, and warns of one that may lose what it confirmed.
pub async fn look(connection: &mut AnyConnection) -> Result<(), StoreError> {
    let encoding = setting(connection, "server_encoding").await?;
    if encoding != "UTF8" {
        return Err(StoreError::Unusable(format!(
            "the database's encoding is {encoding}: make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        )));
    }
    for warning in risks(connection).await? {
        tracing::warn!("{warning}");
    }
    Ok(())
}

/// What would lose a confirmed alert when a server fails.
pub async fn risks(connection: &mut AnyConnection) -> Result<Vec<String>, StoreError> {
    let mut risks = Vec::new();
    for name in ["fsync", "full_page_writes"] {
        if setting(connection, name).await? == "off" {
            risks.push(format!(
                "Postgres runs with {name} = off: a power failure can damage the database; set it to on"
            ));
        }
    }
    let commit = setting(connection, "synchronous_commit").await?;
    if commit == "off" {
        risks.push(
            "Postgres runs with synchronous_commit = off: alerts that were acknowledged are lost when it crashes; set it \
             to on"
                .to_owned(),
        );
    }
    let sql = "SELECT COUNT(*) FROM pg_stat_replication";
    let row = sqlx::query(sql).fetch_one(&mut *connection).await.map_err(|e| super::dialect::explain(&e))?;
    let standbys: i64 = row.try_get(0).map_err(|e| super::dialect::explain(&e))?;
    let names = setting(connection, "synchronous_standby_names").await?;
    if commit == "local" {
        risks.push(
            "Postgres runs with synchronous_commit = local: no standby has what was acknowledged, and a failover loses \
             it; set it to on"
                .to_owned(),
        );
    } else if standbys > 0 && names.is_empty() {
        risks.push(
            "Postgres has a standby, but synchronous_standby_names is empty: a failover loses alerts that were \
             acknowledged; name the standby there"
                .to_owned(),
        );
    }
    Ok(risks)
}

async fn setting(connection: &mut AnyConnection, name: &str) -> Result<String, StoreError> {
    let row = sqlx::query("SELECT current_setting($1)").bind(name).fetch_one(connection).await;
    row.and_then(|row| row.try_get(0)).map_err(|e| super::dialect::explain(&e))
}

/// What Postgres means. Codes: postgresql.org/docs/current/errcodes-appendix.html.
pub fn explain(e: &PgDatabaseError) -> StoreError {
    let said = e.message();
    match e.code() {
        // Lock not available, deadlock, serialization: another session was faster.
        "55P03" | "40001" | "40P01" => StoreError::Unavailable(format!(
            "another session holds the database ({said}); it goes on when that lets go"
        )),
        "53100" => {
            StoreError::Unavailable("the database's disk is full; free some space and it goes on by itself".to_owned())
        }
        "53300" => StoreError::Unavailable(format!("the database takes no more connections ({said})")),
        "25006" => StoreError::Unavailable(
            "this Postgres only reads (a standby?); it goes on when it is promoted, or name the primary".to_owned(),
        ),
        // Shutting down, crashed, starting, idle in a transaction for too long.
        "57P01" | "57P02" | "57P03" | "25P03" => StoreError::Unavailable(format!("the database went away ({said})")),
        "28000" | "28P01" => {
            StoreError::Unusable(format!("Postgres does not let us in ({said}); mend user and password in the URL"))
        }
        "3D000" => StoreError::Unusable(format!("{said}; make it with CREATE DATABASE, or mend the URL")),
        "42501" => StoreError::Unusable(format!("{said}: our user needs to own its schema in this database")),
        // Damaged data, damaged index.
        "XX001" | "XX002" => {
            StoreError::Unusable(format!("the database is damaged: {said}; stop and restore a backup"))
        }
        code => StoreError::Unavailable(format!("{said} (SQLSTATE {code})")),
    }
}
