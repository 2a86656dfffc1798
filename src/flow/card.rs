//! The card: one per incident, the same on every platform, rendered from state when it is sent.

use super::desk::{Desk, Record};
use super::effort;
use super::fact::Suggestion;
use super::incident::{Incident, Phase};
use super::moment::{At, DAY, span};
use super::phrase::{button, code, count, faint, line, ours, outside, party, percent, person, section, strong, under};
use super::policy::Policy;
use super::recollection::PastIncident;
use super::remediation::SHORT;
use super::standing::{decision_buttons, standing};
use super::triage::{case, reasons};
use super::whom::who;
use super::{followup, pages, rooms, suspects};
use smokejumper_intents::intent::{Intent, Who};
use smokejumper_intents::reply::{Button, Line, Reply, Section, Span, Style};
use smokejumper_intents::word::Role;
use std::fmt::Write as _;

/// Alert names listed; the rest is counted.
const SHOWN_GROUPS: usize = 8;
/// Runs listed, newest first.
const SHOWN_RUNS: usize = 5;
/// Runbooks offered.
const SHOWN_RUNBOOKS: usize = 3;

/// The card as of `now`.
#[must_use]
pub fn card(incident: &Incident, desk: &Desk, policy: &Policy, now: At) -> Reply {
    let mut going_on = going_on(incident);
    going_on.lines.extend(effort::silenced(incident, desk, policy, now).into_iter().filter(|_| incident.is_open()));
    let mut sections = vec![head(incident, desk, policy, now), effort::last_update(incident, policy, now), going_on];
    if incident.is_open() {
        sections.extend([
            probable_cause(incident, policy, now),
            who(incident, desk, policy, now),
            worked_before(incident, desk, policy),
        ]);
    } else {
        sections.push(ending(incident));
    }
    sections.push(runs(incident, policy));
    sections.push(effort::tasks(incident, policy));
    sections.push(owed(incident, policy));
    sections.retain(|s| !s.lines.is_empty() || !s.buttons.is_empty());
    Reply {
        title: line(vec![Span::Incident(incident.id.0), ours(" "), outside(incident.title.clone())]),
        sections,
        buttons: buttons(incident),
    }
}

fn head(incident: &Incident, desk: &Desk, policy: &Policy, now: At) -> Section {
    let until = incident.times.resolved.filter(|_| !incident.is_open()).unwrap_or(now);
    let mut spans = vec![
        strong(incident.severity().label()),
        ours(" · "),
        strong(incident.state.0.label()),
        ours(format!(" · {}", span(until.since(incident.times.declared)))),
    ];
    if let Some(service) = &incident.service {
        spans.extend([ours(" · "), code(service.clone())]);
    }
    let mut lines = vec![line(spans)];
    let held: Vec<Line> = incident
        .roles
        .iter()
        .map(|(role, who)| line(vec![faint(format!("{}: ", role.label())), party(policy, who)]))
        .collect();
    if !incident.roles.contains_key(&Role::Commander) && incident.is_open() {
        lines.push(line(vec![faint("incident commander: "), ours("nobody yet")]));
    }
    lines.extend(held);
    lines.extend(pages::lines(incident, desk, policy, now));
    lines.extend(effort::standing(incident, policy));
    lines.extend(rooms::lost(incident, None).into_iter().filter(|_| incident.is_open()));
    if let Some(trouble) = incident.trouble.as_ref().filter(|_| incident.is_open()) {
        lines.push(line(vec![strong("Trouble: "), outside(trouble.clone())]));
    }
    Section { lines, ..Section::default() }
}

