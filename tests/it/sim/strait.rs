//! Between the engine and the ledger: every call can be the last, can fail before or after it took effect, and can be betrayed
//! by a planted fault.

use super::dice::Dice;
use super::moment::pause;
use super::planted::Fault;
use crate::world::ledger::Ledger;
use async_trait::async_trait;
use smokejumper::flow::State;
use smokejumper::flow::desk::{AlertState, Desk};
use smokejumper::flow::effect::{Destination, Effect, Timer};
use smokejumper::flow::fact::Entry;
use smokejumper::flow::identity::{Identity, Platform};
use smokejumper::flow::incident::{Incident, IncidentId, Phase};
use smokejumper::flow::moment::At;
use smokejumper::ports::{
    Accepted, Arrival, Commit, DeadLetter, Inbox, Journal, Outbox, Outgoing, Progress, Said, Shares, StoreError, Views,
    Waiting,
};
use std::sync::{Arc, Mutex};

/// Chance and its limits, shared by everything around one engine.
#[derive(Debug)]
pub struct Sky {
    pub dice: Dice,
    /// Per mille of calls that fail.
    pub store: usize,
    pub vendor: usize,
    /// Slack cannot be reached.
    pub away: bool,
    /// Calls that failed so far, of the store and of the others.
    pub struck: (u32, u32),
}

/// When a call that fails does so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Struck {
    Before,
    After,
}

impl Sky {
    pub fn strike(&mut self, per_mille: usize) -> Option<Struck> {
        if per_mille == 0 || !self.dice.chance(per_mille) {
            return None;
        }
        Some(if self.dice.chance(500) { Struck::Before } else { Struck::After })
    }
}

/// One process's way to the ledger. What it holds itself is gone when the process is.
pub struct Strait {
    pub ledger: Ledger,
    pub sky: Arc<Mutex<Sky>>,
    pub fault: Option<Fault>,
    /// Told to be stored, and not stored yet (planted).
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    commits: Vec<Commit>,
    arrivals: Vec<Arrival>,
    made_up: u32,
}

fn struck() -> StoreError {
    StoreError::Unavailable("the simulated disk is full".to_owned())
}

impl Strait {
    pub fn new(ledger: Ledger, sky: Arc<Mutex<Sky>>, fault: Option<Fault>) -> Self {
        Self { ledger, sky, fault, held: Mutex::default() }
    }

    async fn cross<T>(&self, work: impl Future<Output = Result<T, StoreError>> + Send) -> Result<T, StoreError> {
        pause().await;
        let fate = {
            let mut sky = self.sky.lock().unwrap();
            let per_mille = sky.store;
            let fate = sky.strike(per_mille);
            sky.struck.0 += u32::from(fate.is_some());
            fate
        };
        if fate == Some(Struck::Before) {
            return Err(struck());
        }
        self.catch_up().await;
        let done = work.await;
        pause().await;
        if fate == Some(Struck::After) { Err(struck()) } else { done }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// Only with flow, outbox and start tokens betrayed at once can a run begin again.
    fn forget_starts(&self, incident: &mut Incident) {
        if self.has(Fault::LeasesInterruptedRunsAgain) {
            for run in incident.runs.values_mut().filter(|run| run.phase == Phase::Started) {
                run.phase = Phase::Approved;
            }
        }
    }

    /// Stores what it said it had stored.
    async fn catch_up(&self) {
        let (commits, arrivals) = {
            let mut held = self.held.lock().unwrap();
            (std::mem::take(&mut held.commits), std::mem::take(&mut held.arrivals))
        };
        if !commits.is_empty() {
            let _ = self.ledger.commit(commits).await;
        }
        if !arrivals.is_empty() {
            let _ = self.ledger.accept(arrivals).await;
        }
    }
}

#[async_trait]
impl Inbox for Strait {
    async fn accept(&self, mut arrivals: Vec<Arrival>) -> Result<Vec<Accepted>, StoreError> {
        if self.has(Fault::ForgetsTheKey) {
            for arrival in &mut arrivals {
                let mut held = self.held.lock().unwrap();
                held.made_up += 1;
                arrival.key = format!("{} as it seems, {}-{}", arrival.key, self.ledger.calls(), held.made_up);
            }
        }
        if self.has(Fault::AcknowledgesBeforeTheDisk) {
            pause().await;
            let ids = arrivals.iter().map(|_| Accepted::New(0)).collect();
            self.held.lock().unwrap().arrivals.append(&mut arrivals);
            return Ok(ids);
        }
        self.cross(self.ledger.accept(arrivals)).await
    }

