//! Storage: the ports `Inbox`, `Journal`, `Outbox` and `Views` on SQLite, in one directory that one process owns.
//!
//! ```text
//!  smokejumper.db   inbox, journal, outbox, desk, alerts, snapshots      journal.key     the chain's key, 0600
//!  lock             held while the process lives                         journal.anchor  how far the journal had come
//!                                                                        runs.started    runs ever started
//! ```
//!
//! All writes go through one `writer`; reading is a [`Reader`]'s, which other processes may open beside it.
//! Knows SQL and files; knows neither why something is stored nor who asks.

pub mod about;
pub mod anchor;
pub mod audit;
pub mod backup;
pub mod bell;
pub mod chain;
mod dialect;
mod erase;
pub mod export;
mod forget;
mod giveup;
mod inbox;
mod journal;
mod lanes;
mod lease;
pub mod location;
mod open;
mod outbox;
mod pen;
mod place;
mod postgres;
pub mod reader;
mod schema;
mod sqlite;
pub mod standby;
pub mod stock;
pub mod trail;
pub mod upgrade;
mod views;
mod writer;

use self::inbox::Row;
use self::reader::Reader;
use self::writer::{Done, Job, Shared, Work};
use crate::flow::State;
use crate::flow::desk::{AlertState, Desk};
use crate::flow::effect::{Destination, Effect};
use crate::flow::erasing::Forgotten;
use crate::flow::fact::Entry;
use crate::flow::identity::{Actor, Identity, Platform};
use crate::flow::incident::{Incident, IncidentId};
use crate::flow::moment::At;
use crate::ports::{
    Accepted, Arrival, Commit, DeadLetter, Inbox, Journal, Outbox, Outgoing, Progress, Said, Shares, StoreError, Views,
    Waiting,
};
use async_trait::async_trait;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

pub use self::forget::{ALERTS_REMEMBERED_MS, FORGET_AT_ONCE, REMEMBERED_MS, UNHEARD_MS};
pub use self::inbox::{MAX_DEAD_LETTERS, MAX_SAMPLE_CHARS};
pub use self::schema::MIGRATIONS;
pub use self::writer::{MAX_GROUP, MAX_QUEUED};

/// The store of this process. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    reader: Reader,
    jobs: mpsc::Sender<Job>,
    shared: Arc<Shared>,
}

impl Store {
    /// For reading; also the way to `export`, `verify` and `counts`.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Makes the journal's head durable outside the database. Starting a run does so by itself.
    pub async fn anchor(&self) -> Result<(), StoreError> {
        self.write(Work::Anchor).await.map(drop)
    }

    /// Erases what an ended incident said, with its record in the journal; how many entries that were. Nobody may be deciding
    /// meanwhile on a state read before ([`crate::engine::Engine::aside`]).
    pub async fn purge(&self, id: IncidentId, by: Actor) -> Result<u64, StoreError> {
        match self.write(Work::Purge(id, by)).await? {
            Done::Erased(entries) => Ok(entries),
            other => Err(mixed_up(&other)),
        }
    }

    /// Takes a person out of one incident, or of the house; likewise.
    pub async fn forget_person(&self, id: IncidentId, who: Forgotten, by: Actor) -> Result<u64, StoreError> {
        match self.write(Work::Forget(id, Box::new(who), by)).await? {
            Done::Erased(entries) => Ok(entries),
            other => Err(mixed_up(&other)),
        }
    }

    /// Writes a little, to know whether that can be done.
    pub async fn probe(&self) -> Result<(), StoreError> {
        self.write(Work::Probe).await.map(drop)
    }

    /// Why this database counts as restored from a copy: until [`Store::confirm_restored`] nothing is claimed and nothing runs.
    #[must_use]
    pub fn is_restored(&self) -> Option<String> {
        self.shared.restored()
    }

    /// A person has looked: deliveries go on. Runs that waited in the copy are given up, each with an event that says so.
    pub async fn confirm_restored(&self) -> Result<(), StoreError> {
        self.write(Work::Confirm).await.map(drop)
    }

    /// Why this process cannot write any more, if so: it should end, loudly.
    #[must_use]
    pub fn broken(&self) -> Option<StoreError> {
        let ended = || StoreError::Unavailable("storage has ended in this process".to_owned());
        self.shared.broken.get().cloned().or_else(|| self.jobs.is_closed().then(ended))
    }

    /// Why nothing can be written for now (locked, full), if so; over by itself when the cause is.
    #[must_use]
    pub fn failing(&self) -> Option<String> {
        self.shared.failing()
    }

    /// Writes that wait now, of at most [`MAX_QUEUED`].
    #[must_use]
    pub fn queued(&self) -> usize {
        MAX_QUEUED.saturating_sub(self.jobs.capacity())
    }

    /// Writes what is queued, anchors, and lets go of the directory. Later writes are refused.
    pub async fn close(&self) {
        let _ = self.write(Work::Close).await;
        self.reader.close().await;
    }

    async fn take(&self, claim: Work) -> Result<Vec<Outgoing>, StoreError> {
        // Most looks find nothing, and need not wait for the writer.
        let Work::Claim { now, shares, .. } = &claim else { return Ok(Vec::new()) };
        if self.next_due_within(shares).await?.is_none_or(|due| due > *now) {
            return Ok(Vec::new());
        }
        match self.write(claim).await? {
            Done::Claimed(rows) => Ok(rows),
            other => Err(mixed_up(&other)),
        }
    }

