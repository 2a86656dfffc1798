//! Views: what a viewer may see. A private incident does not exist for those who are not in it.

use super::dialect::{explain, text};
use super::forget::UNHEARD_MS;
use super::journal::{self, small};
use super::pen::parse;
use super::reader::{Reader, alert, column};
use crate::flow::desk::{AlertState, Desk};
use crate::flow::effect::{Destination, Effect};
use crate::flow::fact::Entry;
use crate::flow::identity::{Identity, Platform};
use crate::flow::incident::{Incident, IncidentId};
use crate::flow::moment::At;
use crate::flow::privacy::{entry_mentions, mentions, veil, veil_entry, veil_message};
use crate::ports::{MAX_SAID, Said, StoreError, Views};
use async_trait::async_trait;
use std::collections::BTreeSet;

/// Snapshots read at a time, so that skipping many private ones takes no more memory.
const PAGE: i64 = 100;

#[async_trait]
impl Views for Reader {
    async fn list(&self, viewer: &Identity, closed: bool, limit: u32) -> Result<Vec<Incident>, StoreError> {
        let sql = "SELECT incident, body, fold, entries, (SELECT MAX(n) FROM journal AS j WHERE j.incident = s.incident) \
                   FROM snapshots AS s WHERE incident > 0 AND incident < $1 AND (open <> $2 OR fold <> $3) \
                   ORDER BY incident DESC LIMIT $4";
        let (mut found, mut before) = (Vec::new(), i64::MAX);
        loop {
            let query = sqlx::query(sql).bind(before).bind(i64::from(closed)).bind(super::schema::FOLD).bind(PAGE);
            let rows = query.fetch_all(self.pool()).await.map_err(|e| explain(&e))?;
            for row in &rows {
                before = column(row, 0)?;
                let incident = self.snapshot(row).await?;
                if found.len() < limit as usize && incident.admits(viewer) && incident.is_open() != closed {
                    found.push(self.veiled(incident).await?);
                }
            }
            if found.len() >= limit as usize || super::pen::int(rows.len()) < PAGE {
                return Ok(found);
            }
        }
    }

    async fn incident(&self, viewer: &Identity, id: IncidentId) -> Result<Option<Incident>, StoreError> {
        match self.load(id).await?.filter(|incident| incident.admits(viewer)) {
            Some(incident) => Ok(Some(self.veiled(incident).await?)),
            None => Ok(None),
        }
    }

    async fn entries(&self, viewer: &Identity, id: IncidentId) -> Result<Vec<Entry>, StoreError> {
        if self.incident(viewer, id).await?.is_none() {
            return Ok(Vec::new());
        }
        self.veiled_entries(id).await
    }

    async fn alerts(&self, viewer: &Identity, id: IncidentId, limit: u32) -> Result<Vec<AlertState>, StoreError> {
        if self.incident(viewer, id).await?.is_none() {
            return Ok(Vec::new());
        }
        let sql = "SELECT body FROM alerts WHERE incident = $1 ORDER BY last_seen DESC, source, fingerprint LIMIT $2";
        let query = sqlx::query(sql).bind(i64::from(id.0)).bind(i64::from(limit));
        query.fetch_all(self.pool()).await.map_err(|e| explain(&e))?.iter().map(alert).collect()
    }

    async fn loose(&self, _viewer: &Identity, limit: u32) -> Result<Vec<AlertState>, StoreError> {
        // What has not been heard of for long is on its way out.
        let since = self.now().plus(-UNHEARD_MS);
        let sql = "SELECT body FROM alerts AS a WHERE status = 'firing' AND last_seen >= $2 AND (incident IS NULL OR EXISTS \
                   (SELECT 1 FROM snapshots AS s WHERE s.incident = a.incident AND s.open = 0 AND s.private = 0)) \
                   ORDER BY last_seen DESC, source, fingerprint LIMIT $1";
        let query = sqlx::query(sql).bind(i64::from(limit)).bind(since.0);
        query.fetch_all(self.pool()).await.map_err(|e| explain(&e))?.iter().map(alert).collect()
    }

