//! Rooms: where an incident is talked about on each platform, how such a room should be, and what people did to it by hand. A room
//! that was renamed, archived or deleted is a normal state: the incident goes on everywhere else, and says so.
//!
//! Everything here follows from facts, so a room that should be otherwise is noticed by looking at the incident before and after a
//! turn. Knows no platform's rules.

use super::draft::Draft;
use super::effect::{Effect, Timer};
use super::fact::{Fact, Origin, Room, RoomChange};
use super::identity::{Actor, Identity, Party, Platform};
use super::incident::{Incident, IncidentId};
use super::moment::At;
use super::phrase::{line, ours, outside, party, strong, titled};
use super::policy::{Channel, Policy};
use super::{privacy, whom};
use smokejumper_intents::reply::{Line, Reply, Span};
use smokejumper_intents::word::Role;

/// Rooms opened for an incident on one platform, at most: the first, one in the place of one that was deleted, one that is private.
/// More, and somebody is deleting them on purpose.
pub const MAX_ROOMS: u8 = 3;
/// People asked into a room: those who do something there; more are an audience, and find it themselves.
pub const MAX_PEOPLE: usize = 100;
/// Links of alerts and of issues, each.
const MAX_LINKS: usize = 3;
/// Characters of a room's name (Slack: 80) that the title may fill.
const SLUG: usize = 40;
/// Why nothing is said in a room that somebody archived.
pub const ARCHIVED_BY_HAND: &str = "the channel was archived by hand";

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
pub fn furnishing(incident: &Incident, policy: &Policy, platform: Platform) -> Furnishing {
    let by_hand = incident.upkeep.named_by_hand.contains(&platform);
    Furnishing {
        name: (incident.upkeep.renamed && !by_hand).then(|| name(incident)),
        topic: topic(incident, policy),
        purpose: purpose(incident),
        links: links(incident, policy),
        people: people(incident, policy, platform),
        archived: incident.upkeep.archived.contains(&platform) && !incident.is_open(),
    }
}

