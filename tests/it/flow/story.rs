//! The flow with its journal: events are told one after the other, and what they decide is kept.

use crate::world::town::{ACCOUNTS, START, account, policy};
use smokejumper::flow::decide::decide;
use smokejumper::flow::effect::Effect;
use smokejumper::flow::event::Event;
use smokejumper::flow::fact::Entry;
use smokejumper::flow::incident::{Incident, IncidentId};
use smokejumper::flow::moment::{At, HOUR};
use smokejumper::flow::policy::Policy;
use smokejumper::flow::refusal::Refusal;
use smokejumper::flow::remediation::Approved;
use smokejumper::flow::{State, Turn};
use smokejumper_intents::utterance::{Place, Utterance};
use smokejumper_intents::{Reading, read, text};

/// The flow with its journal: what a turn decides is folded in, and kept.
#[derive(Debug)]
pub struct Story {
    pub state: State,
    pub policy: Policy,
    pub now: At,
    pub journal: Vec<Entry>,
    /// Proofs handed out, as (incident, request, plan's hash).
    pub started: Vec<(IncidentId, u32, String)>,
    /// What was wanted of the world; nobody carries it out.
    pub effects: Vec<Effect>,
}

/// Columns in which replies are compared: nothing is broken in two.
const WIDE: usize = 400;

impl Story {
    pub fn new() -> Self {
        Self {
            state: State::default(),
            policy: policy(),
            now: START,
            journal: Vec::new(),
            started: Vec::new(),
            effects: Vec::new(),
        }
    }

    /// Has the flow decide, and takes over what it decided.
    pub fn tell(&mut self, event: Event) -> Result<Option<Approved>, Refusal> {
        let turn = decide(&self.state, event, &self.policy, self.now)?;
        Ok(self.take_over(turn))
    }

    /// Somebody says it in INC-`number` (0: the lobby), confirming it where that is asked. The reply, or the refusal.
    pub fn say(&mut self, by: &str, number: u32, words: &str) -> Result<String, String> {
        let by = account(ACCOUNTS.iter().position(|known| known.0 == by).unwrap());
        let place = if number == 0 { Place::Lobby } else { Place::Incident(number) };
        let ask = match read(&Utterance { text: words.to_owned(), place }) {
            Reading::Clear(ask) | Reading::Confirm { ask, .. } => ask,
            Reading::Misread(misread) => panic!("{words}: {misread:?}"),
        };
        match decide(&self.state, Event::Asked { by, ask }, &self.policy, self.now) {
            Ok(mut turn) => {
                let reply = turn.reply.take().unwrap_or_default();
                self.take_over(turn);
                Ok(text::render(&reply, WIDE))
            }
            Err(refusal) => Err(text::render(&refusal.to_reply(), WIDE)),
        }
    }

    fn take_over(&mut self, mut turn: Turn) -> Option<Approved> {
        self.state.apply(&turn);
        let go = turn.go.take();
        if let Some(go) = &go {
            self.started.push((go.incident(), go.request(), go.sha256().to_owned()));
        }
        self.journal.append(&mut turn.facts);
        self.effects.append(&mut turn.effects);
        go
    }

    /// Time goes on, and never long enough to be out of every window.
    pub fn wait(&mut self, ms: i64) {
        self.now = self.now.plus(ms.clamp(-HOUR, HOUR));
    }

    pub fn incident(&self, number: u32) -> &Incident {
        &self.state.incidents[&IncidentId(number)]
    }
}
