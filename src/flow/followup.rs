//! Follow-ups: what is still owed after an incident, who owes it, and until when; here, and as issues of a tracker.
//!
//! What happens to an issue there happens to the follow-up here, and the other way round. Whatever came from there is never
//! sent back, so there is no echo. How an issue reads is in `issue.rs`.

use super::draft::Draft;
use super::effect::{Effect, Timer};
use super::event::IssueMove;
use super::fact::{Fact, Issue, Item, Owed};
use super::identity::{Actor, Identity, Party};
use super::incident::{FollowUp, Incident, IncidentId};
use super::issue;
use super::learning;
use super::moment::{At, DAY};
use super::phrase::{faint, ours, outside, person, strong, titled};
use super::policy::Policy;
use super::privacy;
use super::refusal::Refusal;
use super::response::whom;
use smokejumper_intents::intent::{Due, Who};
use smokejumper_intents::reply::Span;

/// Follow-ups of one incident; more are a project.
pub const MAX_FOLLOW_UPS: usize = 50;
/// Incidents whose older follow-ups are pushed to the tracker in one minute: years of them arrive within an hour, and
/// today's are not kept waiting behind them.
pub const MAX_PUSHED: usize = 20;
/// What the tracker refused is asked for again after this long (ms): by then somebody may have given the right, and whoever
/// has not is told once a day.
pub const ASK_AGAIN: i64 = DAY;
/// Characters of a link.
const MAX_LINK: usize = 500;

/// Writes a follow-up down.
///
/// # Errors
/// Unknown owner, a link that is no web address, or too many.
pub fn open(
    draft: &mut Draft,
    by: &Identity,
    id: IncidentId,
    title: String,
    owner: Option<Who>,
    due: Option<Due>,
    link: Option<String>,
) -> Result<(), Refusal> {
    let Some(incident) = draft.incident(id) else { return Err(Refusal::new(format!("there is no {id}."))) };
    if incident.follow_ups.len() >= MAX_FOLLOW_UPS {
        return Err(Refusal::new(format!("{id} has {MAX_FOLLOW_UPS} follow-ups already.")));
    }
    if let Some(f) = incident.follow_ups.iter().find(|(_, f)| f.title == title && f.done_at.is_none()) {
        return Err(Refusal::new(format!("F-{} says the same.", f.0)));
    }
    if link.as_ref().is_some_and(|l| l.len() > MAX_LINK || !(l.starts_with("https://") || l.starts_with("http://"))) {
        return Err(Refusal::new("a link starts with https:// and has at most 500 characters."));
    }
    let owner = match owner {
        None => None,
        Some(who) => match whom(draft, by, &who)? {
            Party::Person(id) => Some(id),
            Party::Account(_) => {
                return Err(Refusal::new("your account is linked to nobody, so you can't own a follow-up yet."));
            }
        },
    };
    if let Some(owner) = &owner {
        privacy::bring_in(draft, id, &Party::Person(owner.clone()))?;
    }
    let due = due.map(|d| day(d, draft.now));
    let number = draft.incident(id).and_then(|i| i.follow_ups.keys().next_back()).map_or(1, |n| n.saturating_add(1));
    let mut spans = vec![strong(format!("Follow-up F-{number}: ")), outside(title.clone())];
    if let Some(owner) = &owner {
        spans.extend([ours(", owned by "), person(draft.policy, owner)]);
    }
    if let Some(due) = &due {
        spans.push(faint(format!(", due {due}")));
    }
    draft.record(id, Fact::FollowUpOpened { id: number, title, owner, due, link });
    let message = titled(spans.clone());
    draft.say(id, &message);
    ask(draft, id, number);
    spans.extend(draft.incident(id).map(|i| stays(i, number, draft.policy)).unwrap_or_default());
    draft.reply(titled(spans));
    Ok(())
}

/// Somebody did it.
///
/// # Errors
/// There is no such follow-up, or it is done already.
pub fn done(draft: &mut Draft, id: IncidentId, number: u32) -> Result<(), Refusal> {
    let follow_up = draft.incident(id).and_then(|i| i.follow_ups.get(&number));
    let Some(follow_up) = follow_up else { return Err(Refusal::new(format!("{id} has no follow-up F-{number}."))) };
    if follow_up.done_at.is_some() {
        return Err(Refusal::new(format!("F-{number} is done already.")));
    }
    let message = titled(vec![ours(format!("Follow-up F-{number} is done: ")), outside(follow_up.title.clone())]);
    draft.record(id, Fact::FollowUpDone { id: number, there: None });
    relearn(draft, id);
    draft.say(id, &message);
    reflect(draft, id, number);
    draft.reply(message);
    Ok(())
}

