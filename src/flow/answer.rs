//! Answers to asks: what people want to know, read from state they may see. Nothing here changes anything.

use super::card;
use super::desk::{AlertState, Desk};
use super::fact::Entry;
use super::incident::Incident;
use super::moment::At;
use super::phrase::{code, count, faint, line, ours, outside, percent, section, strong, titled, under};
use super::policy::Policy;
use super::recollection::PastIncident;
use super::triage::{case, reasons};
use super::{postmortem, suspects, timeline, whom};
use smokejumper_intents::reply::{Line, Reply, Section, Span};
use smokejumper_intents::word::State;

/// Lines of a timeline shown in chat; the console shows all.
const SHOWN_TIMELINE: usize = 40;

/// Open incidents, or ended ones, and alerts that belong to none.
#[must_use]
pub fn list(incidents: &[Incident], loose: &[AlertState], closed: bool, now: At) -> Reply {
    let title = match (incidents.len(), closed) {
        (0, false) => "No open incident.".to_owned(),
        (0, true) => "No ended incident.".to_owned(),
        (n, false) => count(n as u64, "open incident"),
        (n, true) => count(n as u64, "ended incident"),
    };
    let mut reply = titled(vec![strong(title)]);
    let lines: Vec<Line> = incidents.iter().map(|i| row(i, now)).collect();
    reply.sections.push(Section { lines, ..Section::default() });
    if !loose.is_empty() {
        let lines = loose.iter().map(|a| {
            line(vec![
                code(a.name.clone()),
                ours(" "),
                outside(a.summary.clone().unwrap_or_default()),
                faint(format!(" ({})", a.because)),
            ])
        });
        reply.sections.push(section("Alerts that belong to no incident", lines.collect()));
    }
    reply
}

fn row(incident: &Incident, now: At) -> Line {
    let until = incident.times.resolved.filter(|_| !incident.is_open()).unwrap_or(now);
    line(vec![
        Span::Incident(incident.id.0),
        ours(format!(" {} {} ", incident.severity().label(), incident.state.0.label())),
        outside(incident.title.clone()),
        faint(format!(
            " ({}, {} firing)",
            super::moment::span(until.since(incident.times.declared)),
            incident.firing()
        )),
    ])
}

/// Why the bot believes what it suggests: candidates, the features that counted, the passages that matched.
#[must_use]
pub fn why(incident: &Incident, policy: &Policy, now: At) -> Reply {
    let mut reply = titled(vec![strong("Why, for "), Span::Incident(incident.id.0)]);
    reply.sections.push(card::probable_cause(incident, policy, now));
    if !incident.changes.is_empty() {
        reply.sections.push(suspects::all(incident));
    }
    let Some(suggestion) = &incident.suggestion else { return reply };
    for cause in &suggestion.causes {
        let mut lines = vec![line(vec![outside(cause.value.clone())])];
        lines.extend(reasons(suggestion, cause, 5));
        let features = cause.features.iter().map(|(n, v)| format!("{n} {v:.2}")).collect::<Vec<_>>().join(", ");
        lines.push(under(vec![faint(format!("what counted: {features}; model {}", suggestion.model))]));
        reply.sections.push(section("", lines));
    }
    if let Some(withheld) = suggestion.withheld.causes.first().filter(|_| suggestion.causes.is_empty()) {
        let text = format!(
            "The best guess reached {} %, below the {} % at which I speak. What would help: a note about what was seen, or the service's name.",
            percent(withheld.p),
            percent(policy.triage.threshold),
        );
        reply.sections.push(section("", vec![line(vec![ours(text)])]));
    }
    reply
}

/// Similar past incidents with the passage that matched.
#[must_use]
pub fn similar(past: &[PastIncident]) -> Reply {
    let mut reply = titled(vec![strong(match past.len() {
        0 => "Nothing similar in memory.".to_owned(),
        n => count(n as u64, "similar past incident"),
    })]);
    for p in past {
        let mut lines = vec![line(vec![
            case(p),
            ours(format!(" ({}) ", p.opened_at.day())),
            outside(p.title.clone()),
            faint(format!(" similarity {} %", percent(p.similarity))),
        ])];
        if let Some(cause) = &p.cause {
            lines.push(under(vec![faint("cause: "), outside(cause.clone())]));
        }
        if let Some(fix) = &p.resolution {
            lines.push(under(vec![faint("fixed by: "), outside(fix.clone())]));
        }
        if !p.snippet.is_empty() {
            lines.push(under(vec![faint("“"), outside(p.snippet.clone()), faint("”")]));
        }
        reply.sections.push(section("", lines));
    }
    reply
}

#[must_use]
pub fn who(incident: &Incident, desk: &Desk, policy: &Policy, now: At) -> Reply {
    let mut reply = titled(vec![strong("Who to call, for "), Span::Incident(incident.id.0)]);
    reply.sections.push(Section { heading: String::new(), ..whom::who(incident, desk, policy, now) });
    reply
}

/// Every runbook with its record; those that apply here first.
#[must_use]
pub fn runbooks(incident: Option<&Incident>, desk: &Desk, policy: &Policy) -> Reply {
    let mut all: Vec<_> = policy.runbooks.values().collect();
    let applies = |r: &super::runbook::Runbook| incident.is_some_and(|i| card::applies(r, i));
    all.sort_by_key(|r| (!applies(r), r.name.clone()));
    let mut reply = titled(vec![strong(match all.len() {
        0 => "No runbooks are configured.".to_owned(),
        n => count(n as u64, "runbook"),
    })]);
    let mut lines = Vec::new();
    for r in all {
        let mark = if applies(r) { " applies here" } else { "" };
        lines.push(line(vec![code(r.name.clone()), ours(" "), outside(r.title.clone()), strong(mark)]));
        let params: Vec<_> = r.params.iter().map(|p| format!("{}=…", p.name)).collect();
        lines.push(under(vec![
            faint(format!(
                "{} risk, {}; {}; ",
                r.risk.label(),
                count(r.approvals.into(), "approval"),
                card::record_text(desk.records.get(&r.name))
            )),
            code(format!("run {} {}", r.name, params.join(" ")).trim_end().to_owned()),
        ]));
    }
    reply.sections.push(Section { lines, ..Section::default() });
    reply
}

#[must_use]
pub fn timeline_reply(incident: &Incident, entries: &[Entry], policy: &Policy) -> Reply {
    timeline::reply(incident.id, entries, policy, SHOWN_TIMELINE)
}

#[must_use]
pub fn postmortem_reply(incident: &Incident, entries: &[Entry], policy: &Policy) -> Reply {
    let mut reply = postmortem::draft(incident, entries, policy).reply();
    if !matches!(incident.state.0, State::Resolved | State::Postmortem | State::Closed) {
        reply.sections.insert(
            0,
            section("", vec![line(vec![ours("The incident is not over; this is what would be written now.")])]),
        );
    }
    reply
}
