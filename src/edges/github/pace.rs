//! How fast GitHub may be asked: writes one after the other, a second apart, at most 80 a minute and 500 an hour; and nothing
//! at all before a wait it asked for is over (I9). What comes too early is given a moment of its own and comes back then.
//!
//! The time is a parameter.

use super::answer::LEAST_WAIT;
use crate::flow::moment::{At, HOUR, MINUTE, SECOND};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Between the beginnings of two writes (ms): GitHub's best practices.
const APART: i64 = SECOND;
/// Content made in a minute, and in an hour (GitHub's secondary limits).
const PER_MINUTE: usize = 80;
const PER_HOUR: usize = 500;
/// Moments given away and not used yet; whoever comes after them asks again.
const MAX_BOOKED: usize = 10_000;
/// The longest wait when GitHub goes on saying "slow down" without saying for how long.
const MOST_BACKOFF: i64 = HOUR;

#[derive(Debug, Default)]
pub struct Pace(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    /// Nothing is asked before.
    closed_until: Option<At>,
    /// Limits met in a row.
    strikes: u32,
    /// When the last write began.
    last: Option<At>,
    /// Moments of writes of the last hour and of those to come, in order.
    moments: VecDeque<At>,
    /// Which of them belongs to which operation.
    booked: BTreeMap<String, At>,
}

impl Pace {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long (ms) nothing may be asked; `None`: it may.
    pub fn closed(&self, now: At) -> Option<i64> {
        self.book().closed(now)
    }

    /// Whether the write `op` may begin now.
    ///
    /// # Errors
    /// How long (ms) it should wait: until the moment that is now its own.
    pub fn write(&self, op: &str, now: At) -> Result<(), i64> {
        let mut book = self.book();
        if let Some(wait) = book.closed(now) {
            return Err(wait);
        }
        book.forget(now);
        let own = book.booked.remove(op);
        if let Some(own) = own {
            if own > now {
                book.booked.insert(op.to_owned(), own);
                return Err(own.since(now));
            }
            book.moments.retain(|at| *at != own);
        }
        // Those who come late share the present with those who are on time: it is theirs only if it is free.
        let free = book.free(now, own.is_some());
        if free > now {
            book.keep(op, free);
            return Err(free.since(now));
        }
        book.insert(now);
        book.last = Some(now);
        Ok(())
    }

    /// GitHub asked to wait. Gives how long: longer each time when it does not say.
    pub fn limited(&self, now: At, after_ms: i64) -> i64 {
        let mut book = self.book();
        book.strikes = book.strikes.saturating_add(1);
        let backoff = LEAST_WAIT.saturating_mul(1 << (book.strikes - 1).min(6)).min(MOST_BACKOFF);
        let wait = if after_ms == LEAST_WAIT { backoff } else { after_ms };
        let until = now.plus(wait);
        book.closed_until = Some(book.closed_until.map_or(until, |known| known.max(until)));
        wait
    }

    /// GitHub answered as it should.
    pub fn fine(&self) {
        self.book().strikes = 0;
    }
}

impl Book {
    fn closed(&mut self, now: At) -> Option<i64> {
        let until = self.closed_until?;
        // A clock set back by days does not close it for days: GitHub never asks for more than an hour.
        let wait = until.since(now).min(MOST_BACKOFF + 5 * MINUTE);
        if wait <= 0 {
            self.closed_until = None;
            return None;
        }
        Some(wait)
    }

    /// What is older than an hour limits nothing; what lies further ahead than any booking is of a clock that was set back.
    fn forget(&mut self, now: At) {
        let ahead = now.plus(i64::try_from(MAX_BOOKED).unwrap_or(i64::MAX).saturating_mul(HOUR / 100));
        self.moments.retain(|at| now.since(*at) < HOUR && *at <= ahead);
        self.booked.retain(|_, at| now.since(*at) < HOUR && *at <= ahead);
        self.last = self.last.filter(|last| *last <= now);
        if self.booked.len() >= MAX_BOOKED {
            self.booked.clear();
        }
    }

