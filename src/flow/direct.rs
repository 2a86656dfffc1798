//! Messages to one person alone: somebody wants them, and a room they may not be in is not the place to say so.
//!
//! They go to every account the person has on a chat platform that is in use. Of a private incident nobody is told who is not in it.
//! Knows no platform's rules, and no phone.

use super::draft::Draft;
use super::effect::Effect;
use super::escalation::with_acknowledge;
use super::identity::{Identity, Party, PersonId, Platform};
use super::incident::{Incident, IncidentId};
use super::phrase::{account, code, faint, line, ours, outside, section, strong, titled};
use super::privacy;
use smokejumper_intents::reply::{Line, Reply, Span};

/// Says it to them alone, wherever they can be written to.
fn tell(draft: &mut Draft, id: IncidentId, who: &Party, message: &Reply) {
    write(draft, id, who, None, message);
}

/// Says it to them alone, on one platform or on all, with the way to the room there.
fn write(draft: &mut Draft, id: IncidentId, who: &Party, on: Option<Platform>, message: &Reply) {
    let Some(incident) = draft.incident(id) else { return };
    let mut letters = Vec::new();
    for to in privacy::accounts(draft.policy, who) {
        let platform = to.platform;
        if on.is_some_and(|on| on != platform) {
            continue;
        }
        if !platform.is_chat() || !draft.policy.platforms.contains(&platform) || !incident.admits(&to) {
            continue;
        }
        let mut message = message.clone();
        if let Some(href) = incident.rooms.get(&platform).and_then(|room| room.link.clone()) {
            let way = line(vec![Span::Link { label: "Go there".to_owned(), href }]);
            message.sections.push(section("", vec![way]));
        }
        letters.push(Effect::Tell { incident: id, to, message: Box::new(message) });
    }
    for letter in letters {
        draft.effect(letter);
    }
}

/// They are asked to come.
pub fn called(draft: &mut Draft, id: IncidentId, who: &PersonId, because: &str) {
    let Some(incident) = draft.incident(id) else { return };
    let mut title = vec![strong("You are asked to come: ")];
    title.extend(named(incident));
    let mut message = titled(title);
    let why = line(vec![faint("Why you: "), outside(because)]);
    message.sections.push(section("", vec![standing(incident), why]));
    let message = with_acknowledge(message, id);
    tell(draft, id, &Party::Person(who.clone()), &message);
}

/// They are late with a follow-up, and the room in which that is said is not open to anybody any more.
pub fn overdue(draft: &mut Draft, id: IncidentId, owners: &[PersonId], message: &Reply) {
    let Some(incident) = draft.incident(id) else { return };
    let shut: Vec<Platform> = draft.policy.platforms.iter().copied().filter(|p| !incident.speaks_on(*p)).collect();
    for owner in owners {
        for platform in &shut {
            write(draft, id, &Party::Person(owner.clone()), Some(*platform), message);
        }
    }
}

/// Somebody else gave them something to do.
pub fn given(draft: &mut Draft, id: IncidentId, by: &Identity, owner: &Party, what: Vec<Span>) {
    let Some(incident) = draft.incident(id) else { return };
    if privacy::accounts(draft.policy, owner).contains(by) {
        return;
    }
    let mut title = vec![account(draft.policy, by), ours(" gave you ")];
    title.extend(what);
    let mut message = titled(title);
    let mut of = vec![faint("For ")];
    of.extend(named(incident));
    message.sections.push(section("", vec![line(of), standing(incident)]));
    tell(draft, id, owner, &message);
}

fn named(incident: &Incident) -> [Span; 3] {
    [Span::Incident(incident.id.0), ours(" "), outside(incident.title.clone())]
}

fn standing(incident: &Incident) -> Line {
    let mut spans = vec![strong(incident.severity().label()), ours(format!(" · {}", incident.state.0.label()))];
    if let Some(service) = &incident.service {
        spans.extend([ours(" · "), code(service.clone())]);
    }
    line(spans)
}
