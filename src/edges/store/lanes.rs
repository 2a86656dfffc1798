//! Whose turn it is in the outbox: what is claimed, when the next may be, what waits behind a row and is folded into it.
//!
//! A lane's head is the first of its pending rows by (priority, id), and may go while nothing of the lane is under way. A row that
//! is not due holds those after it, so that a lane keeps its order; only a card that is not due lets chatter pass. The clock has no
//! lanes: each timer is due by its own time.

use super::dialect::explain;
use super::outbox::{NEVER, outgoing, read};
use super::pen::{Pen, Trouble, json};
use crate::flow::effect::Effect;
use crate::flow::moment::At;
use crate::ports::{Outgoing, Shares, StoreError};
use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row as _};
use std::collections::BTreeSet;

/// Chat platforms besides the console that can be left out of a look.
const SPARED: usize = 3;

/// Nothing of row `o`'s lane goes before it, at the moment this is about. Index-supported: `outbox_order`, `outbox_under_way`.
macro_rules! head_of_lane {
    ($moment:literal) => {
        concat!(
            "NOT EXISTS (SELECT 1 FROM outbox AS p WHERE p.incident = o.incident AND p.destination = o.destination \
             AND p.state = 'pending' AND (p.priority, p.id) < (o.priority, o.id) \
             AND (p.due_at <= ",
            $moment,
            " OR p.priority = o.priority OR p.priority < 2)) \
             AND NOT EXISTS (SELECT 1 FROM outbox AS f WHERE f.incident = o.incident AND f.destination = o.destination \
             AND f.state IN ('sending', 'unknown') AND (f.state = 'sending' OR f.run = 0))"
        )
    };
}

/// Heads of lanes that are due. The sign keeps a planner from going by the time, which would mean sorting all that waits.
const DUE: &str = concat!(
    "SELECT id, op, effect, attempts, queued_at, run FROM outbox AS o \
     WHERE state = 'pending' AND destination <> 'clock' AND +due_at <= $1 AND destination NOT LIKE 'pager:%' \
     AND destination NOT LIKE $3 AND destination NOT LIKE $4 AND destination NOT LIKE $5 AND ",
    head_of_lane!("$1"),
    " ORDER BY priority, id LIMIT $2"
);
/// What must not wait behind a slow vendor or a long run: pages, then timers.
const URGENT: &str = concat!(
    "SELECT id, op, effect, attempts, queued_at, run FROM outbox AS o \
     WHERE state = 'pending' AND priority = 0 AND due_at <= $1 AND (destination = 'clock' OR destination LIKE 'pager:%' AND ",
    head_of_lane!("$1"),
    ") ORDER BY CASE WHEN destination = 'clock' THEN 1 ELSE 0 END, id LIMIT $2"
);
/// Rows behind one that is under way do not count.
const NEXT: &str = concat!(
    "SELECT MIN(due_at) FROM outbox AS o WHERE state = 'pending' AND destination NOT LIKE $1 AND destination NOT LIKE $2 \
     AND destination NOT LIKE $3 AND (destination = 'clock' OR ",
    head_of_lane!("o.due_at"),
    ")"
);

/// Destinations of platforms that get nothing now, as patterns.
fn spared(shares: &Shares) -> [String; SPARED] {
    let mut none =
        shares.iter().filter(|(_, share)| **share == 0).map(|(platform, _)| format!("%:{}", platform.label()));
    std::array::from_fn(|_| none.next().unwrap_or_default())
}

