//! Reading what was committed: for the engine's restart, for views, for other processes. Never writes.
//!
//! Every statement sees all that was committed before it. Snapshots are trusted only as far as the journal agrees.

use super::dialect::{Dialect, explain};
use super::forget::{ALERTS_REMEMBERED_MS, UNHEARD_MS};
use super::journal::{entries, small};
use super::pen::parse;
use super::place::Place;
use super::schema::FOLD;
use super::{inbox, journal};
use crate::flow::State;
use crate::flow::desk::{AlertState, Desk};
use crate::flow::fact::Fact;
use crate::flow::incident::{Incident, IncidentId};
use crate::flow::moment::At;
use crate::flow::recollection::Lesson;
use crate::ports::{Clock, StoreError, Waiting};
use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row as _};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// Reads one database. Clones share a small pool of connections.
#[derive(Clone)]
pub struct Reader {
    pool: AnyPool,
    dialect: Dialect,
    place: Place,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("dir", &self.place.dir()).finish_non_exhaustive()
    }
}

/// How much there is to do, for readiness and the operator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Deliveries whose turn has not come.
    pub waiting: u64,
    /// How long the oldest of them has waited.
    pub oldest_ms: Option<i64>,
    /// Outbox rows by state: `pending`, `sending`, `unknown`, `dead`. What was sent is not counted.
    pub outbox: BTreeMap<String, u64>,
    pub dead_letters: u64,
    /// Entries in the journal.
    pub entries: u64,
}

impl Reader {
    pub(super) fn new(pool: AnyPool, dialect: Dialect, place: Place, clock: Arc<dyn Clock>) -> Self {
        Self { pool, dialect, place, clock }
    }

    pub(super) fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    pub(super) fn now(&self) -> At {
        self.clock.now()
    }

    pub(super) fn pool(&self) -> &AnyPool {
        &self.pool
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// The data directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.place.dir()
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }

    pub(super) async fn waiting(&self, limit: u32) -> Result<Vec<Waiting>, StoreError> {
        inbox::waiting(&self.pool, limit).await
    }

    pub async fn counts(&self) -> Result<Counts, StoreError> {
        let sql = "SELECT COUNT(*), MIN(at) FROM inbox WHERE processed IS NULL";
        let row = self.one(sql).await?;
        let (waiting, oldest): (i64, Option<i64>) = (column(&row, 0)?, column(&row, 1)?);
        let sql = "SELECT state, COUNT(*) FROM outbox WHERE state IN ('pending', 'sending', 'unknown', 'dead') GROUP BY state";
        let mut outbox = BTreeMap::new();
        for row in sqlx::query(sql).fetch_all(&self.pool).await.map_err(|e| explain(&e))? {
            outbox.insert(column(&row, 0)?, column::<i64>(&row, 1)?.unsigned_abs());
        }
        let dead_letters: i64 = column(&self.one("SELECT COUNT(*) FROM dead_letter").await?, 0)?;
        let entries: i64 = column(&self.one("SELECT seq FROM head WHERE id = 1").await?, 0)?;
        Ok(Counts {
            waiting: waiting.unsigned_abs(),
            oldest_ms: oldest.map(|at| self.clock.now().since(At(at))),
            outbox,
            dead_letters: dead_letters.unsigned_abs(),
            entries: entries.unsigned_abs(),
        })
    }

    /// What closed incidents taught after position `after` of the journal, each with its own: from 0 on, all that is
    /// needed to build the index anew. Without private incidents, without those that became part of another, and without what was
    /// erased.
    pub async fn lessons(&self, after: u64) -> Result<Vec<(u64, Lesson)>, StoreError> {
        let sql = "SELECT j.incident, j.n, j.at, j.actor, j.kind, j.v, j.body, j.seq FROM journal AS j \
                   LEFT JOIN snapshots AS s ON s.incident = j.incident \
                   WHERE j.seq > $1 AND j.kind = 'learned' AND j.body IS NOT NULL AND COALESCE(s.private, 0) = 0 \
                   AND COALESCE(s.state, '') <> 'merged' ORDER BY j.seq";
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let mut lessons = Vec::new();
        for row in sqlx::query(sql).bind(after).fetch_all(&self.pool).await.map_err(|e| explain(&e))? {
            if let Fact::Learned(lesson) = journal::entry(&row)?.fact {
                lessons.push((column::<i64>(&row, 7)?.unsigned_abs(), lesson));
            }
        }
        Ok(lessons)
    }

