//! What the store refuses again and again: the batch is taken apart, and an event that can never be stored is set aside, so that
//! one bad event does not keep everybody else's waiting.
//!
//! Knows counts and rows; knows nothing of why the store refuses.

use super::Engine;
use crate::flow::refusal::Refusal;
use crate::ports::{Commit, DeadLetter, StoreError, Waiting};
use std::sync::PoisonError;

/// Conflicts of one batch, each on state read anew, before its events are taken one by one: the first may be another turn's doing.
const BATCH_REFUSALS: u32 = 2;
/// Conflicts of one event alone before it is set aside: with the pause after each some seconds, in which nothing else could have
/// moved the store on.
const EVENT_REFUSALS: u32 = 3;
/// Events set aside with none stored in between: more, and it is not the events' fault. Then the inbox waits for a person, as it
/// is: nothing is lost.
const ASIDE_IN_A_ROW: u32 = 8;

/// How the store took the last turns.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    /// The first row of what was refused last, and how often that was.
    first: i64,
    times: u32,
    /// Rows up to this one are taken one by one.
    alone_to: Option<i64>,
    in_a_row: u32,
}

impl Refusals {
    /// How many events to take at once, of `batch` at most.
    pub(super) const fn at_once(&self, batch: u32) -> u32 {
        if self.alone_to.is_some() { 1 } else { batch }
    }

    /// These were stored.
    pub(super) fn stored(&mut self, rows: &[Waiting]) {
        self.in_a_row = 0;
        self.gone(rows);
    }

    fn gone(&mut self, rows: &[Waiting]) {
        self.times = 0;
        let last = rows.last().map_or(i64::MAX, |row| row.id);
        self.alone_to = self.alone_to.filter(|to| *to > last);
    }

    /// These were refused with a conflict. The row to set aside, if it is time to.
    fn refused<'r>(&mut self, rows: &'r [Waiting]) -> Option<&'r Waiting> {
        let (first, last) = (rows.first()?, rows.last()?);
        self.times = if self.first == first.id { self.times.saturating_add(1) } else { 1 };
        self.first = first.id;
        if self.alone_to.is_none() {
            if self.times >= BATCH_REFUSALS {
                (self.alone_to, self.times) = (Some(last.id), 0);
            }
            return None;
        }
        (self.times >= EVENT_REFUSALS && self.in_a_row < ASIDE_IN_A_ROW).then_some(first)
    }
}

impl Engine {
    /// The store refused these with a conflict. How many of them need no other turn; an error, when they are to be taken again.
    pub(super) async fn refused(
        &self,
        refusals: &mut Refusals,
        rows: &[Waiting],
        why: String,
    ) -> Result<usize, StoreError> {
        let Some(row) = refusals.refused(rows) else { return Err(StoreError::Conflict(why)) };
        let (source, key) = (row.arrival.source.clone(), row.arrival.key.clone());
        tracing::error!(
            inbox = row.id,
            source,
            key,
            incident = row.arrival.event.incident().map(tracing::field::display),
            why,
            "an event can not be stored, however often it is tried, and is set aside: a fault in Smokejumper"
        );
        // Where it is found, and nothing of what it says: it may be of a private incident.
        let sample = format!("inbox row {}, key {key}", row.id);
        let letter = DeadLetter {
            source: source.clone(),
            at: self.ports.clock.now(),
            why: format!("set aside after the store refused it {EVENT_REFUSALS} times: {why}"),
            sample,
        };
        self.ports.inbox.bury(letter).await?;
        self.ports.journal.commit(vec![Commit { processed: Some(row.id), ..Commit::default() }]).await?;
        refusals.in_a_row = refusals.in_a_row.saturating_add(1);
        refusals.gone(rows);
        let sender = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&(source, key));
        if let Some(sender) = sender {
            let refusal = Refusal::new("this could not be stored, and was not done; the log of Smokejumper says more.");
            let _ = sender.send(refusal.to_reply());
        }
        Ok(1)
    }
}
