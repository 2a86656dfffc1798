//! The desk: which incident does an alert belong to? One versioned aggregate; everything that opens an incident goes over it.
//!
//! Knows alerts, open incidents in summary, the storm budget, each runbook's record, and what is still owed.

use super::fact::{Entry, Owed};
use super::incident::IncidentId;
use super::moment::At;
use super::signal::{AlertKey, AlertStatus};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// State of one alert: a join over its deliveries, the same for every order and multiplicity of them (I4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertState {
    pub key: AlertKey,
    pub status: AlertStatus,
    pub starts_at: At,
    pub ends_at: Option<At>,
    /// Deliveries that spoke of it.
    pub count: u64,
    pub last_seen: At,
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub summary: Option<String>,
    pub link: Option<String>,
    /// Where it belongs; `None`: listed only.
    pub incident: Option<IncidentId>,
    /// Why it is there, in our words (`explain`).
    pub because: String,
}

/// What the desk keeps of an open incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub service: Option<String>,
    pub last_alert: Option<At>,
    /// The sources' own groups that brought alerts to it.
    pub groups: Vec<String>,
    pub storm: bool,
}

/// How a runbook did so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Verified to have worked.
    pub worked: u32,
    /// Ran, but did not work or failed.
    pub failed: u32,
    /// Nobody knows.
    pub unknown: u32,
    /// Milliseconds of runs that worked, the last 20.
    pub durations: Vec<i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Desk {
    /// Raised by every commit; the store refuses a commit made from another version.
    pub version: u64,
    /// The last incident number given.
    pub last: u32,
    /// Alert states are stored in a table of their own, not in the desk's row.
    #[serde(skip)]
    pub alerts: BTreeMap<AlertKey, AlertState>,
    pub open: BTreeMap<IncidentId, Summary>,
    /// When incidents opened by themselves, within the storm window.
    pub opened: Vec<At>,
    pub records: BTreeMap<String, Record>,
    pub owed: Vec<Owed>,
}

impl Desk {
    /// Folds one fact in; total.
    pub fn apply(&mut self, _entry: &Entry) {}

    /// Takes over an alert's new state.
    pub fn note(&mut self, alert: AlertState) {
        self.alerts.insert(alert.key.clone(), alert);
    }
}
