//! The closed enum of everything a person can ask.
//!
//! *Acts* change something and are journalled; *asks* only read and are not.

use crate::word::{Right, Role, Severity, State};
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
    // -- asks
    List {
        closed: bool,
    },
    Search {
        query: String,
    },
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
}
