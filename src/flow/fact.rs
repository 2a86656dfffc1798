//! Facts: what happened to an incident, in the past tense. Stored for ever, so additive only; the golden test pins their shape.
//!
//! Knows nothing of why a fact was decided or how it is stored.

mod kinds;
mod room;

pub use kinds::KINDS;
pub use room::{Room, RoomChange};

use super::identity::{Actor, Identity, Party, PersonId, Platform};
use super::incident::IncidentId;
use super::moment::At;
use super::plan::Plan;
use super::recollection::{Candidate, Lesson, PastIncident};
use super::signal::Change;
use serde::{Deserialize, Serialize};
use smokejumper_intents::quoted::{Keep, Quoted};
use smokejumper_intents::word::{Milestone, Role, Severity, State};
use std::collections::BTreeMap;

/// A fact in its place: the `n`-th of its incident (from 1), when, and by whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub incident: IncidentId,
    pub n: u32,
    pub at: At,
    pub by: Actor,
    pub fact: Fact,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "body", rename_all = "snake_case")]
pub enum Fact {
    Declared {
        title: String,
        severity: Severity,
        service: Option<String>,
        labels: BTreeMap<String, String>,
        origin: Origin,
    },
    /// Transitions of alerts, never repeats; one fact a delivery and incident, however many alerts.
    AlertsChanged {
        source: String,
        because: String,
        groups: Vec<GroupChange>,
        digest: String,
    },
    Acknowledged,
    RoleTaken {
        role: Role,
        who: Party,
    },
    SeveritySet {
        severity: Severity,
    },
    StateSet {
        state: State,
        note: Option<String>,
    },
    Noted {
        text: String,
    },
    RoomOpened {
        platform: Platform,
        room: Room,
    },
    RoomChanged {
        platform: Platform,
        room: String,
        change: RoomChange,
    },
    /// A room is not the incident's any more: others can read it, and the incident is private now. It was told that, and archived.
    RoomLeft {
        platform: Platform,
        room: String,
        /// Another is opened in its place.
        anew: bool,
    },
    /// It has been over for long enough: its rooms on chat platforms are archived.
    RoomsArchived,
    /// No room is opened on a chat platform.
    RoomsWaived {
        /// In our words: `route batch has channel = "none"`.
        because: String,
    },
    /// A message was kept, at the time it was written.
    Kept {
        message: Quoted,
        what: Keep,
    },
    /// Something the bot wanted to do in the world and could not; a person is told.
    Undelivered {
        what: String,
        why: String,
    },
    Suggested(Suggestion),
    Judged {
        right: bool,
        cause: Option<String>,
    },
    RunRequested {
        request: u32,
        plan: Plan,
        sha256: String,
        needs: u8,
        expires_at: At,
    },
    RunApproved {
        request: u32,
        by: Identity,
    },
    RunDenied {
        request: u32,
        reason: Option<String>,
    },
    RunExpired {
        request: u32,
    },
    /// Approved, but what would run is no longer what was approved, or by whom.
    RunVoided {
        request: u32,
        why: String,
    },
    RunStarted {
        request: u32,
    },
    RunFinished {
        request: u32,
        outcome: RunOutcome,
    },
    RunVerified {
        request: u32,
        verdict: Verdict,
    },
    Resolved {
        cause: Option<String>,
        fix: Option<String>,
    },
    FollowUpOpened {
        id: u32,
        title: String,
        owner: Option<PersonId>,
        due: Option<String>,
        link: Option<String>,
    },
    FollowUpDone {
        id: u32,
        /// The tracker's time, when it was done by closing its issue.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        there: Option<At>,
    },
    /// A postmortem can be read, made from the entries up to this one.
    PostmortemDrafted {
        through: u32,
    },
    Learned(Lesson),
    /// The payload of entry `n` was erased on request.
    Redacted {
        n: u32,
    },
    Renamed {
        title: String,
    },
    /// How it stands, for everybody: conditions, what is being done, what is needed.
    Updated {
        conditions: String,
        actions: Option<String>,
        needs: Option<String>,
    },
    TaskOpened {
        id: u32,
        title: String,
        owner: Option<Party>,
        /// Of the message it was made of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        link: Option<String>,
    },
    TaskDone {
        id: u32,
    },
    /// Somebody is to do something: an item, or the incident as a whole.
    Assigned {
        item: Option<Item>,
        who: Party,
    },
    /// This incident is part of another now; nothing more happens here.
    Merged {
        into: IncidentId,
    },
    /// Another incident became part of this one.
    Absorbed {
        other: IncidentId,
        title: String,
    },
    /// A moment was not when we thought.
    Corrected {
        milestone: Milestone,
        from: Option<At>,
        to: At,
    },
    /// From now on it exists only for these accounts and those that acted in it. Said again, it adds to them.
    MadePrivate {
        members: Vec<Identity>,
    },
    /// Somebody's phone is to ring.
    Paged {
        page: u32,
        who: Party,
        /// In our words: `@bo asked`, `nobody acknowledged within 5 min`.
        because: String,
        /// 0: asked for by a person; from 1: the step of the escalation.
        level: u8,
    },
    PageAnswered {
        page: u32,
        answered: Answered,
    },
    /// Everybody on call was asked, the last of them more than once, and nobody acknowledged.
    Unanswered {
        because: String,
    },
    /// Nobody's phone is rung for this yet: too many ring already, or there is a storm. Why, in our words; names nobody.
    PageHeld {
        because: String,
    },
    Reminded {
        of: Reminder,
    },
    /// Update nudges: not before then; `None`: not at all any more.
    NudgesSnoozed {
        until: Option<At>,
    },
    IssueFiled {
        follow_up: u32,
        issue: Issue,
        unknown: Vec<String>,
    },
    FollowUpReopened {
        id: u32,
        /// The tracker's time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        there: Option<At>,
    },
    /// Something that was changed on purpose shortly before or while this went on.
    ChangeSeen {
        change: Change,
    },
    /// Of the house, not of an incident ([`IncidentId::HOUSE`]): alerts that match are listed only.
    Silenced {
        silence: u32,
        matchers: String,
        from: At,
        until: At,
        comment: Option<String>,
    },
    SilenceEnded {
        silence: u32,
    },
    /// Other rules are in force: digest of the configuration that was read, and what changed, in our words.
    RulesChanged {
        digest: String,
        what: Vec<String>,
    },
    /// The tracker is to make an issue of it in `owner/name`, and is looked for there whatever is configured by then.
    IssueAsked {
        follow_up: u32,
        repository: String,
    },
    /// Somebody was taken out of these entries: their identities are opaque from now on. Written by storage alone.
    Rewritten {
        entries: Vec<Rewrite>,
    },
}

