//! Everything that can happen. Edges translate the world into these, once, at the door; the inbox stores them.

use super::effect::Timer;
use super::fact::{Room, RunOutcome, Verdict};
use super::identity::{Identity, PersonId, Platform};
use super::incident::IncidentId;
use super::plan::FileDigest;
use super::recollection::Recollection;
use super::signal::Delivery;
use serde::{Deserialize, Serialize};
use smokejumper_intents::intent::Ask;
use std::collections::BTreeSet;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// An alert source spoke.
    Signals(Delivery),
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
    /// A minute has passed: what depends on time alone is looked at again.
    Tick,
    /// An approved request is about to run: what is true at this moment. Never stored; answered by [`super::Turn::go`].
    Poised {
        incident: IncidentId,
        request: u32,
        fresh: Fresh,
    },
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
    /// The incident it is about, when that is known before deciding.
    #[must_use]
    pub fn incident(&self) -> Option<IncidentId> {
        match self {
            Self::Signals(_) | Self::Tick => None,
            Self::Asked { ask, .. } => ask.incident.map(IncidentId),
            Self::RoomOpened { incident, .. }
            | Self::Recalled { incident, .. }
            | Self::Ran { incident, .. }
            | Self::Verified { incident, .. }
            | Self::Undelivered { incident, .. }
            | Self::Due { incident, .. }
            | Self::Poised { incident, .. } => Some(*incident),
        }
    }
}
