//! Tasks: what is to be done while it goes on, and by whom. And who is brought in.

use super::draft::Draft;
use super::effect::Effect;
use super::fact::{Fact, Item};
use super::identity::{Identity, Party};
use super::incident::{IncidentId, MAX_INVOLVED, Task};
use super::phrase::{ours, outside, party, strong, titled};
use super::refusal::Refusal;
use super::response::whom;
use super::{direct, privacy};
use smokejumper_intents::intent::{self, Who};
use smokejumper_intents::reply::Span;

/// Tasks of one incident; more are a project.
pub const MAX_TASKS: usize = 100;

/// Writes a task down.
///
/// # Errors
/// It is over, the owner is unknown, somebody wrote the same, or there are too many.
pub fn open(
    draft: &mut Draft,
    by: &Identity,
    id: IncidentId,
    title: String,
    owner: Option<Who>,
    link: Option<String>,
) -> Result<(), Refusal> {
    let Some(incident) = draft.incident(id) else { return Err(Refusal::new(format!("there is no {id}."))) };
    if title.trim().is_empty() {
        return Err(Refusal::new("a task needs words.").or_try("task drain node 3"));
    }
    if !incident.is_open() {
        let why = format!("{id} is {}; tasks are for while it goes on.", incident.state.0.label());
        return Err(Refusal::new(why).or_try(format!("follow-up {title}")));
    }
    if incident.tasks.len() >= MAX_TASKS {
        return Err(Refusal::new(format!("{id} has {MAX_TASKS} tasks already.")));
    }
    if let Some((known, _)) = incident.to_do().find(|(_, t)| t.title == title) {
        return Err(Refusal::new(format!("T-{known} says the same.")));
    }
    let owner = owner.map(|who| whom(draft, by, &who)).transpose()?;
    if let Some(owner) = &owner {
        privacy::bring_in(draft, id, owner)?;
    }
    let number = next(draft, id);
    let mut spans = vec![strong(format!("Task T-{number}: ")), outside(title.clone())];
    if let Some(owner) = &owner {
        spans.extend([ours(", for "), party(draft.policy, owner)]);
    }
    draft.record(id, Fact::TaskOpened { id: number, title: title.clone(), owner: owner.clone(), link });
    if let Some(owner) = owner {
        direct::given(draft, id, by, &owner, vec![ours(format!("task T-{number}: ")), outside(title)]);
    }
    let message = titled(spans);
    draft.say(id, &message);
    draft.reply(message);
    Ok(())
}

fn next(draft: &Draft, id: IncidentId) -> u32 {
    draft.incident(id).and_then(|i| i.tasks.keys().next_back().copied()).map_or(1, |n| n.saturating_add(1))
}

/// A task of an incident that became part of this one. What says the same, or is one too many, is in the other's timeline.
pub fn carry_over(draft: &mut Draft, id: IncidentId, task: Task) {
    let Task { title, owner, link, .. } = task;
    let room =
        draft.incident(id).is_some_and(|i| i.tasks.len() < MAX_TASKS && !i.to_do().any(|(_, t)| t.title == title));
    if room {
        let number = next(draft, id);
        draft.record(id, Fact::TaskOpened { id: number, title, owner, link });
    }
}

/// Somebody did it.
///
/// # Errors
/// There is no such task, or it is done already.
pub fn done(draft: &mut Draft, id: IncidentId, number: u32) -> Result<(), Refusal> {
    let task = draft.incident(id).and_then(|i| i.tasks.get(&number));
    let Some(task) = task else { return Err(Refusal::new(format!("{id} has no task T-{number}."))) };
    if task.done_at.is_some() {
        return Err(Refusal::new(format!("T-{number} is done already.")));
    }
    let message = titled(vec![ours(format!("Task T-{number} is done: ")), outside(task.title.clone())]);
    draft.record(id, Fact::TaskDone { id: number });
    draft.say(id, &message);
    draft.reply(message);
    Ok(())
}

/// Gives somebody an item; without one, brings them into the incident.
///
/// # Errors
/// Nobody of that name is known, there is no such item, or it is done.
pub fn assign(
    draft: &mut Draft,
    by: &Identity,
    id: IncidentId,
    item: Option<intent::Item>,
    who: &Who,
) -> Result<(), Refusal> {
    let who = whom(draft, by, who)?;
    let Some(incident) = draft.incident(id) else { return Err(Refusal::new(format!("there is no {id}."))) };
    let name = party(draft.policy, &who);
    let (fact, has_it, what, given) = match item {
        None => {
            if incident.assigned.len() >= MAX_INVOLVED && !incident.assigned.contains(&who) {
                return Err(Refusal::new(format!("{MAX_INVOLVED} people are in {id} already.")));
            }
            (None, incident.assigned.contains(&who), vec![ours(" is in it now.")], None)
        }
        Some(intent::Item::Task(number)) => {
            let task = incident.tasks.get(&number);
            let Some(task) = task else { return Err(Refusal::new(format!("{id} has no task T-{number}."))) };
            if task.done_at.is_some() {
                return Err(Refusal::new(format!("T-{number} is done already.")));
            }
            let what = vec![ours(format!(" has task T-{number} now: ")), outside(task.title.clone())];
            let given = vec![ours(format!("task T-{number}: ")), outside(task.title.clone())];
            (Some(Item::Task(number)), task.owner.as_ref() == Some(&who), what, Some(given))
        }
        Some(intent::Item::FollowUp(number)) => {
            let follow_up = incident.follow_ups.get(&number);
            let Some(follow_up) = follow_up else {
                return Err(Refusal::new(format!("{id} has no follow-up F-{number}.")));
            };
            if follow_up.done_at.is_some() {
                return Err(Refusal::new(format!("F-{number} is done already.")));
            }
            let Party::Person(person) = &who else {
                return Err(Refusal::new("your account is linked to nobody, so you can't own a follow-up yet."));
            };
            let what = vec![ours(format!(" has follow-up F-{number} now: ")), outside(follow_up.title.clone())];
            let given = vec![ours(format!("follow-up F-{number}: ")), outside(follow_up.title.clone())];
            (Some(Item::FollowUp(number)), follow_up.owner.as_ref() == Some(person), what, Some(given))
        }
    };
    let hidden = incident.private;
    if has_it {
        let words = if fact.is_some() { " has it already." } else { " is in it already." };
        if hidden {
            privacy::bring_in(draft, id, &who)?;
        }
        draft.reply(titled(vec![name, ours(words)]));
        return Ok(());
    }
    privacy::bring_in(draft, id, &who)?;
    draft.record(id, Fact::Assigned { item: fact, who: who.clone() });
    if let Some(given) = given {
        direct::given(draft, id, by, &who, given);
    }
    if let Some(Item::FollowUp(number)) = fact
        && draft.policy.tracking.is_some()
        && draft.incident(id).and_then(|i| i.follow_ups.get(&number)).is_some_and(|f| f.issue.is_some())
    {
        draft.effect(Effect::MoveIssue { incident: id, follow_up: number });
    }
    let mut spans: Vec<Span> = vec![name];
    spans.extend(what);
    let message = titled(spans);
    draft.say(id, &message);
    draft.reply(message);
    Ok(())
}
