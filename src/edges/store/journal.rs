//! Writing a turn, whole: facts into the chain, alert states, effects, snapshots, the desk. And reading entries back.

use super::chain::{Link, commit, salt};
use super::dialect::{explain, text};
use super::pen::{Pen, Trouble, json, parse};
use super::schema::FOLD;
use crate::flow::desk::{AlertState, Desk};
use crate::flow::fact::{Entry, Fact};
use crate::flow::identity::Actor;
use crate::flow::incident::{Incident, IncidentId};
use crate::flow::moment::At;
use crate::flow::signal::AlertStatus;
use crate::ports::{Commit, StoreError};
use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row as _};
use std::collections::BTreeMap;

impl Pen<'_> {
    pub async fn commit(&mut self, commits: &[Commit]) -> Result<(), Trouble> {
        // Where each incident's journal ends, as this job sees it.
        let mut ends = BTreeMap::new();
        self.wrote = true;
        for commit in commits {
            if let Some(id) = commit.processed {
                self.processed(id).await?;
            }
            for entry in &commit.entries {
                self.append(entry, &mut ends).await?;
            }
            for alert in &commit.alerts {
                self.note(alert).await?;
            }
            for (id, progress) in &commit.outbox {
                self.progress(*id, progress).await?;
            }
            for (op, effect) in &commit.effects {
                self.queue(op, effect).await?;
            }
            for incident in &commit.incidents {
                self.snapshot(incident).await?;
            }
            if let Some(desk) = &commit.desk {
                self.desk(desk).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn append(&mut self, entry: &Entry, ends: &mut BTreeMap<IncidentId, i64>) -> Result<(), Trouble> {
        let (incident, n) = (i64::from(entry.incident.0), i64::from(entry.n));
        let end = if let Some(end) = ends.get(&entry.incident) {
            *end
        } else {
            let sql = "SELECT COALESCE(MAX(n), 0) FROM journal WHERE incident = $1";
            sqlx::query(sql).bind(incident).fetch_one(&mut *self.connection).await?.try_get(0)?
        };
        if n != end + 1 {
            return Err(Trouble::conflict(format!("{} has {end} entries, so {n} is not the next", entry.incident)));
        }
        let (kind, body) = entry.fact.encode().map_err(|e| Trouble::Job(StoreError::Unusable(e.to_string())))?;
        let actor = json(&entry.by).map_err(Trouble::Job)?;
        let salt = salt()
            .ok_or_else(|| Trouble::Job(StoreError::Unavailable("the system gives no random numbers".to_owned())))?;
        let commitment = commit(&salt, &body);
        let (seq, v) = (self.head.seq + 1, i64::from(Fact::VERSION));
        let link = Link { seq, incident, n, kind: &kind, v, at: entry.at.0, actor: &actor, commitment: &commitment };
        let chain = self.key.extend(&self.head.chain, &link);
        let sql = "INSERT INTO journal (seq, incident, n, kind, v, at, actor, body, salt, commitment, chain, epoch) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
        let query = sqlx::query(sql).bind(seq).bind(incident).bind(n).bind(&kind).bind(v).bind(entry.at.0);
        let query = query.bind(&actor).bind(&body).bind(&salt).bind(&commitment).bind(&chain).bind(self.epoch);
        query.execute(&mut *self.connection).await?;
        if let Fact::Redacted { n } = &entry.fact {
            let sql = "UPDATE journal SET body = NULL, salt = NULL WHERE incident = $1 AND n = $2 AND n < $3";
            let query = sqlx::query(sql).bind(incident).bind(i64::from(*n)).bind(i64::from(entry.n));
            query.execute(&mut *self.connection).await?;
        }
        if let Fact::RoomOpened { platform, room } = &entry.fact {
            let sql = "INSERT INTO room (platform, id, incident) VALUES ($1, $2, $3) \
                       ON CONFLICT (platform, id) DO UPDATE SET incident = $3";
            let query = sqlx::query(sql).bind(platform.label()).bind(text(&room.id).into_owned()).bind(incident);
            query.execute(&mut *self.connection).await?;
        }
        self.head.seq = seq;
        self.head.chain = chain;
        ends.insert(entry.incident, n);
        Ok(())
    }

    async fn note(&mut self, alert: &AlertState) -> Result<(), Trouble> {
        let status = match alert.status {
            AlertStatus::Firing => "firing",
            AlertStatus::Resolved => "resolved",
        };
        let body = json(alert).map_err(Trouble::Job)?;
        let sql = "INSERT INTO alerts (source, fingerprint, incident, status, last_seen, body, epoch) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (source, fingerprint) DO UPDATE SET \
                   incident = $3, status = $4, last_seen = $5, body = $6, epoch = $7";
        let query = sqlx::query(sql).bind(text(&alert.key.source).into_owned());
        let query = query.bind(text(&alert.key.fingerprint).into_owned());
        let query = query.bind(alert.incident.map(|i| i64::from(i.0))).bind(status).bind(alert.last_seen.0);
        query.bind(body).bind(self.epoch).execute(&mut *self.connection).await?;
        self.came += 1;
        Ok(())
    }

    pub(super) async fn snapshot(&mut self, incident: &Incident) -> Result<(), Trouble> {
        let body = json(incident).map_err(Trouble::Job)?;
        let sql = "INSERT INTO snapshots (incident, entries, state, open, private, fold, body, epoch) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (incident) DO UPDATE SET \
                   entries = $2, state = $3, open = $4, private = $5, fold = $6, body = $7, epoch = $8";
        let query = sqlx::query(sql).bind(i64::from(incident.id.0)).bind(i64::from(incident.entries));
        let query = query.bind(incident.state.0.label()).bind(i64::from(incident.is_open()));
        let query = query.bind(i64::from(incident.private)).bind(FOLD).bind(body).bind(self.epoch);
        query.execute(&mut *self.connection).await?;
        Ok(())
    }

    pub(super) async fn desk(&mut self, desk: &Desk) -> Result<(), Trouble> {
        let version = i64::try_from(desk.version).unwrap_or(i64::MAX);
        let body = json(desk).map_err(Trouble::Job)?;
        let sql = "UPDATE desk SET version = $1, body = $2, epoch = $3 WHERE id = 1 AND version = $4";
        let query = sqlx::query(sql).bind(version).bind(body).bind(self.epoch).bind(version - 1);
        if query.execute(&mut *self.connection).await?.rows_affected() == 1 {
            return Ok(());
        }
        Err(Trouble::conflict(format!("the desk is not at version {} any more", version - 1)))
    }
}

/// An entry from the columns incident, n, at, actor, kind, v, body. One whose payload was erased says so in its place.
pub fn entry(row: &AnyRow) -> Result<Entry, StoreError> {
    let sql = |e: sqlx::Error| explain(&e);
    let number = |i: usize| -> Result<u32, StoreError> { Ok(small(row.try_get(i).map_err(sql)?)) };
    let (incident, n) = (IncidentId(number(0)?), number(1)?);
    let at = At(row.try_get(2).map_err(sql)?);
    let actor: String = row.try_get(3).map_err(sql)?;
    let by: Actor = parse("actor", &actor)?;
    let body: Option<String> = row.try_get(6).map_err(sql)?;
    let fact = match body {
        None => Fact::Redacted { n },
        Some(body) => {
            let kind: String = row.try_get(4).map_err(sql)?;
            Fact::decode(&kind, number(5)?, &body)
                .map_err(|e| StoreError::Unusable(format!("entry {n} of {incident} cannot be read: {e}")))?
        }
    };
    Ok(Entry { incident, n, at, by, fact })
}

/// All entries of an incident, oldest first.
pub async fn entries(pool: &AnyPool, id: IncidentId) -> Result<Vec<Entry>, StoreError> {
    let sql = "SELECT incident, n, at, actor, kind, v, body FROM journal WHERE incident = $1 ORDER BY n";
    let rows = sqlx::query(sql).bind(i64::from(id.0)).fetch_all(pool).await.map_err(|e| explain(&e))?;
    rows.iter().map(entry).collect()
}

/// A number that was stored from a `u32`.
pub fn small(n: i64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