    /// The first moment from `now` on at which the limits leave room. Who had one and is late may go between those to come;
    /// who is new goes behind them all.
    fn free(&self, now: At, late: bool) -> At {
        let mut at = match (late, self.moments.back()) {
            (false, Some(last)) => now.max(last.plus(APART)),
            _ => self.last.map_or(now, |last| now.max(last.plus(APART))),
        };
        for (most, window) in [(PER_HOUR, HOUR), (PER_MINUTE, MINUTE)] {
            let before: Vec<At> = self.moments.iter().copied().filter(|m| *m <= at).collect();
            if let Some(oldest) = before.len().checked_sub(most).and_then(|n| before.get(n)) {
                at = at.max(oldest.plus(window));
            }
        }
        at
    }

    fn keep(&mut self, op: &str, at: At) {
        self.insert(at);
        self.booked.insert(op.to_owned(), at);
    }

    fn insert(&mut self, at: At) {
        let place = self.moments.partition_point(|m| *m <= at);
        self.moments.insert(place, at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const START: At = At(1_795_168_800_000);

    /// Lets `number` writers come at once and come back when they are told to; when each began.
    fn begun(pace: &Pace, number: usize) -> Vec<At> {
        let mut due: BTreeSet<(At, usize)> = (0..number).map(|n| (START, n)).collect();
        let mut begun = Vec::new();
        while let Some((now, n)) = due.pop_first() {
            match pace.write(&format!("op-{n}"), now) {
                Ok(()) => begun.push(now),
                Err(wait) => {
                    assert!(wait > 0);
                    due.insert((now.plus(wait), n));
                }
            }
        }
        begun
    }

    fn most_within(begun: &[At], window: i64) -> usize {
        begun.iter().map(|from| begun.iter().filter(|at| (0..window).contains(&(at.0 - from.0))).count()).max().unwrap()
    }

    #[test]
    fn a_crowd_queues_and_nobody_is_lost() {
        let begun = begun(&Pace::default(), 1_200);
        assert_eq!(begun.len(), 1_200);
        assert!(begun.windows(2).all(|pair| pair[1].since(pair[0]) >= APART));
        assert!(most_within(&begun, MINUTE) <= PER_MINUTE, "{}", most_within(&begun, MINUTE));
        assert!(most_within(&begun, HOUR) <= PER_HOUR, "{}", most_within(&begun, HOUR));
        assert!(begun.last().unwrap().since(START) < 3 * HOUR, "nobody waits longer than the limits make them");
    }

    #[test]
    fn nothing_is_asked_before_the_wait_is_over() {
        let pace = Pace::default();
        pace.limited(START, 7_000);
        assert_eq!(pace.closed(START.plus(6_999)), Some(1));
        assert_eq!(pace.write("a", START), Err(7_000));
        assert_eq!(pace.closed(START.plus(7_000)), None);
        assert_eq!(pace.write("a", START.plus(7_000)), Ok(()));
        // Two who both waited for that do not begin at once.
        assert_eq!(pace.write("b", START.plus(7_000)), Err(APART));
    }

    #[test]
    fn without_a_word_it_waits_longer_each_time() {
        let pace = Pace::default();
        let waits: Vec<i64> = (0..9).map(|_| pace.limited(START, LEAST_WAIT) / MINUTE).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        pace.fine();
        assert_eq!(pace.limited(START.plus(2 * HOUR), LEAST_WAIT), MINUTE);
    }

    #[test]
    fn a_clock_that_jumps_closes_nothing_for_long() {
        let pace = Pace::default();
        assert_eq!(pace.write("a", START.plus(24 * HOUR)), Ok(()));
        pace.limited(START.plus(24 * HOUR), MINUTE);
        let wait = pace.closed(START).unwrap();
        assert!(wait <= MOST_BACKOFF + 5 * MINUTE, "{wait}");
    }
}
