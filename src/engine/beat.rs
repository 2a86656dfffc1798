//! The beat: turns and deliveries go on until told to stop; then what is under way is finished.

use super::Engine;
use super::reconcile::LOOKS;
use crate::flow::event::Event;
use crate::flow::moment::{At, MINUTE};
use crate::ports::{Arrival, Outgoing};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Effects under way at once.
const MAX_IN_FLIGHT: usize = 32;
/// And as many more of pages and timers, so that no vendor that answers slowly and no run of minutes keeps a phone from ringing.
const MAX_URGENT: usize = 32;
/// Looked for work at least this often, should a bell have been missed.
const POLL: Duration = Duration::from_secs(5);
/// What depends on time alone (a silence that ends) is looked at this often.
const TICK: Duration = Duration::from_mins(1);
/// Looked again this soon when something is overdue but cannot go yet.
const OVERDUE: Duration = Duration::from_millis(100);
/// While all hands are full, pages and timers that fall due are looked for this often.
const URGENT_POLL: Duration = Duration::from_millis(250);
/// After a failed turn or claim.
const PAUSE: Duration = Duration::from_millis(500);
/// What is under way at the end gets this long (SIGTERM drains within 20 s).
const DRAIN: Duration = Duration::from_secs(15);

impl Engine {
    /// Works until `stop` turns true.
    pub async fn run_until(self: Arc<Self>, stop: watch::Receiver<bool>) {
        let (turning, ticking) = (Arc::clone(&self).turning(stop.clone()), Arc::clone(&self).ticking(stop.clone()));
        tokio::join!(turning, ticking, Arc::clone(&self).looking(stop.clone()), self.delivering(stop));
    }

    /// Says every minute that a minute has passed.
    async fn ticking(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                _ = stop.changed() => return,
            }
            let at = self.ports.clock.now();
            let key = format!("{}", at.0 / MINUTE);
            let tick = Arrival { source: "clock".to_owned(), key, at, event: Event::Tick };
            match self.ports.inbox.accept(vec![tick]).await {
                Ok(_) => self.arrived.notify_one(),
                Err(problem) => tracing::warn!(%problem, "the minute was not noted"),
            }
        }
    }

    async fn turning(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            match self.turns().await {
                Ok(0) => {
                    tokio::select! {
                        () = self.arrived.notified() => {}
                        () = tokio::time::sleep(POLL) => {}
                        _ = stop.changed() => {}
                    }
                }
                Ok(_) => {}
                Err(problem) => {
                    tracing::error!(%problem, "turn not stored; it will be taken again");
                    pause(&mut stop).await;
                }
            }
        }
    }

    /// Looks for what may or may not have happened.
    async fn looking(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            match self.reconcile().await {
                // There may be more.
                Ok(looked) if looked >= LOOKS as usize => continue,
                Ok(_) => {}
                Err(problem) => tracing::error!(%problem, "what came of a look is not stored; it is looked for again"),
            }
            tokio::select! {
                () = tokio::time::sleep(POLL) => {}
                _ = stop.changed() => {}
            }
        }
    }

    async fn delivering(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut under_way = JoinSet::new();
        while !*stop.borrow() {
            while under_way.try_join_next().is_some() {}
            // A claim takes more than one, so this is a bound on when, and twice of it one on how many.
            let busy = under_way.len() >= MAX_IN_FLIGHT;
            if under_way.len() >= 2 * MAX_IN_FLIGHT + MAX_URGENT {
                under_way.join_next().await;
                continue;
            }
            match if busy { self.claim_urgent().await } else { self.claim().await } {
                Ok(rows) if rows.is_empty() => {
                    // What is due and not urgent rings no bell: while all hands are full it is looked at now and then.
                    let due = if busy { URGENT_POLL } else { self.next_due_in().await };
                    tokio::select! {
                        () = self.queued.notified() => {}
                        () = tokio::time::sleep(due) => {}
                        Some(_) = under_way.join_next() => {}
                        _ = stop.changed() => {}
                    }
                }
                Ok(rows) => {
                    for row in rows {
                        under_way.spawn(Arc::clone(&self).see_through(row));
                    }
                }
                Err(problem) => {
                    tracing::error!(%problem, "outbox cannot be read");
                    pause(&mut stop).await;
                }
            }
        }
        let drained = async { while under_way.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, drained).await.is_err() {
            tracing::warn!("some effects were still under way; they are looked at again at the next start");
        }
    }

    /// Carries one row; a fault of ours in it is an outcome too. What the store refuses is stored before the next claim.
    async fn see_through(self: Arc<Self>, row: Outgoing) {
        // In a set of its own, so that it ends with this future.
        let mut alone = JoinSet::new();
        alone.spawn({
            let (engine, row) = (Arc::clone(&self), row.clone());
            async move { engine.carry(row).await }
        });
        let stored = match alone.join_next().await {
            None => return,
            Some(Ok(stored)) => stored,
            Some(Err(fault)) => {
                tracing::error!(op = row.op, %fault, "an effect came to grief");
                self.broken(&row).await
            }
        };
        if let Err(problem) = stored {
            tracing::error!(op = row.op, %problem, "outcome of an effect not stored yet");
        }
    }

    /// Until the next row is due. One that is overdue waits behind another of its lane, whose end rings the bell.
    async fn next_due_in(&self) -> Duration {
        let now = self.ports.clock.now();
        let due = self.ports.outbox.next_due_within(&self.shares()).await.ok().flatten().unwrap_or(At(i64::MAX));
        if due <= now { OVERDUE } else { Duration::from_millis(due.since(now).unsigned_abs()).min(POLL) }
    }
}

async fn pause(stop: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = tokio::time::sleep(PAUSE) => {}
        _ = stop.changed() => {}
    }
}
