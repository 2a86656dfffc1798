//! Erasing on purpose: what an ended incident said, and who somebody was. In the writer's transaction, with its record in the chain.
//!
//! A payload that is erased leaves its commitment; an entry that is rewritten leaves its old link in the chain, and the new one in
//! a `rewritten` fact. Verification accepts both, and nothing else.

use super::chain::{Link, commit, salt};
use super::dialect::explain;
use super::journal::entry;
use super::pen::{Pen, Trouble, json, parse};
use super::reader::{Reader, column};
use crate::flow::desk::Desk;
use crate::flow::erasing::{Forgotten, PURGED, purge};
use crate::flow::fact::{Entry, Fact, Rewrite};
use crate::flow::identity::Actor;
use crate::flow::incident::{Incident, IncidentId};
use crate::flow::moment::At;
use crate::ports::StoreError;
use serde_json::Value;
use sqlx::Row as _;
use std::collections::{BTreeMap, BTreeSet};

/// Entries read at a time.
const PAGE: u32 = 500;

impl Pen<'_> {
    /// Erases what an ended incident said; how many entries that were.
    pub async fn purge(&mut self, id: IncidentId, by: &Actor) -> Result<u64, Trouble> {
        let entries = self.entries(id).await?;
        let before = Incident::fold(id, &entries);
        if entries.is_empty() || id == IncidentId::HOUSE {
            return Err(Trouble::conflict(format!("there is no {id}")));
        }
        if before.is_open() {
            return Err(Trouble::conflict(format!("{id} is still open; resolve it first")));
        }
        let more = purge(&before, &entries, by, self.now);
        if more.is_empty() {
            return Ok(0);
        }
        let erased = more.iter().filter(|entry| matches!(entry.fact, Fact::Redacted { .. })).count();
        self.write_down(&more).await?;
        let number = i64::from(id.0);
        // Of a run stays that there was one: the file of started runs beside the database names it, too.
        let sql = "DELETE FROM outbox WHERE incident = $1 AND run = 0 AND state IN ('sent', 'reconciled', 'superseded', 'dead')";
        sqlx::query(sql).bind(number).execute(&mut *self.connection).await?;
        let sql = "UPDATE outbox SET error = NULL, said = NULL WHERE incident = $1";
        sqlx::query(sql).bind(number).execute(&mut *self.connection).await?;
        let sql = "DELETE FROM alerts WHERE incident = $1 AND status = 'resolved'";
        sqlx::query(sql).bind(number).execute(&mut *self.connection).await?;
        let mut desk = self.stored_desk().await?;
        desk.owed.retain(|owed| owed.incident != id);
        desk.version += 1;
        self.desk(&desk).await?;
        self.fold_again(id).await?;
        Ok(erased as u64)
    }

    /// Takes a person out of one incident, or out of the house; how many entries were rewritten.
    pub async fn forget_person(&mut self, id: IncidentId, who: &Forgotten, by: &Actor) -> Result<u64, Trouble> {
        let sql = "SELECT seq, n, kind, v, at, actor, body FROM journal WHERE incident = $1 ORDER BY n";
        let rows = sqlx::query(sql).bind(i64::from(id.0)).fetch_all(&mut *self.connection).await?;
        let (mut rewritten, mut last) = (Vec::new(), 0);
        for row in &rows {
            let (seq, n, kind): (i64, i64, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            last = n;
            let (actor, body): (String, Option<String>) = (row.try_get(5)?, row.try_get(6)?);
            let new_actor = scrubbed(who, &actor)?;
            let new_body = body.as_deref().map(|body| scrubbed(who, body)).transpose()?.flatten();
            if new_actor.is_none() && new_body.is_none() {
                continue;
            }
            let actor = new_actor.unwrap_or(actor);
            let former = sqlx::query("SELECT chain FROM journal WHERE seq = $1").bind(seq - 1);
            let former: Option<String> =
                former.fetch_optional(&mut *self.connection).await?.map(|row| row.try_get(0)).transpose()?;
            let fresh: String = if let Some(body) = &new_body {
                let salt = salt().ok_or_else(no_random)?;
                let commitment = commit(&salt, body);
                let sql = "UPDATE journal SET actor = $1, body = $2, salt = $3, commitment = $4 WHERE seq = $5";
                let query = sqlx::query(sql).bind(&actor).bind(body).bind(salt).bind(&commitment).bind(seq);
                query.execute(&mut *self.connection).await?;
                commitment
            } else {
                let sql = "UPDATE journal SET actor = $1 WHERE seq = $2";
                sqlx::query(sql).bind(&actor).bind(seq).execute(&mut *self.connection).await?;
                let row = sqlx::query("SELECT commitment FROM journal WHERE seq = $1").bind(seq);
                row.fetch_one(&mut *self.connection).await?.try_get(0)?
            };
            let (v, at) = (row.try_get(3)?, row.try_get(4)?);
            let link =
                Link { seq, incident: i64::from(id.0), n, kind: &kind, v, at, actor: &actor, commitment: &fresh };
            let link = self.key.extend(former.as_deref().unwrap_or_default(), &link);
            rewritten.push(Rewrite { n: super::journal::small(n), link });
        }
        self.scrub_outbox(id, who).await?;
        if rewritten.is_empty() {
            return Ok(0);
        }
        let number = rewritten.len() as u64;
        let fact = Fact::Rewritten { entries: rewritten };
        let n = super::journal::small(last + 1);
        let record = Entry { incident: id, n, at: self.now, by: by.clone(), fact };
        if id == IncidentId::HOUSE {
            let mut desk: Value = self.stored_desk().await.and_then(|d| serde_json::to_value(d).map_err(unfit))?;
            who.scrub(&mut desk);
            let mut desk: Desk = serde_json::from_value(desk).map_err(unfit)?;
            desk.apply_own(&record);
            desk.version += 1;
            self.write_down(&[record]).await?;
            self.desk(&desk).await?;
        } else {
            self.write_down(&[record]).await?;
            self.fold_again(id).await?;
        }
        Ok(number)
    }

    async fn scrub_outbox(&mut self, id: IncidentId, who: &Forgotten) -> Result<(), Trouble> {
        let sql = "SELECT id, effect, said FROM outbox WHERE incident = $1";
        for row in sqlx::query(sql).bind(i64::from(id.0)).fetch_all(&mut *self.connection).await? {
            let (effect, said): (String, Option<String>) = (row.try_get(1)?, row.try_get(2)?);
            let new_effect = scrubbed(who, &effect)?;
            let new_said = said.as_deref().map(|said| scrubbed(who, said)).transpose()?.flatten();
            if new_effect.is_some() || new_said.is_some() {
                let query = sqlx::query("UPDATE outbox SET effect = $1, said = $2 WHERE id = $3");
                let query =
                    query.bind(new_effect.unwrap_or(effect)).bind(new_said.or(said)).bind(row.try_get::<i64, _>(0)?);
                query.execute(&mut *self.connection).await?;
                self.wrote = true;
            }
        }
        Ok(())
    }

    async fn entries(&mut self, id: IncidentId) -> Result<Vec<Entry>, Trouble> {
        let sql = "SELECT incident, n, at, actor, kind, v, body FROM journal WHERE incident = $1 ORDER BY n";
        let rows = sqlx::query(sql).bind(i64::from(id.0)).fetch_all(&mut *self.connection).await?;
        rows.iter().map(entry).collect::<Result<_, _>>().map_err(Trouble::Job)
    }

    async fn write_down(&mut self, entries: &[Entry]) -> Result<(), Trouble> {
        self.wrote = true;
        let mut ends = BTreeMap::new();
        for entry in entries {
            self.append(entry, &mut ends).await?;
        }
        Ok(())
    }

    /// The snapshot is what the journal says now.
    async fn fold_again(&mut self, id: IncidentId) -> Result<(), Trouble> {
        let incident = Incident::fold(id, &self.entries(id).await?);
        self.snapshot(&incident).await
    }

    async fn stored_desk(&mut self) -> Result<Desk, Trouble> {
        let row = sqlx::query("SELECT body FROM desk WHERE id = 1").fetch_one(&mut *self.connection).await?;
        parse("desk", &row.try_get::<String, _>(0)?).map_err(Trouble::Job)
    }
}

