//! Privacy: an incident that exists only for those in it (I27), and nothing elsewhere that tells of it.
//!
//! One way. What was learned from it is forgotten, and what is told in other incidents loses every mention of it; numbers keep
//! their gaps. Who may see it is [`Incident::admits`]; the views hold it.

use super::draft::Draft;
use super::effect::Effect;
use super::fact::{Entry, Fact, Suggestion};
use super::identity::{Actor, Identity, Party};
use super::incident::{Incident, IncidentId, MAX_INVOLVED};
use super::phrase::{faint, line, ours, party, section, strong, titled};
use super::policy::Policy;
use super::recollection::{Candidate, Lesson, PastIncident, Recollection};
use super::refusal::Refusal;
use super::{followup, rooms};
use smokejumper_intents::reply::{Button, Line, Reply, Span};
use std::collections::BTreeSet;

/// People named when it is told who is in it.
const SHOWN: usize = 20;

/// Hides the incident, and what became a part of it, from everybody who did not act in it, holds no role and is not assigned.
///
/// # Errors
/// It is not there.
pub fn make(draft: &mut Draft, by: &Identity, id: IncidentId) -> Result<(), Refusal> {
    let Some(incident) = draft.incident(id) else { return Err(Refusal::new(format!("there is no {id}."))) };
    if incident.private {
        draft.reply(titled(vec![Span::Incident(id.0), ours(" is private already.")]));
        return Ok(());
    }
    let all = with_absorbed(draft, id);
    // Who was in a part of it is in all of it.
    let mut inside: Vec<Identity> = Vec::new();
    for member in all.iter().filter_map(|id| draft.incident(*id)).flat_map(|i| members(draft.policy, i, by)) {
        if !inside.contains(&member) && inside.len() < MAX_INVOLVED {
            inside.push(member);
        }
    }
    for part in all {
        let learned = draft.incident(part).is_some_and(|i| i.learned);
        draft.record(part, Fact::MadePrivate { members: inside.clone() });
        if learned {
            draft.effect(Effect::Forget { incident: part });
        }
        unmention(draft, part);
        rooms::hide(draft, part);
        if part != id {
            draft.show(part);
        }
    }
    let message = told(draft, id);
    draft.say(id, &message);
    draft.reply(message);
    Ok(())
}

/// The incident, and whatever became a part of it and is not private yet.
fn with_absorbed(draft: &Draft, id: IncidentId) -> Vec<IncidentId> {
    let mut all = vec![id];
    let mut next = 0;
    while let Some(incident) = all.get(next).and_then(|id| draft.incident(*id)) {
        for part in &incident.absorbed {
            if !all.contains(part) && draft.incident(*part).is_some_and(|i| !i.private) {
                all.push(*part);
            }
        }
        next += 1;
    }
    all
}