    async fn write(&self, work: Work) -> Result<Done, StoreError> {
        let gone = || StoreError::Unavailable("storage is closing down".to_owned());
        let (reply, answer) = oneshot::channel();
        self.jobs.try_send(Job { work, reply }).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => {
                StoreError::Unavailable(format!("{MAX_QUEUED} writes are waiting; try again in a moment"))
            }
            mpsc::error::TrySendError::Closed(_) => gone(),
        })?;
        answer.await.map_err(|_| gone())?
    }
}

#[async_trait]
impl Inbox for Store {
    async fn accept(&self, arrivals: Vec<Arrival>) -> Result<Vec<Accepted>, StoreError> {
        if arrivals.is_empty() {
            return Ok(Vec::new());
        }
        let rows = arrivals.iter().map(Row::of).collect::<Result<_, _>>()?;
        match self.write(Work::Accept(rows)).await? {
            Done::Accepted(accepted) => Ok(accepted),
            other => Err(mixed_up(&other)),
        }
    }

    async fn waiting(&self, limit: u32) -> Result<Vec<Waiting>, StoreError> {
        self.reader.waiting(limit).await
    }

    async fn bury(&self, letter: DeadLetter) -> Result<(), StoreError> {
        self.write(Work::Bury(letter)).await.map(drop)
    }
}

#[async_trait]
impl Journal for Store {
    async fn commit(&self, commits: Vec<Commit>) -> Result<(), StoreError> {
        if commits.is_empty() {
            return Ok(());
        }
        self.write(Work::Commit(commits)).await.map(drop)
    }

    async fn restore(&self) -> Result<State, StoreError> {
        self.reader.restore().await
    }

    async fn load(&self, id: IncidentId) -> Result<Option<Incident>, StoreError> {
        self.reader.load(id).await
    }
}

#[async_trait]
impl Outbox for Store {
    async fn claim_within(&self, now: At, limit: u32, shares: &Shares) -> Result<Vec<Outgoing>, StoreError> {
        self.take(Work::Claim { now, limit, shares: shares.clone(), urgent: false }).await
    }

    async fn claim_urgent(&self, now: At, limit: u32) -> Result<Vec<Outgoing>, StoreError> {
        self.take(Work::Claim { now, limit, shares: Shares::new(), urgent: true }).await
    }

    async fn settle(&self, id: i64, progress: Progress, event: Option<Arrival>) -> Result<(), StoreError> {
        let event = event.as_ref().map(Row::of).transpose()?;
        self.write(Work::Settle { id, progress, event }).await.map(drop)
    }

    async fn interrupted(&self) -> Result<Vec<Outgoing>, StoreError> {
        outbox::standing(self.reader.pool(), "unknown").await
    }

    async fn sending(&self) -> Result<Vec<Outgoing>, StoreError> {
        outbox::standing(self.reader.pool(), "sending").await
    }

    async fn doubtful(&self, now: At, limit: u32) -> Result<Vec<Outgoing>, StoreError> {
        if self.is_restored().is_some() {
            return Ok(Vec::new());
        }
        outbox::doubtful(self.reader.pool(), now, limit).await
    }

    async fn behind(&self, id: i64, limit: u32) -> Result<Vec<Outgoing>, StoreError> {
        lanes::behind(self.reader.pool(), id, limit).await
    }

    async fn fold(&self, id: i64, effect: Effect, rows: &[i64]) -> Result<(), StoreError> {
        self.write(Work::Fold { id, effect: Box::new(effect), rows: rows.to_vec() }).await.map(drop)
    }

    async fn hurry(&self, rows: &[i64]) -> Result<(), StoreError> {
        self.write(Work::Hurry(rows.to_vec())).await.map(drop)
    }

    fn may_act(&self) -> bool {
        self.shared.may_act()
    }

    async fn last_posted(
        &self,
        incident: IncidentId,
        destination: Destination,
        key: &str,
    ) -> Result<Option<String>, StoreError> {
        outbox::posted(self.reader.pool(), incident, destination, key).await
    }

    async fn next_due_within(&self, shares: &Shares) -> Result<Option<At>, StoreError> {
        if self.is_restored().is_some() {
            return Ok(None);
        }
        lanes::next_due(self.reader.pool(), shares).await
    }
}

#[async_trait]
impl Views for Store {
    async fn list(&self, viewer: &Identity, closed: bool, limit: u32) -> Result<Vec<Incident>, StoreError> {
        self.reader.list(viewer, closed, limit).await
    }

    async fn incident(&self, viewer: &Identity, id: IncidentId) -> Result<Option<Incident>, StoreError> {
        self.reader.incident(viewer, id).await
    }

    async fn entries(&self, viewer: &Identity, id: IncidentId) -> Result<Vec<Entry>, StoreError> {
        self.reader.entries(viewer, id).await
    }

    async fn alerts(&self, viewer: &Identity, id: IncidentId, limit: u32) -> Result<Vec<AlertState>, StoreError> {
        self.reader.alerts(viewer, id, limit).await
    }

    async fn loose(&self, viewer: &Identity, limit: u32) -> Result<Vec<AlertState>, StoreError> {
        self.reader.loose(viewer, limit).await
    }

    async fn said(&self, viewer: &Identity, id: IncidentId, platform: Platform) -> Result<Vec<Said>, StoreError> {
        self.reader.said(viewer, id, platform).await
    }

    async fn desk(&self) -> Result<Desk, StoreError> {
        self.reader.desk().await
    }

    async fn incident_of_room(&self, platform: Platform, room: &str) -> Result<Option<IncidentId>, StoreError> {
        self.reader.incident_of_room(platform, room).await
    }
}

/// The writer answers each kind of work with its own kind of result.
fn mixed_up(done: &Done) -> StoreError {
    StoreError::Unusable(format!("the writer gave an answer to another question: {done:?}"))
}
