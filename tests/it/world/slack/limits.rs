//! How often a method may be called, by the fake's clock: tiers per minute, a message a second and channel.

use smokejumper::flow::moment::{At, MINUTE, SECOND};
use std::collections::{BTreeMap, VecDeque};

/// Messages to one channel that may come at once; then one a second.
pub const BURST: i64 = 5;

/// How long (ms) a request and the answer to another one may cross, on a busy machine.
const ON_ITS_WAY: i64 = SECOND / 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    One,
    Two,
    Three,
    Four,
    /// Hundreds a minute.
    Special,
    /// A message a second and channel, and hundreds a minute in all.
    Posting,
}

impl Tier {
    pub fn per_minute(self) -> usize {
        match self {
            // One and more: as many as an app may have sockets.
            Self::One => 10,
            Self::Two => 20,
            Self::Three => 50,
            Self::Four => 100,
            Self::Special | Self::Posting => 600,
        }
    }
}

#[derive(Default)]
pub struct Limits {
    /// Calls of the last minute, by method.
    calls: BTreeMap<String, VecDeque<At>>,
    /// By channel: what is left of its bucket (ms of a second a message), and when that was.
    posts: BTreeMap<String, (i64, At)>,
    /// Since when and until when nobody may come, by method or `method channel`.
    closed: BTreeMap<String, (At, At)>,
    /// How often somebody was told to wait.
    pub told_to_wait: usize,
    /// Nothing is limited: a test of something else wants more than a minute gives.
    pub off: bool,
}

impl Limits {
    /// Comes before the Retry-After that was given is over. What was on its way while it was given is not meant.
    pub fn impatient(&self, method: &str, channel: Option<&str>, now: At) -> bool {
        let own = format!("{method} {}", channel.unwrap_or_default());
        let early =
            |(since, until): &(At, At)| now < *until && now.since(*since) > ON_ITS_WAY.min(until.since(*since) / 2);
        [method, own.as_str()].iter().any(|key| self.closed.get(*key).is_some_and(early))
    }

    pub fn close(&mut self, key: &str, seconds: i64, now: At) {
        self.told_to_wait += 1;
        let until = now.plus(seconds * SECOND);
        // Said again, it began when it was first said.
        let since = self.closed.get(key).filter(|(_, until)| now < *until).map_or(now, |(since, _)| *since);
        self.closed.insert(key.to_owned(), (since, until));
    }

    /// Counts a call; how long (s) to wait instead, when there are too many.
    pub fn take(&mut self, method: &str, tier: Tier, channel: Option<&str>, now: At) -> Option<i64> {
        if self.off {
            return None;
        }
        let calls = self.calls.entry(method.to_owned()).or_default();
        while calls.front().is_some_and(|at| now.since(*at) >= MINUTE) {
            calls.pop_front();
        }
        if calls.len() >= tier.per_minute() {
            let oldest = calls.front().copied().unwrap_or(now);
            let wait = ((MINUTE - now.since(oldest)) + SECOND - 1) / SECOND;
            self.close(method, wait.max(1), now);
            return Some(wait.max(1));
        }
        if let (Tier::Posting, Some(channel)) = (tier, channel) {
            // A bucket of so many, filled by one a second.
            let (left, since) = self.posts.get(channel).copied().unwrap_or((BURST * SECOND, now));
            let left = (left + now.since(since).max(0)).min(BURST * SECOND);
            if left < SECOND {
                self.posts.insert(channel.to_owned(), (left, now));
                self.close(&format!("{method} {channel}"), 1, now);
                return Some(1);
            }
            self.posts.insert(channel.to_owned(), (left - SECOND, now));
        }
        let calls = self.calls.entry(method.to_owned()).or_default();
        calls.push_back(now);
        None
    }
}
