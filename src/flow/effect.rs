//! Effects: what the bot wants done in the world, in the imperative. One vendor mutation each; stored in the outbox.
//!
//! Knows neither how nor by whom it is done.

use super::fact::Room;
use super::identity::{Identity, Platform};
use super::incident::IncidentId;
use super::missed::Missed;
use super::moment::At;
use super::recollection::Lesson;
use serde::{Deserialize, Serialize};
use smokejumper_intents::intent::Intent;
use smokejumper_intents::reply::Reply;
use std::collections::BTreeSet;

/// The key of cards: of those that wait only the newest counts, and the newest that was posted is the one that is edited.
pub const CARD: &str = "card";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Effect {
    /// Make the incident's channel, named and peopled.
    OpenRoom {
        incident: IncidentId,
        platform: Platform,
    },
    /// Bring the card up to date. Desired state: rendered when it is sent, the newest supersedes.
    Card {
        incident: IncidentId,
        platform: Platform,
    },
    /// Say something in the thread.
    Say {
        incident: IncidentId,
        platform: Platform,
        message: Box<Reply>,
    },
    /// Say in one message what could not be said when it should have been. Rendered when it is sent.
    SayMissed {
        incident: IncidentId,
        platform: Platform,
        missed: Box<Missed>,
    },
    /// Bring the room's name, topic, links, people and end to how they should be. Desired state: worked out when it is sent, the newest
    /// supersedes.
    Furnish {
        incident: IncidentId,
        platform: Platform,
    },
    /// Take leave of a room that is not the incident's any more: what we show there becomes `last`, and it is archived.
    CloseRoom {
        incident: IncidentId,
        platform: Platform,
        room: Room,
        last: Box<Reply>,
    },
    /// Tell everybody on the platform how it stands, in one message that is edited. Desired state: the newest supersedes.
    Announce {
        incident: IncidentId,
        platform: Platform,
    },
    /// Say something to one person alone.
    Tell {
        incident: IncidentId,
        to: Identity,
        message: Box<Reply>,
    },
    /// Ask memory about the incident as it then is.
    Recall {
        incident: IncidentId,
    },
    Remember {
        incident: IncidentId,
        lesson: Box<Lesson>,
    },
    /// What was learned here is not to be known any more: the incident is private now.
    Forget {
        incident: IncidentId,
    },
    /// Make an issue of a follow-up. What it says is rendered when it is sent.
    FileIssue {
        incident: IncidentId,
        follow_up: u32,
    },
    /// Bring the issue to the follow-up's state (open or closed, its assignee). Desired state: the newest supersedes.
    MoveIssue {
        incident: IncidentId,
        follow_up: u32,
    },
    /// Reach a person's phone.
    Page {
        incident: IncidentId,
        page: u32,
    },
    /// Tell the pager that nobody need be woken for this page any more.
    EndPage {
        incident: IncidentId,
        page: u32,
    },
    /// Come back at `at`.
    Wake {
        incident: IncidentId,
        at: At,
        timer: Timer,
    },
    /// Execute an approved request. At most once, never leased again.
    Run {
        incident: IncidentId,
        request: u32,
    },
    /// Check whether a finished run worked.
    Verify {
        incident: IncidentId,
        request: u32,
    },
}

/// The priority of what is merely told, the last of all ([`Effect::priority`]).
pub const CHATTER: i64 = 3;

/// Requests that a message asks somebody to approve or to deny.
#[must_use]
pub fn decisions(message: &Reply) -> BTreeSet<u32> {
    let sections = message.sections.iter().flat_map(|section| &section.buttons);
    let buttons = message.buttons.iter().chain(sections);
    let request = |intent: &Intent| match intent {
        Intent::Approve { request, .. } | Intent::Deny { request, .. } => *request,
        _ => None,
    };
    buttons.filter_map(|button| request(&button.ask.intent)).collect()
}

/// What a timer is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timer {
    /// Nobody decided this request.
    Expiry { request: u32 },
    /// Every alert has been quiet for a while.
    Quiet,
    /// Nobody acknowledged: the next on call, `level` from 1.
    Escalate { level: u8 },
    /// Nobody said for a while how it stands.
    Nudge,
    /// What is still owed after it ended: closing it, follow-ups that are overdue.
    Nag,
    /// Follow-ups the tracker does not have yet are to become issues.
    File,
    /// It has been over for a while: its rooms are archived.
    Archive,
}

/// Who carries an effect out. Rows of one incident and destination go out in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    Room(Platform),
    /// The room itself, not what is said in it: nobody waits for a message because an invitation is slow.
    Furniture(Platform),
    /// What everybody is told.
    Announcements(Platform),
    /// What people are told alone.
    Direct(Platform),
    Memory,
    Clock,
    Runner,
    /// Where follow-ups become issues.
    Tracker,
    /// Reaches a phone. A lane for each page: one phone that cannot be reached keeps no other from ringing.
    Pager {
        page: u32,
    },
}

impl Destination {
    /// As stored: `room:console`, `furniture:slack`, `announcements:slack`, `direct:slack`, `memory`, `clock`, `runner`, `tracker`, `pager:3`.
    #[must_use]
    pub fn key(self) -> String {
        match self {
            Self::Room(p) => format!("room:{}", p.label()),
            Self::Furniture(p) => format!("furniture:{}", p.label()),
            Self::Announcements(p) => format!("announcements:{}", p.label()),
            Self::Direct(p) => format!("direct:{}", p.label()),
            Self::Memory => "memory".to_owned(),
            Self::Clock => "clock".to_owned(),
            Self::Runner => "runner".to_owned(),
            Self::Tracker => "tracker".to_owned(),
            Self::Pager { page } => format!("pager:{page}"),
        }
    }