fn going_on(incident: &Incident) -> Section {
    let mut groups: Vec<_> = incident.groups.iter().collect();
    groups.sort_by_key(|(name, g)| (std::cmp::Reverse(g.firing), std::cmp::Reverse(g.total), (*name).clone()));
    let mut lines = Vec::new();
    for (name, group) in groups.iter().take(SHOWN_GROUPS) {
        let state = match (group.firing, group.total) {
            (_, total) if !incident.is_open() => format!(" {}", count(total.into(), "alert")),
            (0, total) => format!(" {} resolved", if total == 1 { "is".to_owned() } else { format!("all {total}") }),
            (firing, total) if firing == total => format!(" {firing} firing"),
            (firing, total) => format!(" {firing} of {total} firing"),
        };
        let mut spans = vec![code((*name).clone()), ours(state)];
        if let Some(summary) = &group.summary {
            spans.extend([ours(": "), outside(summary.clone())]);
        }
        if let Some(link) = &group.link {
            spans.extend([ours(" "), Span::Link { label: "source".to_owned(), href: link.clone() }]);
        }
        lines.push(line(spans));
    }
    if groups.len() > SHOWN_GROUPS {
        lines
            .push(line(vec![faint(format!("and {} more", count((groups.len() - SHOWN_GROUPS) as u64, "alert name")))]));
    }
    if lines.is_empty() {
        lines.push(line(vec![faint("No alert told of it.")]));
    }
    lines.extend(suspects::lines(incident, suspects::SHOWN_CHANGES));
    section("What's going on", lines)
}

/// Causes with probability and evidence, or an honest "I don't know".
#[must_use]
pub fn probable_cause(incident: &Incident, policy: &Policy, now: At) -> Section {
    let Some(suggestion) = &incident.suggestion else {
        return section("Probable cause", vec![line(vec![faint("Looking through past incidents…")])]);
    };
    let mut lines = Vec::new();
    for cause in suggestion.causes.iter().take(policy.triage.shown) {
        lines.push(line(vec![Span::Percent(percent(cause.p)), ours(" "), outside(cause.value.clone())]));
        lines.extend(reasons(suggestion, cause, 2));
    }
    if lines.is_empty() {
        lines.push(line(vec![ours("I don't know: no past incident is close enough to name a cause.")]));
        lines.extend(suggestion.similar.iter().take(2).map(nearest));
    }
    lines.push(line(vec![faint(seen(suggestion, now))]));
    for owed in &suggestion.owed {
        lines.push(line(followup::owed(owed, now)));
    }
    let mut section = section("Probable cause", lines);
    if !suggestion.causes.is_empty() && incident.judged.is_none() {
        let judge =
            |label: &str, right| button(label, Style::Plain, incident.id.0, Intent::Feedback { right, cause: None });
        section.buttons = vec![judge("This is right", true), judge("This is wrong", false)];
    }
    section
}

/// A past incident that is worth a look, although it proves nothing.
fn nearest(past: &PastIncident) -> Line {
    let mut spans = vec![faint("nearest: "), case(past), ours(format!(" ({}) ", past.opened_at.day()))];
    spans.push(outside(past.title.clone()));
    if let Some(cause) = &past.cause {
        spans.extend([faint("; its cause was "), outside(cause.clone())]);
    }
    under(spans)
}

/// "seen before: 3 times" or "new: nothing like it in 2 years of history".
fn seen(suggestion: &Suggestion, now: At) -> String {
    let history = suggestion.since.map_or_else(String::new, |since| {
        let days = now.since(since) / DAY;
        let length = if days >= 730 { format!("{} years", days / 365) } else { count(days.unsigned_abs(), "day") };
        format!(" in {length} of history")
    });
    match suggestion.seen {
        0 if suggestion.of == 0 => "Memory is empty: nothing to compare with yet.".to_owned(),
        0 => format!("New: nothing like it among {}{history}.", count(suggestion.of, "past incident")),
        n => format!(
            "Seen before: {} among {}{history}.",
            count(n.into(), "time"),
            count(suggestion.of, "past incident")
        ),
    }
}

/// Runbooks that apply here, with their record, one click to request.
#[must_use]
pub fn worked_before(incident: &Incident, desk: &Desk, policy: &Policy) -> Section {
    let mut applying: Vec<_> = policy.runbooks.values().filter(|r| applies(r, incident)).collect();
    let worked = |name: &str| desk.records.get(name).map_or(0, |r| r.worked);
    applying.sort_by_key(|r| (std::cmp::Reverse(worked(&r.name)), r.name.clone()));
    let mut out = section("What worked before", Vec::new());
    for runbook in applying.into_iter().take(SHOWN_RUNBOOKS) {
        let record = desk.records.get(&runbook.name);
        out.lines.push(line(vec![
            code(runbook.name.clone()),
            ours(" "),
            outside(runbook.title.clone()),
            ours(format!(": {}", record_text(record))),
        ]));
        let service = incident.service.clone();
        let fills = |p: &super::runbook::Param| p.default.is_some() || (p.name == "service" && service.is_some());
        if runbook.params.iter().all(fills) {
            let intent = Intent::Run { runbook: runbook.name.clone(), params: Vec::new(), dry: false };
            out.buttons.push(button(format!("Run {}", runbook.name), Style::Plain, incident.id.0, intent));
        } else {
            let holes: Vec<_> = runbook.params.iter().map(|p| format!("{}=…", p.name)).collect();
            out.lines.push(under(vec![ours("run "), code(format!("{} {}", runbook.name, holes.join(" ")))]));
        }
    }
    out
}

