//! Forgetting: what is kept for a while only goes in small batches, together with what is written, and faster than it comes.
//!
//! The journal, runs, messages, what failed and what still waits are never forgotten. An operation id that is forgotten
//! does not come again: it is made of an inbox id, and those are given once.

use super::pen::{Pen, Trouble};
use crate::flow::desk::{RESOLVED_REMEMBERED, UNHEARD};
use crate::flow::moment::DAY;

/// How long a processed delivery is remembered, so that its repetition is known, and how long the errands that a turn led
/// to. Senders retry for hours, people restore for days.
pub const REMEMBERED_MS: i64 = 14 * DAY;
/// How long a resolved alert is remembered: far longer than a sender repeats itself. What it did is in the journal.
pub const ALERTS_REMEMBERED_MS: i64 = RESOLVED_REMEMBERED;
/// And one that fires, belongs to no incident, and was not heard of.
pub const UNHEARD_MS: i64 = UNHEARD;
/// Rows that come in before old ones are looked for: looking costs four lookups, shared by that many.
const FORGET_EVERY: u64 = 64;
/// Old rows of one table that go in one transaction: some milliseconds.
pub const FORGET_AT_ONCE: u16 = 1_000;

/// Rows that came in for which no old ones have gone yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrears(u64);

impl Arrears {
    pub const fn grow(self, rows: u64) -> Self {
        Self(self.0.saturating_add(rows))
    }

    pub const fn are_due(self) -> bool {
        self.0 >= FORGET_EVERY
    }

    /// After one more batch. It counts for half of the rows that it may take, so that a backlog shrinks under any load.
    pub fn shrink(self) -> Self {
        Self(self.0.saturating_sub(u64::from(FORGET_AT_ONCE) / 2))
    }
}

impl Pen<'_> {
    /// Forgets some of what is old enough.
    pub async fn forget(&mut self) -> Result<(), Trouble> {
        let inbox = "DELETE FROM inbox WHERE id IN \
                     (SELECT id FROM inbox WHERE processed IS NOT NULL AND processed < $1 ORDER BY processed LIMIT $2)";
        self.drop_old(inbox, REMEMBERED_MS).await?;
        // Errands, of which nothing is left in the world; in the words of the index.
        let outbox = "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox \
                      WHERE run = 0 AND said IS NULL AND remote IS NULL \
                      AND state NOT IN ('pending', 'sending', 'unknown', 'dead') \
                      AND settled_at < $1 ORDER BY settled_at LIMIT $2)";
        self.drop_old(outbox, REMEMBERED_MS).await?;
        let alerts = "DELETE FROM alerts WHERE (source, fingerprint) IN (SELECT source, fingerprint FROM alerts \
                      WHERE status = 'resolved' AND incident IS NULL AND last_seen < $1 ORDER BY last_seen LIMIT $2)";
        self.drop_old(alerts, ALERTS_REMEMBERED_MS).await?;
        let unheard = "DELETE FROM alerts WHERE (source, fingerprint) IN (SELECT source, fingerprint FROM alerts \
                       WHERE status = 'firing' AND incident IS NULL AND last_seen < $1 ORDER BY last_seen LIMIT $2)";
        self.drop_old(unheard, UNHEARD_MS).await
    }

    async fn drop_old(&mut self, sql: &'static str, age_ms: i64) -> Result<(), Trouble> {
        let query = sqlx::query(sql).bind(self.now.plus(-age_ms).0).bind(i64::from(FORGET_AT_ONCE));
        query.execute(&mut *self.connection).await?;
        Ok(())
    }
}
