//! The flow with its journal: events are told one after the other, and what they decide is kept.

use crate::world::town::{START, policy};
use smokejumper::flow::State;
use smokejumper::flow::decide::decide;
use smokejumper::flow::event::Event;
use smokejumper::flow::fact::Entry;
use smokejumper::flow::incident::{Incident, IncidentId};
use smokejumper::flow::moment::{At, HOUR};
use smokejumper::flow::policy::Policy;
use smokejumper::flow::refusal::Refusal;
use smokejumper::flow::remediation::Approved;

/// The flow with its journal: what a turn decides is folded in, and kept.
#[derive(Debug)]
pub struct Story {
    pub state: State,
    pub policy: Policy,
    pub now: At,
    pub journal: Vec<Entry>,
    /// Proofs handed out, as (incident, request, plan's hash).
    pub started: Vec<(IncidentId, u32, String)>,
}

impl Story {
    pub fn new() -> Self {
        Self { state: State::default(), policy: policy(), now: START, journal: Vec::new(), started: Vec::new() }
    }

    /// Has the flow decide, and takes over what it decided. The effects are nobody's business here.
    pub fn tell(&mut self, event: Event) -> Result<Option<Approved>, Refusal> {
        let mut turn = decide(&self.state, event, &self.policy, self.now)?;
        self.state.apply(&turn);
        let go = turn.go.take();
        if let Some(go) = &go {
            self.started.push((go.incident(), go.request(), go.sha256().to_owned()));
        }
        self.journal.append(&mut turn.facts);
        Ok(go)
    }

    /// Time goes on, and never long enough to be out of every window.
    pub fn wait(&mut self, ms: i64) {
        self.now = self.now.plus(ms.clamp(-HOUR, HOUR));
    }

    pub fn incident(&self, number: u32) -> &Incident {
        &self.state.incidents[&IncidentId(number)]
    }
}