/// Whether a runbook says that it is for this incident.
#[must_use]
pub fn applies(runbook: &super::runbook::Runbook, incident: &Incident) -> bool {
    runbook.when.iter().any(|matchers| matchers.iter().all(|m| m.matches(&incident.labels)))
}

/// "fixed this 6 of 8 times, median 3 min".
#[must_use]
pub fn record_text(record: Option<&Record>) -> String {
    let Some(record) = record.filter(|r| r.tried() + r.unknown > 0) else { return "never run yet".to_owned() };
    let mut text = format!("worked {} of {}", record.worked, count(record.tried().into(), "time"));
    if let Some(median) = record.median() {
        let _ = write!(text, ", median {}", span(median));
    }
    if record.unknown > 0 {
        let _ = write!(text, ", {} unknown", record.unknown);
    }
    text
}

fn runs(incident: &Incident, policy: &Policy) -> Section {
    let mut out = section("Remediation", Vec::new());
    for (number, run) in incident.runs.iter().rev().take(SHOWN_RUNS) {
        out.lines.push(standing(policy, *number, run));
        if run.phase == Phase::Requested {
            out.lines.extend(run.plan.shown().into_iter().map(|c| under(vec![code(c)])));
            let short: String = run.sha256.chars().take(SHORT).collect();
            out.buttons.extend(decision_buttons(incident.id, *number, &short));
        }
    }
    out
}

fn ending(incident: &Incident) -> Section {
    let known = |what: &str, value: &Option<String>| match value {
        Some(v) => line(vec![faint(format!("{what}: ")), outside(v.clone())]),
        None => line(vec![faint(format!("{what}: ")), ours("not known")]),
    };
    section("How it ended", vec![known("Cause", &incident.cause), known("What fixed it", &incident.fix)])
}

fn owed(incident: &Incident, policy: &Policy) -> Section {
    let lines = incident.follow_ups.iter().map(|(id, f)| {
        let mut spans = vec![strong(format!("F-{id} "))];
        match &f.link {
            Some(link) => spans.push(Span::Link { label: f.title.clone(), href: link.clone() }),
            None => spans.push(outside(f.title.clone())),
        }
        if let Some(owner) = &f.owner {
            spans.extend([ours(", "), person(policy, owner)]);
        }
        if let Some(due) = &f.due {
            spans.push(ours(format!(", due {due}")));
        }
        if let Some(issue) = &f.issue {
            spans.push(faint(format!(", {}#{}", issue.repository, issue.number)));
        }
        if f.done_at.is_some() {
            spans.extend([ours(", "), strong("done")]);
        }
        if !f.unknown.is_empty() {
            spans.extend([faint("; not known there: "), outside(f.unknown.join(", "))]);
        }
        line(spans)
    });
    section("Follow-ups", lines.collect())
}

fn buttons(incident: &Incident) -> Vec<Button> {
    let id = incident.id.0;
    let mut buttons = Vec::new();
    if !incident.is_open() {
        return buttons;
    }
    if incident.times.acknowledged.is_none() {
        buttons.push(button("Acknowledge", Style::Primary, id, Intent::Acknowledge));
    }
    if !incident.roles.contains_key(&Role::Commander) {
        buttons.push(button("Claim lead", Style::Plain, id, Intent::TakeRole { role: Role::Commander, who: Who::Me }));
    }
    let over = if incident.firing() == 0 { Style::Primary } else { Style::Plain };
    buttons.push(button("Resolve", over, id, Intent::Resolve { cause: None, fix: None }));
    buttons
}
