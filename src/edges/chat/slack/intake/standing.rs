//! How Slack hears us and we hear Slack: since when, what came last, why not. Written by the intake, read by whoever shows it.

use crate::flow::moment::At;
use std::sync::{Arc, PoisonError, RwLock};

/// As it stands at a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// A socket is open. `None` in HTTP mode, where there is none.
    pub connected_since: Option<At>,
    /// Nothing can reach us since then.
    pub deaf_since: Option<At>,
    /// In words for the people who run it; empty while all is well.
    pub why: Option<String>,
    pub last_inbound: Option<At>,
    /// Sockets open now.
    pub sockets: usize,
    /// Sockets opened after the first.
    pub reconnects: u64,
    /// Deliveries nobody could read.
    pub unreadable: u64,
    /// Requests whose time is not ours, milliseconds ahead of us; of the last one signed.
    pub skew_ms: Option<i64>,
    /// The app was taken out of the workspace.
    pub removed: Option<&'static str>,
}

/// Shared.
#[derive(Clone, Debug, Default)]
pub struct Standing(Arc<RwLock<State>>);

impl Standing {
    #[must_use]
    pub fn get(&self) -> State {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner));
    }

    pub fn heard(&self, at: At) {
        self.change(|state| state.last_inbound = Some(at));
    }

    pub fn unreadable(&self) {
        self.change(|state| state.unreadable = state.unreadable.saturating_add(1));
    }

    pub fn skewed(&self, ahead_ms: i64) {
        self.change(|state| state.skew_ms = Some(ahead_ms));
    }

    /// Its clock and ours agree.
    pub fn in_time(&self) {
        self.change(|state| state.skew_ms = None);
    }

    pub fn removed(&self, why: &'static str) {
        self.change(|state| state.removed = Some(why));
    }

    /// Nobody can reach us, from now on.
    pub fn deaf(&self, at: At, why: String) {
        self.change(|state| {
            state.connected_since = None;
            state.deaf_since.get_or_insert(at);
            state.why = Some(why);
        });
    }

    /// A socket opened.
    pub fn opened(&self, at: At, again: bool) {
        self.change(|state| {
            state.sockets += 1;
            state.reconnects += u64::from(again);
            state.connected_since.get_or_insert(at);
            (state.deaf_since, state.why, state.removed) = (None, None, None);
        });
    }

    /// A socket ended; whether it was the last.
    #[must_use]
    pub fn closed(&self, at: At, why: &str) -> bool {
        self.change(|state| {
            state.sockets = state.sockets.saturating_sub(1);
            if state.sockets == 0 {
                state.connected_since = None;
                state.deaf_since.get_or_insert(at);
                state.why = Some(why.to_owned());
            }
        });
        self.get().sockets == 0
    }

    /// We try to be reached, and why it does not work yet; with a socket open that is no trouble of anybody's.
    pub fn trouble(&self, why: String) {
        self.change(|state| {
            if state.sockets == 0 {
                state.why = Some(why);
            }
        });
    }
}
