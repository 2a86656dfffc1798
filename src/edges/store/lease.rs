//! The lease: whose turn it is to write. One row with an epoch that rises with every owner, checked by every transaction.
//!
//! With SQLite the directory's lock is what keeps others out, and the row only counts. With Postgres the lease lasts a
//! while and is renewed; an owner that died is known by its directory, or by its silence.

use super::dialect::{Dialect, explain};
use super::place::{Lock, Place};
use crate::flow::moment::At;
use crate::ports::StoreError;
use sqlx::{AnyConnection, Connection as _, Row as _};

/// Who we are, in the lease row.
#[derive(Clone, Debug)]
pub struct Holder {
    said: String,
    /// Of our directory, whose lock we hold: whoever else wrote it is dead.
    seat: Option<String>,
}

impl Holder {
    #[must_use]
    pub fn new(place: &Place, lock: &Lock) -> Self {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let host = Some(host.trim()).filter(|host| !host.is_empty()).unwrap_or("an unnamed host");
        let seat = lock.seat();
        let of = seat.as_ref().map(|seat| format!(" [{seat}]")).unwrap_or_default();
        let said = format!("pid {} on {host} with {}{of}", std::process::id(), place.dir().display());
        Self { said: super::dialect::text(&said).into_owned(), seat }
    }

    /// Whether this is what a process with our directory wrote.
    fn sat_here(&self, held: &str) -> bool {
        self.seat.as_ref().is_some_and(|seat| held.ends_with(&format!(" [{seat}]")))
    }
}

/// Without what only a program needs.
fn spoken(held: &str) -> &str {
    held.rsplit_once(" [").map_or(held, |(said, _)| said)
}

#[derive(Debug)]
pub enum Lease {
    Ours {
        epoch: i64,
        /// Of the owner before us.
        former: i64,
    },
    /// Another process writes, and was heard of not long ago.
    Held { by: String },
}

/// Takes the lease, unless another owner is alive. `used`: the highest epoch known to have been used; one that was used is
/// never used again, not even by a copy.
pub async fn take(
    connection: &mut AnyConnection,
    dialect: &Dialect,
    holder: &Holder,
    used: i64,
    now: At,
) -> Result<Lease, StoreError> {
    let fail = |e: sqlx::Error| explain(&e);
    let mut tx = connection.begin_with(dialect.begin()).await.map_err(fail)?;
    let row = sqlx::query(dialect.lease()).fetch_one(&mut *tx).await.map_err(fail)?;
    let (former, held): (i64, String) = (row.try_get(0).map_err(fail)?, row.try_get(1).map_err(fail)?);
    let left: i64 = row.try_get(2).map_err(fail)?;
    if left > 0 && !holder.sat_here(&held) {
        tx.rollback().await.map_err(fail)?;
        return Ok(Lease::Held { by: spoken(&held).to_owned() });
    }
    let epoch = former.max(used) + 1;
    dialect.take(&mut tx, epoch, &holder.said, now).await.map_err(fail)?;
    tx.commit().await.map_err(fail)?;
    Ok(Lease::Ours { epoch, former })
}

/// Refuses to go on in a transaction of somebody whose time is over.
pub async fn fence(transaction: &mut AnyConnection, dialect: &Dialect, epoch: i64) -> Result<(), StoreError> {
    let fail = |e: sqlx::Error| explain(&e);
    if dialect.fence(transaction, epoch).await.map_err(fail)? {
        return Ok(());
    }
    let row = sqlx::query("SELECT epoch, holder FROM lease WHERE id = 1").fetch_one(transaction).await.map_err(fail)?;
    let (found, holder): (i64, String) = (row.try_get(0).map_err(fail)?, row.try_get(1).map_err(fail)?);
    Err(StoreError::Unusable(format!(
        "another smokejumper took this database over ({}, epoch {found}, ours was {epoch}); this one ends",
        spoken(&holder)
    )))
}
