//! Writing and reading the outbox: effects in lanes, each with what became of it.
//!
//! A *lane* is one incident at one destination, one in flight; whose turn it is, is in `lanes`. A row whose outcome is unknown
//! holds its lane until it is reconciled, but a run does not: only people can find out what became of it, and whoever approves the
//! next one has decided. `attempts` counts the attempts ever begun; whoever gets a row is told how many were begun before what comes
//! next. A row that reached `sent`, `reconciled`, `superseded` or `dead` never changes again. Of the card and the announcement only
//! what was told last is kept, and nothing of a row whose place a newer one took before it was sent.

use super::dialect::{explain, text};
use super::journal::small;
use super::pen::{Pen, Trouble, json, parse};
use crate::flow::effect::{CHATTER, Destination, Effect};
use crate::flow::incident::IncidentId;
use crate::flow::moment::{At, SECOND};
use crate::ports::{Outgoing, Progress, StoreError};
use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row as _};

/// When a row is due that nobody but people can look for.
pub(super) const NEVER: i64 = i64::MAX;
/// Chatter that has waited so long (ms) lets no further card go before it: neither keeps the other from being told for ever.
const OVERTAKEN_FOR: i64 = 10 * SECOND;

impl Pen<'_> {
    /// Queues an effect; an older pending one it makes pointless is dropped. The new one is not due before the one it
    /// takes over from, so that no update talks its way around a vendor's Retry-After (I9).
    pub async fn queue(&mut self, op: &str, effect: &Effect) -> Result<(), Trouble> {
        let (incident, destination) = (i64::from(effect.incident().0), effect.destination().key());
        let supersedes = effect.supersedes();
        let mut due = effect.due().unwrap_or(self.now).0;
        if let Some(key) = &supersedes {
            let sql = "DELETE FROM outbox WHERE incident = $1 AND destination = $2 AND supersedes = $3 \
                       AND state = 'pending' RETURNING due_at, attempts";
            let query = sqlx::query(sql).bind(incident).bind(&destination).bind(key);
            for row in query.fetch_all(&mut *self.connection).await? {
                let (was_due, attempts): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
                if attempts > 0 && effect.due().is_none() {
                    due = due.max(was_due);
                }
            }
        }
        self.wrote = true;
        let priority = self.place_of(effect, incident, &destination).await?;
        let id = self.head.outbox + 1;
        let body = json(effect).map_err(Trouble::Job)?;
        let sql = "INSERT INTO outbox (id, op, incident, destination, run, supersedes, effect, state, epoch, attempts, \
                   due_at, queued_at, priority) VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', $8, 0, $9, $10, $11)";
        let query = sqlx::query(sql).bind(id).bind(op).bind(incident).bind(destination);
        let query = query.bind(i64::from(effect.is_run())).bind(supersedes).bind(body).bind(self.epoch);
        query.bind(due).bind(self.now.0).bind(priority).execute(&mut *self.connection).await?;
        self.head.outbox = id;
        self.came += 1;
        Ok(())
    }

    /// Its priority; a card's is that of chatter when some of that has been overtaken for long.
    async fn place_of(&mut self, effect: &Effect, incident: i64, destination: &str) -> Result<i64, Trouble> {
        if !matches!(effect, Effect::Card { .. }) {
            return Ok(effect.priority());
        }
        let sql = "SELECT 1 FROM outbox WHERE incident = $1 AND destination = $2 AND priority = $3 AND state = 'pending' \
                   AND queued_at <= $4 LIMIT 1";
        let query = sqlx::query(sql).bind(incident).bind(destination).bind(CHATTER);
        let overtaken = query.bind(self.now.plus(-OVERTAKEN_FOR).0).fetch_optional(&mut *self.connection).await?;
        Ok(if overtaken.is_some() { CHATTER } else { effect.priority() })
    }

    /// What became of a row.
    pub async fn progress(&mut self, id: i64, progress: &Progress) -> Result<(), Trouble> {
        self.wrote = true;
        let sql = "SELECT state, run, op, supersedes, incident, destination FROM outbox WHERE id = $1";
        let Some(row) = sqlx::query(sql).bind(id).fetch_optional(&mut *self.connection).await? else {
            return Err(Trouble::conflict(format!("there is no outbox row {id}")));
        };
        let (state, run): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
        if !["pending", "sending", "unknown"].contains(&state.as_str()) {
            return Err(Trouble::conflict(format!("outbox row {id} is {state} already")));
        }
        let (next, why) = match progress {
            Progress::Sending => return self.start(id, &state, run, row.try_get(2)?).await,
            Progress::Again { at, why } => {
                if run == 1 && state != "pending" {
                    return Err(Trouble::conflict(format!("run {id} may have begun; it is never begun again")));
                }
                let sql = "UPDATE outbox SET state = 'pending', due_at = $1, error = $2 WHERE id = $3";
                sqlx::query(sql)
                    .bind(at.0)
                    .bind(text(why).into_owned())
                    .bind(id)
                    .execute(&mut *self.connection)
                    .await?;
                return Ok(());
            }
            Progress::Sent { remote, said } => {
                let next = if state == "unknown" { "reconciled" } else { "sent" };
                if let (Some(_), Some(key)) = (said, row.try_get::<Option<String>, _>(3)?) {
                    self.drop_older(id, row.try_get(4)?, &row.try_get::<String, _>(5)?, &key).await?;
                }
                let said = said.as_ref().map(json).transpose().map_err(Trouble::Job)?;
                let sql =
                    "UPDATE outbox SET state = $1, settled_at = $2, remote = $3, said = $4, error = NULL WHERE id = $5";
                let query = sqlx::query(sql)
                    .bind(next)
                    .bind(self.now.0)
                    .bind(remote.as_deref().map(|r| text(r).into_owned()))
                    .bind(said)
                    .bind(id);
                query.execute(&mut *self.connection).await?;
                return Ok(());
            }
            Progress::Look { at, why } => {
                if run == 1 {
                    return Err(Trouble::conflict(format!("run {id} is looked for by people only")));
                }
                let sql = "UPDATE outbox SET state = 'unknown', due_at = $1, settled_at = $2, error = $3 WHERE id = $4";
                let query = sqlx::query(sql).bind(at.0).bind(self.now.0).bind(why).bind(id);
                query.execute(&mut *self.connection).await?;
                return Ok(());
            }
            Progress::Unknown { why } => {
                let sql = "UPDATE outbox SET state = 'unknown', due_at = $1, settled_at = $2, error = $3 WHERE id = $4";
                let query = sqlx::query(sql).bind(NEVER).bind(self.now.0).bind(why).bind(id);
                query.execute(&mut *self.connection).await?;
                return Ok(());
            }
            Progress::Superseded { why } => ("superseded", why),
            Progress::Dead { why } => ("dead", why),
        };
        let sql = "UPDATE outbox SET state = $1, settled_at = $2, error = $3 WHERE id = $4";
        let query = sqlx::query(sql).bind(next).bind(self.now.0).bind(text(why).into_owned()).bind(id);
        query.execute(&mut *self.connection).await?;
        Ok(())
    }

    /// A card or an announcement that was told leaves nothing to say for those before it.
    async fn drop_older(&mut self, id: i64, incident: i64, destination: &str, key: &str) -> Result<(), Trouble> {
        let sql = "DELETE FROM outbox WHERE incident = $1 AND id < $2 AND destination = $3 AND supersedes = $4 \
                   AND state IN ('sent', 'reconciled', 'superseded')";
        let query = sqlx::query(sql).bind(incident).bind(id).bind(destination).bind(key);
        query.execute(&mut *self.connection).await?;
        Ok(())
    }

    /// A process is about to start: once for ever, and never in a restored database nobody has looked at.
    async fn start(&mut self, id: i64, state: &str, run: i64, op: String) -> Result<(), Trouble> {
        if run != 1 || state != "pending" {
            return Err(Trouble::conflict(format!("outbox row {id} is {state} and cannot be started")));
        }
        if self.restored {
            return Err(Trouble::conflict(
                "the database was restored from a copy; nothing runs until a person confirms",
            ));
        }
        if self.starts.contains(&op) {
            return Err(Trouble::conflict(format!("{op} was started before; nobody knows how it ended")));
        }
        let sql =
            "UPDATE outbox SET state = 'sending', epoch = $1, attempts = attempts + 1, attempt_at = $2 WHERE id = $3";
        let query = sqlx::query(sql).bind(self.epoch).bind(self.now.0).bind(id);
        query.execute(&mut *self.connection).await?;
        self.started.push(op);
        Ok(())
    }
}