fn told(draft: &Draft, id: IncidentId) -> Reply {
    let mut message =
        titled(vec![Span::Incident(id.0), strong(" is private now. "), ours("Who is not in it can't find it.")]);
    let incident = draft.incident(id);
    let mut names: Vec<Span> = Vec::new();
    for member in incident.iter().flat_map(|i| &i.members) {
        let name = party(draft.policy, &Party::Account(member.clone()));
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let more = names.len().saturating_sub(SHOWN);
    let mut spans = vec![faint("In it: ")];
    for (at, name) in names.into_iter().take(SHOWN).enumerate() {
        if at > 0 {
            spans.push(ours(", "));
        }
        spans.push(name);
    }
    if more > 0 {
        spans.push(ours(format!(" and {more} more")));
    }
    message.sections.push(section("", vec![line(spans)]));
    let issues: Vec<Span> = incident
        .iter()
        .flat_map(|i| i.follow_ups.values())
        .filter_map(|f| f.issue.as_ref())
        .map(followup::link)
        .collect();
    if !issues.is_empty() {
        let mut spans = vec![faint(
            "Filed before, and still there for who can read the repository; delete them if they must not be: ",
        )];
        for (at, issue) in issues.into_iter().enumerate() {
            spans.extend((at > 0).then(|| ours(", ")));
            spans.push(issue);
        }
        message.sections.push(section("", vec![line(spans)]));
    }
    message
}

/// Somebody is given something to do in a private incident: it exists for them, too, from now on.
///
/// # Errors
/// There are so many in it that it is private no more.
pub fn bring_in(draft: &mut Draft, id: IncidentId, who: &Party) -> Result<(), Refusal> {
    let Some(incident) = draft.incident(id).filter(|i| i.private) else { return Ok(()) };
    let new: Vec<Identity> = accounts(draft.policy, who).into_iter().filter(|a| !incident.admits(a)).collect();
    if new.is_empty() {
        return Ok(());
    }
    if incident.members.len().saturating_add(new.len()) > MAX_INVOLVED {
        return Err(Refusal::new(format!("{id} is private, and {MAX_INVOLVED} accounts are in it already.")));
    }
    draft.record(id, Fact::MadePrivate { members: new });
    Ok(())
}

/// The accounts of everybody who acted in it, holds a role or has something to do; first who makes it private.
fn members(policy: &Policy, incident: &Incident, by: &Identity) -> Vec<Identity> {
    let account = |identity: &Identity| Party::Account(identity.clone());
    let declared = incident.declared_by.iter().filter_map(|actor| match actor {
        Actor::Account(identity) => Some(account(identity)),
        Actor::Bot | Actor::Source(_) => None,
    });
    let parties = std::iter::once(account(by))
        .chain(incident.roles.values().cloned())
        .chain(incident.assigned.iter().cloned())
        .chain(incident.tasks.values().filter_map(|t| t.owner.clone()))
        .chain(incident.follow_ups.values().filter_map(|f| f.owner.clone().map(Party::Person)))
        .chain(declared)
        .chain(incident.involved.iter().map(account));
    let mut found: Vec<Identity> = Vec::new();
    for party in parties {
        for account in accounts(policy, &party) {
            if !found.contains(&account) && found.len() < MAX_INVOLVED {
                found.push(account);
            }
        }
    }
    found
}

/// Every account of who is meant.
pub(super) fn accounts(policy: &Policy, who: &Party) -> Vec<Identity> {
    let person = match who {
        Party::Person(id) => policy.person_by_id(id),
        Party::Account(identity) => policy.person(identity),
    };
    match (person, who) {
        (Some(person), Party::Account(identity)) if !person.identities.contains(identity) => {
            person.identities.iter().chain([identity]).cloned().collect()
        }
        (Some(person), _) => person.identities.clone(),
        (None, Party::Account(identity)) => vec![identity.clone()],
        (None, Party::Person(_)) => Vec::new(),
    }
}

/// Takes it out of what was suggested in other open incidents, and has memory asked again.
fn unmention(draft: &mut Draft, id: IncidentId) {
    let hidden = BTreeSet::from([id]);
    let mention = |i: &Incident| Some((i.id, i.suggestion.as_ref().and_then(|s| without(s, &hidden))?));
    let others: Vec<_> = draft.open().filter(|i| i.id != id).filter_map(mention).collect();
    for (other, suggestion) in others {
        draft.record_by(Actor::Bot, other, Fact::Suggested(suggestion));
        draft.recall(other);
        draft.show(other);
    }
}

/// `INC-12` of a past case's name, when it is one of ours.
fn ours_of(case: &str) -> Option<IncidentId> {
    case.strip_prefix("INC-").and_then(|number| number.parse().ok()).map(IncidentId)
}

fn is_hidden(case: &str, hidden: &BTreeSet<IncidentId>) -> bool {
    ours_of(case).is_some_and(|id| hidden.contains(&id))
}

/// The suggestion without any mention of the hidden; `None` when there is none. A candidate whose every evidence is hidden goes,
/// because nothing is named without evidence.
fn without(suggestion: &Suggestion, hidden: &BTreeSet<IncidentId>) -> Option<Suggestion> {
    let mut veiled = suggestion.clone();
    veil_past(&mut veiled.similar, hidden);
    veiled.owed.retain(|owed| !hidden.contains(&owed.incident));
    for candidates in
        [&mut veiled.causes, &mut veiled.responders, &mut veiled.withheld.causes, &mut veiled.withheld.responders]
    {
        veil_candidates(candidates, hidden);
    }
    (veiled != *suggestion).then_some(veiled)
}

fn veil_past(past: &mut Vec<PastIncident>, hidden: &BTreeSet<IncidentId>) {
    past.retain(|p| !is_hidden(&p.case, hidden));
}

fn veil_candidates(candidates: &mut Vec<Candidate>, hidden: &BTreeSet<IncidentId>) {
    candidates.retain_mut(|candidate| {
        let before = candidate.evidence.len();
        candidate.evidence.retain(|(case, _)| !is_hidden(case, hidden));
        before == 0 || !candidate.evidence.is_empty()
    });
}

/// What memory answered before it forgot.
pub fn veil_recollection(said: &mut Recollection, hidden: &BTreeSet<IncidentId>) {
    if hidden.is_empty() {
        return;
    }
    veil_past(&mut said.similar, hidden);
    veil_candidates(&mut said.causes, hidden);
    veil_candidates(&mut said.responders, hidden);
}

/// What was found in memory before it forgot.
pub fn veil_found(found: &mut Vec<PastIncident>, hidden: &BTreeSet<IncidentId>) {
    veil_past(found, hidden);
}

/// An incident as it may be shown: what was once suggested in it tells of no private one.
pub fn veil(incident: &mut Incident, hidden: &BTreeSet<IncidentId>) {
    if let Some(veiled) = incident.suggestion.as_ref().and_then(|s| without(s, hidden)) {
        incident.suggestion = Some(veiled);
    }
}

/// An entry as it may be shown; whether anything had to go.
pub fn veil_entry(entry: &mut Entry, hidden: &BTreeSet<IncidentId>) -> bool {
    match &mut entry.fact {
        Fact::Suggested(suggestion) => {
            let veiled = without(suggestion, hidden);
            veiled.map(|veiled| *suggestion = veiled).is_some()
        }
        Fact::Learned(lesson) => veil_lesson(lesson, hidden),
        _ => false,
    }
}

/// What was learned, without what memory had said of the hidden; whether anything had to go.
pub fn veil_lesson(lesson: &mut Lesson, hidden: &BTreeSet<IncidentId>) -> bool {
    let Some(said) = &mut lesson.said else { return false };
    let before = said.clone();
    veil_candidates(&mut said.causes, hidden);
    veil_candidates(&mut said.responders, hidden);
    *said != before
}

/// Whether an entry could tell of another incident of ours: only then need it be veiled.
#[must_use]
pub fn entry_mentions(entry: &Entry) -> bool {
    match &entry.fact {
        Fact::Suggested(suggestion) => mentions(suggestion),
        Fact::Learned(Lesson { said: Some(said), .. }) => cites(&said.causes) || cites(&said.responders),
        _ => false,
    }
}

/// A message as it may be shown. A line that tells of a hidden incident goes with its evidence, and a line whose evidence is all
/// hidden goes, too. `false`: the message itself is about one.
#[must_use]
pub fn veil_message(message: &mut Reply, hidden: &BTreeSet<IncidentId>) -> bool {
    if hidden.is_empty() {
        return true;
    }
    let told = |line: &Line| line.spans.iter().any(|span| tells(span, hidden));
    for section in &mut message.sections {
        let mut kept: Vec<Line> = Vec::with_capacity(section.lines.len());
        let mut lines = std::mem::take(&mut section.lines).into_iter().peekable();
        while let Some(line) = lines.next() {
            let (mut evidence, mut gone) = (Vec::new(), 0_usize);
            while let Some(below) = lines.next_if(|below| below.depth > line.depth) {
                if told(&below) { gone += 1 } else { evidence.push(below) }
            }
            if told(&line) || gone > 0 && evidence.is_empty() {
                continue;
            }
            kept.push(line);
            kept.append(&mut evidence);
        }
        section.lines = kept;
        veil_buttons(&mut section.buttons, hidden);
    }
    veil_buttons(&mut message.buttons, hidden);
    !told(&message.title)
}

fn veil_buttons(buttons: &mut Vec<Button>, hidden: &BTreeSet<IncidentId>) {
    buttons.retain(|button| !button.ask.incident.is_some_and(|id| hidden.contains(&IncidentId(id))));
}

fn tells(span: &Span, hidden: &BTreeSet<IncidentId>) -> bool {
    match span {
        Span::Incident(number) => hidden.contains(&IncidentId(*number)),
        Span::Ours(text)
        | Span::Strong(text)
        | Span::Faint(text)
        | Span::Outside(text)
        | Span::Code(text)
        | Span::Person(text) => names(text, hidden),
        Span::Link { label, href } => names(label, hidden) || names(href, hidden),
        Span::Time(_) | Span::Percent(_) => false,
    }
}

/// Whether `INC-12` of a hidden one is in the text, and not only as the beginning of `INC-123`.
fn names(text: &str, hidden: &BTreeSet<IncidentId>) -> bool {
    text.match_indices("INC-").any(|(at, prefix)| {
        let number = text.get(at + prefix.len()..).unwrap_or_default();
        let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
        number.get(..end).and_then(|n| n.parse().ok()).is_some_and(|n| hidden.contains(&IncidentId(n)))
    })
}

fn withhold(message: &mut Reply, hidden: &BTreeSet<IncidentId>) {
    if !veil_message(message, hidden) {
        *message = titled(vec![faint("(it told of a private incident)")]);
    }
}

/// An effect as it may leave the house.
pub fn veil_effect(effect: &mut Effect, hidden: &BTreeSet<IncidentId>) {
    match effect {
        Effect::Say { message, .. } | Effect::Tell { message, .. } => withhold(message, hidden),
        Effect::SayMissed { missed, .. } => missed.veil(hidden),
        Effect::Remember { lesson, .. } => {
            veil_lesson(lesson, hidden);
        }
        _ => {}
    }
}

/// Whether anything of the incident's could tell of another one of ours: only then need it be veiled.
#[must_use]
pub fn mentions(suggestion: &Suggestion) -> bool {
    !suggestion.owed.is_empty()
        || suggestion.similar.iter().any(|p| ours_of(&p.case).is_some())
        || cites(&suggestion.causes)
        || cites(&suggestion.responders)
        || cites(&suggestion.withheld.causes)
        || cites(&suggestion.withheld.responders)
}

fn cites(candidates: &[Candidate]) -> bool {
    candidates.iter().flat_map(|c| &c.evidence).any(|(case, _)| ours_of(case).is_some())
}