/// An entry that reads differently from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewrite {
    pub n: u32,
    /// Its link in the chain as it would be written now, hex; the old one stays in its place.
    pub link: String,
}

/// Something that has an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    Task(u32),
    FollowUp(u32),
}

/// An issue in the tracker.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Issue {
    /// `owner/name`.
    pub repository: String,
    pub number: u64,
    pub url: String,
}

/// What became of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answered {
    /// The pager took it; `by`: which one.
    Accepted { by: String },
    /// Somebody pressed acknowledge on the phone: who, in the pager's words.
    Acknowledged { by: String },
    /// It reached nobody, and why.
    Failed { why: String },
    /// Nobody need be woken any more: somebody is there, or it is over.
    Ended,
}

/// What people were reminded of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reminder {
    /// To say how it stands.
    Update,
    /// What is owed before it can be closed.
    Closing,
    /// Follow-ups that are overdue.
    Overdue,
}

/// How an incident came to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    Alert {
        source: String,
        fingerprint: String,
        route: String,
    },
    Person,
    /// More incidents were opening than people can read: this one gathers the rest.
    Storm,
}

/// How the alerts of one name changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupChange {
    pub name: String,
    /// Alerts that joined, fired again, and resolved.
    pub joined: u32,
    pub fired_again: u32,
    pub resolved: u32,
    /// One of them, in its own words.
    pub summary: Option<String>,
    pub severity: Option<String>,
    pub link: Option<String>,
}

