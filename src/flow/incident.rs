//! An incident is the fold of its facts. `apply` cannot fail: what makes no sense in a state changes nothing.
//!
//! Knows nothing of why facts happen; that is decided in the chapters around it. The fold itself is in `incident/fold.rs`.

mod fold;
mod housing;

pub(super) use fold::note_change;

use super::fact::{Answered, Entry, Issue, Origin, Owed, Room, RunOutcome, Suggestion, Verdict};
use super::identity::{Actor, Identity, Party, PersonId, Platform};
use super::moment::At;
use super::plan::Plan;
use super::signal::Change;
use serde::{Deserialize, Serialize};
use smokejumper_intents::word::{Role, Severity, State};
use std::collections::{BTreeMap, BTreeSet};

/// Alert names kept apart in one incident; the rest is counted under [`OTHER`]. A card shows ten.
pub const MAX_GROUPS: usize = 50;
/// Where the alerts of the fifty-first name are counted.
pub const OTHER: &str = "other alerts";

/// Notes kept for the question to memory, and characters of each.
pub const MAX_NOTES: usize = 10;
pub const MAX_NOTE_CHARS: usize = 400;
/// Accounts remembered as having acted; the journal knows all.
pub const MAX_INVOLVED: usize = 100;
/// Changes kept in one incident, the newest: who looks for a suspect looks there first.
pub const MAX_CHANGES: usize = 20;
/// Kept messages remembered; the journal knows all.
pub const MAX_KEPT: usize = 500;
/// Pages kept in one incident; the journal knows all. No more ring at once: each of them is to be told to stop.
pub const MAX_PAGES: usize = 100;

/// The number of `INC-12`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentId(pub u32);

impl IncidentId {
    /// Facts of the house itself (silences, rules, changes) are kept under this number; it is no incident.
    pub const HOUSE: Self = Self(0);
}

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
    /// Who may see it besides those who acted in it, while it is private.
    pub members: Vec<Identity>,
    /// What was said last to everybody about how it stands.
    pub update: Option<Update>,
    pub tasks: BTreeMap<u32, Task>,
    /// Brought in by name.
    pub assigned: Vec<Party>,
    pub merged_into: Option<IncidentId>,
    pub absorbed: Vec<IncidentId>,
    pub pages: BTreeMap<u32, Page>,
    pub climb: Climb,
    pub nudges: Nudges,
    pub nags: Nags,
    /// Changed on purpose shortly before or while this went on, oldest first.
    pub changes: Vec<Change>,
    /// Rooms in which nothing can be said for now, and why: archived or deleted by hand, a normal state.
    #[serde(default)]
    pub lost_rooms: BTreeMap<Platform, String>,
    /// Ids of the messages that were kept, the newest [`MAX_KEPT`]: none is kept twice.
    #[serde(default)]
    pub kept: Vec<String>,
    #[serde(default)]
    pub upkeep: Upkeep,
    /// How bad it ever was.
    #[serde(default)]
    pub worst: Option<Severity>,
    /// Since when nothing more happens here: closed, declined, cancelled or merged.
    #[serde(default)]
    pub closed_at: Option<At>,
}

/// What its rooms went through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upkeep {
    /// There is no room on any chat platform: a route said so.
    pub console_only: bool,
    /// People said what it is called; before that a room keeps the name it was opened with.
    pub renamed: bool,
    /// Rooms somebody named by hand: they keep that name.
    pub named_by_hand: BTreeSet<Platform>,
    /// Rooms we archived, because it was over: nothing can be said there until they are open again.
    pub archived: BTreeSet<Platform>,
    /// We archived its rooms since it was closed: who opened one again by hand wants it open.
    pub put_away: bool,
    /// Rooms opened so far.
    pub opened: BTreeMap<Platform, u8>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    pub at: At,
    pub by: Actor,
    pub conditions: String,
    pub actions: Option<String>,
    pub needs: Option<String>,
}

/// Something to be done while it goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    pub title: String,
    pub owner: Option<Party>,
    pub opened_at: At,
    pub done_at: Option<At>,
    /// Of the message it was made of.
    #[serde(default)]
    pub link: Option<String>,
}

/// Somebody's phone rang, or was to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    pub who: Party,
    pub because: String,
    pub level: u8,
    pub at: At,
    pub answered: Option<Answered>,
}

/// How far asking for somebody has come. All of it is folded from facts, so a timer that comes late, early or twice does no harm.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Climb {
    /// The time until the next step counts from here: declared, severity changed, reopened, or the last step.
    pub from: At,
    /// Steps done; 0: nobody was asked yet.
    pub level: u8,
    /// Nobody is left to ask: why.
    pub unanswered: Option<String>,
    /// The next step is due, and waits for a phone to be free: why.
    #[serde(default)]
    pub held: Option<String>,
}

/// Whether people are asked for updates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nudges {
    pub off: bool,
    pub snoozed_until: Option<At>,
    /// The time until the next one counts from here: somebody said how it stands, or was asked to.
    pub from: At,
    /// Asked since somebody last said how it stands.
    pub unheard: u8,
}

/// What was reminded of after it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nags {
    pub closing: Option<At>,
    pub overdue: Option<At>,
    /// Reminders of closing so far.
    pub times: u8,
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
    pub impact_started: Option<At>,
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
    /// Where it lives in the tracker, once it was filed.
    pub issue: Option<Issue>,
    /// When and where the tracker was last asked for that.
    #[serde(default)]
    pub asked: Option<Asked>,
    /// Assignees and labels the tracker did not know.
    #[serde(default)]
    pub unknown: Vec<String>,
    /// The tracker's time of the last closing or reopening there: what comes later and is older was overtaken.
    #[serde(default)]
    pub there: Option<At>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub at: At,
    /// `owner/name`.
    pub repository: String,
}

impl Page {
    /// A phone may be ringing: nobody answered, and it was neither ended nor refused.
    #[must_use]
    pub const fn rings(&self) -> bool {
        matches!(self.answered, None | Some(Answered::Accepted { .. }))
    }
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

    /// Whether it exists for this account (I27): a private incident is there for its members, who declared it and who acted in it.
    #[must_use]
    pub fn admits(&self, viewer: &Identity) -> bool {
        !self.private
            || self.involved.contains(viewer)
            || self.members.contains(viewer)
            || matches!(&self.declared_by, Some(Actor::Account(by)) if by == viewer)
    }

    /// Tasks nobody has done yet.
    pub fn to_do(&self) -> impl Iterator<Item = (u32, &Task)> {
        self.tasks.iter().filter(|(_, task)| task.done_at.is_none()).map(|(id, task)| (*id, task))
    }

    /// Alerts firing now. Of an incident that is over nothing is told any more: 0.
    #[must_use]
    pub fn firing(&self) -> u32 {
        if !self.state.0.is_open() {
            return 0;
        }
        self.groups.values().fold(0, |sum, g| sum.saturating_add(g.firing))
    }

    /// Whether so many more phones may ring for it.
    #[must_use]
    pub fn has_rings_left(&self, more: usize) -> bool {
        self.pages.values().filter(|p| p.rings()).count().saturating_add(more) <= MAX_PAGES
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
                asked: f.asked.as_ref().map(|asked| asked.at),
                issue: f.issue.clone(),
            })
            .collect()
    }
}