impl Pen<'_> {
    /// Takes due rows for sending, pages first, then timers, then the rest by priority; of the `urgent` half the limit at most, unless
    /// nothing else is wanted. Rows of class run are given but stay pending.
    pub async fn claim(
        &mut self,
        now: At,
        limit: u32,
        shares: &Shares,
        urgent: bool,
    ) -> Result<Vec<Outgoing>, Trouble> {
        if self.restored {
            return Ok(Vec::new());
        }
        let mut claim = Claim { now, left: shares.clone(), taken: BTreeSet::new(), rows: Vec::new() };
        self.claim_urgent(&mut claim, if urgent { limit } else { limit.div_ceil(2) }).await?;
        while !urgent && claim.rows.len() < limit as usize {
            // A platform that has its share is left out of the next look, so this ends.
            if !self.claim_due(&mut claim, limit).await? {
                let rest = limit.saturating_sub(u32::try_from(claim.rows.len()).unwrap_or(limit));
                self.claim_urgent(&mut claim, rest).await?;
                break;
            }
        }
        Ok(claim.rows)
    }

    async fn claim_urgent(&mut self, claim: &mut Claim, limit: u32) -> Result<(), Trouble> {
        if limit == 0 {
            return Ok(());
        }
        let query = sqlx::query(URGENT).bind(claim.now.0).bind(i64::from(limit));
        for row in query.fetch_all(&mut *self.connection).await? {
            self.take(claim, &row).await?;
        }
        Ok(())
    }

    /// Whether some were left that another look would pass over.
    async fn claim_due(&mut self, claim: &mut Claim, limit: u32) -> Result<bool, Trouble> {
        let rest = i64::from(limit) - super::pen::int(claim.rows.len());
        let [a, b, c] = spared(&claim.left);
        let query = sqlx::query(DUE).bind(claim.now.0).bind(rest).bind(a).bind(b).bind(c);
        let mut crowded = false;
        for row in query.fetch_all(&mut *self.connection).await? {
            crowded |= self.take(claim, &row).await?;
        }
        Ok(crowded)
    }

    /// Marks a row as sending, unless its platform has its share: then gives `true`.
    async fn take(&mut self, claim: &mut Claim, row: &AnyRow) -> Result<bool, Trouble> {
        let id: i64 = row.try_get(0)?;
        let outgoing = match outgoing(row)? {
            Ok(outgoing) => outgoing,
            Err(e) => {
                // Blocks its lane and is seen in the log, until a version comes that can read it.
                tracing::error!(outbox = id, error = %e, "a stored effect waits for a version that can read it");
                return Ok(false);
            }
        };
        if claim.taken.contains(&id) {
            return Ok(false);
        }
        if let Some(left) = outgoing.effect.destination().platform().and_then(|platform| claim.left.get_mut(&platform))
        {
            if *left == 0 {
                return Ok(true);
            }
            *left -= 1;
        }
        if row.try_get::<i64, _>(5)? == 0 {
            let sql = "UPDATE outbox SET state = 'sending', epoch = $1, attempts = attempts + 1, attempt_at = $2 WHERE id = $3";
            let query = sqlx::query(sql).bind(self.epoch).bind(claim.now.0).bind(id);
            query.execute(&mut *self.connection).await?;
            self.wrote = true;
        }
        claim.taken.insert(id);
        claim.rows.push(outgoing);
        Ok(false)
    }
}

impl Pen<'_> {
    /// A row that is being sent says this from now on, in the place of these, which wait in its lane.
    pub async fn fold(&mut self, id: i64, effect: &Effect, rows: &[i64]) -> Result<(), Trouble> {
        let (incident, destination) = (i64::from(effect.incident().0), effect.destination().key());
        let body = json(effect).map_err(Trouble::Job)?;
        let sql = "UPDATE outbox SET effect = $1 WHERE id = $2 AND incident = $3 AND destination = $4 \
                   AND state = 'sending' AND run = 0 AND supersedes IS NULL";
        let query = sqlx::query(sql).bind(body).bind(id).bind(incident).bind(&destination);
        if query.execute(&mut *self.connection).await?.rows_affected() != 1 {
            return Err(Trouble::conflict(format!("outbox row {id} is not being sent, and can take nothing in")));
        }
        let sql = "UPDATE outbox SET state = 'superseded', settled_at = $1, error = $2 WHERE id = $3 AND incident = $4 \
                   AND destination = $5 AND state = 'pending' AND run = 0 AND supersedes IS NULL";
        for row in rows {
            let why = format!("said together with others, in row {id}");
            let query = sqlx::query(sql).bind(self.now.0).bind(why).bind(row).bind(incident).bind(&destination);
            if query.execute(&mut *self.connection).await?.rows_affected() != 1 {
                return Err(Trouble::conflict(format!("outbox row {row} does not wait behind row {id}")));
            }
        }
        self.wrote = true;
        Ok(())
    }

    /// What of these still waits is due now.
    pub async fn hurry(&mut self, rows: &[i64]) -> Result<(), Trouble> {
        let sql = "UPDATE outbox SET due_at = $1 WHERE id = $2 AND due_at > $1 AND due_at < $3 AND run = 0 \
                   AND state IN ('pending', 'unknown')";
        for row in rows {
            let query = sqlx::query(sql).bind(self.now.0).bind(row).bind(NEVER);
            self.wrote |= query.execute(&mut *self.connection).await?.rows_affected() > 0;
        }
        Ok(())
    }
}

/// A claim in the making.
struct Claim {
    now: At,
    /// What each platform may still get.
    left: Shares,
    taken: BTreeSet<i64>,
    rows: Vec<Outgoing>,
}

/// Pending rows of the same lane, in the order of queueing.
pub async fn behind(pool: &AnyPool, id: i64, limit: u32) -> Result<Vec<Outgoing>, StoreError> {
    let sql = "SELECT b.id, b.op, b.effect, b.attempts, b.queued_at FROM outbox AS o JOIN outbox AS b \
               ON b.incident = o.incident AND b.destination = o.destination \
               WHERE o.id = $1 AND b.id <> $1 AND b.state = 'pending' ORDER BY b.id LIMIT $2";
    let query = sqlx::query(sql).bind(id).bind(i64::from(limit));
    read(&query.fetch_all(pool).await.map_err(|e| explain(&e))?)
}

/// When something can next be claimed.
pub async fn next_due(pool: &AnyPool, shares: &Shares) -> Result<Option<At>, StoreError> {
    let [a, b, c] = spared(shares);
    let row = sqlx::query(NEXT).bind(a).bind(b).bind(c).fetch_one(pool).await.map_err(|e| explain(&e))?;
    let due: Option<i64> = row.try_get(0).map_err(|e| explain(&e))?;
    Ok(due.map(At))
}
