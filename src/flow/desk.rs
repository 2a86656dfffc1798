//! The desk: which incident does an alert belong to? One versioned aggregate; everything that opens an incident goes over it.
//!
//! Knows alerts, open incidents in summary, the storm budget, each runbook's record, and what is still owed.
//! How an alert is placed is in `placing.rs`.

use super::fact::{Ended, Entry, Fact, Origin, Owed};
use super::identity::{Actor, Party};
use super::incident::{Incident, IncidentId, note_change};
use super::moment::{At, DAY};
use super::ringing;
use super::signal::{AlertKey, AlertStatus, Change, Signal};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Runs remembered for a runbook's median.
pub const MAX_DURATIONS: usize = 20;
/// Open follow-ups the desk cites from; older ones are still in their incidents.
pub const MAX_OWED: usize = 500;
/// Openings kept for the storm budget: more than any sensible budget.
pub const MAX_OPENED: usize = 1_000;
/// Changes the desk remembers: a day of a busy team's deployments.
pub const MAX_RECENT_CHANGES: usize = 200;
/// Silences people may have at once; more is a route.
pub const MAX_SILENCES: usize = 200;

/// A resolved alert nobody speaks of is remembered this long (ms); after that an old delivery of it would count as new.
pub const RESOLVED_REMEMBERED: i64 = 30 * DAY;
/// One that fires and belongs to no open incident is remembered this long (ms) after it was last heard of: Alertmanager repeats what
/// fires every few hours, and a source that says once that something began may never say that it ended.
pub const UNHEARD: i64 = 7 * DAY;
/// Alerts of one source that fire and belong to no open incident: about 20 MiB. A source with more says something of everything.
pub const MAX_LOOSE: usize = 20_000;

/// Firing alerts that were forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faded {
    /// Not heard of for [`UNHEARD`].
    pub unheard: usize,
    /// Those heard of longest ago, of sources with more than [`MAX_LOOSE`].
    pub surplus: BTreeMap<String, usize>,
}

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
    /// The route that was for it then; empty in what was stored before routes were kept.
    #[serde(default)]
    pub route: String,
    /// Since when it is there, and for this reason.
    #[serde(default)]
    pub since: Option<At>,
    /// The kind of reason.
    #[serde(default)]
    pub how: How,
}

/// The rule by which an alert is where it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Stored before kinds were kept.
    #[default]
    Unknown,
    /// It opened its incident.
    Opened,
    /// It joined the open incident of its service.
    SameService,
    /// It joined that of a service its own depends on, or the reverse.
    Neighbour,
    /// It names no service, and joined an incident without one that has alerts of its name.
    SameName,
    /// More incidents were opening than people can read.
    Storm,
    /// It was listed when an incident opened for its service.
    Gathered,
    /// Its incident became part of another.
    Merged,
    /// Listed: silenced, or in a maintenance window.
    Silenced,
    /// Listed: its route never opens or joins.
    RouteNever,
    /// Listed: its route opens nothing, and nothing open is its own.
    Alone,
    /// It was resolved before anybody saw it fire.
    Unseen,
}

/// What the desk keeps of an open incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub service: Option<String>,
    pub last_alert: Option<At>,
    pub storm: bool,
    /// Who holds a role in it. Nobody while it is private: this is counted where others see it.
    #[serde(default)]
    pub engaged: Vec<Party>,
    /// It waits for a phone to be free. Not while it is private.
    #[serde(default)]
    pub waits: bool,
}

/// How a runbook did so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Verified to have worked.
    pub worked: u32,
    /// Ran, but did not work or failed.
    pub failed: u32,
    /// Nobody knows: no verification, or lost sight of.
    pub unknown: u32,
    /// Milliseconds of runs that worked, the last [`MAX_DURATIONS`].
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
    /// When incidents opened by themselves, oldest first.
    pub opened: Vec<At>,
    pub records: BTreeMap<String, Record>,
    pub owed: Vec<Owed>,
    /// Facts of the house so far ([`IncidentId::HOUSE`]).
    #[serde(default)]
    pub house: u32,
    /// Silences people set, oldest first; those of the configuration are policy.
    #[serde(default)]
    pub silences: Vec<Hush>,
    /// The last number a silence got.
    #[serde(default)]
    pub last_silence: u32,
    /// What was changed lately, oldest first.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// Incidents that are private: nothing elsewhere may tell of them.
    #[serde(default)]
    pub private: BTreeSet<IncidentId>,
}

