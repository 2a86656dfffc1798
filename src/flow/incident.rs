//! An incident is the fold of its facts. `apply` cannot fail: what makes no sense in a state changes nothing.
//!
//! Knows nothing of why facts happen; that is decided in the chapters around it.

use super::fact::{Entry, Fact, GroupChange, Origin, Owed, Room, RunOutcome, Suggestion, Verdict};
use super::identity::{Actor, Identity, Party, PersonId, Platform};
use super::moment::At;
use super::plan::Plan;
use serde::{Deserialize, Serialize};
use smokejumper_intents::word::{Role, Severity, State};
use std::collections::BTreeMap;

/// Alert names kept apart in one incident; the rest is counted under [`OTHER`]. A card shows ten.
pub const MAX_GROUPS: usize = 50;
/// Where the alerts of the fifty-first name are counted.
pub const OTHER: &str = "other alerts";

/// Notes kept for the question to memory, and characters of each.
pub const MAX_NOTES: usize = 10;
pub const MAX_NOTE_CHARS: usize = 400;
/// Accounts remembered as having acted; the journal knows all.
pub const MAX_INVOLVED: usize = 100;

/// The number of `INC-12`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentId(pub u32);

impl std::fmt::Display for IncidentId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "INC-{}", self.0)
    }
}

/// State of an incident after some of its facts. Bounded: it is a snapshot, not a history.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    pub id: IncidentId,
    /// Facts folded so far; 0: not declared yet.
    pub entries: u32,
    pub title: String,
    pub severity: Option<Severity>,
    pub service: Option<String>,
    pub labels: BTreeMap<String, String>,
    pub origin: Option<Origin>,
    pub declared_by: Option<Actor>,
    pub state: Lifecycle,
    pub times: Times,
    pub roles: BTreeMap<Role, Party>,
    /// Accounts that acted here, first first.
    pub involved: Vec<Identity>,
    pub groups: BTreeMap<String, AlertGroup>,
    pub rooms: BTreeMap<Platform, Room>,
    pub suggestion: Option<Suggestion>,
    pub judged: Option<Judgement>,
    pub runs: BTreeMap<u32, Run>,
    pub follow_ups: BTreeMap<u32, FollowUp>,
    pub cause: Option<String>,
    pub fix: Option<String>,
    /// What people wrote down last, shortened, oldest first: it is part of the question to memory.
    pub notes: Vec<String>,
    /// A person said how bad it is: alerts alone do not change that any more.
    pub severity_by_hand: bool,
    /// The last thing the bot could not do.
    pub trouble: Option<String>,
    pub learned: bool,
    pub private: bool,
}

/// A [`State`] with a place to start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lifecycle(pub State);

impl Default for Lifecycle {
    fn default() -> Self {
        Self(State::Triage)
    }
}

/// Moments, kept apart from states; each may be corrected later.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    pub detected: Option<At>,
    pub declared: At,
    pub acknowledged: Option<At>,
    pub identified: Option<At>,
    pub mitigated: Option<At>,
    pub resolved: Option<At>,
    pub last_alert: Option<At>,
}

/// The alerts of one name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertGroup {
    pub firing: u32,
    pub total: u32,
    pub summary: Option<String>,
    pub severity: Option<String>,
    pub link: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    pub right: bool,
    pub cause: Option<String>,
    pub by: Actor,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub plan: Plan,
    pub sha256: String,
    pub requested_by: Actor,
    pub requested_at: At,
    pub expires_at: At,
    pub needs: u8,
    pub approvals: Vec<Identity>,
    pub phase: Phase,
    pub outcome: Option<RunOutcome>,
    pub verdict: Option<Verdict>,
}

/// Where a request stands. Everything after `Approved` but `Started` is terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    Requested,
    Approved,
    Started,
    Finished,
    Denied,
    Expired,
    Voided,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowUp {
    pub title: String,
    pub owner: Option<PersonId>,
    pub due: Option<String>,
    pub link: Option<String>,
    pub opened_at: At,
    pub done_at: Option<At>,
}

impl Phase {
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Finished | Self::Denied | Self::Expired | Self::Voided)
    }
}