    /// Incidents of which something was erased, rewritten, hidden or merged away after position `after` of the journal: what was
    /// taught of them before may be true no more. And the position of the last such entry.
    pub async fn untaught(&self, after: u64) -> Result<(BTreeSet<IncidentId>, u64), StoreError> {
        let sql = "SELECT incident, MAX(seq) FROM journal WHERE seq > $1 AND incident > 0 \
                   AND kind IN ('redacted', 'rewritten', 'made_private', 'merged') GROUP BY incident";
        let query = sqlx::query(sql).bind(i64::try_from(after).unwrap_or(i64::MAX));
        let (mut found, mut last) = (BTreeSet::new(), after);
        for row in query.fetch_all(&self.pool).await.map_err(|e| explain(&e))? {
            found.insert(IncidentId(small(column(&row, 0)?)));
            last = last.max(column::<i64>(&row, 1)?.unsigned_abs());
        }
        Ok((found, last))
    }

    /// Everything the flow looks at, as it is stored now.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn state(&self) -> Result<State, StoreError> {
        self.restore().await
    }

    pub(super) async fn restore(&self) -> Result<State, StoreError> {
        let mut desk = self.desk_row().await?;
        let sql = "SELECT body FROM alerts WHERE status = 'resolved' AND last_seen >= $1 OR status = 'firing' AND \
                   (last_seen >= $2 OR incident IN (SELECT incident FROM snapshots WHERE open = 1))";
        let now = self.clock.now();
        let (resolved, firing) = (now.plus(-ALERTS_REMEMBERED_MS), now.plus(-UNHEARD_MS));
        for row in
            sqlx::query(sql).bind(resolved.0).bind(firing.0).fetch_all(&self.pool).await.map_err(|e| explain(&e))?
        {
            desk.note(alert(&row)?);
        }
        let sql = "SELECT incident, body, fold, entries, (SELECT MAX(n) FROM journal AS j WHERE j.incident = s.incident) \
                   FROM snapshots AS s WHERE incident > 0 AND (open = 1 OR fold <> $1) ORDER BY incident";
        let mut incidents = BTreeMap::new();
        for row in sqlx::query(sql).bind(FOLD).fetch_all(&self.pool).await.map_err(|e| explain(&e))? {
            let incident = self.snapshot(&row).await?;
            if incident.is_open() {
                incidents.insert(incident.id, incident);
            }
        }
        Ok(State { desk, incidents })
    }

    /// The house has entries, and is no incident.
    pub(super) async fn load(&self, id: IncidentId) -> Result<Option<Incident>, StoreError> {
        if id == IncidentId::HOUSE {
            return Ok(None);
        }
        let sql = "SELECT incident, body, fold, entries, (SELECT MAX(n) FROM journal AS j WHERE j.incident = s.incident) \
                   FROM snapshots AS s WHERE incident = $1";
        let row = sqlx::query(sql).bind(i64::from(id.0)).fetch_optional(&self.pool).await.map_err(|e| explain(&e))?;
        if let Some(row) = row {
            return self.snapshot(&row).await.map(Some);
        }
        let entries = entries(&self.pool, id).await?;
        Ok((!entries.is_empty()).then(|| Incident::fold(id, &entries)))
    }

    /// From the columns incident, body, fold, entries, and the journal's own count; folded again when they disagree.
    pub(super) async fn snapshot(&self, row: &AnyRow) -> Result<Incident, StoreError> {
        let id = IncidentId(small(column(row, 0)?));
        let (fold, known): (i64, i64) = (column(row, 2)?, column(row, 3)?);
        let written: Option<i64> = column(row, 4)?;
        if fold == FOLD && written.is_none_or(|n| n == known) {
            let body: String = column(row, 1)?;
            match serde_json::from_str(&body) {
                Ok(incident) => return Ok(incident),
                Err(e) => {
                    tracing::warn!(incident = %id, error = %e, "a snapshot cannot be read; folding the journal again");
                }
            }
        }
        Ok(Incident::fold(id, &entries(&self.pool, id).await?))
    }

    pub(super) async fn desk_row(&self) -> Result<Desk, StoreError> {
        parse("desk", &column::<String>(&self.one("SELECT body FROM desk WHERE id = 1").await?, 0)?)
    }

    pub(super) async fn one(&self, sql: &'static str) -> Result<AnyRow, StoreError> {
        sqlx::query(sql).fetch_one(&self.pool).await.map_err(|e| explain(&e))
    }
}

/// An alert from the column body.
pub(super) fn alert(row: &AnyRow) -> Result<AlertState, StoreError> {
    parse("alert", &column::<String>(row, 0)?)
}

pub(super) fn column<T>(row: &AnyRow, i: usize) -> Result<T, StoreError>
where
    for<'r> T: sqlx::Decode<'r, sqlx::Any> + sqlx::Type<sqlx::Any>,
{
    row.try_get(i).map_err(|e| explain(&e))
}