/// A silence somebody set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hush {
    pub id: u32,
    /// In Alertmanager's syntax; checked when it was set.
    pub matchers: String,
    pub from: At,
    pub until: At,
    pub by: Actor,
    pub comment: Option<String>,
}

impl Hush {
    #[must_use]
    pub fn is_on(&self, now: At) -> bool {
        self.from <= now && now < self.until
    }
}

impl AlertState {
    /// What decides between two deliveries of one alert: the later start; of equal starts the resolution; of two
    /// resolutions the later end. A total order, so its maximum is the same whatever the order of arrival.
    #[must_use]
    pub fn rank(&self) -> (At, AlertStatus, Option<At>) {
        (self.starts_at, self.status, self.ends_at)
    }
}

impl AlertState {
    /// As its source would say it again, as far as it was kept.
    #[must_use]
    pub fn signal(&self) -> Signal {
        Signal {
            key: self.key.clone(),
            status: self.status,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            labels: self.labels.clone(),
            annotations: self.summary.iter().map(|s| ("summary".to_owned(), s.clone())).collect(),
            link: self.link.clone(),
        }
    }
}

impl Signal {
    /// See [`AlertState::rank`].
    #[must_use]
    pub fn rank(&self) -> (At, AlertStatus, Option<At>) {
        let end = if self.status == AlertStatus::Resolved { self.ends_at } else { None };
        (self.starts_at, self.status, end)
    }
}

impl Record {
    /// Verified or known to have failed.
    #[must_use]
    pub const fn tried(&self) -> u32 {
        self.worked + self.failed
    }

    /// Median duration of runs that worked, in milliseconds.
    #[must_use]
    pub fn median(&self) -> Option<i64> {
        let mut sorted = self.durations.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied()
    }
}

impl Desk {
    /// All but the alerts, which are many.
    #[must_use]
    pub fn without_alerts(&self) -> Self {
        Self {
            version: self.version,
            last: self.last,
            alerts: BTreeMap::new(),
            open: self.open.clone(),
            opened: self.opened.clone(),
            records: self.records.clone(),
            owed: self.owed.clone(),
            house: self.house,
            silences: self.silences.clone(),
            last_silence: self.last_silence,
            changes: self.changes.clone(),
            private: self.private.clone(),
        }
    }

