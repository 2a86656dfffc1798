//! A turn: events in order of arrival, each decided on the state its predecessors left; stored together, then answered.

use super::{Cache, Engine};
use crate::flow::decide::decide;
use crate::flow::desk::{Faded, MAX_LOOSE};
use crate::flow::event::Event;
use crate::flow::fact::{Ended, Fact};
use crate::flow::incident::IncidentId;
use crate::flow::moment::At;
use crate::flow::phrase::{ours, titled};
use crate::flow::policy::Policy;
use crate::flow::remediation::Approved;
use crate::flow::{State, Turn};
use crate::ports::{Commit, Progress, StoreError, Waiting};
use smokejumper_intents::reply::Reply;
use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::time::Instant;

/// Events decided and stored in one transaction: enough to share an fsync, few enough to answer soon.
const BATCH: u32 = 64;

/// Who is to be answered what, once it is stored.
type Answers = Vec<((String, String), Reply)>;

impl Engine {
    /// Decides and stores one batch of waiting events; how many there were. On an error nothing happened. A batch the store
    /// refuses again and again is taken apart, and what can never be stored is set aside.
    ///
    /// # Errors
    /// The store refused; the events still wait.
    #[tracing::instrument(level = "debug", name = "turns", skip_all)]
    pub async fn turns(&self) -> Result<usize, StoreError> {
        let mut cache = self.state.lock().await;
        let waiting = self.ports.inbox.waiting(cache.refusals.at_once(BATCH)).await?;
        if waiting.is_empty() {
            return Ok(0);
        }
        let result = self.batch(&mut cache, &waiting).await;
        if result.is_err() {
            // Memory ran ahead of the store; the store is right.
            cache.state = None;
        }
        let answers = match result {
            Ok(answers) => answers,
            Err(StoreError::Conflict(why)) => return self.refused(&mut cache.refusals, &waiting, why).await,
            Err(problem) => return Err(problem),
        };
        cache.refusals.stored(&waiting);
        drop(cache);
        for (key, reply) in answers {
            let sender = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
            if let Some(sender) = sender {
                // Whoever asked may have gone; what was asked is done all the same.
                let _ = sender.send(reply);
            }
        }
        self.queued.notify_one();
        Ok(waiting.len())
    }

    async fn batch(&self, cache: &mut Cache, waiting: &[Waiting]) -> Result<Answers, StoreError> {
        let policy = self.policy();
        let mut commits = Vec::with_capacity(waiting.len());
        let mut answers = Answers::new();
        for row in waiting {
            self.loaded(cache, row.arrival.event.other()).await?;
            if row.arrival.event.hides() {
                self.loaded_with_parts(cache, row.arrival.event.incident()).await?;
            }
            let state = self.loaded(cache, row.arrival.event.incident()).await?;
            let now = self.ports.clock.now();
            if row.arrival.event == Event::Tick {
                told(&state.desk.forget(now));
            }
            let began = Instant::now();
            let decided = decide(state, row.arrival.event.clone(), &policy, now);
            self.observer.decided(began.elapsed());
            let (turn, reply) = match decided {
                Ok(mut turn) => {
                    let reply = turn.reply.take();
                    (turn, reply)
                }
                Err(refusal) => (Turn::default(), Some(refusal.to_reply())),
            };
            commits.push(commit(state, turn, &format!("i{}", row.id), Some(row.id)));
            if matches!(row.arrival.event, Event::Asked { .. }) {
                let reply = reply.unwrap_or_else(|| titled(vec![ours("Done.")]));
                answers.push(((row.arrival.source.clone(), row.arrival.key.clone()), reply));
            }
        }
        if let Some(state) = cache.state.as_mut() {
            last_states(state, &mut commits);
        }
        let (runs, began) = (ended_runs(&commits), Instant::now());
        self.ports.journal.commit(commits).await?;
        self.observer.committed(began.elapsed(), waiting.len(), &runs);
        if let Some(state) = cache.state.as_mut() {
            // Ended incidents are read again when they are needed.
            state.incidents.retain(|_, i| i.is_open());
        }
        Ok(answers)
    }

