//! The writer: one task that owns the only writing connection and commits in groups.
//!
//! While one group is being synced the next one gathers, so a lone caller waits for one sync and a crowd shares one. A
//! job that conflicts fails alone, by its savepoint; anything else fails its whole group, and nobody in it is told yes.
//! After a failed group the connection is thrown away and the next group begins with a new one.

use super::anchor::{Anchor, AnchorFile, Starts};
use super::chain::ChainKey;
use super::dialect::{Dialect, explain};
use super::forget::Arrears;
use super::inbox::Row as InboxRow;
use super::lease;
use super::pen::{Head, Pen, Trouble};
use super::place::Lock;
use crate::flow::effect::Effect;
use crate::flow::erasing::Forgotten;
use crate::flow::identity::Actor;
use crate::flow::incident::IncidentId;
use crate::flow::moment::{At, MINUTE};
use crate::ports::{Accepted, Clock, Commit, DeadLetter, Outgoing, Progress, Shares, StoreError};
use sqlx::{Acquire as _, AnyConnection, Connection as _};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// Writes that may wait. At the 250 ms a sender may wait, and 64 a group, more would only be late; a full queue answers at once.
pub const MAX_QUEUED: usize = 1_024;
/// Writes committed together: past this the sync is no longer what a write costs.
pub const MAX_GROUP: usize = 64;
/// The anchor is written again after as many transactions, or as long, whichever comes first.
const ANCHOR_EVERY: i64 = 1_000;
const ANCHOR_EVERY_MS: i64 = 10 * MINUTE;

/// While writing fails it is tried this often whether that is over: who hears that nothing can be taken in sends nothing
/// that would show it.
const TRY_EVERY: Duration = Duration::from_secs(1);

/// What is to be written.
#[derive(Debug)]
pub enum Work {
    Accept(Vec<InboxRow>),
    Commit(Vec<Commit>),
    Claim {
        now: At,
        limit: u32,
        shares: Shares,
        /// Pages and timers alone.
        urgent: bool,
    },
    Settle {
        id: i64,
        progress: Progress,
        event: Option<InboxRow>,
    },
    /// A row says this from now on, in the place of these.
    Fold {
        id: i64,
        effect: Box<Effect>,
        rows: Vec<i64>,
    },
    /// Rows that need not wait any more.
    Hurry(Vec<i64>),
    Bury(DeadLetter),
    /// Writes the anchor now.
    Anchor,
    /// Erases what an ended incident said.
    Purge(IncidentId, Actor),
    /// Takes a person out of an incident, or of the house.
    Forget(IncidentId, Box<Forgotten>, Actor),
    /// Writes nothing but that it can: one small transaction, to know before somebody needs it.
    Probe,
    /// A person has looked at a restored database.
    Confirm,
    /// The last thing this writer does.
    Close,
}

/// What came of it.
#[derive(Debug)]
pub enum Done {
    Accepted(Vec<Accepted>),
    Claimed(Vec<Outgoing>),
    /// Entries that were erased or rewritten.
    Erased(u64),
    Nothing,
}

#[derive(Debug)]
pub struct Job {
    pub work: Work,
    pub reply: oneshot::Sender<Result<Done, StoreError>>,
}

/// What the store and its writer both see.
#[derive(Debug, Default)]
pub struct Shared {
    /// Why nothing can be written any more by this process.
    pub broken: OnceLock<StoreError>,
    /// Why the database counts as restored from a copy.
    pub restored: RwLock<Option<String>>,
    /// Until when the lease is surely ours; `None`: as long as we live.
    sure_until: RwLock<Option<Instant>>,
    /// Why the last group could not be written; `None` again after the next that was.
    failing: RwLock<Option<String>>,
}

