//! The closed enum of everything a person can ask.
//!
//! *Acts* change something and are journalled; *asks* only read and are not.

use crate::quoted::{Keep, Quoted};
use crate::word::{Milestone, Right, Role, Severity, State};
use serde::{Deserialize, Serialize};

/// An intent and the incident it is meant for (`None`: the lobby).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    pub incident: Option<u32>,
    pub intent: Intent,
}

/// A person as they were named: `me`, or a handle without its `@`. Who that is, is decided elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Who {
    Me,
    Named(String),
}

/// A calendar day as it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Due {
    /// `2026-12-01`; always a real date of the Gregorian calendar.
    On { year: i16, month: u8, day: u8 },
    /// `3d`, `2w`: days from today, 1 to 730.
    InDays(u16),
}

/// A moment as it was given, in UTC. Which moment that is, is decided where the time is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// `09:58`: the latest such time that is not in the future.
    Clock { hour: u8, minute: u8 },
    /// `2026-11-20 09:58`.
    On { year: i16, month: u8, day: u8, hour: u8, minute: u8 },
    /// `20m ago`: minutes, 0 to a year.
    Ago { minutes: u32 },
}

/// Something of an incident that has an owner: `T-1`, `F-2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    Task(u32),
    FollowUp(u32),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    // -- acts
    Declare {
        title: String,
        severity: Option<Severity>,
        service: Option<String>,
    },
    Acknowledge,
    TakeRole {
        role: Role,
        who: Who,
    },
    SetSeverity {
        severity: Severity,
    },
    SetState {
        state: State,
        note: Option<String>,
    },
    Note {
        text: String,
    },
    /// A message of the place is kept, at its own time. Comes from the message itself (a shortcut, an emoji), never from words.
    Keep {
        message: Quoted,
        what: Keep,
    },
    /// A person, or a team: then whoever of it is on call.
    Page {
        who: Who,
        message: Option<String>,
    },
    /// No reminders of updates for so many minutes; `None`: none any more.
    Snooze {
        minutes: Option<u16>,
    },
    /// `params` in the order given; names are unique.
    Run {
        runbook: String,
        params: Vec<(String, String)>,
        dry: bool,
    },
    /// `request`: the run's number in its incident; `plan`: the first 12 hex digits of the plan's SHA-256, which a button carries.
    Approve {
        request: Option<u32>,
        plan: Option<String>,
    },
    Deny {
        request: Option<u32>,
        reason: Option<String>,
    },
    Resolve {
        cause: Option<String>,
        fix: Option<String>,
    },
    Feedback {
        right: bool,
        cause: Option<String>,
    },
    FollowUp {
        title: String,
        owner: Option<Who>,
        due: Option<Due>,
        link: Option<String>,
    },
    /// Marks follow-up `F-n` of this incident as done.
    FollowUpDone {
        follow_up: u32,
    },
    Rename {
        title: String,
    },
    /// How it stands, for everybody.
    Update {
        conditions: String,
        actions: Option<String>,
        needs: Option<String>,
    },
    /// Something to be done while it goes on.
    Task {
        title: String,
        owner: Option<Who>,
    },
    TaskDone {
        task: u32,
    },
    /// Without an item: brings them into the incident.
    Assign {
        item: Option<Item>,
        who: Who,
    },
    /// This incident becomes part of another.
    Merge {
        into: u32,
    },
    Correct {
        milestone: Milestone,
        when: When,
    },
    MakePrivate,
    /// Alerts that match are listed only, for so many minutes. `matchers` are checked where matchers are known.
    Silence {
        matchers: String,
        minutes: u32,
        comment: Option<String>,
        /// Also when it covers most of what fires: they were asked, and mean it.
        #[serde(default)]
        anyway: bool,
    },
    EndSilence {
        silence: u32,
    },
    // -- asks
    List {
        closed: bool,
    },
    Search {
        query: String,
    },
    /// What whoever asks has to do: their incidents, tasks, follow-ups, and what waits for their approval.
    Mine,
    /// Where the incident stands.
    Card,
    Why,
    Similar,
    WhoToCall,
    /// Who is on call: of a service, a schedule, `@somebody`, or everything.
    OnCall {
        of: Option<String>,
    },
    /// Why alerts are where they are: one by name or fingerprint, or all of the place.
    Explain {
        alert: Option<String>,
    },
    Runbooks,
    Postmortem,
    Timeline,
    /// What matters since whoever asks was last heard of here.
    CatchUp,
    Silences,
    Help {
        verb: Option<String>,
    },
}

impl Intent {
    /// Acts are journalled; asks only read.
    #[must_use]
    pub const fn is_act(&self) -> bool {
        !matches!(
            self,
            Self::List { .. }
                | Self::Mine
                | Self::Search { .. }
                | Self::Card
                | Self::Why
                | Self::Similar
                | Self::WhoToCall
                | Self::OnCall { .. }
                | Self::Explain { .. }
                | Self::Runbooks
                | Self::Postmortem
                | Self::Timeline
                | Self::CatchUp
                | Self::Silences
                | Self::Help { .. }
        )
    }

    /// The least right that may ask for it. Anyone who responds may declare, claim, note. Denying is for approvers too, but
    /// who asked for a run may take it back: the flow looks at that.
    #[must_use]
    pub const fn needs(&self) -> Right {
        match self {
            Self::Approve { .. } => Right::Approver,
            _ if self.is_act() => Right::Responder,
            _ => Right::Viewer,
        }
    }

    /// Whether it takes somebody who is known, and not just let in: it wakes people, or hides or rewrites what others rely on.
    #[must_use]
    pub const fn needs_person(&self) -> bool {
        matches!(
            self,
            Self::Page { .. }
                | Self::Silence { .. }
                | Self::EndSilence { .. }
                | Self::Merge { .. }
                | Self::MakePrivate
                | Self::Rename { .. }
                | Self::Correct { .. }
        )
    }

    /// Why somebody who types it is asked first whether they mean it, in our words: it cannot be taken back.
    #[must_use]
    pub const fn confirm(&self) -> Option<&'static str> {
        match self {
            Self::MakePrivate => Some(
                "From then on the incident exists only for those who acted in it, hold a role or are assigned. It leaves search, \
                 suggestions and exports. This cannot be undone.",
            ),
            Self::Merge { .. } => Some(
                "Its alerts and open tasks move there, its open runs become void, and nothing more happens here. This cannot be \
                 undone.",
            ),
            Self::SetState { state: State::Cancelled | State::Declined, .. } => {
                Some("It ends for good, teaches nothing, and cannot be opened again.")
            }
            _ => None,
        }
    }
}