/// Rows in one state. `unknown`: those of a former process (marked when this one took over), and those settled as such.
pub async fn standing(pool: &AnyPool, state: &str) -> Result<Vec<Outgoing>, StoreError> {
    let sql = "SELECT id, op, effect, attempts, queued_at FROM outbox \
               WHERE state IN ('pending', 'sending', 'unknown', 'dead') AND state = $1 ORDER BY id";
    read(&sqlx::query(sql).bind(state).fetch_all(pool).await.map_err(|e| explain(&e))?)
}

pub(super) fn read(rows: &[AnyRow]) -> Result<Vec<Outgoing>, StoreError> {
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        match outgoing(row).map_err(|e| explain(&e))? {
            Ok(outgoing) => found.push(outgoing),
            Err(e) => tracing::error!(error = %e, "an interrupted effect waits for a version that can read it"),
        }
    }
    Ok(found)
}

/// Rows of unknown outcome that may be looked for now. Those a former process left are given as `unknown` first, and then
/// settled as rows to look for.
pub async fn doubtful(pool: &AnyPool, now: At, limit: u32) -> Result<Vec<Outgoing>, StoreError> {
    let sql = "SELECT id, op, effect, attempts, queued_at FROM outbox \
               WHERE state IN ('pending', 'sending', 'unknown', 'dead') AND state = 'unknown' AND run = 0 AND due_at <= $1 ORDER BY due_at, id LIMIT $2";
    let query = sqlx::query(sql).bind(now.0).bind(i64::from(limit));
    read(&query.fetch_all(pool).await.map_err(|e| explain(&e))?)
}