impl Incident {
    #[must_use]
    pub fn new(id: IncidentId) -> Self {
        Self { id, ..Self::default() }
    }

    /// The fold of `entries`, in order.
    #[must_use]
    pub fn fold<'a>(id: IncidentId, entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let mut incident = Self::new(id);
        for entry in entries {
            incident.apply(entry);
        }
        incident
    }

    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity.unwrap_or(Severity::Sev3)
    }

    #[must_use]
    pub fn is_open(&self) -> bool {
        self.entries > 0 && self.state.0.is_open()
    }

    /// Alerts firing now. Of an incident that is over nothing is told any more: 0.
    #[must_use]
    pub fn firing(&self) -> u32 {
        if !self.state.0.is_open() {
            return 0;
        }
        self.groups.values().fold(0, |sum, g| sum.saturating_add(g.firing))
    }

    /// A process of ours is at work here.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.runs.values().any(|r| r.phase == Phase::Started)
    }

    /// One request awaits a decision: its number.
    #[must_use]
    pub fn awaiting(&self) -> Vec<u32> {
        self.runs.iter().filter(|(_, r)| r.phase == Phase::Requested).map(|(n, _)| *n).collect()
    }

    /// Folds one fact in. Total: a fact that makes no sense in this state counts as an entry and changes nothing else.
    #[allow(clippy::too_many_lines)] // one arm per kind of fact, read best in one place
    pub fn apply(&mut self, entry: &Entry) {
        self.entries = self.entries.max(entry.n);
        if let Actor::Account(identity) = &entry.by
            && !self.involved.contains(identity)
            && self.involved.len() < MAX_INVOLVED
        {
            self.involved.push(identity.clone());
        }
        match &entry.fact {
            Fact::Declared { title, severity, service, labels, origin } => {
                self.title.clone_from(title);
                self.severity = Some(*severity);
                self.service.clone_from(service);
                self.labels.clone_from(labels);
                self.origin = Some(origin.clone());
                self.declared_by = Some(entry.by.clone());
                self.times.declared = entry.at;
            }
            Fact::AlertsChanged { groups, .. } => self.alerts_changed(groups, entry.at),
            Fact::Acknowledged => {
                self.times.acknowledged.get_or_insert(entry.at);
                if self.state.0 == State::Triage {
                    self.state = Lifecycle(State::Investigating);
                }
            }
            Fact::RoleTaken { role, who } => {
                self.roles.insert(*role, who.clone());
            }
            Fact::SeveritySet { severity } => {
                self.severity = Some(*severity);
                self.severity_by_hand |= matches!(entry.by, Actor::Account(_));
            }
            Fact::Noted { text } => {
                self.notes.push(text.chars().take(MAX_NOTE_CHARS).collect());
                let surplus = self.notes.len().saturating_sub(MAX_NOTES);
                self.notes.drain(..surplus);
            }
            Fact::StateSet { state, .. } => self.enter(*state, entry.at),
            Fact::RoomOpened { platform, room } => {
                self.rooms.entry(*platform).or_insert_with(|| room.clone());
            }
            Fact::Undelivered { what, why } => self.trouble = Some(format!("{what}: {why}")),
            Fact::Suggested(suggestion) => self.suggestion = Some(suggestion.clone()),
            Fact::Judged { right, cause } => {
                if cause.is_some() {
                    self.cause.clone_from(cause);
                }
                self.judged = Some(Judgement { right: *right, cause: cause.clone(), by: entry.by.clone() });
            }
            Fact::RunRequested { request, plan, sha256, needs, expires_at } => {
                self.runs.entry(*request).or_insert_with(|| Run {
                    plan: plan.clone(),
                    sha256: sha256.clone(),
                    requested_by: entry.by.clone(),
                    requested_at: entry.at,
                    expires_at: *expires_at,
                    needs: *needs,
                    approvals: Vec::new(),
                    phase: if *needs == 0 { Phase::Approved } else { Phase::Requested },
                    outcome: None,
                    verdict: None,
                });
            }
            Fact::RunApproved { request, by } => self.in_phase(*request, &[Phase::Requested], |run| {
                if !run.approvals.contains(by) {
                    run.approvals.push(by.clone());
                }
                if run.approvals.len() >= usize::from(run.needs) {
                    run.phase = Phase::Approved;
                }
            }),
            Fact::RunDenied { request, .. } => {
                self.in_phase(*request, &[Phase::Requested, Phase::Approved], |run| run.phase = Phase::Denied);
            }
            Fact::RunExpired { request } => {
                self.in_phase(*request, &[Phase::Requested, Phase::Approved], |run| run.phase = Phase::Expired);
            }
            Fact::RunVoided { request, .. } => {
                self.in_phase(*request, &[Phase::Requested, Phase::Approved], |run| run.phase = Phase::Voided);
            }
            Fact::RunStarted { request } => {
                self.in_phase(*request, &[Phase::Approved], |run| run.phase = Phase::Started);
            }
            Fact::RunFinished { request, outcome } => self.in_phase(*request, &[Phase::Started], |run| {
                run.phase = Phase::Finished;
                run.outcome = Some(outcome.clone());
            }),
            Fact::RunVerified { request, verdict } => self.in_phase(*request, &[Phase::Finished], |run| {
                run.verdict.get_or_insert_with(|| verdict.clone());
            }),
            Fact::Resolved { cause, fix } => {
                if cause.is_some() {
                    self.cause.clone_from(cause);
                }
                if fix.is_some() {
                    self.fix.clone_from(fix);
                }
                if self.is_open() {
                    self.enter(State::Resolved, entry.at);
                }
            }
            Fact::FollowUpOpened { id, title, owner, due, link } => {
                self.follow_ups.entry(*id).or_insert_with(|| FollowUp {
                    title: title.clone(),
                    owner: owner.clone(),
                    due: due.clone(),
                    link: link.clone(),
                    opened_at: entry.at,
                    done_at: None,
                });
            }
            Fact::FollowUpDone { id } => {
                if let Some(f) = self.follow_ups.get_mut(id) {
                    f.done_at.get_or_insert(entry.at);
                }
            }
            Fact::Learned(_) => self.learned = true,
            Fact::PostmortemDrafted { .. } | Fact::Redacted { .. } => {}
        }
    }

    /// Moves to `state`; out of an absorbing state nothing leads.
    fn enter(&mut self, state: State, at: At) {
        if self.state.0.is_absorbing() {
            return;
        }
        let times = &mut self.times;
        match state {
            State::Identified => {
                times.identified.get_or_insert(at);
            }
            State::Mitigated => {
                times.mitigated.get_or_insert(at);
            }
            _ => {}
        }
        if state.is_open() {
            times.resolved = None;
        } else {
            times.resolved.get_or_insert(at);
        }
        self.state = Lifecycle(state);
    }

    fn alerts_changed(&mut self, groups: &[GroupChange], at: At) {
        self.times.last_alert = Some(at);
        self.times.detected.get_or_insert(at);
        for change in groups {
            let name = if self.groups.contains_key(&change.name) || self.groups.len() < MAX_GROUPS {
                change.name.as_str()
            } else {
                OTHER
            };
            let group = self.groups.entry(name.to_owned()).or_default();
            group.total = group.total.saturating_add(change.joined);
            group.firing = group
                .firing
                .saturating_add(change.joined)
                .saturating_add(change.fired_again)
                .saturating_sub(change.resolved);
            if change.summary.is_some() {
                group.summary.clone_from(&change.summary);
            }
            if change.severity.is_some() {
                group.severity.clone_from(&change.severity);
            }
            if change.link.is_some() {
                group.link.clone_from(&change.link);
            }
        }
    }

    fn in_phase(&mut self, request: u32, phases: &[Phase], change: impl FnOnce(&mut Run)) {
        if let Some(run) = self.runs.get_mut(&request)
            && phases.contains(&run.phase)
        {
            change(run);
        }
    }

    /// Follow-ups nobody has done yet.
    #[must_use]
    pub fn owed(&self) -> Vec<Owed> {
        self.follow_ups
            .iter()
            .filter(|(_, f)| f.done_at.is_none())
            .map(|(id, f)| Owed {
                incident: self.id,
                id: *id,
                title: f.title.clone(),
                link: f.link.clone(),
                opened_at: f.opened_at,
            })
            .collect()
    }
}