    /// An approved run is about to start: asks the flow for leave, and stores that it starts, in one transaction.
    ///
    /// # Errors
    /// The store refused: it did not start.
    pub(super) async fn poise(&self, row: i64, op: &str, event: Event) -> Result<Option<Approved>, StoreError> {
        let mut cache = self.state.lock().await;
        let policy = self.policy();
        let state = self.loaded(&mut cache, event.incident()).await?;
        let now = self.ports.clock.now();
        let approved = self.store_start(state, row, op, event, &policy, now).await;
        if approved.is_err() {
            cache.state = None;
        }
        self.queued.notify_one();
        approved
    }

    async fn store_start(
        &self,
        state: &mut State,
        row: i64,
        op: &str,
        event: Event,
        policy: &Policy,
        now: At,
    ) -> Result<Option<Approved>, StoreError> {
        let mut turn = decide(state, event, policy, now).map_err(|r| StoreError::Conflict(r.to_string()))?;
        let approved = turn.go.take();
        let progress = match &approved {
            Some(_) => Progress::Sending,
            None => Progress::Superseded { why: "the flow gave no leave".to_owned() },
        };
        let mut commits = vec![commit(state, turn, op, None)];
        last_states(state, &mut commits);
        if let Some(commit) = commits.last_mut() {
            commit.outbox.push((row, progress));
        }
        self.ports.journal.commit(commits).await?;
        Ok(approved)
    }

    /// The state in memory, with `incident` in it and everything that became a part of it, and of that.
    async fn loaded_with_parts(&self, cache: &mut Cache, incident: Option<IncidentId>) -> Result<(), StoreError> {
        let mut parts: Vec<IncidentId> = incident.into_iter().collect();
        let mut next = 0;
        while let Some(part) = parts.get(next).copied() {
            let state = self.loaded(cache, Some(part)).await?;
            let further = state.incidents.get(&part).map(|i| i.absorbed.clone()).unwrap_or_default();
            let new: Vec<IncidentId> = further.into_iter().filter(|id| !parts.contains(id)).collect();
            parts.extend(new);
            next += 1;
        }
        Ok(())
    }

    /// The state in memory, with `incident` in it.
    pub(super) async fn loaded<'c>(
        &self,
        cache: &'c mut Cache,
        incident: Option<IncidentId>,
    ) -> Result<&'c mut State, StoreError> {
        if cache.state.is_none() {
            cache.state = Some(self.ports.journal.restore().await?);
        }
        let state = cache.state.get_or_insert_default();
        if let Some(id) = incident
            && !state.incidents.contains_key(&id)
            && let Some(incident) = self.ports.journal.load(id).await?
        {
            state.incidents.insert(id, incident);
        }
        Ok(state)
    }
}

/// To the operator: what fired and is forgotten.
fn told(faded: &Faded) {
    if faded.unheard > 0 {
        tracing::info!(alerts = faded.unheard, "alerts that fired were not heard of for a week and are forgotten");
    }
    for (source, surplus) in &faded.surplus {
        tracing::warn!(
            source,
            surplus,
            "more than {MAX_LOOSE} alerts of this source fire without an incident: those heard of longest ago are forgotten until they \
             are heard of again; should it send all that?"
        );
    }
}

/// How the runs ended of which these turns tell.
fn ended_runs(commits: &[Commit]) -> Vec<Ended> {
    let facts = commits.iter().flat_map(|commit| &commit.entries).map(|entry| &entry.fact);
    facts
        .filter_map(
            |fact| if let Fact::RunFinished { outcome, .. } = fact { Some(outcome.ended.clone()) } else { None },
        )
        .collect()
}

/// Folds the turn into the state, and says what must be stored for it.
fn commit(state: &mut State, turn: Turn, op: &str, processed: Option<i64>) -> Commit {
    state.apply(&turn);
    Commit {
        processed,
        entries: turn.facts,
        alerts: turn.alerts,
        effects: turn.effects.into_iter().enumerate().map(|(n, e)| (format!("{op}.{n}"), e)).collect(),
        ..Commit::default()
    }
}

/// Desk and snapshots as they are after the whole batch: what they were in between nobody can see.
fn last_states(state: &mut State, commits: &mut [Commit]) {
    let changed: BTreeSet<IncidentId> = commits.iter().flat_map(|c| &c.entries).map(|e| e.incident).collect();
    let dirty = commits.iter().any(|c| !c.entries.is_empty() || !c.alerts.is_empty());
    if let Some(last) = commits.last_mut().filter(|_| dirty) {
        state.desk.version += 1;
        last.desk = Some(state.desk.without_alerts());
        last.incidents = changed.iter().filter_map(|id| state.incidents.get(id).cloned()).collect();
    }
}