    /// Without what tells its lanes apart, for figures: `room:console`, `pager`.
    #[must_use]
    pub fn label(self) -> String {
        match self {
            Self::Pager { .. } => "pager".to_owned(),
            other => other.key(),
        }
    }

    /// Where people talk, and whose service can fail apart from everything else.
    #[must_use]
    pub const fn platform(self) -> Option<Platform> {
        match self {
            Self::Room(p) | Self::Furniture(p) | Self::Announcements(p) | Self::Direct(p) => Some(p),
            Self::Memory | Self::Clock | Self::Runner | Self::Tracker | Self::Pager { .. } => None,
        }
    }

    /// Doing it twice is the same as doing it once, so an interrupted attempt is simply repeated. A pager knows each page by its
    /// deduplication key, and rings once for it.
    #[must_use]
    pub const fn repeatable(self) -> bool {
        matches!(
            self,
            Self::Room(Platform::Console) | Self::Furniture(_) | Self::Memory | Self::Clock | Self::Pager { .. }
        )
    }
}

impl Effect {
    #[must_use]
    pub const fn incident(&self) -> IncidentId {
        match self {
            Self::OpenRoom { incident, .. }
            | Self::Card { incident, .. }
            | Self::Say { incident, .. }
            | Self::SayMissed { incident, .. }
            | Self::Furnish { incident, .. }
            | Self::CloseRoom { incident, .. }
            | Self::Announce { incident, .. }
            | Self::Tell { incident, .. }
            | Self::Recall { incident }
            | Self::Remember { incident, .. }
            | Self::Forget { incident }
            | Self::FileIssue { incident, .. }
            | Self::MoveIssue { incident, .. }
            | Self::Page { incident, .. }
            | Self::EndPage { incident, .. }
            | Self::Wake { incident, .. }
            | Self::Run { incident, .. }
            | Self::Verify { incident, .. } => *incident,
        }
    }

    #[must_use]
    pub const fn destination(&self) -> Destination {
        match self {
            Self::OpenRoom { platform, .. }
            | Self::Card { platform, .. }
            | Self::Say { platform, .. }
            | Self::SayMissed { platform, .. } => Destination::Room(*platform),
            Self::Furnish { platform, .. } | Self::CloseRoom { platform, .. } => Destination::Furniture(*platform),
            Self::Announce { platform, .. } => Destination::Announcements(*platform),
            Self::Tell { to, .. } => Destination::Direct(to.platform),
            Self::Recall { .. } | Self::Remember { .. } | Self::Forget { .. } => Destination::Memory,
            Self::FileIssue { .. } | Self::MoveIssue { .. } => Destination::Tracker,
            Self::Page { page, .. } | Self::EndPage { page, .. } => Destination::Pager { page: *page },
            Self::Wake { .. } => Destination::Clock,
            Self::Run { .. } | Self::Verify { .. } => Destination::Runner,
        }
    }

    /// Doing it twice is the same as doing it once: at its destination everything is, or this is.
    #[must_use]
    pub const fn repeatable(&self) -> bool {
        self.destination().repeatable()
            || matches!(self, Self::MoveIssue { .. } | Self::Page { .. } | Self::EndPage { .. } | Self::Verify { .. })
    }

    /// Class run: at most once (ARCHITECTURE.md D6).
    #[must_use]
    pub const fn is_run(&self) -> bool {
        matches!(self, Self::Run { .. })
    }

    /// Of pending rows with the same incident, destination and this key only the newest counts.
    #[must_use]
    pub fn supersedes(&self) -> Option<String> {
        match self {
            Self::Card { .. } => Some(CARD.to_owned()),
            Self::Furnish { .. } => Some("furnish".to_owned()),
            Self::Announce { .. } => Some("announce".to_owned()),
            Self::Recall { .. } => Some("recall".to_owned()),
            Self::Wake { timer: Timer::Quiet, .. } => Some("quiet".to_owned()),
            Self::Wake { timer: Timer::Expiry { request }, .. } => Some(format!("expiry:{request}")),
            Self::Wake { timer: Timer::Escalate { .. }, .. } => Some("escalate".to_owned()),
            Self::Wake { timer: Timer::Nudge, .. } => Some("nudge".to_owned()),
            Self::Wake { timer: Timer::Nag, .. } => Some("nag".to_owned()),
            Self::Wake { timer: Timer::File, .. } => Some("file".to_owned()),
            Self::Wake { timer: Timer::Archive, .. } => Some("archive".to_owned()),
            Self::FileIssue { follow_up, .. } => Some(format!("file:{follow_up}")),
            Self::MoveIssue { follow_up, .. } => Some(format!("issue:{follow_up}")),
            _ => None,
        }
    }

    /// Who goes first when much waits, smallest first: what wakes or asks somebody (0), what others wait for (1), how it stands (2),
    /// what is merely told (3). Also within a lane, so an approval does not wait behind chatter.
    #[must_use]
    pub fn priority(&self) -> i64 {
        match self {
            Self::Page { .. } | Self::EndPage { .. } | Self::Wake { .. } | Self::Tell { .. } => 0,
            Self::OpenRoom { .. } => 1,
            Self::Say { message, .. } if !decisions(message).is_empty() => 1,
            Self::Say { .. } | Self::SayMissed { .. } | Self::Announce { .. } => CHATTER,
            _ => 2,
        }
    }

    /// Not before this time.
    #[must_use]
    pub const fn due(&self) -> Option<At> {
        match self {
            Self::Wake { at, .. } => Some(*at),
            _ => None,
        }
    }
}
