//! How fast Slack may be asked: so many calls of a method in any minute, a message a second in any channel; and no call of a
//! method before a wait that Slack asked for is over (I9). Who comes too early is given a moment of its own and comes back then;
//! a part of every allowance is kept for what is urgent, so that pages and approvals never stand behind chatter.
//!
//! The time is a parameter, of a clock that nobody sets.

use super::method::Method;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_mins(1);
/// Messages in a channel: one a second, and as many at once as five seconds allow.
const POSTS: usize = 5;
const POSTS_IN: Duration = Duration::from_secs(5);
/// Of so many calls one is kept for what is urgent.
const KEPT_OF: usize = 5;
/// Moments given away and not used yet; who comes after them asks again, without one.
const MAX_BOOKED: usize = 10_000;
/// Channels whose allowance is remembered.
const MAX_WINDOWS: usize = 2_000;

/// Who waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Somebody who was paged, asked to approve, or who clicked.
    Urgent,
    /// Nobody in particular.
    Chatter,
}

/// Whose turn is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Turn<'a> {
    pub method: &'static Method,
    /// Where a message goes, for methods that Slack counts by channel.
    pub channel: Option<&'a str>,
    pub lane: Lane,
    /// The same whenever the same thing is tried again.
    pub key: &'a str,
}

#[derive(Debug)]
pub struct Pace {
    book: Mutex<Book>,
    /// How many times as much as Slack publishes is allowed here.
    times: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self::of(1)
    }
}

#[derive(Debug, Default)]
struct Book {
    windows: BTreeMap<(&'static str, String), Window>,
    closed: BTreeMap<&'static str, Instant>,
    booked: BTreeMap<String, Instant>,
}

impl Pace {
    /// For a workspace (or a stand-in for one) that allows `times` as much as Slack publishes.
    #[must_use]
    pub fn of(times: usize) -> Self {
        Self { book: Mutex::default(), times: times.max(1) }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this call may begin now.
    ///
    /// # Errors
    /// How long it should wait: until the moment that is now its own.
    pub fn turn(&self, now: Instant, turn: Turn<'_>) -> Result<(), Duration> {
        let mut book = self.book();
        book.forget(now);
        let key = format!("{} {}", turn.method.name, turn.key);
        let closed = book.closed.get(turn.method.name).copied().unwrap_or(now);
        let own = book.booked.remove(&key);
        if let Some(own) = own {
            if own > now && own >= closed {
                book.booked.insert(key, own);
                return Err(own - now);
            }
            book.each(turn, self.times, |window| window.give_back(own));
        }
        // Who kept its moment (or comes late to it) goes before those who have none yet.
        let lane = if own.is_some() { Lane::Urgent } else { turn.lane };
        let mut at = now.max(closed);
        loop {
            let mut free = at;
            book.each(turn, self.times, |window| free = window.free(free, lane));
            if free == at {
                break;
            }
            at = free;
        }
        if at > now && book.booked.len() >= MAX_BOOKED {
            return Err(at - now);
        }
        book.each(turn, self.times, |window| window.take(at, turn.lane));
        if at > now {
            book.booked.insert(key, at);
            return Err(at - now);
        }
        Ok(())
    }

    /// It will not come back for its moment.
    pub fn give_up(&self, turn: Turn<'_>) {
        let mut book = self.book();
        if let Some(own) = book.booked.remove(&format!("{} {}", turn.method.name, turn.key)) {
            book.each(turn, self.times, |window| window.give_back(own));
        }
    }

    /// Slack asked to wait before this method is called again.
    pub fn limited(&self, now: Instant, method: &Method, wait: Duration) {
        let mut book = self.book();
        let until = now + wait;
        let known = book.closed.entry(method.name).or_insert(until);
        *known = (*known).max(until);
    }
}

impl Book {
    /// Every allowance that this call is counted against.
    fn each(&mut self, turn: Turn<'_>, times: usize, mut act: impl FnMut(&mut Window)) {
        let name = turn.method.name;
        let whole = || Window::new(turn.method.tier.per_minute() * times, MINUTE);
        act(self.windows.entry((name, String::new())).or_insert_with(whole));
        if let Some(channel) = turn.channel {
            let one = || Window::new(POSTS * times, POSTS_IN);
            act(self.windows.entry((name, channel.to_owned())).or_insert_with(one));
        }
    }

    fn forget(&mut self, now: Instant) {
        self.closed.retain(|_, until| *until > now);
        // Whoever does not come for a minute after its moment comes no more.
        self.booked.retain(|_, at| *at + MINUTE > now);
        self.windows.values_mut().for_each(|window| window.forget(now));
        if self.windows.len() > MAX_WINDOWS {
            self.windows.retain(|_, window| !window.all.is_empty());
        }
    }
}

/// At most so many in any stretch of this length.
#[derive(Debug)]
struct Window {
    most: usize,
    span: Duration,
    /// Moments taken, past and to come, in order; and those of them that are chatter's.
    all: Vec<Instant>,
    chatter: Vec<Instant>,
}

impl Window {
    fn new(most: usize, span: Duration) -> Self {
        Self { most, span, all: Vec::new(), chatter: Vec::new() }
    }

    fn for_chatter(&self) -> usize {
        self.most - (self.most / KEPT_OF).max(1)
    }

    /// The first moment from `from` on. Chatter queues; what is urgent goes where there is room.
    fn free(&self, from: Instant, lane: Lane) -> Instant {
        if lane == Lane::Urgent {
            return first(&self.all, self.most, self.span, from);
        }
        let mut at = from.max(self.chatter.last().copied().unwrap_or(from));
        loop {
            let own = first(&self.chatter, self.for_chatter(), self.span, at);
            let both = first(&self.all, self.most, self.span, own);
            if both == at {
                return at;
            }
            at = both;
        }
    }

    fn take(&mut self, at: Instant, lane: Lane) {
        insert(&mut self.all, at);
        if lane == Lane::Chatter {
            insert(&mut self.chatter, at);
        }
    }

    fn give_back(&mut self, at: Instant) {
        for list in [&mut self.all, &mut self.chatter] {
            if let Ok(place) = list.binary_search(&at) {
                list.remove(place);
            }
        }
    }

    fn forget(&mut self, now: Instant) {
        for list in [&mut self.all, &mut self.chatter] {
            let old = list.partition_point(|at| *at + self.span <= now);
            list.drain(..old);
        }
    }
}

fn insert(list: &mut Vec<Instant>, at: Instant) {
    let place = list.partition_point(|taken| *taken <= at);
    list.insert(place, at);
}

/// The first moment from `from` on that leaves no stretch of `span` with more than `most`.
fn first(list: &[Instant], most: usize, span: Duration, from: Instant) -> Instant {
    let leaves_room = |at: Instant| {
        let place = list.partition_point(|taken| *taken <= at);
        let near = list.get(place.saturating_sub(most)..(place + most).min(list.len())).unwrap_or_default();
        let mut with: Vec<Instant> = near.to_vec();
        insert(&mut with, at);
        with.windows(most + 1).all(|some| match (some.first(), some.last()) {
            (Some(oldest), Some(newest)) => *newest - *oldest >= span,
            _ => true,
        })
    };
    if leaves_room(from) {
        return from;
    }
    let ends = list.iter().map(|taken| *taken + span).filter(|end| *end > from);
    ends.into_iter().find(|end| leaves_room(*end)).unwrap_or(from)
}

#[cfg(test)]
mod tests;
