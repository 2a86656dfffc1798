//! Runs that are given up by storage itself: they wait in a restored copy, or their start could not be made safe.
//!
//! Each leaves an event behind, so that the flow and a person hear of it. Never starts anything.

use super::inbox::Row;
use super::outbox::outgoing;
use super::pen::{Pen, Trouble};
use crate::flow::effect::Effect;
use crate::flow::event::Event;
use crate::flow::fact::{Ended, RunOutcome};
use crate::ports::{Arrival, Outgoing, Progress, StoreError};
use sqlx::Row as _;

/// Ids left out after a restored copy: more than can be given between two anchors, so that none names two things.
const RESTORED_GAP: i64 = 10_000_000;

impl Pen<'_> {
    /// Leaves restored mode. A run that waited in the copy may have run since the copy was made, and one that was under way
    /// when it was made has ended somehow: both are given up.
    pub async fn confirm(&mut self) -> Result<(), Trouble> {
        let sql = "SELECT id, op, effect, attempts, queued_at, state FROM outbox \
                   WHERE run = 1 AND state IN ('pending', 'sending', 'unknown') ORDER BY id";
        for row in sqlx::query(sql).fetch_all(&mut *self.connection).await? {
            let run = outgoing(&row)?.map_err(Trouble::Job)?;
            let ended = if row.try_get::<String, _>(5)? == "pending" {
                let why = "not from this copy of the database; it may have run since the copy was made: look, \
                           then request it again";
                Ended::NotStarted { why: why.to_owned() }
            } else {
                Ended::Unknown { why: "the database was copied while it ran".to_owned() }
            };
            self.give_up(&run, "restored", ended).await?;
        }
        sqlx::query("DELETE FROM meta WHERE name = 'restored'").execute(&mut *self.connection).await?;
        self.head.inbox = self.head.inbox.max(self.anchored.inbox) + RESTORED_GAP;
        self.head.outbox = self.head.outbox.max(self.anchored.outbox) + RESTORED_GAP;
        self.wrote = true;
        Ok(())
    }

    /// The start of this run is stored but could not be anchored, and whoever wanted it was refused: it did not run.
    pub async fn not_started(&mut self, op: &str) -> Result<(), Trouble> {
        let sql = "SELECT id, op, effect, attempts, queued_at FROM outbox WHERE op = $1 AND state = 'sending'";
        let Some(row) = sqlx::query(sql).bind(op).fetch_optional(&mut *self.connection).await? else { return Ok(()) };
        let run = outgoing(&row)?.map_err(Trouble::Job)?;
        let why = "its start could not be written beside the database; is the disk full?";
        self.give_up(&run, "not-started", Ended::NotStarted { why: why.to_owned() }).await
    }

    async fn give_up(&mut self, run: &Outgoing, key: &str, ended: Ended) -> Result<(), Trouble> {
        let Effect::Run { incident, request } = run.effect else { return Ok(()) };
        let (Ended::NotStarted { why } | Ended::Unknown { why }) = &ended else { return Ok(()) };
        self.progress(run.id, &Progress::Dead { why: why.clone() }).await?;
        let event = Event::Ran { incident, request, outcome: RunOutcome { ended, steps: Vec::new(), duration_ms: 0 } };
        let (source, key) = ("store".to_owned(), format!("{key}:{}", run.op));
        let row = Row::of(&Arrival { source, key, at: self.now, event });
        self.accept(&row.map_err(|e: StoreError| Trouble::Job(e))?).await.map(drop)
    }
}