    async fn waiting(&self, limit: u32) -> Result<Vec<Waiting>, StoreError> {
        self.cross(self.ledger.waiting(limit)).await
    }

    async fn bury(&self, letter: DeadLetter) -> Result<(), StoreError> {
        self.cross(self.ledger.bury(letter)).await
    }
}

#[async_trait]
impl Journal for Strait {
    async fn commit(&self, mut commits: Vec<Commit>) -> Result<(), StoreError> {
        let starts = commits.iter().any(|c| c.outbox.iter().any(|(_, p)| *p == Progress::Sending));
        if self.has(Fault::StartsBeforeItSaysSo) && starts {
            pause().await;
            self.catch_up().await;
            self.held.lock().unwrap().commits.append(&mut commits);
            return Ok(());
        }
        if self.has(Fault::LeasesInterruptedRunsAgain) && starts {
            let interrupted: Vec<i64> = self.ledger.interrupted().await?.iter().map(|row| row.id).collect();
            for commit in &mut commits {
                commit.outbox.retain(|(id, _)| !interrupted.contains(id));
            }
        }
        if self.has(Fault::ForgetsWhenToAskTheNext) {
            let asks_next = |e: &Effect| matches!(e, Effect::Wake { timer: Timer::Escalate { .. }, .. });
            for commit in &mut commits {
                commit.effects.retain(|(_, effect)| !asks_next(effect));
            }
        }
        if self.has(Fault::ForgetsThatTheTurnWasTaken) && commits.iter().any(|c| !c.entries.is_empty()) {
            // The facts are stored and the event stays in the inbox.
            for commit in &mut commits {
                commit.processed = None;
            }
        }
        self.cross(self.ledger.commit(commits)).await
    }

    async fn restore(&self) -> Result<State, StoreError> {
        let mut state = self.cross(self.ledger.restore()).await?;
        for incident in state.incidents.values_mut() {
            self.forget_starts(incident);
        }
        Ok(state)
    }

    async fn load(&self, id: IncidentId) -> Result<Option<Incident>, StoreError> {
        let mut incident = self.cross(self.ledger.load(id)).await?;
        if let Some(incident) = &mut incident {
            self.forget_starts(incident);
        }
        Ok(incident)
    }
}

#[async_trait]
impl Outbox for Strait {
    async fn claim_within(&self, now: At, limit: u32, shares: &Shares) -> Result<Vec<Outgoing>, StoreError> {
        let mut rows = self.cross(self.ledger.claim_within(now, limit, shares)).await?;
        if self.has(Fault::LeasesInterruptedRunsAgain) {
            let lost = self.ledger.interrupted().await?;
            rows.extend(lost.into_iter().filter(|row| row.effect.is_run()));
        }
        if self.has(Fault::ForgetsTheOperation) {
            for row in &mut rows {
                row.op = format!("{}#{}", row.op, row.attempts);
            }
        }
        Ok(rows)
    }

    async fn claim_urgent(&self, now: At, limit: u32) -> Result<Vec<Outgoing>, StoreError> {
        self.cross(self.ledger.claim_urgent(now, limit)).await
    }