    /// Incidents that wait for a phone to be free.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.open.values().filter(|summary| summary.waits).count()
    }

    /// Drops alerts that nobody has spoken of for too long, and what is too much of one source. What an open incident is about
    /// stays.
    pub fn forget(&mut self, now: At) -> Faded {
        let (resolved, firing) = (now.plus(-RESOLVED_REMEMBERED), now.plus(-UNHEARD));
        let mut faded = Faded::default();
        let mut loose: BTreeMap<String, Vec<(At, AlertKey)>> = BTreeMap::new();
        let open = &self.open;
        self.alerts.retain(|key, alert| {
            if alert.status == AlertStatus::Resolved {
                return alert.last_seen >= resolved;
            }
            if alert.incident.is_some_and(|id| open.contains_key(&id)) {
                return true;
            }
            if alert.last_seen < firing {
                faded.unheard += 1;
                return false;
            }
            loose.entry(key.source.clone()).or_default().push((alert.last_seen, key.clone()));
            true
        });
        for (source, mut alerts) in loose {
            let surplus = alerts.len().saturating_sub(MAX_LOOSE);
            if surplus > 0 {
                alerts.sort_unstable();
                for (_, key) in alerts.into_iter().take(surplus) {
                    self.alerts.remove(&key);
                }
                faded.surplus.insert(source, surplus);
            }
        }
        faded
    }

    /// Takes over an alert's new state.
    pub fn note(&mut self, alert: AlertState) {
        self.alerts.insert(alert.key.clone(), alert);
    }

    /// Folds a fact of the house in. Total.
    pub fn apply_own(&mut self, entry: &Entry) {
        self.house = self.house.max(entry.n);
        match &entry.fact {
            Fact::Silenced { silence, matchers, from, until, comment } => {
                self.last_silence = self.last_silence.max(*silence);
                self.silences.retain(|s| s.id != *silence && s.until > entry.at);
                self.silences.push(Hush {
                    id: *silence,
                    matchers: matchers.clone(),
                    from: *from,
                    until: *until,
                    by: entry.by.clone(),
                    comment: comment.clone(),
                });
                let surplus = self.silences.len().saturating_sub(MAX_SILENCES);
                self.silences.drain(..surplus);
            }
            Fact::SilenceEnded { silence } => self.silences.retain(|s| s.id != *silence),
            Fact::ChangeSeen { change } => note_change(&mut self.changes, change, MAX_RECENT_CHANGES),
            _ => {}
        }
    }

    /// Folds one fact in; `incident` is the incident after it. Total.
    pub fn apply(&mut self, entry: &Entry, incident: &Incident) {
        let id = entry.incident;
        match &entry.fact {
            Fact::Declared { origin, .. } => {
                self.last = self.last.max(id.0);
                if matches!(origin, Origin::Alert { .. }) {
                    self.opened.push(entry.at);
                    let surplus = self.opened.len().saturating_sub(MAX_OPENED);
                    self.opened.drain(..surplus);
                }
            }
            // How a runbook did where nobody may look is nobody's to read.
            Fact::RunFinished { .. } | Fact::RunVerified { .. } if incident.private => {}
            Fact::RunFinished { request, outcome } => self.finished(incident, *request, &outcome.ended),
            Fact::RunVerified { request, verdict } => self.verified(incident, *request, verdict.passed),
            Fact::MadePrivate { .. } => {
                self.private.insert(id);
                self.owed.retain(|o| o.incident != id);
            }
            Fact::FollowUpOpened { .. }
            | Fact::FollowUpDone { .. }
            | Fact::FollowUpReopened { .. }
            | Fact::IssueAsked { .. }
            | Fact::IssueFiled { .. }
                if !incident.private =>
            {
                self.owed.retain(|o| o.incident != id);
                self.owed.extend(incident.owed());
                let surplus = self.owed.len().saturating_sub(MAX_OWED);
                self.owed.drain(..surplus);
            }
            _ => {}
        }
        if incident.is_open() {
            let summary = self.open.entry(id).or_default();
            summary.service.clone_from(&incident.service);
            summary.last_alert = incident.times.last_alert;
            summary.storm = incident.origin == Some(Origin::Storm);
            summary.waits = ringing::waits(incident) && !incident.private;
            let roles = incident.roles.values().filter(|_| !incident.private);
            summary.engaged = roles.cloned().collect::<BTreeSet<_>>().into_iter().collect();
        } else {
            self.open.remove(&id);
        }
    }

    fn finished(&mut self, incident: &Incident, request: u32, ended: &Ended) {
        let Some(run) = incident.runs.get(&request) else { return };
        let record = self.records.entry(run.plan.runbook.clone()).or_default();
        match ended {
            Ended::Succeeded if run.plan.verify.is_empty() => record.unknown += 1,
            Ended::Failed { .. } | Ended::TimedOut { .. } => record.failed += 1,
            Ended::Unknown { .. } => record.unknown += 1,
            // Counted when verified; a run that never started says nothing about the runbook.
            Ended::Succeeded | Ended::NotStarted { .. } => {}
        }
    }

    fn verified(&mut self, incident: &Incident, request: u32, passed: bool) {
        let Some(run) = incident.runs.get(&request) else { return };
        let record = self.records.entry(run.plan.runbook.clone()).or_default();
        if passed {
            record.worked += 1;
            record.durations.push(run.outcome.as_ref().map_or(0, |o| o.duration_ms));
            let surplus = record.durations.len().saturating_sub(MAX_DURATIONS);
            record.durations.drain(..surplus);
        } else {
            record.failed += 1;
        }
    }
}

#[cfg(test)]
mod tests;
