//! Reconcile: what may or may not have had an effect is looked for before it is repeated (ARCHITECTURE.md D5, I7).
//!
//! Knows when to look, and what follows from what was found; knows no vendor. A destination that can look has an arm in
//! `looks` and one in `found`; what cannot be looked for waits for people.

use super::Engine;
use super::deliver::{Done, given_up, what};
use crate::flow::effect::{Destination, Effect};
use crate::flow::event::Event;
use crate::flow::moment::{MINUTE, SECOND};
use crate::ports::{Arrival, Outgoing, Progress, StoreError, Undelivered};
use futures::future::join_all;

/// Not sooner after an attempt (ms): a request may still be on its way, and what was just made is missing in lists for a
/// while; GitHub's are said to lag for seconds, up to half a minute.
const LOOK_AFTER: i64 = MINUTE;
/// The same (ms) on a chat platform, where a room's history shows at once what was posted.
const LOOK_AFTER_ON_CHAT: i64 = 5 * SECOND;
/// At most this long (ms) between two looks at what could not be looked for.
const LOOK_AT_LEAST_EVERY: i64 = 15 * MINUTE;
/// Rows looked for at once: a look is a few requests.
pub(super) const LOOKS: u32 = 8;

fn look_after(effect: &Effect) -> i64 {
    if effect.destination().platform().is_some() { LOOK_AFTER_ON_CHAT } else { LOOK_AFTER }
}

/// What a look came to.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // one at a time, and gone at once
pub(super) enum Seen {
    /// It had its effect; this is what is to be stored of it.
    There(Done),
    /// Certainly no effect.
    NotThere,
    /// Nobody needs it any more, and nobody will look for it.
    Pointless(String),
}

impl Engine {
    /// How a row of unknown outcome waits: to be looked for, or for people.
    pub(super) fn in_doubt(&self, effect: &Effect, why: String) -> Progress {
        if self.looks(effect) {
            Progress::Look { at: self.ports.clock.now().plus(look_after(effect)), why }
        } else {
            Progress::Unknown { why }
        }
    }

    /// Whether its destination can say what became of it.
    fn looks(&self, effect: &Effect) -> bool {
        match effect.destination() {
            Destination::Tracker => matches!(effect, Effect::FileIssue { .. }) && self.ports.tracker.is_some(),
            Destination::Room(platform) | Destination::Announcements(platform) | Destination::Direct(platform) => {
                self.ports.chats.contains_key(&platform)
            }
            _ => false,
        }
    }

    /// Looks for what is in doubt and due; how much there was.
    ///
    /// # Errors
    /// The store cannot be read or written; what was found is found again.
    pub async fn reconcile(&self) -> Result<usize, StoreError> {
        let rows = self.ports.outbox.doubtful(self.ports.clock.now(), LOOKS).await?;
        for looked in join_all(rows.iter().map(|row| self.look(row))).await {
            looked?;
        }
        Ok(rows.len())
    }

    async fn look(&self, row: &Outgoing) -> Result<(), StoreError> {
        let now = self.ports.clock.now();
        let (progress, event) = match self.found(row).await {
            Ok(Seen::There(done)) => (done.progress, done.event.map(|event| self.result_of(row, event))),
            Ok(Seen::NotThere) => {
                let why = "it was looked for, and certainly had no effect".to_owned();
                (Progress::Again { at: now, why }, None)
            }
            // Nobody will ever look again, and what follows in its lane need not wait for that.
            Ok(Seen::Pointless(why)) => {
                let done = given_up(row, why);
                (done.progress, done.event.map(|event| self.result_of(row, event)))
            }
            Err(Undelivered::NoRoom { change, why }) => {
                let done = self.no_room(row, change, why).await?;
                (done.progress, done.event.map(|event| self.result_of(row, event)))
            }
            Err(Undelivered::Never { why }) if self.edits(row).await? => (Progress::Again { at: now, why }, None),
            Err(problem) => self.unseen(row, problem),
        };
        self.observer.carried(row.effect.destination(), &progress);
        self.store_outcome(row.id, progress, event).await?;
        self.queued.notify_one();
        Ok(())
    }

    async fn found(&self, row: &Outgoing) -> Result<Seen, Undelivered> {
        match &row.effect {
            Effect::FileIssue { incident, follow_up } => self.find_issue(row, *incident, *follow_up).await,
            Effect::OpenRoom { .. }
            | Effect::Card { .. }
            | Effect::Say { .. }
            | Effect::SayMissed { .. }
            | Effect::Announce { .. }
            | Effect::Tell { .. } => self.find_said(row).await,
            _ => Ok(Seen::Pointless("only people can find out".to_owned())),
        }
    }

    /// It stays in doubt. The longer that lasts the less often it is looked for; when a person must do something about it
    /// they are told, once.
    fn unseen(&self, row: &Outgoing, problem: Undelivered) -> (Progress, Option<Arrival>) {
        let now = self.ports.clock.now();
        tracing::warn!(op = %row.op, %problem, "what became of an effect cannot be seen");
        let patience = (now.since(row.queued_at) / 2).clamp(look_after(&row.effect), LOOK_AT_LEAST_EVERY);
        match problem {
            Undelivered::NotYet { why, after_ms } => {
                let wait = patience.max(after_ms.unwrap_or_default());
                (Progress::Look { at: now.plus(wait), why }, None)
            }
            Undelivered::Unknown { why } => (Progress::Look { at: now.plus(patience), why }, None),
            Undelivered::NoRoom { why, .. } | Undelivered::Never { why } => {
                let told = format!("whether that happened is not known, and cannot be looked up: {why}");
                if matches!(row.effect, Effect::Say { .. } | Effect::SayMissed { .. } | Effect::Tell { .. }) {
                    // Nothing follows from a message, so nothing need wait for the answer.
                    let done = given_up(row, told);
                    return (done.progress, done.event.map(|event| self.result_of(row, event)));
                }
                let what = what(&row.effect);
                let event = Event::Undelivered { incident: row.effect.incident(), what, why: told };
                let mut arrival = self.result_of(row, event);
                // Said once: the inbox keeps one of a key.
                arrival.key = format!("{}:doubt", row.op);
                (Progress::Look { at: now.plus(LOOK_AT_LEAST_EVERY), why }, Some(arrival))
            }
        }
    }
}