    async fn settle(&self, id: i64, mut progress: Progress, event: Option<Arrival>) -> Result<(), StoreError> {
        if self.has(Fault::RepeatsWithoutALook)
            && let Progress::Look { at, why } = progress
        {
            progress = Progress::Again { at, why };
        }
        if self.has(Fault::SettlesInTwoSteps) && event.is_some() {
            self.cross(self.ledger.settle(id, progress, None)).await?;
            return self.cross(async { self.ledger.accept(event.into_iter().collect()).await.map(drop) }).await;
        }
        self.cross(self.ledger.settle(id, progress, event)).await
    }

    async fn interrupted(&self) -> Result<Vec<Outgoing>, StoreError> {
        let mut rows = self.cross(self.ledger.interrupted()).await?;
        if self.has(Fault::LeasesInterruptedRunsAgain) {
            rows.retain(|row| !row.effect.is_run());
        }
        if self.has(Fault::ForgetsWhatWasInterrupted) {
            rows.clear();
        }
        Ok(rows)
    }

    async fn sending(&self) -> Result<Vec<Outgoing>, StoreError> {
        self.cross(self.ledger.sending()).await
    }

    async fn doubtful(&self, now: At, limit: u32) -> Result<Vec<Outgoing>, StoreError> {
        self.cross(self.ledger.doubtful(now, limit)).await
    }

    async fn behind(&self, id: i64, limit: u32) -> Result<Vec<Outgoing>, StoreError> {
        self.cross(self.ledger.behind(id, limit)).await
    }

    async fn fold(&self, id: i64, mut effect: Effect, mut rows: &[i64]) -> Result<(), StoreError> {
        if self.has(Fault::FoldForgetsARow)
            && let Effect::SayMissed { missed, .. } = &mut effect
        {
            missed.said.pop();
        }
        if self.has(Fault::FoldSaysTwice) {
            rows = &[];
        }
        self.cross(self.ledger.fold(id, effect, rows)).await
    }

    async fn hurry(&self, rows: &[i64]) -> Result<(), StoreError> {
        self.cross(self.ledger.hurry(rows)).await
    }

    fn may_act(&self) -> bool {
        self.ledger.may_act()
    }

    async fn last_posted(
        &self,
        incident: IncidentId,
        destination: Destination,
        key: &str,
    ) -> Result<Option<String>, StoreError> {
        self.cross(self.ledger.last_posted(incident, destination, key)).await
    }

    async fn next_due_within(&self, shares: &Shares) -> Result<Option<At>, StoreError> {
        self.cross(self.ledger.next_due_within(shares)).await
    }
}

#[async_trait]
impl Views for Strait {
    async fn list(&self, viewer: &Identity, closed: bool, limit: u32) -> Result<Vec<Incident>, StoreError> {
        self.cross(self.ledger.list(viewer, closed, limit)).await
    }

    async fn incident(&self, viewer: &Identity, id: IncidentId) -> Result<Option<Incident>, StoreError> {
        self.cross(self.ledger.incident(viewer, id)).await
    }

    async fn entries(&self, viewer: &Identity, id: IncidentId) -> Result<Vec<Entry>, StoreError> {
        self.cross(self.ledger.entries(viewer, id)).await
    }

    async fn alerts(&self, viewer: &Identity, id: IncidentId, limit: u32) -> Result<Vec<AlertState>, StoreError> {
        self.cross(self.ledger.alerts(viewer, id, limit)).await
    }

    async fn loose(&self, viewer: &Identity, limit: u32) -> Result<Vec<AlertState>, StoreError> {
        self.cross(self.ledger.loose(viewer, limit)).await
    }

    async fn said(&self, viewer: &Identity, id: IncidentId, platform: Platform) -> Result<Vec<Said>, StoreError> {
        self.cross(self.ledger.said(viewer, id, platform)).await
    }

    async fn desk(&self) -> Result<Desk, StoreError> {
        self.cross(self.ledger.desk()).await
    }

    async fn incident_of_room(&self, platform: Platform, room: &str) -> Result<Option<IncidentId>, StoreError> {
        self.cross(self.ledger.incident_of_room(platform, room)).await
    }
}