/// Brings its issue to how the follow-up stands here; to be called wherever it is changed by people *here*.
pub fn reflect(draft: &mut Draft, id: IncidentId, number: u32) {
    let filed = |i: &Incident| !i.private && i.follow_ups.get(&number).is_some_and(|f| f.issue.is_some());
    if draft.policy.tracking.is_some() && draft.incident(id).is_some_and(filed) {
        draft.effect(Effect::MoveIssue { incident: id, follow_up: number });
    }
}

/// A minute has passed: incidents with follow-ups the tracker should have and does not are given a turn, the oldest first.
/// What depends on the incident (it may be private by then) is decided in that turn.
pub fn push(draft: &mut Draft) {
    if draft.policy.tracking.is_none() {
        return;
    }
    let mut due: Vec<&Owed> =
        draft.desk.owed.iter().filter(|o| o.issue.is_none() && wants(o.asked, draft.now)).collect();
    due.sort_by_key(|o| (o.opened_at, o.incident, o.id));
    let mut incidents: Vec<IncidentId> = Vec::new();
    for owed in due {
        if incidents.len() < MAX_PUSHED && !incidents.contains(&owed.incident) {
            incidents.push(owed.incident);
        }
    }
    for incident in incidents {
        draft.effect(Effect::Wake { incident, at: draft.now, timer: Timer::File });
    }
}

/// Asks the tracker for what it does not have yet of this incident.
pub fn file(draft: &mut Draft, id: IncidentId) {
    let numbers: Vec<u32> = draft.incident(id).map(|i| i.follow_ups.keys().copied().collect()).unwrap_or_default();
    for number in numbers {
        ask(draft, id, number);
    }
}

/// Asks for an issue, when there should be one and there is none.
fn ask(draft: &mut Draft, id: IncidentId, number: u32) {
    let Some(incident) = draft.incident(id) else { return };
    let Some(follow_up) = incident.follow_ups.get(&number) else { return };
    let wanted = !incident.private && follow_up.issue.is_none() && follow_up.done_at.is_none();
    if !wanted || !wants(follow_up.asked.as_ref().map(|asked| asked.at), draft.now) {
        return;
    }
    let Some(repository) = issue::repository(incident, draft.policy) else { return };
    draft.record_by(Actor::Bot, id, Fact::IssueAsked { follow_up: number, repository });
    draft.effect(Effect::FileIssue { incident: id, follow_up: number });
}

/// Nobody asked for it yet, or so long ago that it came to nothing. A clock that was ahead then does not silence it for ever.
fn wants(asked: Option<At>, now: At) -> bool {
    asked.is_none_or(|at| now.0.abs_diff(at.0) >= ASK_AGAIN.unsigned_abs())
}

/// Why its issue is not what one would expect, for whoever opened it.
fn stays(incident: &Incident, number: u32, policy: &Policy) -> Vec<Span> {
    let Some(follow_up) = incident.follow_ups.get(&number).filter(|_| policy.tracking.is_some()) else {
        return Vec::new();
    };
    if incident.private {
        return vec![faint(". It stays here: the incident is private")];
    }
    if issue::repository(incident, policy).is_none() {
        let what = incident.service.as_ref().map_or("this incident".to_owned(), |s| format!("service {s}"));
        return vec![faint(". It stays here: no repository is configured for "), outside(what)];
    }
    match &follow_up.owner {
        Some(owner) if issue::login(owner, policy).is_none() => {
            vec![
                faint(". Its issue is assigned to nobody: the configuration has no `github` for "),
                person(policy, owner),
            ]
        }
        _ => Vec::new(),
    }
}

/// The tracker took a follow-up in.
pub fn filed(draft: &mut Draft, id: IncidentId, number: u32, issue: Issue, unknown: Vec<String>) {
    let Some(follow_up) = draft.incident(id).and_then(|i| i.follow_ups.get(&number)) else { return };
    if follow_up.issue.is_some() {
        return;
    }
    let done = follow_up.done_at.is_some();
    let mut spans = vec![ours(format!("Follow-up F-{number} is ")), link(&issue)];
    if !unknown.is_empty() {
        spans.extend([ours("; not known there, and so left out: "), outside(unknown.join(", "))]);
    }
    draft.record(id, Fact::IssueFiled { follow_up: number, issue, unknown });
    draft.say(id, &titled(spans));
    draft.show(id);
    if done {
        // Somebody was faster than the tracker.
        reflect(draft, id, number);
    }
}

