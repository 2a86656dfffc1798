//! Rooms: where an incident is talked about on each platform, and what people did to them by hand. A room that was renamed,
//! archived or deleted is a normal state: the incident goes on everywhere else, and says so.
//!
//! Knows no platform's rules.

use super::draft::Draft;
use super::fact::{Fact, RoomChange};
use super::identity::{Identity, Platform};
use super::incident::{Incident, IncidentId};
use super::phrase::{line, ours, outside, strong};
use super::policy::Policy;
use smokejumper_intents::reply::{Reply, Span};

/// How a room should be, besides what is said in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Furnishing {
    /// `None`: as it is called now.
    pub name: Option<String>,
    /// Plain text, with outside text in it; the edge shortens it and makes it inert.
    pub topic: String,
    pub purpose: String,
    /// What people look for: a label of ours, and where it leads.
    pub links: Vec<(String, String)>,
    /// Accounts of this platform that should be in it. Nobody is put out.
    pub people: Vec<Identity>,
    /// Nothing more is to be said in it.
    pub archived: bool,
}

/// How the incident's room on a platform should be now.
#[must_use]
pub fn furnishing(incident: &Incident, _policy: &Policy, platform: Platform) -> Furnishing {
    let people = incident.involved.iter().filter(|account| account.platform == platform).cloned().collect();
    Furnishing {
        topic: format!("{} · {} · {}", incident.severity().label(), incident.state.0.label(), incident.title),
        purpose: format!("{}: {}", incident.id, incident.title),
        people,
        ..Furnishing::default()
    }
}

/// What everybody is told of it.
#[must_use]
pub fn announcement(incident: &Incident) -> Reply {
    let standing = format!(" · {} · ", incident.state.0.label());
    let spans = vec![
        Span::Incident(incident.id.0),
        ours(" · "),
        strong(incident.severity().label()),
        ours(standing),
        outside(incident.title.clone()),
    ];
    Reply::titled(line(spans))
}

/// Somebody changed the room by hand, or it was found changed. A room that is not the incident's (any more) changes nothing.
pub fn changed(draft: &mut Draft, id: IncidentId, platform: Platform, room: &str, change: RoomChange) {
    let Some(incident) = draft.incident(id) else { return };
    let Some(own) = incident.rooms.get(&platform).filter(|own| own.id == room) else { return };
    let news = match &change {
        RoomChange::Renamed(name) => *name != own.name,
        RoomChange::Archived | RoomChange::Gone { .. } => !incident.lost_rooms.contains_key(&platform),
        RoomChange::Unarchived => incident.lost_rooms.contains_key(&platform),
    };
    if news {
        draft.record(id, Fact::RoomChanged { platform, room: room.to_owned(), change });
        draft.show(id);
    }
}
