//! The catch-up: what matters to somebody who comes, or comes back. Private to whoever asks, and kept nowhere.
//!
//! "Since you were last here" is since their last own entry in the journal: that they looked without a word nobody writes down.

use super::effort;
use super::fact::Entry;
use super::identity::{Actor, Identity};
use super::incident::{Incident, Phase};
use super::moment::{At, span};
use super::phrase::{code, count, faint, line, ours, outside, party, section, strong, titled};
use super::policy::Policy;
use super::standing::standing;
use super::timeline::timeline;
use smokejumper_intents::reply::{Line, Reply, Section, Span};
use smokejumper_intents::word::Role;

/// Lines of what happened meanwhile; the timeline has the rest.
const SHOWN: usize = 12;
/// Runs shown, the newest.
const SHOWN_RUNS: usize = 5;

/// What matters since `viewer` was last heard of here; all of it for who never was.
#[must_use]
pub fn catch_up(incident: &Incident, entries: &[Entry], policy: &Policy, viewer: &Identity, now: At) -> Reply {
    let last = last_heard(entries, policy, viewer);
    let mut title =
        vec![strong("Catch-up on "), Span::Incident(incident.id.0), ours(" "), outside(incident.title.clone())];
    title.push(faint(match last {
        Some(entry) => format!(" (since you were heard of here, {} ago)", span(now.since(entry.at))),
        None => " (you have not been heard of here yet)".to_owned(),
    }));
    let mut reply = titled(title);
    let mut update = effort::last_update(incident, policy, now);
    if update.lines.is_empty() {
        update.lines.push(line(vec![faint("Nobody gave one yet.")]));
    }
    let sections = [
        stands(incident, policy, now),
        update,
        tried(incident, policy),
        asked_for(incident, policy),
        meanwhile(entries, policy, last.map_or(0, |entry| entry.n)),
    ];
    reply.sections.extend(sections.into_iter().filter(|s| !s.lines.is_empty()));
    reply
}

/// Their last own entry, under any of their accounts.
fn last_heard<'e>(entries: &'e [Entry], policy: &Policy, viewer: &Identity) -> Option<&'e Entry> {
    let person = policy.person(viewer).map(|p| &p.id);
    entries.iter().rev().find(|entry| match &entry.by {
        Actor::Account(by) => by == viewer || person.is_some() && policy.person(by).map(|p| &p.id) == person,
        Actor::Bot | Actor::Source(_) => false,
    })
}

fn stands(incident: &Incident, policy: &Policy, now: At) -> Section {
    let until = incident.times.resolved.filter(|_| !incident.is_open()).unwrap_or(now);
    let mut spans = vec![
        strong(incident.severity().label()),
        ours(" · "),
        strong(incident.state.0.label()),
        ours(format!(" · {}", span(until.since(incident.times.declared)))),
    ];
    if incident.firing() > 0 {
        spans.push(ours(format!(" · {} firing", count(incident.firing().into(), "alert"))));
    }
    let mut lines = vec![line(spans)];
    lines.extend(
        incident.roles.iter().map(|(role, who)| line(vec![faint(format!("{}: ", role.label())), party(policy, who)])),
    );
    lines.extend(effort::standing(incident, policy));
    let cause = incident.cause.as_ref().map(|cause| line(vec![faint("cause: "), outside(cause.clone())]));
    let guess = || incident.suggestion.as_ref().and_then(|s| s.causes.first());
    lines.extend(cause.or_else(|| {
        guess().map(|best| {
            line(vec![
                faint("probable cause: "),
                outside(best.value.clone()),
                ours(", "),
                Span::Percent(super::phrase::percent(best.p)),
            ])
        })
    }));
    section("Where it stands", lines)
}

/// Remediation that was asked for, the newest first.
fn tried(incident: &Incident, policy: &Policy) -> Section {
    let runs = incident.runs.iter().rev().take(SHOWN_RUNS);
    let mut lines: Vec<Line> = runs.map(|(number, run)| standing(policy, *number, run)).collect();
    if lines.is_empty() {
        lines.push(line(vec![faint("No remediation was asked for.")]));
    }
    section("What was tried", lines)
}

fn asked_for(incident: &Incident, policy: &Policy) -> Section {
    if !incident.is_open() {
        return Section::default();
    }
    let mut lines = Vec::new();
    if let Some(needs) = incident.update.as_ref().and_then(|u| u.needs.as_ref()) {
        lines.push(line(vec![faint("needed: "), outside(needs.clone())]));
    }
    for (number, run) in incident.runs.iter().filter(|(_, r)| r.phase == Phase::Requested) {
        lines.push(line(vec![
            ours(format!("run #{number} ")),
            code(run.plan.runbook.clone()),
            ours(" awaits approval"),
        ]));
    }
    if incident.times.acknowledged.is_none() {
        lines.push(line(vec![ours("somebody to acknowledge it")]));
    }
    if !incident.roles.contains_key(&Role::Commander) {
        lines.push(line(vec![ours("somebody to take the lead")]));
    }
    lines.extend(effort::tasks(incident, policy).lines);
    section("What is asked for", lines)
}

/// What happened after entry `n`, the newest last.
fn meanwhile(entries: &[Entry], policy: &Policy, n: u32) -> Section {
    let told: Vec<_> = timeline(entries, policy).into_iter().filter(|t| t.n > n).collect();
    let skipped = told.len().saturating_sub(SHOWN);
    let mut lines = Vec::new();
    if skipped > 0 {
        lines.push(line(vec![faint(format!("{skipped} before these, in the timeline"))]));
    }
    lines.extend(told.into_iter().skip(skipped).map(|t| {
        let mut spans = vec![Span::Time(t.at.0), ours(" ")];
        spans.extend(t.line.spans);
        line(spans)
    }));
    section("What happened", lines)
}