/// Somebody moved its issue in the tracker, which says that was at `changed`. Nothing of this goes back there.
pub fn moved(
    draft: &mut Draft,
    id: IncidentId,
    number: u32,
    issue: &Issue,
    to: &IssueMove,
    by: String,
    changed: Option<At>,
) {
    let Some(follow_up) = draft.incident(id).and_then(|i| i.follow_ups.get(&number)) else { return };
    // The marker in an issue's text can be copied by anybody: only the issue we filed counts.
    if follow_up.issue.as_ref().is_none_or(|own| !same(own, issue)) {
        return;
    }
    let follow_up = follow_up.clone();
    let done = follow_up.done_at.is_some();
    let newer = changed > follow_up.there;
    // A delivery that was late, or was asked for again by hand: the issue has been closed or reopened since.
    if matches!(to, IssueMove::Closed | IssueMove::Reopened) && changed.is_some() && changed < follow_up.there {
        return;
    }
    let mut spans = vec![link(issue), ours(format!(" (follow-up F-{number}) "))];
    match to {
        IssueMove::Closed if !done => {
            draft.record(id, Fact::FollowUpDone { id: number, there: changed });
            spans.push(ours("was closed by "));
        }
        IssueMove::Reopened if done => {
            draft.record(id, Fact::FollowUpReopened { id: number, there: changed });
            spans.push(ours("was reopened by "));
        }
        // As it stands here, and yet worth knowing: what it overtook is still to come. The echo of our own closing is not.
        IssueMove::Closed if newer && follow_up.there.is_some() => {
            return draft.record(id, Fact::FollowUpDone { id: number, there: changed });
        }
        IssueMove::Reopened if newer => {
            return draft.record(id, Fact::FollowUpReopened { id: number, there: changed });
        }
        IssueMove::Assigned(Some(login)) => {
            let Some(told) = assigned(draft, id, number, &follow_up, login) else { return };
            spans.extend(told);
        }
        IssueMove::Assigned(None) => {
            let Some(owner) = &follow_up.owner else { return };
            spans.extend([ours("is assigned to nobody there; here it stays with "), person(draft.policy, owner)]);
            spans.push(ours(". Done by "));
        }
        IssueMove::Deleted => spans.push(ours("does not exist any more; the follow-up stays here. Deleted by ")),
        IssueMove::Transferred(there) if !same(there, issue) => {
            let fact = Fact::IssueFiled { follow_up: number, issue: there.clone(), unknown: Vec::new() };
            draft.record(id, fact);
            spans.extend([ours("is "), link(there), ours(" now, moved by ")]);
        }
        _ => return,
    }
    spans.push(outside(by));
    relearn(draft, id);
    draft.say(id, &titled(spans));
    draft.show(id);
}

/// Who has it now; `None`: nothing new.
fn assigned(draft: &mut Draft, id: IncidentId, number: u32, follow_up: &FollowUp, login: &str) -> Option<Vec<Span>> {
    let Some(person_there) = issue::person(login, draft.policy) else {
        let why = " there, who is nobody in the configuration (`github = \"…\"` of a person). Assigned by ";
        return Some(vec![ours("is assigned to "), outside(login.to_owned()), ours(why)]);
    };
    let who = person_there.id.clone();
    if follow_up.owner.as_ref() == Some(&who) {
        return None;
    }
    draft.record(id, Fact::Assigned { item: Some(Item::FollowUp(number)), who: Party::Person(who.clone()) });
    Some(vec![ours("is "), person(draft.policy, &who), ours("'s now, assigned by ")])
}

/// What a follow-up of an ended incident became is part of what was learned.
fn relearn(draft: &mut Draft, id: IncidentId) {
    if draft.incident(id).is_some_and(|i| !i.is_open()) {
        learning::learn(draft, id);
    }
}

/// The same issue, whatever its address.
fn same(a: &Issue, b: &Issue) -> bool {
    a.number == b.number && a.repository.eq_ignore_ascii_case(&b.repository)
}

/// An issue, to be followed there.
#[must_use]
pub fn link(issue: &Issue) -> Span {
    Span::Link { label: format!("{}#{}", issue.repository, issue.number), href: issue.url.clone() }
}

/// `2026-12-01`.
fn day(due: Due, now: At) -> String {
    match due {
        Due::On { year, month, day } => format!("{year:04}-{month:02}-{day:02}"),
        Due::InDays(days) => now.plus(i64::from(days) * DAY).day(),
    }
}

/// "F-1 of INC-41 would have prevented this; open for 63 days", as spans.
#[must_use]
pub fn owed(owed: &Owed, now: At) -> Vec<Span> {
    let mut spans = vec![
        strong(format!("Follow-up F-{} of ", owed.id)),
        Span::Incident(owed.incident.0),
        ours(" might have prevented this: "),
    ];
    match &owed.link {
        Some(link) => spans.push(Span::Link { label: owed.title.clone(), href: link.clone() }),
        None => spans.push(outside(owed.title.clone())),
    }
    spans.push(ours(format!("; open for {}", super::moment::span(now.since(owed.opened_at)))));
    spans
}
