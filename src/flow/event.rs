//! Everything that can happen. Edges translate the world into these, once, at the door; the inbox stores them.

use super::effect::Timer;
use super::fact::{Answered, Issue, Room, RoomChange, RunOutcome, Verdict};
use super::identity::{Identity, PersonId, Platform};
use super::incident::IncidentId;
use super::moment::At;
use super::plan::FileDigest;
use super::recollection::Recollection;
use super::signal::{Change, Delivery};
use serde::{Deserialize, Serialize};
use smokejumper_intents::intent::{Ask, Intent};
use std::collections::BTreeSet;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// An alert source spoke.
    Signals(Delivery),
    /// Something was changed on purpose.
    Changed(Change),
    /// A person spoke (an act; asks never come here).
    Asked {
        by: Identity,
        ask: Ask,
    },
    /// Results of effects.
    RoomOpened {
        incident: IncidentId,
        platform: Platform,
        room: Room,
    },
    /// Somebody changed the room by hand, or it was found changed.
    RoomChanged {
        incident: IncidentId,
        platform: Platform,
        /// The platform's id of the room meant: it counts only while it is the incident's.
        room: String,
        change: RoomChange,
    },
    Recalled {
        incident: IncidentId,
        recollection: Recollection,
    },
    Ran {
        incident: IncidentId,
        request: u32,
        outcome: RunOutcome,
    },
    Verified {
        incident: IncidentId,
        request: u32,
        verdict: Verdict,
    },
    /// The tracker took a follow-up in.
    Filed {
        incident: IncidentId,
        follow_up: u32,
        issue: Issue,
        /// Assignees and labels the tracker did not know: said, never dropped silently.
        unknown: Vec<String>,
    },
    /// Somebody moved an issue in the tracker. The door read which follow-up it belongs to from the hidden marker, which anybody
    /// may edit: it counts only when the follow-up names this very issue.
    IssueMoved {
        incident: IncidentId,
        follow_up: u32,
        issue: Issue,
        to: IssueMove,
        /// Login there.
        by: String,
        /// When the tracker says the issue was changed: what comes late is known by it. `None`: it did not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        changed: Option<At>,
    },
    /// What became of a page.
    Paged {
        incident: IncidentId,
        page: u32,
        answered: Answered,
        /// The deduplication key it came under, when somebody outside says so: it counts only for the page that bears it, since
        /// another Smokejumper may use the same account there.
        #[serde(default)]
        key: Option<String>,
        /// The account of whoever answered, when the pager names one.
        #[serde(default)]
        account: Option<Identity>,
    },
    /// An effect was given up.
    Undelivered {
        incident: IncidentId,
        what: String,
        why: String,
    },
    /// A timer is due.
    Due {
        incident: IncidentId,
        timer: Timer,
    },
    /// Other rules are in force: digest of what was read, and what is different, in our words.
    RulesRead {
        digest: String,
        what: Vec<String>,
    },
    /// A minute has passed: what depends on time alone is looked at again.
    Tick,
    /// An approved request is about to run: what is true at this moment. Never stored; answered by [`super::Turn::go`].
    Poised {
        incident: IncidentId,
        request: u32,
        fresh: Fresh,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IssueMove {
    Closed,
    Reopened,
    /// Login of who has it now; `None`: nobody.
    Assigned(Option<String>),
    Deleted,
    /// It lives there now.
    Transferred(Issue),
}

/// What approval is checked against at the moment of execution.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fresh {
    /// Everybody who may approve now.
    pub approvers: BTreeSet<PersonId>,
    /// Digests of the plan's files as they are now; a file that cannot be read is missing here.
    pub files: Vec<FileDigest>,
}

impl Event {
    /// The other incident an ask names: it must be known before deciding, too.
    #[must_use]
    pub const fn other(&self) -> Option<IncidentId> {
        match self {
            Self::Asked { ask: Ask { intent: Intent::Merge { into }, .. }, .. } => Some(IncidentId(*into)),
            _ => None,
        }
    }

    /// Whether what became a part of its incident must be known before deciding, too: it is hidden with it.
    #[must_use]
    pub const fn hides(&self) -> bool {
        matches!(self, Self::Asked { ask: Ask { intent: Intent::MakePrivate, .. }, .. })
    }

    /// The incident it is about, when that is known before deciding.
    #[must_use]
    pub fn incident(&self) -> Option<IncidentId> {
        match self {
            Self::Signals(_) | Self::Changed(_) | Self::RulesRead { .. } | Self::Tick => None,
            Self::Asked { ask, .. } => ask.incident.map(IncidentId),
            Self::RoomOpened { incident, .. }
            | Self::RoomChanged { incident, .. }
            | Self::Recalled { incident, .. }
            | Self::Ran { incident, .. }
            | Self::Verified { incident, .. }
            | Self::Filed { incident, .. }
            | Self::IssueMoved { incident, .. }
            | Self::Paged { incident, .. }
            | Self::Undelivered { incident, .. }
            | Self::Due { incident, .. }
            | Self::Poised { incident, .. } => Some(*incident),
        }
    }
}