/// What triage told people. Learning uses these values, never today's index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suggestion {
    pub model: String,
    /// Above the threshold, best first; empty means that the bot said it does not know.
    pub causes: Vec<Candidate>,
    pub responders: Vec<Candidate>,
    pub similar: Vec<PastIncident>,
    pub seen: u32,
    pub of: u64,
    pub since: Option<At>,
    /// Open follow-ups of the cited incidents.
    pub owed: Vec<Owed>,
    /// Candidates that stayed below the threshold, kept for learning, never shown as an answer.
    pub withheld: Withheld,
}

/// Candidates the bot was not sure enough of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Withheld {
    pub causes: Vec<Candidate>,
    pub responders: Vec<Candidate>,
    /// All features as they were then, for memory to learn from: [`super::recollection::Recollection::memo`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub memo: String,
}

/// A follow-up of a past incident that is still open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owed {
    pub incident: IncidentId,
    pub id: u32,
    pub title: String,
    pub link: Option<String>,
    pub opened_at: At,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<At>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue: Option<Issue>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOutcome {
    pub ended: Ended,
    pub steps: Vec<StepResult>,
    pub duration_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    Succeeded,
    /// Step `step` (from 1) did not do what was expected.
    Failed {
        step: u32,
        why: String,
    },
    TimedOut {
        step: u32,
    },
    /// The process was never started.
    NotStarted {
        why: String,
    },
    /// The bot lost sight of it (crash, restart): a person must look. Never run again by itself.
    Unknown {
        why: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepResult {
    /// Exit code or HTTP status, when there was one.
    pub code: Option<i32>,
    pub duration_ms: i64,
    pub output: Output,
}

/// Redacted process output: the beginning, the end, and how much there was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    pub head: String,
    /// Empty when `head` holds everything.
    pub tail: String,
    pub total_bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub passed: bool,
    pub checks: Vec<CheckResult>,
    pub after_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// In plain words: `GET http://127.0.0.1:8080/healthz answers 200`.
    pub what: String,
    pub passed: bool,
    /// What was seen last.
    pub saw: String,
}

/// A stored fact that this version cannot read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("fact kind `{kind}` version {v} is not known to this version; it was written by a newer one")]
    Unknown { kind: String, v: u32 },
    #[error("fact of kind `{kind}` does not parse: {source}")]
    Damaged { kind: String, source: serde_json::Error },
}

impl Fact {
    /// Version of every kind's shape; a change of shape raises it and adds an upcaster in [`Fact::decode`].
    pub const VERSION: u32 = 1;

    /// Kind and JSON body, as the journal stores them.
    ///
    /// # Errors
    /// When serialisation fails, which no value of this type does.
    pub fn encode(&self) -> Result<(String, String), serde_json::Error> {
        let mut value = serde_json::to_value(self)?;
        let kind = value.get("kind").and_then(|k| k.as_str()).unwrap_or_default().to_owned();
        let body = value.get_mut("body").map_or(serde_json::Value::Null, serde_json::Value::take);
        Ok((kind, serde_json::to_string(&body)?))
    }

    /// The reverse of [`Fact::encode`].
    ///
    /// # Errors
    /// An unknown kind or version, or a body that does not parse.
    pub fn decode(kind: &str, v: u32, body: &str) -> Result<Self, Unreadable> {
        if v != Self::VERSION || !KINDS.contains(&kind) {
            return Err(Unreadable::Unknown { kind: kind.to_owned(), v });
        }
        let damaged = |source| Unreadable::Damaged { kind: kind.to_owned(), source };
        let body: serde_json::Value = serde_json::from_str(body).map_err(damaged)?;
        let mut whole = serde_json::Map::from_iter([("kind".to_owned(), kind.into())]);
        if !body.is_null() {
            whole.insert("body".to_owned(), body);
        }
        serde_json::from_value(whole.into()).map_err(damaged)
    }
}
