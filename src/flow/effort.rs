//! The people's side of an incident, as the card and the catch-up show it: what was said last, who is in it, what is to be done.

use super::desk::Desk;
use super::incident::{Incident, Update};
use super::moment::{At, MINUTE, span};
use super::phrase::{actor, button, faint, line, ours, outside, party, section, strong};
use super::policy::Policy;
use super::silence;
use super::timeline::message_link;
use smokejumper_intents::intent::Intent;
use smokejumper_intents::reply::{Line, Section, Span, Style};

/// Open tasks listed; the rest is counted.
const SHOWN_TASKS: usize = 8;
/// Tasks with a button that marks them as done.
const BUTTONS: usize = 3;
/// People named of those brought in, and incidents of those taken in.
const SHOWN: usize = 10;

/// Where it belongs, who may see it, who was brought in: lines for the head of the card.
#[must_use]
pub fn standing(incident: &Incident, policy: &Policy) -> Vec<Line> {
    let mut lines = belonging(incident);
    if !incident.assigned.is_empty() {
        let mut spans = vec![faint("in it: ")];
        spans.extend(listed(&incident.assigned, |who| party(policy, who)));
        lines.push(line(spans));
    }
    lines
}

/// Which incident it is a part of, which are parts of it, and whether others may know of it.
#[must_use]
pub fn belonging(incident: &Incident) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(into) = incident.merged_into {
        lines.push(line(vec![strong("Part of "), Span::Incident(into.0), ours(" now: go on there.")]));
    }
    if incident.private {
        lines.push(line(vec![strong("Private: "), ours("it exists only for those in it.")]));
    }
    if !incident.absorbed.is_empty() {
        let mut spans = vec![faint("took in: ")];
        spans.extend(listed(&incident.absorbed, |other| Span::Incident(other.0)));
        lines.push(line(spans));
    }
    lines
}

/// The first of them with commas between, and how many more there are.
fn listed<T>(all: &[T], shown: impl Fn(&T) -> Span) -> Vec<Span> {
    let mut spans = Vec::new();
    for (at, one) in all.iter().take(SHOWN).enumerate() {
        if at > 0 {
            spans.push(ours(", "));
        }
        spans.push(shown(one));
    }
    let more = all.len().saturating_sub(SHOWN);
    if more > 0 {
        spans.push(ours(format!(" and {more} more")));
    }
    spans
}

/// What was said last to everybody, and how long ago.
#[must_use]
pub fn last_update(incident: &Incident, policy: &Policy, now: At) -> Section {
    let lines = incident.update.as_ref().map(|update| update_lines(update, policy, now)).unwrap_or_default();
    section("Last update", lines)
}

fn update_lines(update: &Update, policy: &Policy, now: At) -> Vec<Line> {
    let age = match now.since(update.at) {
        moment if moment < MINUTE => "just now".to_owned(),
        age => format!("{} ago", span(age)),
    };
    let mut lines = vec![line(vec![
        outside(update.conditions.clone()),
        faint(format!(" ({age}, by ")),
        actor(policy, &update.by),
        faint(")"),
    ])];
    for (what, said) in [("being done: ", &update.actions), ("needed: ", &update.needs)] {
        if let Some(said) = said {
            lines.push(line(vec![faint(what), outside(said.clone())]));
        }
    }
    lines
}

/// What is still to be done, with a button for each of the first.
#[must_use]
pub fn tasks(incident: &Incident, policy: &Policy) -> Section {
    let mut out = section("Tasks", Vec::new());
    let open = incident.to_do().count();
    for (id, task) in incident.to_do().take(SHOWN_TASKS) {
        let mut spans = vec![strong(format!("T-{id} ")), outside(task.title.clone())];
        match &task.owner {
            Some(owner) => spans.extend([ours(", "), party(policy, owner)]),
            None => spans.push(faint(", nobody yet")),
        }
        spans.extend(task.link.iter().flat_map(|link| message_link(link)));
        out.lines.push(line(spans));
        if out.buttons.len() < BUTTONS && incident.is_open() {
            let done = Intent::TaskDone { task: id };
            out.buttons.push(button(format!("T-{id} is done"), Style::Plain, incident.id.0, done));
        }
    }
    let done = incident.tasks.len() - open;
    let more = open.saturating_sub(SHOWN_TASKS);
    let mut rest = Vec::new();
    if more > 0 {
        rest.push(format!("{more} more to do"));
    }
    if done > 0 {
        rest.push(format!("{done} done"));
    }
    if !rest.is_empty() {
        out.lines.push(line(vec![faint(rest.join(", "))]));
    }
    out
}

/// Silences that alerts like the ones of this incident fall under now: what comes new is not seen here.
#[must_use]
pub fn silenced(incident: &Incident, desk: &Desk, policy: &Policy, now: At) -> Vec<Line> {
    let over = silence::over(desk, &incident.labels, now);
    over.into_iter()
        .take(BUTTONS)
        .map(|hush| {
            let mut spans = vec![strong("Silenced: ")];
            spans.extend(silence::shown(hush, policy, now).spans);
            line(spans)
        })
        .collect()
}
