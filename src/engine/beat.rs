//! The beat: turns and deliveries go on until told to stop; then what is under way is finished.

use super::Engine;
use crate::flow::moment::At;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Effects under way at once.
const MAX_IN_FLIGHT: usize = 32;
/// Looked for work at least this often, should a bell have been missed.
const POLL: Duration = Duration::from_secs(5);
/// After a failed turn or claim.
const PAUSE: Duration = Duration::from_millis(500);
/// What is under way at the end gets this long (P8: SIGTERM drains within 20 s).
const DRAIN: Duration = Duration::from_secs(15);

impl Engine {
    /// Works until `stop` turns true.
    pub async fn run_until(self: Arc<Self>, stop: watch::Receiver<bool>) {
        tokio::join!(Arc::clone(&self).turning(stop.clone()), self.delivering(stop));
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

    async fn delivering(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut under_way = JoinSet::new();
        while !*stop.borrow() {
            while under_way.try_join_next().is_some() {}
            if under_way.len() >= MAX_IN_FLIGHT {
                under_way.join_next().await;
                continue;
            }
            match self.claim().await {
                Ok(rows) if rows.is_empty() => {
                    let due = self.next_due_in().await;
                    tokio::select! {
                        () = self.queued.notified() => {}
                        () = tokio::time::sleep(due) => {}
                        Some(_) = under_way.join_next() => {}
                        _ = stop.changed() => {}
                    }
                }
                Ok(rows) => {
                    for row in rows {
                        let engine = Arc::clone(&self);
                        under_way.spawn(async move {
                            let op = row.op.clone();
                            if let Err(problem) = engine.carry(row).await {
                                tracing::error!(op, %problem, "outcome of an effect not stored");
                            }
                        });
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

    async fn next_due_in(&self) -> Duration {
        let now = self.ports.clock.now();
        let due = self.ports.outbox.next_due().await.ok().flatten().unwrap_or(At(i64::MAX));
        Duration::from_millis(due.since(now).max(10).unsigned_abs()).min(POLL)
    }
}

async fn pause(stop: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = tokio::time::sleep(PAUSE) => {}
        _ = stop.changed() => {}
    }
}