    async fn said(&self, viewer: &Identity, id: IncidentId, platform: Platform) -> Result<Vec<Said>, StoreError> {
        if self.incident(viewer, id).await?.is_none() {
            return Ok(Vec::new());
        }
        // What was told is enough; only without it the effect is read. Cards are told often, and belong elsewhere.
        let sql = "SELECT op, settled_at, said, CASE WHEN said IS NULL THEN effect END FROM outbox \
                   WHERE incident = $1 AND destination = $2 AND supersedes IS NULL AND state IN ('sent', 'reconciled') \
                   ORDER BY id DESC LIMIT $3";
        let query = sqlx::query(sql).bind(i64::from(id.0)).bind(Destination::Room(platform).key());
        let rows = query.bind(super::pen::int(MAX_SAID)).fetch_all(self.pool()).await.map_err(|e| explain(&e))?;
        let mut all = Vec::with_capacity(rows.len());
        let hidden = self.hidden_from(id).await?;
        for row in rows.iter().rev() {
            let mut message = match (column::<Option<String>>(row, 2)?, column::<Option<String>>(row, 3)?) {
                (Some(told), _) => parse("message", &told)?,
                (None, Some(effect)) => {
                    let Effect::Say { message, .. } = parse("effect", &effect)? else { continue };
                    *message
                }
                (None, None) => continue,
            };
            if !veil_message(&mut message, &hidden) {
                continue;
            }
            all.push(Said { op: column(row, 0)?, at: At(column(row, 1)?), message });
        }
        Ok(all)
    }

    async fn desk(&self) -> Result<Desk, StoreError> {
        self.desk_row().await
    }

    async fn incident_of_room(&self, platform: Platform, room: &str) -> Result<Option<IncidentId>, StoreError> {
        let sql = "SELECT incident FROM room WHERE platform = $1 AND id = $2";
        let query = sqlx::query(sql).bind(platform.label()).bind(text(room).into_owned());
        let row = query.fetch_optional(self.pool()).await.map_err(|e| explain(&e))?;
        row.map(|row| column(&row, 0)).transpose().map(|incident| incident.map(small).map(IncidentId))
    }
}

impl Reader {
    /// As it may be shown: what was once suggested in it names no incident that is private now.
    pub(super) async fn veiled(&self, mut incident: Incident) -> Result<Incident, StoreError> {
        if incident.suggestion.as_ref().is_some_and(mentions) {
            let hidden = self.hidden_from(incident.id).await?;
            veil(&mut incident, &hidden);
        }
        Ok(incident)
    }

    /// All entries of an incident, as they may be shown.
    pub(super) async fn veiled_entries(&self, id: IncidentId) -> Result<Vec<Entry>, StoreError> {
        let mut entries = journal::entries(self.pool(), id).await?;
        if entries.iter().any(entry_mentions) {
            let hidden = self.hidden_from(id).await?;
            for entry in &mut entries {
                veil_entry(entry, &hidden);
            }
        }
        Ok(entries)
    }

    /// What must not be told of in this incident: every private one but itself.
    pub(super) async fn hidden_from(&self, id: IncidentId) -> Result<BTreeSet<IncidentId>, StoreError> {
        let mut hidden = self.desk_row().await?.private;
        hidden.remove(&id);
        Ok(hidden)
    }

    /// The card as a room last got it, with the platform's id of it.
    pub async fn card(
        &self,
        viewer: &Identity,
        id: IncidentId,
        platform: Platform,
    ) -> Result<Option<(Said, Option<String>)>, StoreError> {
        if self.incident(viewer, id).await?.is_none() {
            return Ok(None);
        }
        let sql = "SELECT op, settled_at, said, remote FROM outbox WHERE incident = $1 AND destination = $2 \
                   AND supersedes = 'card' AND said IS NOT NULL AND state IN ('sent', 'reconciled') ORDER BY id DESC LIMIT 1";
        let query = sqlx::query(sql).bind(i64::from(id.0)).bind(Destination::Room(platform).key());
        let Some(row) = query.fetch_optional(self.pool()).await.map_err(|e| explain(&e))? else { return Ok(None) };
        let mut message = parse("card", &column::<String>(&row, 2)?)?;
        // A card's title is its own incident's.
        let _ = veil_message(&mut message, &self.hidden_from(id).await?);
        Ok(Some((Said { op: column(&row, 0)?, at: At(column(&row, 1)?), message }, column(&row, 3)?)))
    }
}
