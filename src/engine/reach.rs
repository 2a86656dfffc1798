//! Reach: which chat platforms answer just now. One that does not gets a look now and then instead of every hand, and when it is
//! back, what waited for it goes on at once.
//!
//! In memory only: a process that starts anew finds out anew. Knows platforms and rows; knows no vendor.

use super::Engine;
use crate::flow::effect::Destination;
use crate::flow::identity::Platform;
use crate::flow::moment::{At, SECOND};
use crate::ports::{Outgoing, Shares, Undelivered};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

/// Hands one platform may have: two that hang leave a quarter of all to the console and everything else.
pub(super) const MAX_PER_PLATFORM: u32 = 12;
/// A platform that is away is tried again this often (ms), with one effect.
const TRY_EVERY: i64 = 5 * SECOND;
/// Calls in a row that came to nothing, after which a platform counts as away: as many as it may have hands, so that one round of
/// lost answers is enough; and one that was certainly not reached counts as much as four of them.
const STRIKES: u32 = 12;
const UNREACHED: u32 = 4;
/// Rows noted as waiting for one platform; more wait for their own time, which is a minute at most.
const MAX_NOTED: usize = 10_000;

/// How each platform stands.
#[derive(Default)]
pub(super) struct Reach(BTreeMap<Platform, Line>);

/// One platform, since it was last heard of.
#[derive(Default)]
struct Line {
    strikes: u32,
    tried: At,
    /// When it was last heard of after it had been away.
    back: Option<At>,
    /// Rows that wait for nothing but the platform.
    waiting: BTreeSet<i64>,
    /// Those of them that need not wait any more.
    free: BTreeSet<i64>,
}

impl Line {
    const fn away(&self) -> bool {
        self.strikes >= STRIKES
    }
}

/// The service of others at a destination. The console is our own, and never away.
pub(super) fn vendor(destination: Destination) -> Option<Platform> {
    destination.platform().filter(|platform| *platform != Platform::Console)
}

impl Engine {
    fn reach<T>(&self, work: impl FnOnce(&mut Reach) -> T) -> T {
        work(&mut self.reach.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the platform is away, or was since then.
    pub(super) fn was_away(&self, platform: Platform, since: At) -> bool {
        let was = |line: &Line| line.away() || line.back.is_some_and(|back| back >= since);
        self.reach(|reach| reach.0.get(&platform).is_some_and(was))
    }

    /// What came of a call to a platform, passed on.
    pub(super) fn heard<T>(
        &self,
        row: &Outgoing,
        platform: Platform,
        came: Result<T, Undelivered>,
    ) -> Result<T, Undelivered> {
        let strikes = match &came {
            Err(Undelivered::NotYet { after_ms: None, .. }) => UNREACHED,
            Err(Undelivered::Unknown { .. }) => 1,
            // Whatever it said, it spoke.
            _ => 0,
        };
        let now = self.ports.clock.now();
        let returned = self.reach(|reach| {
            let line = reach.0.entry(platform).or_default();
            let was = line.away();
            if strikes == 0 {
                line.strikes = 0;
                line.back = if was { Some(now) } else { line.back };
                let freed = std::mem::take(&mut line.waiting);
                line.free.extend(freed);
            } else {
                line.strikes = line.strikes.saturating_add(strikes);
                line.tried = now;
                if line.waiting.len() < MAX_NOTED {
                    line.waiting.insert(row.id);
                }
            }
            (was != line.away()).then_some(was)
        });
        match returned {
            Some(true) => tracing::info!(platform = platform.label(), "the platform answers again"),
            Some(false) => {
                tracing::warn!(platform = platform.label(), "the platform does not answer; it is tried now and then");
            }
            None => {}
        }
        came
    }

    /// A row is in hand: what comes of it says how it waits.
    pub(super) fn in_hand(&self, id: i64) {
        self.reach(|reach| {
            for line in reach.0.values_mut() {
                line.waiting.remove(&id);
                line.free.remove(&id);
            }
        });
    }

    /// How many rows of each platform may be claimed now. `carried`: how many of each are in hand.
    pub(super) fn shares(&self) -> Shares {
        let (carried, now) = (self.carried_by_platform(), self.ports.clock.now());
        let vendors = self.ports.chats.keys().filter(|platform| **platform != Platform::Console);
        self.reach(|reach| {
            let share = |platform: &Platform| {
                let carried = carried.get(platform).copied().unwrap_or_default();
                match reach.0.get(platform).filter(|line| line.away()) {
                    // Also when the clock was set back.
                    Some(line) if carried == 0 && !(0..TRY_EVERY).contains(&now.since(line.tried)) => 1,
                    Some(_) => 0,
                    None => MAX_PER_PLATFORM.saturating_sub(carried),
                }
            };
            vendors.map(|platform| (*platform, share(platform))).collect()
        })
    }

    /// What waited for a platform that is back is due at once. Should that not be stored, it waits for its own time.
    pub(super) async fn hurry(&self) {
        let free: Vec<i64> =
            self.reach(|reach| reach.0.values_mut().flat_map(|line| std::mem::take(&mut line.free)).collect());
        if !free.is_empty()
            && let Err(problem) = self.ports.outbox.hurry(&free).await
        {
            tracing::warn!(%problem, "what waited for a platform that is back waits a little longer");
        }
    }
}
