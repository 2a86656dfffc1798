//! Settling: what became of an effect is stored, however often the store refuses; and no row is left that nobody carries.
//!
//! Knows rows and outcomes; knows nothing of how an effect is carried out.

use super::Engine;
use crate::flow::identity::Platform;
use crate::ports::{Arrival, Outgoing, Progress, StoreError};
use std::collections::{BTreeMap, HashMap};
use std::sync::PoisonError;

/// Rows in this process's hands.
#[derive(Default)]
pub(super) struct Hands {
    /// Claimed and not put down yet, and how often: a row that is to be repeated may be claimed again before whoever stored
    /// that has put it down.
    carried: HashMap<i64, Carried>,
    /// Outcomes the store refused so far. At most as many as are carried: nothing is claimed while one is left.
    owed: Vec<(i64, Progress, Option<Arrival>)>,
    /// A claim or a start failed: rows may be marked as sending that nobody carries.
    doubt: bool,
}

/// A row in hand.
#[derive(Clone, Copy, Default)]
struct Carried {
    times: u32,
    platform: Option<Platform>,
}

/// A row while it is carried. Dropped without an outcome (an error, a panic), it leaves a doubt to be cleared up.
pub(super) struct Load<'e> {
    engine: &'e Engine,
    id: i64,
    /// Somebody else knows of it: the store, or the list of what is owed.
    known: bool,
}

impl Hands {
    fn put_down(&mut self, id: i64) {
        if let Some(carried) = self.carried.get_mut(&id) {
            carried.times -= 1;
            if carried.times == 0 {
                self.carried.remove(&id);
            }
        }
    }
}

impl<'e> Load<'e> {
    pub(super) const fn new(engine: &'e Engine, id: i64) -> Self {
        Self { engine, id, known: false }
    }

    /// Its outcome is stored.
    pub(super) fn put_down(mut self) {
        self.known = true;
        self.engine.hands(|hands| hands.put_down(self.id));
    }

    /// Stores its outcome, or keeps it for later.
    pub(super) async fn settle(mut self, progress: Progress, event: Option<Arrival>) -> Result<(), StoreError> {
        let engine = self.engine;
        let stored = engine.store_outcome(self.id, progress.clone(), event.clone()).await;
        if stored.is_err() {
            self.known = true;
            engine.hands(|hands| {
                // Claimed anew meanwhile: then it was stored, and only the answer was lost. Stored once more it would take the row out
                // of the hands that have it now.
                if hands.carried.get(&self.id).is_some_and(|carried| carried.times > 1) {
                    hands.put_down(self.id);
                } else {
                    hands.owed.push((self.id, progress, event));
                }
            });
        } else {
            self.put_down();
        }
        engine.queued.notify_one();
        stored
    }
}

impl Drop for Load<'_> {
    fn drop(&mut self) {
        if !self.known {
            self.engine.hands(|hands| {
                hands.put_down(self.id);
                hands.doubt = true;
            });
        }
    }
}

impl Engine {
    fn hands<T>(&self, change: impl FnOnce(&mut Hands) -> T) -> T {
        change(&mut self.hands.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// `false`: a run that is carried already; it stays claimable until its start is stored.
    pub(super) fn pick_up(&self, row: &Outgoing) -> bool {
        let platform = row.effect.destination().platform();
        if platform.is_some() {
            self.in_hand(row.id);
        }
        self.hands(|hands| {
            if row.effect.is_run() && hands.carried.contains_key(&row.id) {
                return false;
            }
            // What is owed for it was stored after all, or it could not have been claimed.
            if hands.owed.iter().any(|owed| owed.0 == row.id) {
                hands.owed.retain(|owed| owed.0 != row.id);
                hands.put_down(row.id);
            }
            let carried = hands.carried.entry(row.id).or_default();
            (carried.times, carried.platform) = (carried.times + 1, platform);
            true
        })
    }

    /// Rows in hand, by the platform they are for.
    pub(super) fn carried_by_platform(&self) -> BTreeMap<Platform, u32> {
        let mut carried = BTreeMap::new();
        self.hands(|hands| {
            for platform in hands.carried.values().filter_map(|row| row.platform) {
                *carried.entry(platform).or_default() += 1;
            }
        });
        carried
    }

    pub(super) fn doubt(&self) {
        self.hands(|hands| hands.doubt = true);
    }

    pub(super) async fn store_outcome(
        &self,
        id: i64,
        progress: Progress,
        event: Option<Arrival>,
    ) -> Result<(), StoreError> {
        let woke = event.is_some();
        match self.ports.outbox.settle(id, progress, event).await {
            // It was stored, and the answer was lost.
            Ok(()) | Err(StoreError::Conflict(_)) => {}
            Err(problem) => return Err(problem),
        }
        if woke {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Stores what the store refused before, and finds rows that are marked as sending though nobody carries them.
    ///
    /// # Errors
    /// The store still refuses; nothing is forgotten.
    pub(super) async fn settle_debts(&self) -> Result<(), StoreError> {
        while let Some((id, progress, event)) = self.hands(|hands| hands.owed.last().cloned()) {
            self.store_outcome(id, progress, event).await?;
            self.hands(|hands| {
                hands.owed.retain(|owed| owed.0 != id);
                hands.put_down(id);
            });
        }
        let (doubt, carried) = self.hands(|hands| (std::mem::take(&mut hands.doubt), hands.carried.clone()));
        if doubt {
            let found = self.drop_lost(&carried).await;
            if found.is_err() {
                self.doubt();
            }
            return found;
        }
        Ok(())
    }

    async fn drop_lost(&self, carried: &HashMap<i64, Carried>) -> Result<(), StoreError> {
        for row in self.ports.outbox.sending().await? {
            if carried.contains_key(&row.id) {
                // Or it was claimed anew while whoever carried it before had not put it down: looked at again.
                self.doubt();
            } else {
                // Most likely storage failed when it was about to start; whether it began is not certain enough to say.
                self.abandon(&row, "Smokejumper lost sight of it").await?;
            }
        }
        Ok(())
    }

    /// Rows that a former process left half done: a run is never begun again, what may be repeated is.
    pub(super) async fn recover(&self) -> Result<(), StoreError> {
        for row in self.ports.outbox.interrupted().await? {
            self.abandon(&row, "Smokejumper stopped while it ran").await?;
        }
        Ok(())
    }
}