impl Reader {
    /// Ended incidents that ended before this and still say something, oldest first.
    pub async fn ended_before(&self, before: At, limit: usize) -> Result<Vec<Incident>, StoreError> {
        let sql = "SELECT incident FROM snapshots WHERE incident > $1 AND open = 0 ORDER BY incident LIMIT 100";
        let (mut found, mut after) = (Vec::new(), 0_i64);
        loop {
            let rows = sqlx::query(sql).bind(after).fetch_all(self.pool()).await.map_err(|e| explain(&e))?;
            for row in &rows {
                after = column(row, 0)?;
                let Some(incident) = self.load(IncidentId(super::journal::small(after))).await? else { continue };
                let ended = incident.times.resolved.is_some_and(|at| at < before);
                if ended && !incident.is_open() && incident.title != PURGED && found.len() < limit {
                    found.push(incident);
                }
            }
            if rows.is_empty() || found.len() >= limit {
                return Ok(found);
            }
        }
    }

    /// Everywhere a person may be named: incidents, and the house. Reads the whole journal.
    pub async fn named(&self, who: &Forgotten) -> Result<Vec<IncidentId>, StoreError> {
        let names = who.identities.iter().map(|identity| identity.id.as_str()).chain([who.person.0.as_str()]);
        let names: BTreeSet<String> = names.map(|name| format!("\"{name}\"")).collect();
        let (mut found, mut after) = (BTreeSet::new(), 0_i64);
        loop {
            let page = self.trail(after, PAGE, true).await?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            let names = |text: &str| names.iter().any(|name| text.contains(name));
            let of_them = page.iter().filter(|e| names(&e.actor) || e.body.as_deref().is_some_and(names));
            found.extend(of_them.map(|e| IncidentId(e.incident)));
        }
        Ok(found.into_iter().collect())
    }
}

/// The document without them; `None`: they were not in it.
fn scrubbed(who: &Forgotten, document: &str) -> Result<Option<String>, Trouble> {
    let mut value: Value = serde_json::from_str(document).map_err(unfit)?;
    if who.scrub(&mut value) { json(&value).map(Some).map_err(Trouble::Job) } else { Ok(None) }
}

#[allow(clippy::needless_pass_by_value)] // as `map_err` hands it over
fn unfit(e: serde_json::Error) -> Trouble {
    Trouble::Job(StoreError::Unusable(format!("a stored document cannot be rewritten: {e}")))
}

fn no_random() -> Trouble {
    Trouble::Job(StoreError::Unavailable("the system gives no random numbers".to_owned()))
}
