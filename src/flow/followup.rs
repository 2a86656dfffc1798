//! Follow-ups: what is still owed after an incident, who owes it, and until when.

use super::draft::Draft;
use super::event::IssueMove;
use super::fact::{Fact, Issue, Owed};
use super::identity::{Identity, Party};
use super::incident::IncidentId;
use super::learning;
use super::moment::{At, DAY};
use super::phrase::{faint, ours, outside, person, strong, titled};
use super::refusal::Refusal;
use super::response::whom;
use smokejumper_intents::intent::{Due, Who};
use smokejumper_intents::reply::Span;

/// Follow-ups of one incident; more are a project.
pub const MAX_FOLLOW_UPS: usize = 50;
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
    let due = due.map(|d| day(d, draft.now));
    let number = incident.follow_ups.keys().next_back().map_or(1, |n| n + 1);
    let mut spans = vec![strong(format!("Follow-up F-{number}: ")), outside(title.clone())];
    if let Some(owner) = &owner {
        spans.extend([ours(", owned by "), person(draft.policy, owner)]);
    }
    if let Some(due) = &due {
        spans.push(faint(format!(", due {due}")));
    }
    draft.record(id, Fact::FollowUpOpened { id: number, title, owner, due, link });
    let message = titled(spans);
    draft.say(id, &message);
    draft.reply(message);
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
    draft.record(id, Fact::FollowUpDone { id: number });
    if draft.incident(id).is_some_and(|i| !i.is_open()) {
        learning::learn(draft, id);
    }
    draft.say(id, &message);
    draft.reply(message);
    Ok(())
}

/// The tracker took a follow-up in.
pub fn filed(draft: &mut Draft, id: IncidentId, number: u32, issue: Issue, unknown: Vec<String>) {
    let Some(follow_up) = draft.incident(id).and_then(|i| i.follow_ups.get(&number)) else { return };
    if follow_up.issue.is_some() {
        return;
    }
    let mut spans = vec![ours(format!("Follow-up F-{number} is ")), link(&issue)];
    if !unknown.is_empty() {
        spans.extend([ours("; not known there, and so left out: "), outside(unknown.join(", "))]);
    }
    draft.record(id, Fact::IssueFiled { follow_up: number, issue, unknown });
    draft.say(id, &titled(spans));
    draft.show(id);
}

/// Somebody moved its issue in the tracker.
pub fn moved(draft: &mut Draft, id: IncidentId, number: u32, issue: &Issue, to: &IssueMove, by: String) {
    let Some(follow_up) = draft.incident(id).and_then(|i| i.follow_ups.get(&number)) else { return };
    // The marker in an issue's text can be copied by anybody: only the issue we filed counts.
    if follow_up.issue.as_ref().is_none_or(|own| (&own.repository, own.number) != (&issue.repository, issue.number)) {
        return;
    }
    let done = follow_up.done_at.is_some();
    let (fact, said) = match to {
        IssueMove::Closed if !done => (Fact::FollowUpDone { id: number }, "closed"),
        IssueMove::Reopened if done => (Fact::FollowUpReopened { id: number }, "reopened"),
        _ => return,
    };
    draft.record(id, fact);
    draft.say(id, &titled(vec![link(issue), ours(format!(" (follow-up F-{number}) was {said} by ")), outside(by)]));
    draft.show(id);
}

fn link(issue: &Issue) -> Span {
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
