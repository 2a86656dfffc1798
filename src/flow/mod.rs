//! THE STORY. Pure, synchronous, total: an event comes in, facts and effects come out.
//!
//! No clock, randomness, files, network, environment or process; time and chance are parameters.
//! Knows the people's words (`intents`); knows neither ports nor engine nor edges.

pub mod announcing;
pub mod answer;
pub mod card;
pub mod catchup;
pub mod condition;
mod correction;
pub mod decide;
pub mod desk;
mod direct;
mod draft;
pub mod effect;
pub mod effort;
pub mod erasing;
pub mod escalation;
pub mod event;
pub mod explain;
pub mod fact;
pub mod followup;
pub mod hours;
pub mod identity;
pub mod incident;
pub mod issue;
mod keeping;
pub mod learning;
pub mod matcher;
mod merging;
pub mod mine;
pub mod missed;
pub mod moment;
pub mod nudging;
pub mod on_call;
pub mod pages;
pub mod phrase;
pub mod placing;
pub mod plan;
pub mod policy;
pub mod postmortem;
pub mod prefill;
pub mod privacy;
pub mod recollection;
pub mod refusal;
pub mod remediation;
pub mod render;
mod response;
pub mod ringing;
pub mod rooms;
pub mod rota;
pub mod routing;
pub mod runbook;
pub mod shown;
pub mod signal;
pub mod silence;
pub mod standing;
pub mod suspects;
mod tasks;
pub mod timeline;
pub mod triage;
pub mod whom;

use self::desk::{AlertState, Desk};
use self::effect::Effect;
use self::fact::Entry;
use self::incident::{Incident, IncidentId};
use smokejumper_intents::reply::Reply;
use std::collections::BTreeMap;

/// What `decide` looks at: the desk, and every incident that may be concerned.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    pub desk: Desk,
    pub incidents: BTreeMap<IncidentId, Incident>,
}

impl State {
    /// Takes over what a turn decided.
    pub fn apply(&mut self, turn: &Turn) {
        for entry in &turn.facts {
            if entry.incident == IncidentId::HOUSE {
                self.desk.apply_own(entry);
                continue;
            }
            let incident = self.incidents.entry(entry.incident).or_insert_with(|| Incident::new(entry.incident));
            incident.apply(entry);
            self.desk.apply(entry, incident);
        }
        for alert in &turn.alerts {
            self.desk.note(alert.clone());
        }
    }
}

/// What follows from an event. Everything but `reply` and `go` is stored, in one transaction.
#[derive(Debug, Default)]
pub struct Turn {
    pub facts: Vec<Entry>,
    /// Alert states that changed (not facts: ARCHITECTURE.md D2).
    pub alerts: Vec<AlertState>,
    pub effects: Vec<Effect>,
    /// For whoever asked; never stored.
    pub reply: Option<Reply>,
    /// Leave to execute, for the event [`event::Event::Poised`] alone.
    pub go: Option<remediation::Approved>,
}