impl Shared {
    pub fn restored(&self) -> Option<String> {
        self.restored.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn failing(&self) -> Option<String> {
        self.failing.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether no other process can have taken over, and nothing says that one did.
    pub fn may_act(&self) -> bool {
        let until = *self.sure_until.read().unwrap_or_else(PoisonError::into_inner);
        self.broken.get().is_none() && until.is_none_or(|until| Instant::now() < until)
    }

    /// The lease was renewed by a transaction that began then, and is `sure_for` so long.
    pub fn renewed(&self, began: Instant, sure_for: Option<Duration>) {
        let until = sure_for.map(|sure_for| began + sure_for);
        *self.sure_until.write().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// The lease is given back.
    fn let_go(&self) {
        *self.sure_until.write().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn fails(&self, why: Option<String>) {
        *self.failing.write().unwrap_or_else(PoisonError::into_inner) = why;
    }
}

pub struct Writer {
    pub dialect: Dialect,
    pub key: ChainKey,
    pub epoch: i64,
    pub anchor: AnchorFile,
    pub starts: Starts,
    /// What the anchor's file says.
    pub anchored: Anchor,
    pub anchored_at: At,
    /// When the lease was last known to be ours.
    pub renewed: Instant,
    pub clock: Arc<dyn Clock>,
    pub shared: Arc<Shared>,
    /// Runs whose start is stored but not anchored: they were refused, and are given up with the next transaction.
    pub unstarted: Vec<String>,
    pub arrears: Arrears,
    /// Held as long as anything may write.
    pub lock: Arc<Lock>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("dialect", &self.dialect).field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

/// A group that was committed.
struct Written {
    results: Vec<Result<Done, StoreError>>,
    head: Head,
    started: Vec<String>,
    arrears: Arrears,
    /// Whether there was anything to write.
    committed: bool,
}

impl Writer {
    /// Until everybody who could ask is gone, or somebody closes it.
    pub async fn run(mut self, connection: AnyConnection, mut jobs: mpsc::Receiver<Job>) {
        let mut connection = Some(connection);
        let mut group = Vec::with_capacity(MAX_GROUP);
        while self.wait(&mut connection, &mut jobs, &mut group).await > 0 {
            if group.len() < MAX_GROUP {
                // Callers that are ready to run get to join.
                tokio::task::yield_now().await;
                while group.len() < MAX_GROUP
                    && let Ok(job) = jobs.try_recv()
                {
                    group.push(job);
                }
            }
            let closing = group.iter().any(|job| matches!(job.work, Work::Close));
            if closing {
                self.shared.let_go();
                jobs.close();
            }
            let (work, replies): (Vec<_>, Vec<_>) = group.drain(..).map(|job| (job.work, job.reply)).unzip();
            let results = self.group(&mut connection, &work).await;
            if !self.unstarted.is_empty() {
                // At once; should that fail too, with whatever is written next.
                self.group(&mut connection, &[]).await;
            }
            if closing {
                self.shared.let_go();
                leave(&mut connection).await;
            }
            for (reply, result) in replies.into_iter().zip(results) {
                // Nobody waits any more: what was written stays written.
                let _ = reply.send(result);
            }
            if closing {
                break;
            }
        }
        leave(&mut connection).await;
        drop(self.lock);
    }

    /// For the next work.
    async fn wait(
        &mut self,
        open: &mut Option<AnyConnection>,
        jobs: &mut mpsc::Receiver<Job>,
        group: &mut Vec<Job>,
    ) -> usize {
        while self.shared.broken.get().is_none() {
            let rest = if self.shared.failing().is_some() {
                TRY_EVERY
            } else if let Some(every) = self.dialect.renew_every() {
                every.saturating_sub(self.renewed.elapsed())
            } else {
                break;
            };
            if let Ok(number) = tokio::time::timeout(rest, jobs.recv_many(group, MAX_GROUP)).await {
                return number;
            }
            self.group(open, &[]).await;
        }
        jobs.recv_many(group, MAX_GROUP).await
    }

    /// One result for each piece of work.
    async fn group(&mut self, open: &mut Option<AnyConnection>, work: &[Work]) -> Vec<Result<Done, StoreError>> {
        match self.attempt(open, work).await {
            Ok(results) => results,
            Err(e) => {
                if self.shared.failing().is_none() || !work.is_empty() {
                    tracing::error!(error = %e, jobs = work.len(), "nothing of a group could be written");
                }
                self.shared.fails(Some(e.to_string()));
                if let Some(connection) = open.take() {
                    let _ = connection.close_hard().await;
                }
                if matches!(e, StoreError::Unusable(_)) {
                    let _ = self.shared.broken.set(e.clone());
                }
                work.iter().map(|_| Err(e.clone())).collect()
            }
        }
    }

    async fn attempt(
        &mut self,
        open: &mut Option<AnyConnection>,
        work: &[Work],
    ) -> Result<Vec<Result<Done, StoreError>>, StoreError> {
        if let Some(e) = self.shared.broken.get() {
            return Err(e.clone());
        }
        let connection = match open {
            Some(connection) => connection,
            None => open.insert(self.dialect.writer().await?),
        };
        let now = self.clock.now();
        let began = Instant::now();
        let mut written = match self.dialect.patience() {
            None => self.write(connection, work, now).await?,
            Some(patience) => {
                let late = |_| StoreError::Unavailable(format!("the database did not answer within {patience:?}"));
                tokio::time::timeout(patience, self.write(connection, work, now)).await.map_err(late)??
            }
        };
        self.unstarted.clear();
        self.arrears = written.arrears;
        if written.committed {
            self.shared.fails(None);
            self.renewed = began;
            self.shared.renewed(began, self.dialect.sure_for());
        }
        self.after(&mut written, work, now);
        Ok(written.results)
    }

    /// One transaction, one savepoint a job.
    async fn write(&self, connection: &mut AnyConnection, work: &[Work], now: At) -> Result<Written, StoreError> {
        let fail = |e: sqlx::Error| explain(&e);
        let mut tx = connection.begin_with(self.dialect.begin()).await.map_err(fail)?;
        lease::fence(&mut tx, &self.dialect, self.epoch).await?;
        let mut head = Head::load(&mut tx).await.map_err(fail)?;
        // When nothing could be written before, it must be shown that something can be now.
        let mut wrote = !self.unstarted.is_empty() || self.shared.failing().is_some();
        for op in &self.unstarted {
            let given_up = self.pen(&mut tx, &mut head, now).not_started(op).await;
            given_up.map_err(|trouble| trouble.to_error())?;
        }
        let (mut results, mut started, mut arrears) = (Vec::with_capacity(work.len()), Vec::new(), self.arrears);
        for piece in work {
            let before = head.clone();
            let mut savepoint = tx.begin().await.map_err(fail)?;
            let mut pen = self.pen(&mut savepoint, &mut head, now);
            let result = pen.one(piece).await;
            let (starting, changed, came) = (std::mem::take(&mut pen.started), pen.wrote, pen.came);
            match result {
                Ok(done) => {
                    savepoint.commit().await.map_err(fail)?;
                    started.extend(starting);
                    wrote |= changed;
                    arrears = arrears.grow(came);
                    results.push(Ok(done));
                }
                Err(Trouble::Job(e)) => {
                    savepoint.rollback().await.map_err(fail)?;
                    head = before;
                    results.push(Err(e));
                }
                Err(Trouble::All(e)) => return Err(explain(&e)),
            }
        }
        if !wrote {
            // The fence renewed the lease, which is a write of its own when it is due.
            let renew = self.dialect.renew_every().is_some_and(|every| self.renewed.elapsed() >= every);
            let ended = if renew { tx.commit().await } else { tx.rollback().await };
            ended.map_err(fail)?;
            return Ok(Written { results, head, started, arrears, committed: renew });
        }
        head.generation += 1;
        if arrears.are_due() {
            let forgotten = self.pen(&mut tx, &mut head, now).forget().await;
            forgotten.map_err(|trouble| trouble.to_error())?;
            arrears = arrears.shrink();
        }
        head.store(&mut tx).await.map_err(fail)?;
        tx.commit().await.map_err(fail)?;
        Ok(Written { results, head, started, arrears, committed: true })
    }

    fn pen<'a>(&'a self, connection: &'a mut AnyConnection, head: &'a mut Head, now: At) -> Pen<'a> {
        let restored = self.shared.restored().is_some();
        let Self { key, starts, anchored, epoch, .. } = self;
        let epoch = *epoch;
        let (started, wrote, came) = (Vec::new(), false, 0);
        Pen { connection, head, key, starts, anchored, started, wrote, came, epoch, now, restored }
    }

    /// What must be durable outside the database before anybody hears of the group. Syncs two small files on the spot, and
    /// only when a run starts or the anchor is due: nothing else could use the writer meanwhile.
    fn after(&mut self, written: &mut Written, work: &[Work], now: At) {
        let mut answered = work.iter().zip(&written.results);
        if answered.any(|(work, result)| matches!(work, Work::Confirm) && result.is_ok()) {
            match self.shared.restored.write() {
                Ok(mut why) => *why = None,
                Err(e) => *e.into_inner() = None,
            }
        }
        let head = &written.head;
        let asked = work.iter().any(|w| matches!(w, Work::Anchor | Work::Confirm | Work::Close));
        let due = head.generation - self.anchored.generation >= ANCHOR_EVERY
            || now.since(self.anchored_at) >= ANCHOR_EVERY_MS;
        let must = asked || !written.started.is_empty();
        // In restored mode the anchor is the evidence: it stays.
        if !(must || due) || self.shared.restored().is_some() {
            return;
        }
        let anchor = Anchor::of(head, self.epoch);
        let noted = if written.started.is_empty() { Ok(()) } else { self.starts.add(&written.started) };
        if let Err(e) = noted.and_then(|()| self.anchor.write(&anchor, &self.key)) {
            tracing::error!(error = %e, "the journal's head could not be anchored outside the database");
            self.unstarted.append(&mut written.started);
            if must {
                let what = format!("the journal's head could not be anchored: {e}; nothing may be started");
                for (result, work) in written.results.iter_mut().zip(work) {
                    if must_anchor(work) {
                        *result = Err(StoreError::Unavailable(what.clone()));
                    }
                }
            }
            return;
        }
        self.anchored = anchor;
        self.anchored_at = now;
    }
}

/// Lets go of the database, so that another may open it.
async fn leave(connection: &mut Option<AnyConnection>) {
    if let Some(connection) = connection.take() {
        let _ = connection.close().await;
    }
}

/// A caller who may act only on what is anchored.
fn must_anchor(work: &Work) -> bool {
    match work {
        Work::Anchor | Work::Confirm => true,
        Work::Commit(commits) => {
            commits.iter().flat_map(|c| &c.outbox).any(|(_, progress)| matches!(progress, Progress::Sending))
        }
        _ => false,
    }
}

impl Pen<'_> {
    async fn one(&mut self, work: &Work) -> Result<Done, Trouble> {
        match work {
            Work::Accept(rows) => {
                let mut accepted = Vec::with_capacity(rows.len());
                for row in rows {
                    accepted.push(self.accept(row).await?);
                }
                return Ok(Done::Accepted(accepted));
            }
            Work::Claim { now, limit, shares, urgent } => {
                return self.claim(*now, *limit, shares, *urgent).await.map(Done::Claimed);
            }
            Work::Commit(commits) => self.commit(commits).await?,
            Work::Settle { id, progress, event } => {
                self.progress(*id, progress).await?;
                if let Some(row) = event {
                    self.accept(row).await?;
                }
            }
            Work::Fold { id, effect, rows } => self.fold(*id, effect, rows).await?,
            Work::Hurry(rows) => self.hurry(rows).await?,
            Work::Bury(letter) => self.bury(letter).await?,
            Work::Confirm => self.confirm().await?,
            Work::Probe => self.wrote = true,
            Work::Purge(id, by) => return self.purge(*id, by).await.map(Done::Erased),
            Work::Forget(id, who, by) => return self.forget_person(*id, who, by).await.map(Done::Erased),
            // Whoever waits for it need not wait until it is over.
            Work::Close => {
                let sql = "UPDATE lease SET until_at = 0 WHERE id = 1 AND until_at <> 0";
                self.wrote |= sqlx::query(sql).execute(&mut *self.connection).await?.rows_affected() > 0;
            }
            Work::Anchor => {}
        }
        Ok(Done::Nothing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lease_is_surely_ours_for_a_while_and_not_when_it_was_lost_or_given_back() {
        let (shared, now) = (Shared::default(), Instant::now());
        assert!(shared.may_act(), "the directory's lock is a lease without an end");
        let sure_for = super::super::postgres::SURE_FOR;
        shared.renewed(now, Some(sure_for));
        assert!(shared.may_act());
        let long_ago = now.checked_sub(sure_for).unwrap();
        shared.renewed(long_ago, Some(sure_for));
        assert!(!shared.may_act(), "nobody renewed it");
        shared.renewed(now, Some(sure_for));
        shared.let_go();
        assert!(!shared.may_act(), "it was given back");
        shared.renewed(now, Some(sure_for));
        shared.broken.set(StoreError::Unusable("another took over".to_owned())).unwrap();
        assert!(!shared.may_act(), "it was lost");
    }
}