/// `inc-142-checkout-500s`: lower-case letters, digits and dashes, as every platform allows.
#[must_use]
pub fn name(incident: &Incident) -> String {
    let mut slug = String::new();
    for c in incident.title.chars().flat_map(char::to_lowercase) {
        if slug.len() >= SLUG {
            break;
        }
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_matches('-');
    let number = incident.id.0;
    if slug.is_empty() { format!("inc-{number}") } else { format!("inc-{number}-{slug}") }
}

/// Whether we would name its room so: a platform may put a number behind what is taken.
#[must_use]
pub fn is_name(incident: &Incident, named: &str) -> bool {
    let wanted = name(incident);
    let Some(behind) = named.strip_prefix(wanted.as_str()) else { return false };
    behind.is_empty() || behind.strip_prefix('-').is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
}

/// How it stands, who leads it, what it is about. Nothing in it changes with each alert.
fn topic(incident: &Incident, policy: &Policy) -> String {
    let mut parts = vec![incident.severity().label().to_owned(), incident.state.0.label().to_owned()];
    match (incident.roles.get(&Role::Commander), incident.merged_into) {
        (_, Some(into)) => parts.push(format!("goes on in {into}")),
        (Some(who), None) => parts.push(format!("led by {}", called(policy, who))),
        (None, None) if incident.is_open() => parts.push("led by nobody yet".to_owned()),
        (None, None) => {}
    }
    parts.push(incident.title.clone());
    parts.join(" · ")
}

fn called(policy: &Policy, who: &Party) -> String {
    match party(policy, who) {
        Span::Person(name) => name,
        _ => String::new(),
    }
}

fn purpose(incident: &Incident) -> String {
    let on = incident.service.as_ref().map(|service| format!(" on {service}")).unwrap_or_default();
    format!(
        "{}{on}, declared {} UTC. For what can be done here: /incident help",
        incident.id,
        incident.times.declared.minute()
    )
}

fn links(incident: &Incident, policy: &Policy) -> Vec<(String, String)> {
    let mut links = Vec::new();
    let mut add = |label: String, href: String| {
        if !links.iter().any(|(_, known)| *known == href) {
            links.push((label, href));
        }
    };
    if let Some(console) = &policy.rooms.console {
        let page = format!("{console}/incidents/{}", incident.id.0);
        if !incident.is_open() && incident.times.resolved.is_some() && !incident.state.0.is_absorbing() {
            add("Postmortem".to_owned(), format!("{page}/postmortem"));
        }
        add("Incident page".to_owned(), page);
    }
    let issues = incident.follow_ups.iter().filter_map(|(n, f)| Some((n, f.issue.as_ref()?)));
    for (number, issue) in issues.take(MAX_LINKS) {
        add(format!("F-{number} as an issue"), issue.url.clone());
    }
    let mut sources: Vec<&String> = incident.groups.values().filter_map(|group| group.link.as_ref()).collect();
    sources.dedup();
    for (at, source) in sources.into_iter().take(MAX_LINKS).enumerate() {
        add(if at == 0 { "Alert source".to_owned() } else { format!("Alert source {}", at + 1) }, source.clone());
    }
    links
}

/// Who has something to do in it, and who was called: accounts on this platform, the commander's first.
fn people(incident: &Incident, policy: &Policy, platform: Platform) -> Vec<Identity> {
    let declared = incident.declared_by.iter().filter_map(|by| match by {
        Actor::Account(account) => Some(Party::Account(account.clone())),
        Actor::Bot | Actor::Source(_) => None,
    });
    let members = incident.members.iter().filter(|_| incident.private).cloned().map(Party::Account);
    let parties = incident
        .roles
        .values()
        .cloned()
        .chain(incident.assigned.iter().cloned())
        .chain(incident.pages.values().map(|page| page.who.clone()))
        .chain(incident.tasks.values().filter_map(|task| task.owner.clone()))
        .chain(declared)
        .chain(whom::invited(incident, policy).iter().cloned().map(Party::Person))
        .chain(members);
    let mut people: Vec<Identity> = Vec::new();
    for account in parties.flat_map(|who| privacy::accounts(policy, &who)) {
        let wanted = account.platform == platform && incident.admits(&account) && !people.contains(&account);
        if wanted && people.len() < MAX_PEOPLE {
            people.push(account);
        }
    }
    people
}

/// Why an incident of this origin gets no room on a chat platform, if so.
#[must_use]
pub fn waived(policy: &Policy, origin: &Origin) -> Option<String> {
    let Origin::Alert { route, .. } = origin else { return None };
    let none = policy.routes.iter().any(|known| known.name == *route && known.channel == Channel::None);
    none.then(|| format!("route \"{route}\" has channel = \"none\""))
}

/// After everything else that was recorded in this turn: rooms that should be otherwise, and when they are to be archived.
pub fn follow(draft: &mut Draft) {
    for id in draft.touched() {
        let Some(incident) = draft.incident(id) else { continue };
        let was = draft.was(id);
        let reopened = incident.is_open() && was.is_some_and(|was| !was.is_open());
        let closed = incident.closed_at.is_some() && incident.closed_at != was.and_then(|was| was.closed_at);
        let changed = to_furnish(incident, was, draft.policy);
        for platform in changed {
            draft.effect(Effect::Furnish { incident: id, platform });
        }
        if reopened {
            open(draft, id);
        }
        if closed {
            archive(draft, id);
        }
    }
}

/// Platforms whose room is to be otherwise than before.
fn to_furnish(incident: &Incident, was: Option<&Incident>, policy: &Policy) -> Vec<Platform> {
    let rooms = incident.rooms.iter().filter(|(p, _)| p.is_chat() && !incident.lost_rooms.contains_key(p));
    rooms
        .filter(|(platform, room)| {
            // While a room was lost nothing could be changed in it.
            let known = |was: &&Incident| !was.lost_rooms.contains_key(platform);
            let same = was.filter(known).filter(|was| was.rooms.get(platform).is_some_and(|own| own.id == room.id));
            let Some(mut before) = same.map(|was| furnishing(was, policy, **platform)) else { return true };
            let after = furnishing(incident, policy, **platform);
            // That somebody else named it leaves nothing to do.
            before.name = before.name.filter(|_| after.name.is_some());
            // In an archived room nothing can be changed.
            before != after && !(before.archived && after.archived)
        })
        .map(|(platform, _)| *platform)
        .collect()
}

/// Opens the rooms it has not.
pub fn open(draft: &mut Draft, id: IncidentId) {
    for platform in draft.policy.platforms.clone() {
        if draft.incident(id).is_some_and(|incident| incident.lacks_room(platform)) {
            draft.open_room(id, platform);
        }
    }
}

/// Other rules are in force: open incidents get the rooms they have not on platforms that are new.
pub fn open_all(draft: &mut Draft) {
    let lacks = |i: &&Incident| {
        draft.policy.platforms.iter().any(|p| p.is_chat() && i.lacks_room(*p) && !i.lost_rooms.contains_key(p))
    };
    let without: Vec<IncidentId> = draft.open().filter(lacks).map(|i| i.id).collect();
    for id in without {
        open(draft, id);
    }
}

/// Archives its rooms when it has been over for long enough; otherwise comes back then.
pub fn archive(draft: &mut Draft, id: IncidentId) {
    let Some(incident) = draft.incident(id) else { return };
    let Some(at) = archived_at(incident, draft.policy).filter(|_| !incident.upkeep.put_away) else { return };
    if at > draft.now {
        draft.wake(id, at, Timer::Archive);
        return;
    }
    if incident.rooms.keys().any(|platform| platform.is_chat() && incident.speaks_on(*platform)) {
        draft.record_by(Actor::Bot, id, Fact::RoomsArchived);
    }
}

/// When its rooms are archived; `None`: never, or not yet to be said.
fn archived_at(incident: &Incident, policy: &Policy) -> Option<At> {
    let chats = policy.platforms.iter().chain(incident.rooms.keys()).any(|platform| platform.is_chat());
    let closed = incident.closed_at.filter(|_| chats && !incident.upkeep.console_only)?;
    Some(closed.plus(policy.rooms.archive_after?))
}

/// A room was opened. A second one changes nothing; one that others can read is left at once when the incident is private by now.
pub fn opened(draft: &mut Draft, id: IncidentId, platform: Platform, room: Room) {
    let Some(incident) = draft.incident(id).filter(|i| !i.rooms.contains_key(&platform)) else { return };
    let again = incident.lost_rooms.contains_key(&platform);
    draft.record(id, Fact::RoomOpened { platform, room });
    hide(draft, id);
    if again {
        back(draft, id, platform);
    }
    draft.show(id);
}

/// Leaves the rooms of a private incident that others can read, and opens ones that they cannot.
pub fn hide(draft: &mut Draft, id: IncidentId) {
    let Some(incident) = draft.incident(id).filter(|i| i.private) else { return };
    let open = incident.rooms.iter().filter(|(platform, room)| platform.is_chat() && !room.private);
    let left: Vec<(Platform, Room)> = open.map(|(platform, room)| (*platform, room.clone())).collect();
    for (platform, room) in left {
        let Some(incident) = draft.incident(id) else { return };
        let opened = incident.upkeep.opened.get(&platform).copied().unwrap_or_default();
        let anew = incident.is_open() && opened < MAX_ROOMS;
        draft.record_by(Actor::Bot, id, Fact::RoomLeft { platform, room: room.id.clone(), anew });
        let last =
            Box::new(titled(vec![ours("This goes on privately, elsewhere. Who is in it was asked to come there.")]));
        draft.effect(Effect::CloseRoom { incident: id, platform, room, last });
        if anew {
            draft.open_room(id, platform);
        }
    }
}

/// Somebody changed the room by hand, or it was found changed. A room that is not the incident's (any more) changes nothing.
pub fn changed(draft: &mut Draft, id: IncidentId, platform: Platform, room: &str, change: &RoomChange) {
    let Some(incident) = draft.incident(id) else { return };
    let Some(own) = incident.rooms.get(&platform).filter(|own| own.id == room) else { return };
    let lost = incident.lost_rooms.contains_key(&platform);
    let put_away = incident.upkeep.archived.contains(&platform);
    let news = match change {
        RoomChange::Renamed(name) => *name != own.name,
        RoomChange::Archived => !lost && !put_away,
        RoomChange::Gone { .. } => true,
        RoomChange::Unarchived => lost || put_away,
    };
    if !news {
        return;
    }
    draft.record(id, Fact::RoomChanged { platform, room: room.to_owned(), change: change.clone() });
    match change {
        RoomChange::Renamed(_) => return,
        RoomChange::Archived => tell_others(draft, id, platform),
        RoomChange::Unarchived => back(draft, id, platform),
        RoomChange::Gone { .. } => {
            tell_others(draft, id, platform);
            let wanted = |i: &Incident| i.is_open() && i.lacks_room(platform);
            if draft.policy.platforms.contains(&platform) && draft.incident(id).is_some_and(wanted) {
                draft.open_room(id, platform);
            }
        }
    }
    draft.show(id);
}

/// Said once where it still can be: the platform's people are to know where they are waited for.
fn tell_others(draft: &mut Draft, id: IncidentId, platform: Platform) {
    let Some(incident) = draft.incident(id).filter(|i| i.is_open()) else { return };
    let lines = lost(incident, Some(platform));
    if let Some(lost) = lines.into_iter().next() {
        draft.say(id, &Reply::titled(lost));
    }
}

/// What the card says of rooms in which nothing can be said; of one platform, or of all.
#[must_use]
pub fn lost(incident: &Incident, only: Option<Platform>) -> Vec<Line> {
    let lost = incident.lost_rooms.iter().filter(|(platform, _)| only.is_none_or(|only| only == **platform));
    lost.map(|(platform, why)| {
        let then = match (why == ARCHIVED_BY_HAND, incident.lacks_room(*platform)) {
            (true, _) => "; unarchive it and I go on there.",
            (false, true) => "; I open another.",
            (false, false) => "; it goes on without that.",
        };
        line(vec![strong(format!("{}: ", platform.name())), outside(why.clone()), ours(then)])
    })
    .collect()
}

/// It can be talked about there again: one line says where it stands, and the card shows the rest.
fn back(draft: &mut Draft, id: IncidentId, platform: Platform) {
    let Some(incident) = draft.incident(id).filter(|i| i.is_open()) else { return };
    let standing = format!("{} · {}", incident.severity().label(), incident.state.0.label());
    let mut spans = vec![strong("It goes on here. "), ours(standing)];
    match incident.roles.get(&Role::Commander) {
        Some(who) => spans.extend([ours(" · led by "), party(draft.policy, who)]),
        None => spans.push(ours(" · led by nobody yet")),
    }
    if let Some(update) = &incident.update {
        spans.extend([ours(" · last update: "), outside(update.conditions.clone())]);
    }
    draft.say_on(id, platform, &titled(spans));
}