/// The platform's id of what the newest delivered row with this key made.
pub async fn posted(
    pool: &AnyPool,
    incident: IncidentId,
    destination: Destination,
    key: &str,
) -> Result<Option<String>, StoreError> {
    let sql = "SELECT remote FROM outbox WHERE incident = $1 AND destination = $2 AND supersedes = $3 \
               AND remote IS NOT NULL AND state IN ('sent', 'reconciled') ORDER BY id DESC LIMIT 1";
    let query = sqlx::query(sql).bind(i64::from(incident.0)).bind(destination.key()).bind(key);
    let row = query.fetch_optional(pool).await.map_err(|e| explain(&e))?;
    row.map(|row| row.try_get(0)).transpose().map_err(|e| explain(&e))
}

/// A row from the columns id, op, effect, attempts, queued_at. Outer error: SQL. Inner: the effect does not parse.
pub fn outgoing(row: &AnyRow) -> sqlx::Result<Result<Outgoing, StoreError>> {
    let (id, op, effect) = (row.try_get(0)?, row.try_get(1)?, row.try_get::<String, _>(2)?);
    let (attempts, queued_at) = (small(row.try_get(3)?), At(row.try_get(4)?));
    Ok(parse("effect", &effect).map(|effect| Outgoing { id, op, effect, attempts, queued_at }))
}
