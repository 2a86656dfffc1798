//! THE STORY. Pure, synchronous, total: an event comes in, facts and effects come out.
//!
//! No clock, randomness, files, network, environment or process; time and chance are parameters.
//! Knows the people's words (`intents`); knows neither ports nor engine nor edges.

pub mod desk;
pub mod effect;
pub mod event;
pub mod fact;
pub mod identity;
pub mod incident;
pub mod matcher;
pub mod moment;
pub mod plan;
pub mod policy;
pub mod recollection;
pub mod refusal;
pub mod remediation;
pub mod render;
pub mod runbook;
pub mod shown;
pub mod signal;

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

/// What follows from an event. Everything but `reply` and `go` is stored, in one transaction.
#[derive(Debug, Default)]
pub struct Turn {
    pub facts: Vec<Entry>,
    /// Alert states that changed (not facts: DESIGN.md 2).
    pub alerts: Vec<AlertState>,
    pub effects: Vec<Effect>,
    /// For whoever asked; never stored.
    pub reply: Option<Reply>,
    /// Leave to execute, for the event [`event::Event::Poised`] alone.
    pub go: Option<remediation::Approved>,
}
